//! That nothing stands still for want of room.

use std::collections::HashSet;

use downbeat_sim::model::Model;

use super::{KernelModel, VARIANTS};

/// A network and a fleet have bounds, and a step that would pass them is not taken: none may be left out for that.
#[test]
fn no_step_of_a_variant_is_refused() {
    for (name, _, scenario) in VARIANTS {
        let model = KernelModel::new(scenario);
        let mut frontier = model.initial();
        let mut states: HashSet<_> = frontier.iter().cloned().collect();
        while let Some(state) = frontier.pop() {
            let mut actions = Vec::new();
            model.actions(&state, &mut actions);
            for action in actions {
                let next = model.next(&state, &action);
                let next = next.unwrap_or_else(|| panic!("{name}: {action:?} is refused in {state:?}"));
                if states.insert(next.clone()) {
                    frontier.push(next);
                }
            }
        }
        assert!(states.len() > 10_000, "{name} has {} states, too few to show anything", states.len());
    }
}
