//! One turn: the attempts of one question to the model, and the waits between them.
//!
//! All layers share one budget of attempts (S2). A turn's number and attempt are the identity of a request, and
//! its answer has to carry them; this module says what an answer with another identity is.

use crate::calls::{CallState, Wanted};
use crate::config::Config;
use crate::faults::Fault;
use crate::lifecycle::{Hold, Refusal, Surroundings, TaskEvent, TaskMachine};
use crate::task::{Held, TaskData, TaskState};
use crate::vocabulary::{
    Attempt, Call, CallId, CallRefusal, CallResult, Effect, Failure, Ignored, MessageId, Part, Reason,
    RequestId, Response, Sink, TaskId, Timer, TurnNumber,
};
use statig::Outcome::{self, Super, Transition};

/// Milliseconds before the attempt after `failed` is sent.
///
/// `backoff_ms` x 2^`failed`, at most `backoff_ms_max`; or what the provider asked for, `retry_after_ms`, plus a margin.
/// `jitter_ms` comes in with the event, because the kernel has no randomness.
pub(crate) fn backoff(config: &Config, failed: Attempt, retry_after_ms: Option<u32>, jitter_ms: u32) -> u64 {
    let wait = if let Some(asked) = retry_after_ms {
        u64::from(asked) + u64::from(config.retry_after_margin_ms)
    } else {
        let doubled = 1_u64.checked_shl(u32::from(failed.0)).unwrap_or(u64::MAX);
        u64::from(config.backoff_ms).saturating_mul(doubled).min(u64::from(config.backoff_ms_max))
    };
    wait + u64::from(jitter_ms)
}

/// How an answer's identity relates to what a task has asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It answers the request in flight.
    Current,
    /// It answers one that a newer one has replaced.
    Older,
    /// It answers a turn that has its answer.
    Answered,
    /// Nothing was asked under this identity.
    NeverAsked,
}

/// Relates the identity `turn`, `attempt` of an answer to the last turn that was `sent` and, if its request is
/// out or waits for its timer, the attempts that were sent of it.
pub(crate) fn fit(sent: TurnNumber, attempts: Attempts, turn: TurnNumber, attempt: Attempt) -> Fit {
    if turn > sent || turn.0 == 0 {
        return Fit::NeverAsked;
    }
    if turn < sent {
        return Fit::Older;
    }
    match attempts {
        Attempts::InFlight(last) if attempt == last => Fit::Current,
        Attempts::InFlight(last) if attempt > last => Fit::NeverAsked,
        Attempts::InFlight(_) => Fit::Older,
        Attempts::Next(next) if attempt >= next => Fit::NeverAsked,
        Attempts::Next(_) | Attempts::Answered => Fit::Answered,
    }
}

/// Which attempts of the last turn were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempts {
    /// This one is in flight; those before it failed.
    InFlight(Attempt),
    /// All before this one failed.
    Next(Attempt),
    /// One of them was answered; which one does not matter any more.
    Answered,
}

/// What an answer is that does not answer the current question.
pub(crate) fn late(fit: Fit) -> Refusal {
    match fit {
        Fit::Older => Refusal::Ignored(Ignored::Stale),
        Fit::Current | Fit::Answered => Refusal::Ignored(Ignored::Duplicate),
        Fit::NeverAsked => Refusal::NeverAsked,
    }
}

impl TaskData {
    /// The content of the current turn, and the order to send it. The same for every attempt (S2).
    pub(crate) fn emit_request(&self, task: TaskId, attempt: Attempt, config: &Config, sink: &mut dyn Sink) {
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
        sink.emit(Effect::Send { request: RequestId { task, turn: self.turn, attempt } });
    }
}

impl TaskMachine<'_> {
    pub(crate) fn request(&self, attempt: Attempt) -> RequestId {
        RequestId { task: self.id, turn: self.data.turn, attempt }
    }

    pub(crate) fn fits(&self, state: TaskState, turn: TurnNumber, attempt: Attempt) -> bool {
        let in_flight = matches!(state.attempts(), Attempts::InFlight(_));
        fit(self.data.turn, state.attempts(), turn, attempt) == Fit::Current
            || (in_flight && turn == self.data.turn && self.config.has(Fault::AnyAttempt))
            || (in_flight && self.config.has(Fault::AnyTurn))
    }

    /// Takes the queue and asks the model. Every call of the last response has its result here.
    pub(crate) fn begin_turn(&mut self, cx: &mut Surroundings<'_>) -> TaskState {
        self.data.turn.0 += 1;
        self.data.taken = self.data.accepted;
        self.send(Attempt(0), cx)
    }

    pub(crate) fn send(&self, attempt: Attempt, cx: &mut Surroundings<'_>) -> TaskState {
        self.data.emit_request(self.id, attempt, self.config, cx.sink);
        TaskState::Requesting { attempt }
    }

    /// The end of the request in flight, in whichever way; other events are not of the request.
    pub(crate) fn request_ended(
        &mut self,
        current: Attempt,
        event: &TaskEvent<'_>,
        hold: Hold,
        cx: &mut Surroundings<'_>,
    ) -> Outcome<TaskState> {
        use TaskEvent as E;
        let asked = TaskState::Requesting { attempt: current };
        match *event {
            E::ResponseEnded { turn, attempt, response, jitter_ms } if self.fits(asked, turn, attempt) => {
                match response {
                    Response::Calls(calls) => match self.judge(attempt, calls, cx) {
                        Ok(()) => Transition(self.take_calls(calls, hold, cx)),
                        Err(refusal) => cx.refuse(refusal),
                    },
                    Response::Text => Transition(self.take_text(hold, cx)),
                    // Nothing was said, so there is nothing to remind the model of: ask again.
                    Response::Empty => {
                        Transition(self.try_again(attempt, Failure::Transient, jitter_ms, hold, cx))
                    }
                }
            }
            E::RequestFailed { turn, attempt, failure: Failure::Truncated, .. }
                if self.config.has(Fault::TruncatedIsText) && self.fits(asked, turn, attempt) =>
            {
                Transition(self.take_text(hold, cx))
            }
            E::RequestFailed { turn, attempt, failure, jitter_ms } if self.fits(asked, turn, attempt) => {
                Transition(self.try_again(attempt, failure, jitter_ms, hold, cx))
            }
            // Nobody here asked for it, so it is a failure that may pass.
            E::RequestCancelled { turn, attempt } if self.fits(asked, turn, attempt) => {
                Transition(self.try_again(attempt, Failure::Transient, 0, hold, cx))
            }
            E::ResponseEnded { .. }
            | E::RequestFailed { .. }
            | E::RequestCancelled { .. }
            | E::Admitted
            | E::Initialized
            | E::InitializationFailed
            | E::ToolEnded { .. }
            | E::SubtaskEnded { .. }
            | E::AnswerReceived { .. }
            | E::MessageReceived { .. }
            | E::PauseRequested
            | E::ResumeRequested
            | E::CancelRequested
            | E::BackoffElapsed { .. }
            | E::GraceElapsed
            | E::EndAcknowledged
            | E::Released
            | E::Deployed
            | E::Worker { .. }
            | E::SubtaskRequested { .. }
            | E::ChildReported { .. } => Super,
        }
    }

    /// Whether a response's calls can be taken at all. Nothing has changed yet.
    fn judge(&self, attempt: Attempt, calls: &[Call], cx: &mut Surroundings<'_>) -> Result<(), Refusal> {
        if calls.is_empty() {
            return Err(Refusal::NoCalls { request: self.request(attempt) });
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
    fn replied(&mut self) {
        self.data.replied = self.data.turn;
        if !self.config.has(Fault::MessageTakenTwice) {
            self.data.answered = self.data.taken;
        }
    }

    fn try_again(
        &mut self,
        failed: Attempt,
        failure: Failure,
        jitter_ms: u32,
        hold: Hold,
        cx: &mut Surroundings<'_>,
    ) -> TaskState {
        let attempt = Attempt(failed.0.saturating_add(1));
        if failure == Failure::Permanent {
            return TaskState::Failed(Reason::RequestRefused);
        }
        if attempt.0 >= self.config.attempts_max && !self.config.has(Fault::NoBudget) {
            return TaskState::Failed(Reason::AttemptsExhausted);
        }
        if self.config.has(Fault::RetryTakesMessages) {
            self.data.taken = self.data.accepted;
        }
        let retry_after_ms = match failure {
            Failure::Throttled { retry_after_ms } => retry_after_ms,
            Failure::Transient | Failure::Truncated | Failure::Permanent => None,
        };
        let after_ms = backoff(self.config, failed, retry_after_ms, jitter_ms);
        if !self.config.has(Fault::NoBackoffTimer) {
            cx.emit(Effect::Arm { timer: Timer::Backoff(self.request(attempt)), after_ms });
        }
        match hold {
            Hold::Running => TaskState::BackingOff { attempt, after_ms },
            Hold::Paused => TaskState::Paused(Held::BackingOff { attempt, after_ms }),
        }
    }

    /// What the planted faults do to an answer that came too late; without them, nothing.
    pub(crate) fn late_response(&mut self, event: &TaskEvent<'_>, fit: Fit, cx: &mut Surroundings<'_>) {
        if self.config.has(Fault::IgnoredChanges) && fit != Fit::NeverAsked {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_to_its_bound_unless_the_provider_says_when() {
        #[rustfmt::skip]
        let cases = [
            ("first failure",                0,  None,            0, 5_000),
            ("second failure",               1,  None,            0, 10_000),
            ("seventh failure",              6,  None,            0, 320_000),
            ("eighth failure is bounded",    7,  None,            0, 600_000),
            ("a shift past 64 bits",       200,  None,            0, 600_000),
            ("the provider names a time",    3,  Some(20_000),    0, 21_000),
            ("the longest time it can name", 0,  Some(u32::MAX),  0, 4_294_968_295),
            ("jitter is added",              0,  None,          250, 5_250),
        ];
        for (name, failed, retry_after_ms, jitter_ms, expected) in cases {
            let wait = backoff(&Config::default(), Attempt(failed), retry_after_ms, jitter_ms);
            assert_eq!(wait, expected, "{name}");
        }
    }

    #[test]
    fn fit_tells_late_from_doubled_from_never_asked() {
        use Attempts::{Answered, InFlight, Next};
        #[rustfmt::skip]
        let cases = [
            ("the request in flight",       3, InFlight(Attempt(1)), 3, 1, Fit::Current),
            ("an earlier attempt",          3, InFlight(Attempt(1)), 3, 0, Fit::Older),
            ("a later attempt",             3, InFlight(Attempt(1)), 3, 2, Fit::NeverAsked),
            ("an earlier turn",             3, InFlight(Attempt(1)), 2, 9, Fit::Older),
            ("a later turn",                3, InFlight(Attempt(1)), 4, 0, Fit::NeverAsked),
            ("the failed attempt again",    3, Next(Attempt(2)),     3, 1, Fit::Answered),
            ("the attempt that is due",     3, Next(Attempt(2)),     3, 2, Fit::NeverAsked),
            ("the answered turn again",     3, Answered,             3, 0, Fit::Answered),
            ("turn zero does not exist",    0, Answered,             0, 0, Fit::NeverAsked),
        ];
        for (name, sent, attempts, turn, attempt, expected) in cases {
            assert_eq!(
                fit(TurnNumber(sent), attempts, TurnNumber(turn), Attempt(attempt)),
                expected,
                "{name}"
            );
        }
    }
}
