//! One life of a run: the shell over a stored journal, the world around it, and trees that are begun until there are enough.

use crate::error::DemoError;
use crate::faster::Faster;
use crate::faults::Fault;
use crate::folder::Folder;
use crate::ledger::Ledger;
use crate::mirror::{Watched, hold_time};
use crate::path::Path;
use crate::record::{Log, Record, VERSION};
use crate::script::Script;
use crate::view::{Subject, View};
use crate::world::{Port, World};
use downbeat_kernel::{Config, Event, ProfileId};
use downbeat_rt::{First, Rt, Tokio, first_of};
use downbeat_shell::{Clock, NoAgents, NoWorkers, Ports, Shell, ShellConfig, Teller};
use downbeat_store::{Sqlite, Store};
use std::collections::VecDeque;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What somebody wants to see.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where it is stored.
    pub store: PathBuf,
    /// Trees in all; those of the stored run by default, else 12.
    pub trees: Option<u64>,
    /// What everything follows from; that of the stored run by default, else 1.
    pub seed: Option<u64>,
    /// Trees that live at once.
    pub live: usize,
    /// Simulated seconds in a second, from 1.
    pub speed: u32,
    /// How many times as long as in the demo everything takes that the outside does, from 1.
    pub pace: u32,
    /// Whether time stands still while something becomes durable: for a runtime whose clock is paused.
    pub is_simulated: bool,
    /// Whether what is stored is removed before.
    pub fresh: bool,
    /// What goes wrong on purpose, for tests.
    pub fault: Option<Fault>,
}

impl Wanted {
    fn subject(&self, seed: u64, trees: u64) -> Subject {
        Subject { seed, trees, live: self.live.max(1), speed: self.speed, folder: self.store.clone() }
    }
}

/// How a life came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every tree has ended, or nothing happens any more.
    Over,
    /// Somebody stopped it.
    Stopped,
}

/// Trees at once, where nobody says how many.
pub(crate) const LIVE: u32 = 4;
/// Trees, where nobody says how many.
const TREES: u64 = 12;
/// The seed, where nobody says which.
const SEED: u64 = 1;
/// Time between two looks.
const TICK: Duration = Duration::from_millis(100);
/// The rate is that of so many looks.
const WINDOW: usize = 20;
/// Simulated time in which nothing happens, after which nothing will: many times the longest wait there is here, for a notification
/// that was lost four times.
const QUIET: Duration = Duration::from_mins(2);
/// As long as a stop may take, in real milliseconds.
const STOP_MS: u64 = 10_000;

/// Settings of the shell. Those of the kernel are the same in every life.
pub(crate) fn settings(speed: u32) -> ShellConfig {
    let kernel = Config {
        profiles_keyed: 0,
        // Each kill may cost a turn one of them.
        attempts_max: 16,
        backoff_ms: 1_000,
        ..Config::default()
    };
    let stop_ms_max = STOP_MS * u64::from(speed);
    ShellConfig { kernel, snapshot_every: 20_000, stop_ms_max, ..ShellConfig::default() }
}

/// A stored run, and what the outside remembers of it.
struct Stored {
    log: Log,
    ledger: Ledger,
    subject: Subject,
}

impl Stored {
    /// Opens what is stored, or begins.
    fn open(wanted: &Wanted) -> Result<Self, DemoError> {
        let folder = Folder(wanted.store.clone());
        folder.make()?;
        if wanted.fresh {
            return Self::begin(&folder, Log::locked(&folder.world())?, wanted);
        }
        let mut found: Option<(u64, u64, Ledger)> = None;
        let log = Log::open(&folder.world(), |record| {
            match (&mut found, record) {
                (Some((.., ledger)), record) => ledger.take(record),
                (None, Record::Run { version: VERSION, seed, trees }) => {
                    found = Some((seed, trees, Ledger::new(Script { seed })));
                }
                (None, _) => return Err(DemoError::Newer { path: folder.world() }),
            }
            Ok(())
        })?;
        let Some((seed, trees, ledger)) = found else {
            if folder.journal().exists() {
                return Err(DemoError::Torn { path: folder.world() });
            }
            return Self::begin(&folder, log, wanted);
        };
        match ledger.finished {
            Some(true) => return Self::begin(&folder, log, wanted),
            Some(false) => return Err(DemoError::Broken { folder: folder.0 }),
            None => {}
        }
        for (option, wanted, stored) in [("--tasks", wanted.trees, trees), ("--seed", wanted.seed, seed)] {
            if wanted.is_some_and(|wanted| wanted != stored) {
                let stored = stored.to_string();
                return Err(DemoError::Other { folder: folder.0, option, stored });
            }
        }
        if ledger.totals.sends > 0 && !folder.journal().exists() {
            return Err(DemoError::Torn { path: folder.journal() });
        }
        Ok(Self { log, ledger, subject: wanted.subject(seed, trees) })
    }

    fn begin(folder: &Folder, mut log: Log, wanted: &Wanted) -> Result<Self, DemoError> {
        let (seed, trees) = (wanted.seed.unwrap_or(SEED), wanted.trees.unwrap_or(TREES));
        folder.remove_journal()?;
        log.cut(0)?;
        log.write(&Record::Run { version: VERSION, seed, trees })?;
        let subject = wanted.subject(seed, trees);
        Ok(Self { log, ledger: Ledger::new(Script { seed }), subject })
    }
}

/// One life.
struct Life {
    rt: Rt,
    subject: Subject,
    world: Arc<World>,
    watched: Arc<Watched>,
    teller: Teller,
    /// How many events there were at the last looks.
    looks: VecDeque<(Duration, u64)>,
    /// What had happened when something last did, and when that was.
    last: (u64, Duration),
}

/// Why a life ends by itself.
enum End {
    Over,
    /// The shell has stopped.
    Gone,
}

/// Lives until everything has ended or somebody stops it, and shows what there is to see now and then.
pub(crate) async fn run(
    wanted: &Wanted,
    show: &mut (dyn FnMut(&View) -> Result<(), DemoError> + Send),
    stop: impl Future<Output = ()>,
) -> Result<(Outcome, View), DemoError> {
    let Stored { log, ledger, subject } = Stored::open(wanted)?;
    let folder = subject.folder.clone();
    let of_store = |source| DemoError::Store { folder: folder.clone(), source };
    let of_shell = |source| DemoError::Shell { folder: folder.clone(), source };
    let rt = Rt::new(Tokio::current());
    let fast = Rt::new(Faster { tokio: Tokio::current(), speed: subject.speed });
    let config = settings(subject.speed);
    let held = wanted.is_simulated.then(hold_time);
    let store = Sqlite::open(&Folder(folder.clone()).journal()).await.map_err(of_store)?;
    let watched = Watched::open(store, config.kernel, wanted.is_simulated).await.map_err(of_store)?;
    drop(held);
    let script = Script { seed: subject.seed };
    let world = World::new(fast.clone(), script, log, ledger, wanted);
    world.state().note(Record::Life);
    accept(&world, &watched);
    let store: Arc<dyn Store> = watched.clone();
    let shell = Shell::start(&fast, config, &store, &ports(&world));
    world.opens(shell.teller());
    world.people_go_on();
    let teller = shell.teller();
    let (looks, last) = (VecDeque::new(), (0, fast.now()));
    let mut life = Life { rt, subject, world, watched, teller, looks, last };
    let played = match first_of(stop, life.play(show)).await {
        First::Left(()) => None,
        First::Right(end) => Some(end?),
    };
    shell.stop().await.map_err(of_shell)?;
    let outcome = match played {
        Some(End::Over) => Outcome::Over,
        Some(End::Gone) | None => Outcome::Stopped,
    };
    life.close(outcome)
}

fn ports(world: &Arc<World>) -> Ports {
    let port = Arc::new(Port(Arc::clone(world)));
    Ports {
        model: port.clone(),
        viewer: None,
        workers: Arc::new(NoWorkers),
        overseer: Arc::new(NoWorkers),
        tools: port.clone(),
        people: port.clone(),
        notifier: port.clone(),
        agents: Arc::new(NoAgents),
        vault: port.clone(),
        clock: port,
    }
}

/// Trees that are in the journal were accepted, also where nobody heard so.
fn accept(world: &World, watched: &Watched) {
    let mirror = watched.mirror();
    let roots = mirror.kernel.tasks().filter(|task| task.data.parent.is_none());
    let mut state = world.state();
    for task in roots.map(|task| task.id) {
        if let Some(Path { tree, .. }) = mirror.names.get(&task).and_then(|name| Path::of(&name.prompt))
            && tree > state.ledger.last()
        {
            state.note(Record::Accepted { tree, task });
        }
    }
}

impl Life {
    async fn play(
        &mut self,
        show: &mut (dyn FnMut(&View) -> Result<(), DemoError> + Send),
    ) -> Result<End, DemoError> {
        loop {
            if let Some(trouble) = self.world.state().trouble.take() {
                return Err(trouble);
            }
            if !self.begin_trees().await || !self.is_there().await {
                return Ok(End::Gone);
            }
            let view = self.look();
            show(&view)?;
            if self.is_over() {
                return Ok(End::Over);
            }
            self.rt.sleep(TICK).await;
        }
    }

    /// Begins the next trees, for so long as there is between two looks. `false` if the shell has stopped.
    async fn begin_trees(&self) -> bool {
        let until = self.rt.now() + TICK;
        loop {
            let tree = {
                let state = self.world.state();
                let is_due =
                    state.ledger.last() < self.subject.trees && state.ledger.live() < self.subject.live;
                if !is_due || self.rt.now() >= until {
                    return true;
                }
                state.ledger.last() + 1
            };
            let script = self.world.script;
            let submitted = self.teller.submit(script.prompt(&Path::root(tree)), Script::budget(tree)).await;
            let Ok(task) = submitted else { return false };
            self.world.state().note(Record::Accepted { tree, task });
        }
    }

    /// Whether the shell answers. What it is told is true, and changes nothing.
    async fn is_there(&self) -> bool {
        self.teller.tell(Event::ProfileUp { profile: ProfileId(0) }, Vec::new()).await.is_ok()
    }

    fn look(&mut self) -> View {
        let now = self.rt.now();
        let state = self.world.state();
        let mirror = self.watched.mirror();
        self.looks.push_back((now, mirror.events));
        if self.looks.len() > WINDOW {
            self.looks.pop_front();
        }
        let rate = self.looks.front().map_or(0.0, |(then, before)| {
            let seconds = now.saturating_sub(*then).as_secs_f64();
            #[expect(clippy::cast_precision_loss, reason = "for people")]
            let events = (mirror.events - before) as f64;
            if seconds > 0.0 { events / seconds } else { 0.0 }
        });
        let clocks = (Port(Arc::clone(&self.world)).now_ms(), self.world.rt.now());
        View::of(self.subject.clone(), &state, &mirror, now, rate, clocks)
    }

    fn is_over(&mut self) -> bool {
        let (state, mirror, now) = (self.world.state(), self.watched.mirror(), self.world.rt.now());
        let totals = &state.ledger.totals;
        let happened = mirror.events + totals.sends + totals.copies + totals.trees_ended;
        if happened != self.last.0 {
            self.last = (happened, now);
        }
        let is_done = totals.trees_ended == self.subject.trees && mirror.kernel.tasks().next().is_none();
        is_done || now.saturating_sub(self.last.1) >= QUIET
    }

    /// Puts the end on record, and judges the run if it is over.
    fn close(mut self, outcome: Outcome) -> Result<(Outcome, View), DemoError> {
        {
            let mut state = self.world.state();
            match outcome {
                Outcome::Over => {
                    state.ledger.finish(self.subject.trees);
                    let is_kept = state.ledger.verdict.is_kept();
                    state.note(Record::Finished { is_kept });
                }
                Outcome::Stopped => {
                    state.note(Record::Closed);
                }
            }
            if let Some(trouble) = state.trouble.take() {
                return Err(trouble);
            }
        }
        Ok((outcome, self.look()))
    }
}
