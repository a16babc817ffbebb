//! The agents of the pool as they are, and what the pool's orders come to.
//!
//! Links to agents lose and double nothing here: that is checked with the pool alone. An agent may die without a word, or be
//! taken for dead although it works; then it goes on with what runs there, until it is removed.

use downbeat_kernel::{
    AgentId, AgentState, Event, Lease, Outcome, PoolEffect, PoolEvent, PoolTimer, QuestionEvent, Standing,
    TaskId, WorkEnd,
};

use super::Fault;
use super::act::{AgentIndex, FleetAct};
use super::state::{Breach, Fleet, Start, id, index};
use super::step::Step;
use super::words::{OUTSIDE, POOL};
use crate::watch::TASKS;
use downbeat_wiring::{Word, at_stake, ended_in_pool, root_of, tool_lost};

/// The most agents that are ordered one after the other.
pub(super) const AGENTS: usize = 4;

/// A container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Container {
    /// It has not started.
    Absent,
    /// It runs.
    Up,
    /// It has died without a word.
    Dead,
    /// It was removed.
    Gone,
}

/// An agent as it is, and what the process is to do about it.
#[expect(clippy::struct_excessive_bools, reason = "each is an order or a timer that is there or not")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) container: Container,
    /// What it was given and has not ended, as those know who see the orders of the pool.
    pub(super) lease: Option<Lease>,
    /// Which root has left its traces there.
    pub(super) traces: Option<TaskId>,
    pub(super) ordered: bool,
    pub(super) to_go: bool,
    pub(super) armed: bool,
    pub(super) stops: bool,
    pub(super) cleans: bool,
}

impl Place {
    pub(super) const ABSENT: Self = Self {
        container: Container::Absent,
        lease: None,
        traces: None,
        ordered: false,
        to_go: false,
        armed: false,
        stops: false,
        cleans: false,
    };
}

fn agent_id(agent: AgentIndex) -> AgentId {
    AgentId(u32::from(agent) + 1)
}

fn place_of(agent: AgentId) -> usize {
    usize::try_from(agent.0).unwrap_or(usize::MAX).wrapping_sub(1)
}

impl Fleet {
    fn agents(&self) -> impl Iterator<Item = (AgentIndex, &Place)> {
        let last = usize::try_from(self.pool.last_agent().0).unwrap_or(AGENTS);
        (0..).zip(self.places.iter().take(last))
    }

    /// Whether an agent runs.
    pub(super) fn is_up(&self, agent: AgentIndex) -> bool {
        self.places[usize::from(agent)].container == Container::Up
    }

    /// The agent that has a root, and is well, with its lease.
    pub(super) fn at_work(&self, root: TaskId) -> Option<(AgentIndex, Lease)> {
        let of_root = |place: &Place| place.lease.filter(|lease| lease.task == root);
        self.agents()
            .filter(|(agent, _)| self.is_up(*agent))
            .find_map(|(agent, place)| Some((agent, of_root(place)?)))
    }

    /// The agents that have a root.
    pub(super) fn leases(&self) -> impl Iterator<Item = Lease> {
        self.places.iter().filter_map(|place| place.lease)
    }

    /// What may happen to the pool and its agents.
    pub(super) fn acts(&self, may: &mut impl FnMut(FleetAct)) {
        for (agent, place) in self.agents() {
            self.of_container(agent, place, may);
            if place.armed {
                self.of_timer(agent, place, may);
            }
        }
    }

    fn of_container(&self, agent: AgentIndex, place: &Place, may: &mut impl FnMut(FleetAct)) {
        if place.ordered && place.container == Container::Absent {
            may(FleetAct::Start(agent));
        }
        if place.to_go {
            may(FleetAct::Remove(agent));
        }
        if place.container == Container::Dead && self.pool.agent(agent_id(agent)).is_some() && !place.to_go {
            may(FleetAct::FindDead(agent));
        }
        if place.container == Container::Up {
            if place.stops {
                may(FleetAct::StopWork(agent));
            }
            if place.cleans {
                may(FleetAct::Clean(agent));
            }
            if place.lease.is_some() {
                may(FleetAct::Die(agent));
            }
        }
    }

    /// What an agent does that is well is done before its time is over.
    fn of_timer(&self, agent: AgentIndex, place: &Place, may: &mut impl FnMut(FleetAct)) {
        let is_well = place.container == Container::Up;
        match self.pool.agent(agent_id(agent)).map(|agent| agent.state) {
            Some(AgentState::Busy { .. } | AgentState::Draining { .. }) if is_well => {
                may(FleetAct::Suspect(agent));
            }
            Some(AgentState::Busy { .. } | AgentState::Draining { .. } | AgentState::Cleaning { .. }) => {
                if !is_well {
                    may(FleetAct::ElapseAgent(agent));
                }
            }
            Some(AgentState::Idle(_) | AgentState::Failed) => may(FleetAct::ElapseAgent(agent)),
            Some(AgentState::Provisioning | AgentState::Leaving) | None => {}
        }
    }

    /// The event that an act is to the pool.
    pub(super) fn event(&self, act: FleetAct) -> Option<PoolEvent> {
        let known = |agent| self.pool.agent(agent_id(agent));
        Some(match act {
            FleetAct::Start(agent) => PoolEvent::Started { agent: agent_id(agent) },
            FleetAct::Remove(agent) | FleetAct::FindDead(agent) => PoolEvent::Gone { agent: agent_id(agent) },
            FleetAct::StopWork(agent) => {
                let lease = self.places[usize::from(agent)].lease?;
                PoolEvent::WorkEnded { agent: agent_id(agent), lease, end: WorkEnd::Returned }
            }
            FleetAct::Clean(agent) => {
                let AgentState::Cleaning { lease } = known(agent)?.state else { return None };
                PoolEvent::Cleaned { agent: agent_id(agent), lease }
            }
            FleetAct::ElapseAgent(agent) | FleetAct::Suspect(agent) => {
                let number = known(agent)?.timer;
                PoolEvent::Elapsed { timer: PoolTimer { agent: agent_id(agent), number } }
            }
            FleetAct::ForgetPlace(task) => PoolEvent::EndAcknowledged { task: id(task) },
            FleetAct::Die(_) => return None,
        })
    }
}

impl Step<'_> {
    /// What an act is outside, before the pool knows of it.
    pub(super) fn happens_to_fleet(&mut self, act: FleetAct) {
        match act {
            FleetAct::Start(agent) => {
                let place = self.place(agent);
                (place.ordered, place.container) = (false, Container::Up);
            }
            FleetAct::Remove(agent) => {
                self.place(agent).to_go = false;
                self.leaves(agent);
            }
            FleetAct::FindDead(agent) => self.leaves(agent),
            FleetAct::StopWork(agent) => self.place(agent).stops = false,
            FleetAct::Clean(agent) => (self.place(agent).cleans, self.place(agent).traces) = (false, None),
            FleetAct::Die(agent) => {
                self.place(agent).container = Container::Dead;
                self.strays_end();
            }
            FleetAct::ElapseAgent(agent) | FleetAct::Suspect(agent) => self.place(agent).armed = false,
            FleetAct::ForgetPlace(task) => self.desk.pool_ended &= !(1 << task),
        }
    }

    fn place(&mut self, agent: AgentIndex) -> &mut Place {
        &mut self.fleet.places[usize::from(agent)]
    }

    /// A container is no more, and what ran there neither.
    fn leaves(&mut self, agent: AgentIndex) {
        let place = self.place(agent);
        (place.container, place.traces, place.stops, place.cleans) = (Container::Gone, None, false, false);
        self.strays_end();
    }

    /// Tools that went on at an agent that is dead or gone do not any more. There is one agent at most that was taken for dead.
    fn strays_end(&mut self) {
        for task in (0..).take(TASKS) {
            if self.tree.of(task).stray.is_some() {
                self.tree.of_mut(task).stray = None;
            }
            if self.tree.of(task).line.has_stray() {
                self.tree.of_mut(task).line.stray_ends();
            }
        }
    }

    /// Gives the pool an event, carries out what comes of it, and tells the tree whose places are over.
    pub(super) fn inform_fleet(&mut self, event: PoolEvent) -> bool {
        let (before, mut effects) = (self.fleet.pool.clone(), Vec::new());
        let outcome = self.fleet.pool.step(event, &mut |effect| effects.push(effect));
        if outcome != Outcome::Applied {
            let has_changed = before != self.fleet.pool || !effects.is_empty();
            self.judge_outcome(false, || has_changed);
            return false;
        }
        match event {
            PoolEvent::WorkEnded { agent, lease, .. } => self.ends(agent, lease),
            PoolEvent::Gone { agent } => self.fleet.places[place_of(agent)].lease = None,
            PoolEvent::CancelRequested { task } => self.seen.withdrawn |= 1 << index(task),
            PoolEvent::Submitted { .. }
            | PoolEvent::EndAcknowledged { .. }
            | PoolEvent::Started { .. }
            | PoolEvent::Heartbeat { .. }
            | PoolEvent::Cleaned { .. }
            | PoolEvent::DrainRequested { .. }
            | PoolEvent::Elapsed { .. } => {}
        }
        if let Some((agent, lease)) = at_stake(&before, event)
            && !self.fleet.pool.holds(agent, lease)
        {
            self.lease_is_over(lease);
        }
        for effect in self.cut_short(effects) {
            self.obey_pool(effect);
        }
        self.judge_outcome(true, || false)
    }

    /// What an agent said of the end of its work was taken: it has to be of the lease that it has.
    fn ends(&mut self, agent: AgentId, lease: Lease) {
        let held = self.fleet.places[place_of(agent)].lease.take();
        self.note(Breach::OldLease, held != Some(lease));
        self.fleet.places[place_of(agent)].stops = false;
    }

    /// A root has lost its place. What ran there is over; what was being made ready is made ready in the next.
    fn lease_is_over(&mut self, lease: Lease) {
        let Lease { task: root, epoch } = lease;
        self.tell(POOL, POOL, || "a place is lost".to_owned());
        // One that was taken for dead goes on with what runs there.
        let goes_on = self
            .fleet
            .places
            .iter()
            .any(|place| place.container == Container::Up && place.lease == Some(lease));
        if !self.model.has(Fault::LostAskerUntold) {
            self.tell_questions(root, QuestionEvent::AgentLost { epoch });
        }
        for call in self.desk.gate.lose(&self.tree.kernel, root) {
            let orders = self.tree.of_mut(index(call.task));
            (orders.tools, orders.tools_stopping) = (0, 0);
            let stray = (orders.tools_turn, u8::try_from(call.index).unwrap_or(u8::MAX), epoch);
            orders.stray = goes_on.then_some(stray);
            if !self.model.has(Fault::LostToolUntold) {
                self.say(Word::Tree(tool_lost(call)));
            }
        }
        for task in (0..).take(TASKS) {
            if self.tree.task(task).is_none() || root_of(&self.tree.kernel, id(task)) != root {
                continue;
            }
            if self.tree.of(task).start == Start::Initializing {
                self.tree.of_mut(task).start = Start::Nothing;
            }
            if self.tree.of(task).line.iterator.is_some() {
                self.tree.of_mut(task).line.lose_place(goes_on);
            }
        }
    }

    pub(super) fn obey_pool(&mut self, effect: PoolEffect) {
        match effect {
            PoolEffect::Provision { agent } => {
                self.tell(POOL, OUTSIDE, || format!("orders agent {}", agent.0));
                let place = &mut self.fleet.places[place_of(agent)];
                // A container of a number is started once.
                place.ordered = place.container == Container::Absent;
            }
            PoolEffect::Retire { agent } => {
                self.tell(POOL, OUTSIDE, || format!("has agent {} removed", agent.0));
                let place = &mut self.fleet.places[place_of(agent)];
                (place.to_go, place.lease, place.stops, place.cleans) = (true, None, false, false);
            }
            PoolEffect::Assign { agent, lease } => self.assign(agent, lease),
            PoolEffect::Stop { agent, .. } => {
                self.tell(POOL, OUTSIDE, || format!("agent {} is to stop", agent.0));
                self.fleet.places[place_of(agent)].stops = true;
            }
            PoolEffect::Clean { agent, .. } => self.fleet.places[place_of(agent)].cleans = true,
            PoolEffect::TaskEnded { task, end } => {
                self.desk.pool_ended |= 1 << index(task);
                if let Some(word) = ended_in_pool(&self.tree.kernel, task, end) {
                    self.say(word);
                }
            }
            PoolEffect::Arm { timer, .. } => {
                let was = std::mem::replace(&mut self.fleet.places[place_of(timer.agent)].armed, true);
                self.note(Breach::Disorder, was);
            }
            PoolEffect::Disarm { timer } => self.fleet.places[place_of(timer.agent)].armed = false,
        }
    }

    /// An agent is given a root: the tree is told that it has its place, and what was kept for want of one goes out.
    fn assign(&mut self, agent: AgentId, lease: Lease) {
        self.tell(POOL, OUTSIDE, || {
            format!("gives agent {} a task, as its lease {}", agent.0, lease.epoch.0)
        });
        self.judge_place(agent, lease);
        let place = &mut self.fleet.places[place_of(agent)];
        place.lease = Some(lease);
        if place.container == Container::Up {
            place.traces = Some(lease.task);
        }
        self.say(Word::Tree(Event::Admitted { task: lease.task }));
        self.tell_questions(lease.task, QuestionEvent::Assigned { epoch: lease.epoch });
        self.open_gates();
    }

    fn judge_place(&mut self, agent: AgentId, lease: Lease) {
        let at = place_of(agent);
        let here = self.fleet.places[at];
        let is_elsewhere = |(other, place): (usize, &Place)| {
            other != at && place.lease.is_some_and(|other| other.task == lease.task)
        };
        let is_doubled = self.fleet.places.iter().enumerate().any(is_elsewhere);
        let has_another = here.lease.is_some_and(|other| other != lease);
        self.note(Breach::TwoPlaces, is_doubled || has_another);
        let others = self
            .fleet
            .places
            .iter()
            .enumerate()
            .filter(|(other, place)| *other != at && place.lease.is_some());
        let is_over = others.count() >= usize::from(self.model.scenario.quota);
        self.note(Breach::Quota, is_over);
        self.note(Breach::Traces, here.traces.is_some_and(|other| other != lease.task));
        let was_known = self.fleet.before().pool.task(lease.task).map(|booking| booking.standing);
        let is_new = !matches!(was_known, Some(Standing::Held { .. }));
        let is_withdrawn = self.seen.withdrawn >> index(lease.task) & 1 == 1;
        self.note(Breach::BegunAfterTaken, is_new && is_withdrawn);
    }

    /// The process is gone. Agents are not.
    pub(super) fn crash_fleet(&mut self) {
        for place in &mut self.fleet.places {
            (place.ordered, place.to_go, place.armed, place.stops, place.cleans) =
                (false, false, false, false, false);
        }
        self.desk.pool_ended = 0;
        let mut effects = Vec::new();
        self.fleet.pool.resync(&mut |effect| effects.push(effect));
        for effect in effects {
            self.obey_pool(effect);
        }
    }
}
