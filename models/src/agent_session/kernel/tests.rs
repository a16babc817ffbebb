//! That the edges of the session's model are all there are.

use std::collections::{BTreeSet, HashSet};

use downbeat_kernel::SessionState;
use downbeat_sim::model::Model;

use super::act::{EDGES, edge, name_of};
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
    let model = KernelModel::new(Scenario { left: Left { crashes: 0, ..SCENARIO.left }, ..SCENARIO });
    let mut applied = BTreeSet::new();
    for state in states(&model) {
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        for event in actions.iter().filter_map(|action| action.act.event(&state)) {
            if model.is_applied(&state, event) {
                applied.insert((state.session.state, name_of(event)));
            }
        }
    }
    assert_eq!(applied, EDGES.into_iter().collect());
}

#[test]
fn edges_are_found_by_state_and_event() {
    #[rustfmt::skip]
    let cases = [
        ("the first",               SessionState::Dormant,   "Invoked",     Some(0)),
        ("the last",                SessionState::Closing,   "StopElapsed", Some(24)),
        ("a state without an edge", SessionState::Closed,    "Invoked",     None),
        ("an event without one",    SessionState::Listening, "StopElapsed", None),
    ];
    for (name, state, event, place) in cases {
        assert_eq!(edge(state, event), place, "{name}");
    }
}
