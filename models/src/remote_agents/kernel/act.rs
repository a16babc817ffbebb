//! What can happen, and the event that tells the pool of it.

use downbeat_kernel::{AgentId, Pool, PoolEvent, PoolTimer, UserId, WorkEnd};
use downbeat_sim::kinds::Kinds;

use super::super::ledger::{AgentIndex, TaskIndex};
use super::super::owners::Course;
use super::scenario::{Left, Scenario};
use super::state::{Message, Order, Report, State, agent_id, lease, task_id};

/// One event, and how far the process comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// What happens.
    pub act: Act,
    /// How much of what follows from it is part of the same step.
    pub course: Course,
}

/// What happens. `true` beside a message: a second copy is still on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Act {
    /// The user submits the next task.
    Submit(TaskIndex),
    /// A task is submitted that was submitted before.
    SubmitAgain(TaskIndex),
    /// The user cancels a task.
    Cancel(TaskIndex),
    /// The user is told how a task ended.
    Tell(TaskIndex),
    /// It is on record that the user knows.
    Acknowledge(TaskIndex),
    /// A container that was ordered starts.
    Start(AgentIndex),
    /// A container that was ordered ends before it has started.
    FailToStart(AgentIndex),
    /// A container is removed that was to be.
    Remove(AgentIndex),
    /// Somebody finds that an agent is dead.
    Find(AgentIndex),
    /// An agent dies without a word.
    Die(AgentIndex),
    /// An agent of which the pool does not know says once more that it has started.
    Hello(AgentIndex),
    /// An agent says that it works.
    Beat(AgentIndex),
    /// An agent comes to the end of its work.
    Finish(AgentIndex, WorkEnd),
    /// An order comes to its agent.
    Receive(AgentIndex, Order, bool),
    /// What an agent said comes to the pool.
    Hear(AgentIndex, Report, bool),
    /// A message gets lost.
    Lose(Message),
    /// Somebody wants an agent to go.
    Drain(AgentIndex),
    /// An armed timer runs out, and nothing else would come.
    Elapse(AgentIndex),
    /// An armed timer runs out before what it waits for has come.
    ElapseEarly(AgentIndex),
    /// A timer is said to have run out that is not armed, or not yet.
    ElapseVoid(AgentIndex, u8),
    /// The process crashes at rest.
    Crash,
    /// What a slow process has taken is on record.
    Record,
    /// The next order of a slow process goes out.
    Release,
    /// Another process opens the journal under the next epoch, goes on from what is on record, and repeats what is
    /// outstanding. The one before is suspended, and has not noticed.
    TakeOver,
    /// The one before wakes up, and writes what it has taken. The store refuses that, and it ends.
    WriteLate,
    /// The one before wakes up, and an order of it goes out that was on record when it was replaced.
    ReleaseLate(u8),
    /// What an agent said comes to the one before.
    HearLate(AgentIndex, Report),
    /// A timer of the one before runs out.
    ElapseLate(AgentIndex),
    /// A user who still believes in the one before submits a task to it.
    SubmitLate(TaskIndex),
    /// A user who still believes in the one before wants it to cancel a task.
    CancelLate(TaskIndex),
}

impl Act {
    /// The event that tells the pool of it; `None` for what it is not told of.
    pub(super) fn event(self, scenario: &Scenario, state: &State) -> Option<PoolEvent> {
        let event = match self {
            Self::Submit(task) | Self::SubmitAgain(task) => submitted(scenario, task),
            Self::Cancel(task) => PoolEvent::CancelRequested { task: task_id(task) },
            Self::Acknowledge(task) => PoolEvent::EndAcknowledged { task: task_id(task) },
            Self::FailToStart(agent) | Self::Remove(agent) | Self::Find(agent) => {
                PoolEvent::Gone { agent: agent_id(agent) }
            }
            Self::Hear(agent, report, _) => said(agent_id(agent), report),
            Self::Drain(agent) => PoolEvent::DrainRequested { agent: agent_id(agent) },
            Self::Elapse(agent) | Self::ElapseEarly(agent) => {
                elapsed(agent, state.outside(agent).armed.unwrap_or(0))
            }
            Self::ElapseVoid(agent, number) => elapsed(agent, number),
            Self::Tell(_)
            | Self::Start(_)
            | Self::Die(_)
            | Self::Hello(_)
            | Self::Beat(_)
            | Self::Finish(..)
            | Self::Receive(..)
            | Self::Lose(_)
            | Self::Crash
            | Self::Record
            | Self::Release
            | Self::TakeOver
            | Self::WriteLate
            | Self::ReleaseLate(_)
            | Self::HearLate(..)
            | Self::ElapseLate(_)
            | Self::SubmitLate(_)
            | Self::CancelLate(_) => return None,
        };
        Some(event)
    }

    /// The budget that it takes one of, if it is out of the ordinary.
    pub(super) fn budget(self, left: &mut Left) -> Option<&mut u8> {
        match self {
            Self::Cancel(_) => Some(&mut left.cancels),
            Self::FailToStart(_) => Some(&mut left.failures),
            Self::Die(_) => Some(&mut left.deaths),
            Self::Beat(_) => Some(&mut left.beats),
            Self::Finish(_, WorkEnd::Failed | WorkEnd::Returned) => Some(&mut left.returns),
            Self::Receive(.., true) | Self::Hear(.., true) => Some(&mut left.duplicates),
            Self::Lose(_) => Some(&mut left.losses),
            Self::Drain(_) => Some(&mut left.drains),
            Self::ElapseEarly(_) => Some(&mut left.early),
            Self::Crash => Some(&mut left.crashes),
            Self::TakeOver => Some(&mut left.owners),
            Self::HearLate(..) | Self::ElapseLate(_) | Self::SubmitLate(_) | Self::CancelLate(_) => {
                Some(&mut left.wakes)
            }
            Self::Submit(_)
            | Self::SubmitAgain(_)
            | Self::Tell(_)
            | Self::Acknowledge(_)
            | Self::Start(_)
            | Self::Remove(_)
            | Self::Find(_)
            | Self::Hello(_)
            | Self::Finish(_, WorkEnd::Completed)
            | Self::Receive(.., false)
            | Self::Hear(.., false)
            | Self::Elapse(_)
            | Self::ElapseVoid(..)
            | Self::Record
            | Self::Release
            | Self::WriteLate
            | Self::ReleaseLate(_) => None,
        }
    }

    /// The event that tells the machine of the process before of it, after that was replaced.
    pub(super) fn late_event(self, scenario: &Scenario, pool: &Pool) -> Option<PoolEvent> {
        match self {
            Self::HearLate(agent, report) => Some(said(agent_id(agent), report)),
            Self::ElapseLate(agent) => {
                let known = pool.agent(agent_id(agent))?;
                Some(elapsed(agent, u8::try_from(known.timer).unwrap_or(u8::MAX)))
            }
            Self::SubmitLate(task) => Some(submitted(scenario, task)),
            Self::CancelLate(task) => Some(PoolEvent::CancelRequested { task: task_id(task) }),
            Self::Submit(_)
            | Self::SubmitAgain(_)
            | Self::Cancel(_)
            | Self::Tell(_)
            | Self::Acknowledge(_)
            | Self::Start(_)
            | Self::FailToStart(_)
            | Self::Remove(_)
            | Self::Find(_)
            | Self::Die(_)
            | Self::Hello(_)
            | Self::Beat(_)
            | Self::Finish(..)
            | Self::Receive(..)
            | Self::Hear(..)
            | Self::Lose(_)
            | Self::Drain(_)
            | Self::Elapse(_)
            | Self::ElapseEarly(_)
            | Self::ElapseVoid(..)
            | Self::Crash
            | Self::Record
            | Self::Release
            | Self::TakeOver
            | Self::WriteLate
            | Self::ReleaseLate(_) => None,
        }
    }
}

fn submitted(scenario: &Scenario, task: TaskIndex) -> PoolEvent {
    PoolEvent::Submitted {
        task: task_id(task),
        user: UserId(scenario.user(task).into()),
        priority: scenario.priority(task),
    }
}

/// What an agent says, to the pool.
fn said(agent: AgentId, report: Report) -> PoolEvent {
    match report {
        Report::Started => PoolEvent::Started { agent },
        Report::Heartbeat(job) => PoolEvent::Heartbeat { agent, lease: lease(job) },
        Report::WorkEnded(job, end) => PoolEvent::WorkEnded { agent, lease: lease(job), end },
        Report::Cleaned(job) => PoolEvent::Cleaned { agent, lease: lease(job) },
    }
}

fn elapsed(agent: AgentIndex, number: u8) -> PoolEvent {
    PoolEvent::Elapsed { timer: PoolTimer { agent: agent_id(agent), number: number.into() } }
}
