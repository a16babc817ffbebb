//! What one step of a credential costs.
//!
//! A sample is a thousand events of one kind, each for a credential of its own, so that a microsecond that is shown is a
//! nanosecond for one event. The effects are counted and not kept. Allocations are counted too: a credential owns no memory,
//! and none are shown.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use downbeat_kernel::{
    Config, Credential, CredentialEvent, CredentialRejected, Found, Generation, Ignored, OrderNumber,
    Outcome, RefreshEnd, WaiterId, WriteEnd,
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// Events of one sample: enough to be long beside the clock.
const EVENTS: usize = 1_000;

fn main() {
    divan::main();
}

fn wanted(waiter: u64, newer_than: u32) -> CredentialEvent {
    CredentialEvent::Wanted { waiter: WaiterId(waiter), newer_than: Generation(newer_than) }
}

fn refresh_ended(order: u32, end: RefreshEnd) -> CredentialEvent {
    CredentialEvent::RefreshEnded { order: OrderNumber(order), end }
}

/// One who wanted generation 7 has it; two more want a newer one, it has come from the server, and is to be written.
const STORY: [CredentialEvent; 6] = [
    CredentialEvent::Wanted { waiter: WaiterId(1), newer_than: Generation(0) },
    CredentialEvent::StoreRead { order: OrderNumber(1), found: Found::Other { generation: Generation(7) } },
    CredentialEvent::Wanted { waiter: WaiterId(2), newer_than: Generation(7) },
    CredentialEvent::Wanted { waiter: WaiterId(3), newer_than: Generation(7) },
    CredentialEvent::StoreRead { order: OrderNumber(2), found: Found::Current },
    CredentialEvent::RefreshEnded { order: OrderNumber(3), end: RefreshEnd::Refreshed },
];

/// The credential after so many events of the story.
fn after(events: usize) -> Credential {
    let mut credential = Credential::default();
    for event in &STORY[..events] {
        assert_eq!(credential.step(*event, &Config::default(), &mut |_| {}), Outcome::Applied);
    }
    credential
}

/// Times an event on as many credentials as there are events, each of which gives so many effects.
fn measure(
    bencher: Bencher<'_, '_>,
    story: usize,
    event: CredentialEvent,
    effects: usize,
    expected: &Outcome<CredentialRejected>,
) {
    let config = Config::default();
    let credentials = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| vec![after(story); EVENTS]);
    credentials.bench_local_refs(|credentials| {
        let mut given = 0;
        for credential in credentials {
            let outcome = credential.step(black_box(event), &config, &mut |_| given += 1);
            assert_eq!(black_box(&outcome), expected);
        }
        assert_eq!(given, effects * EVENTS);
    });
}

#[divan::bench(max_time = 2)]
fn wanted_while_fresh(bencher: Bencher<'_, '_>) {
    measure(bencher, 2, wanted(2, 0), 1, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn wanted_while_refreshing(bencher: Bencher<'_, '_>) {
    measure(bencher, 5, wanted(4, 7), 0, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn refreshed_and_to_be_written(bencher: Bencher<'_, '_>) {
    measure(bencher, 5, refresh_ended(3, RefreshEnd::Refreshed), 3, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn stored_and_two_are_told(bencher: Bencher<'_, '_>) {
    let stored = CredentialEvent::WriteEnded { order: OrderNumber(4), end: WriteEnd::Stored };
    measure(bencher, 6, stored, 3, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn late_refresh_ignored(bencher: Bencher<'_, '_>) {
    let stale = Outcome::Ignored(Ignored::Stale);
    measure(bencher, 6, refresh_ended(3, RefreshEnd::InvalidGrant), 0, &stale);
}
