//! The task machine a second time: one plain `match` over the event and the state, without a hierarchy.
//!
//! It is written from what the vocabulary and the states promise, event by event, and shares with the machine only
//! the words: none of its guards, none of its helpers. Where both agree on every pair, a mistake would have to be
//! made twice.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a state or event that is forgotten here shows as a difference from the machine"
)]

use super::situations::Situation;
use crate::calls::{CallState, Wanted};
use crate::lifecycle::{Follow, Hold, Refusal, TaskEvent};
use crate::task::{Held, Outstanding, TaskData, TaskState};
use crate::vocabulary::{
    About, Answer, Approval, Attempt, Call, CallId, CallRefusal, CallResult, Effect, End, Failure, Ignored,
    MessageId, Outcome, Part, QuestionId, Reason, RequestId, Response, TaskId, Timer, TurnNumber,
};
use crate::worker::{Worker, WorkerEffect, WorkerEnd, WorkerEvent};
use std::boxed::Box;
use std::cmp::Ordering;
use std::vec::Vec;

/// What an applied event leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct After {
    pub(super) state: TaskState,
    pub(super) data: TaskData,
    pub(super) effects: Vec<Effect>,
    pub(super) follows: Vec<Follow>,
    pub(super) highest: Option<TaskId>,
}

/// Why an event was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum No {
    /// The diagram has no such edge.
    Edge,
    Because(Refusal),
    /// It was refused and left a trace all the same, which S25 forbids.
    LeftTrace,
}

const STALE: No = No::Because(Refusal::Ignored(Ignored::Stale));
const DUPLICATE: No = No::Because(Refusal::Ignored(Ignored::Duplicate));
const TERMINAL: No = No::Because(Refusal::Ignored(Ignored::Terminal));
const NEVER_ASKED: No = No::Because(Refusal::NeverAsked);

/// What the task makes of the event.
pub(super) fn twin(at: &Situation, event: &TaskEvent<'_>) -> Result<After, No> {
    use Held as H;
    use Outstanding as O;
    use TaskEvent as E;
    use TaskState as S;
    let ledger = Ledger::of(at);
    match (*event, at.state) {
        (E::EndAcknowledged, S::Completed | S::Failed(_) | S::Cancelled) => ledger.forgotten(),
        (E::MessageReceived { message }, S::Completed | S::Failed(_) | S::Cancelled)
            if message.0 != 0 && message <= at.data.accepted =>
        {
            Err(DUPLICATE)
        }
        (_, S::Completed | S::Failed(_) | S::Cancelled) => Err(TERMINAL),
        (E::EndAcknowledged, _) => Err(No::Edge),

        (
            E::Worker { .. }
            | E::MessageReceived { .. }
            | E::PauseRequested
            | E::ResumeRequested
            | E::SubtaskRequested { .. }
            | E::ChildReported { .. },
            S::Ending(_),
        ) => Err(TERMINAL),
        (E::CancelRequested, S::Ending(_)) => Err(DUPLICATE),
        (E::SubtaskEnded { child, .. }, S::Ending(end)) => match ledger.waits_for(child) {
            Some(index) => {
                let ledger = ledger.without(index);
                if ledger.calls.is_empty() { ledger.ends(ended(end)) } else { ledger.stands(at.state) }
            }
            None => Err(STALE),
        },
        (E::Deployed, S::Initializing) => ledger.deploys(&[WorkerEvent::Assigned]),
        (E::Deployed, S::Paused(H::Initializing)) => {
            ledger.deploys(&[WorkerEvent::PauseRequested, WorkerEvent::Assigned])
        }
        (E::Worker { event }, S::Working | S::Cancelling(O::Worker)) => ledger.passes_from_outside(event),
        (E::Worker { .. } | E::SubtaskRequested { .. }, S::Cancelling(_)) => Err(TERMINAL),
        (E::MessageReceived { message }, S::Working) => {
            ledger.passes(WorkerEvent::MessageReceived { message })
        }
        (E::PauseRequested, S::Working) => ledger.passes(WorkerEvent::PauseRequested),
        (E::ResumeRequested, S::Working) => ledger.passes(WorkerEvent::ResumeRequested),
        (E::ChildReported { child, number }, S::Working) => {
            ledger.passes(WorkerEvent::ChildReported { child, number })
        }
        (E::SubtaskRequested { child }, S::Working) => ledger.asks_for(child),
        (E::SubtaskEnded { child, .. }, S::Working) => match ledger.waits_for(child) {
            Some(index) => {
                let mut ledger = ledger.without(index);
                let _ = ledger.tells(WorkerEvent::ChildEnded { child });
                ledger.stands(S::Working)
            }
            None => Err(STALE),
        },
        (E::CancelRequested, S::Working) => ledger.kills(),
        (E::Worker { .. } | E::SubtaskRequested { .. } | E::ChildReported { .. }, _) => Err(No::Edge),

        (E::Admitted, S::Queued) => ledger.with(Effect::Initialize { task: at.id }).stands(S::Initializing),
        (E::Admitted, S::Paused(H::Queued)) => ledger.stands(S::Paused(H::Admitted)),
        (E::Admitted, S::Paused(H::Unstarted)) => Err(NEVER_ASKED),
        (E::Admitted, _) => Err(DUPLICATE),

        (E::Initialized, S::Initializing) => ledger.asks_the_model(),
        (E::Initialized, S::Paused(H::Initializing)) => ledger.stands(S::Paused(H::Turn)),
        (E::InitializationFailed, S::Initializing | S::Paused(H::Initializing)) => {
            ledger.ends(S::Failed(Reason::Initialization))
        }
        (E::Initialized | E::InitializationFailed | E::Deployed, S::Cancelling(O::Initialization)) => {
            ledger.stopped(O::Nothing)
        }
        (
            E::Initialized | E::InitializationFailed | E::Deployed,
            S::Queued | S::Paused(H::Unstarted | H::Queued | H::Admitted),
        ) => Err(NEVER_ASKED),
        (E::Initialized | E::InitializationFailed | E::Deployed, _) => Err(DUPLICATE),

        (E::ResponseEnded { turn, attempt, response, jitter_ms }, _) => {
            relation(at, turn, attempt)?;
            match at.state {
                S::Cancelling(_) => ledger.answered_in_vain(response).stopped(O::Nothing),
                _ => ledger.hears(attempt, response, jitter_ms),
            }
        }
        (E::RequestFailed { turn, attempt, failure, jitter_ms }, _) => {
            relation(at, turn, attempt)?;
            match at.state {
                S::Cancelling(_) => ledger.stopped(O::Nothing),
                _ => ledger.failed(attempt, failure, jitter_ms),
            }
        }
        (E::RequestCancelled { turn, attempt }, _) => {
            relation(at, turn, attempt)?;
            match at.state {
                S::Cancelling(_) => ledger.stopped(O::Nothing),
                _ => ledger.failed(attempt, Failure::Transient, 0),
            }
        }
        (E::BackoffElapsed { turn, .. }, _) if turn > at.data.turn => Err(NEVER_ASKED),
        (E::BackoffElapsed { turn, attempt }, S::BackingOff { attempt: due, .. })
            if turn == at.data.turn && attempt == due =>
        {
            ledger.sends(attempt)
        }
        (E::BackoffElapsed { turn, attempt }, S::Paused(H::BackingOff { attempt: due, .. }))
            if turn == at.data.turn && attempt == due =>
        {
            ledger.stands(S::Paused(H::Attempt { attempt }))
        }
        (E::BackoffElapsed { .. }, _) => Err(STALE),

        (E::ToolEnded { turn, .. }, _) if turn.0 == 0 || turn > at.data.replied => Err(NEVER_ASKED),
        (E::ToolEnded { turn, .. }, _) if turn < at.data.replied => Err(STALE),
        (E::ToolEnded { index, end, .. }, state) => match ledger.call(index) {
            Some(CallState::Running) => {
                let ledger = ledger.settle(index, CallResult::Tool(end));
                match state {
                    S::Cancelling(outstanding) => ledger.stopped(outstanding),
                    _ => ledger.goes_on(),
                }
            }
            Some(CallState::Settled(_)) => Err(DUPLICATE),
            _ => Err(NEVER_ASKED),
        },
        (E::SubtaskEnded { child, end }, state) => match ledger.waits_for(child) {
            None => Err(STALE),
            Some(index) => {
                let ledger = ledger.settle(index, CallResult::Subtask { child, end });
                match state {
                    S::Cancelling(outstanding) => ledger.ends_unless_busy(outstanding),
                    _ => ledger.goes_on(),
                }
            }
        },
        (E::AnswerReceived { number, answer }, _) => match ledger.asks(number) {
            Some((index, wanted)) => ledger.takes_answer(index, wanted, answer),
            None if (1..=at.data.questions).contains(&number) => Err(STALE),
            None => Err(NEVER_ASKED),
        },

        (E::MessageReceived { message }, S::Cancelling(_)) => {
            let known = message.0 != 0 && message <= at.data.accepted;
            Err(if known { DUPLICATE } else { TERMINAL })
        }
        (E::PauseRequested | E::ResumeRequested, S::Cancelling(_)) => Err(TERMINAL),
        (E::MessageReceived { message }, _) => {
            let expected = MessageId(at.data.accepted.0 + 1);
            let queued = at.data.accepted.0 - at.data.taken.0;
            match message.cmp(&expected) {
                Ordering::Less if message.0 == 0 => {
                    Err(No::Because(Refusal::MessageGap { expected, got: message }))
                }
                Ordering::Less => Err(DUPLICATE),
                Ordering::Greater => Err(No::Because(Refusal::MessageGap { expected, got: message })),
                Ordering::Equal if queued >= at.config.messages_max => {
                    Err(No::Because(Refusal::QueueFull { message }))
                }
                Ordering::Equal => ledger.accepts(message),
            }
        }
        (E::Released, S::Paused(H::Unstarted)) => {
            ledger.with(Effect::Enqueue { task: at.id }).stands(S::Queued)
        }
        (E::Released, _) => Err(DUPLICATE),
        (E::PauseRequested, S::Paused(H::Unstarted)) => {
            ledger.with(Effect::Enqueue { task: at.id }).stands(S::Paused(H::Queued))
        }
        (E::PauseRequested, S::Paused(_)) => Err(DUPLICATE),
        (E::PauseRequested, state) => ledger.stands(S::Paused(match state {
            S::Queued => H::Queued,
            S::Initializing => H::Initializing,
            S::Requesting { attempt } => H::Requesting { attempt },
            S::BackingOff { attempt, after_ms } => H::BackingOff { attempt, after_ms },
            _ => H::Calls,
        })),
        (E::ResumeRequested, S::Paused(held)) => match held {
            H::Unstarted => ledger.with(Effect::Enqueue { task: at.id }).stands(S::Queued),
            H::Queued => ledger.stands(S::Queued),
            H::Admitted => ledger.with(Effect::Initialize { task: at.id }).stands(S::Initializing),
            H::Initializing => ledger.stands(S::Initializing),
            H::Requesting { attempt } => ledger.stands(S::Requesting { attempt }),
            H::BackingOff { attempt, after_ms } => ledger.stands(S::BackingOff { attempt, after_ms }),
            H::Attempt { attempt } => ledger.sends(attempt),
            H::Turn => ledger.asks_the_model(),
            H::Calls => ledger.lets_subtasks_go().starts_calls(),
        },
        (E::ResumeRequested, _) => Err(DUPLICATE),

        (E::CancelRequested, S::Cancelling(_)) => Err(DUPLICATE),
        (E::CancelRequested, state) => ledger.winds_down(state),
        (E::GraceElapsed, S::Cancelling(outstanding)) if ledger.busy(outstanding) => ledger.gives_up(),
        (E::GraceElapsed, S::Cancelling(_)) => Err(STALE),
        (E::GraceElapsed, _) => Err(NEVER_ASKED),
    }
}

/// Nothing if the identity names the attempt in flight, else what is to be said about it.
fn relation(at: &Situation, turn: TurnNumber, attempt: Attempt) -> Result<(), No> {
    use TaskState as S;
    match turn.cmp(&at.data.turn) {
        _ if turn.0 == 0 => return Err(NEVER_ASKED),
        Ordering::Greater => return Err(NEVER_ASKED),
        Ordering::Less => return Err(STALE),
        Ordering::Equal => {}
    }
    match at.state {
        S::Requesting { attempt: current }
        | S::Paused(Held::Requesting { attempt: current })
        | S::Cancelling(Outstanding::Request { attempt: current }) => match attempt.cmp(&current) {
            Ordering::Less => Err(STALE),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(NEVER_ASKED),
        },
        S::BackingOff { attempt: due, .. }
        | S::Paused(Held::BackingOff { attempt: due, .. } | Held::Attempt { attempt: due })
            if attempt >= due =>
        {
            Err(NEVER_ASKED)
        }
        _ => Err(DUPLICATE),
    }
}

/// A task in the middle of one event.
struct Ledger<'s> {
    at: &'s Situation,
    paused: bool,
    data: TaskData,
    calls: Vec<CallState>,
    effects: Vec<Effect>,
    follows: Vec<Follow>,
    highest: Option<TaskId>,
}

impl<'s> Ledger<'s> {
    fn of(at: &'s Situation) -> Self {
        Self {
            at,
            paused: matches!(at.state, TaskState::Paused(_)),
            data: at.data.clone(),
            calls: at.data.calls.iter().collect(),
            effects: Vec::new(),
            follows: Vec::new(),
            highest: at.highest,
        }
    }

    fn with(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    #[expect(clippy::unnecessary_wraps, reason = "it ends the arms of the table, which are refusals or this")]
    fn stands(mut self, state: TaskState) -> Result<After, No> {
        self.data.calls.replace(self.calls.into_iter());
        Ok(After {
            state,
            data: self.data,
            effects: self.effects,
            follows: self.follows,
            highest: self.highest,
        })
    }

    fn forgotten(mut self) -> Result<After, No> {
        self.follows.push(Follow::Forget { task: self.at.id });
        let state = self.at.state;
        self.stands(state)
    }

    fn accepts(mut self, message: MessageId) -> Result<After, No> {
        self.data.accepted = message;
        let state = self.at.state;
        self.stands(state)
    }

    fn call(&self, index: u16) -> Option<CallState> {
        self.calls.get(usize::from(index)).copied()
    }

    fn settle(mut self, index: u16, result: CallResult) -> Self {
        self.calls[usize::from(index)] = CallState::Settled(result);
        self
    }

    fn find<T>(&self, wanted: impl Fn(CallState) -> Option<T>) -> Option<(u16, T)> {
        (0_u16..).zip(&self.calls).find_map(|(index, call)| wanted(*call).map(|found| (index, found)))
    }

    fn waits_for(&self, child: TaskId) -> Option<u16> {
        self.find(|call| (call == CallState::Subtask { child }).then_some(())).map(|(index, ())| index)
    }

    fn asks(&self, question: u32) -> Option<(u16, Wanted)> {
        self.find(|call| match call {
            CallState::Asking { number, wanted } if number == question => Some(wanted),
            _ => None,
        })
    }

    /// A new turn: everything queued goes in, and the model is asked.
    fn asks_the_model(mut self) -> Result<After, No> {
        self.data.turn = TurnNumber(self.data.turn.0 + 1);
        self.data.taken = self.data.accepted;
        self.sends(Attempt(0))
    }

    /// The results of the last response in their order, then the messages, then the order to send.
    fn sends(mut self, attempt: Attempt) -> Result<After, No> {
        let task = self.at.id;
        let made_no_call = match self.calls.as_slice() {
            [] | [CallState::Settled(CallResult::Guided)] => true,
            [_, ..] => false,
        };
        let mut parts = Vec::new();
        if self.data.turn.0 == 1 {
            parts.push(Part::Prompt);
        } else if made_no_call {
            parts.push(Part::Reminder);
        }
        for (index, call) in (0..).zip(&self.calls) {
            if let CallState::Settled(result) = *call {
                let call = CallId { task, turn: self.data.replied, index };
                parts.push(Part::Result { call, result });
            }
        }
        for number in self.data.answered.0 + 1..=self.data.taken.0 {
            parts.push(Part::Message(MessageId(number)));
        }
        self.effects.extend(parts.into_iter().map(|part| Effect::Include { task, part }));
        let request = RequestId { task, turn: self.data.turn, attempt };
        self.with(Effect::Send { request }).stands(TaskState::Requesting { attempt })
    }

    /// The response to the request in flight, while nobody has cancelled the task.
    fn hears(mut self, attempt: Attempt, response: &Response, jitter_ms: u32) -> Result<After, No> {
        let calls = match response {
            Response::Empty => return self.failed(attempt, Failure::Transient, jitter_ms),
            Response::Text => {
                self.data.mistakes += 1;
                let limit = self.at.config.mistakes_max;
                if limit > 0 && self.data.mistakes >= limit {
                    Vec::from([CallState::Waiting(Wanted::Guidance)])
                } else {
                    Vec::new()
                }
            }
            Response::Calls(calls) => {
                self.highest = self.judged(attempt, calls)?;
                self.data.mistakes = 0;
                calls.iter().map(|call| lined_up(*call, calls.len())).collect()
            }
        };
        self.data.replied = self.data.turn;
        self.data.answered = self.data.taken;
        self.calls = calls;
        self.goes_on()
    }

    /// The highest id that was used once these calls are taken, or why they cannot be.
    fn judged(&self, attempt: Attempt, calls: &[Call]) -> Result<Option<TaskId>, No> {
        if calls.is_empty() {
            let request = RequestId { task: self.at.id, turn: self.data.turn, attempt };
            return Err(No::Because(Refusal::NoCalls { request }));
        }
        if calls.len() > usize::from(self.at.config.calls_max) {
            return Err(No::Because(Refusal::TooManyCalls { got: calls.len() }));
        }
        calls.iter().try_fold(self.highest, |highest, call| match (*call, highest) {
            (Call::Subtask { child }, Some(used)) if child.0 <= used.0 => {
                Err(No::Because(Refusal::IdNotFresh { highest: used, got: child }))
            }
            (Call::Subtask { child }, _) => Ok(Some(child)),
            (Call::Tool(_) | Call::Question | Call::Completion(_), _) => Ok(highest),
        })
    }

    /// A response that came after the cancel: nothing is done about it, but what its request contained has been
    /// answered, unless the response is empty.
    fn answered_in_vain(mut self, response: &Response) -> Self {
        if *response != Response::Empty {
            self.data.replied = self.data.turn;
            self.data.answered = self.data.taken;
        }
        self
    }

    fn failed(self, attempt: Attempt, failure: Failure, jitter_ms: u32) -> Result<After, No> {
        let config = self.at.config;
        let sent = attempt.0 + 1;
        if failure == Failure::Permanent {
            return self.ends(TaskState::Failed(Reason::RequestRefused));
        }
        if sent >= config.attempts_max {
            return self.ends(TaskState::Failed(Reason::AttemptsExhausted));
        }
        let wait = match failure {
            Failure::Throttled { retry_after_ms: Some(asked) } => {
                u64::from(asked) + u64::from(config.retry_after_margin_ms)
            }
            _ => (0..attempt.0)
                .fold(u64::from(config.backoff_ms), |wait, _| wait * 2)
                .min(u64::from(config.backoff_ms_max)),
        };
        let after_ms = wait + u64::from(jitter_ms);
        let attempt = Attempt(sent);
        let timer = Timer::Backoff(RequestId { task: self.at.id, turn: self.data.turn, attempt });
        let paused = self.paused;
        self.with(Effect::Arm { timer, after_ms }).stands(if paused {
            TaskState::Paused(Held::BackingOff { attempt, after_ms })
        } else {
            TaskState::BackingOff { attempt, after_ms }
        })
    }

    /// A person's answer to the question of one call.
    fn takes_answer(mut self, index: u16, wanted: Wanted, answer: Answer) -> Result<After, No> {
        match (wanted, answer) {
            (Wanted::Guidance, Answer::Denied) => return self.ends(TaskState::Failed(Reason::MistakeLimit)),
            (Wanted::Guidance, Answer::Approved | Answer::Text) => {
                self.data.mistakes = 0;
                self = self.settle(index, CallResult::Guided);
            }
            (Wanted::Call(Call::Question), _) => self = self.settle(index, CallResult::Answered),
            (Wanted::Call(Call::Tool(_)), Answer::Approved) => {
                let granted = Wanted::Call(Call::Tool(Approval::Granted));
                self.calls[usize::from(index)] = CallState::Waiting(granted);
            }
            (Wanted::Call(Call::Completion(_)), Answer::Approved) => {
                let granted = Wanted::Call(Call::Completion(Approval::Granted));
                self.calls[usize::from(index)] = CallState::Waiting(granted);
            }
            (Wanted::Call(_), _) => self = self.settle(index, CallResult::Denied),
        }
        self.goes_on()
    }

    /// Something of the task's calls has changed: it goes on, or is held.
    fn goes_on(mut self) -> Result<After, No> {
        if !self.paused {
            return self.starts_calls();
        }
        let mut room = self.at.room;
        for index in 0..self.calls.len() {
            if let CallState::Waiting(Wanted::Call(Call::Subtask { child })) = self.calls[index] {
                self.calls[index] = self.makes_subtask(child, Hold::Paused, &mut room);
            }
        }
        let open = self.calls.iter().any(|call| !matches!(call, CallState::Settled(_)));
        self.stands(TaskState::Paused(if open { Held::Calls } else { Held::Turn }))
    }

    /// Every subtask there is hears that its parent goes on.
    fn lets_subtasks_go(mut self) -> Self {
        self.release_subtasks();
        self
    }

    fn release_subtasks(&mut self) {
        for call in &self.calls {
            if let CallState::Subtask { child } = *call {
                self.follows.push(Follow::Release { child });
            }
        }
    }

    fn starts_calls(mut self) -> Result<After, No> {
        if self.calls == [CallState::Waiting(Wanted::Call(Call::Completion(Approval::Granted)))] {
            return self.ends(TaskState::Completed);
        }
        let (task, turn) = (self.at.id, self.data.replied);
        let mut room = self.at.room;
        for index in 0..self.calls.len() {
            let CallState::Waiting(wanted) = self.calls[index] else { continue };
            let call = CallId { task, turn, index: u16::try_from(index).expect("few calls") };
            let about = match wanted {
                Wanted::Call(Call::Tool(Approval::Granted)) => {
                    self.calls[index] = CallState::Running;
                    self.effects.push(Effect::RunTool { call });
                    continue;
                }
                Wanted::Call(Call::Subtask { child }) => {
                    self.calls[index] = self.makes_subtask(child, Hold::Running, &mut room);
                    continue;
                }
                Wanted::Call(Call::Tool(Approval::Required)) => About::Tool(call),
                Wanted::Call(Call::Completion(_)) => About::Completion(call),
                Wanted::Call(Call::Question) => About::Question(call),
                Wanted::Guidance => About::MistakeLimit,
            };
            self.data.questions += 1;
            let number = self.data.questions;
            self.calls[index] = CallState::Asking { number, wanted };
            self.effects.push(Effect::Ask { question: QuestionId { task, number }, about });
        }
        let any = |wanted: fn(&CallState) -> bool| self.calls.iter().any(wanted);
        if any(|call| matches!(call, CallState::Running)) {
            self.stands(TaskState::ExecutingTools)
        } else if any(|call| matches!(call, CallState::Subtask { .. })) {
            self.stands(TaskState::AwaitingSubtask)
        } else if any(|call| matches!(call, CallState::Asking { .. })) {
            self.stands(TaskState::AwaitingInput)
        } else {
            self.asks_the_model()
        }
    }

    /// A subtask is made, and asks for its place unless its parent is held.
    fn makes_subtask(&mut self, child: TaskId, hold: Hold, room: &mut u32) -> CallState {
        if self.data.depth >= self.at.config.depth_max {
            return CallState::Settled(CallResult::Refused(CallRefusal::TooDeep));
        }
        if *room == 0 {
            return CallState::Settled(CallResult::Refused(CallRefusal::TasksFull));
        }
        *room -= 1;
        if hold == Hold::Running {
            self.effects.push(Effect::Enqueue { task: child });
        }
        self.follows.push(Follow::Spawn { child, parent: self.at.id, depth: self.data.depth + 1, hold });
        CallState::Subtask { child }
    }

    /// Everything that runs is told to stop, everything that has not started never will.
    fn winds_down(mut self, state: TaskState) -> Result<After, No> {
        let task = self.at.id;
        let request = |attempt| RequestId { task, turn: self.at.data.turn, attempt };
        let (stop, outstanding) = match state {
            TaskState::Queued | TaskState::Paused(Held::Queued | Held::Admitted) => {
                (Some(Effect::Dequeue { task }), Outstanding::Nothing)
            }
            TaskState::Initializing | TaskState::Paused(Held::Initializing) => {
                (Some(Effect::AbortInitialization { task }), Outstanding::Initialization)
            }
            TaskState::Requesting { attempt } | TaskState::Paused(Held::Requesting { attempt }) => {
                let stop = Effect::CancelRequest { request: request(attempt) };
                (Some(stop), Outstanding::Request { attempt })
            }
            TaskState::BackingOff { attempt, .. } | TaskState::Paused(Held::BackingOff { attempt, .. }) => {
                let timer = Timer::Backoff(request(attempt));
                (Some(Effect::Disarm { timer }), Outstanding::Nothing)
            }
            _ => (None, Outstanding::Nothing),
        };
        self.effects.extend(stop);
        for (index, call) in (0..).zip(&mut self.calls) {
            match *call {
                CallState::Running => {
                    let call = CallId { task, turn: self.data.replied, index };
                    self.effects.push(Effect::CancelTool { call });
                }
                CallState::Subtask { child } => self.follows.push(Follow::Cancel { child }),
                CallState::Asking { number, .. } => {
                    self.effects.push(Effect::Withdraw { question: QuestionId { task, number } });
                    *call = CallState::Settled(CallResult::Abandoned);
                }
                CallState::Waiting(_) => *call = CallState::Settled(CallResult::Abandoned),
                CallState::Settled(_) => {}
            }
        }
        if self.busy(outstanding) {
            let after_ms = u64::from(self.at.config.grace_ms);
            self.effects.push(Effect::Arm { timer: Timer::Grace(task), after_ms });
        }
        self.ends_unless_busy(outstanding)
    }

    /// Whether work of its own keeps a cancelled task from ending.
    fn busy(&self, outstanding: Outstanding) -> bool {
        matches!(outstanding, Outstanding::Initialization | Outstanding::Request { .. })
            || self.calls.contains(&CallState::Running)
    }

    fn stopped(mut self, outstanding: Outstanding) -> Result<After, No> {
        if !self.busy(outstanding) {
            self.effects.push(Effect::Disarm { timer: Timer::Grace(self.at.id) });
        }
        self.ends_unless_busy(outstanding)
    }

    fn gives_up(mut self) -> Result<After, No> {
        for call in &mut self.calls {
            if *call == CallState::Running {
                *call = CallState::Settled(CallResult::Abandoned);
            }
        }
        self.ends_unless_busy(Outstanding::Nothing)
    }

    /// A cancelled task ends after its own work and after its subtasks.
    fn ends_unless_busy(self, outstanding: Outstanding) -> Result<After, No> {
        let subtasks = self.calls.iter().any(|call| matches!(call, CallState::Subtask { .. }));
        if self.busy(outstanding) || outstanding == Outstanding::Worker || subtasks {
            self.stands(TaskState::Cancelling(outstanding))
        } else {
            self.ends(TaskState::Cancelled)
        }
    }

    /// The last word of a task: what was not delivered, how it ended, and the parent.
    fn ends(mut self, state: TaskState) -> Result<After, No> {
        let (task, data) = (self.at.id, &self.data);
        let end = match state {
            TaskState::Completed => End::Completed,
            TaskState::Failed(reason) => End::Failed(reason),
            _ => End::Cancelled,
        };
        for number in data.answered.0 + 1..=data.accepted.0 {
            let in_doubt = number <= data.taken.0;
            self.effects.push(Effect::ReportUndelivered { task, message: MessageId(number), in_doubt });
        }
        self.effects.push(Effect::TaskEnded { task, end });
        if let Some(parent) = data.parent {
            self.follows.push(Follow::Settle { parent, child: task, end });
        }
        self.calls.clear();
        self.stands(state)
    }
}

/// What a task does that a worker runs.
impl Ledger<'_> {
    /// A worker with these first events.
    fn deploys(mut self, events: &[WorkerEvent]) -> Result<After, No> {
        self.data.worker = Some(Box::new(Worker::default()));
        for event in events {
            self.tells(*event).expect("a new worker takes that");
        }
        self.stands(TaskState::Working)
    }

    /// The worker takes an event, or says why not. What it orders goes out, but its end and its reports.
    fn tells(&mut self, event: WorkerEvent) -> Result<Option<WorkerEnd>, No> {
        let mut worker = self.data.worker.take().expect("a worker runs the task");
        let (before, mut effects) = (worker.clone(), Vec::new());
        let told = worker.step(event, &self.at.config, &mut |effect| effects.push(effect));
        let held = before.data.hold && !worker.data.hold;
        self.data.worker = Some(worker);
        match told {
            Outcome::Applied => {}
            Outcome::Ignored(why) => return Err(No::Because(Refusal::Ignored(why))),
            Outcome::Rejected(why) => return Err(No::Because(Refusal::Worker(why))),
        }
        let (task, mut end) = (self.at.id, None);
        for effect in effects {
            match (effect, self.data.parent) {
                (WorkerEffect::WorkerEnded { end: how }, _) => end = Some(how),
                (WorkerEffect::Report { number }, Some(parent)) => {
                    self.follows.push(Follow::Report { parent, child: task, number });
                }
                _ => self.effects.push(Effect::Worker { task, effect }),
            }
        }
        if held {
            self.release_subtasks();
        }
        Ok(end)
    }

    fn passes(mut self, event: WorkerEvent) -> Result<After, No> {
        self.tells(event)?;
        let state = self.at.state;
        self.stands(state)
    }

    fn passes_from_outside(mut self, event: WorkerEvent) -> Result<After, No> {
        use WorkerEvent as E;
        let own = matches!(
            event,
            E::Assigned
                | E::MessageReceived { .. }
                | E::ChildReported { .. }
                | E::ChildEnded { .. }
                | E::PauseRequested
                | E::ResumeRequested
                | E::KillRequested
                | E::EndAcknowledged
        );
        if own {
            return Err(No::Because(Refusal::NotForShell));
        }
        let state = self.at.state;
        let Some(end) = self.tells(event)? else { return self.stands(state) };
        let end = match end {
            WorkerEnd::Completed => End::Completed,
            WorkerEnd::Failed(why) => End::Failed(Reason::Worker(why)),
            WorkerEnd::Killed => End::Cancelled,
        };
        match state {
            TaskState::Cancelling(_) => self.ends_unless_busy(Outstanding::Nothing),
            _ if self.calls.is_empty() => self.ends(ended(end)),
            _ => self.cancels_subtasks().stands(TaskState::Ending(end)),
        }
    }

    fn kills(mut self) -> Result<After, No> {
        let killed = self.tells(WorkerEvent::KillRequested);
        self = self.cancels_subtasks();
        match killed {
            Ok(Some(_)) => self.ends_unless_busy(Outstanding::Nothing),
            _ => self.stands(TaskState::Cancelling(Outstanding::Worker)),
        }
    }

    fn cancels_subtasks(mut self) -> Self {
        for call in &self.calls {
            if let CallState::Subtask { child } = *call {
                self.follows.push(Follow::Cancel { child });
            }
        }
        self
    }

    fn without(mut self, index: u16) -> Self {
        self.calls.remove(usize::from(index));
        self
    }

    fn asks_for(mut self, child: TaskId) -> Result<After, No> {
        if let Some(used) = self.highest
            && child.0 <= used.0
        {
            return Err(No::Because(Refusal::IdNotFresh { highest: used, got: child }));
        }
        if self.calls.len() >= usize::from(self.at.config.calls_max) {
            return Err(No::Because(Refusal::TooManyCalls { got: self.calls.len() + 1 }));
        }
        let held = self.data.worker.as_ref().is_some_and(|worker| worker.data.hold);
        let mut room = self.at.room;
        match self.makes_subtask(child, if held { Hold::Paused } else { Hold::Running }, &mut room) {
            CallState::Settled(CallResult::Refused(why)) => Err(No::Because(Refusal::Subtask { child, why })),
            call => {
                self.highest = Some(child);
                self.calls.push(call);
                self.stands(TaskState::Working)
            }
        }
    }
}

fn ended(end: End) -> TaskState {
    match end {
        End::Completed => TaskState::Completed,
        End::Failed(reason) => TaskState::Failed(reason),
        End::Cancelled => TaskState::Cancelled,
    }
}

fn lined_up(call: Call, of: usize) -> CallState {
    match call {
        Call::Completion(_) if of > 1 => CallState::Settled(CallResult::Refused(CallRefusal::NotAlone)),
        Call::Completion(_) | Call::Tool(_) | Call::Subtask { .. } | Call::Question => {
            CallState::Waiting(Wanted::Call(call))
        }
    }
}
