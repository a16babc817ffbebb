//! What trees spend: bills, the question for more, and what a person says to it.

use downbeat_kernel::{Event, QuestionId, RetryEvent};

use super::Fault;
use super::act::TaskAct;
use super::state::{Breach, id, index};
use super::step::Step;
use super::tasks::small;
use crate::watch::TaskIndex;
use downbeat_wiring::{Word, denied, root_of, spent, untaken};

impl Step<'_> {
    /// Something of a task was paid for: its root gets the next bill, on record with what has come.
    pub(super) fn bill(&mut self, task: TaskIndex) {
        if self.model.scenario.budget > 0 {
            let root = root_of(&self.tree.kernel, id(task));
            let bill = self.desk.record.billed(root);
            self.say(Word::Tree(spent(root, bill)));
        }
    }

    /// After a crash the bills go out again of which nobody knows that the tree took them.
    pub(super) fn bill_again(&mut self) {
        if self.model.has(Fault::BilledOnce) {
            return;
        }
        let (kernel, record) = (&self.tree.kernel, &self.desk.record);
        let bills: Vec<Event> = kernel.tasks().flat_map(|task| untaken(kernel, record, task.id)).collect();
        for bill in bills {
            self.say(Word::Tree(bill));
        }
    }

    /// To ask for more is no work of the task's.
    pub(super) fn ask_for_more(&mut self, QuestionId { task, number }: QuestionId) {
        let task = index(task);
        let was = self.tree.of_mut(task).more.replace(small(number));
        self.note(Breach::Disorder, was.is_some());
        self.post_progress(task);
    }

    /// What an act of a person on the tree is to the attempts, if it is theirs.
    pub(super) fn of_attempts(&self, act: TaskAct) -> Option<RetryEvent> {
        let TaskAct::DenyMore(task) = act else { return None };
        let is_theirs = self.model.scenario.retry && !self.model.has(Fault::DeniedToTree);
        is_theirs.then(|| denied(&self.wish.retry, &self.desk.record, id(task)))?
    }

    /// A person will have no more spent on a task, who wants it to end.
    pub(super) fn deny(&mut self, task: TaskIndex) {
        if self.model.scenario.is_tried_again(task) {
            self.wish.cancelled = true;
        } else {
            self.seen.watch.cancel_requested(task);
        }
    }

    /// The task is cancelled, unless it was before.
    pub(super) fn cancels_wish(&mut self, event: RetryEvent) -> Option<bool> {
        let was = std::mem::replace(&mut self.wish.cancelled, true);
        (!was).then(|| self.inform_wish(event))
    }
}
