//! What must be true of a kernel's state, wherever it came from.
//!
//! A state that came from events is always valid; one that was read from a snapshot may be anything.

use crate::calls::CallState;
use crate::kernel::Kernel;
use crate::roster::Task;
use crate::task::{Held, Outstanding, TaskState};
use crate::vocabulary::TaskId;
use core::error::Error;
use core::fmt;

/// The largest value that a counter of a task may have in a state that is read: with one event a microsecond it
/// takes another half an hour until the counter would overflow, and no real task comes near it.
pub const COUNTER_MAX: u32 = u32::MAX / 2;

/// Why a kernel's state cannot have come from events: what [`Kernel::validate`] found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corrupt {
    /// A task has an id above the highest that was used.
    IdAboveHighest {
        /// Which task.
        task: TaskId,
    },
    /// There are more tasks than [`Config::tasks_max`].
    TooManyTasks {
        /// How many.
        tasks: usize,
    },
    /// A live task's parent is not there, or does not wait for it (S9).
    Orphan {
        /// Which task.
        task: TaskId,
    },
    /// A task waits for a subtask that is not there, has ended, or is another's (S9).
    LostSubtask {
        /// Who waits.
        task: TaskId,
        /// For whom.
        child: TaskId,
    },
    /// The calls of a task do not fit where it stands.
    Calls {
        /// Which task.
        task: TaskId,
    },
    /// The counters of a task contradict each other or its state, or are near the end of their range.
    Counters {
        /// Which task.
        task: TaskId,
    },
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdAboveHighest { task } => {
                write!(f, "task {} has an id above the highest that was used", task.0)
            }
            Self::TooManyTasks { tasks } => write!(f, "{tasks} tasks are more than the settings allow"),
            Self::Orphan { task } => {
                write!(f, "task {} has a parent that is gone or does not wait for it", task.0)
            }
            Self::LostSubtask { task, child } => {
                write!(f, "task {} waits for subtask {}, which is gone or another's", task.0, child.0)
            }
            Self::Calls { task } => write!(f, "the calls of task {} do not fit its state", task.0),
            Self::Counters { task } => write!(f, "the counters of task {} contradict each other", task.0),
        }
    }
}

impl Error for Corrupt {}

impl Kernel {
    /// Checks what must be true of every state.
    ///
    /// # Errors
    ///
    /// The first contradiction, in the order of the tasks.
    pub fn validate(&self) -> Result<(), Corrupt> {
        if self.tasks.len() > usize::try_from(self.config.tasks_max).unwrap_or(usize::MAX) {
            return Err(Corrupt::TooManyTasks { tasks: self.tasks.len() });
        }
        self.tasks.iter().try_for_each(|task| self.validate_task(task))
    }

    fn validate_task(&self, task: &Task) -> Result<(), Corrupt> {
        let id = task.id;
        if Some(id) > self.highest {
            return Err(Corrupt::IdAboveHighest { task: id });
        }
        if !counters_agree(task) {
            return Err(Corrupt::Counters { task: id });
        }
        if !calls_fit(task, self.config.calls_max) {
            return Err(Corrupt::Calls { task: id });
        }
        if task.state.end().is_none()
            && let Some(parent) = task.data.parent
            && !self.waits_for(parent, id, task.data.depth)
        {
            return Err(Corrupt::Orphan { task: id });
        }
        for child in task.data.calls.subtasks() {
            let lives = self
                .tasks
                .get(child)
                .is_some_and(|child| child.state.end().is_none() && child.data.parent == Some(id));
            if !lives {
                return Err(Corrupt::LostSubtask { task: id, child });
            }
        }
        Ok(())
    }

    /// Whether `parent` is live, one level up, and has the one call that waits for `child`.
    fn waits_for(&self, parent: TaskId, child: TaskId, depth: u8) -> bool {
        self.tasks.get(parent).is_some_and(|parent| {
            parent.state.end().is_none()
                && parent.data.depth.checked_add(1) == Some(depth)
                && parent.data.calls.subtasks().filter(|subtask| *subtask == child).count() == 1
        })
    }
}

fn counters_agree(task: &Task) -> bool {
    let data = &task.data;
    let in_turn = match task.state {
        TaskState::Requesting { .. }
        | TaskState::BackingOff { .. }
        | TaskState::Paused(Held::Requesting { .. } | Held::BackingOff { .. } | Held::Attempt { .. })
        | TaskState::Cancelling(Outstanding::Request { .. }) => Some(true),
        TaskState::Queued
        | TaskState::Initializing
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::Paused(Held::Queued | Held::Admitted | Held::Initializing | Held::Turn | Held::Calls)
        | TaskState::Cancelling(Outstanding::Initialization) => Some(false),
        TaskState::Cancelling(Outstanding::Nothing)
        | TaskState::Completed
        | TaskState::Failed(_)
        | TaskState::Cancelled => None,
    };
    let unanswered = data.turn.0.checked_sub(data.replied.0);
    let turns = match in_turn {
        Some(true) => unanswered == Some(1),
        Some(false) => unanswered == Some(0),
        None => matches!(unanswered, Some(0 | 1)),
    };
    let messages = data.answered <= data.taken && data.taken <= data.accepted;
    let largest = data.turn.0.max(data.accepted.0).max(data.questions);
    turns && messages && largest <= COUNTER_MAX
}

fn calls_fit(task: &Task, calls_max: u16) -> bool {
    let calls = &task.data.calls;
    let has = |wanted: fn(CallState) -> bool| calls.iter().any(wanted);
    let running = has(|call| call == CallState::Running);
    let subtask = has(|call| matches!(call, CallState::Subtask { .. }));
    let asking = has(|call| matches!(call, CallState::Asking { .. }));
    let waiting = has(|call| matches!(call, CallState::Waiting(_)));
    let questions = calls.iter().all(|call| match call {
        CallState::Asking { number, .. } => (1..=task.data.questions).contains(&number),
        CallState::Waiting(_) | CallState::Running | CallState::Subtask { .. } | CallState::Settled(_) => {
            true
        }
    });
    let fits = match task.state {
        TaskState::ExecutingTools => running && !waiting,
        TaskState::AwaitingSubtask => !running && subtask && !waiting,
        TaskState::AwaitingInput => !running && !subtask && asking && !waiting,
        TaskState::Paused(Held::Calls) => running || subtask || asking || waiting,
        TaskState::Cancelling(outstanding) => {
            let own = outstanding != Outstanding::Nothing;
            !asking && !waiting && (own || running || subtask)
        }
        TaskState::Completed | TaskState::Failed(_) | TaskState::Cancelled => calls.len() == 0,
        TaskState::Queued | TaskState::Initializing => calls.len() == 0,
        TaskState::Requesting { .. }
        | TaskState::BackingOff { .. }
        | TaskState::Paused(
            Held::Queued
            | Held::Admitted
            | Held::Initializing
            | Held::Requesting { .. }
            | Held::BackingOff { .. }
            | Held::Attempt { .. }
            | Held::Turn,
        ) => !calls.open(),
    };
    fits && questions && calls.len() <= usize::from(calls_max)
}
