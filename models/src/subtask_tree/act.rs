//! What can happen.

use downbeat_kernel::{Answer, Then, TurnNumber};
use downbeat_sim::kinds::Kinds;

use super::scenario::Budget;
use crate::watch::TaskIndex;
use downbeat_wiring::Machine;

/// An agent, from 0.
pub(super) type AgentIndex = u8;

/// One act, and whether the process crashes while the effects of the machine that hears of it are released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// What happens.
    pub act: Act,
    /// The process crashes after so many effects, and less than all, were released.
    pub cut: Option<u8>,
}

/// What the model says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The task is done.
    Completion,
    /// One tool.
    Tool,
    /// A question to a person.
    Question,
    /// One subtask.
    Subtask,
}

/// How a send fails, beside for a token that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The provider asks for patience.
    Throttled,
    /// It is refused for good.
    Invalid,
    /// The response that it continues from is lost.
    Forgotten,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Act {
    /// A machine takes the first word that waits for it.
    Take(Machine),
    /// What happens to the tasks: what they have ordered comes, and what people do.
    #[kinds(nested)]
    Tree(TaskAct),
    /// What happens to the credential, its store and its server.
    #[kinds(nested)]
    Vault(VaultAct),
    /// What happens to the pool and its agents.
    #[kinds(nested)]
    Fleet(FleetAct),
    /// What happens to the outbox and its receiver.
    #[kinds(nested)]
    Post(PostAct),
    /// What happens to the attempts at the first root.
    #[kinds(nested)]
    Wish(WishAct),
    /// What happens to workers and their agents.
    #[kinds(nested)]
    Worker(WorkerAct),
    /// What happens to the questions of the agent of the first root.
    #[kinds(nested)]
    Ask(AskAct),
    /// The process crashes at rest.
    Crash,
}

/// What happens to the tasks: what they have ordered comes, and what people do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum TaskAct {
    /// The task gets a place that is always there.
    Admit(TaskIndex),
    /// Its surroundings are ready.
    Initialize(TaskIndex),
    /// They cannot be made ready.
    FailToInitialize(TaskIndex),
    /// Making them ready ends after it was told to stop.
    StopStart(TaskIndex),
    /// The model answers.
    Respond(TaskIndex, Said),
    /// A send fails.
    Fail(TaskIndex, Failure),
    /// The token of a send is not taken.
    Refuse(TaskIndex),
    /// Nobody knows what became of a send that a crash took.
    Lost(TaskIndex),
    /// A send that was told to stop has stopped.
    Stop(TaskIndex),
    /// A tool ends.
    ToolEnds(TaskIndex),
    /// A tool ends after it was told to stop.
    StopTool(TaskIndex),
    /// A tool ends at an agent whose lease was lost.
    StrayEnds(TaskIndex),
    /// A person answers.
    Answer(TaskIndex, Answer),
    /// The user writes the next message.
    Write(TaskIndex),
    /// The user pauses a task.
    Pause(TaskIndex),
    /// The user resumes a task.
    Resume(TaskIndex),
    /// The user cancels a task.
    Cancel(TaskIndex),
    /// The timer before the next send runs out.
    Backoff(TaskIndex),
    /// The time to stop is over for a task.
    Grace(TaskIndex),
    /// The time to stop is over for a send.
    StreamGrace(TaskIndex),
    /// A person lets a tree spend as much again.
    GrantMore(TaskIndex),
    /// A person will have no more spent on a tree.
    DenyMore(TaskIndex),
    /// The time of the last grant is over.
    BudgetTime(TaskIndex),
    /// The end of a task is put on record, and the tree forgets it.
    Forget(TaskIndex),
    /// The first profile does not work.
    GoDown,
    /// It works again.
    ComeUp,
}

/// What happens to the credential, its store and its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum VaultAct {
    /// The store says what it holds.
    Find,
    /// The store gives no answer.
    FindNothing,
    /// A write comes to the store.
    Land,
    /// The store says that it has written.
    Store,
    /// It says that it has not.
    FailToStore,
    /// A refresh comes to the server.
    Serve,
    /// The process hears what the server has said.
    Hear,
    /// A refresh fails on its way.
    FailToRefresh,
    /// Whoever drives says what became of an order of before a crash.
    Recover,
    /// The time of an order of the credential is over.
    ElapseOrder,
    /// The access token comes to its end.
    Lapse,
    /// The sibling claims the credential.
    SiblingClaims,
    /// It refreshes it.
    SiblingRefreshes,
    /// It stores what it got.
    SiblingStores,
    /// The claim of this process ends.
    EndClaim,
}

/// What happens to the pool and its agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum FleetAct {
    /// An agent starts.
    Start(AgentIndex),
    /// An agent is removed.
    Remove(AgentIndex),
    /// An agent has stopped its work.
    StopWork(AgentIndex),
    /// An agent is clean.
    Clean(AgentIndex),
    /// An agent dies.
    Die(AgentIndex),
    /// Somebody finds that it is dead.
    FindDead(AgentIndex),
    /// The timer of an agent runs out.
    ElapseAgent(AgentIndex),
    /// The same, although the agent is well.
    Suspect(AgentIndex),
    /// The pool forgets a root.
    ForgetPlace(TaskIndex),
}

/// What happens to the outbox and its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum PostAct {
    /// A notification comes to its receiver.
    Deliver(u8),
    /// The receiver says so.
    Acknowledge(u8),
    /// Nobody has acknowledged it in time.
    ElapsePost,
    /// It is on record that it may not have been delivered.
    RecordUndelivered,
}

/// What happens to the attempts at the first root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum WishAct {
    /// The wait before the next attempt at a task is over.
    ElapseWait,
    /// Nothing was heard of an attempt, or of a question about it, for too long.
    Doubt,
    /// The user cancels a task that may be tried again.
    CancelWish,
    /// The end of the attempts is put on record.
    Conclude,
}

/// What happens to workers and their agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum WorkerAct {
    /// The surroundings are a worker.
    Deploy(TaskIndex),
    /// The iterator of a worker starts.
    StartIterator(TaskIndex),
    /// The agent answers a prompt.
    AnswerPrompt(TaskIndex),
    /// An iterator ends by itself.
    EndIterator(TaskIndex),
    /// An iterator ends that was told to.
    StopIterator(TaskIndex),
    /// The time to stop is over for an iterator.
    ElapseStop(TaskIndex),
    /// The wait of a worker before the next prompt is over.
    ElapseRetry(TaskIndex),
    /// The agent is silent for too long.
    ElapseWatch(TaskIndex),
    /// The agent says how far it is.
    Progress(TaskIndex),
    /// An agent whose lease was lost answers the prompt that it had.
    StrayAnswers(TaskIndex),
    /// A person interrupts a turn, the last one or the one before, and what comes then.
    Interrupt(TaskIndex, TurnNumber, Then),
    /// The agent asks for a subtask.
    Delegate(TaskIndex),
    /// The agent asks a person.
    Ask(TaskIndex),
    /// A person answers the agent.
    Approve(TaskIndex),
    /// A worker has done its task.
    Finish(TaskIndex),
}

/// What happens to the questions of the agent of the first root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum AskAct {
    /// The agent has a question.
    Ask,
    /// It says so.
    Say,
    /// An agent that was taken for dead says what it asked before its successor did.
    SayLate,
    /// A person answers it.
    Answer,
    /// Whoever was asked knows that it is over.
    Shut,
    /// The agent is told how it ended, and says that it was.
    Learn,
    /// Its time is over, or the end was not acknowledged in time.
    Elapse,
}

impl Act {
    /// What it takes of the budgets.
    pub(super) fn budget(self) -> Option<Budget> {
        match self {
            Self::Take(_) => None,
            Self::Tree(act) => act.budget(),
            Self::Vault(act) => act.budget(),
            Self::Fleet(act) => act.budget(),
            Self::Post(act) => act.budget(),
            Self::Wish(act) => act.budget(),
            Self::Worker(act) => act.budget(),
            Self::Ask(act) => act.budget(),
            Self::Crash => Some(Budget::Crashes),
        }
    }
}

impl TaskAct {
    fn budget(self) -> Option<Budget> {
        match self {
            Self::FailToInitialize(_) => Some(Budget::Failures),
            Self::Respond(_, Said::Tool) => Some(Budget::Tools),
            Self::Respond(_, Said::Question) => Some(Budget::Questions),
            Self::Fail(_, Failure::Throttled) => Some(Budget::Throttles),
            Self::Fail(_, Failure::Invalid) => Some(Budget::Failures),
            Self::Fail(_, Failure::Forgotten) => Some(Budget::Forgets),
            Self::Write(_) => Some(Budget::Messages),
            Self::Pause(_) => Some(Budget::Pauses),
            Self::Cancel(_) => Some(Budget::Cancels),
            Self::GoDown => Some(Budget::Downs),
            Self::BudgetTime(_) => Some(Budget::Overdue),
            Self::Admit(_)
            | Self::Initialize(_)
            | Self::StopStart(_)
            | Self::Respond(_, Said::Completion | Said::Subtask)
            | Self::Refuse(_)
            | Self::Lost(_)
            | Self::Stop(_)
            | Self::ToolEnds(_)
            | Self::StopTool(_)
            | Self::StrayEnds(_)
            | Self::Answer(..)
            | Self::Resume(_)
            | Self::Backoff(_)
            | Self::Grace(_)
            | Self::StreamGrace(_)
            | Self::GrantMore(_)
            | Self::DenyMore(_)
            | Self::Forget(_)
            | Self::ComeUp => None,
        }
    }
}

impl VaultAct {
    fn budget(self) -> Option<Budget> {
        match self {
            Self::FindNothing => Some(Budget::Outages),
            Self::FailToStore => Some(Budget::Outages),
            Self::FailToRefresh => Some(Budget::Outages),
            Self::Lapse => Some(Budget::Lapses),
            Self::Find
            | Self::Land
            | Self::Store
            | Self::Serve
            | Self::Hear
            | Self::Recover
            | Self::ElapseOrder
            | Self::SiblingClaims
            | Self::SiblingRefreshes
            | Self::SiblingStores
            | Self::EndClaim => None,
        }
    }
}

impl FleetAct {
    fn budget(self) -> Option<Budget> {
        match self {
            Self::Die(_) => Some(Budget::Losses),
            Self::Suspect(_) => Some(Budget::Losses),
            Self::Start(_)
            | Self::Remove(_)
            | Self::StopWork(_)
            | Self::Clean(_)
            | Self::FindDead(_)
            | Self::ElapseAgent(_)
            | Self::ForgetPlace(_) => None,
        }
    }
}

impl PostAct {
    fn budget(self) -> Option<Budget> {
        match self {
            Self::Deliver(_) | Self::Acknowledge(_) | Self::ElapsePost | Self::RecordUndelivered => None,
        }
    }
}

impl WishAct {
    fn budget(self) -> Option<Budget> {
        match self {
            Self::Doubt => Some(Budget::Doubts),
            Self::CancelWish => Some(Budget::Cancels),
            Self::ElapseWait | Self::Conclude => None,
        }
    }
}

impl WorkerAct {
    fn budget(self) -> Option<Budget> {
        match self {
            Self::EndIterator(_) => Some(Budget::Failures),
            Self::Ask(_) => Some(Budget::Questions),
            Self::Interrupt(..) => Some(Budget::Interrupts),
            Self::Deploy(_)
            | Self::StartIterator(_)
            | Self::AnswerPrompt(_)
            | Self::StopIterator(_)
            | Self::ElapseStop(_)
            | Self::ElapseRetry(_)
            | Self::ElapseWatch(_)
            | Self::Progress(_)
            | Self::StrayAnswers(_)
            | Self::Delegate(_)
            | Self::Approve(_)
            | Self::Finish(_) => None,
        }
    }
}

impl AskAct {
    fn budget(self) -> Option<Budget> {
        match self {
            Self::Ask => Some(Budget::Asks),
            Self::Say | Self::SayLate | Self::Answer | Self::Shut | Self::Learn | Self::Elapse => None,
        }
    }
}
