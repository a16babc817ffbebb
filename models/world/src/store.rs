//! A store in memory, which outlives the processes that write to it.

use downbeat_rt::Cell;
use downbeat_sim::explore::World;
use downbeat_store::{
    Batch, Lease, Opened, Pending, Position, ShardId, Snapshot, Store, StoreError, Trouble,
};
use std::collections::BTreeMap;

use crate::marks::{Mark, Marks};

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

/// The store.
#[derive(Clone)]
pub(crate) struct Memory {
    world: World,
    /// Whether others may go on while a commit is under way. It is then done also if whoever ordered it dies meanwhile.
    is_slow: bool,
    /// How many commits may still fail: they have happened or not, and whoever asked is told that nobody knows.
    failures: Cell<u32>,
    journals: Cell<BTreeMap<ShardId, Journal>>,
    marks: Marks,
}

impl Memory {
    pub(crate) fn new(world: &World, is_slow: bool, failures: u32, marks: &Marks) -> Self {
        let journals = world.rt().cell("store", BTreeMap::new());
        let failures = world.rt().cell("failures", failures);
        Self { world: world.clone(), is_slow, failures, journals, marks: marks.clone() }
    }

    fn with<R>(&self, shard: ShardId, change: impl FnOnce(&mut Journal) -> R) -> R {
        self.journals.with(|journals| change(journals.entry(shard).or_default()))
    }

    fn commit(&self, lease: Lease, batch: &Batch) -> Result<(), StoreError> {
        let may_fail = self.failures.read(|left| *left > 0);
        let end = if may_fail { self.world.choose(3, "commit") } else { 0 };
        if end > 0 {
            self.marks.hit(if end == 1 { Mark::CommitLost } else { Mark::AnswerOfCommitLost });
            self.failures.with(|left| *left -= 1);
        }
        self.world.say(|| format!("commits {} lines", batch.lines));
        if end != 1 {
            self.with(lease.shard, |journal| journal.append(lease, batch))?;
        }
        if end > 0 { Err(Trouble::Unknown.of(lease.shard)) } else { Ok(()) }
    }

    /// A commit that somebody else does.
    async fn ordered(&self, lease: Lease, batch: &Batch) -> Result<(), StoreError> {
        let rt = self.world.rt();
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
        if self.is_slow {
            return Box::pin(self.ordered(lease, batch));
        }
        Box::pin(async move { self.commit(lease, batch) })
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

    fn compact<'s>(&'s self, lease: Lease, batch: &'s Batch) -> Pending<'s, ()> {
        Box::pin(async move {
            self.with(lease.shard, |journal| {
                journal.holds(lease)?;
                journal.batches.retain(|there| there.first >= batch.next);
                journal.batches.insert(0, batch.clone());
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
