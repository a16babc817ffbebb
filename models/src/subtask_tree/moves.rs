//! What may happen to the tasks, the event that tells the tree of it, and what it is outside.

use downbeat_kernel::{
    Answer, Approval, Attempt, Call, CallId, Event, GrantNumber, Lease, MessageId, ProfileId, QuestionId,
    RequestEvent, RequestId, RequestTimer, Response, SendFailure, Timer, ToolEnd, TurnNumber,
};

use super::Fault;
use super::act::{Failure, Said, TaskAct};
use super::scenario::{Budget, Scenario};
use super::state::{Breach, Flight, Orders, Start, Tree, id};
use super::step::Step;
use super::vault::Vault;
use crate::watch::{TASKS, TaskIndex};
use downbeat_wiring::{is_held, is_present, root_of};

impl Tree {
    /// What may happen to the tasks, but for their workers.
    pub(super) fn acts(&self, scenario: &Scenario, vault: &Vault, may: &mut impl FnMut(TaskAct)) {
        for task in 0..self.born() {
            self.of_start(scenario, task, may);
            self.of_sends(scenario, task, vault, may);
            self.of_orders(task, may);
            self.of_people(scenario, task, may);
        }
        if scenario.failover {
            may(if self.down { TaskAct::ComeUp } else { TaskAct::GoDown });
        }
    }

    fn of_start(&self, scenario: &Scenario, task: TaskIndex, may: &mut impl FnMut(TaskAct)) {
        match self.of(task).start {
            Start::Nothing => {}
            Start::Queued => may(TaskAct::Admit(task)),
            Start::Initializing => {
                if !scenario.worker || task > 0 {
                    may(TaskAct::Initialize(task));
                }
                if scenario.retry || scenario.agents > 0 {
                    may(TaskAct::FailToInitialize(task));
                }
            }
            Start::Stopping => may(TaskAct::StopStart(task)),
        }
    }

    fn of_sends(&self, scenario: &Scenario, task: TaskIndex, vault: &Vault, may: &mut impl FnMut(TaskAct)) {
        match self.of(task).flights[0] {
            // It may not have gone out at all, so that nobody can answer it.
            Some(Flight { stopping: false, gone: true, .. }) => may(TaskAct::Lost(task)),
            Some(Flight { stopping: true, .. }) => may(TaskAct::Stop(task)),
            Some(Flight { generation, .. }) if !vault.accepts(generation) => may(TaskAct::Refuse(task)),
            Some(flight) => {
                may(TaskAct::Respond(task, Said::Completion));
                may(TaskAct::Respond(task, Said::Tool));
                may(TaskAct::Respond(task, Said::Question));
                // Deeper than one the kernel refuses it.
                let is_root = self.task(task).is_some_and(|task| task.data.parent.is_none());
                if is_root && self.has_room_for_subtask(scenario) {
                    may(TaskAct::Respond(task, Said::Subtask));
                }
                may(TaskAct::Fail(task, Failure::Throttled));
                may(TaskAct::Fail(task, Failure::Invalid));
                if flight.is_continued {
                    may(TaskAct::Fail(task, Failure::Forgotten));
                }
            }
            None => {}
        }
    }

    /// Whether a subtask may be asked for. An id is left for the next attempt at the root.
    pub(super) fn has_room_for_subtask(&self, scenario: &Scenario) -> bool {
        scenario.subtasks && self.born() + u8::from(scenario.retry) < scenario.tasks
    }

    fn of_orders(&self, task: TaskIndex, may: &mut impl FnMut(TaskAct)) {
        let orders = self.of(task);
        if orders.tools & orders.tools_stopping & 1 != 0 {
            may(TaskAct::StopTool(task));
        } else if orders.tools & 1 != 0 {
            may(TaskAct::ToolEnds(task));
        }
        if orders.stray.is_some() {
            may(TaskAct::StrayEnds(task));
        }
        if orders.backoff.is_some() {
            may(TaskAct::Backoff(task));
        }
        if orders.grace {
            may(TaskAct::Grace(task));
        }
        if orders.stream_grace.is_some() {
            may(TaskAct::StreamGrace(task));
        }
        if orders.budget.is_some() {
            may(TaskAct::BudgetTime(task));
        }
    }

    fn of_people(&self, scenario: &Scenario, task: TaskIndex, may: &mut impl FnMut(TaskAct)) {
        let Some(known) = self.task(task) else { return };
        if let Some(number) = (1..8).find(|number| self.of(task).questions & 1 << number != 0) {
            debug_assert!(number < 8);
            may(TaskAct::Answer(task, Answer::Text));
        }
        if self.of(task).more.is_some() {
            may(TaskAct::GrantMore(task));
            may(TaskAct::DenyMore(task));
        }
        if self.is_held(task) {
            may(TaskAct::Resume(task));
        }
        if known.state.end().is_none() {
            if scenario.has(Budget::Messages) {
                may(TaskAct::Write(task));
            }
            may(TaskAct::Pause(task));
            if !scenario.is_tried_again(task) {
                may(TaskAct::Cancel(task));
            }
        }
    }

    /// Whether a person holds the task, or the worker that runs it.
    pub(super) fn is_held(&self, task: TaskIndex) -> bool {
        is_held(&self.kernel, id(task))
    }

    /// The event that an act is to the tree.
    pub(super) fn event(&self, act: TaskAct) -> Option<Event> {
        let flying = |task: TaskIndex| self.of(task).flights[0];
        let request = |task, turn: u8, attempt: u8| RequestId {
            task: id(task),
            turn: TurnNumber(turn.into()),
            attempt: Attempt(attempt.into()),
        };
        let sent = |task| flying(task).map(|flight| request(task, flight.turn, flight.attempt));
        let call = |task, turn: u8| CallId { task: id(task), turn: TurnNumber(turn.into()), index: 0 };
        let timer = |armed: Option<(u8, u8)>, task, timer: fn(Attempt) -> RequestTimer| {
            let (turn, attempt) = armed?;
            let fired = |attempt| RequestEvent::TimerFired { timer: timer(attempt) };
            Some(of_request(request(task, turn, attempt), fired))
        };
        let orders = |task: TaskIndex| self.of(task);
        Some(match act {
            TaskAct::Admit(task) => Event::Admitted { task: id(task) },
            TaskAct::Initialize(task) => Event::Initialized { task: id(task) },
            TaskAct::FailToInitialize(task) | TaskAct::StopStart(task) => {
                Event::InitializationFailed { task: id(task) }
            }
            TaskAct::Respond(task, said) => {
                Event::ResponseEnded { request: sent(task)?, response: self.response(said), jitter_ms: 0 }
            }
            TaskAct::Fail(task, failure) => failed(
                sent(task)?,
                match failure {
                    Failure::Throttled => SendFailure::Throttled { retry_after_ms: None },
                    Failure::Invalid => SendFailure::Invalid,
                    Failure::Forgotten => SendFailure::ContinuityLost,
                },
            ),
            TaskAct::Refuse(task) => failed(sent(task)?, SendFailure::Unauthorized),
            TaskAct::Lost(task) => failed(sent(task)?, SendFailure::Interrupted),
            TaskAct::Stop(task) => of_request(sent(task)?, |attempt| RequestEvent::Stopped { attempt }),
            TaskAct::ToolEnds(task) => {
                Event::ToolEnded { call: call(task, orders(task).tools_turn), end: ToolEnd::Succeeded }
            }
            TaskAct::StopTool(task) => {
                Event::ToolEnded { call: call(task, orders(task).tools_turn), end: ToolEnd::Cancelled }
            }
            TaskAct::StrayEnds(task) => {
                let (turn, index, _) = orders(task).stray?;
                let call = CallId { index: index.into(), ..call(task, turn) };
                Event::ToolEnded { call, end: ToolEnd::Succeeded }
            }
            TaskAct::Answer(task, answer) => {
                let number = (1..8).find(|number| orders(task).questions & 1 << number != 0)?;
                Event::AnswerReceived { question: QuestionId { task: id(task), number }, answer }
            }
            TaskAct::GrantMore(task) => more(task, orders(task).more?, Answer::Approved),
            TaskAct::DenyMore(task) => more(task, orders(task).more?, Answer::Denied),
            TaskAct::Write(task) => {
                let message = MessageId(u32::from(self.written[usize::from(task)]) + 1);
                Event::MessageReceived { task: id(task), message }
            }
            TaskAct::Pause(task) => Event::PauseRequested { task: id(task) },
            TaskAct::Resume(task) => Event::ResumeRequested { task: id(task) },
            TaskAct::Cancel(task) => Event::CancelRequested { task: id(task) },
            TaskAct::Backoff(task) => timer(orders(task).backoff, task, RequestTimer::Backoff)?,
            TaskAct::StreamGrace(task) => timer(orders(task).stream_grace, task, RequestTimer::Grace)?,
            TaskAct::Grace(task) => Event::TimerFired { timer: Timer::Grace(id(task)) },
            TaskAct::BudgetTime(task) => {
                let grant = GrantNumber(orders(task).budget?.into());
                Event::TimerFired { timer: Timer::Budget { task: id(task), grant } }
            }
            TaskAct::Forget(task) => Event::EndAcknowledged { task: id(task) },
            TaskAct::GoDown => Event::ProfileDown { profile: ProfileId(0) },
            TaskAct::ComeUp => Event::ProfileUp { profile: ProfileId(0) },
        })
    }

    fn response(&self, said: Said) -> Response {
        Response::Calls(vec![match said {
            Said::Completion => Call::Completion(Approval::Granted),
            Said::Tool => Call::Tool(Approval::Granted),
            Said::Question => Call::Question,
            Said::Subtask => Call::Subtask { child: id(self.born()) },
        }])
    }
}

fn more(task: TaskIndex, number: u8, answer: Answer) -> Event {
    Event::AnswerReceived { question: QuestionId { task: id(task), number: number.into() }, answer }
}

fn of_request(request: RequestId, event: impl Fn(Attempt) -> RequestEvent) -> Event {
    let RequestId { task, turn, attempt } = request;
    Event::Request { task, turn, event: event(attempt) }
}

fn failed(request: RequestId, failure: SendFailure) -> Event {
    of_request(request, |attempt| RequestEvent::SendFailed { attempt, failure, jitter_ms: 0 })
}

impl Step<'_> {
    /// What the end of a tool under a lease that is over comes to: it is the tool's, and not the task's any more.
    pub(super) fn is_taken(&self, act: TaskAct) -> bool {
        match act {
            TaskAct::StrayEnds(task) => {
                let root = root_of(&self.tree.kernel, id(task));
                let is_present = |(_, _, epoch)| is_present(&self.fleet.pool, Lease { task: root, epoch });
                self.tree.of(task).stray.is_some_and(is_present) || self.model.has(Fault::OldLeaseTaken)
            }
            TaskAct::Admit(_)
            | TaskAct::Initialize(_)
            | TaskAct::FailToInitialize(_)
            | TaskAct::StopStart(_)
            | TaskAct::Respond(..)
            | TaskAct::Fail(..)
            | TaskAct::Refuse(_)
            | TaskAct::Lost(_)
            | TaskAct::Stop(_)
            | TaskAct::ToolEnds(_)
            | TaskAct::StopTool(_)
            | TaskAct::Answer(..)
            | TaskAct::Write(_)
            | TaskAct::Pause(_)
            | TaskAct::Resume(_)
            | TaskAct::Cancel(_)
            | TaskAct::Backoff(_)
            | TaskAct::Grace(_)
            | TaskAct::StreamGrace(_)
            | TaskAct::GrantMore(_)
            | TaskAct::DenyMore(_)
            | TaskAct::BudgetTime(_)
            | TaskAct::Forget(_)
            | TaskAct::GoDown
            | TaskAct::ComeUp => true,
        }
    }

    /// What an act is outside, before the tree knows of it.
    pub(super) fn happens_to_tree(&mut self, act: TaskAct) {
        match act {
            TaskAct::Admit(task)
            | TaskAct::Initialize(task)
            | TaskAct::FailToInitialize(task)
            | TaskAct::StopStart(task) => self.tree.of_mut(task).start = Start::Nothing,
            TaskAct::Respond(task, said) => self.respond(task, said),
            TaskAct::Fail(task, failure) => {
                if failure == Failure::Forgotten {
                    self.tree.of_mut(task).response = None;
                }
                self.land(task, false);
            }
            TaskAct::Refuse(task) => self.refuse(task),
            TaskAct::Lost(task) | TaskAct::Stop(task) => self.land(task, true),
            TaskAct::ToolEnds(task) | TaskAct::StopTool(task) => {
                let orders = self.tree.of_mut(task);
                (orders.tools, orders.tools_stopping) = (0, 0);
            }
            TaskAct::StrayEnds(task) => self.tree.of_mut(task).stray = None,
            TaskAct::Answer(task, _) => {
                let orders = self.tree.of_mut(task);
                orders.questions &= orders.questions.wrapping_sub(1);
            }
            TaskAct::Write(task) => {
                self.tree.written[usize::from(task)] += 1;
                self.seen.written(task);
            }
            TaskAct::Cancel(task) => self.seen.watch.cancel_requested(task),
            TaskAct::Backoff(task) => self.tree.of_mut(task).backoff = None,
            TaskAct::Grace(task) => self.tree.of_mut(task).grace = false,
            TaskAct::StreamGrace(task) => self.tree.of_mut(task).stream_grace = None,
            TaskAct::GrantMore(task) => {
                let orders = self.tree.of_mut(task);
                orders.more = None;
                orders.pot.refill();
            }
            TaskAct::DenyMore(task) => {
                self.tree.of_mut(task).more = None;
                self.deny(task);
            }
            TaskAct::BudgetTime(task) => {
                let orders = self.tree.of_mut(task);
                (orders.budget, orders.pot.is_late) = (None, true);
            }
            TaskAct::Forget(task) => self.tree.of_mut(task).ended = false,
            TaskAct::GoDown => self.tree.down = true,
            TaskAct::ComeUp => self.tree.down = false,
            TaskAct::Pause(_) | TaskAct::Resume(_) => {}
        }
    }

    fn respond(&mut self, task: TaskIndex, said: Said) {
        let Some(flight) = self.tree.of(task).flights[0] else { return };
        self.land(task, true);
        self.seen.watch.turn_answered(task, flight.turn);
        let orders = self.tree.of_mut(task);
        (orders.content, orders.refused) = (0, None);
        orders.response = flight.is_kept.then_some((flight.turn, flight.attempt));
        match said {
            Said::Completion | Said::Tool | Said::Question | Said::Subtask => {
                self.seen.watch.calls_made(task, 1);
            }
        }
    }

    /// S17: the second refusal of a turn is the last.
    fn refuse(&mut self, task: TaskIndex) {
        let Some(flight) = self.tree.of(task).flights[0] else { return };
        let orders = self.tree.of_mut(task);
        orders.refused = Some((flight.turn, flight.generation));
        self.land(task, false);
    }

    fn land(&mut self, task: TaskIndex, is_worked_on: bool) {
        let Some(flight) = self.tree.of(task).flights[0] else { return };
        self.tree.of_mut(task).land(0);
        self.see_landed(task, flight, is_worked_on);
    }

    /// The process is gone with all that it did for the tree.
    pub(super) fn crash_tree(&mut self) {
        self.seen.watch.crashed(false, false);
        let restarted: [Orders; TASKS] = std::array::from_fn(|task| self.tree.orders[task].restarted());
        self.tree.orders = restarted;
        let mut effects = Vec::new();
        self.tree.kernel.resync(&mut effects);
        self.is_restarting = true;
        self.release(effects);
        self.is_restarting = false;
        self.bill_again();
    }

    /// What an agent says under a lease that is over was taken.
    pub(super) fn judge_stray(&mut self, act: TaskAct, is_applied: bool) {
        let is_old = matches!(act, TaskAct::StrayEnds(_)) && is_applied;
        self.note(Breach::OldLease, is_old);
    }
}
