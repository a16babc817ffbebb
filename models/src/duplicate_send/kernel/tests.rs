//! That the edges of the request's model are all there are.

use std::collections::{BTreeSet, HashSet};

use downbeat_sim::model::Model;

use super::act::{EDGES, edge, kind_of, name_of};
use super::state::State;
use super::{KernelModel, Left, SCENARIO, Scenario};

/// Every state that can be reached.
fn states(model: &KernelModel) -> impl Iterator<Item = State> {
    let mut frontier = model.initial();
    let mut states: HashSet<State> = frontier.iter().copied().collect();
    while let Some(state) = frontier.pop() {
        model.steps(&state, &mut Vec::new(), |_, next| {
            if states.insert(next) {
                frontier.push(next);
            }
        });
    }
    states.into_iter()
}

#[test]
fn edges_are_those_that_are_applied_and_no_others() {
    let left = Left { crashes: 0, keyless: 1, failures: 2, downs: 2, cancels: 1 };
    let model = KernelModel::new(Scenario { left, ..SCENARIO });
    let mut applied = BTreeSet::new();
    for state in states(&model) {
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        for (turn, event) in actions.iter().filter_map(|action| action.act.event(&state, &model.scenario)) {
            if model.is_applied(&state, turn, event) {
                applied.insert((name_of(state.desk(turn).request.state), kind_of(event)));
            }
        }
    }
    assert_eq!(applied, EDGES.into_iter().collect());
}

#[test]
fn edges_are_found_by_state_and_event() {
    #[rustfmt::skip]
    let cases = [
        ("the first",               "Unbegun",          "Began",             Some(0)),
        ("the last",                "Stopping(Cancel)", "TimerFired(Grace)", Some(43)),
        ("an event without one",    "Delivering",       "OutputDelivered",   None),
        ("a state without an edge", "Accepted",         "CancelRequested",   None),
    ];
    for (name, state, event, place) in cases {
        assert_eq!(edge(state, event), place, "{name}");
    }
}
