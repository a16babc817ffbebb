//! One step: the kernel takes an event, and the world takes its effects.

use downbeat_kernel::{
    Effect, Event, Outcome, PromptId, SessionEffect, SessionEvent, Source, Then, TurnNumber, WorkerEffect,
    WorkerEvent, WorkerPart, WorkerState,
};

use super::environment::Kind;
use super::outside::{Armed, Breach, Outside, Running};
use super::{Action, State, TASK};

impl State {
    pub(super) fn happen(&mut self, action: &Action) {
        if let Some(event) = &action.event {
            let before = self.clone();
            let applied = self.take(event, action.cut);
            if applied {
                self.left = action.kind.pay(self.left);
                self.outside.breach(Breach::Stale, action.kind == Kind::Late);
            }
            self.judge_interrupt(&before, event, applied);
        }
        if action.kind == Kind::Crash || action.cut.is_some() {
            self.crash();
        }
        self.judge_hold();
    }

    /// Gives the kernel an event, and carries out the first `cut` effects. Returns whether it was applied.
    pub(super) fn take(&mut self, event: &Event, cut: Option<usize>) -> bool {
        let before = self.kernel.clone();
        let mut effects = Vec::new();
        if self.kernel.step(event.clone(), &mut effects) != Outcome::Applied {
            self.outside.breach(Breach::S25, before != self.kernel || !effects.is_empty());
            return false;
        }
        let recorded = matches!(event, Event::EndAcknowledged { .. });
        self.outside.breach(Breach::S7, self.outside.end.is_some() && !recorded);
        self.note(event);
        self.release(&effects, cut);
        true
    }

    /// How many effects an event has.
    pub(super) fn effects(&self, event: &Event) -> usize {
        let mut effects = Vec::new();
        let _ = self.kernel.clone().step(event.clone(), &mut effects);
        effects.len()
    }

    fn crash(&mut self) {
        let outside = &mut self.outside;
        outside.timers.clear();
        outside.asks.clear();
        outside.reports.clear();
        outside.iterators.iter_mut().for_each(|(_, running)| *running = Running::Lost);
        self.left.crashes -= 1;
        let mut effects = Vec::new();
        self.kernel.resync(&mut effects);
        self.release(&effects, None);
    }

    fn turn(&self) -> TurnNumber {
        self.worker().map_or(TurnNumber(0), |worker| worker.data.turn)
    }

    /// S12: exactly an interrupt that names the turn that there is is applied, and nobody works on that turn any more.
    fn judge_interrupt(&mut self, before: &Self, event: &Event, applied: bool) {
        let Event::Worker { event: WorkerEvent::InterruptRequested { turn, .. }, .. } = *event else {
            return;
        };
        let names_it = before.worker().is_some_and(|worker| {
            turn == worker.data.turn
                && match worker.state {
                    WorkerState::Executing
                    | WorkerState::AwaitingApproval
                    | WorkerState::BackingOff { .. }
                    | WorkerState::Cooling => true,
                    WorkerState::Idle
                    | WorkerState::Held
                    | WorkerState::Ending(_)
                    | WorkerState::Ended(_) => false,
                }
        });
        self.outside.breach(Breach::S12, names_it != applied);
    }

    /// S13: no other turn begins while a person holds the worker, and nobody asks it.
    fn judge_hold(&mut self) {
        let turn = self.turn();
        let rests = self.worker().is_some_and(|worker| worker.state == WorkerState::Held);
        let watched = self
            .outside
            .timers
            .iter()
            .any(|timer| matches!(timer, Armed::Worker(downbeat_kernel::WorkerTimer::Watch(_))));
        let moved = self.outside.held.is_some_and(|held| turn > held);
        self.outside.breach(Breach::S13, moved || (rests && watched));
    }

    fn note(&mut self, event: &Event) {
        match *event {
            Event::MessageReceived { message, .. } => {
                self.outside.breach(Breach::S5, message.0 != self.outside.written + 1);
                self.outside.written = self.outside.written.max(message.0);
                self.outside.owed.insert(Source::Message(message));
            }
            Event::PauseRequested { .. } => self.outside.held = Some(self.turn()),
            Event::ResumeRequested { .. } => self.outside.held = None,
            Event::CancelRequested { .. } => self.outside.ending = true,
            Event::Worker { event, .. } => self.note_worker(event),
            Event::EndAcknowledged { .. } => {
                let is_kept = self.kernel.task(TASK).is_some();
                self.outside.breach(Breach::S7, is_kept);
            }
            Event::TaskSubmitted { .. }
            | Event::Admitted { .. }
            | Event::Initialized { .. }
            | Event::InitializationFailed { .. }
            | Event::Deployed { .. }
            | Event::SubtaskRequested { .. }
            | Event::ResponseEnded { .. }
            | Event::RequestFailed { .. }
            | Event::RequestCancelled { .. }
            | Event::ToolEnded { .. }
            | Event::AnswerReceived { .. }
            | Event::TimerFired { .. } => {}
        }
    }

    fn note_worker(&mut self, event: WorkerEvent) {
        let turn = self.turn();
        let outside = &mut self.outside;
        match event {
            WorkerEvent::Session(event) => outside.note_session(event),
            WorkerEvent::TimerFired { timer } => {
                outside.timers.remove(&Armed::Worker(timer));
            }
            WorkerEvent::AnswerReceived { approval, .. } => {
                let open = outside.asks.remove(&approval);
                outside.breach(Breach::S6, !open);
            }
            WorkerEvent::ApprovalRequested { .. } => {
                outside.breach(Breach::S6, outside.working().is_none());
            }
            WorkerEvent::ProgressReported { check } => {
                outside.breach(Breach::Stale, outside.check != Some(check));
                outside.check = None;
            }
            WorkerEvent::ReportAcknowledged { number } => outside.reports.retain(|report| *report > number),
            WorkerEvent::InterruptRequested { then: Then::Hold, .. } => outside.held = Some(turn),
            WorkerEvent::WrapUpRequested => {
                outside.held = None;
                let is_new = outside.owed.insert(Source::WrapUp);
                outside.breach(Breach::S5, !is_new);
            }
            WorkerEvent::CompleteRequested => outside.ending = true,
            WorkerEvent::Observed { .. }
            | WorkerEvent::Reported { .. }
            | WorkerEvent::InterruptRequested { then: Then::Resume, .. }
            | WorkerEvent::Assigned
            | WorkerEvent::MessageReceived { .. }
            | WorkerEvent::ChildReported { .. }
            | WorkerEvent::ChildEnded { .. }
            | WorkerEvent::PauseRequested
            | WorkerEvent::ResumeRequested
            | WorkerEvent::KillRequested
            | WorkerEvent::EndAcknowledged => {}
        }
    }

    /// Carries out the first `cut` effects. What is on record with the event is not among those that a crash takes.
    fn release(&mut self, effects: &[Effect], cut: Option<usize>) {
        let mut parts = Vec::new();
        for (place, effect) in effects.iter().enumerate() {
            let is_out = cut.is_none_or(|cut| place < cut);
            match *effect {
                Effect::Worker { effect: WorkerEffect::Acknowledge { source }, .. } => {
                    self.outside.acknowledge(source);
                }
                Effect::Worker { effect, .. } if is_out => self.outside.carry_out(effect, &mut parts),
                Effect::TaskEnded { end, .. } if is_out => self.outside.ended(end),
                Effect::Worker { .. }
                | Effect::TaskEnded { .. }
                | Effect::Enqueue { .. }
                | Effect::Dequeue { .. }
                | Effect::Initialize { .. }
                | Effect::AbortInitialization { .. }
                | Effect::Include { .. }
                | Effect::Send { .. }
                | Effect::CancelRequest { .. }
                | Effect::RunTool { .. }
                | Effect::CancelTool { .. }
                | Effect::Ask { .. }
                | Effect::Withdraw { .. }
                | Effect::Arm { .. }
                | Effect::Disarm { .. }
                | Effect::ReportUndelivered { .. } => {}
            }
        }
    }
}

impl Outside {
    fn note_session(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Started { iterator } => {
                self.breach(Breach::S11, self.running(iterator) != Some(Running::Ordered));
                self.set(iterator, Running::Listens);
            }
            SessionEvent::Answered { iterator, prompt } => {
                self.breach(Breach::S11, self.running(iterator) != Some(Running::Works(prompt)));
                self.set(iterator, Running::Listens);
                self.unanswered = false;
                self.answered = true;
                let inquiry = [WorkerPart::Source(Source::Inquiry)];
                self.inquired = self.prompt.as_ref().is_some_and(|(_, parts)| {
                    parts.iter().filter(|part| **part != WorkerPart::Resumed).eq(inquiry.iter())
                });
            }
            SessionEvent::IteratorEnded { iterator, .. } => {
                self.breach(Breach::S11, self.running(iterator).is_none());
                self.forget(iterator);
            }
            SessionEvent::StopElapsed { iterator } => {
                self.timers.remove(&Armed::Stop(iterator));
            }
            SessionEvent::Invoked { .. }
            | SessionEvent::AbortRequested { .. }
            | SessionEvent::RestartRequested
            | SessionEvent::CloseRequested => self.breach(Breach::S11, true),
        }
    }

    fn acknowledge(&mut self, source: Source) {
        let (was_given, was_owed) = (self.given.remove(&source), self.owed.remove(&source));
        self.breach(Breach::S5, !was_given || !was_owed);
        if let Source::Message(message) = source {
            self.breach(Breach::S5, message.0 <= self.acknowledged);
            self.acknowledged = message.0;
        }
    }

    fn carry_out(&mut self, effect: WorkerEffect, parts: &mut Vec<WorkerPart>) {
        match effect {
            WorkerEffect::Include { part } => parts.push(part),
            WorkerEffect::Session(effect) => self.carry_out_session(effect, std::mem::take(parts)),
            WorkerEffect::Acknowledge { .. } => unreachable!("it is no order"),
            WorkerEffect::ReportUndelivered { source, in_doubt } => {
                let was_given = self.given.remove(&source);
                self.owed.remove(&source);
                self.breach(Breach::S5, was_given && !in_doubt);
            }
            WorkerEffect::AskProgress { check } => {
                self.check = Some(check);
            }
            WorkerEffect::Ask { approval } => self.new_order(|outside| outside.asks.insert(approval)),
            WorkerEffect::Withdraw { approval } => self.new_order(|outside| outside.asks.remove(&approval)),
            WorkerEffect::Report { number } => self.new_order(|outside| outside.reports.insert(number)),
            WorkerEffect::Arm { timer, .. } => {
                self.new_order(|outside| outside.timers.insert(Armed::Worker(timer)));
            }
            WorkerEffect::Disarm { timer } => {
                self.new_order(|outside| outside.timers.remove(&Armed::Worker(timer)));
            }
            WorkerEffect::Answer { .. } | WorkerEffect::Warn { .. } => {}
            WorkerEffect::WorkerEnded { .. } => self.breach(Breach::Orders, true),
        }
    }

    /// An order that has to change something.
    fn new_order(&mut self, carry_out: impl FnOnce(&mut Self) -> bool) {
        let is_new = carry_out(self);
        self.breach(Breach::Orders, !is_new);
    }

    fn carry_out_session(&mut self, effect: SessionEffect, parts: Vec<WorkerPart>) {
        match effect {
            SessionEffect::Start { iterator } => {
                // What a crash took does not run beside it.
                self.iterators.retain(|(_, running)| *running != Running::Lost);
                self.breach(Breach::S10, !self.iterators.is_empty());
                self.set(iterator, Running::Ordered);
            }
            SessionEffect::Prompt { iterator, prompt } => {
                match self.running(iterator) {
                    Some(Running::Listens) => self.set(iterator, Running::Works(prompt)),
                    // It cannot be given anything, and its end says so.
                    Some(Running::Lost) => {}
                    Some(Running::Ordered | Running::Works(_) | Running::Stops) | None => {
                        self.breach(Breach::S10, true);
                    }
                }
                self.judge_content(prompt, &parts);
                self.given = sources(&parts).collect();
                self.owed.extend(sources(&parts).filter(|source| *source == Source::Inquiry));
                self.prompt = Some((prompt, parts));
                self.unanswered = true;
            }
            SessionEffect::Stop { iterator } => {
                let known = self.running(iterator);
                self.breach(Breach::Orders, known.is_none() || known == Some(Running::Stops));
                if known != Some(Running::Lost) {
                    self.set(iterator, Running::Stops);
                }
            }
            SessionEffect::Kill { iterator } => self.forget(iterator),
            SessionEffect::Arm { iterator, .. } => {
                self.new_order(|outside| outside.timers.insert(Armed::Stop(iterator)));
            }
            SessionEffect::Disarm { iterator } => {
                self.new_order(|outside| outside.timers.remove(&Armed::Stop(iterator)));
            }
            SessionEffect::Settle { .. } | SessionEffect::Closed => self.breach(Breach::Orders, true),
        }
    }

    /// S5, S12: a prompt contains what was given and not answered, says so, and has its messages in order.
    fn judge_content(&mut self, prompt: PromptId, parts: &[WorkerPart]) {
        if let Some((known, content)) = &self.prompt
            && *known == prompt
        {
            let differs = content != parts;
            return self.breach(Breach::S12, differs);
        }
        let messages: Vec<Source> =
            sources(parts).filter(|source| matches!(source, Source::Message(_))).collect();
        self.breach(Breach::S5, !messages.is_sorted());
        self.breach(Breach::S5, !self.answered && !parts.contains(&WorkerPart::Prompt));
        let lacks = self.given.iter().any(|given| !parts.contains(&WorkerPart::Source(*given)));
        let unmarked = self.unanswered && parts.first() != Some(&WorkerPart::Resumed);
        self.breach(Breach::S12, lacks || unmarked);
        let again = sources(parts).eq([Source::Inquiry]) && self.inquired && !self.unanswered;
        self.breach(Breach::Stale, again);
    }

    fn ended(&mut self, end: downbeat_kernel::End) {
        self.breach(Breach::S7, self.end.is_some_and(|known| known != end));
        self.breach(Breach::S5, !self.owed.is_empty());
        let waits = !self.timers.is_empty() || !self.asks.is_empty();
        let lives = self.iterators.iter().any(|(_, running)| *running != Running::Lost);
        self.breach(Breach::S9, waits || lives);
        self.end = Some(end);
    }
}

fn sources(parts: &[WorkerPart]) -> impl Iterator<Item = Source> {
    parts.iter().filter_map(|part| match part {
        WorkerPart::Source(source) => Some(*source),
        WorkerPart::Resumed | WorkerPart::Prompt => None,
    })
}
