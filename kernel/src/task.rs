//! Where one task stands, and what outlives that.

use crate::calls::Calls;
use crate::turn::Attempts;
use crate::vocabulary::{Attempt, End, MessageId, Reason, TaskId, TurnNumber};
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
    /// A model request is in flight.
    Requesting {
        /// Which send of the turn.
        attempt: Attempt,
    },
    /// Tools run, and perhaps subtasks and questions beside them.
    ExecutingTools,
    /// A timer runs until the next attempt.
    BackingOff {
        /// The attempt that the timer brings.
        attempt: Attempt,
        /// How long the timer was armed for, in milliseconds: a restart arms it for the whole time again.
        after_ms: u64,
    },
    /// Subtasks are live, and perhaps questions open beside them.
    AwaitingSubtask,
    /// Only a person's answer is missing.
    AwaitingInput,
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
    /// A model request is in flight.
    Requesting {
        /// Which send of the turn.
        attempt: Attempt,
    },
    /// A timer runs until the next attempt.
    BackingOff {
        /// The attempt that the timer brings.
        attempt: Attempt,
        /// How long the timer was armed for, in milliseconds.
        after_ms: u64,
    },
    /// The timer has run out: this attempt is sent at resume.
    Attempt {
        /// Which one.
        attempt: Attempt,
    },
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
    Request {
        /// Which send of the turn.
        attempt: Attempt,
    },
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
            | Self::Requesting { .. }
            | Self::ExecutingTools
            | Self::BackingOff { .. }
            | Self::AwaitingSubtask
            | Self::AwaitingInput
            | Self::Working
            | Self::Paused(_)
            | Self::Cancelling(_)
            | Self::Ending(_) => None,
        }
    }

    /// Which attempts of the last turn were made, for the judgement of an answer.
    pub(crate) fn attempts(self) -> Attempts {
        match self {
            Self::Requesting { attempt }
            | Self::Paused(Held::Requesting { attempt })
            | Self::Cancelling(Outstanding::Request { attempt }) => Attempts::InFlight(attempt),
            Self::BackingOff { attempt, .. }
            | Self::Paused(Held::BackingOff { attempt, .. } | Held::Attempt { attempt }) => {
                Attempts::Next(attempt)
            }
            Self::Queued
            | Self::Initializing
            | Self::ExecutingTools
            | Self::AwaitingSubtask
            | Self::AwaitingInput
            | Self::Paused(
                Held::Unstarted
                | Held::Queued
                | Held::Admitted
                | Held::Initializing
                | Held::Turn
                | Held::Calls,
            )
            | Self::Working
            | Self::Cancelling(Outstanding::Nothing | Outstanding::Initialization | Outstanding::Worker)
            | Self::Ending(_)
            | Self::Completed
            | Self::Failed(_)
            | Self::Cancelled => Attempts::Answered,
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
    /// The last turn that was sent, 0 before the first.
    pub turn: TurnNumber,
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
}

impl TaskData {
    pub(crate) fn new(parent: Option<TaskId>, depth: u8) -> Self {
        Self {
            parent,
            depth,
            turn: TurnNumber(0),
            replied: TurnNumber(0),
            mistakes: 0,
            accepted: MessageId(0),
            taken: MessageId(0),
            answered: MessageId(0),
            questions: 0,
            calls: Calls::default(),
            worker: None,
        }
    }

    /// The messages that the model has not answered, each with whether it was in a request all the same.
    pub fn undelivered(&self) -> impl Iterator<Item = (MessageId, bool)> + use<> {
        let taken = self.taken;
        (self.answered.0 + 1..=self.accepted.0).map(move |n| (MessageId(n), n <= taken.0))
    }
}
