//! The first form of a record: a turn knew of its request only how it ended. It is never changed.
//!
//! What it has in common with the second form it says with the words of that, which is never changed either.

use super::v2::{
    self, Answer, CallId, QuestionId, RequestEvent, RequestId, RequestTimer, Response, SendFailure,
    SessionEvent, Sign, Then, ToolEnd, WorkerTimer,
};
use crate::health::CheckNumber;
use crate::session::PromptId;
use crate::vocabulary::{self as kernel, MessageId, TaskId, TurnNumber};
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
        RequestFailed { request: RequestId, failure: Failure, jitter_ms: u32 },
        RequestCancelled { request: RequestId },
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

words! {
    enum WorkerEvent {
        Assigned,
        MessageReceived { message: MessageId },
        ChildReported { child: TaskId, number: u32 },
        ChildEnded { child: TaskId },
        Session(SessionEvent),
        Observed { turn: TurnNumber, sign: Sign },
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

/// One question of an agent, by the turn that it was asked in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalId {
    turn: TurnNumber,
    number: u32,
}

words! { enum Timer { Backoff(RequestId), Grace(TaskId), } }
words! { enum Failure { Throttled { retry_after_ms: Option<u32> }, Transient, Truncated, Permanent, } }

impl From<Event> for kernel::Event {
    fn from(event: Event) -> Self {
        v2::Event::from(event).into()
    }
}

impl From<Event> for v2::Event {
    fn from(event: Event) -> Self {
        match event {
            Event::TaskSubmitted { task } => Self::TaskSubmitted { task },
            Event::Admitted { task } => Self::Admitted { task },
            Event::Initialized { task } => Self::Initialized { task },
            Event::InitializationFailed { task } => Self::InitializationFailed { task },
            Event::Deployed { task } => Self::Deployed { task },
            Event::Worker { task, event } => Self::Worker { task, event: event.into() },
            Event::SubtaskRequested { task, child } => Self::SubtaskRequested { task, child },
            Event::ResponseEnded { request, response, jitter_ms } => {
                Self::ResponseEnded { request, response, jitter_ms }
            }
            Event::RequestFailed { request, failure, jitter_ms } => {
                failed(&request, failure.into(), jitter_ms)
            }
            // Whoever stopped it, the stream was over and the wish for an answer was not.
            Event::RequestCancelled { request } => failed(&request, SendFailure::Transient, 0),
            Event::ToolEnded { call, end } => Self::ToolEnded { call, end },
            Event::AnswerReceived { question, answer } => Self::AnswerReceived { question, answer },
            Event::MessageReceived { task, message } => Self::MessageReceived { task, message },
            Event::PauseRequested { task } => Self::PauseRequested { task },
            Event::ResumeRequested { task } => Self::ResumeRequested { task },
            Event::CancelRequested { task } => Self::CancelRequested { task },
            Event::TimerFired { timer: Timer::Backoff(RequestId { task, turn, attempt }) } => {
                let timer = RequestTimer::Backoff(attempt);
                Self::Request { task, turn, event: RequestEvent::TimerFired { timer } }
            }
            Event::TimerFired { timer: Timer::Grace(task) } => {
                Self::TimerFired { timer: v2::Timer::Grace(task) }
            }
            Event::EndAcknowledged { task } => Self::EndAcknowledged { task },
        }
    }
}

fn failed(request: &RequestId, failure: SendFailure, jitter_ms: u32) -> v2::Event {
    let RequestId { task, turn, attempt } = *request;
    v2::Event::Request { task, turn, event: RequestEvent::SendFailed { attempt, failure, jitter_ms } }
}

/// What named a turn names the prompt of its first try. After a failed one it is late, and is refused, because a turn says
/// nothing of which try it meant.
fn first_try(turn: TurnNumber) -> PromptId {
    PromptId(turn.0)
}

impl From<ApprovalId> for v2::ApprovalId {
    fn from(ApprovalId { turn, number }: ApprovalId) -> Self {
        Self { prompt: first_try(turn), number }
    }
}

impl From<WorkerEvent> for v2::WorkerEvent {
    fn from(event: WorkerEvent) -> Self {
        use WorkerEvent as E;
        match event {
            E::Assigned => Self::Assigned,
            E::MessageReceived { message } => Self::MessageReceived { message },
            E::ChildReported { child, number } => Self::ChildReported { child, number },
            E::ChildEnded { child } => Self::ChildEnded { child },
            E::Session(event) => Self::Session(event),
            E::Observed { turn, sign } => Self::Observed { prompt: first_try(turn), sign },
            E::ProgressReported { check } => Self::ProgressReported { check },
            E::ApprovalRequested { approval } => Self::ApprovalRequested { approval: approval.into() },
            E::AnswerReceived { approval, answer } => {
                Self::AnswerReceived { approval: approval.into(), answer }
            }
            E::Reported { number } => Self::Reported { number },
            E::ReportAcknowledged { number } => Self::ReportAcknowledged { number },
            E::InterruptRequested { turn, then } => Self::InterruptRequested { turn, then },
            E::PauseRequested => Self::PauseRequested,
            E::ResumeRequested => Self::ResumeRequested,
            E::WrapUpRequested => Self::WrapUpRequested,
            E::CompleteRequested => Self::CompleteRequested,
            E::KillRequested => Self::KillRequested,
            E::TimerFired { timer } => Self::TimerFired { timer },
            E::EndAcknowledged => Self::EndAcknowledged,
        }
    }
}

impl From<Failure> for SendFailure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Throttled { retry_after_ms } => Self::Throttled { retry_after_ms },
            Failure::Transient => Self::Transient,
            Failure::Truncated => Self::Interrupted,
            Failure::Permanent => Self::Invalid,
        }
    }
}
