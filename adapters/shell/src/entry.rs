//! One line of a journal.

use downbeat_kernel::{Event, Record};
use serde::{Deserialize, Serialize};

/// An event as it is on record, with the words that came with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When it was written, in milliseconds since 1970. Nothing is decided by it.
    pub at_ms: u64,
    /// What happened.
    pub event: Record,
    /// The words: see [`Said`](crate::Said).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
}

impl Entry {
    /// The line.
    pub(crate) fn line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// What a line says.
    ///
    /// # Errors
    /// If it is of a newer version, or no entry.
    pub fn read(line: &str) -> Result<(Event, Vec<String>), serde_json::Error> {
        let entry: Self = serde_json::from_str(line)?;
        Ok((entry.event.into(), entry.text))
    }
}
