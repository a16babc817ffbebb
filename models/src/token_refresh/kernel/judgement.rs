//! The properties of the kernel's credential: those of every client, and its own.

use downbeat_kernel::{CredentialState, IfCurrent};
use downbeat_sim::model::Property;

use super::super::properties::of_credentials;
use super::KernelModel;
use super::act::{Act, Action};
use super::late::is_open;
use super::state::{Ask, At, Breach, State, Window};

/// All of them.
pub(super) fn properties() -> Vec<Property<KernelModel>> {
    let mut properties = of_credentials();
    properties.extend([unapplied_changes_nothing(), stale(), orders(), stored(), replaced(), valid()]);
    properties
}

fn unapplied_changes_nothing() -> Property<KernelModel> {
    Property::always_step(
        "S25",
        "not applied means nothing changed and nothing was emitted",
        |_, _: &State, _, after: &State| !after.breaches.has(Breach::Unapplied),
        |_, before, action, after| before == after && is_late(*action),
        |_, _| "a credential did not apply the event, and changed or emitted something all the same".into(),
    )
}

fn stale() -> Property<KernelModel> {
    Property::always_step(
        "stale",
        "what is void, comes again or was never asked for changes nothing",
        |_, _: &State, _, after: &State| !after.breaches.has(Breach::Stale),
        |_, _, action, _| is_late(*action),
        |_, _| "a credential applied what is void, came again, or was never asked for".into(),
    )
}

fn is_late(action: Action) -> bool {
    matches!(action.act, Act::Late(..))
}

fn orders() -> Property<KernelModel> {
    Property::always(
        "orders",
        "every order is outstanding once, with its timer, and ends with the state that gave it; everyone is told once",
        |_, state: &State| !state.breaches.has(Breach::Disorder) && state.windows.iter().all(is_in_order),
        |_, state| state.windows.iter().any(|window| window.armed.is_some() && window.flight.is_some()),
        |_, _| {
            "an order or a timer is outstanding that is not the state's, or somebody was told twice".into()
        },
    )
}

/// Whether a window has outside what its state orders, and nothing else. Of one that is down everything is gone.
fn is_in_order(window: &Window) -> bool {
    let state = window.credential.state;
    let is_sent = window.flight.is_some();
    let fits = match state {
        CredentialState::Reading { if_current: IfCurrent::Refuse } => window.ask == Some(Ask::Read),
        CredentialState::Reading { if_current: IfCurrent::Refresh | IfCurrent::Write } => {
            window.ask == Some(Ask::Claim)
        }
        CredentialState::Refreshing => is_sent != (window.ask == Some(Ask::Recover)),
        CredentialState::Storing => matches!(window.ask, Some(Ask::Write | Ask::Recover)),
        CredentialState::Waiting { .. }
        | CredentialState::Lapsed
        | CredentialState::Fresh
        | CredentialState::Unsaved
        | CredentialState::Refused => window.ask.is_none(),
    };
    let has_no_stray = window.beside.is_none() && (!is_sent || state == CredentialState::Refreshing);
    let timer = is_open(state).then_some(window.credential.order);
    window.is_down || fits && has_no_stray && window.armed == timer
}

fn stored() -> Property<KernelModel> {
    Property::always(
        "stored",
        "nobody is given a credential before the store has it",
        |_, state: &State| !state.breaches.has(Breach::Unstored),
        |_, state| state.requests.iter().any(|at| matches!(at, At::Sent { number: 2.., .. })),
        |_, _| "a credential was given that the store never had".into(),
    )
}

fn replaced() -> Property<KernelModel> {
    Property::always_step(
        "replaced",
        "who was refused with a credential that was replaced already is given the newer one at once",
        |_, _: &State, _, after: &State| !after.breaches.has(Breach::Replaced),
        |_, before, action, after| {
            let Act::Respond(request) = action.act else { return false };
            let is_refused = matches!(before.at(request), At::Sent { refused: None, .. });
            is_refused && matches!(after.at(request), At::Sent { .. })
        },
        |_, _| "a credential that was replaced already is looked for".into(),
    )
}

fn valid() -> Property<KernelModel> {
    Property::always(
        "valid",
        "`Credential::validate` accepts every reachable credential",
        |model, state: &State| {
            state.windows.iter().all(|window| window.credential.validate(&model.config).is_ok())
        },
        |_, state| state.windows.iter().any(|window| window.credential.order.0 > 0),
        |_, _| "`Credential::validate` does not accept the credential of a window".into(),
    )
}
