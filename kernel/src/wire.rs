//! What a journal holds: events as records, each under the version of its form.
//!
//! The events of the kernel change as the kernel does; what is on a disk does not. So an [`Event`] goes to a disk as a
//! [`Record`] and comes back from one. Every version that was ever written has a form of its own, which is never changed
//! again, and is read for ever: `tests/records` has a file of each. New records are written in the newest form.
//!
//! A record names its version: `{"V1":{"Admitted":{"task":7}}}`. An unknown version, an unknown word and an unknown field
//! are errors, because a journal of which half is understood replays to a state that never was.

mod v1;
mod v2;

use crate::vocabulary::Event;
use serde::{Deserialize, Serialize};

/// One event as it is written to a journal, in the form of some version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Record(Version);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Version {
    V1(v1::Event),
    V2(v2::Event),
}

impl Record {
    /// The version that is written, from 1. Those before it are only read.
    pub const NEWEST: u32 = 2;

    /// The version of its form.
    pub fn version(&self) -> u32 {
        match self.0 {
            Version::V1(_) => 1,
            Version::V2(_) => 2,
        }
    }
}

impl From<Event> for Record {
    fn from(event: Event) -> Self {
        Self(Version::V2(event.into()))
    }
}

impl From<Record> for Event {
    fn from(record: Record) -> Self {
        match record.0 {
            Version::V1(event) => v2::Event::from(event).into(),
            Version::V2(event) => event.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    const V1: &str = include_str!("../tests/records/v1.jsonl");
    const V2: &str = include_str!("../tests/records/v2.jsonl");

    /// A word without an example could be lost without anybody noticing.
    #[test]
    fn examples_have_every_word_of_their_version() {
        for (examples, enums) in [(V1, v1::ENUMS), (V2, v2::ENUMS)] {
            for (word, fields) in enums.iter().copied().flatten() {
                let look = match fields.first() {
                    Some(field) => format!("\"{word}\":{{\"{field}\":"),
                    None => format!("\"{word}\""),
                };
                assert!(examples.contains(&look), "no example of {look}");
            }
        }
    }
}
