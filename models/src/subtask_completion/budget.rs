//! What the environment may still do.

use super::state::State;
use crate::watch::Promise;

/// What the environment may still do, each a bound of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Budget {
    /// Responses of all kinds.
    Responses,
    /// Responses after the first turn that was sent twice.
    Aftermath,
    /// Everything out of the ordinary, together: texts, empty answers, refusals, broken streams, messages, the X,
    /// cancels, feedback, opening from the history, crashes.
    Troubles,
    /// Responses with a plain tool.
    Tools,
    /// Responses that start a subtask.
    Subtasks,
    /// Responses that ask the user.
    Questions,
    /// Responses without a tool.
    Texts,
    /// Responses without anything.
    Empties,
    /// Requests refused before their first chunk.
    Throttles,
    /// Streams that break in the middle.
    Truncations,
    /// Requests that end by an exception which nothing handles.
    Failures,
    /// Messages that the user writes while a task is busy.
    Messages,
    /// Times that the user presses the X.
    Closes,
    /// Times that the user presses cancel.
    Cancels,
    /// Times that the user answers a finished task with feedback.
    Rejections,
    /// Times that the user opens another task, or the same again, from the history.
    Opens,
    /// Restarts of the process.
    Crashes,
}

/// Number of budgets.
pub const BUDGETS: usize = 17;

impl Budget {
    /// The budget that this one is a part of.
    pub fn whole(self) -> Option<Self> {
        match self {
            Budget::Texts
            | Budget::Empties
            | Budget::Throttles
            | Budget::Truncations
            | Budget::Failures
            | Budget::Messages
            | Budget::Closes
            | Budget::Cancels
            | Budget::Rejections
            | Budget::Opens
            | Budget::Crashes => Some(Budget::Troubles),
            Budget::Responses
            | Budget::Aftermath
            | Budget::Troubles
            | Budget::Tools
            | Budget::Subtasks
            | Budget::Questions => None,
        }
    }
}

/// Budgets that are a part of another one.
const PARTS: [Budget; 11] = [
    Budget::Failures,
    Budget::Texts,
    Budget::Empties,
    Budget::Throttles,
    Budget::Truncations,
    Budget::Messages,
    Budget::Closes,
    Budget::Cancels,
    Budget::Rejections,
    Budget::Opens,
    Budget::Crashes,
];

impl State {
    /// Whether `budget`, and the one that it is a part of, are not exhausted.
    pub fn may(&self, budget: Budget) -> bool {
        let left = |budget: Budget| self.left[budget as usize] > 0;
        left(budget) && budget.whole().is_none_or(left)
    }

    /// Forgets what an exhausted budget covers.
    pub fn forget_budgets(&mut self) {
        let broken = self.watch.breach(Promise::S2).is_some();
        if broken {
            let [responses, aftermath] =
                [Budget::Responses, Budget::Aftermath].map(|b| self.left[b as usize]);
            self.left[Budget::Responses as usize] = responses.min(aftermath);
        }
        for budget in PARTS {
            if !self.may(budget) {
                self.left[budget as usize] = 0;
            }
        }
        if !self.may(Budget::Responses) {
            for budget in [Budget::Tools, Budget::Subtasks, Budget::Questions, Budget::Texts, Budget::Empties]
            {
                self.left[budget as usize] = 0;
            }
        }
    }
}
