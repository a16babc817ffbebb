//! The explicit-state checker: every reachable state, every property, shortest counterexamples.
//!
//! The search is breadth first and exact: whole states are stored and compared, never their fingerprints. It
//! goes on after a violation, so that the counts of a model do not depend on what is wrong with it. Liveness
//! is decided afterwards on the complete graph.
//!
//! The report is a function of the model and the limits on states and depth alone. Threads divide the work of
//! a block of states, but states are numbered in the order in which one thread would find them, so that
//! verdicts, counts and counterexamples are the same for any number of threads.

mod audit;
mod checkpoint;
mod components;
mod crew;
mod debts;
mod disk;
mod encoding;
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
mod panics;
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
use std::fmt;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

#[cfg(feature = "harness")]
pub(crate) use checkpoint::part;
pub use checkpoint::{BadCheckpoint, Checkpointing};
pub use estimate::Estimate;
pub use limits::{Limit, Limits};
#[cfg(feature = "harness")]
pub(crate) use panics::notice;
pub use reduced::Reduction;

use crate::model::{Lane, Model, Property, Strength};
use crate::pack::{Pack, TooWide};
use crate::reduction::Dependence;
use crate::report::{FairAction, Kind, PropertyReport, Report, Undecided, Verdict};
use crate::symmetry::Asymmetry;
use audit::Audit;
use encoding::{Encoding, Fingerprint, Packed, Visited, Whole};
use evaluate::Evaluator;
use explore::{Plan, Search};
use patience::Patience;
use reduced::Reduced;
use walk::{Ranks, Walk};

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
            decide: decide::<M, Fingerprint<u64>>,
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
    pub fn fingerprints_of_64_bits(mut self) -> Self {
        self.decide = decide::<M, Fingerprint<u64>>;
        self
    }

    /// Tells states apart by fingerprints of 128 bits: twice the memory, and no chance of a missed state that is
    /// worth a thought.
    #[must_use]
    pub fn fingerprints_of_128_bits(mut self) -> Self {
        self.decide = decide::<M, Fingerprint<u128>>;
        self
    }

    /// Stores and compares whole states. Nothing is left to chance, and the memory is that of all states.
    #[must_use]
    pub fn whole_states(mut self) -> Self {
        self.decide = decide::<M, Whole>;
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

/// Searches, and decides every property.
fn decide<M: Model, E: Encoding<M>>(
    plan: &Plan<'_, M>,
    properties: &[Property<M>],
    progress: &mut dyn FnMut(&Progress),
) -> Result<Report, CheckError> {
    audit::first_states::<M, E>(plan)?;
    let mut search = Search::<M, E>::begin(plan, progress)?;
    // Those that a checkpoint has as expanded were audited before it was written.
    let audited_before = if search.levels.is_empty() {
        0
    } else {
        let begin = search.progress();
        plan.audit.due_among(begin.states - begin.frontier)
    };
    let mut stopped_by = search.run(progress)?;
    let saw_all_states = stopped_by.is_none();

    let mut walked = None;
    let undecided = why_undecided(&search);
    let asks_for_liveness = properties.iter().any(|property| liveness::is_liveness(&property.check));
    if saw_all_states && undecided.is_none() && asks_for_liveness {
        match walk::walk(&search, properties, &plan.model.fairness(), progress)? {
            ControlFlow::Continue(walk) => walked = Some(walk),
            ControlFlow::Break(limit) => {
                // All states are there: who goes on begins with liveness.
                search.save()?;
                stopped_by = Some(limit);
            }
        }
    }
    let fairness = if asks_for_liveness { fair_actions(plan.model, walked.as_ref()) } else { Vec::new() };
    let mut entries = Vec::with_capacity(properties.len());
    for (index, property) in properties.iter().enumerate() {
        let mut entry = PropertyReport {
            id: property.id,
            name: property.name,
            kind: Kind::from(&property.check),
            verdict: Verdict::Incomplete,
            undecided: None,
            counterexample: None,
            is_shortest: false,
        };
        if !liveness::is_liveness(&property.check) {
            decide_safety(&search, index, property, saw_all_states, &mut entry)?;
        } else if let Some(walk) = &walked {
            let decided = entries.iter().filter(|entry: &&PropertyReport| entry.kind.is_liveness()).count();
            progress(&Progress { phase: Phase::Deciding(decided), ..search.progress() });
            if let ControlFlow::Break(limit) = decide_liveness(&search, walk, index, property, &mut entry)? {
                // What was decided before stays. Who goes on begins with liveness.
                search.save()?;
                stopped_by = Some(limit);
                walked = None;
            }
        } else {
            entry.undecided = undecided.filter(|_| saw_all_states);
        }
        entries.push(entry);
    }
    Ok(Report {
        properties: entries,
        distinct: search.len(),
        generated: search.totals.generated,
        depth: search.depth(),
        audited: audited_before + plan.audit.audited(),
        coverage: search.coverage(),
        fairness,
        storage: E::STORAGE,
        reduction: plan.reduced.kind(),
        elapsed: plan.begin.elapsed(),
        stopped_by,
    })
}

/// Decides a property of states or steps by what the search found.
fn decide_safety<M: Model, E: Encoding<M>>(
    search: &Search<'_, M, E>,
    index: usize,
    property: &Property<M>,
    saw_all_states: bool,
    entry: &mut PropertyReport,
) -> Result<(), CheckError> {
    let finding = search.findings.of(index);
    entry.verdict = finding.verdict(&property.check, saw_all_states);
    if let Some(witness) = finding.witness.filter(|_| entry.verdict == Verdict::Violated) {
        entry.counterexample = Some(replay::finite(search, property, witness)?);
        // Without the steps that are left out there may be only a longer way.
        entry.is_shortest = search.plan.reduced.kind() != Some(Reduction::PartialOrder);
    }
    Ok(())
}

/// Decides a property of liveness on the complete graph, or returns the limit that was reached before.
fn decide_liveness<M: Model, E: Encoding<M>>(
    search: &Search<'_, M, E>,
    walk: &Walk,
    index: usize,
    property: &Property<M>,
    entry: &mut PropertyReport,
) -> Result<ControlFlow<Limit>, CheckError> {
    let Some(obligation) = &walk.obligations[index] else { return Ok(ControlFlow::Continue(())) };
    let strengths: Vec<Strength> =
        search.plan.model.fairness().iter().map(|fairness| fairness.strength).collect();
    let states = liveness::BYTES_A_STATE * search.len() as u64;
    let reached = |bytes| walk.exceeded(search, states + bytes);
    let patience = Patience::until(&reached);
    entry.verdict = match liveness::decide(&walk.graph, &strengths, &search.levels, obligation, &patience) {
        Err(limit) => return Ok(ControlFlow::Break(limit)),
        Ok(liveness::Outcome::Holds) => Verdict::Holds,
        Ok(liveness::Outcome::Vacuous) => Verdict::Vacuous,
        Ok(liveness::Outcome::Violated(lasso)) => {
            entry.is_shortest = lasso.is_shortest;
            entry.counterexample = Some(replay::lasso(search, &walk.ranks, property, &lasso)?);
            Verdict::Violated
        }
    };
    Ok(ControlFlow::Continue(()))
}

/// Why a search that sees all states does not decide liveness all the same.
fn why_undecided<M: Model, E: Encoding<M>>(search: &Search<'_, M, E>) -> Option<Undecided> {
    match search.plan.reduced.kind() {
        Some(Reduction::Symmetry) => Some(Undecided::LivenessUnderSymmetry),
        Some(Reduction::PartialOrder) => Some(Undecided::LivenessUnderPartialOrder),
        None if search.is_spilled() => Some(Undecided::LivenessWhenSpilled),
        None => {
            let places = search.visited.iter().map(Visited::places).sum();
            (!Ranks::suffice(places)).then_some(Undecided::LivenessOfTooManyStates)
        }
    }
}

/// The fair actions of a model, with what the walk knows of them.
fn fair_actions<M: Model>(model: &M, walk: Option<&Walk>) -> Vec<FairAction> {
    let action =
        |(index, fairness)| FairAction::of(fairness, walk.map(|walk| walk.graph.ever_enabled(index)));
    model.fairness().into_iter().enumerate().map(action).collect()
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
    /// Two states differ and have the same key: `Hash` or the packed form leaves out something that `Eq` looks at.
    HashLeavesOut {
        /// The action that led to the second of them, as its `Debug` shows it.
        action: String,
    },
    /// A state was packed, and what was unpacked is not equal to it.
    NotHadBack {
        /// The action that led to it, as its `Debug` shows it.
        action: String,
    },
    /// A state was written to disk, and what was read again has another key.
    CodecLoses,
    /// The same action from the same state led to different states, or was there once and once not.
    NotDeterministic {
        /// The action, as its `Debug` shows it.
        action: String,
    },
    /// An action was listed twice in one state.
    SameActionTwice {
        /// The action, as its `Debug` shows it.
        action: String,
    },
    /// The model panicked.
    Panicked {
        /// What it said.
        message: String,
        /// The actions that led to the state in which it was asked, as their `Debug` shows them; `None` if it
        /// was not asked about a state of the search.
        after: Option<Vec<String>>,
        /// What it was asked.
        asked: String,
    },
    /// A file could not be used.
    Disk {
        /// What was to be done: `create`, `write`.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
    /// A checkpoint cannot be gone on with.
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: BadCheckpoint,
    },
    /// The search was asked to end before it was where its checkpoint was written. The checkpoint is still there.
    Interrupted,
    /// A reduction was asked for that the model declares nothing for.
    Undeclared {
        /// The reduction.
        reduction: Reduction,
    },
    /// A state does not fit into the bits that its type declares.
    TooWide(TooWide),
    /// A state is packed into 128 bits that are all set, and that word stands for no state.
    FullWord,
    /// The model declares a symmetry that it does not have.
    Asymmetric(Asymmetry),
    /// The model declares processes that do not touch what they are declared to touch.
    Dependent(Dependence),
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
            CheckError::NoInitialState => {
                write!(f, "the model has no initial state: `Model::initial` returned nothing")
            }
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
                write!(
                    f,
                    "`{action}` leads to a state that is equal to another and hashes differently; does `Hash` of the \
                 state look at something that `Eq` does not?"
                )
            }
            CheckError::HashLeavesOut { action } => write!(
                f,
                "`{action}` leads to a state that differs from another and has the same key; does `Hash` or `Pack` \
                 of the state leave out a field that `Eq` looks at?"
            ),
            CheckError::NotHadBack { action } => write!(
                f,
                "`{action}` leads to a state that is another one when it is unpacked; `Pack` of the state is wrong"
            ),
            CheckError::CodecLoses => write!(
                f,
                "a state that was written to disk is another one when it is read; `Model::codec` is wrong"
            ),
            CheckError::NotDeterministic { action } => write!(
                f,
                "`{action}`, asked for twice in the same state, led to different states or was there only once; does \
                 the model depend on anything but its arguments, or does its own `steps` differ from `actions` and \
                 `next`?"
            ),
            CheckError::SameActionTwice { action } => {
                write!(
                    f,
                    "`{action}` is listed twice in one state; two actions enabled in one state must differ"
                )
            }
            CheckError::Panicked { message, after, asked } => {
                write!(f, "the model panicked when it was asked for {asked}")?;
                match after.as_deref() {
                    None => {}
                    Some([]) => write!(f, " at the beginning")?,
                    Some(actions) => write!(f, " after {}", actions.join(", "))?,
                }
                write!(f, ": {message}")
            }
            CheckError::Disk { doing, path, message } => {
                write!(f, "cannot {doing} `{}`: {message}", path.display())
            }
            CheckError::Checkpoint { path, why } => {
                write!(f, "cannot go on from `{}`: {why}; remove it to begin anew", path.display())
            }
            CheckError::Interrupted => {
                write!(f, "interrupted before the states of the checkpoint were found again")
            }
            CheckError::Undeclared { reduction: Reduction::Symmetry } => {
                write!(f, "the model declares no interchangeable ids (`Model::symmetry`)")
            }
            CheckError::Undeclared { reduction: Reduction::PartialOrder } => {
                write!(f, "the model declares no processes (`Model::processes`)")
            }
            CheckError::FullWord => write!(
                f,
                "a state is packed into a word whose 128 bits are all set, which stands for no state; make a field \
                 of it narrower"
            ),
            CheckError::TooWide(wide) => write!(f, "{wide}"),
            CheckError::Asymmetric(asymmetry) => write!(f, "{asymmetry}"),
            CheckError::Dependent(dependence) => write!(f, "{dependence}"),
            CheckError::UnknownLane { action, lane, lanes } => {
                write!(f, "the telling of `{action}` names lane {lane}, and the model has {lanes} lanes")
            }
        }
    }
}

impl std::error::Error for CheckError {}
