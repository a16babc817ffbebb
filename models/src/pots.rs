//! What is in the pot of a tree, as the outside counts it, and what that asks of the kernel.

use downbeat_kernel::{Held, TaskState};

use crate::watch::TASKS;

/// What became of what a root was granted. Each bill is of one token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Pot {
    /// Bills that were taken.
    pub(crate) bills: u8,
    /// Grants after the first.
    pub(crate) grants: u8,
    /// The time of the last grant is over.
    pub(crate) is_late: bool,
}

impl Pot {
    /// A person grants as much again, and the time anew.
    pub(crate) fn refill(&mut self) {
        self.grants += 1;
        self.is_late = false;
    }
}

/// What is asked of a tree whose root has a budget.
pub(crate) struct Tree {
    /// Bills that one grant covers.
    pub(crate) budget: u8,
    /// Where the root stands, if it is there.
    pub(crate) root: Option<TaskState>,
    /// What was granted to the root.
    pub(crate) pot: Pot,
    /// A person is asked for more.
    pub(crate) asks: bool,
    /// The timer of the last grant is armed.
    pub(crate) runs: bool,
    /// How many turns each task of the tree has begun.
    pub(crate) turns: [u32; TASKS],
}

impl Tree {
    /// Whether the tree has spent what it was granted, or the time for that is over.
    pub(crate) fn is_empty(&self) -> bool {
        self.pot.is_late || self.pot.bills >= self.budget * (self.pot.grants + 1)
    }

    /// Whether a step kept to the budget: no turn began without anything left; and while the root is live and not bound to
    /// end, a person is asked for more exactly while nothing is left, and the time of the grant runs from the admission of the
    /// root until it is over.
    pub(crate) fn keeps(before: &Self, after: &Self) -> bool {
        let began = before.turns.iter().zip(after.turns).any(|(then, now)| now > *then);
        let state = after.root.filter(|state| !is_closing(*state));
        let asks = state.is_some() && after.is_empty();
        let runs = state.is_some_and(is_admitted) && !after.pot.is_late;
        !(began && after.is_empty()) && after.asks == asks && after.runs == runs
    }
}

fn is_closing(state: TaskState) -> bool {
    matches!(state, TaskState::Cancelling(_) | TaskState::Ending(_)) || state.end().is_some()
}

fn is_admitted(state: TaskState) -> bool {
    !matches!(state, TaskState::Queued | TaskState::Paused(Held::Queued | Held::Admitted))
}
