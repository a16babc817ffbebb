//! What a worker has at its agent: one iterator, its timers, its question.

use downbeat_kernel::{
    Answer, ApprovalId, CheckNumber, Event, IteratorEnd, IteratorId, PromptId, SessionEffect, SessionEvent,
    Source, TaskState, Then, TurnNumber, WatchNumber, WorkerEffect, WorkerEvent, WorkerPart, WorkerState,
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
    parts: Vec<WorkerPart>,
    /// The last prompt that went out, and what it contained, while it has no answer.
    given: Option<(PromptId, Vec<WorkerPart>)>,
    /// A prompt that an agent goes on with whose lease was lost, and by which iterator.
    stray: Option<(IteratorId, PromptId)>,
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

    /// The agent that it runs on has lost its lease. What goes on there is not the task's any more.
    pub(super) fn lose_place(&mut self, goes_on: bool) {
        if let Some((iterator, Running::Works(prompt))) = self.iterator
            && goes_on
        {
            self.stray = Some((iterator, prompt));
        }
        self.lose();
    }

    /// Whether an agent whose lease was lost goes on with a prompt.
    pub(super) fn has_stray(&self) -> bool {
        self.stray.is_some()
    }

    /// It does not any more.
    pub(super) fn stray_ends(&mut self) {
        self.stray = None;
    }

    /// Whether an agent has a prompt.
    pub(super) fn works(&self) -> bool {
        at_work(self.iterator).is_some()
    }

    /// Whether a prompt came to nothing, and what it contained is to come again.
    pub(super) fn is_to_resume(&self) -> bool {
        self.given.is_some() && !self.works()
    }

    /// What a crash leaves: the iterator that nobody answers for any more.
    pub(super) fn restarted(&self) -> Self {
        let mut line = Self {
            iterator: self.iterator,
            given: self.given.clone(),
            stray: self.stray,
            answered: self.answered,
            ..Self::default()
        };
        line.lose();
        line
    }

    /// Whether an agent works on something, and does not wait for a person.
    pub(super) fn is_open(&self) -> bool {
        self.works() && self.asks.is_none()
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
        let line = &orders.line;
        if line.stray.is_some() {
            may(WorkerAct::StrayAnswers(task));
        }
        let Some(worker) = self.task(task).and_then(|task| task.data.worker.as_deref()) else { return };
        match line.iterator {
            Some((_, Running::Ordered)) => may(WorkerAct::StartIterator(task)),
            Some((_, Running::Works(_))) => {
                // An agent that waits for a person does not go on.
                if line.asks.is_none() {
                    may(WorkerAct::AnswerPrompt(task));
                    may(WorkerAct::Ask(task));
                    if scenario.silent && line.check.is_some() {
                        may(WorkerAct::Progress(task));
                    }
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
        if scenario.silent && line.watch.is_some() {
            may(WorkerAct::ElapseWatch(task));
        }
        if line.asks.is_some() {
            may(WorkerAct::Approve(task));
        }
        for (turn, then) in interrupts(worker.data.turn) {
            may(WorkerAct::Interrupt(task, turn, then));
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
            WorkerAct::Progress(task) => {
                worker(task, WorkerEvent::ProgressReported { check: line(task).check? })
            }
            WorkerAct::StrayAnswers(task) => {
                let (iterator, prompt) = line(task).stray?;
                session(task, SessionEvent::Answered { iterator, prompt })
            }
            WorkerAct::Interrupt(task, turn, then) => {
                worker(task, WorkerEvent::InterruptRequested { turn, then })
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

    /// Whether the worker of a task has this turn, and has not answered it.
    fn is_in_turn(&self, task: TaskIndex, turn: TurnNumber) -> bool {
        let worker = self.task(task).and_then(|task| task.data.worker.as_deref());
        worker.is_some_and(|worker| worker.data.turn == turn && has_turn(worker.state))
    }

    /// Whether an agent is to go on with a turn.
    pub(super) fn executes(&self, task: TaskIndex) -> bool {
        let worker = self.task(task).and_then(|task| task.data.worker.as_deref());
        worker.is_some_and(|worker| worker.state == WorkerState::Executing)
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

/// Whether a worker has a turn.
fn has_turn(state: WorkerState) -> bool {
    match state {
        WorkerState::Executing
        | WorkerState::AwaitingApproval
        | WorkerState::BackingOff { .. }
        | WorkerState::Cooling => true,
        WorkerState::Idle | WorkerState::Held | WorkerState::Ending(_) | WorkerState::Ended(_) => false,
    }
}

/// The prompt that an agent works on.
fn at_work(iterator: Option<(IteratorId, Running)>) -> Option<PromptId> {
    match iterator {
        Some((_, Running::Works(prompt))) => Some(prompt),
        Some((_, Running::Ordered | Running::Listens | Running::Stops | Running::Lost)) | None => None,
    }
}

/// The last turn of a worker.
fn last_turn(tree: &Tree, task: TaskIndex) -> Option<TurnNumber> {
    Some(tree.task(task)?.data.worker.as_deref()?.data.turn)
}

/// The prompt that a worker has settled last.
fn settled(tree: &Tree, task: TaskIndex) -> Option<PromptId> {
    Some(tree.task(task)?.data.worker.as_deref()?.data.session.settled)
}

/// How a person may interrupt a worker: the last turn; or the one before, having not seen that the next has begun.
fn interrupts(last: TurnNumber) -> impl Iterator<Item = (TurnNumber, Then)> {
    let before = TurnNumber(last.0.saturating_sub(1));
    let all = [(last, Then::Resume), (last, Then::Hold), (before, Then::Hold)];
    all.into_iter().filter(|(turn, _)| turn.0 > 0)
}

impl Step<'_> {
    /// What an act is to whoever drives the tree. What an agent says has to name the prompt that it answers.
    pub(super) fn understood(&self, act: WorkerAct) -> WorkerAct {
        match act {
            WorkerAct::StrayAnswers(task)
                if self.model.has(Fault::AnswersUnnamed) && self.tree.of(task).line.works() =>
            {
                WorkerAct::AnswerPrompt(task)
            }
            WorkerAct::StrayAnswers(_)
            | WorkerAct::Deploy(_)
            | WorkerAct::StartIterator(_)
            | WorkerAct::AnswerPrompt(_)
            | WorkerAct::EndIterator(_)
            | WorkerAct::StopIterator(_)
            | WorkerAct::ElapseStop(_)
            | WorkerAct::ElapseRetry(_)
            | WorkerAct::ElapseWatch(_)
            | WorkerAct::Progress(_)
            | WorkerAct::Interrupt(..)
            | WorkerAct::Delegate(_)
            | WorkerAct::Ask(_)
            | WorkerAct::Approve(_)
            | WorkerAct::Finish(_) => act,
        }
    }

    /// What is said under a lease that is over is dropped.
    pub(super) fn is_heard(&self, act: WorkerAct) -> bool {
        let is_taken = self.model.has(Fault::OldLeaseTaken) || self.model.has(Fault::AnswersUnnamed);
        !matches!(act, WorkerAct::StrayAnswers(_)) || is_taken
    }

    /// What came of it, as far as it is about the turn of a worker.
    pub(super) fn judge_worker(&mut self, act: WorkerAct, is_applied: bool) {
        match act {
            WorkerAct::AnswerPrompt(task) | WorkerAct::StrayAnswers(task) => {
                let is_stray = act == WorkerAct::StrayAnswers(task);
                let Line { iterator, stray, .. } = &self.tree.before().of(task).line;
                let answered = if is_stray { stray.map(|(_, prompt)| prompt) } else { at_work(*iterator) };
                let (then, now) = (settled(self.tree.before(), task), settled(&self.tree, task));
                self.note(Breach::CrossedAnswer, is_applied && now > then && now != answered);
                self.note(Breach::OldLease, is_applied && is_stray);
            }
            WorkerAct::Interrupt(task, turn, then) => self.judge_interrupt(task, turn, then, is_applied),
            WorkerAct::Deploy(_)
            | WorkerAct::StartIterator(_)
            | WorkerAct::EndIterator(_)
            | WorkerAct::StopIterator(_)
            | WorkerAct::ElapseStop(_)
            | WorkerAct::ElapseRetry(_)
            | WorkerAct::ElapseWatch(_)
            | WorkerAct::Progress(_)
            | WorkerAct::Delegate(_)
            | WorkerAct::Ask(_)
            | WorkerAct::Approve(_)
            | WorkerAct::Finish(_) => {}
        }
    }

    /// S12: an interrupt that names the turn that there is stops it, and any other stops nothing.
    fn judge_interrupt(&mut self, task: TaskIndex, turn: TurnNumber, then: Then, is_applied: bool) {
        let (before, after) = (self.tree.before(), &*self.tree);
        let names_it = before.is_in_turn(task, turn);
        let works = |tree: &Tree| at_work(tree.of(task).line.iterator);
        let is_same = works(before) == works(after);
        let is_missed = !is_applied || (self.cut.is_none() && works(before).is_some() && is_same);
        let is_hit = !is_same
            || (is_applied && then == Then::Resume)
            || last_turn(before, task) != last_turn(after, task);
        self.note(Breach::WrongTurn, if names_it { is_missed } else { is_hit });
    }

    /// What an act is outside, before the tree knows of it.
    pub(super) fn happens_to_worker(&mut self, act: WorkerAct) {
        match act {
            WorkerAct::Deploy(task) => self.tree.of_mut(task).start = Start::Nothing,
            WorkerAct::StartIterator(task) => self.runs(task, Running::Listens),
            WorkerAct::AnswerPrompt(task) => {
                let line = &mut self.tree.of_mut(task).line;
                line.answered += 1;
                let turn = line.answered;
                (line.given, line.check) = (None, None);
                self.seen.watch.turn_answered(task, turn);
                self.runs(task, Running::Listens);
                self.bill(task);
            }
            WorkerAct::EndIterator(task) | WorkerAct::StopIterator(task) => {
                if let Some((iterator, _)) = self.tree.of_mut(task).line.iterator.take() {
                    self.iterator_ends(task, iterator);
                }
            }
            WorkerAct::ElapseStop(task) => self.tree.of_mut(task).line.stop = None,
            WorkerAct::ElapseRetry(task) => self.tree.of_mut(task).line.wait = None,
            WorkerAct::ElapseWatch(task) => self.tree.of_mut(task).line.watch = None,
            WorkerAct::Approve(task) => self.tree.of_mut(task).line.asks = None,
            WorkerAct::Progress(task) => self.tree.of_mut(task).line.check = None,
            WorkerAct::StrayAnswers(task) => self.tree.of_mut(task).line.stray = None,
            WorkerAct::Delegate(_) | WorkerAct::Ask(_) | WorkerAct::Interrupt(..) | WorkerAct::Finish(_) => {}
        }
    }

    fn runs(&mut self, task: TaskIndex, running: Running) {
        if let Some((_, now)) = &mut self.tree.of_mut(task).line.iterator {
            *now = running;
        }
    }

    pub(super) fn obey_worker(&mut self, task: TaskIndex, effect: WorkerEffect) {
        match effect {
            WorkerEffect::Include { part } => self.tree.of_mut(task).line.parts.push(part),
            WorkerEffect::Acknowledge { .. } | WorkerEffect::Report { .. } => {}
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
                // What it was asked before it is interrupted is void.
                self.tree.of_mut(task).line.check = None;
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
                // One that was kept for want of a place never started, and its end says so.
                self.tree.of_mut(task).line.iterator = Some((iterator, Running::Stops));
            }
            SessionEffect::Kill { .. } => {
                self.tell(TREE, AGENT, || "kills the iterator".to_owned());
                self.tree.of_mut(task).line.iterator = None;
            }
            SessionEffect::Arm { iterator, .. } => self.tree.of_mut(task).line.stop = Some(iterator),
            SessionEffect::Disarm { .. } => self.tree.of_mut(task).line.stop = None,
            SessionEffect::Settle { .. } | SessionEffect::Closed => self.note(Breach::Disorder, true),
        }
    }

    /// What is kept for an iterator that has ended is void.
    fn iterator_ends(&mut self, task: TaskIndex, iterator: IteratorId) {
        if self.model.scenario.agents == 0 || self.model.has(Fault::StopMissesKept) {
            return;
        }
        let last = if self.model.has(Fault::StopMeetsNext) { IteratorId(u32::MAX) } else { iterator };
        self.desk.gate.iterator_ended(id(task), last);
    }

    fn prompt(&mut self, task: TaskIndex, prompt: PromptId) {
        self.tell(TREE, AGENT, || format!("gives prompt {}", prompt.0));
        self.needs_place(task);
        // What was not answered is given again, in another prompt or in another turn.
        let turn = self.tree.of(task).line.answered + 1;
        let parts = std::mem::take(&mut self.tree.of_mut(task).line.parts);
        self.gives(task, prompt, &parts);
        for source in sources(&parts) {
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

    /// S12: what came to nothing is in front of the next prompt, all of it, and the agent is told so. A prompt that comes again
    /// is the same.
    fn gives(&mut self, task: TaskIndex, prompt: PromptId, parts: &[WorkerPart]) {
        let before = self.tree.of_mut(task).line.given.replace((prompt, parts.to_vec()));
        let Some((old, content)) = before else { return };
        let is_resumed = parts.first() == Some(&WorkerPart::Resumed)
            && unmarked(parts).zip(unmarked(&content)).all(|(now, then)| now == then)
            && unmarked(parts).count() >= unmarked(&content).count();
        let is_kept = if old == prompt { parts == content } else { is_resumed };
        self.note(Breach::NotResumed, !is_kept);
    }
}

/// What a prompt contains, but for the mark that it was given before.
fn unmarked(parts: &[WorkerPart]) -> impl Iterator<Item = &WorkerPart> {
    parts.iter().filter(|part| **part != WorkerPart::Resumed)
}

/// The entries of a prompt, in their order.
fn sources(parts: &[WorkerPart]) -> impl Iterator<Item = Source> {
    parts.iter().filter_map(|part| match part {
        WorkerPart::Source(source) => Some(*source),
        WorkerPart::Resumed | WorkerPart::Prompt => None,
    })
}
