//! What can go wrong with a store, and what to do about it.

use crate::{Position, ShardId};
use std::error::Error;
use std::fmt;

/// Why a store did not do what it was asked for.
#[derive(Debug)]
pub struct StoreError {
    /// Which shard, if it was about one.
    pub shard: Option<ShardId>,
    /// What is wrong.
    pub trouble: Trouble,
    /// What the database says.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Another process writes to the shard.
    Held,
    /// Another process has become the writer since.
    Fenced {
        /// The epoch of the refused write.
        epoch: u64,
        /// The newest.
        newest: u64,
    },
    /// A batch was appended elsewhere than at the end.
    Misplaced {
        /// Where it was to go.
        at: Position,
    },
    /// There is no room on the disk.
    Full,
    /// It may be read and not written.
    ReadOnly,
    /// It is not there, or may not be opened.
    Absent,
    /// A batch is not what was written.
    Damaged {
        /// What does not fit.
        what: &'static str,
        /// Where.
        at: Position,
    },
    /// The database itself is damaged, or is none.
    NotADatabase,
    /// A newer version wrote it.
    Newer,
    /// The connection was lost, or the disk failed: what was asked for has happened or not.
    Unknown,
}

impl Trouble {
    /// The same, of a shard.
    #[must_use]
    pub fn of(self, shard: ShardId) -> StoreError {
        StoreError { shard: Some(shard), trouble: self, source: None }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("another process writes to it; stop that one, or use another store"),
            Self::Fenced { epoch, newest } => {
                write!(
                    f,
                    "another process has become its writer (epoch {newest}, this one had {epoch}); nothing was written"
                )
            }
            Self::Misplaced { at } => {
                write!(f, "position {} is taken, or not the next; nothing was written", at.0)
            }
            Self::Full => f.write_str("the disk is full; nothing was written: make room and start again"),
            Self::ReadOnly => {
                f.write_str("it cannot be written: check the permissions of the file and its folder")
            }
            Self::Absent => {
                f.write_str("it cannot be opened: check the path and the permissions of its folder, or the address of its server")
            }
            Self::Damaged { what, at } => {
                write!(f, "the journal is damaged at position {}: {what}; what comes before is whole", at.0)
            }
            Self::NotADatabase => {
                f.write_str("this is no database, or a damaged one: restore it from a backup")
            }
            Self::Newer => f.write_str("a newer version has written it: use that version, or a later one"),
            Self::Unknown => {
                f.write_str("the answer was lost: what was written is known when it is opened again")
            }
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shard {
            Some(shard) => write!(f, "store, shard {}: {}", shard.0, self.trouble),
            None => write!(f, "store: {}", self.trouble),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// What a database's error means.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn of_database(shard: Option<ShardId>, error: sqlx::Error) -> StoreError {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .map(std::borrow::Cow::into_owned);
    let trouble = code.map_or(Trouble::Unknown, |code| of_code(&code));
    StoreError { shard, trouble, source: Some(Box::new(error)) }
}

/// SQLite's codes are numbers whose low byte says what kind it is; PostgreSQL's have five characters.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn of_code(code: &str) -> Trouble {
    match code {
        "53100" => return Trouble::Full,
        "55P03" => return Trouble::Held,
        "25006" | "42501" => return Trouble::ReadOnly,
        "XX001" | "XX002" => return Trouble::NotADatabase,
        _ => {}
    }
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(8) => Trouble::ReadOnly,
        Ok(11 | 26) => Trouble::NotADatabase,
        Ok(13) => Trouble::Full,
        Ok(14) => Trouble::Absent,
        _ => Trouble::Unknown,
    }
}
