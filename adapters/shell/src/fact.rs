//! What happens to the machines of a shard, what they order, and why one does not take something. Each says which machine it is of.
//!
//! A shard has a tree of tasks, a credential for each profile that has no key that does not change, a pool if its tasks run on agents, the
//! attempts at each task that is tried again, the questions of its agent beside each root of which one has asked, and an outbox for each root of which people have to hear. They know nothing of each other: what one has to say to another is a fact like any other, and is carried by `downbeat-wiring`.

use crate::agents::Submitter;
use crate::trace::task_of;
use downbeat_kernel::{
    AgentId, AttemptNumber, Budget, CallId, Credential, CredentialEffect, CredentialEvent,
    CredentialRejected, Effect, End, Event, Generation, IteratorId, Lease, News, NotificationEffect,
    NotificationEvent, NotificationRejected, Outcome, PoolEffect, PoolEvent, PoolRejected, ProfileId,
    QueryNumber, QuestionEffect, QuestionEvent, QuestionRejected, Rejected, RequestId, RetryEffect,
    RetryEvent, RetryRejected, Spend, TaskId,
};
use downbeat_wiring::Word;
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
    /// To the pool of agents.
    Pool(PoolEvent),
    /// To the tree: somebody submits a task, whom the pool counts it to.
    Submitted { task: TaskId, budget: Budget, by: Submitter },
    /// To the tree and to the attempts: somebody submits a task that is tried again, and its first attempt begins with it.
    Attempted { task: TaskId, budget: Budget, by: Submitter },
    /// To the tree: another attempt at a task begins, as this root.
    Begun { task: TaskId, attempt: AttemptNumber, root: TaskId },
    /// To the questions of the agent of a root.
    Questions { root: TaskId, event: QuestionEvent },
    /// To the attempts at a task.
    Retry { task: TaskId, event: RetryEvent },
    /// The pool has no place for a task and will have none: the tree is told to end it, and why is on record with that.
    NoPlace(TaskId),
    /// A compacted journal says how a credential stands, in place of everything that happened to it.
    Stands { profile: ProfileId, credential: Credential },
}

/// Whose a fact is: what is kept by owner is forgotten with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Owner {
    Task(TaskId),
    Profile(ProfileId),
    Outbox(TaskId),
    Agent(AgentId),
    Retry(TaskId),
    Questions(TaskId),
}

impl Fact {
    /// Whose it is; `None` if it is about all tasks.
    pub(crate) fn owner(&self) -> Option<Owner> {
        match self {
            Self::Tree(event) => task_of(event).map(Owner::Task),
            Self::Credential { profile, .. } | Self::Stands { profile, .. } => Some(Owner::Profile(*profile)),
            Self::Outbox { root, .. } => Some(Owner::Outbox(*root)),
            Self::Pool(event) => agent_of(*event).map(Owner::Agent),
            Self::Submitted { task, .. } | Self::Attempted { task, .. } | Self::NoPlace(task) => {
                Some(Owner::Task(*task))
            }
            Self::Begun { root, .. } => Some(Owner::Task(*root)),
            Self::Retry { task, .. } => Some(Owner::Retry(*task)),
            Self::Questions { root, .. } => Some(Owner::Questions(*root)),
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
    /// Somebody outside tells an event of the tree: of a task that is tried again, it may be meant for its attempts.
    Said(Event),
    /// An attempt at a task is to begin, as a root whose id is given when the tree takes it.
    Begin {
        task: TaskId,
        attempt: AttemptNumber,
    },
    /// An attempt at a task is not to begin or to go on.
    Fence {
        task: TaskId,
        attempt: AttemptNumber,
        query: QueryNumber,
    },
    /// People are told how the attempts at a task ended: if the outbox has that, they are over.
    Concluded(TaskId),
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
    /// A response has come whole, as that event says, and has cost so much, which this root pays.
    Replied {
        ended: Event,
        root: TaskId,
        spend: Spend,
    },
    /// A root has ended like that in the tree: what the pool is told depends on where it stands there.
    Over(TaskId, End),
}

impl Told {
    /// Who pays for it, and how much.
    pub(crate) fn paid(&self) -> Option<(TaskId, Spend)> {
        let Self::Replied { root, spend, .. } = self else { return None };
        Some((*root, *spend))
    }

    /// Whether the pool has still to hear this of a root.
    pub(crate) fn is_for_place_of(&self, root: TaskId) -> bool {
        match self {
            Self::Fact(Fact::Pool(event)) => Word::Pool(*event).is_for_place_of(root),
            Self::Over(task, end) => Word::Over(*task, *end).is_for_place_of(root),
            Self::Fact(
                Fact::Tree(_)
                | Fact::Credential { .. }
                | Fact::Stands { .. }
                | Fact::Outbox { .. }
                | Fact::Submitted { .. }
                | Fact::Attempted { .. }
                | Fact::Begun { .. }
                | Fact::Retry { .. }
                | Fact::Questions { .. }
                | Fact::NoPlace(_),
            )
            | Self::Said(_)
            | Self::Begin { .. }
            | Self::Fence { .. }
            | Self::Concluded(_)
            | Self::Wanted { .. }
            | Self::Posted { .. }
            | Self::Replied { .. }
            | Self::Heard(_) => false,
        }
    }
}

impl From<Fact> for Told {
    fn from(fact: Fact) -> Self {
        Self::Fact(fact)
    }
}

impl From<Word> for Told {
    /// A word to the tree or to the pool. To the others the shell says more than a word has: of which profile, or of which root.
    fn from(word: Word) -> Self {
        match word {
            Word::Tree(event) => event.into(),
            Word::NoPlace(task) => Fact::NoPlace(task).into(),
            Word::Pool(event) => Fact::Pool(event).into(),
            Word::Over(task, end) => Self::Over(task, end),
            Word::Begin(_)
            | Word::Fence(..)
            | Word::Wanted(..)
            | Word::Posted(_)
            | Word::Retry(_)
            | Word::Question(_) => unreachable!("it is for another machine: {word:?}"),
        }
    }
}

impl From<Event> for Told {
    fn from(event: Event) -> Self {
        Self::Fact(event.into())
    }
}

/// What a machine orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// The tree of tasks.
    Tree(Effect),
    /// The credential of a profile.
    Credential {
        /// Which profile.
        profile: ProfileId,
        /// What.
        effect: CredentialEffect,
    },
    /// The outbox of a root.
    Outbox {
        /// Which root.
        root: TaskId,
        /// What.
        effect: NotificationEffect,
    },
    /// The pool.
    Pool(PoolEffect),
    /// The attempts at a task.
    Retry {
        /// The name of the task.
        task: TaskId,
        /// What.
        effect: RetryEffect,
    },
    /// The questions of the agent of a root.
    Questions {
        /// Which root.
        root: TaskId,
        /// What.
        effect: QuestionEffect,
    },
    /// An order of the tree that is carried out at an agent, under the lease that its root had when it was given.
    There {
        /// Which agent.
        agent: AgentId,
        /// The lease of the root.
        lease: Lease,
        /// What.
        effect: Effect,
    },
    /// A root has lost its place, and these tools ran there.
    LeaseOver {
        /// Where.
        agent: AgentId,
        /// The lease that is over.
        lease: Lease,
        /// The tools; none where nobody has carried anything out.
        lost: Vec<CallId>,
    },
    /// The tree does not hold this task any more.
    Forgotten(TaskId),
    /// After a crash: an iterator had started, and may run still.
    Attach {
        /// Whose.
        task: TaskId,
        /// Which.
        iterator: IteratorId,
    },
}

/// The agent that an event of the pool names.
pub(crate) fn agent_of(event: PoolEvent) -> Option<AgentId> {
    match event {
        PoolEvent::Started { agent }
        | PoolEvent::Gone { agent }
        | PoolEvent::Heartbeat { agent, .. }
        | PoolEvent::WorkEnded { agent, .. }
        | PoolEvent::Cleaned { agent, .. }
        | PoolEvent::DrainRequested { agent } => Some(agent),
        PoolEvent::Elapsed { timer } => Some(timer.agent),
        PoolEvent::Submitted { .. }
        | PoolEvent::CancelRequested { .. }
        | PoolEvent::EndAcknowledged { .. } => None,
    }
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
    /// The pool says so.
    Pool(PoolRejected),
    /// The attempts at a task say so.
    Retry(RetryRejected),
    /// The questions of the agent of a root say so.
    Questions(QuestionRejected),
    /// There is no pool of these settings.
    NoPool,
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
            refused @ (Refused::Credential(_)
            | Refused::NoCredential(_)
            | Refused::Outbox(_)
            | Refused::Pool(_)
            | Refused::Retry(_)
            | Refused::Questions(_)
            | Refused::NoPool),
        ) => {
            unreachable!("the tree was told, and another machine answers: {refused:?}")
        }
    }
}
