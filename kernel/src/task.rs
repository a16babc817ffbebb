//! Where one task stands, and what outlives that.

use crate::budget::Account;
use crate::calls::Calls;
use crate::request::Request;
use crate::vocabulary::{End, MessageId, Reason, TaskId, TurnNumber};
use crate::worker::Worker;
use alloc::boxed::Box;
use serde::{Deserialize, Serialize};

/// Where one task stands. The diagram is in `docs/task-lifecycle.md`, made from this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TaskState {
    /// Waiting for a place to run.
    Queued,
    /// Its surroundings are being made ready.
    Initializing,
    /// The model is asked. How far that is, its [`Request`] says.
    Requesting,
    /// Tools run, and perhaps subtasks and questions beside them.
    ExecutingTools,
    /// Subtasks are live, and perhaps questions open beside them.
    AwaitingSubtask,
    /// Only a person's answer is missing.
    AwaitingInput,
    /// A new turn would begin, but what its tree may spend is spent.
    AwaitingBudget,
    /// A worker runs it.
    Working,
    /// A person holds it, or its parent before it has started: it sends nothing and starts nothing.
    Paused(Held),
    /// It ends as soon as its own work has stopped and its descendants have ended.
    Cancelling(Outstanding),
    /// Its worker ended like this; subtasks that it asked for have not.
    Ending(End),
    /// Ended with a result.
    Completed,
    /// Ended without one.
    Failed(Reason),
    /// Ended because somebody wanted it to.
    Cancelled,
}

/// What a paused task goes on with at resume. What was under way when the pause came stays under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Held {
    /// Its parent is paused: it has not asked for a place yet.
    Unstarted,
    /// It waits for a place.
    Queued,
    /// It has its place; initialization begins at resume.
    Admitted,
    /// Its surroundings are being made ready.
    Initializing,
    /// The model is asked. The request is held too: what is open goes on, and nothing is sent.
    Requesting,
    /// A new turn begins at resume.
    Turn,
    /// Calls are open; those that have not started do so at resume.
    Calls,
}

/// What of its own a cancelled task still waits for, beside running tools and live subtasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outstanding {
    /// Nothing.
    Nothing,
    /// The end of its initialization.
    Initialization,
    /// The end of its worker.
    Worker,
    /// The end of its model request.
    Request,
}

impl TaskState {
    /// How the task ended, if it has.
    pub fn end(self) -> Option<End> {
        match self {
            Self::Completed => Some(End::Completed),
            Self::Failed(reason) => Some(End::Failed(reason)),
            Self::Cancelled => Some(End::Cancelled),
            Self::Queued
            | Self::Initializing
            | Self::Requesting
            | Self::ExecutingTools
            | Self::AwaitingSubtask
            | Self::AwaitingInput
            | Self::AwaitingBudget
            | Self::Working
            | Self::Paused(_)
            | Self::Cancelling(_)
            | Self::Ending(_) => None,
        }
    }
}

/// What outlives a state of one task.
///
/// Messages are three counters, because their numbers have no gaps: `1..=answered` reached the model,
/// `answered+1..=taken` are in the turn that it has not answered, `taken+1..=accepted` are queued (S5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskData {
    /// The task that waits for this one.
    pub parent: Option<TaskId>,
    /// How many ancestors it has.
    pub depth: u8,
    /// The last turn that was begun, 0 before the first.
    pub turn: TurnNumber,
    /// The request of that turn.
    pub request: Request,
    /// The last turn that the model answered: `turn`, or the one before while `turn` has no answer.
    pub replied: TurnNumber,
    /// Responses in a row without a call.
    pub mistakes: u16,
    /// The last message that was accepted.
    pub accepted: MessageId,
    /// The last message that is part of a turn.
    pub taken: MessageId,
    /// The last message that the model has answered.
    pub answered: MessageId,
    /// The number of the last question.
    pub questions: u32,
    /// The calls of the response to turn `replied`; of a task that a worker runs, the subtasks that it asked for.
    pub calls: Calls,
    /// The worker that runs it, if one does.
    pub worker: Option<Box<Worker>>,
    /// What its tree may spend, of a root that was given a budget.
    pub account: Option<Box<Account>>,
    /// What its tree may spend is spent: no turn begins.
    pub spent: bool,
}

impl TaskData {
    pub(crate) fn new(parent: Option<TaskId>, depth: u8) -> Self {
        Self {
            parent,
            depth,
            turn: TurnNumber(0),
            request: Request::default(),
            replied: TurnNumber(0),
            mistakes: 0,
            accepted: MessageId(0),
            taken: MessageId(0),
            answered: MessageId(0),
            questions: 0,
            calls: Calls::default(),
            worker: None,
            account: None,
            spent: false,
        }
    }

    /// The messages that the model has not answered, each with whether it may have read it all the same.
    pub fn undelivered(&self) -> impl Iterator<Item = (MessageId, bool)> + use<> {
        let read = if self.request.may_have_been_read() { self.taken } else { self.answered };
        (self.answered.0 + 1..=self.accepted.0).map(move |n| (MessageId(n), n <= read.0))
    }
}
