//! The agents: containers that outlive the process, hold what they were given, and die under it now and then.

use downbeat_kernel::{AgentId, CallId, Epoch, Lease, TaskId};
use std::collections::{BTreeMap, BTreeSet};

/// Tasks that may run at once.
pub(crate) const QUOTA: u32 = 8;

/// Containers at once.
pub(crate) const AGENTS_MAX: u32 = 10;

/// One container.
#[derive(Default)]
struct Agent {
    is_dead: bool,
    /// The highest epoch that it has seen.
    epoch: Epoch,
    /// What it has.
    lease: Option<Lease>,
    /// Whose traces are in its workspace.
    traces: Option<TaskId>,
    /// Who waits to hear of it, in this life of the process.
    attended: Option<u64>,
}

/// All agents, and what they saw over all lives of the process.
#[derive(Default)]
pub(crate) struct Fleet {
    agents: BTreeMap<AgentId, Agent>,
    /// Under which epochs each tool was run.
    runs: BTreeMap<CallId, BTreeSet<Epoch>>,
    /// Leases whose agent died.
    lost: BTreeSet<Epoch>,
    /// The highest epoch that was given for each root.
    given: BTreeMap<TaskId, Epoch>,
    pub(crate) leases: u32,
}

impl Fleet {
    pub(crate) fn start(&mut self, agent: AgentId) {
        self.agents.entry(agent).or_default();
    }

    /// The process is gone, and nobody waits to hear of anybody.
    pub(crate) fn forget_attendants(&mut self) {
        for agent in self.agents.values_mut() {
            agent.attended = None;
        }
    }

    /// An agent is given a lease, perhaps again: whether it can say anything of it still.
    pub(crate) fn attend(&mut self, agent: AgentId, lease: Lease, number: u64) -> bool {
        let holds = |(other, state): (&AgentId, &Agent)| {
            *other != agent && state.lease.is_some_and(|held| held.task == lease.task)
        };
        assert!(!self.agents.iter().any(holds), "S20: two agents have {lease:?}");
        let highest = self.given.entry(lease.task).or_default();
        assert!(lease.epoch >= *highest, "S20: {lease:?} was given after {highest:?}");
        *highest = lease.epoch;
        let state = self.agents.get_mut(&agent).expect("S20: it was started");
        assert!(lease.epoch >= state.epoch, "S20: {lease:?} after {:?}", state.epoch);
        let is_clean = state.traces.is_none_or(|other| other == lease.task);
        assert!(is_clean, "S23: {lease:?} is given to an agent with traces of {:?}", state.traces);
        self.leases += u32::from(lease.epoch > state.epoch);
        (state.epoch, state.traces, state.attended) = (lease.epoch, Some(lease.task), Some(number));
        if state.is_dead {
            return false;
        }
        state.lease = Some(lease);
        // What a life before has ended is cleaned in this one.
        let runs = |agent: &&Agent| agent.lease.is_some() && agent.attended.is_some();
        let held = self.agents.values().filter(runs).count();
        assert!(held <= QUOTA as usize, "S22: {held} tasks run");
        true
    }

    /// Something is to be done in a place: whether there is anybody to do it.
    pub(crate) fn works(&mut self, agent: AgentId, lease: Lease) -> bool {
        let state = &self.agents[&agent];
        assert!(state.is_dead || state.lease == Some(lease), "S20: {lease:?}, and it has {:?}", state.lease);
        !state.is_dead
    }

    pub(crate) fn ran(&mut self, call: CallId, lease: Lease) {
        self.runs.entry(call).or_default().insert(lease.epoch);
    }

    /// An agent dies: who is told so.
    pub(crate) fn dies(&mut self, agent: AgentId) -> Option<u64> {
        let state = self.agents.get_mut(&agent)?;
        state.is_dead = true;
        self.lost.extend(state.lease.take().map(|lease| lease.epoch));
        state.attended.take()
    }

    /// An agent is cleaned, or ends what it has: whether it can say so.
    pub(crate) fn clean(&mut self, agent: AgentId) -> bool {
        let Some(state) = self.agents.get_mut(&agent) else { return false };
        (state.lease, state.traces) = (None, None);
        !state.is_dead
    }

    pub(crate) fn remove(&mut self, agent: AgentId) {
        self.agents.remove(&agent);
    }

    /// Whether a tool was run where its agent died.
    pub(crate) fn is_lost(&self, call: CallId) -> bool {
        self.runs.get(&call).is_some_and(|epochs| !epochs.is_disjoint(&self.lost))
    }

    /// How many leases were lost.
    pub(crate) fn losses(&self) -> usize {
        self.lost.len()
    }
}
