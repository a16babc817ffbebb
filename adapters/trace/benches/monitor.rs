//! How many events a second are read and judged on one core, beside reading their JSON alone.
//!
//! `cargo bench -p downbeat-trace --bench monitor`

use std::fmt::Write as _;
use std::io::Cursor;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use downbeat_trace::{Monitor, Read, Reader};
use serde::de::IgnoredAny;

fn main() {
    divan::main();
}

/// A thousand tasks side by side, each with three turns of two calls and a message, under the names that such systems give.
fn trace() -> (String, usize) {
    let mut lines = String::new();
    let mut count = 0;
    let mut at = 1_700_000_000_000_u64;
    let mut put = |text: &str| {
        at += 3;
        let _ = writeln!(lines, "{{\"event\":{text},\"at_ms\":{at}}}");
        count += 1;
    };
    let name = |n: usize| format!("0192f3a1-7c4e-7bb2-9d6f-{n:012x}");
    for group in 0..10 {
        let tasks: Vec<_> = (0..100).map(|n| name(group * 100 + n)).collect();
        for task in &tasks {
            put(&format!("\"task-started\",\"task\":\"{task}\""));
            put(&format!("\"message-queued\",\"task\":\"{task}\",\"message\":1"));
        }
        for turn in 1..=3 {
            for task in &tasks {
                if turn == 2 {
                    put(&format!("\"message-delivered\",\"task\":\"{task}\",\"message\":1,\"turn\":2"));
                }
                put(&format!("\"request-started\",\"task\":\"{task}\",\"turn\":{turn},\"attempt\":0"));
            }
            for piece in 0..4 {
                for task in &tasks {
                    let _ = piece;
                    put(&format!("\"request-delta\",\"task\":\"{task}\",\"turn\":{turn},\"attempt\":0"));
                }
            }
            for (n, task) in tasks.iter().enumerate() {
                put(&format!(
                    "\"request-ended\",\"task\":\"{task}\",\"turn\":{turn},\"attempt\":0,\"end\":\"completed\""
                ));
                for call in 0..2 {
                    let call = format!("toolu_{group:02}{n:06}{turn:02}{call:02}");
                    put(&format!("\"tool-call\",\"task\":\"{task}\",\"call\":\"{call}\""));
                    put(&format!("\"tool-result\",\"task\":\"{task}\",\"call\":\"{call}\""));
                }
            }
        }
        for task in &tasks {
            put(&format!("\"task-ended\",\"task\":\"{task}\",\"end\":\"completed\""));
        }
    }
    (lines, count)
}

fn items(bencher: Bencher<'_, '_>, judge: impl Fn(&str) -> u64 + Sync) {
    let (trace, count) = trace();
    bencher
        .counter(ItemsCount::new(count))
        .counter(BytesCount::new(trace.len()))
        .bench(|| assert_eq!(judge(black_box(&trace)), count as u64));
}

/// Read and judged.
#[divan::bench]
fn judged(bencher: Bencher<'_, '_>) {
    items(bencher, |trace| {
        let mut monitor = Monitor::default();
        let mut reader = Reader::new(Cursor::new(trace));
        while let Read::Event { place, event, text } = reader.read().expect("it is a trace") {
            monitor.take(place, &event, text);
        }
        monitor.events()
    });
}

/// Read as events, and not judged.
#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    items(bencher, |trace| {
        let mut count = 0;
        let mut reader = Reader::new(Cursor::new(trace));
        while let Read::Event { event, .. } = reader.read().expect("it is a trace") {
            black_box(event);
            count += 1;
        }
        count
    });
}

/// The limit: JSON that is looked at, and of which nothing is kept.
#[divan::bench]
fn json_ignored(bencher: Bencher<'_, '_>) {
    items(bencher, |trace| {
        trace
            .lines()
            .map(|line| serde_json::from_str::<IgnoredAny>(line).map(|_| 1).expect("it is JSON"))
            .sum()
    });
}

/// A peer: JSON as `serde_json` keeps it.
#[divan::bench]
fn json_kept(bencher: Bencher<'_, '_>) {
    items(bencher, |trace| {
        let value = |line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON");
        trace.lines().map(value).map(|value| u64::from(black_box(value).is_object())).sum()
    });
}
