//! How an act, an order and a state read.

use downbeat_kernel::{AgentState, PoolEnd, Standing, WorkEnd};
use downbeat_sim::model::{Arrow, Lane};

use super::super::ledger::{AgentIndex, End, TaskIndex, task_name};
use super::act::Act;
use super::state::{AGENTS, Message, Order, Report, State, task_id};

/// The lane of the user.
pub(super) const USER: Lane = 0;
/// The lane of the pool, and of the process that drives it.
pub(super) const POOL: Lane = 1;

/// The lane of the process that owned the pool before.
pub(super) const FORMER: Lane = POOL + 1 + AGENTS;

/// The lane of an agent.
pub(super) fn agent_lane(agent: AgentIndex) -> Lane {
    POOL + 1 + usize::from(agent)
}

pub(super) fn lanes() -> Vec<String> {
    let agents = (1..=AGENTS).map(|number| format!("agent {number}"));
    let processes = ["user", "pool"].map(str::to_owned);
    processes.into_iter().chain(agents).chain(["owner before".to_owned()]).collect()
}

/// An end as a user calls it.
pub(super) fn end(end: PoolEnd) -> End {
    match end {
        PoolEnd::Completed => End::Completed,
        PoolEnd::Failed => End::Failed,
        PoolEnd::Lost => End::Lost,
        PoolEnd::Cancelled => End::Cancelled,
    }
}

/// That a task ended.
pub(super) fn ended(task: TaskIndex, end: End) -> String {
    format!("{} is {}", task_name(task), end.word())
}

pub(super) fn order(order: Order) -> String {
    match order {
        Order::Assign(job) => format!("work on {job}"),
        Order::Stop(job) => format!("stop {job}"),
        Order::Clean(job) => format!("clean up after {job}"),
    }
}

pub(super) fn report(report: Report) -> String {
    match report {
        Report::Started => "is there".to_owned(),
        Report::Heartbeat(job) => format!("works on {job}"),
        Report::WorkEnded(job, WorkEnd::Completed) => format!("{job} is completed"),
        Report::WorkEnded(job, WorkEnd::Failed) => format!("{job} has failed"),
        Report::WorkEnded(job, WorkEnd::Returned) => format!("does not work on {job}"),
        Report::Cleaned(job) => format!("nothing is left of {job}"),
    }
}

fn message(message: Message) -> String {
    match message {
        Message::To(_, to) => order(to),
        Message::From(_, from) => report(from),
    }
}

/// The arrow of an act, from where things stand before it.
pub(super) fn arrow(state: &State, act: Act) -> Arrow {
    let (from, to) = match act {
        Act::Submit(_) | Act::SubmitAgain(_) | Act::Cancel(_) => (USER, POOL),
        Act::Tell(_) => (POOL, USER),
        Act::Acknowledge(_)
        | Act::Drain(_)
        | Act::Elapse(_)
        | Act::ElapseEarly(_)
        | Act::ElapseVoid(..)
        | Act::Crash
        | Act::Record
        | Act::Release
        | Act::TakeOver => (POOL, POOL),
        Act::SubmitLate(_) | Act::CancelLate(_) => (USER, FORMER),
        Act::WriteLate | Act::ReleaseLate(_) | Act::HearLate(..) | Act::ElapseLate(_) => (FORMER, FORMER),
        Act::FailToStart(agent) | Act::Remove(agent) | Act::Find(agent) => (agent_lane(agent), POOL),
        Act::Start(agent)
        | Act::Die(agent)
        | Act::Hello(agent)
        | Act::Beat(agent)
        | Act::Finish(agent, _)
        | Act::Receive(agent, ..)
        | Act::Lose(Message::From(agent, _)) => (agent_lane(agent), agent_lane(agent)),
        Act::Hear(..) | Act::Lose(Message::To(..)) => (POOL, POOL),
    };
    Arrow { from, to, text: text(state, act) }
}

fn text(state: &State, act: Act) -> String {
    match act {
        Act::Submit(task) | Act::SubmitLate(task) => format!("submits {}", task_name(task)),
        Act::SubmitAgain(task) => format!("submits {} again", task_name(task)),
        Act::Cancel(task) | Act::CancelLate(task) => format!("cancels {}", task_name(task)),
        Act::Tell(task) => state.ends[usize::from(task)].map_or_else(String::new, |known| ended(task, known)),
        Act::Acknowledge(task) => format!("records that the end of {} was told", task_name(task)),
        Act::Start(_) => "starts".to_owned(),
        Act::FailToStart(_) => "could not be started".to_owned(),
        Act::Remove(_) => "is removed".to_owned(),
        Act::Find(_) => "is found dead".to_owned(),
        Act::Die(_) => "dies, without a word".to_owned(),
        Act::Hello(_) => "nobody has told it anything".to_owned(),
        Act::Beat(_) => "goes on".to_owned(),
        Act::Finish(_, WorkEnd::Completed) => "completes its work".to_owned(),
        Act::Finish(_, WorkEnd::Failed) => "fails".to_owned(),
        Act::Finish(_, WorkEnd::Returned) => "cannot go on".to_owned(),
        Act::Receive(_, to, again) => read(&order(to), again),
        Act::Hear(agent, from, again) => read(&format!("agent {}: {}", agent + 1, report(from)), again),
        Act::Lose(lost) => format!("\"{}\" gets lost", message(lost)),
        Act::Drain(agent) => format!("agent {} is to go when it has ended its work", agent + 1),
        Act::Elapse(agent) => format!("the timer of agent {} runs out", agent + 1),
        Act::ElapseEarly(agent) => format!("the timer of agent {} runs out, early", agent + 1),
        Act::ElapseVoid(agent, _) => format!("a timer of agent {} that is not armed runs out", agent + 1),
        Act::Crash => "the process crashes, and starts again".to_owned(),
        Act::Record => "it is on record".to_owned(),
        Act::Release => "goes on".to_owned(),
        Act::TakeOver => "the process is suspended, and another one opens the journal".to_owned(),
        Act::WriteLate => "wakes up, and writes that under its epoch".to_owned(),
        Act::ReleaseLate(_) => "wakes up, and goes on".to_owned(),
        Act::HearLate(agent, from) => format!("wakes up: agent {}: {}", agent + 1, report(from)),
        Act::ElapseLate(agent) => format!("wakes up: the timer of agent {} has run out", agent + 1),
    }
}

fn read(words: &str, again: bool) -> String {
    let copy = if again { ", of which a copy is still on the way" } else { "" };
    format!("reads \"{words}\"{copy}")
}

/// Where the pool has its tasks and its agents, in one line.
pub(super) fn standing(state: &State) -> String {
    let tasks = state.ledger.tasks().filter_map(|(task, _)| {
        let booking = state.pool.task(task_id(task))?;
        let where_it_is = match booking.standing {
            Standing::Queued => "waits".to_owned(),
            Standing::Held { agent } => format!("with agent {}", agent.0),
            Standing::Ended(known) => end(known).word().to_owned(),
        };
        Some(format!("{} {where_it_is}", task_name(task)))
    });
    let agents = state.pool.agents().map(|(id, agent)| format!("agent {} {}", id.0, agent_word(agent.state)));
    let all: Vec<String> = tasks.chain(agents).collect();
    if all.is_empty() { "nothing is known".to_owned() } else { all.join(", ") }
}

fn agent_word(state: AgentState) -> &'static str {
    match state {
        AgentState::Provisioning => "to come",
        AgentState::Failed => "not started",
        AgentState::Idle(_) => "idle",
        AgentState::Busy { .. } => "busy",
        AgentState::Draining { .. } => "busy, and to go",
        AgentState::Cleaning { .. } => "to be clean",
        AgentState::Leaving => "to go",
    }
}

/// What does not come to its end.
pub(super) fn unsettled(state: &State, task: Option<TaskIndex>) -> String {
    match task {
        Some(task) => {
            format!("{} does not end, or nobody knows its end: {}", task_name(task), standing(state))
        }
        None => format!("an agent has what has ended: {}", standing(state)),
    }
}
