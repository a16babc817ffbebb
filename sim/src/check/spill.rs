//! The visited set beyond memory: sorted runs of keys on disk, and duplicates that are detected late.
//!
//! When memory is used up, the keys in the tables are written as one sorted run and the tables begin anew. From
//! then on a state that is not in the tables is only *perhaps* new. Such states wait until a level ends or memory
//! is used up again; then their keys, sorted, are compared with every run in one pass through the files.

use std::cmp::Ordering;
use std::path::Path;

use super::CheckError;
use super::disk::{Directory, KeyReader, KeyWriter, Keys};
use super::key::Key;

/// More runs than these are merged into one, since every comparison reads all of them.
const RUNS_MAX: usize = 8;

/// What was written to disk.
#[derive(Debug)]
pub(super) struct Spill {
    directory: Directory,
    since: usize,
    /// Bytes of a key on disk.
    key_bytes: usize,
    runs: Vec<Keys>,
}

impl Spill {
    /// A spill that will write into a directory of its own in `parent`, of a search that has found so many states.
    pub(super) fn new(parent: &Path, states: usize, key_bytes: usize) -> Result<Self, CheckError> {
        Ok(Self { directory: Directory::new(parent)?, since: states, key_bytes, runs: Vec::new() })
    }

    /// The states that had been found when it began.
    pub(super) fn since(&self) -> usize {
        self.since
    }

    /// Begins a file for something else.
    pub(super) fn file(&mut self) -> Result<KeyWriter, CheckError> {
        KeyWriter::create(self.directory.file(), self.key_bytes)
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Writes keys, which are sorted, as another run.
    pub(super) fn add<K: Key>(&mut self, keys: impl IntoIterator<Item = K>) -> Result<(), CheckError> {
        let mut run = self.file()?;
        for key in keys {
            run.push(key)?;
        }
        self.runs.push(run.end()?);
        if self.runs.len() > RUNS_MAX { self.merge::<K>() } else { Ok(()) }
    }

    /// Calls `known` with the number of each of the keys, which are sorted, that is in some run.
    pub(super) fn known<K: Key>(
        &self,
        keys: &[(K, usize)],
        mut known: impl FnMut(usize),
    ) -> Result<(), CheckError> {
        for run in &self.runs {
            let mut reader = run.read::<K>()?;
            let mut keys = keys.iter().copied();
            let mut wanted = keys.next();
            while let (Some((key, number)), Some(stored)) = (wanted, reader.peek()) {
                match key.cmp(&stored) {
                    Ordering::Less => wanted = keys.next(),
                    Ordering::Greater => reader.advance()?,
                    Ordering::Equal => {
                        known(number);
                        wanted = keys.next();
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes one run of all.
    fn merge<K: Key>(&mut self) -> Result<(), CheckError> {
        let mut readers = self.runs.iter().map(Keys::read::<K>).collect::<Result<Vec<_>, _>>()?;
        let mut merged = self.file()?;
        while let Some(least) = readers.iter().filter_map(KeyReader::peek).min() {
            merged.push(least)?;
            for reader in readers.iter_mut().filter(|reader| reader.peek() == Some(least)) {
                reader.advance()?;
            }
        }
        self.runs = vec![merged.end()?];
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn spilled_keys_are_known(runs in proptest::collection::vec(proptest::collection::btree_set(1_u64..500, 0..60), 0..20)) {
            let mut spill = Spill::new(&std::env::temp_dir(), 0, size_of::<u64>()).expect("there is room for temporary files");
            let mut all = BTreeSet::new();
            for run in runs {
                spill.add(run.iter().copied()).expect("there is room for some keys");
                all.extend(run);
            }
            prop_assert!(spill.runs.len() <= RUNS_MAX);
            let asked: Vec<(u64, usize)> = (1..500).map(|key| (key, 10 * usize::try_from(key).unwrap_or(0))).collect();
            let mut known = BTreeSet::new();
            spill.known(&asked, |number| { known.insert(number as u64 / 10); }).expect("runs can be read");
            prop_assert_eq!(known, all);
        }
    }
}
