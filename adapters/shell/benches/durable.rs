//! What a durable event costs through the shell, beside SQLite with nothing between: the same bytes in the same commits.
//!
//! So many people write to a task each, every one the next message when the last one is durable. Then the journal that came of it is
//! inserted again, by one connection with one prepared statement and the same settings.
//!
//! `cargo bench -p downbeat-shell --bench durable`

mod quiet;

use downbeat_kernel::{Budget, Event, MessageId, Outcome};
use downbeat_shell::{Shell, ShellConfig, Teller};
use downbeat_store::{Batch, Position, ShardId, Sqlite, Store};
use std::path::Path;
use std::time::{Duration, Instant};

/// People, and messages of each.
const LOADS: [(u32, u32); 4] = [(1, 5_000), (16, 2_000), (256, 400), (1_024, 200)];

fn main() {
    println!("people  events/commit  events/s  raw events/s  ratio   p50 us   p99 us  p99.9 us");
    for (people, messages) in LOADS {
        let path = quiet::file("durable.db");
        let (took, mut waits) = quiet::run(write(&path, people, messages));
        let batches = quiet::run(journal(&path));
        let raw = insert(&quiet::file("raw.db"), &batches);
        let events = f64::from(people) * f64::from(messages);
        let commits = f64::from(u32::try_from(batches.len()).expect("few"));
        waits.sort_unstable();
        // In thousandths.
        let wait = |share: usize| waits[(waits.len() - 1) * share / 1_000].as_micros();
        println!(
            "{people:6}  {:13.1}  {:8.0}  {:12.0}  {:5.2}  {:7}  {:7}  {:8}",
            events / commits,
            events / took.as_secs_f64(),
            events / raw.as_secs_f64(),
            raw.as_secs_f64() / took.as_secs_f64(),
            wait(500),
            wait(990),
            wait(999),
        );
    }
}

/// How long it takes until every message is durable, and how long each one was waited for.
async fn write(path: &Path, people: u32, messages: u32) -> (Duration, Vec<Duration>) {
    // A snapshot is a cost of its own, and a journal that is compacted has not the commits any more that it was written in.
    let mut config = ShellConfig { snapshot_every: 0, ..ShellConfig::default() };
    config.kernel.messages_max = u32::MAX;
    let shell: Shell = quiet::start(path, config).await;
    let mut tasks = Vec::new();
    for _ in 0..people {
        tasks.push(shell.submit("go".to_owned(), Budget::default()).await.expect("it runs"));
    }
    // What the first of each leads to is over.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    let writers = tasks.into_iter().map(|task| {
        let teller: Teller = shell.teller();
        async move {
            let mut waits = Vec::new();
            for message in 1..=messages {
                let (text, began) = ("x".repeat(100), Instant::now());
                let event = Event::MessageReceived { task, message: MessageId(message) };
                assert_eq!(teller.tell(event, vec![text]).await.expect("it runs"), Outcome::Applied);
                waits.push(began.elapsed());
            }
            waits
        }
    });
    let writers: tokio::task::JoinSet<_> = writers.collect();
    let waits = writers.join_all().await.concat();
    let took = began.elapsed();
    shell.stop().await.expect("it stops");
    (took, waits)
}

/// The commits that have messages in them.
async fn journal(path: &Path) -> Vec<Batch> {
    let store = Sqlite::open_to_read(path).await.expect("it is there");
    let mut batches = Vec::new();
    loop {
        let from = batches.last().map_or(Position(1), |batch: &Batch| batch.next);
        let more = store.read(ShardId(0), from, 10_000).await.expect("it is read");
        if more.is_empty() {
            batches.retain(|batch| batch.text.contains("MessageReceived"));
            return batches;
        }
        batches.extend(more);
    }
}

fn insert(path: &Path, batches: &[Batch]) -> Duration {
    let database = rusqlite::Connection::open(path).expect("a database");
    database
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE journal (first INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;",
        )
        .expect("a table");
    let mut insert =
        database.prepare("INSERT INTO journal (first, text) VALUES (?1, ?2)").expect("a statement");
    let began = Instant::now();
    for batch in batches {
        let first = i64::try_from(batch.first.0).expect("small");
        insert.execute((first, &batch.text)).expect("it is inserted");
    }
    began.elapsed()
}
