//! The calls of a response, until each is settled.

use super::ledger::Ledger;
use super::{After, No};
use crate::calls::{CallState, Wanted};
use crate::lifecycle::{Follow, Hold};
use crate::task::{Held, TaskState};
use crate::vocabulary::{
    About, Answer, Approval, Call, CallId, CallRefusal, CallResult, Effect, QuestionId, Reason, TaskId,
};

impl Ledger<'_> {
    /// A person's answer to the question of one call.
    pub(super) fn takes_answer(mut self, index: u16, wanted: Wanted, answer: Answer) -> Result<After, No> {
        match (wanted, answer) {
            (Wanted::Guidance, Answer::Denied) => return self.ends(TaskState::Failed(Reason::MistakeLimit)),
            (Wanted::Guidance, Answer::Approved | Answer::Text) => {
                self.data.mistakes = 0;
                self = self.settle(index, CallResult::Guided);
            }
            (Wanted::Call(Call::Question), _) => self = self.settle(index, CallResult::Answered),
            (Wanted::Call(Call::Tool(_)), Answer::Approved) => {
                let granted = Wanted::Call(Call::Tool(Approval::Granted));
                self.calls[usize::from(index)] = CallState::Waiting(granted);
            }
            (Wanted::Call(Call::Completion(_)), Answer::Approved) => {
                let granted = Wanted::Call(Call::Completion(Approval::Granted));
                self.calls[usize::from(index)] = CallState::Waiting(granted);
            }
            (Wanted::Call(_), _) => self = self.settle(index, CallResult::Denied),
        }
        self.goes_on()
    }

    /// Something of the task's calls has changed: it goes on, or is held.
    pub(super) fn goes_on(mut self) -> Result<After, No> {
        if !self.paused {
            return self.starts_calls();
        }
        let mut room = self.at.room;
        for index in 0..self.calls.len() {
            if let CallState::Waiting(Wanted::Call(Call::Subtask { child })) = self.calls[index] {
                self.calls[index] = self.makes_subtask(child, Hold::Paused, &mut room);
            }
        }
        let open = self.calls.iter().any(|call| !matches!(call, CallState::Settled(_)));
        self.stands(TaskState::Paused(if open { Held::Calls } else { Held::Turn }))
    }

    /// Every subtask there is hears that its parent goes on.
    pub(super) fn lets_subtasks_go(mut self) -> Self {
        self.release_subtasks();
        self
    }

    pub(super) fn release_subtasks(&mut self) {
        for call in &self.calls {
            if let CallState::Subtask { child } = *call {
                self.follows.push(Follow::Release { child });
            }
        }
    }

    pub(super) fn starts_calls(mut self) -> Result<After, No> {
        if self.calls == [CallState::Waiting(Wanted::Call(Call::Completion(Approval::Granted)))] {
            return self.ends(TaskState::Completed);
        }
        let (task, turn) = (self.at.id, self.data.replied);
        let mut room = self.at.room;
        for index in 0..self.calls.len() {
            let CallState::Waiting(wanted) = self.calls[index] else { continue };
            let call = CallId { task, turn, index: u16::try_from(index).expect("few calls") };
            let about = match wanted {
                Wanted::Call(Call::Tool(Approval::Granted)) => {
                    self.calls[index] = CallState::Running;
                    self.effects.push(Effect::RunTool { call });
                    continue;
                }
                Wanted::Call(Call::Subtask { child }) => {
                    self.calls[index] = self.makes_subtask(child, Hold::Running, &mut room);
                    continue;
                }
                Wanted::Call(Call::Tool(Approval::Required)) => About::Tool(call),
                Wanted::Call(Call::Completion(_)) => About::Completion(call),
                Wanted::Call(Call::Question) => About::Question(call),
                Wanted::Guidance => About::MistakeLimit,
            };
            self.data.questions += 1;
            let number = self.data.questions;
            self.calls[index] = CallState::Asking { number, wanted };
            self.effects.push(Effect::Ask { question: QuestionId { task, number }, about });
        }
        let any = |wanted: fn(&CallState) -> bool| self.calls.iter().any(wanted);
        if any(|call| matches!(call, CallState::Running)) {
            self.stands(TaskState::ExecutingTools)
        } else if any(|call| matches!(call, CallState::Subtask { .. })) {
            self.stands(TaskState::AwaitingSubtask)
        } else if any(|call| matches!(call, CallState::Asking { .. })) {
            self.stands(TaskState::AwaitingInput)
        } else {
            self.asks_the_model()
        }
    }

    /// A subtask is made, and asks for its place unless its parent is held.
    pub(super) fn makes_subtask(&mut self, child: TaskId, hold: Hold, room: &mut u32) -> CallState {
        if self.data.depth >= self.at.config.depth_max {
            return CallState::Settled(CallResult::Refused(CallRefusal::TooDeep));
        }
        if *room == 0 {
            return CallState::Settled(CallResult::Refused(CallRefusal::TasksFull));
        }
        *room -= 1;
        if hold == Hold::Running {
            self.effects.push(Effect::Enqueue { task: child });
        }
        let (parent, depth, spent) = (self.at.id, self.data.depth + 1, self.data.spent);
        self.follows.push(Follow::Spawn { child, parent, depth, hold, spent });
        CallState::Subtask { child }
    }
}
