//! The whole system: the pool, the agents in their containers, what is on the way, and what is outstanding.

use downbeat_kernel::{AgentId, AgentState, Epoch, Lease, Pool, PoolEffect, TaskId, WorkEnd};

use super::super::bag::Bag;
use super::super::ledger::{AgentIndex, End, Job, Ledger, TASKS, TaskIndex};
use super::super::properties::Judged;
use super::owners::Former;
use super::scenario::{Left, Scenario};

/// The most agents that are ordered one after the other: a step that would order one more is not taken, and a test finds
/// that no variant has one.
pub const AGENTS: usize = 6;

/// An order on its way to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// Work on this.
    Assign(Job),
    /// End it.
    Stop(Job),
    /// Leave nothing of it behind.
    Clean(Job),
}

/// What an agent said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Report {
    /// It is there.
    Started,
    /// It works.
    Heartbeat(Job),
    /// It works no more.
    WorkEnded(Job, WorkEnd),
    /// Nothing is left.
    Cleaned(Job),
}

/// A message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Pool to agent.
    To(AgentIndex, Order),
    /// Agent to pool.
    From(AgentIndex, Report),
}

/// A container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// It has not started.
    Absent,
    /// It runs, and its agent works on this.
    Up(Option<Job>),
    /// Its agent is dead.
    Dead,
    /// It was removed, or never started and never will.
    Gone,
}

/// An agent, as it is and not as the pool knows it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any of them may be true together"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Outside {
    /// The container that it lives in.
    pub container: Container,
    /// Which task has left its traces in the workspace.
    pub traces: Option<TaskIndex>,
    /// The highest number of an assignment that it has seen: it takes none that is not above.
    pub seen: u8,
    /// The process is to start it.
    pub is_ordered: bool,
    /// The process is to remove it.
    pub is_to_go: bool,
    /// Its timer, as the process has it.
    pub armed: Option<u8>,
    /// What it was given, and has not ended, as those know who see the orders of the pool.
    pub lease: Option<Job>,
    /// Whether it was heard of since its timer was armed.
    pub is_renewed: bool,
    /// Somebody wanted it to go.
    pub drains: bool,
}

impl Outside {
    const ABSENT: Self = Self {
        container: Container::Absent,
        traces: None,
        seen: 0,
        is_ordered: false,
        is_to_go: false,
        armed: None,
        lease: None,
        is_renewed: false,
        drains: false,
    };
}

/// A promise of the kernel that a step broke, beside those of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// An event was not applied, and something changed or was emitted.
    Unapplied,
    /// What is void, came again, or was never asked for was applied.
    Stale,
    /// An order was given twice, for nothing, or too often, or taken back that was not given.
    Disorder,
    /// A lease was lost that had been renewed.
    Unrenewed,
}

/// What a step broke, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Breaches(u8);

impl Breaches {
    /// Notes a breach, if it is one.
    pub fn note(&mut self, breach: Breach, is_so: bool) {
        self.0 |= u8::from(is_so) << breach as u8;
    }

    /// Whether the step broke this.
    pub fn has(self, breach: Breach) -> bool {
        self.0 >> breach as u8 & 1 == 1
    }
}

/// The whole system.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The pool.
    pub pool: Pool,
    /// The agents, by their numbers.
    pub outside: [Outside; AGENTS],
    /// What is on the way between the pool and the agents.
    pub network: Bag<Message>,
    /// The ends that the process is to tell the user.
    pub ends: [Option<End>; TASKS],
    /// Tasks of which it is on record that the user knows their ends, as bits.
    pub acknowledged: u8,
    /// How often each task was assigned.
    pub attempts: [u8; TASKS],
    /// Orders that have no answer, and that no later one has made void, in order.
    pub orders: Vec<PoolEffect>,
    /// What became of the tasks.
    pub ledger: Ledger,
    /// What the last step broke.
    pub breaches: Breaches,
    /// What may still happen.
    pub left: Left,
    /// A process that is slow, or the one before the present owner.
    pub former: Option<Box<Former>>,
    /// Leases that somebody has granted who does not own the pool, as long as their agents may work.
    pub beside: Vec<(AgentIndex, Job)>,
}

impl State {
    pub(super) fn new(scenario: &Scenario, pool: Pool) -> Self {
        Self {
            pool,
            outside: [Outside::ABSENT; AGENTS],
            network: Bag::EMPTY,
            ends: [None; TASKS],
            acknowledged: 0,
            attempts: [0; TASKS],
            orders: Vec::new(),
            ledger: Ledger::EMPTY,
            breaches: Breaches::default(),
            left: scenario.left,
            former: None,
            beside: Vec::new(),
        }
    }

    /// An agent as it is.
    pub fn outside(&self, agent: AgentIndex) -> &Outside {
        &self.outside[usize::from(agent)]
    }

    /// An agent as the pool knows it.
    pub(super) fn known(&self, agent: AgentIndex) -> Option<AgentState> {
        self.pool.agent(agent_id(agent)).map(|agent| agent.state)
    }

    /// The agents that were ever ordered.
    pub(super) fn agents(&self) -> impl Iterator<Item = AgentIndex> + use<> {
        (0..).take(usize::try_from(self.pool.last_agent().0).unwrap_or(AGENTS).min(AGENTS))
    }

    pub(super) fn is_acknowledged(&self, task: TaskIndex) -> bool {
        self.acknowledged >> task & 1 == 1
    }

    /// Whether a message of some kind is on its way.
    pub(super) fn is_under_way(&self, is_it: impl Fn(Message) -> bool) -> bool {
        self.network.iter().any(is_it)
    }

    /// Whether the pool counts on an agent. What one does that was lost is void, until it is removed.
    pub(super) fn is_in_use(&self, agent: AgentIndex) -> bool {
        match self.known(agent) {
            None | Some(AgentState::Leaving) => false,
            Some(
                AgentState::Provisioning
                | AgentState::Failed
                | AgentState::Idle(_)
                | AgentState::Busy { .. }
                | AgentState::Draining { .. }
                | AgentState::Cleaning { .. },
            ) => true,
        }
    }

    /// Whether the pool knows nothing of an agent that runs, or does nothing more about one that is to go.
    fn is_stray(&self, agent: AgentIndex) -> bool {
        let Outside { container, is_to_go, .. } = *self.outside(agent);
        matches!(container, Container::Up(_)) && !self.is_in_use(agent) && !is_to_go
    }

    /// Whether the system may rest: every task that was submitted has ended, its user knows, and no agent has one.
    pub(super) fn is_settled(&self) -> bool {
        self.unsettled_task().is_none() && self.agents().all(|agent| self.outside(agent).lease.is_none())
    }

    fn unsettled_task(&self) -> Option<TaskIndex> {
        let is_unsettled = |task: &TaskIndex| !self.is_acknowledged(*task);
        self.pool.tasks().map(|(task, _)| task_index(task)).chain(self.ledger.open()).find(is_unsettled)
    }
}

/// The number of an agent for the pool.
pub(super) fn agent_id(agent: AgentIndex) -> AgentId {
    AgentId(u32::from(agent) + 1)
}

/// The place of an agent of the pool; out of every range if there is none.
pub(super) fn agent_index(agent: AgentId) -> AgentIndex {
    AgentIndex::try_from(agent.0.wrapping_sub(1)).unwrap_or(AgentIndex::MAX)
}

/// The id of a task for the pool.
pub(super) fn task_id(task: TaskIndex) -> TaskId {
    TaskId(u64::from(task) + 1)
}

/// The place of a task of the pool.
pub(super) fn task_index(task: TaskId) -> TaskIndex {
    TaskIndex::try_from(task.0.wrapping_sub(1)).unwrap_or(TaskIndex::MAX)
}

/// An assignment for the pool.
pub(super) fn lease(job: Job) -> Lease {
    Lease { task: task_id(job.task), epoch: Epoch(job.number.into()) }
}

/// A lease of the pool.
pub(super) fn job(lease: Lease) -> Job {
    Job { task: task_index(lease.task), number: u8::try_from(lease.epoch.0).unwrap_or(u8::MAX) }
}

impl Judged for State {
    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn has_traces(&self) -> bool {
        self.outside.iter().any(|outside| outside.traces.is_some())
    }

    fn is_running(&self) -> bool {
        self.outside.iter().any(|outside| outside.lease.is_some())
    }

    fn has_gone(&self) -> bool {
        self.outside.iter().any(|outside| outside.container == Container::Gone)
    }

    fn has_idle(&self) -> bool {
        self.agents().any(|agent| {
            let is_idle = matches!(self.known(agent), Some(AgentState::Idle(_)));
            is_idle && self.outside(agent).container == Container::Up(None)
        })
    }

    fn stray(&self) -> Option<AgentIndex> {
        self.agents().find(|agent| self.is_stray(*agent))
    }

    fn unsettled(&self) -> String {
        super::words::unsettled(self, self.unsettled_task())
    }
}
