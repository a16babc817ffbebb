//! One question to the model: what it contains, what is heard, and what comes of a failure.

use super::ledger::Ledger;
use super::{After, DUPLICATE, NEVER_ASKED, No};
use crate::calls::{CallState, Wanted};
use crate::lifecycle::Refusal;
use crate::request::{
    Previous, Profiles, Request, RequestEffect, RequestEnd, RequestEvent, RequestRejected, RequestState,
    SendFailure,
};
use crate::task::{Outstanding, TaskState};
use crate::vocabulary::{
    Attempt, Call, CallId, CallRefusal, CallResult, Effect, Ignored, MessageId, Outcome, Part, Reason,
    RequestId, Response, TaskId, TurnNumber,
};
use std::vec::Vec;

impl Ledger<'_> {
    /// A new turn: everything queued goes in, and the model is asked, if that can be paid for.
    pub(super) fn asks_the_model(mut self) -> Result<After, No> {
        if self.data.spent {
            return self.stands(TaskState::AwaitingBudget);
        }
        let config = self.at.config;
        let before = self.data.request;
        self.data.turn = TurnNumber(self.data.turn.0 + 1);
        self.data.taken = self.data.accepted;
        self.data.request = Request::default();
        let previous = match before.state {
            RequestState::Ended(RequestEnd::Accepted { attempt }) => {
                let profile = before.ledger.sends()[usize::from(attempt.0)].profile;
                let turn = TurnNumber(self.data.turn.0 - 1);
                let keeps = config.profiles_continuing & 1 << profile.0 != 0;
                keeps.then_some(Previous { turn, attempt, profile })
            }
            RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::BackingOff { .. }
            | RequestState::Stopping(_)
            | RequestState::Ended(RequestEnd::Failed(_) | RequestEnd::Cancelled) => None,
        };
        let (count, down, keyed) = (config.profiles, self.at.down, config.profiles_keyed);
        let profiles = Profiles { count, down, keyed };
        self.asked(RequestEvent::Began { profiles, previous }).stands(TaskState::Requesting)
    }

    /// The results of the last response in their order, then the messages.
    fn contains(&self) -> Vec<Part> {
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
        parts
    }

    /// The request takes an event, or says why not. What it orders goes out, but its end.
    fn tells_request(&mut self, event: RequestEvent) -> Result<Option<RequestEnd>, No> {
        let mut orders = Vec::new();
        match self.data.request.step(event, &self.at.config, &mut |order| orders.push(order)) {
            Outcome::Applied => {}
            Outcome::Ignored(Ignored::Terminal) => return Err(DUPLICATE),
            Outcome::Ignored(why) => return Err(No::Because(Refusal::Ignored(why))),
            Outcome::Rejected(RequestRejected::NeverAsked { .. }) => return Err(NEVER_ASKED),
            Outcome::Rejected(why) => return Err(No::Because(Refusal::Request(why))),
        }
        let (task, turn, mut ended) = (self.at.id, self.data.turn, None);
        for effect in orders {
            match effect {
                RequestEffect::Ended { end } => ended = Some(end),
                RequestEffect::Send { .. } => {
                    let parts = self.contains().into_iter();
                    self.effects.extend(parts.map(|part| Effect::Include { task, part }));
                    self.effects.push(Effect::Request { task, turn, effect });
                }
                RequestEffect::GetCredential { .. }
                | RequestEffect::Recover { .. }
                | RequestEffect::Stop { .. }
                | RequestEffect::Fence { .. }
                | RequestEffect::Charge { .. }
                | RequestEffect::Arm { .. }
                | RequestEffect::Disarm { .. } => self.effects.push(Effect::Request { task, turn, effect }),
            }
        }
        Ok(ended)
    }

    /// The same of what the request cannot refuse, and does not end by.
    pub(super) fn asked(mut self, event: RequestEvent) -> Self {
        assert_eq!(self.tells_request(event), Ok(None), "{event:?}");
        self
    }

    /// A cancel: the request stops, or has stopped.
    pub(super) fn unasked(&mut self) -> Outstanding {
        match self
            .tells_request(RequestEvent::CancelRequested)
            .expect("a request that is asked can be cancelled")
        {
            Some(_) => Outstanding::Nothing,
            None => Outstanding::Request,
        }
    }

    /// A bill for a task that has ended.
    pub(super) fn bills(mut self, event: RequestEvent) -> Result<After, No> {
        self.tells_request(event)?;
        let state = self.at.state;
        self.stands(state)
    }

    /// What comes of something that the request is told.
    pub(super) fn told(mut self, event: RequestEvent, response: Option<&Response>) -> Result<After, No> {
        let state = self.at.state;
        match (self.tells_request(event)?, response) {
            (None, _) => self.stands(state),
            (Some(RequestEnd::Cancelled), Some(response)) => {
                self.answered_in_vain(response).ends_unless_busy(Outstanding::Nothing)
            }
            (Some(RequestEnd::Cancelled), None) => self.ends_unless_busy(Outstanding::Nothing),
            (Some(RequestEnd::Failed(why)), _) => self.ends(TaskState::Failed(Reason::Request(why))),
            (Some(RequestEnd::Accepted { attempt }), Some(response)) => self.takes(attempt, response),
            (Some(RequestEnd::Accepted { .. }), None) => panic!("{event:?} is no response"),
        }
    }

    /// A whole response, whatever is in it.
    pub(super) fn hears(self, attempt: Attempt, response: &Response, jitter_ms: u32) -> Result<After, No> {
        let event = match response {
            Response::Empty => {
                RequestEvent::SendFailed { attempt, failure: SendFailure::Transient, jitter_ms }
            }
            Response::Text | Response::Calls(_) => RequestEvent::ResponseEnded { attempt },
        };
        self.told(event, Some(response))
    }

    /// The response to the request, while nobody has cancelled the task.
    fn takes(mut self, attempt: Attempt, response: &Response) -> Result<After, No> {
        let calls = match response {
            Response::Text | Response::Empty => {
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
    fn answered_in_vain(mut self, response: &Response) -> Self {
        if *response != Response::Empty {
            self.data.replied = self.data.turn;
            self.data.answered = self.data.taken;
        }
        self
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
