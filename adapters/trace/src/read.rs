//! Reads a trace line by line, in memory that does not grow with it.

use std::fmt;
use std::io::{self, BufRead};

use crate::line::Line;
use crate::merge::AHEAD_MAX;

/// Bytes of the longest line that is read: an event says who and what, and no words.
pub const LINE_MAX: usize = 1 << 20;

/// Where a line stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, from 1, where several are read as one; else 0.
    pub file: u32,
    /// Its number, from 1.
    pub line: u64,
    /// Where it begins, in bytes from the beginning.
    pub byte: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file > 0 {
            write!(f, "file {}, ", self.file)?;
        }
        write!(f, "line {}", self.line)
    }
}

/// Why a trace cannot be read on.
#[derive(Debug)]
pub enum TraceError {
    /// The bytes do not come.
    Io {
        /// Where the next line would be.
        place: Place,
        /// Why.
        source: io::Error,
    },
    /// A line has more than [`LINE_MAX`] bytes.
    TooLong {
        /// Which.
        place: Place,
    },
    /// A line is no event.
    NoEvent {
        /// Which.
        place: Place,
        /// Why, and at which column.
        source: serde_json::Error,
    },
    /// The last line has no end, and is no event as it is: its rest is missing.
    Cut {
        /// Which.
        place: Place,
    },
    /// Of several traces that are read as one, a line has no time, and none above it has.
    NoTime {
        /// Which.
        place: Place,
    },
    /// Of several traces that are read as one, a line stands too far from where its time belongs.
    TooLate {
        /// Which.
        place: Place,
    },
}

impl TraceError {
    /// The line.
    pub fn place(&self) -> Place {
        match self {
            Self::Io { place, .. }
            | Self::TooLong { place }
            | Self::NoEvent { place, .. }
            | Self::Cut { place }
            | Self::NoTime { place }
            | Self::TooLate { place } => *place,
        }
    }

    /// Whether it is the last line, and its rest is missing ([`TraceError::Cut`]).
    pub fn is_cut(&self) -> bool {
        matches!(self, Self::Cut { .. })
    }
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { place, source } => write!(f, "{place}, byte {}: {source}", place.byte),
            Self::TooLong { place } => {
                write!(f, "{place}, byte {}: a line has at most {LINE_MAX} bytes", place.byte)
            }
            Self::NoEvent { place, source } => {
                let column = source.column() as u64;
                let byte = place.byte + column.saturating_sub(1);
                let text = source.to_string();
                // A line is read by itself, so its number there is always 1.
                let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
                write!(f, "{place}, column {column}, byte {byte}: {what}")
            }
            Self::Cut { place } => write!(f, "{place}, byte {}: it is cut off", place.byte),
            Self::NoTime { place } => write!(
                f,
                "{place}, byte {}: it has no time (`at_ms`), and no line above it has: nothing tells its order",
                place.byte
            ),
            Self::TooLate { place } => write!(
                f,
                "{place}, byte {}: its time belongs more than {AHEAD_MAX} lines further up; sort the file by `at_ms` first",
                place.byte
            ),
        }
    }
}

impl std::error::Error for TraceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::NoEvent { source, .. } => Some(source),
            Self::TooLong { .. } | Self::Cut { .. } | Self::NoTime { .. } | Self::TooLate { .. } => None,
        }
    }
}

/// Reads lines.
#[derive(Debug)]
pub struct Reader<R> {
    inner: R,
    buffer: Vec<u8>,
    /// Where the next line stands.
    next: Place,
    /// Whether what is in the buffer is a line that has come in part.
    is_partial: bool,
    /// Lines of kinds that the schema does not have, and the first of them.
    unknown_kinds: Option<(u64, Place, String)>,
    /// Fields that the schema does not have.
    unknown_fields: u64,
}

/// What a reader comes to.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lives as long as a line is looked at, and is an event as a rule"
)]
pub enum Read<'r> {
    /// An event, as it stands in the trace.
    Event {
        /// Where.
        place: Place,
        /// What.
        event: crate::event::Event<'r>,
        /// The line.
        text: &'r [u8],
    },
    /// A line that says nothing of the schema: it is empty, or of an unknown kind.
    Other,
    /// There is no more, or not yet.
    Pending,
}

impl<R: BufRead> Reader<R> {
    /// A reader at the beginning.
    pub fn new(inner: R) -> Self {
        Self::of_file(inner, 0)
    }

    /// A reader at the beginning of one file of several.
    pub(crate) fn of_file(inner: R, file: u32) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
            next: Place { file, line: 1, byte: 0 },
            is_partial: false,
            unknown_kinds: None,
            unknown_fields: 0,
        }
    }

    /// Lines whose kind the schema does not have: how many, and the first.
    pub fn unknown_kinds(&self) -> Option<(u64, Place, &str)> {
        self.unknown_kinds.as_ref().map(|(count, place, name)| (*count, *place, name.as_str()))
    }

    /// Fields, over all lines, that the schema does not have.
    pub fn unknown_fields(&self) -> u64 {
        self.unknown_fields
    }

    /// Where the next line stands.
    pub(crate) fn next(&self) -> Place {
        self.next
    }

    /// Where a line stands that has come in part: the trace is cut there, or is still being written.
    pub fn cut(&self) -> Option<Place> {
        self.is_partial.then_some(self.next)
    }

    /// The next event. After [`Read::Pending`] it may be asked again, when there may be more.
    ///
    /// # Errors
    /// If a line is no event: the reader stands behind it then. If a line is too long or cannot be read, there is nothing more to be had.
    pub fn read(&mut self) -> Result<Read<'_>, TraceError> {
        if !self.fill()? {
            return Ok(Read::Pending);
        }
        self.is_partial = false;
        self.line()
    }

    /// What has come of a line at the end, as a line: for a trace whose last line has no line break.
    ///
    /// # Errors
    /// As for [`Reader::read`], and [`TraceError::Cut`].
    pub fn rest(&mut self) -> Result<Read<'_>, TraceError> {
        if !std::mem::take(&mut self.is_partial) {
            return Ok(Read::Pending);
        }
        let place = self.next;
        self.line().map_err(|error| {
            let is_cut = matches!(&error, TraceError::NoEvent { source, .. } if source.is_eof());
            if is_cut { TraceError::Cut { place } } else { error }
        })
    }

    /// What is in the buffer.
    fn line(&mut self) -> Result<Read<'_>, TraceError> {
        let place = self.next;
        self.next = Place { line: place.line + 1, byte: place.byte + self.buffer.len() as u64, ..place };
        if place.byte == 0 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            // Columns stay what they are.
            self.buffer[..BYTE_ORDER_MARK.len()].fill(b' ');
        }
        let text = self.buffer.trim_ascii_end();
        if text.trim_ascii_start().is_empty() {
            return Ok(Read::Other);
        }
        match Line::read(text).map_err(|source| TraceError::NoEvent { place, source })? {
            Line::Event(event, unknown) => {
                self.unknown_fields += u64::from(unknown);
                Ok(Read::Event { place, event, text })
            }
            Line::Unknown(name) => {
                self.unknown_kinds.get_or_insert_with(|| (0, place, name.into_owned())).0 += 1;
                Ok(Read::Other)
            }
        }
    }

    /// Puts the next whole line into the buffer; false if it has not come whole.
    fn fill(&mut self) -> Result<bool, TraceError> {
        if !self.is_partial {
            self.buffer.clear();
        }
        let place = self.next;
        loop {
            let bytes = match self.inner.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(TraceError::Io { place, source }),
            };
            if bytes.is_empty() {
                return Ok(false);
            }
            let end = memchr::memchr(b'\n', bytes);
            let taken = end.map_or(bytes.len(), |end| end + 1);
            if self.buffer.len() + taken > LINE_MAX {
                return Err(TraceError::TooLong { place });
            }
            self.buffer.extend_from_slice(&bytes[..taken]);
            self.inner.consume(taken);
            self.is_partial = end.is_none();
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

/// The mark that some programs put at the very beginning of a file in UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
