//! What can happen, and the event that tells the kernel of it.

use std::fmt;

use downbeat_kernel::{
    Answer, Approval, Attempt, BillNumber, Budget, Call, CallId, Event, GrantNumber, MessageId, QuestionId,
    RequestEvent, RequestId, RequestTimer, Response, SendFailure, Spend, Timer, ToolEnd, TurnNumber,
};

use super::world::World;
use super::{id, index};
use crate::watch::{TASKS, TaskIndex};

/// One event, and whether the process crashes while its effects are released.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// What happens.
    pub act: Act,
    /// The process crashes after so many effects, and less than all, were released.
    pub cut: Option<u8>,
    /// Where the model has noted what comes of it. It follows from the act and the state, and says nothing of its own.
    pub(super) noted: Noted,
}

/// The number of a note; which one it is differs from run to run, so it is not shown.
#[derive(Clone, Copy)]
pub(super) struct Noted(pub(super) u32);

impl fmt::Debug for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl PartialEq for Action {
    fn eq(&self, other: &Self) -> bool {
        (self.act, self.cut) == (other.act, other.cut)
    }
}

impl Eq for Action {}

impl Action {
    /// Whether the process crashes in this step.
    pub(super) fn crashes(&self) -> bool {
        self.cut.is_some() || self.act == Act::Crash
    }
}

/// What the model says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The task is done.
    Completion,
    /// The task is done, if a person agrees.
    CompletionToApprove,
    /// Two tools at once.
    TwoTools,
    /// One tool, if a person agrees.
    ToolToApprove,
    /// A question to a person.
    Question,
    /// One subtask.
    Subtask,
    /// A subtask and a tool at once.
    SubtaskAndTool,
    /// Two subtasks at once.
    TwoSubtasks,
    /// Two questions at once.
    TwoQuestions,
    /// A question and a subtask at once.
    QuestionAndSubtask,
    /// A completion beside a tool, which is refused.
    CompletionAndTool,
    /// A completion beside a subtask, which is refused.
    CompletionAndSubtask,
    /// Text without a call.
    Text,
    /// Nothing.
    Empty,
}

/// How a request ends that was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It stopped.
    Cancelled,
    /// The response came first.
    Answered,
    /// An empty response came first.
    Emptied,
    /// It failed first.
    Failed,
}

/// How a request ends whose end is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// With the answer that does the most harm: a subtask.
    Answered,
    /// For good, which would fail the task.
    Failed,
    /// Stopped.
    Cancelled,
    /// Not at all: output of it goes out.
    Delivered,
    /// Closed by force, because it did not stop in time.
    Fenced,
}

impl Late {
    pub(super) const ALL: [Self; 5] =
        [Self::Answered, Self::Failed, Self::Cancelled, Self::Delivered, Self::Fenced];
}

/// What happens. Requests, calls and timers are named by the numbers that the kernel gave them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The task gets its place.
    Admit { task: TaskIndex },
    /// Its surroundings are ready, or cannot be made ready.
    Initialize { task: TaskIndex, ready: bool },
    /// Making them ready ends after it was told to stop.
    StopStart { task: TaskIndex, ready: bool },
    /// The model answers the request in flight.
    Respond { task: TaskIndex, flight: usize, said: Said },
    /// The request in flight fails.
    Fail { task: TaskIndex, flight: usize, failure: SendFailure },
    /// Nobody knows what became of a request that a crash took.
    Lost { task: TaskIndex, flight: usize },
    /// Output of the request in flight goes out.
    Deliver { task: TaskIndex, flight: usize },
    /// A request that was told to stop ends, in whichever way.
    Stop { task: TaskIndex, flight: usize, end: Stopped },
    /// An answer to a request that has been answered, replaced or lost.
    LateResponse { task: TaskIndex, turn: u8, attempt: u8, end: Late },
    /// A tool ends.
    ToolEnds { task: TaskIndex, call: u8 },
    /// A tool ends after it was told to stop.
    StopTool { task: TaskIndex, call: u8 },
    /// The end of a tool comes again, or late.
    LateTool { task: TaskIndex, turn: u8, call: u8 },
    /// A person answers a question that is open.
    Answer { task: TaskIndex, number: u8, answer: Answer },
    /// A person's answer to a question comes again, or late.
    LateAnswer { task: TaskIndex, number: u8 },
    /// The user writes the next message.
    Write { task: TaskIndex },
    /// A message comes again.
    WriteAgain { task: TaskIndex, message: u8 },
    /// A message comes although the one before it has not.
    WriteAhead { task: TaskIndex },
    /// The user pauses a task.
    Pause { task: TaskIndex },
    /// The user resumes a task.
    Resume { task: TaskIndex },
    /// The user cancels a task.
    Cancel { task: TaskIndex },
    /// The backoff timer fires.
    Backoff { task: TaskIndex },
    /// The grace timer fires.
    Grace { task: TaskIndex },
    /// The grace timer of a request fires.
    StreamGrace { task: TaskIndex },
    /// The task is submitted again.
    LateSubmit { task: TaskIndex },
    /// An end is put on record that was, or that never came.
    LateAcknowledge { task: TaskIndex },
    /// A cancel of a task that the kernel does not hold.
    LateCancel { task: TaskIndex },
    /// The task gets a place that it has had, or does not want.
    LateAdmit { task: TaskIndex },
    /// Its surroundings are made ready again, or nobody asked for it.
    LateInitialize { task: TaskIndex },
    /// A grace timer that fired, or was disarmed, fires again.
    LateGrace { task: TaskIndex },
    /// A backoff timer that fired, or was disarmed, fires again.
    LateBackoff { task: TaskIndex, turn: u8, attempt: u8 },
    /// The next bill comes.
    Bill { task: TaskIndex },
    /// A bill comes again, or ahead of one before it, or names a child.
    LateBill { task: TaskIndex, bill: u8 },
    /// The time of the last grant is over.
    BudgetTime { task: TaskIndex },
    /// The timer of a grant fires that fired, or was disarmed, or never was.
    LateBudgetTime { task: TaskIndex, grant: u8 },
    /// The end of a task is put on record.
    Acknowledge { task: TaskIndex },
    /// The process crashes at rest.
    Crash,
}

impl Said {
    /// The calls of the model's that want a result.
    pub(super) fn calls(self) -> u8 {
        match self {
            Self::Completion
            | Self::CompletionToApprove
            | Self::ToolToApprove
            | Self::Question
            | Self::Subtask => 1,
            Self::TwoTools
            | Self::SubtaskAndTool
            | Self::TwoSubtasks
            | Self::TwoQuestions
            | Self::QuestionAndSubtask
            | Self::CompletionAndTool
            | Self::CompletionAndSubtask => 2,
            Self::Text | Self::Empty => 0,
        }
    }
}

impl Act {
    /// The task that the kernel is told of; `None` for what happens to the whole process.
    pub(super) fn task(self) -> Option<TaskIndex> {
        match self {
            Self::Admit { task }
            | Self::Initialize { task, .. }
            | Self::StopStart { task, .. }
            | Self::Respond { task, .. }
            | Self::Fail { task, .. }
            | Self::Lost { task, .. }
            | Self::Deliver { task, .. }
            | Self::Stop { task, .. }
            | Self::LateResponse { task, .. }
            | Self::ToolEnds { task, .. }
            | Self::StopTool { task, .. }
            | Self::LateTool { task, .. }
            | Self::Answer { task, .. }
            | Self::LateAnswer { task, .. }
            | Self::Write { task }
            | Self::WriteAgain { task, .. }
            | Self::WriteAhead { task }
            | Self::Pause { task }
            | Self::Resume { task }
            | Self::Cancel { task }
            | Self::Backoff { task }
            | Self::Grace { task }
            | Self::StreamGrace { task }
            | Self::LateSubmit { task }
            | Self::LateAcknowledge { task }
            | Self::LateCancel { task }
            | Self::LateAdmit { task }
            | Self::LateInitialize { task }
            | Self::LateGrace { task }
            | Self::LateBackoff { task, .. }
            | Self::Bill { task }
            | Self::LateBill { task, .. }
            | Self::BudgetTime { task }
            | Self::LateBudgetTime { task, .. }
            | Self::Acknowledge { task } => Some(task),
            Self::Crash => None,
        }
    }
}

/// The kinds of action, for the report on what was taken: those of [`Act`], what comes late as one, because a sound kernel
/// ignores all of it, and any of them that a crash cuts short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Admit,
    Initialize,
    StopStart,
    Respond,
    Fail,
    Lost,
    Deliver,
    Stop,
    ToolEnds,
    StopTool,
    Answer,
    Write,
    Pause,
    Resume,
    Cancel,
    Backoff,
    Grace,
    StreamGrace,
    Bill,
    BudgetTime,
    Acknowledge,
    Crash,
    Late,
    Cut,
}

impl Kind {
    pub(super) const ALL: [Self; 24] = [
        Self::Admit,
        Self::Initialize,
        Self::StopStart,
        Self::Respond,
        Self::Fail,
        Self::Lost,
        Self::Deliver,
        Self::Stop,
        Self::ToolEnds,
        Self::StopTool,
        Self::Answer,
        Self::Write,
        Self::Pause,
        Self::Resume,
        Self::Cancel,
        Self::Backoff,
        Self::Grace,
        Self::StreamGrace,
        Self::Bill,
        Self::BudgetTime,
        Self::Acknowledge,
        Self::Crash,
        Self::Late,
        Self::Cut,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Admit => "a task gets its place",
            Self::Initialize => "initialization ends",
            Self::StopStart => "initialization ends that was to stop",
            Self::Respond => "a response",
            Self::Fail => "a request fails",
            Self::Lost => "a request is lost to a crash",
            Self::Deliver => "output goes out",
            Self::Stop => "a request ends that was to stop",
            Self::ToolEnds => "a tool ends",
            Self::StopTool => "a tool ends that was to stop",
            Self::Answer => "a person answers",
            Self::Write => "the user writes",
            Self::Pause => "the user pauses",
            Self::Resume => "the user resumes",
            Self::Cancel => "the user cancels",
            Self::Backoff => "the backoff timer fires",
            Self::Grace => "the grace timer fires",
            Self::StreamGrace => "the grace timer of a request fires",
            Self::Bill => "a bill comes",
            Self::BudgetTime => "the time of a grant is over",
            Self::Acknowledge => "an end is put on record",
            Self::Crash => "a crash at rest",
            Self::Late => "what comes late or again",
            Self::Cut => "a crash between two effects",
        }
    }
}

impl Action {
    pub(super) fn kind(&self) -> Kind {
        if self.cut.is_some() {
            return Kind::Cut;
        }
        match self.act {
            Act::Admit { .. } => Kind::Admit,
            Act::Initialize { .. } => Kind::Initialize,
            Act::StopStart { .. } => Kind::StopStart,
            Act::Respond { .. } => Kind::Respond,
            Act::Fail { .. } => Kind::Fail,
            Act::Lost { .. } => Kind::Lost,
            Act::Deliver { .. } => Kind::Deliver,
            Act::Stop { .. } => Kind::Stop,
            Act::ToolEnds { .. } => Kind::ToolEnds,
            Act::StopTool { .. } => Kind::StopTool,
            Act::Answer { .. } => Kind::Answer,
            Act::Write { .. } => Kind::Write,
            Act::Pause { .. } => Kind::Pause,
            Act::Resume { .. } => Kind::Resume,
            Act::Cancel { .. } => Kind::Cancel,
            Act::Backoff { .. } => Kind::Backoff,
            Act::Grace { .. } => Kind::Grace,
            Act::StreamGrace { .. } => Kind::StreamGrace,
            Act::Bill { .. } => Kind::Bill,
            Act::BudgetTime { .. } => Kind::BudgetTime,
            Act::Acknowledge { .. } => Kind::Acknowledge,
            Act::Crash => Kind::Crash,
            Act::LateResponse { .. }
            | Act::LateTool { .. }
            | Act::LateAnswer { .. }
            | Act::WriteAgain { .. }
            | Act::WriteAhead { .. }
            | Act::LateSubmit { .. }
            | Act::LateAcknowledge { .. }
            | Act::LateCancel { .. }
            | Act::LateAdmit { .. }
            | Act::LateInitialize { .. }
            | Act::LateGrace { .. }
            | Act::LateBackoff { .. }
            | Act::LateBill { .. }
            | Act::LateBudgetTime { .. } => Kind::Late,
        }
    }
}

/// How many task ids were used: the next subtask takes the next place.
pub(super) fn born(world: &World) -> u8 {
    world.kernel.highest().map_or(0, |highest| index(highest) + 1)
}

/// The event that an act tells the kernel.
pub(super) fn event(world: &World, act: Act) -> Option<Event> {
    let request = |task, turn: u8, attempt: u8| RequestId {
        task: id(task),
        turn: TurnNumber(u32::from(turn)),
        attempt: Attempt(u16::from(attempt)),
    };
    let flying = |task, flight: usize| {
        let flight = world.outside.of(task).flights[flight]?;
        Some(request(task, flight.turn, flight.attempt))
    };
    let question = |task, number: u8| QuestionId { task: id(task), number: u32::from(number) };
    let call = |task, turn: u8, call: u8| CallId {
        task: id(task),
        turn: TurnNumber(u32::from(turn)),
        index: u16::from(call),
    };
    Some(match act {
        Act::Admit { task } | Act::LateAdmit { task } => Event::Admitted { task: id(task) },
        Act::Initialize { task, ready: true }
        | Act::StopStart { task, ready: true }
        | Act::LateInitialize { task } => Event::Initialized { task: id(task) },
        Act::Initialize { task, ready: false } | Act::StopStart { task, ready: false } => {
            Event::InitializationFailed { task: id(task) }
        }
        Act::Respond { task, flight, said } => Event::ResponseEnded {
            request: flying(task, flight)?,
            response: response(world, said),
            jitter_ms: 0,
        },
        Act::Fail { task, flight, failure } => {
            of_request(flying(task, flight)?, |attempt| failed(attempt, failure))
        }
        Act::Lost { task, flight } => {
            of_request(flying(task, flight)?, |attempt| failed(attempt, SendFailure::Interrupted))
        }
        Act::Deliver { task, flight } => {
            of_request(flying(task, flight)?, |attempt| RequestEvent::OutputDelivered { attempt })
        }
        Act::Stop { task, flight, end } => {
            let request = flying(task, flight)?;
            match end {
                Stopped::Cancelled => of_request(request, |attempt| RequestEvent::Stopped { attempt }),
                Stopped::Answered => Event::ResponseEnded { request, response: Response::Text, jitter_ms: 0 },
                Stopped::Emptied => Event::ResponseEnded { request, response: Response::Empty, jitter_ms: 0 },
                Stopped::Failed => of_request(request, |attempt| failed(attempt, SendFailure::Transient)),
            }
        }
        Act::LateResponse { task, turn, attempt, end } => {
            let request = request(task, turn, attempt);
            // Without an id for a subtask, text has to do.
            let said = if usize::from(born(world)) < TASKS { Said::Subtask } else { Said::Text };
            match end {
                Late::Answered => {
                    Event::ResponseEnded { request, response: response(world, said), jitter_ms: 0 }
                }
                Late::Failed => of_request(request, |attempt| failed(attempt, SendFailure::Invalid)),
                Late::Cancelled => of_request(request, |attempt| RequestEvent::Stopped { attempt }),
                Late::Delivered => of_request(request, |attempt| RequestEvent::OutputDelivered { attempt }),
                Late::Fenced => of_request(request, |attempt| fires(RequestTimer::Grace(attempt))),
            }
        }
        Act::ToolEnds { task, call: at } => {
            let turn = world.outside.of(task).tools_turn;
            Event::ToolEnded { call: call(task, turn, at), end: ToolEnd::Succeeded }
        }
        Act::StopTool { task, call: at } => {
            let turn = world.outside.of(task).tools_turn;
            Event::ToolEnded { call: call(task, turn, at), end: ToolEnd::Cancelled }
        }
        Act::LateTool { task, turn, call: at } => {
            Event::ToolEnded { call: call(task, turn, at), end: ToolEnd::Failed }
        }
        Act::Answer { task, number, answer } => {
            Event::AnswerReceived { question: question(task, number), answer }
        }
        Act::LateAnswer { task, number } => {
            Event::AnswerReceived { question: question(task, number), answer: Answer::Approved }
        }
        Act::Write { task } => {
            let message = MessageId(world.outside.written(task) + 1);
            Event::MessageReceived { task: id(task), message }
        }
        Act::WriteAgain { task, message } => {
            Event::MessageReceived { task: id(task), message: MessageId(u32::from(message)) }
        }
        Act::WriteAhead { task } => {
            let message = MessageId(world.outside.written(task) + 2);
            Event::MessageReceived { task: id(task), message }
        }
        Act::Pause { task } => Event::PauseRequested { task: id(task) },
        Act::Resume { task } => Event::ResumeRequested { task: id(task) },
        Act::LateSubmit { task } => Event::TaskSubmitted { task: id(task), budget: Budget::default() },
        Act::LateAcknowledge { task } => Event::EndAcknowledged { task: id(task) },
        Act::Cancel { task } | Act::LateCancel { task } => Event::CancelRequested { task: id(task) },
        Act::Backoff { task } => {
            let (turn, attempt) = world.outside.of(task).backoff?;
            of_request(request(task, turn, attempt), |attempt| fires(RequestTimer::Backoff(attempt)))
        }
        Act::StreamGrace { task } => {
            let (turn, attempt) = world.outside.of(task).stream_grace?;
            of_request(request(task, turn, attempt), |attempt| fires(RequestTimer::Grace(attempt)))
        }
        Act::LateBackoff { task, turn, attempt } => {
            of_request(request(task, turn, attempt), |attempt| fires(RequestTimer::Backoff(attempt)))
        }
        Act::Grace { task } | Act::LateGrace { task } => Event::TimerFired { timer: Timer::Grace(id(task)) },
        Act::Bill { task } => spent(task, world.outside.of(task).pot.bills + 1),
        Act::LateBill { task, bill } => spent(task, bill),
        Act::BudgetTime { task } => of_grant(task, world.outside.of(task).budget?),
        Act::LateBudgetTime { task, grant } => of_grant(task, grant),
        Act::Acknowledge { task } => Event::EndAcknowledged { task: id(task) },
        Act::Crash => return None,
    })
}

/// A bill of one token.
fn spent(task: TaskIndex, bill: u8) -> Event {
    let spend = Spend { tokens: 1, micros: 0 };
    Event::Spent { task: id(task), bill: BillNumber(bill.into()), spend }
}

fn of_grant(task: TaskIndex, grant: u8) -> Event {
    let grant = GrantNumber(grant.into());
    Event::TimerFired { timer: Timer::Budget { task: id(task), grant } }
}

fn of_request(request: RequestId, event: impl Fn(Attempt) -> RequestEvent) -> Event {
    let RequestId { task, turn, attempt } = request;
    Event::Request { task, turn, event: event(attempt) }
}

fn failed(attempt: Attempt, failure: SendFailure) -> RequestEvent {
    RequestEvent::SendFailed { attempt, failure, jitter_ms: 0 }
}

fn fires(timer: RequestTimer) -> RequestEvent {
    RequestEvent::TimerFired { timer }
}

fn response(world: &World, said: Said) -> Response {
    let next = born(world);
    let subtask = |ahead| Call::Subtask { child: id(next + ahead) };
    let tool = Call::Tool(Approval::Granted);
    Response::Calls(match said {
        Said::Completion => vec![Call::Completion(Approval::Granted)],
        Said::CompletionToApprove => vec![Call::Completion(Approval::Required)],
        Said::TwoTools => vec![tool, tool],
        Said::ToolToApprove => vec![Call::Tool(Approval::Required)],
        Said::Question => vec![Call::Question],
        Said::Subtask => vec![subtask(0)],
        Said::SubtaskAndTool => vec![subtask(0), tool],
        Said::TwoSubtasks => vec![subtask(0), subtask(1)],
        Said::TwoQuestions => vec![Call::Question, Call::Question],
        Said::QuestionAndSubtask => vec![Call::Question, subtask(0)],
        Said::CompletionAndTool => vec![Call::Completion(Approval::Granted), tool],
        Said::CompletionAndSubtask => vec![subtask(0), Call::Completion(Approval::Granted)],
        Said::Text => return Response::Text,
        Said::Empty => return Response::Empty,
    })
}
