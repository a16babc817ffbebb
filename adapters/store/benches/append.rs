//! What a durable batch costs, beside SQLite with nothing between: the same bytes in the same commits.
//!
//! Each row appends batches of lines of 200 bytes, each of which is on the disk before the next one begins. The peer has one
//! connection, one prepared statement, and the same settings.

use divan::counter::ItemsCount;
use downbeat_store::{Batch, Position, ShardId, Sqlite, Store};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

fn main() {
    divan::main();
}

const SIZES: [u64; 4] = [1, 16, 128, 1_024];

/// As long as most events are on record.
fn line() -> String {
    "x".repeat(199)
}

fn path(name: &str) -> PathBuf {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("append");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("{name}-{}.db", LAST.fetch_add(1, Ordering::Relaxed)));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    path
}

fn batch(first: Position, lines: u64) -> Batch {
    let (mut batch, line) = (Batch::at(first), line());
    for _ in 0..lines {
        batch.push(&line);
    }
    batch
}

#[divan::bench(args = SIZES)]
fn store(bencher: divan::Bencher<'_, '_>, lines: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let store = runtime.block_on(Sqlite::open(&path("store"))).expect("a store");
    let opened = runtime.block_on(store.open(ShardId(0))).expect("a shard");
    let mut next = opened.next;
    bencher.counter(ItemsCount::new(lines)).bench_local(|| {
        let batch = batch(next, lines);
        runtime.block_on(store.append(opened.lease, &batch)).expect("it is appended");
        next = batch.next;
    });
}

#[divan::bench(args = SIZES)]
fn raw(bencher: divan::Bencher<'_, '_>, lines: u64) {
    let database = rusqlite::Connection::open(path("raw")).expect("a database");
    database
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE journal (first INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;",
        )
        .expect("a table");
    let mut insert =
        database.prepare("INSERT INTO journal (first, text) VALUES (?1, ?2)").expect("a statement");
    let mut next = Position(1);
    bencher.counter(ItemsCount::new(lines)).bench_local(|| {
        let batch = batch(next, lines);
        let first = i64::try_from(next.0).expect("small");
        insert.execute((first, &batch.text)).expect("it is inserted");
        next = batch.next;
    });
}
