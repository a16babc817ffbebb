//! That low numbers are as good as those that were counted.

use std::collections::HashSet;

use super::act::{CHILD, TASK};
use super::scenario::{Budget, Scenario};
use super::step::{crashed, take};
use super::world::World;
use super::{WorkerModel, environment, late};

/// More turns, prompts, iterators and timers than any behaviour within the bounds has.
const LEVELS: usize = 60;
/// Worlds of one level that are followed.
const WIDTH: usize = 150;

const EVERYTHING: Scenario = Scenario { progress: true, ..Scenario::NOTHING }
    .failing(1)
    .with(Budget::Messages, 1)
    .with(Budget::Interrupts, 1)
    .with(Budget::Pauses, 1)
    .with(Budget::WrapUps, 1)
    .with(Budget::Approvals, 1)
    .with(Budget::Signs, 1)
    .with(Budget::Crashes, 1);

/// The same with two agents that work.
const FAMILY: Scenario = Scenario { works: true, ..EVERYTHING };

/// Follows worlds whose numbers were never moved, beside the same with low ones, whatever the budgets: each act leads to
/// the same, and a crash too, and of whatever is older than the numbers that are kept nothing comes. Gives how many steps that were,
/// and the newest timer.
fn follow(scenario: Scenario) -> (usize, u32) {
    let model = WorkerModel::new(scenario);
    let config = &model.config;
    // What may happen, in one order for all worlds that differ in numbers alone.
    let acts = |world: &World| environment::acts(&scenario, config, world);
    let mut level = vec![model.first_world()];
    let (mut known, mut steps, mut newest) = (HashSet::new(), 0, 0);
    for _ in 0..LEVELS {
        let every = level.len().div_ceil(WIDTH).max(1);
        let followed: Vec<World> = level.drain(..).step_by(every).collect();
        for counted in followed {
            let low = counted.clone().renumbered();
            let (of_counted, of_low) = (acts(&counted), acts(&low));
            assert_eq!(of_counted.len(), of_low.len());
            for (of_counted, of_low) in of_counted.into_iter().zip(of_low) {
                let (taken, low_taken) = (take(config, &counted, of_counted), take(config, &low, of_low));
                let after = taken.as_counted();
                assert!(after.clone().renumbered() == low_taken.world(), "{of_counted:?} and {of_low:?}");
                assert!(taken.cuts().eq(low_taken.cuts()), "a crash in {of_counted:?} and {of_low:?}");
                let watches =
                    [TASK, CHILD].map(|of| after.worker(of).map(|worker| worker.data.health.watch.0));
                newest = newest.max(watches.into_iter().flatten().max().unwrap_or_default());
                steps += 1;
                if known.insert(after.clone()) {
                    level.push(after);
                }
            }
            assert!(crashed(config, &counted) == crashed(config, &low), "a crash");
            for act in late::late(&counted) {
                let mut kernel = counted.kernel(*config);
                let mut effects = Vec::new();
                let _ = kernel.step(act.event(), &mut effects);
                assert!(kernel == counted.kernel(*config) && effects.is_empty(), "{act:?} does something");
            }
        }
    }
    (steps, newest)
}

#[test]
fn worlds_that_differ_in_numbers_alone_go_on_alike() {
    for scenario in [EVERYTHING, FAMILY] {
        let (steps, newest) = follow(scenario);
        let is_enough = steps > 50_000 && newest > 20;
        assert!(is_enough, "{steps} steps, {newest} timers are too few to show anything");
    }
}
