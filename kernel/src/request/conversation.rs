//! What the turns of one conversation continue from, for whoever drives requests without a tree of tasks.

use super::{Previous, Request};
use crate::config::Config;
use crate::faults::Fault;
use crate::vocabulary::TurnNumber;
use serde::{Deserialize, Serialize};

/// The last response of one conversation, until a turn claims it.
///
/// A task has none: it claims from the request of its own last turn, which it replaces in the same step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Conversation {
    last: Option<Previous>,
}

impl Conversation {
    /// Gives away what the next turn may continue from. No other turn gets the same, and it does not come back when the turn
    /// fails: what was sent with it may have been answered.
    pub fn claim(&mut self, config: &Config) -> Option<Previous> {
        if config.has(Fault::ContinuityShared) {
            return self.last;
        }
        self.last.take()
    }

    /// Keeps the response to a turn whose request has ended, if one was accepted.
    pub fn turn_ended(&mut self, turn: TurnNumber, request: &Request) {
        if let Some(response) = request.response(turn) {
            self.last = Some(response);
        }
    }
}
