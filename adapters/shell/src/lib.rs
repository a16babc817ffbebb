//! Drives the kernel: events go into a journal, and what the kernel orders goes into the world when they are durable.
//!
//! The shell decides nothing. It turns what happens outside into events, keeps the words that the kernel knows by number, writes both
//! to the journal, and carries out orders. After a crash it replays the journal and goes on with what is outstanding: the
//! contract is in `docs/kernel.md`, under durability.
//!
//! Everything asynchronous in it goes through the seam of `downbeat-rt`.

mod act;
mod agents;
mod alarms;
mod asks;
mod bounds;
mod compact;
mod contain;
mod desk;
mod entry;
mod error;
mod fact;
#[cfg(feature = "planted-faults")]
pub mod fault;
#[cfg(not(feature = "planted-faults"))]
mod fault;
mod fleet;
#[cfg(test)]
mod history;
mod iterate;
mod keeper;
mod known;
#[cfg(test)]
mod nobody;
mod number;
mod output;
mod passage;
mod ports;
mod post;
mod reading;
mod replay;
mod shard;
mod snapshot;
mod teller;
mod trace;
mod tries;
mod vault;
mod words;
mod workers;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use downbeat_kernel::{Budget, Config, Event, Outcome, PoolConfig, TaskId};
use downbeat_rt::{First, Receiver, Rt, Sender, Task, first_of};
use downbeat_store::{ShardId, Store};
use tracing::Instrument;

pub use agents::{Agents, Container, NoAgents, Seat, Sign, Submitter};
pub use bounds::Bounds;
pub use entry::{Bill, Entry, PoolStanding, Recorded, Standing};
pub use error::ShellError;
pub use fact::{Order, Refused};
pub use known::Contradiction;
pub use output::{Excerpt, Output, Viewer};
pub use ports::{
    Claimant, Clock, Doing, Model, NoVault, Notification, Notifier, People, Question, Reply, RootEnd,
    SendEnd, Tools, Trial, Vault, Wish,
};
pub use reading::{Journal, OnRecord, Outstanding, Replay, settings_in};
use shard::{Letter, Shard};
pub use teller::Teller;
pub use words::{Exchange, Paragraph, Piece, Said, Text};
pub use workers::{Instruction, Instructions, NoWorkers, Overseer, Run, RunKey, Voice, Workers};

/// What the world has to do for a shell.
#[derive(Clone)]
pub struct Ports {
    /// The models.
    pub model: Arc<dyn Model>,
    /// Whoever watches responses arrive, if anybody does.
    pub viewer: Option<Arc<dyn Viewer>>,
    /// The tools.
    pub tools: Arc<dyn Tools>,
    /// The people.
    pub people: Arc<dyn People>,
    /// Whoever tells people how roots end.
    pub notifier: Arc<dyn Notifier>,
    /// Where tasks run.
    pub agents: Arc<dyn Agents>,
    /// The agents that run tasks by themselves.
    pub workers: Arc<dyn Workers>,
    /// Whoever watches over them.
    pub overseer: Arc<dyn Overseer>,
    /// The credentials that have to be refreshed.
    pub vault: Arc<dyn Vault>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// Settings of a shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShellConfig {
    /// How many shards it has: each is one kernel and one journal, and may have a processor of its own. 1 by default. A store is
    /// opened with as many as it was written with.
    pub shards: u32,
    /// Those of the kernel of each shard. A journal is replayed under the settings that it was written under.
    pub kernel: Config,
    /// Those of the pool of each shard: how many agents it has, how many tasks run at once, how long a lease lasts. `None`, the default, if
    /// tasks need no agents: then each has its place at once.
    pub pool: Option<PoolConfig>,
    /// Whether a task that is submitted is tried again when it fails: each attempt is a root of its own, which begins with the prompt and
    /// a whole budget. How often, and after which wait, say `task_attempts_max` and `task_backoff_ms` of the kernel. `false` by
    /// default. Those that there are go on as they were submitted.
    pub attempts: bool,
    /// Events that wait for one shard: whoever has one more waits for room. 1,024 by default.
    pub mailbox_max: usize,
    /// Events in one commit. 256 by default: more cost little more each, and make the first wait for the last.
    pub batch_max: u64,
    /// Events after which a snapshot is taken, and what is over leaves the journal; 0 for never. 100,000 by default: they are
    /// replayed in a fraction of a second.
    pub snapshot_every: u64,
    /// Milliseconds that a viewer may take for one piece; after that nothing more of the send is shown. 30,000 by default, as
    /// [`Config::idle_ms`]: somebody who reads has long gone.
    pub view_ms_max: u64,
    /// How long other adapters may take that no timer of the kernel waits for.
    pub bounds: Bounds,
    /// Milliseconds that a stop may take. 10,000 by default, as long as a cancelled task may take to stop its own work.
    pub stop_ms_max: u64,
}

impl Default for ShellConfig {
    fn default() -> Self {
        Self {
            shards: 1,
            kernel: Config::default(),
            pool: None,
            attempts: false,
            mailbox_max: 1_024,
            batch_max: 256,
            snapshot_every: 100_000,
            view_ms_max: 30_000,
            bounds: Bounds::default(),
            stop_ms_max: 10_000,
        }
    }
}

/// A shell that runs. Dropped, it stops where it is: whoever starts it again finds everything as after a crash.
#[derive(Debug)]
pub struct Shell {
    rt: Rt,
    shards: Vec<Running>,
    teller: Teller,
    ended: Receiver<Ended>,
    /// Those that have ended by now.
    gone: BTreeSet<ShardId>,
    stop_ms_max: u64,
}

/// A shard that has ended, and why it could not go on.
type Ended = (ShardId, Result<(), ShellError>);

impl Shell {
    /// Opens every shard and lets it run.
    pub fn start(rt: &Rt, config: ShellConfig, store: &Arc<dyn Store>, ports: &Ports) -> Self {
        let (end, ended) = rt.channel("ended", config.shards.max(1) as usize);
        let start = |shard| {
            let (store, ports) = (Arc::clone(store), ports.clone());
            Running::start(rt, ShardId(shard), config, store, ports, end.clone())
        };
        let (shards, mailboxes): (Vec<_>, _) = (0..config.shards.max(1)).map(start).unzip();
        Self {
            rt: rt.clone(),
            shards,
            teller: Teller::new(rt.clone(), mailboxes),
            ended,
            gone: BTreeSet::new(),
            stop_ms_max: config.stop_ms_max,
        }
    }

    /// What tells it events, for whoever has no business stopping it. When the shell has stopped, it says so.
    pub fn teller(&self) -> Teller {
        self.teller.clone()
    }

    /// As [`Teller::tell`].
    ///
    /// # Errors
    /// If the shard has stopped.
    pub async fn tell(&self, event: Event, text: Vec<String>) -> Result<Outcome, ShellError> {
        self.teller.tell(event, text).await
    }

    /// As [`Teller::submit`].
    ///
    /// # Errors
    /// If the shard has stopped, or has no room for another task.
    pub async fn submit(&self, prompt: String, budget: Budget) -> Result<TaskId, ShellError> {
        self.teller.submit(prompt, budget).await
    }

    /// Stops what runs, and gives the shards back: what was told before is durable then, and was answered. What is told later is
    /// refused as [`ShellError::Stopped`]. Whoever starts it again finds everything as after a crash.
    ///
    /// # Errors
    /// Why the first that could not go on could not; or [`ShellError::Late`], if some have not stopped in time. These are dropped.
    pub async fn stop(mut self) -> Result<(), ShellError> {
        let late = self.rt.sleep(Duration::from_millis(self.stop_ms_max));
        match first_of(self.stop_all(), late).await {
            First::Left(stopped) => stopped,
            First::Right(()) => {
                let all = self.shards.iter().map(|shard| shard.shard);
                Err(ShellError::Late { shards: all.filter(|shard| !self.gone.contains(shard)).collect() })
            }
        }
    }

    async fn stop_all(&mut self) -> Result<(), ShellError> {
        self.teller.seal();
        let mut stopped = Ok(());
        while let Some((shard, ended)) = self.ended.next().await {
            self.gone.insert(shard);
            stopped = stopped.and(ended);
        }
        for shard in std::mem::take(&mut self.shards) {
            shard.task.join().await;
        }
        stopped
    }

    /// Waits until a shard has ended, and stops the others.
    ///
    /// # Errors
    /// Why it could not go on; otherwise as for [`Shell::stop`].
    pub async fn join(mut self) -> Result<(), ShellError> {
        let Some((shard, first)) = self.ended.next().await else { return Err(ShellError::Stopped) };
        self.gone.insert(shard);
        first.and(self.stop().await)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        for shard in &self.shards {
            shard.task.abort();
        }
    }
}

/// A shard that runs.
#[derive(Debug)]
struct Running {
    shard: ShardId,
    task: Task,
}

impl Running {
    /// Opens a shard and lets it run.
    fn start(
        rt: &Rt,
        shard: ShardId,
        config: ShellConfig,
        store: Arc<dyn Store>,
        ports: Ports,
        end: Sender<Ended>,
    ) -> (Self, Sender<Letter>) {
        let (mailbox, mut letters) = rt.channel("mailbox", config.mailbox_max);
        let (inner, own) = (rt.clone(), mailbox.clone());
        let span = tracing::info_span!("shard", shard = shard.0);
        let mut ending = Ending { shard, end, ran: None };
        let work = async move {
            let ran = match Shard::open(inner, shard, config, store, ports, own).await {
                Ok(mut shard) => {
                    let ran = shard.run(&mut letters).await;
                    let closed = shard.close().await;
                    ran.and(closed)
                }
                Err(error) => Err(error),
            };
            if let Err(error) = &ran {
                tracing::error!(target: "downbeat::shard", %error, "stopped");
            }
            ending.ran(ran);
        };
        let task = rt.spawn("shard", work.instrument(span));
        (Self { shard, task }, mailbox)
    }
}

/// Says how a shard ended, also if it panicked.
struct Ending {
    shard: ShardId,
    end: Sender<Ended>,
    ran: Option<Result<(), ShellError>>,
}

impl Ending {
    fn ran(&mut self, ran: Result<(), ShellError>) {
        self.ran = Some(ran);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // Nobody may want to know.
        let _ = self.end.try_send((self.shard, self.ran.take().unwrap_or(Err(ShellError::Stopped))));
    }
}
