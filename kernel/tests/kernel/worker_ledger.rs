//! What the world outside of a worker knows: what it has told, what it was ordered, and what came of it.
//!
//! Every event that a worker takes is judged by that: S2, S4 to S7, S10 to S13, S25, and alarm, alarm-streak, ladder, orders,
//! resync, valid, waits and wrap-up. What is broken is named first in the message of the assertion.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an order that is left out here is no prompt, or is compared as it is"
)]

use crate::worker_promises::{Promises, Sight, Taken, bound_for};
use crate::worker_prompts::Prompts;
use downbeat_kernel::{
    ApprovalId, CheckNumber, Concern, Config, IteratorId, Outcome, PromptId, SessionEffect, SessionEvent,
    Source, Then, Worker, WorkerEffect, WorkerEnd, WorkerEvent, WorkerRejected, WorkerState, WorkerTimer,
};
use std::collections::BTreeSet;

/// The outside of one worker.
#[derive(Clone, Default)]
pub(crate) struct Ledger {
    /// What has to be done, or to be answered.
    pub(crate) orders: Vec<WorkerEffect>,
    /// What the worker accepted and has neither acknowledged nor reported.
    pub(crate) owed: BTreeSet<Source>,
    prompts: Prompts,
    pub(crate) iterators: BTreeSet<IteratorId>,
    /// What the worker ordered by the last event that it took.
    pub(crate) said: Vec<WorkerEffect>,
    /// The last message that was accepted.
    written: u32,
    /// The question about progress that was asked last, while it has no answer.
    pub(crate) check: Option<CheckNumber>,
    promises: Promises,
    /// A person holds the worker.
    pub(crate) held: bool,
    /// The budget of its tree is spent.
    spent: bool,
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

/// The order without the time of the watch: a restart arms that for what health waits for then, which activity may have
/// changed since.
pub(crate) fn timeless(effect: WorkerEffect) -> WorkerEffect {
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
        | WorkerEvent::BudgetSpent
        | WorkerEvent::BudgetGranted
        | WorkerEvent::CompleteRequested
        | WorkerEvent::KillRequested
        | WorkerEvent::TimerFired { .. }
        | WorkerEvent::EndAcknowledged => None,
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
        let (before, sight) = (worker.clone(), self.sight());
        let mut effects = Vec::new();
        let outcome = worker.step(event, config, &mut |effect| effects.push(effect));
        assert_eq!(worker.validate(config), Ok(()), "valid: after {event:?} in {before:?}: {worker:?}");
        check_interrupt([&before, &*worker], event, &outcome);
        self.said.clear();
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
        self.check_due(event);
        self.note_event(event);
        if before.data.session.accepted < worker.data.session.accepted {
            self.prompts.invoke(&self.owed);
        }
        for effect in &effects {
            self.note_effect(*effect, worker);
        }
        let (worker, sight) = ([&before, &*worker], [sight, self.sight()]);
        self.promises.judge(&Taken { config, event, effects: &effects, orders: &self.orders, worker, sight });
        self.check_agent(event, names_turn(worker[0], event), sight);
        self.check_resync(worker[1], config);
        self.said = effects;
        outcome
    }

    /// S6, S11: what is taken answers an order that is outstanding, or is of an agent that has a prompt.
    fn check_due(&self, event: WorkerEvent) {
        let is_ordered = |like: &dyn Fn(WorkerEffect) -> bool| self.orders.iter().any(|order| like(*order));
        let due = match event {
            WorkerEvent::Session(SessionEvent::Started { iterator }) => {
                is_ordered(&|order| order == WorkerEffect::Session(SessionEffect::Start { iterator }))
            }
            WorkerEvent::Session(SessionEvent::Answered { iterator, prompt }) => {
                self.works() == Some((iterator, prompt))
            }
            WorkerEvent::Session(SessionEvent::IteratorEnded { iterator, .. }) => {
                self.iterators.contains(&iterator)
            }
            WorkerEvent::Session(SessionEvent::StopElapsed { iterator }) => is_ordered(
                &|order| matches!(order, WorkerEffect::Session(SessionEffect::Arm { iterator: of, .. }) if of == iterator),
            ),
            WorkerEvent::Session(_) => false,
            WorkerEvent::TimerFired { timer } => is_ordered(&|order| is_timer(order, timer)),
            WorkerEvent::AnswerReceived { approval, .. } => {
                is_ordered(&|order| order == WorkerEffect::Ask { approval })
            }
            WorkerEvent::ProgressReported { check } => self.check == Some(check),
            WorkerEvent::Observed { prompt, .. }
            | WorkerEvent::ApprovalRequested { approval: ApprovalId { prompt, .. } } => {
                self.works().is_some_and(|(_, has)| has == prompt)
            }
            WorkerEvent::Assigned
            | WorkerEvent::MessageReceived { .. }
            | WorkerEvent::ChildReported { .. }
            | WorkerEvent::ChildEnded { .. }
            | WorkerEvent::Reported { .. }
            | WorkerEvent::ReportAcknowledged { .. }
            | WorkerEvent::InterruptRequested { .. }
            | WorkerEvent::PauseRequested
            | WorkerEvent::ResumeRequested
            | WorkerEvent::BudgetSpent
            | WorkerEvent::BudgetGranted
            | WorkerEvent::WrapUpRequested
            | WorkerEvent::CompleteRequested
            | WorkerEvent::KillRequested
            | WorkerEvent::EndAcknowledged => true,
        };
        assert!(due, "S11: {event:?} was taken, and nothing that it answers is outstanding");
    }

    /// S6, S12: nobody is asked for an agent that has no prompt, and no agent goes on with what was interrupted.
    fn check_agent(&self, event: WorkerEvent, is_stopped: bool, [before, after]: [Sight; 2]) {
        let asks = self.orders.iter().any(|order| matches!(order, WorkerEffect::Ask { .. }));
        assert!(!asks || after.works.is_some(), "S6: a question is open, and its prompt is over");
        let is_same = before.works == after.works;
        assert!(!is_stopped || before.works.is_none() || !is_same, "S12: an interrupted agent goes on");
        let is_late = matches!(event, WorkerEvent::InterruptRequested { .. }) && !is_stopped;
        assert!(!is_late || is_same, "S12: a turn is stopped that nobody has named");
    }

    /// The prompt that the agent has.
    pub(crate) fn works(&self) -> Option<(IteratorId, PromptId)> {
        self.orders.iter().find_map(|order| match order {
            WorkerEffect::Session(SessionEffect::Prompt { iterator, prompt }) => Some((*iterator, *prompt)),
            _ => None,
        })
    }

    fn sight(&self) -> Sight {
        Sight {
            works: self.works(),
            finishes: self.prompts.has_given(Source::WrapUp),
            held: self.held,
            spent: self.spent,
        }
    }

    fn note_event(&mut self, event: WorkerEvent) {
        if let Some(source) = source(event) {
            assert!(self.owed.insert(source), "S5: {source:?} was accepted twice");
            if let Source::Message(message) = source {
                let last = std::mem::replace(&mut self.written, message.0);
                assert_eq!(message.0, last + 1, "S5: a message was accepted twice, or out of order");
            }
        }
        match event {
            WorkerEvent::Session(SessionEvent::Started { iterator }) => {
                self.orders.retain(|order| !is_of_iterator(*order, iterator));
            }
            WorkerEvent::Session(SessionEvent::Answered { iterator, .. }) => {
                self.orders.retain(|order| !is_of_iterator(*order, iterator));
                self.prompts.answer();
                self.check = None;
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
            WorkerEvent::ProgressReported { .. } => self.check = None,
            WorkerEvent::InterruptRequested { then: Then::Hold, .. } | WorkerEvent::PauseRequested => {
                self.held = true;
            }
            WorkerEvent::ResumeRequested | WorkerEvent::WrapUpRequested => self.held = false,
            WorkerEvent::BudgetSpent => self.spent = true,
            WorkerEvent::BudgetGranted => self.spent = false,
            WorkerEvent::InterruptRequested { then: Then::Resume, .. }
            | WorkerEvent::Assigned
            | WorkerEvent::MessageReceived { .. }
            | WorkerEvent::ChildReported { .. }
            | WorkerEvent::ChildEnded { .. }
            | WorkerEvent::Session(_)
            | WorkerEvent::Observed { .. }
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
                self.prompts.include(part);
                self.orders.push(effect);
            }
            WorkerEffect::Session(effect) => self.note_session(effect, worker),
            WorkerEffect::Acknowledge { source } => {
                assert!(self.prompts.settle(source), "S5: {source:?} was acknowledged and not in a prompt");
                self.settle(source);
            }
            WorkerEffect::ReportUndelivered { source, in_doubt } => {
                let given = self.prompts.settle(source);
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
                assert_eq!(self.orders.len() + 1, armed, "orders: {timer:?} was not armed");
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
            WorkerEffect::AskProgress { check } => {
                let running = worker.state == WorkerState::Executing;
                assert!(running || worker.state.end().is_some(), "S13: {effect:?} in {:?}", worker.state);
                self.check = Some(check);
            }
            // What the agent was asked before it is interrupted is void.
            WorkerEffect::Warn { concern: Concern::Stuck } => self.check = None,
            WorkerEffect::Warn { concern: Concern::Looping | Concern::Errors } => {}
            WorkerEffect::Answer { .. } => {
                assert!(self.works().is_some(), "S6: an agent that has no prompt is given an answer");
            }
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
                self.prompts.give(&mut self.owed);
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

    /// What a restart repeats is what is outstanding. The question about progress is void in many ways; it is compared while
    /// the agent works.
    pub(crate) fn check_resync(&self, worker: &Worker, config: &Config) {
        let (mut repeated, mut asked) = (Vec::new(), None);
        worker.resync(config, &mut |effect| match effect {
            WorkerEffect::AskProgress { check } => asked = Some(check),
            other => repeated.push(timeless(other)),
        });
        if worker.state == WorkerState::Executing {
            assert_eq!(asked, self.check, "resync: the question about progress of {worker:?}");
        }
        repeated.sort();
        let mut outstanding: Vec<WorkerEffect> = self.orders.iter().copied().map(timeless).collect();
        outstanding.sort();
        assert_eq!(repeated, outstanding, "resync: {worker:?}");
    }
}

/// Whether it is an interrupt of the turn that runs or waits.
fn names_turn(before: &Worker, event: WorkerEvent) -> bool {
    let WorkerEvent::InterruptRequested { turn, .. } = event else { return false };
    let in_turn = matches!(
        before.state,
        WorkerState::Executing
            | WorkerState::AwaitingApproval
            | WorkerState::BackingOff { .. }
            | WorkerState::Cooling
    );
    in_turn && turn == before.data.turn
}

/// S12: an interrupt that names the turn that runs or waits stops it, and any other stops nothing. S13: a hold of a turn that
/// there was holds, whatever has become of that.
fn check_interrupt([before, after]: [&Worker; 2], event: WorkerEvent, outcome: &Outcome<WorkerRejected>) {
    let WorkerEvent::InterruptRequested { turn, then } = event else { return };
    let is_applied = *outcome == Outcome::Applied;
    let names_it = names_turn(before, event);
    assert!(!names_it || is_applied, "S12: {event:?} in {before:?}: {outcome:?}");
    assert!(names_it || before.data.turn == after.data.turn, "S12: {event:?} stops another turn");
    let holds = then == Then::Hold && turn.0 > 0 && turn <= before.data.turn;
    assert!(names_it || holds || !is_applied, "S12: {event:?} in {before:?}: {outcome:?}");
    let goes_on = holds && bound_for(before.state).is_none() && !after.data.hold;
    assert!(!goes_on, "S13: {event:?} in {before:?}: {outcome:?}");
}
