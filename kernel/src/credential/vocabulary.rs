//! What goes into a credential and what comes out of it: the words, no decision.

use super::CredentialState;
use serde::{Deserialize, Serialize};

/// One content of the store, over all processes: each one that is written has the next number. 0 stands for none. The
/// tokens themselves stay with whoever drives the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generation(pub u32);

/// One who wants a credential, for one send. The caller numbers them from 1, without gaps, over all tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WaiterId(pub u64);

/// One order to the store, the server or the clock. The credential numbers them from 1, and one at most is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderNumber(pub u32);

/// A fact about one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CredentialEvent {
    /// Somebody needs a credential to send with.
    Wanted {
        /// The next number.
        waiter: WaiterId,
        /// The generation that will not do, because it was refused (401) or has expired; 0 if any will.
        newer_than: Generation,
    },
    /// The store was read. Answers [`CredentialEffect::Read`] and [`CredentialEffect::Claim`].
    StoreRead {
        /// Which order.
        order: OrderNumber,
        /// What was there.
        found: Found,
    },
    /// The refresh is over. Answers [`CredentialEffect::Refresh`] and [`CredentialEffect::Recover`].
    RefreshEnded {
        /// Which order.
        order: OrderNumber,
        /// How.
        end: RefreshEnd,
    },
    /// The write is over. Answers [`CredentialEffect::Write`] and [`CredentialEffect::Recover`].
    WriteEnded {
        /// Which order.
        order: OrderNumber,
        /// How.
        end: WriteEnd,
    },
    /// The store holds this generation: another process refreshed, or a person logged in. May come at any time, and need not.
    StoreChanged {
        /// What it holds.
        generation: Generation,
    },
    /// The time of an order is over. Answers [`CredentialEffect::Arm`].
    Elapsed {
        /// Which order.
        order: OrderNumber,
    },
}

/// What was in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Found {
    /// The generation that the order names; if the order was a claim, the right to refresh it is this process's.
    Current,
    /// The generation that the order names, and another process has the right to refresh it.
    Taken,
    /// Another generation. Nothing was claimed.
    Other {
        /// Which one: generations of a store only grow.
        generation: Generation,
    },
    /// Nothing: nobody has logged in, or somebody has logged out.
    Empty,
    /// The store gave no answer that could be used.
    Unreadable,
}

/// How a refresh ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RefreshEnd {
    /// With a new credential, which is kept until it is written.
    Refreshed,
    /// The server does not take the token: it was used, or was revoked, or is too old.
    InvalidGrant,
    /// In any other way. The server may have taken the token or not.
    Failed,
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WriteEnd {
    /// The store holds the new credential, durably.
    Stored,
    /// The store held another generation than expected, could not be written, or did not say.
    Failed,
    /// The new credential did not survive a crash, so that there is nothing to write.
    Lost,
}

/// An order to whoever drives a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CredentialEffect {
    /// Say what the store holds; answer [`CredentialEvent::StoreRead`].
    Read {
        /// The identity that the answer has to carry.
        order: OrderNumber,
        /// The generation to compare with.
        generation: Generation,
    },
    /// The same, and if the store holds this generation, take the right to refresh it in the same atomic act, unless
    /// another process has it. A process that has the right already keeps it for the new time.
    Claim {
        /// The identity that the answer has to carry.
        order: OrderNumber,
        /// The generation to compare with, and to claim.
        generation: Generation,
        /// Milliseconds from the claim. The right ends then, or when a newer generation is written.
        for_ms: u64,
    },
    /// Use the refresh token of this generation; answer [`CredentialEvent::RefreshEnded`].
    Refresh {
        /// The identity that the answer has to carry.
        order: OrderNumber,
        /// Whose token.
        generation: Generation,
    },
    /// End the refresh by force. Nothing more is sent for it when this order is done, before the next one is begun;
    /// expects no answer.
    Abort {
        /// Which refresh.
        order: OrderNumber,
    },
    /// Write the new credential under this generation, if the store holds the one before, in one atomic act; answer
    /// [`CredentialEvent::WriteEnded`].
    Write {
        /// The identity that the answer has to carry.
        order: OrderNumber,
        /// The generation of the new credential.
        generation: Generation,
    },
    /// After a crash: say how this refresh or write ended, and do not begin it. If nobody knows, it failed.
    Recover {
        /// Which order.
        order: OrderNumber,
    },
    /// Answer [`CredentialEvent::Elapsed`] after that time.
    Arm {
        /// The identity that the answer has to carry.
        order: OrderNumber,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// That timer is not needed any more.
    Disarm {
        /// Whose timer.
        order: OrderNumber,
    },
    /// Someone who waited need not wait any more.
    Settle {
        /// Who.
        waiter: WaiterId,
        /// With what.
        end: WaitEnd,
    },
}

/// What someone gets who wanted a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WaitEnd {
    /// This generation, newer than the one that would not do.
    Given(Generation),
    /// Nothing: there is no credential, or the server does not take it, and a person has to log in.
    Refused,
    /// Nothing: the store or the server was out of reach for too long.
    Failed,
}

/// Why an event was refused: what is, and what arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CredentialRejected {
    /// The number of a waiter was left out.
    WaiterGap {
        /// The number that comes next.
        expected: WaiterId,
        /// The number that arrived.
        got: WaiterId,
    },
    /// [`Config::waiters_max`](crate::Config::waiters_max) wait already.
    WaitersFull {
        /// Who may not wait.
        waiter: WaiterId,
    },
    /// A generation that cannot come after the one that is known, or that nobody was given.
    Generation {
        /// The newest that is known.
        known: Generation,
        /// The one that arrived.
        got: Generation,
    },
    /// It answers something that the credential has not ordered.
    NeverAsked {
        /// Where the credential stands.
        state: CredentialState,
        /// What arrived.
        event: CredentialEvent,
    },
}
