//! One turn: one question to the model, its content, and what is done with the answer.
//!
//! The [`Request`] of a turn sends it, as often as it has to be, and comes to one end. This module says what it contains, the
//! same for every send (S2), and takes its end: the response, or the failure.

use crate::calls::{CallState, Calls, Wanted};
use crate::config::Config;
use crate::faults::Fault;
use crate::lifecycle::{Hold, Refusal, Surroundings, TaskEvent, TaskMachine};
use crate::request::{
    Profiles, Request, RequestEffect, RequestEnd, RequestEvent, RequestRejected, SendFailure,
};
use crate::task::{Outstanding, TaskData, TaskState};
use crate::vocabulary::{
    Attempt, Call, CallId, CallRefusal, CallResult, Effect, Ignored, MessageId, Outcome as Told, Part,
    Reason, RequestId, Response, Sink, TaskId, TurnNumber,
};
use statig::Outcome::{self, Handled, Super, Transition};

/// How an answer's identity relates to what a task has asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It answers what runs.
    Current,
    /// It answers one that a newer one has replaced.
    Older,
    /// It answers one that has its answer.
    Answered,
    /// Nothing was asked under this identity.
    NeverAsked,
}

/// What an answer is that does not answer the current question.
pub(crate) fn late(fit: Fit) -> Refusal {
    match fit {
        Fit::Older => Refusal::Ignored(Ignored::Stale),
        Fit::Current | Fit::Answered => Refusal::Ignored(Ignored::Duplicate),
        Fit::NeverAsked => Refusal::NeverAsked,
    }
}

/// What the request of a turn contains.
struct Content<'d> {
    task: TaskId,
    parent: Option<TaskId>,
    turn: TurnNumber,
    replied: TurnNumber,
    calls: &'d Calls,
    answered: MessageId,
    taken: MessageId,
}

impl Content<'_> {
    /// An order of the request; before a send, what it contains.
    fn emit(&self, effect: RequestEffect, config: &Config, sink: &mut dyn Sink) {
        if let RequestEffect::Send { attempt, .. } = effect {
            self.include(attempt, config, sink);
        }
        sink.emit(Effect::Request { task: self.task, turn: self.turn, effect });
    }

    /// Every part in its order, the same for every attempt (S2).
    fn include(&self, attempt: Attempt, config: &Config, sink: &mut dyn Sink) {
        let task = self.task;
        let named = self.parent.filter(|_| config.has(Fault::ForeignInclude)).unwrap_or(task);
        let again = attempt > Attempt(0) && config.has(Fault::RetryLeavesOut);
        let mut include = |part| sink.emit(Effect::Include { task: named, part });
        if self.turn == TurnNumber(1) && !config.has(Fault::NoPrompt) {
            include(Part::Prompt);
        }
        let no_call = self.calls.iter().all(|call| call == CallState::Settled(CallResult::Guided));
        if self.turn > TurnNumber(1) && no_call {
            include(Part::Reminder);
        }
        for (index, call) in self.calls.indexed() {
            let left_out = match call {
                CallState::Settled(CallResult::Subtask { .. }) => config.has(Fault::SubtaskResultLeftOut),
                CallState::Settled(CallResult::Tool(_)) => config.has(Fault::ToolResultLeftOut),
                CallState::Settled(_)
                | CallState::Waiting(_)
                | CallState::Running
                | CallState::Asking { .. }
                | CallState::Subtask { .. } => false,
            };
            if let CallState::Settled(result) = call
                && !left_out
                && !again
            {
                include(Part::Result { call: CallId { task, turn: self.replied, index }, result });
            }
        }
        let last = if again { MessageId(0) } else { self.taken };
        let messages = self.answered.0 + 1..=last.0;
        if config.has(Fault::MessagesReversed) {
            messages.rev().for_each(|message| include(Part::Message(MessageId(message))));
        } else {
            messages.for_each(|message| include(Part::Message(MessageId(message))));
        }
    }
}

impl TaskData {
    /// The request, and the content of its turn.
    fn asking(&mut self, task: TaskId) -> (&mut Request, Content<'_>) {
        let Self { parent, turn, replied, request, calls, answered, taken, .. } = self;
        let (turn, replied, answered, taken) = (*turn, *replied, *answered, *taken);
        (request, Content { task, parent: *parent, turn, replied, calls, answered, taken })
    }

    /// Repeats what the request has outstanding.
    pub(crate) fn resync_request(&self, task: TaskId, config: &Config, sink: &mut dyn Sink) {
        let Self { parent, turn, replied, request, calls, answered, taken, .. } = self;
        let (turn, replied, answered, taken) = (*turn, *replied, *answered, *taken);
        let content = Content { task, parent: *parent, turn, replied, calls, answered, taken };
        request.resync(config, &mut |effect| content.emit(effect, config, sink));
    }
}

/// Whether only the kernel may tell a request that.
fn is_of_the_kernel(event: RequestEvent) -> bool {
    match event {
        RequestEvent::Began { .. }
        | RequestEvent::ResponseEnded { .. }
        | RequestEvent::ProfileDown { .. }
        | RequestEvent::ProfileUp { .. }
        | RequestEvent::PauseRequested
        | RequestEvent::ResumeRequested
        | RequestEvent::CancelRequested => true,
        RequestEvent::CredentialGiven { .. }
        | RequestEvent::CredentialFailed { .. }
        | RequestEvent::OutputDelivered { .. }
        | RequestEvent::SendFailed { .. }
        | RequestEvent::Stopped { .. }
        | RequestEvent::UsageReported { .. }
        | RequestEvent::TimerFired { .. } => false,
    }
}

impl TaskMachine<'_> {
    /// Takes the queue and asks the model, or waits until that may be paid for. Every call of the last response has its result
    /// here.
    pub(crate) fn begin_turn(&mut self, cx: &mut Surroundings<'_>) -> TaskState {
        if self.data.spent && !self.config.has(Fault::SpentBeginsTurn) {
            return TaskState::AwaitingBudget;
        }
        let shared = self.data.request.previous.filter(|_| self.config.has(Fault::ContinuityShared));
        let previous = shared.or_else(|| self.data.request.response(self.data.turn));
        let previous = previous.filter(|previous| previous.profile.is_in(self.config.profiles_continuing));
        self.data.turn.0 += 1;
        self.data.taken = self.data.accepted;
        self.data.request = Request::default();
        let profiles = Profiles::of(self.config, cx.down);
        let _ = self.tell_request(RequestEvent::Began { profiles, previous }, cx);
        TaskState::Requesting
    }

    /// Tells the request, and gives how it ended if that is what came of it.
    pub(crate) fn tell_request(
        &mut self,
        event: RequestEvent,
        cx: &mut Surroundings<'_>,
    ) -> Result<Option<RequestEnd>, Refusal> {
        let mut ended = None;
        let (request, content) = self.data.asking(self.id);
        let told = request.step(event, self.config, &mut |effect| match effect {
            RequestEffect::Ended { end } => ended = Some(end),
            RequestEffect::GetCredential { .. }
            | RequestEffect::Send { .. }
            | RequestEffect::Recover { .. }
            | RequestEffect::Stop { .. }
            | RequestEffect::Fence { .. }
            | RequestEffect::Charge { .. }
            | RequestEffect::Arm { .. }
            | RequestEffect::Disarm { .. } => content.emit(effect, self.config, cx.sink),
        });
        if let RequestEvent::SendFailed { .. } = event
            && self.config.has(Fault::RetryTakesMessages)
        {
            self.data.taken = self.data.accepted;
        }
        match told {
            Told::Applied => Ok(ended),
            // The turn has its answer; the task has not ended.
            Told::Ignored(Ignored::Terminal) => Err(Refusal::Ignored(Ignored::Duplicate)),
            Told::Ignored(why) => Err(Refusal::Ignored(why)),
            Told::Rejected(RequestRejected::NeverAsked { .. }) => Err(Refusal::NeverAsked),
            Told::Rejected(why) => Err(Refusal::Request(why)),
        }
    }

    /// What the shell has for the request of some turn. What only the kernel may tell it is refused.
    pub(crate) fn tell_request_from_outside(
        &mut self,
        turn: TurnNumber,
        event: RequestEvent,
        cx: &mut Surroundings<'_>,
    ) -> Result<Option<RequestEnd>, Refusal> {
        if is_of_the_kernel(event) {
            return Err(Refusal::NotForShell);
        }
        self.of_this_turn(turn)?;
        self.tell_request(event, cx)
    }

    /// Whether an answer is about the last turn.
    fn of_this_turn(&self, turn: TurnNumber) -> Result<(), Refusal> {
        if turn == TurnNumber(0) || turn > self.data.turn {
            return Err(Refusal::NeverAsked);
        }
        if turn < self.data.turn && !self.config.has(Fault::AnyTurn) {
            return Err(Refusal::Ignored(Ignored::Stale));
        }
        Ok(())
    }

    /// An answer about the request of some turn; other events are not of a request.
    pub(crate) fn request_answered(
        &mut self,
        event: &TaskEvent<'_>,
        hold: Hold,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<TaskState> {
        use TaskEvent as E;
        let (told, response) = match *event {
            E::ResponseEnded { turn, attempt, response, jitter_ms } => {
                (self.response_ended(turn, attempt, response, jitter_ms, cx), Some(response))
            }
            E::Request { turn, event } => (self.tell_request_from_outside(turn, event, cx), None),
            E::ProfileChanged { event } => (self.tell_request(event, cx), None),
            E::Admitted
            | E::Initialized
            | E::InitializationFailed
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
            | E::BudgetGranted => return Super,
        };
        match told {
            Ok(None) => Handled,
            Ok(Some(end)) => Transition(self.request_ended(end, response, hold, cx)),
            Err(refusal) => {
                self.late_response(event, refusal, cx);
                cx.refuse(refusal)
            }
        }
    }

    /// A response is the end of the request, unless there is nothing in it: then nothing was said, so that there is nothing
    /// to remind the model of, and it is asked again.
    pub(crate) fn response_ended(
        &mut self,
        turn: TurnNumber,
        attempt: Attempt,
        response: &Response,
        jitter_ms: u32,
        cx: &mut Surroundings<'_>,
    ) -> Result<Option<RequestEnd>, Refusal> {
        self.of_this_turn(turn)?;
        if let Response::Calls(calls) = response
            && self.data.request.awaits(attempt, self.config)
        {
            self.judge(attempt, calls, cx)?;
        }
        let event = match response {
            Response::Calls(_) | Response::Text => RequestEvent::ResponseEnded { attempt },
            Response::Empty => {
                RequestEvent::SendFailed { attempt, failure: SendFailure::Transient, jitter_ms }
            }
        };
        self.tell_request(event, cx)
    }

    /// What became of an event that a cancelled task told its request.
    pub(crate) fn cancelled_request_told(
        &self,
        told: Result<Option<RequestEnd>, Refusal>,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<TaskState> {
        match told {
            Ok(None) => Handled,
            Ok(Some(_)) => Transition(self.ended_or_waiting(Outstanding::Nothing)),
            Err(refusal) => cx.refuse(refusal),
        }
    }

    fn request_ended(
        &mut self,
        end: RequestEnd,
        response: Option<&Response>,
        hold: Hold,
        cx: &mut Surroundings<'_>,
    ) -> TaskState {
        match (end, response) {
            (RequestEnd::Accepted { .. }, Some(Response::Calls(calls))) => self.take_calls(calls, hold, cx),
            (RequestEnd::Accepted { .. }, Some(Response::Text | Response::Empty) | None) => {
                self.take_text(hold, cx)
            }
            (RequestEnd::Failed(reason), _) => TaskState::Failed(Reason::Request(reason)),
            (RequestEnd::Cancelled, _) => self.ended_or_waiting(Outstanding::Nothing),
        }
    }

    /// Whether a response's calls can be taken at all. Nothing has changed yet.
    fn judge(&self, attempt: Attempt, calls: &[Call], cx: &mut Surroundings<'_>) -> Result<(), Refusal> {
        if calls.is_empty() {
            let request = RequestId { task: self.id, turn: self.data.turn, attempt };
            return Err(Refusal::NoCalls { request });
        }
        if calls.len() > usize::from(self.config.calls_max) {
            return Err(Refusal::TooManyCalls { got: calls.len() });
        }
        let mut highest = cx.highest;
        for call in calls {
            if let Call::Subtask { child } = *call {
                if let Some(highest) = highest
                    && child <= highest
                {
                    return Err(Refusal::IdNotFresh { highest, got: child });
                }
                highest = Some(child);
            }
        }
        cx.highest = highest;
        Ok(())
    }

    fn take_calls(&mut self, calls: &[Call], hold: Hold, cx: &mut Surroundings<'_>) -> TaskState {
        self.replied();
        self.data.mistakes = 0;
        let alone = calls.len() == 1;
        self.data.calls.replace(calls.iter().map(|call| match call {
            Call::Completion(_) if !alone && !self.config.has(Fault::CompletionBeside) => {
                CallState::Settled(CallResult::Refused(CallRefusal::NotAlone))
            }
            Call::Completion(_) | Call::Tool(_) | Call::Subtask { .. } | Call::Question => {
                CallState::Waiting(Wanted::Call(*call))
            }
        }));
        self.proceed(hold, cx)
    }

    fn take_text(&mut self, hold: Hold, cx: &mut Surroundings<'_>) -> TaskState {
        self.replied();
        self.data.mistakes = self.data.mistakes.saturating_add(1);
        let limit = self.config.mistakes_max;
        let reached = limit != 0 && self.data.mistakes >= limit;
        self.data.calls.replace(reached.then_some(CallState::Waiting(Wanted::Guidance)).into_iter());
        self.proceed(hold, cx)
    }

    /// The model has answered the current turn, and so has read what was in it.
    pub(crate) fn replied(&mut self) {
        self.data.replied = self.data.turn;
        if !self.config.has(Fault::MessageTakenTwice) {
            self.data.answered = self.data.taken;
        }
    }

    /// What the planted faults do to an answer that came too late; without them, nothing.
    fn late_response(&mut self, event: &TaskEvent<'_>, refusal: Refusal, cx: &mut Surroundings<'_>) {
        if self.config.has(Fault::IgnoredChanges) && matches!(refusal, Refusal::Ignored(_)) {
            self.data.mistakes = self.data.mistakes.saturating_add(1);
        }
        if self.config.has(Fault::CreateBeforeCheck)
            && let TaskEvent::ResponseEnded { response: Response::Calls(calls), .. } = event
        {
            for call in calls {
                if let Call::Subtask { child } = *call
                    && Some(child) > cx.highest
                {
                    cx.highest = Some(child);
                    self.start_subtask(child, Hold::Running, cx);
                }
            }
        }
    }
}
