//! An agent in its container, as `docs/pool.md` asks it to be, and what the process does for the pool.
//!
//! An agent takes an assignment only if its number is above all that it has seen, in an assignment or in an order to stop,
//! and answers an order to stop also when it never had the work. Everything that it says names its assignment.

use downbeat_kernel::{PoolEffect, WorkEnd};
use downbeat_sim::model::Lane;

use super::super::ledger::{self, AgentIndex, End, Job, Stage};
use super::Flaw;
use super::state::{Breach, Container, Message, Order, Report, agent_index, job, task_index};
use super::step::Step;
use super::words::{self, POOL, agent_lane};

impl Step<'_> {
    /// What an agent says is on its way.
    pub(super) fn say(&mut self, agent: AgentIndex, report: Report) -> Option<()> {
        self.tell(agent_lane(agent), POOL, || words::report(report));
        self.state.network.put(Message::From(agent, report))
    }

    fn work(&self, agent: AgentIndex) -> Option<Job> {
        match self.state.outside(agent).container {
            Container::Up(work) => work,
            Container::Absent | Container::Dead | Container::Gone => None,
        }
    }

    pub(super) fn beat(&mut self, agent: AgentIndex) -> Option<()> {
        let job = self.work(agent)?;
        self.say(agent, Report::Heartbeat(job))
    }

    pub(super) fn finish(&mut self, agent: AgentIndex, end: WorkEnd) -> Option<()> {
        let job = self.work(agent)?;
        self.outside(agent).container = Container::Up(None);
        self.state.beside.retain(|granted| *granted != (agent, job));
        self.say(agent, Report::WorkEnded(job, end))
    }

    pub(super) fn receive(&mut self, agent: AgentIndex, order: Order) -> Option<()> {
        let Container::Up(work) = self.state.outside(agent).container else {
            self.tell(agent_lane(agent), agent_lane(agent), || "nobody is there".to_owned());
            return Some(());
        };
        match order {
            Order::Assign(job) => self.begin(agent, job, work),
            Order::Stop(job) => self.stop(agent, job, work)?,
            Order::Clean(job) if job.number >= self.state.outside(agent).seen => {
                self.outside(agent).traces = None;
                self.say(agent, Report::Cleaned(job))?;
            }
            Order::Clean(_) => self.ignore(agent),
        }
        Some(())
    }

    fn ignore(&mut self, agent: AgentIndex) {
        self.tell(agent_lane(agent), agent_lane(agent), || "takes no notice".to_owned());
    }

    fn begin(&mut self, agent: AgentIndex, job: Job, work: Option<Job>) {
        if job.number <= self.state.outside(agent).seen && !self.model.has(Flaw::AnyEpoch) {
            return self.ignore(agent);
        }
        let is_over = self.state.ledger.task(job.task).stage == Stage::Ended(End::Cancelled);
        if is_over && self.state.is_in_use(agent) {
            self.state.ledger.note(ledger::Breach::StartedAfterEnd(job));
        }
        let traces = self.state.outside(agent).traces;
        self.state.ledger.begin(agent, job, work, traces);
        let outside = self.outside(agent);
        (outside.seen, outside.traces) = (job.number, Some(job.task));
        outside.container = Container::Up(Some(job));
    }

    /// Ends what it works on, or says that it does not work on that.
    fn stop(&mut self, agent: AgentIndex, job: Job, work: Option<Job>) -> Option<()> {
        if job.number < self.state.outside(agent).seen {
            self.ignore(agent);
            return Some(());
        }
        self.outside(agent).seen = job.number;
        if work == Some(job) {
            self.outside(agent).container = Container::Up(None);
        }
        self.state.beside.retain(|granted| *granted != (agent, job));
        self.say(agent, Report::WorkEnded(job, WorkEnd::Returned))
    }

    /// Does what the pool orders. What goes to an agent is on its way; what is for the process it does at some time.
    pub(super) fn carry_out(&mut self, order: PoolEffect) -> Option<()> {
        match order {
            PoolEffect::Provision { agent } => {
                let agent = agent_index(agent);
                self.tell(POOL, POOL, || format!("orders agent {}", agent + 1));
                let outside = self.outside(agent);
                // A container of a number is started once.
                outside.is_ordered |= outside.container == Container::Absent;
            }
            PoolEffect::Retire { agent } => {
                let agent = agent_index(agent);
                self.tell(POOL, POOL, || format!("has agent {} removed", agent + 1));
                self.outside(agent).is_to_go = true;
            }
            PoolEffect::Assign { agent, lease } => self.assigns(agent_index(agent), job(lease))?,
            PoolEffect::Stop { agent, lease } => {
                self.send(POOL, agent_index(agent), Order::Stop(job(lease)))?;
            }
            PoolEffect::Clean { agent, lease } => {
                self.send(POOL, agent_index(agent), Order::Clean(job(lease)))?;
            }
            PoolEffect::TaskEnded { task, end } => {
                let (task, end) = (task_index(task), words::end(end));
                self.tell(POOL, POOL, || words::ended(task, end));
                self.state.ends[usize::from(task)] = Some(end);
            }
            PoolEffect::Arm { timer, .. } => {
                let number = u8::try_from(timer.number).unwrap_or(u8::MAX);
                let before = self.outside(agent_index(timer.agent)).armed.replace(number);
                self.state.breaches.note(Breach::Disorder, before.is_some());
            }
            PoolEffect::Disarm { timer } => self.outside(agent_index(timer.agent)).armed = None,
        }
        Some(())
    }

    fn assigns(&mut self, agent: AgentIndex, job: Job) -> Option<()> {
        let is_gone = self.state.outside(agent).container == Container::Gone;
        self.state.ledger.give(job, agent, is_gone);
        self.send(POOL, agent, Order::Assign(job))
    }

    /// An order is on its way. To a container that is gone there is none.
    pub(super) fn send(&mut self, from: Lane, agent: AgentIndex, order: Order) -> Option<()> {
        self.tell(from, agent_lane(agent), || words::order(order));
        match self.state.outside(agent).container {
            Container::Gone => Some(()),
            Container::Absent | Container::Up(_) | Container::Dead => {
                self.state.network.put(Message::To(agent, order))
            }
        }
    }
}
