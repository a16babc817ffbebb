//! What one step of a worker costs, and whether it allocates.
//!
//! A sample is a thousand workers that each take one event, so that a microsecond that is shown is a nanosecond for one
//! event. Every allocation of the measured part shows in the columns of the allocator: the common events have none.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use downbeat_kernel::{
    Config, Ignored, IteratorId, MessageId, Outcome, PromptId, SessionEvent, Sign, ToolId, WatchNumber,
    Worker, WorkerEffect, WorkerEvent, WorkerRejected, WorkerTimer,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// Workers of one sample: enough to be long beside the clock, few enough for the second cache.
const WORKERS: usize = 1_000;

fn main() {
    divan::main();
}

fn answered(prompt: u32) -> WorkerEvent {
    WorkerEvent::Session(SessionEvent::Answered { iterator: IteratorId(1), prompt: PromptId(prompt) })
}

fn message(number: u32) -> WorkerEvent {
    WorkerEvent::MessageReceived { message: MessageId(number) }
}

fn observed(prompt: u32, sign: Sign) -> WorkerEvent {
    WorkerEvent::Observed { prompt: PromptId(prompt), sign }
}

fn called(tool: u32) -> WorkerEvent {
    observed(2, Sign::ToolCalled { tool: ToolId(tool) })
}

/// A worker whose agent has answered the task, and has a message.
fn worker(config: &Config, events: &[WorkerEvent]) -> Worker {
    let mut worker = Worker::default();
    let started = WorkerEvent::Session(SessionEvent::Started { iterator: IteratorId(1) });
    let begins = [WorkerEvent::Assigned, started, message(1), answered(1)];
    for event in begins.iter().chain(events) {
        assert_eq!(worker.step(*event, config, &mut |_| ()), Outcome::Applied, "{event:?}");
    }
    worker
}

/// Times the event, on workers that have taken `before`.
fn measure(
    bencher: Bencher<'_, '_>,
    before: &[WorkerEvent],
    event: WorkerEvent,
    expected: &Outcome<WorkerRejected>,
) {
    let config = Config::default();
    let workers = vec![worker(&config, before); WORKERS];
    bencher
        .counter(ItemsCount::new(WORKERS))
        .with_inputs(|| {
            let mut workers = workers.clone();
            // An inbox keeps the room that it once had, and a copy of it does not.
            for worker in &mut workers {
                worker.data.inbox.reserve(8);
            }
            (workers, Vec::<WorkerEffect>::with_capacity(16))
        })
        .bench_local_refs(|(workers, effects)| {
            for worker in workers {
                effects.clear();
                let outcome = worker.step(black_box(event), &config, &mut |effect| effects.push(effect));
                assert_eq!(black_box(&outcome), expected);
            }
        });
}

#[divan::bench(max_time = 2)]
fn first_activity_of_a_period(bencher: Bencher<'_, '_>) {
    let timer = WorkerTimer::Watch(WatchNumber(1));
    let before = [WorkerEvent::TimerFired { timer }];
    measure(bencher, &before, observed(2, Sign::Activity), &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn more_activity(bencher: Bencher<'_, '_>) {
    // The answer to the first turn was the first activity.
    measure(bencher, &[], observed(2, Sign::Activity), &Outcome::Ignored(Ignored::Duplicate));
}

#[divan::bench(max_time = 2)]
fn tool_called(bencher: Bencher<'_, '_>) {
    measure(bencher, &[called(1)], called(2), &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn message_received_during_a_turn(bencher: Bencher<'_, '_>) {
    measure(bencher, &[], message(2), &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn answered_prompt_with_a_next_message(bencher: Bencher<'_, '_>) {
    measure(bencher, &[message(2)], answered(2), &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn answered_prompt_and_rest(bencher: Bencher<'_, '_>) {
    measure(bencher, &[], answered(2), &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn stale_answer_ignored(bencher: Bencher<'_, '_>) {
    measure(bencher, &[], answered(1), &Outcome::Ignored(Ignored::Stale));
}
