//! The gate between a tree of tasks and the places in which it runs.
//!
//! The tree has no word for a place that is lost. So what uses a place goes out only while its root has one, and what comes meanwhile is
//! kept in its order: duties 2 to 5 of `docs/composition.md`.

use downbeat_kernel::{
    CallId, CallState, Effect, Held, IteratorId, Kernel, RequestEffect, SessionEffect, TaskId, TaskState,
    Timer, WorkerEffect,
};
use std::collections::BTreeMap;

/// What is kept for want of a place, by task. None of it is on record: after a crash the tree repeats it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gate {
    /// Each in its order; of no task nothing.
    kept: BTreeMap<TaskId, Vec<Effect>>,
}

impl Gate {
    /// Whether nothing of a task is kept.
    pub fn is_clear(&self, task: TaskId) -> bool {
        !self.kept.contains_key(&task)
    }

    /// An order of the tree is given. The gate is open to it where its task has a place ([`has_place`](crate::has_place)); to what
    /// the tree repeats after a crash, only where no person holds the task either ([`may_go_out`](crate::may_go_out)), since nobody
    /// knows then whether it was kept before (S13). `None` if it is kept; otherwise it goes out, and what it takes back of what is
    /// kept is void: that never goes out (S19, S10).
    pub fn pass(&mut self, effect: &Effect, is_open: bool) -> Option<Vec<Effect>> {
        let task = task_of(effect);
        if uses_place(effect) && !is_open {
            self.kept.entry(task).or_default().push(*effect);
            return None;
        }
        Some(match ended_by(effect) {
            Some(iterator) => self.iterator_ended(task, iterator),
            None => self.void(task, |kept| takes_back(effect, kept)),
        })
    }

    /// An iterator of a task has ended, or is to: what is kept for it is void. What is kept for a later one is not: after a crash that
    /// is ordered before anybody has said that the last one is gone (L1).
    pub fn iterator_ended(&mut self, task: TaskId, iterator: IteratorId) -> Vec<Effect> {
        let is_later = |kept: &Vec<Effect>| kept.iter().filter_map(iterator_of).any(|of| of > iterator);
        if self.kept.get(&task).is_some_and(is_later) {
            return Vec::new();
        }
        self.void(task, |kept| matches!(kept, Effect::Worker { .. }))
    }

    /// What was kept and goes out now, of the tasks that may ([`may_go_out`](crate::may_go_out)).
    pub fn open(&mut self, may_go_out: impl Fn(TaskId) -> bool) -> Vec<Effect> {
        let open: Vec<TaskId> = self.kept.keys().copied().filter(|task| may_go_out(*task)).collect();
        open.iter().filter_map(|task| self.kept.remove(task)).flatten().collect()
    }

    /// The lease of a root is over. What was being made ready there is made ready in the next place; the tools that ran there are over,
    /// which the tree is told of each ([`tool_lost`](crate::tool_lost)).
    pub fn lose(&mut self, kernel: &Kernel, root: TaskId) -> Vec<CallId> {
        let (mut tasks, mut lost) = (vec![root], Vec::new());
        while let Some(id) = tasks.pop() {
            let Some(task) = kernel.task(id).filter(|task| task.state.end().is_none()) else { continue };
            let is_kept = |effect: Effect| self.kept.get(&id).is_some_and(|kept| kept.contains(&effect));
            let running = task.data.calls.iter().zip(0..).filter(|(call, _)| *call == CallState::Running);
            let calls = running.map(|(_, index)| CallId { task: id, turn: task.data.replied, index });
            lost.extend(calls.filter(|call| !is_kept(Effect::RunTool { call: *call })));
            if is_made_ready(task.state) && !is_kept(Effect::Initialize { task: id }) {
                self.kept.entry(id).or_default().push(Effect::Initialize { task: id });
            }
            tasks.extend(task.data.calls.subtasks());
        }
        lost
    }

    /// Takes what is void out of what a task has kept.
    fn void(&mut self, task: TaskId, is_void: impl Fn(&Effect) -> bool) -> Vec<Effect> {
        let Some(kept) = self.kept.remove(&task) else { return Vec::new() };
        let (void, rest): (Vec<_>, Vec<_>) = kept.into_iter().partition(is_void);
        if !rest.is_empty() {
            self.kept.insert(task, rest);
        }
        void
    }
}

/// Whether the surroundings of a task are being made ready.
fn is_made_ready(state: TaskState) -> bool {
    match state {
        TaskState::Initializing | TaskState::Paused(Held::Initializing) => true,
        TaskState::Queued
        | TaskState::Requesting
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::AwaitingBudget
        | TaskState::Working
        | TaskState::Paused(
            Held::Unstarted | Held::Queued | Held::Admitted | Held::Requesting | Held::Turn | Held::Calls,
        )
        | TaskState::Cancelling(_)
        | TaskState::Ending(_)
        | TaskState::Completed
        | TaskState::Failed(_)
        | TaskState::Cancelled => false,
    }
}

/// Whether an order uses the place of its task, so that it is kept while there is none. What is sent to a model is among
/// them: the quota is on what runs.
fn uses_place(effect: &Effect) -> bool {
    match effect {
        Effect::Initialize { .. }
        | Effect::Include { .. }
        | Effect::Request { effect: RequestEffect::Send { .. }, .. }
        | Effect::RunTool { .. }
        | Effect::Worker {
            effect:
                WorkerEffect::Include { .. }
                | WorkerEffect::Session(SessionEffect::Start { .. } | SessionEffect::Prompt { .. }),
            ..
        } => true,
        Effect::Enqueue { .. }
        | Effect::Dequeue { .. }
        | Effect::AbortInitialization { .. }
        | Effect::Worker { .. }
        | Effect::Request { .. }
        | Effect::CancelTool { .. }
        | Effect::Ask { .. }
        | Effect::Withdraw { .. }
        | Effect::Arm { .. }
        | Effect::Disarm { .. }
        | Effect::ReportUndelivered { .. }
        | Effect::TaskEnded { .. } => false,
    }
}

/// The iterator that an order which may be kept is for.
fn iterator_of(effect: &Effect) -> Option<IteratorId> {
    let Effect::Worker { effect: WorkerEffect::Session(effect), .. } = effect else { return None };
    match effect {
        SessionEffect::Start { iterator } | SessionEffect::Prompt { iterator, .. } => Some(*iterator),
        SessionEffect::Stop { .. }
        | SessionEffect::Kill { .. }
        | SessionEffect::Arm { .. }
        | SessionEffect::Disarm { .. }
        | SessionEffect::Settle { .. }
        | SessionEffect::Closed => None,
    }
}

/// The iterator that an order brings to its end.
fn ended_by(effect: &Effect) -> Option<IteratorId> {
    let Effect::Worker { effect: WorkerEffect::Session(effect), .. } = effect else { return None };
    match effect {
        SessionEffect::Stop { iterator } | SessionEffect::Kill { iterator } => Some(*iterator),
        SessionEffect::Start { .. }
        | SessionEffect::Prompt { .. }
        | SessionEffect::Arm { .. }
        | SessionEffect::Disarm { .. }
        | SessionEffect::Settle { .. }
        | SessionEffect::Closed => None,
    }
}

/// Whether an order makes one void that was kept for the same task. Those of an iterator are void by its end.
fn takes_back(effect: &Effect, kept: &Effect) -> bool {
    match effect {
        Effect::AbortInitialization { .. } => matches!(kept, Effect::Initialize { .. }),
        Effect::Request { effect: RequestEffect::Stop { .. } | RequestEffect::Fence { .. }, .. } => {
            matches!(kept, Effect::Include { .. } | Effect::Request { .. })
        }
        Effect::CancelTool { call } => *kept == Effect::RunTool { call: *call },
        Effect::Enqueue { .. }
        | Effect::Dequeue { .. }
        | Effect::Initialize { .. }
        | Effect::Worker { .. }
        | Effect::Include { .. }
        | Effect::Request { .. }
        | Effect::RunTool { .. }
        | Effect::Ask { .. }
        | Effect::Withdraw { .. }
        | Effect::Arm { .. }
        | Effect::Disarm { .. }
        | Effect::ReportUndelivered { .. }
        | Effect::TaskEnded { .. } => false,
    }
}

/// The task that an effect is of.
pub fn task_of(effect: &Effect) -> TaskId {
    match *effect {
        Effect::Enqueue { task }
        | Effect::Dequeue { task }
        | Effect::Initialize { task }
        | Effect::AbortInitialization { task }
        | Effect::Include { task, .. }
        | Effect::Request { task, .. }
        | Effect::Worker { task, .. }
        | Effect::ReportUndelivered { task, .. }
        | Effect::TaskEnded { task, .. } => task,
        Effect::RunTool { call } | Effect::CancelTool { call } => call.task,
        Effect::Ask { question, .. } | Effect::Withdraw { question } => question.task,
        Effect::Arm { timer: Timer::Grace(task) | Timer::Budget { task, .. }, .. }
        | Effect::Disarm { timer: Timer::Grace(task) | Timer::Budget { task, .. } } => task,
    }
}
