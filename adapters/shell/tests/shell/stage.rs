//! A world that does as it is told, and remembers what it was asked for.

use downbeat_kernel::{
    About, Answer, CallId, Config, End, Event, MessageId, QuestionEnd, QuestionId, QuestionKey, Reason,
    RequestId, RetryEnd, Spend, TaskId, ToolEnd,
};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{
    Clock, Doing, Model, NoAgents, NoVault, NoWorkers, Notification, Notifier, Output, People, Ports,
    Question, Reply, RootEnd, Seat, SendEnd, Shell, ShellConfig, Text, Tools, Trial, Wish,
};
use downbeat_store::{Sqlite, Store};
use std::collections::VecDeque;
use std::future::{pending, ready};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How long a test waits for something that has to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What the outside world saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A send, with the words that are new in it.
    Sent(TaskId, u32, Vec<String>),
    Ran(CallId, String),
    Asked(QuestionId, About, String),
    /// The agent of a root asks.
    AgentAsked(TaskId, QuestionKey, String),
    AgentSettled(TaskId, QuestionKey, QuestionEnd),
    Undelivered(TaskId, Trial, MessageId),
    Ended(TaskId, End, String),
    /// The end of a task that is tried again.
    Tried(TaskId, RetryEnd, String),
}

/// What the model does with the next question; after the last, it never answers.
pub(crate) type Script = VecDeque<SendEnd>;

#[derive(Default)]
struct State {
    script: Script,
    /// What became of the send of before a crash.
    known: Option<SendEnd>,
    seen: Vec<Seen>,
    /// Nobody takes the ends of what agents have asked.
    is_deaf: bool,
    /// Why tasks have failed that are tried again.
    reasons: Vec<Reason>,
    /// Milliseconds since the world began.
    passed_ms: u64,
}

/// The world of one test.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<State>>);

/// A whole response: words, then calls with theirs.
pub(crate) fn says(text: &str, calls: &[(Wish, &str)]) -> SendEnd {
    let calls = calls.iter().map(|(wish, text)| (*wish, (*text).to_owned())).collect();
    SendEnd::Whole(Reply { text: text.to_owned(), calls, spent: Spend::default() })
}

impl World {
    pub(crate) fn of(script: impl IntoIterator<Item = SendEnd>) -> Self {
        let world = Self::default();
        world.state().script = script.into_iter().collect();
        world
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics with it")
    }

    fn see(&self, seen: Seen) {
        self.state().seen.push(seen);
    }

    /// Knows what became of the send of before a crash.
    pub(crate) fn knows(&self, end: SendEnd) {
        self.state().known = Some(end);
    }

    /// So much time passes, for its clock alone.
    pub(crate) fn pass_ms(&self, passed_ms: u64) {
        self.state().passed_ms += passed_ms;
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state().seen.clone()
    }

    /// Nobody takes the ends of what agents have asked from here on.
    pub(crate) fn is_deaf(&self) {
        self.state().is_deaf = true;
    }

    pub(crate) fn reasons(&self) -> Vec<Reason> {
        self.state().reasons.clone()
    }

    /// Waits until the world has seen something.
    pub(crate) async fn until(&self, is_there: impl Fn(&Seen) -> bool) {
        let is_seen = async {
            while !self.seen().iter().any(&is_there) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, is_seen).await.is_ok();
        assert!(in_time, "it is not among {:?}", self.seen());
    }

    pub(crate) fn ports(&self) -> Ports {
        let world = Arc::new(self.clone());
        Ports {
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
        }
    }
}

impl Model for World {
    fn send(&self, question: Question, _output: Output) -> Doing<SendEnd> {
        let new = question.asking.iter().map(|piece| piece.text.to_string()).collect();
        self.see(Seen::Sent(question.id.task, question.id.turn.0, new));
        match self.state().script.pop_front() {
            Some(end) => Box::pin(async move {
                if let SendEnd::Whole(reply) = &end {
                    explodes(&reply.text);
                }
                end
            }),
            None => Box::pin(pending()),
        }
    }

    fn recover(&self, _id: RequestId) -> Doing<Option<SendEnd>> {
        Box::pin(ready(self.state().known.take()))
    }
}

/// What panics when it is run.
fn explodes(text: &str) {
    assert!(!text.contains("boom"), "on purpose");
}

impl Tools for World {
    fn run(&self, call: CallId, argument: Text, _seat: Option<Seat>) -> Doing<(ToolEnd, String)> {
        self.see(Seen::Ran(call, argument.to_string()));
        Box::pin(async move {
            explodes(&argument);
            (ToolEnd::Succeeded, format!("{argument} is done"))
        })
    }
}

impl People for World {
    fn ask(&self, question: QuestionId, about: About, text: Text) {
        self.see(Seen::Asked(question, about, text.to_string()));
    }

    fn asks(&self, root: TaskId, question: QuestionKey, text: Text) {
        self.see(Seen::AgentAsked(root, question, text.to_string()));
    }

    fn settled(&self, root: TaskId, question: QuestionKey, end: QuestionEnd) -> Doing<()> {
        self.see(Seen::AgentSettled(root, question, end));
        if self.state().is_deaf { Box::pin(pending()) } else { Box::pin(ready(())) }
    }

    fn withdraw(&self, _question: QuestionId) {}

    fn undelivered(&self, task: TaskId, trial: Trial, message: MessageId, _in_doubt: bool) -> Doing<()> {
        self.see(Seen::Undelivered(task, trial, message));
        Box::pin(ready(()))
    }
}

impl Notifier for World {
    fn notify(&self, notification: Notification) -> Doing<bool> {
        let Notification { task, end, text, .. } = notification;
        match end {
            Some(RootEnd::Once(end)) => self.see(Seen::Ended(task, end, text.to_string())),
            Some(RootEnd::Tried { end, reason }) => {
                self.state().reasons.extend(reason);
                self.see(Seen::Tried(task, end, text.to_string()));
            }
            // Somebody asks, who does so beside it.
            None => {}
        }
        Box::pin(ready(true))
    }

    fn undelivered(&self, _notification: Notification) -> Doing<()> {
        Box::pin(ready(()))
    }
}

impl Clock for World {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000 + self.state().passed_ms
    }
}

/// A file of its own for a test, which is not there before.
pub(crate) fn journal(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shell").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder.join("journal.db")
}

/// A shard in this world. It takes two calls in a response, and waits a millisecond before it asks again.
pub(crate) async fn start(journal: &Path, world: &World) -> Shell {
    start_shards(journal, world, 1).await
}

/// The same, in so many shards.
pub(crate) async fn start_shards(journal: &Path, world: &World, shards: u32) -> Shell {
    start_with(journal, world, ShellConfig { shards, ..settings() }).await
}

/// Two calls in a response, and a millisecond before it is asked again.
pub(crate) fn settings() -> ShellConfig {
    let kernel = Config { calls_max: 2, backoff_ms: 1, attempts_max: 2, ..Config::default() };
    ShellConfig { kernel, ..ShellConfig::default() }
}

/// A shell of these settings.
pub(crate) async fn start_with(journal: &Path, world: &World, config: ShellConfig) -> Shell {
    start_on(Sqlite::open(journal).await.expect("a store"), world, config)
}

/// A shell on this store.
pub(crate) fn start_on(store: impl Store + 'static, world: &World, config: ShellConfig) -> Shell {
    let store: Arc<dyn Store> = Arc::new(store);
    Shell::start(&Rt::new(Tokio::current()), config, &store, &world.ports())
}

/// The same, for so many tokens.
pub(crate) fn charges(tokens: u64, end: SendEnd) -> SendEnd {
    match end {
        SendEnd::Whole(reply) => SendEnd::Whole(Reply { spent: Spend { tokens, micros: 0 }, ..reply }),
        SendEnd::Failed(failure) => SendEnd::Failed(failure),
    }
}

/// Yes, from a person.
pub(crate) fn yes(question: QuestionId) -> Event {
    Event::AnswerReceived { question, answer: Answer::Approved }
}
