//! Random lives of trees in which some tasks are run by workers: tasks, workers and sessions together, through crashes.

use crate::tree::Tree;
use crate::tree_choices::{Choices, Happening, answers, happening};
use downbeat_kernel::{Config, Event, Outcome};
use proptest::collection::vec;
use proptest::prelude::*;

/// Bounds that random events reach.
pub(crate) fn config() -> Config {
    Config {
        tasks_max: 6,
        depth_max: 2,
        inbox_max: 2,
        calls_max: 2,
        attempts_max: 3,
        worker_attempts_max: 4,
        breaker_max: 2,
        loop_max: 2,
        errors_max: 2,
        progress_max: 2,
        ..Config::default()
    }
}

/// Steps of one life: enough for a family of workers to come to its end.
pub(crate) const LENGTH: std::ops::Range<usize> = 20..400;

/// A tree that has lived through the choices. What must be true after each of its steps, the tree has checked.
pub(crate) fn life(config: Config, choices: &[Choices]) -> Tree {
    let mut tree = Tree::new(config);
    for choices in choices {
        match happening(&tree, *choices) {
            Happening::Told(event) => drop(tree.step(&event)),
            Happening::Crash { released } => tree.crash(released),
        }
    }
    tree
}

/// Cancels everything and answers whatever is asked: all of it has to end (L2).
fn cancel_everything(tree: &mut Tree) {
    for task in tree.kernel.tasks().map(|task| task.id).collect::<Vec<_>>() {
        drop(tree.step(&Event::CancelRequested { task }));
    }
    for _ in 0..1_000 {
        let Some(event) = answers(tree, 0).into_iter().next() else { break };
        assert_eq!(tree.step(&event).0, Outcome::Applied, "L2: {event:?}");
    }
    assert_eq!(tree.kernel.tasks().count(), 0, "L2: not everything ends");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn trees_with_workers_keep_every_promise(choices in vec(any::<Choices>(), LENGTH)) {
        let mut tree = life(config(), &choices);
        tree.check_journal();
        cancel_everything(&mut tree);
    }
}
