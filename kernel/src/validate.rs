//! What must be true of a kernel's state, wherever it came from.
//!
//! A state that came from events is always valid; one that was read from a snapshot may be anything.

use crate::budget::{Account, Budget, Clock, is_admitted, is_closing};
use crate::calls::{CallState, Wanted};
use crate::config::Config;
use crate::kernel::Kernel;
use crate::request::{Aim, Fate, Profiles, Request, RequestEnd, RequestState};
use crate::roster::Task;
use crate::task::{Held, Outstanding, TaskState};
use crate::vocabulary::{Approval, Call, CallResult, Reason, TaskId};
use crate::worker::{Assignment, Worker, is_live};
use alloc::vec::Vec;
use core::borrow::Borrow;
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
    /// There are more tasks than [`Config::tasks_max`](crate::Config::tasks_max).
    TooManyTasks {
        /// How many.
        tasks: usize,
    },
    /// A profile is down that the settings do not have.
    Profiles {
        /// Bit `i`: profile `i` is down.
        down: u8,
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
    /// A subtask that has not started has no paused parent whose resume would start it.
    Unstarted {
        /// Which task.
        task: TaskId,
    },
    /// The calls of a task do not fit where it stands.
    Calls {
        /// Which task.
        task: TaskId,
    },
    /// The request of a task's turn does not fit its state, or contradicts itself.
    Request {
        /// Which task.
        task: TaskId,
    },
    /// The worker of a task does not fit its state, or contradicts itself.
    Worker {
        /// Which task.
        task: TaskId,
    },
    /// What a task knows of its budget does not fit its state, or its parent.
    Budget {
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
            Self::Profiles { down } => {
                write!(f, "profiles are down that the settings do not have: {down:#010b}")
            }
            Self::Orphan { task } => {
                write!(f, "task {} has a parent that is gone or does not wait for it", task.0)
            }
            Self::LostSubtask { task, child } => {
                write!(f, "task {} waits for subtask {}, which is gone or another's", task.0, child.0)
            }
            Self::Unstarted { task } => {
                write!(f, "task {} has not started, and no paused parent would start it", task.0)
            }
            Self::Calls { task } => write!(f, "the calls of task {} do not fit its state", task.0),
            Self::Request { task } => write!(f, "the request of task {} cannot be as it is", task.0),
            Self::Worker { task } => write!(f, "the worker of task {} cannot be as it is", task.0),
            Self::Budget { task } => write!(f, "the budget of task {} cannot be as it is", task.0),
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
        if Profiles::of(&self.config, self.down).down != self.down {
            return Err(Corrupt::Profiles { down: self.down });
        }
        if self.tasks.len() > usize::try_from(self.config.tasks_max).unwrap_or(usize::MAX) {
            return Err(Corrupt::TooManyTasks { tasks: self.tasks.len() });
        }
        self.tasks.iter().try_for_each(|task| self.validate_task(task))
    }

    fn validate_task(&self, task: &Task) -> Result<(), Corrupt> {
        if Some(task.id) > self.highest {
            return Err(Corrupt::IdAboveHighest { task: task.id });
        }
        task.validate(&self.config)?;
        // What is down is told to every request that has not ended.
        if task.is_asking() && task.data.request.profiles.down != self.down {
            return Err(Corrupt::Request { task: task.id });
        }
        task.ties().validate(|other| self.tasks.get(other).map(Task::ties))
    }
}

/// What the other tasks have to agree with in one task, and nothing else of it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, beside the others")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ties {
    task: TaskId,
    parent: Option<TaskId>,
    depth: u8,
    is_live: bool,
    /// It waits for a paused parent to be resumed.
    is_unstarted: bool,
    /// It is paused with calls open, and starts its subtasks when it is resumed.
    holds_calls: bool,
    /// What its tree may spend is spent.
    spent: bool,
    subtasks: Vec<TaskId>,
}

impl Task {
    /// Checks what must be true of a task alone. [`Ties::validate`] has the rest.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub fn validate(&self, config: &Config) -> Result<(), Corrupt> {
        if !counters_agree(self, config.messages_max) {
            return Err(Corrupt::Counters { task: self.id });
        }
        if !calls_fit(self, config.calls_max) {
            return Err(Corrupt::Calls { task: self.id });
        }
        if !request_fits(self, config) {
            return Err(Corrupt::Request { task: self.id });
        }
        if !worker_fits(self, config) {
            return Err(Corrupt::Worker { task: self.id });
        }
        if !budget_fits(self) {
            return Err(Corrupt::Budget { task: self.id });
        }
        Ok(())
    }

    /// What the other tasks have to agree with.
    pub fn ties(&self) -> Ties {
        Ties {
            task: self.id,
            parent: self.data.parent,
            depth: self.data.depth,
            is_live: self.state.end().is_none(),
            is_unstarted: self.state == TaskState::Paused(Held::Unstarted),
            holds_calls: self.holds_subtasks(),
            spent: self.data.spent,
            subtasks: self.data.calls.subtasks().collect(),
        }
    }
}

impl Task {
    /// Whether its resume lets subtasks go that have not started.
    fn holds_subtasks(&self) -> bool {
        let held = |worker: &Worker| self.state == TaskState::Working && worker.data.hold;
        self.state == TaskState::Paused(Held::Calls) || self.data.worker.as_deref().is_some_and(held)
    }
}

impl Ties {
    /// Checks what must be true of a task beside its parent and its subtasks.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub fn validate<T: Borrow<Self>>(&self, find: impl Fn(TaskId) -> Option<T>) -> Result<(), Corrupt> {
        let task = self.task;
        let parent = self.parent.and_then(&find);
        let parent = parent.as_ref().map(Borrow::borrow);
        if self.is_live && self.parent.is_some() && !parent.is_some_and(|parent| parent.waits_for(self)) {
            return Err(Corrupt::Orphan { task });
        }
        // Every task of a tree hears of the budget in one step.
        if self.is_live && parent.is_some_and(|parent| parent.spent != self.spent) {
            return Err(Corrupt::Budget { task });
        }
        if self.is_unstarted && !parent.is_some_and(|parent| parent.holds_calls) {
            return Err(Corrupt::Unstarted { task });
        }
        let lives = |child: &Self| child.is_live && child.parent == Some(task);
        match self.subtasks.iter().find(|child| !find(**child).is_some_and(|child| lives(child.borrow()))) {
            Some(&child) => Err(Corrupt::LostSubtask { task, child }),
            None => Ok(()),
        }
    }

    /// Whether it is live, one level up, and has the one call that waits for `child`.
    fn waits_for(&self, child: &Self) -> bool {
        self.is_live
            && self.depth.checked_add(1) == Some(child.depth)
            && self.subtasks.iter().filter(|subtask| **subtask == child.task).count() == 1
    }
}

fn counters_agree(task: &Task, messages_max: u32) -> bool {
    let data = &task.data;
    let in_turn = match task.state {
        TaskState::Requesting
        | TaskState::Paused(Held::Requesting)
        | TaskState::Cancelling(Outstanding::Request) => Some(true),
        TaskState::Queued
        | TaskState::Initializing
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::AwaitingBudget
        | TaskState::Paused(
            Held::Unstarted | Held::Queued | Held::Admitted | Held::Initializing | Held::Turn | Held::Calls,
        )
        | TaskState::Working
        | TaskState::Ending(_)
        | TaskState::Cancelling(Outstanding::Initialization | Outstanding::Worker) => Some(false),
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
    // A turn takes the whole queue, and is answered as a whole.
    let queued = data.accepted.0.checked_sub(data.taken.0);
    let in_doubt = data.taken.0.checked_sub(data.answered.0);
    let messages = queued.is_some_and(|queued| queued <= messages_max)
        && in_doubt.is_some_and(|in_doubt| in_doubt <= messages_max)
        && (in_doubt == Some(0) || unanswered == Some(1));
    let largest = data.turn.0.max(data.accepted.0).max(data.questions);
    turns && messages && has_begun(task) && largest <= COUNTER_MAX
}

/// Whether a task has had a turn exactly if its state comes after one.
fn has_begun(task: &Task) -> bool {
    let begun = task.data.turn.0 > 0;
    match task.state {
        TaskState::Queued
        | TaskState::Initializing
        | TaskState::Paused(Held::Unstarted | Held::Queued | Held::Admitted | Held::Initializing)
        | TaskState::Working
        | TaskState::Ending(_)
        | TaskState::Cancelling(Outstanding::Initialization | Outstanding::Worker)
        | TaskState::Failed(Reason::Initialization | Reason::Worker(_)) => !begun,
        TaskState::Requesting
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::Paused(Held::Requesting | Held::Calls)
        | TaskState::Cancelling(Outstanding::Request)
        | TaskState::Failed(Reason::Request(_) | Reason::MistakeLimit) => begun,
        // After the end of a worker too, which is no turn of the task.
        TaskState::Paused(Held::Turn)
        | TaskState::AwaitingBudget
        | TaskState::Cancelling(Outstanding::Nothing)
        | TaskState::Completed
        | TaskState::Cancelled => true,
    }
}

/// Whether the request of the last turn is as far as its task, and can have come from events.
fn request_fits(task: &Task, config: &Config) -> bool {
    let request = &task.data.request;
    if task.data.turn.0 == 0 {
        return *request == Request::default();
    }
    let end = match request.state {
        RequestState::Ended(end) => Some(end),
        RequestState::Unbegun => return false,
        RequestState::Authorizing { .. }
        | RequestState::Ready { .. }
        | RequestState::Streaming { .. }
        | RequestState::Delivering
        | RequestState::BackingOff { .. }
        | RequestState::Stopping(_) => None,
    };
    let is_told = request.state == RequestState::Stopping(Aim::Cancel);
    let is_accepted = matches!(end, Some(RequestEnd::Accepted { .. }));
    // Who was cancelled may have had the answer before, or been answered in vain.
    let is_whole = request.ledger.sends().last().is_some_and(|send| send.fate == Fate::Whole);
    let fits = match task.state {
        TaskState::Requesting => end.is_none() && !is_told && !request.held,
        TaskState::Paused(Held::Requesting) => end.is_none() && !is_told && request.held,
        TaskState::Cancelling(Outstanding::Request) => is_told,
        TaskState::Failed(Reason::Request(reason)) => end == Some(RequestEnd::Failed(reason)),
        TaskState::Cancelling(Outstanding::Nothing) | TaskState::Cancelled => {
            let ended = is_accepted || end == Some(RequestEnd::Cancelled);
            ended && is_whole == (task.data.replied == task.data.turn)
        }
        TaskState::Queued
        | TaskState::Initializing
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::AwaitingBudget
        | TaskState::Working
        | TaskState::Ending(_)
        | TaskState::Cancelling(Outstanding::Initialization | Outstanding::Worker)
        | TaskState::Paused(
            Held::Unstarted | Held::Queued | Held::Admitted | Held::Initializing | Held::Turn | Held::Calls,
        )
        | TaskState::Completed
        | TaskState::Failed(Reason::Initialization | Reason::MistakeLimit | Reason::Worker(_)) => is_accepted,
    };
    let Profiles { count, keyed, .. } = Profiles::of(config, 0);
    let settings = (request.profiles.count, request.profiles.keyed) == (count, keyed);
    let continues = request.previous.is_none_or(|previous| {
        let keeps = previous.profile.is_in(config.profiles_continuing);
        keeps && previous.turn.0.checked_add(1) == Some(task.data.turn.0)
    });
    fits && settings && continues && request.validate(config).is_ok()
}

fn calls_fit(task: &Task, calls_max: u16) -> bool {
    let calls = &task.data.calls;
    let has = |wanted: fn(CallState) -> bool| calls.iter().any(wanted);
    let running = has(|call| call == CallState::Running);
    let subtask = has(|call| matches!(call, CallState::Subtask { .. }));
    let asking = has(|call| matches!(call, CallState::Asking { .. }));
    let waiting = has(|call| matches!(call, CallState::Waiting(_)));
    let abandoned = has(|call| call == CallState::Settled(CallResult::Abandoned));
    // Calls ask in their order, each under a number of its own.
    let mut last = 0;
    let questions = calls.iter().all(|call| match call {
        CallState::Asking { number, .. } => {
            let next = last < number && number <= task.data.questions;
            last = number;
            next
        }
        CallState::Waiting(_) | CallState::Running | CallState::Subtask { .. } | CallState::Settled(_) => {
            true
        }
    });
    let only_subtasks = !running && !asking && !waiting && !has(|call| matches!(call, CallState::Settled(_)));
    let possible = calls.iter().all(|call| possible(call, calls.len()));
    let fits = match task.state {
        TaskState::ExecutingTools => running && !waiting,
        TaskState::AwaitingSubtask => !running && subtask && !waiting,
        TaskState::AwaitingInput => !running && !subtask && asking && !waiting,
        TaskState::Paused(Held::Calls) => running || subtask || asking || waiting,
        TaskState::Cancelling(outstanding) => {
            let own = outstanding != Outstanding::Nothing;
            !asking && !waiting && (own || running || subtask)
        }
        TaskState::Working => only_subtasks,
        TaskState::Ending(_) => only_subtasks && subtask,
        TaskState::Completed | TaskState::Failed(_) | TaskState::Cancelled => calls.len() == 0,
        TaskState::Queued | TaskState::Initializing => calls.len() == 0,
        TaskState::Requesting
        | TaskState::AwaitingBudget
        | TaskState::Paused(
            Held::Unstarted
            | Held::Queued
            | Held::Admitted
            | Held::Initializing
            | Held::Requesting
            | Held::Turn,
        ) => !calls.open(),
    };
    let cancelled = matches!(task.state, TaskState::Cancelling(_));
    // Or of an agent, which has no turn here.
    let of_a_response = task.data.replied.0 > 0 || !has(|call| !is_of_agent(call));
    fits && questions
        && possible
        && of_a_response
        && (cancelled || !abandoned)
        && calls.len() <= usize::from(calls_max).max(1)
}

/// Whether the agent of a worker can have made the call.
fn is_of_agent(call: CallState) -> bool {
    match call {
        CallState::Subtask { .. } | CallState::Settled(CallResult::Subtask { .. }) => true,
        CallState::Waiting(_) | CallState::Running | CallState::Asking { .. } | CallState::Settled(_) => {
            false
        }
    }
}

/// Whether a worker runs a task exactly if its state says so, and can have come from events.
fn worker_fits(task: &Task, config: &Config) -> bool {
    let runs = matches!(task.state, TaskState::Working | TaskState::Cancelling(Outstanding::Worker));
    let ended = matches!(task.state, TaskState::Ending(_) | TaskState::Cancelling(Outstanding::Nothing))
        || task.state.end().is_some();
    match &task.data.worker {
        Some(worker) => {
            let fits = if worker.state.end().is_some() { ended } else { runs };
            fits && worker.data.assignment != Assignment::Awaited && worker.validate(config).is_ok()
        }
        None => !runs && !matches!(task.state, TaskState::Ending(_)),
    }
}

/// Whether a task knows of the budget of its tree what it can, and its worker the same.
fn budget_fits(task: &Task) -> bool {
    let Task { state, data, .. } = task;
    let waits = *state != TaskState::AwaitingBudget || data.spent;
    let worker = match data.worker.as_deref() {
        Some(worker) if is_live(worker.state) => worker.data.spent == data.spent,
        Some(_) | None => true,
    };
    let account = match data.account.as_deref() {
        Some(account) => data.parent.is_none() && account_fits(account, task),
        // What is not bounded is never spent.
        None => data.parent.is_some() || !data.spent,
    };
    waits && worker && account
}

/// Whether a root's account can have come from events.
fn account_fits(account: &Account, task: &Task) -> bool {
    let Task { state, data, .. } = task;
    let Account { budget, grant, bill, clock, question, .. } = account;
    let counters = (1..=COUNTER_MAX).contains(&grant.0) && bill.0 <= COUNTER_MAX;
    let timed = budget.wall_ms > 0 && is_admitted(*state);
    let asked = question.is_none_or(|number| {
        let is_free = data.calls.asking(number).is_none();
        (1..=data.questions).contains(&number) && is_free
    });
    let open = match clock {
        Clock::Stopped => is_closing(*state) || !timed,
        Clock::Running => !is_closing(*state) && timed,
        Clock::Over => timed,
    };
    let told = if is_closing(*state) {
        question.is_none()
    } else {
        question.is_some() == account.is_empty() && data.spent == question.is_some()
    };
    *budget != Budget::default() && counters && asked && open && told
}

/// Whether a call can stand there in a list `of` that many.
fn possible(call: CallState, of: usize) -> bool {
    match call {
        // What ends the task, or stands in for a call, is the only one, or it would end others with it.
        CallState::Waiting(Wanted::Call(Call::Completion(_)) | Wanted::Guidance)
        | CallState::Asking {
            wanted: Wanted::Call(Call::Completion(Approval::Required)) | Wanted::Guidance,
            ..
        }
        | CallState::Settled(CallResult::Guided) => of == 1,
        CallState::Asking { wanted: Wanted::Call(Call::Tool(approval)), .. } => {
            approval == Approval::Required
        }
        // Nobody is asked about a subtask, nor about what was granted; and a subtask does not wait in its parent.
        CallState::Asking { wanted: Wanted::Call(Call::Subtask { .. } | Call::Completion(_)), .. }
        | CallState::Waiting(Wanted::Call(Call::Subtask { .. })) => false,
        CallState::Asking { wanted: Wanted::Call(Call::Question), .. }
        | CallState::Waiting(Wanted::Call(Call::Tool(_) | Call::Question))
        | CallState::Running
        | CallState::Subtask { .. }
        | CallState::Settled(_) => true,
    }
}
