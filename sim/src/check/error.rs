//! Why a check ended without a report.

use std::fmt;
use std::path::PathBuf;

use super::checkpoint::BadCheckpoint;
use super::reduced::Reduction;
use crate::model::Lane;
use crate::pack::TooWide;
use crate::reduction::Dependence;
use crate::symmetry::Asymmetry;

/// How a model contradicts itself or the check that was asked for. Nothing about its properties is known then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// [`Model::initial`](crate::model::Model::initial) returned nothing, so that every property would hold for want of
    /// behaviours.
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
    /// [`Model::tell`](crate::model::Model::tell) names a participant that [`Model::lanes`](crate::model::Model::lanes) does not have.
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
