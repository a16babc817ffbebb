//! A worker with short words for its events and effects.

use downbeat_kernel::{
    ApprovalId, Concern, Config, Deadline, IteratorEnd, IteratorId, MessageId, Outcome, PromptId,
    SessionEffect, SessionEvent, Sign, Source, Then, ToolId, TurnNumber, WatchNumber, Worker, WorkerEffect,
    WorkerEnd, WorkerEvent, WorkerPart, WorkerRejected, WorkerState, WorkerTimer,
};

/// A worker under test.
#[derive(Clone)]
pub(crate) struct WorkerStage {
    pub(crate) worker: Worker,
    pub(crate) config: Config,
}

impl WorkerStage {
    pub(crate) fn new(config: Config) -> Self {
        Self { worker: Worker::default(), config }
    }

    /// The agent has the prompt of the first turn, which is the task alone.
    pub(crate) fn executing() -> Self {
        let mut stage = Self::new(Config::default());
        stage.takes_all([WorkerEvent::Assigned, started(1)]);
        stage
    }

    /// The agent has answered the first turn.
    pub(crate) fn idle() -> Self {
        let mut stage = Self::executing();
        stage.takes(answered(1, 1));
        stage
    }

    /// The event is applied. Gives its effects.
    #[track_caller]
    pub(crate) fn takes(&mut self, event: WorkerEvent) -> Vec<WorkerEffect> {
        let mut effects = Vec::new();
        let outcome = self.worker.step(event, &self.config, &mut |effect| effects.push(effect));
        assert_eq!(outcome, Outcome::Applied, "{event:?} in {:?}", self.worker.state);
        assert_eq!(self.worker.validate(&self.config), Ok(()), "after {event:?}: {:?}", self.worker);
        effects
    }

    #[track_caller]
    pub(crate) fn takes_all(&mut self, events: impl IntoIterator<Item = WorkerEvent>) -> Vec<WorkerEffect> {
        events.into_iter().flat_map(|event| self.takes(event)).collect()
    }

    /// The event is not applied, and leaves no trace (S25).
    #[track_caller]
    pub(crate) fn refuses(&mut self, event: WorkerEvent, why: &Outcome<WorkerRejected>) {
        let before = self.worker.clone();
        let mut effects = Vec::new();
        let outcome = self.worker.step(event, &self.config, &mut |effect| effects.push(effect));
        assert_eq!(outcome, *why, "{event:?}");
        assert_eq!((&self.worker, effects), (&before, Vec::new()), "{event:?}");
    }

    pub(crate) fn resync(&self) -> Vec<WorkerEffect> {
        let mut effects = Vec::new();
        self.worker.resync(&self.config, &mut |effect| effects.push(effect));
        effects
    }

    pub(crate) fn state(&self) -> WorkerState {
        self.worker.state
    }
}

pub(crate) fn started(iterator: u32) -> WorkerEvent {
    WorkerEvent::Session(SessionEvent::Started { iterator: IteratorId(iterator) })
}

pub(crate) fn answered(iterator: u32, prompt: u32) -> WorkerEvent {
    let (iterator, prompt) = (IteratorId(iterator), PromptId(prompt));
    WorkerEvent::Session(SessionEvent::Answered { iterator, prompt })
}

pub(crate) fn iterator_ended(iterator: u32, end: IteratorEnd) -> WorkerEvent {
    WorkerEvent::Session(SessionEvent::IteratorEnded { iterator: IteratorId(iterator), end })
}

pub(crate) fn message(number: u32) -> WorkerEvent {
    WorkerEvent::MessageReceived { message: MessageId(number) }
}

pub(crate) fn interrupt(turn: u32, then: Then) -> WorkerEvent {
    WorkerEvent::InterruptRequested { turn: TurnNumber(turn), then }
}

pub(crate) fn approval(prompt: u32, number: u32) -> ApprovalId {
    ApprovalId { prompt: PromptId(prompt), number }
}

pub(crate) fn observed(prompt: u32, sign: Sign) -> WorkerEvent {
    WorkerEvent::Observed { prompt: PromptId(prompt), sign }
}

pub(crate) fn called(prompt: u32, tool: u32) -> WorkerEvent {
    observed(prompt, Sign::ToolCalled { tool: ToolId(tool) })
}

pub(crate) fn fired(timer: WorkerTimer) -> WorkerEvent {
    WorkerEvent::TimerFired { timer }
}

pub(crate) fn watch(number: u32) -> WorkerTimer {
    WorkerTimer::Watch(WatchNumber(number))
}

pub(crate) fn backoff(prompt: u32) -> WorkerTimer {
    WorkerTimer::Backoff(PromptId(prompt))
}

pub(crate) fn breaker(prompt: u32) -> WorkerTimer {
    WorkerTimer::Breaker(PromptId(prompt))
}

pub(crate) fn deadline(deadline: Deadline) -> WorkerTimer {
    WorkerTimer::WrapUp(deadline)
}

pub(crate) fn start(iterator: u32) -> WorkerEffect {
    WorkerEffect::Session(SessionEffect::Start { iterator: IteratorId(iterator) })
}

pub(crate) fn prompt(iterator: u32, prompt: u32) -> WorkerEffect {
    let (iterator, prompt) = (IteratorId(iterator), PromptId(prompt));
    WorkerEffect::Session(SessionEffect::Prompt { iterator, prompt })
}

pub(crate) fn stop(iterator: u32) -> [WorkerEffect; 2] {
    let iterator = IteratorId(iterator);
    [
        WorkerEffect::Session(SessionEffect::Stop { iterator }),
        WorkerEffect::Session(SessionEffect::Arm { iterator, after_ms: 10_000 }),
    ]
}

pub(crate) fn stop_disarmed(iterator: u32) -> WorkerEffect {
    WorkerEffect::Session(SessionEffect::Disarm { iterator: IteratorId(iterator) })
}

pub(crate) fn include(part: WorkerPart) -> WorkerEffect {
    WorkerEffect::Include { part }
}

pub(crate) fn text(number: u32) -> WorkerEffect {
    include(WorkerPart::Source(Source::Message(MessageId(number))))
}

pub(crate) fn acknowledged(number: u32) -> WorkerEffect {
    WorkerEffect::Acknowledge { source: Source::Message(MessageId(number)) }
}

pub(crate) fn undelivered(number: u32, in_doubt: bool) -> WorkerEffect {
    WorkerEffect::ReportUndelivered { source: Source::Message(MessageId(number)), in_doubt }
}

pub(crate) fn arm(timer: WorkerTimer, after_ms: u64) -> WorkerEffect {
    WorkerEffect::Arm { timer, after_ms }
}

pub(crate) fn disarm(timer: WorkerTimer) -> WorkerEffect {
    WorkerEffect::Disarm { timer }
}

pub(crate) fn warn(concern: Concern) -> WorkerEffect {
    WorkerEffect::Warn { concern }
}

pub(crate) fn ended(end: WorkerEnd) -> WorkerEffect {
    WorkerEffect::WorkerEnded { end }
}
