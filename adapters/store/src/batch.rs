//! What one commit adds to a journal.

#[cfg(any(feature = "sqlite", feature = "postgres"))]
use crate::error::{StoreError, Trouble};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use crate::{Lease, ShardId};

/// A place in a journal: that of one line, from 1, without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// Lines that go to a journal together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The position of the first line.
    pub first: Position,
    /// The position after the last one. A batch that came of [`Store::compact`](crate::Store::compact) may have fewer lines than
    /// positions.
    pub next: Position,
    /// How many lines there are.
    pub lines: u64,
    /// The lines, each with its end.
    pub text: String,
}

impl Batch {
    /// An empty one, whose first line goes there.
    pub fn at(first: Position) -> Self {
        Self { first, next: first, lines: 0, text: String::new() }
    }

    /// Adds a line, which has no line break in it.
    pub fn push(&mut self, line: &str) {
        debug_assert!(!line.contains('\n'), "a line with a line break is two");
        self.text.push_str(line);
        self.text.push('\n');
        self.lines += 1;
        self.next.0 += 1;
    }

    /// Whether there is no line in it.
    pub fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// The lines, in their order.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }

    /// What has to fit when it is read again.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn sum(&self) -> u32 {
        let mut sum = crc32fast::Hasher::new();
        for number in [self.first.0, self.next.0, self.lines] {
            sum.update(&number.to_le_bytes());
        }
        sum.update(self.text.as_bytes());
        sum.finalize()
    }

    /// Whether it is what was written, and comes where the one before ends.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn verify(&self, shard: ShardId, expected: Position, sum: u32) -> Result<(), StoreError> {
        let damaged = |what| Err(Trouble::Damaged { what, at: self.first }.of(shard));
        if self.first > expected {
            return Err(Trouble::Damaged { what: "lines are missing before it", at: expected }.of(shard));
        }
        if self.sum() != sum {
            return damaged("its checksum does not fit");
        }
        Ok(())
    }
}

/// The refusal of a writer whose right has ended.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn fenced(lease: Lease, newest: u64) -> StoreError {
    Trouble::Fenced { epoch: lease.epoch, newest }.of(lease.shard)
}
