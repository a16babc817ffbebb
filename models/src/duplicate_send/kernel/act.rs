//! What can happen, and the event that tells a request of it.

use downbeat_kernel::{
    Aim, Attempt, Generation, ProfileId, Profiles, RequestEnd, RequestEvent, RequestState, RequestTimer,
    SendFailure,
};
use downbeat_sim::kinds::Kinds;

use super::super::wire::{Profile, Token, TurnIndex};
use super::Scenario;
use super::state::{State, Wanted};

/// One event, and whether the process crashes while its orders go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// What happens.
    pub act: Act,
    /// The process crashes after so many orders, and less than all, went out.
    pub cut: Option<u8>,
}

/// What a provider does about an open stream, or what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It begins to work. Nobody is told.
    Begins,
    /// Text comes.
    Text,
    /// The end comes.
    End,
    /// 429.
    Throttled,
    /// 429, and it wants to be asked again later than anybody waits.
    Exhausted,
    /// 401.
    Unauthorized,
    /// A 400 that names the previous response.
    ContinuityLost,
    /// Another 4xx.
    Invalid,
    /// The connection cannot be made, or the provider is in trouble.
    Unreachable,
    /// It works, and nothing comes in time.
    TimedOut,
    /// The stream breaks, or ends without the mark of its end.
    Breaks,
    /// The stream breaks for want of capacity, after its bill, and the provider says when to ask again.
    Sheds,
}

impl Answer {
    /// How the driver reports it, if it is a failure.
    pub(super) fn failure(self) -> Option<SendFailure> {
        match self {
            Self::Begins | Self::Text | Self::End => None,
            Self::Throttled => Some(SendFailure::Throttled { retry_after_ms: None }),
            Self::Exhausted => Some(SendFailure::Throttled { retry_after_ms: Some(u32::MAX) }),
            Self::Sheds => Some(SendFailure::Throttled { retry_after_ms: Some(9_000) }),
            Self::Unauthorized => Some(SendFailure::Unauthorized),
            Self::ContinuityLost => Some(SendFailure::ContinuityLost),
            Self::Invalid => Some(SendFailure::Invalid),
            Self::Unreachable | Self::TimedOut => Some(SendFailure::Transient),
            Self::Breaks => Some(SendFailure::Interrupted),
        }
    }
}

/// What is said again, too late, or without having been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Echo {
    /// The turn begins.
    Began,
    /// It is cancelled.
    Cancelled,
    /// There is a credential for an attempt.
    Given(u8),
    /// The credential that was refused is given once more.
    OldToken(u8),
    /// There is no credential for an attempt.
    NotGiven(u8),
    /// Output of an attempt is to go out.
    Text(u8),
    /// The response to an attempt is there.
    End(u8),
    /// An attempt has failed.
    Failed(u8),
    /// An attempt has stopped.
    Stopped(u8),
    /// What an attempt has cost.
    Usage(u8),
    /// The wait before an attempt is over.
    Backoff(u8),
    /// The time of an attempt to stop is over.
    Grace(u8),
    /// A profile is down, or up, that is not in the list.
    Profile,
}

/// What happens. What has a turn is about the request of that turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Act {
    /// Somebody asks for the next turn.
    Ask,
    /// Somebody cancels the next turn before it has begun.
    CancelUnbegun,
    /// Somebody cancels a turn.
    Cancel(TurnIndex),
    /// There is a credential.
    Give(TurnIndex),
    /// There is none.
    Refuse(TurnIndex),
    /// A send that was not told to stop is answered.
    Answer(TurnIndex, Answer),
    /// A send that was told to stop is answered all the same.
    Race(TurnIndex, Answer),
    /// A send that was told to stop is closed.
    Stop(TurnIndex),
    /// Nobody knows what became of a send of before a crash.
    Forget(TurnIndex),
    /// Its whole response is on record.
    Recall(TurnIndex),
    /// The provider says what an attempt has cost.
    Usage(TurnIndex, u8),
    /// A wait is over.
    Backoff(TurnIndex),
    /// The time to stop is over.
    Grace(TurnIndex),
    /// A profile goes down.
    Down(TurnIndex, Profile),
    /// A profile comes up.
    Up(TurnIndex, Profile),
    /// The process crashes at rest.
    Crash,
    /// Something is said again, too late, or without having been asked.
    Echo(TurnIndex, Echo),
}

impl Act {
    /// The event, and whose request is told; `None` for what no request is told of, or what cannot happen.
    pub(super) fn event(self, state: &State, scenario: &Scenario) -> Option<(TurnIndex, RequestEvent)> {
        let next = state.made();
        let told = match self {
            Self::Ask => (next, began(scenario, state)),
            Self::CancelUnbegun => (next, RequestEvent::CancelRequested),
            Self::Cancel(turn) => (turn, RequestEvent::CancelRequested),
            Self::Give(turn) => {
                let wanted = state.desk(turn).wanted?;
                let newest = newest(state, wanted);
                (turn, given(wanted.attempt, newest))
            }
            Self::Refuse(turn) => {
                let attempt = attempt(state.desk(turn).wanted?.attempt);
                (turn, RequestEvent::CredentialFailed { attempt })
            }
            Self::Answer(turn, answer) | Self::Race(turn, answer) => (turn, reported(state, turn, answer)?),
            Self::Stop(turn) => (turn, RequestEvent::Stopped { attempt: last(state, turn)? }),
            Self::Forget(turn) => (turn, failed(last(state, turn)?, SendFailure::Interrupted)),
            Self::Recall(turn) => (turn, RequestEvent::ResponseEnded { attempt: last(state, turn)? }),
            Self::Usage(turn, number) => (turn, RequestEvent::UsageReported { attempt: attempt(number) }),
            Self::Backoff(turn) => (turn, backoff(state.desk(turn).backoff?)),
            Self::Grace(turn) => (turn, grace(state.desk(turn).grace?)),
            Self::Down(turn, profile) => (turn, RequestEvent::ProfileDown { profile: ProfileId(profile) }),
            Self::Up(turn, profile) => (turn, RequestEvent::ProfileUp { profile: ProfileId(profile) }),
            Self::Crash => return None,
            Self::Echo(turn, echo) => (turn, echoed(echo, state, turn, scenario)),
        };
        Some(told)
    }
}

/// The token that somebody is given who has not asked for one: newer than all that are.
const UNASKED: Token = 99;

/// The token that somebody is given who has asked for one. It is refreshed if it will not do.
pub(super) fn newest(state: &State, wanted: Wanted) -> Token {
    state.tokens[usize::from(wanted.profile)].max(wanted.newer_than.saturating_add(1))
}

fn attempt(number: u8) -> Attempt {
    Attempt(number.into())
}

fn last(state: &State, turn: TurnIndex) -> Option<Attempt> {
    let sends = state.desk(turn).request.ledger.sends().len();
    Some(Attempt(u16::try_from(sends).ok()?.checked_sub(1)?))
}

fn began(scenario: &Scenario, state: &State) -> RequestEvent {
    let mut conversation = state.conversation;
    let previous = conversation.claim(&downbeat_kernel::Config::default());
    RequestEvent::Began { profiles: Profiles { count: scenario.profiles, down: 0, keyed: 0 }, previous }
}

fn given(number: u8, generation: Token) -> RequestEvent {
    RequestEvent::CredentialGiven { attempt: attempt(number), generation: Generation(generation.into()) }
}

fn failed(attempt: Attempt, failure: SendFailure) -> RequestEvent {
    RequestEvent::SendFailed { attempt, failure, jitter_ms: 0 }
}

fn backoff(number: u8) -> RequestEvent {
    RequestEvent::TimerFired { timer: RequestTimer::Backoff(attempt(number)) }
}

fn grace(number: u8) -> RequestEvent {
    RequestEvent::TimerFired { timer: RequestTimer::Grace(attempt(number)) }
}

/// How the driver reports what becomes of the open stream.
fn reported(state: &State, turn: TurnIndex, answer: Answer) -> Option<RequestEvent> {
    let attempt = last(state, turn)?;
    match answer {
        Answer::Begins => None,
        Answer::Text => Some(RequestEvent::OutputDelivered { attempt }),
        Answer::End => Some(RequestEvent::ResponseEnded { attempt }),
        Answer::Throttled
        | Answer::Exhausted
        | Answer::Sheds
        | Answer::Unauthorized
        | Answer::ContinuityLost
        | Answer::Invalid
        | Answer::Unreachable
        | Answer::TimedOut
        | Answer::Breaks => answer.failure().map(|failure| failed(attempt, failure)),
    }
}

fn echoed(echo: Echo, state: &State, turn: TurnIndex, scenario: &Scenario) -> RequestEvent {
    match echo {
        Echo::Began => began(scenario, state),
        Echo::Cancelled => RequestEvent::CancelRequested,
        Echo::Given(number) => given(number, UNASKED),
        Echo::OldToken(number) => {
            let refused = state.desk(turn).wanted.map_or(0, |wanted| wanted.newer_than);
            given(number, refused)
        }
        Echo::NotGiven(number) => RequestEvent::CredentialFailed { attempt: attempt(number) },
        Echo::Text(number) => RequestEvent::OutputDelivered { attempt: attempt(number) },
        Echo::End(number) => RequestEvent::ResponseEnded { attempt: attempt(number) },
        Echo::Failed(number) => failed(attempt(number), SendFailure::Transient),
        Echo::Stopped(number) => RequestEvent::Stopped { attempt: attempt(number) },
        Echo::Usage(number) => RequestEvent::UsageReported { attempt: attempt(number) },
        Echo::Backoff(number) => backoff(number),
        Echo::Grace(number) => grace(number),
        Echo::Profile => RequestEvent::ProfileDown { profile: ProfileId(scenario.profiles) },
    }
}

/// Every event that changes something, by the state in which it does, as in the table of `docs/request.md`.
#[rustfmt::skip]
pub(super) const EDGES: [(&str, &str); 44] = [
    ("Unbegun",            "Began"),
    ("Authorizing",        "CredentialGiven"),
    ("Authorizing",        "CredentialFailed"),
    ("Streaming",          "OutputDelivered"),
    ("Streaming",          "ResponseEnded"),
    ("Delivering",         "ResponseEnded"),
    ("Stopping(Failover)", "ResponseEnded"),
    ("Stopping(Cancel)",   "ResponseEnded"),
    ("Streaming",          "SendFailed"),
    ("Delivering",         "SendFailed"),
    ("Stopping(Failover)", "SendFailed"),
    ("Stopping(Cancel)",   "SendFailed"),
    ("Stopping(Failover)", "Stopped"),
    ("Stopping(Cancel)",   "Stopped"),
    ("Authorizing",        "UsageReported"),
    ("BackingOff",         "UsageReported"),
    ("Streaming",          "UsageReported"),
    ("Delivering",         "UsageReported"),
    ("Stopping(Failover)", "UsageReported"),
    ("Stopping(Cancel)",   "UsageReported"),
    ("Accepted",           "UsageReported"),
    ("Failed",             "UsageReported"),
    ("Cancelled",          "UsageReported"),
    ("Authorizing",        "ProfileDown"),
    ("BackingOff",         "ProfileDown"),
    ("Streaming",          "ProfileDown"),
    ("Delivering",         "ProfileDown"),
    ("Stopping(Failover)", "ProfileDown"),
    ("Stopping(Cancel)",   "ProfileDown"),
    ("Authorizing",        "ProfileUp"),
    ("BackingOff",         "ProfileUp"),
    ("Streaming",          "ProfileUp"),
    ("Delivering",         "ProfileUp"),
    ("Stopping(Failover)", "ProfileUp"),
    ("Stopping(Cancel)",   "ProfileUp"),
    ("Unbegun",            "CancelRequested"),
    ("Authorizing",        "CancelRequested"),
    ("BackingOff",         "CancelRequested"),
    ("Streaming",          "CancelRequested"),
    ("Delivering",         "CancelRequested"),
    ("Stopping(Failover)", "CancelRequested"),
    ("BackingOff",         "TimerFired(Backoff)"),
    ("Stopping(Failover)", "TimerFired(Grace)"),
    ("Stopping(Cancel)",   "TimerFired(Grace)"),
];

/// The place of an edge among [`EDGES`].
pub(super) fn edge(state: &str, event: &str) -> Option<usize> {
    EDGES.iter().position(|known| *known == (state, event))
}

/// Where a request stands, as the page of requests names it.
pub(super) fn name_of(state: RequestState) -> &'static str {
    match state {
        RequestState::Unbegun => "Unbegun",
        RequestState::Authorizing { .. } => "Authorizing",
        RequestState::Ready { .. } => "Ready",
        RequestState::Streaming { .. } => "Streaming",
        RequestState::Delivering => "Delivering",
        RequestState::BackingOff { .. } => "BackingOff",
        RequestState::Stopping(Aim::Failover { .. }) => "Stopping(Failover)",
        RequestState::Stopping(Aim::Cancel) => "Stopping(Cancel)",
        RequestState::Ended(RequestEnd::Accepted { .. }) => "Accepted",
        RequestState::Ended(RequestEnd::Failed(_)) => "Failed",
        RequestState::Ended(RequestEnd::Cancelled) => "Cancelled",
    }
}

/// The name of an event without what it carries.
pub(super) fn kind_of(event: RequestEvent) -> &'static str {
    match event {
        RequestEvent::Began { .. } => "Began",
        RequestEvent::CredentialGiven { .. } => "CredentialGiven",
        RequestEvent::CredentialFailed { .. } => "CredentialFailed",
        RequestEvent::OutputDelivered { .. } => "OutputDelivered",
        RequestEvent::ResponseEnded { .. } => "ResponseEnded",
        RequestEvent::SendFailed { .. } => "SendFailed",
        RequestEvent::Stopped { .. } => "Stopped",
        RequestEvent::UsageReported { .. } => "UsageReported",
        RequestEvent::ProfileDown { .. } => "ProfileDown",
        RequestEvent::ProfileUp { .. } => "ProfileUp",
        RequestEvent::PauseRequested => "PauseRequested",
        RequestEvent::ResumeRequested => "ResumeRequested",
        RequestEvent::CancelRequested => "CancelRequested",
        RequestEvent::TimerFired { timer: RequestTimer::Backoff(_) } => "TimerFired(Backoff)",
        RequestEvent::TimerFired { timer: RequestTimer::Grace(_) } => "TimerFired(Grace)",
    }
}
