//! The properties of the kernel's request: those of everyone who sends, and its own.

use downbeat_sim::model::Property;

use super::super::properties::of_senders;
use super::state::{Flaw, State};
use super::{KernelModel, Scenario};

/// The properties of a scenario.
pub(super) fn properties(scenario: &Scenario) -> Vec<Property<KernelModel>> {
    let Scenario { continues, left, .. } = *scenario;
    let mut properties = of_senders(|id| match id {
        "S17" | "waits" | "paid" => left.failures > 0,
        "S19" | "L2" => left.cancels > 0,
        "continuity" => continues,
        "metadata" => false,
        _ => true,
    });
    properties.extend([unapplied_changes_nothing(), stale(), orders(), ledger(), valid()]);
    properties
}

fn unapplied_changes_nothing() -> Property<KernelModel> {
    Property::always_step(
        "S25",
        "not applied means nothing changed and nothing was emitted",
        |_, _: &State, _, after: &State| !after.has(Flaw::ChangedUnapplied),
        |_, before, _, after| before == after,
        |_, _| "the request did not apply the event, and changed or emitted something all the same".into(),
    )
}

fn stale() -> Property<KernelModel> {
    Property::always(
        "stale",
        "what is void, comes again or was never asked for changes nothing",
        |_, state: &State| !state.has(Flaw::AppliedVoid),
        |_, state| state.wire.sends().next().is_some(),
        |_, _| "the request applied an event that is void".into(),
    )
}

fn orders() -> Property<KernelModel> {
    Property::always(
        "orders",
        "every order is given once, and taken back or done, every send goes to the profile that is preferred then, a wait has a reason and is not too long, and a turn ends once, for want of patience only where no profile is up",
        |_, state: &State| !state.has(Flaw::Disorder),
        |_, state| state.desks.iter().any(|desk| desk.backoff.is_some() || desk.grace.is_some()),
        |_, _| {
            "an order was given twice, or to nobody, a send went elsewhere than to the preferred profile, a wait is too long or for nothing, a timer outlives its turn, or a turn ended twice, or for want of patience although a profile is up".into()
        },
    )
}

/// With `paid` it is how often a turn may have to be paid for: once, unless the ledger says why not.
fn ledger() -> Property<KernelModel> {
    Property::always(
        "ledger",
        "a send says why the one before did not do, and that is what became of it",
        |_, state: &State| !state.has(Flaw::Unexplained),
        |_, state| state.wire.turns().any(|(turn, _)| state.wire.sends_of(turn).count() > 1),
        |_, _| "a send gives another reason than what became of the one before".into(),
    )
}

fn valid() -> Property<KernelModel> {
    Property::always(
        "valid",
        "`Request::validate` accepts every reachable state",
        |_, state: &State| !state.has(Flaw::Corrupt),
        |_, state| state.wire.sends().next().is_some(),
        |_, _| "the request is one that no events lead to".into(),
    )
}
