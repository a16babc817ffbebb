//! What is asked where a profile has a credential.

use downbeat_sim::model::Property;

use super::super::scenario::{Budget, Scenario};
use super::super::state::{Breach, State};
use super::super::view::View;
use super::super::{SubtaskTree, words};

pub(super) fn of_credentials(scenario: &Scenario) -> Vec<Property<SubtaskTree>> {
    let mut properties = vec![
        Property::always(
            "known",
            "whoever waits for a credential is known to it, or is on the way there or back",
            |model: &SubtaskTree, state: &State| View::new(model, state).unheard().is_none(),
            |model, state| View::new(model, state).authorizing().next().is_some(),
            |model, state| {
                let task = View::new(model, state).unheard().map_or('?', words::task_name);
                format!("{task} waits for a credential, and nobody knows that it does")
            },
        ),
        Property::leads_to(
            "L5",
            "everyone who waits for a credential settles",
            |model: &SubtaskTree, state: &State| View::new(model, state).authorizing().next().is_some(),
            |model, state| View::new(model, state).authorizing().next().is_none(),
            |model, state| {
                let task = View::new(model, state).authorizing().next().map_or('?', words::task_name);
                format!("for ever: {task} waits for a credential")
            },
        ),
    ];
    // Nobody refreshes what does not expire.
    if scenario.has(Budget::Lapses) {
        properties.extend(of_refreshes());
    }
    properties
}

fn of_refreshes() -> [Property<SubtaskTree>; 4] {
    [
        unbroken!(
            "S14",
            "at most one refresh in flight for a credential generation, over all processes",
            [Beside],
            |view| view.vault.flight.is_some(),
            "two refreshes with one refresh token are in flight"
        ),
        unbroken!(
            "S15",
            "a refresh token is used at most once",
            [Reused],
            |view| view.vault.server.has_rotated(),
            "a refresh token was used twice"
        ),
        unbroken!(
            "S16",
            "an older outcome never replaces a newer credential",
            [Regress],
            |view| view.vault.stored > 1,
            "an older credential has replaced a newer one in the store"
        ),
        unbroken!(
            "S17",
            "a request refused for a stale token is sent again with another",
            [SameToken],
            |view| view
                .tree
                .orders
                .iter()
                .any(|orders| orders.refused.is_some() && orders.flights[0].is_some()),
            "a request was sent again with the token that was refused"
        ),
    ]
}
