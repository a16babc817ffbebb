//! The session and the health inside a worker: what they are told, and what becomes of what they order.

use super::vocabulary::{
    Source, WorkerEffect, WorkerEnd, WorkerPart, WorkerReason, WorkerRejected, WorkerTimer,
};
use super::{Assignment, Content, Refusal, Surroundings, WorkerData, WorkerMachine, WorkerState};
use crate::config::Config;
use crate::faults::Fault;
use crate::health::{HealthEffect, HealthEvent, HealthRejected};
use crate::session::{PromptEnd, SessionEffect, SessionEvent, SessionRejected};
use crate::vocabulary;
use alloc::collections::VecDeque;
use statig::Outcome::{self, Handled, Transition};

/// What a step of the session means for its worker. There is one prompt at most, so one can be settled.
#[derive(Clone, Copy, Default)]
pub(super) struct News {
    pub(super) settled: Option<PromptEnd>,
    pub(super) closed: bool,
}

/// What health wants the worker to do.
#[derive(Clone, Copy)]
enum Order {
    Inquire,
    Interrupt,
    Restart,
    Fail,
}

impl WorkerMachine<'_> {
    /// Something happened to the iterator.
    pub(super) fn session_told(
        &mut self,
        leaf: WorkerState,
        event: SessionEvent,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        match self.relayed(event, cx) {
            Some(News { settled: Some(end), .. }) => moved(leaf, self.settled(end, cx)),
            Some(News { settled: None, .. }) | None => Handled,
        }
    }

    /// The same while the session closes: it has no prompt any more, so nothing succeeds late (S7).
    pub(super) fn closing_session_told(
        &mut self,
        end: WorkerEnd,
        event: SessionEvent,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        match self.relayed(event, cx) {
            Some(News { closed: true, .. }) => Transition(WorkerState::Ended(end)),
            Some(News { closed: false, .. }) | None => Handled,
        }
    }

    /// Tells the session what the shell says. `None` if it is refused.
    fn relayed(&mut self, event: SessionEvent, cx: &mut Surroundings<'_>) -> Option<News> {
        match event {
            SessionEvent::Started { .. }
            | SessionEvent::Answered { .. }
            | SessionEvent::IteratorEnded { .. }
            | SessionEvent::StopElapsed { .. } => {}
            SessionEvent::AbortRequested { .. } if self.config.has(Fault::ShellAborts) => {}
            SessionEvent::Invoked { .. }
            | SessionEvent::AbortRequested { .. }
            | SessionEvent::RestartRequested
            | SessionEvent::CloseRequested => {
                cx.refusal = Some(Refusal::Because(WorkerRejected::NotForShell { event }));
                return None;
            }
        }
        let (outcome, news) = self.session(event, cx);
        cx.refusal = match outcome {
            vocabulary::Outcome::Applied => return Some(news),
            vocabulary::Outcome::Ignored(why) => Some(Refusal::Ignored(why)),
            vocabulary::Outcome::Rejected(why) => Some(Refusal::Because(WorkerRejected::Session(why))),
        };
        None
    }

    /// Tells the session what the worker wants.
    pub(super) fn tell_session(&mut self, event: SessionEvent, cx: &mut Surroundings<'_>) -> News {
        let (outcome, news) = self.session(event, cx);
        // A restart finds a session that stops already; nothing else can be refused.
        let refused = matches!(outcome, vocabulary::Outcome::Rejected(_));
        debug_assert!(!refused || self.config.has_fault(), "the session refused {event:?}: {outcome:?}");
        news
    }

    fn session(
        &mut self,
        event: SessionEvent,
        cx: &mut Surroundings<'_>,
    ) -> (vocabulary::Outcome<SessionRejected>, News) {
        let mut news = News::default();
        let config = self.config;
        let WorkerData { session, inbox, taken, content, assignment, .. } = &mut *self.data;
        let prompt = Prompt { inbox, taken: *taken, content: *content, assignment: *assignment };
        let outcome = session.step(event, config, &mut |effect| match effect {
            SessionEffect::Settle { end, .. } => news.settled = Some(end),
            SessionEffect::Closed => news.closed = true,
            SessionEffect::Start { .. }
            | SessionEffect::Prompt { .. }
            | SessionEffect::Stop { .. }
            | SessionEffect::Kill { .. }
            | SessionEffect::Arm { .. }
            | SessionEffect::Disarm { .. } => prompt.emit(effect, config, cx.sink),
        });
        (outcome, news)
    }

    /// Tells health what the worker knows of itself: no order comes of that.
    pub(super) fn tell_health(&mut self, event: HealthEvent, cx: &mut Surroundings<'_>) {
        let (outcome, order) = self.health(event, cx);
        let rejected = matches!(outcome, vocabulary::Outcome::Rejected(_));
        debug_assert!(!rejected && order.is_none(), "health cannot refuse {event:?}: {outcome:?}");
    }

    /// Tells health what happened, and does what it orders.
    pub(super) fn health_told(
        &mut self,
        leaf: WorkerState,
        event: HealthEvent,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        let (outcome, order) = self.health(event, cx);
        match outcome {
            vocabulary::Outcome::Applied => self.obey(leaf, order, cx),
            vocabulary::Outcome::Ignored(why) => cx.ignore(why),
            vocabulary::Outcome::Rejected(HealthRejected::NeverAsked { .. }) => {
                cx.refuse(Refusal::NeverAsked)
            }
        }
    }

    fn obey(
        &mut self,
        leaf: WorkerState,
        order: Option<Order>,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<WorkerState> {
        match order {
            None => Handled,
            Some(Order::Inquire) => {
                self.data.inbox.push_back(Source::Inquiry);
                Transition(self.go_on(cx))
            }
            Some(Order::Interrupt) => {
                self.stop_turn(leaf, cx);
                Transition(self.go_on(cx))
            }
            Some(Order::Restart) => match self.tell_session(SessionEvent::RestartRequested, cx).settled {
                Some(end) => Transition(self.settled(end, cx)),
                // The prompt waits for the next iterator.
                None => Handled,
            },
            Some(Order::Fail) => Transition(self.end(leaf, WorkerEnd::Failed(WorkerReason::Stuck), cx)),
        }
    }

    fn health(
        &mut self,
        event: HealthEvent,
        cx: &mut Surroundings<'_>,
    ) -> (vocabulary::Outcome<HealthRejected>, Option<Order>) {
        let mut order = None;
        let outcome = self.data.health.step(event, self.config, &mut |effect| match effect {
            HealthEffect::Inquire => order = Some(Order::Inquire),
            HealthEffect::Interrupt => order = Some(Order::Interrupt),
            HealthEffect::Restart => order = Some(Order::Restart),
            HealthEffect::Fail => order = Some(Order::Fail),
            HealthEffect::Arm { .. }
            | HealthEffect::Disarm { .. }
            | HealthEffect::AskProgress { .. }
            | HealthEffect::Warn { .. } => emit_health(effect, cx.sink),
        });
        (outcome, order)
    }
}

/// The common case is one turn after the other, which is no transition.
fn moved(leaf: WorkerState, next: WorkerState) -> Outcome<WorkerState> {
    if leaf == next { Handled } else { Transition(next) }
}

/// The orders of health that go outward; the worker carries out the others.
pub(super) fn emit_health(effect: HealthEffect, sink: &mut dyn FnMut(WorkerEffect)) {
    match effect {
        HealthEffect::Arm { watch, after_ms } => {
            sink(WorkerEffect::Arm { timer: WorkerTimer::Watch(watch), after_ms });
        }
        HealthEffect::Disarm { watch } => sink(WorkerEffect::Disarm { timer: WorkerTimer::Watch(watch) }),
        HealthEffect::AskProgress { check } => sink(WorkerEffect::AskProgress { check }),
        HealthEffect::Warn { concern } => sink(WorkerEffect::Warn { concern }),
        HealthEffect::Inquire | HealthEffect::Interrupt | HealthEffect::Restart | HealthEffect::Fail => {}
    }
}

/// What the prompt of a turn is made of.
struct Prompt<'d> {
    inbox: &'d VecDeque<Source>,
    taken: usize,
    content: Content,
    assignment: Assignment,
}

impl Prompt<'_> {
    /// An order of the session; before a prompt, what it contains.
    fn emit(&self, effect: SessionEffect, config: &Config, sink: &mut dyn FnMut(WorkerEffect)) {
        if let SessionEffect::Prompt { .. } = effect {
            self.parts(config).for_each(|part| sink(WorkerEffect::Include { part }));
        }
        sink(WorkerEffect::Session(effect));
    }

    /// What it contains, in its order.
    fn parts(&self, config: &Config) -> impl Iterator<Item = WorkerPart> {
        let again = self.content == Content::Resumed;
        let resumed = (again && !config.has(Fault::ResumeUnmarked)).then_some(WorkerPart::Resumed);
        let prompt = (self.assignment == Assignment::Unanswered).then_some(WorkerPart::Prompt);
        let whole = !again || !config.has(Fault::ResumeLeavesOut);
        let count = if whole { self.taken } else { 0 };
        let taken = self.inbox.iter().take(count).copied().map(WorkerPart::Source);
        resumed.into_iter().chain(prompt).chain(taken)
    }
}

impl WorkerData {
    pub(super) fn resync_session(&self, config: &Config, sink: &mut dyn FnMut(WorkerEffect)) {
        let Self { inbox, taken, content, assignment, .. } = self;
        let prompt = Prompt { inbox, taken: *taken, content: *content, assignment: *assignment };
        self.session.resync(config, &mut |effect| match effect {
            SessionEffect::Settle { .. } | SessionEffect::Closed => {}
            SessionEffect::Start { .. }
            | SessionEffect::Prompt { .. }
            | SessionEffect::Stop { .. }
            | SessionEffect::Kill { .. }
            | SessionEffect::Arm { .. }
            | SessionEffect::Disarm { .. }
                if config.has(Fault::ResyncForgetsContent) =>
            {
                sink(WorkerEffect::Session(effect));
            }
            SessionEffect::Start { .. }
            | SessionEffect::Prompt { .. }
            | SessionEffect::Stop { .. }
            | SessionEffect::Kill { .. }
            | SessionEffect::Arm { .. }
            | SessionEffect::Disarm { .. } => prompt.emit(effect, config, sink),
        });
    }
}
