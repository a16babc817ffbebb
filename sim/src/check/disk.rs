//! Files of sorted keys, and what goes wrong with files.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::CheckError;
use super::key::Key;

/// Bytes that are read or written at a time.
const BUFFER: usize = 1 << 20;

/// The error for something that could not be done with a file.
pub(super) fn failed(doing: &'static str, path: &Path, error: &io::Error) -> CheckError {
    CheckError::Disk { doing, path: path.to_owned(), message: error.to_string() }
}

/// A directory of its own for the files of one search; it disappears with them.
///
/// A process that is killed leaves it. So each has a file that is locked as long as its process lives, which the system
/// sees to, and whoever makes another one beside it removes those whose lock is free.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    files: u64,
    /// Held until the directory goes. `None` where there are no locks: such a directory is never removed by others.
    lock: Option<File>,
}

/// What the names of all directories begin with; the id of the process and a number follow.
const PREFIX: &str = "downbeat-";
/// The file in a directory that is locked.
const LOCK: &str = "lock";

impl Directory {
    /// A new directory in `parent`.
    pub(super) fn new(parent: &Path) -> Result<Self, CheckError> {
        std::fs::create_dir_all(parent).map_err(|error| failed("create", parent, &error))?;
        remove_abandoned(parent);
        for number in 0_u64.. {
            let path = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    let lock = locked(&path).ok();
                    return Ok(Self { path, files: 0, lock });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed("create", &path, &error)),
            }
        }
        unreachable!("there are fewer directories than numbers")
    }

    /// The path of a file that is not there yet.
    pub(super) fn file(&mut self) -> PathBuf {
        self.files += 1;
        self.path.join(self.files.to_string())
    }
}

/// A new lock in a directory. It has its name when it is locked already, so that nobody finds it free before.
fn locked(directory: &Path) -> io::Result<File> {
    let unlocked = directory.join("lock.part");
    let lock = File::create_new(&unlocked)?;
    lock.try_lock()?;
    std::fs::rename(&unlocked, directory.join(LOCK))?;
    Ok(lock)
}

/// Removes the directories in `parent` whose processes are gone. What cannot be read or removed stays: it may be of
/// somebody else.
fn remove_abandoned(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_directory && entry.file_name().to_str().is_some_and(is_name) {
            drop(remove_if_abandoned(&entry.path()));
        }
    }
}

fn is_name(name: &str) -> bool {
    let numbers = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
    numbers.is_some_and(|(process, number)| is_number(process) && is_number(number))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Removes the files that a search makes, and the directory if nothing else is in it. Without a lock it may be one that
/// is just being made.
fn remove_if_abandoned(directory: &Path) -> io::Result<()> {
    let lock = File::options().write(true).open(directory.join(LOCK))?;
    lock.try_lock()?;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_number) {
            std::fs::remove_file(entry.path())?;
        }
    }
    std::fs::remove_file(directory.join(LOCK))?;
    std::fs::remove_dir(directory)
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Some systems remove no file that is open.
        drop(self.lock.take());
        // What cannot be removed is left to the owner of the directory for temporary files.
        drop(std::fs::remove_dir_all(&self.path));
    }
}

/// Keys in a file, in the order in which they were written. The file goes with it.
#[derive(Debug)]
pub(super) struct Keys {
    path: PathBuf,
    key_bytes: usize,
}

impl Keys {
    /// The keys once more, from the first on.
    pub(super) fn read<K: Key>(&self) -> Result<KeyReader<K>, CheckError> {
        KeyReader::open(self)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // Frees the space early; the directory removes what is left.
        drop(std::fs::remove_file(&self.path));
    }
}

/// Writes keys one by one.
#[derive(Debug)]
pub(super) struct KeyWriter {
    path: PathBuf,
    file: BufWriter<File>,
    key_bytes: usize,
    bytes: Vec<u8>,
}

impl KeyWriter {
    /// Begins a new file, of keys that differ in so many bytes, the highest.
    pub(super) fn create(path: PathBuf, key_bytes: usize) -> Result<Self, CheckError> {
        let file = File::create_new(&path).map_err(|error| failed("create", &path, &error))?;
        Ok(Self { path, file: BufWriter::with_capacity(BUFFER, file), key_bytes, bytes: Vec::new() })
    }

    /// Appends a key.
    pub(super) fn push<K: Key>(&mut self, key: K) -> Result<(), CheckError> {
        self.bytes.clear();
        key.write(&mut self.bytes);
        self.file
            .write_all(&self.bytes[..self.key_bytes])
            .map_err(|error| failed("write", &self.path, &error))
    }

    /// Appends bytes that belong to the key before.
    pub(super) fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), CheckError> {
        let len = (bytes.len() as u64).to_le_bytes();
        let written = self.file.write_all(&len).and_then(|()| self.file.write_all(bytes));
        written.map_err(|error| failed("write", &self.path, &error))
    }

    /// Completes the file.
    pub(super) fn end(mut self) -> Result<Keys, CheckError> {
        self.file.flush().map_err(|error| failed("write", &self.path, &error))?;
        Ok(Keys { path: self.path, key_bytes: self.key_bytes })
    }
}

/// Reads keys one by one.
#[derive(Debug)]
pub(super) struct KeyReader<K> {
    path: PathBuf,
    file: BufReader<File>,
    key_bytes: usize,
    bytes: Vec<u8>,
    next: Option<K>,
}

impl<K: Key> KeyReader<K> {
    fn open(keys: &Keys) -> Result<Self, CheckError> {
        let Keys { path, key_bytes } = keys;
        let file = File::open(path).map_err(|error| failed("open", path, &error))?;
        let file = BufReader::with_capacity(BUFFER, file);
        // What a key has beyond the bytes that are written is zero.
        let bytes = vec![0; K::BYTES];
        let mut reader = Self { path: path.clone(), file, key_bytes: *key_bytes, bytes, next: None };
        reader.advance()?;
        Ok(reader)
    }

    /// The key that comes next.
    pub(super) fn peek(&self) -> Option<K> {
        self.next
    }

    /// Reads the bytes that were written with the key; once, before going on, and only if there are some.
    pub(super) fn read_bytes(&mut self, bytes: &mut Vec<u8>) -> Result<(), CheckError> {
        let mut len = [0; size_of::<u64>()];
        bytes.clear();
        let file = &mut self.file;
        let read =
            file.read_exact(&mut len).and_then(|()| file.take(u64::from_le_bytes(len)).read_to_end(bytes));
        match read {
            Ok(count) if count as u64 == u64::from_le_bytes(len) => Ok(()),
            Ok(_) => Err(failed("read", &self.path, &io::ErrorKind::UnexpectedEof.into())),
            Err(error) => Err(failed("read", &self.path, &error)),
        }
    }

    /// Goes on to the key after it.
    pub(super) fn advance(&mut self) -> Result<(), CheckError> {
        self.next = match self.file.read_exact(&mut self.bytes[..self.key_bytes]) {
            Ok(()) => Some(K::read(&self.bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(failed("read", &self.path, &error)),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn directories_of_processes_that_are_gone_are_removed() {
        let parent = std::env::temp_dir().join(format!("downbeat-disk-{}", std::process::id()));
        let make = |name: &str, files: &[&str]| {
            fs::create_dir_all(parent.join(name)).expect("there is room");
            for file in files {
                fs::write(parent.join(name).join(file), "").expect("there is room");
            }
        };
        make("downbeat-1-0", &["1", "2", LOCK]);
        make("downbeat-1-1", &["1"]);
        make("downbeat-1-2", &["notes", LOCK]);
        make("downbeat-x-0", &["1", LOCK]);
        make("downbeat-2", &["1", LOCK]);
        let living = Directory::new(&parent).expect("there is room");
        let other = Directory::new(&parent).expect("there is room");
        let names = || -> BTreeSet<String> {
            let entries = fs::read_dir(&parent).expect("it exists").flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        let id = std::process::id();
        let stay = ["downbeat-1-1", "downbeat-1-2", "downbeat-x-0", "downbeat-2"].map(String::from);
        let live = [format!("downbeat-{id}-0"), format!("downbeat-{id}-1")];
        assert_eq!(names(), stay.clone().into_iter().chain(live).collect());
        assert!(parent.join("downbeat-1-2/notes").exists(), "what is of somebody else stays");
        drop((living, other));
        assert_eq!(names(), BTreeSet::from(stay));
        fs::remove_dir_all(parent).expect("it is ours");
    }
}
