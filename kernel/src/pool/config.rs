//! What can be set for a pool.

use serde::{Deserialize, Serialize};

/// Settings of one pool. They are part of its state: a journal replays to the same state only under the same settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PoolConfig {
    /// Tasks held at once: queued, assigned, and ended ones that are not acknowledged. 100,000 by default, as
    /// [`Config::tasks_max`](crate::Config::tasks_max): one shard of tasks may all wait.
    pub tasks_max: u32,
    /// Users with a queued or assigned task at once. 10,000 by default: ten tasks for each when the queue is full.
    pub users_max: u32,
    /// Agents at once, from the order to start one to the word that it is gone. 100 by default: what one host of
    /// containers or one small cluster takes.
    pub agents_max: u32,
    /// Agents that are kept though nobody needs them. 1 by default: the first task of a quiet hour need not wait for a
    /// container.
    pub agents_min: u32,
    /// Tasks of one user that are assigned at once (S22); at least 1. 5 by default: a twentieth of the agents.
    pub quota: u32,
    /// Assignments of one task; at least 1. 3 by default: one loss is bad luck, three are the task's doing.
    pub attempts_max: u32,
    /// Tasks that come later and may be assigned before a task of normal priority (L4). 16 by default: with the quota,
    /// three users with everything they may have at once.
    pub normal_yields: u32,
    /// The same for a task of low priority; at least as many. 64 by default: four times as patient.
    pub low_yields: u32,
    /// How long an agent may take to start; also the wait before one is ordered anew that could not be started.
    /// 120,000 ms by default: a large image over a slow network.
    pub provision_ms: u32,
    /// How long a lease lasts without a heartbeat; one that had a heartbeat lasts up to twice as long. 60,000 ms by
    /// default: an agent that beats every 15 s is lost after four beats in a row.
    pub lease_ms: u32,
    /// How long the reset of a workspace may take. 60,000 ms by default: longer than to remove the agent and start
    /// another one is no use.
    pub clean_ms: u32,
    /// How long an agent above the minimum is kept that nobody needs. 300,000 ms by default: more than twice what it
    /// takes to get it back.
    pub idle_ms: u32,
    /// The fault that is planted, if any.
    #[cfg(feature = "planted-faults")]
    pub fault: Option<crate::faults::Fault>,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            tasks_max: 100_000,
            users_max: 10_000,
            agents_max: 100,
            agents_min: 1,
            quota: 5,
            attempts_max: 3,
            normal_yields: 16,
            low_yields: 64,
            provision_ms: 120_000,
            lease_ms: 60_000,
            clean_ms: 60_000,
            idle_ms: 300_000,
            #[cfg(feature = "planted-faults")]
            fault: None,
        }
    }
}

impl PoolConfig {
    /// Whether this fault is planted.
    #[cfg(feature = "planted-faults")]
    pub(super) fn has(&self, fault: crate::faults::Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Whether this fault is planted: never in a pool that ships.
    #[cfg(not(feature = "planted-faults"))]
    #[expect(clippy::unused_self, reason = "the same call as with the feature")]
    pub(super) const fn has(&self, _fault: crate::faults::Fault) -> bool {
        false
    }
}
