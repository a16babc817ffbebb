//! One step: what happens outside, what the session makes of it, and what comes of its orders.

use downbeat_kernel::{IteratorId, Outcome, PromptEnd, PromptId, SessionEffect, SessionEvent, SessionState};
use downbeat_sim::model::{Arrow, Lane};

use super::super::ledger::{Cause, RequestIndex, request_name};
use super::super::sdk::{IteratorIndex, SdkIterator};
use super::super::session::{CALLERS, SESSION, lane};
use super::act::{Act, Action};
use super::state::{Close, Lost, State, request_of, slot};
use super::{KernelModel, Left, words};

/// The state in the middle of a step.
pub(super) struct Step<'a> {
    pub(super) state: State,
    pub(super) model: &'a KernelModel,
    /// The story of the step; `None` while the checker only wants the next state.
    pub(super) told: Option<&'a mut Vec<Arrow>>,
}

/// Whether an effect goes outside. The others are for the owner of the session, who takes them in the same step.
pub(super) fn is_order(effect: SessionEffect) -> bool {
    match effect {
        SessionEffect::Start { .. }
        | SessionEffect::Prompt { .. }
        | SessionEffect::Stop { .. }
        | SessionEffect::Kill { .. }
        | SessionEffect::Arm { .. }
        | SessionEffect::Disarm { .. } => true,
        SessionEffect::Settle { .. } | SessionEffect::Closed => false,
    }
}

impl Step<'_> {
    fn tell(&mut self, from: Lane, to: Lane, text: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: text() });
        }
    }

    /// Takes one step; `None` if it may not be taken.
    pub(super) fn take(&mut self, Action { act, cut }: Action) -> Option<()> {
        if act == Act::Crash {
            return self.crash();
        }
        let event = act.event(&self.state)?;
        let left = self.state.left.after(act, &self.state)?;
        if let Some(told) = &mut self.told {
            told.push(words::arrow(&self.state, act));
        }
        self.happens(act);
        let (before, mut effects) = (self.state.session, Vec::new());
        match self.state.session.step(event, &self.model.config, &mut |effect| effects.push(effect)) {
            Outcome::Applied => {}
            Outcome::Ignored(_) | Outcome::Rejected(_) => {
                self.tell(SESSION, SESSION, || "takes no notice".to_owned());
                self.state.changed_unapplied |= before != self.state.session || !effects.is_empty();
                return cut.is_none().then_some(());
            }
        }
        self.state.left = left;
        self.means(act);
        self.release(&effects, cut, Some(event));
        if cut.is_some() { self.crash() } else { Some(()) }
    }

    /// What an act is outside, before the session knows of it.
    fn happens(&mut self, act: Act) {
        let state = &mut self.state;
        match act {
            Act::Start(iterator) => state.sdk.open(iterator),
            // It was told to stop while it started; then it comes up all the same.
            Act::StartLate(iterator) => match state.sdk.iterator(iterator) {
                SdkIterator::Starting { .. } => state.sdk.open(iterator),
                SdkIterator::Absent
                | SdkIterator::Live { .. }
                | SdkIterator::Aborted { .. }
                | SdkIterator::Ended => {}
            },
            Act::FailToStart(iterator) => state.sdk.end(iterator),
            Act::End(iterator, _) if state.is_lost(iterator) => state.lost = Lost::Nothing,
            Act::End(iterator, _) => state.sdk.end(iterator),
            Act::Answer(iterator) => {
                state.sdk.answer(iterator);
            }
            Act::AnswerLate(iterator, request) => {
                if state.lost == Lost::With(iterator, request) {
                    state.lost = Lost::Idle(iterator);
                }
            }
            Act::ReportLost(_) => state.lost = Lost::Nothing,
            Act::Elapse(iterator) => state.armed &= !(1 << iterator),
            Act::Invoke
            | Act::Cancel(_)
            | Act::Abort
            | Act::Restart
            | Act::Close
            | Act::Crash
            | Act::InvokeAgain(_)
            | Act::InvokeAhead
            | Act::CancelLate(_)
            | Act::EndLate(_)
            | Act::ElapseLate(_) => {}
        }
    }

    /// Whom an act was meant for, once the session has taken it and before it says what came of it.
    fn means(&mut self, act: Act) {
        let State { ledger, close, .. } = &mut self.state;
        match act {
            Act::Invoke => {
                ledger.make();
            }
            Act::Cancel(request) => ledger.cancel(request),
            Act::Abort => ledger.abort(),
            // A restart takes the iterator from the request that it has, and from nobody else.
            Act::Restart => {
                if let Some(request) = self.state.put_to_iterator() {
                    self.state.ledger.stop(request);
                }
            }
            Act::Close => {
                *close = Close::Asked;
                ledger.stop_all();
            }
            Act::Start(_)
            | Act::FailToStart(_)
            | Act::Answer(_)
            | Act::End(..)
            | Act::ReportLost(_)
            | Act::Elapse(_)
            | Act::Crash
            | Act::InvokeAgain(_)
            | Act::InvokeAhead
            | Act::CancelLate(_)
            | Act::StartLate(_)
            | Act::AnswerLate(..)
            | Act::EndLate(_)
            | Act::ElapseLate(_) => {}
        }
    }

    /// The process is gone with its iterators and timers; the next one has the session repeat its orders. Iterators that
    /// the session counts on are reported as ended, by and by; one that was to be started is started anew.
    fn crash(&mut self) -> Option<()> {
        let state = &mut self.state;
        state.left.crashes = state.left.crashes.checked_sub(1)?;
        state.sdk.end_all();
        state.armed = 0;
        if state.close == Close::Done {
            state.close = Close::Asked;
        }
        state.lost = match state.session.state {
            SessionState::Dormant | SessionState::Starting | SessionState::Closed => Lost::Nothing,
            SessionState::Listening
            | SessionState::Answering
            | SessionState::Stopping
            | SessionState::Closing => state.newest().map_or(Lost::Nothing, Lost::Idle),
        };
        self.tell(SESSION, SESSION, || "the process crashes, and begins anew".to_owned());
        let mut effects = Vec::new();
        self.state.session.resync(&self.model.config, &mut |effect| effects.push(effect));
        self.release(&effects, None, None);
        Some(())
    }

    /// Settles what the effects settle, and carries out the first `cut` orders: the others come after the crash.
    fn release(&mut self, effects: &[SessionEffect], cut: Option<u8>, event: Option<SessionEvent>) {
        let mut orders = 0;
        for effect in effects {
            if is_order(*effect) {
                if cut.is_none_or(|cut| orders < cut) {
                    self.carry_out(*effect);
                }
                orders += 1;
            } else {
                self.take_note(*effect, event);
            }
        }
    }

    /// The owner of the session takes what is for him.
    fn take_note(&mut self, effect: SessionEffect, event: Option<SessionEvent>) {
        match effect {
            SessionEffect::Settle { prompt, end } => self.settle(prompt, end, event),
            SessionEffect::Closed => {
                self.tell(SESSION, CALLERS, || "is closed".to_owned());
                self.state.disorder |= self.state.close != Close::Asked;
                self.state.close = Close::Done;
            }
            SessionEffect::Start { .. }
            | SessionEffect::Prompt { .. }
            | SessionEffect::Stop { .. }
            | SessionEffect::Kill { .. }
            | SessionEffect::Arm { .. }
            | SessionEffect::Disarm { .. } => unreachable!("an order is carried out"),
        }
    }

    fn settle(&mut self, prompt: PromptId, end: PromptEnd, event: Option<SessionEvent>) {
        let open = request_of(prompt).filter(|request| self.state.ledger.request(*request).is_open());
        let Some(request) = open else {
            self.state.disorder = true;
            return;
        };
        let how = match end {
            PromptEnd::Answered => "completes",
            PromptEnd::Aborted | PromptEnd::Failed(_) => "rejects",
        };
        self.tell(SESSION, CALLERS, || format!("{how} {}", request_name(request)));
        match end {
            PromptEnd::Answered => match event.and_then(answered_by) {
                Some(made_for) => self.state.ledger.complete(request, made_for),
                None => self.state.disorder = true,
            },
            PromptEnd::Aborted => self.state.ledger.reject(request, Cause::Interrupt),
            PromptEnd::Failed(_) => self.state.ledger.reject(request, Cause::Failure),
        }
    }

    fn carry_out(&mut self, order: SessionEffect) {
        match order {
            SessionEffect::Start { iterator } => self.at(iterator, Self::start),
            SessionEffect::Prompt { iterator, prompt } => {
                self.at(iterator, |step, iterator| match request_of(prompt) {
                    Some(request) => step.prompt(iterator, request),
                    None => step.state.disorder = true,
                });
            }
            SessionEffect::Stop { iterator } => self.at(iterator, Self::stop),
            SessionEffect::Kill { iterator } => self.at(iterator, Self::kill),
            SessionEffect::Arm { iterator, .. } => self.at(iterator, |step, iterator| {
                step.state.disorder |= step.state.is_armed(iterator);
                step.state.armed |= 1 << iterator;
            }),
            SessionEffect::Disarm { iterator } => self.at(iterator, |step, iterator| {
                step.state.disorder |= !step.state.is_armed(iterator);
                step.state.armed &= !(1 << iterator);
            }),
            SessionEffect::Settle { .. } | SessionEffect::Closed => unreachable!("it is no order"),
        }
    }

    /// An order to an iterator. A sound session never has more of them than there is room for.
    fn at(&mut self, iterator: IteratorId, order: impl FnOnce(&mut Self, IteratorIndex)) {
        match slot(iterator) {
            Some(iterator) => order(self, iterator),
            None => self.state.disorder = true,
        }
    }

    fn start(&mut self, iterator: IteratorIndex) {
        self.tell(SESSION, lane(iterator), || "start".to_owned());
        self.state.beside |= self.state.is_running();
        self.state.sdk.start(iterator);
    }

    /// An iterator that a crash took cannot be given anything, and its end says so.
    fn prompt(&mut self, iterator: IteratorIndex, request: RequestIndex) {
        self.tell(SESSION, lane(iterator), || format!("prompt {}", request_name(request)));
        let state = &mut self.state;
        if state.is_lost(iterator) {
            state.lost = Lost::With(iterator, request);
            return;
        }
        let is_known = state.given.iter().any(|given| given & 1 << request != 0);
        state.disorder |= is_known || state.sdk.works_on(iterator).is_some();
        if !is_known && state.sdk.take(iterator, request) {
            state.ledger.put_to_work(request);
            state.given[usize::from(iterator)] |= 1 << request;
        } else {
            state.disorder = true;
        }
    }

    fn stop(&mut self, iterator: IteratorIndex) {
        self.tell(SESSION, lane(iterator), || "stop".to_owned());
        let state = &mut self.state;
        let is_new = match state.sdk.iterator(iterator) {
            SdkIterator::Starting { aborted: false } | SdkIterator::Live { .. } => true,
            SdkIterator::Absent
            | SdkIterator::Starting { aborted: true }
            | SdkIterator::Aborted { .. }
            | SdkIterator::Ended => state.is_lost(iterator) && state.lost != Lost::Stopping(iterator),
        };
        state.disorder |= !is_new;
        state.sdk.stop(iterator);
        if state.is_lost(iterator) {
            state.lost = Lost::Stopping(iterator);
        }
    }

    fn kill(&mut self, iterator: IteratorIndex) {
        self.tell(SESSION, lane(iterator), || "kill".to_owned());
        let is_lost = self.state.is_lost(iterator);
        self.state.disorder |= !is_lost && !self.state.sdk.iterator(iterator).runs();
        if is_lost {
            self.state.lost = Lost::Nothing;
        } else {
            self.state.sdk.end(iterator);
        }
    }
}

/// The request that an answer is for.
fn answered_by(event: SessionEvent) -> Option<RequestIndex> {
    match event {
        SessionEvent::Answered { prompt, .. } => request_of(prompt),
        SessionEvent::Invoked { .. }
        | SessionEvent::Started { .. }
        | SessionEvent::IteratorEnded { .. }
        | SessionEvent::AbortRequested { .. }
        | SessionEvent::RestartRequested
        | SessionEvent::CloseRequested
        | SessionEvent::StopElapsed { .. } => None,
    }
}

impl Left {
    /// What is left after an act that the session applied; `None` if there was not enough.
    fn after(mut self, act: Act, state: &State) -> Option<Self> {
        let budget = match act {
            Act::Cancel(_) => &mut self.cancels,
            Act::Abort => &mut self.aborts,
            Act::Restart => &mut self.restarts,
            Act::Close => &mut self.closes,
            Act::FailToStart(_) => &mut self.failures,
            Act::End(iterator, _) => match state.sdk.iterator(iterator) {
                SdkIterator::Live { .. } => &mut self.exits,
                SdkIterator::Absent
                | SdkIterator::Starting { .. }
                | SdkIterator::Aborted { .. }
                | SdkIterator::Ended => return Some(self),
            },
            Act::Invoke
            | Act::Start(_)
            | Act::Answer(_)
            | Act::ReportLost(_)
            | Act::Elapse(_)
            | Act::Crash
            | Act::InvokeAgain(_)
            | Act::InvokeAhead
            | Act::CancelLate(_)
            | Act::StartLate(_)
            | Act::AnswerLate(..)
            | Act::EndLate(_)
            | Act::ElapseLate(_) => return Some(self),
        };
        *budget = budget.checked_sub(1)?;
        Some(self)
    }
}
