//! A pool of remote agents: which task is next, who works on it, and under which lease.
//!
//! A pool stands beside the kernels whose tasks it places: whoever drives both turns
//! [`Effect::Enqueue`](crate::Effect::Enqueue) into [`PoolEvent::Submitted`], and [`PoolEffect::Assign`] into
//! [`Event::Admitted`](crate::Event::Admitted). It reads no clock and sends nothing.
//!
//! Four facts carry the safety argument. An assignment has an epoch that no other has, and what is said under any but the
//! present one of its agent is void (S20). A task is in the queue, or under one lease, or ended, and moves between them in
//! one step, so that a cancel finds it wherever it is (S21). A place in a quota is taken and given back in the steps in
//! which a lease begins and ends, and in no others (S22). An agent that had a task is idle again only when that task is
//! cleaned away, and one that was lost never is (S23).

mod agents;
mod config;
mod fleet;
mod leases;
mod queue;
mod quota;
mod tasks;
mod validate;
mod vocabulary;

pub use agents::{Agent, AgentState, Renewal, Stay};
pub use config::PoolConfig;
pub use queue::Place;
pub use validate::PoolCorrupt;
pub use vocabulary::{
    AgentId, Epoch, Lease, PoolEffect, PoolEnd, PoolEvent, PoolRejected, PoolTimer, Priority, UserId, WorkEnd,
};

use crate::faults::Fault;
use crate::vocabulary::{Ignored, Outcome, TaskId};
use agents::Agents;
use alloc::collections::BTreeMap;
use queue::Queue;
use serde::{Deserialize, Serialize};

/// Where one task stands in a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// It waits for an agent.
    Queued,
    /// An agent has it.
    Held {
        /// Who.
        agent: AgentId,
    },
    /// It ended, and that is not acknowledged yet.
    Ended(PoolEnd),
}

/// What a pool knows of one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Booking {
    /// Whose it is.
    pub user: UserId,
    /// Its place in the queue, which it keeps until it ends.
    pub place: Place,
    /// How often it was assigned.
    pub attempts: u32,
    /// Where it stands.
    pub standing: Standing,
}

/// The state of one pool, and the only way to change it: [`Pool::step`].
///
/// Whoever drives it writes an event to a journal before it releases the effects of that event. After a crash it replays
/// the journal, calls [`Pool::validate`] and then [`Pool::resync`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Pool {
    config: PoolConfig,
    /// How many tasks were submitted.
    submissions: u64,
    /// The epoch of the last assignment.
    epoch: Epoch,
    tasks: BTreeMap<TaskId, Booking>,
    queue: Queue,
    agents: Agents,
}

/// A pool as it is stored: the queue and the counts follow from this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) config: PoolConfig,
    pub(crate) submissions: u64,
    pub(crate) epoch: Epoch,
    pub(crate) tasks: BTreeMap<TaskId, Booking>,
    pub(crate) last: AgentId,
    pub(crate) agents: BTreeMap<AgentId, Agent>,
}

impl From<Stored> for Pool {
    fn from(stored: Stored) -> Self {
        let Stored { config, submissions, epoch, tasks, last, agents } = stored;
        let agents = Agents::from_stored(agents, last);
        let mut pool = Self { submissions, epoch, tasks, agents, ..Self::new(config) };
        for (task, booking) in &pool.tasks {
            match booking.standing {
                Standing::Queued => pool.queue.enqueue(booking.user, booking.place, *task),
                Standing::Held { .. } => pool.queue.find_held(booking.user),
                Standing::Ended(_) => {}
            }
        }
        pool
    }
}

impl From<Pool> for Stored {
    fn from(pool: Pool) -> Self {
        let Pool { config, submissions, epoch, tasks, queue: _, agents } = pool;
        Self { config, submissions, epoch, tasks, last: agents.last(), agents: agents.into_stored() }
    }
}

type Reply = Outcome<PoolRejected>;

/// `Err` says why an event was not applied.
type Taken = Result<(), Reply>;

impl Pool {
    /// A pool without tasks and agents. It orders its minimum of agents with its first task.
    pub fn new(config: PoolConfig) -> Self {
        let quota = if config.has(Fault::QuotaIgnored) { u32::MAX } else { config.quota };
        Self {
            config,
            submissions: 0,
            epoch: Epoch(0),
            tasks: BTreeMap::new(),
            queue: Queue::new(quota),
            agents: Agents::default(),
        }
    }

    /// Its settings.
    pub fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// Every task, in the order of their ids. Ended tasks stay until their end is acknowledged.
    pub fn tasks(&self) -> impl Iterator<Item = (TaskId, &Booking)> {
        self.tasks.iter().map(|(task, booking)| (*task, booking))
    }

    /// One task.
    pub fn task(&self, task: TaskId) -> Option<&Booking> {
        self.tasks.get(&task)
    }

    /// Every agent that is not gone, in the order of their numbers.
    pub fn agents(&self) -> impl Iterator<Item = (AgentId, &Agent)> {
        self.agents.places().iter().map(|(id, agent)| (*id, agent))
    }

    /// One agent.
    pub fn agent(&self, agent: AgentId) -> Option<Agent> {
        self.agents.get(agent)
    }

    /// The highest number that an agent was given.
    pub fn last_agent(&self) -> AgentId {
        self.agents.last()
    }

    /// The epoch of the last assignment, 0 before the first.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether what an agent writes under a lease may be taken: whether the lease is the agent's, now (S20).
    pub fn holds(&self, agent: AgentId, lease: Lease) -> bool {
        self.agents.get(agent).and_then(|agent| agent.state.lease()) == Some(lease)
    }

    /// Takes one event and gives `sink` the effects in their order.
    ///
    /// Unless the outcome is [`Outcome::Applied`], nothing changed and nothing was emitted (S25).
    pub fn step(&mut self, event: PoolEvent, sink: &mut dyn FnMut(PoolEffect)) -> Outcome<PoolRejected> {
        let mut step = Step { pool: self, sink };
        let taken = match event {
            PoolEvent::Submitted { task, user, priority } => step.submitted(task, user, priority),
            PoolEvent::CancelRequested { task } => step.cancel_requested(task),
            PoolEvent::EndAcknowledged { task } => step.end_acknowledged(task),
            PoolEvent::Started { agent } => step.started(agent, event),
            PoolEvent::Gone { agent } => step.gone(agent, event),
            PoolEvent::Heartbeat { agent, lease } => step.heartbeat(agent, lease, event),
            PoolEvent::WorkEnded { agent, lease, end } => step.work_ended(agent, lease, end, event),
            PoolEvent::Cleaned { agent, lease } => step.cleaned(agent, lease, event),
            PoolEvent::DrainRequested { agent } => step.drain_requested(agent, event),
            PoolEvent::Elapsed { timer } => step.elapsed(timer, event),
        };
        match taken {
            Ok(()) => Outcome::Applied,
            Err(refused) => refused,
        }
    }

    /// Repeats every order that is outstanding, with the same identities: for a shell that has just started. Timers run
    /// their whole time again.
    pub fn resync(&self, sink: &mut dyn FnMut(PoolEffect)) {
        let mut repeat = |order| {
            if !self.forgets(order) {
                sink(order);
            }
        };
        for (id, Agent { state, timer: number }) in self.agents() {
            state.order(id).into_iter().for_each(&mut repeat);
            state.stop(id).into_iter().for_each(&mut repeat);
            if state.has_timer() {
                let timer = PoolTimer { agent: id, number: *number };
                repeat(PoolEffect::Arm { timer, after_ms: self.time(*state) });
            }
        }
        for (task, booking) in self.tasks() {
            match booking.standing {
                Standing::Ended(end) => repeat(PoolEffect::TaskEnded { task, end }),
                Standing::Queued | Standing::Held { .. } => {}
            }
        }
    }

    /// Whether a planted fault keeps an order from being repeated.
    fn forgets(&self, order: PoolEffect) -> bool {
        let fault = match order {
            PoolEffect::Provision { .. } => Fault::ResyncForgetsProvisions,
            PoolEffect::Retire { .. } => Fault::ResyncForgetsRetirements,
            PoolEffect::Assign { .. } => Fault::ResyncForgetsAssignments,
            PoolEffect::Stop { .. } => Fault::ResyncForgetsStops,
            PoolEffect::Clean { .. } => Fault::ResyncForgetsCleaning,
            PoolEffect::TaskEnded { .. } => Fault::ResyncForgetsPoolEnds,
            PoolEffect::Arm { .. } | PoolEffect::Disarm { .. } => Fault::ResyncForgetsPoolTimers,
        };
        self.config.has(fault)
    }

    /// How long the timer of an agent that stands there runs, in milliseconds; 0 where it has none.
    fn time(&self, state: AgentState) -> u64 {
        let PoolConfig { provision_ms, idle_ms, lease_ms, clean_ms, .. } = self.config;
        u64::from(match state {
            AgentState::Provisioning | AgentState::Failed => provision_ms,
            AgentState::Idle(Stay::Spare) => idle_ms,
            AgentState::Busy { .. } | AgentState::Draining { .. } => lease_ms,
            AgentState::Cleaning { .. } => clean_ms,
            AgentState::Idle(Stay::Kept) | AgentState::Leaving => 0,
        })
    }
}

/// A pool during one step.
struct Step<'p> {
    pool: &'p mut Pool,
    sink: &'p mut dyn FnMut(PoolEffect),
}

impl Step<'_> {
    fn has(&self, fault: Fault) -> bool {
        self.pool.config.has(fault)
    }

    fn emit(&mut self, effect: PoolEffect) {
        (self.sink)(effect);
    }

    /// Where an agent stands that is not gone.
    fn state_of(&self, agent: AgentId, event: PoolEvent) -> Result<AgentState, Reply> {
        match self.pool.agents.get(agent) {
            Some(agent) => Ok(agent.state),
            None if agent.0 == 0 || agent > self.pool.agents.last() => {
                Err(Outcome::Rejected(PoolRejected::UnknownAgent { last: self.pool.agents.last(), event }))
            }
            None => Err(Outcome::Ignored(Ignored::Terminal)),
        }
    }
}

fn ignored<T>(why: Ignored) -> Result<T, Reply> {
    Err(Outcome::Ignored(why))
}

fn never_asked<T>(state: AgentState, event: PoolEvent) -> Result<T, Reply> {
    Err(Outcome::Rejected(PoolRejected::NeverAsked { state, event }))
}
