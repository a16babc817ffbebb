//! The messages of people to one task: S5.

use super::found::Found;
use crate::event::End;
use crate::fault::Fault;
use crate::name::{Key, Name};
use crate::property::Property;

/// Messages of a task.
#[derive(Clone, Debug, Default)]
pub(super) struct Messages {
    known: Vec<(Key, State)>,
    /// Those that their writers heard of last, as not delivered.
    returned: Vec<Key>,
    /// Some that were returned are forgotten.
    has_forgotten: bool,
}

/// What became of a message.
///
/// ```text
/// Waiting ──▶ Given ──▶ Answered, until a request goes out
///              │ ▲         │
///              ▼ │         │
///            Perhaps ◀─────┘
/// ```
///
/// While it is given, it is given again with another turn only if the request that carried it came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Accepted, and given to nobody.
    Waiting,
    /// Part of what the model gets next.
    Given {
        /// With which turn, if the trace says so.
        turn: Option<u64>,
        /// What became of the request that carries it.
        carried: Carried,
    },
    /// The model has answered a request that carried it.
    Answered,
    /// The model may have it: the request that carried it was stopped, or a later one was answered, or a crash came after the answer.
    Perhaps,
}

/// What became of the request that carries a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    /// It has not gone out.
    NotYet,
    /// It is in flight.
    InFlight,
    /// It came to nothing.
    Lost,
}

/// Messages that are told apart.
const KNOWN_MAX: usize = 1_024;
/// Messages that were returned, and are remembered.
const RETURNED_MAX: usize = 1_024;

impl Messages {
    pub(super) fn queued(&mut self, message: &Name<'_>, found: &mut Found) {
        self.returned.retain(|returned| returned != message);
        if self.known.iter().any(|(known, _)| known == message) {
            return;
        }
        if self.known.len() == KNOWN_MAX {
            // A message that is not known cannot be told from one that nobody wrote.
            self.has_forgotten = true;
            return found.lost(Property::S5);
        }
        self.known.push((message.into(), State::Waiting));
    }

    /// A message was given; `is_known` if the task was seen from its beginning.
    pub(super) fn given(&mut self, message: &Name<'_>, turn: Option<u64>, is_known: bool, found: &mut Found) {
        let Some(at) = self.known.iter().position(|(known, _)| known == message) else {
            if self.returned.iter().any(|returned| returned == message) {
                found.broke(Fault::MessageMisreported);
            } else if is_known && !self.has_forgotten {
                found.broke(Fault::MessageTwice);
            }
            return;
        };
        if self.known[..at].iter().any(|(_, state)| *state == State::Waiting) {
            found.broke(Fault::MessageOutOfOrder);
        }
        match self.known[at].1 {
            State::Answered => return found.broke(Fault::MessageTwice),
            // The same once more.
            State::Given { turn: before, carried: Carried::NotYet | Carried::InFlight }
                if before.is_some() && before == turn =>
            {
                return;
            }
            State::Given { carried: Carried::NotYet | Carried::InFlight, .. } => {
                found.broke(Fault::MessageTwice);
            }
            State::Waiting | State::Given { carried: Carried::Lost, .. } | State::Perhaps => {}
        }
        self.known[at].1 = State::Given { turn, carried: Carried::NotYet };
    }

    pub(super) fn returned(&mut self, message: &Name<'_>, is_known: bool, found: &mut Found) {
        let Some(at) = self.known.iter().position(|(known, _)| known == message) else {
            // That a writer hears of one twice is fine.
            let is_repeated = self.returned.iter().any(|returned| returned == message);
            if !is_repeated && is_known && !self.has_forgotten {
                found.broke(Fault::MessageMisreported);
            }
            return;
        };
        if self.known[at].1 == State::Answered {
            return found.broke(Fault::MessageMisreported);
        }
        let (message, _) = self.known.remove(at);
        if self.returned.len() == RETURNED_MAX {
            self.returned.remove(0);
            self.has_forgotten = true;
            found.lost(Property::S5);
        }
        self.returned.push(message);
    }

    /// A request went out, of that turn, if the trace says so.
    pub(super) fn sent(&mut self, of_turn: Option<u64>) {
        self.known.retain(|(_, state)| *state != State::Answered);
        for (_, state) in &mut self.known {
            if let State::Given { turn, carried } = state
                && turn.zip(of_turn).is_none_or(|(turn, of_turn)| turn == of_turn)
            {
                *carried = Carried::InFlight;
            }
        }
    }

    /// A request ended, which was of that turn, if the trace says so.
    pub(super) fn request_ended(&mut self, end: Option<End>, of_turn: Option<u64>) {
        for (_, state) in &mut self.known {
            let State::Given { turn, carried } = *state else { continue };
            let (is_carried, is_earlier) = match (turn, of_turn) {
                (Some(turn), Some(of_turn)) => (turn == of_turn, turn < of_turn),
                (Some(_), None) => (false, true),
                // Without a turn it is in what went out since.
                (None, _) => (carried == Carried::InFlight, false),
            };
            *state = match end {
                Some(End::Completed) if is_carried => State::Answered,
                Some(End::Completed) if is_earlier => State::Perhaps,
                Some(End::Stopped | End::Cancelled | End::Unknown) if is_carried => State::Perhaps,
                Some(End::Failed | End::Refused) if is_carried => {
                    State::Given { turn, carried: Carried::Lost }
                }
                Some(_) | None => *state,
            };
        }
    }

    pub(super) fn restarted(&mut self) {
        for (_, state) in &mut self.known {
            match state {
                State::Answered => *state = State::Perhaps,
                State::Given { carried, .. } => *carried = Carried::Lost,
                State::Waiting | State::Perhaps => {}
            }
        }
    }

    /// The task ended: of what is in flight nobody says any more what becomes of it.
    pub(super) fn task_ended(&mut self, is_in_flight: bool) {
        if is_in_flight {
            for (_, state) in &mut self.known {
                if let State::Given { carried: Carried::InFlight, .. } = state {
                    *state = State::Perhaps;
                }
            }
        }
    }

    /// The first that did not reach the model, as far as is known.
    pub(super) fn first(&self) -> Option<&Key> {
        let mut waiting = self.known.iter().filter(|(_, state)| match state {
            State::Waiting | State::Given { .. } => true,
            State::Answered | State::Perhaps => false,
        });
        waiting.next().map(|(message, _)| message)
    }
}
