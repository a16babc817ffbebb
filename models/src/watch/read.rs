//! What predicates and reports read of a watch.

use std::fmt;

use super::{Breach, How, Life, Message, Outcome, Promise, TASKS, TaskIndex, Watch};

impl Watch {
    /// The breach of `promise`, the least one if there were several.
    pub fn breach(&self, promise: Promise) -> Option<Breach> {
        self.breaches[promise as usize]
    }

    /// Model requests of the task that the other side is working on.
    pub fn in_flight(&self, task: TaskIndex) -> u8 {
        self.tasks[usize::from(task)].in_flight
    }

    /// Whether the task began and has not ended.
    pub fn is_live(&self, task: TaskIndex) -> bool {
        self.tasks[usize::from(task)].life == Life::Live
    }

    /// How the task ended, if it did.
    pub fn end_of(&self, task: TaskIndex) -> Option<How> {
        match self.tasks[usize::from(task)].life {
            Life::Ended(how) => Some(how),
            Life::Unborn | Life::Live => None,
        }
    }

    /// The parent that the task was started by.
    pub fn parent_of(&self, task: TaskIndex) -> Option<TaskIndex> {
        self.tasks[usize::from(task)].parent
    }

    /// Whether the parent has the subtask's result.
    pub fn result_was_given(&self, child: TaskIndex) -> bool {
        matches!(self.tasks[usize::from(child)].outcome, Outcome::Given { .. } | Outcome::Taken)
    }

    /// Whether the subtask ended and its parent does not have the result.
    pub fn result_is_owed(&self, child: TaskIndex) -> bool {
        self.tasks[usize::from(child)].outcome == Outcome::Owed
    }

    /// Whether the live task has sent a request beyond its first.
    pub fn has_sent_again(&self, task: TaskIndex) -> bool {
        let seen = &self.tasks[usize::from(task)];
        seen.turns.count_ones() > 1 || seen.last.1 > 0
    }

    /// Whether a stop was asked for and not withdrawn; an ended task forgets it.
    pub fn cancel_is_pending(&self, task: TaskIndex) -> bool {
        self.tasks[usize::from(task)].cancelled
    }

    /// Whether a stop of the task, or of a task above it, is pending.
    pub fn cancel_covers(&self, task: TaskIndex) -> bool {
        let mut at = Some(task);
        // A line of ancestors is at most as long as there are tasks.
        for _ in 0..TASKS {
            let Some(task) = at else { return false };
            if self.cancel_is_pending(task) {
                return true;
            }
            at = self.parent_of(task);
        }
        false
    }

    /// A message whose task is over and of which the user heard nothing, with that task.
    pub fn message_lost(&self) -> Option<(u8, TaskIndex)> {
        (0..).zip(&self.messages).find_map(|(m, message)| match *message {
            Message::Waiting { task } | Message::Given { task, .. } if self.end_of(task).is_some() => {
                Some((m, task))
            }
            Message::Unwritten
            | Message::Waiting { .. }
            | Message::Given { .. }
            | Message::Answered
            | Message::Reported => None,
        })
    }

    /// The calls of the last response that have no result, one bit each: what a system that reads its history
    /// again finds unanswered there.
    pub fn open_calls(&self, task: TaskIndex) -> u8 {
        self.tasks[usize::from(task)].calls_open
    }

    /// Whether message `m` is in a turn that was not answered; `None` once it came to rest.
    pub fn message_in_turn(&self, m: u8) -> Option<bool> {
        match self.messages[usize::from(m)] {
            Message::Given { .. } => Some(true),
            Message::Waiting { .. } => Some(false),
            Message::Unwritten | Message::Answered | Message::Reported => None,
        }
    }

    /// Whether the user was told that message `m` did not reach the model.
    pub fn message_was_reported(&self, m: u8) -> bool {
        self.messages[usize::from(m)] == Message::Reported
    }

    /// Whether some message came to rest: answered, or reported.
    pub fn message_has_settled(&self) -> bool {
        self.messages.iter().any(|message| matches!(message, Message::Answered | Message::Reported))
    }

    /// Whether some question was settled.
    pub fn question_was_settled(&self) -> bool {
        self.settled_once
    }

    /// Whether some tool call got a result.
    pub fn call_was_answered(&self) -> bool {
        self.called_once
    }
}

/// What was seen of the tasks that began; a state of a model is printed often, and mostly nothing was seen.
impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begun = self.tasks.iter().filter(|seen| seen.life != Life::Unborn);
        let broken = self.breaches.iter().flatten();
        f.debug_list().entries(begun).entries(self.messages).entries(broken).finish()
    }
}
