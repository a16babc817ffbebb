//! The orchestrator: the task store, the book of agents, and for each agent a desk that books it and reads its
//! reports.

use super::state::{ATTEMPTS, Action, AgentIndex, Job, Outcome, State, ToAgent};
use super::{Names, Reports};

/// What the task store says of a task.
///
/// ```text
/// Queued ──Book──▶ Assigned ──SendDetails──▶ Running ──completed──▶ Completed
///    ▲                 └────────────┬───────────┘ └────failed─────▶ Failed
///    └──────failed, attempts left───┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Record {
    /// Waits for an agent.
    Queued {
        /// The attempt that is next.
        attempt: u8,
    },
    /// An agent is booked, and the details are not sent.
    Assigned {
        /// Who is booked.
        agent: AgentIndex,
        /// Which attempt it is.
        attempt: u8,
    },
    /// The details are sent.
    Running {
        /// Who is booked.
        agent: AgentIndex,
        /// Which attempt it is.
        attempt: u8,
    },
    /// Terminal.
    Completed,
    /// Terminal: no attempt is left.
    Failed,
}

impl Record {
    /// Whether no event leaves this state.
    pub fn is_ended(self) -> bool {
        match self {
            Self::Completed | Self::Failed => true,
            Self::Queued { .. } | Self::Assigned { .. } | Self::Running { .. } => false,
        }
    }

    /// Who is booked, and for which attempt.
    pub(super) fn under_way(self) -> Option<(AgentIndex, u8)> {
        match self {
            Self::Assigned { agent, attempt } | Self::Running { agent, attempt } => Some((agent, attempt)),
            Self::Queued { .. } | Self::Completed | Self::Failed => None,
        }
    }
}

/// What the agent manager's book says of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Booking {
    /// It may be booked.
    Idle,
    /// It is booked.
    Busy(Job),
}

/// What the orchestrator does about the last report of one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handler {
    /// Nothing: it reads the next one.
    Listening,
    /// It has read the report of `job` and has to acknowledge it.
    Acknowledging {
        /// What the acknowledgement is of.
        job: Job,
        /// What the report put an end to, if anything.
        ended: Option<Job>,
    },
    /// It has to have the agent of an ended job released.
    Releasing(Job),
}

impl Reports {
    pub(super) fn desk_actions(&self, state: &State, agent: AgentIndex, actions: &mut Vec<Action>) {
        let can_send = !state.inbox(agent).is_full();
        if state.booking(agent) == Booking::Idle && self.first_queued(state).is_some() {
            actions.push(Action::Book(agent));
        }
        if self.assigned(state, agent).is_some() && can_send {
            actions.push(Action::SendDetails(agent));
        }
        match state.handler(agent) {
            Handler::Listening if !state.outbox(agent).is_empty() => actions.push(Action::Read(agent)),
            Handler::Acknowledging { .. } if can_send => actions.push(Action::Acknowledge(agent)),
            Handler::Releasing(_) => actions.push(Action::Release(agent)),
            Handler::Listening | Handler::Acknowledging { .. } => {}
        }
    }

    pub(super) fn first_queued(&self, state: &State) -> Option<Job> {
        (0..self.tasks).find_map(|task| match state.record(task) {
            Record::Queued { attempt } => Some(Job { task, attempt }),
            Record::Assigned { .. } | Record::Running { .. } | Record::Completed | Record::Failed => None,
        })
    }

    /// The job whose details the agent has not been sent.
    pub(super) fn assigned(&self, state: &State, to: AgentIndex) -> Option<Job> {
        (0..self.tasks).find_map(|task| match state.record(task) {
            Record::Assigned { agent, attempt } if agent == to => Some(Job { task, attempt }),
            Record::Assigned { .. }
            | Record::Queued { .. }
            | Record::Running { .. }
            | Record::Completed
            | Record::Failed => None,
        })
    }

    pub(super) fn book(&self, state: &mut State, agent: AgentIndex) -> Option<()> {
        let job = self.first_queued(state)?;
        *state.booking_mut(agent) = Booking::Busy(job);
        *state.record_mut(job.task) = Record::Assigned { agent, attempt: job.attempt };
        Some(())
    }

    pub(super) fn send_details(&self, state: &mut State, agent: AgentIndex) -> Option<()> {
        let job = self.assigned(state, agent)?;
        *state.record_mut(job.task) = Record::Running { agent, attempt: job.attempt };
        state.inbox_mut(agent).push(ToAgent::Details(job))
    }

    pub(super) fn read(&self, state: &mut State, agent: AgentIndex) -> Option<()> {
        let report = state.outbox_mut(agent).pop()?;
        let taken_for = self.taken_for(state, agent, report.job);
        if let Some(job) = taken_for {
            state.accept(report.job, job);
            *state.record_mut(job.task) = match report.outcome {
                Outcome::Completed => Record::Completed,
                Outcome::Failed if job.attempt + 1 < ATTEMPTS => Record::Queued { attempt: job.attempt + 1 },
                Outcome::Failed => Record::Failed,
            };
        }
        *state.handler_mut(agent) = if self.repeats_until_acknowledged {
            Handler::Acknowledging { job: report.job, ended: taken_for }
        } else {
            taken_for.map_or(Handler::Listening, Handler::Releasing)
        };
        Some(())
    }

    /// What a report is taken for: a job that is under way.
    pub(super) fn taken_for(&self, state: &State, agent: AgentIndex, made_for: Job) -> Option<Job> {
        let task = match (self.names, state.booking(agent)) {
            (Names::Nothing, Booking::Busy(job)) => job.task,
            (Names::Nothing, Booking::Idle) => return None,
            (Names::Task | Names::TaskAndAttempt, _) => made_for.task,
        };
        let (_, attempt) = state.record(task).under_way()?;
        let job = Job { task, attempt };
        self.is_about(made_for, job).then_some(job)
    }

    pub(super) fn release(&self, state: &mut State, reporter: AgentIndex) -> Option<()> {
        let Handler::Releasing(job) = state.handler(reporter) else { return None };
        *state.handler_mut(reporter) = Handler::Listening;
        if let Some(agent) = self.released(state, reporter, job) {
            *state.booking_mut(agent) = Booking::Idle;
            state.seen.released = true;
            state.judge_booking(agent);
        }
        Some(())
    }

    /// Who is released when an agent has reported the end of a job: the reporter, or whoever the book has for
    /// what the release names.
    pub(super) fn released(&self, state: &State, reporter: AgentIndex, job: Job) -> Option<AgentIndex> {
        self.agents().find(|agent| match (self.names, state.booking(*agent)) {
            (Names::Nothing, _) => *agent == reporter,
            (Names::Task | Names::TaskAndAttempt, Booking::Idle) => false,
            (Names::Task, Booking::Busy(booked)) => booked.task == job.task,
            (Names::TaskAndAttempt, Booking::Busy(booked)) => booked == job,
        })
    }
}

pub(super) fn acknowledge(state: &mut State, agent: AgentIndex) -> Option<()> {
    let Handler::Acknowledging { job, ended } = state.handler(agent) else { return None };
    *state.handler_mut(agent) = ended.map_or(Handler::Listening, Handler::Releasing);
    state.inbox_mut(agent).push(ToAgent::Acknowledged(job))
}
