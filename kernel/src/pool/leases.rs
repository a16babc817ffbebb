//! Leases: how an assignment goes on, and how it comes to its end.
//!
//! A lease goes on for as long as its agent is heard of once in each run of its timer. It ends when the agent says so,
//! when the agent is gone, or when the timer runs out in silence; in the last case the agent may live, and work, and come
//! back, so it is removed and trusted no more.

use super::vocabulary::{AgentId, Lease, PoolEffect, PoolEnd, PoolEvent, WorkEnd};
use super::{AgentState, Renewal, Step, Taken, ignored, never_asked};
use crate::faults::Fault;
use crate::vocabulary::Ignored;

impl Step<'_> {
    pub(super) fn heartbeat(&mut self, agent: AgentId, lease: Lease, event: PoolEvent) -> Taken {
        let state = self.state_of(agent, event)?;
        let renewal = match state {
            AgentState::Busy { lease: present, renewal }
            | AgentState::Draining { lease: present, renewal }
                if self.is_present(lease, present) =>
            {
                renewal
            }
            AgentState::Provisioning
            | AgentState::Failed
            | AgentState::Idle(_)
            | AgentState::Busy { .. }
            | AgentState::Draining { .. }
            | AgentState::Cleaning { .. }
            | AgentState::Leaving => return self.void(lease, state, event),
        };
        match renewal {
            Renewal::Due => {}
            Renewal::Renewed => return ignored(Ignored::Duplicate),
            Renewal::Refused if self.has(Fault::CancelIsRenewed) => {}
            Renewal::Refused => return ignored(Ignored::Terminal),
        }
        self.pool.agents.renew(agent, Renewal::Renewed);
        Ok(())
    }

    pub(super) fn work_ended(
        &mut self,
        agent: AgentId,
        lease: Lease,
        end: WorkEnd,
        event: PoolEvent,
    ) -> Taken {
        let state = self.state_of(agent, event)?;
        let (present, renewal, next) = match state {
            AgentState::Busy { lease: present, renewal } if self.is_present(lease, present) => {
                (present, renewal, AgentState::Cleaning { lease: present })
            }
            AgentState::Draining { lease: present, renewal } if self.is_present(lease, present) => {
                let cleaned = self.has(Fault::DrainedReused);
                let next =
                    if cleaned { AgentState::Cleaning { lease: present } } else { AgentState::Leaving };
                (present, renewal, next)
            }
            AgentState::Cleaning { lease: present } if present == lease => {
                if self.has(Fault::EndsTwice) {
                    self.emit(PoolEffect::TaskEnded { task: lease.task, end: PoolEnd::Failed });
                }
                return ignored(Ignored::Duplicate);
            }
            AgentState::Provisioning
            | AgentState::Failed
            | AgentState::Idle(_)
            | AgentState::Busy { .. }
            | AgentState::Draining { .. }
            | AgentState::Cleaning { .. }
            | AgentState::Leaving => return self.void(lease, state, event),
        };
        self.disarm(agent);
        self.over(present.task, self.end_of(present, renewal, end));
        if self.has(Fault::UncleanIdle) {
            self.free(agent);
        } else {
            self.enter(agent, next);
        }
        self.place_tasks();
        Ok(())
    }

    pub(super) fn cleaned(&mut self, agent: AgentId, lease: Lease, event: PoolEvent) -> Taken {
        let state = self.state_of(agent, event)?;
        match state {
            AgentState::Cleaning { lease: present } if present == lease || self.has(Fault::AnyCleaning) => {
                self.disarm(agent);
                self.free(agent);
                Ok(())
            }
            AgentState::Busy { lease: present, .. } | AgentState::Draining { lease: present, .. }
                if present == lease =>
            {
                never_asked(state, event)
            }
            AgentState::Provisioning
            | AgentState::Failed
            | AgentState::Idle(_)
            | AgentState::Busy { .. }
            | AgentState::Draining { .. }
            | AgentState::Cleaning { .. }
            | AgentState::Leaving => self.void(lease, state, event),
        }
    }

    /// Nothing was heard under the lease of an agent for a whole run of its timer.
    pub(super) fn run_out(&mut self, agent: AgentId, state: AgentState) {
        self.lose(state);
        if self.has(Fault::LostAgentReused) {
            self.free(agent);
        } else {
            self.enter(agent, AgentState::Leaving);
        }
        self.place_tasks();
    }

    /// The agent that stood there works no more, or nobody can say that it does.
    pub(super) fn lose(&mut self, state: AgentState) {
        match state {
            AgentState::Busy { lease, renewal } | AgentState::Draining { lease, renewal } => {
                if !self.has(Fault::LostTaskForgotten) {
                    self.over(lease.task, self.end_of(lease, renewal, WorkEnd::Returned));
                }
            }
            AgentState::Provisioning
            | AgentState::Failed
            | AgentState::Idle(_)
            | AgentState::Cleaning { .. }
            | AgentState::Leaving => {}
        }
    }

    /// How a task ends with its lease; `None` if it is to be assigned anew.
    fn end_of(&self, lease: Lease, renewal: Renewal, end: WorkEnd) -> Option<PoolEnd> {
        let attempts = self.pool.tasks.get(&lease.task).map_or(0, |booking| booking.attempts);
        let is_spent = attempts >= self.pool.config.attempts_max && !self.has(Fault::NoAttemptsBound);
        match (renewal, end) {
            (Renewal::Refused, WorkEnd::Completed) if self.has(Fault::CompletionOvertakes) => {
                Some(PoolEnd::Completed)
            }
            (Renewal::Refused, _) => Some(PoolEnd::Cancelled),
            (Renewal::Due | Renewal::Renewed, WorkEnd::Completed) => Some(PoolEnd::Completed),
            (Renewal::Due | Renewal::Renewed, WorkEnd::Failed) => Some(PoolEnd::Failed),
            (Renewal::Due | Renewal::Renewed, WorkEnd::Returned) => is_spent.then_some(PoolEnd::Lost),
        }
    }

    fn is_present(&self, lease: Lease, present: Lease) -> bool {
        lease == present || self.has(Fault::AnyLease)
    }

    /// What is said under a lease that is not the agent's.
    fn void(&self, lease: Lease, state: AgentState, event: PoolEvent) -> Taken {
        if lease.epoch.0 == 0 || lease.epoch > self.pool.epoch {
            return never_asked(state, event);
        }
        ignored(Ignored::Stale)
    }
}
