//! A store in memory.

use std::sync::Mutex;

use downbeat_store::{Batch, Lease, Opened, Pending, Position, Rewriting, ShardId, Snapshot, Store};

/// One journal, of one shard.
#[derive(Default)]
pub(crate) struct Memory {
    batches: Mutex<(u64, Vec<Batch>)>,
}

impl Store for Memory {
    fn open(&self, shard: ShardId) -> Pending<'_, Opened> {
        Box::pin(async move {
            let mut journal = self.batches.lock().expect("no panic");
            journal.0 += 1;
            let next = journal.1.last().map_or(Position(1), |last| last.next);
            Ok(Opened { lease: Lease { shard, epoch: journal.0 }, next })
        })
    }

    fn append<'s>(&'s self, _lease: Lease, batch: &'s Batch) -> Pending<'s, ()> {
        Box::pin(async move {
            self.batches.lock().expect("no panic").1.push(batch.clone());
            Ok(())
        })
    }

    fn read(&self, _shard: ShardId, from: Position, lines_max: u64) -> Pending<'_, Vec<Batch>> {
        let until = Position(from.0.saturating_add(lines_max.max(1)));
        Box::pin(async move {
            let journal = self.batches.lock().expect("no panic");
            let there = journal.1.iter().filter(|batch| batch.next > from && batch.first < until);
            Ok(there.cloned().collect())
        })
    }

    fn compact<'s>(
        &'s self,
        _lease: Lease,
        _until: Position,
        _rewriting: &'s mut dyn Rewriting,
    ) -> Pending<'s, ()> {
        Box::pin(async { Ok(()) })
    }

    fn keep<'s>(&'s self, _lease: Lease, _snapshot: &'s Snapshot) -> Pending<'s, ()> {
        Box::pin(async { Ok(()) })
    }

    fn snapshot(&self, _shard: ShardId) -> Pending<'_, Option<Snapshot>> {
        Box::pin(async { Ok(None) })
    }

    fn shards(&self) -> Pending<'_, Vec<ShardId>> {
        Box::pin(async { Ok(vec![ShardId(0)]) })
    }

    fn close(&self, _lease: Lease) -> Pending<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}
