//! What the outside saw until now.

use downbeat_kernel::{Conclusion, MessageId};

use super::state::Read;
use crate::watch::{MESSAGES, TaskIndex, Watch};

/// What the outside saw until now, and whose the messages are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    pub(super) watch: Watch,
    /// The task that each message was written to, in the order in which they were accepted.
    owners: [Option<TaskIndex>; MESSAGES],
    /// How people were told that the first root has ended.
    pub(super) concluded: Option<Conclusion>,
    /// How it was said to have ended.
    pub(super) end: Option<Conclusion>,
    /// Attempts at it that completed.
    pub(super) results: u8,
    /// The tree has taken a cancel of these tasks: one bit each.
    pub(super) cancels: u8,
    /// The pool has taken a cancel of these roots: one bit each.
    pub(super) withdrawn: u8,
}

/// A message that no user wrote: the last place, which no scenario fills.
const MESSAGES_UNKNOWN: u8 = 2;

impl Seen {
    /// Nothing. Each turn may take so many sends.
    pub(super) fn nothing(sends: u8) -> Self {
        Self {
            watch: Watch::new(sends),
            owners: [None; MESSAGES],
            concluded: None,
            end: None,
            results: 0,
            cancels: 0,
            withdrawn: 0,
        }
    }

    /// Whether a cancel of the task, or of one above it, was taken.
    pub(super) fn has_cancelled(&self, task: TaskIndex) -> bool {
        let parent = self.watch.parent_of(task);
        self.cancels >> task & 1 == 1 || parent.is_some_and(|parent| self.has_cancelled(parent))
    }

    /// A message was accepted.
    pub(super) fn written(&mut self, task: TaskIndex) {
        let place = self.owners.iter().position(Option::is_none).expect("the scenarios have few messages");
        self.owners[place] = Some(task);
        let message = u8::try_from(place).expect("a place among three");
        self.watch.message_accepted(task, message);
    }

    /// A message is part of a turn. One that nobody wrote can only come from accepting a double.
    pub(super) fn given(&mut self, task: TaskIndex, message: MessageId, turn: u8) {
        let known = self.message(task, message).unwrap_or(MESSAGES_UNKNOWN);
        self.watch.message_given(task, known, turn);
    }

    /// The user is told that a message was not delivered, and whether the model may have read it.
    pub(super) fn report(&mut self, task: TaskIndex, message: MessageId, in_doubt: bool, read: Read) {
        let Some(known) = self.message(task, message) else { return };
        let in_turn = self.watch.message_in_turn(known);
        let is_true = match read {
            Read::No => !in_doubt,
            Read::Perhaps => in_turn.is_none_or(|in_turn| in_turn == in_doubt),
            // It is in no request that the outside saw.
            Read::Unsent => true,
        };
        if !is_true {
            self.watch.message_misreported(task);
        }
        self.watch.message_reported(task, known);
    }

    /// The model's number of a task's message.
    fn message(&self, task: TaskIndex, message: MessageId) -> Option<u8> {
        let nth = usize::try_from(message.0.checked_sub(1)?).ok()?;
        (0..).zip(self.owners).filter(|(_, owner)| *owner == Some(task)).map(|(known, _)| known).nth(nth)
    }
}
