//! What is kept for want of a place, and what makes it void.

use downbeat_kernel::{Effect, IteratorId, PromptId, SessionEffect, TaskId, WorkerEffect, WorkerPart};
use downbeat_wiring::Gate;

const TASK: TaskId = TaskId(1);
const OTHER: TaskId = TaskId(2);

fn order(task: TaskId, effect: WorkerEffect) -> Effect {
    Effect::Worker { task, effect }
}

fn of_session(effect: SessionEffect) -> Effect {
    order(TASK, WorkerEffect::Session(effect))
}

/// What a worker orders of an iterator that begins with a prompt.
fn begins(task: TaskId, iterator: IteratorId) -> [Effect; 3] {
    [
        order(task, WorkerEffect::Session(SessionEffect::Start { iterator })),
        order(task, WorkerEffect::Include { part: WorkerPart::Prompt }),
        order(task, WorkerEffect::Session(SessionEffect::Prompt { iterator, prompt: PromptId(1) })),
    ]
}

/// A gate that keeps the beginning of the second iterator of a task, and of the first of another.
fn keeps_the_second() -> Gate {
    let mut gate = Gate::default();
    for effect in begins(TASK, IteratorId(2)).iter().chain(&begins(OTHER, IteratorId(1))) {
        assert_eq!(gate.pass(effect, false), None, "{effect:?}");
    }
    gate
}

#[test]
fn end_of_an_iterator_makes_void_what_is_kept_for_it_and_not_what_is_kept_for_the_next() {
    let second = begins(TASK, IteratorId(2)).to_vec();
    #[rustfmt::skip]
    let cases = [
        ("the last one",      1, vec![]),
        ("the one it is for", 2, second.clone()),
    ];
    for (name, iterator, void) in cases {
        let iterator = IteratorId(iterator);
        let (mut ended, mut stopped, mut killed) =
            (keeps_the_second(), keeps_the_second(), keeps_the_second());
        assert_eq!(ended.iterator_ended(TASK, iterator), void, "{name}");
        let stop = of_session(SessionEffect::Stop { iterator });
        assert_eq!(stopped.pass(&stop, false), Some(void.clone()), "{name}");
        let kill = of_session(SessionEffect::Kill { iterator });
        assert_eq!(killed.pass(&kill, false), Some(void.clone()), "{name}");
        let rest: Vec<Effect> = second.iter().filter(|effect| !void.contains(effect)).copied().collect();
        for mut gate in [ended, stopped, killed] {
            assert_eq!(gate.open(|task| task == TASK), rest, "{name}");
            assert_eq!(gate.open(|_| true), begins(OTHER, IteratorId(1)), "{name}");
        }
    }
}
