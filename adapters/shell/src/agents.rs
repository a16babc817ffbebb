//! The port behind which the agents of a pool are.
//!
//! An agent is a container in which one task at a time runs, with its subtasks. The pool of a shard says who works on what, and under which
//! lease: no two leases have the same epoch, and epochs only grow. So an epoch is a fencing token, and everything that is ordered of an agent
//! carries it.

use crate::ports::{Doing, Trial};
use crate::words::Text;
use downbeat_kernel::{AgentId, Lease, Priority, QuestionEnd, QuestionNumber, TaskId, UserId};
use downbeat_store::ShardId;
use serde::{Deserialize, Serialize};
use std::future::{pending, ready};

/// Who wants a task, and how urgently: what the pool has to know to place it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submitter {
    /// Towards whose quota it counts.
    pub user: UserId,
    /// How long it lets others pass.
    pub priority: Priority,
}

impl Default for Submitter {
    /// Nobody in particular: all such tasks count towards one quota, that of user 0.
    fn default() -> Self {
        Self { user: UserId(0), priority: Priority::Normal }
    }
}

/// A container. Each shard numbers its own from 1, and gives no number twice: the key under which it is started once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Container {
    /// Whose pool it is of.
    pub shard: ShardId,
    /// Its number there.
    pub agent: AgentId,
}

/// Where a task runs, and under which lease. An agent takes nothing under an epoch that is below one it has seen, and what it writes
/// elsewhere carries the epoch, so that a store can refuse what is older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// In which container.
    pub container: Container,
    /// Which root, and the fencing token.
    pub lease: Lease,
}

/// What is heard of an agent that has a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It works. Whoever is not heard of for a whole `lease_ms` loses the lease.
    Beat,
    /// It has a question for a person. It says so again, with the same number and the same words, until it is told how that ended
    /// ([`Agents::answer`]), except where [`Agents::attend`] says that it need not: a crash may take it, and so may a question before that
    /// somebody has still to hear the end of. That it asks does not renew its lease.
    Asks {
        /// Which question: each lease counts its own from 1.
        number: QuestionNumber,
        /// What it asks.
        text: String,
    },
    /// It has nothing of the task any more and cannot go on. Another agent may.
    Returned,
    /// The container is no more, and cannot write.
    Gone,
}

/// The agents of the pools of a shell.
///
/// Everything here is asked for at least once: after a crash what is outstanding is asked for again, with the same numbers.
pub trait Agents: Send + Sync {
    /// Starts a container: `true` when its agent waits for work, `false` if it never will. One that was started is not started again.
    fn start(&self, container: Container) -> Doing<bool>;

    /// Removes a container, also one that is still to come under this number. Done when there is none that can write; asked again after
    /// [`Bounds::again_ms`](crate::Bounds::again_ms).
    fn remove(&self, container: Container) -> Doing<()>;

    /// Gives the agent the lease, if it has not got it, and waits for the next that is heard of it. Asked again after each beat and each
    /// question. A question up to `asked` is not said here: it is on record, or it was said last, and has to wait for another sign. So
    /// no question comes between an agent and its beats; one that is said nevertheless goes nowhere.
    fn attend(&self, seat: Seat, asked: Option<QuestionNumber>) -> Doing<Sign>;

    /// Tells the agent how its question ended, with the words of the answer if there is one. Done when it has taken that; told again after
    /// `relay_ms` of the kernel, and after a crash.
    fn answer(&self, seat: Seat, number: QuestionNumber, end: QuestionEnd, answer: Text) -> Doing<()>;

    /// Has the agent end what it has under this lease, and take nothing under it any more. Done when nothing of it runs there.
    fn stop(&self, seat: Seat) -> Doing<()>;

    /// Resets the workspace. Done when nothing is left there of the task of that lease.
    fn clean(&self, seat: Seat) -> Doing<()>;

    /// Makes a task's surroundings ready, where its root has its place; `None` where tasks need none. `false` if that cannot be. Each attempt
    /// at a task has its own, under an id of its own. After [`Bounds::ready_ms_max`](crate::Bounds::ready_ms_max) nobody waits for it any more.
    fn prepare(&self, task: TaskId, trial: Trial, seat: Option<Seat>) -> Doing<bool>;
}

/// No agents: for a shell without a pool, whose tasks have nothing to be made ready.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAgents;

impl Agents for NoAgents {
    fn start(&self, _container: Container) -> Doing<bool> {
        Box::pin(ready(false))
    }

    fn remove(&self, _container: Container) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn attend(&self, _seat: Seat, _asked: Option<QuestionNumber>) -> Doing<Sign> {
        Box::pin(pending())
    }

    fn answer(&self, _seat: Seat, _number: QuestionNumber, _end: QuestionEnd, _answer: Text) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn stop(&self, _seat: Seat) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn clean(&self, _seat: Seat) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn prepare(&self, _task: TaskId, _trial: Trial, _seat: Option<Seat>) -> Doing<bool> {
        Box::pin(ready(true))
    }
}
