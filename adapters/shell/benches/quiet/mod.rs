//! A world in which nothing happens: its models never answer.

use downbeat_kernel::{About, CallId, MessageId, QuestionEnd, QuestionId, QuestionKey, TaskId, ToolEnd};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{
    Clock, Doing, Model, NoAgents, NoVault, NoWorkers, Notification, Notifier, Output, People, Ports,
    Question, Seat, SendEnd, Shell, ShellConfig, Text, Tools, Trial,
};
use downbeat_store::{Sqlite, Store};
use std::future::{Future, pending, ready};
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Quiet;

impl Model for Quiet {
    fn send(&self, _question: Question, _output: Output) -> Doing<SendEnd> {
        Box::pin(pending())
    }

    fn recover(&self, _id: downbeat_kernel::RequestId) -> Doing<Option<SendEnd>> {
        Box::pin(pending())
    }
}

impl Tools for Quiet {
    fn run(&self, _call: CallId, _argument: Text, _seat: Option<Seat>) -> Doing<(ToolEnd, String)> {
        Box::pin(pending())
    }
}

impl People for Quiet {
    fn ask(&self, _question: QuestionId, _about: About, _text: Text) {}

    fn asks(&self, _root: TaskId, _question: QuestionKey, _text: Text) {}

    fn settled(&self, _root: TaskId, _question: QuestionKey, _end: QuestionEnd) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn withdraw(&self, _question: QuestionId) {}

    fn undelivered(&self, _task: TaskId, _trial: Trial, _message: MessageId, _in_doubt: bool) -> Doing<()> {
        Box::pin(pending())
    }
}

impl Notifier for Quiet {
    fn notify(&self, _notification: Notification) -> Doing<bool> {
        Box::pin(pending())
    }

    fn undelivered(&self, _notification: Notification) -> Doing<()> {
        Box::pin(pending())
    }
}

impl Clock for Quiet {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000
    }
}

/// A file that is not there before.
pub(crate) fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shell-bench");
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    for suffix in ["", "-wal", "-shm"] {
        // It may not be there.
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
    path
}

/// A shell with this journal.
pub(crate) async fn start(path: &Path, config: ShellConfig) -> Shell {
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(path).await.expect("a store"));
    let world = Arc::new(Quiet);
    let ports = Ports {
        model: world.clone(),
        viewer: None,
        workers: Arc::new(NoWorkers),
        overseer: Arc::new(NoWorkers),
        tools: world.clone(),
        people: world.clone(),
        notifier: world.clone(),
        agents: Arc::new(NoAgents),
        vault: Arc::new(NoVault),
        clock: world,
    };
    Shell::start(&Rt::new(Tokio::current()), config, &store, &ports)
}

/// Runs this on two threads.
pub(crate) fn run<T>(doing: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(doing)
}
