//! What a worker of the history does, and a model that speaks before its response has ended.

use super::{Answers, plain};
use crate::fact::Told;
use crate::iterate::elapsed;
use downbeat_kernel::{
    Answer, ApprovalId, Effect, Event, IteratorEnd, IteratorId, MessageId, PromptId, RequestEffect,
    RequestEvent, RequestId, SessionEffect, SessionEvent, Spend, TaskId, TurnNumber, WorkerEffect,
    WorkerEvent, WorkerTimer,
};

/// The task that it runs.
pub(super) const TASK: TaskId = TaskId(14);

/// What it is told by people.
pub(super) fn message() -> Event {
    Event::MessageReceived { task: TASK, message: MessageId(1) }
}

fn says(event: WorkerEvent, text: &str) -> (Told, Vec<String>) {
    (Event::Worker { task: TASK, event }.into(), vec![text.to_owned()])
}

fn session(event: SessionEvent, text: &str) -> (Told, Vec<String>) {
    says(WorkerEvent::Session(event), text)
}

/// In its first prompt it reports and asks; it dies under the second.
fn prompted(iterator: IteratorId, prompt: PromptId) -> Answers {
    match prompt {
        PromptId(1) => vec![
            says(WorkerEvent::Reported { number: 1 }, "half of it"),
            says(WorkerEvent::ApprovalRequested { approval: ApprovalId { prompt, number: 1 } }, "all of it?"),
            says(WorkerEvent::ApprovalRequested { approval: ApprovalId { prompt, number: 2 } }, "and this?"),
        ],
        PromptId(2) => {
            vec![session(SessionEvent::IteratorEnded { iterator, end: IteratorEnd::Transient }, "")]
        }
        PromptId(_) => vec![session(SessionEvent::Answered { iterator, prompt }, "it is done")],
    }
}

/// What it says to an order.
pub(super) fn answer(effect: WorkerEffect) -> Answers {
    match effect {
        WorkerEffect::Session(SessionEffect::Start { iterator }) => {
            vec![session(SessionEvent::Started { iterator }, "")]
        }
        WorkerEffect::Session(SessionEffect::Prompt { iterator, prompt }) => prompted(iterator, prompt),
        WorkerEffect::Ask { approval } => {
            vec![says(WorkerEvent::AnswerReceived { approval, answer: Answer::Text }, "not this")]
        }
        WorkerEffect::Answer { approval: ApprovalId { prompt, number: 2 }, .. } => {
            vec![session(SessionEvent::Answered { iterator: IteratorId(1), prompt }, "half is done")]
        }
        WorkerEffect::Arm { timer: timer @ WorkerTimer::Backoff(_), .. } => plain(elapsed(TASK, timer)),
        WorkerEffect::Session(
            SessionEffect::Stop { .. }
            | SessionEffect::Kill { .. }
            | SessionEffect::Settle { .. }
            | SessionEffect::Arm { .. }
            | SessionEffect::Disarm { .. }
            | SessionEffect::Closed,
        )
        | WorkerEffect::Arm {
            timer: WorkerTimer::Watch(_) | WorkerTimer::Breaker(_) | WorkerTimer::WrapUp(_),
            ..
        }
        | WorkerEffect::Answer { .. }
        | WorkerEffect::Include { .. }
        | WorkerEffect::Acknowledge { .. }
        | WorkerEffect::ReportUndelivered { .. }
        | WorkerEffect::AskProgress { .. }
        | WorkerEffect::Withdraw { .. }
        | WorkerEffect::Report { .. }
        | WorkerEffect::Warn { .. }
        | WorkerEffect::Disarm { .. }
        | WorkerEffect::WorkerEnded { .. } => vec![],
    }
}

/// The responses of the second task cost something, which its tree counts.
pub(super) fn paid(event: Event) -> Told {
    let Event::ResponseEnded { request: RequestId { task: root @ TaskId(2), .. }, .. } = event else {
        return event.into();
    };
    Told::Replied { ended: event, root, spend: Spend { tokens: 0, micros: 7 } }
}

/// What a model says before its response to a third turn has ended.
pub(super) fn delivered(effect: &Effect) -> Answers {
    let Effect::Request { task, turn: turn @ TurnNumber(3), effect } = *effect else { return vec![] };
    let RequestEffect::Send { attempt, .. } = effect else { return vec![] };
    plain(Event::Request { task, turn, event: RequestEvent::OutputDelivered { attempt } })
}
