//! Which kernels are one state: whoever keeps the states that it has seen relies on it.

use crate::stage::{Stage, acknowledged, admitted, cancelled, submitted};
use downbeat_kernel::{Config, Event, Kernel, Ledger, Task};
use std::hash::{DefaultHasher, Hash, Hasher};

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn kernel(events: impl IntoIterator<Item = Event>) -> Kernel {
    let mut stage = Stage::new(Config::default());
    stage.takes_all(events);
    stage.kernel
}

/// Four tasks, of which the second is gone.
fn with_a_hole() -> Kernel {
    kernel([1, 2, 3, 4].map(submitted).into_iter().chain([cancelled(2), acknowledged(2)]))
}

#[test]
fn kernels_are_one_state_if_their_tasks_are() {
    let stored = serde_json::to_value(with_a_hole()).expect("a kernel has a JSON form");
    let read: Kernel = serde_json::from_value(stored).expect("and comes back from it");
    let queued = kernel([submitted(1), submitted(2)]);
    #[rustfmt::skip]
    let cases = [
        ("a task that is gone leaves nothing",  with_a_hole(), read,                                              true),
        ("one task stands elsewhere",           queued.clone(), kernel([submitted(1), submitted(2), admitted(2)]), false),
        ("one task more",                       queued.clone(), kernel([submitted(2)]),                            false),
        ("other ids",                           queued,         kernel([submitted(0), submitted(2)]),              false),
    ];
    for (name, one, other, same) in cases {
        assert_eq!((one == other, hash(&one) == hash(&other)), (same, same), "{name}");
    }
}

#[test]
fn kernel_is_put_together_from_tasks_in_any_order() {
    let whole = with_a_hole();
    let tasks: Vec<Task> = whole.tasks().cloned().collect();
    let from = |tasks: Vec<Task>| Kernel::from_tasks(*whole.config(), whole.highest(), tasks);
    assert_eq!(from(tasks.iter().rev().cloned().collect()), whole);
    let admitted = kernel([submitted(1), admitted(1)]).tasks().next().cloned().expect("it is held");
    let replaced = from(tasks.iter().cloned().chain([admitted.clone()]).collect());
    assert_eq!(replaced.tasks().collect::<Vec<_>>(), [&admitted, &tasks[1], &tasks[2]]);
    assert_eq!(from([vec![admitted], tasks.clone()].concat()), whole, "the later one is kept");
}

#[test]
fn ledgers_are_one_if_their_sends_are() {
    let sends = |count: usize| {
        let line = serde_json::json!({"profile": 0, "reason": "First", "fate": "Lost", "charged": false});
        serde_json::from_value::<Ledger>(vec![line; count].into()).expect("a ledger is a list")
    };
    assert_eq!(hash(&sends(2)), hash(&sends(2)));
    assert_ne!(hash(&sends(1)), hash(&sends(2)));
}
