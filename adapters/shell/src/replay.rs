//! From a store to what a shard knows: the last snapshot, and what the journal has behind it.

use crate::entry::{Entry, Past};
use crate::error::ShellError;
use crate::fact::{Fact, Order};
use crate::fault::{self, Fault};
use crate::known::Known;
use crate::number::{Place, Settings};
use crate::snapshot::decode;
use downbeat_kernel::{Event, Outcome};
use downbeat_store::{Position, ShardId, Store, Trouble};

/// Lines that are read at once: as many as are a few megabytes.
const LINES_AT_ONCE: u64 = 10_000;

/// A line of a journal that ends at a position.
pub(crate) struct Line<'l> {
    pub(crate) at: Position,
    pub(crate) text: &'l str,
    pub(crate) entry: Entry,
}

impl<'l> Line<'l> {
    pub(crate) fn read(shard: ShardId, at: Position, text: &'l str) -> Result<Self, ShellError> {
        let entry = Entry::read(text).map_err(|source| ShellError::Unreadable { shard, at, source })?;
        Ok(Self { at, text, entry })
    }
}

/// What a shard knows whose journal ends before this position, and from where on it was read.
pub(crate) async fn recover(
    store: &dyn Store,
    place: Place,
    settings: Settings,
    next: Position,
) -> Result<(Known, Position), ShellError> {
    let (mut known, from) = match from_snapshot(store, place, settings, next).await? {
        Some(found) => found,
        None => (Known::new(settings), Position(1)),
    };
    let stretch = Stretch { shard: place.shard, from, until: next, lines_at_once: LINES_AT_ONCE };
    let is_left_out = |at: Position| fault::has(Fault::SkipsLastLine) && at.0 + 1 == next.0;
    let taken = |line: Line<'_>| if is_left_out(line.at) { Ok(()) } else { take(&mut known, place, line) };
    stretch.each(store, taken).await?;
    known.validate().map_err(ShellError::Corrupt)?;
    Ok((known, from))
}

/// What the last snapshot knows, if there is one that is of use.
async fn from_snapshot(
    store: &dyn Store,
    place: Place,
    settings: Settings,
    next: Position,
) -> Result<Option<(Known, Position)>, ShellError> {
    let shard = place.shard;
    let Some(snapshot) = store.snapshot(shard).await? else { return Ok(None) };
    if snapshot.next > next {
        // What it knows has gone out: without it things would be done twice, and with it the journal would have a gap.
        return Err(ShellError::Ahead { shard, snapshot: snapshot.next, journal: next });
    }
    match decode(&snapshot, place, settings) {
        Ok(known) => Ok(Some((known, snapshot.next))),
        Err(why) => {
            tracing::warn!(target: "downbeat::shard", %why, "the snapshot is left aside");
            Ok(None)
        }
    }
}

/// Takes a line that is on record.
pub(crate) fn take(known: &mut Known, place: Place, line: Line<'_>) -> Result<(), ShellError> {
    take_entry(known, place, (line.at, line.entry), &mut Vec::new())
}

/// Takes what a line says. What it led to is added to the orders.
pub(crate) fn take_entry(
    known: &mut Known,
    place: Place,
    (at, entry): (Position, Entry),
    orders: &mut Vec<Order>,
) -> Result<(), ShellError> {
    let Entry { at_ms, event, bill, text } = entry;
    let (shard, past) = (place.shard, Past::from(event));
    if let Past::Happened(
        Fact::Tree(Event::TaskSubmitted { task, .. })
        | Fact::Submitted { task, .. }
        | Fact::Attempted { task, .. }
        | Fact::Begun { root: task, .. },
    ) = past
        && !place.has(task)
    {
        return Err(ShellError::Shards { shard, shards: place.shards, task });
    }
    match known.replay(at_ms, bill, past, &text, orders) {
        Outcome::Applied => Ok(()),
        outcome @ (Outcome::Ignored(_) | Outcome::Rejected(_)) => {
            Err(ShellError::Refused { shard, at, outcome: Box::new(outcome) })
        }
    }
}

/// A stretch of a journal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) shard: ShardId,
    pub(crate) from: Position,
    /// The first position that is not in it: the beginning of a batch, or the end.
    pub(crate) until: Position,
    /// The most between two points where others can go on.
    pub(crate) lines_at_once: u64,
}

impl Stretch {
    /// Reads it line by line.
    pub(crate) async fn each(
        self,
        store: &dyn Store,
        mut take: impl FnMut(Line<'_>) -> Result<(), ShellError> + Send,
    ) -> Result<(), ShellError> {
        let Self { shard, mut from, until, lines_at_once } = self;
        while from < until {
            let batches = store.read(shard, from, lines_at_once).await?;
            let Some(last) = batches.last() else {
                return Err(Trouble::Damaged { what: "it ends here", at: from }.of(shard).into());
            };
            from = last.next;
            for batch in batches.iter().take_while(|batch| batch.first < until) {
                for (text, at) in batch.lines().zip((batch.first.0..).map(Position)) {
                    take(Line::read(shard, at, text)?)?;
                }
            }
        }
        Ok(())
    }
}
