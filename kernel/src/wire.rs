//! What a journal holds: events as records, each under the version of its form.
//!
//! The events of the kernel change as the kernel does; what is on a disk does not. So an [`Event`] goes to a disk as a
//! [`Record`] and comes back from one, and an event of a machine beside the tree as a record of that machine, whose versions
//! are its own. Every version that was ever written has a form of its own, which is never changed again, and is read for ever:
//! `tests/records` has a file of each. New records are written in the newest form.
//!
//! A record names its version: `{"V3":{"Admitted":{"task":7}}}`. An unknown version, an unknown word and an unknown field
//! are errors, because a journal of which half is understood replays to a state that never was.

#[macro_use]
mod form;
mod credential;
mod notification;
mod pool;
mod question;
mod retry;
mod v1;
mod v2;
mod v3;

pub use credential::CredentialRecord;
pub use notification::NotificationRecord;
pub use pool::PoolRecord;
pub use question::QuestionRecord;
pub use retry::RetryRecord;

use crate::vocabulary::Event;
use serde::{Deserialize, Serialize};

record! {
    /// One event of the task tree as it is written to a journal, in the form of some version. It does not say whose tree: one
    /// journal of several kernels, or of machines beside them, has that beside the record, and so do theirs.
    Record of Event {
        read V1 1 v1::Event,
        read V2 2 v2::Event,
        write V3 3 v3::Event,
    }
}
