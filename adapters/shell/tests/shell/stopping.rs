//! A shell that is told more than it can take, and one that has to stop: whoever tells it something waits, and what was told to be
//! durable is.

use crate::stage::{World, journal, settings, start_on, start_with};
use crate::story::{A, apply};
use downbeat_kernel::{Budget, Event, TaskId};
use downbeat_shell::{Entry, Recorded, ShellConfig, ShellError, Teller};
use downbeat_store::{Batch, Lease, Opened, Pending, Position, Rewriting, ShardId, Snapshot, Sqlite, Store};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// A store whose commits wait until they are let through.
pub(crate) struct Gated {
    store: Sqlite,
    gate: Arc<Semaphore>,
}

impl Gated {
    pub(crate) async fn open(path: &Path) -> (Self, Arc<Semaphore>) {
        let gate = Arc::new(Semaphore::new(0));
        (Self { store: Sqlite::open(path).await.expect("a store"), gate: Arc::clone(&gate) }, gate)
    }
}

impl Store for Gated {
    fn open(&self, shard: ShardId) -> Pending<'_, Opened> {
        self.store.open(shard)
    }

    fn append<'s>(&'s self, lease: Lease, batch: &'s Batch) -> Pending<'s, ()> {
        Box::pin(async move {
            self.gate.acquire().await.expect("it is not closed").forget();
            self.store.append(lease, batch).await
        })
    }

    fn read(&self, shard: ShardId, from: Position, lines_max: u64) -> Pending<'_, Vec<Batch>> {
        self.store.read(shard, from, lines_max)
    }

    fn compact<'s>(
        &'s self,
        lease: Lease,
        until: Position,
        rewriting: &'s mut dyn Rewriting,
    ) -> Pending<'s, ()> {
        self.store.compact(lease, until, rewriting)
    }

    fn keep<'s>(&'s self, lease: Lease, snapshot: &'s Snapshot) -> Pending<'s, ()> {
        self.store.keep(lease, snapshot)
    }

    fn snapshot(&self, shard: ShardId) -> Pending<'_, Option<Snapshot>> {
        self.store.snapshot(shard)
    }

    fn shards(&self) -> Pending<'_, Vec<ShardId>> {
        self.store.shards()
    }

    fn close(&self, lease: Lease) -> Pending<'_, ()> {
        self.store.close(lease)
    }
}

/// A mailbox for four, commits of two, and a tenth of a second to stop in.
fn narrow() -> ShellConfig {
    ShellConfig { mailbox_max: 4, batch_max: 2, stop_ms_max: 100, ..settings() }
}

/// The tasks whose submission is on record.
async fn submitted(path: &Path) -> BTreeSet<TaskId> {
    let store = Sqlite::open_to_read(path).await.expect("it is there");
    let batches = store.read(ShardId(0), Position(1), 10_000).await.expect("it is read");
    let events = batches.iter().flat_map(Batch::lines).map(|line| Entry::read(line).expect("an entry").event);
    let task = |recorded| {
        let Recorded::Tree(record) = recorded else { return None };
        if let Event::TaskSubmitted { task, .. } = record.into() { Some(task) } else { None }
    };
    events.filter_map(task).collect()
}

/// Long enough for whatever can go on to do so.
pub(crate) async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

const SENDERS: usize = 40;

/// Forty who submit a task each, at once.
fn crowd(teller: &Teller) -> JoinSet<Result<TaskId, ShellError>> {
    let submit = |_| {
        let teller = teller.clone();
        async move { teller.submit("go".to_owned(), Budget::default()).await }
    };
    (0..SENDERS).map(submit).collect()
}

/// The tasks that were told to be durable, and how many were refused because the shell has stopped.
async fn heard(mut crowd: JoinSet<Result<TaskId, ShellError>>) -> (BTreeSet<TaskId>, usize) {
    let (mut accepted, mut refused) = (BTreeSet::new(), 0);
    while let Some(told) = crowd.join_next().await {
        match told.expect("no panic") {
            Ok(task) => assert!(accepted.insert(task), "{task:?} twice"),
            Err(ShellError::Stopped) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    (accepted, refused)
}

#[tokio::test]
async fn full_mailbox_holds_senders_back_and_loses_nothing() {
    let (path, world) = (journal("crowd"), World::default());
    let (store, gate) = Gated::open(&path).await;
    let shell = start_on(store, &world, narrow());
    let mut crowd = crowd(&shell.teller());
    a_moment().await;
    assert!(crowd.try_join_next().is_none(), "it was answered before it was durable");
    assert_eq!(submitted(&path).await, BTreeSet::new());
    gate.add_permits(1);
    a_moment().await;
    let mut answered = BTreeSet::new();
    while let Some(told) = crowd.try_join_next() {
        answered.insert(told.expect("no panic").expect("it runs"));
    }
    assert!((1..=2).contains(&answered.len()), "a commit has room for two");
    assert_eq!(submitted(&path).await, answered);
    gate.add_permits(10_000);
    let (rest, refused) = heard(crowd).await;
    answered.extend(rest);
    assert_eq!((answered, refused), ((1..=SENDERS as u64).map(TaskId).collect(), 0));
}

#[tokio::test]
async fn stop_in_a_crowd_answers_what_is_durable_and_refuses_the_rest() {
    let (path, world) = (journal("stop-crowd"), World::default());
    let (store, gate) = Gated::open(&path).await;
    let shell = start_on(store, &world, narrow());
    let crowd = crowd(&shell.teller());
    a_moment().await;
    let opened = tokio::spawn(async move {
        a_moment().await;
        gate.add_permits(10_000);
    });
    shell.stop().await.expect("there is time enough");
    opened.await.expect("no panic");
    let (accepted, refused) = heard(crowd).await;
    assert_eq!(accepted.len() + refused, SENDERS);
    assert!(!accepted.is_empty(), "what was in the mailbox was dropped");
    assert_eq!(submitted(&path).await, accepted);
}

#[tokio::test]
async fn shard_that_does_not_stop_in_time_is_dropped_and_told() {
    let (path, world) = (journal("late"), World::default());
    let (store, gate) = Gated::open(&path).await;
    gate.add_permits(1);
    let shell = start_on(store, &world, narrow());
    apply(&shell, Event::TaskSubmitted { task: A, budget: Budget::default() }, "go").await;
    let teller = shell.teller();
    let late = shell.stop().await.expect_err("its commit never ends").to_string();
    assert_eq!(late, "not stopped in time, and dropped: shards 0");
    let refused = teller.submit("late".to_owned(), Budget::default()).await;
    assert!(matches!(refused, Err(ShellError::Stopped)), "{refused:?}");
    assert_eq!(submitted(&path).await, BTreeSet::from([A]));
    // What it held is free again.
    let again = start_with(&path, &world, settings()).await;
    assert_eq!(again.submit("go".to_owned(), Budget::default()).await.expect("it runs"), TaskId(2));
}

/// A person who is in a hurry ends the program while it stops.
#[tokio::test]
async fn stop_that_is_given_up_is_as_a_crash() {
    for moments in [0, 1, 3, 10] {
        let (path, world) = (journal(&format!("hurry-{moments}")), World::default());
        let shell = start_with(&path, &world, narrow()).await;
        let crowd = crowd(&shell.teller());
        for _ in 0..moments {
            tokio::task::yield_now().await;
        }
        let stopped = tokio::time::timeout(Duration::from_millis(moments), shell.stop()).await;
        drop(stopped);
        let (accepted, _) = heard(crowd).await;
        a_moment().await;
        let there = submitted(&path).await;
        assert!(accepted.is_subset(&there), "{accepted:?} were told to be durable, and {there:?} are there");
        let again = start_with(&path, &world, settings()).await;
        let next = again.submit("go".to_owned(), Budget::default()).await.expect("it runs");
        assert_eq!(next.0, there.len() as u64 + 1);
    }
}

#[tokio::test]
async fn snapshot_is_not_ahead_of_its_journal() {
    let (path, world) = (journal("behind"), World::default());
    let (store, gate) = Gated::open(&path).await;
    let reader = Sqlite::open_to_read(&path).await.expect("it is there");
    let shell = start_on(store, &world, ShellConfig { snapshot_every: 1, ..narrow() });
    let _crowd = crowd(&shell.teller());
    a_moment().await;
    let mut last = None;
    for commits in 0..4 {
        let batches = reader.read(ShardId(0), Position(1), 1_000).await.expect("it is read");
        let snapshot = reader.snapshot(ShardId(0)).await.expect("it is read");
        let durable = batches.last().map(|batch| batch.next);
        last = snapshot.map(|snapshot| snapshot.next);
        assert!(last <= durable, "after {commits} commits: {last:?}, and {durable:?} is the end");
        gate.add_permits(1);
        a_moment().await;
    }
    assert!(last.is_some(), "no snapshot was taken");
}
