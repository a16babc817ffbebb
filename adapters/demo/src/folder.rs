//! Where a run is stored: a folder of its own with a journal and what the outside remembers.

use crate::error::DemoError;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The folder of a run.
#[derive(Clone, Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

/// The journal's file; beside it are those of SQLite and of its lock, with longer names.
const JOURNAL: &str = "journal.db";
/// What the outside remembers.
const WORLD: &str = "world.jsonl";

impl Folder {
    pub(crate) fn journal(&self) -> PathBuf {
        self.0.join(JOURNAL)
    }

    pub(crate) fn world(&self) -> PathBuf {
        self.0.join(WORLD)
    }

    /// Makes the folder, if it is not there. One that has other files is not touched.
    pub(crate) fn make(&self) -> Result<(), DemoError> {
        self.with(fs::create_dir_all(&self.0))?;
        let foreign = self.files()?.into_iter().find(|file| !is_ours(file));
        foreign.map_or(Ok(()), |file| Err(DemoError::Foreign { folder: self.0.clone(), file }))
    }

    /// Removes what a run has left. Whoever does so holds the world's file, which is emptied last: a run that is removed by half is
    /// none that could go on.
    pub(crate) fn remove_journal(&self) -> Result<(), DemoError> {
        for file in self.files()?.into_iter().filter(|file| is_journal(file)) {
            match fs::remove_file(self.0.join(&file)) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    return Err(DemoError::File { path: self.0.join(file), source });
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn files(&self) -> Result<Vec<PathBuf>, DemoError> {
        let entries = self.with(fs::read_dir(&self.0))?;
        entries.map(|entry| self.with(entry).map(|entry| PathBuf::from(entry.file_name()))).collect()
    }

    fn with<T>(&self, result: std::io::Result<T>) -> Result<T, DemoError> {
        result.map_err(|source| DemoError::File { path: self.0.clone(), source })
    }
}

fn is_journal(file: &Path) -> bool {
    file.to_str().is_some_and(|name| name.starts_with(JOURNAL))
}

fn is_ours(file: &Path) -> bool {
    is_journal(file) || file == Path::new(WORLD)
}
