//! The words of an outbox: ids, events, effects, refusals.

use super::OutboxState;
use serde::{Deserialize, Serialize};

/// One notification of a task, counted from 1 without gaps. Together with the task it is what a receiver knows copies by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotificationNumber(pub u32);

/// A timer of an outbox, which numbers them from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotificationTimer(pub u32);

/// What a notification says, as far as the kernel reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum News {
    /// Something about a task that goes on.
    Progress,
    /// The task is over: nothing comes after this.
    Concluded(Conclusion),
}

/// How a task ended, as people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Conclusion {
    /// With a result.
    Completed,
    /// Without.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

/// A fact about the outbox of one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NotificationEvent {
    /// There is something to say about the task. Its words stay with whoever drives, under this number.
    Posted {
        /// The next number.
        number: NotificationNumber,
        /// What it is about.
        news: News,
    },
    /// The receiver has it. Answers [`NotificationEffect::Send`].
    Acknowledged {
        /// Which one.
        number: NotificationNumber,
    },
    /// It is on record that it may not have been delivered. Answers [`NotificationEffect::ReportUndelivered`].
    UndeliveredRecorded {
        /// Which one.
        number: NotificationNumber,
    },
    /// The timer ran out. Answers [`NotificationEffect::Arm`].
    Elapsed {
        /// Which timer.
        timer: NotificationTimer,
    },
}

/// An order to whoever drives an outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NotificationEffect {
    /// Send it to the receiver; answer [`NotificationEvent::Acknowledged`].
    Send {
        /// Which one: the idempotency key.
        number: NotificationNumber,
        /// What it is about.
        news: News,
    },
    /// Nobody acknowledged it in all its attempts. Put that where somebody looks; answer
    /// [`NotificationEvent::UndeliveredRecorded`].
    ReportUndelivered {
        /// Which one.
        number: NotificationNumber,
        /// What it is about.
        news: News,
    },
    /// Answer [`NotificationEvent::Elapsed`] after that time.
    Arm {
        /// The identity that the answer has to carry.
        timer: NotificationTimer,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// That timer is not needed any more.
    Disarm {
        /// Which one.
        timer: NotificationTimer,
    },
}

/// Why an event was refused: what is, and what arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotificationRejected {
    /// A number was left out.
    NotificationGap {
        /// The number that comes next.
        expected: NotificationNumber,
        /// The number that arrived.
        got: NotificationNumber,
    },
    /// [`Config::notifications_max`](crate::Config::notifications_max): too much waits to be delivered. The number is not
    /// used up. A conclusion is never refused for this.
    OutboxFull {
        /// The bound.
        limit: u16,
        /// The notification that was not accepted.
        number: NotificationNumber,
    },
    /// It answers something that the outbox has not ordered.
    NeverAsked {
        /// Where the outbox stands.
        state: OutboxState,
        /// What arrived.
        event: NotificationEvent,
    },
}
