//! The worker a second time: one plain `match` over the event and the state, without a hierarchy.
//!
//! It is written from what the words and the states promise, event by event, and shares with the machine only the words,
//! and the session and the health, which have twins of their own.

use crate::config::Config;
use crate::health::{HealthEffect, HealthEvent, HealthState, Origin};
use crate::session::{IteratorEnd, PromptEnd, PromptId, SessionEffect, SessionEvent, SessionState};
use crate::vocabulary::{Ignored, MessageId, Outcome, TurnNumber};
use crate::worker::{
    APPROVALS_MAX, ApprovalId, Approvals, Assignment, Breaker, Content, Deadline, Source, Then, Worker,
    WorkerData, WorkerEffect, WorkerEnd, WorkerEvent, WorkerPart, WorkerReason, WorkerRejected, WorkerState,
    WorkerTimer,
};
use std::vec::Vec;

pub(super) type Said = super::beside::Said<Worker, WorkerEffect, WorkerRejected>;
type No = Outcome<WorkerRejected>;

const STALE: No = Outcome::Ignored(Ignored::Stale);
const DUPLICATE: No = Outcome::Ignored(Ignored::Duplicate);
const TERMINAL: No = Outcome::Ignored(Ignored::Terminal);

/// What the worker makes of the event.
pub(super) fn twin(at: &Worker, event: WorkerEvent, config: &Config) -> Said {
    use WorkerEvent as E;
    use WorkerState as S;
    let book = Book { next: at.clone(), out: Vec::new(), config };
    let data = &at.data;
    let never = Err(Outcome::Rejected(WorkerRejected::NeverAsked { state: at.state, event }));
    let in_turn = matches!(at.state, S::Executing | S::AwaitingApproval | S::BackingOff { .. } | S::Cooling);
    match (event, at.state) {
        (E::EndAcknowledged, S::Ended(_)) => Ok((book.next, book.out)),
        (E::EndAcknowledged, state) => Err(Outcome::Rejected(WorkerRejected::NoEdge { state, event })),
        (E::MessageReceived { message }, S::Ending(_) | S::Ended(_)) => {
            Err(if message.0 > 0 && message <= data.accepted { DUPLICATE } else { TERMINAL })
        }
        (_, S::Ended(_)) => Err(TERMINAL),
        (
            E::Session(
                event @ (SessionEvent::Invoked { .. }
                | SessionEvent::AbortRequested { .. }
                | SessionEvent::RestartRequested
                | SessionEvent::CloseRequested),
            ),
            _,
        ) => Err(Outcome::Rejected(WorkerRejected::NotForShell { event })),
        (E::Session(event), S::Ending(end)) => book.hears_closing(event, end),
        (E::ReportAcknowledged { number }, _) if number == 0 || number > data.reported => never,
        (E::ReportAcknowledged { number }, _) if data.kept && number > data.acknowledged => never,
        (E::ReportAcknowledged { number }, _) if number <= data.acknowledged => Err(DUPLICATE),
        (E::ReportAcknowledged { number }, _) => book.change(|next| next.data.acknowledged = number).done(),
        (E::CompleteRequested, S::Ending(WorkerEnd::Completed)) => Err(DUPLICATE),
        (E::KillRequested, S::Ending(WorkerEnd::Killed)) => Err(DUPLICATE),
        (E::ChildEnded { child }, S::Ending(_)) => {
            let source = Source::ChildEnded { child };
            book.if_new(source)?.queues(source).done()
        }
        (_, S::Ending(_)) => Err(TERMINAL),

        (E::CompleteRequested, _) => book.winds_up(WorkerEnd::Completed).done(),
        (E::KillRequested, _) => book.winds_up(WorkerEnd::Killed).done(),
        (E::Assigned, _) if data.assignment != Assignment::Awaited => Err(DUPLICATE),
        (E::Assigned, _) => {
            book.change(|next| next.data.assignment = Assignment::Unanswered).starts_if_idle().done()
        }
        (E::MessageReceived { message }, _) => {
            let expected = MessageId(data.accepted.0 + 1);
            if message.0 > 0 && message < expected {
                return Err(DUPLICATE);
            }
            if message != expected {
                return Err(Outcome::Rejected(WorkerRejected::MessageGap { expected, got: message }));
            }
            let source = Source::Message(message);
            book.has_room(source)?.change(|next| next.data.accepted = message).queues(source).done()
        }
        (E::ChildReported { child, number }, _) => {
            let source = Source::ChildReported { child, number };
            book.if_new(source)?.has_room(source)?.queues(source).done()
        }
        (E::ChildEnded { child }, _) => {
            let source = Source::ChildEnded { child };
            book.if_new(source)?.has_room(source)?.queues(source).done()
        }
        (E::Session(event), _) => book.hears(event),
        (E::Reported { number }, _) => {
            let expected = data.reported + 1;
            if number > 0 && number < expected {
                return Err(DUPLICATE);
            }
            if number != expected {
                return Err(Outcome::Rejected(WorkerRejected::ReportGap { expected, got: number }));
            }
            let limit = config.inbox_max;
            if data.reported - data.acknowledged == limit {
                return Err(Outcome::Rejected(WorkerRejected::ReportsFull { limit, number }));
            }
            let book = book.change(|next| next.data.reported = number);
            if data.kept { book.done() } else { book.with(WorkerEffect::Report { number }).done() }
        }
        (E::PauseRequested, _) if data.hold => Err(DUPLICATE),
        (E::PauseRequested, state) => book
            .change(|next| {
                next.data.hold = true;
                next.state = if state == S::Idle { S::Held } else { state };
            })
            .done(),
        (E::ResumeRequested, _) if !data.hold => Err(DUPLICATE),
        (E::ResumeRequested, S::Held) => book.change(|next| next.data.hold = false).starts().done(),
        (E::ResumeRequested, _) => book.change(|next| next.data.hold = false).done(),
        (E::BudgetSpent, _) if data.spent => Err(DUPLICATE),
        (E::BudgetSpent, state) => book
            .change(|next| {
                next.data.spent = true;
                next.state = if state == S::Idle { S::Held } else { state };
            })
            .done(),
        (E::BudgetGranted, _) if !data.spent => Err(DUPLICATE),
        (E::BudgetGranted, S::Held) => book.change(|next| next.data.spent = false).starts().done(),
        (E::BudgetGranted, _) => book.change(|next| next.data.spent = false).done(),
        (E::WrapUpRequested, _) if data.wrap_up.is_some() => Err(DUPLICATE),
        (E::WrapUpRequested, state) => {
            let book = book.change(|next| {
                next.data.hold = false;
                next.data.inbox.insert(next.data.taken, Source::WrapUp);
            });
            let book = book.gives_time(Deadline::First);
            if matches!(state, S::Idle | S::Held) { book.starts().done() } else { book.done() }
        }
        (E::InterruptRequested { turn, then }, _) if in_turn && turn == data.turn => {
            book.change(|next| next.data.hold |= then == Then::Hold).stops().starts().done()
        }
        (E::InterruptRequested { turn, then: Then::Hold }, state)
            if turn.0 > 0 && turn <= data.turn && !data.hold =>
        {
            book.change(|next| {
                next.data.hold = true;
                next.state = if state == S::Idle { S::Held } else { state };
            })
            .done()
        }
        (E::InterruptRequested { turn, then: Then::Hold }, _) if turn.0 > 0 && turn <= data.turn => {
            Err(DUPLICATE)
        }
        (E::ProgressReported { check }, _) => {
            book.asks_health(HealthEvent::ProgressReported { check }, event)
        }
        (E::Observed { prompt, sign }, S::Executing | S::AwaitingApproval)
            if prompt == data.session.accepted && data.session.state == SessionState::Answering =>
        {
            book.asks_health(HealthEvent::Observed(sign), event)
        }
        (E::ApprovalRequested { approval }, S::Executing | S::AwaitingApproval)
            if approval.prompt == data.session.accepted && data.session.state == SessionState::Answering =>
        {
            book.takes_question(approval)
        }
        (E::AnswerReceived { approval, answer }, S::AwaitingApproval) if book.open(approval) => {
            let effect = WorkerEffect::Answer { approval, answer };
            book.with(effect).change(|next| closes(next, approval.number)).done()
        }
        (E::AnswerReceived { approval, .. }, _)
            if approval.number == 0
                || (approval.prompt == data.session.accepted && approval.number > data.approvals.asked) =>
        {
            never
        }
        (E::InterruptRequested { turn, .. }, _) if turn == TurnNumber(0) || turn > data.turn => never,
        (E::InterruptRequested { .. }, _) => Err(STALE),
        (
            E::Observed { prompt, .. }
            | E::ApprovalRequested { approval: ApprovalId { prompt, .. } }
            | E::AnswerReceived { approval: ApprovalId { prompt, .. }, .. },
            _,
        ) => {
            if prompt == PromptId(0) || prompt > data.session.accepted {
                return never;
            }
            Err(STALE)
        }
        (E::TimerFired { timer: WorkerTimer::Watch(watch) }, _) => {
            book.asks_health(HealthEvent::Elapsed { watch }, event)
        }
        (E::TimerFired { timer: WorkerTimer::Backoff(prompt) | WorkerTimer::Breaker(prompt) }, _)
            if prompt == PromptId(0) || prompt > data.session.accepted =>
        {
            never
        }
        (E::TimerFired { timer: WorkerTimer::Backoff(prompt) }, S::BackingOff { .. })
            if prompt == data.session.accepted =>
        {
            book.tries_again().done()
        }
        (E::TimerFired { timer: WorkerTimer::Breaker(prompt) }, state)
            if prompt == data.session.accepted && data.breaker != Breaker::Closed =>
        {
            let book = book.change(|next| next.data.breaker = Breaker::Closed);
            if state == S::Cooling { book.tries_again().done() } else { book.done() }
        }
        (E::TimerFired { timer: WorkerTimer::Backoff(_) | WorkerTimer::Breaker(_) }, _) => Err(STALE),
        (E::TimerFired { timer: WorkerTimer::WrapUp(deadline) }, state) => match (data.wrap_up, deadline) {
            (None, _) | (Some(Deadline::First), Deadline::Last) => never,
            (Some(Deadline::Last), Deadline::First) => Err(STALE),
            (Some(Deadline::Last), Deadline::Last) => {
                book.change(|next| next.data.wrap_up = None).winds_up(WorkerEnd::Completed).done()
            }
            (Some(Deadline::First), Deadline::First) => {
                let told = data.inbox.range(..data.taken).any(|source| *source == Source::WrapUp);
                let book = book.gives_time(Deadline::Last);
                let running = matches!(state, S::Executing | S::AwaitingApproval);
                if running && !told { book.stops().starts().done() } else { book.done() }
            }
        },
    }
}

/// Takes a question off the window, and what is settled right behind it.
fn closes(next: &mut Worker, number: u32) {
    let Approvals { asked, settled, open } = next.data.approvals;
    let left: Vec<u32> =
        (settled + 1..=asked).filter(|n| *n != number && open >> (n - settled - 1) & 1 == 1).collect();
    let settled = left.first().map_or(asked, |first| first - 1);
    let open = left.iter().fold(0, |bits, n| bits | 1 << (n - settled - 1));
    next.data.approvals = Approvals { asked, settled, open };
    next.state = if left.is_empty() { WorkerState::Executing } else { WorkerState::AwaitingApproval };
}

/// The next worker and the effects so far.
struct Book<'c> {
    next: Worker,
    out: Vec<WorkerEffect>,
    config: &'c Config,
}

impl Book<'_> {
    fn change(mut self, how: impl FnOnce(&mut Worker)) -> Self {
        how(&mut self.next);
        self
    }

    fn with(mut self, effect: WorkerEffect) -> Self {
        self.out.push(effect);
        self
    }

    /// Reports an end, and tells health where the worker stands now. It does not hear news twice.
    #[expect(clippy::unnecessary_wraps, reason = "the last word about an event, beside its refusals")]
    fn done(mut self) -> Said {
        if let WorkerState::Ended(end) = self.next.state {
            if self.next.data.kept {
                self.reports();
            }
            for (index, source) in self.next.data.inbox.iter().copied().enumerate() {
                let in_doubt = self.next.data.taken > index;
                self.out.push(WorkerEffect::ReportUndelivered { source, in_doubt });
            }
            self.out.push(WorkerEffect::WorkerEnded { end });
        }
        let data = &self.next.data;
        let posture = match self.next.state {
            WorkerState::Executing => HealthEvent::Began {
                origin: if data.assignment == Assignment::Answered
                    && data.inbox.range(..data.taken).all(|source| *source == Source::Inquiry)
                {
                    Origin::Inquiry
                } else {
                    Origin::Work
                },
            },
            WorkerState::Idle if data.assignment != Assignment::Awaited => HealthEvent::Rested,
            WorkerState::Idle
            | WorkerState::Held
            | WorkerState::AwaitingApproval
            | WorkerState::BackingOff { .. }
            | WorkerState::Cooling
            | WorkerState::Ending(_)
            | WorkerState::Ended(_) => HealthEvent::Suspended,
        };
        drop(self.health(posture));
        Ok((self.next, self.out))
    }

    fn reports(&mut self) {
        let WorkerData { reported, acknowledged, .. } = self.next.data;
        self.out.extend((acknowledged..reported).map(|before| WorkerEffect::Report { number: before + 1 }));
    }

    fn has_room(self, source: Source) -> Result<Self, No> {
        let limit = self.config.inbox_max;
        let bounded = !matches!(source, Source::ChildEnded { .. });
        if bounded && self.next.data.inbox.len() >= limit as usize {
            return Err(Outcome::Rejected(WorkerRejected::InboxFull { limit, source }));
        }
        Ok(self)
    }

    fn if_new(self, source: Source) -> Result<Self, No> {
        if self.next.data.inbox.contains(&source) { Err(DUPLICATE) } else { Ok(self) }
    }

    fn queues(mut self, source: Source) -> Self {
        self.next.data.inbox.push_back(source);
        self.starts_if_idle()
    }

    fn starts_if_idle(self) -> Self {
        if self.next.state == WorkerState::Idle { self.starts() } else { self }
    }

    /// No turn runs: what is next?
    fn starts(mut self) -> Self {
        let data = &mut self.next.data;
        let nothing = match data.assignment {
            Assignment::Awaited => true,
            Assignment::Unanswered => false,
            Assignment::Answered => data.inbox.is_empty(),
        };
        let held = data.hold || data.spent;
        if held || nothing {
            self.next.state = if held { WorkerState::Held } else { WorkerState::Idle };
            return self;
        }
        data.turn = TurnNumber(data.turn.0 + 1);
        if data.breaker != Breaker::Closed {
            self.next.state = WorkerState::Cooling;
            return self;
        }
        self.prompts()
    }

    fn tries_again(mut self) -> Self {
        if !self.next.data.hold && !self.next.data.spent {
            return self.prompts();
        }
        self.next.state = WorkerState::Held;
        self
    }

    fn prompts(mut self) -> Self {
        let data = &mut self.next.data;
        data.content = if data.content == Content::Fresh { Content::Given } else { Content::Resumed };
        data.taken = data.inbox.len();
        data.approvals = Approvals { asked: 0, settled: 0, open: 0 };
        let prompt = PromptId(data.session.accepted.0 + 1);
        self.next.state = WorkerState::Executing;
        drop(self.session(SessionEvent::Invoked { prompt }));
        self
    }

    /// Steps the session. Gives its outcome, how the prompt ended, and whether the session closed.
    fn session(&mut self, event: SessionEvent) -> (No, Option<PromptEnd>, bool) {
        let mut said = Vec::new();
        let outcome = self.next.data.session.step(event, self.config, &mut |effect| said.push(effect));
        let (mut settled, mut closed) = (None, false);
        for effect in said {
            match effect {
                SessionEffect::Settle { end, .. } => settled = Some(end),
                SessionEffect::Closed => closed = true,
                SessionEffect::Prompt { .. } => {
                    self.content();
                    self.out.push(WorkerEffect::Session(effect));
                }
                SessionEffect::Start { .. }
                | SessionEffect::Stop { .. }
                | SessionEffect::Kill { .. }
                | SessionEffect::Arm { .. }
                | SessionEffect::Disarm { .. } => self.out.push(WorkerEffect::Session(effect)),
            }
        }
        let outcome = match outcome {
            Outcome::Applied => Outcome::Applied,
            Outcome::Ignored(why) => Outcome::Ignored(why),
            Outcome::Rejected(why) => Outcome::Rejected(WorkerRejected::Session(why)),
        };
        (outcome, settled, closed)
    }

    fn content(&mut self) {
        let data = &self.next.data;
        let mut parts = Vec::new();
        if data.content == Content::Resumed {
            parts.push(WorkerPart::Resumed);
        }
        if data.assignment == Assignment::Unanswered {
            parts.push(WorkerPart::Prompt);
        }
        parts.extend(data.inbox.range(..data.taken).copied().map(WorkerPart::Source));
        self.out.extend(parts.into_iter().map(|part| WorkerEffect::Include { part }));
    }

    fn hears_closing(mut self, event: SessionEvent, end: WorkerEnd) -> Said {
        match self.session(event) {
            (Outcome::Applied, _, true) => self.change(|next| next.state = WorkerState::Ended(end)).done(),
            (Outcome::Applied, _, false) => self.done(),
            (refused, ..) => Err(refused),
        }
    }

    fn hears(mut self, event: SessionEvent) -> Said {
        let (outcome, settled, _) = self.session(event);
        if outcome != Outcome::Applied {
            return Err(outcome);
        }
        match settled {
            None => self.done(),
            Some(PromptEnd::Answered) => self.takes_back().answered().done(),
            Some(PromptEnd::Aborted) => self.takes_back().starts().done(),
            Some(PromptEnd::Failed(end)) => self.takes_back().failed(end).done(),
        }
    }

    fn answered(mut self) -> Self {
        let data = &mut self.next.data;
        let done: Vec<Source> = data.inbox.drain(..data.taken).collect();
        (data.taken, data.content, data.failures) = (0, Content::Fresh, 0);
        data.assignment = Assignment::Answered;
        self.out.extend(done.iter().map(|source| WorkerEffect::Acknowledge { source: *source }));
        drop(self.health(HealthEvent::Answered));
        if done.contains(&Source::WrapUp) { self.winds_up(WorkerEnd::Completed) } else { self.starts() }
    }

    fn failed(mut self, end: IteratorEnd) -> Self {
        if end == IteratorEnd::Permanent {
            return self.winds_up(WorkerEnd::Failed(WorkerReason::Refused));
        }
        let throttled = end == IteratorEnd::Throttled;
        let unit = if throttled { self.config.worker_throttled_ms } else { self.config.worker_backoff_ms };
        self.next.data.failures += 1;
        let failures = self.next.data.failures;
        if failures >= self.config.worker_attempts_max {
            return self.winds_up(WorkerEnd::Failed(WorkerReason::AttemptsExhausted));
        }
        let prompt = self.next.data.session.accepted;
        let own = unit * u32::from(failures);
        if failures < self.config.breaker_max {
            self.next.state = WorkerState::BackingOff { after_ms: own };
            return self
                .with(WorkerEffect::Arm { timer: WorkerTimer::Backoff(prompt), after_ms: own.into() });
        }
        let after_ms = own.max(self.config.breaker_ms);
        self.next.data.breaker = Breaker::Open { after_ms };
        self.next.state = WorkerState::Cooling;
        self.with(WorkerEffect::Arm { timer: WorkerTimer::Breaker(prompt), after_ms: after_ms.into() })
    }

    /// The agent's questions are void.
    fn takes_back(mut self) -> Self {
        let Approvals { asked, settled, open } = self.next.data.approvals;
        let prompt = self.next.data.session.accepted;
        for number in settled + 1..=asked {
            if open >> (number - settled - 1) & 1 == 1 {
                self.out.push(WorkerEffect::Withdraw { approval: ApprovalId { prompt, number } });
            }
        }
        self.next.data.approvals = Approvals { asked, settled: asked, open: 0 };
        self
    }

    /// Stops the turn where it is.
    fn stops(mut self) -> Self {
        let prompt = self.next.data.session.accepted;
        match self.next.state {
            WorkerState::Executing | WorkerState::AwaitingApproval => {
                self = self.takes_back();
                drop(self.session(SessionEvent::AbortRequested { prompt }));
                self
            }
            WorkerState::BackingOff { .. } => {
                self.with(WorkerEffect::Disarm { timer: WorkerTimer::Backoff(prompt) })
            }
            WorkerState::Idle
            | WorkerState::Held
            | WorkerState::Cooling
            | WorkerState::Ending(_)
            | WorkerState::Ended(_) => self,
        }
    }

    fn gives_time(mut self, deadline: Deadline) -> Self {
        self.next.data.wrap_up = Some(deadline);
        let after_ms = self.config.wrap_up_ms.into();
        self.with(WorkerEffect::Arm { timer: WorkerTimer::WrapUp(deadline), after_ms })
    }

    /// Everything stops, and the worker ends with its session.
    fn winds_up(mut self, end: WorkerEnd) -> Self {
        self = self.takes_back();
        let prompt = self.next.data.session.accepted;
        let mut timers = Vec::new();
        if let WorkerState::BackingOff { .. } = self.next.state {
            timers.push(WorkerTimer::Backoff(prompt));
        }
        if self.next.data.breaker != Breaker::Closed {
            timers.push(WorkerTimer::Breaker(prompt));
        }
        timers.extend(self.next.data.wrap_up.map(WorkerTimer::WrapUp));
        (self.next.data.breaker, self.next.data.wrap_up) = (Breaker::Closed, None);
        self.out.extend(timers.into_iter().map(|timer| WorkerEffect::Disarm { timer }));
        drop(self.health(HealthEvent::Suspended));
        let (_, _, closed) = self.session(SessionEvent::CloseRequested);
        self.next.state = if closed { WorkerState::Ended(end) } else { WorkerState::Ending(end) };
        self
    }

    /// Tells health; gives its outcome and what it orders, if that is the worker's to do.
    fn health(&mut self, event: HealthEvent) -> (Outcome<()>, Option<HealthEffect>) {
        let mut order = None;
        let out = &mut self.out;
        let outcome = self.next.data.health.step(event, self.config, &mut |effect| match effect {
            HealthEffect::Arm { watch, after_ms } => {
                out.push(WorkerEffect::Arm { timer: WorkerTimer::Watch(watch), after_ms });
            }
            HealthEffect::Disarm { watch } => {
                out.push(WorkerEffect::Disarm { timer: WorkerTimer::Watch(watch) });
            }
            HealthEffect::AskProgress { check } => out.push(WorkerEffect::AskProgress { check }),
            HealthEffect::Warn { concern } => out.push(WorkerEffect::Warn { concern }),
            HealthEffect::Inquire | HealthEffect::Interrupt | HealthEffect::Restart | HealthEffect::Fail => {
                order = Some(effect);
            }
        });
        let outcome = match outcome {
            Outcome::Applied => Outcome::Applied,
            Outcome::Ignored(why) => Outcome::Ignored(why),
            Outcome::Rejected(_) => Outcome::Rejected(()),
        };
        (outcome, order)
    }

    fn asks_health(mut self, told: HealthEvent, event: WorkerEvent) -> Said {
        let state = self.next.state;
        let (outcome, order) = self.health(told);
        match outcome {
            Outcome::Applied => {}
            Outcome::Ignored(why) => return Err(Outcome::Ignored(why)),
            Outcome::Rejected(()) => {
                return Err(Outcome::Rejected(WorkerRejected::NeverAsked { state, event }));
            }
        }
        match order {
            Some(HealthEffect::Inquire) => {
                self.next.data.inbox.push_back(Source::Inquiry);
                self.starts().done()
            }
            Some(HealthEffect::Interrupt) => self.stops().starts().done(),
            Some(HealthEffect::Restart) => {
                // A prompt that no iterator has yet simply waits for the next one.
                let begun = self.next.data.session.state == SessionState::Answering;
                drop(self.session(SessionEvent::RestartRequested));
                if begun { self.takes_back().starts().done() } else { self.done() }
            }
            Some(HealthEffect::Fail) => self.winds_up(WorkerEnd::Failed(WorkerReason::Stuck)).done(),
            Some(
                HealthEffect::Arm { .. }
                | HealthEffect::Disarm { .. }
                | HealthEffect::AskProgress { .. }
                | HealthEffect::Warn { .. },
            )
            | None => self.done(),
        }
    }

    fn takes_question(self, approval: ApprovalId) -> Said {
        let Approvals { asked, settled, open } = self.next.data.approvals;
        let expected = asked + 1;
        if approval.number > 0 && approval.number < expected {
            return Err(DUPLICATE);
        }
        if approval.number != expected {
            return Err(Outcome::Rejected(WorkerRejected::ApprovalGap { expected, got: approval }));
        }
        if asked - settled == APPROVALS_MAX {
            return Err(Outcome::Rejected(WorkerRejected::ApprovalsFull { approval }));
        }
        self.with(WorkerEffect::Ask { approval })
            .change(|next| {
                next.data.approvals =
                    Approvals { asked: expected, settled, open: open | 1 << (asked - settled) };
                next.state = WorkerState::AwaitingApproval;
            })
            .done()
    }

    fn open(&self, approval: ApprovalId) -> bool {
        let Approvals { asked, settled, open } = self.next.data.approvals;
        approval.prompt == self.next.data.session.accepted
            && (settled + 1..=asked).contains(&approval.number)
            && open >> (approval.number - settled - 1) & 1 == 1
    }
}

/// What a restart repeats.
pub(super) fn twin_resync(at: &Worker, config: &Config) -> Vec<WorkerEffect> {
    let mut book = Book { next: at.clone(), out: Vec::new(), config };
    at.data.session.resync(config, &mut |effect| match effect {
        SessionEffect::Prompt { .. } => {
            book.content();
            book.out.push(WorkerEffect::Session(effect));
        }
        SessionEffect::Closed => {}
        SessionEffect::Start { .. }
        | SessionEffect::Stop { .. }
        | SessionEffect::Kill { .. }
        | SessionEffect::Settle { .. }
        | SessionEffect::Arm { .. }
        | SessionEffect::Disarm { .. } => book.out.push(WorkerEffect::Session(effect)),
    });
    if !at.data.kept {
        book.reports();
    }
    match at.state {
        WorkerState::Ending(_) => return book.out,
        // The end as it was reported, before health hears of it.
        WorkerState::Ended(_) => {
            let said = book.done();
            return said.map_or_else(|_| Vec::new(), |(_, out)| out);
        }
        WorkerState::Idle
        | WorkerState::Held
        | WorkerState::Executing
        | WorkerState::AwaitingApproval
        | WorkerState::BackingOff { .. }
        | WorkerState::Cooling => {}
    }
    let mut timers = Vec::new();
    let prompt = at.data.session.accepted;
    if let WorkerState::BackingOff { after_ms } = at.state {
        book.out.push(WorkerEffect::Arm { timer: WorkerTimer::Backoff(prompt), after_ms: after_ms.into() });
    }
    if let Breaker::Open { after_ms } = at.data.breaker {
        timers.push((WorkerTimer::Breaker(prompt), u64::from(after_ms)));
    }
    timers.extend(at.data.wrap_up.map(|deadline| (WorkerTimer::WrapUp(deadline), config.wrap_up_ms.into())));
    for number in 1..=at.data.approvals.asked {
        let approval = ApprovalId { prompt, number };
        if book.open(approval) {
            book.out.push(WorkerEffect::Ask { approval });
        }
    }
    book.out.extend(timers.into_iter().map(|(timer, after_ms)| WorkerEffect::Arm { timer, after_ms }));
    if at.data.health.state == HealthState::Unwatched {
        return book.out;
    }
    at.data.health.resync(config, &mut |effect| match effect {
        HealthEffect::Arm { watch, after_ms } => {
            book.out.push(WorkerEffect::Arm { timer: WorkerTimer::Watch(watch), after_ms });
        }
        HealthEffect::AskProgress { check } => book.out.push(WorkerEffect::AskProgress { check }),
        HealthEffect::Disarm { .. }
        | HealthEffect::Warn { .. }
        | HealthEffect::Inquire
        | HealthEffect::Interrupt
        | HealthEffect::Restart
        | HealthEffect::Fail => {}
    });
    book.out
}
