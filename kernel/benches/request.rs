//! What one step of a request costs.
//!
//! A sample is a thousand events of one kind, each for a request of its own, so that a microsecond that is shown is a
//! nanosecond for one event. The effects are counted and not kept. Allocations are counted too: a request owns no memory,
//! and none are shown.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use downbeat_kernel::{
    Attempt, Config, Generation, Ignored, Outcome, ProfileId, Profiles, Request, RequestEvent,
    RequestRejected, SendFailure,
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// Events of one sample: enough to be long beside the clock.
const EVENTS: usize = 1_000;

fn main() {
    divan::main();
}

const BEGAN: RequestEvent =
    RequestEvent::Began { profiles: Profiles { count: 2, down: 0, keyed: 0 }, previous: None };
const FIRST: Attempt = Attempt(0);

fn given(attempt: u16) -> RequestEvent {
    RequestEvent::CredentialGiven { attempt: Attempt(attempt), generation: Generation(1) }
}

fn failed(failure: SendFailure) -> RequestEvent {
    RequestEvent::SendFailed { attempt: FIRST, failure, jitter_ms: 250 }
}

/// A request after these events.
fn after(events: &[RequestEvent]) -> Request {
    let mut request = Request::default();
    for event in events {
        assert_eq!(request.step(*event, &Config::default(), &mut |_| {}), Outcome::Applied);
    }
    request
}

/// Times an event on as many requests as there are events, each of which gives so many effects.
fn measure(
    bencher: Bencher<'_, '_>,
    before: &[RequestEvent],
    event: RequestEvent,
    effects: usize,
    expected: &Outcome<RequestRejected>,
) {
    let (config, request) = (Config::default(), after(before));
    let requests = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| vec![request; EVENTS]);
    requests.bench_local_refs(|requests| {
        let mut given = 0;
        for request in requests {
            let outcome = request.step(black_box(event), &config, &mut |_| given += 1);
            assert_eq!(black_box(&outcome), expected);
        }
        assert_eq!(given, effects * EVENTS);
    });
}

#[divan::bench(max_time = 2)]
fn began(bencher: Bencher<'_, '_>) {
    measure(bencher, &[], BEGAN, 1, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn credential_and_the_send(bencher: Bencher<'_, '_>) {
    measure(bencher, &[BEGAN], given(0), 1, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn output_delivered(bencher: Bencher<'_, '_>) {
    let event = RequestEvent::OutputDelivered { attempt: FIRST };
    measure(bencher, &[BEGAN, given(0)], event, 0, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn response_accepted(bencher: Bencher<'_, '_>) {
    let event = RequestEvent::ResponseEnded { attempt: FIRST };
    measure(bencher, &[BEGAN, given(0)], event, 1, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn failure_and_the_wait(bencher: Bencher<'_, '_>) {
    measure(bencher, &[BEGAN, given(0)], failed(SendFailure::Transient), 1, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn usage_charged(bencher: Bencher<'_, '_>) {
    let event = RequestEvent::UsageReported { attempt: FIRST };
    measure(bencher, &[BEGAN, given(0)], event, 1, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn profile_down_and_the_stop(bencher: Bencher<'_, '_>) {
    let event = RequestEvent::ProfileDown { profile: ProfileId(0) };
    measure(bencher, &[BEGAN, given(0)], event, 2, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn late_answer_ignored(bencher: Bencher<'_, '_>) {
    let late = [BEGAN, given(0), failed(SendFailure::Unauthorized)];
    let event = RequestEvent::ResponseEnded { attempt: FIRST };
    measure(bencher, &late, event, 0, &Outcome::Ignored(Ignored::Stale));
}
