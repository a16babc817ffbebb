//! The properties of the kernel's session: those of every session, and its own.

use downbeat_sim::model::Property;

use super::super::properties::of_sessions;
use super::state::{Close, State};
use super::{KernelModel, Scenario};

/// The properties of a scenario.
pub(super) fn properties(scenario: &Scenario) -> Vec<Property<KernelModel>> {
    let mut properties = of_sessions();
    properties.extend([unapplied_changes_nothing(), alone(), orders()]);
    if scenario.left.closes > 0 {
        properties.push(closes());
    }
    properties
}

fn unapplied_changes_nothing() -> Property<KernelModel> {
    Property::always_step(
        "S25",
        "not applied means nothing changed and nothing was emitted",
        |_, _: &State, _, after: &State| !after.changed_unapplied,
        |_, before, _, after| before == after,
        |_, _| "the session did not apply the event, and changed or emitted something all the same".into(),
    )
}

/// More than S10, which does not count what was told to stop: before the next iterator is ordered, the one before has
/// said that it is over, or was killed.
fn alone() -> Property<KernelModel> {
    Property::always(
        "alone",
        "no iterator runs when one is ordered, nor when the session has said that it is closed",
        |_, state: &State| !(state.beside || state.close == Close::Done && state.is_running()),
        |_, state| state.session.iterator.0 > 1 || state.close == Close::Done,
        |_, _| "an iterator runs beside another, or although the session is closed".into(),
    )
}

fn orders() -> Property<KernelModel> {
    Property::always(
        "orders",
        "every order is outstanding once, a prompt for one iterator, and every request is settled once",
        |_, state: &State| !state.disorder,
        |_, state| state.given != [0; _] && state.armed != 0,
        |_, _| "an order was given twice or to nobody, or a request was settled twice".into(),
    )
}

fn closes() -> Property<KernelModel> {
    Property::leads_to(
        "closes",
        "a session that is to close says that it is closed",
        |_, state: &State| state.close == Close::Asked,
        |_, state| state.close == Close::Done,
        |_, _| "for ever: the session was asked to close, and does not say that it is closed".into(),
    )
}
