//! What is asked of a worker and everything that acts on it.

use downbeat_sim::model::Property;

use super::Interrupt;
use super::process::InvokeAt;
use super::process::Process;
use super::scene::words;
use super::state::{Approval, Generator, MESSAGES, Prompt, Settled, State};

/// All of them, in the order of the report.
pub fn all() -> Vec<Property<Interrupt>> {
    let mut properties = safety();
    properties.extend(liveness());
    properties
}

fn safety() -> Vec<Property<Interrupt>> {
    vec![
        Property::always(
            "S5",
            "an accepted message reaches the model in order, or is reported",
            |_, state: &State| lost(state).is_none() && !is_overtaken(state),
            |_, state| state.truth.delivered > 0,
            |_, state| match lost(state) {
                Some(m) => format!("message {} is lost, and nobody is told", m + 1),
                None => "message 2 reached the model before message 1".to_owned(),
            },
        ),
        Property::always(
            "S6",
            "a person is asked only what somebody waits to know",
            |_, state: &State| state.approval != Approval::Orphaned,
            |_, state| state.approval == Approval::Pending,
            |_, _| "the turn is over, and its approval is still asked for".to_owned(),
        ),
        Property::always_step(
            "S7",
            "a worker that is completed or failed stays so",
            |_, before: &State, _, after: &State| {
                before.worker.status.is_active() || after.worker.status == before.worker.status
            },
            |_, before, _, _| !before.worker.status.is_active(),
            |_, state| {
                let is = if state.worker.status.is_active() { "is active again" } else { "ends again" };
                format!("the worker was completed or had failed, and {is}")
            },
        ),
        Property::always(
            "S9",
            "nobody waits for a message to a worker that is gone",
            |_, state: &State| !state.waits() || !is_gone(state),
            |_, state| state.worker.has_waiter,
            |_, state| {
                let why =
                    if state.truth.is_killed { "the worker was killed" } else { "its waiter was dropped" };
                let monitored = if state.monitor.is_some() { ", and it is monitored" } else { "" };
                format!("the executor loop waits for a message that cannot come: {why}{monitored}")
            },
        ),
        Property::always(
            "S10",
            "at most one live iterator for a session",
            |_, state: &State| state.live_iterators() <= 1,
            |_, state| state.live_iterators() > 0,
            |_, _| "a new iterator is started, and nobody told the one before it to stop".to_owned(),
        ),
        Property::always(
            "alone",
            "no iterator runs when one is ordered (S10 does not count what was told to stop)",
            |_, state: &State| state.iterators() <= 1,
            |_, state| state.iterators() > 0,
            |_, _| "a new iterator is started, and the one before it has not ended".to_owned(),
        ),
        Property::always(
            "S12",
            "an interrupt stops the turn that it was meant for and no other; what it stopped is resumed or reported",
            |_, state: &State| !is_mistaken(state) && !is_dropped(state),
            |_, state| state.session.settled == Some(Settled::Aborted),
            |_, state| {
                let prompt = words(state.prompt);
                if is_mistaken(state) {
                    format!("the turn with {prompt} is rejected as aborted, and nobody interrupted it")
                } else {
                    DROPPED.to_owned()
                }
            },
        ),
        Property::always_step(
            "S13",
            "a worker that a person stopped or paused does not begin a turn by itself",
            |_, before: &State, _, after: &State| !(after.truth.is_held && begins(before, after)),
            |_, before, _, _| before.truth.is_held,
            |_, state| format!("a person stopped it, and a turn begins with {}", words(state.prompt)),
        ),
        Property::always(
            "resumed",
            "what a progress check stopped is resumed or reported (the second half of S12)",
            |_, state: &State| !is_dropped(state),
            |_, state| state.truth.is_stopped,
            |_, _| DROPPED.to_owned(),
        ),
        Property::no_deadlock(
            "deadlock",
            "the system rests only when the worker has ended or waits for a person",
            |_, state| unsettled(state),
        ),
    ]
}

fn liveness() -> Vec<Property<Interrupt>> {
    vec![
        Property::leads_to(
            "S11",
            "every invoke settles",
            |_, state: &State| invokes(state),
            |_, state| !invokes(state) || state.approval == Approval::Pending,
            |_, state| format!("invoke never returns: {}", unsettled(state)),
        ),
        Property::leads_to(
            "L1",
            "the worker ends, or waits for a person",
            |_, state: &State| !rests(state),
            |_, state| rests(state),
            |_, state| format!("for ever: {}", unsettled(state)),
        ),
        Property::leads_to(
            "L2",
            "a worker that is completed or killed comes to its end, and a stop ends the turn",
            |_, state: &State| is_cancel_outstanding(state),
            |_, state| !is_cancel_outstanding(state),
            |_, state| format!("for ever: {}", unsettled(state)),
        ),
        Property::leads_to(
            "L3",
            "a turn of a worker that is reported as unhealthy comes to an end",
            |_, state: &State| is_reported(state),
            |_, state| !is_reported(state) || state.approval == Approval::Pending,
            |_, state| format!("nobody acts: {}", unsettled(state)),
        ),
    ]
}

const DROPPED: &str = "the worker waits for a message, and what a check stopped was never resumed";

/// Whether a turn was rejected as aborted whose own token is not cancelled.
fn is_mistaken(state: &State) -> bool {
    state.session.settled == Some(Settled::Aborted) && !state.is_cancelled
}

/// Whether the worker rests with work that a check stopped.
fn is_dropped(state: &State) -> bool {
    state.truth.is_stopped && state.worker.has_waiter
}

/// A message that was accepted and neither reached the model nor is on its way.
fn lost(state: &State) -> Option<u8> {
    (0..state.truth.sent).find(|m| !state.is_delivered(*m) && !state.is_under_way(*m))
}

fn is_overtaken(state: &State) -> bool {
    (1..MESSAGES).any(|m| state.is_delivered(m) && !state.is_delivered(m - 1))
}

/// Whether nobody can wake the executor loop.
fn is_gone(state: &State) -> bool {
    !state.worker.has_waiter || state.truth.is_killed
}

/// Whether a turn begins that the person did not ask for with a message.
fn begins(before: &State, after: &State) -> bool {
    let asked_for = matches!(after.prompt, Prompt::Message(_));
    before.execution().is_none() && after.execution().is_some() && !asked_for
}

fn invokes(state: &State) -> bool {
    state.processes.suspended().any(|(_, process, _)| match process {
        Process::Invoke(InvokeAt::Starting | InvokeAt::Completing) => true,
        Process::Loop(_)
        | Process::Execute(_)
        | Process::Query { .. }
        | Process::Iterable(_)
        | Process::LateAbort
        | Process::LateWithdraw => false,
    })
}

fn is_reported(state: &State) -> bool {
    state.monitor.is_some_and(|flags| flags.is_stuck && flags.is_executing)
}

fn is_cancel_outstanding(state: &State) -> bool {
    let runs = state.execution().is_some();
    (state.truth.is_ended && state.executor().is_some()) || (state.truth.is_held && runs)
}

/// Whether the worker has ended, or waits for a person who can act on it.
pub fn rests(state: &State) -> bool {
    let waits = state.worker.has_waiter && !state.truth.is_killed;
    state.executor().is_none() || waits || state.approval == Approval::Pending
}

fn unsettled(state: &State) -> String {
    let words = if state.waits() && is_gone(state) {
        "the executor loop waits for a message that cannot come"
    } else if state.execution().is_some() {
        match state.session.generator {
            Generator::Dead => "a request is in the queue of an iterator that has ended",
            Generator::Dying => "a request is in the queue of an iterator that was aborted",
            Generator::None | Generator::Live => "turn follows turn",
        }
    } else {
        "the executor loop goes on"
    };
    words.to_owned()
}
