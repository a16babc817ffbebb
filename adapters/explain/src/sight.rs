//! What of an order of the kernel somebody may have written down.

use downbeat_kernel::{
    CallId, CallResult, Effect, End, MessageId, Part, QuestionId, RequestEffect, RequestId, TaskId,
};
use downbeat_trace::Kind;

/// Something that a trace may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sight {
    /// A subtask began.
    Started(TaskId),
    /// A request went out.
    Sent(RequestId),
    /// A tool began.
    ToolRan(CallId),
    /// The result of a call is part of what comes next.
    Result(CallId),
    /// The result of a subtask is.
    Delivered {
        /// Whose next request has it.
        task: TaskId,
        /// Whose result.
        child: TaskId,
    },
    /// A message is.
    Given(TaskId, MessageId),
    /// A message went back to its writer.
    Returned(TaskId, MessageId),
    /// A person was asked.
    Asked(QuestionId),
    /// A task ended.
    Ended(TaskId, End),
}

impl Sight {
    /// As what it is written down.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Started(_) => Kind::TaskStarted,
            Self::Sent(_) => Kind::RequestStarted,
            Self::ToolRan(_) => Kind::ToolStarted,
            Self::Result(_) => Kind::ToolResult,
            Self::Delivered { .. } => Kind::ResultDelivered,
            Self::Given(..) => Kind::MessageDelivered,
            Self::Returned(..) => Kind::MessageReturned,
            Self::Asked(_) => Kind::Question,
            Self::Ended(..) => Kind::TaskEnded,
        }
    }

    /// Whose next request it is a part of, if it is one.
    pub(crate) fn content_for(self) -> Option<TaskId> {
        match self {
            Self::Result(call) => Some(call.task),
            Self::Delivered { task, .. } | Self::Given(task, _) => Some(task),
            Self::Started(_)
            | Self::Sent(_)
            | Self::ToolRan(_)
            | Self::Returned(..)
            | Self::Asked(_)
            | Self::Ended(..) => None,
        }
    }

    /// Of which task it is.
    pub(crate) fn task(self) -> TaskId {
        match self {
            Self::Started(task) | Self::Given(task, _) | Self::Returned(task, _) | Self::Ended(task, _) => {
                task
            }
            Self::Delivered { task, .. } => task,
            Self::Sent(request) => request.task,
            Self::ToolRan(call) | Self::Result(call) => call.task,
            Self::Asked(question) => question.task,
        }
    }

    /// What of an order may be seen.
    pub(crate) fn of(effect: &Effect) -> Vec<Self> {
        match *effect {
            Effect::Enqueue { task } => vec![Self::Started(task)],
            Effect::Request { task, turn, effect: RequestEffect::Send { attempt, .. } } => {
                vec![Self::Sent(RequestId { task, turn, attempt })]
            }
            Effect::RunTool { call } => vec![Self::ToolRan(call)],
            Effect::Include { task, part: Part::Result { call, result } } => {
                let child = match result {
                    CallResult::Subtask { child, .. } => Some(Self::Delivered { task, child }),
                    CallResult::Tool(_)
                    | CallResult::Denied
                    | CallResult::Answered
                    | CallResult::Refused(_)
                    | CallResult::Guided
                    | CallResult::Abandoned => None,
                };
                child.into_iter().chain([Self::Result(call)]).collect()
            }
            Effect::Include { task, part: Part::Message(message) } => vec![Self::Given(task, message)],
            Effect::ReportUndelivered { task, message, .. } => vec![Self::Returned(task, message)],
            Effect::Ask { question, .. } => vec![Self::Asked(question)],
            Effect::TaskEnded { task, end } => vec![Self::Ended(task, end)],
            Effect::Include { part: Part::Prompt | Part::Reminder, .. }
            | Effect::Dequeue { .. }
            | Effect::Initialize { .. }
            | Effect::AbortInitialization { .. }
            | Effect::Worker { .. }
            | Effect::Request { .. }
            | Effect::CancelTool { .. }
            | Effect::Withdraw { .. }
            | Effect::Arm { .. }
            | Effect::Disarm { .. } => Vec::new(),
        }
    }
}
