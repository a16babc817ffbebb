//! Why a search ends without a report.

use std::fmt;

use super::misuse::Misuse;

/// Why nothing can be said about a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExploreError {
    /// With the same choices it went another way, seen when it was to begin this step. It reads a clock or a random number, knows
    /// an address or an order that changes, or keeps something from one execution to the next.
    Diverged {
        /// The step, counted from 0.
        step: usize,
    },
    /// A schedule asks for an alternative that the program does not have at this place: it belongs to another program.
    Misfit {
        /// The place in the schedule, counted from 0.
        place: usize,
    },
    /// It uses the seam in a way that no search can order.
    Misused(Misuse),
}

impl fmt::Display for ExploreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Diverged { step } => {
                write!(f, "the program goes another way with the same choices, seen at step {step}")
            }
            Self::Misfit { place } => {
                write!(
                    f,
                    "the schedule belongs to another program: it has no such alternative at place {place}"
                )
            }
            Self::Misused(misuse) => write!(f, "the program misuses the seam: {misuse}"),
        }
    }
}

impl std::error::Error for ExploreError {}
