//! The edges of the worker's machine that a search should come by: each event in each state in which it is applied.

use downbeat_kernel::{Deadline, SessionEvent, TaskId, WorkerEvent, WorkerState, WorkerTimer};

use super::act::{Act, CHILD, TASK, Told};
use super::world::World;

const WAITING: &[&str] = &["Idle", "Held"];
const IN_TURN: &[&str] = &["Executing", "AwaitingApproval", "BackingOff", "Cooling"];

/// The table of `docs/worker.md`, as far as it says `Applied`, but for the budget, which no model of a worker has.
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
    ("InterruptRequested",     &[&["Idle"], IN_TURN]),
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

/// The edge that an act takes which the kernel applied, as a place among [`edges`].
pub(super) fn taken(before: &World, act: Act, after: &World) -> Option<usize> {
    let (of, event) = event_name(before, act, after)?;
    let edge = (event, state_name(before.standing(of)?));
    edges().position(|known| known == edge)
}

/// Which worker takes an act as which event.
fn event_name(before: &World, act: Act, after: &World) -> Option<(TaskId, &'static str)> {
    let inbox = |world: &World| world.worker(TASK).map_or(0, |worker| worker.data.inbox.len());
    // What of the subtask reaches the worker of the task, its inbox shows.
    if act.of == CHILD && inbox(before) < inbox(after) {
        let reports = matches!(act.told, Told::Worker(WorkerEvent::Reported { .. }));
        return Some((TASK, if reports { "ChildReported" } else { "ChildEnded" }));
    }
    let is_followed = before.followed().any(|(of, _)| of == act.of);
    let event = match act.told {
        Told::Recorded => Some("EndAcknowledged"),
        Told::Worker(_) | Told::Message(_) | Told::Pause | Told::Resume | Told::Cancel => {
            act.told.to_worker().map(name)
        }
        Told::Subtask(_) | Told::Admitted | Told::Deployed => None,
    };
    event.filter(|_| is_followed).map(|event| (act.of, event))
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
        WorkerEvent::BudgetSpent => "BudgetSpent",
        WorkerEvent::BudgetGranted => "BudgetGranted",
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
