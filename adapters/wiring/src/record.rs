//! What is on record beside the machines: which task is which attempt, why one ends, and what was paid for.

use downbeat_kernel::{AttemptNumber, BillNumber, Conclusion, End, Event, Kernel, Spend, TaskId, TaskState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is on record beside the machines, with the events that it came with: of one task that people want, and all attempts at it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Record {
    /// The task of each attempt.
    attempts: BTreeMap<AttemptNumber, TaskId>,
    /// The task that ends because there is no place for it, and not because somebody wanted that. One attempt is made at a time, so
    /// that the last one counts.
    no_place: Option<TaskId>,
    /// The last bill of each tree, by its root.
    bills: BTreeMap<TaskId, BillNumber>,
}

impl Record {
    /// The task of an attempt, if the tree has taken it.
    pub fn task_of(&self, attempt: AttemptNumber) -> Option<TaskId> {
        self.attempts.get(&attempt).copied()
    }

    /// Which attempt a task is.
    pub fn attempt_of(&self, task: TaskId) -> Option<AttemptNumber> {
        self.attempts.iter().find(|(_, other)| **other == task).map(|(attempt, _)| *attempt)
    }

    /// The tasks that are attempts.
    pub fn tasks(&self) -> impl Iterator<Item = TaskId> {
        self.attempts.values().copied()
    }

    /// The tree has taken the submission of an attempt.
    pub fn begun(&mut self, attempt: AttemptNumber, task: TaskId) {
        self.attempts.insert(attempt, task);
    }

    /// The tree is told that there is no place for a task. That is why it ends, unless somebody has cancelled it before. It is on
    /// record with the event, before anything that comes of it goes out: it decides what people are told.
    pub fn has_no_place(&mut self, kernel: &Kernel, task: TaskId) {
        if kernel.task(task).is_some_and(|task| is_wanted(task.state)) {
            self.no_place = Some(task);
        }
    }

    /// Something was paid for in the tree of a root: which bill of that tree it is.
    pub fn billed(&mut self, root: TaskId) -> BillNumber {
        let last = self.bills.entry(root).or_insert(BillNumber(0));
        last.0 += 1;
        *last
    }

    /// The last bill of a tree, 0 before the first.
    pub fn bill(&self, root: TaskId) -> BillNumber {
        self.bills.get(&root).copied().unwrap_or(BillNumber(0))
    }

    /// How people are told of the end of a task.
    pub fn conclusion(&self, task: TaskId, end: End) -> Conclusion {
        match end {
            End::Completed => Conclusion::Completed,
            End::Cancelled if self.no_place == Some(task) => Conclusion::Failed,
            End::Failed(_) => Conclusion::Failed,
            End::Cancelled => Conclusion::Cancelled,
        }
    }
}

/// Whether a task goes on as far as anybody knows.
fn is_wanted(state: TaskState) -> bool {
    match state {
        TaskState::Queued
        | TaskState::Initializing
        | TaskState::Requesting
        | TaskState::ExecutingTools
        | TaskState::AwaitingSubtask
        | TaskState::AwaitingInput
        | TaskState::AwaitingBudget
        | TaskState::Working
        | TaskState::Paused(_) => true,
        TaskState::Cancelling(_)
        | TaskState::Ending(_)
        | TaskState::Completed
        | TaskState::Failed(_)
        | TaskState::Cancelled => false,
    }
}

/// A bill of the tree of a root, of one token.
pub fn spent(root: TaskId, bill: BillNumber) -> Event {
    Event::Spent { task: root, bill, spend: Spend { tokens: 1, micros: 0 } }
}

/// The bills on record that the tree of a root has not taken. Whoever drives says them again after a crash.
pub fn untaken(kernel: &Kernel, record: &Record, root: TaskId) -> impl Iterator<Item = Event> + use<> {
    let live = kernel.task(root).filter(|task| task.state.end().is_none());
    let last = record.bill(root).0;
    let taken = live.and_then(|task| task.data.account.as_ref()).map_or(last, |account| account.bill.0);
    (taken + 1..=last).map(move |bill| spent(root, BillNumber(bill)))
}
