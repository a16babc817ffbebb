//! Two owners of one pool: what may become of the one before, and what that does outside.
//!
//! What both are is in [`owners`]. A message that the one before has heard is lost for the new owner. A
//! user who submits or cancels may still believe in the one before: it says nothing, or that it failed, and the user tries
//! again where the new owner is.

use downbeat_kernel::{AgentState, Outcome, Pool, PoolEffect, PoolEvent, Standing, Stay};
use downbeat_sim::model::Lane;

use super::super::ledger::{AgentIndex, Job, Stage, TaskIndex};
use super::super::owners;
use super::act::Act;
use super::state::{Container, Message, Order, Report, State, agent_id, agent_index, job, task_index};
use super::step::Step;
use super::words::{self, FORMER, POOL, USER, agent_lane};
use super::{Flaw, KernelModel};

/// A process in the middle of an event, or one that was replaced.
pub type Former = owners::Former<Pool, PoolEvent, PoolEffect>;

/// Whether a machine waits for the timer of an agent.
fn has_timer(pool: &Pool, agent: AgentIndex) -> bool {
    pool.agent(agent_id(agent)).is_some_and(|agent| match agent.state {
        AgentState::Provisioning
        | AgentState::Failed
        | AgentState::Idle(Stay::Spare)
        | AgentState::Busy { .. }
        | AgentState::Draining { .. }
        | AgentState::Cleaning { .. } => true,
        AgentState::Idle(Stay::Kept) | AgentState::Leaving => false,
    })
}

impl State {
    /// Whether the process that owns the pool is in the middle of an event, and hears nothing.
    pub(super) fn is_slow(&self) -> bool {
        self.former.as_ref().is_some_and(|former| !former.is_replaced())
    }

    /// Whether a process that was replaced may still have the container of an agent started.
    pub(super) fn may_start_late(&self, agent: AgentIndex) -> bool {
        let order = PoolEffect::Provision { agent: agent_id(agent) };
        self.former.as_ref().is_some_and(|former| former.is_replaced() && former.owes().contains(&order))
    }

    /// What may come to the machine of a process that was replaced.
    fn of_wakes(&self, pool: &Pool, model: &KernelModel, may: &mut impl FnMut(Act)) {
        for message in self.network.iter() {
            match message {
                Message::From(agent, report) => may(Act::HearLate(agent, report)),
                Message::To(..) => {}
            }
        }
        self.agents().filter(|agent| has_timer(pool, *agent)).for_each(|agent| may(Act::ElapseLate(agent)));
        // What makes no difference to it is told at once, and is left out.
        let mut tries = |act: Act| {
            let event = act.late_event(&model.scenario, pool);
            let applies = |event| pool.clone().step(event, &mut |_| {}) == Outcome::Applied;
            if event.is_some_and(applies) {
                may(act);
            }
        };
        for (task, known) in self.ledger.tasks().take(model.scenario.tasks.into()) {
            if !self.is_acknowledged(task) {
                tries(Act::SubmitLate(task));
            }
            if known.stage == Stage::Absent {
                return;
            }
            if self.left.cancels > 0 {
                tries(Act::CancelLate(task));
            }
        }
    }

    /// Forgets of a process what makes no difference any more.
    fn settle_former(&mut self) {
        let hears = self.left.wakes > 0;
        self.former = self.former.take().and_then(|former| former.settled(hears)).map(Box::new);
    }

    /// Leases of a user that were granted, by whoever owns the pool and by whoever believes that it does.
    pub(super) fn leases_of(&self, is_of_user: impl Fn(TaskIndex) -> bool) -> usize {
        let of_owner = (0..).zip(&self.outside).filter_map(|(agent, outside)| Some((agent, outside.lease?)));
        let is_known = |(agent, job): &(AgentIndex, Job)| self.outside(*agent).lease == Some(*job);
        let beside = self.beside.iter().copied().filter(|granted| !is_known(granted));
        of_owner.chain(beside).filter(|(_, job)| is_of_user(job.task)).count()
    }
}

impl KernelModel {
    /// What may become of a process that is slow or suspended.
    pub(super) fn of_owners(&self, state: &State, may: &mut impl FnMut(Act)) {
        if state.left.owners > 0 {
            may(Act::TakeOver);
        }
        let Some(former) = state.former.as_deref() else { return };
        if !former.is_replaced() {
            if former.is_to_write() {
                may(Act::Record);
            }
            if !former.is_to_write() || self.has(Flaw::Owners(owners::Flaw::Unrecorded)) {
                may(Act::Release);
            }
            return;
        }
        if former.is_to_write() {
            may(Act::WriteLate);
        }
        if let Some(pool) = former.machine().filter(|_| state.left.wakes > 0) {
            state.of_wakes(pool, self, may);
        }
        (0..).zip(former.owes()).for_each(|(at, _)| may(Act::ReleaseLate(at)));
    }
}

impl Step<'_> {
    /// The machine of the owner has taken an event, and the rest is to come.
    pub(super) fn is_slow_with(&mut self, pool: Pool, event: PoolEvent, orders: Vec<PoolEffect>) {
        self.tell(POOL, POOL, || "has yet to put that on record".to_owned());
        self.state.former = Some(Box::new(Former::slow(pool, event, orders)));
    }

    /// What a slow owner has taken is on record, and what it orders is ordered.
    pub(super) fn record(&mut self) -> Option<()> {
        let former = self.state.former.as_mut()?;
        let (event, orders) = former.record()?;
        self.state.pool = former.hand_over()?;
        self.is_recorded(event, &orders);
        self.state.settle_former();
        Some(())
    }

    /// The next order of a slow owner goes out.
    pub(super) fn release(&mut self) -> Option<()> {
        let former = self.state.former.as_mut()?;
        if former.is_to_write() {
            let order = former.release_unrecorded()?;
            self.is_given_twice_over(order);
            self.reaches(order, POOL)?;
        } else {
            let order = former.release()?;
            self.carry_out(order)?;
        }
        self.state.settle_former();
        Some(())
    }

    /// Another process becomes the owner. What the one before was to do at some time it may still do. Its timers are its own.
    pub(super) fn take_over(&mut self) -> Option<()> {
        let undone = self.undone();
        let slow = self.state.former.take().map(|former| *former);
        let flaw = self.model.flaw_of_owners();
        let former = Former::replaced(slow, &self.state.pool, undone, is_of_timer, flaw);
        self.state.former = Some(Box::new(former));
        self.state.settle_former();
        self.start_again()
    }

    /// What the process was to do at some time, and has not done.
    fn undone(&self) -> Vec<PoolEffect> {
        let of_containers = self.state.agents().flat_map(|agent| {
            let (outside, agent) = (self.state.outside(agent), agent_id(agent));
            let provision = outside.is_ordered.then_some(PoolEffect::Provision { agent });
            let retire = outside.is_to_go.then_some(PoolEffect::Retire { agent });
            provision.into_iter().chain(retire)
        });
        let of_users = self.state.pool.tasks().filter_map(|(task, booking)| match booking.standing {
            Standing::Ended(end) => {
                self.state.ends[usize::from(task_index(task))].map(|_| PoolEffect::TaskEnded { task, end })
            }
            Standing::Queued | Standing::Held { .. } => None,
        });
        of_containers.chain(of_users).collect()
    }

    /// The process before writes what it has taken. The store refuses that, and it ends.
    pub(super) fn write_late(&mut self) -> Option<()> {
        let mut former = self.state.former.take()?;
        let Some((_, orders)) = former.record() else {
            self.tell(FORMER, FORMER, || "is refused, and ends".to_owned());
            return Some(());
        };
        former.forget(is_of_timer);
        self.state.former = Some(former);
        for order in orders {
            self.is_given_twice_over(order);
        }
        self.state.settle_former();
        Some(())
    }

    /// An order that the owner has not given, as those see it who see the orders.
    fn is_given_twice_over(&mut self, order: PoolEffect) {
        if let PoolEffect::Assign { agent, lease } = order {
            let (agent, job) = (agent_index(agent), job(lease));
            self.tell(FORMER, FORMER, || format!("has given {job} to agent {}", agent + 1));
            let is_gone = self.state.outside(agent).container == Container::Gone;
            self.state.ledger.give(job, agent, is_gone);
            self.state.beside.push((agent, job));
            self.count_leases(job.task);
        }
    }

    /// An order of the process before goes out. It was on record when that was replaced, and counts as given since then.
    pub(super) fn release_late(&mut self, at: u8) -> Option<()> {
        let order = self.state.former.as_mut()?.release_late(at)?;
        self.reaches(order, FORMER)?;
        self.state.settle_former();
        Some(())
    }

    /// An order comes to where it is for, from whoever does not own the pool, or not yet what it has ordered.
    fn reaches(&mut self, order: PoolEffect, from: Lane) -> Option<()> {
        match order {
            PoolEffect::Provision { agent } => self.start_late(agent_index(agent))?,
            PoolEffect::Retire { agent } => self.remove_late(agent_index(agent)),
            PoolEffect::Assign { agent, lease } => {
                self.send(from, agent_index(agent), Order::Assign(job(lease)))?;
            }
            PoolEffect::Stop { agent, lease } => {
                self.send(from, agent_index(agent), Order::Stop(job(lease)))?;
            }
            PoolEffect::Clean { agent, lease } => {
                self.send(from, agent_index(agent), Order::Clean(job(lease)))?;
            }
            PoolEffect::TaskEnded { task, end } => {
                let (task, end) = (task_index(task), words::end(end));
                self.tell(from, USER, || words::ended(task, end));
                self.state.ledger.tell(task, end);
            }
            PoolEffect::Arm { .. } | PoolEffect::Disarm { .. } => {}
        }
        Some(())
    }

    /// A container of a number is started once, whoever orders it.
    fn start_late(&mut self, agent: AgentIndex) -> Option<()> {
        self.tell(FORMER, agent_lane(agent), || "starts it, unless that was done".to_owned());
        if self.state.outside(agent).container != Container::Absent {
            return Some(());
        }
        let outside = self.outside(agent);
        (outside.is_ordered, outside.container) = (false, Container::Up(None));
        self.say(agent, Report::Started)
    }

    /// What was removed is removed; the new owner finds that when it does the same.
    fn remove_late(&mut self, agent: AgentIndex) {
        self.tell(FORMER, agent_lane(agent), || "removes it, unless that was done".to_owned());
        let is_to_go = self.state.outside(agent).is_to_go;
        match self.state.outside(agent).container {
            Container::Up(_) | Container::Dead => self.go(agent),
            Container::Absent | Container::Gone => {}
        }
        self.outside(agent).is_to_go = is_to_go;
    }

    /// Something comes to the process before. Its machine takes it; what follows has to be on record first.
    pub(super) fn wake(&mut self, act: Act) -> Option<()> {
        if let Act::HearLate(agent, report) = act {
            self.state.network.take(Message::From(agent, report))?;
        }
        let flaw = self.model.flaw_of_owners();
        let former = self.state.former.as_mut()?;
        let (mut pool, mut orders) = (former.machine()?.clone(), Vec::new());
        let event = act.late_event(&self.model.scenario, &pool)?;
        match pool.step(event, &mut |order| orders.push(order)) {
            Outcome::Applied => {
                *former.machine_mut()? = pool;
                former.takes(event, orders, flaw);
            }
            Outcome::Ignored(_) | Outcome::Rejected(_) => {
                self.tell(FORMER, FORMER, || "takes no notice".to_owned());
            }
        }
        self.state.settle_former();
        Some(())
    }
}

/// Whether an order is about a timer, which is gone with its process.
fn is_of_timer(order: PoolEffect) -> bool {
    matches!(order, PoolEffect::Arm { .. } | PoolEffect::Disarm { .. })
}
