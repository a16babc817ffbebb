//! What one step of the attempts at a remote task costs.
//!
//! A sample is a thousand events of one kind, each for a task of its own, so that a microsecond that is shown is a
//! nanosecond for one event. The effects are counted and not kept. Allocations are counted too: attempts own no memory,
//! and none are shown.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use downbeat_kernel::{
    AttemptEnd, AttemptNumber, Config, FailureClass, Finding, Ignored, Outcome, QueryNumber, Retry,
    RetryEvent, RetryRejected,
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// Events of one sample: enough to be long beside the clock.
const EVENTS: usize = 1_000;

const ATTEMPT: AttemptNumber = AttemptNumber(1);

/// An attempt that nobody knows about, has not begun, and is fenced.
const STORY: [RetryEvent; 3] = [
    RetryEvent::Submitted,
    RetryEvent::AttemptEnded { attempt: ATTEMPT, end: AttemptEnd::Unknown },
    RetryEvent::Found { attempt: ATTEMPT, query: QueryNumber(1), finding: Finding::NeverStarted },
];

fn main() {
    divan::main();
}

/// The task after so many events of the story.
fn after(events: usize) -> Retry {
    let mut retry = Retry::default();
    for event in &STORY[..events] {
        assert_eq!(retry.step(*event, &Config::default(), &mut |_| {}), Outcome::Applied);
    }
    retry
}

/// Times an event after so many of the story, on as many tasks as there are events, each of which gives so many effects.
fn measure(
    bencher: Bencher<'_, '_>,
    story: usize,
    event: RetryEvent,
    effects: usize,
    expected: &Outcome<RetryRejected>,
) {
    let config = Config::default();
    let tasks = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| vec![after(story); EVENTS]);
    tasks.bench_local_refs(|tasks| {
        let mut given = 0;
        for retry in tasks {
            let outcome = retry.step(black_box(event), &config, &mut |_| given += 1);
            assert_eq!(black_box(&outcome), expected);
        }
        assert_eq!(given, effects * EVENTS);
    });
}

#[divan::bench(max_time = 2)]
fn submitted_and_begun(bencher: Bencher<'_, '_>) {
    measure(bencher, 0, STORY[0], 2, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn succeeded(bencher: Bencher<'_, '_>) {
    let succeeded = RetryEvent::AttemptEnded { attempt: ATTEMPT, end: AttemptEnd::Succeeded };
    measure(bencher, 1, succeeded, 2, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn failed_and_backs_off(bencher: Bencher<'_, '_>) {
    let end = AttemptEnd::Failed(FailureClass::Transient);
    measure(bencher, 1, RetryEvent::AttemptEnded { attempt: ATTEMPT, end }, 2, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn never_started_and_fenced(bencher: Bencher<'_, '_>) {
    measure(bencher, 2, STORY[2], 3, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn late_answer_ignored(bencher: Bencher<'_, '_>) {
    measure(bencher, 3, STORY[2], 0, &Outcome::Ignored(Ignored::Stale));
}
