//! What the outside sees of a step, as a list, and what a history of such lists has come to.
//!
//! What is seen depends on the kernel and the outside alone; what it means, on what was seen before. So a step is worked
//! out without its history, and the [`Watch`] is shown the list afterwards.

use downbeat_kernel::MessageId;

use super::outside::Read;
use crate::watch::{How, MESSAGES, TaskIndex, Watch};

/// One observation. Each is a method of [`Watch`] of the same name, but for those that say something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sight {
    Started {
        task: TaskIndex,
        parent: Option<TaskIndex>,
    },
    /// The task wants a place to run: an ended one that does begins again.
    Enqueued {
        task: TaskIndex,
    },
    Began {
        task: TaskIndex,
    },
    RequestSent {
        task: TaskIndex,
        turn: u8,
        attempt: u8,
    },
    RequestEnded {
        task: TaskIndex,
    },
    TurnAnswered {
        task: TaskIndex,
        turn: u8,
    },
    ContentChanged {
        task: TaskIndex,
    },
    CallsMade {
        task: TaskIndex,
        calls: u8,
    },
    CallResultGiven {
        task: TaskIndex,
        call: u8,
    },
    SubtaskResultGiven {
        child: TaskIndex,
        to: TaskIndex,
        turn: u8,
    },
    ToolRan {
        task: TaskIndex,
    },
    ToolRanTwice {
        task: TaskIndex,
    },
    /// A message was accepted. The model numbers the messages of all tasks in this order.
    Written {
        task: TaskIndex,
    },
    MessageGiven {
        task: TaskIndex,
        message: MessageId,
        turn: u8,
    },
    /// The user was told that a message was not delivered, and whether it is in doubt.
    Reported {
        task: TaskIndex,
        message: MessageId,
        in_doubt: bool,
        /// Whether a provider may have worked on a request of the last turn.
        read: Read,
    },
    QuestionSettled {
        task: TaskIndex,
        question: u8,
        named: Option<u8>,
    },
    CancelRequested {
        task: TaskIndex,
    },
    Ended {
        task: TaskIndex,
        how: How,
    },
    Crashed,
}

/// What the outside saw until now, and whose the messages are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    pub(super) watch: Watch,
    /// The task that each message was written to, in the order in which they were accepted.
    owners: [Option<TaskIndex>; MESSAGES],
}

/// A message that no user wrote: the last place, which no scenario fills.
const MESSAGES_UNKNOWN: u8 = 2;

impl Seen {
    /// Nothing. Each turn may take so many sends.
    pub(super) fn nothing(attempt_budget: u8) -> Self {
        Self { watch: Watch::new(attempt_budget), owners: [None; MESSAGES] }
    }

    /// Adds what was seen in a step, in its order.
    pub(super) fn after(&self, sights: &[Sight]) -> Self {
        let mut after = self.clone();
        for sight in sights {
            after.see(*sight);
        }
        after
    }

    fn see(&mut self, sight: Sight) {
        let watch = &mut self.watch;
        match sight {
            Sight::Started { task, parent } => watch.started(task, parent),
            Sight::Enqueued { task } => {
                if watch.end_of(task).is_some() {
                    watch.started(task, None);
                }
            }
            Sight::Began { task } => watch.began(task),
            Sight::RequestSent { task, turn, attempt } => watch.request_sent(task, turn, attempt),
            Sight::RequestEnded { task } => watch.request_ended(task),
            Sight::TurnAnswered { task, turn } => watch.turn_answered(task, turn),
            Sight::ContentChanged { task } => watch.content_changed(task),
            Sight::CallsMade { task, calls } => watch.calls_made(task, calls),
            Sight::CallResultGiven { task, call } => watch.call_result_given(task, call),
            Sight::SubtaskResultGiven { child, to, turn } => watch.subtask_result_given(child, to, turn),
            Sight::ToolRan { task } => watch.tool_ran(task),
            Sight::ToolRanTwice { task } => watch.tool_ran_twice(task),
            Sight::Written { task } => {
                let m = self.own(task);
                self.watch.message_accepted(task, m);
            }
            Sight::MessageGiven { task, message, turn } => {
                // A message that nobody wrote can only come from accepting a double.
                let m = self.message(task, message).unwrap_or(MESSAGES_UNKNOWN);
                self.watch.message_given(task, m, turn);
            }
            Sight::Reported { task, message, in_doubt, read } => self.report(task, message, in_doubt, read),
            Sight::QuestionSettled { task, question, named } => watch.question_settled(task, question, named),
            Sight::CancelRequested { task } => watch.cancel_requested(task),
            Sight::Ended { task, how } => {
                watch.subtask_ended(task);
                watch.ended(task, how);
            }
            Sight::Crashed => watch.crashed(false, false),
        }
    }

    fn report(&mut self, task: TaskIndex, message: MessageId, in_doubt: bool, read: Read) {
        // A report of a message that nobody wrote is a kernel's fault that S25 finds.
        let Some(m) = self.message(task, message) else { return };
        let in_turn = self.watch.message_in_turn(m);
        let is_true = match read {
            Read::No => !in_doubt,
            Read::Perhaps => in_turn.is_none_or(|in_turn| in_turn == in_doubt),
            // It is in no request that the outside saw.
            Read::Unsent => true,
        };
        if !is_true {
            self.watch.message_misreported(task);
        }
        self.watch.message_reported(task, m);
    }

    /// The model's number of a task's message.
    fn message(&self, task: TaskIndex, message: MessageId) -> Option<u8> {
        let nth = usize::try_from(message.0.checked_sub(1)?).ok()?;
        (0..).zip(self.owners).filter(|(_, owner)| *owner == Some(task)).map(|(m, _)| m).nth(nth)
    }

    /// Gives the next place among the messages to one that was accepted for `task`.
    fn own(&mut self, task: TaskIndex) -> u8 {
        let place = self.owners.iter().position(Option::is_none).expect("the scenarios have few messages");
        self.owners[place] = Some(task);
        u8::try_from(place).expect("a place among three")
    }
}
