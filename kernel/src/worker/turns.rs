//! The turns of a worker: what begins one, what comes of its prompt, and what the end of the worker leaves.

use super::inner::emit_health;
use super::vocabulary::{ApprovalId, Source, WorkerEffect, WorkerEnd, WorkerReason, WorkerTimer};
use super::{Approvals, Assignment, Breaker, Content, Surroundings, WorkerData, WorkerMachine, WorkerState};
use crate::config::Config;
use crate::faults::Fault;
use crate::health::{HealthEvent, HealthState, Origin};
use crate::session::{IteratorEnd, PromptEnd, PromptId, SessionEvent};

impl WorkerMachine<'_> {
    /// No turn runs: begins the next one, if there is something to do, nobody holds the worker, and it can be paid for.
    pub(super) fn go_on(&mut self, cx: &mut Surroundings<'_>) -> WorkerState {
        // S13: what a person holds starts nothing.
        let held = self.data.hold && !self.config.has(Fault::HoldIgnored);
        let spent = self.data.spent && !self.config.has(Fault::SpentIgnored);
        if held || spent {
            return WorkerState::Held;
        }
        let work = match self.data.assignment {
            Assignment::Awaited => false,
            Assignment::Unanswered => true,
            Assignment::Answered => !self.data.inbox.is_empty(),
        };
        if !work {
            return WorkerState::Idle;
        }
        self.data.turn.0 += 1;
        match self.data.breaker {
            Breaker::Open { .. } if self.config.has(Fault::BreakerPasses) => self.prompt(cx),
            Breaker::Closed => self.prompt(cx),
            Breaker::Open { .. } => WorkerState::Cooling,
        }
    }

    /// Gives the session a prompt with everything that waits, what came to nothing before first.
    pub(super) fn prompt(&mut self, cx: &mut Surroundings<'_>) -> WorkerState {
        self.data.taken = self.data.inbox.len();
        self.data.content = match self.data.content {
            Content::Fresh => Content::Given,
            Content::Given | Content::Resumed => Content::Resumed,
        };
        // Another agent may have this one: it numbers its questions anew.
        self.data.approvals = Approvals::default();
        let prompt = PromptId(self.data.session.accepted.0 + 1);
        self.tell_session(SessionEvent::Invoked { prompt }, cx);
        WorkerState::Executing
    }

    /// The wait is over.
    pub(super) fn try_again(&mut self, cx: &mut Surroundings<'_>) -> WorkerState {
        // S13: what a person holds is given again when they let it go on.
        let held = self.data.hold && !self.config.has(Fault::HeldTriesAgain);
        let spent = self.data.spent && !self.config.has(Fault::SpentTriesAgain);
        if held || spent {
            return WorkerState::Held;
        }
        self.prompt(cx)
    }

    /// The prompt of the turn came to its end.
    pub(super) fn settled(&mut self, end: PromptEnd, cx: &mut Surroundings<'_>) -> WorkerState {
        self.withdraw(cx);
        match end {
            PromptEnd::Answered => self.answered(cx),
            PromptEnd::Aborted => self.go_on(cx),
            PromptEnd::Failed(end) => self.failed(end, cx),
        }
    }

    fn answered(&mut self, cx: &mut Surroundings<'_>) -> WorkerState {
        let mut finished = false;
        if self.config.has(Fault::AcknowledgesAll) {
            self.data.taken = self.data.inbox.len();
        }
        for source in (0..self.data.taken).map_while(|_| self.data.inbox.pop_front()) {
            finished |= source == Source::WrapUp;
            if !self.config.has(Fault::AcknowledgesNothing) {
                cx.emit(WorkerEffect::Acknowledge { source });
            }
        }
        self.data.taken = 0;
        self.data.content = Content::Fresh;
        self.data.assignment = Assignment::Answered;
        self.data.failures = 0;
        self.tell_health(HealthEvent::Answered, cx);
        let finished = finished && !self.config.has(Fault::WrapUpIsNoEnd);
        if finished { self.end(WorkerState::Executing, WorkerEnd::Completed, cx) } else { self.go_on(cx) }
    }

    /// The turn keeps its number and its content.
    fn failed(&mut self, end: IteratorEnd, cx: &mut Surroundings<'_>) -> WorkerState {
        let Config { worker_backoff_ms, worker_throttled_ms, .. } = *self.config;
        let unit_ms = match end {
            IteratorEnd::Permanent if self.config.has(Fault::PermanentTriesAgain) => worker_backoff_ms,
            IteratorEnd::Permanent => {
                let end = WorkerEnd::Failed(WorkerReason::Refused);
                return self.end(WorkerState::Executing, end, cx);
            }
            IteratorEnd::Throttled => worker_throttled_ms,
            // An iterator that ends without an answer may have better luck.
            IteratorEnd::Normal | IteratorEnd::Transient => worker_backoff_ms,
        };
        self.data.failures = self.data.failures.saturating_add(1);
        let spent = self.data.failures >= self.config.worker_attempts_max;
        if spent && !self.config.has(Fault::NoWorkerBudget) {
            let end = WorkerEnd::Failed(WorkerReason::AttemptsExhausted);
            return self.end(WorkerState::Executing, end, cx);
        }
        self.wait(unit_ms.saturating_mul(u32::from(self.data.failures)), cx)
    }

    fn wait(&mut self, wait_ms: u32, cx: &mut Surroundings<'_>) -> WorkerState {
        let prompt = self.data.session.accepted;
        if self.data.failures >= self.config.breaker_max && !self.config.has(Fault::NoBreaker) {
            let breaker_ms = self.config.breaker_ms;
            let hurries = self.config.has(Fault::BreakerHurries);
            let after_ms = if hurries { breaker_ms } else { wait_ms.max(breaker_ms) };
            self.data.breaker = Breaker::Open { after_ms };
            let timer = WorkerTimer::Breaker(prompt);
            cx.emit(WorkerEffect::Arm { timer, after_ms: u64::from(after_ms) });
            return WorkerState::Cooling;
        }
        let timer = WorkerTimer::Backoff(prompt);
        cx.emit(WorkerEffect::Arm { timer, after_ms: u64::from(wait_ms) });
        WorkerState::BackingOff { after_ms: wait_ms }
    }

    /// Stops the turn in whatever gap it is. What it contains stays.
    pub(super) fn stop_turn(&mut self, leaf: WorkerState, cx: &mut Surroundings<'_>) {
        let prompt = self.data.session.accepted;
        if self.config.has(Fault::InterruptDropsTurn) {
            self.data.inbox.drain(..self.data.taken);
            self.data.taken = 0;
        }
        match leaf {
            WorkerState::Executing | WorkerState::AwaitingApproval => {
                self.withdraw(cx);
                self.tell_session(SessionEvent::AbortRequested { prompt }, cx);
            }
            WorkerState::BackingOff { .. } if self.config.has(Fault::BackoffLeftArmed) => {}
            WorkerState::BackingOff { .. } => {
                cx.emit(WorkerEffect::Disarm { timer: WorkerTimer::Backoff(prompt) });
            }
            // The breaker lets the next turn wait as well.
            WorkerState::Cooling => {}
            WorkerState::Idle | WorkerState::Held | WorkerState::Ending(_) | WorkerState::Ended(_) => {}
        }
    }

    /// S6: whatever ends a prompt takes its questions back.
    pub(super) fn withdraw(&mut self, cx: &mut Surroundings<'_>) {
        if self.config.has(Fault::ApprovalsOutlive) {
            return;
        }
        let prompt = self.data.session.accepted;
        for number in self.data.approvals.open() {
            cx.emit(WorkerEffect::Withdraw { approval: ApprovalId { prompt, number } });
        }
        self.data.approvals.withdraw();
    }

    /// Cancels and joins: the worker has ended when its session is closed.
    pub(super) fn end(
        &mut self,
        leaf: WorkerState,
        end: WorkerEnd,
        cx: &mut Surroundings<'_>,
    ) -> WorkerState {
        self.withdraw(cx);
        let prompt = self.data.session.accepted;
        let left = self.config.has(Fault::TimersLeftAtEnd);
        let mut disarm = |timer| {
            if !left {
                cx.emit(WorkerEffect::Disarm { timer });
            }
        };
        if let WorkerState::BackingOff { .. } = leaf {
            disarm(WorkerTimer::Backoff(prompt));
        }
        if let Breaker::Open { .. } = self.data.breaker {
            self.data.breaker = Breaker::Closed;
            disarm(WorkerTimer::Breaker(prompt));
        }
        if let Some(deadline) = self.data.wrap_up.take() {
            disarm(WorkerTimer::WrapUp(deadline));
        }
        if self.data.health.state != HealthState::Unwatched {
            self.tell_health(HealthEvent::Suspended, cx);
        }
        let news = self.tell_session(SessionEvent::CloseRequested, cx);
        let hurries = self.config.has(Fault::EndsBeforeSession);
        if news.closed || hurries { WorkerState::Ended(end) } else { WorkerState::Ending(end) }
    }
}

impl WorkerData {
    /// What the turn is about, for its health.
    pub(super) fn origin(&self) -> Origin {
        let inquiry = self.assignment == Assignment::Answered
            && self.inbox.iter().take(self.taken).all(|source| *source == Source::Inquiry);
        if inquiry { Origin::Inquiry } else { Origin::Work }
    }

    /// What is outstanding in every live state beside its own.
    pub(super) fn resync_live(&self, config: &Config, sink: &mut dyn FnMut(WorkerEffect)) {
        let questions = self.approvals.open().filter(|_| !config.has(Fault::ResyncForgetsApprovals));
        for number in questions {
            sink(WorkerEffect::Ask { approval: ApprovalId { prompt: self.session.accepted, number } });
        }
        let timers = !config.has(Fault::ResyncForgetsWorkerTimers);
        if let Breaker::Open { after_ms } = self.breaker
            && timers
        {
            let timer = WorkerTimer::Breaker(self.session.accepted);
            sink(WorkerEffect::Arm { timer, after_ms: u64::from(after_ms) });
        }
        if let Some(deadline) = self.wrap_up
            && timers
        {
            let after_ms = u64::from(config.wrap_up_ms);
            sink(WorkerEffect::Arm { timer: WorkerTimer::WrapUp(deadline), after_ms });
        }
        self.health.resync(config, &mut |effect| emit_health(effect, sink));
    }

    /// Every report that is not acknowledged, in its order.
    pub(super) fn emit_reports(&self, sink: &mut dyn FnMut(WorkerEffect)) {
        (self.acknowledged + 1..=self.reported).for_each(|number| sink(WorkerEffect::Report { number }));
    }

    /// The end of the worker, and what of its inbox the agent has not answered (S5).
    pub(super) fn emit_end(&self, end: WorkerEnd, config: &Config, sink: &mut dyn FnMut(WorkerEffect)) {
        for (place, source) in self.inbox.iter().enumerate() {
            let taken = place < self.taken;
            if taken || !config.has(Fault::InboxForgotten) {
                let in_doubt = taken && !config.has(Fault::InboxNeverInDoubt);
                sink(WorkerEffect::ReportUndelivered { source: *source, in_doubt });
            }
        }
        sink(WorkerEffect::WorkerEnded { end });
    }
}
