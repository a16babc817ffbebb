//! The whole of a state, as one step works on it.

use downbeat_kernel::{CallState, Calls, Event, Held, Kernel, Outcome, Task, TaskState, Visit};

use super::id;
use super::outside::{Effects, Outside};
use super::sights::Sight;
use crate::watch::TaskIndex;

/// The kernel, the outside, and what a step adds to what was seen.
#[derive(Clone)]
pub(super) struct World {
    pub(super) kernel: Kernel,
    pub(super) outside: Outside,
    /// What the outside saw in this step.
    pub(super) sights: Vec<Sight>,
    /// An event that was not applied has changed something all the same (S25).
    pub(super) changed_unapplied: bool,
    /// An order was given twice, or was left when its task ended.
    pub(super) disorder: bool,
    /// One bit for each task that a person paused in this step.
    pub(super) paused: u8,
    /// One bit for each task that no pause holds after this step: it was resumed, or is bound to end.
    pub(super) freed: u8,
}

impl World {
    pub(super) fn new(kernel: Kernel, outside: Outside) -> Self {
        Self {
            kernel,
            outside,
            sights: Vec::new(),
            changed_unapplied: false,
            disorder: false,
            paused: 0,
            freed: 0,
        }
    }

    pub(super) fn state(&self, task: TaskIndex) -> Option<TaskState> {
        self.kernel.task(id(task)).map(|task| task.state)
    }

    pub(super) fn paused(&self, task: TaskIndex) -> Option<Held> {
        paused(self.kernel.task(id(task))?)
    }

    /// The numbers of the questions that the kernel has open for a task.
    pub(super) fn asking(&self, task: TaskIndex) -> impl Iterator<Item = u32> + '_ {
        self.kernel.task(id(task)).into_iter().flat_map(asking)
    }

    pub(super) fn sees(&mut self, sight: Sight) {
        self.sights.push(sight);
    }

    /// Gives the kernel, which stands as `before`, one event. Returns the effects if it was applied.
    pub(super) fn step(
        &mut self,
        before: &Kernel,
        event: Event,
        visit: &mut dyn FnMut(Visit),
    ) -> Option<Effects> {
        let mut effects = Effects::default();
        if self.kernel.step_visiting(event, &mut effects, visit) == Outcome::Applied {
            return Some(effects);
        }
        self.changed_unapplied |= *before != self.kernel || !effects.is_empty();
        None
    }

    /// Everything that was outstanding is gone, and the kernel orders it again.
    pub(super) fn restart(&mut self) {
        self.outside = self.outside.restarted();
        let mut effects = Effects::default();
        self.kernel.resync(&mut effects);
        self.release(&effects, usize::MAX);
    }
}

/// The numbers of the questions that are open for a task.
pub(crate) fn asking(task: &Task) -> impl Iterator<Item = u32> + '_ {
    let more = task.data.account.as_ref().and_then(|account| account.question);
    let of_calls = Calls::iter(&task.data.calls).filter_map(|call| match call {
        CallState::Asking { number, .. } => Some(number),
        CallState::Waiting(_) | CallState::Running | CallState::Subtask { .. } | CallState::Settled(_) => {
            None
        }
    });
    of_calls.chain(more)
}

/// What a paused task goes on with.
pub(super) fn paused(task: &Task) -> Option<Held> {
    match task.state {
        TaskState::Paused(held) => Some(held),
        TaskState::Queued
        | TaskState::Initializing
        | TaskState::Requesting
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::AwaitingBudget
        | TaskState::Working
        | TaskState::Cancelling(_)
        | TaskState::Ending(_)
        | TaskState::Completed
        | TaskState::Failed(_)
        | TaskState::Cancelled => None,
    }
}
