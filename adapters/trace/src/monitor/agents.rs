//! Agents, and what works on their sessions: S10, S20.

use super::found::Found;
use crate::fault::Fault;
use crate::name::{Key, Name};
use crate::property::Property;

/// What is kept of one agent.
#[derive(Clone, Debug, Default)]
pub(super) struct Agent {
    pub(super) task: Option<Key>,
    /// The highest under which it was given a task, if the trace says so.
    pub(super) epoch: Option<u64>,
    iterators: Vec<Key>,
}

/// Iterators of one session that are told apart.
const ITERATORS_MAX: usize = 64;

impl Agent {
    pub(super) fn began(&mut self, iterator: &Name<'_>, found: &mut Found) {
        if self.iterators.iter().any(|live| live != iterator) {
            found.broke(Fault::SecondIterator);
        }
        if self.iterators.iter().any(|live| live == iterator) {
            return;
        }
        if self.iterators.len() == ITERATORS_MAX {
            return found.lost(Property::S10);
        }
        self.iterators.push(iterator.into());
    }

    pub(super) fn ended(&mut self, iterator: &Name<'_>) {
        self.iterators.retain(|live| live != iterator);
    }

    pub(super) fn restarted(&mut self) {
        self.iterators.clear();
    }

    /// Whether an assignment of it is over, as far as that is known.
    pub(super) fn is_over(&self, epoch: u64) -> bool {
        self.epoch.is_some_and(|last| epoch < last || epoch == last && self.task.is_none())
    }

    /// It has no task, and nothing works on its session.
    pub(super) fn is_idle(&self) -> bool {
        self.task.is_none() && self.iterators.is_empty()
    }
}
