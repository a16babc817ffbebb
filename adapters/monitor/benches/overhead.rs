//! What an event costs whoever emits it: with no layer, with a layer that does nothing, and with the monitor.
//!
//! `cargo bench -p downbeat-monitor`

use divan::Bencher;
use downbeat_monitor::{Live, Settings, start};
use tracing::subscriber::with_default;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

fn main() {
    divan::main();
}

/// The beginning of one request and its end: two events.
fn request(turn: u64) {
    tracing::info!(target: "downbeat::trace", event = "request-started", task = 7, turn, attempt = 0);
    tracing::info!(target: "downbeat::trace", event = "request-ended", task = 7, turn, attempt = 0, end = "completed");
}

/// The same under names as such systems give.
fn named(turn: u64) {
    let (task, request) = ("0192f3a1-7c4e-7bb2-9d6f-000000000007", "req_011CSHoEeqs5C35K2UUqR7Fy");
    tracing::info!(target: "downbeat::trace", event = "request-started", task, request, turn);
    tracing::info!(target: "downbeat::trace", event = "request-ended", task, request, turn, end = "completed");
}

fn turns(bencher: Bencher<'_, '_>, emit: fn(u64)) {
    let mut turn = 0;
    bencher.bench_local(|| {
        turn += 1;
        emit(turn);
    });
}

/// A judge whose queue is emptied before each sample, so that it is never full, by somebody who is not measured.
fn judged(bencher: Bencher<'_, '_>, emit: fn(u64)) {
    let (layer, live) = start(Settings::default()).expect("a thread");
    with_default(registry().with(layer), || {
        let (mut turn, mut since) = (0, 0);
        bencher
            .with_inputs(|| {
                // All inputs of a sample are made before it: two thousand events have room.
                if since % 1_000 == 0 {
                    live.report().expect("it lives");
                }
                since += 1;
            })
            .bench_local_values(|()| {
                turn += 1;
                emit(turn);
            });
    });
    assert_eq!(live.counters().dropped(), 0, "it was never full");
    ended(live);
}

fn ended(live: Live) {
    live.close().expect("it lives");
}

/// Does nothing.
struct Idle;

impl<S: tracing::Subscriber> Layer<S> for Idle {}

#[divan::bench(sample_size = 1000)]
fn nobody_listens(bencher: Bencher<'_, '_>) {
    turns(bencher, request);
}

#[divan::bench(sample_size = 1000)]
fn no_layer(bencher: Bencher<'_, '_>) {
    with_default(registry(), || turns(bencher, request));
}

#[divan::bench(sample_size = 1000)]
fn idle_layer(bencher: Bencher<'_, '_>) {
    with_default(registry().with(Idle), || turns(bencher, request));
}

#[divan::bench(sample_size = 1000)]
fn monitor(bencher: Bencher<'_, '_>) {
    judged(bencher, request);
}

#[divan::bench(sample_size = 1000)]
fn monitor_with_names(bencher: Bencher<'_, '_>) {
    judged(bencher, named);
}

/// Where there is no room, an event costs as much as is needed to know that.
#[divan::bench(sample_size = 1000)]
fn monitor_that_is_full(bencher: Bencher<'_, '_>) {
    let (sender, gate) = std::sync::mpsc::sync_channel::<()>(0);
    let on_breach = move |_: &_| {
        let _ = gate.recv();
    };
    let settings = Settings { queue_max: 1, on_breach: Some(Box::new(on_breach)), ..Settings::default() };
    let (layer, live) = start(settings).expect("a thread");
    with_default(registry().with(layer), || {
        // The first breach holds the judge until the end.
        for task in [1, 1] {
            tracing::info!(target: "downbeat::trace", event = "request-started", task);
        }
        tracing::info!(target: "downbeat::trace", event = "request-ended", task = 1, end = "failed");
        while live.counters().dropped() < 10 {
            request(0);
        }
        turns(bencher, request);
    });
    drop(sender);
    ended(live);
}
