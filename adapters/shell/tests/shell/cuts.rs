//! The process is gone after each line of its journal, and whoever starts there goes on: also between an order and what follows from it.

use crate::asks::{answer, asks, key};
use crate::fleet::{Asked, Fleet, TOOL, config, gone, pool, submit as submit_to};
use crate::stage::{Seen, World, charges, journal, says, settings, start_with};
use crate::story::{A, DONE, call, life};
use crate::tries::{B, FAILED, completed, end, submit, tell};
use downbeat_kernel::{
    About, AttemptNumber, Budget, Event, Ignored, News, NotificationEvent, Outcome, PoolConfig,
    QuestionEvent, RetryEnd, RetryEvent, TaskId,
};
use downbeat_rt::{Rt, Tokio};
use downbeat_shell::{Entry, Recorded, SendEnd, Shell, ShellConfig, Wish};
use downbeat_store::{Batch, Position, ShardId, Sqlite, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) async fn lines(path: &Path) -> Vec<String> {
    let store = Sqlite::open_to_read(path).await.expect("it is there");
    let batches = store.read(ShardId(0), Position(1), 10_000).await.expect("it is read");
    batches.iter().flat_map(Batch::lines).map(str::to_owned).collect()
}

/// A journal of these lines.
pub(crate) async fn written(path: &Path, lines: &[String]) {
    let store = Sqlite::open(path).await.expect("a store");
    let lease = store.open(ShardId(0)).await.expect("nobody has it").lease;
    let mut batch = Batch::at(Position(1));
    for line in lines {
        batch.push(line);
    }
    store.append(lease, &batch).await.expect("it is appended");
    store.close(lease).await.expect("it is closed");
}

/// What a journal says of the attempts at one task: none is made twice (duty 7), there is one end (S24), and the tree forgets an attempt when
/// the attempts and the questions of its agent know that it is over (duty 6).
fn judge(after: usize, lines: &[String]) {
    let (mut attempts, mut over, mut asking) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let mut conclusions = 0;
    for line in lines {
        match Entry::read(line).expect("an entry").event {
            Recorded::Attempted { task, .. } => _ = attempts.insert(AttemptNumber(1), task),
            Recorded::Begun { attempt, root, .. } => {
                assert_eq!(attempts.insert(attempt, root), None, "duty 7, after {after}");
            }
            Recorded::Retry { event, .. } => {
                if let RetryEvent::AttemptEnded { attempt, .. } = event.into() {
                    over.insert(attempts[&attempt]);
                }
            }
            Recorded::Questions { root, event } => match event.into() {
                QuestionEvent::Asked { .. } => _ = asking.insert(root),
                QuestionEvent::TaskEnded => _ = asking.remove(&root),
                QuestionEvent::Assigned { .. }
                | QuestionEvent::AgentLost { .. }
                | QuestionEvent::Answered { .. }
                | QuestionEvent::Acknowledged { .. }
                | QuestionEvent::Closed { .. }
                | QuestionEvent::Elapsed { .. } => {}
            },
            Recorded::Tree(record) => {
                if let Event::EndAcknowledged { task } = record.into() {
                    assert!(
                        over.contains(&task),
                        "duty 6, after {after}: the attempts have not heard of {task:?}"
                    );
                    assert!(!asking.contains(&task), "duty 6, after {after}: the agent of {task:?} asks");
                }
            }
            Recorded::Outbox { event, .. } => {
                let posted = |number| NotificationEvent::Posted { number, news: News::Progress };
                let event: NotificationEvent = event.into();
                if let NotificationEvent::Posted { number, .. } = event {
                    conclusions += u32::from(event != posted(number));
                }
            }
            Recorded::Credential { .. }
            | Recorded::Pool(_)
            | Recorded::Submitted { .. }
            | Recorded::NoPlace { .. }
            | Recorded::PoolStands { .. }
            | Recorded::Stands { .. } => {}
        }
    }
    assert_eq!(conclusions, 1, "S24, after {after}");
}

/// The line by which people have the last notification.
fn told(lines: &[String]) -> usize {
    let is_told = |line: &String| line.contains(r#""Outbox""#) && line.contains("Acknowledged");
    lines.iter().rposition(is_told).expect("people have heard")
}

fn fine() -> SendEnd {
    says("", &[(DONE, "fine")])
}

/// No snapshots, a millisecond between two attempts, and more of them than the test makes.
fn four(config: ShellConfig) -> ShellConfig {
    let mut config = ShellConfig { attempts: true, snapshot_every: 0, ..config };
    (config.kernel.task_backoff_ms, config.kernel.task_attempts_max) = (1, 4);
    config
}

/// Also after the line by which the second attempt was ordered, and before the one by which it begins.
#[test]
fn crash_after_any_line_loses_no_attempt_and_makes_none_twice() {
    let (whole, config) = (journal("cuts-whole"), four(settings()));
    let lines = life(async {
        let world = World::of(FAILED.into_iter().chain([fine()]));
        let shell = start_with(&whole, &world, config).await;
        submit(&shell).await;
        assert_eq!(end(&world).await, completed(2, "fine"));
        shell.stop().await.expect("it stops");
        lines(&whole).await
    });
    for after in 1..=lines.len() {
        let path = journal(&format!("cuts-{after}"));
        let world = World::of(std::iter::repeat_n(fine(), 4));
        life(async {
            written(&path, &lines[..after]).await;
            let shell = start_with(&path, &world, config).await;
            if after <= told(&lines) {
                let Seen::Tried(A, RetryEnd::Completed { .. }, text) = end(&world).await else {
                    panic!("after {after}: {:?}", world.seen());
                };
                assert_eq!(text, "fine", "after {after}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            let cancel = tell(&shell, Event::CancelRequested { task: A }).await;
            assert_eq!(cancel, Outcome::Ignored(Ignored::Terminal), "after {after}: it is forgotten");
            shell.stop().await.expect("it stops");
            judge(after, &self::lines(&path).await);
        });
    }
}

/// What the bills of a journal say, with responses or without, in their order.
fn paid(lines: &[String]) -> Vec<u64> {
    let of = |line: &String| {
        let entry = Entry::read(line).expect("an entry");
        let Recorded::Tree(record) = entry.event else { return None };
        let spend = match (Event::from(record), entry.bill) {
            (_, Some(bill)) => Some(bill.spend),
            (Event::Spent { spend, .. }, None) => Some(spend),
            (_, None) => None,
        };
        spend.map(|spend| spend.tokens)
    };
    lines.iter().filter_map(of).collect()
}

/// The model recovers its response with what that has cost. A bill that was on record before the response would count twice.
#[test]
fn crash_after_any_line_bills_no_response_twice() {
    let (whole, budget) = (journal("cuts-bill-whole"), Budget { tokens: 100, ..Budget::default() });
    let asks = || charges(60, says("", &[(Wish::Question, "how?")]));
    let is_asked = |seen: &Seen| matches!(seen, Seen::Asked(_, About::Question(_), _));
    let lines = life(async {
        let world = World::of([asks()]);
        let shell = start_with(&whole, &world, settings()).await;
        shell.submit("go".to_owned(), budget).await.expect("it runs");
        world.until(is_asked).await;
        shell.stop().await.expect("it stops");
        lines(&whole).await
    });
    assert_eq!(paid(&lines), [60]);
    for after in 1..=lines.len() {
        let (path, world) = (journal(&format!("cuts-bill-{after}")), World::of([asks()]));
        world.knows(asks());
        life(async {
            written(&path, &lines[..after]).await;
            let shell = start_with(&path, &world, settings()).await;
            world.until(is_asked).await;
            shell.stop().await.expect("it stops");
            assert_eq!(paid(&self::lines(&path).await), [60], "after {after}");
        });
    }
}

/// It makes more calls than there may be in a response, and is asked for again.
#[tokio::test]
async fn response_that_is_refused_is_paid_for() {
    let (path, budget) = (journal("cuts-refused"), Budget { tokens: 1_000, ..Budget::default() });
    let refused = charges(60, says("", &[(Wish::Question, "how?"); 3]));
    let world = World::of([refused, charges(50, fine())]);
    let shell = start_with(&path, &world, settings()).await;
    shell.submit("go".to_owned(), budget).await.expect("it runs");
    world.until(|seen| matches!(seen, Seen::Ended(A, ..))).await;
    shell.stop().await.expect("it stops");
    assert_eq!(paid(&lines(&path).await), [60, 50]);
}

async fn start_on_agents(path: &Path, world: &World, fleet: &Fleet) -> Shell {
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(path).await.expect("a store"));
    let once = PoolConfig { attempts_max: 1, ..pool() };
    Shell::start(&Rt::new(Tokio::current()), four(config(once)), &store, &fleet.ports(world))
}

async fn until_tried(fleet: &Fleet) -> Vec<(TaskId, RetryEnd)> {
    while fleet.state().tried.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    fleet.state().tried.clone()
}

/// On agents, of which the first dies while a person is asked for it.
#[test]
fn crash_after_any_line_of_a_task_on_agents_forgets_no_attempt_too_early() {
    let (whole, fleet) = (journal("cuts-agents-whole"), Fleet::default());
    let lines = life(async {
        let tools = std::iter::repeat_n(says("", &[(TOOL, "wait for it")]), 2);
        let world = World::of(tools.chain([fine()]));
        let shell = start_on_agents(&whole, &world, &fleet).await;
        submit_to(&shell, "go").await;
        fleet.until(Asked::Run(call(A, 1), 1)).await;
        asks(&world, &fleet, A, (1, 1), "which folder?").await;
        gone(&shell, 1).await;
        fleet.until(Asked::Run(call(B, 1), 2)).await;
        asks(&world, &fleet, B, (2, 1), "and which folder?").await;
        assert_eq!(answer(&shell, B, key(2, 1), "this one").await, Outcome::Applied);
        fleet.state().may_end = true;
        assert_eq!(until_tried(&fleet).await.len(), 1);
        shell.stop().await.expect("it stops");
        lines(&whole).await
    });
    for after in 1..=lines.len() {
        let (path, fleet) = (journal(&format!("cuts-agents-{after}")), Fleet::default());
        fleet.state().may_end = true;
        life(async {
            written(&path, &lines[..after]).await;
            let world = World::of(std::iter::repeat_n(fine(), 4));
            let shell = start_on_agents(&path, &world, &fleet).await;
            if after <= told(&lines) {
                let tried = until_tried(&fleet).await;
                assert!(matches!(tried[..], [(A, RetryEnd::Completed { .. })]), "after {after}: {tried:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            let cancel = tell(&shell, Event::CancelRequested { task: A }).await;
            assert_eq!(cancel, Outcome::Ignored(Ignored::Terminal), "after {after}: it is forgotten");
            shell.stop().await.expect("it stops");
            judge(after, &self::lines(&path).await);
        });
    }
}
