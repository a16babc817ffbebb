//! A shell that is judged while it lives: by what it says of itself, and by what its model is really sent.

mod store;

use std::collections::VecDeque;
use std::future::{pending, ready};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use downbeat_kernel::{
    About, Approval, Budget, CallId, Config, MessageId, QuestionEnd, QuestionId, QuestionKey, RequestId,
    SendFailure, Spend, TaskId, ToolEnd,
};
use downbeat_monitor::{Live, Settings, start};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::fault::{Fault, plant};
use downbeat_shell::{
    Clock, Doing, Model, NoAgents, NoVault, NoWorkers, Notification, Notifier, Output, People, Ports,
    Question, Reply, Seat, SendEnd, Shell, ShellConfig, Text, Tools, Trial, Wish,
};
use downbeat_store::Store;
use downbeat_trace::{Property, Verdict};
use store::Memory;
use tracing::info;
use tracing_subscriber::layer::SubscriberExt as _;

/// A model, tools and people that do as they are told. The model says what it is sent, under the name of its own task.
#[derive(Default)]
struct World {
    script: Mutex<VecDeque<SendEnd>>,
    sends: AtomicU64,
    is_over: tokio::sync::Notify,
}

impl Model for World {
    fn send(&self, question: Question, _output: Output) -> Doing<SendEnd> {
        let request = self.sends.fetch_add(1, Ordering::Relaxed);
        let task = format!("model of {}", question.id.task.0);
        info!(target: "downbeat::trace", event = "request-started", task, request);
        let end = self.script.lock().expect("no panic").pop_front();
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let Some(end) = end else { return pending().await };
            let how = if matches!(end, SendEnd::Whole(_)) { "completed" } else { "failed" };
            info!(target: "downbeat::trace", event = "request-ended", task, request, end = how);
            end
        })
    }

    fn recover(&self, _id: RequestId) -> Doing<Option<SendEnd>> {
        Box::pin(ready(None))
    }
}

impl Tools for World {
    fn run(&self, _call: CallId, _argument: Text, _seat: Option<Seat>) -> Doing<(ToolEnd, String)> {
        Box::pin(ready((ToolEnd::Succeeded, "done".to_owned())))
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
        self.is_over.notify_one();
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

fn says(text: &str, calls: &[(Wish, &str)]) -> SendEnd {
    let calls = calls.iter().map(|(wish, text)| (*wish, (*text).to_owned())).collect();
    SendEnd::Whole(Reply { text: text.to_owned(), calls, spent: Spend::default() })
}

/// A task with tools, a send that fails, a subtask and an end, twice; the second time in a shell that begins where the first has stopped.
fn judged(fault: Option<Fault>) -> Live {
    let script = || {
        let ls = (Wish::Tool(Approval::Granted), "ls");
        VecDeque::from([
            says("", &[ls, ls]),
            SendEnd::Failed(SendFailure::Interrupted),
            says("", &[(Wish::Subtask, "help")]),
            says("", &[(Wish::Completion(Approval::Granted), "helped")]),
            says("", &[(Wish::Completion(Approval::Granted), "done")]),
        ])
    };
    let (layer, live) = start(Settings::default()).expect("a thread");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    plant(fault);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        runtime.block_on(async {
            let store: Arc<dyn Store> = Arc::new(Memory::default());
            for _ in 0..2 {
                let world = Arc::new(World { script: Mutex::new(script()), ..World::default() });
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
                    clock: world.clone(),
                };
                let kernel = Config { calls_max: 2, backoff_ms: 1, attempts_max: 2, ..Config::default() };
                let config = ShellConfig { kernel, ..ShellConfig::default() };
                let shell = Shell::start(&Rt::new(Tokio::current()), config, &store, &ports);
                shell.submit("go".to_owned(), Budget::default()).await.expect("it runs");
                let over = tokio::time::timeout(Duration::from_secs(20), world.is_over.notified());
                if fault.is_none() {
                    over.await.expect("it ends");
                } else {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                shell.stop().await.expect("it stops");
            }
        });
    });
    plant(None);
    live
}

fn verdict(live: &Live, property: Property) -> Verdict {
    let verdicts = live.report().expect("it lives").verdicts;
    verdicts.into_iter().find(|(of, _)| *of == property).expect("one of each").1
}

#[test]
fn a_shell_is_judged_without_a_false_breach() {
    let live = judged(None);
    let report = live.report().expect("it lives");
    for (property, verdict) in report.verdicts {
        assert!(!matches!(verdict, Verdict::Broken(_)), "{property:?}: {verdict:?}");
    }
    assert!(!live.counters().has_gap());
    // Five sends of each life, of the model and of the shell.
    assert_eq!(verdict(&live, Property::S1), Verdict::Kept(20));
    assert_eq!(verdict(&live, Property::S2), Verdict::Kept(10));
    // A task and its subtask have ended, twice.
    assert_eq!(verdict(&live, Property::S7), Verdict::Kept(4));
    assert!(matches!(verdict(&live, Property::S18), Verdict::Kept(_)));
    // What the shell does not say, or says in another order than it happens.
    for property in [Property::S3, Property::S8, Property::S9, Property::S12, Property::S13, Property::S19] {
        assert!(matches!(verdict(&live, property), Verdict::Undecided(_)), "{property:?}");
    }
}

#[test]
fn a_shell_that_sends_twice_is_found() {
    let live = judged(Some(Fault::SendsTwice));
    let Verdict::Broken(breach) = verdict(&live, Property::S1) else { panic!("it sends twice") };
    assert_eq!(breach.of, "model of 1");
    assert!(live.counters().breaches(Property::S1) > 0);
}
