//! Why a folder or a file cannot be examined, and where it is damaged.

use crate::bounds::{DEPTH_MAX, FILE_BYTES_MAX, MESSAGES_MAX};
use crate::words::quoted;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why something cannot be examined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SavedError {
    /// The file or folder cannot be read.
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// The file is longer than [`FILE_BYTES_MAX`].
    TooLong {
        /// Which one.
        file: String,
        /// How long it is, as far as that is known.
        bytes: u64,
    },
    /// The file has more than [`MESSAGES_MAX`] messages or items.
    TooMany {
        /// Which one.
        file: String,
    },
    /// There is something else than a file: a directory, or a pipe.
    NoFile {
        /// Where.
        path: PathBuf,
    },
    /// The bytes are no UTF-8.
    Encoded {
        /// Which file.
        file: String,
        /// What they are instead.
        encoding: &'static str,
    },
    /// The file is not JSON, or ends too early, or is nested deeper than [`DEPTH_MAX`].
    Damaged {
        /// Which one.
        file: String,
        /// What the parser says.
        fault: String,
        /// The byte at which it says so, from 0.
        offset: usize,
        /// Its line, from 1.
        line: usize,
        /// Its byte in the line, from 1.
        column: usize,
        /// The JSON path to the value that it stands in.
        path: String,
    },
    /// The file is JSON, of another shape.
    Foreign {
        /// Which one.
        file: String,
        /// The JSON path to what is not as expected.
        path: String,
        /// What is expected there.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// The folder has none of the files that a task or a storage has.
    NotSaved {
        /// Which folder.
        path: PathBuf,
        /// What was looked for in it.
        looked_for: &'static [&'static str],
        /// A storage directory further down, if there is one.
        below: Option<PathBuf>,
    },
}

impl SavedError {
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), kind: error.kind() }
    }

    /// What the parser says, with the place.
    pub(crate) fn damaged(file: &str, bytes: &[u8], error: &serde_json::Error) -> Self {
        let offset =
            if error.is_eof() { bytes.len() } else { offset_of(bytes, error.line(), error.column()) };
        let before = &bytes[..offset];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let text = error.to_string();
        Self::Damaged {
            file: file.to_owned(),
            // The place that the parser puts at the end is told in its own fields.
            fault: text.split(" at line ").next().unwrap_or(&text).to_owned(),
            offset,
            line: before.split(|byte| *byte == b'\n').count(),
            column: 1 + offset - line_start,
            path: path_at(before),
        }
    }
}

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, kind } => write!(f, "{}: {kind}", path.display()),
            Self::TooLong { file, bytes } => {
                write!(f, "{file}: {bytes} bytes, and no more than {FILE_BYTES_MAX} are read")
            }
            Self::TooMany { file } => {
                write!(f, "{file}: more than {MESSAGES_MAX} messages, which is too many")
            }
            Self::NoFile { path } => write!(f, "{}: no file", path.display()),
            Self::Encoded { file, encoding } => write!(f, "{file}: {encoding}"),
            Self::Damaged { file, fault, offset, line, column, path } => {
                write!(f, "{file}: {fault} at byte {offset}, line {line}, column {column}, in {path}")
            }
            Self::Foreign { file, path, expected, found } => {
                write!(f, "{file}: {path} is {found}, where {expected} was expected")
            }
            Self::NotSaved { path, looked_for, below } => {
                write!(f, "{}: no saved task; looked for {}", path.display(), looked_for.join(", "))?;
                match below {
                    Some(below) => write!(f, "; there are some in {}", below.display()),
                    None => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for SavedError {}

/// As a text.
impl serde::Serialize for SavedError {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The byte that a line and a column of the parser mean.
fn offset_of(bytes: &[u8], line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        start += bytes[start..].iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    }
    (start + column.saturating_sub(1)).min(bytes.len())
}

/// Where a scan of JSON stands in one array or object.
enum Level {
    Array(usize),
    /// An object, before the value of a key.
    Key(String),
    /// An object, in the value of this key.
    Field(String),
}

/// The JSON path to the value in which these bytes end.
fn path_at(bytes: &[u8]) -> String {
    let mut levels: Vec<Level> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let end = end_of_string(bytes, at + 1);
                if let Some(Level::Key(key)) = levels.last_mut() {
                    *key = String::from_utf8_lossy(&bytes[at + 1..end]).into_owned();
                }
                at = end;
            }
            // The parser has stopped before it goes deeper than this.
            b'[' if levels.len() <= DEPTH_MAX => levels.push(Level::Array(0)),
            b'{' if levels.len() <= DEPTH_MAX => levels.push(Level::Key(String::new())),
            b']' | b'}' => drop(levels.pop()),
            b':' => {
                if let Some(level) = levels.last_mut()
                    && let Level::Key(key) = level
                {
                    *level = Level::Field(std::mem::take(key));
                }
            }
            b',' => match levels.last_mut() {
                Some(Level::Array(index)) => *index += 1,
                Some(level @ (Level::Key(_) | Level::Field(_))) => *level = Level::Key(String::new()),
                None => {}
            },
            _ => {}
        }
        at += 1;
    }
    let steps = levels.iter().map(|level| match level {
        Level::Array(index) => format!("[{index}]"),
        Level::Key(key) | Level::Field(key) if key.is_empty() => String::new(),
        Level::Key(key) | Level::Field(key) => format!(".{}", quoted(key)),
    });
    std::iter::once("$".to_owned()).chain(steps).collect()
}

/// The closing quote of a string that begins here, or the end.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(bytes: &[u8]) -> String {
        let error = serde_json::from_slice::<serde_json::Value>(bytes).expect_err("damaged");
        SavedError::damaged("f", bytes, &error).to_string()
    }

    #[test]
    fn damage_is_told_with_its_byte_line_column_and_path() {
        #[rustfmt::skip]
        let cases: [(&[u8], &str); 5] = [
            (b"", "f: EOF while parsing a value at byte 0, line 1, column 1, in $"),
            (b"[{\"role\":\"us", "f: EOF while parsing a string at byte 12, line 1, column 13, in $[0].role"),
            (b"[1,\n {\"a\": [0, nope]}]", "f: expected ident at byte 16, line 2, column 13, in $[1].a[1]"),
            (b"[{\"a\":1,}]", "f: trailing comma at byte 8, line 1, column 9, in $[0]"),
            (b"[] x", "f: trailing characters at byte 3, line 1, column 4, in $"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(place(bytes), expected);
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(serde_json::from_slice::<serde_json::Value>(&nested(DEPTH_MAX)).is_ok());
        assert!(place(&nested(DEPTH_MAX + 1)).starts_with("f: recursion limit exceeded at byte 127"));
        assert!(place(&vec![b'['; 1_000_000]).starts_with("f: recursion limit exceeded"));
    }
}
