//! What a shell says of itself while a task lives. A program of its own: who listens is known to a whole process.

#[expect(dead_code, reason = "other stories use the rest of it")]
#[path = "../shell/stage.rs"]
mod stage;

use downbeat_kernel::{
    AgentId, Approval, Budget, CallId, Event, MessageId, PoolConfig, PoolEvent, QuestionEnd, QuestionNumber,
    TaskId, ToolEnd,
};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{
    Agents, Bounds, Container, Doing, Ports, Seat, Shell, ShellConfig, Sign, Text, Tools, Trial, Wish,
};
use downbeat_store::{ShardId, Sqlite, Store};
use stage::{Seen, World, journal, says, settings, start};
use std::future::{pending, ready};
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Waits until this was written.
    async fn until(&self, text: &str) {
        while !String::from_utf8_lossy(&self.0.lock().expect("no panic")).contains(text) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What was told of a life.
fn told(life: impl AsyncFnOnce(&Lines)) -> Vec<String> {
    let lines = Lines::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_ansi(false).without_time();
    let subscriber = subscriber.with_writer(lines.clone()).finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tracing::subscriber::with_default(subscriber, || runtime.block_on(life(&lines)));
    let lines = String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("text");
    lines.lines().filter(|line| line.contains("downbeat::")).map(str::to_owned).collect()
}

#[test]
fn every_step_order_and_refusal_is_told_with_its_subject() {
    let own = told(async |lines| {
        let world = World::of([says("", &[(Wish::Completion(Approval::Granted), "done")])]);
        let shard = start(&journal("traced"), &world).await;
        shard.submit("say nothing of this".to_owned(), Budget::default()).await.expect("it runs");
        world.until(|seen| matches!(seen, Seen::Ended(..))).await;
        lines.until("Disarm").await;
        // The shell has said so already.
        let _ = shard.tell(Event::EndAcknowledged { task: TaskId(1) }, vec![]).await.expect("it runs");
        let message = Event::MessageReceived { task: TaskId(9), message: MessageId(1) };
        let _ = shard.tell(message, vec!["nor of this".to_owned()]).await.expect("it runs");
        shard.stop().await.expect("it stops");
    });
    assert_eq!(own.join("\n"), include_str!("traced.txt").trim_end());
}

/// Agents that start at once, and of which nothing is heard but one question.
#[derive(Default)]
struct Quiet {
    has_asked: AtomicBool,
}

impl Agents for Quiet {
    fn start(&self, _container: Container) -> Doing<bool> {
        Box::pin(ready(true))
    }

    fn remove(&self, _container: Container) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn attend(&self, _seat: Seat, _asked: Option<QuestionNumber>) -> Doing<Sign> {
        if self.has_asked.swap(true, Ordering::Relaxed) {
            return Box::pin(pending());
        }
        Box::pin(ready(Sign::Asks { number: QuestionNumber(1), text: "say nothing of this".to_owned() }))
    }

    fn answer(&self, _seat: Seat, _number: QuestionNumber, _end: QuestionEnd, _answer: Text) -> Doing<()> {
        Box::pin(pending())
    }

    fn stop(&self, _seat: Seat) -> Doing<()> {
        Box::pin(pending())
    }

    fn clean(&self, _seat: Seat) -> Doing<()> {
        Box::pin(pending())
    }

    fn prepare(&self, _task: TaskId, _trial: Trial, _seat: Option<Seat>) -> Doing<bool> {
        Box::pin(ready(true))
    }
}

#[test]
fn what_is_of_an_agent_or_of_an_attempt_is_told_with_its_number_and_its_epoch() {
    let own = told(async |lines| {
        let world = World::of([says("", &[(Wish::Tool(Approval::Granted), "ls")])]);
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&journal("traced-agents")).await.expect("a store"));
        let ports = Ports { agents: Arc::<Quiet>::default(), ..world.ports() };
        let config = ShellConfig { pool: Some(PoolConfig::default()), attempts: true, ..settings() };
        let shard = Shell::start(&Rt::new(Tokio::current()), config, &store, &ports);
        shard.submit("go".to_owned(), Budget::default()).await.expect("it runs");
        lines.until("RunTool").await;
        lines.until(r#"effect="Ask""#).await;
        let gone = PoolEvent::Gone { agent: AgentId(1) };
        let _ = shard.teller().tell_pool(ShardId(0), gone).await.expect("it runs");
        lines.until("LeaseOver").await;
        shard.stop().await.expect("it stops");
    });
    let expected = [
        r#"step: event="TaskSubmitted" task=1 effects=3"#,
        r#"effect: effect="Begin" task=1 trial=1"#,
        r#"step: event="Asked" task=1 question=1 epoch=1 effects=2"#,
        r#"effect: effect="Ask" task=1 question=1 epoch=1"#,
        r#"step: event="Started" agent=1 effects=3"#,
        r#"effect: effect="Assign" task=1 agent=1 epoch=1"#,
        r#"effect: effect="Initialize" task=1 agent=1 epoch=1"#,
        r#"effect: effect="RunTool" task=1 turn=1 agent=1 epoch=1"#,
        r#"step: event="Gone" agent=1 effects="#,
        r#"effect: effect="LeaseOver" task=1 agent=1 epoch=1"#,
    ];
    for line in expected {
        assert!(own.iter().any(|own| own.contains(line)), "{line} is not in:\n{}", own.join("\n"));
    }
}

impl Tools for Quiet {
    fn run(&self, _call: CallId, _argument: Text, _seat: Option<Seat>) -> Doing<(ToolEnd, String)> {
        Box::pin(pending())
    }
}

#[test]
fn adapter_that_does_not_answer_is_told_with_what_was_asked_of_it() {
    let own = told(async |lines| {
        let world = World::of([says("", &[(Wish::Tool(Approval::Granted), "say nothing of this")])]);
        let store: Arc<dyn Store> = Arc::new(Sqlite::open(&journal("traced-silent")).await.expect("a store"));
        let ports = Ports { tools: Arc::<Quiet>::default(), ..world.ports() };
        let bounds = Bounds { tool_ms_max: NonZeroU32::new(5), ..Bounds::NONE };
        let shard =
            Shell::start(&Rt::new(Tokio::current()), ShellConfig { bounds, ..settings() }, &store, &ports);
        shard.submit("go".to_owned(), Budget::default()).await.expect("it runs");
        lines.until(r#"event="ToolEnded""#).await;
        shard.stop().await.expect("it stops");
    });
    let silent: Vec<_> = own.iter().filter(|line| line.contains("downbeat::silent")).collect();
    let expected = r#" WARN shard{shard=0}: downbeat::silent: asked="Tools::run" task=1 turn=1 after_ms=5"#;
    assert_eq!(silent, [expected]);
}
