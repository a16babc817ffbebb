//! What a worker has at its agent: one iterator, its timers, its question.

use downbeat_kernel::{
    Answer, ApprovalId, CheckNumber, Effect, Event, IteratorEnd, IteratorId, PromptId, SessionEffect,
    SessionEvent, Source, TaskState, WatchNumber, WorkerEffect, WorkerEvent, WorkerPart, WorkerState,
    WorkerTimer,
};

use super::Fault;
use super::act::WorkerAct;
use super::scenario::Scenario;
use super::state::{Breach, Read, Start, Tree, id, index};
use super::step::Step;
use super::words::{AGENT, TREE, USER};
use crate::watch::TaskIndex;

/// What an iterator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Running {
    /// It was ordered.
    Ordered,
    /// It has nothing to do.
    Listens,
    /// It works on a prompt.
    Works(PromptId),
    /// It was told to stop.
    Stops,
    /// A crash took it, or the agent that it ran on is lost.
    Lost,
}

/// What a worker has at its agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Line {
    pub(super) iterator: Option<(IteratorId, Running)>,
    stop: Option<IteratorId>,
    wait: Option<WorkerTimer>,
    watch: Option<WatchNumber>,
    asks: Option<ApprovalId>,
    check: Option<CheckNumber>,
    /// What the prompt contains that is being put together.
    parts: Vec<Source>,
    /// How many prompts were answered.
    answered: u8,
}

impl Line {
    /// What ran is lost, and nobody has said so.
    pub(super) fn lose(&mut self) {
        if let Some((_, running)) = &mut self.iterator {
            *running = Running::Lost;
        }
    }

    /// What a crash leaves: the iterator that nobody answers for any more.
    pub(super) fn restarted(&self) -> Self {
        let mut line = Self { iterator: self.iterator, answered: self.answered, ..Self::default() };
        line.lose();
        line
    }

    /// Whether a person is asked.
    pub(super) fn asks(&self) -> bool {
        self.asks.is_some()
    }

    /// Whether something is left that belongs to a live worker.
    pub(super) fn is_left(&self) -> bool {
        self.stop.is_some() || self.wait.is_some() || self.watch.is_some() || self.asks.is_some()
    }
}

impl Tree {
    /// What may happen to the worker of a task and its agent.
    pub(super) fn worker_acts(&self, scenario: &Scenario, task: TaskIndex, may: &mut impl FnMut(WorkerAct)) {
        let (orders, is_first) = (self.of(task), task == 0);
        if scenario.worker && is_first && orders.start == Start::Initializing {
            may(WorkerAct::Deploy(task));
        }
        let Some(worker) = self.task(task).and_then(|task| task.data.worker.as_deref()) else { return };
        let line = &orders.line;
        match line.iterator {
            Some((_, Running::Ordered)) => may(WorkerAct::StartIterator(task)),
            Some((_, Running::Works(_))) => {
                // An agent that waits for a person does not go on.
                if line.asks.is_none() {
                    may(WorkerAct::AnswerPrompt(task));
                    may(WorkerAct::Ask(task));
                    if self.has_room_for_subtask(scenario) {
                        may(WorkerAct::Delegate(task));
                    }
                }
                may(WorkerAct::EndIterator(task));
            }
            Some((_, Running::Stops | Running::Lost)) => may(WorkerAct::StopIterator(task)),
            Some((_, Running::Listens)) | None => {}
        }
        if line.stop.is_some() {
            may(WorkerAct::ElapseStop(task));
        }
        if line.wait.is_some() {
            may(WorkerAct::ElapseRetry(task));
        }
        if line.watch.is_some() {
            may(WorkerAct::ElapseWatch(task));
        }
        if line.asks.is_some() {
            may(WorkerAct::Approve(task));
        }
        let has_subtask = self.task(task).is_some_and(|task| task.data.calls.subtasks().next().is_some());
        if worker.state == WorkerState::Idle && !has_subtask {
            may(WorkerAct::Finish(task));
        }
    }

    /// The event that an act is to the worker of a task.
    pub(super) fn worker_event(&self, act: WorkerAct) -> Option<Event> {
        let session = |of: TaskIndex, event| worker(of, WorkerEvent::Session(event));
        let line = |task: TaskIndex| &self.of(task).line;
        let ended = |task, end| {
            let (iterator, _) = line(task).iterator?;
            Some(session(task, SessionEvent::IteratorEnded { iterator, end }))
        };
        Some(match act {
            WorkerAct::Deploy(task) => Event::Deployed { task: id(task) },
            WorkerAct::StartIterator(task) => {
                let (iterator, _) = line(task).iterator?;
                session(task, SessionEvent::Started { iterator })
            }
            WorkerAct::AnswerPrompt(task) => {
                let (iterator, Running::Works(prompt)) = line(task).iterator? else { return None };
                session(task, SessionEvent::Answered { iterator, prompt })
            }
            WorkerAct::EndIterator(task) | WorkerAct::StopIterator(task) => {
                ended(task, IteratorEnd::Transient)?
            }
            WorkerAct::ElapseStop(task) => {
                session(task, SessionEvent::StopElapsed { iterator: line(task).stop? })
            }
            WorkerAct::ElapseRetry(task) => worker(task, WorkerEvent::TimerFired { timer: line(task).wait? }),
            WorkerAct::ElapseWatch(task) => {
                let timer = WorkerTimer::Watch(line(task).watch?);
                worker(task, WorkerEvent::TimerFired { timer })
            }
            WorkerAct::Delegate(task) => Event::SubtaskRequested { task: id(task), child: id(self.born()) },
            WorkerAct::Ask(task) => {
                let (_, Running::Works(prompt)) = line(task).iterator? else { return None };
                let number = self.task(task)?.data.worker.as_ref()?.data.approvals.asked + 1;
                worker(task, WorkerEvent::ApprovalRequested { approval: ApprovalId { prompt, number } })
            }
            WorkerAct::Approve(task) => {
                let (approval, answer) = (line(task).asks?, Answer::Approved);
                worker(task, WorkerEvent::AnswerReceived { approval, answer })
            }
            WorkerAct::Finish(task) => worker(task, WorkerEvent::CompleteRequested),
        })
    }

    /// How many prompts the worker of a task has given its session.
    pub(super) fn prompts(&self, task: TaskIndex) -> u32 {
        let worker = self.task(task).and_then(|task| task.data.worker.as_ref());
        worker.map_or(0, |worker| worker.data.session.accepted.0)
    }

    /// Whether a worker runs the task and waits for a person.
    pub(super) fn worker_waits_for_person(&self, task: TaskIndex) -> bool {
        let Some(known) = self.task(task) else { return false };
        let Some(worker) = known.data.worker.as_deref() else { return false };
        let is_working = matches!(known.state, TaskState::Working);
        let is_held = worker.state == WorkerState::Held && (worker.data.hold || self.asks_for_more(task));
        is_working && (is_held || self.of(task).line.asks())
    }
}

fn worker(task: TaskIndex, event: WorkerEvent) -> Event {
    Event::Worker { task: id(task), event }
}

impl Step<'_> {
    /// What an act is outside, before the tree knows of it.
    pub(super) fn happens_to_worker(&mut self, act: WorkerAct) {
        match act {
            WorkerAct::Deploy(task) => self.tree.of_mut(task).start = Start::Nothing,
            WorkerAct::StartIterator(task) => self.runs(task, Running::Listens),
            WorkerAct::AnswerPrompt(task) => {
                let line = &mut self.tree.of_mut(task).line;
                line.answered += 1;
                let turn = line.answered;
                self.seen.watch.turn_answered(task, turn);
                self.runs(task, Running::Listens);
                self.bill(task);
            }
            WorkerAct::EndIterator(task) | WorkerAct::StopIterator(task) => {
                self.tree.of_mut(task).line.iterator = None;
                self.drop_kept_session(task);
            }
            WorkerAct::ElapseStop(task) => self.tree.of_mut(task).line.stop = None,
            WorkerAct::ElapseRetry(task) => self.tree.of_mut(task).line.wait = None,
            WorkerAct::ElapseWatch(task) => self.tree.of_mut(task).line.watch = None,
            WorkerAct::Approve(task) => self.tree.of_mut(task).line.asks = None,
            WorkerAct::Delegate(_) | WorkerAct::Ask(_) | WorkerAct::Finish(_) => {}
        }
    }

    fn runs(&mut self, task: TaskIndex, running: Running) {
        if let Some((_, now)) = &mut self.tree.of_mut(task).line.iterator {
            *now = running;
        }
    }

    pub(super) fn obey_worker(&mut self, task: TaskIndex, effect: WorkerEffect) {
        match effect {
            WorkerEffect::Include { part: WorkerPart::Source(source) } => {
                self.tree.of_mut(task).line.parts.push(source);
            }
            WorkerEffect::Include { .. } | WorkerEffect::Acknowledge { .. } | WorkerEffect::Report { .. } => {
            }
            WorkerEffect::Session(effect) => self.obey_session(task, effect),
            WorkerEffect::ReportUndelivered { source, in_doubt } => match source {
                // What the agent may have read of is judged with the worker alone.
                Source::Message(message) => self.seen.report(task, message, in_doubt, Read::Unsent),
                Source::ChildReported { .. }
                | Source::ChildEnded { .. }
                | Source::Inquiry
                | Source::WrapUp => {}
            },
            WorkerEffect::AskProgress { check } => self.tree.of_mut(task).line.check = Some(check),
            WorkerEffect::Ask { approval } => {
                self.tell(TREE, USER, || "asks a person for its agent".to_owned());
                self.tree.of_mut(task).line.asks = Some(approval);
                self.seen.watch.began(task);
                self.post_progress(task);
            }
            WorkerEffect::Withdraw { .. } => self.tree.of_mut(task).line.asks = None,
            WorkerEffect::Answer { .. } => self.tell(TREE, AGENT, || "gives the agent the answer".to_owned()),
            WorkerEffect::Warn { .. } => {
                self.tell(TREE, USER, || "warns that its agent is silent".to_owned());
            }
            WorkerEffect::Arm { timer, .. } => {
                let line = &mut self.tree.of_mut(task).line;
                match timer {
                    WorkerTimer::Watch(watch) => line.watch = Some(watch),
                    WorkerTimer::Backoff(_) | WorkerTimer::Breaker(_) | WorkerTimer::WrapUp(_) => {
                        line.wait = Some(timer);
                    }
                }
            }
            WorkerEffect::Disarm { timer } => {
                let line = &mut self.tree.of_mut(task).line;
                match timer {
                    WorkerTimer::Watch(_) => line.watch = None,
                    WorkerTimer::Backoff(_) | WorkerTimer::Breaker(_) | WorkerTimer::WrapUp(_) => {
                        line.wait = None;
                    }
                }
            }
            WorkerEffect::WorkerEnded { .. } => self.note(Breach::Disorder, true),
        }
    }

    fn obey_session(&mut self, task: TaskIndex, effect: SessionEffect) {
        match effect {
            SessionEffect::Start { iterator } => {
                self.tell(TREE, AGENT, || format!("starts iterator {}", iterator.0));
                self.seen.watch.began(task);
                self.needs_place(task);
                let before = self.tree.of(task).line.iterator;
                let is_beside = before.is_some_and(|(_, running)| running != Running::Lost);
                self.note(Breach::TwoIterators, is_beside);
                self.tree.of_mut(task).line.iterator = Some((iterator, Running::Ordered));
            }
            SessionEffect::Prompt { prompt, .. } => self.prompt(task, prompt),
            SessionEffect::Stop { iterator } => {
                self.tell(TREE, AGENT, || "the iterator is to stop".to_owned());
                self.drop_kept_session(task);
                // One that was kept for want of a place never started, and its end says so.
                self.tree.of_mut(task).line.iterator = Some((iterator, Running::Stops));
            }
            SessionEffect::Kill { .. } => {
                self.tell(TREE, AGENT, || "kills the iterator".to_owned());
                self.drop_kept_session(task);
                self.tree.of_mut(task).line.iterator = None;
            }
            SessionEffect::Arm { iterator, .. } => self.tree.of_mut(task).line.stop = Some(iterator),
            SessionEffect::Disarm { .. } => self.tree.of_mut(task).line.stop = None,
            SessionEffect::Settle { .. } | SessionEffect::Closed => self.note(Breach::Disorder, true),
        }
    }

    /// What was kept for an iterator is void when that has ended, or is to.
    fn drop_kept_session(&mut self, task: TaskIndex) {
        if self.model.has(Fault::StopMissesKept) {
            return;
        }
        self.tree.of_mut(task).kept.retain(|effect| match effect {
            Effect::Worker { .. } => false,
            Effect::Enqueue { .. }
            | Effect::Dequeue { .. }
            | Effect::Initialize { .. }
            | Effect::AbortInitialization { .. }
            | Effect::Include { .. }
            | Effect::Request { .. }
            | Effect::RunTool { .. }
            | Effect::CancelTool { .. }
            | Effect::Ask { .. }
            | Effect::Withdraw { .. }
            | Effect::Arm { .. }
            | Effect::Disarm { .. }
            | Effect::ReportUndelivered { .. }
            | Effect::TaskEnded { .. } => true,
        });
    }

    fn prompt(&mut self, task: TaskIndex, prompt: PromptId) {
        self.tell(TREE, AGENT, || format!("gives prompt {}", prompt.0));
        self.needs_place(task);
        // What was not answered is given again, in another prompt or in another turn.
        let turn = self.tree.of(task).line.answered + 1;
        for source in std::mem::take(&mut self.tree.of_mut(task).line.parts) {
            match source {
                Source::Message(message) => self.seen.given(task, message, turn),
                Source::ChildEnded { child } => {
                    self.seen.watch.subtask_result_given(index(child), task, turn);
                }
                Source::ChildReported { .. } | Source::Inquiry | Source::WrapUp => {}
            }
        }
        match self.tree.of(task).line.iterator.map(|(_, running)| running) {
            Some(Running::Listens) => self.runs(task, Running::Works(prompt)),
            // It cannot be given anything, and its end says so.
            Some(Running::Lost) => {}
            Some(Running::Ordered | Running::Works(_) | Running::Stops) | None => {
                self.note(Breach::TwoIterators, true);
            }
        }
    }
}
