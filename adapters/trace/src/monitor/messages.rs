//! The messages of people to one task: S5.

use super::found::Found;
use crate::fault::Fault;
use crate::name::{Key, Name};
use crate::property::Property;

/// Messages of a task that the model has not answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Messages {
    open: Vec<(Key, State)>,
    /// Those that its writer heard of last, as not delivered.
    returned: Vec<Key>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Given,
}

/// Messages that wait, and are told apart.
const OPEN_MAX: usize = 1_024;
/// Messages that were returned, and are remembered.
const RETURNED_MAX: usize = 64;

impl Messages {
    pub(super) fn queued(&mut self, message: &Name<'_>, found: &mut Found) {
        if self.open.iter().any(|(open, _)| open == message) {
            return;
        }
        if self.open.len() == OPEN_MAX {
            return found.lost(Property::S5);
        }
        self.open.push((message.into(), State::Waiting));
    }

    /// A message was given; `is_known` if the task was seen from its beginning.
    pub(super) fn given(&mut self, message: &Name<'_>, is_known: bool, found: &mut Found) {
        let Some(at) = self.open.iter().position(|(open, _)| open == message) else {
            if self.returned.iter().any(|returned| returned == message) {
                found.broke(Fault::MessageMisreported);
            } else if is_known {
                found.broke(Fault::MessageTwice);
            }
            return;
        };
        if self.open[..at].iter().any(|(_, state)| *state == State::Waiting) {
            found.broke(Fault::MessageOutOfOrder);
        }
        self.open[at].1 = State::Given;
    }

    pub(super) fn returned(&mut self, message: &Name<'_>, is_known: bool, found: &mut Found) {
        match self.open.iter().position(|(open, _)| open == message) {
            Some(at) => {
                let (message, _) = self.open.remove(at);
                if self.returned.len() == RETURNED_MAX {
                    self.returned.remove(0);
                }
                self.returned.push(message);
            }
            // That a writer hears of one twice is fine.
            None if self.returned.iter().any(|returned| returned == message) => {}
            None if is_known => found.broke(Fault::MessageMisreported),
            None => {}
        }
    }

    /// The model has answered: what it was given has reached it.
    pub(super) fn answered(&mut self) {
        self.open.retain(|(_, state)| *state == State::Waiting);
    }

    pub(super) fn first(&self) -> Option<&Key> {
        self.open.first().map(|(message, _)| message)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}
