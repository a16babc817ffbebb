//! A task from its submission to the acknowledgement of its end.

use super::queue::Place;
use super::vocabulary::{AgentId, Epoch, Lease, PoolEffect, PoolEnd, PoolRejected, Priority, UserId};
use super::{AgentState, Booking, Renewal, Standing, Step, Taken, ignored};
use crate::faults::Fault;
use crate::vocabulary::{Ignored, Outcome, TaskId};

impl Step<'_> {
    pub(super) fn submitted(&mut self, task: TaskId, user: UserId, priority: Priority) -> Taken {
        let config = self.pool.config;
        let is_known = self.pool.tasks.contains_key(&task);
        if is_known && !self.has(Fault::SubmissionDoubled) {
            return ignored(Ignored::Duplicate);
        }
        if self.is_full(self.pool.tasks.len(), config.tasks_max) {
            return Err(Outcome::Rejected(PoolRejected::QueueFull { limit: config.tasks_max, task }));
        }
        let accounts = self.pool.queue.accounts();
        if accounts.get(user).is_none() && self.is_full(accounts.len(), config.users_max) {
            return Err(Outcome::Rejected(PoolRejected::UsersFull { limit: config.users_max, user }));
        }
        self.pool.submissions += 1;
        let place = self.new_place(priority);
        self.pool.tasks.insert(task, Booking { user, place, attempts: 0, standing: Standing::Queued });
        self.pool.queue.enqueue(user, place, task);
        self.place_tasks();
        Ok(())
    }

    fn is_full(&self, number: usize, limit: u32) -> bool {
        let is_full = u32::try_from(number).is_ok_and(|number| number >= limit);
        is_full && !self.has(Fault::PoolUnbounded)
    }

    /// The place of what was submitted last.
    fn new_place(&self, priority: Priority) -> Place {
        let yields = match priority {
            Priority::High => 0,
            Priority::Normal => self.pool.config.normal_yields,
            Priority::Low => self.pool.config.low_yields,
        };
        // Without ageing a lower priority waits for as long as there is anything of a higher one.
        let head_start = if self.has(Fault::PriorityStarves) { yields << 16 } else { yields };
        Place { turn: self.pool.submissions + u64::from(head_start), yields }
    }

    /// The place of a task that begins to wait as if it had just been submitted.
    fn place_anew(&mut self) -> Place {
        self.pool.submissions += 1;
        self.new_place(Priority::Low)
    }

    pub(super) fn cancel_requested(&mut self, task: TaskId) -> Taken {
        let Some(Booking { user, place, standing, .. }) = self.pool.tasks.get(&task).copied() else {
            return Err(Outcome::Rejected(PoolRejected::UnknownTask { task }));
        };
        match standing {
            Standing::Queued => {
                // S21: who is not in the queue cannot be assigned.
                if !self.has(Fault::CancelMissesQueue) {
                    self.pool.queue.withdraw(user, place);
                }
                self.end(task, PoolEnd::Cancelled);
                self.place_tasks();
                Ok(())
            }
            Standing::Held { agent } => self.stop(agent),
            Standing::Ended(_) => ignored(Ignored::Terminal),
        }
    }

    /// Tells an agent to end what it has, and lets the lease run out if it does not.
    fn stop(&mut self, agent: AgentId) -> Taken {
        match self.pool.agents.get(agent).map(|agent| agent.state) {
            Some(
                AgentState::Busy { lease, renewal: Renewal::Due | Renewal::Renewed }
                | AgentState::Draining { lease, renewal: Renewal::Due | Renewal::Renewed },
            ) => {
                self.pool.agents.renew(agent, Renewal::Refused);
                if self.has(Fault::QuotaReleasedTwice)
                    && let Some(booking) = self.pool.tasks.get(&lease.task)
                {
                    self.pool.queue.release(booking.user);
                }
                self.emit(PoolEffect::Stop { agent, lease });
                Ok(())
            }
            Some(
                AgentState::Busy { renewal: Renewal::Refused, .. }
                | AgentState::Draining { renewal: Renewal::Refused, .. }
                | AgentState::Provisioning
                | AgentState::Failed
                | AgentState::Idle(_)
                | AgentState::Cleaning { .. }
                | AgentState::Leaving,
            )
            | None => ignored(Ignored::Duplicate),
        }
    }

    pub(super) fn end_acknowledged(&mut self, task: TaskId) -> Taken {
        match self.pool.tasks.get(&task).map(|booking| booking.standing) {
            // It was acknowledged before, or never was; either way there is nothing to forget.
            None => ignored(Ignored::Terminal),
            Some(Standing::Ended(_)) => {
                self.pool.tasks.remove(&task);
                Ok(())
            }
            Some(standing @ (Standing::Queued | Standing::Held { .. })) => {
                Err(Outcome::Rejected(PoolRejected::NotEnded { task, standing }))
            }
        }
    }

    /// Assigns the next task if an agent is idle, and orders the agents that are missing. A step makes one task ready at
    /// most, so there is one to assign at most.
    pub(super) fn place_tasks(&mut self) {
        if let (Some(task), Some(agent)) = (self.pool.queue.first(), self.pool.agents.first_idle()) {
            self.disarm(agent);
            self.assign(agent, task);
        }
        self.provision();
    }

    /// Gives a task to an agent that has no timer, under an epoch of its own (S20).
    pub(super) fn assign(&mut self, agent: AgentId, task: TaskId) {
        if !self.has(Fault::EpochKept) || self.pool.epoch.0 == 0 {
            self.pool.epoch = Epoch(self.pool.epoch.0 + 1);
        }
        let lease = Lease { task, epoch: self.pool.epoch };
        if let Some(booking) = self.pool.tasks.get_mut(&task) {
            booking.attempts += 1;
            booking.standing = Standing::Held { agent };
            let Booking { user, place, .. } = *booking;
            if !self.has(Fault::AssignedStaysQueued) {
                self.pool.queue.hold(user, place);
            }
        }
        self.enter(agent, AgentState::Busy { lease, renewal: Renewal::Due });
    }

    /// The lease of a task is over: with its end, or, if there is none, with a place in the queue for the next attempt.
    pub(super) fn over(&mut self, task: TaskId, end: Option<PoolEnd>) {
        let anew = self.has(Fault::PlaceLost).then(|| self.place_anew());
        let Some(booking) = self.pool.tasks.get_mut(&task) else { return };
        booking.place = anew.unwrap_or(booking.place);
        let Booking { user, place, .. } = *booking;
        if let Some(end) = end {
            if !self.has(Fault::QuotaKept) {
                self.pool.queue.release(user);
            }
            self.end(task, end);
        } else {
            booking.standing = Standing::Queued;
            self.pool.queue.put_back(user, place, task);
        }
    }

    fn end(&mut self, task: TaskId, end: PoolEnd) {
        if let Some(booking) = self.pool.tasks.get_mut(&task) {
            booking.standing = Standing::Ended(end);
        }
        if self.has(Fault::PoolEndForgotten) {
            self.pool.tasks.remove(&task);
        }
        self.emit(PoolEffect::TaskEnded { task, end });
    }
}
