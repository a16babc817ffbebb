//! What a pool has promised, kept from events and effects alone, and judged after each step.

use downbeat_kernel::{
    AgentId, Epoch, Lease, Outcome, Pool, PoolEffect, PoolEnd, PoolEvent, PoolRejected, Priority, TaskId,
    UserId,
};
use std::collections::{BTreeMap, BTreeSet};

/// What somebody knows of a task who submitted it.
#[derive(Clone, Debug)]
struct Known {
    user: UserId,
    priority: Priority,
    /// The number of its submission.
    number: u64,
    /// A cancel was taken.
    is_cancelled: bool,
    end: Option<PoolEnd>,
    attempts: u32,
    /// The tasks that were submitted later and assigned before it while its user had room.
    overtaken_by: BTreeSet<u64>,
}

/// A pool with those who see what it does.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) pool: Pool,
    /// The orders that have no answer yet and that no later order has made void.
    pub(crate) orders: Vec<PoolEffect>,
    tasks: BTreeMap<TaskId, Known>,
    submissions: u64,
    /// Who works on what.
    leases: BTreeMap<AgentId, Lease>,
    /// Whose workspace has traces of a task.
    dirty: BTreeSet<AgentId>,
    /// Who was heard of since its timer was armed.
    renewed: BTreeSet<AgentId>,
    /// Who is to go when it has done what it has.
    draining: BTreeSet<AgentId>,
    /// Who was ordered last.
    last: AgentId,
    epoch: Epoch,
}

impl Ledger {
    pub(crate) fn new(pool: Pool) -> Self {
        Self {
            pool,
            orders: Vec::new(),
            tasks: BTreeMap::new(),
            submissions: 0,
            leases: BTreeMap::new(),
            dirty: BTreeSet::new(),
            renewed: BTreeSet::new(),
            draining: BTreeSet::new(),
            last: AgentId(0),
            epoch: Epoch(0),
        }
    }

    /// The same with a pool that was read from its snapshot.
    pub(crate) fn with(self, pool: Pool) -> Self {
        Self { pool, ..self }
    }

    /// Tells the pool of an event and judges what it makes of it.
    pub(crate) fn tell(&mut self, event: PoolEvent) -> Outcome<PoolRejected> {
        let (before, mut effects) = (self.pool.clone(), Vec::new());
        let outcome = self.pool.step(event, &mut |effect| effects.push(effect));
        if outcome == Outcome::Applied {
            self.happened(event, &effects);
            for effect in effects {
                self.given(effect, event);
            }
        } else {
            assert_eq!((&self.pool, &effects[..]), (&before, &[][..]), "S25: {event:?}");
            assert!(!self.leaves_behind(event, &outcome), "nobody removes what came back: {event:?}");
        }
        self.judge(event);
        outcome
    }

    /// Whether a container runs that the pool has forgotten, and is told nothing about it.
    fn leaves_behind(&self, event: PoolEvent, outcome: &Outcome<PoolRejected>) -> bool {
        let PoolEvent::Started { agent } = event else { return false };
        let is_forgotten = agent.0 > 0 && agent <= self.last && self.pool.agent(agent).is_none();
        is_forgotten && !matches!(outcome, Outcome::Rejected(PoolRejected::AgentsFull { .. }))
    }

    fn happened(&mut self, event: PoolEvent, effects: &[PoolEffect]) {
        match event {
            PoolEvent::Submitted { task, user, priority } => {
                self.submissions += 1;
                let known = Known {
                    user,
                    priority,
                    number: self.submissions,
                    is_cancelled: false,
                    end: None,
                    attempts: 0,
                    overtaken_by: BTreeSet::new(),
                };
                assert!(self.tasks.insert(task, known).is_none(), "{task:?} is submitted twice");
            }
            PoolEvent::CancelRequested { task } => {
                self.tasks.get_mut(&task).expect("it was submitted").is_cancelled = true;
            }
            PoolEvent::EndAcknowledged { task } => {
                let known = self.tasks.remove(&task).expect("it was submitted");
                assert!(known.end.is_some(), "S24: the end of {task:?} was acknowledged and never said");
                self.orders
                    .retain(|order| !matches!(order, PoolEffect::TaskEnded { task: of, .. } if *of == task));
            }
            PoolEvent::Started { agent } => {
                self.orders.retain(|order| *order != PoolEffect::Provision { agent });
            }
            PoolEvent::Gone { agent } => {
                let has_failed = self.orders.contains(&PoolEffect::Provision { agent });
                let orders_anew = effects.iter().any(|effect| matches!(effect, PoolEffect::Provision { .. }));
                assert!(!has_failed || !orders_anew, "what fails at once is tried anew at once");
                self.orders.retain(|order| of_agent(*order) != Some(agent) || is_armed(*order));
                self.leases.remove(&agent);
                self.dirty.remove(&agent);
                self.draining.remove(&agent);
            }
            PoolEvent::WorkEnded { agent, lease, .. } => {
                assert_eq!(self.leases.remove(&agent), Some(lease), "S20: {event:?}");
                self.orders.retain(|order| {
                    *order != PoolEffect::Assign { agent, lease }
                        && *order != PoolEffect::Stop { agent, lease }
                });
            }
            PoolEvent::Cleaned { agent, lease } => {
                let clean = PoolEffect::Clean { agent, lease };
                assert!(self.orders.contains(&clean), "S23: {event:?} was taken and not asked for");
                self.orders.retain(|order| *order != clean);
                self.dirty.remove(&agent);
            }
            PoolEvent::DrainRequested { agent } => {
                self.draining.insert(agent);
            }
            PoolEvent::Elapsed { timer } => {
                let armed = self.orders.len();
                self.orders
                    .retain(|order| !matches!(order, PoolEffect::Arm { timer: of, .. } if *of == timer));
                assert_eq!(self.orders.len() + 1, armed, "{event:?} was taken and not armed");
            }
            PoolEvent::Heartbeat { agent, lease } => {
                assert_eq!(self.leases.get(&agent), Some(&lease), "S20: {event:?}");
                self.renewed.insert(agent);
            }
        }
    }

    fn given(&mut self, effect: PoolEffect, event: PoolEvent) {
        match effect {
            PoolEffect::Provision { agent } => {
                assert!(agent > self.last, "{agent:?} is ordered after {:?}", self.last);
                self.last = agent;
            }
            PoolEffect::Retire { agent } => {
                let is_cancelled = |lease: &Lease| self.tasks[&lease.task].is_cancelled;
                let is_lost = matches!(event, PoolEvent::Elapsed { .. });
                let goes_on =
                    self.renewed.contains(&agent) && !self.leases.get(&agent).is_some_and(is_cancelled);
                assert!(!is_lost || !goes_on, "{agent:?} was heard of, and is lost after {event:?}");
                self.orders.retain(|order| of_agent(*order) != Some(agent));
                self.leases.remove(&agent);
            }
            PoolEffect::Assign { agent, lease } => self.assigned(agent, lease),
            PoolEffect::Clean { agent, lease } => {
                assert!(self.dirty.contains(&agent), "{lease:?} is cleaned away and was not there");
            }
            PoolEffect::TaskEnded { task, end } => {
                let known = self.tasks.get_mut(&task).expect("it was submitted");
                assert_eq!(known.end, None, "S24: {task:?} ends again after {event:?}");
                assert!(
                    !known.is_cancelled || end == PoolEnd::Cancelled,
                    "S24: the cancel of {task:?} is forgotten"
                );
                known.end = Some(end);
            }
            PoolEffect::Disarm { timer } => {
                let armed = self.orders.len();
                self.orders
                    .retain(|order| !matches!(order, PoolEffect::Arm { timer: of, .. } if *of == timer));
                assert_eq!(self.orders.len() + 1, armed, "{timer:?} is taken back and was not armed");
                return;
            }
            PoolEffect::Arm { timer, .. } => {
                self.renewed.remove(&timer.agent);
            }
            PoolEffect::Stop { agent, lease } => {
                self.orders.retain(|order| *order != PoolEffect::Assign { agent, lease });
            }
        }
        self.orders.push(effect);
    }

    fn assigned(&mut self, agent: AgentId, lease: Lease) {
        assert!(lease.epoch > self.epoch, "S20: {lease:?} after {:?}", self.epoch);
        self.epoch = lease.epoch;
        assert!(self.leases.values().all(|other| other.task != lease.task), "S20: two agents for {lease:?}");
        assert_eq!(self.leases.insert(agent, lease), None, "S20: two tasks for {agent:?}");
        assert!(self.dirty.insert(agent), "S23: {agent:?} is not clean for {lease:?}");
        assert!(!self.draining.contains(&agent), "{agent:?} is to go, and gets {lease:?}");
        let known = self.tasks.get_mut(&lease.task).expect("it was submitted");
        assert_eq!((known.is_cancelled, known.end), (false, None), "S21: {lease:?} is assigned");
        known.attempts += 1;
        assert!(known.attempts <= self.pool.config().attempts_max, "{lease:?} is one attempt too many");
        let Known { number, user, .. } = *known;
        let held = self.held(user);
        assert!(held <= self.pool.config().quota, "S22: {user:?} has {held} tasks at once");
        self.overtake(number, user);
    }

    fn held(&self, user: UserId) -> u32 {
        let of_user = |lease: &&Lease| self.tasks.get(&lease.task).is_some_and(|known| known.user == user);
        self.leases.values().filter(of_user).count().try_into().expect("a few")
    }

    /// The task of that number was assigned: every earlier one that waits, and whose user had room, was overtaken (L4).
    fn overtake(&mut self, number: u64, by: UserId) {
        let config = *self.pool.config();
        let held: BTreeMap<UserId, u32> =
            self.tasks.values().map(|known| (known.user, self.held(known.user))).collect();
        let waits = |task: &TaskId| !self.leases.values().any(|lease| lease.task == *task);
        let waiting: Vec<TaskId> = self.tasks.keys().copied().filter(waits).collect();
        for task in waiting {
            let known = self.tasks.get_mut(&task).expect("it is there");
            // The one that was assigned counts already.
            let had_room = held[&known.user] - u32::from(known.user == by) < config.quota;
            if known.end.is_none() && known.number < number && had_room {
                known.overtaken_by.insert(number);
            }
            let yields = match known.priority {
                Priority::High => 0,
                Priority::Normal => config.normal_yields,
                Priority::Low => config.low_yields,
            };
            let overtaken = known.overtaken_by.len();
            assert!(
                overtaken <= yields as usize,
                "L4: {task:?} of {:?} was overtaken {overtaken} times",
                known.priority
            );
        }
    }

    /// What must be true between any two steps.
    fn judge(&self, event: PoolEvent) {
        assert_eq!(self.pool.validate(), Ok(()), "after {event:?}");
        let mut repeated = Vec::new();
        self.pool.resync(&mut |effect| repeated.push(effect));
        let mut orders = self.orders.clone();
        repeated.sort_unstable();
        orders.sort_unstable();
        assert_eq!(repeated, orders, "after {event:?}");
        for (agent, lease) in &self.leases {
            assert!(self.pool.holds(*agent, *lease), "S20: {agent:?} holds {lease:?} after {event:?}");
        }
        let working: Vec<AgentId> =
            self.pool.agents().filter(|(_, agent)| agent.state.lease().is_some()).map(|(id, _)| id).collect();
        assert!(working.iter().eq(self.leases.keys()), "S20: {working:?} after {event:?}");
    }
}

fn is_armed(order: PoolEffect) -> bool {
    matches!(order, PoolEffect::Arm { .. })
}

/// The agent that an order, but no end of a task, is about.
fn of_agent(order: PoolEffect) -> Option<AgentId> {
    match order {
        PoolEffect::Provision { agent }
        | PoolEffect::Retire { agent }
        | PoolEffect::Assign { agent, .. }
        | PoolEffect::Stop { agent, .. }
        | PoolEffect::Clean { agent, .. } => Some(agent),
        PoolEffect::Arm { timer, .. } | PoolEffect::Disarm { timer } => Some(timer.agent),
        PoolEffect::TaskEnded { .. } => None,
    }
}
