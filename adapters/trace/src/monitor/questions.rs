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
    /// The process began again since one was asked: an answer that it had taken may settle its question once more.
    may_repeat: bool,
}

/// Questions that are told apart.
const OPEN_MAX: usize = 256;

/// Whether an answer settled a question that it does not name.
pub(super) fn named(event: &Event<'_>, found: &mut Found) {
    let settles = event.get(Field::Settles);
    if settles.is_some() {
        found.staked(Property::S6);
        if event.get(Field::Question) != settles {
            found.broke(Fault::SettledByAnother);
        }
    }
}

impl Questions {
    pub(super) fn asked(&mut self, question: &Name<'_>, found: &mut Found) {
        self.may_repeat = false;
        if self.open.iter().any(|open| open == question) {
            return;
        }
        if self.open.len() == OPEN_MAX {
            // An answer to it would seem to settle what is not open.
            self.may_repeat = true;
            return found.lost(Property::S6);
        }
        self.open.push(question.into());
    }

    /// An answer came; `is_known` if the task was seen from its beginning.
    pub(super) fn answered(&mut self, event: &Event<'_>, is_known: bool, found: &mut Found) {
        let (named, settles) = (event.get(Field::Question), event.get(Field::Settles));
        let Some(settled) = settles.or(named) else {
            // It does not say to which: none is known to be open any more.
            self.open.clear();
            self.may_repeat = true;
            return;
        };
        match self.open.iter().position(|open| open == settled) {
            Some(at) => {
                self.open.remove(at);
            }
            // An answer to a question that is over may come, and settles nothing.
            None if is_known && settles.is_some() && !self.may_repeat => found.broke(Fault::SettledAgain),
            None => {}
        }
    }

    pub(super) fn restarted(&mut self) {
        self.may_repeat = true;
    }

    pub(super) fn first(&self) -> Option<&Key> {
        self.open.first()
    }
}
