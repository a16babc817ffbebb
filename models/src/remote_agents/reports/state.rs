//! The whole system: records, bookings, agents, links, and what an observer of all of it has seen.

use downbeat_sim::kinds::Kinds;
use std::fmt;

use super::Reports;
use super::agent::Agent;
use super::orchestrator::{Booking, Handler, Record};
use crate::remote_agents::queue::Queue;

/// The most agents.
pub const AGENTS: usize = 3;
/// The most tasks.
pub const TASKS: usize = 4;
/// Attempts at a task: a failed one is repeated once.
pub const ATTEMPTS: u8 = 2;

/// An agent, from 0.
pub type AgentIndex = u8;
/// A task, from 0.
pub type TaskIndex = u8;

/// One attempt at a task: what an agent is asked for, and what its report answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    /// The task.
    pub task: TaskIndex,
    /// The attempt, from 0.
    pub attempt: u8,
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", task_name(self.task))?;
        if self.attempt > 0 { write!(f, " (attempt {})", self.attempt + 1) } else { Ok(()) }
    }
}

/// How people call a task.
pub fn task_name(task: TaskIndex) -> String {
    format!("task {}", char::from(b'A' + task))
}

/// How the work on a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It came to its result.
    Completed,
    /// It did not.
    Failed,
}

/// The report of an end, with what it was made for whether it names it or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Report {
    /// What it was made for.
    pub job: Job,
    /// How the work ended.
    pub outcome: Outcome,
}

/// What the orchestrator sends to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ToAgent {
    /// The details of a task: the agent is to work on it.
    Details(Job),
    /// The report of a job was read.
    Acknowledged(Job),
}

/// One step of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Action {
    /// The orchestrator books an agent for the first queued task.
    Book(AgentIndex),
    /// The orchestrator sends the details to the agent that was booked.
    SendDetails(AgentIndex),
    /// The orchestrator reads a report of the agent and writes to the record of the task.
    Read(AgentIndex),
    /// The orchestrator acknowledges what it read.
    Acknowledge(AgentIndex),
    /// The agent that the ended task is booked on becomes idle in the book.
    Release(AgentIndex),
    /// The agent reads what the orchestrator sent.
    Take(AgentIndex),
    /// The agent works.
    Work(AgentIndex),
    /// The work is over, and the agent reports it.
    Finish(AgentIndex, Outcome),
    /// The agent reports it again.
    Repeat(AgentIndex),
    /// A report is lost on the way.
    Lose(AgentIndex),
}

/// Who takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// What the orchestrator does about an agent.
    Desk(AgentIndex),
    /// An agent.
    Agent(AgentIndex),
    /// The link from an agent, which loses reports.
    Link(AgentIndex),
}

impl Action {
    /// Who takes this step.
    pub fn process(self) -> Process {
        match self {
            Self::Book(agent)
            | Self::SendDetails(agent)
            | Self::Read(agent)
            | Self::Acknowledge(agent)
            | Self::Release(agent) => Process::Desk(agent),
            Self::Take(agent) | Self::Work(agent) | Self::Finish(agent, _) | Self::Repeat(agent) => {
                Process::Agent(agent)
            }
            Self::Lose(agent) => Process::Link(agent),
        }
    }
}

/// What an observer has seen who knows what each report was made for, and who works on what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seen {
    /// Whether a report was accepted.
    pub accepted: bool,
    /// Whether an agent was released.
    pub released: bool,
    /// The first job whose report was accepted a second time.
    pub twice: Option<Job>,
    /// The first report that was taken for another job: what it was made for, and taken for.
    pub mistaken: Option<(Job, Job)>,
    /// The first agent that worked on a job that it was not booked for.
    pub unbooked: Option<(AgentIndex, Job)>,
}

/// One global state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    records: [Record; TASKS],
    bookings: [Booking; AGENTS],
    handlers: [Handler; AGENTS],
    agents: [Agent; AGENTS],
    inboxes: [Queue<ToAgent>; AGENTS],
    outboxes: [Queue<Report>; AGENTS],
    losses: [u8; AGENTS],
    /// The jobs whose report was accepted, as bits.
    accepted: u8,
    /// What is judged, and no process looks at.
    pub seen: Seen,
}

impl State {
    pub(super) fn new(system: &Reports) -> Self {
        Self {
            records: [Record::Queued { attempt: 0 }; TASKS],
            bookings: [Booking::Idle; AGENTS],
            handlers: [Handler::Listening; AGENTS],
            agents: [Agent::Idle; AGENTS],
            inboxes: [Queue::new(); AGENTS],
            outboxes: [Queue::new(); AGENTS],
            losses: [system.losses; AGENTS],
            accepted: 0,
            seen: Seen::default(),
        }
    }

    /// What the task store says of a task.
    pub fn record(&self, task: TaskIndex) -> Record {
        self.records[usize::from(task)]
    }

    pub(super) fn record_mut(&mut self, task: TaskIndex) -> &mut Record {
        &mut self.records[usize::from(task)]
    }

    /// What the book says of an agent.
    pub fn booking(&self, agent: AgentIndex) -> Booking {
        self.bookings[usize::from(agent)]
    }

    pub(super) fn booking_mut(&mut self, agent: AgentIndex) -> &mut Booking {
        &mut self.bookings[usize::from(agent)]
    }

    /// What the orchestrator does about the last report of an agent.
    pub fn handler(&self, agent: AgentIndex) -> Handler {
        self.handlers[usize::from(agent)]
    }

    pub(super) fn handler_mut(&mut self, agent: AgentIndex) -> &mut Handler {
        &mut self.handlers[usize::from(agent)]
    }

    /// What an agent does.
    pub fn agent(&self, agent: AgentIndex) -> Agent {
        self.agents[usize::from(agent)]
    }

    pub(super) fn agent_mut(&mut self, agent: AgentIndex) -> &mut Agent {
        &mut self.agents[usize::from(agent)]
    }

    /// What is on the way to an agent.
    pub fn inbox(&self, agent: AgentIndex) -> &Queue<ToAgent> {
        &self.inboxes[usize::from(agent)]
    }

    pub(super) fn inbox_mut(&mut self, agent: AgentIndex) -> &mut Queue<ToAgent> {
        &mut self.inboxes[usize::from(agent)]
    }

    /// What is on the way from an agent.
    pub fn outbox(&self, agent: AgentIndex) -> &Queue<Report> {
        &self.outboxes[usize::from(agent)]
    }

    pub(super) fn outbox_mut(&mut self, agent: AgentIndex) -> &mut Queue<Report> {
        &mut self.outboxes[usize::from(agent)]
    }

    /// Whether a report that is on the way from an agent may be lost.
    pub fn may_lose(&self, agent: AgentIndex) -> bool {
        self.losses[usize::from(agent)] > 0
    }

    pub(super) fn lose(&mut self, agent: AgentIndex) -> Option<()> {
        let left = &mut self.losses[usize::from(agent)];
        *left = left.checked_sub(1)?;
        self.outbox_mut(agent).pop().map(|_| ())
    }

    /// Whether the report of a job was accepted.
    pub fn is_accepted(&self, job: Job) -> bool {
        self.accepted & accepted_bit(job) != 0
    }

    /// Notes that the report of one job is taken for another, or for the same.
    pub(super) fn accept(&mut self, made_for: Job, taken_for: Job) {
        if self.is_accepted(made_for) {
            self.seen.twice = self.seen.twice.or(Some(made_for));
        }
        if made_for != taken_for {
            self.seen.mistaken = self.seen.mistaken.or(Some((made_for, taken_for)));
        }
        self.accepted |= accepted_bit(made_for);
        self.seen.accepted = true;
    }

    /// What an agent works on without being booked for it.
    pub fn unbooked(&self, agent: AgentIndex) -> Option<Job> {
        let job = self.agent(agent).job()?;
        (self.booking(agent) != Booking::Busy(job)).then_some(job)
    }

    /// Notes whether an agent works on what it is not booked for.
    pub(super) fn judge_booking(&mut self, agent: AgentIndex) {
        let unbooked = self.unbooked(agent).map(|job| (agent, job));
        self.seen.unbooked = self.seen.unbooked.or(unbooked);
    }
}

fn accepted_bit(job: Job) -> u8 {
    1 << (job.task * ATTEMPTS + job.attempt)
}
