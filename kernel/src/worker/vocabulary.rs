//! The words of a worker: what is told to it, what it orders, and why it refuses.

use super::WorkerState;
use crate::health::{CheckNumber, Concern, Sign, WatchNumber};
use crate::session::{PromptId, SessionEffect, SessionEvent, SessionRejected};
use crate::vocabulary::{Answer, MessageId, TaskId, TurnNumber};
use serde::{Deserialize, Serialize};

/// One question of the agent to a person: may it do this?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ApprovalId {
    /// Of which prompt: each try of a turn has one of its own.
    pub prompt: PromptId,
    /// Which question of that prompt. Its caller numbers them from 1, without gaps.
    pub number: u32,
}

/// One entry of a worker's inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Source {
    /// A person wrote.
    Message(MessageId),
    /// A child told of progress or of an error. The text is kept under these numbers.
    ChildReported {
        /// Which child.
        child: TaskId,
        /// Which report of that child.
        number: u32,
    },
    /// A child ended. How, is kept under its id.
    ChildEnded {
        /// Which child.
        child: TaskId,
    },
    /// Is something left to do?
    Inquiry,
    /// Finish now.
    WrapUp,
}

/// A fact about one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WorkerEvent {
    /// The worker got its task: its prompt begins the first turn.
    Assigned,
    /// A person wrote.
    MessageReceived {
        /// The next number of this worker's messages.
        message: MessageId,
    },
    /// A child told of progress or of an error.
    ChildReported {
        /// Which child.
        child: TaskId,
        /// Which report of that child.
        number: u32,
    },
    /// A child ended.
    ChildEnded {
        /// Which child.
        child: TaskId,
    },
    /// What the agent's session is told, but for what only the worker may tell it: to take a prompt, to abort one, to
    /// restart and to close.
    Session(SessionEvent),
    /// The agent does something.
    Observed {
        /// For which prompt.
        prompt: PromptId,
        /// What.
        sign: Sign,
    },
    /// The agent said how far it is. Answers [`WorkerEffect::AskProgress`].
    ProgressReported {
        /// Which question.
        check: CheckNumber,
    },
    /// The agent wants to do something that a person has to agree to.
    ApprovalRequested {
        /// The next number of this prompt.
        approval: ApprovalId,
    },
    /// A person answered. Answers [`WorkerEffect::Ask`].
    AnswerReceived {
        /// The question that the person saw.
        approval: ApprovalId,
        /// The answer.
        answer: Answer,
    },
    /// The agent told of progress or of an error, for its parent.
    Reported {
        /// The next number of this worker's reports.
        number: u32,
    },
    /// Every report up to this one is where it belongs. Answers [`WorkerEffect::Report`].
    ReportAcknowledged {
        /// Which report.
        number: u32,
    },
    /// Somebody wants this turn to stop.
    InterruptRequested {
        /// Which turn: an interrupt stops this one and no other (S12).
        turn: TurnNumber,
        /// What comes then. A hold holds the worker also where the turn is over (S13).
        then: Then,
    },
    /// A person wants the worker to start nothing after the turn that it has.
    PauseRequested,
    /// A person wants a held worker to go on. It does not where the budget of its tree is spent.
    ResumeRequested,
    /// The budget of its tree is spent: the worker starts nothing after the turn that it has, and tries none again.
    BudgetSpent,
    /// There is something to spend again.
    BudgetGranted,
    /// A person wants the worker to finish: what it is told next is that. Nothing in the kernel asks for it, and so it ends
    /// the hold of a person too.
    WrapUpRequested,
    /// Somebody wants the worker to end as it is: with its result, whatever it has.
    CompleteRequested,
    /// Somebody wants the worker to end.
    KillRequested,
    /// An armed timer ran out. Answers [`WorkerEffect::Arm`].
    TimerFired {
        /// Which timer.
        timer: WorkerTimer,
    },
    /// The end is on record outside. Answers [`WorkerEffect::WorkerEnded`]; where it is applied, its owner forgets the
    /// worker.
    EndAcknowledged,
}

/// What comes after an interrupt. What it stopped is resumed either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Then {
    /// It is resumed at once, with what has come meanwhile.
    Resume,
    /// It is resumed when the person who holds the worker lets it go on.
    Hold,
}

/// A timer of a worker. Those of its session are in [`SessionEffect::Arm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WorkerTimer {
    /// That of its health.
    Watch(WatchNumber),
    /// The wait after the failed prompt that it names.
    Backoff(PromptId),
    /// The same, with the breaker open.
    Breaker(PromptId),
    /// The time to finish.
    WrapUp(Deadline),
}

/// How far the time to finish is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Deadline {
    /// When this is over, the worker is interrupted, so that it is told.
    First,
    /// When this is over, the worker completes as it is.
    Last,
}

/// An order to whoever drives a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WorkerEffect {
    /// A part of the content of the next [`SessionEffect::Prompt`]. Parts come directly before it, in the order in which
    /// the agent shall read them.
    Include {
        /// What it contains.
        part: WorkerPart,
    },
    /// What the agent's session orders. `Settle` and `Closed` are not among it: they are for the worker.
    Session(SessionEffect),
    /// The entry was part of a prompt that the agent answered.
    Acknowledge {
        /// Which entry.
        source: Source,
    },
    /// The entry was not answered, and will not be (S5).
    ReportUndelivered {
        /// Which entry.
        source: Source,
        /// It was part of a prompt: the agent may have read it.
        in_doubt: bool,
    },
    /// Ask the agent how far it is, beside its turn; answer [`WorkerEvent::ProgressReported`].
    AskProgress {
        /// The identity that the answer has to carry.
        check: CheckNumber,
    },
    /// Ask a person; answer [`WorkerEvent::AnswerReceived`] whenever there is one.
    Ask {
        /// The identity that the answer has to carry.
        approval: ApprovalId,
    },
    /// Nobody has to answer any more.
    Withdraw {
        /// Which question.
        approval: ApprovalId,
    },
    /// Give the agent the answer to its question. Expects no answer.
    Answer {
        /// Which question.
        approval: ApprovalId,
        /// What the person said.
        answer: Answer,
    },
    /// Take a report of the agent to its parent; answer [`WorkerEvent::ReportAcknowledged`]. Where a worker runs the parent,
    /// the kernel does that by itself.
    Report {
        /// Which report.
        number: u32,
    },
    /// Tell whoever watches. Expects no answer, and fails nothing.
    Warn {
        /// What about.
        concern: Concern,
    },
    /// Answer [`WorkerEvent::TimerFired`] after that time.
    Arm {
        /// The identity that the answer has to carry.
        timer: WorkerTimer,
        /// Milliseconds from now.
        after_ms: u64,
    },
    /// The timer is not needed any more.
    Disarm {
        /// Which timer.
        timer: WorkerTimer,
    },
    /// The worker ended; answer [`WorkerEvent::EndAcknowledged`] when that is on record.
    WorkerEnded {
        /// How.
        end: WorkerEnd,
    },
}

/// A part of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WorkerPart {
    /// What follows was part of a prompt before that came to nothing, all of it or its beginning.
    Resumed,
    /// What the task was submitted with.
    Prompt,
    /// An entry of the inbox.
    Source(Source),
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WorkerEnd {
    /// With a result.
    Completed,
    /// Without.
    Failed(WorkerReason),
    /// Somebody wanted it to.
    Killed,
}

/// Why a worker failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WorkerReason {
    /// A prompt failed in a way that another try cannot mend.
    Refused,
    /// [`Config::worker_attempts_max`](crate::Config::worker_attempts_max) prompts in a row failed.
    AttemptsExhausted,
    /// The agent did not go on, though it was asked, interrupted and restarted.
    Stuck,
}

/// Why an event was refused: what is, and what arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WorkerRejected {
    /// The diagram of the worker's states has no edge here.
    NoEdge {
        /// Where the worker stands.
        state: WorkerState,
        /// What arrived.
        event: WorkerEvent,
    },
    /// It answers something that the worker has not asked.
    NeverAsked {
        /// Where the worker stands.
        state: WorkerState,
        /// What arrived.
        event: WorkerEvent,
    },
    /// Only the worker may tell its session that.
    NotForShell {
        /// What arrived.
        event: SessionEvent,
    },
    /// The session refuses it.
    Session(SessionRejected),
    /// A message number was left out.
    MessageGap {
        /// The number that comes next.
        expected: MessageId,
        /// The number that arrived.
        got: MessageId,
    },
    /// [`Config::inbox_max`](crate::Config::inbox_max): the inbox is full.
    InboxFull {
        /// The bound.
        limit: u32,
        /// The entry that was not accepted.
        source: Source,
    },
    /// The number of a question was left out.
    ApprovalGap {
        /// The number that comes next.
        expected: u32,
        /// What arrived.
        got: ApprovalId,
    },
    /// [`APPROVALS_MAX`](crate::APPROVALS_MAX): too many questions since the first that is open.
    ApprovalsFull {
        /// The question that was not accepted.
        approval: ApprovalId,
    },
    /// The number of a report was left out.
    ReportGap {
        /// The number that comes next.
        expected: u32,
        /// The number that arrived.
        got: u32,
    },
    /// [`Config::inbox_max`](crate::Config::inbox_max): too many reports are not acknowledged.
    ReportsFull {
        /// The bound.
        limit: u32,
        /// The report that was not accepted.
        number: u32,
    },
}
