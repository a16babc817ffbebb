//! Places: which root has one, under which lease, and what the tree and the pool say to each other about it.

use crate::Word;
use downbeat_kernel::{
    AgentId, CallId, End, Event, Kernel, Lease, Pool, PoolEnd, PoolEvent, Priority, Standing, TaskId,
    TaskState, ToolEnd, UserId, WorkEnd,
};

/// A task and those above it, up to the root of its tree.
pub fn lineage(kernel: &Kernel, task: TaskId) -> impl Iterator<Item = TaskId> {
    core::iter::successors(Some(task), |task| kernel.task(*task)?.data.parent)
}

/// The root of the tree in which a task hangs: it has the place in which all of them run.
pub fn root_of(kernel: &Kernel, task: TaskId) -> TaskId {
    lineage(kernel, task).last().unwrap_or(task)
}

/// The lease under which a task runs, and where.
pub fn lease_of(pool: &Pool, root: TaskId) -> Option<(AgentId, Lease)> {
    let Standing::Held { agent } = pool.task(root)?.standing else { return None };
    let lease = pool.agent(agent)?.state.lease()?;
    Some((agent, lease))
}

/// Whether a task has a place to run in: its own, or that of its root.
pub fn has_place(kernel: &Kernel, pool: &Pool, task: TaskId) -> bool {
    lease_of(pool, root_of(kernel, task)).is_some()
}

/// Whether what a task has kept for want of a place may go out: it has one, and no person holds the task. To the tree it is out
/// already, so that nobody else keeps it back (S13).
pub fn may_go_out(kernel: &Kernel, pool: &Pool, task: TaskId) -> bool {
    has_place(kernel, pool, task) && !is_held(kernel, task)
}

/// Whether a person holds the task, or the worker that runs it.
pub fn is_held(kernel: &Kernel, task: TaskId) -> bool {
    kernel.task(task).is_some_and(|task| match task.state {
        TaskState::Paused(_) => true,
        TaskState::Working => task.data.worker.as_ref().is_some_and(|worker| worker.data.hold),
        TaskState::Queued
        | TaskState::Initializing
        | TaskState::Requesting
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::AwaitingBudget
        | TaskState::Cancelling(_)
        | TaskState::Ending(_)
        | TaskState::Completed
        | TaskState::Failed(_)
        | TaskState::Cancelled => false,
    })
}

/// Whether a lease is the one that its root has now. What is said under any other is void, also if the same work is done again at
/// another agent (S20).
pub fn is_present(pool: &Pool, lease: Lease) -> bool {
    lease_of(pool, lease.task).is_some_and(|(_, present)| present == lease)
}

/// The lease that an event of the pool may bring to its end: that of the agent which it names. It is over if the agent does not hold it
/// any more ([`Pool::holds`]) when the pool has taken the event. The pool says so with no effect of its own.
pub fn at_stake(pool: &Pool, event: PoolEvent) -> Option<(AgentId, Lease)> {
    let agent = match event {
        PoolEvent::Started { agent }
        | PoolEvent::Gone { agent }
        | PoolEvent::Heartbeat { agent, .. }
        | PoolEvent::WorkEnded { agent, .. }
        | PoolEvent::Cleaned { agent, .. }
        | PoolEvent::DrainRequested { agent } => agent,
        PoolEvent::Elapsed { timer } => timer.agent,
        PoolEvent::Submitted { .. }
        | PoolEvent::CancelRequested { .. }
        | PoolEvent::EndAcknowledged { .. } => {
            return None;
        }
    };
    Some((agent, pool.agent(agent)?.state.lease()?))
}

/// A task wants a place. A root gets one of the pool; a subtask runs in that of its root, or two roots that wait for their
/// subtasks would wait for each other's places.
pub fn enqueued(kernel: &Kernel, task: TaskId, user: UserId, priority: Priority) -> Word {
    if root_of(kernel, task) == task {
        Word::Pool(PoolEvent::Submitted { task, user, priority })
    } else {
        Word::Tree(Event::Admitted { task })
    }
}

/// A task wants no place any more. That of a subtask is its root's, which keeps it.
pub fn dequeued(kernel: &Kernel, task: TaskId) -> Option<Word> {
    (root_of(kernel, task) == task).then_some(Word::Pool(PoolEvent::CancelRequested { task }))
}

/// What the pool is told of a place that it has granted to a task which the tree does not hold: it is given back.
pub fn given_back(kernel: &Kernel, task: TaskId) -> Option<Word> {
    kernel.task(task).is_none().then_some(Word::Pool(PoolEvent::CancelRequested { task }))
}

/// What the pool is told of a task that has ended in the tree; nothing, if it knows.
///
/// The agent of one that was cancelled is told to stop, because something of it may still run there.
pub fn over(pool: &Pool, root: TaskId, end: End) -> Option<PoolEvent> {
    let cancel = PoolEvent::CancelRequested { task: root };
    match pool.task(root)?.standing {
        Standing::Queued => Some(cancel),
        Standing::Ended(_) => None,
        Standing::Held { .. } => {
            let (agent, lease) = lease_of(pool, root)?;
            let ended = |end| PoolEvent::WorkEnded { agent, lease, end };
            Some(match end {
                End::Completed => ended(WorkEnd::Completed),
                End::Failed(_) => ended(WorkEnd::Failed),
                End::Cancelled => cancel,
            })
        }
    }
}

/// What the tree is told of a task that has ended in the pool; nothing, if it has ended in the tree too.
pub fn ended_in_pool(kernel: &Kernel, root: TaskId, end: PoolEnd) -> Option<Word> {
    let is_live = kernel.task(root).is_some_and(|task| task.state.end().is_none());
    match end {
        PoolEnd::Lost | PoolEnd::Failed | PoolEnd::Completed => is_live.then_some(Word::NoPlace(root)),
        PoolEnd::Cancelled => is_live.then_some(Word::Tree(Event::CancelRequested { task: root })),
    }
}

/// What the tree is told of a tool that ran under a lease that is lost.
pub fn tool_lost(call: CallId) -> Event {
    Event::ToolEnded { call, end: ToolEnd::Failed }
}
