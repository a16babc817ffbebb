//! A store in memory, which outlives the processes that write to it.

use downbeat_rt::Cell;
use downbeat_store::{
    Batch, Lease, Opened, Pending, Position, Rewriting, ShardId, Snapshot, Store, StoreError, Trouble,
};
use std::collections::BTreeMap;

use crate::host::Host;
use crate::marks::{Mark, Marks, UnderWay};
use crate::pause::pause;

/// What is kept of one shard.
#[derive(Default)]
struct Journal {
    epoch: u64,
    batches: Vec<Batch>,
    snapshot: Option<Snapshot>,
}

impl Journal {
    fn next(&self) -> Position {
        self.batches.last().map_or(Position(1), |batch| batch.next)
    }

    fn holds(&self, lease: Lease) -> Result<(), StoreError> {
        if self.epoch == lease.epoch {
            return Ok(());
        }
        Err(Trouble::Fenced { epoch: lease.epoch, newest: self.epoch }.of(lease.shard))
    }

    fn append(&mut self, lease: Lease, batch: &Batch) -> Result<(), StoreError> {
        self.holds(lease)?;
        if batch.first != self.next() {
            return Err(Trouble::Misplaced { at: batch.first }.of(lease.shard));
        }
        self.batches.push(batch.clone());
        Ok(())
    }
}

/// How a commit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Done,
    /// It is not done, and nobody knows.
    Lost,
    /// It is done, and nobody knows.
    Unheard,
    /// It is not done, and whoever asked is told so.
    Refused,
}

/// How long a commit is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    /// No time.
    AtOnce,
    /// A step before it and a step after it, in which others may go on. It is lost with whoever ordered it.
    InSteps,
    /// The same, and it is done also if whoever ordered it dies meanwhile.
    Elsewhere,
}

/// The store.
#[derive(Clone)]
pub(crate) struct Memory {
    world: Host,
    commit: Commit,
    /// How many commits may still fail: they have happened or not, and whoever asked is told that nobody knows.
    failures: Cell<u32>,
    journals: Cell<BTreeMap<ShardId, Journal>>,
    under_way: UnderWay,
    marks: Marks,
}

impl Memory {
    pub(crate) fn new(
        world: &Host,
        commit: Commit,
        failures: u32,
        under_way: &UnderWay,
        marks: &Marks,
    ) -> Self {
        let journals = world.rt().cell("store", BTreeMap::new());
        let failures = world.rt().cell("failures", failures);
        let (world, under_way, marks) = (world.clone(), under_way.clone(), marks.clone());
        Self { world, commit, failures, journals, under_way, marks }
    }

    fn with<R>(&self, shard: ShardId, change: impl FnOnce(&mut Journal) -> R) -> R {
        self.journals.with(|journals| change(journals.entry(shard).or_default()))
    }

    fn commit(&self, lease: Lease, batch: &Batch) -> Result<(), StoreError> {
        let may_fail = self.failures.read(|left| *left > 0);
        let ends = [Ended::Lost, Ended::Unheard, Ended::Refused];
        let fails = may_fail && self.world.happens("a commit fails");
        let mut end = if fails { ends[self.world.choose(ends.len(), "commit")] } else { Ended::Done };
        // On several threads two may come to that at once.
        let spend = |left: &mut u32| left.checked_sub(1).map(|less| *left = less);
        if end != Ended::Done && self.failures.with(spend).is_none() {
            end = Ended::Done;
        }
        self.world.say(|| format!("commits {} lines", batch.lines));
        if let Ended::Done | Ended::Unheard = end {
            self.with(lease.shard, |journal| journal.append(lease, batch))?;
        }
        match end {
            Ended::Done => Ok(()),
            Ended::Lost => Err(self.unknown(lease, Mark::CommitLost)),
            Ended::Unheard => Err(self.unknown(lease, Mark::AnswerOfCommitLost)),
            Ended::Refused => Err(Trouble::Full.of(lease.shard)),
        }
    }

    fn unknown(&self, lease: Lease, mark: Mark) -> StoreError {
        self.marks.hit(mark);
        Trouble::Unknown.of(lease.shard)
    }

    /// A commit that somebody else does.
    async fn ordered(&self, lease: Lease, batch: &Batch) -> Result<(), StoreError> {
        let rt = self.world.rt();
        let _under_way = self.under_way.one();
        let (done, mut answer) = rt.channel("committed", 1);
        let (store, batch) = (self.clone(), batch.clone());
        rt.spawn("disk", async move {
            // Whoever ordered it may have died.
            let _ = done.try_send(store.commit(lease, &batch));
        });
        answer.next().await.unwrap_or(Err(Trouble::Unknown.of(lease.shard)))
    }
}

impl Store for Memory {
    fn open(&self, shard: ShardId) -> Pending<'_, Opened> {
        Box::pin(async move {
            Ok(self.with(shard, |journal| {
                journal.epoch += 1;
                Opened { lease: Lease { shard, epoch: journal.epoch }, next: journal.next() }
            }))
        })
    }

    fn append<'s>(&'s self, lease: Lease, batch: &'s Batch) -> Pending<'s, ()> {
        match self.commit {
            Commit::AtOnce => Box::pin(async move { self.commit(lease, batch) }),
            Commit::InSteps => Box::pin(async move {
                let _under_way = self.under_way.one();
                pause().await;
                self.commit(lease, batch)
            }),
            Commit::Elsewhere => Box::pin(self.ordered(lease, batch)),
        }
    }

    fn read(&self, shard: ShardId, from: Position, lines_max: u64) -> Pending<'_, Vec<Batch>> {
        let until = Position(from.0.saturating_add(lines_max.max(1)));
        Box::pin(async move {
            Ok(self.with(shard, |journal| {
                let there = journal.batches.iter().filter(|batch| batch.next > from && batch.first < until);
                there.cloned().collect()
            }))
        })
    }

    fn compact<'s>(
        &'s self,
        lease: Lease,
        until: Position,
        rewriting: &'s mut dyn Rewriting,
    ) -> Pending<'s, ()> {
        Box::pin(async move {
            self.with(lease.shard, |journal| {
                journal.holds(lease)?;
                let (before, after): (Vec<_>, Vec<_>) =
                    journal.batches.iter().cloned().partition(|batch| batch.first < until);
                let mut others = Vec::new();
                for batch in &before {
                    others.extend(rewriting.take(batch)?);
                }
                others.extend(rewriting.rest()?);
                journal.batches = others.into_iter().chain(after).collect();
                Ok(())
            })
        })
    }

    fn keep<'s>(&'s self, lease: Lease, snapshot: &'s Snapshot) -> Pending<'s, ()> {
        Box::pin(async move {
            self.with(lease.shard, |journal| {
                journal.holds(lease)?;
                journal.snapshot = Some(snapshot.clone());
                Ok(())
            })
        })
    }

    fn snapshot(&self, shard: ShardId) -> Pending<'_, Option<Snapshot>> {
        Box::pin(async move { Ok(self.with(shard, |journal| journal.snapshot.clone())) })
    }

    fn shards(&self) -> Pending<'_, Vec<ShardId>> {
        Box::pin(async move { Ok(self.journals.read(|journals| journals.keys().copied().collect())) })
    }

    fn close(&self, _lease: Lease) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}
