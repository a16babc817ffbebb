//! The lifecycle of one task: what each event does in each state.
//!
//! A task asks the model, runs what the model calls for, and asks again, until a call completes it. This module
//! decides for one task; [`kernel`](crate::Kernel) carries what it decides to its parent and its children.
//!
//! Three facts carry the safety argument. A turn has one request, which sends in one place, and a turn begins only when the
//! request of the one before has ended (S1, S2). A turn begins only when
//! every call of the last response has its one result, and those results are its content (S4, S8). A subtask is
//! live exactly while its parent has the call that waits for it, so its end settles that call and no other
//! (S3, S9).

use crate::budget::Spend;
use crate::calls::CallState;
use crate::config::Config;
use crate::faults::Fault;
use crate::request::{RequestEvent, RequestRejected};
use crate::task::{Held, Outstanding, TaskData, TaskState};
use crate::turn::Fit;
use crate::vocabulary::{
    Answer, Attempt, BillNumber, CallRefusal, CallResult, Effect, End, GrantNumber, Ignored, MessageId,
    Reason, RequestId, Response, Sink, TaskId, ToolEnd, TurnNumber,
};
use crate::worker::{WorkerEvent, WorkerRejected};
use crate::working::working;
use alloc::vec::Vec;
use statig::Outcome::{self, Handled, Super, Transition};
use statig::blocking::{IntoStateMachine, State, Superstate};

/// What happened to one task. `SubtaskEnded` and `ChildReported` come from a subtask, `Released` from the parent that is
/// resumed, `BudgetSpent` and `BudgetGranted` from the parent whose tree has spent its budget, or has more.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TaskEvent<'e> {
    Admitted,
    Initialized,
    InitializationFailed,
    Deployed,
    ResponseEnded {
        turn: TurnNumber,
        attempt: Attempt,
        response: &'e Response,
        jitter_ms: u32,
    },
    Request {
        turn: TurnNumber,
        event: RequestEvent,
    },
    /// `ProfileDown` or `ProfileUp`, for a request that has not ended.
    ProfileChanged {
        event: RequestEvent,
    },
    ToolEnded {
        turn: TurnNumber,
        index: u16,
        end: ToolEnd,
    },
    SubtaskEnded {
        child: TaskId,
        end: End,
    },
    AnswerReceived {
        number: u32,
        answer: Answer,
    },
    MessageReceived {
        message: MessageId,
    },
    PauseRequested,
    ResumeRequested,
    CancelRequested,
    GraceElapsed,
    EndAcknowledged,
    Released,
    Worker {
        event: WorkerEvent,
    },
    SubtaskRequested {
        child: TaskId,
    },
    ChildReported {
        child: TaskId,
        number: u32,
    },
    Spent {
        bill: BillNumber,
        spend: Spend,
    },
    BudgetElapsed {
        grant: GrantNumber,
    },
    BudgetSpent,
    BudgetGranted,
}

/// Why one task did not take an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Ignored(Ignored),
    NeverAsked,
    IdNotFresh { highest: TaskId, got: TaskId },
    MessageGap { expected: MessageId, got: MessageId },
    QueueFull { message: MessageId },
    TooManyCalls { got: usize },
    NoCalls { request: RequestId },
    Request(RequestRejected),
    Worker(WorkerRejected),
    NotForShell,
    Subtask { child: TaskId, why: CallRefusal },
    NotARoot { parent: TaskId },
    BillGap { expected: BillNumber, got: BillNumber },
}

/// What a task's step means for other tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    /// A new subtask of `parent`, which starts only if nobody holds the parent. Its tree may have spent its budget.
    Spawn { child: TaskId, parent: TaskId, depth: u8, hold: Hold, spent: bool },
    /// A subtask of a task that is resumed: it starts, if it has not.
    Release { child: TaskId },
    /// A subtask of a task that is being cancelled.
    Cancel { child: TaskId },
    /// A subtask whose tree has spent its budget.
    BudgetSpent { child: TaskId },
    /// A subtask whose tree has something to spend again.
    BudgetGranted { child: TaskId },
    /// A subtask ended, and its parent waits for it.
    Settle { parent: TaskId, child: TaskId, end: End },
    /// The worker of a subtask has something for its parent.
    Report { parent: TaskId, child: TaskId, number: u32 },
    /// The inbox of the parent's worker was full and has room again.
    Room { parent: TaskId, child: TaskId },
    /// The end is on record.
    Forget { task: TaskId },
}

/// What a step may use besides the task itself.
pub(crate) struct Surroundings<'c> {
    pub(crate) sink: &'c mut dyn Sink,
    /// Why the event was not applied. Set before anything changes, or never.
    pub(crate) refusal: Option<Refusal>,
    /// Places for new tasks.
    pub(crate) room: u32,
    /// The highest task id that was ever used.
    pub(crate) highest: Option<TaskId>,
    /// Bit `i`: profile `i` is down.
    pub(crate) down: u8,
    pub(crate) follows: &'c mut Vec<Follow>,
}

impl Surroundings<'_> {
    pub(crate) fn emit(&mut self, effect: Effect) {
        self.sink.emit(effect);
    }

    pub(crate) fn refuse(&mut self, refusal: Refusal) -> Outcome<TaskState> {
        self.refusal = Some(refusal);
        Handled
    }

    pub(crate) fn ignore(&mut self, why: Ignored) -> Outcome<TaskState> {
        self.refuse(Refusal::Ignored(why))
    }
}

/// The machine of one step: a task without its state.
pub(crate) struct TaskMachine<'t> {
    pub(crate) id: TaskId,
    pub(crate) data: &'t mut TaskData,
    pub(crate) config: &'t Config,
}

/// The hierarchy above the states, each with the leaf below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskSuper {
    /// Not ended.
    Live(TaskState),
    /// Asking the model, or running its tools.
    InProgress(TaskState),
    /// Ended, and not yet acknowledged.
    Ended(End),
}

impl IntoStateMachine for TaskMachine<'_> {
    type Event<'e> = TaskEvent<'e>;
    type Context<'c> = Surroundings<'c>;
    type State = TaskState;
    type Superstate<'s>
        = TaskSuper
    where
        TaskState: 's;

    fn initial() -> TaskState {
        TaskState::Queued
    }
}

impl<'t> State<TaskMachine<'t>> for TaskState {
    fn call_handler(
        &mut self,
        task: &mut TaskMachine<'t>,
        event: &TaskEvent<'_>,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<Self> {
        match *self {
            Self::Queued => queued(event, task, cx),
            Self::Initializing => initializing(event, task, cx),
            Self::Requesting => task.request_answered(event, Hold::Running, cx),
            Self::Paused(held) => paused(held, event, task, cx),
            Self::Working => working(None, event, task, cx),
            Self::Cancelling(outstanding) => cancelling(outstanding, event, task, cx),
            Self::Ending(end) => working(Some(end), event, task, cx),
            // What runs side by side ends in any order; `Live` settles all of it.
            Self::ExecutingTools | Self::AwaitingSubtask | Self::AwaitingInput => Super,
            Self::AwaitingBudget => Super,
            Self::Completed | Self::Failed(_) | Self::Cancelled => Super,
        }
    }

    fn call_entry_action(&mut self, task: &mut TaskMachine<'t>, cx: &mut Surroundings<'_>) {
        if let Some(end) = self.end() {
            task.finish(end, cx);
        }
    }

    fn superstate(&mut self) -> Option<TaskSuper> {
        match *self {
            Self::Requesting | Self::ExecutingTools => Some(TaskSuper::InProgress(*self)),
            Self::Queued
            | Self::Initializing
            | Self::AwaitingSubtask
            | Self::AwaitingInput
            | Self::AwaitingBudget
            | Self::Working
            | Self::Paused(_)
            | Self::Cancelling(_)
            | Self::Ending(_) => Some(TaskSuper::Live(*self)),
            Self::Completed => Some(TaskSuper::Ended(End::Completed)),
            Self::Failed(reason) => Some(TaskSuper::Ended(End::Failed(reason))),
            Self::Cancelled => Some(TaskSuper::Ended(End::Cancelled)),
        }
    }
}

impl<'t> Superstate<TaskMachine<'t>> for TaskSuper {
    fn call_handler(
        &mut self,
        task: &mut TaskMachine<'t>,
        event: &TaskEvent<'_>,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<TaskState> {
        match *self {
            Self::Live(leaf) => live(leaf, event, task, cx),
            Self::InProgress(_) => Super,
            Self::Ended(end) => ended(end, event, task, cx),
        }
    }

    fn superstate(&mut self) -> Option<TaskSuper> {
        match *self {
            Self::InProgress(leaf) => Some(Self::Live(leaf)),
            Self::Live(_) | Self::Ended(_) => None,
        }
    }
}

fn queued(
    event: &TaskEvent<'_>,
    task: &mut TaskMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<TaskState> {
    use TaskEvent as E;
    match event {
        E::Admitted => Transition(task.initialize(cx)),
        E::Initialized
        | E::InitializationFailed
        | E::ResponseEnded { .. }
        | E::Request { .. }
        | E::ProfileChanged { .. }
        | E::ToolEnded { .. }
        | E::SubtaskEnded { .. }
        | E::AnswerReceived { .. }
        | E::MessageReceived { .. }
        | E::PauseRequested
        | E::ResumeRequested
        | E::CancelRequested
        | E::GraceElapsed
        | E::EndAcknowledged
        | E::Released
        | E::Deployed
        | E::Worker { .. }
        | E::SubtaskRequested { .. }
        | E::ChildReported { .. }
        | E::Spent { .. }
        | E::BudgetElapsed { .. }
        | E::BudgetSpent
        | E::BudgetGranted => Super,
    }
}

fn initializing(
    event: &TaskEvent<'_>,
    task: &mut TaskMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<TaskState> {
    use TaskEvent as E;
    match event {
        E::Initialized => Transition(task.begin_turn(cx)),
        E::Deployed => Transition(task.deploy(Hold::Running, cx)),
        E::InitializationFailed => Transition(TaskState::Failed(Reason::Initialization)),
        E::Admitted
        | E::ResponseEnded { .. }
        | E::Request { .. }
        | E::ProfileChanged { .. }
        | E::ToolEnded { .. }
        | E::SubtaskEnded { .. }
        | E::AnswerReceived { .. }
        | E::MessageReceived { .. }
        | E::PauseRequested
        | E::ResumeRequested
        | E::CancelRequested
        | E::GraceElapsed
        | E::EndAcknowledged
        | E::Released
        | E::Worker { .. }
        | E::SubtaskRequested { .. }
        | E::ChildReported { .. }
        | E::Spent { .. }
        | E::BudgetElapsed { .. }
        | E::BudgetSpent
        | E::BudgetGranted => Super,
    }
}

fn paused(
    held: Held,
    event: &TaskEvent<'_>,
    task: &mut TaskMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<TaskState> {
    use TaskEvent as E;
    match (held, *event) {
        // Its own pause outlasts that of its parent. Like any task that is paused while it is queued it asks for a
        // place, so that what it waits for is its resume alone.
        (Held::Unstarted, E::PauseRequested) => {
            cx.emit(Effect::Enqueue { task: task.id });
            Transition(TaskState::Paused(Held::Queued))
        }
        (_, E::PauseRequested) => cx.ignore(Ignored::Duplicate),
        (_, E::ResumeRequested) | (Held::Unstarted, E::Released) => Transition(task.resume(held, cx)),
        (Held::Unstarted, E::Admitted) => cx.refuse(Refusal::NeverAsked),
        (Held::Queued, E::Admitted) if task.config.has(Fault::PausedAdmits) => {
            Transition(task.initialize(cx))
        }
        (Held::Queued, E::Admitted) => Transition(TaskState::Paused(Held::Admitted)),
        (Held::Initializing, E::Initialized) => Transition(TaskState::Paused(Held::Turn)),
        (Held::Initializing, E::Deployed) => Transition(task.deploy(Hold::Paused, cx)),
        (Held::Initializing, E::InitializationFailed) => {
            Transition(TaskState::Failed(Reason::Initialization))
        }
        (Held::Requesting, E::MessageReceived { message }) if task.config.has(Fault::MessageUnpauses) => {
            match task.accept(message, cx) {
                Handled if cx.refusal.is_none() => Transition(task.resume(held, cx)),
                other @ (Handled | Super | Transition(_)) => other,
            }
        }
        (Held::Requesting, E::ResponseEnded { .. } | E::Request { .. } | E::ProfileChanged { .. }) => {
            task.request_answered(event, Hold::Paused, cx)
        }
        (Held::Calls, E::AnswerReceived { number, .. }) if task.asks_for_more(number) => Super,
        (Held::Calls, E::ToolEnded { .. } | E::SubtaskEnded { .. } | E::AnswerReceived { .. }) => {
            task.call_ended(event, Hold::Paused, cx)
        }
        (
            Held::Unstarted
            | Held::Queued
            | Held::Admitted
            | Held::Initializing
            | Held::Requesting
            | Held::Turn
            | Held::Calls,
            E::Admitted
            | E::Initialized
            | E::InitializationFailed
            | E::ResponseEnded { .. }
            | E::Request { .. }
            | E::ProfileChanged { .. }
            | E::ToolEnded { .. }
            | E::SubtaskEnded { .. }
            | E::AnswerReceived { .. }
            | E::MessageReceived { .. }
            | E::CancelRequested
            | E::GraceElapsed
            | E::EndAcknowledged
            | E::Released
            | E::Deployed
            | E::Worker { .. }
            | E::SubtaskRequested { .. }
            | E::ChildReported { .. }
            | E::Spent { .. }
            | E::BudgetElapsed { .. }
            | E::BudgetSpent
            | E::BudgetGranted,
        ) => Super,
    }
}

fn cancelling(
    outstanding: Outstanding,
    event: &TaskEvent<'_>,
    task: &mut TaskMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<TaskState> {
    use TaskEvent as E;
    match *event {
        E::Initialized | E::InitializationFailed | E::Deployed
            if outstanding == Outstanding::Initialization =>
        {
            Transition(task.stopped(Outstanding::Nothing, cx))
        }
        E::ResponseEnded { turn, attempt, response, jitter_ms } => {
            let told = task.response_ended(turn, attempt, response, jitter_ms, cx);
            // The response is not acted on, but the model has answered what its request contained (S5). An empty
            // one is no answer, here as elsewhere.
            let answers = *response != Response::Empty || task.config.has(Fault::EmptyAnswersAfterCancel);
            if told.is_ok() && answers {
                task.replied();
            }
            task.cancelled_request_told(told, cx)
        }
        E::ToolEnded { turn, index, end } => match task.tool(turn, index) {
            Fit::Current => {
                task.data.calls.set(index, CallState::Settled(CallResult::Tool(end)));
                Transition(task.stopped(outstanding, cx))
            }
            Fit::Older | Fit::Answered | Fit::NeverAsked => Super,
        },
        E::SubtaskEnded { child, end } => {
            if task.settle_subtask(child, end) {
                Transition(task.ended_or_waiting(outstanding))
            } else {
                cx.ignore(Ignored::Stale)
            }
        }
        E::GraceElapsed => {
            if task.working(outstanding) {
                Transition(task.give_up())
            } else {
                cx.ignore(Ignored::Stale)
            }
        }
        E::CancelRequested => cx.ignore(Ignored::Duplicate),
        E::MessageReceived { message } => cx.ignore(task.too_late(message)),
        E::Worker { event } if outstanding == Outstanding::Worker => task.tell_cancelled(event, cx),
        // Its worker may be gone just now.
        E::Worker { .. } | E::PauseRequested | E::ResumeRequested | E::SubtaskRequested { .. } => {
            cx.ignore(Ignored::Terminal)
        }
        E::Admitted
        | E::Initialized
        | E::InitializationFailed
        | E::Request { .. }
        | E::ProfileChanged { .. }
        | E::AnswerReceived { .. }
        | E::EndAcknowledged
        | E::Released
        | E::Deployed
        | E::ChildReported { .. }
        | E::Spent { .. }
        | E::BudgetElapsed { .. }
        | E::BudgetSpent
        | E::BudgetGranted => Super,
    }
}

/// What every task does that has not ended, unless its state knows better.
fn live(
    leaf: TaskState,
    event: &TaskEvent<'_>,
    task: &mut TaskMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<TaskState> {
    use TaskEvent as E;
    match *event {
        E::Admitted => cx.ignore(Ignored::Duplicate),
        E::Initialized | E::InitializationFailed | E::Deployed => match leaf {
            TaskState::Queued | TaskState::Paused(Held::Unstarted | Held::Queued | Held::Admitted) => {
                cx.refuse(Refusal::NeverAsked)
            }
            TaskState::Initializing
            | TaskState::Requesting
            | TaskState::ExecutingTools
            | TaskState::AwaitingSubtask
            | TaskState::AwaitingInput
            | TaskState::AwaitingBudget
            | TaskState::Paused(Held::Initializing | Held::Requesting | Held::Turn | Held::Calls)
            | TaskState::Working
            | TaskState::Cancelling(_)
            | TaskState::Ending(_)
            | TaskState::Completed
            | TaskState::Failed(_)
            | TaskState::Cancelled => cx.ignore(Ignored::Duplicate),
        },
        // Its request has ended, but a bill may still come.
        E::ResponseEnded { .. } | E::Request { .. } | E::ProfileChanged { .. } => {
            task.request_answered(event, Hold::Running, cx)
        }
        E::AnswerReceived { number, answer } if task.asks_for_more(number) => {
            task.more_answered(leaf, answer, cx)
        }
        E::ToolEnded { .. } | E::SubtaskEnded { .. } | E::AnswerReceived { .. } => {
            task.call_ended(event, Hold::Running, cx)
        }
        E::Spent { bill, spend } => task.billed(leaf, bill, spend, cx),
        E::BudgetElapsed { grant } => task.budget_elapsed(leaf, grant, cx),
        E::BudgetSpent => task.budget_spent(cx),
        E::BudgetGranted => task.budget_granted(leaf, cx),
        E::MessageReceived { message } => task.accept(message, cx),
        E::PauseRequested => match hold(leaf) {
            Some(held) => Transition(task.pause(held, cx)),
            None => Super,
        },
        E::ResumeRequested | E::Released => cx.ignore(Ignored::Duplicate),
        E::CancelRequested => Transition(task.cancel(leaf, cx)),
        E::GraceElapsed => cx.refuse(Refusal::NeverAsked),
        // No worker runs it.
        E::Worker { .. } | E::SubtaskRequested { .. } | E::ChildReported { .. } | E::EndAcknowledged => Super,
    }
}

/// Terminal states absorb (S7).
fn ended(
    end: End,
    event: &TaskEvent<'_>,
    task: &mut TaskMachine<'_>,
    cx: &mut Surroundings<'_>,
) -> Outcome<TaskState> {
    use TaskEvent as E;
    match event {
        E::EndAcknowledged => {
            cx.follows.push(Follow::Forget { task: task.id });
            Handled
        }
        E::CancelRequested if task.config.has(Fault::EndedMoves) && end == End::Completed => {
            Transition(TaskState::Cancelled)
        }
        // A bill that comes late is a bill.
        E::Request { turn, event: event @ RequestEvent::UsageReported { .. } } => {
            match task.tell_request_from_outside(*turn, *event, cx) {
                Ok(_) => Handled,
                Err(_) => cx.ignore(Ignored::Terminal),
            }
        }
        E::MessageReceived { message } => cx.ignore(task.too_late(*message)),
        E::Spent { bill, .. } => cx.refuse(task.billed_late(*bill)),
        E::Admitted
        | E::Initialized
        | E::InitializationFailed
        | E::ResponseEnded { .. }
        | E::Request { .. }
        | E::ProfileChanged { .. }
        | E::ToolEnded { .. }
        | E::SubtaskEnded { .. }
        | E::AnswerReceived { .. }
        | E::PauseRequested
        | E::ResumeRequested
        | E::CancelRequested
        | E::GraceElapsed
        | E::Released
        | E::Deployed
        | E::Worker { .. }
        | E::SubtaskRequested { .. }
        | E::ChildReported { .. }
        | E::BudgetElapsed { .. }
        | E::BudgetSpent
        | E::BudgetGranted => cx.ignore(Ignored::Terminal),
    }
}

/// What a pause of a running task holds.
fn hold(leaf: TaskState) -> Option<Held> {
    match leaf {
        TaskState::Queued => Some(Held::Queued),
        TaskState::Initializing => Some(Held::Initializing),
        TaskState::Requesting => Some(Held::Requesting),
        TaskState::ExecutingTools | TaskState::AwaitingSubtask | TaskState::AwaitingInput => {
            Some(Held::Calls)
        }
        TaskState::AwaitingBudget => Some(Held::Turn),
        // The worker knows what a pause holds.
        TaskState::Working
        | TaskState::Paused(_)
        | TaskState::Cancelling(_)
        | TaskState::Ending(_)
        | TaskState::Completed
        | TaskState::Failed(_)
        | TaskState::Cancelled => None,
    }
}

/// Whether a person holds the task back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    Running,
    Paused,
}

impl TaskMachine<'_> {
    /// Takes a message into the queue (S5). It answers nothing (S6).
    fn accept(&mut self, message: MessageId, cx: &mut Surroundings<'_>) -> Outcome<TaskState> {
        let expected = MessageId(self.data.accepted.0 + 1);
        if message < expected && self.config.has(Fault::DuplicateMessage) {
            self.data.accepted = expected;
            return Handled;
        }
        if (MessageId(1)..expected).contains(&message) {
            return cx.ignore(Ignored::Duplicate);
        }
        if message > expected || message == MessageId(0) {
            if self.config.has(Fault::RefusedEmits) {
                cx.emit(Effect::ReportUndelivered { task: self.id, message, in_doubt: false });
            }
            return cx.refuse(Refusal::MessageGap { expected, got: message });
        }
        if self.data.accepted.0 - self.data.taken.0 >= self.config.messages_max {
            return cx.refuse(Refusal::QueueFull { message });
        }
        self.data.accepted = message;
        if self.config.has(Fault::MessageAnswers)
            && let Some((index, wanted)) = self.data.calls.any_asking()
        {
            return self.answered(index, wanted, Answer::Approved, Hold::Running, cx);
        }
        Handled
    }

    /// What a message is to a task that takes none any more. One that it has taken is a double, so that its sender
    /// does not take it elsewhere.
    fn too_late(&self, message: MessageId) -> Ignored {
        if (1..=self.data.accepted.0).contains(&message.0) { Ignored::Duplicate } else { Ignored::Terminal }
    }

    /// A request that has not begun, or has ended, takes no notice.
    fn pause(&mut self, held: Held, cx: &mut Surroundings<'_>) -> TaskState {
        if !self.config.has(Fault::PauseMissesRequest) {
            let _ = self.tell_request(RequestEvent::PauseRequested, cx);
        }
        TaskState::Paused(held)
    }

    fn resume(&mut self, held: Held, cx: &mut Surroundings<'_>) -> TaskState {
        match held {
            Held::Unstarted => {
                cx.emit(Effect::Enqueue { task: self.id });
                TaskState::Queued
            }
            Held::Queued => TaskState::Queued,
            Held::Admitted => self.initialize(cx),
            Held::Initializing => TaskState::Initializing,
            Held::Requesting => {
                if !self.config.has(Fault::ResumeMissesRequest) {
                    let _ = self.tell_request(RequestEvent::ResumeRequested, cx);
                }
                TaskState::Requesting
            }
            Held::Turn => self.begin_turn(cx),
            Held::Calls => self.resume_calls(cx),
        }
    }
}
