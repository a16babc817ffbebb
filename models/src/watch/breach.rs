//! The words of a judgement: how tasks end, and the ways to break a promise.

use super::TaskIndex;

/// How a task ended, as the outside world was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// With a result.
    Completed,
    /// By an error, a limit or a crash that it did not survive.
    Failed,
    /// Because a person stopped it.
    Cancelled,
}

/// One way to break a promise. The order is that in which a report prefers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// S2: a second send for one (task, turn, attempt).
    SentTwice,
    /// S2: an attempt beyond the budget.
    SentTooOften,
    /// S2: a request whose content is not that of its turn.
    ContentChanged,
    /// S3: a result in two different deliveries.
    ResultTwice,
    /// S3: a result given to a task that is not the parent.
    ResultToStranger,
    /// S3: the parent completed while a result was owed to it.
    CompletedWithoutResult,
    /// S4: the parent's next request went out without the result.
    SentWithoutResult,
    /// S5: a message that was answered went out again.
    MessageTwice,
    /// S5: a message overtook an earlier one of the same task.
    MessageOutOfOrder,
    /// S5: a message went to a task that it was not written to.
    MessageToStranger,
    /// S5: reported as undelivered although the model has it, or given to the model after the report.
    MessageMisreported,
    /// S5: the system holds the message nowhere any more.
    MessageDropped,
    /// S6: an answer settled a question that it did not name.
    SettledByAnother,
    /// S7: a request after the end.
    SentAfterEnd,
    /// S7: a tool ran after the end.
    RanAfterEnd,
    /// S7: a second end that contradicts the first.
    EndedAgain,
    /// S7: a task began again after its end.
    StartedAfterEnd,
    /// S8: a request went out although a call of the last response has no result.
    CallWithoutResult,
    /// S8: a second result for one call.
    CallResultTwice,
    /// S8: a tool ran twice for one call.
    RanTwice,
    /// S19: a tool or a subtask began after a cancel.
    ActedAfterCancel,
    /// S19: a request after a cancel.
    SentAfterCancel,
}

/// The history properties, as indices of the breaches that a watch keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// One send for each (task, turn, attempt).
    S2,
    /// A subtask's result reaches its own parent exactly once.
    S3,
    /// The result is in the parent's next request.
    S4,
    /// An accepted message reaches the model once and in order, or is reported.
    S5,
    /// An answer settles only the question that it names.
    S6,
    /// Terminal states absorb.
    S7,
    /// Every tool call has exactly one result.
    S8,
    /// No send after cancel.
    S19,
}

/// A broken promise: what happened, and to which task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Breach {
    /// What happened.
    pub fault: Fault,
    /// The task that it happened to (for a result: the subtask that the result is of).
    pub task: TaskIndex,
}
