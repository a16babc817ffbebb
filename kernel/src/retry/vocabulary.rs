//! The words of the attempts at a remote task: ids, events, effects, refusals.

use super::RetryState;
use serde::{Deserialize, Serialize};

/// One attempt at a task, counted from 1: the epoch of what is done for it. Whoever starts attempts and takes their results
/// accepts nothing of one that it was told to fence, and nothing of an older one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptNumber(pub u32);

/// One question about an attempt, or order to fence it, counted from 1 over the task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QueryNumber(pub u32);

/// A timer of the attempts at a task, which number them from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RetryTimer(pub u32);

/// Why an attempt failed, by what is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FailureClass {
    /// It may pass: another attempt after a wait.
    Transient,
    /// Somebody asked for patience: another attempt after that time.
    Throttled {
        /// Milliseconds to wait.
        retry_after_ms: u32,
    },
    /// Another attempt cannot help.
    Permanent,
}

/// How an attempt ended, as far as its sender knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AttemptEnd {
    /// Its result was accepted.
    Succeeded,
    /// It is over without a result.
    Failed(FailureClass),
    /// Nobody knows: a time-out, or an agent that is gone. It may have succeeded, and it may still run.
    Unknown,
}

/// How an attempt was found when somebody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Finding {
    /// Its result was accepted.
    Succeeded,
    /// It is over without a result.
    Failed(FailureClass),
    /// Nobody has begun with it.
    NeverStarted,
    /// Somebody works on it.
    StillRunning,
}

/// A fact about the attempts at one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RetryEvent {
    /// The task is to be done.
    Submitted,
    /// An attempt is over, or nothing is heard of it. Answers [`RetryEffect::Begin`].
    AttemptEnded {
        /// Which attempt.
        attempt: AttemptNumber,
        /// How.
        end: AttemptEnd,
    },
    /// Somebody looked. Answers [`RetryEffect::Query`] and [`RetryEffect::Fence`].
    Found {
        /// Which attempt.
        attempt: AttemptNumber,
        /// Which question or fence.
        query: QueryNumber,
        /// How it stood, at some time after that was ordered.
        finding: Finding,
    },
    /// Nobody wants the task any more.
    CancelRequested,
    /// The end is on record. Answers [`RetryEffect::Ended`].
    EndAcknowledged,
    /// The timer ran out. Answers [`RetryEffect::Arm`].
    Elapsed {
        /// Which timer.
        timer: RetryTimer,
    },
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RetryEnd {
    /// With the result of an attempt.
    Completed {
        /// Which one.
        attempt: AttemptNumber,
    },
    /// Without a result.
    Failed(RetryReason),
    /// Somebody cancelled it first, whatever its attempt came to. Nothing of it begins or goes on after this (S21).
    Cancelled,
    /// Somebody cancelled it, and nobody confirmed that its last attempt is stopped: that may begin, go on, and deliver a
    /// result. A person has to look.
    CancelUnconfirmed,
}

/// Why a task failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RetryReason {
    /// Another attempt cannot help.
    Permanent,
    /// The last attempt that it may have has failed.
    Exhausted,
    /// Nobody could say what became of its last attempt: it may have succeeded, or still run. A person has to look.
    Unknown,
}

/// An order to whoever drives the attempts at a task. Orders are given at least once, with the same identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RetryEffect {
    /// Have the task done; answer [`RetryEvent::AttemptEnded`].
    Begin {
        /// Which attempt: the idempotency key, and the epoch of all that is done for it.
        attempt: AttemptNumber,
    },
    /// Say how the attempt stands; answer [`RetryEvent::Found`].
    Query {
        /// Which attempt.
        attempt: AttemptNumber,
        /// The identity that the answer has to carry.
        query: QueryNumber,
    },
    /// See to it that the attempt does not begin, go on, or deliver a result from here on, and say how it stood; answer
    /// [`RetryEvent::Found`].
    Fence {
        /// Which attempt.
        attempt: AttemptNumber,
        /// The identity that the answer has to carry.
        query: QueryNumber,
    },
    /// The task ended; answer [`RetryEvent::EndAcknowledged`].
    Ended {
        /// How.
        end: RetryEnd,
    },
    /// Answer [`RetryEvent::Elapsed`] after that time.
    Arm {
        /// The identity that the answer has to carry.
        timer: RetryTimer,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// That timer is not needed any more.
    Disarm {
        /// Which one.
        timer: RetryTimer,
    },
}

/// Why an event was refused: what is, and what arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetryRejected {
    /// It answers something that was never ordered.
    NeverAsked {
        /// Where the task stands.
        state: RetryState,
        /// What arrived.
        event: RetryEvent,
    },
}
