//! The agents: containers that outlive the process, hold what they were given, and die under it now and then.

use downbeat_kernel::{AgentId, CallId, Epoch, Lease, QuestionEnd, QuestionKey, QuestionNumber, TaskId};
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
    /// What it asks before it goes on with a tool.
    asks: Option<Asks>,
    /// How often it has asked under this lease.
    asked: u32,
}

/// A question of an agent, and the tool that waits for its answer.
#[derive(Clone)]
pub(crate) struct Asks {
    call: CallId,
    /// Who waits for the tool, and for what.
    run: u64,
    result: String,
    key: QuestionKey,
    /// It was said in this life of the process.
    is_said: bool,
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
    /// Tools before which an agent has asked.
    asked_for: BTreeSet<(Epoch, CallId)>,
    /// What agents asked that people heard of, and how each question ended for them.
    pub(crate) asked: BTreeMap<QuestionKey, BTreeSet<QuestionEnd>>,
    /// What agents were told.
    pub(crate) told: BTreeMap<QuestionKey, BTreeSet<(QuestionEnd, String)>>,
}

impl Fleet {
    pub(crate) fn start(&mut self, agent: AgentId) {
        self.agents.entry(agent).or_default();
    }

    /// The process is gone, and nobody waits to hear of anybody.
    pub(crate) fn forget_attendants(&mut self) {
        for agent in self.agents.values_mut() {
            agent.attended = None;
            if let Some(asks) = &mut agent.asks {
                asks.is_said = false;
            }
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
        if lease.epoch > state.epoch {
            (state.asks, state.asked) = (None, 0);
        }
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

    /// An agent has something to ask before it goes on with a tool, or has asked it already: whether the tool waits for that.
    pub(crate) fn asks(
        &mut self,
        (agent, lease): (AgentId, Lease),
        run: u64,
        (call, result): (CallId, &str),
        asks: bool,
    ) -> bool {
        let state = self.agents.get_mut(&agent).expect("it is there");
        if let Some(asks) = state.asks.as_mut().filter(|asks| asks.call == call) {
            asks.run = run;
            return true;
        }
        if !asks || state.asks.is_some() || !self.asked_for.insert((lease.epoch, call)) {
            return false;
        }
        state.asked += 1;
        let key = QuestionKey { epoch: lease.epoch, number: QuestionNumber(state.asked) };
        state.asks = Some(Asks { call, run, result: result.to_owned(), key, is_said: false });
        true
    }

    /// What an agent says to whoever attends to it, if it has not said it in this life of the process.
    pub(crate) fn says(&mut self, agent: AgentId) -> Option<(u64, QuestionKey)> {
        let state = self.agents.get_mut(&agent)?;
        let asks = state.asks.as_mut().filter(|asks| !asks.is_said && !state.is_dead)?;
        let attended = state.attended.take()?;
        asks.is_said = true;
        Some((attended, asks.key))
    }

    /// Whether an agent takes what it is told.
    pub(crate) fn hears(&self, agent: AgentId) -> bool {
        self.agents.get(&agent).is_some_and(|state| !state.is_dead)
    }

    /// An agent is told how its question ended: who waits for the tool behind it, and for what.
    pub(crate) fn tell(
        &mut self,
        agent: AgentId,
        key: QuestionKey,
        end: (QuestionEnd, String),
    ) -> Option<(u64, String)> {
        self.told.entry(key).or_default().insert(end);
        let asks = self.agents.get_mut(&agent)?.asks.take_if(|asks| asks.key == key)?;
        Some((asks.run, asks.result))
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
