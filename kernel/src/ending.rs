//! How a task ends: a cancel that stops everything first, and the report of any end.
//!
//! A cancelled task ends after its own work has stopped, or a grace time is over (L2), and after every descendant
//! has ended (S9).

use crate::calls::{CallState, Calls};
use crate::config::Config;
use crate::faults::Fault;
use crate::lifecycle::{Follow, Surroundings, TaskMachine};
use crate::request::RequestEvent;
use crate::task::{Held, Outstanding, TaskData, TaskState};
use crate::vocabulary::{CallResult, Effect, End, QuestionId, Sink, TaskId, Timer};

impl TaskMachine<'_> {
    /// Stops everything that runs for this task, and has its subtasks cancelled.
    pub(crate) fn cancel(&mut self, leaf: TaskState, cx: &mut Surroundings<'_>) -> TaskState {
        if leaf == TaskState::Working {
            return self.cancel_working(cx);
        }
        self.close_account(cx);
        let task = self.id;
        let outstanding = match leaf {
            TaskState::Queued | TaskState::Paused(Held::Queued | Held::Admitted) => {
                self.stop(Effect::Dequeue { task }, cx);
                Outstanding::Nothing
            }
            TaskState::Initializing | TaskState::Paused(Held::Initializing) => {
                self.stop(Effect::AbortInitialization { task }, cx);
                Outstanding::Initialization
            }
            TaskState::Requesting | TaskState::Paused(Held::Requesting) => self.cancel_request(cx),
            TaskState::ExecutingTools
            | TaskState::AwaitingSubtask
            | TaskState::AwaitingInput
            | TaskState::AwaitingBudget
            | TaskState::Paused(Held::Unstarted | Held::Turn | Held::Calls)
            | TaskState::Working
            | TaskState::Cancelling(_)
            | TaskState::Ending(_)
            | TaskState::Completed
            | TaskState::Failed(_)
            | TaskState::Cancelled => Outstanding::Nothing,
        };
        self.stop_calls(cx);
        if self.working(outstanding) && !self.config.has(Fault::NoGraceTimer) {
            let after_ms = u64::from(self.config.grace_ms);
            cx.emit(Effect::Arm { timer: Timer::Grace(task), after_ms });
        }
        self.ended_or_waiting(outstanding)
    }

    /// A request that waits ends at once; one that is open stops by a grace time of its own.
    fn cancel_request(&mut self, cx: &mut Surroundings<'_>) -> Outstanding {
        if self.config.has(Fault::StopsNothing) {
            return Outstanding::Request;
        }
        match self.tell_request(RequestEvent::CancelRequested, cx) {
            Ok(Some(_)) => Outstanding::Nothing,
            Ok(None) | Err(_) => Outstanding::Request,
        }
    }

    /// Some work of a cancelled task has stopped.
    pub(crate) fn stopped(&self, outstanding: Outstanding, cx: &mut Surroundings<'_>) -> TaskState {
        if !self.working(outstanding) {
            cx.emit(Effect::Disarm { timer: Timer::Grace(self.id) });
        }
        self.ended_or_waiting(outstanding)
    }

    /// The grace time is over: what has not stopped by now is left to itself, and its answers are late.
    pub(crate) fn give_up(&mut self) -> TaskState {
        for index in self.data.calls.indices() {
            if self.data.calls.get(index) == Some(CallState::Running) {
                self.data.calls.set(index, CallState::Settled(CallResult::Abandoned));
            }
        }
        self.ended_or_waiting(Outstanding::Nothing)
    }

    /// Whether a cancelled task still waits for work of its own that may never stop. The grace timer is armed exactly as
    /// long; a worker and a request end by timers of their own.
    pub(crate) fn working(&self, outstanding: Outstanding) -> bool {
        match outstanding {
            Outstanding::Initialization => true,
            Outstanding::Nothing | Outstanding::Request | Outstanding::Worker => self.data.calls.running(),
        }
    }

    /// One order to stop.
    fn stop(&self, order: Effect, cx: &mut Surroundings<'_>) {
        if !self.config.has(Fault::StopsNothing) {
            cx.emit(order);
        }
    }

    pub(crate) fn stop_calls(&mut self, cx: &mut Surroundings<'_>) {
        for index in self.data.calls.indices() {
            match self.data.calls.get(index) {
                Some(CallState::Running) => self.stop(Effect::CancelTool { call: self.call(index) }, cx),
                Some(CallState::Subtask { child }) => {
                    if !self.config.has(Fault::NoCascade) {
                        cx.follows.push(Follow::Cancel { child });
                    }
                }
                Some(CallState::Asking { number, .. }) => {
                    self.stop(Effect::Withdraw { question: QuestionId { task: self.id, number } }, cx);
                    self.data.calls.set(index, CallState::Settled(CallResult::Abandoned));
                }
                Some(CallState::Waiting(_)) => {
                    self.data.calls.set(index, CallState::Settled(CallResult::Abandoned));
                }
                Some(CallState::Settled(_)) | None => {}
            }
        }
    }

    pub(crate) fn ended_or_waiting(&self, outstanding: Outstanding) -> TaskState {
        let open = if self.config.has(Fault::EndBeforeChildren) {
            self.data.calls.running()
        } else {
            self.data.calls.open()
        };
        if outstanding == Outstanding::Nothing && !open {
            TaskState::Cancelled
        } else {
            TaskState::Cancelling(outstanding)
        }
    }

    /// Reports the end, to the outside and to the parent. Nothing of the task runs any more.
    pub(crate) fn finish(&mut self, end: End, cx: &mut Surroundings<'_>) {
        self.close_account(cx);
        self.data.calls = Calls::default();
        self.data.emit_end(self.id, end, self.config, cx.sink);
        if let Some(parent) = self.data.parent
            && !self.config.has(Fault::SettlesNobody)
        {
            cx.follows.push(Follow::Settle { parent, child: self.id, end });
        }
    }
}

impl TaskData {
    /// The end of the task and what of its messages the model has not answered (S5).
    pub(crate) fn emit_end(&self, task: TaskId, end: End, config: &Config, sink: &mut dyn Sink) {
        for (message, in_doubt) in self.undelivered() {
            let forgotten = if in_doubt { Fault::InDoubtForgotten } else { Fault::UndeliveredForgotten };
            if !config.has(forgotten) {
                let in_doubt = in_doubt && !config.has(Fault::NeverInDoubt);
                sink.emit(Effect::ReportUndelivered { task, message, in_doubt });
            }
        }
        sink.emit(Effect::TaskEnded { task, end });
    }
}
