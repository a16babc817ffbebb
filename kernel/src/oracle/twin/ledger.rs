//! A task in the middle of one event, and the words in which the table says what becomes of it.

use super::{After, No};
use crate::calls::{CallState, Wanted};
use crate::lifecycle::Follow;
use crate::oracle::situations::Situation;
use crate::task::{TaskData, TaskState};
use crate::vocabulary::{CallResult, Effect, MessageId, TaskId};
use std::vec::Vec;

/// A task in the middle of one event.
pub(super) struct Ledger<'s> {
    pub(super) at: &'s Situation,
    pub(super) paused: bool,
    pub(super) data: TaskData,
    pub(super) calls: Vec<CallState>,
    pub(super) effects: Vec<Effect>,
    pub(super) follows: Vec<Follow>,
    pub(super) highest: Option<TaskId>,
}

impl<'s> Ledger<'s> {
    pub(super) fn of(at: &'s Situation) -> Self {
        Self {
            at,
            paused: matches!(at.state, TaskState::Paused(_)),
            data: at.data.clone(),
            calls: at.data.calls.iter().collect(),
            effects: Vec::new(),
            follows: Vec::new(),
            highest: at.highest,
        }
    }

    pub(super) fn with(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    #[expect(clippy::unnecessary_wraps, reason = "it ends the arms of the table, which are refusals or this")]
    pub(super) fn stands(mut self, state: TaskState) -> Result<After, No> {
        self.data.calls.replace(self.calls.into_iter());
        Ok(After {
            state,
            data: self.data,
            effects: self.effects,
            follows: self.follows,
            highest: self.highest,
        })
    }

    pub(super) fn forgotten(mut self) -> Result<After, No> {
        self.follows.push(Follow::Forget { task: self.at.id });
        let state = self.at.state;
        self.stands(state)
    }

    pub(super) fn accepts(mut self, message: MessageId) -> Result<After, No> {
        self.data.accepted = message;
        let state = self.at.state;
        self.stands(state)
    }

    pub(super) fn call(&self, index: u16) -> Option<CallState> {
        self.calls.get(usize::from(index)).copied()
    }

    pub(super) fn settle(mut self, index: u16, result: CallResult) -> Self {
        self.calls[usize::from(index)] = CallState::Settled(result);
        self
    }

    fn find<T>(&self, wanted: impl Fn(CallState) -> Option<T>) -> Option<(u16, T)> {
        (0_u16..).zip(&self.calls).find_map(|(index, call)| wanted(*call).map(|found| (index, found)))
    }

    pub(super) fn waits_for(&self, child: TaskId) -> Option<u16> {
        self.find(|call| (call == CallState::Subtask { child }).then_some(())).map(|(index, ())| index)
    }

    pub(super) fn asks(&self, question: u32) -> Option<(u16, Wanted)> {
        self.find(|call| match call {
            CallState::Asking { number, wanted } if number == question => Some(wanted),
            CallState::Asking { .. }
            | CallState::Running
            | CallState::Subtask { .. }
            | CallState::Waiting(_)
            | CallState::Settled(_) => None,
        })
    }
}
