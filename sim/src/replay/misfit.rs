//! How a recorded behaviour fails to violate its property, in words.

use std::fmt;

use crate::check::CheckError;
use crate::model::Strength;
use crate::report::Kind;

/// Why a recorded counterexample is none of the model that it is replayed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// A recorded step cannot be taken.
    Step {
        /// Its number, from 1.
        step: usize,
        /// How many steps were recorded.
        of: usize,
        /// The recorded action, as its `Debug` showed it.
        expected: String,
        /// What can be taken instead: the nearest few, as their `Debug` shows them, nearest first.
        enabled: Vec<String>,
        /// How many actions can be taken besides these.
        more: usize,
    },
    /// The steps of the loop can be taken, and end in another state than that where they began.
    Open {
        /// The number of the first step of the loop, from 1.
        loop_start: usize,
        /// How many steps were recorded.
        of: usize,
    },
    /// The steps can be taken, and the property is now one that such a behaviour says nothing about.
    OtherKind {
        /// The property.
        id: &'static str,
        /// What it is now.
        kind: Kind,
    },
    /// The steps can be taken, and the property is violated earlier. The rest is about something else.
    Earlier {
        /// The property.
        id: &'static str,
        /// How many steps violate it.
        steps: usize,
        /// How many steps were recorded.
        of: usize,
    },
    /// The steps can be taken, and do not violate the property: what was wrong is mended, as far as they show.
    Gone {
        /// The property.
        id: &'static str,
        /// Why it is not violated.
        why: Gone,
    },
    /// The model has no such property, no initial state, or tells a step with a participant that it does not have.
    Model(CheckError),
}

/// Why a behaviour does not violate a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The invariant is true in every state, or of every step.
    Kept,
    /// There is no deadlock in the end, because something can be done.
    GoesOn {
        /// A step that changes the last state, as its `Debug` shows it.
        action: String,
    },
    /// There is no deadlock in the end, because the system may rest there.
    Rests,
    /// No state obliges to the goal.
    NothingDue,
    /// The goal comes.
    Met {
        /// After so many steps; 0 for the beginning.
        steps: usize,
    },
    /// The behaviour cannot go on like this for ever, because it ignores an action that is not to be ignored.
    Unfair {
        /// [`crate::model::Fairness::name`]
        name: String,
        /// [`crate::model::Fairness::strength`]
        strength: Strength,
    },
}

impl Misfit {
    /// How many of the recorded steps could be taken; all are more than any.
    pub(super) fn steps_taken(&self) -> usize {
        match self {
            Misfit::Step { step, .. } => step - 1,
            Misfit::Open { .. } | Misfit::OtherKind { .. } | Misfit::Earlier { .. } | Misfit::Gone { .. } => {
                usize::MAX
            }
            Misfit::Model(_) => 0,
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::Step { step, of, expected, enabled, more } => {
                write!(f, "step {step} of {of} cannot be taken: `{expected}` is not enabled there")?;
                match (enabled.as_slice(), more) {
                    ([], _) => write!(f, ", and nothing else is"),
                    (_, 0) => write!(f, "; what is: `{}`", enabled.join("`, `")),
                    _ => write!(f, "; what is: `{}`, and {more} more", enabled.join("`, `")),
                }
            }
            Misfit::Open { loop_start, of } => write!(
                f,
                "the loop does not close: steps {loop_start} to {of} can be taken, and end elsewhere than they began"
            ),
            Misfit::OtherKind { id, kind: kind @ (Kind::LeadsTo | Kind::Eventually) } => {
                write!(
                    f,
                    "{id} is of the kind {kind} now, which only a behaviour that goes on for ever violates"
                )
            }
            Misfit::OtherKind { id, kind: kind @ Kind::Sometimes } => {
                write!(f, "{id} is of the kind {kind} now, which no single behaviour violates")
            }
            Misfit::OtherKind { id, kind: kind @ (Kind::Always | Kind::AlwaysStep | Kind::NoDeadlock) } => {
                write!(f, "{id} is of the kind {kind} now, and a behaviour that violates it has no loop")
            }
            Misfit::Earlier { id, steps, of } => {
                write!(f, "{id} is violated after {steps} of the {of} steps already")
            }
            Misfit::Gone { id, why } => {
                write!(f, "every step can be taken, and {id} holds on them now: {why}")
            }
            Misfit::Model(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gone::Kept => write!(f, "nothing on the way breaks it"),
            Gone::GoesOn { action } => write!(f, "in the end `{action}` can be taken"),
            Gone::Rests => write!(f, "the system may rest where they end"),
            Gone::NothingDue => write!(f, "no state on the way obliges to the goal"),
            Gone::Met { steps: 0 } => write!(f, "the goal is met at the beginning"),
            Gone::Met { steps } => write!(f, "the goal is met after step {steps}"),
            Gone::Unfair { name, strength } => {
                let (how, fairness) = match strength {
                    Strength::Weak => ("all the time", "weakly"),
                    Strength::Strong => ("again and again", "strongly"),
                };
                write!(
                    f,
                    "they do not go on for ever, for `{name}` is {fairness} fair, enabled {how} and not taken"
                )
            }
        }
    }
}

impl std::error::Error for Misfit {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Misfit::Model(error) => Some(error),
            Misfit::Step { .. }
            | Misfit::Open { .. }
            | Misfit::OtherKind { .. }
            | Misfit::Earlier { .. }
            | Misfit::Gone { .. } => None,
        }
    }
}
