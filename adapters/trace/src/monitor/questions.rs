//! The questions of one task to people: S6.

use super::found::Found;
use crate::event::{Event, Field};
use crate::fault::Fault;
use crate::name::{Key, Name};
use crate::property::Property;

/// Questions that are open.
#[derive(Clone, Debug, Default)]
pub(super) struct Questions {
    open: Vec<Key>,
}

/// Questions that are told apart.
const OPEN_MAX: usize = 256;

impl Questions {
    pub(super) fn asked(&mut self, question: &Name<'_>, found: &mut Found) {
        if self.open.iter().any(|open| open == question) {
            return;
        }
        if self.open.len() == OPEN_MAX {
            return found.lost(Property::S6);
        }
        self.open.push(question.into());
    }

    /// An answer came; `is_known` if the task was seen from its beginning.
    pub(super) fn answered(&mut self, event: &Event<'_>, is_known: bool, found: &mut Found) {
        let (named, settles) = (event.get(Field::Question), event.get(Field::Settles));
        let Some(settled) = settles.or(named) else { return };
        if settles.is_some() && named != settles {
            found.broke(Fault::SettledByAnother);
        }
        match self.open.iter().position(|open| open == settled) {
            Some(at) => {
                self.open.remove(at);
            }
            // An answer to a question that is over may come, and settles nothing.
            None if is_known && settles.is_some() => found.broke(Fault::SettledAgain),
            None => {}
        }
    }

    pub(super) fn first(&self) -> Option<&Key> {
        self.open.first()
    }
}
