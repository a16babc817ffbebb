//! Journals for tests: a stored one of lines, and a shell that writes one.

use crate::command::{Format, PastArgs, past_to};
use downbeat_kernel::{
    About, Approval, CallId, Config, MessageId, QuestionEnd, QuestionId, QuestionKey, RequestId, Spend,
    TaskId, ToolEnd,
};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{
    Clock, Doing, Model, NoAgents, NoVault, NoWorkers, Notification, Notifier, Output, People, Ports,
    Question, Reply, Seat, SendEnd, Shell, ShellConfig, Text, Tools, Trial, Wish,
};
use downbeat_store::{Batch, ShardId, Sqlite, Store};
use std::future::{pending, ready};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A history of a shard with something of everything, as it is on record.
pub(crate) const HISTORY: &str = include_str!("../../shell/tests/journal/history.jsonl");

/// The settings that it was written under.
pub(crate) const SETTINGS: &str = r#"{"kernel":{"profiles":2,"profiles_keyed":2,"depth_max":1,"attempts_max":3},"pool":{"agents_max":2,"agents_min":0,"quota":2}}"#;

/// A folder for a test, empty. The next run of the test removes it.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("downbeat-past-{name}"));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

/// A store with these lines in batches of so many, and a file with settings beside it.
pub(crate) async fn stored(name: &str, lines: &[&str], at_once: usize) -> PathBuf {
    let path = folder(name).join("journal.db");
    let store = Sqlite::open(&path).await.expect("a store");
    let mut opened = store.open(ShardId(0)).await.expect("nobody has it");
    for lines in lines.chunks(at_once) {
        let mut batch = Batch::at(opened.next);
        for line in lines {
            batch.push(line);
        }
        store.append(opened.lease, &batch).await.expect("it is appended");
        opened.next = batch.next;
    }
    std::fs::write(path.with_file_name("settings.json"), SETTINGS).expect("it is written");
    path
}

/// The whole history.
pub(crate) async fn history(name: &str) -> PathBuf {
    stored(name, &HISTORY.lines().collect::<Vec<_>>(), 10).await
}

/// What is shown of a journal, with its exit code, what is said on standard error, and the folder as DIR.
pub(crate) fn shown(args: &PastArgs, format: Format) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = std::thread::scope(|scope| {
        // A runtime of its own: tests have one too.
        scope.spawn(|| past_to(args, format, &mut out, &mut err)).join().expect("it does not panic")
    });
    let folder = args.path().parent().expect("it is in a folder").display().to_string();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text").replace(&folder, "DIR");
    (code, text(out), text(err))
}

/// What asks for a journal, with the settings beside it if there are any.
pub(crate) fn args(journal: &Path) -> PastArgs {
    let settings = journal.with_file_name("settings.json");
    let settings = settings.exists().then_some(settings);
    PastArgs { journal: Some(journal.to_owned()), settings, ..PastArgs::default() }
}

/// A world in which a task whose prompt is `ask` asks a person who never answers, one whose prompt is `wait` waits for the model, and
/// every other is done at once.
pub(crate) struct World;

impl Model for World {
    fn send(&self, question: Question, _output: Output) -> Doing<SendEnd> {
        let prompt = question.asking.first().map_or("", |piece| &piece.text).to_owned();
        let wish = match prompt.as_str() {
            "wait" => return Box::pin(pending()),
            "ask" => Wish::Question,
            _ => Wish::Completion(Approval::Granted),
        };
        let calls = vec![(wish, "some words".to_owned())];
        Box::pin(ready(SendEnd::Whole(Reply { text: String::new(), calls, spent: Spend::default() })))
    }

    fn recover(&self, _id: RequestId) -> Doing<Option<SendEnd>> {
        Box::pin(ready(None))
    }
}

impl Tools for World {
    fn run(&self, _call: CallId, _argument: Text, _seat: Option<Seat>) -> Doing<(ToolEnd, String)> {
        Box::pin(pending())
    }
}

impl People for World {
    fn ask(&self, _question: QuestionId, _about: About, _text: Text) {}
    fn asks(&self, _root: TaskId, _question: QuestionKey, _text: Text) {}
    fn settled(&self, _root: TaskId, _question: QuestionKey, _end: QuestionEnd) -> Doing<()> {
        Box::pin(ready(()))
    }
    fn withdraw(&self, _question: QuestionId) {}
    fn undelivered(&self, _task: TaskId, _trial: Trial, _message: MessageId, _in_doubt: bool) -> Doing<()> {
        Box::pin(ready(()))
    }
}

impl Notifier for World {
    fn notify(&self, _notification: Notification) -> Doing<bool> {
        Box::pin(ready(true))
    }
    fn undelivered(&self, _notification: Notification) -> Doing<()> {
        Box::pin(ready(()))
    }
}

impl Clock for World {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000
    }
}

/// A shell in this world of so many shards, which takes a snapshot, and compacts its journal, after so many events. It has a setting that
/// is not as by default.
pub(crate) async fn shell(path: &Path, shards: u32, snapshot_every: u64) -> Shell {
    let world = Arc::new(World);
    let ports = Ports {
        model: world.clone(),
        viewer: None,
        tools: world.clone(),
        people: world.clone(),
        notifier: world.clone(),
        agents: Arc::new(NoAgents),
        workers: Arc::new(NoWorkers),
        overseer: Arc::new(NoWorkers),
        vault: Arc::new(NoVault),
        clock: world,
    };
    let kernel = Config { attempts_max: 2, ..Config::default() };
    let config = ShellConfig { shards, kernel, snapshot_every, ..ShellConfig::default() };
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(path).await.expect("a store"));
    Shell::start(&Rt::new(Tokio::current()), config, &store, &ports)
}
