//! What may happen in a state, and what may not be put off for ever.

use downbeat_kernel::{
    Answer, ApprovalId, CheckNumber, Event, IteratorEnd, IteratorId, MessageId, Outcome, PromptId,
    SessionEvent, Sign, Then, ToolId, TurnNumber, WatchNumber, WorkerEvent, WorkerTimer,
};
use downbeat_sim::kinds::Kinds;
use downbeat_sim::model::Fairness;

use super::outside::{Armed, Running};
use super::{Action, KernelModel, Left, Scenario, State, TASK, told};

/// Kinds of action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub(super) enum Kind {
    /// An iterator runs that was ordered.
    Start,
    /// The agent answers its prompt.
    Answer,
    /// An iterator ends that was not told to.
    Fail,
    /// An iterator ends that was told to, or was lost in a crash.
    End,
    /// A timer runs out.
    Elapse,
    /// A person writes.
    Write,
    /// Somebody interrupts the turn.
    Interrupt,
    /// A person pauses the task.
    Pause,
    /// A person resumes it.
    Resume,
    /// Somebody wants it to finish.
    WrapUp,
    /// Somebody completes or cancels it.
    Finish,
    /// The agent asks a person.
    Ask,
    /// The person answers.
    Approve,
    /// The agent does something.
    Observe,
    /// The agent says how far it is.
    Progress,
    /// The agent reports.
    Report,
    /// A report, or the end of the task, is put on record.
    Record,
    /// Something comes late or twice.
    Late,
    /// The process crashes at rest.
    Crash,
}

impl Kind {
    /// What is left after an action that was applied.
    pub(super) fn pay(self, mut left: Left) -> Left {
        if let Some(budget) = self.budget(&mut left) {
            *budget = budget.saturating_sub(1);
        }
        left
    }

    fn budget(self, left: &mut Left) -> Option<&mut u8> {
        match self {
            Self::Fail => Some(&mut left.failures),
            Self::Write => Some(&mut left.messages),
            Self::Interrupt => Some(&mut left.interrupts),
            Self::Pause => Some(&mut left.pauses),
            Self::WrapUp => Some(&mut left.wrap_ups),
            Self::Finish => Some(&mut left.ends),
            Self::Ask => Some(&mut left.approvals),
            // An agent that answers each question about progress and nothing else is never done.
            Self::Observe | Self::Progress => Some(&mut left.signs),
            Self::Report => Some(&mut left.reports),
            Self::Crash => Some(&mut left.crashes),
            Self::Start
            | Self::Answer
            | Self::End
            | Self::Elapse
            | Self::Resume
            | Self::Approve
            | Self::Record
            | Self::Late => None,
        }
    }
}

const ENDS: [IteratorEnd; 4] =
    [IteratorEnd::Normal, IteratorEnd::Transient, IteratorEnd::Throttled, IteratorEnd::Permanent];

/// Every action.
pub(super) fn enabled(scenario: &Scenario, state: &State, actions: &mut Vec<Action>) {
    let mut events = Vec::new();
    iterators(state, &mut events);
    orders(state, &mut events);
    people(state, &mut events);
    agent(state, &mut events);
    events.retain(|(kind, _)| kind.budget(&mut state.left.clone()).is_none_or(|budget| *budget > 0));
    for (kind, event) in &events {
        actions.push(Action { kind: *kind, event: Some(event.clone()), cut: None });
    }
    if scenario.late {
        let late = late(state).into_iter();
        actions.extend(late.map(|event| Action { kind: Kind::Late, event: Some(event), cut: None }));
    }
    if state.left.crashes > 0 {
        actions.push(Action { kind: Kind::Crash, event: None, cut: None });
        for (kind, event) in events {
            let cuts = 0..state.effects(&event);
            actions.extend(cuts.map(|cut| Action { kind, event: Some(event.clone()), cut: Some(cut) }));
        }
    }
}

type Events = Vec<(Kind, Event)>;

fn iterators(state: &State, events: &mut Events) {
    let session = |event| told(WorkerEvent::Session(event));
    for (iterator, running) in state.outside.iterators.iter().copied() {
        let ended = |end| session(SessionEvent::IteratorEnded { iterator, end });
        match running {
            Running::Ordered => {
                events.push((Kind::Start, session(SessionEvent::Started { iterator })));
                events.extend(ENDS.map(|end| (Kind::Fail, ended(end))));
            }
            Running::Listens => events.push((Kind::Fail, ended(IteratorEnd::Transient))),
            Running::Works(prompt) => {
                events.push((Kind::Answer, session(SessionEvent::Answered { iterator, prompt })));
                events.extend(ENDS.map(|end| (Kind::Fail, ended(end))));
            }
            Running::Stops => {
                events
                    .extend([IteratorEnd::Normal, IteratorEnd::Transient].map(|end| (Kind::End, ended(end))));
            }
            Running::Lost => events.push((Kind::End, ended(IteratorEnd::Transient))),
        }
    }
}

fn orders(state: &State, events: &mut Events) {
    let outside = &state.outside;
    for timer in &outside.timers {
        let event = match *timer {
            Armed::Worker(timer) => WorkerEvent::TimerFired { timer },
            Armed::Stop(iterator) => WorkerEvent::Session(SessionEvent::StopElapsed { iterator }),
        };
        events.push((Kind::Elapse, told(event)));
    }
    for approval in outside.asks.iter().copied() {
        let answered = WorkerEvent::AnswerReceived { approval, answer: Answer::Approved };
        events.push((Kind::Approve, told(answered)));
    }
    if let Some(check) = outside.check {
        events.push((Kind::Progress, told(WorkerEvent::ProgressReported { check })));
    }
    for number in outside.reports.iter().copied() {
        events.push((Kind::Record, told(WorkerEvent::ReportAcknowledged { number })));
    }
    if outside.end.is_some() {
        events.push((Kind::Record, Event::EndAcknowledged { task: TASK }));
    }
}

fn people(state: &State, events: &mut Events) {
    let Some(worker) = state.worker() else { return };
    let turn = worker.data.turn;
    let interrupt = |then| told(WorkerEvent::InterruptRequested { turn, then });
    events.extend([
        (Kind::Write, Event::MessageReceived { task: TASK, message: MessageId(state.outside.written + 1) }),
        (Kind::Interrupt, interrupt(Then::Resume)),
        (Kind::Interrupt, interrupt(Then::Hold)),
        (Kind::Pause, Event::PauseRequested { task: TASK }),
        (Kind::WrapUp, told(WorkerEvent::WrapUpRequested)),
        (Kind::Finish, told(WorkerEvent::CompleteRequested)),
        (Kind::Finish, Event::CancelRequested { task: TASK }),
    ]);
    if state.outside.held.is_some() {
        events.push((Kind::Resume, Event::ResumeRequested { task: TASK }));
    }
}

fn agent(state: &State, events: &mut Events) {
    let Some(worker) = state.worker() else { return };
    let data = &worker.data;
    if state.outside.working().is_none() {
        return;
    }
    let turn = data.turn;
    let approval = ApprovalId { turn, number: data.approvals.asked + 1 };
    events.push((Kind::Ask, told(WorkerEvent::ApprovalRequested { approval })));
    let signs = [Sign::Activity, Sign::ToolCalled { tool: ToolId(1) }, Sign::Succeeded, Sign::Failed];
    events.extend(signs.map(|sign| (Kind::Observe, told(WorkerEvent::Observed { turn, sign }))));
    events.push((Kind::Report, told(WorkerEvent::Reported { number: data.reported + 1 })));
}

/// What comes late, twice or too early and does something, or, when nothing does, the first of it.
fn late(state: &State) -> Vec<Event> {
    let mut events = every_late(state);
    let mut kernel = state.kernel.clone();
    let mut effects = Vec::new();
    let ignored = events.iter().all(|event| kernel.step(event.clone(), &mut effects) != Outcome::Applied);
    if ignored && effects.is_empty() && kernel == state.kernel {
        events.truncate(1);
    }
    events
}

/// What comes late, twice or too early, whether the kernel ignores it or not.
fn every_late(state: &State) -> Vec<Event> {
    let outside = &state.outside;
    let mut events: Vec<Event> = (1..=outside.written)
        .chain([outside.written + 2])
        .map(|message| Event::MessageReceived { task: TASK, message: MessageId(message) })
        .collect();
    events.push(Event::Deployed { task: TASK });
    let Some(worker) = state.worker() else {
        events.push(Event::CancelRequested { task: TASK });
        events.push(told(WorkerEvent::CompleteRequested));
        return events;
    };
    let data = &worker.data;
    let mut worker = late_of_iterators(state, data.session.iterator.0, data.session.accepted.0);
    worker.extend(late_timers(state, data.health.watch.0, data.session.accepted.0));
    for turn in (1..data.turn.0).map(TurnNumber) {
        worker.push(WorkerEvent::InterruptRequested { turn, then: Then::Resume });
        worker.push(WorkerEvent::Observed { turn, sign: Sign::Activity });
    }
    let is_lost = outside.iterators.iter().any(|(_, running)| *running == Running::Lost);
    for turn in (1..=data.turn.0).map(TurnNumber) {
        let approval = ApprovalId { turn, number: 1 };
        if !outside.asks.contains(&approval) {
            worker.push(WorkerEvent::AnswerReceived { approval, answer: Answer::Approved });
        }
        if turn != data.turn || (outside.working().is_none() && !is_lost) {
            worker.push(WorkerEvent::ApprovalRequested { approval });
        }
    }
    let checks = (1..=data.health.asked.0).map(CheckNumber).filter(|check| Some(*check) != outside.check);
    worker.extend(checks.map(|check| WorkerEvent::ProgressReported { check }));
    worker.extend((1..=data.reported).map(|number| WorkerEvent::Reported { number }));
    events.extend(worker.into_iter().map(told));
    events
}

fn late_of_iterators(state: &State, iterators: u32, prompts: u32) -> Vec<WorkerEvent> {
    let mut events = Vec::new();
    for iterator in (1..=iterators).map(IteratorId) {
        let running = state.outside.running(iterator);
        if running != Some(Running::Ordered) {
            events.push(SessionEvent::Started { iterator });
        }
        if running.is_none() {
            events.push(SessionEvent::IteratorEnded { iterator, end: IteratorEnd::Normal });
        }
        if !state.outside.timers.contains(&Armed::Stop(iterator)) {
            events.push(SessionEvent::StopElapsed { iterator });
        }
        // What a crash took says nothing any more: it was of the process.
        let is_lost = running == Some(Running::Lost);
        let prompts = (1..=prompts).map(PromptId);
        let prompts = prompts.filter(|prompt| !is_lost && running != Some(Running::Works(*prompt)));
        events.extend(prompts.map(|prompt| SessionEvent::Answered { iterator, prompt }));
    }
    let aborts = (1..=prompts).map(|prompt| SessionEvent::AbortRequested { prompt: PromptId(prompt) });
    events.into_iter().chain(aborts).map(WorkerEvent::Session).collect()
}

fn late_timers(state: &State, watches: u32, prompts: u32) -> Vec<WorkerEvent> {
    let watches = (1..=watches).map(|watch| WorkerTimer::Watch(WatchNumber(watch)));
    let waits = (1..=prompts).map(PromptId);
    let waits = waits.flat_map(|prompt| [WorkerTimer::Backoff(prompt), WorkerTimer::Breaker(prompt)]);
    watches
        .chain(waits)
        .filter(|timer| !state.outside.timers.contains(&Armed::Worker(*timer)))
        .map(|timer| WorkerEvent::TimerFired { timer })
        .collect()
}

/// Timers run out, and what has to be on record comes there. Agents owe nothing.
pub(super) fn fairness() -> Vec<Fairness<KernelModel>> {
    let fair = |name: &str, kind| {
        Fairness::weak(name, move |action: &Action| action.kind == kind && action.cut.is_none())
    };
    vec![fair("armed timers run out", Kind::Elapse), fair("reports and ends are put on record", Kind::Record)]
}
