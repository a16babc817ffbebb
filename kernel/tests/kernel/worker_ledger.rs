//! What the world outside of a worker knows: what it has told, what it was ordered, and what came of it.

use downbeat_kernel::{
    Config, IteratorId, Outcome, SessionEffect, SessionEvent, Source, Then, Worker, WorkerEffect, WorkerEnd,
    WorkerEvent, WorkerPart, WorkerRejected, WorkerState, WorkerTimer,
};
use std::collections::BTreeSet;

/// The outside of one worker.
#[derive(Clone, Default)]
pub(crate) struct Ledger {
    /// What has to be done, or to be answered.
    pub(crate) orders: Vec<WorkerEffect>,
    /// What the worker accepted and has neither acknowledged nor reported.
    pub(crate) owed: BTreeSet<Source>,
    /// What was in a prompt, of that.
    pub(crate) given: BTreeSet<Source>,
    pub(crate) iterators: BTreeSet<IteratorId>,
    parts: Vec<WorkerPart>,
    held: bool,
    /// What the worker is bound for, once it is.
    bound: Option<WorkerEnd>,
    ended: bool,
}

fn is_timer(effect: WorkerEffect, wanted: WorkerTimer) -> bool {
    matches!(effect, WorkerEffect::Arm { timer, .. } if timer == wanted)
}

fn is_of_iterator(effect: WorkerEffect, wanted: IteratorId) -> bool {
    match effect {
        WorkerEffect::Session(
            SessionEffect::Start { iterator }
            | SessionEffect::Prompt { iterator, .. }
            | SessionEffect::Stop { iterator }
            | SessionEffect::Arm { iterator, .. },
        ) => iterator == wanted,
        WorkerEffect::Include { .. } => true,
        WorkerEffect::Session(_)
        | WorkerEffect::Acknowledge { .. }
        | WorkerEffect::ReportUndelivered { .. }
        | WorkerEffect::AskProgress { .. }
        | WorkerEffect::Ask { .. }
        | WorkerEffect::Withdraw { .. }
        | WorkerEffect::Answer { .. }
        | WorkerEffect::Report { .. }
        | WorkerEffect::Warn { .. }
        | WorkerEffect::Arm { .. }
        | WorkerEffect::Disarm { .. }
        | WorkerEffect::WorkerEnded { .. } => false,
    }
}

/// The order without the time of the watch: a restart arms that for what health waits for now, which activity may have
/// changed since.
fn timeless(effect: WorkerEffect) -> WorkerEffect {
    if let WorkerEffect::Arm { timer: timer @ WorkerTimer::Watch(_), .. } = effect {
        return WorkerEffect::Arm { timer, after_ms: 0 };
    }
    effect
}

/// What an applied event adds to the inbox.
fn source(event: WorkerEvent) -> Option<Source> {
    match event {
        WorkerEvent::MessageReceived { message } => Some(Source::Message(message)),
        WorkerEvent::ChildReported { child, number } => Some(Source::ChildReported { child, number }),
        WorkerEvent::ChildEnded { child } => Some(Source::ChildEnded { child }),
        WorkerEvent::WrapUpRequested => Some(Source::WrapUp),
        WorkerEvent::Assigned
        | WorkerEvent::Session(_)
        | WorkerEvent::Observed { .. }
        | WorkerEvent::ProgressReported { .. }
        | WorkerEvent::ApprovalRequested { .. }
        | WorkerEvent::AnswerReceived { .. }
        | WorkerEvent::Reported { .. }
        | WorkerEvent::ReportAcknowledged { .. }
        | WorkerEvent::InterruptRequested { .. }
        | WorkerEvent::PauseRequested
        | WorkerEvent::ResumeRequested
        | WorkerEvent::CompleteRequested
        | WorkerEvent::KillRequested
        | WorkerEvent::TimerFired { .. }
        | WorkerEvent::EndAcknowledged => None,
    }
}

/// The end that a worker comes to, or has come to.
fn bound_for(state: WorkerState) -> Option<WorkerEnd> {
    match state {
        WorkerState::Ending(end) | WorkerState::Ended(end) => Some(end),
        WorkerState::Idle
        | WorkerState::Held
        | WorkerState::Executing
        | WorkerState::AwaitingApproval
        | WorkerState::BackingOff { .. }
        | WorkerState::Cooling => None,
    }
}

impl Ledger {
    /// Takes one event to the worker, and checks the properties over what is seen of it.
    pub(crate) fn tell(
        &mut self,
        worker: &mut Worker,
        config: &Config,
        event: WorkerEvent,
    ) -> Outcome<WorkerRejected> {
        let before = worker.clone();
        let mut effects = Vec::new();
        let outcome = worker.step(event, config, &mut |effect| effects.push(effect));
        assert_eq!(worker.validate(config), Ok(()), "valid: after {event:?} in {before:?}: {worker:?}");
        check_interrupt(&before, event, &outcome);
        if outcome != Outcome::Applied {
            assert_eq!((&before, &effects), (&*worker, &Vec::new()), "S25: {event:?}");
            return outcome;
        }
        let absorbed = event == WorkerEvent::EndAcknowledged && effects.is_empty();
        assert!(!self.ended || absorbed, "S7: {event:?} moved an ended worker: {effects:?}");
        let end = bound_for(worker.state);
        assert!(
            self.bound.is_none() || self.bound == end,
            "S7: {event:?} made another end of {:?}",
            self.bound
        );
        self.bound = end;
        self.note_event(event);
        for effect in &effects {
            self.note_effect(*effect, worker);
        }
        if let WorkerEvent::TimerFired { timer: WorkerTimer::Watch(_) } = event
            && before.state == WorkerState::Idle
        {
            assert!(!self.held, "S13: a held worker was inquired");
        }
        self.check_resync(worker, config);
        outcome
    }

    fn note_event(&mut self, event: WorkerEvent) {
        if let Some(source) = source(event) {
            assert!(self.owed.insert(source), "S5: {source:?} was accepted twice");
        }
        match event {
            WorkerEvent::Session(SessionEvent::Started { iterator }) => {
                self.orders.retain(|order| !is_of_iterator(*order, iterator));
            }
            WorkerEvent::Session(SessionEvent::Answered { iterator, .. }) => {
                self.orders.retain(|order| !is_of_iterator(*order, iterator));
            }
            WorkerEvent::Session(SessionEvent::IteratorEnded { iterator, .. }) => {
                self.iterators.remove(&iterator);
                self.orders.retain(|order| !is_of_iterator(*order, iterator));
            }
            WorkerEvent::AnswerReceived { approval, .. } => {
                self.orders.retain(|order| *order != WorkerEffect::Ask { approval });
            }
            WorkerEvent::ReportAcknowledged { number } => self
                .orders
                .retain(|order| !matches!(order, WorkerEffect::Report { number: other } if *other <= number)),
            WorkerEvent::TimerFired { timer } => self.orders.retain(|order| !is_timer(*order, timer)),
            WorkerEvent::InterruptRequested { then: Then::Hold, .. } | WorkerEvent::PauseRequested => {
                self.held = true;
            }
            WorkerEvent::ResumeRequested | WorkerEvent::WrapUpRequested => self.held = false,
            WorkerEvent::InterruptRequested { then: Then::Resume, .. }
            | WorkerEvent::Assigned
            | WorkerEvent::MessageReceived { .. }
            | WorkerEvent::ChildReported { .. }
            | WorkerEvent::ChildEnded { .. }
            | WorkerEvent::Session(_)
            | WorkerEvent::Observed { .. }
            | WorkerEvent::ProgressReported { .. }
            | WorkerEvent::ApprovalRequested { .. }
            | WorkerEvent::Reported { .. }
            | WorkerEvent::CompleteRequested
            | WorkerEvent::KillRequested
            | WorkerEvent::EndAcknowledged => {}
        }
    }

    fn note_effect(&mut self, effect: WorkerEffect, worker: &Worker) {
        match effect {
            WorkerEffect::Include { part } => {
                self.parts.push(part);
                self.orders.push(effect);
            }
            WorkerEffect::Session(effect) => self.note_session(effect, worker),
            WorkerEffect::Acknowledge { source } => {
                assert!(self.given.remove(&source), "S5: {source:?} was acknowledged and not in a prompt");
                self.settle(source);
            }
            WorkerEffect::ReportUndelivered { source, in_doubt } => {
                let given = self.given.remove(&source);
                assert!(in_doubt || !given, "S5: {source:?} was in a prompt");
                // The worker inquires by itself.
                if source != Source::Inquiry || self.owed.contains(&source) {
                    self.settle(source);
                }
                self.orders.push(effect);
            }
            WorkerEffect::Withdraw { approval } => {
                let asked = self.orders.len();
                self.orders.retain(|order| *order != WorkerEffect::Ask { approval });
                assert_eq!(self.orders.len() + 1, asked, "S6: {approval:?} was not open");
            }
            WorkerEffect::Disarm { timer } => {
                let armed = self.orders.len();
                self.orders.retain(|order| !is_timer(*order, timer));
                assert_eq!(self.orders.len() + 1, armed, "{timer:?} was not armed");
            }
            WorkerEffect::WorkerEnded { .. } => {
                assert!(!self.ended, "S7: the worker ended twice");
                assert_eq!(self.owed, BTreeSet::new(), "S5: lost at the end");
                assert_eq!(self.iterators, BTreeSet::new(), "S10: an iterator outlives its worker");
                self.ended = true;
                self.orders.push(effect);
            }
            WorkerEffect::Ask { .. } | WorkerEffect::Report { .. } | WorkerEffect::Arm { .. } => {
                self.orders.push(effect);
            }
            WorkerEffect::AskProgress { .. } => {
                let running = worker.state == WorkerState::Executing;
                assert!(running || worker.state.end().is_some(), "S13: {effect:?} in {:?}", worker.state);
            }
            WorkerEffect::Answer { .. } | WorkerEffect::Warn { .. } => {}
        }
    }

    fn settle(&mut self, source: Source) {
        assert!(self.owed.remove(&source), "S5: {source:?} was settled twice, or never accepted");
    }

    fn note_session(&mut self, effect: SessionEffect, worker: &Worker) {
        let order = WorkerEffect::Session(effect);
        match effect {
            SessionEffect::Start { iterator } => {
                assert_ne!(worker.state, WorkerState::Held, "S13: {effect:?}");
                self.iterators.insert(iterator);
                assert_eq!(self.iterators.len(), 1, "S10: two iterators");
                self.orders.push(order);
            }
            SessionEffect::Prompt { .. } => {
                assert_ne!(worker.state, WorkerState::Held, "S13: {effect:?}");
                self.note_content();
                self.orders.push(order);
            }
            SessionEffect::Stop { iterator } => {
                self.orders.retain(|order| !is_of_iterator(*order, iterator));
                self.orders.push(order);
            }
            SessionEffect::Arm { .. } => self.orders.push(order),
            SessionEffect::Disarm { iterator } => {
                self.orders.retain(|order| !is_of_iterator(*order, iterator));
            }
            SessionEffect::Kill { iterator } => {
                self.iterators.remove(&iterator);
                self.orders.retain(|order| !is_of_iterator(*order, iterator));
            }
            SessionEffect::Settle { .. } | SessionEffect::Closed => panic!("{effect:?} is for the worker"),
        }
    }

    /// S12: everything that was given and not answered is given again, and nothing is given twice in one prompt.
    fn note_content(&mut self) {
        let mut now = BTreeSet::new();
        let mut message = 0;
        for part in self.parts.drain(..) {
            let WorkerPart::Source(source) = part else { continue };
            if source == Source::Inquiry {
                self.owed.insert(source);
            }
            assert!(self.owed.contains(&source), "S5: {source:?} is not owed");
            assert!(now.insert(source), "S5: {source:?} is twice in a prompt");
            if let Source::Message(id) = source {
                assert!(id.0 > message, "S5: {source:?} comes late");
                message = id.0;
            }
        }
        assert!(now.is_superset(&self.given), "S12: {:?} lacks some of {:?}", now, self.given);
        self.given = now;
    }

    /// What a restart repeats is what is outstanding, but for the question about progress, which is void in many ways.
    pub(crate) fn check_resync(&self, worker: &Worker, config: &Config) {
        let mut repeated = Vec::new();
        worker.resync(config, &mut |effect| {
            if !matches!(effect, WorkerEffect::AskProgress { .. }) {
                repeated.push(timeless(effect));
            }
        });
        repeated.sort();
        let mut outstanding: Vec<WorkerEffect> = self.orders.iter().copied().map(timeless).collect();
        outstanding.sort();
        assert_eq!(repeated, outstanding, "resync of {worker:?}");
    }
}

/// S12: exactly an interrupt that names the turn that runs or waits is applied.
fn check_interrupt(before: &Worker, event: WorkerEvent, outcome: &Outcome<WorkerRejected>) {
    let WorkerEvent::InterruptRequested { turn, .. } = event else { return };
    let in_turn = matches!(
        before.state,
        WorkerState::Executing
            | WorkerState::AwaitingApproval
            | WorkerState::BackingOff { .. }
            | WorkerState::Cooling
    );
    let ought = in_turn && turn == before.data.turn;
    assert_eq!(*outcome == Outcome::Applied, ought, "S12: {event:?} in {before:?}: {outcome:?}");
}
