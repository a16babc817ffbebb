//! What is asked of the monitor.

use downbeat_sim::model::Property;

use super::Health;
use super::state::{Hold, Job, Prompt, State, Turn, Worker};
use super::steps::words;

/// All of them, in the order of the report.
pub fn all() -> Vec<Property<Health>> {
    vec![
        Property::always(
            "S12",
            "what a progress check stopped is resumed or reported",
            |_, state: &State| !is_dropped(state),
            |_, state| state.job == Job::Stopped,
            |_, _| {
                "the worker waits for a message; its instructions were stopped, and nobody resumes them"
                    .to_owned()
            },
        ),
        Property::always_step(
            "S13",
            "a worker that a person stopped begins no turn but with a message that was sent after that",
            |_, before: &State, _, after: &State| {
                begun(before, after).is_none_or(|prompt| before.hold.admits(prompt))
            },
            |_, before, _, _| before.hold != Hold::None,
            |_, state| match state.turn() {
                Some(prompt) => {
                    format!("a person stopped the worker, and a turn begins with {}", words(prompt))
                }
                None => String::new(),
            },
        ),
        Property::always_step(
            "alarm",
            "a worker is reported as unhealthy only if it is",
            |_, before: &State, _, after| !alarms(before, after) || before.is_unhealthy(),
            |_, before, _, after| alarms(before, after),
            |_, state| format!("unhealthy is reported of a worker that {}", standing(state)),
        ),
        Property::always_step(
            "alarm-streak",
            "a loop or a high error rate is reported only of a turn that will not end by itself",
            |system: &Health, before: &State, _, after| {
                !streaks(system, before, after) || before.is_unhealthy()
            },
            |system, before, _, after| streaks(system, before, after),
            |system, state| {
                let what = if is_loop(system, state) { "a loop" } else { "a high error rate" };
                format!("{what} is reported of a turn that would come to its end")
            },
        ),
        Property::leads_to(
            "inquiry",
            "an inquiry does not stay pending for ever",
            |_, state: &State| state.flags.inquiry_pending,
            |_, state| !state.flags.inquiry_pending,
            |_, _| "the inquiry counts as sent, and nobody was asked".to_owned(),
        ),
        Property::always_step(
            "escalation",
            "an inquiry that was answered is not sent again while nothing is new",
            |_, before: &State, _, after| !(before.is_answered && inquires(before, after)),
            |_, before, _, after| inquires(before, after),
            |_, _| {
                "the worker has answered an inquiry, nobody has sent anything since, and it is asked again"
                    .to_owned()
            },
        ),
        Property::leads_to(
            "updates",
            "a child's update reaches its parent",
            |_, state: &State| state.updates > 0,
            |_, state| state.updates == 0,
            |_, _| "an update is kept for a worker that is never reported as idle again".to_owned(),
        ),
        Property::no_deadlock(
            "deadlock",
            "the system rests only when the instructions are carried out, or a person stopped them",
            |_, state| unsettled(state),
        ),
        Property::leads_to(
            "L1",
            "the instructions are carried out, or a person stops them",
            |_, state: &State| state.job != Job::Settled,
            |_, state| state.job == Job::Settled,
            |_, state| format!("for ever: {}", unsettled(state)),
        ),
        Property::leads_to(
            "L3",
            "a turn that does not end by itself is ended",
            |_, state: &State| state.is_unhealthy(),
            |_, state| !state.is_unhealthy(),
            |_, state| format!("nobody ends it: the worker {}", standing(state)),
        ),
    ]
}

/// Whether the worker rests with instructions that a check stopped.
fn is_dropped(state: &State) -> bool {
    state.job == Job::Stopped && state.worker == Worker::Waiting
}

/// The prompt of the turn that begins.
fn begun(before: &State, after: &State) -> Option<Prompt> {
    after.turn().filter(|_| before.turn().is_none())
}

fn alarms(before: &State, after: &State) -> bool {
    !before.flags.is_stuck && after.flags.is_stuck
}

fn inquires(before: &State, after: &State) -> bool {
    !before.flags.inquiry_pending && after.flags.inquiry_pending
}

/// Whether a count comes to its threshold.
fn streaks(system: &Health, before: &State, after: &State) -> bool {
    let fails = |state: &State| state.streaks.errors == system.errors;
    (!is_loop(system, before) && is_loop(system, after)) || (!fails(before) && fails(after))
}

fn is_loop(system: &Health, state: &State) -> bool {
    state.streaks.equal == system.equal_calls
}

fn unsettled(state: &State) -> String {
    let job = match state.job {
        Job::Open => "are not carried out",
        Job::Stopped => "were stopped by a progress check",
        Job::Settled => "are settled",
    };
    format!("the instructions {job}, and the worker {}", standing(state))
}

fn standing(state: &State) -> &'static str {
    match state.worker {
        Worker::Starting => "is starting",
        Worker::Waiting => "waits for a message",
        Worker::Resumed(_) => "continues",
        Worker::Stopping => "is stopped by a progress check",
        Worker::Executing(_, Turn::Works) => "works",
        Worker::Executing(_, Turn::Loops) => "calls the same tool again and again",
        Worker::Executing(_, Turn::Hangs) => "hangs",
        Worker::Executing(_, Turn::Deaf) => "hangs where no abort reaches it",
    }
}
