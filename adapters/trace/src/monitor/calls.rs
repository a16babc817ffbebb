//! The calls that the model made in its last response: S8.

use super::found::Found;
use crate::event::End;
use crate::fault::Fault;
use crate::name::{Key, Name};
use crate::property::Property;

/// Calls of the last response of a task.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    made: Vec<Call>,
    /// More calls were made than are told apart.
    has_forgotten: bool,
}

#[derive(Clone, Debug)]
struct Call {
    name: Key,
    state: State,
    has_run: bool,
}

/// What became of a call.
///
/// ```text
/// Open ──▶ Given ──▶ Answered, until a request goes out
///   │       │ ▲         │
///   └──▶ Again ◀────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has no result.
    Open,
    /// Its result is part of what the model gets next.
    Given,
    /// The model has answered what it got with the result.
    Answered,
    /// The request that made it, or that carried its result, came to nothing, or a crash came: it may get a result, and need not.
    Again,
}

/// Calls of one response that are told apart.
const MADE_MAX: usize = 1_024;

impl Calls {
    pub(super) fn made(&mut self, call: &Name<'_>, found: &mut Found) {
        if let Some(made) = self.made.iter_mut().find(|made| made.name == *call) {
            // A later response may use the names of an earlier one again.
            if made.state != State::Open {
                (made.state, made.has_run) = (State::Open, false);
            }
            return;
        }
        if self.made.len() == MADE_MAX {
            self.has_forgotten = true;
            return found.lost(Property::S8);
        }
        self.made.push(Call { name: call.into(), state: State::Open, has_run: false });
    }

    pub(super) fn ran(&mut self, call: &Name<'_>, found: &mut Found) {
        let Some(made) = self.made.iter_mut().find(|made| made.name == *call) else { return };
        if made.has_run {
            found.broke(Fault::RanTwice);
        }
        made.has_run = true;
    }

    /// A result was given; `is_known` if the task was seen from its beginning.
    pub(super) fn given(&mut self, call: &Name<'_>, is_known: bool, found: &mut Found) {
        let Some(made) = self.made.iter_mut().find(|made| made.name == *call) else {
            if is_known && !self.has_forgotten {
                found.broke(Fault::ResultWithoutCall);
            }
            return;
        };
        match made.state {
            State::Open | State::Again => made.state = State::Given,
            State::Given | State::Answered => found.broke(Fault::ResultWithoutCall),
        }
    }

    /// A request went out; `repeats` if it is the last one once more, after a crash: then the response that made the calls was lost.
    pub(super) fn sent(&mut self, repeats: bool, found: &mut Found) {
        if !repeats && self.made.iter().any(|made| made.state == State::Open) {
            found.broke(Fault::CallWithoutResult);
        }
        self.made.retain(|made| match made.state {
            State::Open => repeats,
            State::Given | State::Again => true,
            State::Answered => false,
        });
        for made in &mut self.made {
            made.state = match made.state {
                State::Open => State::Again,
                State::Given | State::Again | State::Answered => State::Given,
            };
        }
    }

    /// A request ended: of one that was not answered whole, the calls are void, and what it carried may go out again.
    pub(super) fn request_ended(&mut self, end: Option<End>) {
        for made in &mut self.made {
            made.state = match (end, made.state) {
                (Some(End::Completed), State::Given) => State::Answered,
                (Some(End::Completed), state) => state,
                (_, State::Open | State::Given | State::Again) => State::Again,
                (_, State::Answered) => State::Answered,
            };
        }
    }

    pub(super) fn restarted(&mut self) {
        for made in &mut self.made {
            made.has_run = false;
            made.state = match made.state {
                State::Open => State::Open,
                State::Given | State::Answered | State::Again => State::Again,
            };
        }
    }

    pub(super) fn first(&self) -> Option<&Key> {
        self.made.iter().find(|made| made.state == State::Open).map(|made| &made.name)
    }
}
