//! What can happen, and the event that tells the kernel of it.

use downbeat_kernel::{Event, MessageId, TaskId, WorkerEvent};
use downbeat_sim::kinds::Kinds;

use super::scenario::Budget;

/// The task that a worker runs.
pub(super) const TASK: TaskId = TaskId(1);
/// Its subtask, which a worker runs too.
pub(super) const CHILD: TaskId = TaskId(2);
/// One that would be too many beside that.
pub(super) const ONE_MORE: TaskId = TaskId(3);

/// One event, and whether the process crashes while its effects go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// What happens; `None` for a crash at rest.
    pub(super) act: Option<Act>,
    /// The process crashes after so many effects, and less than all, went out.
    pub(super) cut: Option<u8>,
}

/// Something that the kernel is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) kind: Kind,
    /// The task that it is about.
    pub(super) of: TaskId,
    pub(super) told: Told,
}

/// Kinds of action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub(super) enum Kind {
    /// An iterator runs that was ordered.
    Start,
    /// The agent answers its prompt.
    Answer,
    /// An iterator ends that was not told to.
    Fail,
    /// An iterator ends that was told to, or was lost in a crash.
    End,
    /// A timer runs out.
    Elapse,
    /// A person writes.
    Write,
    /// Somebody interrupts the turn.
    Interrupt,
    /// A person pauses the task.
    Pause,
    /// A person resumes it.
    Resume,
    /// Somebody wants it to finish.
    WrapUp,
    /// Somebody completes or cancels it.
    Finish,
    /// The agent asks a person.
    Ask,
    /// The person answers.
    Approve,
    /// The agent shows that it lives.
    Observe,
    /// The agent does again what it has done too often.
    Repeat,
    /// The agent says how far it is.
    Progress,
    /// The agent reports.
    Report,
    /// The agent asks for a subtask.
    Delegate,
    /// A subtask that was asked for comes to its place.
    Place,
    /// The subtask reports.
    Update,
    /// The subtask comes to its end.
    ChildEnd,
    /// A report, or the end of a task, is put on record.
    Record,
    /// Something comes late, twice, or before it was asked for.
    Late,
    /// The process crashes at rest.
    Crash,
}

/// What the kernel is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Something happened to the worker.
    Worker(WorkerEvent),
    /// A person wrote.
    Message(MessageId),
    /// A person pauses the task.
    Pause,
    /// A person resumes it.
    Resume,
    /// Somebody cancels it.
    Cancel,
    /// Its agent asks for this subtask.
    Subtask(TaskId),
    /// There is a place for it.
    Admitted,
    /// It is deployed.
    Deployed,
    /// Its end is on record.
    Recorded,
}

impl Kind {
    /// What an action of this kind costs.
    pub(super) const fn cost(self) -> Option<Budget> {
        match self {
            Self::Fail => Some(Budget::Failures),
            Self::Write => Some(Budget::Messages),
            Self::Interrupt => Some(Budget::Interrupts),
            Self::Pause => Some(Budget::Pauses),
            Self::WrapUp => Some(Budget::WrapUps),
            Self::Finish => Some(Budget::Ends),
            Self::Ask => Some(Budget::Approvals),
            Self::Observe => Some(Budget::Signs),
            Self::Report => Some(Budget::Reports),
            Self::Delegate => Some(Budget::Subtasks),
            Self::Update => Some(Budget::Updates),
            Self::Crash => Some(Budget::Crashes),
            Self::Start
            | Self::Answer
            | Self::End
            | Self::Elapse
            | Self::Resume
            | Self::Approve
            | Self::Repeat
            | Self::Progress
            | Self::Place
            | Self::ChildEnd
            | Self::Record
            | Self::Late => None,
        }
    }
}

impl Act {
    /// The event.
    pub(super) fn event(self) -> Event {
        let task = self.of;
        match self.told {
            Told::Worker(event) => Event::Worker { task, event },
            Told::Message(message) => Event::MessageReceived { task, message },
            Told::Pause => Event::PauseRequested { task },
            Told::Resume => Event::ResumeRequested { task },
            Told::Cancel => Event::CancelRequested { task },
            Told::Subtask(child) => Event::SubtaskRequested { task, child },
            Told::Admitted => Event::Admitted { task },
            Told::Deployed => Event::Deployed { task },
            Told::Recorded => Event::EndAcknowledged { task },
        }
    }
}

impl Told {
    /// The same, as far as it concerns the worker alone.
    pub(super) fn to_worker(self) -> Option<WorkerEvent> {
        match self {
            Self::Worker(event) => Some(event),
            Self::Message(message) => Some(WorkerEvent::MessageReceived { message }),
            Self::Pause => Some(WorkerEvent::PauseRequested),
            Self::Resume => Some(WorkerEvent::ResumeRequested),
            Self::Cancel => Some(WorkerEvent::KillRequested),
            Self::Subtask(_) | Self::Admitted | Self::Deployed | Self::Recorded => None,
        }
    }
}

impl Action {
    /// Its kind.
    pub(super) fn kind(&self) -> Kind {
        self.act.map_or(Kind::Crash, |act| act.kind)
    }
}
