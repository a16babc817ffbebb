//! A task that a worker runs: the seam between the tree of tasks and the worker's own machine.
//!
//! The task lives as long as its worker does. What is for the worker goes to it, and what the worker orders goes out under the
//! task's id. Its end settles the task, once, because it leaves the task without a worker (S7). A subtask that it asks
//! for hangs in the tree as any other: it is live exactly while its parent has the call that waits for it, and
//! its end goes into the worker's inbox in the same step (S3, S9).

use crate::calls::CallState;
use crate::faults::Fault;
use crate::lifecycle::{Follow, Hold, Refusal, Surroundings, TaskEvent, TaskMachine};
use crate::task::{Outstanding, TaskState};
use crate::vocabulary::{CallResult, Effect, End, Ignored, Outcome as Told, Reason, TaskId};
use crate::worker::{WorkerEffect, WorkerEnd, WorkerEvent};
use alloc::boxed::Box;
use statig::Outcome::{self, Handled, Super, Transition};

/// A worker runs the task; or it has ended like that, and subtasks that it asked for have not (S9).
pub(crate) fn working(
    ended: Option<End>,
    event: &TaskEvent<'_>,
    task: &mut TaskMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<TaskState> {
    use TaskEvent as E;
    match (*event, ended) {
        (E::Worker { event }, None) => match task.tell_from_outside(event, cx) {
            Ok(None) => Handled,
            Ok(Some(end)) => Transition(task.worker_ended(end, cx)),
            Err(refusal) => cx.refuse(refusal),
        },
        (E::MessageReceived { message }, None) => task.pass_on(WorkerEvent::MessageReceived { message }, cx),
        (E::PauseRequested, None) => task.pass_on(WorkerEvent::PauseRequested, cx),
        (E::ResumeRequested, None) => task.pass_on(WorkerEvent::ResumeRequested, cx),
        (E::CancelRequested, None) => Transition(task.cancel(TaskState::Working, cx)),
        (E::SubtaskRequested { child }, None) => match task.start_requested(child, cx) {
            Ok(()) => Handled,
            Err(refusal) => cx.refuse(refusal),
        },
        (E::SubtaskEnded { child, .. }, None) => task.child_ended(child, cx),
        (E::ChildReported { child, number }, None) => {
            task.pass_on(WorkerEvent::ChildReported { child, number }, cx)
        }
        (E::SubtaskEnded { child, .. }, Some(end)) => task.child_ended_late(child, end, cx),
        // It ends, and its subtasks are being cancelled.
        (E::CancelRequested, Some(_)) => cx.ignore(Ignored::Duplicate),
        (
            E::Worker { .. }
            | E::MessageReceived { .. }
            | E::PauseRequested
            | E::ResumeRequested
            | E::SubtaskRequested { .. }
            | E::ChildReported { .. },
            Some(_),
        ) => cx.ignore(Ignored::Terminal),
        (
            E::Admitted
            | E::Initialized
            | E::InitializationFailed
            | E::Deployed
            | E::ResponseEnded { .. }
            | E::Request { .. }
            | E::ProfileChanged { .. }
            | E::ToolEnded { .. }
            | E::AnswerReceived { .. }
            | E::GraceElapsed
            | E::EndAcknowledged
            | E::Released
            | E::Spent { .. }
            | E::BudgetElapsed { .. }
            | E::BudgetSpent
            | E::BudgetGranted,
            None | Some(_),
        ) => Super,
    }
}

/// The state of a task that ended like this.
fn ended(end: End) -> TaskState {
    match end {
        End::Completed => TaskState::Completed,
        End::Failed(reason) => TaskState::Failed(reason),
        End::Cancelled => TaskState::Cancelled,
    }
}

/// Whether only the kernel may tell a worker that.
fn is_of_the_kernel(event: WorkerEvent) -> bool {
    match event {
        WorkerEvent::Assigned
        | WorkerEvent::MessageReceived { .. }
        | WorkerEvent::ChildReported { .. }
        | WorkerEvent::ChildEnded { .. }
        | WorkerEvent::PauseRequested
        | WorkerEvent::ResumeRequested
        | WorkerEvent::BudgetSpent
        | WorkerEvent::BudgetGranted
        | WorkerEvent::KillRequested
        | WorkerEvent::EndAcknowledged => true,
        WorkerEvent::Session(_)
        | WorkerEvent::Observed { .. }
        | WorkerEvent::ProgressReported { .. }
        | WorkerEvent::ApprovalRequested { .. }
        | WorkerEvent::AnswerReceived { .. }
        | WorkerEvent::Reported { .. }
        | WorkerEvent::ReportAcknowledged { .. }
        | WorkerEvent::InterruptRequested { .. }
        | WorkerEvent::WrapUpRequested
        | WorkerEvent::CompleteRequested
        | WorkerEvent::TimerFired { .. } => false,
    }
}

impl TaskMachine<'_> {
    /// The surroundings are a worker, which begins with the prompt, unless a person holds the task or its budget is spent.
    pub(crate) fn deploy(&mut self, hold: Hold, cx: &mut Surroundings<'_>) -> TaskState {
        self.data.worker = Some(Box::default());
        if hold == Hold::Paused && !self.config.has(Fault::PausedDeploys) {
            let _ = self.tell(WorkerEvent::PauseRequested, cx);
        }
        if self.data.spent && !self.config.has(Fault::SpentDeploys) {
            let _ = self.tell(WorkerEvent::BudgetSpent, cx);
        }
        let _ = self.tell(WorkerEvent::Assigned, cx);
        TaskState::Working
    }

    /// What the shell has for the worker. What only the kernel may tell it is refused.
    pub(crate) fn tell_from_outside(
        &mut self,
        event: WorkerEvent,
        cx: &mut Surroundings<'_>,
    ) -> Result<Option<WorkerEnd>, Refusal> {
        if is_of_the_kernel(event) && !self.config.has(Fault::ShellSpeaksForKernel) {
            return Err(Refusal::NotForShell);
        }
        self.tell(event, cx)
    }

    /// Tells the worker, and gives how it ended if that is what came of it.
    pub(crate) fn tell(
        &mut self,
        event: WorkerEvent,
        cx: &mut Surroundings<'_>,
    ) -> Result<Option<WorkerEnd>, Refusal> {
        let (task, parent, config) = (self.id, self.data.parent, self.config);
        let Some(worker) = &mut self.data.worker else { return Err(Refusal::NeverAsked) };
        let (mut ended, held, had_room) = (None, worker.data.hold, worker.has_room(config));
        let reports = matches!(event, WorkerEvent::Reported { .. });
        let told = worker.step(event, config, &mut |effect| match (effect, parent) {
            (WorkerEffect::WorkerEnded { end }, _) => ended = Some(end),
            (WorkerEffect::Report { number }, Some(parent)) if reports => {
                cx.follows.push(Follow::Report { parent, child: task, number });
            }
            (effect, _) => cx.sink.emit(Effect::Worker { task, effect }),
        });
        if held && !worker.data.hold && !self.config.has(Fault::SubtaskLeftHeld) {
            // Those that have started take no notice.
            cx.follows.extend(self.data.calls.subtasks().map(|child| Follow::Release { child }));
        }
        if !had_room && worker.has_room(config) && !self.config.has(Fault::KeptReportUntold) {
            // What they had to say may have found none.
            let room = |child| Follow::Room { parent: task, child };
            cx.follows.extend(self.data.calls.subtasks().map(room));
        }
        match told {
            Told::Applied => Ok(ended),
            Told::Ignored(why) => Err(Refusal::Ignored(why)),
            Told::Rejected(why) => Err(Refusal::Worker(why)),
        }
    }

    /// Something for the worker that does not end it.
    fn pass_on(&mut self, event: WorkerEvent, cx: &mut Surroundings<'_>) -> Outcome<TaskState> {
        match self.tell(event, cx) {
            Ok(_) => Handled,
            Err(refusal) => cx.refuse(refusal),
        }
    }

    /// L2: the worker is told to end, and so are the subtasks.
    pub(crate) fn cancel_working(&mut self, cx: &mut Surroundings<'_>) -> TaskState {
        self.close_account(cx);
        // One that is about to end is not told again; its end is that of a cancelled task all the same.
        let killed = self.tell(WorkerEvent::KillRequested, cx);
        self.stop_calls(cx);
        match killed {
            Ok(Some(_)) => self.worker_gone(),
            Ok(None) | Err(_) => TaskState::Cancelling(Outstanding::Worker),
        }
    }

    /// The worker of a cancelled task is told something.
    pub(crate) fn tell_cancelled(
        &mut self,
        event: WorkerEvent,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<TaskState> {
        match self.tell_from_outside(event, cx) {
            Ok(None) => Handled,
            Ok(Some(_)) => Transition(self.worker_gone()),
            Err(refusal) => cx.refuse(refusal),
        }
    }

    fn worker_gone(&self) -> TaskState {
        self.ended_or_waiting(Outstanding::Nothing)
    }

    /// The worker ended: the task ends likewise, after its subtasks, which nobody needs any more. What it reports at its end
    /// is outstanding until the end of the task is acknowledged, so it stays until then (S5).
    fn worker_ended(&mut self, end: WorkerEnd, cx: &mut Surroundings<'_>) -> TaskState {
        if self.config.has(Fault::EndedWorkerDropped) {
            self.data.worker = None;
        }
        let end = match end {
            WorkerEnd::Completed => End::Completed,
            WorkerEnd::Failed(reason) => End::Failed(Reason::Worker(reason)),
            WorkerEnd::Killed => End::Cancelled,
        };
        if self.data.calls.open() {
            self.close_account(cx);
            self.stop_calls(cx);
            TaskState::Ending(end)
        } else {
            ended(end)
        }
    }

    /// A subtask that the agent asks for. A worker that is held holds it too.
    fn start_requested(&mut self, child: TaskId, cx: &mut Surroundings<'_>) -> Result<(), Refusal> {
        if let Some(highest) = cx.highest
            && child <= highest
            && !self.config.has(Fault::SubtaskIdReused)
        {
            return Err(Refusal::IdNotFresh { highest, got: child });
        }
        let full = self.data.calls.len() >= usize::from(self.config.calls_max);
        if full && !self.config.has(Fault::SubtasksUnbounded) {
            return Err(Refusal::TooManyCalls { got: self.data.calls.len() + 1 });
        }
        let held = self.data.worker.as_ref().is_some_and(|worker| worker.data.hold);
        let held = held && !self.config.has(Fault::HeldStartsSubtask);
        let call = self.start_subtask(child, if held { Hold::Paused } else { Hold::Running }, cx);
        if let CallState::Settled(CallResult::Refused(why)) = call {
            return Err(Refusal::Subtask { why, child });
        }
        cx.highest = Some(child);
        self.data.calls.push(call);
        Ok(())
    }

    fn child_ended(&mut self, child: TaskId, cx: &mut Surroundings<'_>) -> Outcome<TaskState> {
        let Some(index) = self.data.calls.subtask(child) else { return cx.ignore(Ignored::Stale) };
        self.data.calls.remove(index);
        // A worker that is about to end has no use for it, and its parent hears of both ends.
        if !self.config.has(Fault::ChildEndUntold) {
            let _ = self.tell(WorkerEvent::ChildEnded { child }, cx);
        }
        Handled
    }

    /// A subtask ended after the worker did, which has no use for that any more.
    fn child_ended_late(&mut self, child: TaskId, end: End, cx: &mut Surroundings<'_>) -> Outcome<TaskState> {
        let Some(index) = self.data.calls.subtask(child) else { return cx.ignore(Ignored::Stale) };
        self.data.calls.remove(index);
        Transition(if self.data.calls.open() { TaskState::Ending(end) } else { ended(end) })
    }
}
