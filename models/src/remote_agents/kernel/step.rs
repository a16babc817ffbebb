//! One step: what happens outside, what the pool makes of it, and what comes of its orders.

use downbeat_kernel::{Outcome, PoolEffect, PoolEvent, PoolRejected, WorkEnd};
use downbeat_sim::model::{Arrow, Lane};

use super::super::ledger::{self, AgentIndex, Job, Stage, TaskIndex};
use super::super::owners::Course;
use super::KernelModel;
use super::act::{Act, Action};
use super::state::{
    AGENTS, Breach, Breaches, Container, Message, Outside, Report, State, agent_index, job, task_index,
};
use super::words::{self, POOL};

/// The state in the middle of a step.
pub(super) struct Step<'a> {
    pub(super) state: State,
    pub(super) model: &'a KernelModel,
    /// The story of the step; `None` while the checker only wants the next state.
    pub(super) told: Option<&'a mut Vec<Arrow>>,
}

impl Step<'_> {
    pub(super) fn tell(&mut self, from: Lane, to: Lane, text: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: text() });
        }
    }

    pub(super) fn outside(&mut self, agent: AgentIndex) -> &mut Outside {
        &mut self.state.outside[usize::from(agent)]
    }

    /// Takes one step; `None` if it may not be taken.
    pub(super) fn take(&mut self, Action { act, course }: Action) -> Option<()> {
        self.state.ledger = self.state.ledger.without_breaches();
        self.state.breaches = Breaches::default();
        if let Some(left) = act.budget(&mut self.state.left) {
            *left = left.checked_sub(1)?;
        }
        if let Some(told) = &mut self.told {
            told.push(words::arrow(&self.state, act));
        }
        let event = act.event(&self.model.scenario, &self.state);
        // Who is found dead is found again until that is on record.
        if !matches!((act, course), (Act::Find(_), Course::Slow)) {
            self.happens(act)?;
        }
        match event {
            Some(event) => self.inform(act, event, course),
            None => (course == Course::Whole).then_some(()),
        }
    }

    /// Gives the pool its event, and carries out what comes of it.
    fn inform(&mut self, act: Act, event: PoolEvent, course: Course) -> Option<()> {
        let (before, mut effects) = (self.state.pool.clone(), Vec::new());
        let outcome = self.state.pool.step(event, &mut |effect| effects.push(effect));
        if usize::try_from(self.state.pool.last_agent().0).unwrap_or(usize::MAX) > AGENTS {
            return None;
        }
        if outcome != Outcome::Applied {
            let has_changed = before != self.state.pool || !effects.is_empty();
            self.state.breaches.note(Breach::Unapplied, has_changed);
            self.refused(act, &outcome);
            return (course == Course::Whole).then_some(());
        }
        let is_void = matches!(act, Act::SubmitAgain(_) | Act::ElapseVoid(..));
        self.state.breaches.note(Breach::Stale, is_void);
        let kept = match course {
            Course::Whole => usize::MAX,
            Course::Crash(kept) => kept.into(),
            Course::Slow => {
                let taken = std::mem::replace(&mut self.state.pool, before);
                self.is_slow_with(taken, event, effects);
                return Some(());
            }
        };
        self.is_recorded(event, &effects);
        effects.into_iter().take(kept).try_for_each(|effect| self.carry_out(effect))?;
        if course == Course::Whole { Some(()) } else { self.crash(true) }
    }

    /// An event is on record, and so are the orders that follow from it.
    pub(super) fn is_recorded(&mut self, event: PoolEvent, orders: &[PoolEffect]) {
        self.is_taken(event, orders);
        for order in orders {
            self.is_given(*order, event);
        }
        self.state.orders.sort_unstable();
    }

    fn refused(&mut self, act: Act, outcome: &Outcome<PoolRejected>) {
        self.tell(POOL, POOL, || match outcome {
            Outcome::Rejected(PoolRejected::QueueFull { .. } | PoolRejected::AgentsFull { .. }) => {
                "has no room for it".to_owned()
            }
            Outcome::Applied | Outcome::Ignored(_) | Outcome::Rejected(_) => "takes no notice".to_owned(),
        });
        if let Outcome::Rejected(PoolRejected::AgentsFull { agent, .. }) = outcome {
            // Whoever finds a container for which there is no room removes it.
            self.outside(agent_index(*agent)).is_to_go = true;
        }
        // What a timer that is armed says is never void.
        let is_owed = matches!(act, Act::Elapse(_) | Act::ElapseEarly(_));
        self.state.breaches.note(Breach::Disorder, is_owed);
    }

    /// What an event that was applied says, to those who see the orders of the pool and what is said to it.
    fn is_taken(&mut self, event: PoolEvent, effects: &[PoolEffect]) {
        match event {
            PoolEvent::Submitted { task, .. } => self.submitted(task_index(task)),
            PoolEvent::CancelRequested { task } => self.state.ledger.cancel(task_index(task)),
            PoolEvent::EndAcknowledged { task: of } => {
                self.state.acknowledged |= 1 << task_index(of);
                self.drop_orders(|order| matches!(order, PoolEffect::TaskEnded { task, .. } if task == of));
            }
            PoolEvent::Started { agent } => {
                self.drop_orders(|order| order == PoolEffect::Provision { agent });
            }
            PoolEvent::Gone { agent: gone } => {
                if self.state.outside(agent_index(gone)).container == Container::Dead {
                    self.go(agent_index(gone));
                }
                let was_to_start = self.state.orders.contains(&PoolEffect::Provision { agent: gone });
                let is_ordered_anew =
                    effects.iter().any(|effect| matches!(effect, PoolEffect::Provision { .. }));
                self.state.breaches.note(Breach::Disorder, was_to_start && is_ordered_anew);
                self.drop_orders(|order| agent_of(order) == Some(agent_index(gone)) && !is_armed(order));
                self.lose(agent_index(gone));
            }
            PoolEvent::Heartbeat { agent, lease } => {
                self.holds(agent_index(agent), job(lease));
                self.outside(agent_index(agent)).is_renewed = true;
            }
            PoolEvent::WorkEnded { agent, lease, end } => {
                self.work_ended(agent_index(agent), job(lease), end);
                self.drop_orders(|order| {
                    order == PoolEffect::Assign { agent, lease } || order == PoolEffect::Stop { agent, lease }
                });
            }
            PoolEvent::Cleaned { agent, lease } => {
                self.drop_one(PoolEffect::Clean { agent, lease });
                let at = agent_index(agent);
                let has = match self.state.outside(at).container {
                    Container::Up(has) => has,
                    Container::Absent | Container::Dead | Container::Gone => None,
                };
                self.state.ledger.free(at, has);
            }
            PoolEvent::DrainRequested { agent } => self.outside(agent_index(agent)).drains = true,
            PoolEvent::Elapsed { timer } => {
                let has = self.state.orders.len();
                self.drop_orders(|order| matches!(order, PoolEffect::Arm { timer: of, .. } if of == timer));
                self.state.breaches.note(Breach::Stale, has == self.state.orders.len());
            }
        }
    }

    /// A task that is there already is submitted to nobody but the pool.
    fn submitted(&mut self, task: TaskIndex) {
        if self.state.ledger.task(task).stage == Stage::Absent {
            self.state.ledger.submit(task);
        }
    }

    /// What was said under a lease has to be said under the one that its agent has.
    fn holds(&mut self, agent: AgentIndex, job: Job) {
        let is_void = self.state.outside(agent).lease != Some(job);
        self.state.breaches.note(Breach::Stale, is_void);
    }

    fn work_ended(&mut self, agent: AgentIndex, job: Job, end: WorkEnd) {
        self.holds(agent, job);
        if end == WorkEnd::Completed {
            self.state.ledger.write(job);
            self.state.ledger.result(job.task);
        }
        self.lose(agent);
    }

    /// An agent has its task no more, as far as anybody can know.
    fn lose(&mut self, agent: AgentIndex) {
        let Some(job) = self.outside(agent).lease.take() else { return };
        if self.state.ledger.task(job.task).stage == Stage::Given {
            self.state.ledger.take_back(job.task);
        }
    }

    /// What an order says to those who see it.
    fn is_given(&mut self, order: PoolEffect, event: PoolEvent) {
        match order {
            PoolEffect::Provision { .. } | PoolEffect::Clean { .. } => {}
            PoolEffect::Stop { agent, lease } => {
                self.drop_orders(|order| order == PoolEffect::Assign { agent, lease });
            }
            PoolEffect::Retire { agent } => {
                self.retire(agent_index(agent), event);
                self.drop_orders(|order| agent_of(order) == Some(agent_index(agent)));
            }
            PoolEffect::Assign { agent, lease } => self.assign(agent_index(agent), job(lease)),
            PoolEffect::TaskEnded { task, end } => {
                let (task, end) = (task_index(task), words::end(end));
                self.state.ledger.end_as_wanted(task, end);
            }
            PoolEffect::Arm { timer, .. } => self.outside(agent_index(timer.agent)).is_renewed = false,
            PoolEffect::Disarm { timer } => {
                let has = self.state.orders.len();
                self.drop_orders(|order| matches!(order, PoolEffect::Arm { timer: of, .. } if of == timer));
                self.state.breaches.note(Breach::Disorder, has == self.state.orders.len());
                return;
            }
        }
        self.state.breaches.note(Breach::Disorder, self.state.orders.contains(&order));
        self.state.orders.push(order);
    }

    /// An agent is to go: what it has is lost. That of one that was heard of is not, unless nobody wants it any more.
    fn retire(&mut self, agent: AgentIndex, event: PoolEvent) {
        let Outside { lease, is_renewed, .. } = *self.state.outside(agent);
        let is_wanted = lease.is_some_and(|job| !self.state.ledger.task(job.task).is_cancelled);
        let has_run_out = matches!(event, PoolEvent::Elapsed { .. });
        self.state.breaches.note(Breach::Unrenewed, has_run_out && is_renewed && is_wanted);
        self.lose(agent);
    }

    fn assign(&mut self, agent: AgentIndex, job: Job) {
        let others: Vec<AgentIndex> = self.state.agents().filter(|other| *other != agent).collect();
        for other in others {
            if let Some(has) = self.state.outside(other).lease.filter(|has| has.task == job.task) {
                self.state.ledger.note(ledger::Breach::TwoLeases([has, job], [other, agent]));
            }
        }
        if let Some(has) = self.outside(agent).lease.replace(job) {
            self.state.ledger.note(ledger::Breach::TwoTasks(agent, [has, job]));
        }
        if self.state.outside(agent).drains {
            self.state.ledger.note(ledger::Breach::GoneAgent(agent, job));
        }
        let attempts = &mut self.state.attempts[usize::from(job.task)];
        *attempts = attempts.saturating_add(1);
        let too_often = *attempts > self.model.scenario.attempts;
        self.state.breaches.note(Breach::Disorder, too_often);
        self.count(job.task);
    }

    /// A task was assigned: its user has one more, and whoever waits was overtaken by it.
    fn count(&mut self, task: TaskIndex) {
        let scenario = &self.model.scenario;
        self.count_leases(task);
        let was_full = |user: u8| {
            let with_this = self.state.leases_of(|task| scenario.user(task) == user);
            let before = if scenario.user(task) == user { with_this - 1 } else { with_this };
            before >= usize::from(scenario.quota)
        };
        let known = self.state.ledger.tasks();
        let waiting: Vec<TaskIndex> = known
            .filter(|(other, known)| known.stage == Stage::Waiting && *other < task)
            .filter(|(other, _)| !was_full(scenario.user(*other)))
            .map(|(other, _)| other)
            .collect();
        for other in waiting {
            self.state.ledger.overtake(other, task, super::Scenario::yields(other));
        }
    }

    /// A lease was granted of this task: how many its user has by now.
    pub(super) fn count_leases(&mut self, task: TaskIndex) {
        let scenario = &self.model.scenario;
        let user = scenario.user(task);
        let running = self.state.leases_of(|task| scenario.user(task) == user);
        self.state.ledger.run(running, scenario.quota);
    }

    fn drop_orders(&mut self, is_over: impl Fn(PoolEffect) -> bool) {
        self.state.orders.retain(|order| !is_over(*order));
    }

    /// An order is answered that has to be outstanding.
    fn drop_one(&mut self, order: PoolEffect) {
        let is_void = !self.state.orders.contains(&order);
        self.state.breaches.note(Breach::Stale, is_void);
        self.drop_orders(|other| other == order);
    }

    /// What an act is outside, before the pool knows of it.
    fn happens(&mut self, act: Act) -> Option<()> {
        match act {
            Act::Tell(task) => {
                let end = self.state.ends[usize::from(task)]?;
                self.state.ledger.tell(task, end);
            }
            Act::Acknowledge(task) => self.state.ends[usize::from(task)] = None,
            Act::Start(agent) => {
                let outside = self.outside(agent);
                (outside.is_ordered, outside.container) = (false, Container::Up(None));
                self.say(agent, Report::Started)?;
            }
            Act::FailToStart(agent) => {
                self.outside(agent).is_ordered = false;
                self.go(agent);
            }
            Act::Remove(agent) | Act::Find(agent) => self.go(agent),
            Act::Die(agent) => self.outside(agent).container = Container::Dead,
            Act::Hello(agent) => self.say(agent, Report::Started)?,
            Act::Beat(agent) => self.beat(agent)?,
            Act::Finish(agent, end) => self.finish(agent, end)?,
            Act::Receive(agent, order, again) => {
                self.arrives(Message::To(agent, order), again)?;
                self.receive(agent, order)?;
            }
            Act::Hear(agent, report, again) => self.arrives(Message::From(agent, report), again)?,
            Act::Lose(message) => self.state.network.take(message)?,
            Act::Elapse(agent) | Act::ElapseEarly(agent) => self.outside(agent).armed = None,
            Act::Crash => self.crash(false)?,
            Act::Record => self.record()?,
            Act::Release => self.release()?,
            Act::TakeOver => self.take_over()?,
            Act::WriteLate => self.write_late()?,
            Act::ReleaseLate(at) => self.release_late(at)?,
            Act::HearLate(..) | Act::ElapseLate(_) | Act::SubmitLate(_) | Act::CancelLate(_) => {
                self.wake(act)?;
            }
            Act::Submit(_) | Act::SubmitAgain(_) | Act::Cancel(_) | Act::Drain(_) | Act::ElapseVoid(..) => {}
        }
        Some(())
    }

    /// A message comes; if a second copy is still on the way, it will come again.
    fn arrives(&mut self, message: Message, again: bool) -> Option<()> {
        if again { self.state.network.has(message).then_some(()) } else { self.state.network.take(message) }
    }

    /// A container is no more, unless it has not started yet: the order to start it may be slower than that to remove it.
    /// Nobody will read what is on its way to it.
    pub(super) fn go(&mut self, agent: AgentIndex) {
        let may_start_late = self.state.may_start_late(agent);
        let outside = self.outside(agent);
        let may_start = (outside.is_ordered || may_start_late) && outside.container == Container::Absent;
        (outside.is_to_go, outside.traces) = (false, None);
        self.state.beside.retain(|(holder, _)| *holder != agent);
        if !may_start {
            self.outside(agent).container = Container::Gone;
            self.state.network.forget(|message| matches!(message, Message::To(to, _) if to == agent));
        }
    }

    /// The process crashes, in the middle of a step or at rest, and starts again: what it was to do is gone, and the pool
    /// repeats what is outstanding.
    fn crash(&mut self, is_cut: bool) -> Option<()> {
        if is_cut {
            let left = &mut self.state.left.crashes;
            *left = left.checked_sub(1)?;
            self.tell(POOL, POOL, || "the process crashes, and starts again".to_owned());
        }
        if self.state.is_slow() {
            self.state.former = None;
        }
        self.start_again()
    }

    /// A process that has nothing under way goes on from what is on record.
    pub(super) fn start_again(&mut self) -> Option<()> {
        self.state.ends = Default::default();
        for outside in &mut self.state.outside {
            (outside.is_ordered, outside.is_to_go, outside.armed) = (false, false, None);
        }
        let mut orders = Vec::new();
        self.state.pool.resync(&mut |order| orders.push(order));
        orders.into_iter().try_for_each(|order| self.carry_out(order))
    }
}

fn is_armed(order: PoolEffect) -> bool {
    matches!(order, PoolEffect::Arm { .. })
}

/// The agent that an order is about.
fn agent_of(order: PoolEffect) -> Option<AgentIndex> {
    match order {
        PoolEffect::Provision { agent }
        | PoolEffect::Retire { agent }
        | PoolEffect::Assign { agent, .. }
        | PoolEffect::Stop { agent, .. }
        | PoolEffect::Clean { agent, .. } => Some(agent_index(agent)),
        PoolEffect::Arm { timer, .. } | PoolEffect::Disarm { timer } => Some(agent_index(timer.agent)),
        PoolEffect::TaskEnded { .. } => None,
    }
}
