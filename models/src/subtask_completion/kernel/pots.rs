//! What is in the pot of a tree, as the outside counts it, and what that asks of the kernel.

use downbeat_kernel::{Answer, Held, Task, TaskState};

use super::outside::Orders;
use crate::watch::TASKS;

/// What became of what a root was granted. Each bill is of one token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Pot {
    /// Bills that were taken.
    pub(super) bills: u8,
    /// Grants after the first.
    pub(super) grants: u8,
    /// The time of the last grant is over.
    pub(super) is_late: bool,
}

impl Orders {
    /// A person answers. Only a yes to the question for more grants as much again.
    pub(super) fn hear(&mut self, number: u8, answer: Answer) {
        if self.more == Some(number) && answer == Answer::Approved {
            self.pot = Pot { grants: self.pot.grants + 1, is_late: false, ..self.pot };
        }
        self.settle(number);
    }
}

/// What is asked of a tree whose root has a budget.
pub(super) struct Tree {
    /// Bills that one grant covers.
    budget: u8,
    /// Where the root stands, if it is there.
    root: Option<TaskState>,
    /// What the root has outstanding.
    orders: Orders,
    /// The last turn of each task.
    turns: [u32; TASKS],
}

impl Tree {
    pub(super) fn new(budget: u8, tasks: [Option<&Task>; TASKS], orders: Orders) -> Self {
        let turns = tasks.map(|task| task.map_or(0, |task| task.data.turn.0));
        Self { budget, root: tasks[0].map(|root| root.state), orders, turns }
    }

    /// Whether the tree has spent what it was granted, or the time for that is over.
    pub(super) fn is_empty(&self) -> bool {
        let Orders { pot, .. } = self.orders;
        pot.is_late || pot.bills >= self.budget * (pot.grants + 1)
    }

    /// Whether a step kept to the budget: no turn began without anything left; and while the root is live and not bound to
    /// end, a person is asked for more exactly while nothing is left, and the time of the grant runs from the admission of the
    /// root until it is over.
    pub(super) fn keeps(before: &Self, after: &Self) -> bool {
        let began = before.turns.iter().zip(after.turns).any(|(then, now)| now > *then);
        let Self { root, orders, .. } = after;
        let state = root.filter(|state| !is_closing(*state));
        let asks = state.is_some() && after.is_empty();
        let runs = state.is_some_and(is_admitted) && !orders.pot.is_late;
        !(began && after.is_empty()) && orders.more.is_some() == asks && orders.budget.is_some() == runs
    }
}

fn is_closing(state: TaskState) -> bool {
    matches!(state, TaskState::Cancelling(_) | TaskState::Ending(_)) || state.end().is_some()
}

fn is_admitted(state: TaskState) -> bool {
    !matches!(state, TaskState::Queued | TaskState::Paused(Held::Queued | Held::Admitted))
}
