//! What a request contains, and whether it may go out.

use std::hash::{Hash, Hasher};

use downbeat_kernel::{CallId, CallResult, Input, Part, RequestId, TaskId};

use super::state::{Breach, Flight, Read, index};
use super::step::Step;
use super::tasks::small;
use crate::watch::TaskIndex;

/// A short sum of what a request contains, the same in every run.
fn digest(parts: &[(TaskId, Part)]) -> u16 {
    let mut sum = Fold(0x811c_9dc5);
    parts.hash(&mut sum);
    let [low, high] = [sum.0 & 0xffff, sum.0 >> 16].map(|half| u16::try_from(half).unwrap_or(0));
    low ^ high
}

/// FNV-1a.
struct Fold(u32);

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    fn finish(&self) -> u64 {
        self.0.into()
    }
}

/// Whether the parts are such as a turn has: the prompt in the first and in no other.
fn opens(turn: u8, parts: &[(TaskId, Part)]) -> bool {
    parts.iter().any(|(_, part)| *part == Part::Prompt) == (turn == 1)
}

impl Step<'_> {
    /// A turn continues from the response to the one before, if that was kept where it is sent to and is not lost. No two
    /// turns have the same turn before them.
    pub(super) fn judge_input(&mut self, task: TaskIndex, flight: Flight, input: Input) {
        let kept = self.tree.of(task).response.filter(|_| flight.is_kept);
        let expected = kept.filter(|(turn, _)| turn + 1 == flight.turn);
        let continued = match input {
            Input::Full => None,
            Input::Continue(from) => Some((small(from.turn.0), small(u32::from(from.attempt.0)))),
        };
        self.note(Breach::Discontinued, continued != expected);
    }

    /// A request goes out.
    pub(super) fn send(&mut self, request: RequestId, flight: Flight, parts: &[(TaskId, Part)]) {
        let (task, generation) = (index(request.task), flight.generation);
        let (turn, attempt) = (small(request.turn.0), small(u32::from(request.attempt.0)));
        self.needs_place(task);
        // A retry carries the same again; only the first send of a turn delivers it.
        let first = turn > self.tree.of(task).sent;
        let content = digest(parts);
        if parts.is_empty() || (!first && content != self.tree.of(task).content) || !opens(turn, parts) {
            self.seen.watch.content_changed(task);
        }
        for (receiver, part) in parts {
            let receiver = index(*receiver);
            match *part {
                Part::Result { call, result } if first => self.deliver(receiver, call, result, turn),
                Part::Message(message) => self.seen.given(receiver, message, turn),
                Part::Result { .. } | Part::Prompt | Part::Reminder => {}
            }
            if receiver != task {
                self.seen.watch.content_changed(task);
            }
        }
        let is_same = self.tree.of(task).refused == Some((turn, generation)) && generation > 0;
        self.note(Breach::SameToken, is_same);
        self.seen.watch.request_sent(task, turn, attempt);
        let orders = self.tree.of_mut(task);
        if attempt == 0 {
            orders.read = Read::No;
        }
        (orders.sent, orders.content) = (orders.sent.max(turn), content);
        orders.add(flight);
    }

    /// The result of one call is part of the next request of `receiver`.
    fn deliver(&mut self, receiver: TaskIndex, call: CallId, result: CallResult, turn: u8) {
        let at = small(u32::from(call.index));
        match result {
            CallResult::Subtask { child, .. } => {
                self.seen.watch.call_result_given(receiver, at);
                self.seen.watch.subtask_result_given(index(child), receiver, turn);
            }
            CallResult::Tool(_) => {
                let orders = self.tree.of(receiver);
                let runs = u32::from(orders.tools_turn) == call.turn.0 && orders.tools & (1 << at) != 0;
                // The result of a tool that still runs is another's: the call itself has none.
                if !runs {
                    self.seen.watch.call_result_given(receiver, at);
                }
            }
            CallResult::Denied | CallResult::Answered | CallResult::Refused(_) | CallResult::Abandoned => {
                self.seen.watch.call_result_given(receiver, at);
            }
            // The kernel's own question, not a call of the model's.
            CallResult::Guided => {}
        }
    }
}
