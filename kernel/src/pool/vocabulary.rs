//! The words of a pool: ids, events, effects, refusals.

use super::{AgentState, Standing};
use crate::vocabulary::TaskId;
use serde::{Deserialize, Serialize};

/// A place for one task at a time: a container with an agent in it. The pool numbers them from 1 and never gives a
/// number twice, so that whatever says that it is a gone agent can be told from every other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentId(pub u32);

/// Whose tasks count towards one quota. Ids come in with events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub u64);

/// An assignment, counted over the whole pool from 1: a fencing token. What carries a lower one is older, whatever its
/// task, so an agent or a store has to remember no more than the highest that it has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// One assignment of one task. Everything that an agent says about its work names the lease that it works under, and no
/// two agents ever have the same one (S20).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lease {
    /// What is to be done.
    pub task: TaskId,
    /// Which assignment this is.
    pub epoch: Epoch,
}

/// How long a task lets others pass that come after it: see [`PoolConfig`](crate::PoolConfig).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Priority {
    /// No task that comes later is assigned before it.
    High,
    /// Lets [`normal_yields`](crate::PoolConfig::normal_yields) tasks pass at most.
    Normal,
    /// Lets [`low_yields`](crate::PoolConfig::low_yields) tasks pass at most.
    Low,
}

/// A timer that the pool armed. An agent has one at most; what it means is where the agent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PoolTimer {
    /// Whose timer.
    pub agent: AgentId,
    /// Which of its timers, from 1.
    pub number: u32,
}

/// A fact about a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PoolEvent {
    /// Somebody has a task for an agent. A cancel or an acknowledgement of that task must not overtake it.
    Submitted {
        /// Its id.
        task: TaskId,
        /// Whose quota it counts towards.
        user: UserId,
        /// How long it lets others pass.
        priority: Priority,
    },
    /// Nobody wants the task any more.
    CancelRequested {
        /// Which task.
        task: TaskId,
    },
    /// The end of a task is on record outside, and nobody will submit it again. Answers [`PoolEffect::TaskEnded`]; the
    /// pool forgets the task.
    EndAcknowledged {
        /// Which task.
        task: TaskId,
    },
    /// The container runs, and its agent waits for work. Answers [`PoolEffect::Provision`]; comes again if a refusal or a
    /// lost message left the agent without a word.
    Started {
        /// Which agent.
        agent: AgentId,
    },
    /// The container is no more, and cannot write. Answers [`PoolEffect::Retire`]; may come at any time.
    Gone {
        /// Which agent.
        agent: AgentId,
    },
    /// The agent works. Answers [`PoolEffect::Assign`], again and again.
    Heartbeat {
        /// Who says so.
        agent: AgentId,
        /// What it works under.
        lease: Lease,
    },
    /// The agent works no more. Answers [`PoolEffect::Assign`] and [`PoolEffect::Stop`].
    WorkEnded {
        /// Who says so.
        agent: AgentId,
        /// What it worked under.
        lease: Lease,
        /// How.
        end: WorkEnd,
    },
    /// Nothing of that assignment is left on the agent. Answers [`PoolEffect::Clean`].
    Cleaned {
        /// Who says so.
        agent: AgentId,
        /// After what.
        lease: Lease,
    },
    /// The agent is to go when it has done what it has.
    DrainRequested {
        /// Which agent.
        agent: AgentId,
    },
    /// An armed timer ran out. Answers [`PoolEffect::Arm`].
    Elapsed {
        /// Which timer.
        timer: PoolTimer,
    },
}

/// How the work under a lease ended, as its agent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WorkEnd {
    /// With a result.
    Completed,
    /// Without, and another try cannot help.
    Failed,
    /// Before its end: it was told to stop, or never had the work, or cannot go on. Another agent may.
    Returned,
}

/// How a task ended (S24): said until it is acknowledged, and never otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PoolEnd {
    /// With a result.
    Completed,
    /// Without.
    Failed,
    /// Every assignment that it may have was lost or returned.
    Lost,
    /// Somebody cancelled it, whatever its agent says.
    Cancelled,
}

/// An order to whoever drives a pool. Orders are given at least once: [`Pool::resync`](crate::Pool::resync) repeats those
/// that are outstanding, with the same identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PoolEffect {
    /// Start a container under this number; answer [`PoolEvent::Started`], or [`PoolEvent::Gone`] if that cannot be.
    Provision {
        /// Its number: the idempotency key.
        agent: AgentId,
    },
    /// Remove the container, also one that is still to come under this number; answer [`PoolEvent::Gone`], also when
    /// there is none.
    Retire {
        /// Which one.
        agent: AgentId,
    },
    /// Give the task to the agent, and say to whoever submitted it that it has its place; answer
    /// [`PoolEvent::Heartbeat`] and [`PoolEvent::WorkEnded`].
    Assign {
        /// To whom.
        agent: AgentId,
        /// What, with the fencing token that all it says and writes has to carry: the idempotency key.
        lease: Lease,
    },
    /// Tell the agent to end this work; answer [`PoolEvent::WorkEnded`]. Takes the place of [`PoolEffect::Assign`], so an
    /// agent that never had the work has to answer too, and take it no more.
    Stop {
        /// Who.
        agent: AgentId,
        /// Which work.
        lease: Lease,
    },
    /// Reset the agent's workspace; answer [`PoolEvent::Cleaned`].
    Clean {
        /// Whose.
        agent: AgentId,
        /// What has left its traces there.
        lease: Lease,
    },
    /// The task ended; answer [`PoolEvent::EndAcknowledged`].
    TaskEnded {
        /// Which one.
        task: TaskId,
        /// How.
        end: PoolEnd,
    },
    /// Answer [`PoolEvent::Elapsed`] after that time.
    Arm {
        /// The identity that the answer has to carry.
        timer: PoolTimer,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// The timer is not needed any more.
    Disarm {
        /// Which timer.
        timer: PoolTimer,
    },
}

/// Why an event was refused: what is, and what arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PoolRejected {
    /// There is no task of this id: it has ended and is forgotten, or the event has overtaken its submission.
    UnknownTask {
        /// Which task.
        task: TaskId,
    },
    /// The end of a task was acknowledged that has not ended.
    NotEnded {
        /// Which task.
        task: TaskId,
        /// Where it stands.
        standing: Standing,
    },
    /// The pool has never given this number to an agent.
    UnknownAgent {
        /// The highest that it has given.
        last: AgentId,
        /// What arrived.
        event: PoolEvent,
    },
    /// It answers something that the pool has not asked.
    NeverAsked {
        /// Where the agent stands.
        state: AgentState,
        /// What arrived.
        event: PoolEvent,
    },
    /// [`PoolConfig::tasks_max`](crate::PoolConfig::tasks_max): no room for another task.
    QueueFull {
        /// The bound.
        limit: u32,
        /// The task that was not accepted.
        task: TaskId,
    },
    /// [`PoolConfig::users_max`](crate::PoolConfig::users_max): no room for another user.
    UsersFull {
        /// The bound.
        limit: u32,
        /// The user whose task was not accepted.
        user: UserId,
    },
    /// [`PoolConfig::agents_max`](crate::PoolConfig::agents_max): no room for an agent that comes back from the dead. Its
    /// container has to be removed by whoever found it: there may never be room.
    AgentsFull {
        /// The bound.
        limit: u32,
        /// The agent that was not taken in.
        agent: AgentId,
    },
}
