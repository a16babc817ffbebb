//! The explicit-state checker: every reachable state, every property, shortest counterexamples.
//!
//! The search is breadth first and exact: whole states are stored and compared, never their fingerprints. It
//! goes on after a violation, so that the counts of a model do not depend on what is wrong with it. Liveness
//! is decided afterwards on the complete graph.
//!
//! The report is a function of the model and the limits on states and depth alone. Threads divide the work of
//! a block of states, but states are numbered in the order in which one thread would find them, so that
//! verdicts, counts and counterexamples are the same for any number of threads.

mod components;
mod crew;
mod estimate;
mod evaluate;
mod explore;
mod graph;
mod lasso;
mod limits;
mod liveness;
mod replay;
mod space;

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

pub use estimate::Estimate;
pub use limits::{Limit, Limits};

use crate::model::{Lane, Model, Property};
use crate::report::{Coverage, Kind, PropertyReport, Report, Storage, Verdict};
use evaluate::Evaluator;
use explore::Exploration;

/// One check of one model, with its limits.
///
/// ```
/// # use downbeat_sim::model::{Model, Property, Told};
/// # struct Counter;
/// # impl Model for Counter {
/// #     type State = u8;
/// #     type Action = ();
/// #     fn initial(&self) -> Vec<u8> { vec![0] }
/// #     fn actions(&self, state: &u8, actions: &mut Vec<()>) { if *state < 9 { actions.push(()) } }
/// #     fn next(&self, state: &u8, (): &()) -> Option<u8> { Some(state + 1) }
/// #     fn properties(&self) -> Vec<Property<Self>> { Vec::new() }
/// #     fn is_final(&self, state: &u8) -> bool { *state == 9 }
/// #     fn lanes(&self) -> Vec<String> { vec!["counter".into()] }
/// #     fn tell(&self, _: &u8, (): &(), _: &u8) -> Told { Told::new(0, 0, "counts") }
/// # }
/// use downbeat_sim::check::Checker;
///
/// let report = Checker::new(&Counter).check()?;
/// assert_eq!((report.distinct, report.depth), (10, 9));
/// # Ok::<(), downbeat_sim::check::CheckError>(())
/// ```
pub struct Checker<'a, M: Model> {
    model: &'a M,
    limits: Limits,
    threads: usize,
    only: Option<Vec<String>>,
    progress: Option<OnProgress<'a>>,
}

type OnProgress<'a> = Box<dyn FnMut(&Progress) + 'a>;

impl<'a, M: Model> Checker<'a, M> {
    /// A check of all properties without limits, on all available cores.
    pub fn new(model: &'a M) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { model, limits: Limits::default(), threads, only: None, progress: None }
    }

    /// Ends the search early.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Uses this number of threads. It changes the time that is needed and nothing else.
    #[must_use]
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = threads.get();
        self
    }

    /// Evaluates the properties with these ids only.
    #[must_use]
    pub fn only<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.only = Some(ids.into_iter().map(Into::into).collect());
        self
    }

    /// Calls `progress` after each block of some thousand states, on the calling thread.
    #[must_use]
    pub fn progress(mut self, progress: impl FnMut(&Progress) + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Visits the reachable states and decides the properties.
    ///
    /// # Errors
    /// The model contradicts itself; see [`CheckError`].
    pub fn check(mut self) -> Result<Report, CheckError> {
        let begin = Instant::now();
        let properties = self.selected_properties()?;
        let evaluator = Evaluator::new(self.model, &properties);
        let mut exploration = Exploration::new(self.model, &evaluator, self.limits, self.threads, begin);
        let mut ignore = |_: &Progress| {};
        let progress: &mut dyn FnMut(&Progress) = match &mut self.progress {
            Some(progress) => progress.as_mut(),
            None => &mut ignore,
        };
        let mut stopped_by = exploration.run(progress)?;

        let saw_all_states = stopped_by.is_none();
        let mut lassos = Vec::new();
        if saw_all_states && properties.iter().any(|property| liveness::is_liveness(&property.check)) {
            match liveness::decide(self.model, &properties, &exploration)? {
                ControlFlow::Continue(decided) => lassos = decided,
                ControlFlow::Break(limit) => stopped_by = Some(limit),
            }
        }

        let mut entries = Vec::with_capacity(properties.len());
        for (index, property) in properties.iter().enumerate() {
            let is_liveness = liveness::is_liveness(&property.check);
            let outcome = lassos.get_mut(index).and_then(Option::take);
            let (verdict, counterexample) = match outcome {
                Some(liveness::Outcome::Holds) => (Verdict::Holds, None),
                Some(liveness::Outcome::Vacuous) => (Verdict::Vacuous, None),
                Some(liveness::Outcome::Violated(lasso)) => {
                    let told = replay::lasso(self.model, &exploration.space, property, &lasso)?;
                    (Verdict::Violated, Some(told))
                }
                None if is_liveness => (Verdict::Incomplete, None),
                None => {
                    let finding = exploration.findings.of(index);
                    let verdict = finding.verdict(&property.check, saw_all_states);
                    let witness = finding.witness.filter(|_| verdict == Verdict::Violated);
                    let told = witness
                        .map(|witness| replay::finite(self.model, &exploration.space, property, witness))
                        .transpose()?;
                    (verdict, told)
                }
            };
            entries.push(PropertyReport {
                id: property.id,
                name: property.name,
                kind: Kind::from(&property.check),
                verdict,
                undecided: None,
                counterexample,
            });
        }
        Ok(Report {
            properties: entries,
            distinct: exploration.space.len(),
            generated: exploration.generated,
            depth: exploration.space.depth(),
            coverage: Coverage::default(),
            storage: Storage::Exact,
            elapsed: begin.elapsed(),
            stopped_by,
        })
    }

    fn selected_properties(&self) -> Result<Vec<Property<M>>, CheckError> {
        let mut properties = self.model.properties();
        let mut ids = BTreeSet::new();
        if let Some(twice) = properties.iter().find(|property| !ids.insert(property.id)) {
            return Err(CheckError::DuplicateProperty { id: twice.id });
        }
        if let Some(only) = &self.only {
            if let Some(unknown) = only.iter().find(|id| !ids.contains(id.as_str())) {
                let known = properties.iter().map(|property| property.id).collect();
                return Err(CheckError::UnknownProperty { id: unknown.clone(), known });
            }
            properties.retain(|property| only.iter().any(|id| id == property.id));
        }
        Ok(properties)
    }
}

/// How far a search has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Distinct states found.
    pub states: usize,
    /// Initial states and steps, before states that are equal become one.
    pub generated: u64,
    /// Steps from an initial state to the states that are being expanded.
    pub depth: usize,
    /// States found and not yet expanded.
    pub frontier: usize,
    /// How many states were found at each distance from the initial ones, from 0. The last is that of the states that
    /// are being found, of which there may be more.
    pub levels: Vec<usize>,
    /// Bytes of memory that the process uses, where the system tells it.
    pub memory: Option<u64>,
    /// Time since the check began.
    pub elapsed: Duration,
}

impl Progress {
    /// Distinct states found per second so far.
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people; 2^53 states do not fit in memory")]
        let states = self.states as f64;
        states / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// How many states there will be. Reckons with the levels that are complete alone, so it changes once a level.
    pub fn estimate(&self) -> Estimate {
        Estimate::of(self.levels.get(..=self.depth).unwrap_or(&[]))
    }
}

/// How a model contradicts itself or the check that was asked for. Nothing about its properties is known then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// [`Model::initial`] returned nothing, so that every property would hold for want of behaviours.
    NoInitialState,
    /// Two properties of the model have the same id.
    DuplicateProperty {
        /// The id.
        id: &'static str,
    },
    /// A property was selected that the model does not have.
    UnknownProperty {
        /// The id that was asked for.
        id: String,
        /// The ids of the model.
        known: Vec<&'static str>,
    },
    /// A step that was found in the search could not be taken again: no action leads to the recorded state.
    /// The model depends on something other than its arguments.
    NotRepeatable {
        /// The number of the step in the counterexample, from 1.
        step: usize,
        /// The actions that were tried, as their `Debug` shows them.
        tried: Vec<String>,
    },
    /// Taking `action` again led to a state that was not found in the search. Either the model depends on
    /// something other than its arguments, or `Hash` of its states disagrees with `Eq`.
    UnknownState {
        /// The action, as its `Debug` shows it.
        action: String,
    },
    /// Two states are equal and have different hashes.
    HashDisagreesWithEq {
        /// The action that led to the second of them, as its `Debug` shows it.
        action: String,
    },
    /// [`Model::tell`] names a participant that [`Model::lanes`] does not have.
    UnknownLane {
        /// The action that was told, as its `Debug` shows it.
        action: String,
        /// The index.
        lane: Lane,
        /// How many lanes there are.
        lanes: usize,
    },
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckError::NoInitialState => write!(f, "the model has no initial state"),
            CheckError::DuplicateProperty { id } => {
                write!(f, "two properties of the model have the id `{id}`")
            }
            CheckError::UnknownProperty { id, known } => {
                write!(f, "the model has no property `{id}`, only {}", known.join(", "))
            }
            CheckError::NotRepeatable { step, tried } => write!(
                f,
                "step {step} of a counterexample cannot be taken again: none of the enabled actions ({}) leads to \
                 the state that was recorded; does the model depend on anything but its arguments?",
                tried.join(", ")
            ),
            CheckError::UnknownState { action } => write!(
                f,
                "taking `{action}` again led to a state that the search has not found; does the model depend on \
                 anything but its arguments, or does `Hash` of its state disagree with `Eq`?"
            ),
            CheckError::HashDisagreesWithEq { action } => {
                write!(f, "`{action}` leads to a state that is equal to another and hashes differently")
            }
            CheckError::UnknownLane { action, lane, lanes } => {
                write!(f, "the telling of `{action}` names lane {lane}, and the model has {lanes} lanes")
            }
        }
    }
}

impl std::error::Error for CheckError {}
