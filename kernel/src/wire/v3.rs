//! The third form of a record: a task comes with a budget, bills are taken, and what a grant may take in time runs out. It is
//! never changed: what it cannot say needs a new version.
//!
//! What it has in common with the second form it says with the words of that, which is never changed either.

use super::v2::{
    self, Answer, CallId, QuestionId, RequestEvent, RequestId, Response, SessionEvent, Sign, Then, ToolEnd,
    WorkerTimer,
};
use crate::health::CheckNumber;
use crate::request::ProfileId;
use crate::session::PromptId;
use crate::vocabulary::{self as kernel, BillNumber, GrantNumber, MessageId, TaskId, TurnNumber};
use crate::{budget, worker};
use serde::{Deserialize, Serialize};

form! {
    enum Event of kernel {
        TaskSubmitted { task: TaskId, budget: Budget },
        Spent { task: TaskId, bill: BillNumber, spend: Spend },
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

form! { struct Budget of budget { tokens: u64, micros: u64, wall_ms: u64, } }
form! { struct Spend of budget { tokens: u64, micros: u64, } }
form! { enum Timer of kernel { Grace(task: TaskId), Budget { task: TaskId, grant: GrantNumber }, } }

form! {
    enum WorkerEvent of worker {
        Assigned,
        MessageReceived { message: MessageId },
        ChildReported { child: TaskId, number: u32 },
        ChildEnded { child: TaskId },
        Session(event: SessionEvent),
        Observed { prompt: PromptId, sign: Sign },
        ProgressReported { check: CheckNumber },
        ApprovalRequested { approval: v2::ApprovalId },
        AnswerReceived { approval: v2::ApprovalId, answer: Answer },
        Reported { number: u32 },
        ReportAcknowledged { number: u32 },
        InterruptRequested { turn: TurnNumber, then: Then },
        PauseRequested,
        ResumeRequested,
        BudgetSpent,
        BudgetGranted,
        WrapUpRequested,
        CompleteRequested,
        KillRequested,
        TimerFired { timer: WorkerTimer },
        EndAcknowledged,
    }
}

impl From<v2::Event> for Event {
    fn from(event: v2::Event) -> Self {
        use v2::Event as E;
        match event {
            // Nothing was bounded.
            E::TaskSubmitted { task } => {
                Self::TaskSubmitted { task, budget: budget::Budget::default().into() }
            }
            E::Admitted { task } => Self::Admitted { task },
            E::Initialized { task } => Self::Initialized { task },
            E::InitializationFailed { task } => Self::InitializationFailed { task },
            E::Deployed { task } => Self::Deployed { task },
            E::Worker { task, event } => Self::Worker { task, event: event.into() },
            E::SubtaskRequested { task, child } => Self::SubtaskRequested { task, child },
            E::ResponseEnded { request, response, jitter_ms } => {
                Self::ResponseEnded { request, response, jitter_ms }
            }
            E::Request { task, turn, event } => Self::Request { task, turn, event },
            E::ProfileDown { profile } => Self::ProfileDown { profile },
            E::ProfileUp { profile } => Self::ProfileUp { profile },
            E::ToolEnded { call, end } => Self::ToolEnded { call, end },
            E::AnswerReceived { question, answer } => Self::AnswerReceived { question, answer },
            E::MessageReceived { task, message } => Self::MessageReceived { task, message },
            E::PauseRequested { task } => Self::PauseRequested { task },
            E::ResumeRequested { task } => Self::ResumeRequested { task },
            E::CancelRequested { task } => Self::CancelRequested { task },
            E::TimerFired { timer: v2::Timer::Grace(task) } => Self::TimerFired { timer: Timer::Grace(task) },
            E::EndAcknowledged { task } => Self::EndAcknowledged { task },
        }
    }
}

impl From<v2::WorkerEvent> for WorkerEvent {
    fn from(event: v2::WorkerEvent) -> Self {
        use v2::WorkerEvent as E;
        match event {
            E::Assigned => Self::Assigned,
            E::MessageReceived { message } => Self::MessageReceived { message },
            E::ChildReported { child, number } => Self::ChildReported { child, number },
            E::ChildEnded { child } => Self::ChildEnded { child },
            E::Session(event) => Self::Session(event),
            E::Observed { prompt, sign } => Self::Observed { prompt, sign },
            E::ProgressReported { check } => Self::ProgressReported { check },
            E::ApprovalRequested { approval } => Self::ApprovalRequested { approval },
            E::AnswerReceived { approval, answer } => Self::AnswerReceived { approval, answer },
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
