//! The whole kernel: one event in, one step over the task that it names and over those that it concerns.
//!
//! A step is atomic for the whole tree. The end of a subtask settles its parent, and a cancel reaches every
//! descendant, in the same step: between them there is no moment in which anybody else could act.

use crate::budget::{Account, Budget};
use crate::calls::CallState;
use crate::config::Config;
use crate::drive::drive;
use crate::faults::Fault;
use crate::lifecycle::{Follow, Hold, Refusal, Surroundings, TaskEvent, TaskMachine};
use crate::request::{ProfileId, Profiles, RequestEvent};
use crate::roster::{Roster, Task};
use crate::task::{Held, Outstanding, TaskData, TaskState};
use crate::visit::{Met, Visit};
use crate::vocabulary::{
    CallId, Effect, Event, Ignored, Outcome, QuestionId, Rejected, RequestId, Sink, TaskId, Timer, TurnNumber,
};
use crate::worker::{Worker, WorkerEffect, WorkerEvent, WorkerRejected};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The state of every task of one shard, and the only way to change it: [`Kernel::step`].
///
/// Whoever drives it writes an event to a journal before it releases the effects of that event. After a crash it
/// replays the journal with [`Discard`](crate::Discard), calls [`Kernel::validate`] and then
/// [`Kernel::resync`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kernel {
    pub(crate) config: Config,
    /// The highest task id that was ever used. Ids at or below it are not used again.
    pub(crate) highest: Option<TaskId>,
    /// Bit `i`: profile `i` is down.
    pub(crate) down: u8,
    pub(crate) tasks: Roster,
}

/// What one task made of an event.
struct Delivered {
    /// Where the task stood before.
    state: TaskState,
    verdict: Verdict,
}

enum Verdict {
    Applied,
    NoEdge,
    Refused(Refusal),
}

/// When a parent takes a report.
enum Taking {
    Now,
    /// When its inbox has room.
    Later,
    /// No worker runs it that goes on.
    Never,
}

impl Taking {
    fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Applied => Self::Now,
            Verdict::Refused(Refusal::Worker(WorkerRejected::InboxFull { .. })) => Self::Later,
            Verdict::NoEdge | Verdict::Refused(_) => Self::Never,
        }
    }
}

impl Kernel {
    /// A kernel without tasks.
    pub fn new(config: Config) -> Self {
        Self { config, highest: None, down: 0, tasks: Roster::default() }
    }

    /// Its settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Every task, in the order of their ids. Ended tasks stay until their end is acknowledged.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter()
    }

    /// The highest task id that was ever used. The next task needs one above it.
    pub fn highest(&self) -> Option<TaskId> {
        self.highest
    }

    /// One task.
    pub fn task(&self, task: TaskId) -> Option<&Task> {
        self.tasks.get(task)
    }

    /// Takes one event, changes the state, and gives `sink` the effects in their order.
    ///
    /// Unless the outcome is [`Outcome::Applied`], nothing changed and nothing was emitted (S25); debug builds
    /// compare the whole state.
    pub fn step<S: Sink>(&mut self, event: Event, sink: &mut S) -> Outcome {
        self.step_visiting(event, sink, &mut |_| {})
    }

    /// As [`Kernel::step`], and calls `visit` for each task that the step comes by, in order. Of any other task it reads
    /// nothing; beside the tasks it reads the settings, the highest id, how many tasks there are, and which profiles are down. A profile
    /// that goes down or up comes by every task that has a request.
    pub fn step_visiting<S: Sink>(
        &mut self,
        event: Event,
        sink: &mut S,
        visit: &mut dyn FnMut(Visit),
    ) -> Outcome {
        #[cfg(debug_assertions)]
        let before = self.clone();
        let mut counted = Counted { sink, emitted: 0 };
        let outcome = self.apply(event, &mut counted, visit);
        #[cfg(debug_assertions)]
        assert!(
            outcome == Outcome::Applied
                || self.config.has_fault()
                || (counted.emitted == 0 && before == *self),
            "S25: {outcome:?} changed something"
        );
        outcome
    }

    fn apply(&mut self, event: Event, sink: &mut dyn Sink, visit: &mut dyn FnMut(Visit)) -> Outcome {
        let (task, internal) = match route(&event) {
            Route::Submission(task, budget) => {
                visit(Visit { task, met: None });
                return self.submit(task, budget, sink);
            }
            Route::Profile(profile, change) => return self.profile_changed(profile, change, sink, visit),
            Route::Task(task, internal) => (task, internal),
        };
        let Some(delivered) = self.deliver(task, &internal, sink, visit) else {
            return if Some(task) <= self.highest {
                Outcome::Ignored(Ignored::Terminal)
            } else {
                Outcome::Rejected(Rejected::UnknownTask { highest: self.highest, event })
            };
        };
        let state = delivered.state;
        match delivered.verdict {
            Verdict::Applied => Outcome::Applied,
            Verdict::NoEdge => Outcome::Rejected(Rejected::NoEdge { state, event }),
            Verdict::Refused(refusal) => self.refused(refusal, task, state, event),
        }
    }

    fn submit(&mut self, task: TaskId, budget: Budget, sink: &mut dyn Sink) -> Outcome {
        // A subtask that has this id was not submitted: to say that it was would lose the submission.
        if self.tasks.get(task).is_some_and(|task| task.data.parent.is_none()) {
            return Outcome::Ignored(Ignored::Duplicate);
        }
        if let Some(highest) = self.highest
            && task <= highest
        {
            return Outcome::Rejected(Rejected::IdNotFresh { highest, got: task });
        }
        if self.room() == 0 {
            return Outcome::Rejected(Rejected::TasksFull { limit: self.config.tasks_max, task });
        }
        self.highest = Some(task);
        let data = TaskData { account: Account::open(budget), ..TaskData::new(None, 0) };
        self.tasks.insert(Task { id: task, state: TaskState::Queued, data });
        sink.emit(Effect::Enqueue { task });
        Outcome::Applied
    }

    /// Every request that has not ended hears of it, so this is the one step whose cost grows with the number of tasks.
    fn profile_changed(
        &mut self,
        profile: ProfileId,
        change: RequestEvent,
        sink: &mut dyn Sink,
        visit: &mut dyn FnMut(Visit),
    ) -> Outcome {
        let count = Profiles::of(&self.config, 0).count;
        if profile.0 >= count {
            return Outcome::Rejected(Rejected::UnknownProfile { count, got: profile });
        }
        let bit = 1 << profile.0;
        let is_down = matches!(change, RequestEvent::ProfileDown { .. });
        let is_known = is_down == (self.down & bit != 0);
        // That a profile is up is news to whoever it asked for too much patience, also where it was never down.
        let is_news = |task: &Task| !is_known || (!is_down && task.data.request.has_shut(profile));
        let asking = self.tasks.iter().filter(|task| task.is_asking() && is_news(task));
        let asking: Vec<_> = asking.map(|task| task.id).collect();
        if is_known && asking.is_empty() {
            return Outcome::Ignored(Ignored::Duplicate);
        }
        self.down = if is_down { self.down | bit } else { self.down & !bit };
        for task in asking {
            self.deliver(task, &TaskEvent::ProfileChanged { event: change }, sink, visit);
        }
        Outcome::Applied
    }

    fn room(&self) -> u32 {
        self.config.tasks_max.saturating_sub(u32::try_from(self.tasks.len()).unwrap_or(u32::MAX))
    }

    /// One event for one task, and everything that follows from it for others. `None` if there is no such task.
    fn deliver(
        &mut self,
        task: TaskId,
        event: &TaskEvent<'_>,
        sink: &mut dyn Sink,
        visit: &mut dyn FnMut(Visit),
    ) -> Option<Delivered> {
        let mut follows = Vec::new();
        let delivered = self.one(task, event, sink, &mut follows, visit)?;
        // Each task is spawned, released, told of its budget, cancelled and settled at most once, so this ends.
        let mut next = 0;
        while let Some(follow) = follows.get(next).copied() {
            next += 1;
            match follow {
                Follow::Spawn { child, parent, depth, hold, spent } => {
                    visit(Visit { task: child, met: None });
                    let state = match hold {
                        Hold::Running => TaskState::Queued,
                        Hold::Paused => TaskState::Paused(Held::Unstarted),
                    };
                    let data = TaskData { spent, ..TaskData::new(Some(parent), depth) };
                    self.tasks.insert(Task { id: child, state, data });
                }
                Follow::Release { child } => {
                    let released = self.one(child, &TaskEvent::Released, sink, &mut follows, visit);
                    self.assert_followed(released.as_ref(), "a resume did not reach a live subtask (L1)");
                }
                Follow::BudgetSpent { child } => {
                    let told = self.one(child, &TaskEvent::BudgetSpent, sink, &mut follows, visit);
                    self.assert_followed(told.as_ref(), "a live subtask did not hear that its pot is empty");
                }
                Follow::BudgetGranted { child } => {
                    let told = self.one(child, &TaskEvent::BudgetGranted, sink, &mut follows, visit);
                    self.assert_followed(told.as_ref(), "a live subtask did not hear of a grant (L1)");
                }
                Follow::Cancel { child } => {
                    let cancelled = self.one(child, &TaskEvent::CancelRequested, sink, &mut follows, visit);
                    self.assert_followed(cancelled.as_ref(), "a cancel did not reach a live subtask (S9)");
                }
                Follow::Settle { parent, child, end } => {
                    let event = TaskEvent::SubtaskEnded { child, end };
                    let settled = self.one(parent, &event, sink, &mut follows, visit);
                    self.assert_followed(settled.as_ref(), "a subtask's end did not settle its parent (S3)");
                }
                Follow::Report { parent, child, number } => {
                    self.report(parent, child, number, sink, &mut follows, visit);
                }
                Follow::Room { parent, child } => {
                    visit(Visit { task: child, met: None });
                    if let Some(first) = self.take_kept(child) {
                        self.report(parent, child, first, sink, &mut follows, visit);
                    }
                }
                Follow::Forget { task } => {
                    visit(Visit { task, met: None });
                    self.tasks.remove(task);
                }
            }
        }
        Some(delivered)
    }

    /// Where the reports begin that wait with a worker for room in the inbox of its parent, if any do. They wait no longer.
    /// Those of a worker that has ended went out with its end.
    fn take_kept(&mut self, child: TaskId) -> Option<u32> {
        let worker = self.worker_of(child).filter(|worker| worker.state.end().is_none())?;
        core::mem::take(&mut worker.data.kept).then_some(worker.data.acknowledged + 1)
    }

    fn worker_of(&mut self, task: TaskId) -> Option<&mut Worker> {
        self.tasks.get_mut(task)?.data.worker.as_deref_mut()
    }

    /// The reports from `number` on go into the inbox of the parent's worker, in their order, and each is acknowledged in the
    /// same step. The first for which there is no room, and those after it, wait with the worker that has them (S4). Where
    /// nobody will ever take them they go out, and whoever takes them there acknowledges them.
    fn report(
        &mut self,
        parent: TaskId,
        child: TaskId,
        number: u32,
        sink: &mut dyn Sink,
        follows: &mut Vec<Follow>,
        visit: &mut dyn FnMut(Visit),
    ) {
        let Some(last) = self.worker_of(child).map(|worker| worker.data.reported) else { return };
        for number in number..=last {
            let told = self.one(parent, &TaskEvent::ChildReported { child, number }, sink, follows, visit);
            match told.map_or(Taking::Never, |told| Taking::of(&told.verdict)) {
                Taking::Later if self.config.has(Fault::ReportLostWhenFull) => {}
                Taking::Now => {}
                Taking::Later => {
                    if let Some(worker) = self.worker_of(child) {
                        worker.data.kept = true;
                    }
                    return;
                }
                Taking::Never => {
                    sink.emit(Effect::Worker { task: child, effect: WorkerEffect::Report { number } });
                    continue;
                }
            }
            let event = TaskEvent::Worker { event: WorkerEvent::ReportAcknowledged { number } };
            let acknowledged = self.one(child, &event, sink, follows, visit);
            self.assert_followed(acknowledged.as_ref(), "a report was not acknowledged (S5)");
        }
    }

    /// What follows from a step is taken by the task that it is for, or was its wish already. Anything else is a
    /// fault of the kernel, which debug builds do not survive.
    fn assert_followed(&self, delivered: Option<&Delivered>, fault: &str) {
        let taken = match delivered.map(|delivered| &delivered.verdict) {
            Some(Verdict::Applied | Verdict::Refused(Refusal::Ignored(Ignored::Duplicate))) => true,
            Some(Verdict::NoEdge | Verdict::Refused(_)) | None => false,
        };
        debug_assert!(taken || self.config.has_fault(), "{fault}");
    }

    fn one(
        &mut self,
        task: TaskId,
        event: &TaskEvent<'_>,
        sink: &mut dyn Sink,
        follows: &mut Vec<Follow>,
        visit: &mut dyn FnMut(Visit),
    ) -> Option<Delivered> {
        let (room, down) = (self.room(), self.down);
        let Some(Task { id, state, data }) = self.tasks.get_mut(task) else {
            visit(Visit { task, met: None });
            return None;
        };
        let mut cx = Surroundings { sink, refusal: None, room, highest: self.highest, down, follows };
        let mut machine = TaskMachine { id: *id, data, config: &self.config };
        let stood = *state;
        let handled = drive(&mut machine, state, event, &mut cx);
        let verdict = match (handled, cx.refusal) {
            (true, None) => Verdict::Applied,
            (true, Some(refusal)) => Verdict::Refused(refusal),
            (false, None | Some(_)) => Verdict::NoEdge,
        };
        self.highest = cx.highest;
        let applied = matches!(verdict, Verdict::Applied);
        visit(Visit { task, met: Some(Met { state: stood.name(), event: event.name(), applied }) });
        Some(Delivered { state: stood, verdict })
    }

    fn refused(&self, refusal: Refusal, task: TaskId, state: TaskState, event: Event) -> Outcome {
        Outcome::Rejected(match refusal {
            Refusal::Ignored(why) => return Outcome::Ignored(why),
            Refusal::NeverAsked => Rejected::NeverAsked { state, event },
            Refusal::IdNotFresh { highest, got } => Rejected::IdNotFresh { highest, got },
            Refusal::MessageGap { expected, got } => Rejected::MessageGap { expected, got },
            Refusal::QueueFull { message } => {
                Rejected::QueueFull { limit: self.config.messages_max, message }
            }
            Refusal::TooManyCalls { got } => Rejected::TooManyCalls { limit: self.config.calls_max, got },
            Refusal::NoCalls { request } => Rejected::NoCalls { request },
            Refusal::Request(why) => {
                let turn = self.tasks.get(task).map_or(TurnNumber(0), |task| task.data.turn);
                Rejected::Request { task, turn, why }
            }
            Refusal::Worker(why) => Rejected::Worker { task, why },
            Refusal::NotForShell => Rejected::NotForShell { event },
            Refusal::Subtask { child, why } => Rejected::Subtask { task, child, why },
            Refusal::NotARoot { parent } => Rejected::NotARoot { task, parent },
            Refusal::BillGap { expected, got } => Rejected::BillGap { expected, got },
        })
    }

    /// Repeats every order that is outstanding, with the same identities: for a shell that has just started.
    ///
    /// What is not repeated here is void: a question that was withdrawn, a timer that was disarmed, a request
    /// whose answer was taken.
    pub fn resync<S: Sink>(&self, sink: &mut S) {
        for task in self.tasks.iter() {
            self.resync_task(task, sink);
        }
    }

    fn resync_task(&self, task: &Task, sink: &mut dyn Sink) {
        let Task { id, state, data } = task;
        match *state {
            TaskState::Queued | TaskState::Paused(Held::Queued) => sink.emit(Effect::Enqueue { task: *id }),
            TaskState::Initializing | TaskState::Paused(Held::Initializing) => {
                sink.emit(Effect::Initialize { task: *id });
            }
            TaskState::Requesting
            | TaskState::Paused(Held::Requesting)
            | TaskState::Cancelling(Outstanding::Request) => {
                data.resync_request(*id, &self.config, sink);
            }
            TaskState::Cancelling(outstanding) => {
                let initializing = outstanding == Outstanding::Initialization;
                if initializing {
                    sink.emit(Effect::AbortInitialization { task: *id });
                }
                if initializing || data.calls.running() {
                    let after_ms = u64::from(self.config.grace_ms);
                    sink.emit(Effect::Arm { timer: Timer::Grace(*id), after_ms });
                }
            }
            TaskState::Completed | TaskState::Failed(_) | TaskState::Cancelled => {}
            // What its worker has outstanding comes below.
            TaskState::Working | TaskState::Ending(_) => {}
            TaskState::ExecutingTools
            | TaskState::AwaitingSubtask
            | TaskState::AwaitingInput
            | TaskState::AwaitingBudget
            | TaskState::Paused(Held::Unstarted | Held::Admitted | Held::Turn | Held::Calls) => {}
        }
        let cancelling = matches!(state, TaskState::Cancelling(_));
        for (index, call) in data.calls.indexed() {
            let call_id = CallId { task: *id, turn: data.replied, index };
            match call {
                CallState::Running if cancelling => sink.emit(Effect::CancelTool { call: call_id }),
                CallState::Running => {
                    if !self.config.has(Fault::ResyncForgetsTools) {
                        sink.emit(Effect::RunTool { call: call_id });
                    }
                }
                CallState::Asking { .. } if self.config.has(Fault::ResyncForgetsQuestions) => {}
                CallState::Asking { number, wanted } => {
                    let question = QuestionId { task: *id, number };
                    sink.emit(Effect::Ask { question, about: wanted.about(call_id) });
                }
                CallState::Waiting(_) | CallState::Subtask { .. } | CallState::Settled(_) => {}
            }
        }
        if let Some(account) = &data.account {
            account.resync(*id, &self.config, sink);
        }
        if let Some(worker) = &data.worker {
            worker.resync(&self.config, &mut |effect| {
                // Its end is that of the task.
                if !matches!(effect, WorkerEffect::WorkerEnded { .. }) {
                    sink.emit(Effect::Worker { task: *id, effect });
                }
            });
        }
        if let Some(end) = state.end()
            && !self.config.has(Fault::ResyncForgetsEnds)
        {
            data.emit_end(*id, end, &self.config, sink);
        }
    }
}

/// Whom an event concerns.
enum Route<'e> {
    Submission(TaskId, Budget),
    Profile(ProfileId, RequestEvent),
    Task(TaskId, TaskEvent<'e>),
}

fn route(event: &Event) -> Route<'_> {
    use TaskEvent as E;
    let (task, internal) = match *event {
        Event::TaskSubmitted { task, budget } => return Route::Submission(task, budget),
        Event::Spent { task, bill, spend } => (task, E::Spent { bill, spend }),
        Event::Admitted { task } => (task, E::Admitted),
        Event::Initialized { task } => (task, E::Initialized),
        Event::InitializationFailed { task } => (task, E::InitializationFailed),
        Event::Deployed { task } => (task, E::Deployed),
        Event::Worker { task, event } => (task, E::Worker { event }),
        Event::SubtaskRequested { task, child } => (task, E::SubtaskRequested { child }),
        Event::ResponseEnded { request: RequestId { task, turn, attempt }, ref response, jitter_ms } => {
            (task, E::ResponseEnded { turn, attempt, response, jitter_ms })
        }
        Event::Request { task, turn, event } => (task, E::Request { turn, event }),
        Event::ProfileDown { profile } => {
            return Route::Profile(profile, RequestEvent::ProfileDown { profile });
        }
        Event::ProfileUp { profile } => return Route::Profile(profile, RequestEvent::ProfileUp { profile }),
        Event::ToolEnded { call: CallId { task, turn, index }, end } => {
            (task, E::ToolEnded { turn, index, end })
        }
        Event::AnswerReceived { question: QuestionId { task, number }, answer } => {
            (task, E::AnswerReceived { number, answer })
        }
        Event::MessageReceived { task, message } => (task, E::MessageReceived { message }),
        Event::PauseRequested { task } => (task, E::PauseRequested),
        Event::ResumeRequested { task } => (task, E::ResumeRequested),
        Event::CancelRequested { task } => (task, E::CancelRequested),
        Event::TimerFired { timer: Timer::Grace(task) } => (task, E::GraceElapsed),
        Event::TimerFired { timer: Timer::Budget { task, grant } } => (task, E::BudgetElapsed { grant }),
        Event::EndAcknowledged { task } => (task, E::EndAcknowledged),
    };
    Route::Task(task, internal)
}

/// Counts what passes, for the check of S25.
struct Counted<'s> {
    sink: &'s mut dyn Sink,
    emitted: usize,
}

impl Sink for Counted<'_> {
    fn emit(&mut self, effect: Effect) {
        self.emitted += 1;
        self.sink.emit(effect);
    }
}
