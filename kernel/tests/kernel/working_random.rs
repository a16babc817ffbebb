//! Random lives of trees in which some tasks are run by workers: tasks, workers and sessions together, through crashes.

#![expect(clippy::wildcard_enum_match_arm, reason = "what is not about a worker is asked of everybody")]

use crate::tree::Tree;
use crate::tree_choices::{Choices, Happening, answers, happening};
use downbeat_kernel::{
    Config, Event, Outcome, SessionEvent, Source, Timer, Worker, WorkerEvent, WorkerState, WorkerTimer,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// The choice by which each answer is a good one, and a model completes its task.
const COMPLETES: u8 = 2;

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

/// What nobody is asked for again and again: agents may say how far they are, and do not.
fn is_progress(event: &Event) -> bool {
    matches!(event, Event::Worker { event: WorkerEvent::ProgressReported { .. }, .. })
}

/// Lets every task go on that a person holds, and then gives each answer that is like that, until there is none. Gives
/// whether that is so at some time.
fn comes_to_rest(tree: &mut Tree, like: fn(&WorkerEvent) -> bool) -> bool {
    for task in tree.kernel.tasks().map(|task| task.id).collect::<Vec<_>>() {
        drop(tree.step(&Event::ResumeRequested { task }));
    }
    let comes = |event: &Event| match event {
        Event::Worker { event, .. } => like(event),
        // A person who grants as much again each time would be asked for ever.
        Event::TimerFired { timer: Timer::Budget { .. } } => false,
        _ => true,
    };
    for _ in 0..3_000 {
        let mut answers = answers(tree, COMPLETES).into_iter();
        let Some(event) = answers.find(|event| comes(event) && !is_progress(event)) else { return true };
        assert_eq!(tree.step(&event).0, Outcome::Applied, "L1: {event:?}");
    }
    false
}

/// Every agent answers what it is asked, and no time passes that anybody would have to wait for it: then what was inquired,
/// and what subtasks have said, is answered or reported.
pub(crate) fn answer_everything(tree: &mut Tree) {
    let rests = comes_to_rest(tree, |event| {
        !matches!(event, WorkerEvent::TimerFired { timer: WorkerTimer::Watch(_) | WorkerTimer::WrapUp(_) })
    });
    assert!(rests, "L1: there is no end of answers");
    for (task, seat) in &tree.seats {
        let is_of_child =
            |owed: &&Source| matches!(owed, Source::ChildReported { .. } | Source::ChildEnded { .. });
        assert!(!seat.ledger.owed.contains(&Source::Inquiry), "inquiry: {task:?} has not answered it");
        let left = seat.ledger.owed.iter().find(is_of_child);
        assert_eq!(left, None, "updates: {task:?} has not answered it");
        assert!(!seat.worker.data.kept, "updates: a report of {task:?} waits for ever");
    }
}

/// L3: no agent answers from now on. Each worker is acted on until it has ended, but for those that have nothing to do.
pub(crate) fn fall_silent(tree: &mut Tree) {
    let rests =
        comes_to_rest(tree, |event| !matches!(event, WorkerEvent::Session(SessionEvent::Answered { .. })));
    assert!(rests, "L3: agents are silent, and there is no end");
    for (task, seat) in &tree.seats {
        let Worker { state, ref data } = seat.worker;
        let rests = state == WorkerState::Idle && data.health.inquired;
        assert!(rests || state.end().is_some(), "L3: nobody acts on {task:?}, which is {state:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn trees_with_workers_keep_every_promise(choices in vec(any::<Choices>(), LENGTH)) {
        let mut tree = life(config(), &choices);
        tree.check_journal();
        cancel_everything(&mut tree);
    }

    #[test]
    fn trees_with_workers_come_to_rest(choices in vec(any::<Choices>(), LENGTH)) {
        answer_everything(&mut life(config(), &choices));
    }

    #[test]
    fn silence_ends_every_worker_of_a_tree_that_has_something_to_do(choices in vec(any::<Choices>(), LENGTH)) {
        fall_silent(&mut life(config(), &choices));
    }
}
