//! The agents of a pool: where each stands, and what is counted over all of them.

use super::vocabulary::{AgentId, Lease, PoolEffect, PoolTimer};
use alloc::collections::{BTreeMap, BTreeSet};
use serde::{Deserialize, Serialize};

/// Where one agent stands. The diagram is in `docs/pool.md`, made from this code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AgentState {
    /// Its container is ordered.
    Provisioning,
    /// Its container ended before it had started. Its place stays taken until the time that it had is over: what fails
    /// at once is not tried without end.
    Failed,
    /// It waits for a task.
    Idle(Stay),
    /// It has a task.
    Busy {
        /// What it works under.
        lease: Lease,
        /// Whether the lease goes on.
        renewal: Renewal,
    },
    /// The same, and it goes when it has done it.
    Draining {
        /// What it works under.
        lease: Lease,
        /// Whether the lease goes on.
        renewal: Renewal,
    },
    /// Its workspace is being reset.
    Cleaning {
        /// What has left its traces there.
        lease: Lease,
    },
    /// It is to be removed. What it says is void.
    Leaving,
}

/// Why an idle agent is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stay {
    /// It is one of the minimum.
    Kept,
    /// Somebody may need it before its timer runs out.
    Spare,
}

/// Whether a lease goes on when its timer runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Renewal {
    /// Nothing was heard since the timer was armed: the lease is lost with it.
    Due,
    /// A heartbeat came: the timer is armed again.
    Renewed,
    /// The task was cancelled: no heartbeat counts any more (L2).
    Refused,
}

impl AgentState {
    /// What it works under.
    pub fn lease(self) -> Option<Lease> {
        match self {
            Self::Busy { lease, .. } | Self::Draining { lease, .. } => Some(lease),
            Self::Provisioning | Self::Failed | Self::Idle(_) | Self::Cleaning { .. } | Self::Leaving => None,
        }
    }

    /// Whether it counts towards the minimum: whether it is there to stay.
    pub(super) fn stays(self) -> bool {
        match self {
            Self::Provisioning | Self::Failed | Self::Idle(_) | Self::Busy { .. } | Self::Cleaning { .. } => {
                true
            }
            Self::Draining { .. } | Self::Leaving => false,
        }
    }

    /// Whether it is to become idle before anything else happens to it.
    pub(super) fn is_coming(self) -> bool {
        match self {
            Self::Provisioning | Self::Failed | Self::Cleaning { .. } => true,
            Self::Idle(_) | Self::Busy { .. } | Self::Draining { .. } | Self::Leaving => false,
        }
    }

    /// The order that is outstanding while it stands there. Of work that is to stop only the order to stop is: whoever never
    /// had the work answers that too, and nothing of it goes out after the cancel (S19).
    pub(super) fn order(self, agent: AgentId) -> Option<PoolEffect> {
        match self {
            Self::Provisioning => Some(PoolEffect::Provision { agent }),
            Self::Busy { renewal: Renewal::Refused, .. }
            | Self::Draining { renewal: Renewal::Refused, .. } => None,
            Self::Busy { lease, .. } | Self::Draining { lease, .. } => {
                Some(PoolEffect::Assign { agent, lease })
            }
            Self::Cleaning { lease } => Some(PoolEffect::Clean { agent, lease }),
            Self::Leaving => Some(PoolEffect::Retire { agent }),
            Self::Failed | Self::Idle(_) => None,
        }
    }

    /// The order to stop that is outstanding in its place.
    pub(super) fn stop(self, agent: AgentId) -> Option<PoolEffect> {
        match self {
            Self::Busy { lease, renewal: Renewal::Refused }
            | Self::Draining { lease, renewal: Renewal::Refused } => Some(PoolEffect::Stop { agent, lease }),
            Self::Busy { .. }
            | Self::Draining { .. }
            | Self::Provisioning
            | Self::Failed
            | Self::Idle(_)
            | Self::Cleaning { .. }
            | Self::Leaving => None,
        }
    }

    /// Whether a timer runs for it.
    pub(super) fn has_timer(self) -> bool {
        match self {
            Self::Provisioning
            | Self::Failed
            | Self::Idle(Stay::Spare)
            | Self::Busy { .. }
            | Self::Draining { .. }
            | Self::Cleaning { .. } => true,
            Self::Idle(Stay::Kept) | Self::Leaving => false,
        }
    }
}

/// One agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Agent {
    /// Where it stands.
    pub state: AgentState,
    /// The number of the timer that was armed last, 0 before the first.
    pub timer: u32,
}

/// Every agent that is not gone, in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Agents {
    places: BTreeMap<AgentId, Agent>,
    /// The highest number that was given.
    last: AgentId,
    /// Those that are idle. Follows from `places`, as do the counts below.
    idle: BTreeSet<AgentId>,
    staying: u32,
    coming: u32,
}

impl Agents {
    /// The agents that were stored.
    pub(super) fn from_stored(places: BTreeMap<AgentId, Agent>, last: AgentId) -> Self {
        let mut agents = Self { last, ..Self::default() };
        for (id, agent) in places {
            agents.places.insert(id, agent);
            agents.count(id, agent.state);
        }
        agents
    }

    /// As they are stored, without what follows.
    pub(super) fn into_stored(self) -> BTreeMap<AgentId, Agent> {
        self.places
    }

    pub(super) fn places(&self) -> &BTreeMap<AgentId, Agent> {
        &self.places
    }

    pub(super) fn last(&self) -> AgentId {
        self.last
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.places.len()).unwrap_or(u32::MAX)
    }

    /// How many are there to stay.
    pub(super) fn staying(&self) -> u32 {
        self.staying
    }

    /// How many are to become idle before anything else happens to them.
    pub(super) fn coming(&self) -> u32 {
        self.coming
    }

    pub(super) fn get(&self, id: AgentId) -> Option<Agent> {
        self.places.get(&id).copied()
    }

    /// The idle agent that is given the next task: the oldest, so that the youngest are spared for removal.
    pub(super) fn first_idle(&self) -> Option<AgentId> {
        self.idle.first().copied()
    }

    /// A new agent.
    pub(super) fn add(&mut self, state: AgentState) -> AgentId {
        self.last.0 += 1;
        self.put(self.last, Agent { state, timer: 0 });
        self.last
    }

    /// An agent under a number that was given before.
    pub(super) fn put(&mut self, id: AgentId, agent: Agent) {
        if let Some(before) = self.places.insert(id, agent) {
            self.discount(id, before.state);
        }
        self.count(id, agent.state);
    }

    pub(super) fn set(&mut self, id: AgentId, state: AgentState) {
        let timer = self.get(id).map_or(0, |agent| agent.timer);
        self.put(id, Agent { state, timer });
    }

    /// Changes the renewal of a lease, which is counted nowhere.
    pub(super) fn renew(&mut self, id: AgentId, to: Renewal) {
        match self.places.get_mut(&id).map(|agent| &mut agent.state) {
            Some(AgentState::Busy { renewal, .. } | AgentState::Draining { renewal, .. }) => *renewal = to,
            Some(
                AgentState::Provisioning
                | AgentState::Failed
                | AgentState::Idle(_)
                | AgentState::Cleaning { .. }
                | AgentState::Leaving,
            )
            | None => {}
        }
    }

    /// The next timer of an agent.
    pub(super) fn next_timer(&mut self, id: AgentId) -> PoolTimer {
        let number = self.places.get_mut(&id).map_or(0, |agent| {
            agent.timer += 1;
            agent.timer
        });
        PoolTimer { agent: id, number }
    }

    pub(super) fn remove(&mut self, id: AgentId) {
        if let Some(before) = self.places.remove(&id) {
            self.discount(id, before.state);
        }
    }

    fn count(&mut self, id: AgentId, state: AgentState) {
        self.staying += u32::from(state.stays());
        self.coming += u32::from(state.is_coming());
        if matches!(state, AgentState::Idle(_)) {
            self.idle.insert(id);
        }
    }

    fn discount(&mut self, id: AgentId, state: AgentState) {
        self.staying -= u32::from(state.stays());
        self.coming -= u32::from(state.is_coming());
        if matches!(state, AgentState::Idle(_)) {
            self.idle.remove(&id);
        }
    }
}
