//! What comes late, twice, or before it was asked for.

use downbeat_kernel::{
    Answer, ApprovalId, CheckNumber, Deadline, IteratorEnd, IteratorId, MessageId, PromptId, SessionEvent,
    Sign, TaskId, Then, TurnNumber, WatchNumber, WorkerData, WorkerEvent, WorkerState, WorkerTimer,
};

use super::act::{Act, CHILD, Kind, ONE_MORE, TASK, Told};
use super::outside::{Armed, Outside, Running};
use super::world::{World, is_live};

/// All of it, of each task whose agent works: every number up to the newest, and the one after; and what the agent of the
/// task may not ask for.
pub(super) fn late(world: &World) -> Vec<Act> {
    let mut all = Vec::new();
    for (of, outside) in world.followed() {
        // What is for a task on its way to its worker comes neither late nor too early.
        if !world.is_starting(of) {
            let told = late_of(world, of, outside);
            all.extend(told.into_iter().map(|told| Act { kind: Kind::Late, of, told }));
        }
    }
    all.extend(subtasks(world).map(|told| Act { kind: Kind::Late, of: TASK, told }));
    all
}

/// Subtasks that are none: the task itself, one that was asked for, and one beside that, for which there is no room.
fn subtasks(world: &World) -> impl Iterator<Item = Told> {
    let asked = (world.highest == CHILD).then_some(CHILD);
    let beside = world.has_live_child().then_some(ONE_MORE);
    [TASK].into_iter().chain(asked).chain(beside).map(Told::Subtask)
}

fn late_of(world: &World, of: TaskId, outside: &Outside) -> Vec<Told> {
    let messages = (1..=outside.written).chain([outside.written + 2]);
    let mut all: Vec<Told> = messages.map(|message| Told::Message(MessageId(message))).collect();
    all.extend([Told::Admitted, Told::Deployed]);
    if !world.standing(of).is_some_and(is_live) {
        all.extend([Told::Message(MessageId(outside.written + 1)), Told::Pause, Told::Resume]);
        all.push(Told::Worker(WorkerEvent::CompleteRequested));
    }
    if world.task(of).is_none_or(|task| task.state.end().is_some()) {
        all.push(Told::Cancel);
    }
    if outside.end.is_none() {
        all.push(Told::Recorded);
    }
    if let Some(worker) = world.worker(of) {
        let mut late = Late { outside, state: worker.state, data: &worker.data, all: Vec::new() };
        late.of_session();
        late.of_timers();
        late.of_turns();
        late.of_prompts();
        late.of_questions();
        late.of_reports();
        late.of_the_kernel();
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
        }
        // A hold is too late only for a worker that has nothing to hold back any more.
        let over = (1..=turn.0).filter(|_| !is_live(self.state));
        for turn in over.chain([turn.0 + 1]).map(TurnNumber) {
            self.all.push(WorkerEvent::InterruptRequested { turn, then: Then::Hold });
        }
    }

    /// What an agent said of a prompt that it has not, be it of another try of the same turn.
    fn of_prompts(&mut self) {
        for prompt in (1..=self.data.session.accepted.0 + 1).map(PromptId) {
            if !self.has(prompt) {
                self.all.push(WorkerEvent::Observed { prompt, sign: Sign::Activity });
            }
        }
    }

    /// Whether an agent has this prompt, or had it before a crash that nobody has told of.
    fn has(&self, prompt: PromptId) -> bool {
        let working = self.outside.working().is_some_and(|(_, has)| has == prompt);
        working || (self.outside.has_lost() && prompt == self.data.session.accepted)
    }

    fn of_questions(&mut self) {
        let (outside, data) = (self.outside, self.data);
        for prompt in (1..=data.session.accepted.0 + 1).map(PromptId) {
            for number in 1..=data.approvals.asked + 2 {
                let approval = ApprovalId { prompt, number };
                if !outside.asks.contains(&approval) {
                    self.all.push(WorkerEvent::AnswerReceived { approval, answer: Answer::Approved });
                }
                if !self.has(prompt) || number != data.approvals.asked + 1 {
                    self.all.push(WorkerEvent::ApprovalRequested { approval });
                }
            }
        }
        let checks = (1..=data.health.asked.0 + 1).map(CheckNumber);
        let checks = checks.filter(|check| Some(*check) != outside.check);
        self.all.extend(checks.map(|check| WorkerEvent::ProgressReported { check }));
        if data.wrap_up.is_some() || !is_live(self.state) {
            self.all.push(WorkerEvent::WrapUpRequested);
        }
    }

    fn of_reports(&mut self) {
        let data = self.data;
        let reports = (1..=data.reported).chain([data.reported + 2]);
        self.all.extend(reports.map(|number| WorkerEvent::Reported { number }));
        let outside = self.outside;
        let void = (1..=data.reported + 1).filter(|number| !outside.reports.contains(number));
        self.all.extend(void.map(|number| WorkerEvent::ReportAcknowledged { number }));
    }

    /// What only the kernel may tell a worker. It is never due from outside.
    fn of_the_kernel(&mut self) {
        let number = self.data.accepted.0 + 1;
        self.all.extend([
            WorkerEvent::Assigned,
            WorkerEvent::MessageReceived { message: MessageId(number) },
            WorkerEvent::ChildReported { child: CHILD, number },
            WorkerEvent::ChildEnded { child: CHILD },
            WorkerEvent::PauseRequested,
            WorkerEvent::ResumeRequested,
            WorkerEvent::KillRequested,
            WorkerEvent::EndAcknowledged,
        ]);
    }
}
