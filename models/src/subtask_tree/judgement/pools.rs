//! What is asked where a pool gives places.

use downbeat_kernel::Standing;
use downbeat_sim::model::Property;

use super::super::SubtaskTree;
use super::super::scenario::Scenario;
use super::super::state::{Breach, State, index};
use super::super::view::View;
use crate::properties::{Observed as _, settled};

pub(super) fn of_pools(scenario: &Scenario) -> Vec<Property<SubtaskTree>> {
    let mut properties = vec![
        unbroken!(
            "S20",
            "one agent for each root, one root for each agent; nothing is taken under an old lease",
            [TwoPlaces, OldLease],
            |view| view.fleet.leases().next().is_some(),
            "a root was given to a second agent, or what was said under a lease that is over was taken"
        ),
        unbroken!(
            "placed",
            "nothing goes out or begins for a task that has no place",
            [Placeless],
            |view| view.tree.orders.iter().any(|orders| orders.flights[0].is_some_and(|flight| !flight.gone)
                || orders.line.iterator.is_some()),
            "a request, a tool or an initialization began for a task that has no place"
        ),
        Property::always(
            "leased",
            "the pool has a place for no root that the tree has forgotten",
            |model: &SubtaskTree, state: &State| !View::new(model, state).has_stray_lease(),
            |model, state| View::new(model, state).has_idle_lease(),
            |_, _| "the tree has forgotten a root for which the pool has a place".into(),
        ),
        Property::leads_to(
            "released",
            "the place of a root that has ended is given back",
            |model: &SubtaskTree, state: &State| View::new(model, state).has_idle_lease(),
            |model, state| !View::new(model, state).has_idle_lease(),
            |_, _| "for ever: a root has ended, and the pool has a place for it".into(),
        ),
    ];
    if scenario.roots > 1 {
        // With fewer agents there is nothing that could exceed it.
        if scenario.agents > scenario.quota {
            properties.push(unbroken!(
                "S22",
                "a quota is never exceeded",
                [Quota],
                |view| view.fleet.leases().next().is_some() && waits_for_agent(view),
                "more roots have an agent than may"
            ));
        }
        properties.extend([
            unbroken!(
                "S23",
                "nothing of one root is visible to the next on the same agent",
                [Traces],
                |view| view.fleet.places.iter().any(|place| place.traces.is_some()),
                "an agent was given a root where another has left its traces"
            ),
            Property::leads_to(
                "L4",
                "a root that waits for an agent gets one, unless whoever has it waits for a person",
                |model: &SubtaskTree, state: &State| waits_for_agent(&View::new(model, state)),
                |model, state| {
                    let view = View::new(model, state);
                    !waits_for_agent(&view) || settled(&view)
                },
                |_, _| "for ever: a root waits for an agent".into(),
            ),
        ]);
    }
    properties
}

fn waits_for_agent(view: &View<'_>) -> bool {
    view.fleet
        .pool
        .tasks()
        .any(|(root, booking)| booking.standing == Standing::Queued && view.is_live(index(root)))
}
