//! One shard, line by line: what there is before a line, and what it led to.

use crate::error::PastError;
use crate::since::Since;
use downbeat_kernel::Effect;
use downbeat_kernel::{End, TaskId};
use downbeat_shell::{Journal, OnRecord, Order, Replay, ShellConfig};
use downbeat_store::{Position, ShardId, Snapshot, Store};

/// How many of what there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) lines: u64,
    pub(crate) first_ms: Option<u64>,
    pub(crate) last_ms: u64,
    /// The position of the last line.
    pub(crate) last: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
}

impl Counts {
    pub(crate) fn ended(&self) -> u64 {
        self.completed + self.failed + self.cancelled
    }
}

/// A shard that is read.
pub(crate) struct Follow<'s> {
    journal: Journal<'s>,
    replay: Replay,
    since: Since,
    counts: Counts,
    /// The last snapshot, until it was compared.
    snapshot: Option<Snapshot>,
    /// Whether it was, and the replay knew the same.
    compared: Option<Position>,
    until: Option<u64>,
    shard: ShardId,
    /// A line that was read, and is behind the last.
    is_over: bool,
}

impl<'s> Follow<'s> {
    /// A shard from its first line on, up to one and with that.
    pub(crate) async fn open(
        store: &'s dyn Store,
        shard: ShardId,
        config: &ShellConfig,
        until: Option<u64>,
    ) -> Result<Self, PastError> {
        Ok(Self {
            journal: Journal::new(store, shard),
            replay: Replay::new(shard, config),
            since: Since::default(),
            counts: Counts::default(),
            snapshot: store.snapshot(shard).await?,
            compared: None,
            until,
            shard,
            is_over: false,
        })
    }

    pub(crate) fn shard(&self) -> ShardId {
        self.shard
    }

    pub(crate) fn replay(&self) -> &Replay {
        &self.replay
    }

    pub(crate) fn since(&self) -> &Since {
        &self.since
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    pub(crate) fn compacted(&self) -> Option<Position> {
        self.journal.compacted()
    }

    /// The position at which a snapshot was found to know the same.
    pub(crate) fn compared(&self) -> Option<Position> {
        self.compared
    }

    /// The next line, which the machines have not taken; `None` behind the last. At the end the machines are validated.
    pub(crate) async fn next(&mut self) -> Result<Option<OnRecord>, PastError> {
        if self.is_over {
            return Ok(None);
        }
        match self.journal.next().await? {
            Some(line) if self.until.is_none_or(|until| line.at.0 <= until) => {
                self.compare(line.at)?;
                Ok(Some(line))
            }
            Some(_) => {
                self.is_over = true;
                self.validate()?;
                Ok(None)
            }
            None => {
                self.is_over = true;
                let end = self.journal.end();
                self.compare(end)?;
                if let Some(snapshot) = self.snapshot.take() {
                    return Err(PastError::Ahead {
                        shard: self.shard,
                        snapshot: snapshot.next,
                        journal: end,
                    });
                }
                self.validate()?;
                Ok(None)
            }
        }
    }

    fn validate(&self) -> Result<(), PastError> {
        self.replay.validate().map_err(|what| PastError::Contradiction { shard: self.shard, what })
    }

    /// Compares the snapshot that was taken before this position, if nothing before it is still to come.
    fn compare(&mut self, at: Position) -> Result<(), PastError> {
        let Some(snapshot) = self.snapshot.take_if(|snapshot| snapshot.next <= at) else { return Ok(()) };
        match self.replay.agrees_with(&snapshot) {
            Some(true) => self.compared = Some(snapshot.next),
            Some(false) => return Err(PastError::Disagrees { shard: self.shard, at: snapshot.next }),
            // Another version wrote it.
            None => {}
        }
        Ok(())
    }

    /// The machines take a line. What they ordered.
    pub(crate) fn take(&mut self, line: OnRecord) -> Result<Vec<Order>, PastError> {
        let (at, at_ms) = (line.at, line.entry.at_ms);
        let bill = line.entry.bill.map(|bill| bill.root);
        let named: Vec<TaskId> = line.task().into_iter().chain(bill).collect();
        let orders = self.replay.step(line)?;
        for order in &orders {
            if let Order::Tree(Effect::TaskEnded { end, .. }) = order {
                *match end {
                    End::Completed => &mut self.counts.completed,
                    End::Failed(_) => &mut self.counts.failed,
                    End::Cancelled => &mut self.counts.cancelled,
                } += 1;
            }
        }
        let touched = named.into_iter().chain(orders.iter().filter_map(Order::task));
        self.since.note(self.replay.kernel(), touched, at_ms);
        self.counts.lines += 1;
        self.counts.first_ms.get_or_insert(at_ms);
        (self.counts.last_ms, self.counts.last) = (at_ms, at.0);
        Ok(orders)
    }
}
