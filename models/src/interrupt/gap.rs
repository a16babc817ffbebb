//! The gaps of a turn in which an interrupt may come.

use super::process::{ExecuteAt, LoopAt};
use super::state::{Approval, State};

/// Where a turn is when an interrupt comes: the awaits between two prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// The model of the worker is selected.
    Selecting,
    /// The circuit breaker is open.
    Breaking,
    /// It sleeps before a retry.
    Sleeping,
    /// Execute gets its session.
    Getting,
    /// Invoke starts an iterator.
    Starting,
    /// The request is in the queue.
    Queued,
    /// A tool of the turn waits for approval.
    Approving,
}

impl Gap {
    /// All of them, with the words for a report.
    pub const ALL: [(Self, &str); 7] = [
        (Self::Selecting, "while the model is selected"),
        (Self::Breaking, "while the breaker is open"),
        (Self::Sleeping, "in the sleep before a retry"),
        (Self::Getting, "while the session is created"),
        (Self::Starting, "while an iterator is started"),
        (Self::Queued, "while the request is in the queue"),
        (Self::Approving, "while a tool waits for approval"),
    ];
}

impl State {
    /// The gap that the loop is in; `None` if it waits for a message, or is over.
    pub fn gap(&self) -> Option<Gap> {
        match (self.executor()?.0, self.execution()) {
            (LoopAt::Waiting, _) => None,
            (LoopAt::Selecting, _) => Some(Gap::Selecting),
            (LoopAt::Breaking, _) => Some(Gap::Breaking),
            (LoopAt::Sleeping, _) => Some(Gap::Sleeping),
            (LoopAt::Executing, Some(ExecuteAt::Getting)) => Some(Gap::Getting),
            (LoopAt::Executing, _) if !self.session.has_request => Some(Gap::Starting),
            (LoopAt::Executing, _) if self.approval == Approval::Pending => Some(Gap::Approving),
            (LoopAt::Executing, _) => Some(Gap::Queued),
        }
    }
}
