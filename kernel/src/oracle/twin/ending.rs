//! Cancel, grace, and the last word of a task.

use super::ledger::Ledger;
use super::{After, No};
use crate::calls::CallState;
use crate::lifecycle::Follow;
use crate::request::Fate;
use crate::task::{Held, Outstanding, TaskState};
use crate::vocabulary::{CallId, CallResult, Effect, End, MessageId, QuestionId, Timer};

impl Ledger<'_> {
    /// Everything that runs is told to stop, everything that has not started never will.
    pub(super) fn winds_down(mut self, state: TaskState) -> Result<After, No> {
        self = self.closes_the_account();
        let task = self.at.id;
        let (stop, outstanding) = match state {
            TaskState::Queued | TaskState::Paused(Held::Queued | Held::Admitted) => {
                (Some(Effect::Dequeue { task }), Outstanding::Nothing)
            }
            TaskState::Initializing | TaskState::Paused(Held::Initializing) => {
                (Some(Effect::AbortInitialization { task }), Outstanding::Initialization)
            }
            TaskState::Requesting | TaskState::Paused(Held::Requesting) => (None, self.unasked()),
            TaskState::ExecutingTools
            | TaskState::AwaitingSubtask
            | TaskState::AwaitingInput
            | TaskState::AwaitingBudget
            | TaskState::Working
            | TaskState::Paused(Held::Unstarted | Held::Turn | Held::Calls)
            | TaskState::Cancelling(_)
            | TaskState::Ending(_)
            | TaskState::Completed
            | TaskState::Failed(_)
            | TaskState::Cancelled => (None, Outstanding::Nothing),
        };
        self.effects.extend(stop);
        for (index, call) in (0..).zip(&mut self.calls) {
            match *call {
                CallState::Running => {
                    let call = CallId { task, turn: self.data.replied, index };
                    self.effects.push(Effect::CancelTool { call });
                }
                CallState::Subtask { child } => self.follows.push(Follow::Cancel { child }),
                CallState::Asking { number, .. } => {
                    self.effects.push(Effect::Withdraw { question: QuestionId { task, number } });
                    *call = CallState::Settled(CallResult::Abandoned);
                }
                CallState::Waiting(_) => *call = CallState::Settled(CallResult::Abandoned),
                CallState::Settled(_) => {}
            }
        }
        if self.busy(outstanding) {
            let after_ms = u64::from(self.at.config.grace_ms);
            self.effects.push(Effect::Arm { timer: Timer::Grace(task), after_ms });
        }
        self.ends_unless_busy(outstanding)
    }

    /// Whether work of its own keeps a cancelled task from ending.
    pub(super) fn busy(&self, outstanding: Outstanding) -> bool {
        outstanding == Outstanding::Initialization || self.calls.contains(&CallState::Running)
    }

    pub(super) fn stopped(mut self, outstanding: Outstanding) -> Result<After, No> {
        if !self.busy(outstanding) {
            self.effects.push(Effect::Disarm { timer: Timer::Grace(self.at.id) });
        }
        self.ends_unless_busy(outstanding)
    }

    pub(super) fn gives_up(mut self) -> Result<After, No> {
        for call in &mut self.calls {
            if *call == CallState::Running {
                *call = CallState::Settled(CallResult::Abandoned);
            }
        }
        self.ends_unless_busy(Outstanding::Nothing)
    }

    /// A cancelled task ends after its own work and after its subtasks.
    pub(super) fn ends_unless_busy(self, outstanding: Outstanding) -> Result<After, No> {
        let subtasks = self.calls.iter().any(|call| matches!(call, CallState::Subtask { .. }));
        let stops_itself = matches!(outstanding, Outstanding::Worker | Outstanding::Request);
        if self.busy(outstanding) || stops_itself || subtasks {
            self.stands(TaskState::Cancelling(outstanding))
        } else {
            self.ends(TaskState::Cancelled)
        }
    }

    /// The last word of a task: what was not delivered, how it ended, and the parent.
    pub(super) fn ends(mut self, state: TaskState) -> Result<After, No> {
        self = self.closes_the_account();
        let (task, data) = (self.at.id, &self.data);
        let end = match state {
            TaskState::Completed => End::Completed,
            TaskState::Failed(reason) => End::Failed(reason),
            TaskState::Queued
            | TaskState::Initializing
            | TaskState::Requesting
            | TaskState::ExecutingTools
            | TaskState::AwaitingSubtask
            | TaskState::AwaitingInput
            | TaskState::AwaitingBudget
            | TaskState::Working
            | TaskState::Paused(_)
            | TaskState::Cancelling(_)
            | TaskState::Ending(_)
            | TaskState::Cancelled => End::Cancelled,
        };
        for number in data.answered.0 + 1..=data.accepted.0 {
            let is_read = data.request.ledger.sends().iter().any(|send| send.fate != Fate::Refused);
            let in_doubt = is_read && number <= data.taken.0;
            self.effects.push(Effect::ReportUndelivered { task, message: MessageId(number), in_doubt });
        }
        self.effects.push(Effect::TaskEnded { task, end });
        if let Some(parent) = data.parent {
            self.follows.push(Follow::Settle { parent, child: task, end });
        }
        self.calls.clear();
        self.stands(state)
    }
}
