//! How a step reads in a sequence diagram.

use downbeat_sim::event_loop::Pid;
use downbeat_sim::model::{Arrow, Told};

use super::process::{ExecuteAt, InvokeAt, IterableAt, LoopAt, Process};
use super::scene::{MONITOR, SDK, SESSION, WORKER, words};
use super::state::{Action, Generator, State, Status};

/// A step of which `arrows` tell what happened.
pub fn told(before: &State, action: Action, after: &State, arrows: Vec<Arrow>) -> Told {
    let mut arrows = arrows.into_iter();
    let mut told = match arrows.next() {
        Some(first) => Told::new(first.from, first.to, first.text),
        None => quiet(before, action),
    };
    for arrow in arrows {
        told = told.then(arrow.from, arrow.to, arrow.text);
    }
    let (was, is) = (standing(before), standing(after));
    if was == is { told } else { told.change(is) }
}

/// A step that has nothing to say for itself.
fn quiet(before: &State, action: Action) -> Told {
    let Some(process) = subject(before, action) else {
        return Told::new(MONITOR, MONITOR, "goes on");
    };
    let (lane, words) = match process {
        Process::Loop(LoopAt::Breaking) => (WORKER, "the circuit breaker lets it try"),
        Process::Loop(LoopAt::Selecting) => (WORKER, "its model is selected"),
        Process::Loop(LoopAt::Waiting | LoopAt::Executing | LoopAt::Sleeping) => (WORKER, "the loop goes on"),
        Process::Execute(ExecuteAt::Getting) => (WORKER, "execute has its session"),
        Process::Execute(ExecuteAt::Invoking) => (WORKER, "execute returns"),
        Process::Invoke(InvokeAt::Starting) => (SESSION, "invoke has an iterator"),
        Process::Invoke(InvokeAt::Completing) => (SESSION, "invoke returns"),
        Process::Query { .. } => (SDK, "the iterator is there"),
        Process::Iterable(IterableAt::Waiting) => (SESSION, "the prompt iterable goes on"),
        Process::Iterable(IterableAt::Yielded) => (SESSION, "the prompt iterable goes on, or ends"),
        Process::LateAbort | Process::LateWithdraw => (SESSION, "a late listener is called"),
    };
    Told::new(lane, lane, words)
}

/// The process that an action continues.
fn subject(state: &State, action: Action) -> Option<Process> {
    let program = |pid: Pid| state.processes.program(pid).copied();
    match action {
        Action::Microtask => state.processes.head().and_then(program),
        Action::Fire(pid) => program(pid),
        Action::Answer
        | Action::AskApproval
        | Action::Break(_)
        | Action::EndOwn(_)
        | Action::EndOld(_)
        | Action::Tick(_)
        | Action::Write
        | Action::WriteNothing
        | Action::Stop
        | Action::Pause
        | Action::Resume
        | Action::Approve
        | Action::Complete
        | Action::Kill => None,
    }
}

/// The status, the slot and the iterators, in one line.
fn standing(state: &State) -> String {
    let status = match state.worker.status {
        Status::Idle => "idle",
        Status::Running => "running",
        Status::WaitingApproval => "waiting-approval",
        Status::Paused => "paused",
        Status::Completed => "completed",
        Status::Error => "error",
    };
    let slot = state.worker.slot.map_or_else(String::new, |prompt| format!("; slot: {}", words(prompt)));
    let generator = match state.session.generator {
        Generator::None => "none",
        Generator::Live => "live",
        Generator::Dying => "aborted",
        Generator::Dead => "ended",
    };
    let old = match state.session.old {
        0 => String::new(),
        old => format!(" and {old} old"),
    };
    format!("{status}{slot}; iterator: {generator}{old}")
}
