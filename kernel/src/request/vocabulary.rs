//! What goes into a request and what comes out of it: the words, no decision.

use super::{Profiles, RequestState};
use crate::credential::Generation;
use crate::vocabulary::{Attempt, TurnNumber};
use serde::{Deserialize, Serialize};

/// A profile of a provider: its place, from 0, in the list of those that a request may be sent to. Each has a credential
/// of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProfileId(pub u8);

/// A response that a later turn of the conversation may continue from: the one to this attempt of this turn, which the
/// provider keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Previous {
    /// The turn that it answered.
    pub turn: TurnNumber,
    /// The send that it answered.
    pub attempt: Attempt,
    /// Where that was sent to; no other profile knows it.
    pub profile: ProfileId,
}

/// A fact about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RequestEvent {
    /// Somebody wants an answer of the model.
    Began {
        /// Where it may be sent to.
        profiles: Profiles,
        /// What it may continue from, claimed from its [`Conversation`](super::Conversation).
        previous: Option<Previous>,
    },
    /// There is a credential. Answers the last [`RequestEffect::GetCredential`], each of which is answered once: what is
    /// repeated of an order for another profile could not be told from it.
    CredentialGiven {
        /// The send that it is for.
        attempt: Attempt,
        /// Which one.
        generation: Generation,
    },
    /// There is none to be had. Answers [`RequestEffect::GetCredential`].
    CredentialFailed {
        /// The send that it was for.
        attempt: Attempt,
    },
    /// Output of an attempt goes out: words that somebody reads, or a tool that it calls. Told before the first of it goes
    /// out, and it goes out only if this was applied, then or before; else it is held back until the request has ended.
    OutputDelivered {
        /// Whose output.
        attempt: Attempt,
    },
    /// The whole response is there, with the mark of its end. Answers [`RequestEffect::Send`].
    ResponseEnded {
        /// Which send.
        attempt: Attempt,
    },
    /// The send is over, closed, and without a whole response. Answers [`RequestEffect::Send`].
    SendFailed {
        /// Which send.
        attempt: Attempt,
        /// How.
        failure: SendFailure,
        /// Milliseconds to add to the wait before the next attempt.
        jitter_ms: u32,
    },
    /// The send is closed, because it was told to stop. Answers [`RequestEffect::Stop`], and nothing else: a stream that
    /// somebody else has broken off is [`SendFailure::Interrupted`].
    Stopped {
        /// Which send.
        attempt: Attempt,
    },
    /// The provider says what a send has cost. May come at any time after it, also after its end; of a request in a task, until
    /// the next turn begins, which the response itself may do.
    UsageReported {
        /// Which send.
        attempt: Attempt,
    },
    /// A profile does not work, or cools down. Told before the failure by which this was noticed.
    ProfileDown {
        /// Which one.
        profile: ProfileId,
    },
    /// A profile may be used again.
    ProfileUp {
        /// Which one.
        profile: ProfileId,
    },
    /// A person wants nothing new to be sent. A send that is open goes on.
    PauseRequested,
    /// A person wants it to go on.
    ResumeRequested,
    /// Nobody wants the answer any more.
    CancelRequested,
    /// An armed timer ran out. Answers [`RequestEffect::Arm`].
    TimerFired {
        /// Which timer.
        timer: RequestTimer,
    },
}

/// How a send failed, by its type and not by its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SendFailure {
    /// The provider asked for patience (429, or a code of its own). Also in the middle of a stream, if its
    /// [`RequestEvent::UsageReported`] came before: what is not said to have been worked on is booked as refused.
    Throttled {
        /// Milliseconds after which it wants to be asked again, if it said so.
        retry_after_ms: Option<u32>,
    },
    /// It did not take the token (401).
    Unauthorized,
    /// It does not know the response that the send continues from (a 400 that names it).
    ContinuityLost,
    /// The input is longer than the model takes.
    ContextTooLong,
    /// Nothing came, for a reason that may pass: an error of the server, a lost connection, no first byte in time.
    Transient,
    /// The stream broke off, or ended without the mark of its end.
    Interrupted,
    /// Something else is wrong with the request (any other 4xx).
    Invalid,
}

/// A failure that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Passing {
    /// [`SendFailure::Throttled`].
    Throttled,
    /// [`SendFailure::Transient`].
    Transient,
    /// [`SendFailure::Interrupted`].
    Interrupted,
}

/// Why something is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SendReason {
    /// Nothing was sent before.
    First,
    /// The one before failed in a way that may pass, and its wait is over.
    Retry(Passing),
    /// The token of the one before was not taken; this one has a newer one of the same profile (S17).
    FreshToken,
    /// What the one before continued from is lost; this one has the full input.
    FullInput,
    /// The profile of the one before is not to be used.
    Failover,
    /// It was not to be used any more, and is the best place again before anything went elsewhere.
    Returned,
}

/// What a send has the provider read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Input {
    /// The whole conversation.
    Full,
    /// What is new since that response.
    Continue(Previous),
}

/// A timer of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RequestTimer {
    /// The wait before this attempt.
    Backoff(Attempt),
    /// How long this attempt may take to stop.
    Grace(Attempt),
}

/// An order to whoever drives a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RequestEffect {
    /// Get a credential to send with; answer [`RequestEvent::CredentialGiven`] or [`RequestEvent::CredentialFailed`], once. Given
    /// again for the same send if another profile has become the better place.
    GetCredential {
        /// The send that it is for.
        attempt: Attempt,
        /// Whose credential.
        profile: ProfileId,
        /// The generation that was refused, 0 if none was: one that is newer is needed.
        newer_than: Generation,
    },
    /// Send; answer [`RequestEvent::ResponseEnded`] or [`RequestEvent::SendFailed`].
    Send {
        /// With task and turn its identity, and its idempotency key.
        attempt: Attempt,
        /// Where to.
        profile: ProfileId,
        /// With which credential.
        generation: Generation,
        /// What the provider reads.
        input: Input,
        /// Why.
        reason: SendReason,
    },
    /// Say what became of a send of before a crash; answer as to [`RequestEffect::Send`], [`SendFailure::Interrupted`] if
    /// nobody knows.
    Recover {
        /// Which send.
        attempt: Attempt,
    },
    /// Close a send in an orderly way; answer [`RequestEvent::Stopped`], or how it ended.
    Stop {
        /// Which send.
        attempt: Attempt,
    },
    /// Close a send by force. It is closed when this order is done, before the next one is begun; expects no answer.
    Fence {
        /// Which send.
        attempt: Attempt,
    },
    /// A send has to be paid by the profile that it went to.
    Charge {
        /// Which send.
        attempt: Attempt,
        /// Who pays.
        profile: ProfileId,
    },
    /// Answer [`RequestEvent::TimerFired`] after that time.
    Arm {
        /// The identity that the answer has to carry.
        timer: RequestTimer,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// That timer is not needed any more.
    Disarm {
        /// Which one.
        timer: RequestTimer,
    },
    /// The request came to its end.
    Ended {
        /// How.
        end: RequestEnd,
    },
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RequestEnd {
    /// With the whole response to this attempt.
    Accepted {
        /// Which one.
        attempt: Attempt,
    },
    /// Without one.
    Failed(RequestReason),
    /// Somebody asked for that. A whole response may have come meanwhile, and was not taken.
    Cancelled,
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RequestReason {
    /// The budget of sends is spent.
    AttemptsExhausted,
    /// There was no credential to be had.
    Credential,
    /// Every provider that is up wants to be asked again later than [`Config::retry_after_ms_max`](crate::Config).
    Throttled,
    /// A newer token of the same profile was not taken either (S17).
    Unauthorized,
    /// The input is longer than the model takes: somebody has to shorten it.
    ContextTooLong,
    /// Sending it again cannot help.
    Invalid,
    /// The stream broke off, and output of it had gone out (S18): somebody has to say what becomes of that.
    Interrupted,
}

/// Why an event was refused: what is, and what arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestRejected {
    /// There is no profile, there are more than [`PROFILES_MAX`](super::PROFILES_MAX), or one is down or remembered that is
    /// not in the list.
    Profiles {
        /// What arrived.
        got: Profiles,
    },
    /// The request may not be sent to this profile.
    UnknownProfile {
        /// How many it may be sent to.
        count: u8,
        /// What arrived.
        got: ProfileId,
    },
    /// A newer credential was asked for.
    OldCredential {
        /// The generation that was refused.
        refused: Generation,
        /// What arrived.
        got: Generation,
    },
    /// It answers something that the request has not asked.
    NeverAsked {
        /// Where the request stands.
        state: RequestState,
        /// What arrived.
        event: RequestEvent,
    },
}
