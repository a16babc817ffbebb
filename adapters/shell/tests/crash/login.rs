//! The login of the profile: a store of credentials, and a server that rotates its refresh tokens. Both outlive the process.
//!
//! They are one thing here, as where a vault runs beside the server: what the server gives is kept in the act in which it takes the
//! token. So there is no moment at which a kill leaves nobody who knows (A10), and no token may ever come twice.

use downbeat_kernel::{Found, Generation, RefreshEnd, TaskId, TurnNumber, WriteEnd};
use std::collections::BTreeSet;

/// What the vault and the API saw, over all lives of the process.
pub(crate) struct Login {
    /// The newest generation in the store.
    stored: Generation,
    /// Whether what came of a refresh waits to be written.
    is_kept: bool,
    /// The newest generation whose access token has expired.
    expired: Generation,
    /// Turns that were refused: once each, because a second refusal is the end of a task.
    refused: BTreeSet<(TaskId, TurnNumber)>,
    /// Generations whose refresh token was used.
    pub(crate) used: Vec<Generation>,
    /// How often a life began in which nobody had heard what the refresh of the one before gave.
    pub(crate) unheard: u32,
}

impl Login {
    pub(crate) fn new() -> Self {
        Self {
            stored: Generation(1),
            is_kept: false,
            expired: Generation(0),
            refused: BTreeSet::new(),
            used: Vec::new(),
            unheard: 0,
        }
    }

    fn next(&self) -> Generation {
        Generation(self.stored.0 + 1)
    }

    /// Reads or claims: nobody else does.
    pub(crate) fn compare(&self, generation: Generation) -> Found {
        if generation == self.stored { Found::Current } else { Found::Other { generation: self.stored } }
    }

    /// Uses the refresh token of a generation. One that is not in the store any more was used before.
    pub(crate) fn refresh(&mut self, generation: Generation) -> RefreshEnd {
        self.used.push(generation);
        self.is_kept = true;
        RefreshEnd::Refreshed
    }

    pub(crate) fn write(&mut self, generation: Generation) -> WriteEnd {
        if !self.is_kept || generation != self.next() {
            return WriteEnd::Failed;
        }
        (self.stored, self.is_kept) = (generation, false);
        WriteEnd::Stored
    }

    pub(crate) fn refreshed(&mut self) -> RefreshEnd {
        if !self.is_kept {
            return RefreshEnd::Failed;
        }
        self.unheard += 1;
        RefreshEnd::Refreshed
    }

    pub(crate) fn written(&self, generation: Generation) -> WriteEnd {
        match (self.stored >= generation, self.is_kept) {
            (true, _) => WriteEnd::Stored,
            (false, true) => WriteEnd::Failed,
            (false, false) => WriteEnd::Lost,
        }
    }

    /// Whether the API takes a request, which is the time for the access token to expire.
    pub(crate) fn takes(&mut self, generation: Generation, of: (TaskId, TurnNumber), expires: bool) -> bool {
        if expires {
            self.expired = self.expired.max(generation);
        }
        generation > self.expired || !self.refused.insert(of)
    }
}
