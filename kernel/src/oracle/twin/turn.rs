//! One question to the model: what it contains, what is heard, and what comes of a failure.

use super::ledger::Ledger;
use super::{After, No};
use crate::calls::{CallState, Wanted};
use crate::lifecycle::Refusal;
use crate::task::{Held, TaskState};
use crate::vocabulary::{
    Attempt, Call, CallId, CallRefusal, CallResult, Effect, Failure, MessageId, Part, Reason, RequestId,
    Response, TaskId, Timer, TurnNumber,
};
use std::vec::Vec;

impl Ledger<'_> {
    /// A new turn: everything queued goes in, and the model is asked.
    pub(super) fn asks_the_model(mut self) -> Result<After, No> {
        self.data.turn = TurnNumber(self.data.turn.0 + 1);
        self.data.taken = self.data.accepted;
        self.sends(Attempt(0))
    }

    /// The results of the last response in their order, then the messages, then the order to send.
    pub(super) fn sends(mut self, attempt: Attempt) -> Result<After, No> {
        let task = self.at.id;
        let made_no_call = match self.calls.as_slice() {
            [] | [CallState::Settled(CallResult::Guided)] => true,
            [_, ..] => false,
        };
        let mut parts = Vec::new();
        if self.data.turn.0 == 1 {
            parts.push(Part::Prompt);
        } else if made_no_call {
            parts.push(Part::Reminder);
        }
        for (index, call) in (0..).zip(&self.calls) {
            if let CallState::Settled(result) = *call {
                let call = CallId { task, turn: self.data.replied, index };
                parts.push(Part::Result { call, result });
            }
        }
        for number in self.data.answered.0 + 1..=self.data.taken.0 {
            parts.push(Part::Message(MessageId(number)));
        }
        self.effects.extend(parts.into_iter().map(|part| Effect::Include { task, part }));
        let request = RequestId { task, turn: self.data.turn, attempt };
        self.with(Effect::Send { request }).stands(TaskState::Requesting { attempt })
    }

    /// The response to the request in flight, while nobody has cancelled the task.
    pub(super) fn hears(
        mut self,
        attempt: Attempt,
        response: &Response,
        jitter_ms: u32,
    ) -> Result<After, No> {
        let calls = match response {
            Response::Empty => return self.failed(attempt, Failure::Transient, jitter_ms),
            Response::Text => {
                self.data.mistakes += 1;
                let limit = self.at.config.mistakes_max;
                if limit > 0 && self.data.mistakes >= limit {
                    Vec::from([CallState::Waiting(Wanted::Guidance)])
                } else {
                    Vec::new()
                }
            }
            Response::Calls(calls) => {
                self.highest = self.judged(attempt, calls)?;
                self.data.mistakes = 0;
                calls.iter().map(|call| lined_up(*call, calls.len())).collect()
            }
        };
        self.data.replied = self.data.turn;
        self.data.answered = self.data.taken;
        self.calls = calls;
        self.goes_on()
    }

    /// The highest id that was used once these calls are taken, or why they cannot be.
    fn judged(&self, attempt: Attempt, calls: &[Call]) -> Result<Option<TaskId>, No> {
        if calls.is_empty() {
            let request = RequestId { task: self.at.id, turn: self.data.turn, attempt };
            return Err(No::Because(Refusal::NoCalls { request }));
        }
        if calls.len() > usize::from(self.at.config.calls_max) {
            return Err(No::Because(Refusal::TooManyCalls { got: calls.len() }));
        }
        calls.iter().try_fold(self.highest, |highest, call| match (*call, highest) {
            (Call::Subtask { child }, Some(used)) if child.0 <= used.0 => {
                Err(No::Because(Refusal::IdNotFresh { highest: used, got: child }))
            }
            (Call::Subtask { child }, _) => Ok(Some(child)),
            (Call::Tool(_) | Call::Question | Call::Completion(_), _) => Ok(highest),
        })
    }

    /// A response that came after the cancel: nothing is done about it, but what its request contained has been
    /// answered, unless the response is empty.
    pub(super) fn answered_in_vain(mut self, response: &Response) -> Self {
        if *response != Response::Empty {
            self.data.replied = self.data.turn;
            self.data.answered = self.data.taken;
        }
        self
    }

    pub(super) fn failed(self, attempt: Attempt, failure: Failure, jitter_ms: u32) -> Result<After, No> {
        let config = self.at.config;
        let sent = attempt.0 + 1;
        if failure == Failure::Permanent {
            return self.ends(TaskState::Failed(Reason::RequestRefused));
        }
        if sent >= config.attempts_max {
            return self.ends(TaskState::Failed(Reason::AttemptsExhausted));
        }
        let wait = match failure {
            Failure::Throttled { retry_after_ms: Some(asked) } => {
                u64::from(asked) + u64::from(config.retry_after_margin_ms)
            }
            _ => (0..attempt.0)
                .fold(u64::from(config.backoff_ms), |wait, _| wait * 2)
                .min(u64::from(config.backoff_ms_max)),
        };
        let after_ms = wait + u64::from(jitter_ms);
        let attempt = Attempt(sent);
        let timer = Timer::Backoff(RequestId { task: self.at.id, turn: self.data.turn, attempt });
        let paused = self.paused;
        self.with(Effect::Arm { timer, after_ms }).stands(if paused {
            TaskState::Paused(Held::BackingOff { attempt, after_ms })
        } else {
            TaskState::BackingOff { attempt, after_ms }
        })
    }
}

fn lined_up(call: Call, of: usize) -> CallState {
    match call {
        Call::Completion(_) if of > 1 => CallState::Settled(CallResult::Refused(CallRefusal::NotAlone)),
        Call::Completion(_) | Call::Tool(_) | Call::Subtask { .. } | Call::Question => {
            CallState::Waiting(Wanted::Call(call))
        }
    }
}
