//! Why a journal cannot be shown, or what is wrong with what it says.

use downbeat_kernel::TaskId;
use downbeat_shell::{Contradiction, ShellError};
use downbeat_store::{Position, ShardId, StoreError};
use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a journal cannot be shown, or what is wrong with what it says.
#[derive(Debug)]
pub enum PastError {
    /// The store cannot be opened or read.
    Store(StoreError),
    /// A line cannot be read, or its machine does not take it.
    Shell(ShellError),
    /// The state that the lines lead to contradicts itself.
    Contradiction {
        /// Which shard.
        shard: ShardId,
        /// Which machine, and how.
        what: Contradiction,
    },
    /// The journal ends before its snapshot: lines are lost that have gone out.
    Ahead {
        /// Which shard.
        shard: ShardId,
        /// The first position that is not in the snapshot.
        snapshot: Position,
        /// The one behind the journal.
        journal: Position,
    },
    /// The lines lead to another state than that which was written down when the shard was there.
    Disagrees {
        /// Which shard.
        shard: ShardId,
        /// Before which position.
        at: Position,
    },
    /// There is no journal in the store.
    Empty,
    /// No line is about this task.
    NoTask {
        /// Which.
        task: TaskId,
        /// Lines of trees that were over before that position are left out.
        compacted: Option<Position>,
    },
    /// There is no line of this number.
    NoLine {
        /// Which.
        at: u64,
        /// In which shard.
        shard: ShardId,
        /// The number of the last line that was read.
        last: u64,
    },
    /// There are several shards, and nothing says which is meant.
    WhichShard {
        /// How many.
        shards: u32,
    },
    /// There are not so many shards.
    NoShard {
        /// Which was asked for.
        shard: u32,
        /// How many there are.
        shards: u32,
    },
    /// A file with settings cannot be read.
    SettingsFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in it are no settings.
    Settings {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The settings given are others than those that the last snapshot was taken under.
    OtherSettings {
        /// Which differ, each with what the snapshot has.
        differ: Vec<String>,
    },
    /// A tree by itself comes to another state than among the others: it met a bound that is one of all tasks together.
    NotByItself {
        /// The root.
        root: TaskId,
        /// The first task that stands elsewhere.
        task: TaskId,
    },
    /// A line of such a file is none of an exported tree.
    Exported {
        /// Which line of it, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// No line is shown: the first comes after the last.
    Backwards {
        /// The first.
        from: u64,
        /// The last.
        until: u64,
    },
    /// A file that is to be stepped through again cannot be read.
    Input(io::Error),
    /// What is shown cannot be written.
    Output(io::Error),
}

impl PastError {
    /// Whether it is the file that cannot be read, whatever is asked of it.
    pub(crate) fn is_of_the_file(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Input(_) | Self::Empty)
    }

    /// Whether the journal was read and is wrong, as against one that could not be read, or not be asked for like this.
    pub(crate) fn is_of_the_journal(&self) -> bool {
        match self {
            Self::Contradiction { .. }
            | Self::Ahead { .. }
            | Self::Disagrees { .. }
            | Self::Shell(ShellError::Refused { .. } | ShellError::Corrupt(_) | ShellError::Ahead { .. }) => {
                true
            }
            Self::Shell(
                ShellError::Store(_)
                | ShellError::Unreadable { .. }
                | ShellError::Shards { .. }
                | ShellError::Unwritable(_)
                | ShellError::NotTaken(_)
                | ShellError::Late { .. }
                | ShellError::Stopped,
            )
            | Self::Store(_)
            | Self::Empty
            | Self::NoTask { .. }
            | Self::NoLine { .. }
            | Self::WhichShard { .. }
            | Self::NoShard { .. }
            | Self::SettingsFile { .. }
            | Self::Settings { .. }
            | Self::OtherSettings { .. }
            | Self::NotByItself { .. }
            | Self::Exported { .. }
            | Self::Backwards { .. }
            | Self::Input(_)
            | Self::Output(_) => false,
        }
    }
}

impl From<StoreError> for PastError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ShellError> for PastError {
    fn from(error: ShellError) -> Self {
        Self::Shell(error)
    }
}

impl From<io::Error> for PastError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

const HOW_TO_SET: &str = "give the settings that it was written under with --settings FILE";

impl fmt::Display for PastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Shell(ShellError::Refused { shard, at, outcome }) => write!(
                f,
                "shard {}: line {} does not follow from those before it ({outcome:?}): lines are missing or changed, or the settings are others; {HOW_TO_SET}",
                shard.0, at.0
            ),
            Self::Shell(ShellError::Shards { shard, shards, task }) => write!(
                f,
                "shard {}: task {} belongs to another of {shards} shards; say with how many the journal was written, as `shards` in --settings FILE",
                shard.0, task.0
            ),
            Self::Shell(error) => error.fmt(f),
            Self::Contradiction { shard, what } => {
                write!(f, "shard {}: the lines lead to a state that contradicts itself: {what:?}", shard.0)
            }
            Self::Ahead { shard, snapshot, journal } => write!(
                f,
                "shard {}: the journal ends before position {}, and its snapshot before position {}: lines are lost that have gone out",
                shard.0, journal.0, snapshot.0
            ),
            Self::Disagrees { shard, at } => write!(
                f,
                "shard {}: the lines before position {} lead to another state than the shard was in there: lines are missing or changed, or the settings are others; {HOW_TO_SET}",
                shard.0, at.0
            ),
            Self::Empty => f.write_str("nothing was ever written to this store"),
            Self::NoTask { task, compacted: None } => write!(f, "no line is about task {}", task.0),
            Self::NoTask { task, compacted: Some(at) } => write!(
                f,
                "no line is about task {}; the journal was compacted, and what was over before position {} is not in it",
                task.0, at.0
            ),
            Self::NoLine { at, shard, last } => write!(
                f,
                "shard {} has no line {at}: the last one that was read is {last}, and a compaction leaves lines out",
                shard.0
            ),
            Self::WhichShard { shards } => {
                write!(
                    f,
                    "there are {shards} shards with a line of this number each: say which with --shard, or name a task"
                )
            }
            Self::NoShard { shard, shards } => {
                write!(f, "there is no shard {shard}: there are {shards}, numbered from 0")
            }
            Self::SettingsFile { path, source } => write!(f, "`{}` cannot be read: {source}", path.display()),
            Self::Settings { path, source } => write!(
                f,
                "`{}` has no settings: {source}; they are an object with `shards`, `kernel` and `pool`, of which each may be left out",
                path.display()
            ),
            Self::OtherSettings { differ } => write!(
                f,
                "the journal was written under other settings, as its snapshot says: {}; leave --settings out to take those",
                differ.join(", ")
            ),
            Self::NotByItself { root, task } => write!(
                f,
                "the tree of task {} cannot be exported by itself: without the other trees task {} stands elsewhere, because a bound of all tasks together was met",
                root.0, task.0
            ),
            Self::Exported { line, source } => {
                write!(f, "line {line} is none of an exported tree: {source}")
            }
            Self::Backwards { from, until } => {
                write!(f, "--from {from} comes after --until {until}: no line is shown")
            }
            Self::Input(error) => write!(f, "it cannot be read: {error}"),
            Self::Output(error) => write!(f, "what is shown cannot be written: {error}"),
        }
    }
}

impl Error for PastError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Shell(error) => Some(error),
            Self::SettingsFile { source, .. } | Self::Input(source) | Self::Output(source) => Some(source),
            Self::Settings { source, .. } | Self::Exported { source, .. } => Some(source),
            Self::Contradiction { .. }
            | Self::Ahead { .. }
            | Self::Disagrees { .. }
            | Self::Empty
            | Self::NoTask { .. }
            | Self::NoLine { .. }
            | Self::WhichShard { .. }
            | Self::NoShard { .. }
            | Self::OtherSettings { .. }
            | Self::NotByItself { .. }
            | Self::Backwards { .. } => None,
        }
    }
}
