//! What the outside remembers: a line for each thing that reached it, in a file beside the journal.
//!
//! The simulated world lives in the process that is killed, and must not forget with it. So whatever reaches it is a line in this file
//! before it is answered, and all that it knows follows from these lines. A line that is not whole was answered to nobody: it has not
//! happened.

use crate::error::DemoError;
use downbeat_kernel::{CallId, End, Generation, MessageId, NotificationNumber, Part, RequestId, TaskId};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The version of these lines.
pub(crate) const VERSION: u32 = 2;

/// Something that reached the outside, or that it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Record {
    /// The first line: what the run is of.
    Run { version: u32, seed: u64, trees: u64 },
    /// A process goes on with it.
    Life,
    /// It has stopped in an orderly way.
    Closed,
    /// The run is over, and was judged.
    Finished { is_kept: bool },
    /// A tree was submitted, and that is durable.
    Accepted { tree: u64, task: TaskId },
    /// A send reached the provider.
    Sent { id: RequestId, generation: Generation, asking: Vec<(Part, String)> },
    /// It came to its end there.
    Over { id: RequestId, end: Over },
    /// A tool did what it was asked for.
    Did { call: CallId, argument: String },
    /// A person is about to do something to a task.
    Wished { task: TaskId, wish: Wished },
    /// The person heard that it is durable, or that it is too late.
    Heard { task: TaskId, wish: Wished, is_taken: bool },
    /// A person was told that a message was not delivered.
    Undelivered { task: TaskId, message: MessageId, in_doubt: bool },
    /// People heard that somebody asks in the tree of a root.
    Progress { task: TaskId, number: NotificationNumber },
    /// People heard how a root ended. Whether whoever told them hears so: if not, they are told again.
    Told { task: TaskId, number: NotificationNumber, end: End, result: String, is_heard: bool },
    /// A refresh token was used, and what came of it is kept.
    Used { generation: Generation },
    /// What was kept is in the store, under this generation.
    Stored { generation: Generation },
}

/// How a send came to its end at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Over {
    /// With a whole response, of so many tokens.
    Whole { tokens: u64 },
    /// The provider asked for patience.
    Throttled,
    /// It broke.
    Broken,
    /// The token was not taken.
    Unauthorized,
    /// Whoever asked has gone.
    Stopped,
}

/// What a person does to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Wished {
    Message(MessageId),
    Pause,
    Resume,
    Cancel,
}

/// The file. Whoever has it holds its lock.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    path: PathBuf,
    line: Vec<u8>,
}

impl Log {
    /// Opens the file, creates it if it is not there, and gives what is in it to `take`. Half a line at the end is removed.
    pub(crate) fn open(
        path: &Path,
        mut take: impl FnMut(Record) -> Result<(), DemoError>,
    ) -> Result<Self, DemoError> {
        let mut log = Self::locked(path)?;
        let unusable = |source| DemoError::File { path: path.to_owned(), source };
        let (mut lines, mut line, mut whole) = (BufReader::new(&log.file), Vec::new(), 0);
        for number in 1.. {
            line.clear();
            let length = lines.read_until(b'\n', &mut line).map_err(unusable)?;
            if line.pop() != Some(b'\n') {
                break;
            }
            let damaged = |source| DemoError::Damaged { path: path.to_owned(), line: number, source };
            take(serde_json::from_slice(&line).map_err(damaged)?)?;
            whole += length as u64;
        }
        log.cut(whole)?;
        Ok(log)
    }

    /// Opens the file without a look at what is in it.
    pub(crate) fn locked(path: &Path) -> Result<Self, DemoError> {
        let unusable = |source| DemoError::File { path: path.to_owned(), source };
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = options.map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, path: path.to_owned(), line: Vec::new() }),
            Err(TryLockError::WouldBlock) => Err(DemoError::Held { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Removes what is behind so many bytes, and goes on there.
    pub(crate) fn cut(&mut self, bytes: u64) -> Result<(), DemoError> {
        let unusable = |source| DemoError::File { path: self.path.clone(), source };
        self.file.set_len(bytes).map_err(unusable)?;
        self.file.seek(SeekFrom::Start(bytes)).map(drop).map_err(unusable)
    }

    /// Adds a line. It is there when the process is killed, though not when the machine loses its power.
    pub(crate) fn write(&mut self, record: &Record) -> Result<(), DemoError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, record).expect("records always have a form in JSON");
        self.line.push(b'\n');
        let unusable = |source| DemoError::File { path: self.path.clone(), source };
        self.file.write_all(&self.line).map_err(unusable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a file has. A process that another test begins has our files, with their locks, until it runs: then it is tried again.
    fn read(path: &Path) -> Result<(Log, Vec<Record>), DemoError> {
        for _ in 0..200 {
            match read_once(path) {
                Err(DemoError::Held { .. }) => std::thread::sleep(std::time::Duration::from_millis(10)),
                other => return other,
            }
        }
        read_once(path)
    }

    fn read_once(path: &Path) -> Result<(Log, Vec<Record>), DemoError> {
        let mut records = Vec::new();
        let log = Log::open(path, |record| {
            records.push(record);
            Ok(())
        })?;
        Ok((log, records))
    }

    #[test]
    fn half_a_line_has_not_happened_and_is_written_over() {
        let path = crate::testing::folder("half-a-line").join("world.jsonl");
        let (mut log, records) = read(&path).expect("it is new");
        assert_eq!(records, []);
        log.write(&Record::Life).expect("there is room");
        log.file.write_all(br#"{"Accepted":{"tr"#).expect("there is room");
        drop(log);
        let (mut log, records) = read(&path).expect("its beginning is whole");
        assert_eq!(records, [Record::Life]);
        log.write(&Record::Closed).expect("there is room");
        drop(log);
        assert_eq!(read(&path).expect("it is whole").1, [Record::Life, Record::Closed]);
    }
}
