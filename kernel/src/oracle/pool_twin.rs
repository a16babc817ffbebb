//! The pool a second time: one table over event and state, which counts and looks for everything anew.

use super::beside;
use crate::pool::{
    Agent, AgentId, AgentState, Booking, Epoch, Lease, Place, PoolEffect, PoolEnd, PoolEvent, PoolRejected,
    PoolTimer, Priority, Renewal, Standing, Stay, Stored, UserId, WorkEnd,
};
use crate::vocabulary::{Ignored, Outcome, TaskId};
use std::vec::Vec;

type Said = beside::Said<Stored, PoolEffect, PoolRejected>;
type No = Outcome<PoolRejected>;

/// A pool that is being changed.
struct Draft {
    pool: Stored,
    effects: Vec<PoolEffect>,
}

/// What the pool makes of the event, written from what its vocabulary promises.
pub(super) fn twin(at: &Stored, event: PoolEvent) -> Said {
    let mut draft = Draft { pool: at.clone(), effects: Vec::new() };
    draft.take(event)?;
    Ok((draft.pool, draft.effects))
}

/// What a restart repeats.
pub(super) fn twin_resync(at: &Stored) -> Vec<PoolEffect> {
    let mut draft = Draft { pool: at.clone(), effects: Vec::new() };
    for (agent, Agent { state, timer }) in &at.agents {
        if refuses(*state) {
            let lease = lease_of(*state).expect("who was told to stop has a task");
            draft.effects.push(PoolEffect::Stop { agent: *agent, lease });
        } else {
            draft.order(*agent, *state);
        }
        if let Some(after_ms) = draft.time(*state) {
            let timer = PoolTimer { agent: *agent, number: *timer };
            draft.effects.push(PoolEffect::Arm { timer, after_ms });
        }
    }
    for (task, booking) in &at.tasks {
        if let Standing::Ended(end) = booking.standing {
            draft.effects.push(PoolEffect::TaskEnded { task: *task, end });
        }
    }
    draft.effects
}

fn lease_of(state: AgentState) -> Option<Lease> {
    match state {
        AgentState::Busy { lease, .. } | AgentState::Draining { lease, .. } => Some(lease),
        AgentState::Provisioning
        | AgentState::Failed
        | AgentState::Idle(_)
        | AgentState::Cleaning { .. }
        | AgentState::Leaving => None,
    }
}

fn refuses(state: AgentState) -> bool {
    matches!(
        state,
        AgentState::Busy { renewal: Renewal::Refused, .. }
            | AgentState::Draining { renewal: Renewal::Refused, .. }
    )
}

impl Draft {
    fn take(&mut self, event: PoolEvent) -> Result<(), No> {
        use PoolEvent as E;
        match event {
            E::Submitted { task, user, priority } => self.submit(task, user, priority),
            E::CancelRequested { task } => self.cancel(task),
            E::EndAcknowledged { task } => match self.pool.tasks.get(&task).map(|found| found.standing) {
                None => Err(No::Ignored(Ignored::Terminal)),
                Some(Standing::Ended(_)) => {
                    self.pool.tasks.remove(&task);
                    Ok(())
                }
                Some(standing) => Err(No::Rejected(PoolRejected::NotEnded { task, standing })),
            },
            E::Started { agent }
            | E::Gone { agent }
            | E::Heartbeat { agent, .. }
            | E::WorkEnded { agent, .. }
            | E::Cleaned { agent, .. }
            | E::DrainRequested { agent }
            | E::Elapsed { timer: PoolTimer { agent, .. } } => {
                let last = self.pool.last;
                match self.pool.agents.get(&agent).copied() {
                    Some(found) => self.of_agent(agent, found, event),
                    None if agent.0 == 0 || agent > last => {
                        Err(No::Rejected(PoolRejected::UnknownAgent { last, event }))
                    }
                    None if event == (E::Started { agent }) => self.come_back(agent),
                    None => Err(No::Ignored(Ignored::Terminal)),
                }
            }
        }
    }

    fn submit(&mut self, task: TaskId, user: UserId, priority: Priority) -> Result<(), No> {
        let config = self.pool.config;
        if self.pool.tasks.contains_key(&task) {
            return Err(No::Ignored(Ignored::Duplicate));
        }
        if self.pool.tasks.len() == config.tasks_max as usize {
            return Err(No::Rejected(PoolRejected::QueueFull { limit: config.tasks_max, task }));
        }
        let mut users: Vec<UserId> =
            self.pool.tasks.values().filter(|found| is_open(found)).map(|found| found.user).collect();
        users.sort_unstable();
        users.dedup();
        if !users.contains(&user) && users.len() == config.users_max as usize {
            return Err(No::Rejected(PoolRejected::UsersFull { limit: config.users_max, user }));
        }
        let yields = match priority {
            Priority::High => 0,
            Priority::Normal => config.normal_yields,
            Priority::Low => config.low_yields,
        };
        self.pool.submissions += 1;
        let place = Place { turn: self.pool.submissions + u64::from(yields), yields };
        self.pool.tasks.insert(task, Booking { user, place, attempts: 0, standing: Standing::Queued });
        self.fill();
        Ok(())
    }

    fn cancel(&mut self, task: TaskId) -> Result<(), No> {
        match self.pool.tasks.get(&task).map(|found| found.standing) {
            None => Err(No::Rejected(PoolRejected::UnknownTask { task })),
            Some(Standing::Ended(_)) => Err(No::Ignored(Ignored::Terminal)),
            Some(Standing::Queued) => {
                self.end(task, PoolEnd::Cancelled);
                self.fill();
                Ok(())
            }
            Some(Standing::Held { agent }) => {
                let place = self.pool.agents.get_mut(&agent).expect("who has a task is there");
                match &mut place.state {
                    AgentState::Busy { renewal: Renewal::Refused, .. }
                    | AgentState::Draining { renewal: Renewal::Refused, .. } => {
                        Err(No::Ignored(Ignored::Duplicate))
                    }
                    AgentState::Busy { lease, renewal } | AgentState::Draining { lease, renewal } => {
                        *renewal = Renewal::Refused;
                        self.effects.push(PoolEffect::Stop { agent, lease: *lease });
                        Ok(())
                    }
                    AgentState::Provisioning
                    | AgentState::Failed
                    | AgentState::Idle(_)
                    | AgentState::Cleaning { .. }
                    | AgentState::Leaving => panic!("a task is held by an agent that has none"),
                }
            }
        }
    }

    fn of_agent(&mut self, agent: AgentId, found: Agent, event: PoolEvent) -> Result<(), No> {
        use AgentState as S;
        use PoolEvent as E;
        let Agent { state, timer } = found;
        let stale = Err(No::Ignored(Ignored::Stale));
        let duplicate = Err(No::Ignored(Ignored::Duplicate));
        let never = Err(No::Rejected(PoolRejected::NeverAsked { state, event }));
        let epoch = self.pool.epoch;
        match (event, state) {
            (E::Started { .. }, S::Provisioning) => self.rest(agent, found),
            (E::Started { .. }, S::Failed) => self.leave(agent, found),
            (E::Started { .. }, S::Leaving) => return stale,
            (E::Started { .. }, _) => return duplicate,

            (E::Gone { .. }, S::Failed) => return duplicate,
            (E::Gone { .. }, S::Provisioning) => self.set(agent, S::Failed),
            (E::Gone { .. }, _) => {
                self.disarm(agent, found);
                self.pool.agents.remove(&agent);
                self.take_back(state);
            }

            (E::DrainRequested { .. }, S::Failed | S::Draining { .. } | S::Leaving) => return duplicate,
            (E::DrainRequested { .. }, S::Busy { lease, renewal }) => {
                self.set(agent, S::Draining { lease, renewal });
            }
            (E::DrainRequested { .. }, _) => self.leave(agent, found),

            (E::Elapsed { .. }, S::Idle(Stay::Kept) | S::Leaving) => return stale,
            (E::Elapsed { timer: PoolTimer { number, .. } }, _) if number == 0 || number > timer => {
                return never;
            }
            (E::Elapsed { timer: PoolTimer { number, .. } }, _) if number != timer => return stale,
            (E::Elapsed { .. }, S::Failed) => {
                self.pool.agents.remove(&agent);
            }
            (E::Elapsed { .. }, S::Idle(Stay::Spare)) if self.staying() <= self.pool.config.agents_min => {
                self.set(agent, S::Idle(Stay::Kept));
            }
            (E::Elapsed { .. }, S::Busy { lease, renewal: Renewal::Renewed }) => {
                self.enter(agent, S::Busy { lease, renewal: Renewal::Due }, false);
            }
            (E::Elapsed { .. }, S::Draining { lease, renewal: Renewal::Renewed }) => {
                self.enter(agent, S::Draining { lease, renewal: Renewal::Due }, false);
            }
            (E::Elapsed { .. }, _) => {
                self.take_back(state);
                self.enter(agent, S::Leaving, true);
            }

            (E::Heartbeat { lease, .. } | E::WorkEnded { lease, .. } | E::Cleaned { lease, .. }, _)
                if lease.epoch.0 == 0 || lease.epoch > epoch =>
            {
                return never;
            }

            (E::Heartbeat { lease, .. }, _) if lease_of(state) != Some(lease) => return stale,
            (E::Heartbeat { .. }, _) if refuses(state) => return Err(No::Ignored(Ignored::Terminal)),
            (E::Heartbeat { .. }, S::Busy { lease, renewal: Renewal::Due }) => {
                self.set(agent, S::Busy { lease, renewal: Renewal::Renewed });
                return Ok(());
            }
            (E::Heartbeat { .. }, S::Draining { lease, renewal: Renewal::Due }) => {
                self.set(agent, S::Draining { lease, renewal: Renewal::Renewed });
                return Ok(());
            }
            (E::Heartbeat { .. }, _) => return duplicate,

            (E::WorkEnded { lease, .. }, S::Cleaning { lease: left }) if lease == left => return duplicate,
            (E::WorkEnded { lease, .. }, _) if lease_of(state) != Some(lease) => return stale,
            (E::WorkEnded { lease, end, .. }, _) => {
                self.disarm(agent, found);
                self.work_over(lease, refuses(state), end);
                let drains = matches!(state, S::Draining { .. });
                self.enter(agent, if drains { S::Leaving } else { S::Cleaning { lease } }, true);
            }

            (E::Cleaned { lease, .. }, S::Cleaning { lease: left }) if lease == left => {
                self.rest(agent, found);
            }
            (E::Cleaned { lease, .. }, _) if lease_of(state) == Some(lease) => return never,
            (E::Cleaned { .. }, _) => return stale,

            (E::Submitted { .. } | E::CancelRequested { .. } | E::EndAcknowledged { .. }, _) => {
                unreachable!("it is for a task")
            }
        }
        self.fill();
        Ok(())
    }

    fn come_back(&mut self, agent: AgentId) -> Result<(), No> {
        let limit = self.pool.config.agents_max;
        if self.pool.agents.len() == limit as usize {
            return Err(No::Rejected(PoolRejected::AgentsFull { limit, agent }));
        }
        self.pool.agents.insert(agent, Agent { state: AgentState::Leaving, timer: 0 });
        self.effects.push(PoolEffect::Retire { agent });
        Ok(())
    }

    /// The agent has nothing to do, and its timer is void.
    fn rest(&mut self, agent: AgentId, found: Agent) {
        self.disarm(agent, found);
        self.set(agent, AgentState::Idle(Stay::Kept));
        self.fill();
        if self.pool.agents[&agent].state == AgentState::Idle(Stay::Kept)
            && self.staying() > self.pool.config.agents_min
        {
            self.enter(agent, AgentState::Idle(Stay::Spare), false);
        }
    }

    fn leave(&mut self, agent: AgentId, found: Agent) {
        self.disarm(agent, found);
        self.enter(agent, AgentState::Leaving, true);
    }

    fn take_back(&mut self, state: AgentState) {
        if let Some(lease) = lease_of(state) {
            self.work_over(lease, refuses(state), WorkEnd::Returned);
        }
    }

    fn work_over(&mut self, lease: Lease, cancelled: bool, end: WorkEnd) {
        let booking = self.pool.tasks.get_mut(&lease.task).expect("what is held is there");
        match end {
            _ if cancelled => self.end(lease.task, PoolEnd::Cancelled),
            WorkEnd::Completed => self.end(lease.task, PoolEnd::Completed),
            WorkEnd::Failed => self.end(lease.task, PoolEnd::Failed),
            WorkEnd::Returned if booking.attempts < self.pool.config.attempts_max => {
                booking.standing = Standing::Queued;
            }
            WorkEnd::Returned => self.end(lease.task, PoolEnd::Lost),
        }
    }

    fn end(&mut self, task: TaskId, end: PoolEnd) {
        self.pool.tasks.get_mut(&task).expect("it is there").standing = Standing::Ended(end);
        self.effects.push(PoolEffect::TaskEnded { task, end });
    }

    /// Assigns what can be assigned, and orders the agents that are missing.
    fn fill(&mut self) {
        let idle = |(_, agent): &(&AgentId, &Agent)| matches!(agent.state, AgentState::Idle(_));
        while let (Some(task), Some((agent, found))) =
            (self.next_task(), self.pool.agents.iter().find(idle).map(|(agent, found)| (*agent, *found)))
        {
            self.disarm(agent, found);
            self.pool.epoch = Epoch(self.pool.epoch.0 + 1);
            let booking = self.pool.tasks.get_mut(&task).expect("it is there");
            booking.standing = Standing::Held { agent };
            booking.attempts += 1;
            let lease = Lease { task, epoch: self.pool.epoch };
            self.enter(agent, AgentState::Busy { lease, renewal: Renewal::Due }, true);
        }
        let coming = |draft: &Self| {
            let is_coming = |state| {
                matches!(state, AgentState::Provisioning | AgentState::Failed | AgentState::Cleaning { .. })
            };
            draft.pool.agents.values().filter(|agent| is_coming(agent.state)).count()
        };
        while self.pool.agents.len() < self.pool.config.agents_max as usize
            && (self.staying() < self.pool.config.agents_min || coming(self) < self.demand())
        {
            self.pool.last.0 += 1;
            let agent = self.pool.last;
            self.pool.agents.insert(agent, Agent { state: AgentState::Provisioning, timer: 0 });
            self.enter(agent, AgentState::Provisioning, true);
        }
    }

    /// Of the users with room, the task that was to be first.
    fn next_task(&self) -> Option<TaskId> {
        let queued = self.pool.tasks.iter().filter(|(_, booking)| booking.standing == Standing::Queued);
        let ready = queued.filter(|(_, booking)| self.held(booking.user) < self.pool.config.quota as usize);
        let first = ready.min_by_key(|(_, Booking { place, .. })| (place.turn, place.yields));
        first.map(|(task, _)| *task)
    }

    fn held(&self, user: UserId) -> usize {
        let is_held =
            |booking: &&Booking| booking.user == user && matches!(booking.standing, Standing::Held { .. });
        self.pool.tasks.values().filter(is_held).count()
    }

    /// How many tasks would be assigned if there were agents without end.
    fn demand(&self) -> usize {
        let mut tried = Self { pool: self.pool.clone(), effects: Vec::new() };
        let mut demand = 0;
        while let Some(task) = tried.next_task() {
            let booking = tried.pool.tasks.get_mut(&task).expect("it is there");
            booking.standing = Standing::Held { agent: AgentId(0) };
            demand += 1;
        }
        demand
    }

    fn staying(&self) -> u32 {
        let leaves = |state| matches!(state, AgentState::Draining { .. } | AgentState::Leaving);
        let stays = self.pool.agents.values().filter(|agent| !leaves(agent.state)).count();
        u32::try_from(stays).expect("a few")
    }

    fn set(&mut self, agent: AgentId, state: AgentState) {
        self.pool.agents.get_mut(&agent).expect("it is there").state = state;
    }

    /// The agent comes to stand there, with a new timer if it needs one; `ordered` if it is told something.
    fn enter(&mut self, agent: AgentId, state: AgentState, ordered: bool) {
        self.set(agent, state);
        if ordered {
            self.order(agent, state);
        }
        if let Some(after_ms) = self.time(state) {
            let place = self.pool.agents.get_mut(&agent).expect("it is there");
            place.timer += 1;
            let timer = PoolTimer { agent, number: place.timer };
            self.effects.push(PoolEffect::Arm { timer, after_ms });
        }
    }

    fn order(&mut self, agent: AgentId, state: AgentState) {
        let order = match state {
            AgentState::Provisioning => PoolEffect::Provision { agent },
            AgentState::Busy { lease, .. } | AgentState::Draining { lease, .. } => {
                PoolEffect::Assign { agent, lease }
            }
            AgentState::Cleaning { lease } => PoolEffect::Clean { agent, lease },
            AgentState::Leaving => PoolEffect::Retire { agent },
            AgentState::Failed | AgentState::Idle(_) => return,
        };
        self.effects.push(order);
    }

    fn disarm(&mut self, agent: AgentId, Agent { state, timer }: Agent) {
        if self.time(state).is_some() {
            self.effects.push(PoolEffect::Disarm { timer: PoolTimer { agent, number: timer } });
        }
    }

    fn time(&self, state: AgentState) -> Option<u64> {
        let config = self.pool.config;
        let time = match state {
            AgentState::Provisioning | AgentState::Failed => config.provision_ms,
            AgentState::Idle(Stay::Spare) => config.idle_ms,
            AgentState::Busy { .. } | AgentState::Draining { .. } => config.lease_ms,
            AgentState::Cleaning { .. } => config.clean_ms,
            AgentState::Idle(Stay::Kept) | AgentState::Leaving => return None,
        };
        Some(time.into())
    }
}

/// Whether a task counts towards its user.
fn is_open(booking: &Booking) -> bool {
    !matches!(booking.standing, Standing::Ended(_))
}
