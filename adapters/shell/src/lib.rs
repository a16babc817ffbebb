//! Drives the kernel: events go into a journal, and what the kernel orders goes into the world when they are durable.
//!
//! The shell decides nothing. It turns what happens outside into events, keeps the words that the kernel knows by number, writes both
//! to the journal, and carries out orders. After a crash it replays the journal and goes on with what is outstanding: the
//! contract is in `docs/kernel.md`, under durability.
//!
//! Everything asynchronous in it goes through the seam of `downbeat-rt`.

mod act;
mod entry;
mod error;
mod number;
mod ports;
mod shard;
mod trace;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use downbeat_kernel::{Budget, Config, Event, Outcome, TaskId};
use downbeat_rt::{Receiver, Rt, Sender, Task};
use downbeat_store::{ShardId, Store};
use tracing::Instrument;

pub use entry::Entry;
pub use error::ShellError;
pub use ports::{Clock, Doing, Model, People, Places, Question, Reply, SendEnd, Tools, Wish};
use shard::{Answered, Letter, Shard};
pub use words::{Exchange, Piece, Said, Text};

/// What the world has to do for a shell.
#[derive(Clone)]
pub struct Ports {
    /// The models.
    pub model: Arc<dyn Model>,
    /// The tools.
    pub tools: Arc<dyn Tools>,
    /// The people.
    pub people: Arc<dyn People>,
    /// Where tasks run.
    pub places: Arc<dyn Places>,
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
    /// Events that wait for one shard: whoever has one more waits for room. 1,024 by default.
    pub mailbox_max: usize,
    /// Events in one commit. 256 by default: more cost little more each, and make the first wait for the last.
    pub batch_max: u64,
}

impl Default for ShellConfig {
    fn default() -> Self {
        Self { shards: 1, kernel: Config::default(), mailbox_max: 1_024, batch_max: 256 }
    }
}

/// A shell that runs.
#[derive(Debug)]
pub struct Shell {
    shards: Vec<Running>,
    next: AtomicUsize,
    ended: Receiver<Result<(), ShellError>>,
}

impl Shell {
    /// Opens every shard and lets it run.
    pub fn start(rt: &Rt, config: ShellConfig, store: &Arc<dyn Store>, ports: &Ports) -> Self {
        let (end, ended) = rt.channel("ended", config.shards.max(1) as usize);
        let start = |shard| {
            let (store, ports) = (Arc::clone(store), ports.clone());
            Running::start(rt.clone(), ShardId(shard), config, store, ports, end.clone())
        };
        Self { shards: (0..config.shards.max(1)).map(start).collect(), next: AtomicUsize::new(0), ended }
    }

    /// The shard of a task.
    fn shard_of(&self, task: TaskId) -> &Running {
        let shards = self.shards.len() as u64;
        &self.shards[usize::try_from(task.0 % shards).unwrap_or_default()]
    }

    /// Tells an event with its words to the shard of its task, and hears what became of it when that is durable. What is about
    /// all tasks is told to all shards, and the last of them answers.
    ///
    /// # Errors
    /// If the shard has stopped.
    pub async fn tell(&self, event: Event, text: Vec<String>) -> Result<Outcome, ShellError> {
        if let Some(task) = trace::task_of(&event) {
            return self.shard_of(task).tell(event, text).await;
        }
        let mut outcome = Err(ShellError::Stopped);
        for shard in &self.shards {
            outcome = Ok(shard.tell(event.clone(), text.clone()).await?);
        }
        outcome
    }

    /// Submits a task to the next shard in turn, and gives its number when that is durable.
    ///
    /// # Errors
    /// If the shard has stopped, or has no room for another task.
    pub async fn submit(&self, prompt: String, budget: Budget) -> Result<TaskId, ShellError> {
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.shards.len();
        self.shards[next].submit(prompt, budget).await
    }

    /// Stops what runs, and gives the shards back: what was told before and is not durable is durable then. Whoever starts it
    /// again finds everything as after a crash.
    ///
    /// # Errors
    /// Why the first that could not go on could not.
    pub async fn stop(mut self) -> Result<(), ShellError> {
        for shard in &self.shards {
            shard.stop().await;
        }
        let mut stopped = Ok(());
        while let Some(ended) = self.ended.next().await {
            stopped = stopped.and(ended);
        }
        for shard in self.shards {
            shard.task.join().await;
        }
        stopped
    }

    /// Waits until a shard has ended, and stops the others.
    ///
    /// # Errors
    /// Why it could not go on.
    pub async fn join(mut self) -> Result<(), ShellError> {
        let first = self.ended.next().await.unwrap_or(Err(ShellError::Stopped));
        first.and(self.stop().await)
    }
}

/// A shard that runs.
#[derive(Debug)]
struct Running {
    mailbox: Sender<Letter>,
    rt: Rt,
    task: Task,
}

impl Running {
    /// Opens a shard and lets it run.
    fn start(
        rt: Rt,
        shard: ShardId,
        config: ShellConfig,
        store: Arc<dyn Store>,
        ports: Ports,
        end: Sender<Result<(), ShellError>>,
    ) -> Self {
        let (mailbox, mut letters) = rt.channel("mailbox", config.mailbox_max);
        let (inner, own) = (rt.clone(), mailbox.clone());
        let span = tracing::info_span!("shard", shard = shard.0);
        let mut ending = Ending { end, ran: None };
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
        Self { mailbox, rt, task }
    }

    /// Tells the shard an event with its words, and hears what became of it when that is durable.
    ///
    /// # Errors
    /// If the shard has stopped.
    async fn tell(&self, event: Event, text: Vec<String>) -> Result<Outcome, ShellError> {
        Ok(self.answered(event, text).await?.outcome)
    }

    /// Submits a task, and gives its number when that is durable.
    ///
    /// # Errors
    /// If the shard has stopped, or has no room for another task.
    async fn submit(&self, prompt: String, budget: Budget) -> Result<TaskId, ShellError> {
        match self.answered(Event::TaskSubmitted { task: TaskId(0), budget }, vec![prompt]).await? {
            Answered { outcome: Outcome::Applied, task: Some(task) } => Ok(task),
            Answered { outcome, .. } => Err(ShellError::NotTaken(Box::new(outcome))),
        }
    }

    async fn answered(&self, event: Event, text: Vec<String>) -> Result<Answered, ShellError> {
        let (reply, mut outcome) = self.rt.channel("reply", 1);
        let letter = Letter { event: Some(event), text, reply: Some(reply), finished: None };
        self.mailbox.send(letter).await.map_err(|_| ShellError::Stopped)?;
        outcome.next().await.ok_or(ShellError::Stopped)
    }

    /// Lets it commit what it was told, and end.
    async fn stop(&self) {
        let letter = Letter { event: None, text: Vec::new(), reply: None, finished: None };
        // One that has ended by itself says why.
        let _ = self.mailbox.send(letter).await;
    }
}

/// Says how a shard ended, also if it panicked.
struct Ending {
    end: Sender<Result<(), ShellError>>,
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
        let _ = self.end.try_send(self.ran.take().unwrap_or(Err(ShellError::Stopped)));
    }
}
