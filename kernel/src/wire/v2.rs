//! The second form of a record: a request says what happened to each of its sends, and an agent in which try of a turn. It is
//! never changed: what it cannot say needs a new version.
//!
//! Ids are the numbers that they are in the kernel. Everything that has a shape is said again here, so that a change of the
//! kernel's words does not compile before somebody has decided what it means for what was written.

use super::v3;
use crate::credential::Generation;
use crate::health::{CheckNumber, ToolId, WatchNumber};
use crate::request::ProfileId;
use crate::session::{IteratorId, PromptId};
use crate::vocabulary::{self as kernel, Attempt, MessageId, TaskId, TurnNumber};
use crate::{health, request, session, worker};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

words! {
    enum Event {
        TaskSubmitted { task: TaskId },
        Admitted { task: TaskId },
        Initialized { task: TaskId },
        InitializationFailed { task: TaskId },
        Deployed { task: TaskId },
        Worker { task: TaskId, event: WorkerEvent },
        SubtaskRequested { task: TaskId, child: TaskId },
        ResponseEnded { request: RequestId, response: Response, jitter_ms: u32 },
        Request { task: TaskId, turn: TurnNumber, event: RequestEvent },
        ProfileDown { profile: ProfileId },
        ProfileUp { profile: ProfileId },
        ToolEnded { call: CallId, end: ToolEnd },
        AnswerReceived { question: QuestionId, answer: Answer },
        MessageReceived { task: TaskId, message: MessageId },
        PauseRequested { task: TaskId },
        ResumeRequested { task: TaskId },
        CancelRequested { task: TaskId },
        TimerFired { timer: Timer },
        EndAcknowledged { task: TaskId },
    }
}

impl From<Event> for kernel::Event {
    fn from(event: Event) -> Self {
        v3::Event::from(event).into()
    }
}

form! { struct RequestId of kernel { task: TaskId, turn: TurnNumber, attempt: Attempt, } }
form! { struct CallId of kernel { task: TaskId, turn: TurnNumber, index: u16, } }
form! { struct QuestionId of kernel { task: TaskId, number: u32, } }
words! { enum Timer { Grace(TaskId), } }
form! { enum Approval of kernel { Granted, Required, } }
form! { enum Call of kernel { Tool(approval: Approval), Subtask { child: TaskId }, Question, Completion(approval: Approval), } }
form! { enum ToolEnd of kernel { Succeeded, Failed, Cancelled, } }
form! { enum Answer of kernel { Approved, Denied, Text, } }

/// By hand, for its list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    Calls(Vec<Call>),
    Text,
    Empty,
}

impl From<kernel::Response> for Response {
    fn from(value: kernel::Response) -> Self {
        match value {
            kernel::Response::Calls(calls) => Self::Calls(calls.into_iter().map(Call::from).collect()),
            kernel::Response::Text => Self::Text,
            kernel::Response::Empty => Self::Empty,
        }
    }
}

impl From<Response> for kernel::Response {
    fn from(value: Response) -> Self {
        match value {
            Response::Calls(calls) => Self::Calls(calls.into_iter().map(kernel::Call::from).collect()),
            Response::Text => Self::Text,
            Response::Empty => Self::Empty,
        }
    }
}

form! {
    enum RequestEvent of request {
        Began { profiles: Profiles, previous: Claimed },
        CredentialGiven { attempt: Attempt, generation: Generation },
        CredentialFailed { attempt: Attempt },
        OutputDelivered { attempt: Attempt },
        ResponseEnded { attempt: Attempt },
        SendFailed { attempt: Attempt, failure: SendFailure, jitter_ms: u32 },
        Stopped { attempt: Attempt },
        UsageReported { attempt: Attempt },
        ProfileDown { profile: ProfileId },
        ProfileUp { profile: ProfileId },
        PauseRequested,
        ResumeRequested,
        CancelRequested,
        TimerFired { timer: RequestTimer },
    }
}

form! { struct Profiles of request { count: u8, down: u8, keyed: u8, } }
form! { struct Previous of request { turn: TurnNumber, attempt: Attempt, profile: ProfileId, } }
form! { enum RequestTimer of request { Backoff(attempt: Attempt), Grace(attempt: Attempt), } }
form! {
    enum SendFailure of request {
        Throttled { retry_after_ms: Option<u32> },
        Unauthorized,
        ContinuityLost,
        ContextTooLong,
        Transient,
        Interrupted,
        Invalid,
    }
}

/// By hand, because a request need not have one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claimed(Option<Previous>);

impl From<Option<request::Previous>> for Claimed {
    fn from(value: Option<request::Previous>) -> Self {
        Self(value.map(Previous::from))
    }
}

impl From<Claimed> for Option<request::Previous> {
    fn from(value: Claimed) -> Self {
        value.0.map(request::Previous::from)
    }
}

words! {
    enum WorkerEvent {
        Assigned,
        MessageReceived { message: MessageId },
        ChildReported { child: TaskId, number: u32 },
        ChildEnded { child: TaskId },
        Session(SessionEvent),
        Observed { prompt: PromptId, sign: Sign },
        ProgressReported { check: CheckNumber },
        ApprovalRequested { approval: ApprovalId },
        AnswerReceived { approval: ApprovalId, answer: Answer },
        Reported { number: u32 },
        ReportAcknowledged { number: u32 },
        InterruptRequested { turn: TurnNumber, then: Then },
        PauseRequested,
        ResumeRequested,
        WrapUpRequested,
        CompleteRequested,
        KillRequested,
        TimerFired { timer: WorkerTimer },
        EndAcknowledged,
    }
}

form! { struct ApprovalId of worker { prompt: PromptId, number: u32, } }
form! { enum Then of worker { Resume, Hold, } }
form! {
    enum WorkerTimer of worker {
        Watch(watch: WatchNumber),
        Backoff(prompt: PromptId),
        Breaker(prompt: PromptId),
        WrapUp(deadline: Deadline),
    }
}
form! { enum Deadline of worker { First, Last, } }
form! { enum Sign of health { Activity, ToolCalled { tool: ToolId }, Succeeded, Failed, } }

form! {
    enum SessionEvent of session {
        Invoked { prompt: PromptId },
        Started { iterator: IteratorId },
        Answered { iterator: IteratorId, prompt: PromptId },
        IteratorEnded { iterator: IteratorId, end: IteratorEnd },
        AbortRequested { prompt: PromptId },
        RestartRequested,
        CloseRequested,
        StopElapsed { iterator: IteratorId },
    }
}
form! { enum IteratorEnd of session { Normal, Transient, Throttled, Permanent, } }
