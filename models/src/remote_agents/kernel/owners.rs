//! Two owners of one pool: a process that is suspended, and another one that goes on in its place.
//!
//! A process has three stretches for each event: its machine takes it, the journal records it, and its orders go out one
//! after the other. It may be suspended between any two of these, and another process may open the journal then. The store
//! gives that one the next epoch, and refuses whatever is written under the one before.
//!
//! The process before does not know. What was on record when it was replaced it may release at any time, in any order; of that
//! the new owner has repeated what is outstanding, under the same identities. What it hears its machine takes as ever, and
//! no order that follows goes out before the event is on record: so none does. A message that it has heard is lost for
//! the new owner.

use downbeat_kernel::{AgentState, Outcome, Pool, PoolEffect, PoolEvent, Standing, Stay};

use super::super::ledger::AgentIndex;
use super::Flaw;
use super::act::Act;
use super::state::{Container, Message, Order, Report, State, agent_id, agent_index, job, task_index};
use super::step::Step;
use super::words::{self, FORMER, POOL, USER, agent_lane};

/// A process in the middle of an event, or one that was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Former {
    /// Its machine, which may have taken what is not on record; `None` if nothing comes to it any more.
    pub pool: Option<Pool>,
    /// The event that it is to put on record, and the orders that follow from it.
    pub writes: Option<(PoolEvent, Vec<PoolEffect>)>,
    /// Orders that are on record, and that it has not released.
    pub owes: Vec<PoolEffect>,
    /// Another process owns the pool.
    pub is_replaced: bool,
}

impl Former {
    /// Whether its machine waits for the timer of an agent.
    fn has_timer(&self, agent: AgentIndex) -> bool {
        let known = self.pool.as_ref().and_then(|pool| pool.agent(agent_id(agent)));
        known.is_some_and(|agent| match agent.state {
            AgentState::Provisioning
            | AgentState::Failed
            | AgentState::Idle(Stay::Spare)
            | AgentState::Busy { .. }
            | AgentState::Draining { .. }
            | AgentState::Cleaning { .. } => true,
            AgentState::Idle(Stay::Kept) | AgentState::Leaving => false,
        })
    }
}

impl State {
    /// Whether the process that owns the pool is in the middle of an event, and hears nothing.
    pub(super) fn is_slow(&self) -> bool {
        self.former.as_ref().is_some_and(|former| !former.is_replaced)
    }

    /// Whether a process that was replaced may still have the container of an agent started.
    pub(super) fn may_start_late(&self, agent: AgentIndex) -> bool {
        let order = PoolEffect::Provision { agent: agent_id(agent) };
        self.former.as_ref().is_some_and(|former| former.is_replaced && former.owes.contains(&order))
    }

    /// What may become of a process that is slow or suspended.
    pub(super) fn of_owners(&self, may: &mut impl FnMut(Act)) {
        if self.left.owners > 0 {
            may(Act::TakeOver);
        }
        let Some(Former { writes, owes, is_replaced, .. }) = self.former.as_deref() else { return };
        match (is_replaced, writes) {
            (false, Some(_)) => return may(Act::Record),
            (false, None) => return may(Act::Release),
            (true, Some(_)) => may(Act::WriteLate),
            (true, None) => self.of_wakes(may),
        }
        (0..).zip(owes).for_each(|(at, _)| may(Act::ReleaseLate(at)));
    }

    /// What may come to a process that was replaced.
    fn of_wakes(&self, may: &mut impl FnMut(Act)) {
        let Some(former) = self.former.as_ref().filter(|_| self.left.wakes > 0) else { return };
        for message in self.network.iter() {
            match message {
                Message::From(agent, report) => may(Act::HearLate(agent, report)),
                Message::To(..) => {}
            }
        }
        self.agents().filter(|agent| former.has_timer(*agent)).for_each(|agent| may(Act::ElapseLate(agent)));
    }

    /// Forgets of a process what makes no difference any more.
    fn settle_former(&mut self) {
        let Some(former) = &mut self.former else { return };
        let hears = former.is_replaced && self.left.wakes > 0;
        if former.writes.is_none() && !hears {
            former.pool = None;
            if former.owes.is_empty() {
                self.former = None;
            }
        }
    }
}

impl Step<'_> {
    /// The machine of the owner has taken an event, and the rest is to come.
    pub(super) fn is_slow_with(&mut self, pool: Pool, event: PoolEvent, orders: Vec<PoolEffect>) {
        self.tell(POOL, POOL, || "has yet to put that on record".to_owned());
        let (pool, writes) = (Some(pool), Some((event, orders)));
        self.state.former = Some(Box::new(Former { pool, writes, owes: Vec::new(), is_replaced: false }));
    }

    /// What a slow owner has taken is on record, and what it orders is ordered.
    pub(super) fn record(&mut self) -> Option<()> {
        let former = self.state.former.as_mut()?;
        let (event, orders) = former.writes.take()?;
        (self.state.pool, former.owes) = (former.pool.take()?, orders.clone());
        self.is_recorded(event, &orders);
        self.state.settle_former();
        Some(())
    }

    /// The next order of a slow owner goes out.
    pub(super) fn release(&mut self) -> Option<()> {
        let order = self.state.former.as_mut()?.owes.remove(0);
        self.carry_out(order)?;
        self.state.settle_former();
        Some(())
    }

    /// Another process becomes the owner. What the one before was to do at some time it may still do. Its timers are its own.
    pub(super) fn take_over(&mut self) -> Option<()> {
        let undone = self.undone();
        let at_rest = || Former { pool: None, writes: None, owes: Vec::new(), is_replaced: false };
        let mut former = self.state.former.take().map_or_else(at_rest, |former| *former);
        former.pool = former.pool.or_else(|| Some(self.state.pool.clone()));
        former.is_replaced = true;
        former.owes.extend(undone);
        former.owes.retain(|order| !is_of_timer(*order));
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
        if !self.model.has(Flaw::Unfenced) {
            self.tell(FORMER, FORMER, || "is refused, and ends".to_owned());
            self.state.former = None;
            return Some(());
        }
        let former = self.state.former.as_mut()?;
        let (_, orders) = former.writes.take()?;
        former.owes.extend(orders.iter().filter(|order| !is_of_timer(**order)));
        for order in orders {
            self.is_given_twice_over(order);
        }
        self.state.settle_former();
        Some(())
    }

    /// An order of one owner beside another, as those see it who see the orders.
    fn is_given_twice_over(&mut self, order: PoolEffect) {
        if let PoolEffect::Assign { agent, lease } = order {
            let agent = agent_index(agent);
            self.tell(FORMER, FORMER, || format!("has given {} to agent {}", job(lease), agent + 1));
            let is_gone = self.state.outside(agent).container == Container::Gone;
            self.state.ledger.give(job(lease), agent, is_gone);
        }
    }

    /// An order of the process before goes out. It was on record when that was replaced, and counts as given since then.
    pub(super) fn release_late(&mut self, at: u8) -> Option<()> {
        match self.state.former.as_mut()?.owes.remove(at.into()) {
            PoolEffect::Provision { agent } => self.start_late(agent_index(agent))?,
            PoolEffect::Retire { agent } => self.remove_late(agent_index(agent)),
            PoolEffect::Assign { agent, lease } => {
                self.send(FORMER, agent_index(agent), Order::Assign(job(lease)))?;
            }
            PoolEffect::Stop { agent, lease } => {
                self.send(FORMER, agent_index(agent), Order::Stop(job(lease)))?;
            }
            PoolEffect::Clean { agent, lease } => {
                self.send(FORMER, agent_index(agent), Order::Clean(job(lease)))?;
            }
            PoolEffect::TaskEnded { task, end } => {
                let (task, end) = (task_index(task), words::end(end));
                self.tell(FORMER, USER, || words::ended(task, end));
                self.state.ledger.tell(task, end);
            }
            PoolEffect::Arm { .. } | PoolEffect::Disarm { .. } => {}
        }
        self.state.settle_former();
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
        let former = self.state.former.as_mut()?;
        let pool = former.pool.as_mut()?;
        let (event, mut orders) = (act.late_event(pool)?, Vec::new());
        match pool.step(event, &mut |order| orders.push(order)) {
            Outcome::Applied => former.writes = Some((event, orders)),
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
