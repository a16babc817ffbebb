//! The explorer: asynchronous code under every schedule.
//!
//! A *program* is a future on the seam `downbeat-rt`. The explorer runs it again and again on one thread, each time from the
//! beginning, and decides itself who goes on, which timer fires and what the world around it does. Everything that it decides is
//! one list of choices, a [`Schedule`]; the same list gives the same execution.
//!
//! ```
//! use downbeat_sim::explore;
//!
//! explore::test(async |world| {
//!     let (sender, mut receiver) = world.rt().channel("numbers", 2);
//!     for number in [1, 2] {
//!         let sender = sender.clone();
//!         world.rt().spawn("sender", async move { assert_eq!(sender.send(number).await, Ok(())) });
//!     }
//!     let sum = receiver.next().await.unwrap_or(0) + receiver.next().await.unwrap_or(0);
//!     assert_eq!(sum, 3);
//! });
//! ```
//!
//! `docs/explorer.md` says what a choice is, what is recorded, and what *complete* means.

mod classes;
mod clock;
mod error;
mod execute;
mod fault;
mod footprint;
mod held;
mod minimize;
mod misuse;
mod mix;
mod names;
mod order;
#[cfg(test)]
mod programs;
mod report;
mod schedule;
mod stage;
mod story;
mod strategy;
mod trace;
mod tree;
mod world;

pub use error::ExploreError;
pub use misuse::Misuse;
pub use report::{End, Extent, Progress, Report, Seen, Stop};
pub use schedule::{Schedule, ScheduleError};
pub use world::World;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use classes::Classes;
use execute::Executor;
use held::{Held, on_stage, take_stage};
use misuse::Misuses;
use stage::Stage;
use story::Story;
use strategy::Strategy;
use strategy::bytes::Bytes;
use strategy::pct::Pct;
use strategy::random::Random;
use strategy::replay::Replay;
use tree::{Kind, Tree};

use crate::diagram::{self, Style};
use crate::report::Counterexample;

/// A task that never ends is cut off after so many steps, unless something else is asked for: several times those of a long scenario.
const STEPS_MAX: usize = 10_000;
/// [`test`] fails after so many executions without having seen all: about a minute.
const TEST_EXECUTIONS_MAX: u64 = 3_000_000;
/// A schedule is tried again with fewer choices at most so often: thousands of executions of a thousand steps take some seconds.
const MINIMIZE_ATTEMPTS: usize = 5_000;
/// Whether so many choices other than the first are enough is looked up: three of them make too many executions.
const BOUND_TRIED: usize = 2;
/// The time is looked at after so many steps, some tenths of a millisecond.
const STEPS_BETWEEN_LOOKS: u64 = 4_096;
/// Who watches is told so often.
const PROGRESS: Duration = Duration::from_millis(100);
/// A schedule that is to be replayed instead of a search, as text.
const SCHEDULE: &str = "DOWNBEAT_SCHEDULE";

/// Which executions are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// All, but for those that differ from one that was tried in the order of steps that have nothing in common.
    Exhaustive,
    /// All, which is many more: to compare with.
    Plain,
    /// All with at most so many choices other than the first: of several tasks that are ready the one that has been longest, of
    /// several possibilities of the world the first. It is a delay bound in which a delay of any length counts as one. What
    /// [`World::spawn_last`] runs begins last of all, so that to let it begin at some other moment is one choice, too.
    Bounded(usize),
    /// So many at random: whoever may go on is as likely as the others.
    Random {
        /// What is drawn from.
        seed: u64,
        /// How many.
        executions: u64,
    },
    /// So many by random priorities that change in `depth` - 1 places (probabilistic concurrency testing).
    Pct {
        /// What is drawn from.
        seed: u64,
        /// How many.
        executions: u64,
        /// How many orders between steps a fault is expected to need.
        depth: usize,
    },
    /// So many at random, each with some of the world's labels only, and with a likelihood of its own for each of them.
    Swarm {
        /// What is drawn from.
        seed: u64,
        /// How many.
        executions: u64,
    },
}

impl Search {
    fn strategy(self) -> Box<dyn Strategy> {
        match self {
            Self::Exhaustive => Box::new(Tree::new(Kind::Reduced)),
            Self::Plain => Box::new(Tree::new(Kind::Plain)),
            Self::Bounded(deviations) => Box::new(Tree::new(Kind::Bounded(deviations))),
            Self::Random { seed, .. } => Box::new(Random::new(seed, false)),
            Self::Pct { seed, depth, .. } => Box::new(Pct::new(seed, depth)),
            Self::Swarm { seed, .. } => Box::new(Random::new(seed, true)),
        }
    }

    /// How many executions are drawn.
    fn draws(self) -> Option<u64> {
        match self {
            Self::Exhaustive | Self::Plain | Self::Bounded(_) => None,
            Self::Random { executions, .. }
            | Self::Pct { executions, .. }
            | Self::Swarm { executions, .. } => Some(executions),
        }
    }

    /// What was seen when nothing ended the search early.
    fn extent(self) -> Extent {
        match self {
            Self::Exhaustive | Self::Plain => Extent::Complete,
            Self::Bounded(deviations) => Extent::Bounded(deviations),
            Self::Random { .. } | Self::Pct { .. } | Self::Swarm { .. } => Extent::Sampled,
        }
    }
}

/// One execution that somebody looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution<T> {
    /// How it ended.
    pub end: End<T>,
    /// The choices that were made, those of the schedule and those behind its end.
    pub schedule: Schedule,
    /// What happened, to be drawn: a lane for each task. The explanation is that of the end.
    pub story: Counterexample,
}

/// One exploration of one program, with its limits.
pub struct Explorer<'a, P> {
    program: P,
    seed: u64,
    steps_max: usize,
    executions_max: Option<u64>,
    time_max: Option<Duration>,
    stops_at_failure: bool,
    counts_classes: bool,
    interrupt: Option<&'a AtomicBool>,
    progress: Option<OnProgress<'a>>,
}

type OnProgress<'a> = Box<dyn FnMut(&Progress) + 'a>;

impl<'a, P, F> Explorer<'a, P>
where
    P: Fn(World) -> F,
    F: Future<Output: Ord + fmt::Debug>,
{
    /// An exploration without limits, but for 10,000 steps of one execution.
    ///
    /// The program is called for each execution. What it does may depend on nothing but the world that it is given.
    pub fn new(program: P) -> Self {
        Self {
            program,
            seed: 0,
            steps_max: STEPS_MAX,
            executions_max: None,
            time_max: None,
            stops_at_failure: false,
            counts_classes: true,
            interrupt: None,
            progress: None,
        }
    }

    /// What `random` of the seam draws from; 0 unless something else is said. A search at random has a seed of its own.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Cuts an execution off that has more steps.
    #[must_use]
    pub fn steps(mut self, most: usize) -> Self {
        self.steps_max = most;
        self
    }

    /// Ends the exploration after so many executions, also of those that are given up.
    #[must_use]
    pub fn executions(mut self, most: u64) -> Self {
        self.executions_max = Some(most);
        self
    }

    /// Ends the exploration after this time, and never within an execution.
    #[must_use]
    pub fn time(mut self, most: Duration) -> Self {
        self.time_max = Some(most);
        self
    }

    /// Ends the exploration at the first failure.
    #[must_use]
    pub fn stop_at_failure(mut self) -> Self {
        self.stops_at_failure = true;
        self
    }

    /// Does not count classes, which takes 24 bytes of memory and some time for each, nor find two executions of one class that come
    /// to different ends.
    #[must_use]
    pub fn without_classes(mut self) -> Self {
        self.counts_classes = false;
        self
    }

    /// Ends the exploration soon after this becomes true, between two executions.
    #[must_use]
    pub fn interrupt(mut self, interrupt: &'a AtomicBool) -> Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// Calls `progress` about every tenth of a second, between two executions.
    #[must_use]
    pub fn progress(mut self, progress: impl FnMut(&Progress) + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Runs the program as often as the search asks for.
    ///
    /// # Errors
    /// The program depends on more than on the choices, or misuses the seam.
    ///
    /// # Panics
    /// If it is called by a program that is explored, whose search ends with an error.
    pub fn explore(&mut self, search: Search) -> Result<Report<F::Output>, ExploreError> {
        self.explore_by(search.strategy(), search.draws(), search.extent())
    }

    fn explore_by(
        &mut self,
        strategy: Box<dyn Strategy>,
        draws: Option<u64>,
        extent: Extent,
    ) -> Result<Report<F::Output>, ExploreError> {
        let misuses = Arc::new(Misuses::new());
        let _held = Held::new(Stage::new(strategy, Arc::clone(&misuses), self.seed, self.steps_max, None));
        let mut executor = Executor::new(misuses.exploration());
        let mut classes = Classes::default();
        let mut report = Report {
            ends: BTreeMap::new(),
            extent,
            executions: 0,
            given_up: 0,
            classes: None,
            steps: 0,
            longest: 0,
            simulated: Duration::ZERO,
            elapsed: Duration::ZERO,
        };
        let mut watch = Watch::new();
        while draws.is_none_or(|draws| report.executions < draws) && stage(Stage::next) {
            if let Some(stop) = self.stop(&report, &mut watch) {
                report.extent = Extent::Stopped(stop);
                break;
            }
            let end = executor.run(&self.program);
            let steps = stage(|stage| stage.trace.steps().len());
            report.steps += steps as u64;
            report.longest = report.longest.max(steps);
            if let Some(misuse) = misuses.first() {
                return Err(ExploreError::Misused(misuse.clone()));
            }
            if let Some(step) = stage(|stage| stage.strategy.misfit()) {
                return Err(ExploreError::Diverged { step });
            }
            let Some(end) = end else {
                report.given_up += 1;
                continue;
            };
            report.executions += 1;
            let has_returned = matches!(end, End::Returned(_));
            let number = if let Some(seen) = report.ends.get_mut(&end) {
                seen.executions += 1;
                seen.number
            } else {
                let number = u32::try_from(report.ends.len()).expect("fewer than 2^32 ends fit in memory");
                let first = stage(|stage| stage.schedule());
                let (nth, after) = (report.executions, watch.began.elapsed());
                report.ends.insert(end, Seen { executions: 1, first, nth, after, number });
                number
            };
            let returned = has_returned.then_some(number);
            let is_like_its_class = |stage: &mut Stage| classes.insert(&stage.trace, &stage.names, returned);
            if self.counts_classes && !stage(is_like_its_class) {
                let schedule = stage(|stage| stage.schedule());
                return Err(ExploreError::Misused(Misuse::Apart { schedule }));
            }
        }
        let was_cut = report.ends.contains_key(&End::CutOff);
        if was_cut && matches!(report.extent, Extent::Complete | Extent::Bounded(_)) {
            report.extent = Extent::Stopped(Stop::Steps(self.steps_max));
        }
        report.classes = self.counts_classes.then_some(classes.len() as u64);
        report.simulated = stage(|stage| stage.simulated);
        report.elapsed = watch.began.elapsed();
        Ok(report)
    }

    /// Whether this was enough.
    fn stop(&mut self, report: &Report<F::Output>, watch: &mut Watch) -> Option<Stop> {
        let runs = report.executions + report.given_up;
        if let Some(most) = self.executions_max.filter(|most| runs >= *most) {
            return Some(Stop::Executions(most));
        }
        if self.stops_at_failure && report.failures().next().is_some() {
            return Some(Stop::Failure);
        }
        if self.interrupt.is_some_and(|interrupt| interrupt.load(Ordering::Relaxed)) {
            return Some(Stop::Interrupt);
        }
        if report.steps < watch.next_look {
            return None;
        }
        watch.next_look = report.steps + STEPS_BETWEEN_LOOKS;
        let elapsed = watch.began.elapsed();
        if let Some(progress) = &mut self.progress
            && elapsed >= watch.told + PROGRESS
        {
            watch.told = elapsed;
            progress(&Progress {
                executions: report.executions,
                given_up: report.given_up,
                steps: report.steps,
                ends: report.ends.len(),
                elapsed,
            });
        }
        self.time_max.filter(|most| elapsed >= *most).map(Stop::Time)
    }

    /// Runs the program once, by a schedule.
    ///
    /// # Errors
    /// The schedule belongs to another program, or the program misuses the seam.
    pub fn replay(&self, schedule: &Schedule) -> Result<Execution<F::Output>, ExploreError> {
        let (execution, misfit) = self.once(Box::new(Replay::new(schedule.clone())))?;
        misfit.map_or(Ok(execution), |place| Err(ExploreError::Misfit { place }))
    }

    /// Runs the program once, with a choice for each byte: the remainder, by how many alternatives there are.
    ///
    /// # Panics
    /// If the program misuses the seam.
    pub fn bytes(&self, bytes: &[u8]) -> Execution<F::Output> {
        match self.once(Box::new(Bytes::new(bytes))) {
            Ok((execution, _)) => execution,
            Err(error) => panic!("{error}"),
        }
    }

    /// One execution, and where it did not fit.
    fn once(
        &self,
        strategy: Box<dyn Strategy>,
    ) -> Result<(Execution<F::Output>, Option<usize>), ExploreError> {
        let misuses = Arc::new(Misuses::new());
        let story = Some(Story::default());
        let _held = Held::new(Stage::new(strategy, Arc::clone(&misuses), self.seed, self.steps_max, story));
        stage(Stage::next);
        let end = Executor::new(misuses.exploration()).run(&self.program).expect("a list has no sleepers");
        if let Some(misuse) = misuses.first() {
            return Err(ExploreError::Misused(misuse.clone()));
        }
        let mut stage = take_stage().expect("the explorer holds a stage");
        let story = stage.story.take().unwrap_or_default();
        let story = Counterexample {
            opening: String::new(),
            steps: story.steps(),
            lasso_start: None,
            explanation: end.to_string(),
            lanes: story.lanes,
        };
        let misfit = stage.strategy.misfit();
        Ok((Execution { end, schedule: stage.schedule(), story }, misfit))
    }

    /// A schedule with few choices other than the first that comes to an end like this one. The end is one of the same kind: the same
    /// value returned, the same task panicked, or a deadlock.
    ///
    /// None of the choices can be left out or replaced by a lesser one; and if one or two are enough, and some thousand executions
    /// with so many show it, no more than these are left.
    ///
    /// # Errors
    /// The schedule belongs to another program.
    pub fn minimize(&self, schedule: &Schedule) -> Result<Schedule, ExploreError> {
        let execution = self.replay(schedule)?;
        let minimized = minimize::minimize(&execution.schedule, MINIMIZE_ATTEMPTS, |candidate| {
            let (found, _) = self.once(Box::new(Replay::new(candidate.clone()))).ok()?;
            is_like(&found.end, &execution.end).then_some(found.schedule)
        });
        for deviations in 0..minimized.deviations().len().min(BOUND_TRIED + 1) {
            let smaller = Explorer::new(&self.program).seed(schedule.seed()).steps(self.steps_max);
            let found = smaller.executions(MINIMIZE_ATTEMPTS as u64).explore(Search::Bounded(deviations))?;
            if let Some((_, seen)) = found.ends.into_iter().find(|(end, _)| is_like(end, &execution.end)) {
                return Ok(seen.first);
            }
        }
        Ok(minimized)
    }

    /// Explores, and panics with the diagram of a minimized execution if one fails, and also if one was cut off, or not all that the
    /// search promises was seen. With a schedule in the environment variable `DOWNBEAT_SCHEDULE` that execution alone is run and drawn.
    ///
    /// # Panics
    /// See above; and if the program depends on more than on the choices.
    #[track_caller]
    pub fn test(mut self, search: Search) -> Report<F::Output> {
        if let Ok(text) = std::env::var(SCHEDULE) {
            let replayed = text.parse::<Schedule>().map_err(|error| error.to_string());
            let replayed =
                replayed.and_then(|schedule| self.replay(&schedule).map_err(|error| error.to_string()));
            match replayed {
                Ok(execution) => panic!("{}", drawn(&execution)),
                Err(error) => panic!("{SCHEDULE}: {error}"),
            }
        }
        self.stops_at_failure = true;
        let report = match self.explore(search) {
            Ok(report) => report,
            Err(error) => panic!("{error}"),
        };
        if let Some((_, seen)) = report.failures().next() {
            let found = self.minimize(&seen.first).and_then(|schedule| self.replay(&schedule));
            match found {
                Ok(execution) => panic!("{}", drawn(&execution)),
                Err(error) => panic!("{error}"),
            }
        }
        if let Some(cut) = report.ends.get(&End::CutOff) {
            let (count, most) = (cut.executions, self.steps_max);
            panic!("{count} executions were cut off after {most} steps, the first of them {}", cut.first);
        }
        if let Extent::Stopped(_) = report.extent {
            panic!("{} of {} executions", report.extent, report.executions + report.given_up);
        }
        report
    }
}

/// Explores every execution of a program, for a `#[test]`: see [`Explorer::test`]. It gives up, and fails, after three million
/// executions.
///
/// # Panics
/// If an execution fails.
#[track_caller]
pub fn test<F>(program: impl Fn(World) -> F) -> Report<F::Output>
where
    F: Future<Output: Ord + fmt::Debug>,
{
    Explorer::new(program).executions(TEST_EXECUTIONS_MAX).test(Search::Exhaustive)
}

/// When it was last looked at the time.
struct Watch {
    began: Instant,
    /// The steps after which it is looked again.
    next_look: u64,
    told: Duration,
}

impl Watch {
    fn new() -> Self {
        Self { began: Instant::now(), next_look: 0, told: Duration::ZERO }
    }
}

fn stage<R>(act: impl FnOnce(&mut Stage) -> R) -> R {
    on_stage(act).expect("the explorer holds a stage")
}

/// Whether two executions end in the same way, but for what was said.
fn is_like<T: Ord>(one: &End<T>, other: &End<T>) -> bool {
    match (one, other) {
        (End::Returned(one), End::Returned(other)) => one == other,
        (End::Panicked { task: one, .. }, End::Panicked { task: other, .. }) => one == other,
        (End::Deadlocked(_), End::Deadlocked(_)) | (End::CutOff, End::CutOff) => true,
        (End::Returned(_) | End::Deadlocked(_) | End::Panicked { .. } | End::CutOff, _) => false,
    }
}

/// The diagram of an execution, and how to see it again.
fn drawn<T>(execution: &Execution<T>) -> String {
    let (id, name) = match &execution.end {
        End::Returned(_) | End::CutOff => {
            return diagram::behaviour(&execution.schedule.to_string(), &execution.story, Style::Plain);
        }
        End::Deadlocked(_) => ("no-deadlock", "something can go on until the program has ended"),
        End::Panicked { .. } => ("no-panic", "no task panics unless somebody learns of it by joining it"),
    };
    let diagram = diagram::text(id, name, &execution.story, Style::Plain);
    format!("{diagram}\nto see it again, run this test with {SCHEDULE}='{}'", execution.schedule)
}
