//! What one step costs, with one live task in the kernel and with ten thousand.
//!
//! A sample is a thousand events of one kind, each for a task of its own, so that a microsecond that is shown is a
//! nanosecond for one event. The effects go into a vector that has room for them.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use downbeat_kernel::{
    Approval, Attempt, Budget, Call, CallId, Config, Discard, Effect, Event, Ignored, Kernel, MessageId,
    Outcome, RequestEvent, RequestId, Response, TaskId, ToolEnd, TurnNumber,
};

const LIVE: [u64; 2] = [1, 10_000];
/// Events of one sample: enough to be long beside the clock.
const EVENTS: usize = 1_000;

fn main() {
    divan::main();
}

fn request(task: u64, turn: u32) -> RequestId {
    RequestId { task: TaskId(task), turn: TurnNumber(turn), attempt: Attempt(0) }
}

fn tool_call(task: u64, turn: u32) -> Event {
    let response = Response::Calls(vec![Call::Tool(Approval::Granted)]);
    Event::ResponseEnded { request: request(task, turn), response, jitter_ms: 0 }
}

fn tool_result(task: u64, turn: u32) -> Event {
    let call = CallId { task: TaskId(task), turn: TurnNumber(turn), index: 0 };
    Event::ToolEnded { call, end: ToolEnd::Succeeded }
}

fn late_stop(task: u64) -> Event {
    let event = RequestEvent::Stopped { attempt: Attempt(0) };
    Event::Request { task: TaskId(task), turn: TurnNumber(1), event }
}

fn message(task: u64, number: u32) -> Event {
    Event::MessageReceived { task: TaskId(task), message: MessageId(number) }
}

/// Tasks that have each had one turn with a tool, and wait for the response to the second.
fn kernel(tasks: u64) -> Kernel {
    let mut kernel = Kernel::new(Config::default());
    for number in 1..=tasks {
        let task = TaskId(number);
        for event in [
            Event::TaskSubmitted { task, budget: Budget::default() },
            Event::Admitted { task },
            Event::Initialized { task },
            tool_call(number, 1),
            tool_result(number, 1),
        ] {
            assert_eq!(kernel.step(event, &mut Discard), Outcome::Applied);
        }
    }
    kernel
}

/// Times `EVENTS` events a sample: on as many kernels of one task, or spread over the tasks of one kernel. `prepare`
/// brings a task to where the event applies, outside the measured time, and gives the event.
fn measure(
    bencher: Bencher<'_, '_>,
    tasks: u64,
    expected: &Outcome,
    prepare: impl Fn(&mut Kernel, u64) -> Event,
) {
    let kernels = vec![kernel(tasks); if tasks == 1 { EVENTS } else { 1 }];
    bencher
        .counter(ItemsCount::new(EVENTS))
        .with_inputs(|| {
            let mut kernels = kernels.clone();
            let events: Vec<Event> = (0..EVENTS)
                .map(|event| {
                    let place = event % kernels.len();
                    // A stride that is prime to the number of tasks, so that no task is met twice.
                    prepare(&mut kernels[place], event as u64 * 7_919 % tasks + 1)
                })
                .collect();
            (kernels, events, Vec::<Effect>::with_capacity(16))
        })
        .bench_local_refs(|(kernels, events, effects)| {
            let many = kernels.len();
            for (event, place) in events.drain(..).zip((0..many).cycle()) {
                effects.clear();
                assert_eq!(black_box(kernels[place].step(event, effects)), *expected);
            }
        });
}

#[divan::bench(args = LIVE, max_time = 2)]
fn tool_result_begins_the_next_turn(bencher: Bencher<'_, '_>, tasks: u64) {
    measure(bencher, tasks, &Outcome::Applied, |kernel, task| {
        assert_eq!(kernel.step(tool_call(task, 2), &mut Discard), Outcome::Applied);
        tool_result(task, 2)
    });
}

#[divan::bench(args = LIVE, max_time = 2)]
fn response_with_one_tool_call(bencher: Bencher<'_, '_>, tasks: u64) {
    measure(bencher, tasks, &Outcome::Applied, |_, task| tool_call(task, 2));
}

#[divan::bench(args = LIVE, max_time = 2)]
fn message_received(bencher: Bencher<'_, '_>, tasks: u64) {
    measure(bencher, tasks, &Outcome::Applied, |_, task| message(task, 1));
}

#[divan::bench(args = LIVE, max_time = 2)]
fn stale_answer_ignored(bencher: Bencher<'_, '_>, tasks: u64) {
    let stale = Outcome::Ignored(Ignored::Stale);
    measure(bencher, tasks, &stale, |_, task| late_stop(task));
}
