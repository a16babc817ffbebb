//! Why spans cannot be read, and where.

use std::fmt;
use std::io;

use super::{SPAN_MAX, SPANS_MAX};
use crate::name::NAME_MAX;

/// Where something stands in OTLP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1, in bytes.
    pub column: usize,
    /// Bytes before it.
    pub byte: u64,
    /// Which document it is in, from 1.
    pub document: u64,
    /// Where in that document, as `resourceSpans[0].scopeSpans[0].spans[2]`.
    pub path: String,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, byte, document, path } = self;
        write!(f, "line {line}, column {column}, byte {byte}, document {document}")?;
        if path.is_empty() { Ok(()) } else { write!(f, ", {path}") }
    }
}

/// Why OTLP cannot be read on.
#[derive(Debug)]
pub enum OtlpError {
    /// The bytes do not come.
    Io {
        /// Where the next byte would be.
        at: At,
        /// Why.
        source: io::Error,
    },
    /// It is no JSON, or has another shape than OTLP.
    Json {
        /// Where.
        at: At,
        /// What was found there.
        source: serde_json::Error,
    },
    /// No document has `resourceSpans`.
    NoSpans {
        /// Where they end.
        at: At,
    },
    /// An id is none.
    Id {
        /// Where.
        at: At,
        /// `traceId`, `spanId` or `parentSpanId`.
        field: &'static str,
    },
    /// A span, or what stands between two, has more than [`SPAN_MAX`] bytes.
    TooLong {
        /// Where.
        at: At,
    },
    /// There are more than [`SPANS_MAX`] spans.
    TooMany {
        /// Where.
        at: At,
    },
    /// A time is before 1970, or after 2554.
    Time {
        /// Where.
        at: At,
    },
    /// A name has more than [`NAME_MAX`] bytes.
    LongName {
        /// Where.
        at: At,
        /// Of what.
        attribute: &'static str,
    },
}

impl fmt::Display for OtlpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { at, source } => write!(f, "{at}: {source}"),
            Self::Json { at, source } => {
                let text = source.to_string();
                // The place is told already.
                let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
                write!(f, "{at}: {what}")
            }
            Self::NoSpans { at } => {
                write!(
                    f,
                    "{at}: no document has `resourceSpans`; if these are lines of the schema, say --input trace"
                )
            }
            Self::Id { at, field } => {
                let digits = if *field == "traceId" { 32 } else { 16 };
                write!(
                    f,
                    "{at}: `{field}` has to be {digits} digits of hex; write OTLP JSON, not the base64 of Protobuf's own"
                )
            }
            Self::TooLong { at } => {
                write!(
                    f,
                    "{at}: a span has at most {SPAN_MAX} bytes; export without the contents of messages"
                )
            }
            Self::TooMany { at } => {
                write!(f, "{at}: at most {SPANS_MAX} spans are held; split the input between two traces")
            }
            Self::Time { at } => {
                write!(f, "{at}: a time is in nanoseconds since 1970, from 0 to {}", u64::MAX)
            }
            Self::LongName { at, attribute } => {
                write!(f, "{at}: `{attribute}` has at most {NAME_MAX} bytes, as it is a name")
            }
        }
    }
}

impl std::error::Error for OtlpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Json { source, .. } => Some(source),
            Self::NoSpans { .. }
            | Self::Id { .. }
            | Self::TooLong { .. }
            | Self::TooMany { .. }
            | Self::Time { .. }
            | Self::LongName { .. } => None,
        }
    }
}
