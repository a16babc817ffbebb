//! That low numbers are as good as those that were counted.

use std::collections::HashSet;

use downbeat_sim::model::Model;

use super::{Closed, State, World};
use crate::remote_agents::{notifications, questions, retries};

/// Long enough that every number is counted past those that are kept.
const LEVELS: usize = 30;
/// States of one level that are followed.
const WIDTH: usize = 150;

fn renumbered<W: World>(mut state: State<W>) -> State<W> {
    state.world.renumber(&mut state.machine, state.former.as_deref_mut());
    state
}

/// Follows states whose numbers were never lowered, beside the same with low ones: the same may happen, and leads to the
/// same. How many steps there were.
fn follow<W: World>(first: W, owners: u8) -> usize {
    let model = Closed::new(first).with_owners(owners);
    let (mut level, mut known, mut steps) = (model.initial(), HashSet::new(), 0);
    for _ in 0..LEVELS {
        let every = level.len().div_ceil(WIDTH).max(1);
        let followed: Vec<State<W>> = level.drain(..).step_by(every).collect();
        for counted in followed {
            let low = renumbered(counted.clone());
            let [mut actions, mut of_low] = [Vec::new(), Vec::new()];
            model.actions(&counted, &mut actions);
            model.actions(&low, &mut of_low);
            assert_eq!(actions, of_low, "{counted:?}");
            for action in actions {
                let after = model.counted(&counted, action, &mut |_| {});
                assert_eq!(
                    after.clone().map(renumbered),
                    model.next(&low, &action),
                    "{action:?} in {counted:?}"
                );
                steps += 1;
                level.extend(after.filter(|after| known.insert(after.clone())));
            }
        }
    }
    steps
}

#[test]
fn states_that_differ_in_numbers_alone_go_on_alike() {
    let steps = [
        follow(questions::kernel::Around::new(questions::kernel::LEFT), 1),
        follow(notifications::kernel::Around::new(notifications::kernel::LEFT), 1),
        follow(retries::kernel::Around::new(retries::kernel::LEFT), 1),
    ];
    assert!(steps.iter().all(|steps| *steps > 10_000), "{steps:?} steps are too few to show anything");
}
