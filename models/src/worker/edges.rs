//! The edges of the worker's machine that a search should come by: each event in each state in which it is applied.

use downbeat_kernel::{Deadline, SessionEvent, WorkerEvent, WorkerState, WorkerTimer};

use super::act::Told;
use super::world::World;

const WAITING: &[&str] = &["Idle", "Held"];
const IN_TURN: &[&str] = &["Executing", "AwaitingApproval", "BackingOff", "Cooling"];

/// The table of `docs/worker.md`, as far as it says `Applied`.
#[rustfmt::skip]
const EDGES: &[(&str, &[&[&str]])] = &[
    ("Assigned",               &[WAITING]),
    ("MessageReceived",        &[WAITING, IN_TURN]),
    ("ChildReported",          &[WAITING, IN_TURN]),
    ("ChildEnded",             &[WAITING, IN_TURN, &["Ending"]]),
    ("Session(Started)",       &[WAITING, &["Executing"]]),
    ("Session(Answered)",      &[&["Executing", "AwaitingApproval"]]),
    ("Session(IteratorEnded)", &[WAITING, &["Executing", "AwaitingApproval", "Ending"]]),
    ("Session(StopElapsed)",   &[WAITING, &["Executing", "Ending"]]),
    ("Observed",               &[&["Executing", "AwaitingApproval"]]),
    ("ProgressReported",       &[&["Held"], IN_TURN]),
    ("ApprovalRequested",      &[&["Executing", "AwaitingApproval"]]),
    ("AnswerReceived",         &[&["AwaitingApproval"]]),
    ("Reported",               &[WAITING, IN_TURN]),
    ("ReportAcknowledged",     &[WAITING, IN_TURN, &["Ending"]]),
    ("InterruptRequested",     &[IN_TURN]),
    ("PauseRequested",         &[&["Idle"], IN_TURN]),
    ("ResumeRequested",        &[&["Held"], IN_TURN]),
    ("WrapUpRequested",        &[WAITING, IN_TURN]),
    ("CompleteRequested",      &[WAITING, IN_TURN]),
    ("KillRequested",          &[WAITING, IN_TURN]),
    ("TimerFired(Watch)",      &[&["Idle", "Executing"]]),
    ("TimerFired(Backoff)",    &[&["BackingOff"]]),
    ("TimerFired(Breaker)",    &[&["Held", "Cooling"]]),
    ("TimerFired(WrapUp)",     &[WAITING, IN_TURN]),
    ("EndAcknowledged",        &[&["Ended"]]),
];

/// Every edge, event and state.
pub(super) fn edges() -> impl Iterator<Item = (&'static str, &'static str)> {
    let flat = |states: &'static [&'static [&'static str]]| states.iter().copied().flatten().copied();
    EDGES.iter().flat_map(move |(event, states)| flat(states).map(move |state| (*event, state)))
}

/// The edges that an event takes which the kernel applied, as places among [`edges`].
pub(super) fn taken(before: &World, told: Told, after: &World) -> Option<usize> {
    let edge = (event_name(before, told, after)?, state_name(before.standing()?));
    edges().position(|known| known == edge)
}

fn event_name(before: &World, told: Told, after: &World) -> Option<&'static str> {
    let inbox = |world: &World| world.worker().map_or(0, |worker| worker.data.inbox.len());
    match told {
        Told::Recorded => Some("EndAcknowledged"),
        // What of it reaches the worker, its inbox shows.
        Told::Child(WorkerEvent::Reported { .. }) => {
            (inbox(before) < inbox(after)).then_some("ChildReported")
        }
        Told::Child(_) => (inbox(before) < inbox(after)).then_some("ChildEnded"),
        Told::Worker(_) | Told::Message(_) | Told::Pause | Told::Resume | Told::Cancel | Told::Deployed => {
            told.to_worker().map(name)
        }
    }
}

fn name(event: WorkerEvent) -> &'static str {
    match event {
        WorkerEvent::Assigned => "Assigned",
        WorkerEvent::MessageReceived { .. } => "MessageReceived",
        WorkerEvent::ChildReported { .. } => "ChildReported",
        WorkerEvent::ChildEnded { .. } => "ChildEnded",
        WorkerEvent::Session(SessionEvent::Started { .. }) => "Session(Started)",
        WorkerEvent::Session(SessionEvent::Answered { .. }) => "Session(Answered)",
        WorkerEvent::Session(SessionEvent::IteratorEnded { .. }) => "Session(IteratorEnded)",
        WorkerEvent::Session(SessionEvent::StopElapsed { .. }) => "Session(StopElapsed)",
        WorkerEvent::Session(
            SessionEvent::Invoked { .. }
            | SessionEvent::AbortRequested { .. }
            | SessionEvent::RestartRequested
            | SessionEvent::CloseRequested,
        ) => "Session(others)",
        WorkerEvent::Observed { .. } => "Observed",
        WorkerEvent::ProgressReported { .. } => "ProgressReported",
        WorkerEvent::ApprovalRequested { .. } => "ApprovalRequested",
        WorkerEvent::AnswerReceived { .. } => "AnswerReceived",
        WorkerEvent::Reported { .. } => "Reported",
        WorkerEvent::ReportAcknowledged { .. } => "ReportAcknowledged",
        WorkerEvent::InterruptRequested { .. } => "InterruptRequested",
        WorkerEvent::PauseRequested => "PauseRequested",
        WorkerEvent::ResumeRequested => "ResumeRequested",
        WorkerEvent::WrapUpRequested => "WrapUpRequested",
        WorkerEvent::CompleteRequested => "CompleteRequested",
        WorkerEvent::KillRequested => "KillRequested",
        WorkerEvent::TimerFired { timer } => match timer {
            WorkerTimer::Watch(_) => "TimerFired(Watch)",
            WorkerTimer::Backoff(_) => "TimerFired(Backoff)",
            WorkerTimer::Breaker(_) => "TimerFired(Breaker)",
            WorkerTimer::WrapUp(Deadline::First | Deadline::Last) => "TimerFired(WrapUp)",
        },
        WorkerEvent::EndAcknowledged => "EndAcknowledged",
    }
}

fn state_name(state: WorkerState) -> &'static str {
    match state {
        WorkerState::Idle => "Idle",
        WorkerState::Held => "Held",
        WorkerState::Executing => "Executing",
        WorkerState::AwaitingApproval => "AwaitingApproval",
        WorkerState::BackingOff { .. } => "BackingOff",
        WorkerState::Cooling => "Cooling",
        WorkerState::Ending(_) => "Ending",
        WorkerState::Ended(_) => "Ended",
    }
}
