//! That low numbers are as good as those that were counted.

use std::collections::HashSet;

use downbeat_kernel::Config;

use super::act::Act;
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

/// What may happen in a world, in one order for all that differ in numbers alone.
fn acts(config: &Config, world: &World) -> Vec<Act> {
    environment::acts(&EVERYTHING, config, world)
}

/// Follows worlds whose numbers were never moved, beside the same with low ones, whatever the budgets: each act leads to
/// the same, and a crash too, and of whatever is older than the numbers that are kept nothing comes.
#[test]
fn worlds_that_differ_in_numbers_alone_go_on_alike() {
    let model = WorkerModel::new(EVERYTHING);
    let config = &model.config;
    let mut level = vec![model.first_world()];
    let (mut known, mut steps, mut newest) = (HashSet::new(), 0, 0);
    for _ in 0..LEVELS {
        let every = level.len().div_ceil(WIDTH).max(1);
        let followed: Vec<World> = level.drain(..).step_by(every).collect();
        for counted in followed {
            let low = counted.clone().renumbered();
            let pairs = acts(config, &counted).into_iter().zip(acts(config, &low));
            assert_eq!(acts(config, &counted).len(), acts(config, &low).len());
            for (of_counted, of_low) in pairs {
                let (taken, low_taken) = (take(config, &counted, of_counted), take(config, &low, of_low));
                let after = taken.as_counted();
                assert!(after.clone().renumbered() == low_taken.world(), "{of_counted:?} and {of_low:?}");
                assert!(taken.cuts().eq(low_taken.cuts()), "a crash in {of_counted:?} and {of_low:?}");
                newest = newest.max(after.worker().map_or(0, |worker| worker.data.health.watch.0));
                steps += 1;
                if known.insert(after.clone()) {
                    level.push(after);
                }
            }
            assert!(crashed(config, &counted) == crashed(config, &low), "a crash");
            for told in late::late(&counted) {
                let mut kernel = counted.kernel(*config);
                let mut effects = Vec::new();
                let _ = kernel.step(told.event(), &mut effects);
                assert!(kernel == counted.kernel(*config) && effects.is_empty(), "{told:?} does something");
            }
        }
    }
    assert!(steps > 50_000 && newest > 20, "{steps} steps, {newest} timers are too few to show anything");
}
