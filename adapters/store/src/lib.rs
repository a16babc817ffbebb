//! Where shards keep what happened to them: a journal for each, and a snapshot that saves time.
//!
//! A journal is lines of text in batches: one batch is one commit. This crate knows what a line is for as little as a disk
//! does. It promises four things (the contract of `docs/store.md`):
//!
//! - what [`Store::append`] has answered with `Ok` is there after any crash, in its order;
//! - a shard has one writer: every write carries a [`Lease`], and those of an older epoch are refused;
//! - what is damaged is an error with its place, and nothing is read past it;
//! - what cannot be known, whether a commit whose answer was lost took place, is an error of its own.

mod batch;
mod error;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::future::Future;
use std::pin::Pin;

pub use batch::{Batch, Position};
pub use error::{StoreError, Trouble};
#[cfg(feature = "postgres")]
pub use postgres::Postgres;
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;

/// One of the parts that work is divided into, each with a journal of its own. Numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u32);

/// The right to write to a shard. Each one that is given has a higher epoch than those before, which end with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Which shard.
    pub shard: ShardId,
    /// The fencing token, from 1.
    pub epoch: u64,
}

/// What a new writer of a shard finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its right to write.
    pub lease: Lease,
    /// Where the first batch goes that it appends.
    pub next: Position,
}

/// A state of the shard as it was between two positions of its journal. It can be thrown away at any time: the journal has all
/// that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The first position that is not in it.
    pub next: Position,
    /// Which form the bytes have; the number is its writer's.
    pub form: u32,
    /// The state.
    pub bytes: Vec<u8>,
}

/// What takes the place of the batches of a journal. They are many, and only a few of them are in memory at a time.
pub trait Rewriting: Send {
    /// Takes the next of them, and gives what is there to be written by then.
    ///
    /// # Errors
    /// If it is not what it has to be. Then nothing is written.
    fn take(&mut self, batch: &Batch) -> Result<Vec<Batch>, StoreError>;

    /// There are no more. What is left to be written, up to the position at which they end.
    ///
    /// # Errors
    /// As for [`Rewriting::take`].
    fn rest(&mut self) -> Result<Vec<Batch>, StoreError>;
}

/// An answer of a store that is still to come.
pub type Pending<'s, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 's>>;

/// Where shards keep what happened to them. A dropped answer may have had its effect or not.
pub trait Store: Send + Sync {
    /// Becomes the one writer of a shard. Fails if another process is, and ends the right of everybody before.
    fn open(&self, shard: ShardId) -> Pending<'_, Opened>;

    /// Adds a batch to the end of a journal, durably.
    fn append<'s>(&'s self, lease: Lease, batch: &'s Batch) -> Pending<'s, ()>;

    /// The batches from this position on, in their order: those that begin among the first `lines_max` positions, and one at
    /// least. None, at the end.
    fn read(&self, shard: ShardId, from: Position, lines_max: u64) -> Pending<'_, Vec<Batch>>;

    /// Replaces the batches before this position, at which one of them ends, by others that say the same in fewer lines. It is one
    /// commit: all of them, or none. What is appended meanwhile waits for it.
    fn compact<'s>(
        &'s self,
        lease: Lease,
        until: Position,
        rewriting: &'s mut dyn Rewriting,
    ) -> Pending<'s, ()>;

    /// Keeps a snapshot in place of the last one.
    fn keep<'s>(&'s self, lease: Lease, snapshot: &'s Snapshot) -> Pending<'s, ()>;

    /// The last snapshot, if there is one that is whole.
    fn snapshot(&self, shard: ShardId) -> Pending<'_, Option<Snapshot>>;

    /// The shards that have a journal.
    fn shards(&self) -> Pending<'_, Vec<ShardId>>;

    /// Gives the right back.
    fn close(&self, lease: Lease) -> Pending<'_, ()>;
}
