//! What one step of an outbox costs.
//!
//! A sample is a thousand events of one kind, each for a task of its own, so that a microsecond that is shown is a
//! nanosecond for one event. The effects are counted and not kept. Allocations are counted too: an outbox owns no memory,
//! and none are shown.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use downbeat_kernel::{
    Config, Ignored, News, NotificationEvent, NotificationNumber, NotificationRejected, NotificationTimer,
    Outbox, Outcome,
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// Events of one sample: enough to be long beside the clock.
const EVENTS: usize = 1_000;

/// Two notifications, of which the first is acknowledged.
const STORY: [NotificationEvent; 3] = [
    NotificationEvent::Posted { number: NotificationNumber(1), news: News::Progress },
    NotificationEvent::Posted { number: NotificationNumber(2), news: News::Progress },
    NotificationEvent::Acknowledged { number: NotificationNumber(1) },
];

fn main() {
    divan::main();
}

/// The outbox after so many events of the story.
fn after(events: usize) -> Outbox {
    let mut outbox = Outbox::default();
    for event in &STORY[..events] {
        assert_eq!(outbox.step(*event, &Config::default(), &mut |_| {}), Outcome::Applied);
    }
    outbox
}

/// Times an event after so many of the story, on as many tasks as there are events, each of which gives so many effects.
fn measure(
    bencher: Bencher<'_, '_>,
    story: usize,
    event: NotificationEvent,
    effects: usize,
    expected: &Outcome<NotificationRejected>,
) {
    let config = Config::default();
    let tasks = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| vec![after(story); EVENTS]);
    tasks.bench_local_refs(|tasks| {
        let mut given = 0;
        for outbox in tasks {
            let outcome = outbox.step(black_box(event), &config, &mut |_| given += 1);
            assert_eq!(black_box(&outcome), expected);
        }
        assert_eq!(given, effects * EVENTS);
    });
}

#[divan::bench(max_time = 2)]
fn posted_and_sent(bencher: Bencher<'_, '_>) {
    measure(bencher, 0, STORY[0], 2, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn acknowledged_and_the_next_sent(bencher: Bencher<'_, '_>) {
    measure(bencher, 2, STORY[2], 3, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn sent_again(bencher: Bencher<'_, '_>) {
    measure(bencher, 1, NotificationEvent::Elapsed { timer: NotificationTimer(1) }, 2, &Outcome::Applied);
}

#[divan::bench(max_time = 2)]
fn acknowledged_again_ignored(bencher: Bencher<'_, '_>) {
    measure(bencher, 3, STORY[2], 0, &Outcome::Ignored(Ignored::Duplicate));
}
