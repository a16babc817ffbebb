//! The requests of one task: S1, S2, S12, S17, S18.

use super::found::Found;
use crate::event::{End, Event, Field};
use crate::fault::Fault;
use crate::name::Key;
use crate::property::Property;

/// A request in flight.
#[derive(Clone, Debug)]
struct Flight {
    request: Option<Key>,
    send: Option<Send>,
}

/// Which send of which turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Send {
    turn: u64,
    attempt: u64,
}

/// What is kept of the requests of a task: those in flight, and the turn that was sent last. Turns only grow, so that is enough to know
/// that one is sent again.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    flying: Vec<Flight>,
    last: Option<Send>,
    content: Option<Key>,
    /// How often the credential of the last turn was refused, and which that is, if the trace says so.
    refused: u8,
    credential: Option<Key>,
    /// The turn whose response was accepted.
    accepted: Option<u64>,
    /// Of which send somebody has seen output.
    shown: Option<Send>,
    /// The process began again since the last send: it may be repeated once.
    may_repeat: bool,
    /// The turn that somebody meant to stop, if they said which, and whether anybody wants to stop at all.
    stop: Stop,
    /// A request was stopped, and nobody has said yet that they wanted that.
    unmeant: Option<Unmeant>,
}

/// A request that was stopped, and of which turn, if the trace says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unmeant {
    turn: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stop {
    #[default]
    Nobody,
    /// This turn.
    Turn(u64),
    /// Whatever is under way.
    Any,
}

/// Requests in flight that are told apart: a system with more has lost count of them.
const FLYING_MAX: usize = 64;

impl Requests {
    pub(super) fn in_flight(&self) -> usize {
        self.flying.len()
    }

    /// Whether the turn that goes out was refused before.
    pub(super) fn is_refused(&self) -> bool {
        self.refused > 0
    }

    /// Whether a send is the last one once more, after a crash.
    pub(super) fn repeats(&self, event: &Event<'_>) -> bool {
        let send = Send::of(event);
        self.may_repeat && send.is_some() && send == self.last
    }

    pub(super) fn started(&mut self, event: &Event<'_>, found: &mut Found) {
        let send = Send::of(event);
        let repeats = self.repeats(event);
        self.may_repeat = false;
        if repeats {
            // It carries the same key as the send that it repeats: the other side has one request of it. The answer was lost.
            self.flying.clear();
            self.accepted = None;
        }
        if self.unmeant.take().is_some() {
            found.broke(Fault::StoppedAnother);
        }
        if !self.flying.is_empty() {
            found.broke(Fault::SecondInFlight);
        }
        if self.flying.len() == FLYING_MAX {
            found.lost(Property::S1);
        } else {
            self.flying.push(Flight { request: event.get(Field::Request).map(Key::from), send });
        }
        let Some(send) = send else { return };
        if !repeats && self.last.is_some_and(|last| send <= last) {
            found.broke(Fault::SentTwice);
        }
        let content = event.get(Field::Content);
        if self.last.is_some_and(|last| last.turn == send.turn) {
            if let (Some(before), Some(content)) = (&self.content, content)
                && before != content
            {
                found.broke(Fault::ContentChanged);
            }
            let is_other = match (&self.credential, event.get(Field::Credential)) {
                (Some(before), Some(credential)) => before != credential,
                (None, _) | (_, None) => false,
            };
            if is_other {
                self.refused = 0;
            }
            if self.refused > 1 {
                found.broke(Fault::SentAfterSecondRefusal);
            }
        } else {
            self.refused = 0;
            self.content = content.map(Key::from);
        }
        self.credential = event.get(Field::Credential).map(Key::from);
        self.last = self.last.max(Some(send));
    }

    pub(super) fn shown(&mut self, event: &Event<'_>, found: &mut Found) {
        let Some(send) = self.named(event).map_or_else(|| Send::of(event), |at| self.flying[at].send) else {
            return;
        };
        if self.shown.is_some_and(|shown| shown.turn == send.turn && shown.attempt != send.attempt) {
            found.broke(Fault::ShownOfTwo);
        }
        self.shown = Some(send);
    }

    /// A request ended; `is_bound_to_stop` if the task is cancelled or paused. Which turn it was of.
    pub(super) fn ended(
        &mut self,
        event: &Event<'_>,
        is_bound_to_stop: bool,
        found: &mut Found,
    ) -> Option<u64> {
        let flight = self.named(event).map(|at| self.flying.remove(at));
        let was_seen = flight.is_some();
        let send = flight.and_then(|flight| flight.send).or_else(|| Send::of(event));
        let turn = send.map(|send| send.turn);
        match event.end {
            Some(End::Completed) => {
                if turn.is_some() && self.accepted == turn {
                    found.broke(Fault::AcceptedTwice);
                }
                self.accepted = turn.or(self.accepted);
            }
            Some(End::Refused) => {
                if turn.is_some() && turn == self.last.map(|last| last.turn) {
                    self.refused = self.refused.saturating_add(1);
                }
            }
            Some(End::Stopped) => {
                let is_meant = match (self.stop, turn) {
                    (Stop::Any, _) | (Stop::Turn(_), None) => true,
                    (Stop::Turn(meant), Some(turn)) => meant == turn,
                    (Stop::Nobody, _) => false,
                };
                // Who wanted it may have said so before the trace began.
                if !is_meant && !is_bound_to_stop && was_seen {
                    self.unmeant = Some(Unmeant { turn });
                }
            }
            Some(End::Failed | End::Cancelled | End::Unknown) | None => {}
        }
        if self.stop == Stop::Any && self.flying.is_empty() {
            self.stop = Stop::Nobody;
        }
        turn
    }

    /// Somebody wants the turn that is under way to stop, or that one.
    pub(super) fn interrupted(&mut self, turn: Option<u64>) {
        // Between two sends of a turn that turn is under way, too.
        let under_way = self.flying.last().map_or(self.last, |flight| flight.send);
        self.stop = turn.or(under_way.map(|send| send.turn)).map_or(Stop::Any, Stop::Turn);
        // That it was stopped may have been written down before that somebody wanted it.
        self.unmeant = self.unmeant.filter(|unmeant| match (turn, unmeant.turn) {
            (Some(meant), Some(stopped)) => meant != stopped,
            (None, _) | (_, None) => false,
        });
    }

    /// Nobody wants to stop what is not under way yet.
    pub(super) fn resumed(&mut self) {
        if self.flying.is_empty() {
            self.stop = Stop::Nobody;
        }
    }

    /// Whether a request was stopped that nobody meant to stop, if nothing comes after this.
    pub(super) fn is_stopped_by_nobody(&self) -> bool {
        self.unmeant.is_some()
    }

    pub(super) fn restarted(&mut self) {
        self.flying.clear();
        self.may_repeat = true;
    }

    /// The request in flight that an event is about: the one of that name, else that of that send, else the oldest. What only one of
    /// the two says does not tell them apart.
    fn named(&self, event: &Event<'_>) -> Option<usize> {
        let (request, send) = (event.get(Field::Request), Send::of(event));
        let by_name = |flight: &Flight| request.zip(flight.request.as_ref()).map(|(one, other)| other == one);
        let by_send = |flight: &Flight| send.zip(flight.send).is_none_or(|(one, other)| one == other);
        let is_it = |flight: &Flight| by_name(flight).unwrap_or_else(|| by_send(flight));
        let is_of_turn = |flight: &Flight| {
            event.get(Field::Attempt).is_none()
                && by_name(flight).is_none()
                && send.zip(flight.send).is_some_and(|(one, other)| one.turn == other.turn)
        };
        self.flying.iter().position(is_it).or_else(|| self.flying.iter().position(is_of_turn))
    }
}

impl Send {
    fn of(event: &Event<'_>) -> Option<Self> {
        let turn = event.number(Field::Turn)?;
        Some(Self { turn, attempt: event.number(Field::Attempt).unwrap_or(0) })
    }
}
