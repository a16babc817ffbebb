//! The calls that the model made in its last response: S8.

use super::found::Found;
use crate::fault::Fault;
use crate::name::{Key, Name};
use crate::property::Property;

/// Calls of a task that have no result.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    open: Vec<Call>,
}

#[derive(Clone, Debug)]
struct Call {
    call: Key,
    has_run: bool,
}

/// Calls of one response that are told apart.
const OPEN_MAX: usize = 1_024;

impl Calls {
    pub(super) fn made(&mut self, call: &Name<'_>, found: &mut Found) {
        if self.open.iter().any(|open| open.call == *call) {
            return;
        }
        if self.open.len() == OPEN_MAX {
            return found.lost(Property::S8);
        }
        self.open.push(Call { call: call.into(), has_run: false });
    }

    pub(super) fn ran(&mut self, call: &Name<'_>, found: &mut Found) {
        let Some(open) = self.open.iter_mut().find(|open| open.call == *call) else { return };
        if open.has_run {
            found.broke(Fault::RanTwice);
        }
        open.has_run = true;
    }

    /// A result was given; `is_known` if the task was seen from its beginning.
    pub(super) fn given(&mut self, call: &Name<'_>, is_known: bool, found: &mut Found) {
        match self.open.iter().position(|open| open.call == *call) {
            Some(at) => {
                self.open.remove(at);
            }
            None if is_known => found.broke(Fault::ResultWithoutCall),
            None => {}
        }
    }

    /// A request went out.
    pub(super) fn sent(&mut self, found: &mut Found) {
        if !self.open.is_empty() {
            found.broke(Fault::CallWithoutResult);
            self.open.clear();
        }
    }

    pub(super) fn restarted(&mut self) {
        for call in &mut self.open {
            call.has_run = false;
        }
    }

    pub(super) fn first(&self) -> Option<&Key> {
        self.open.first().map(|open| &open.call)
    }
}
