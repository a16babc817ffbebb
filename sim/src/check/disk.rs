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
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    files: u64,
}

impl Directory {
    /// A new directory in `parent`.
    pub(super) fn new(parent: &Path) -> Result<Self, CheckError> {
        std::fs::create_dir_all(parent).map_err(|error| failed("create", parent, &error))?;
        for number in 0_u64.. {
            let path = parent.join(format!("downbeat-{}-{number}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path, files: 0 }),
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

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed is left to the owner of the directory for temporary files.
        drop(std::fs::remove_dir_all(&self.path));
    }
}

/// Keys in a file, in the order in which they were written. The file goes with it.
#[derive(Debug)]
pub(super) struct Keys {
    path: PathBuf,
}

impl Keys {
    /// Writes keys to a new file.
    pub(super) fn write<K: Key>(
        path: PathBuf,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Self, CheckError> {
        let mut writer = KeyWriter::create(path)?;
        for key in keys {
            writer.push(key)?;
        }
        writer.end()
    }

    /// The keys once more, from the first on.
    pub(super) fn read<K: Key>(&self) -> Result<KeyReader<K>, CheckError> {
        KeyReader::open(&self.path)
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
    bytes: Vec<u8>,
}

impl KeyWriter {
    /// Begins a new file.
    pub(super) fn create(path: PathBuf) -> Result<Self, CheckError> {
        let file = File::create_new(&path).map_err(|error| failed("create", &path, &error))?;
        Ok(Self { path, file: BufWriter::with_capacity(BUFFER, file), bytes: Vec::new() })
    }

    /// Appends a key.
    pub(super) fn push<K: Key>(&mut self, key: K) -> Result<(), CheckError> {
        self.bytes.clear();
        key.write(&mut self.bytes);
        self.file.write_all(&self.bytes).map_err(|error| failed("write", &self.path, &error))
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
        Ok(Keys { path: self.path })
    }
}

/// Reads keys one by one.
#[derive(Debug)]
pub(super) struct KeyReader<K> {
    path: PathBuf,
    file: BufReader<File>,
    bytes: Vec<u8>,
    next: Option<K>,
}

impl<K: Key> KeyReader<K> {
    fn open(path: &Path) -> Result<Self, CheckError> {
        let file = File::open(path).map_err(|error| failed("open", path, &error))?;
        let file = BufReader::with_capacity(BUFFER, file);
        let mut reader = Self { path: path.to_owned(), file, bytes: vec![0; K::BYTES], next: None };
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
        self.next = match self.file.read_exact(&mut self.bytes) {
            Ok(()) => Some(K::read(&self.bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(failed("read", &self.path, &error)),
        };
        Ok(())
    }
}
