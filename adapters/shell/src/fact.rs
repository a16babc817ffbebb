//! What happens to the machines of a shard, what they order, and why one does not take something. Each says which machine it is of.
//!
//! A shard has a tree of tasks, a credential for each profile that has no key that does not change, and an outbox for each root that has
//! ended. They know nothing of each other: what one has to say to another is a fact like any other, and is carried by `downbeat-wiring`.

use crate::trace::task_of;
use downbeat_kernel::{
    Credential, CredentialEffect, CredentialEvent, CredentialRejected, Effect, Event, Generation, News,
    NotificationEffect, NotificationEvent, NotificationRejected, Outcome, ProfileId, Rejected, RequestId,
    TaskId,
};
use serde::{Deserialize, Serialize};

/// What happened to which machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Fact {
    /// To the tree of tasks.
    Tree(Event),
    /// To the credential of a profile.
    Credential { profile: ProfileId, event: CredentialEvent },
    /// To the outbox of a root.
    Outbox { root: TaskId, event: NotificationEvent },
    /// A compacted journal says how a credential stands, in place of everything that happened to it.
    Stands { profile: ProfileId, credential: Credential },
}

/// Whose a fact is: what is kept by owner is forgotten with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Owner {
    Task(TaskId),
    Profile(ProfileId),
    Outbox(TaskId),
}

impl Fact {
    /// Whose it is; `None` if it is about all tasks.
    pub(crate) fn owner(&self) -> Option<Owner> {
        match self {
            Self::Tree(event) => task_of(event).map(Owner::Task),
            Self::Credential { profile, .. } | Self::Stands { profile, .. } => Some(Owner::Profile(*profile)),
            Self::Outbox { root, .. } => Some(Owner::Outbox(*root)),
        }
    }
}

impl From<Event> for Fact {
    fn from(event: Event) -> Self {
        Self::Tree(event)
    }
}

/// What is told to a shard. Who is told may be known only when it is taken.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Fact(Fact),
    /// A request wants a credential that is newer than that: it becomes the next who waits.
    Wanted {
        profile: ProfileId,
        request: RequestId,
        newer_than: Generation,
    },
    /// There is something to tell people of a root: it becomes the next notification.
    Posted {
        root: TaskId,
        news: News,
    },
    /// Somebody who has to hear of the end of a task has: if that was the last, the tree may forget it.
    Heard(TaskId),
}

impl From<Fact> for Told {
    fn from(fact: Fact) -> Self {
        Self::Fact(fact)
    }
}

impl From<Event> for Told {
    fn from(event: Event) -> Self {
        Self::Fact(event.into())
    }
}

/// What a machine orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Tree(Effect),
    Credential { profile: ProfileId, effect: CredentialEffect },
    Outbox { root: TaskId, effect: NotificationEffect },
}

/// Why a machine does not take a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The tree of tasks says so.
    Tree(Rejected),
    /// The credential of a profile says so.
    Credential(CredentialRejected),
    /// There is no credential of this profile: it has a key that does not change, or there is no such profile.
    NoCredential(ProfileId),
    /// The outbox of a root says so.
    Outbox(NotificationRejected),
}

/// The same outcome, of a machine among others.
pub(crate) fn of<R>(outcome: Outcome<R>, why: impl FnOnce(R) -> Refused) -> Outcome<Refused> {
    match outcome {
        Outcome::Applied => Outcome::Applied,
        Outcome::Ignored(why) => Outcome::Ignored(why),
        Outcome::Rejected(rejected) => Outcome::Rejected(why(rejected)),
    }
}

/// What became of an event of the tree.
pub(crate) fn of_tree(outcome: Outcome<Refused>) -> Outcome {
    match outcome {
        Outcome::Applied => Outcome::Applied,
        Outcome::Ignored(why) => Outcome::Ignored(why),
        Outcome::Rejected(Refused::Tree(rejected)) => Outcome::Rejected(rejected),
        Outcome::Rejected(
            refused @ (Refused::Credential(_) | Refused::NoCredential(_) | Refused::Outbox(_)),
        ) => {
            unreachable!("the tree was told, and another machine answers: {refused:?}")
        }
    }
}
