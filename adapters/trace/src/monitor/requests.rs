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
    /// How often the credential of the last turn was refused.
    refused: u8,
    /// The turn whose response was accepted.
    accepted: Option<u64>,
    /// Of which send somebody has seen output.
    shown: Option<Send>,
    /// The process began again since the last send: it may be repeated once.
    may_repeat: bool,
    /// The turn that somebody meant to stop, if they said which, and whether anybody wants to stop at all.
    stop: Stop,
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

    pub(super) fn started(&mut self, event: &Event<'_>, found: &mut Found) {
        let send = Send::of(event);
        let repeats = self.may_repeat && send.is_some() && send == self.last;
        self.may_repeat = false;
        if repeats {
            // It carries the same key as the send that it repeats: the other side has one request of it.
            self.flying.clear();
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
            if self.refused > 1 {
                found.broke(Fault::SentAfterSecondRefusal);
            }
        } else {
            self.refused = 0;
            self.content = content.map(Key::from);
        }
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

    /// A request ended; `is_bound_to_stop` if the task is cancelled or paused.
    pub(super) fn ended(&mut self, event: &Event<'_>, is_bound_to_stop: bool, found: &mut Found) {
        let flight = self.named(event).map(|at| self.flying.remove(at));
        let send = flight.and_then(|flight| flight.send).or_else(|| Send::of(event));
        match event.end {
            Some(End::Completed) => {
                let Some(Send { turn, .. }) = send else { return };
                if self.accepted == Some(turn) {
                    found.broke(Fault::AcceptedTwice);
                }
                self.accepted = Some(turn);
            }
            Some(End::Refused) => {
                if send.map(|send| send.turn) == self.last.map(|last| last.turn) {
                    self.refused = self.refused.saturating_add(1);
                }
            }
            Some(End::Stopped) => {
                let is_meant = match (self.stop, send) {
                    (Stop::Any, _) | (Stop::Turn(_), None) => true,
                    (Stop::Turn(turn), Some(send)) => turn == send.turn,
                    (Stop::Nobody, _) => false,
                };
                if !is_meant && !is_bound_to_stop {
                    found.broke(Fault::StoppedAnother);
                }
            }
            Some(End::Failed | End::Cancelled | End::Unknown) | None => {}
        }
    }

    pub(super) fn interrupted(&mut self, turn: Option<u64>) {
        self.stop = turn.map_or(Stop::Any, Stop::Turn);
    }

    pub(super) fn restarted(&mut self) {
        self.flying.clear();
        self.may_repeat = true;
    }

    /// The request in flight that an event is about: the one of that name, else that of that send, else the oldest.
    fn named(&self, event: &Event<'_>) -> Option<usize> {
        let request = event.get(Field::Request);
        let send = Send::of(event);
        let by_name = |flight: &Flight| match (&flight.request, request) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => false,
        };
        if request.is_some() {
            return self.flying.iter().position(by_name);
        }
        match send {
            Some(_) => self.flying.iter().position(|flight| flight.send == send),
            None if self.flying.is_empty() => None,
            None => Some(0),
        }
    }
}

impl Send {
    fn of(event: &Event<'_>) -> Option<Self> {
        let turn = event.number(Field::Turn)?;
        Some(Self { turn, attempt: event.number(Field::Attempt).unwrap_or(0) })
    }
}
