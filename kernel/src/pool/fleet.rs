//! The agents as a fleet: how many there are, and how one comes and goes.
//!
//! Ordered are as many as tasks are ready that no agent on its way will take, and the minimum, but never more than fit.
//! Removed is one at a time that nobody has needed for a while. Nothing is removed that has a task: the idle agent that is
//! chosen leaves in the step in which it is chosen, so that it cannot be chosen for both.

use super::vocabulary::{AgentId, PoolEffect, PoolEvent, PoolRejected, PoolTimer};
use super::{Agent, AgentState, Renewal, Stay, Step, Taken, ignored, never_asked};
use crate::faults::Fault;
use crate::vocabulary::{Ignored, Outcome};

impl Step<'_> {
    pub(super) fn started(&mut self, agent: AgentId, event: PoolEvent) -> Taken {
        let state = match self.state_of(agent, event) {
            Err(Outcome::Ignored(Ignored::Terminal)) => return self.come_back(agent),
            other => other?,
        };
        match state {
            AgentState::Provisioning => {
                self.disarm(agent);
                self.free(agent);
                Ok(())
            }
            // It ended before, and whether it is the same container nobody knows.
            AgentState::Failed => {
                self.disarm(agent);
                self.enter(agent, AgentState::Leaving);
                self.provision();
                Ok(())
            }
            AgentState::Idle(_)
            | AgentState::Busy { .. }
            | AgentState::Draining { .. }
            | AgentState::Cleaning { .. } => ignored(Ignored::Duplicate),
            AgentState::Leaving => ignored(Ignored::Stale),
        }
    }

    /// A container runs that the pool has forgotten: it was slower than the order to remove it. It is removed again, and
    /// known until it is gone.
    fn come_back(&mut self, agent: AgentId) -> Taken {
        let limit = self.pool.config.agents_max;
        if self.has(Fault::LeaksContainer) {
            return ignored(Ignored::Terminal);
        }
        if self.pool.agents.len() >= limit && !self.has(Fault::PoolUnbounded) {
            return Err(Outcome::Rejected(PoolRejected::AgentsFull { limit, agent }));
        }
        self.pool.agents.put(agent, Agent { state: AgentState::Leaving, timer: 0 });
        self.emit(PoolEffect::Retire { agent });
        Ok(())
    }

    pub(super) fn gone(&mut self, agent: AgentId, event: PoolEvent) -> Taken {
        let state = self.state_of(agent, event)?;
        match state {
            AgentState::Provisioning if !self.has(Fault::FailsWithoutPause) => {
                self.pool.agents.set(agent, AgentState::Failed);
                return Ok(());
            }
            AgentState::Failed => return ignored(Ignored::Duplicate),
            AgentState::Provisioning
            | AgentState::Idle(_)
            | AgentState::Busy { .. }
            | AgentState::Draining { .. }
            | AgentState::Cleaning { .. }
            | AgentState::Leaving => {}
        }
        self.disarm(agent);
        self.pool.agents.remove(agent);
        self.lose(state);
        self.place_tasks();
        Ok(())
    }

    pub(super) fn drain_requested(&mut self, agent: AgentId, event: PoolEvent) -> Taken {
        match self.state_of(agent, event)? {
            AgentState::Busy { lease, renewal } if !self.has(Fault::DrainTakesTask) => {
                self.pool.agents.set(agent, AgentState::Draining { lease, renewal });
            }
            AgentState::Provisioning
            | AgentState::Idle(_)
            | AgentState::Cleaning { .. }
            | AgentState::Busy { .. } => {
                self.disarm(agent);
                self.enter(agent, AgentState::Leaving);
            }
            AgentState::Failed | AgentState::Draining { .. } | AgentState::Leaving => {
                return ignored(Ignored::Duplicate);
            }
        }
        self.provision();
        Ok(())
    }

    pub(super) fn elapsed(&mut self, timer: PoolTimer, event: PoolEvent) -> Taken {
        let PoolTimer { agent, number } = timer;
        let state = self.state_of(agent, event)?;
        let armed = self.pool.agents.get(agent).map_or(0, |agent| agent.timer);
        let any = self.has(Fault::AnyPoolTimer);
        match state {
            AgentState::Idle(Stay::Kept) | AgentState::Leaving => return ignored(Ignored::Stale),
            _ if (number == 0 || number > armed) && !any => return never_asked(state, event),
            _ if number < armed && !any => return ignored(Ignored::Stale),
            AgentState::Provisioning | AgentState::Cleaning { .. } => {
                self.enter(agent, AgentState::Leaving);
                self.provision();
            }
            AgentState::Failed => {
                self.pool.agents.remove(agent);
                self.provision();
            }
            AgentState::Idle(Stay::Spare) => self.spare_no_more(agent),
            AgentState::Busy { renewal: Renewal::Renewed, .. }
            | AgentState::Draining { renewal: Renewal::Renewed, .. }
                if !self.has(Fault::RenewalForgotten) =>
            {
                self.pool.agents.renew(agent, Renewal::Due);
                self.arm(agent, state);
            }
            AgentState::Busy { .. } | AgentState::Draining { .. } => self.run_out(agent, state),
        }
        Ok(())
    }

    fn spare_no_more(&mut self, agent: AgentId) {
        let is_needed = self.pool.agents.staying() <= self.pool.config.agents_min;
        if is_needed && !self.has(Fault::RetiresMinimum) {
            self.pool.agents.set(agent, AgentState::Idle(Stay::Kept));
        } else {
            self.enter(agent, AgentState::Leaving);
        }
    }

    /// An agent whose timer does not run waits for a task, or is given one.
    pub(super) fn free(&mut self, agent: AgentId) {
        if let Some(task) = self.pool.queue.first() {
            return self.assign(agent, task);
        }
        let is_kept = self.pool.agents.staying() <= self.pool.config.agents_min;
        self.enter(agent, AgentState::Idle(if is_kept { Stay::Kept } else { Stay::Spare }));
    }

    /// Orders the agents that are missing.
    pub(super) fn provision(&mut self) {
        let agents_min = self.pool.config.agents_min;
        let demand = self.pool.queue.accounts().demand();
        loop {
            let agents = &self.pool.agents;
            let is_missing = agents.staying() < agents_min || agents.coming() < demand;
            let fits = agents.len() < self.pool.config.agents_max || self.has(Fault::ProvisionsWithoutBound);
            if !is_missing || !fits || self.has(Fault::ProvisionsNothing) {
                return;
            }
            let agent = self.pool.agents.add(AgentState::Provisioning);
            self.enter(agent, AgentState::Provisioning);
        }
    }

    /// An agent whose timer does not run comes to stand there, and is told so.
    pub(super) fn enter(&mut self, agent: AgentId, state: AgentState) {
        self.pool.agents.set(agent, state);
        if let Some(order) = state.order(agent)
            && !(self.has(Fault::NotRetired) && state == AgentState::Leaving)
        {
            self.emit(order);
        }
        if state.has_timer() {
            self.arm(agent, state);
        }
    }

    fn arm(&mut self, agent: AgentId, state: AgentState) {
        let timer = self.pool.agents.next_timer(agent);
        if !(self.has(Fault::NoLeaseTimer) && state.lease().is_some()) {
            self.emit(PoolEffect::Arm { timer, after_ms: self.pool.time(state) });
        }
    }

    pub(super) fn disarm(&mut self, agent: AgentId) {
        if let Some(Agent { state, timer: number }) = self.pool.agents.get(agent)
            && state.has_timer()
        {
            self.emit(PoolEffect::Disarm { timer: PoolTimer { agent, number } });
        }
    }
}
