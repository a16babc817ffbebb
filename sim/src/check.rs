//! The explicit-state checker: every reachable state, every property, shortest counterexamples.
//!
//! The search is breadth first. It tells states apart by fingerprints unless it is told to store them packed or whole,
//! and the report says which, with the chance that a state was missed. It goes on after a violation, so that the
//! counts of a model do not depend on what is wrong with it. Liveness is decided afterwards on the complete graph.
//!
//! The report is a function of the model and the limits on states and depth alone. Threads divide the work of
//! a block of states, but states are numbered in the order in which one thread would find them, so that
//! verdicts, counts and counterexamples are the same for any number of threads.

mod audit;
mod checkpoint;
mod components;
mod crew;
mod debts;
mod decide;
mod disk;
mod encoding;
mod error;
mod estimate;
mod evaluate;
mod expand;
mod explore;
mod fairness;
mod frontier;
mod graph;
mod heap;
mod key;
mod lasso;
mod limits;
mod liveness;
mod pace;
pub(crate) mod panics;
mod patience;
mod recent;
mod reduced;
mod replay;
mod spill;
mod table;
mod tour;
mod traces;
mod walk;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

#[cfg(feature = "harness")]
pub(crate) use checkpoint::part;
pub use checkpoint::{BadCheckpoint, Checkpointing};
pub use error::CheckError;
pub use estimate::Estimate;
pub use limits::{Limit, Limits};
#[cfg(feature = "harness")]
pub(crate) use panics::notice;
pub use reduced::Reduction;

use crate::model::{Model, Property};
use crate::pack::Pack;
use crate::report::Report;
use audit::Audit;
use decide::decide;
use encoding::{Hashed, Kept, Packed};
use evaluate::Evaluator;
use explore::Plan;
use reduced::Reduced;

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
    decide: Decide<M>,
    kept: Kept,
    spill: Option<PathBuf>,
    checkpoint: Option<Checkpointing>,
    resume: bool,
    interrupt: Option<&'a AtomicBool>,
    reduction: Option<Reduction>,
    audits_all: bool,
}

/// The search and the judgement with one encoding.
type Decide<M> = fn(&Plan<'_, M>, &[Property<M>], &mut dyn FnMut(&Progress)) -> Result<Report, CheckError>;

type OnProgress<'a> = Box<dyn FnMut(&Progress) + 'a>;

impl<'a, M: Model> Checker<'a, M> {
    /// A check of all properties without limits, on all available cores.
    pub fn new(model: &'a M) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            model,
            limits: Limits::default(),
            threads,
            only: None,
            progress: None,
            decide: decide::<M, Hashed>,
            kept: Kept::OneWord,
            spill: None,
            checkpoint: None,
            resume: false,
            interrupt: None,
            reduction: None,
            audits_all: false,
        }
    }

    /// Tells states apart by fingerprints of 64 bits, which is what is done unless something else is asked for.
    /// The report gives the chance that a state was missed.
    #[must_use]
    pub fn fingerprints_of_64_bits(self) -> Self {
        self.hashed(Kept::OneWord)
    }

    /// Tells states apart by fingerprints of 128 bits: twice the memory, and no chance of a missed state that is
    /// worth a thought.
    #[must_use]
    pub fn fingerprints_of_128_bits(self) -> Self {
        self.hashed(Kept::TwoWords)
    }

    /// Stores and compares whole states. Nothing is left to chance, and the memory is that of all states.
    #[must_use]
    pub fn whole_states(self) -> Self {
        self.hashed(Kept::Whole)
    }

    fn hashed(mut self, kept: Kept) -> Self {
        self.decide = decide::<M, Hashed>;
        self.kept = kept;
        self
    }

    /// Stores states as the words that they are packed into: nothing is left to chance, in 8 or 16 bytes a state.
    #[must_use]
    pub fn packed_states(mut self) -> Self
    where
        M::State: Pack,
    {
        // One word of each width stands for no state.
        let is_narrow = <M::State as Pack>::BITS < u64::BITS;
        self.decide = if is_narrow { decide::<M, Packed<u64>> } else { decide::<M, Packed<u128>> };
        self.kept = Kept::Packed;
        self
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

    /// Goes on in files in this directory when the limit on memory is reached, instead of ending.
    ///
    /// Keys of states are written, and states that are packed or that the model has a codec for. Others stay in memory until
    /// they are expanded, and end the search when they alone take more than the limit. A search whose keys are on disk does not decide liveness. One that must know
    /// at once whether a state is new does not go on on disk: one with a limit on depth, or with partial-order reduction.
    #[must_use]
    pub fn spill(mut self, directory: impl Into<PathBuf>) -> Self {
        self.spill = Some(directory.into());
        self
    }

    /// Writes checkpoints of the search, now and then and when a limit other than depth, or an interrupt, ends it.
    #[must_use]
    pub fn checkpoint(mut self, checkpoint: Checkpointing) -> Self {
        self.checkpoint = Some(checkpoint);
        self
    }

    /// Goes on where the search was when its checkpoint was written. The result is the same as if it had not
    /// been interrupted. Limits on time begin anew.
    #[must_use]
    pub fn resume(mut self) -> Self {
        self.resume = true;
        self
    }

    /// Leaves states out in a way that the model is declared for. Liveness is not decided then.
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = Some(reduction);
        self
    }

    /// Audits the model in every state that is expanded, instead of in the first 200 and in each whose number is a
    /// multiple of 1,024: whether it answers twice alike, whether `Hash`, `Eq` and the packed form agree, and whether
    /// what it declares for a reduction is true. It takes several times as long. Then what was found rests on no sample,
    /// but for what a model that answers differently did not show when it was asked twice.
    #[must_use]
    pub fn audit_all(mut self) -> Self {
        self.audits_all = true;
        self
    }

    /// Ends the search, incomplete, soon after this becomes true; one that has not yet found the states of its
    /// checkpoint again, with [`CheckError::Interrupted`].
    #[must_use]
    pub fn interrupt(mut self, interrupt: &'a AtomicBool) -> Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// Calls `progress` about every tenth of a second or after some thousand states, on the calling thread.
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
        let mut progress = self.progress.take().unwrap_or_else(|| Box::new(|_| {}));
        panics::caught(|| self.run(begin, progress.as_mut())).unwrap_or_else(|message| {
            let asked = "something that is not about one state of the search".to_owned();
            Err(CheckError::Panicked { message, after: None, asked })
        })
    }

    fn run(&self, begin: Instant, progress: &mut dyn FnMut(&Progress)) -> Result<Report, CheckError> {
        let properties = self.selected_properties()?;
        let audit = Audit::new(self.audits_all);
        let checkpoint = self.checkpoint.clone().map(|checkpoint| {
            let identity = [checkpoint.identity.as_str(), audit.name()].join(checkpoint::PART);
            Checkpointing { identity, ..checkpoint }
        });
        let plan = Plan {
            model: self.model,
            kept: self.kept,
            evaluator: Evaluator::new(self.model, &properties),
            limits: self.limits,
            threads: self.threads,
            begin,
            kinds: self.model.kinds().len(),
            marks: self.model.marks().len(),
            spill: self.spill.clone(),
            checkpoint,
            resume: self.resume,
            interrupt: self.interrupt,
            reduced: Reduced::of(self.model, self.reduction, &properties)?,
            audit,
            codec: self.model.codec(),
        };
        (self.decide)(&plan, &properties, progress)
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
    /// What is being done.
    pub phase: Phase,
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
    /// The states that had been found when keys were first written to disk: from there on the search is slower, and does not
    /// decide liveness. `None` if all are in memory.
    pub spilled_at: Option<usize>,
    /// Time since the check began.
    pub elapsed: Duration,
}

/// What a search is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It finds the states of its checkpoint again, so many in all. Nothing else is counted yet.
    Resuming(usize),
    /// It finds new states.
    Searching,
    /// It has found all states and takes their steps once more for liveness, so far of this many.
    Walking(usize),
    /// It decides a property of liveness, after this many others.
    Deciding(usize),
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
