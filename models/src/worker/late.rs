//! What comes late, twice, or before it was asked for.

use downbeat_kernel::{
    Answer, ApprovalId, CheckNumber, Deadline, IteratorEnd, IteratorId, MessageId, PromptId, SessionEvent,
    Sign, Then, TurnNumber, WatchNumber, WorkerData, WorkerEvent, WorkerState, WorkerTimer,
};

use super::act::Told;
use super::outside::{Armed, Outside, Running};
use super::world::{World, is_live};

/// All of it: every number up to the newest, and the one after.
pub(super) fn late(world: &World) -> Vec<Told> {
    let outside = &world.outside;
    let messages = (1..=outside.written).chain([outside.written + 2]);
    let mut all: Vec<Told> = messages.map(|message| Told::Message(MessageId(message))).collect();
    all.push(Told::Deployed);
    if !world.standing().is_some_and(is_live) {
        all.extend([Told::Message(MessageId(outside.written + 1)), Told::Pause, Told::Resume]);
        all.push(Told::Worker(WorkerEvent::CompleteRequested));
    }
    if world.task().is_none_or(|task| task.state.end().is_some()) {
        all.push(Told::Cancel);
    }
    if outside.end.is_none() {
        all.push(Told::Recorded);
    }
    if let Some(worker) = world.worker() {
        let mut late = Late { outside, state: worker.state, data: &worker.data, all: Vec::new() };
        late.of_session();
        late.of_timers();
        late.of_turns();
        late.of_questions();
        all.extend(late.all.into_iter().map(Told::Worker));
    }
    all
}

struct Late<'w> {
    outside: &'w Outside,
    state: WorkerState,
    data: &'w WorkerData,
    all: Vec<WorkerEvent>,
}

impl Late<'_> {
    fn of_session(&mut self) {
        let session = &self.data.session;
        for iterator in (1..=session.iterator.0 + 1).map(IteratorId) {
            let running = self.outside.running(iterator);
            if running != Some(Running::Ordered) {
                self.session(SessionEvent::Started { iterator });
            }
            if running.is_none() {
                self.session(SessionEvent::IteratorEnded { iterator, end: IteratorEnd::Normal });
            }
            if !self.outside.timers.contains(&Armed::Stop(iterator)) {
                self.session(SessionEvent::StopElapsed { iterator });
            }
            // What a crash took says nothing any more: it was of the process.
            let is_lost = running == Some(Running::Lost);
            for prompt in (1..=session.accepted.0 + 1).map(PromptId) {
                if !is_lost && running != Some(Running::Works(prompt)) {
                    self.session(SessionEvent::Answered { iterator, prompt });
                }
            }
        }
        (1..=session.accepted.0)
            .for_each(|prompt| self.session(SessionEvent::AbortRequested { prompt: PromptId(prompt) }));
    }

    fn session(&mut self, event: SessionEvent) {
        self.all.push(WorkerEvent::Session(event));
    }

    fn of_timers(&mut self) {
        let watches = (1..=self.data.health.watch.0 + 1).map(|watch| WorkerTimer::Watch(WatchNumber(watch)));
        let waits = (1..=self.data.session.accepted.0 + 1).map(PromptId);
        let waits = waits.flat_map(|prompt| [WorkerTimer::Backoff(prompt), WorkerTimer::Breaker(prompt)]);
        let deadlines = [Deadline::First, Deadline::Last].map(WorkerTimer::WrapUp);
        let timers = watches.chain(waits).chain(deadlines);
        let void = timers.filter(|timer| !self.outside.timers.contains(&Armed::Worker(*timer)));
        self.all.extend(void.map(|timer| WorkerEvent::TimerFired { timer }));
    }

    fn of_turns(&mut self) {
        let turn = self.data.turn;
        let this = (!is_live(self.state)).then_some(turn.0);
        for other in (1..turn.0).chain(this).chain([turn.0 + 1]).map(TurnNumber) {
            self.all.push(WorkerEvent::InterruptRequested { turn: other, then: Then::Resume });
            self.all.push(WorkerEvent::Observed { turn: other, sign: Sign::Activity });
        }
        if self.outside.working().is_none() && !self.outside.has_lost() {
            self.all.push(WorkerEvent::Observed { turn, sign: Sign::Activity });
        }
    }

    fn of_questions(&mut self) {
        let (outside, data) = (self.outside, self.data);
        let waits = outside.working().is_some() || outside.has_lost();
        for turn in (1..=data.turn.0).map(TurnNumber) {
            for number in 1..=data.approvals.asked.max(1) {
                let approval = ApprovalId { turn, number };
                if !outside.asks.contains(&approval) {
                    self.all.push(WorkerEvent::AnswerReceived { approval, answer: Answer::Approved });
                }
                let is_known = turn == data.turn && number <= data.approvals.asked;
                if turn != data.turn || is_known || !waits {
                    self.all.push(WorkerEvent::ApprovalRequested { approval });
                }
            }
        }
        let checks = (1..=data.health.asked.0 + 1).map(CheckNumber);
        let checks = checks.filter(|check| Some(*check) != outside.check);
        self.all.extend(checks.map(|check| WorkerEvent::ProgressReported { check }));
        let reports = (1..=data.reported).chain([data.reported + 2]);
        self.all.extend(reports.map(|number| WorkerEvent::Reported { number }));
        if data.wrap_up.is_some() || !is_live(self.state) {
            self.all.push(WorkerEvent::WrapUpRequested);
        }
    }
}
