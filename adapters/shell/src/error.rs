//! Why a shard cannot go on.

use crate::fact::Refused;
use crate::known::Contradiction;
use downbeat_kernel::{Outcome, TaskId};
use downbeat_store::{Position, ShardId, StoreError};
use std::error::Error;
use std::fmt;

/// Why a shard cannot go on.
#[derive(Debug)]
pub enum ShellError {
    /// The store does not do what it was asked for.
    Store(StoreError),
    /// A line of the journal cannot be read: it is of a newer version, or damaged.
    Unreadable {
        /// Which shard.
        shard: ShardId,
        /// Which line.
        at: Position,
        /// Why.
        source: serde_json::Error,
    },
    /// A line of the journal says something that its machine does not take where it stands: the journal is of other settings.
    Refused {
        /// Which shard.
        shard: ShardId,
        /// Which line.
        at: Position,
        /// What the machine says.
        outcome: Box<Outcome<Refused>>,
    },
    /// The journal was written when there were more shards, or fewer.
    Shards {
        /// Which shard.
        shard: ShardId,
        /// How many there are now.
        shards: u32,
        /// A task in its journal that belongs elsewhere.
        task: TaskId,
    },
    /// The journal ends before its snapshot: what was there is lost, and has gone out.
    Ahead {
        /// Which shard.
        shard: ShardId,
        /// The first position that is not in the snapshot.
        snapshot: Position,
        /// The one behind the journal.
        journal: Position,
    },
    /// The journal leads to a state that contradicts itself.
    Corrupt(Contradiction),
    /// An event cannot be written as a line.
    Unwritable(serde_json::Error),
    /// The kernel does not take it.
    NotTaken(Box<Outcome>),
    /// Some shards have not stopped in time, and were dropped where they were. What they had told is durable; what they had
    /// not answered is, or is not.
    Late {
        /// Which.
        shards: Vec<ShardId>,
    },
    /// The shell has stopped.
    Stopped,
}

impl From<StoreError> for ShellError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for ShellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Unreadable { shard, at, source } => {
                write!(
                    f,
                    "shard {}: line {} of the journal cannot be read: {source}; was it written by a newer version?",
                    shard.0, at.0
                )
            }
            Self::Refused { shard, at, outcome } => write!(
                f,
                "shard {}: line {} of the journal does not fit ({outcome:?}); start with the settings that it was written under",
                shard.0, at.0
            ),
            Self::Shards { shard, shards, task } => write!(
                f,
                "shard {}: task {} belongs to another of {shards} shards; start with as many as the journal was written with",
                shard.0, task.0
            ),
            Self::Ahead { shard, snapshot, journal } => write!(
                f,
                "shard {}: the journal ends before position {}, and its snapshot before position {}: lines are lost; restore the store from a backup",
                shard.0, journal.0, snapshot.0
            ),
            Self::Corrupt(corrupt) => {
                write!(f, "the journal leads to a state that contradicts itself: {corrupt:?}")
            }
            Self::Unwritable(error) => write!(f, "an event cannot be written: {error}"),
            Self::NotTaken(outcome) => write!(f, "the kernel does not take it: {outcome:?}"),
            Self::Late { shards } => {
                let shards: Vec<_> = shards.iter().map(|shard| shard.0.to_string()).collect();
                write!(f, "not stopped in time, and dropped: shards {}", shards.join(", "))
            }
            Self::Stopped => f.write_str("the shell has stopped"),
        }
    }
}

impl Error for ShellError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Unreadable { source, .. } | Self::Unwritable(source) => Some(source),
            Self::Refused { .. }
            | Self::Shards { .. }
            | Self::Ahead { .. }
            | Self::Corrupt(_)
            | Self::NotTaken(_)
            | Self::Late { .. }
            | Self::Stopped => None,
        }
    }
}
