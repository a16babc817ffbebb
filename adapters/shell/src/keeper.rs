//! When snapshots are taken: in between commits as bytes, and beside them to the store.
//!
//! What goes wrong with a snapshot loses nothing, because the journal has all that it has. So it is told, and the shard goes on; what is
//! wrong with the store itself stops the next commit.

use crate::compact::Compaction;
use crate::entry::Entry;
use crate::error::ShellError;
use crate::known::Known;
use crate::number::{Place, Settings};
use crate::snapshot::encode;
use downbeat_kernel::TaskId;
use downbeat_rt::{Receiver, Rt, Sender, Task};
use downbeat_store::{Lease, Position, Snapshot, Store};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whoever takes the snapshots of a shard.
pub(crate) struct Keeper {
    rt: Rt,
    store: Arc<dyn Store>,
    lease: Lease,
    place: Place,
    /// 0 for never.
    every: u64,
    /// Where the last one was taken.
    last: Position,
    compacted: Compacted,
    under_way: Option<UnderWay>,
}

/// How far the journal is compacted.
#[derive(Clone, Copy, Debug)]
struct Compacted {
    next: Position,
    /// The lines that are left of what is before.
    lines: u64,
}

impl Compacted {
    /// Whether as many lines came as were left: so all compactions together write no more lines than there were events.
    fn is_due(self, next: Position, every: u64) -> bool {
        next.0 - self.next.0 >= self.lines.max(every)
    }
}

struct UnderWay {
    task: Task,
    ended: Receiver<Compacted>,
}

/// Says that the way of a snapshot is over, also if it panicked: or there would never be another one.
struct Ending {
    end: Sender<Compacted>,
    compacted: Compacted,
}

impl Ending {
    fn with(&mut self, compacted: Compacted) {
        self.compacted = compacted;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // The shard may have stopped.
        let _ = self.end.try_send(self.compacted);
    }
}

/// One snapshot on its way to the store.
pub(crate) struct Taken {
    store: Arc<dyn Store>,
    lease: Lease,
    place: Place,
    settings: Settings,
    snapshot: Snapshot,
    held: BTreeSet<TaskId>,
    standing: Vec<Entry>,
    /// Before it.
    compacted: Compacted,
    every: u64,
}

impl Keeper {
    /// Of a shard whose last snapshot was taken there.
    pub(crate) fn new(
        rt: Rt,
        store: Arc<dyn Store>,
        lease: Lease,
        place: Place,
        every: u64,
        last: Position,
    ) -> Self {
        let compacted = Compacted { next: Position(1), lines: 0 };
        Self { rt, store, lease, place, every, last, compacted, under_way: None }
    }

    /// Takes a snapshot of what is known before this position, if it is time.
    pub(crate) fn take(&mut self, known: &Known, next: Position) -> Option<Taken> {
        if self.every == 0 || next.0 - self.last.0 < self.every || self.is_busy() {
            return None;
        }
        self.last = next;
        let began = self.rt.now();
        let snapshot = match encode(known, self.place, next) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                tracing::warn!(target: "downbeat::shard", %error, "no snapshot");
                return None;
            }
        };
        let took_us = u64::try_from(self.rt.now().saturating_sub(began).as_micros()).unwrap_or(u64::MAX);
        let (events, bytes) = (next.0 - 1, snapshot.bytes.len());
        tracing::debug!(target: "downbeat::shard", events, bytes, took_us, "snapshot");
        Some(Taken {
            store: Arc::clone(&self.store),
            lease: self.lease,
            place: self.place,
            settings: known.settings(),
            snapshot,
            held: known.held(),
            standing: known.standing(),
            compacted: self.compacted,
            every: self.every,
        })
    }

    /// Whether the one before is still on its way.
    fn is_busy(&mut self) -> bool {
        let Some(UnderWay { ended, .. }) = &mut self.under_way else { return false };
        let Some(compacted) = ended.take() else { return true };
        self.compacted = compacted;
        self.under_way = None;
        false
    }

    /// Begins to bring it to the store: when all that it knows is durable.
    pub(crate) fn begin(&mut self, taken: Taken) {
        let (end, ended) = self.rt.channel("snapshot", 1);
        let mut ending = Ending { end, compacted: taken.compacted };
        let task = self.rt.spawn("snapshot", async move {
            match taken.keep().await {
                Ok(compacted) => ending.with(compacted),
                Err(error) => tracing::warn!(target: "downbeat::shard", %error, "no snapshot"),
            }
        });
        self.under_way = Some(UnderWay { task, ended });
    }

    /// Gives up what is on its way.
    pub(crate) async fn stop(&mut self) {
        if let Some(UnderWay { task, .. }) = self.under_way.take() {
            task.abort();
            task.join().await;
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(UnderWay { task, .. }) = &self.under_way {
            task.abort();
        }
    }
}

impl Taken {
    async fn keep(self) -> Result<Compacted, ShellError> {
        let Self { store, lease, place, settings, snapshot, held, standing, compacted, every } = self;
        store.keep(lease, &snapshot).await?;
        let next = snapshot.next;
        if !compacted.is_due(next, every) {
            return Ok(compacted);
        }
        let compaction = Compaction { place, settings, lease, snapshot: &snapshot, held, standing };
        let lines = compaction.run(&*store).await?;
        tracing::debug!(target: "downbeat::shard", events = next.0 - 1, lines, "compacted");
        // What cannot be compacted now is tried again when there is twice as much.
        Ok(Compacted { next, lines: lines.unwrap_or(next.0 - 1) })
    }
}
