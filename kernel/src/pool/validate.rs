//! What must be true of a pool, wherever it came from.
//!
//! A pool that came from events is always valid; one that was read from a snapshot may be anything.

use super::agents::{Agent, AgentState, Stay};
use super::vocabulary::{AgentId, Lease, PoolEnd, UserId};
use super::{Booking, Pool, PoolConfig, Standing};
use crate::validate::COUNTER_MAX;
use crate::vocabulary::TaskId;
use alloc::collections::BTreeSet;
use core::error::Error;
use core::fmt;

/// Why a pool's state cannot have come from events: what [`Pool::validate`] found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolCorrupt {
    /// There is more of something than the settings allow.
    Bounds,
    /// The counters contradict what they count, or are near the end of their range.
    Counters,
    /// A task has a place, or a number of attempts, that it cannot have.
    Task {
        /// Which task.
        task: TaskId,
    },
    /// An agent and the task that it has do not know of each other, or two agents have one lease (S20).
    Lease {
        /// Which agent, or who the task says that has it.
        agent: AgentId,
    },
    /// A user has more than the quota (S22).
    Quota {
        /// Who.
        user: UserId,
    },
    /// An agent is idle while a task is ready.
    Idle {
        /// Which agent.
        agent: AgentId,
    },
    /// Agents are missing that would have been ordered, or kept that are above the minimum.
    Fleet,
}

impl fmt::Display for PoolCorrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bounds => f.write_str("there is more than the settings allow"),
            Self::Counters => f.write_str("the counters contradict what they count"),
            Self::Task { task } => write!(f, "task {} cannot stand as it does", task.0),
            Self::Lease { agent } => write!(f, "agent {} and its task do not know of each other", agent.0),
            Self::Quota { user } => write!(f, "user {} has more than the quota", user.0),
            Self::Idle { agent } => write!(f, "agent {} is idle while a task is ready", agent.0),
            Self::Fleet => f.write_str("agents are missing, or kept above the minimum"),
        }
    }
}

impl Error for PoolCorrupt {}

impl Pool {
    /// Checks what must be true of every state.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub fn validate(&self) -> Result<(), PoolCorrupt> {
        if !self.is_within_bounds() {
            return Err(PoolCorrupt::Bounds);
        }
        if !self.counters_agree() {
            return Err(PoolCorrupt::Counters);
        }
        self.tasks().try_for_each(|(task, booking)| self.validate_task(task, booking))?;
        self.agents().try_for_each(|(id, agent)| self.validate_lease(id, agent.state))?;
        let held = |user| self.queue.accounts().get(user).map_or(0, |account| account.held);
        let mut users = self.tasks.values().map(|booking| booking.user);
        if let Some(user) = users.find(|user| held(*user) > self.config.quota) {
            return Err(PoolCorrupt::Quota { user });
        }
        if let (Some(_), Some(agent)) = (self.queue.first(), self.agents.first_idle()) {
            return Err(PoolCorrupt::Idle { agent });
        }
        let is_fit = self.is_new() || (self.has_what_it_needs() && self.keeps_no_more());
        if is_fit { Ok(()) } else { Err(PoolCorrupt::Fleet) }
    }

    fn is_within_bounds(&self) -> bool {
        let PoolConfig { tasks_max, users_max, agents_max, .. } = self.config;
        let fits = |number: usize, limit: u32| u32::try_from(number).is_ok_and(|number| number <= limit);
        fits(self.tasks.len(), tasks_max)
            && fits(self.queue.accounts().len(), users_max)
            && self.agents.len() <= agents_max
    }

    fn counters_agree(&self) -> bool {
        let last = self.agents.last();
        let numbered = |(id, agent): (AgentId, &Agent)| {
            let is_armed = agent.timer > 0 || !agent.state.has_timer();
            id.0 > 0 && id <= last && agent.timer <= COUNTER_MAX && is_armed
        };
        let attempts: u64 = self.tasks.values().map(|booking| u64::from(booking.attempts)).sum();
        let submitted: BTreeSet<u64> = self.tasks.values().map(submission).collect();
        last.0 <= COUNTER_MAX
            && self.submissions <= u64::MAX / 2
            && self.epoch.0 <= u64::MAX / 2
            && self.agents().all(numbered)
            && attempts <= self.epoch.0
            && submitted.len() == self.tasks.len()
            && submitted.first().is_none_or(|first| *first > 0)
            && submitted.last().is_none_or(|last| *last <= self.submissions)
    }

    fn validate_task(&self, task: TaskId, booking: &Booking) -> Result<(), PoolCorrupt> {
        let PoolConfig { attempts_max, normal_yields, low_yields, .. } = self.config;
        let Booking { place, attempts, standing, .. } = *booking;
        let tried = match standing {
            Standing::Queued => attempts < attempts_max,
            Standing::Held { agent } => {
                let lease = self.agents.get(agent).and_then(|agent| agent.state.lease());
                if lease.map(|lease| lease.task) != Some(task) {
                    return Err(PoolCorrupt::Lease { agent });
                }
                attempts > 0
            }
            Standing::Ended(PoolEnd::Completed | PoolEnd::Failed) => attempts > 0,
            Standing::Ended(PoolEnd::Lost) => attempts == attempts_max,
            Standing::Ended(PoolEnd::Cancelled) => true,
        };
        let yields = [0, normal_yields, low_yields].contains(&place.yields);
        if tried && yields && attempts <= attempts_max { Ok(()) } else { Err(PoolCorrupt::Task { task }) }
    }

    fn validate_lease(&self, agent: AgentId, state: AgentState) -> Result<(), PoolCorrupt> {
        let (lease, is_held) = match state {
            AgentState::Busy { lease, .. } | AgentState::Draining { lease, .. } => (lease, true),
            AgentState::Cleaning { lease } => (lease, false),
            AgentState::Provisioning | AgentState::Failed | AgentState::Idle(_) | AgentState::Leaving => {
                return Ok(());
            }
        };
        let holder = self.tasks.get(&lease.task).map(|booking| booking.standing);
        let known = !is_held || holder == Some(Standing::Held { agent });
        let same = |other: Lease| other.epoch == lease.epoch;
        let alone = self.agents().filter(|(_, other)| traces(other.state).is_some_and(same)).count() == 1;
        let given = lease.epoch.0 > 0 && lease.epoch <= self.epoch;
        if known && alone && given { Ok(()) } else { Err(PoolCorrupt::Lease { agent }) }
    }

    /// Nothing has happened yet.
    fn is_new(&self) -> bool {
        self.submissions == 0 && self.agents.last().0 == 0
    }

    fn has_what_it_needs(&self) -> bool {
        let agents = &self.agents;
        let is_full = agents.len() == self.config.agents_max;
        let is_enough =
            agents.staying() >= self.config.agents_min && agents.coming() >= self.queue.accounts().demand();
        is_full || is_enough
    }

    fn keeps_no_more(&self) -> bool {
        let is_kept = |(_, agent): (AgentId, &Agent)| agent.state == AgentState::Idle(Stay::Kept);
        self.agents.staying() <= self.config.agents_min || !self.agents().any(is_kept)
    }
}

/// The number under which a task was submitted; 0 for a place that none can have.
fn submission(booking: &Booking) -> u64 {
    booking.place.turn.saturating_sub(u64::from(booking.place.yields))
}

/// The lease that an agent has, or whose traces it has.
fn traces(state: AgentState) -> Option<Lease> {
    match state {
        AgentState::Busy { lease, .. }
        | AgentState::Draining { lease, .. }
        | AgentState::Cleaning { lease } => Some(lease),
        AgentState::Provisioning | AgentState::Failed | AgentState::Idle(_) | AgentState::Leaving => None,
    }
}
