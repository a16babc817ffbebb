//! What one step of a session costs.
//!
//! A sample is a thousand events of one kind, each for a session of its own, so that a microsecond that is shown is a
//! nanosecond for one event. The effects are counted and not kept. Allocations are counted too: a session owns no memory,
//! and none are shown.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use downbeat_kernel::{
    Config, Ignored, IteratorId, Outcome, PromptId, Session, SessionEvent, SessionRejected,
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// Events of one sample: enough to be long beside the clock.
const EVENTS: usize = 1_000;

fn main() {
    divan::main();
}

fn invoked(prompt: u32) -> SessionEvent {
    SessionEvent::Invoked { prompt: PromptId(prompt) }
}

fn answered(prompt: u32) -> SessionEvent {
    SessionEvent::Answered { iterator: IteratorId(1), prompt: PromptId(prompt) }
}

/// A session whose iterator answers the first of three prompts.
fn answering() -> Session {
    let mut session = Session::default();
    let iterator = IteratorId(1);
    for event in [invoked(1), SessionEvent::Started { iterator }, invoked(2), invoked(3)] {
        assert_eq!(session.step(event, &Config::default(), &mut |_| {}), Outcome::Applied);
    }
    session
}

/// Times an event on as many sessions as there are events, each of which gives so many effects.
fn measure(
    bencher: Bencher<'_, '_>,
    event: SessionEvent,
    effects: usize,
    expected: &Outcome<SessionRejected>,
) {
    let config = Config::default();
    let sessions = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| vec![answering(); EVENTS]);
    sessions.bench_local_refs(|sessions| {
        let mut given = 0;
        for session in sessions {
            let outcome = session.step(black_box(event), &config, &mut |_| given += 1);
            assert_eq!(black_box(&outcome), expected);
        }
        assert_eq!(given, effects * EVENTS);
    });
}

#[divan::bench(max_time = 2)]
fn invoked_while_answering(bencher: Bencher<'_, '_>) {
    measure(bencher, invoked(4), 0, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn answered_and_the_next_prompt(bencher: Bencher<'_, '_>) {
    measure(bencher, answered(1), 2, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn abort_of_a_prompt_that_waits(bencher: Bencher<'_, '_>) {
    measure(bencher, SessionEvent::AbortRequested { prompt: PromptId(2) }, 1, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn late_start_ignored(bencher: Bencher<'_, '_>) {
    let duplicate = Outcome::Ignored(Ignored::Duplicate);
    measure(bencher, SessionEvent::Started { iterator: IteratorId(1) }, 0, &duplicate);
}
