//! What one step of the questions of a remote task costs.
//!
//! A sample is a thousand events of one kind, each for a task of its own, so that a microsecond that is shown is a
//! nanosecond for one event. The effects are counted and not kept. Allocations are counted too: questions own no memory,
//! and none are shown.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use downbeat_kernel::{
    Config, Epoch, Ignored, Outcome, QuestionEvent, QuestionKey, QuestionNumber, QuestionRejected, Questions,
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// Events of one sample: enough to be long beside the clock.
const EVENTS: usize = 1_000;

const QUESTION: QuestionKey = QuestionKey { epoch: Epoch(1), number: QuestionNumber(1) };

/// A question that is asked, answered, and known to both sides.
const STORY: [QuestionEvent; 5] = [
    QuestionEvent::Assigned { epoch: Epoch(1) },
    QuestionEvent::Asked { question: QUESTION },
    QuestionEvent::Answered { question: QUESTION },
    QuestionEvent::Acknowledged { question: QUESTION },
    QuestionEvent::Closed { question: QUESTION },
];

fn main() {
    divan::main();
}

/// The questions after so many events of the story.
fn after(events: usize) -> Questions {
    let mut questions = Questions::default();
    for event in &STORY[..events] {
        assert_eq!(questions.step(*event, &Config::default(), &mut |_| {}), Outcome::Applied);
    }
    questions
}

/// Times an event after so many of the story, on as many tasks as there are events, each of which gives so many effects.
fn measure(
    bencher: Bencher<'_, '_>,
    story: usize,
    event: QuestionEvent,
    effects: usize,
    expected: &Outcome<QuestionRejected>,
) {
    let config = Config::default();
    let tasks = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| vec![after(story); EVENTS]);
    tasks.bench_local_refs(|tasks| {
        let mut given = 0;
        for questions in tasks {
            let outcome = questions.step(black_box(event), &config, &mut |_| given += 1);
            assert_eq!(black_box(&outcome), expected);
        }
        assert_eq!(given, effects * EVENTS);
    });
}

#[divan::bench(max_time = 2)]
fn asked(bencher: Bencher<'_, '_>) {
    measure(bencher, 1, STORY[1], 2, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn answered_and_relayed(bencher: Bencher<'_, '_>) {
    measure(bencher, 2, STORY[2], 4, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn acknowledged(bencher: Bencher<'_, '_>) {
    measure(bencher, 3, STORY[3], 1, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn asked_again_ignored(bencher: Bencher<'_, '_>) {
    measure(bencher, 2, STORY[1], 0, &Outcome::Ignored(Ignored::Duplicate));
}
