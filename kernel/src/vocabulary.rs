//! The words of the kernel: ids, events, effects, outcomes.
//!
//! An [`Event`] is a fact that happened outside and is told to the kernel. An [`Effect`] is an order of the
//! kernel to whoever drives it. Every effect that expects an answer carries an identity, and the answer carries
//! it back: that is how a late answer, a doubled answer and an answer to an older question are told apart
//! without a lock.

use crate::budget::{Budget, Spend};
use crate::request::{ProfileId, RequestEffect, RequestEvent, RequestReason, RequestRejected};
use crate::worker::{WorkerEffect, WorkerEvent, WorkerReason, WorkerRejected};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);
    )*};
}

id! {
    /// A task. Ids come in with events and only grow: a task whose id is not above every id that was used before
    /// is refused, so that an event for a task that is gone can never reach another one.
    TaskId(u64);
    /// A turn of one task: one question to the model, however often it has to be sent. The first is 1.
    #[derive(Default)]
    TurnNumber(u32);
    /// A send of one turn. The first is 0.
    Attempt(u16);
    /// A message of a user to one task. The sender numbers them 1, 2, 3 without gaps: only so is "this one was
    /// accepted before" a fact and not a guess.
    #[derive(Default)]
    MessageId(u32);
    /// A bill of one tree of tasks. The sender numbers them 1, 2, 3 without gaps, as messages are.
    BillNumber(u32);
    /// A grant of a budget: the first, 1, comes with the task, each further one from a person.
    GrantNumber(u32);
}

/// One model request: the identity that its answer has to carry, and its idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// Who asks.
    pub task: TaskId,
    /// Which question.
    pub turn: TurnNumber,
    /// Which send of it.
    pub attempt: Attempt,
}

/// One call that the model made in its response to a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId {
    /// Whose model made the call.
    pub task: TaskId,
    /// The turn whose response contains it.
    pub turn: TurnNumber,
    /// Position in that response, from 0.
    pub index: u16,
}

/// One question to a person. Numbers of one task only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QuestionId {
    /// Who asks.
    pub task: TaskId,
    /// Which question of that task, from 1.
    pub number: u32,
}

/// A timer that the kernel armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Timer {
    /// How long a cancelled task waits for its own work to stop.
    Grace(TaskId),
    /// How long a tree of tasks may take for what it was granted.
    Budget {
        /// The root.
        task: TaskId,
        /// Whose time: that of an older grant does not count any more.
        grant: GrantNumber,
    },
}

/// A fact from outside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Event {
    /// Somebody submitted a task without a parent.
    TaskSubmitted {
        /// Its id, above every id used before.
        task: TaskId,
        /// What it and everything below it may spend. Nothing is bounded by default.
        budget: Budget,
    },
    /// A provider, an agent or a tool sent a bill for something that was done in a tree of tasks. Bills of a tree without a
    /// budget are taken and not counted, nor are their numbers looked at.
    Spent {
        /// The root of the tree.
        task: TaskId,
        /// The next number of that tree's bills.
        bill: BillNumber,
        /// What it says.
        spend: Spend,
    },
    /// The task got its place to run. Answers [`Effect::Enqueue`].
    Admitted {
        /// Which task.
        task: TaskId,
    },
    /// The task's surroundings are ready. Answers [`Effect::Initialize`].
    Initialized {
        /// Which task.
        task: TaskId,
    },
    /// The task's surroundings could not be made ready. Answers [`Effect::Initialize`].
    InitializationFailed {
        /// Which task.
        task: TaskId,
    },
    /// The task's surroundings are a worker with an agent of its own, which runs it from here on. Answers
    /// [`Effect::Initialize`], in place of [`Event::Initialized`].
    Deployed {
        /// Which task.
        task: TaskId,
    },
    /// Something happened to the worker of a task. Answers [`Effect::Worker`]. What the kernel tells a worker itself is
    /// refused: messages, pause, resume and the end of a task have events of their own.
    Worker {
        /// Whose worker.
        task: TaskId,
        /// What.
        event: WorkerEvent,
    },
    /// The agent of a task's worker asks for a subtask.
    SubtaskRequested {
        /// Who asks.
        task: TaskId,
        /// The subtask's id, above every id used before.
        child: TaskId,
    },
    /// A model request ended with a whole response. Answers [`RequestEffect::Send`].
    ResponseEnded {
        /// Which request.
        request: RequestId,
        /// What the model said.
        response: Response,
        /// Milliseconds to add should the response be empty and the request be sent again.
        jitter_ms: u32,
    },
    /// Something else happened to the request of a turn. Answers [`Effect::Request`]. What the kernel tells a request itself
    /// is refused: its beginning, its response, pause, resume, cancel and profiles have events of their own.
    Request {
        /// Who asks.
        task: TaskId,
        /// Which question.
        turn: TurnNumber,
        /// What.
        event: RequestEvent,
    },
    /// A profile of a provider does not work, or cools down. Every request that is open hears of it, and those that begin
    /// while it lasts avoid it; told before the failure by which this was noticed.
    ProfileDown {
        /// Which one.
        profile: ProfileId,
    },
    /// A profile may be used again.
    ProfileUp {
        /// Which one.
        profile: ProfileId,
    },
    /// A tool ended. Answers [`Effect::RunTool`] and [`Effect::CancelTool`].
    ToolEnded {
        /// Which call.
        call: CallId,
        /// How.
        end: ToolEnd,
    },
    /// A person answered. Answers [`Effect::Ask`].
    AnswerReceived {
        /// The question that the person saw.
        question: QuestionId,
        /// The answer.
        answer: Answer,
    },
    /// A person wrote to a task. It never answers a question.
    MessageReceived {
        /// To whom.
        task: TaskId,
        /// The next number of that task's messages.
        message: MessageId,
    },
    /// A person wants the task to start nothing new. Its subtasks go on, but one that it calls for while it is paused
    /// does not start until either is resumed.
    PauseRequested {
        /// Which task.
        task: TaskId,
    },
    /// A person wants a paused task to go on.
    ResumeRequested {
        /// Which task.
        task: TaskId,
    },
    /// Somebody wants the task and all its descendants to end.
    CancelRequested {
        /// Which task.
        task: TaskId,
    },
    /// An armed timer ran out. Answers [`Effect::Arm`].
    TimerFired {
        /// Which timer.
        timer: Timer,
    },
    /// The end of a task and its undelivered messages are on record outside. Answers [`Effect::TaskEnded`]; the
    /// kernel forgets the task. Acknowledge when nobody can send to the task again: from then on a doubled message is
    /// `Terminal` and no `Duplicate`.
    EndAcknowledged {
        /// Which task.
        task: TaskId,
    },
}

/// A whole response of the model, without its text: the kernel decides by shape alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Response {
    /// At least one call, in the order of the response.
    Calls(Vec<Call>),
    /// Text without a call.
    Text,
    /// Nothing at all.
    Empty,
}

/// What one call of a response asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Call {
    /// Run a tool.
    Tool(Approval),
    /// Run a task of its own and hand its result back.
    Subtask {
        /// Its id, above every id used before.
        child: TaskId,
    },
    /// Ask a person.
    Question,
    /// End the task with a result. Counts only as the one call of its response.
    Completion(Approval),
}

/// Whether a person has to agree first. The policy is the caller's; the answer to the question is the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Approval {
    /// Nobody has to be asked.
    Granted,
    /// A person has to be asked.
    Required,
}

/// How a tool ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ToolEnd {
    /// With a result.
    Succeeded,
    /// With an error, which is a result too.
    Failed,
    /// It was stopped, or was not running.
    Cancelled,
}

/// What a person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Answer {
    /// Yes.
    Approved,
    /// No.
    Denied,
    /// Words: the answer to a question, or the reason of a no.
    Text,
}

/// What a person is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum About {
    /// May this tool run?
    Tool(CallId),
    /// May the task end with this result?
    Completion(CallId),
    /// A question of the model's.
    Question(CallId),
    /// The model answered too often without a call: shall it go on?
    MistakeLimit,
    /// The tree of the task has spent what it was granted: may it spend as much again? A yes grants that; whatever else is
    /// answered cancels the task.
    Budget,
}

/// An order to whoever drives the kernel. Orders are given at least once: after a crash
/// [`Kernel::resync`](crate::Kernel::resync) repeats those that are outstanding, with the same identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// Find the task a place to run; answer [`Event::Admitted`].
    Enqueue {
        /// Which task.
        task: TaskId,
    },
    /// The task needs no place any more. Expects no answer.
    Dequeue {
        /// Which task.
        task: TaskId,
    },
    /// Make the task's surroundings ready; answer [`Event::Initialized`] or [`Event::InitializationFailed`].
    Initialize {
        /// Which task.
        task: TaskId,
    },
    /// Stop making them ready; answer [`Event::Initialized`] or [`Event::InitializationFailed`], also when
    /// nothing was running.
    AbortInitialization {
        /// Which task.
        task: TaskId,
    },
    /// An order of the worker of a task; answer [`Event::Worker`].
    Worker {
        /// Whose worker.
        task: TaskId,
        /// What to do.
        effect: WorkerEffect,
    },
    /// A part of the content of the [`RequestEffect::Send`] of this task that comes next. Parts come in the order in which
    /// the model shall read them, and are the same for every attempt of a turn.
    Include {
        /// Whose request.
        task: TaskId,
        /// What it contains.
        part: Part,
    },
    /// An order of the request of a turn; answer [`Event::Request`], or [`Event::ResponseEnded`]. Task, turn and attempt are
    /// the identity of a send and its idempotency key.
    Request {
        /// Who asks.
        task: TaskId,
        /// Which question.
        turn: TurnNumber,
        /// What to do.
        effect: RequestEffect,
    },
    /// Run a tool; answer [`Event::ToolEnded`].
    RunTool {
        /// Its identity and idempotency key.
        call: CallId,
    },
    /// Stop a tool; answer [`Event::ToolEnded`].
    CancelTool {
        /// Which call.
        call: CallId,
    },
    /// Ask a person; answer [`Event::AnswerReceived`] whenever there is one.
    Ask {
        /// The identity that the answer has to carry.
        question: QuestionId,
        /// What to ask.
        about: About,
    },
    /// Nobody has to answer any more.
    Withdraw {
        /// Which question.
        question: QuestionId,
    },
    /// Answer [`Event::TimerFired`] after that time.
    Arm {
        /// The identity that the answer has to carry.
        timer: Timer,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// The timer is not needed any more.
    Disarm {
        /// Which timer.
        timer: Timer,
    },
    /// Tell the user that the model has not answered this message (S5).
    ReportUndelivered {
        /// Whose message.
        task: TaskId,
        /// Which one.
        message: MessageId,
        /// It was part of a request that was sent and never answered: the model may have read it.
        in_doubt: bool,
    },
    /// The task ended; answer [`Event::EndAcknowledged`] when that is on record.
    TaskEnded {
        /// Which task.
        task: TaskId,
        /// How.
        end: End,
    },
}

/// A part of a model request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Part {
    /// What the task was submitted or started with.
    Prompt,
    /// The result of a call of the previous response.
    Result {
        /// Which call.
        call: CallId,
        /// Its result.
        result: CallResult,
    },
    /// The previous response had no call: remind the model to use one.
    Reminder,
    /// A message of the user.
    Message(MessageId),
}

/// How a call came to its one result (S8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CallResult {
    /// The tool ended.
    Tool(ToolEnd),
    /// A person refused; words of theirs are the reason.
    Denied,
    /// A person answered the question.
    Answered,
    /// The subtask ended.
    Subtask {
        /// Which subtask: its result is kept under this id.
        child: TaskId,
        /// How it ended.
        end: End,
    },
    /// The kernel refused the call; the model is told why.
    Refused(CallRefusal),
    /// A person said that the model shall go on although it made too many responses without a call.
    Guided,
    /// The task was cancelled before there was a result; no request will contain it.
    Abandoned,
}

/// Why the kernel refused a call of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CallRefusal {
    /// A completion has to be the one call of its response, or results of the others would be lost.
    NotAlone,
    /// [`Config::depth_max`](crate::Config::depth_max).
    TooDeep,
    /// [`Config::tasks_max`](crate::Config::tasks_max).
    TasksFull,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum End {
    /// With a result.
    Completed,
    /// Without.
    Failed(Reason),
    /// Somebody cancelled it or an ancestor.
    Cancelled,
}

/// Why a task failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// Its surroundings could not be made ready.
    Initialization,
    /// The request of a turn failed.
    Request(RequestReason),
    /// The model answered too often without a call, and a person said no to going on.
    MistakeLimit,
    /// Its worker failed.
    Worker(WorkerReason),
}

/// What became of an event. *Not applied means that nothing changed and nothing was emitted* (S25).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "an event that was not applied is counted or reported"]
pub enum Outcome<R = Rejected> {
    /// The kernel changed, or emitted effects, or both.
    Applied,
    /// A race that is to be expected: count it and go on.
    Ignored(Ignored),
    /// A mistake of the sender, or a bound: sending the same event again cannot succeed now.
    Rejected(R),
}

/// Why an event came too late to matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ignored {
    /// It answers a question that a newer one has replaced.
    Stale,
    /// The question has its answer already, or the wish is fulfilled.
    Duplicate,
    /// The task has ended, or is bound to end.
    Terminal,
}

/// Why an event was refused: what is, and what arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rejected {
    /// No task ever had this id.
    UnknownTask {
        /// The highest id that was ever used, if any.
        highest: Option<TaskId>,
        /// What arrived.
        event: Event,
    },
    /// The id of a new task is not above all that were used.
    IdNotFresh {
        /// The highest id that was ever used.
        highest: TaskId,
        /// The id that arrived.
        got: TaskId,
    },
    /// The diagram of the task's states has no edge here.
    NoEdge {
        /// Where the task stands.
        state: crate::TaskState,
        /// What arrived.
        event: Event,
    },
    /// It answers something that the kernel has not asked.
    NeverAsked {
        /// Where the task stands.
        state: crate::TaskState,
        /// What arrived.
        event: Event,
    },
    /// A message number was left out.
    MessageGap {
        /// The number that comes next.
        expected: MessageId,
        /// The number that arrived.
        got: MessageId,
    },
    /// Bills are those of a whole tree, and name its root.
    NotARoot {
        /// The task that was named.
        task: TaskId,
        /// Its parent.
        parent: TaskId,
    },
    /// The number of a bill was left out.
    BillGap {
        /// The number that comes next.
        expected: BillNumber,
        /// The number that arrived.
        got: BillNumber,
    },
    /// [`Config::messages_max`](crate::Config::messages_max): the queue is full.
    QueueFull {
        /// The bound.
        limit: u32,
        /// The message that was not accepted.
        message: MessageId,
    },
    /// [`Config::tasks_max`](crate::Config::tasks_max): no room for another task.
    TasksFull {
        /// The bound.
        limit: u32,
        /// The task that was not accepted.
        task: TaskId,
    },
    /// [`Config::calls_max`](crate::Config::calls_max): report the request as
    /// [`SendFailure::Interrupted`](crate::SendFailure) instead, so that the model is asked again.
    TooManyCalls {
        /// The bound.
        limit: u16,
        /// How many there were.
        got: usize,
    },
    /// The request of the turn refuses it.
    Request {
        /// Who asks.
        task: TaskId,
        /// Which question.
        turn: TurnNumber,
        /// Why.
        why: RequestRejected,
    },
    /// Requests may not be sent to this profile.
    UnknownProfile {
        /// How many they may be sent to.
        count: u8,
        /// What arrived.
        got: ProfileId,
    },
    /// Its worker refuses it.
    Worker {
        /// Whose worker.
        task: TaskId,
        /// Why.
        why: WorkerRejected,
    },
    /// Only the kernel tells a worker, or a request, that.
    NotForShell {
        /// What arrived.
        event: Event,
    },
    /// A worker's agent cannot have this subtask.
    Subtask {
        /// Who asked.
        task: TaskId,
        /// The subtask, whose id is not used up.
        child: TaskId,
        /// Why.
        why: CallRefusal,
    },
    /// A response of calls without a call: it is [`Response::Text`] or [`Response::Empty`].
    NoCalls {
        /// Which request it answers.
        request: RequestId,
    },
}

/// Where effects go. The caller owns the storage.
pub trait Sink {
    /// Takes one effect. Effects of one event come in the order in which they have to happen.
    fn emit(&mut self, effect: Effect);
}

impl Sink for Vec<Effect> {
    fn emit(&mut self, effect: Effect) {
        self.push(effect);
    }
}

/// Drops every effect: for the replay of a journal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl Sink for Discard {
    fn emit(&mut self, _effect: Effect) {}
}
