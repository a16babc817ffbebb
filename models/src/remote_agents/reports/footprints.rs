//! Who touches what. For each agent there are three processes: its desk at the orchestrator, itself, and its link.
//! They meet at the two queues between them; the desks meet at the task store.

use downbeat_sim::reduction::{Footprint, Objects, Processes};

use super::agent::Agent;
use super::orchestrator::{Booking, Handler};
use super::state::{AGENTS, AgentIndex, Job, Outcome, Process, State, TASKS, TaskIndex, ToAgent};
use super::{Names, Reports};
use crate::remote_agents::queue::Queue;

/// Which tasks are queued.
const QUEUED: Objects = Objects::one(0);
/// What was seen.
const SEEN: Objects = Objects::one(1);

/// The record of a task.
const fn record(task: TaskIndex) -> Objects {
    Objects::one(2 + task as usize)
}

/// Which reports about a task were accepted.
const fn accepted(task: TaskIndex) -> Objects {
    Objects::one(2 + TASKS + task as usize)
}

/// The booking of an agent.
const fn booking(agent: AgentIndex) -> Objects {
    Objects::one(2 + 2 * TASKS + agent as usize)
}

/// What an agent works on. How far it has come is nobody else's business and no object.
const fn work(agent: AgentIndex) -> Objects {
    Objects::one(2 + 2 * TASKS + AGENTS + agent as usize)
}

/// Both ends of a queue.
#[derive(Clone, Copy)]
struct Ends {
    head: Objects,
    tail: Objects,
}

const fn inbox(agent: AgentIndex) -> Ends {
    ends(2 * agent as usize)
}

const fn outbox(agent: AgentIndex) -> Ends {
    ends(2 * agent as usize + 1)
}

const fn ends(queue: usize) -> Ends {
    let first = 2 + 2 * TASKS + 2 * AGENTS + 2 * queue;
    Ends { head: Objects::one(first), tail: Objects::one(first + 1) }
}

impl Ends {
    fn send<T: Copy>(self, queue: &Queue<T>) -> Footprint {
        if queue.is_full() {
            Footprint::none().awaits(self.head)
        } else {
            Footprint::none().writes(self.tail)
        }
    }

    fn receive<T: Copy>(self, queue: &Queue<T>) -> Footprint {
        if queue.is_empty() {
            Footprint::none().awaits(self.tail)
        } else {
            Footprint::none().writes(self.head)
        }
    }
}

impl Reports {
    pub(super) fn declared(&self) -> Processes<Self> {
        Processes {
            count: 3 * usize::from(self.agents),
            of_action: Box::new(|system, action| {
                let (part, agent) = match action.process() {
                    Process::Desk(agent) => (0, agent),
                    Process::Agent(agent) => (1, agent),
                    Process::Link(agent) => (2, agent),
                };
                usize::from(part * system.agents + agent)
            }),
            now: Box::new(|system, state, process| match system.process(process) {
                Process::Desk(agent) => system.desk_now(state, agent),
                Process::Agent(agent) => system.agent_now(state, agent),
                Process::Link(agent) => link_now(state, agent),
            }),
            later: Box::new(|system, state, process| match system.process(process) {
                Process::Desk(agent) => system.desk_later(state, agent),
                Process::Agent(agent) => {
                    let own = work(agent) | inbox(agent).head | outbox(agent).tail;
                    Footprint::none().reads(booking(agent)).writes(own | SEEN)
                }
                Process::Link(agent) if state.may_lose(agent) => Footprint::none().writes(outbox(agent).head),
                Process::Link(_) => Footprint::none(),
            }),
            sees: Box::new(|property| match property {
                "S11" | "S18" | "S20" => SEEN,
                _ => Objects::all(),
            }),
        }
    }

    fn process(&self, process: usize) -> Process {
        let of_part =
            |part: u8| self.agents().find(|agent| process == usize::from(part * self.agents + agent));
        let desk = of_part(0).map(Process::Desk);
        let process =
            desk.or_else(|| of_part(1).map(Process::Agent)).or_else(|| of_part(2).map(Process::Link));
        process.unwrap_or_else(|| unreachable!("there are three processes for each agent"))
    }

    fn desk_now(&self, state: &State, agent: AgentIndex) -> Footprint {
        let send = inbox(agent).send(state.inbox(agent));
        let details = self.assigned(state, agent).map(|job| send.writes(record(job.task)));
        let book = match (state.booking(agent), self.first_queued(state)) {
            (Booking::Idle, Some(job)) => {
                Footprint::none().writes(QUEUED | booking(agent) | record(job.task))
            }
            (Booking::Idle, None) => Footprint::none().awaits(QUEUED),
            // Another desk may release the agent if all that it names is the task.
            (Booking::Busy(_), _) => Footprint::none().awaits(booking(agent)),
        };
        let handler = match state.handler(agent) {
            Handler::Listening => self.read_now(state, agent),
            Handler::Acknowledging { .. } => send,
            Handler::Releasing(job) => self.release_now(state, agent, job),
        };
        details.unwrap_or_default() | book | handler
    }

    fn read_now(&self, state: &State, agent: AgentIndex) -> Footprint {
        let receive = outbox(agent).receive(state.outbox(agent));
        let Some(report) = state.outbox(agent).first() else { return receive };
        let looks_at = match (self.names, state.booking(agent)) {
            (Names::Nothing, Booking::Busy(job)) => booking(agent) | record(job.task),
            (Names::Nothing, Booking::Idle) => booking(agent),
            (Names::Task, _) => record(report.job.task),
            // A report that is stale stays stale, and one that is not is about what only this desk writes.
            (Names::TaskAndAttempt, _) => Objects::none(),
        };
        let receive = receive.reads(looks_at);
        let Some(job) = self.taken_for(state, agent, report.job) else { return receive };
        let shows = !state.seen.accepted || state.is_accepted(report.job) || report.job != job;
        let receive = receive.writes(record(job.task) | accepted(report.job.task) | seen_if(shows));
        match report.outcome {
            Outcome::Completed => receive,
            Outcome::Failed => receive.writes(QUEUED),
        }
    }

    fn release_now(&self, state: &State, reporter: AgentIndex, job: Job) -> Footprint {
        let looks_at = match self.names {
            Names::Nothing | Names::TaskAndAttempt => Objects::none(),
            Names::Task => self.agents().map(booking).collect(),
        };
        let release = Footprint::none().reads(looks_at);
        let Some(agent) = self.released(state, reporter, job) else { return release };
        let shows = !state.seen.released || state.agent(agent).job().is_some();
        release.reads(work(agent)).writes(booking(agent) | seen_if(shows))
    }

    /// The records that a desk may write: of tasks that are queued, may be queued again, or are at its agent.
    fn desk_later(&self, state: &State, agent: AgentIndex) -> Footprint {
        let all_tasks = |object: fn(TaskIndex) -> Objects| (0..self.tasks).map(object).collect::<Objects>();
        let all_agents = |object: fn(AgentIndex) -> Objects| self.agents().map(object).collect::<Objects>();
        let tasks = || (0..self.tasks).filter(|task| self.may_come_to(state, *task, agent));
        let records: Objects = tasks().map(record).collect();
        let queued = if self.queue_may_change(state) { QUEUED } else { Objects::none() };
        let own = SEEN | inbox(agent).tail | outbox(agent).head | booking(agent);
        let later = Footprint::none().reads(work(agent)).writes(own | records | queued);
        match self.names {
            Names::Nothing => later.writes(all_tasks(accepted)),
            Names::Task => later
                .reads(all_tasks(record) | all_agents(work))
                .writes(all_tasks(accepted) | all_agents(booking)),
            Names::TaskAndAttempt => later.writes(tasks().map(accepted).collect()),
        }
    }

    fn may_come_to(&self, state: &State, task: TaskIndex, to: AgentIndex) -> bool {
        let at_agent = state.record(task).under_way().is_some_and(|(agent, _)| agent == to);
        at_agent || self.may_be_queued(state, task)
    }

    fn queue_may_change(&self, state: &State) -> bool {
        (0..self.tasks).any(|task| self.may_be_queued(state, task))
    }

    /// Whether a task is queued, or may be again.
    fn may_be_queued(&self, state: &State, task: TaskIndex) -> bool {
        let record = state.record(task);
        match (self.names, record.under_way()) {
            (_, None) => !record.is_ended(),
            // Any report of a failure may be taken for this task's.
            (Names::Nothing | Names::Task, Some(_)) => true,
            (Names::TaskAndAttempt, Some((_, attempt))) => self.may_fail(Job { task, attempt }),
        }
    }

    fn agent_now(&self, state: &State, agent: AgentIndex) -> Footprint {
        let send = outbox(agent).send(state.outbox(agent));
        let take = inbox(agent).receive(state.inbox(agent));
        let take = match state.inbox(agent).first() {
            Some(ToAgent::Details(job)) => {
                let shows = state.booking(agent) != Booking::Busy(job);
                take.reads(booking(agent)).writes(work(agent) | seen_if(shows))
            }
            Some(ToAgent::Acknowledged(_)) | None => take,
        };
        match state.agent(agent) {
            Agent::Idle => take,
            Agent::Working { done, .. } if done < self.work => Footprint::none(),
            Agent::Working { .. } => send.writes(work(agent)),
            Agent::Reporting { repeated, .. } if repeated < self.repeats => take | send,
            Agent::Reporting { .. } => take,
        }
    }
}

/// What was seen is written where it changes only, so that most steps are not visible.
fn seen_if(shows: bool) -> Objects {
    if shows { SEEN } else { Objects::none() }
}

fn link_now(state: &State, agent: AgentIndex) -> Footprint {
    if state.may_lose(agent) { outbox(agent).receive(state.outbox(agent)) } else { Footprint::none() }
}
