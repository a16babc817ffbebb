//! Any bytes as a history of events.

use crate::bytes::Bytes;
use crate::machines::answer_to_request;
use downbeat_kernel::{
    ApprovalId, Attempt, BillNumber, Config, Discard, Effect, Event, Kernel, Outcome, RequestEffect,
    RequestEvent, RequestId, SessionEffect, SessionEvent, WorkerEffect, WorkerEvent,
};

/// Bounds that a short history reaches.
fn config() -> Config {
    Config {
        tasks_max: 6,
        depth_max: 2,
        messages_max: 3,
        calls_max: 3,
        attempts_max: 3,
        mistakes_max: 2,
        loop_max: 2,
        errors_max: 2,
        inbox_max: 3,
        worker_attempts_max: 3,
        breaker_max: 2,
        profiles: 3,
        profiles_keyed: 4,
        profiles_continuing: 3,
        ..Config::default()
    }
}

/// Lives through the history that the bytes describe.
///
/// # Panics
/// If an event that is not applied changes or emits anything (S25), a state is not valid, `resync` depends on anything but
/// the state, or the same events lead to another state a second time.
pub fn events(bytes: &[u8]) {
    history(bytes);
}

/// The same, with what came of it: the state, and the events that were applied.
///
/// # Panics
/// As [`events`].
pub fn history(bytes: &[u8]) -> (Kernel, Vec<Event>) {
    let before = Kernel::new(config());
    let mut kernel = before.clone();
    let applied = live(&mut kernel, bytes);
    replay_is_equal(before, &kernel, &applied);
    (kernel, applied)
}

/// Gives the kernel one event after the other until the bytes are used up, and gives back those that were applied.
pub(crate) fn live(kernel: &mut Kernel, bytes: &[u8]) -> Vec<Event> {
    let mut bytes = Bytes::new(bytes);
    let mut applied = Vec::new();
    while !bytes.is_empty() {
        let event = event(kernel, &mut bytes);
        let before = kernel.clone();
        let mut effects = Vec::new();
        match kernel.step(event.clone(), &mut effects) {
            Outcome::Applied => applied.push(event.clone()),
            Outcome::Ignored(_) | Outcome::Rejected(_) => {
                assert_eq!((&*kernel, &*effects), (&before, [].as_slice()), "S25: {event:?}");
            }
        }
        assert_eq!(kernel.validate(), Ok(()), "after {event:?}");
    }
    applied
}

/// Takes the events a second time.
pub(crate) fn replay_is_equal(mut from: Kernel, to: &Kernel, events: &[Event]) {
    for event in events {
        assert_eq!(from.step(event.clone(), &mut Discard), Outcome::Applied);
    }
    assert_eq!(&from, to, "the same events led to another state");
    let (mut orders, mut again) = (Vec::new(), Vec::new());
    from.resync(&mut orders);
    to.resync(&mut again);
    assert_eq!(orders, again);
}

/// A quarter of the events is whatever the bytes say. Numbers that are only guessed seldom fit, so half are answers to what
/// is outstanding, and a quarter happens to some worker or some request in the turn that it has.
fn event(kernel: &Kernel, bytes: &mut Bytes<'_>) -> Event {
    let choice = bytes.byte();
    if choice < 64 {
        return numbered(kernel, bytes.make());
    }
    if choice < 96 {
        return event_of_request(kernel, choice, bytes).unwrap_or_else(|| bytes.make());
    }
    if choice < 128 {
        return event_of_worker(kernel, choice, bytes).unwrap_or_else(|| bytes.make());
    }
    let mut outstanding = Vec::new();
    kernel.resync(&mut outstanding);
    let answers = |effect: &Effect| answer(*effect, &mut bytes.clone()).is_some();
    outstanding.retain(answers);
    match outstanding.get(usize::from(choice - 128) % outstanding.len().max(1)) {
        Some(effect) => answer(*effect, bytes).unwrap_or_else(|| bytes.make()),
        None => bytes.make(),
    }
}

/// Half of the bills that were made, with the next number.
fn numbered(kernel: &Kernel, event: Event) -> Event {
    let Event::Spent { task, bill, spend } = event else { return event };
    let account = kernel.task(task).and_then(|task| task.data.account.as_ref());
    let bill = match account {
        Some(account) if bill.0.is_multiple_of(2) => BillNumber(account.bill.0 + 1),
        Some(_) | None => bill,
    };
    Event::Spent { task, bill, spend }
}

fn event_of_request(kernel: &Kernel, choice: u8, bytes: &mut Bytes<'_>) -> Option<Event> {
    let asking: Vec<_> = kernel.tasks().filter(|task| task.data.turn.0 > 0).collect();
    let task = asking.get(usize::from(choice) % asking.len().max(1))?;
    let sent = u16::try_from(task.data.request.ledger.sends().len()).unwrap_or(u16::MAX);
    let (next, last) = (Attempt(sent), Attempt(sent.saturating_sub(1)));
    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever names no send stays as it was made")]
    let event = match bytes.make() {
        RequestEvent::UsageReported { .. } => RequestEvent::UsageReported { attempt: last },
        RequestEvent::OutputDelivered { .. } => RequestEvent::OutputDelivered { attempt: last },
        RequestEvent::CredentialFailed { .. } => RequestEvent::CredentialFailed { attempt: next },
        event => event,
    };
    Some(Event::Request { task: task.id, turn: task.data.turn, event })
}

fn event_of_worker(kernel: &Kernel, choice: u8, bytes: &mut Bytes<'_>) -> Option<Event> {
    let workers: Vec<_> =
        kernel.tasks().filter_map(|task| Some((task.id, &task.data.worker.as_ref()?.data))).collect();
    let (task, data) = workers.get(usize::from(choice) % workers.len().max(1))?;
    let (turn, prompt) = (data.turn, data.session.accepted);
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever names neither turn nor prompt stays as it was made"
    )]
    let event = match bytes.make() {
        WorkerEvent::Observed { sign, .. } => WorkerEvent::Observed { prompt, sign },
        WorkerEvent::InterruptRequested { then, .. } => WorkerEvent::InterruptRequested { turn, then },
        WorkerEvent::ApprovalRequested { approval } => {
            WorkerEvent::ApprovalRequested { approval: ApprovalId { prompt, ..approval } }
        }
        event => event,
    };
    Some(Event::Worker { task: *task, event })
}

/// The answer that an effect asks for, with what is free in it from the bytes.
fn answer(effect: Effect, bytes: &mut Bytes<'_>) -> Option<Event> {
    match effect {
        Effect::Enqueue { task } => Some(Event::Admitted { task }),
        Effect::Initialize { task } | Effect::AbortInitialization { task } => Some(match bytes.byte() % 4 {
            0 => Event::InitializationFailed { task },
            1 => Event::Deployed { task },
            _ => Event::Initialized { task },
        }),
        Effect::Request { task, turn, effect: RequestEffect::Recover { attempt } }
            if !bytes.byte().is_multiple_of(4) =>
        {
            let request = RequestId { task, turn, attempt };
            Some(Event::ResponseEnded { request, response: bytes.make(), jitter_ms: 0 })
        }
        Effect::Request { task, turn, effect } => {
            answer_to_request(effect, bytes).map(|event| Event::Request { task, turn, event })
        }
        Effect::RunTool { call } | Effect::CancelTool { call } => {
            Some(Event::ToolEnded { call, end: bytes.make() })
        }
        Effect::Ask { question, .. } => Some(Event::AnswerReceived { question, answer: bytes.make() }),
        Effect::Arm { timer, .. } => Some(Event::TimerFired { timer }),
        Effect::TaskEnded { task, .. } => Some(Event::EndAcknowledged { task }),
        Effect::Worker { task, effect } => {
            answer_of_worker(effect, bytes).map(|event| Event::Worker { task, event })
        }
        Effect::Dequeue { .. }
        | Effect::Include { .. }
        | Effect::Withdraw { .. }
        | Effect::Disarm { .. }
        | Effect::ReportUndelivered { .. } => None,
    }
}

fn answer_of_worker(effect: WorkerEffect, bytes: &mut Bytes<'_>) -> Option<WorkerEvent> {
    match effect {
        WorkerEffect::Session(SessionEffect::Start { iterator }) => {
            Some(WorkerEvent::Session(SessionEvent::Started { iterator }))
        }
        WorkerEffect::Session(SessionEffect::Prompt { iterator, prompt }) => {
            Some(WorkerEvent::Session(SessionEvent::Answered { iterator, prompt }))
        }
        WorkerEffect::Session(SessionEffect::Stop { iterator }) => {
            Some(WorkerEvent::Session(SessionEvent::IteratorEnded { iterator, end: bytes.make() }))
        }
        WorkerEffect::Session(SessionEffect::Arm { iterator, .. }) => {
            Some(WorkerEvent::Session(SessionEvent::StopElapsed { iterator }))
        }
        WorkerEffect::AskProgress { check } => Some(WorkerEvent::ProgressReported { check }),
        WorkerEffect::Ask { approval } => {
            Some(WorkerEvent::AnswerReceived { approval, answer: bytes.make() })
        }
        WorkerEffect::Report { number } => Some(WorkerEvent::ReportAcknowledged { number }),
        WorkerEffect::Arm { timer, .. } => Some(WorkerEvent::TimerFired { timer }),
        WorkerEffect::WorkerEnded { .. } => Some(WorkerEvent::EndAcknowledged),
        WorkerEffect::Include { .. }
        | WorkerEffect::Session(
            SessionEffect::Kill { .. }
            | SessionEffect::Settle { .. }
            | SessionEffect::Disarm { .. }
            | SessionEffect::Closed,
        )
        | WorkerEffect::Acknowledge { .. }
        | WorkerEffect::ReportUndelivered { .. }
        | WorkerEffect::Withdraw { .. }
        | WorkerEffect::Answer { .. }
        | WorkerEffect::Warn { .. }
        | WorkerEffect::Disarm { .. } => None,
    }
}
