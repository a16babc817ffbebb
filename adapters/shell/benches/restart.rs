//! What it costs to begin again, and to make that cheap: the replay of a million lines, and a snapshot of ten thousand live tasks.
//!
//! `cargo bench -p downbeat-shell --bench restart`

mod quiet;

use downbeat_kernel::{
    Approval, Attempt, Budget, Call, CallId, Event, MessageId, RequestId, Response, TaskId, ToolEnd,
    TurnNumber,
};
use downbeat_shell::{Entry, ShellConfig};
use downbeat_store::{Batch, Position, ShardId, Sqlite, Store};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tracing_subscriber::fmt::MakeWriter;

const SHARD: ShardId = ShardId(0);

/// Lines in one commit.
const COMMIT: u64 = 256;

fn main() {
    let path = quiet::file("million.db");
    let lines = quiet::run(fill(&path, 100_000, 0));
    let read = quiet::run(read(&path));
    let whole = quiet::run(start(&path, 0));
    println!("{lines} lines, none live: read in {read:.2} s, read and replayed in {whole:.2} s");

    let path = quiet::file("live.db");
    let lines = quiet::run(fill(&path, 20_000, 10_000));
    let heard = Heard::default();
    let listening = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false);
    let whole = quiet::run(start(&path, 0));
    tracing::subscriber::set_global_default(listening.with_writer(heard.clone()).finish())
        .expect("the first");
    quiet::run(compacted(&path, &heard));
    let again = quiet::run(start(&path, 0));
    println!("{lines} lines, 10,000 tasks live: started in {whole:.2} s, with a snapshot in {again:.2} s");
    heard.print();
}

fn entry(event: Event, text: &[&str]) -> Entry {
    let text = text.iter().map(|text| (*text).to_owned()).collect();
    Entry { at_ms: 1_700_000_000_000, event: event.into(), bill: None, text }
}

/// The life of a task: a turn with a tool, a message, a turn with the end.
fn life(task: TaskId) -> [Entry; 10] {
    let request = |turn| RequestId { task, turn: TurnNumber(turn), attempt: Attempt(0) };
    let calls = |call| Response::Calls(vec![call]);
    let words = "some words that somebody has said, of which there are usually more than these";
    let (tool, completion) = (Call::Tool(Approval::Granted), Call::Completion(Approval::Granted));
    let ended =
        |turn, call| Event::ResponseEnded { request: request(turn), response: calls(call), jitter_ms: 1 };
    let call = |turn| CallId { task, turn: TurnNumber(turn), index: 0 };
    let tool_ended = |turn| Event::ToolEnded { call: call(turn), end: ToolEnd::Succeeded };
    [
        entry(Event::TaskSubmitted { task, budget: Budget::default() }, &[words]),
        entry(Event::Admitted { task }, &[]),
        entry(Event::Initialized { task }, &[]),
        entry(ended(1, tool), &[words, words]),
        entry(Event::MessageReceived { task, message: MessageId(1) }, &[words]),
        entry(tool_ended(1), &[words]),
        entry(ended(2, tool), &[words, words]),
        entry(tool_ended(2), &[words]),
        entry(ended(3, completion), &[words, words]),
        entry(Event::EndAcknowledged { task }, &[]),
    ]
}

/// A journal with so many tasks, the last of which have not ended. How many lines there are.
async fn fill(path: &Path, tasks: u64, live: u64) -> u64 {
    let store = Sqlite::open(path).await.expect("a store");
    let lease = store.open(SHARD).await.expect("nobody has it").lease;
    let mut batch = Batch::at(Position(1));
    for task in 1..=tasks {
        let lines = if task > tasks - live { 8 } else { 10 };
        for entry in &life(TaskId(task))[..lines] {
            batch.push(&serde_json::to_string(entry).expect("it is written"));
        }
        if batch.lines >= COMMIT || task == tasks {
            store.append(lease, &batch).await.expect("it is appended");
            batch = Batch::at(batch.next);
        }
    }
    batch.next.0 - 1
}

/// Seconds to read a journal, and do nothing with it.
async fn read(path: &Path) -> f64 {
    let store = Sqlite::open(path).await.expect("a store");
    let (began, mut from) = (Instant::now(), Position(1));
    loop {
        let batches = store.read(SHARD, from, 10_000).await.expect("it is read");
        let Some(last) = batches.last() else { return began.elapsed().as_secs_f64() };
        from = last.next;
    }
}

/// Seconds until a shell with this journal answers.
async fn start(path: &Path, snapshot_every: u64) -> f64 {
    let began = Instant::now();
    let shell = quiet::start(path, ShellConfig { snapshot_every, ..ShellConfig::default() }).await;
    shell.submit("go".to_owned(), Budget::default()).await.expect("it runs");
    let took = began.elapsed().as_secs_f64();
    shell.stop().await.expect("it stops");
    took
}

/// Lets a shell take a snapshot and compact its journal.
async fn compacted(path: &Path, heard: &Heard) {
    let shell = quiet::start(path, ShellConfig { snapshot_every: 1, ..ShellConfig::default() }).await;
    shell.submit("go".to_owned(), Budget::default()).await.expect("it runs");
    while !heard.has("compacted") {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    shell.stop().await.expect("it stops");
}

/// What the shell says of its snapshots.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
    }

    fn has(&self, word: &str) -> bool {
        self.text().lines().any(|line| line.contains("downbeat::shard") && line.contains(word))
    }

    fn print(&self) {
        for line in self.text().lines().filter(|line| line.contains("downbeat::shard: ")) {
            println!("{line}");
        }
    }
}

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Heard {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
