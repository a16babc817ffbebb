//! What is promised of a worker, judged over what the outside saw.

use downbeat_kernel::WorkerState;
use downbeat_sim::model::Property;

use super::outside::{Armed, Breach};
use super::{KernelModel, Scenario, State};

/// An invariant that is the absence of a breach.
macro_rules! promise {
    ($id:literal, $breach:expr, $name:literal, $reachable:expr) => {
        Property::always(
            $id,
            $name,
            |_, state: &State| !state.outside.breaches.contains(&$breach),
            $reachable,
            |_, _| concat!("not so: ", $name).to_owned(),
        )
    };
}

/// All of them, in the order of the report, but for those that the scenario has nothing for.
pub(super) fn properties(scenario: &Scenario) -> Vec<Property<KernelModel>> {
    let left = scenario.left;
    let mut properties = safety();
    properties.extend(liveness());
    properties.retain(|property| match property.id {
        "S5" => left.messages > 0,
        "S6" => left.approvals > 0,
        "S12" => left.interrupts > 0,
        "S13" => left.pauses + left.interrupts > 0,
        "L2" => left.ends > 0,
        _ => true,
    });
    properties
}

fn safety() -> Vec<Property<KernelModel>> {
    vec![
        promise!(
            "S5",
            Breach::S5,
            "an accepted message is acknowledged once and in order, or reported, in doubt if it was given",
            |_, state| state.outside.acknowledged > 0
        ),
        promise!("S6", Breach::S6, "an answer settles only the question that it names", |_, state| {
            !state.outside.asks.is_empty()
        }),
        promise!("S7", Breach::S7, "a task that has ended stays so, and ends once", |_, state| {
            state.outside.end.is_some()
        }),
        promise!("S9", Breach::S9, "no iterator, timer or question outlives the task", |_, state| state
            .outside
            .end
            .is_some()),
        promise!("S10", Breach::S10, "at most one iterator, with one prompt", |_, state| {
            state.outside.working().is_some()
        }),
        promise!("S11", Breach::S11, "a prompt is settled by its own answer", |_, state| {
            state.outside.answered
        }),
        promise!(
            "S12",
            Breach::S12,
            "an interrupt stops the turn that it names and no other; what it stopped is resumed or reported",
            |_, state| state.outside.unanswered && state.outside.working().is_none()
        ),
        promise!("S13", Breach::S13, "a held worker begins no turn, and nobody asks it", |_, state| {
            state.outside.held.is_some()
        }),
        Property::always_step(
            "S25",
            "not applied means nothing changed and nothing was emitted",
            |_, _, _, after: &State| !after.outside.breaches.contains(&Breach::S25),
            |_, before, _, after| before == after,
            |_, _| "an event was not applied, and something changed".to_owned(),
        ),
        promise!("orders", Breach::Orders, "an order is given once, and taken back once", |_, state| {
            !state.outside.timers.is_empty()
        }),
        Property::always_step(
            "stale",
            "what is void, comes again or was answered changes nothing",
            |_, _, _, after: &State| !after.outside.breaches.contains(&Breach::Stale),
            |_, before, _, after| before == after,
            |_, _| "something was applied that came late, or again".to_owned(),
        ),
        Property::always(
            "valid",
            "`Kernel::validate` accepts every reachable state",
            |_, state: &State| state.kernel.validate().is_ok(),
            |_, state| state.worker().is_some(),
            |_, state| format!("{:?}", state.kernel.validate()),
        ),
        Property::no_deadlock(
            "deadlock",
            "the system rests only when the task is gone, or its worker waits for a person",
            |_, state| standing(state),
        ),
    ]
}

fn liveness() -> Vec<Property<KernelModel>> {
    vec![
        Property::leads_to(
            "L1",
            "the task ends, or waits for a person",
            |_, state: &State| !rests(state),
            |_, state| rests(state),
            |_, state| format!("for ever: {}", standing(state)),
        ),
        Property::leads_to(
            "L2",
            "a task that is completed or cancelled comes to its end",
            |_, state: &State| state.outside.ending && state.outside.end.is_none(),
            |_, state| state.outside.end.is_some(),
            |_, state| format!("for ever: {}", standing(state)),
        ),
        Property::leads_to(
            "L3",
            "a turn that does not go on is acted on",
            |_, state: &State| executes(state),
            |_, state| !executes(state),
            |_, state| format!("nobody acts: {}", standing(state)),
        ),
    ]
}

fn executes(state: &State) -> bool {
    state.worker().is_some_and(|worker| worker.state == WorkerState::Executing)
}

/// Whether the task is gone, or its worker waits for a person: who holds it, who was asked, or who has something for it.
pub(super) fn rests(state: &State) -> bool {
    let outside = &state.outside;
    let Some(worker) = state.worker() else {
        return outside.end.is_some() && state.kernel.task(super::TASK).is_none();
    };
    let stops = outside.timers.iter().any(|timer| matches!(timer, Armed::Stop(_)));
    match worker.state {
        WorkerState::Held => !stops && outside.held.is_some(),
        WorkerState::AwaitingApproval => !outside.asks.is_empty(),
        WorkerState::Idle => !stops && outside.inquired && outside.timers.is_empty(),
        WorkerState::Executing
        | WorkerState::BackingOff { .. }
        | WorkerState::Cooling
        | WorkerState::Ending(_)
        | WorkerState::Ended(_) => false,
    }
}

/// Where the worker stands, in words.
pub(super) fn standing(state: &State) -> String {
    match (state.worker(), state.outside.end) {
        (Some(worker), _) => format!("{:?}, turn {}", worker.state, worker.data.turn.0),
        (None, Some(end)) => format!("the task ended: {end:?}"),
        (None, None) => "the task has no worker".to_owned(),
    }
}
