//! A search put down in a file, so that another process can go on with it.
//!
//! A checkpoint has no states and no keys: it has the origin of each state, two bytes for most, from which all of
//! them can be found again, and what was counted and found so far. So it suits every encoding and needs nothing
//! of a model's types; and a model that has changed no longer fits it, which is seen.

use std::borrow::Borrow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::CheckError;
use super::disk::failed;
use super::evaluate::{Finding, Findings, Witness};
use super::explore::Totals;
use super::key::Key;
use super::traces::{self, Traces};

/// What the file begins with.
const MAGIC: &[u8] = b"downbeat checkpoint\n";
/// Raised whenever the form of the file or the keys of states change.
const VERSION: u64 = 3;
/// Between the parts of an identity.
pub(super) const PART: &str = ", ";
/// Bytes of the sum over the file at its end.
const SUM: usize = u64::BYTES;
/// Bytes that are written, and summed up, at a time.
const BLOCK: usize = 1 << 16;

/// Where checkpoints are written, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpointing {
    /// The file. It is replaced as a whole, so that a kill at any moment leaves the one before.
    pub path: PathBuf,
    /// What is searched, in words, with commas between the parts: a checkpoint of something else is refused, and the
    /// parts that differ are named.
    pub identity: String,
    /// Time between two checkpoints.
    pub every: Duration,
}

impl Checkpointing {
    /// Removes the checkpoint, if there is one, and what a kill may have left of another.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn remove(&self) -> Result<(), CheckError> {
        for path in [&self.path, &part(&self.path)] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed("remove", path, &error));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}

/// Where a file is written before it takes its place.
pub(crate) fn part(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

/// A search as it was when the checkpoint was written, with the origins of its states or what borrows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint<T = Traces> {
    pub(super) identity: String,
    pub(super) traces: T,
    /// Distinct initial states.
    pub(super) initial: usize,
    pub(super) levels: Vec<usize>,
    /// The rank of the first state that was not expanded.
    pub(super) at: usize,
    /// The rank at which the block ends that was begun.
    pub(super) until: usize,
    pub(super) beyond: bool,
    pub(super) totals: Totals,
    pub(super) findings: Findings,
    /// The sum of the digests of all keys.
    pub(super) key_sum: u64,
}

impl<T: Borrow<Traces>> Checkpoint<T> {
    /// Writes the file, in blocks: what is written takes no memory besides.
    pub(super) fn write(&self, path: &Path) -> Result<(), CheckError> {
        if path.exists() && !path.is_file() {
            let error = std::io::Error::other("something else than a file is there");
            return Err(failed("replace", path, &error));
        }
        let part = part(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| failed("create", parent, &error))?;
        }
        let write = || {
            let mut file = std::fs::File::create(&part)?;
            self.write_to(&mut file)?;
            file.sync_all()
        };
        if let Err(error) = write() {
            // The room that is left is for whatever else is written; the checkpoint before is untouched.
            drop(std::fs::remove_file(&part));
            return Err(failed("write", &part, &error));
        }
        std::fs::rename(&part, path).map_err(|error| failed("rename", &part, &error))
    }

    fn write_to(&self, file: impl Write) -> io::Result<()> {
        let traces: &Traces = self.traces.borrow();
        let mut writer = Writer { file, block: Vec::with_capacity(BLOCK), sum: 0 };
        writer.put(MAGIC)?;
        writer.number(VERSION)?;
        writer.bytes(self.identity.as_bytes())?;
        writer.number(traces.len() as u64)?;
        writer.bytes(traces.bytes())?;
        writer.number(self.initial as u64)?;
        writer.numbers(self.levels.iter().map(|begin| *begin as u64))?;
        writer.number(self.at as u64)?;
        writer.number(self.until as u64)?;
        writer.number(u64::from(self.beyond))?;
        writer.number(self.totals.generated)?;
        writer.numbers(self.totals.kinds.iter().copied())?;
        writer.numbers(self.totals.marks.iter().copied())?;
        writer.number(self.findings.iter().count() as u64)?;
        for Finding { witness, reached } in self.findings.iter() {
            writer.number(u64::from(*reached))?;
            writer.option(witness.map(|witness| witness.rank))?;
            writer.option(witness.and_then(|witness| witness.action))?;
        }
        writer.number(self.key_sum)?;
        writer.end()
    }
}

impl Checkpoint {
    /// Reads a file that is a checkpoint of what `identity` names.
    pub(super) fn read(path: &Path, identity: &str) -> Result<Self, CheckError> {
        let bytes = std::fs::read(path).map_err(|error| failed("read", path, &error))?;
        let bad = |why| CheckError::Checkpoint { path: path.to_owned(), why };
        let saved = Self::from_bytes(&bytes).map_err(bad)?;
        if saved.identity == identity {
            Ok(saved)
        } else {
            Err(bad(BadCheckpoint::Foreign { of: saved.identity, wanted: identity.to_owned() }))
        }
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, BadCheckpoint> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else { return Err(BadCheckpoint::NotOne) };
        let mut reader = Reader { bytes: rest, at: 0 };
        let version = reader.number().ok_or(BadCheckpoint::Damaged)?;
        if version != VERSION {
            return Err(BadCheckpoint::Version { found: version, known: VERSION });
        }
        let content = bytes.len().checked_sub(SUM).ok_or(BadCheckpoint::Damaged)?;
        let (content, sum) = bytes.split_at(content);
        if u64::read(sum) != content.chunks(BLOCK).fold(0, add) {
            return Err(BadCheckpoint::Damaged);
        }
        reader.content().ok_or(BadCheckpoint::Damaged)
    }
}

/// Why a file cannot be gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadCheckpoint {
    /// It is something else.
    NotOne,
    /// It was written by another version of this program.
    Version {
        /// Its version.
        found: u64,
        /// The version that can be read.
        known: u64,
    },
    /// It is cut off, or some of its bytes have changed.
    Damaged,
    /// It is of another search.
    Foreign {
        /// What it is of.
        of: String,
        /// What is searched.
        wanted: String,
    },
    /// Its states cannot be found again: the model has changed since it was written.
    OtherModel,
}

impl std::fmt::Display for BadCheckpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BadCheckpoint::NotOne => write!(f, "it is not a checkpoint"),
            BadCheckpoint::Version { found, known } => {
                write!(f, "it has version {found}, and this program reads version {known}")
            }
            BadCheckpoint::Damaged => write!(f, "it is cut off or damaged"),
            BadCheckpoint::Foreign { of, wanted } => {
                let (of, wanted) = (without(of, wanted), without(wanted, of));
                write!(f, "it is of a search with {of}, and this is one with {wanted}")
            }
            BadCheckpoint::OtherModel => write!(f, "the model has changed since it was written"),
        }
    }
}

/// The parts of an identity that another one does not have.
fn without(identity: &str, other: &str) -> String {
    let others: Vec<&str> = other.split(PART).collect();
    let parts: Vec<&str> = identity.split(PART).filter(|part| !others.contains(part)).collect();
    if parts.is_empty() { "nothing more".to_owned() } else { parts.join(PART) }
}

/// The sum over a file so far and one more block of it.
fn add(sum: u64, block: &[u8]) -> u64 {
    u64::fingerprint(&(sum, block))
}

/// Writes blocks of one length, and behind the last one, which may be shorter, the sum over all.
struct Writer<W> {
    file: W,
    block: Vec<u8>,
    sum: u64,
}

impl<W: Write> Writer<W> {
    fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while self.block.len() + bytes.len() >= BLOCK {
            let (now, later) = bytes.split_at(BLOCK - self.block.len());
            self.block.extend(now);
            self.end_block()?;
            bytes = later;
        }
        self.block.extend(bytes);
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        self.sum = add(self.sum, &self.block);
        self.file.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }

    fn end(mut self) -> io::Result<()> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        self.sum.write(&mut self.block);
        self.file.write_all(&self.block)
    }

    fn number(&mut self, number: u64) -> io::Result<()> {
        let mut bytes = Vec::new();
        traces::write(&mut bytes, number);
        self.put(&bytes)
    }

    fn numbers(&mut self, mut numbers: impl ExactSizeIterator<Item = u64>) -> io::Result<()> {
        self.number(numbers.len() as u64)?;
        numbers.try_for_each(|number| self.number(number))
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.number(bytes.len() as u64)?;
        self.put(bytes)
    }

    /// 0 for nothing, else one more than the number.
    fn option(&mut self, number: Option<usize>) -> io::Result<()> {
        self.number(number.map_or(0, |number| number as u64 + 1))
    }
}

/// Reads what [`Writer`] wrote; `None` where it ends too early or does not fit.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn content(&mut self) -> Option<Checkpoint> {
        let identity = String::from_utf8(self.bytes()?.to_vec()).ok()?;
        let len = self.len()?;
        let traces = Traces::from_bytes(self.bytes()?, len)?;
        let initial = self.len()?;
        let levels = self.numbers()?.into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>().ok()?;
        let (at, until) = (self.len()?, self.len()?);
        let (beyond, generated) = (self.number()? == 1, self.number()?);
        let (kinds, marks) = (self.numbers()?, self.numbers()?);
        let mut findings = Vec::new();
        for _ in 0..self.len()? {
            let reached = self.number()? == 1;
            let (rank, action) = (self.len()?.checked_sub(1), self.len()?.checked_sub(1));
            findings.push(Finding { witness: rank.map(|rank| Witness { rank, action }), reached });
        }
        let key_sum = self.number()?;
        let ascending = levels.first() == Some(&0) && levels.is_sorted();
        let fits = ascending && levels.last() <= Some(&at) && at.max(initial).max(until) <= traces.len();
        let totals = Totals { generated, kinds, marks };
        fits.then(|| Checkpoint {
            identity,
            traces,
            initial,
            levels,
            at,
            until,
            beyond,
            totals,
            findings: findings.into_iter().collect(),
            key_sum,
        })
    }

    fn number(&mut self) -> Option<u64> {
        traces::read(self.bytes, &mut self.at)
    }

    fn len(&mut self) -> Option<usize> {
        self.number().and_then(|number| usize::try_from(number).ok())
    }

    fn numbers(&mut self) -> Option<Vec<u64>> {
        (0..self.len()?).map(|_| self.number()).collect()
    }

    fn bytes(&mut self) -> Option<&[u8]> {
        let len = self.len()?;
        let bytes = self.bytes.get(self.at..self.at.checked_add(len)?)?;
        self.at += len;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::traces::Origin;

    fn checkpoint(states: usize) -> Checkpoint {
        let mut traces = Traces::default();
        for (parent, position) in (0..states as u64).zip((0..300).cycle()) {
            traces.push(Origin { parent, position });
        }
        let totals = Totals { generated: 9, kinds: vec![1, 2], marks: vec![300] };
        let witness = Some(Witness { rank: 3, action: None });
        let findings = [Finding { witness, reached: true }, Finding { witness: None, reached: false }];
        Checkpoint {
            identity: "a model".into(),
            traces,
            initial: 1,
            levels: vec![0],
            at: states / 2,
            until: states / 2,
            beyond: true,
            totals,
            findings: findings.into_iter().collect(),
            key_sum: 7,
        }
    }

    #[test]
    fn checkpoint_of_any_number_of_blocks_is_had_back_and_damage_is_seen() {
        for states in [5, BLOCK / 2, BLOCK, 2 * BLOCK + 17] {
            let checkpoint = checkpoint(states);
            let mut bytes = Vec::new();
            checkpoint.write_to(&mut bytes).expect("memory takes everything");
            assert_eq!(Checkpoint::from_bytes(&bytes), Ok(checkpoint), "{states}");
            for at in [MAGIC.len() + 1, bytes.len() / 2, bytes.len() - 1] {
                bytes[at] ^= 1;
                assert_eq!(Checkpoint::from_bytes(&bytes), Err(BadCheckpoint::Damaged), "{states} {at}");
                bytes[at] ^= 1;
            }
            assert_eq!(
                Checkpoint::from_bytes(&bytes[..bytes.len() - 1]),
                Err(BadCheckpoint::Damaged),
                "{states}"
            );
        }
    }

    #[test]
    fn blocks_have_one_length_whatever_is_put() {
        for lengths in [&[BLOCK][..], &[BLOCK - 1, 1], &[1, BLOCK, BLOCK - 1, 3 * BLOCK, 7], &[]] {
            let mut file = Vec::new();
            let mut writer = Writer { file: &mut file, block: Vec::new(), sum: 0 };
            lengths
                .iter()
                .try_for_each(|length| writer.put(&vec![5; *length]))
                .expect("memory takes everything");
            writer.end().expect("memory takes everything");
            let content = vec![5; lengths.iter().sum()];
            let sum = content.chunks(BLOCK).fold(0, add);
            assert_eq!(file, [content, sum.to_be_bytes().to_vec()].concat(), "{lengths:?}");
        }
    }
}
