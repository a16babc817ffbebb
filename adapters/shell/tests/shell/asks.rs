//! What the agent of a root asks people: both learn how each question ends, also when the agent dies, the task ends or the process is
//! gone in between.

use crate::cuts::{lines, written};
use crate::fleet::{Asked, Fleet, Health, LEASE_MS, LONG_MS, TOOL, config, gone, pool, submit};
use crate::stage::{Seen, World, journal, says};
use crate::story::{A, DONE, apply, call, life};
use downbeat_kernel::{
    AttemptNumber, Epoch, Event, Ignored, Outcome, PoolConfig, QuestionEnd, QuestionKey, QuestionNumber,
    RetryEnd, TaskId,
};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{Refused, Shell, ShellConfig};
use downbeat_store::{Sqlite, Store};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const B: TaskId = TaskId(2);

/// A task that is at a tool while its agent asks, and done after it.
fn world() -> World {
    World::of([says("", &[(TOOL, "wait for it")]), says("", &[(DONE, "fine")])])
}

async fn start_with(path: &Path, world: &World, fleet: &Fleet, config: ShellConfig) -> Shell {
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(path).await.expect("a store"));
    Shell::start(&Rt::new(Tokio::current()), config, &store, &fleet.ports(world))
}

async fn start(path: &Path, world: &World, fleet: &Fleet) -> Shell {
    start_with(path, world, fleet, config(pool())).await
}

pub(crate) fn key(epoch: u64, number: u32) -> QuestionKey {
    QuestionKey { epoch: Epoch(epoch), number: QuestionNumber(number) }
}

fn asked(root: TaskId, epoch: u64, number: u32, text: &str) -> Seen {
    Seen::AgentAsked(root, key(epoch, number), text.to_owned())
}

/// The agent of a lease asks, and a person is asked.
pub(crate) async fn asks(
    world: &World,
    fleet: &Fleet,
    root: TaskId,
    (epoch, number): (u64, u32),
    text: &'static str,
) {
    fleet.state().asks.insert(epoch, (number, text));
    let asked = asked(root, epoch, number, text);
    world.until(|seen| *seen == asked).await;
}

pub(crate) async fn answer(
    shell: &Shell,
    root: TaskId,
    question: QuestionKey,
    text: &str,
) -> Outcome<Refused> {
    shell.teller().answer(root, question, text.to_owned()).await.expect("it runs")
}

async fn settled(world: &World, root: TaskId, question: QuestionKey, end: QuestionEnd) {
    world.until(|seen| *seen == Seen::AgentSettled(root, question, end)).await;
}

/// Waits until agents were told so many ends.
async fn told(fleet: &Fleet, ends: usize) -> Vec<(u64, u32, QuestionEnd, String)> {
    while fleet.state().answers.len() < ends {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    fleet.state().answers.clone()
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

fn answered(epoch: u64, number: u32, text: &str) -> (u64, u32, QuestionEnd, String) {
    (epoch, number, QuestionEnd::Answered, text.to_owned())
}

/// A person takes longer than a lease lasts, also to hear of the end of one question before the next can be taken.
#[tokio::test]
async fn agent_that_asks_is_heard_of_meanwhile() {
    let (world, fleet) = (world(), Fleet::default());
    let config = config(PoolConfig { lease_ms: LEASE_MS, ..pool() });
    let shell = start_with(&journal("asks-beats"), &world, &fleet, config).await;
    submit(&shell, "go").await;
    fleet.until(Asked::Run(call(A, 1), 1)).await;
    asks(&world, &fleet, A, (1, 1), "which folder?").await;
    let longer = || tokio::time::sleep(Duration::from_millis(3 * u64::from(LEASE_MS)));
    longer().await;
    world.is_deaf();
    assert_eq!(answer(&shell, A, key(1, 1), "this one").await, Outcome::Applied);
    assert_eq!(told(&fleet, 1).await, [answered(1, 1, "this one")]);
    fleet.state().asks.insert(1, (2, "all of it?"));
    longer().await;
    let is_given = |asked: &&Asked| matches!(asked, Asked::Give(_, A, epoch) if *epoch > 1);
    assert_eq!(fleet.asked().iter().find(is_given), None, "it has lost its lease");
}

/// It says its question all the time, whatever it is told, and never anything else.
#[tokio::test]
async fn agent_that_insists_is_listened_to_now_and_then() {
    let (world, fleet) = (world(), Fleet::default());
    let shell = start(&journal("asks-insists"), &world, &fleet).await;
    submit(&shell, "go").await;
    fleet.until(Asked::Run(call(A, 1), 1)).await;
    asks(&world, &fleet, A, (1, 1), "which folder?").await;
    fleet.becomes(1, Health::Insists);
    let before = fleet.state().attended;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let attended = fleet.state().attended - before;
    assert!((1..=30).contains(&attended), "{attended}");
}

#[tokio::test]
async fn agent_asks_a_person_and_is_told_the_answer_and_then_the_next() {
    let (world, fleet) = (world(), Fleet::default());
    let shell = start(&journal("asks"), &world, &fleet).await;
    submit(&shell, "go").await;
    fleet.until(Asked::Run(call(A, 1), 1)).await;
    asks(&world, &fleet, A, (1, 1), "which folder?").await;
    // It says so again and again, and that is one question.
    a_moment().await;
    assert_eq!(answer(&shell, A, key(1, 1), "this one").await, Outcome::Applied);
    assert_eq!(answer(&shell, A, key(1, 1), "that one").await, Outcome::Ignored(Ignored::Duplicate));
    settled(&world, A, key(1, 1), QuestionEnd::Answered).await;
    assert_eq!(told(&fleet, 1).await, [answered(1, 1, "this one")]);
    asks(&world, &fleet, A, (1, 2), "all of it?").await;
    assert_eq!(answer(&shell, A, key(1, 1), "late").await, Outcome::Ignored(Ignored::Stale));
    assert_eq!(answer(&shell, A, key(1, 2), "yes").await, Outcome::Applied);
    assert_eq!(told(&fleet, 2).await, [answered(1, 1, "this one"), answered(1, 2, "yes")]);
    fleet.state().may_end = true;
    fleet.ends(1).await;
    assert_eq!(fleet.state().progress, [(A, "which folder?".to_owned()), (A, "all of it?".to_owned())]);
    let is_asked = |seen: &Seen| matches!(seen, Seen::AgentAsked(..));
    assert_eq!(world.seen().iter().filter(|seen| is_asked(seen)).count(), 2);
    a_moment().await;
    let over = shell.tell(Event::CancelRequested { task: A }, vec![]).await.expect("it runs");
    assert_eq!(over, Outcome::Ignored(Ignored::Terminal), "the tree has forgotten it");
    assert_eq!(answer(&shell, A, key(1, 2), "no").await, Outcome::Ignored(Ignored::Terminal));
}

/// Nobody is asked any more for an agent that is gone.
#[tokio::test]
async fn question_of_an_agent_that_dies_is_closed() {
    let (world, fleet) = (world(), Fleet::default());
    let shell = start(&journal("asks-dies"), &world, &fleet).await;
    submit(&shell, "go").await;
    fleet.until(Asked::Run(call(A, 1), 1)).await;
    asks(&world, &fleet, A, (1, 1), "which folder?").await;
    gone(&shell, 1).await;
    settled(&world, A, key(1, 1), QuestionEnd::Withdrawn).await;
    assert_eq!(answer(&shell, A, key(1, 1), "this one").await, Outcome::Ignored(Ignored::Stale));
    assert!(fleet.state().answers.is_empty(), "nobody is there to be told");
}

#[tokio::test]
async fn question_ends_with_its_task_and_with_its_time() {
    for (name, question_ms, end) in
        [("task", 600_000, QuestionEnd::Withdrawn), ("time", 20, QuestionEnd::Expired)]
    {
        let (world, fleet) = (world(), Fleet::default());
        let mut config = config(pool());
        config.kernel.question_ms = question_ms;
        let shell = start_with(&journal(&format!("asks-{name}")), &world, &fleet, config).await;
        submit(&shell, "go").await;
        fleet.until(Asked::Run(call(A, 1), 1)).await;
        asks(&world, &fleet, A, (1, 1), "which folder?").await;
        if end == QuestionEnd::Withdrawn {
            apply(&shell, Event::CancelRequested { task: A }, "").await;
        }
        settled(&world, A, key(1, 1), end).await;
        assert_eq!(told(&fleet, 1).await, [(1, 1, end, String::new())], "{name}");
        let late = answer(&shell, A, key(1, 1), "this one").await;
        assert!(matches!(late, Outcome::Ignored(Ignored::Stale | Ignored::Terminal)), "{name}: {late:?}");
        fleet.state().may_end = true;
        fleet.ends(1).await;
        shell.stop().await.expect("it stops");
    }
}

/// The words of the question and of the answer are on record: a person is asked the same again, and the agent is told the same.
#[test]
fn question_and_answer_keep_their_words_over_a_crash() {
    let (path, fleet) = (journal("asks-crash"), Fleet::default());
    fleet.becomes(1, Health::Deaf);
    life(async {
        let world = world();
        let shell = start(&path, &world, &fleet).await;
        submit(&shell, "go").await;
        fleet.until(Asked::Run(call(A, 1), 1)).await;
        asks(&world, &fleet, A, (1, 1), "which folder?").await;
    });
    life(async {
        let world = World::default();
        let shell = start(&path, &world, &fleet).await;
        world.until(|seen| *seen == asked(A, 1, 1, "which folder?")).await;
        assert_eq!(answer(&shell, A, key(1, 1), "this one").await, Outcome::Applied);
        told(&fleet, 1).await;
    });
    fleet.state().ill.clear();
    fleet.state().may_end = true;
    life(async {
        let world = World::of([says("", &[(DONE, "fine")])]);
        let _shell = start(&path, &world, &fleet).await;
        assert_eq!(told(&fleet, 2).await, [answered(1, 1, "this one"), answered(1, 1, "this one")]);
        fleet.ends(1).await;
        assert!(!world.seen().iter().any(|seen| matches!(seen, Seen::AgentAsked(..))), "it was answered");
    });
}

/// While the process is gone the time of the question goes on.
#[test]
fn question_whose_time_was_over_while_the_process_was_gone_has_expired() {
    let (path, fleet, world) = (journal("asks-clock"), Fleet::default(), world());
    // A tenth of what the lease has, which must not be over.
    let mut config = config(pool());
    config.kernel.question_ms = LONG_MS / 10;
    life(async {
        let shell = start_with(&path, &world, &fleet, config).await;
        submit(&shell, "go").await;
        fleet.until(Asked::Run(call(A, 1), 1)).await;
        asks(&world, &fleet, A, (1, 1), "which folder?").await;
    });
    world.pass_ms(u64::from(LONG_MS / 10));
    life(async {
        let _shell = start_with(&path, &world, &fleet, config).await;
        settled(&world, A, key(1, 1), QuestionEnd::Expired).await;
        assert_eq!(told(&fleet, 1).await, [(1, 1, QuestionEnd::Expired, String::new())]);
    });
}

/// Duty 12: that the agent is gone is on record, and that its questions were told so is not.
#[test]
fn question_is_closed_if_a_crash_takes_the_word_that_the_lease_is_over() {
    let (whole, path, fleet) = (journal("asks-word-whole"), journal("asks-word"), Fleet::default());
    let config = ShellConfig { snapshot_every: 0, ..config(pool()) };
    life(async {
        let world = world();
        let shell = start_with(&whole, &world, &fleet, config).await;
        submit(&shell, "go").await;
        fleet.until(Asked::Run(call(A, 1), 1)).await;
        asks(&world, &fleet, A, (1, 1), "which folder?").await;
        fleet.state().is_stuck = true;
        gone(&shell, 1).await;
        settled(&world, A, key(1, 1), QuestionEnd::Withdrawn).await;
        shell.stop().await.expect("it stops");
    });
    life(async {
        let lines = lines(&whole).await;
        let gone =
            lines.iter().position(|line| line.contains(r#"{"Gone":{"agent":1}}"#)).expect("it is gone");
        let lost = lines.iter().position(|line| line.contains("AgentLost")).expect("it is told");
        assert!(gone < lost, "the word goes out when the end of the lease is durable");
        written(&path, &lines[..=gone]).await;
        let world = World::default();
        let shell = start_with(&path, &world, &fleet, config).await;
        settled(&world, A, key(1, 1), QuestionEnd::Withdrawn).await;
        assert_eq!(answer(&shell, A, key(1, 1), "this one").await, Outcome::Ignored(Ignored::Stale));
        shell.stop().await.expect("it stops");
    });
}

/// A lease of an attempt is the only one. The question ends with it; the next attempt has questions of its own, and people hear of both
/// under the name of the task.
#[tokio::test]
async fn attempt_whose_agent_dies_is_followed_by_one_with_questions_of_its_own() {
    let world = World::of([
        says("", &[(TOOL, "wait for it")]),
        says("", &[(TOOL, "wait for it")]),
        says("", &[(DONE, "fine")]),
    ]);
    let fleet = Fleet::default();
    let once = PoolConfig { attempts_max: 1, ..pool() };
    let mut config = ShellConfig { attempts: true, ..config(once) };
    config.kernel.task_backoff_ms = 1;
    let shell = start_with(&journal("asks-tries"), &world, &fleet, config).await;
    submit(&shell, "go").await;
    fleet.until(Asked::Run(call(A, 1), 1)).await;
    asks(&world, &fleet, A, (1, 1), "which folder?").await;
    gone(&shell, 1).await;
    settled(&world, A, key(1, 1), QuestionEnd::Withdrawn).await;
    fleet.until(Asked::Run(call(B, 1), 2)).await;
    asks(&world, &fleet, B, (2, 1), "and which folder?").await;
    assert_eq!(answer(&shell, B, key(2, 1), "this one").await, Outcome::Applied);
    assert_eq!(told(&fleet, 1).await, [answered(2, 1, "this one")]);
    fleet.state().may_end = true;
    while fleet.state().tried.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(fleet.state().tried, [(A, RetryEnd::Completed { attempt: AttemptNumber(2) })]);
    assert_eq!(
        fleet.state().progress,
        [(A, "which folder?".to_owned()), (A, "and which folder?".to_owned())]
    );
    shell.stop().await.expect("it stops");
}
