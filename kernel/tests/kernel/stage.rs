//! A kernel with its history, and short words for events and effects.

use crate::orders::Orders;
use downbeat_kernel::{
    About, Answer, Attempt, Budget, CallId, CallResult, Config, Effect, End, Event, Generation, Ignored,
    Input, Kernel, MessageId, Outcome, Part, Passing, ProfileId, QuestionId, RequestEffect, RequestEvent,
    RequestId, RequestTimer, Response, SendFailure, SendReason, TaskId, TaskState, Timer, ToolEnd,
    TurnNumber,
};

/// A kernel under test. Every event that it takes is kept, and every order that it gave and that has no answer.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) kernel: Kernel,
    pub(crate) history: Vec<Event>,
    pub(crate) orders: Orders,
}

impl Stage {
    pub(crate) fn new(config: Config) -> Self {
        Self { kernel: Kernel::new(config), history: Vec::new(), orders: Orders::default() }
    }

    /// A task 1 that has just sent its first request.
    pub(crate) fn requesting(config: Config) -> Self {
        let mut stage = Self::new(config);
        stage.takes_all([submitted(1), admitted(1), initialized(1)]);
        stage
    }

    /// The event is applied. Gives its effects.
    #[track_caller]
    pub(crate) fn takes(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        let outcome = self.kernel.step(event.clone(), &mut effects);
        assert_eq!(outcome, Outcome::Applied, "{event:?}");
        assert_eq!(self.kernel.validate(), Ok(()), "after {event:?}");
        self.orders.note(&event, &effects);
        self.history.push(event);
        effects
    }

    #[track_caller]
    pub(crate) fn takes_all(&mut self, events: impl IntoIterator<Item = Event>) -> Vec<Effect> {
        events.into_iter().flat_map(|event| self.takes(event)).collect()
    }

    /// The event is not applied, and leaves no trace (S25).
    #[track_caller]
    pub(crate) fn refuses(&mut self, event: &Event, why: &Outcome) {
        let before = self.kernel.clone();
        let mut effects = Vec::new();
        assert_eq!(self.kernel.step(event.clone(), &mut effects), *why, "{event:?}");
        assert_eq!((&self.kernel, effects), (&before, Vec::new()), "{event:?}");
    }

    #[track_caller]
    pub(crate) fn state(&self, task: u64) -> TaskState {
        self.kernel.task(TaskId(task)).expect("the task is held").state
    }

    pub(crate) fn resync(&self) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.kernel.resync(&mut effects);
        effects
    }
}

pub(crate) const STALE: Outcome = Outcome::Ignored(Ignored::Stale);
pub(crate) const DUPLICATE: Outcome = Outcome::Ignored(Ignored::Duplicate);
pub(crate) const TERMINAL: Outcome = Outcome::Ignored(Ignored::Terminal);

pub(crate) fn request_id(task: u64, turn: u32, attempt: u16) -> RequestId {
    RequestId { task: TaskId(task), turn: TurnNumber(turn), attempt: Attempt(attempt) }
}

pub(crate) fn call_id(task: u64, turn: u32, index: u16) -> CallId {
    CallId { task: TaskId(task), turn: TurnNumber(turn), index }
}

pub(crate) fn question_id(task: u64, number: u32) -> QuestionId {
    QuestionId { task: TaskId(task), number }
}

pub(crate) fn submitted(task: u64) -> Event {
    submitted_with(task, Budget::default())
}

pub(crate) fn submitted_with(task: u64, budget: Budget) -> Event {
    Event::TaskSubmitted { task: TaskId(task), budget }
}

pub(crate) fn admitted(task: u64) -> Event {
    Event::Admitted { task: TaskId(task) }
}

pub(crate) fn initialized(task: u64) -> Event {
    Event::Initialized { task: TaskId(task) }
}

pub(crate) fn responded(task: u64, turn: u32, attempt: u16, response: Response) -> Event {
    Event::ResponseEnded { request: request_id(task, turn, attempt), response, jitter_ms: 0 }
}

/// Something else about the request of a turn.
pub(crate) fn told(task: u64, turn: u32, event: RequestEvent) -> Event {
    Event::Request { task: TaskId(task), turn: TurnNumber(turn), event }
}

pub(crate) fn failed(task: u64, turn: u32, attempt: u16, failure: SendFailure, jitter_ms: u32) -> Event {
    told(task, turn, RequestEvent::SendFailed { attempt: Attempt(attempt), failure, jitter_ms })
}

pub(crate) fn stopped(task: u64, turn: u32, attempt: u16) -> Event {
    told(task, turn, RequestEvent::Stopped { attempt: Attempt(attempt) })
}

pub(crate) fn tool_ended(task: u64, turn: u32, index: u16, end: ToolEnd) -> Event {
    Event::ToolEnded { call: call_id(task, turn, index), end }
}

pub(crate) fn answered(task: u64, number: u32, answer: Answer) -> Event {
    Event::AnswerReceived { question: question_id(task, number), answer }
}

pub(crate) fn message(task: u64, number: u32) -> Event {
    Event::MessageReceived { task: TaskId(task), message: MessageId(number) }
}

pub(crate) fn paused(task: u64) -> Event {
    Event::PauseRequested { task: TaskId(task) }
}

pub(crate) fn resumed(task: u64) -> Event {
    Event::ResumeRequested { task: TaskId(task) }
}

pub(crate) fn cancelled(task: u64) -> Event {
    Event::CancelRequested { task: TaskId(task) }
}

pub(crate) fn acknowledged(task: u64) -> Event {
    Event::EndAcknowledged { task: TaskId(task) }
}

/// A timer of a task, or of its request.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    Task(Timer),
    Request(TaskId, TurnNumber, RequestTimer),
}

pub(crate) fn backoff(task: u64, turn: u32, attempt: u16) -> Clock {
    Clock::Request(TaskId(task), TurnNumber(turn), RequestTimer::Backoff(Attempt(attempt)))
}

pub(crate) fn request_grace(task: u64, turn: u32, attempt: u16) -> Clock {
    Clock::Request(TaskId(task), TurnNumber(turn), RequestTimer::Grace(Attempt(attempt)))
}

pub(crate) fn grace(task: u64) -> Clock {
    Clock::Task(Timer::Grace(TaskId(task)))
}

pub(crate) fn fired(clock: Clock) -> Event {
    match clock {
        Clock::Task(timer) => Event::TimerFired { timer },
        Clock::Request(task, turn, timer) => {
            Event::Request { task, turn, event: RequestEvent::TimerFired { timer } }
        }
    }
}

pub(crate) fn enqueue(task: u64) -> Effect {
    Effect::Enqueue { task: TaskId(task) }
}

pub(crate) fn initialize(task: u64) -> Effect {
    Effect::Initialize { task: TaskId(task) }
}

pub(crate) fn include(task: u64, part: Part) -> Effect {
    Effect::Include { task: TaskId(task), part }
}

pub(crate) fn result(task: u64, turn: u32, index: u16, result: CallResult) -> Effect {
    include(task, Part::Result { call: call_id(task, turn, index), result })
}

pub(crate) fn text(task: u64, number: u32) -> Effect {
    include(task, Part::Message(MessageId(number)))
}

/// An order of the request of a turn.
pub(crate) fn orders(task: u64, turn: u32, effect: RequestEffect) -> Effect {
    Effect::Request { task: TaskId(task), turn: TurnNumber(turn), effect }
}

/// The first send of a turn, or one after a failure that may pass.
pub(crate) fn send(task: u64, turn: u32, attempt: u16) -> Effect {
    send_after(task, turn, attempt, Passing::Transient)
}

pub(crate) fn send_after(task: u64, turn: u32, attempt: u16, passing: Passing) -> Effect {
    let reason = if attempt == 0 { SendReason::First } else { SendReason::Retry(passing) };
    let (attempt, profile, generation) = (Attempt(attempt), ProfileId(0), Generation(0));
    orders(task, turn, RequestEffect::Send { attempt, profile, generation, input: Input::Full, reason })
}

pub(crate) fn stop(task: u64, turn: u32, attempt: u16) -> Effect {
    orders(task, turn, RequestEffect::Stop { attempt: Attempt(attempt) })
}

pub(crate) fn fence(task: u64, turn: u32, attempt: u16) -> Effect {
    orders(task, turn, RequestEffect::Fence { attempt: Attempt(attempt) })
}

pub(crate) fn run(task: u64, turn: u32, index: u16) -> Effect {
    Effect::RunTool { call: call_id(task, turn, index) }
}

pub(crate) fn cancel_tool(task: u64, turn: u32, index: u16) -> Effect {
    Effect::CancelTool { call: call_id(task, turn, index) }
}

pub(crate) fn ask(task: u64, number: u32, about: About) -> Effect {
    Effect::Ask { question: question_id(task, number), about }
}

pub(crate) fn withdraw(task: u64, number: u32) -> Effect {
    Effect::Withdraw { question: question_id(task, number) }
}

pub(crate) fn arm(clock: Clock, after_ms: u64) -> Effect {
    match clock {
        Clock::Task(timer) => Effect::Arm { timer, after_ms },
        Clock::Request(task, turn, timer) => {
            Effect::Request { task, turn, effect: RequestEffect::Arm { timer, after_ms } }
        }
    }
}

pub(crate) fn disarm(clock: Clock) -> Effect {
    match clock {
        Clock::Task(timer) => Effect::Disarm { timer },
        Clock::Request(task, turn, timer) => {
            Effect::Request { task, turn, effect: RequestEffect::Disarm { timer } }
        }
    }
}

pub(crate) fn undelivered(task: u64, number: u32, in_doubt: bool) -> Effect {
    Effect::ReportUndelivered { task: TaskId(task), message: MessageId(number), in_doubt }
}

pub(crate) fn ended(task: u64, end: End) -> Effect {
    Effect::TaskEnded { task: TaskId(task), end }
}
