//! What the outbox of a root orders, done: people are told how it ended, at least once.
//!
//! The end of a task is acknowledged in the tree, which then forgets it, when the outbox of a root has the conclusion, and people have the
//! messages that nobody has read; not before: a crash would keep it from them otherwise (duty 6 of `docs/composition.md`).

use crate::act::{Actor, Work, contained};
use crate::fact::{Fact, Told};
use crate::known::Known;
use crate::ports::Notification;
use downbeat_kernel::{
    End, MessageId, News, NotificationEffect, NotificationEvent, NotificationNumber, NotificationTimer,
    TaskId,
};
use downbeat_wiring::{Hearers, Record, may_forget};

impl Actor {
    /// A task has ended in the tree. What a subtask ended with is its parent's by then, and nobody else has to hear of it.
    pub(crate) fn task_ended(&mut self, task: TaskId, end: End, known: &Known) {
        let is_root = known.outboxes.contains_key(&task);
        if is_root && known.pool.is_some() {
            self.tell(Told::Over(task, end));
        }
        match known.outboxes.get(&task) {
            Some(post) if post.outbox.conclusion.is_none() => {
                let record = known.records.get(&task).cloned().unwrap_or_default();
                let news = News::Concluded(record.conclusion(task, end));
                self.tell(Told::Posted { root: task, news });
            }
            Some(_) | None => self.tell(Told::Heard(task)),
        }
    }

    /// Whether everybody who has to has heard of the end of a task: a crash that comes later takes it from nobody.
    pub(crate) fn may_forget(&self, task: TaskId, known: &Known) -> bool {
        let (first, last) = (MessageId(0), MessageId(u32::MAX));
        let reports = Work::Undelivered(task, first)..=Work::Undelivered(task, last);
        let has_ended = known.kernel.task(task).is_some_and(|task| task.state.end().is_some());
        let is_root = known.kernel.task(task).is_some_and(|task| task.data.parent.is_none());
        let pool = known.pool.as_ref().filter(|_| is_root);
        let outbox = known.outboxes.get(&task).map(|post| &post.outbox);
        let hearers = Hearers { pool, outbox, retry: None, questions: None };
        has_ended
            && self.works.range(reports).next().is_none()
            && may_forget(task, hearers, &Record::default(), self.tells_pool_of(task))
    }

    /// An order of the outbox of a root.
    pub(crate) async fn of_outbox(&mut self, root: TaskId, effect: NotificationEffect, known: &Known) {
        match effect {
            NotificationEffect::Send { number, news } => {
                self.notify(root, number, news, known).await;
                self.tell(Told::Heard(root));
            }
            NotificationEffect::ReportUndelivered { number, news } => {
                self.stop(&Work::Notice(root)).await;
                let Some(notification) = notification(root, number, news, known) else { return };
                let reported = self.ports.notifier.undelivered(notification);
                self.begin(Work::Report(root), "report", async move {
                    // A report that panics is no reason to say nothing more.
                    contained(reported).await;
                    let event = NotificationEvent::UndeliveredRecorded { number };
                    vec![(Fact::Outbox { root, event }, vec![])]
                });
            }
            NotificationEffect::Arm { timer, after_ms } => self.arm(elapsed(root, timer), after_ms),
            NotificationEffect::Disarm { timer } => {
                self.stop(&Work::Timer(elapsed(root, timer))).await;
                // Whoever has it need not get it again.
                self.stop(&Work::Notice(root)).await;
            }
        }
    }

    /// Sends, in place of the send before: whoever gets both knows them by the same number.
    async fn notify(&mut self, root: TaskId, number: NotificationNumber, news: News, known: &Known) {
        let Some(notification) = notification(root, number, news, known) else { return };
        self.stop(&Work::Notice(root)).await;
        let sent = self.ports.notifier.notify(notification);
        self.begin(Work::Notice(root), "notice", async move {
            let event = NotificationEvent::Acknowledged { number };
            let has_it = contained(sent).await.unwrap_or(false);
            // That it could not be sent says the timer soon enough.
            has_it.then_some((Fact::Outbox { root, event }, vec![])).into_iter().collect()
        });
    }
}

fn notification(task: TaskId, number: NotificationNumber, news: News, known: &Known) -> Option<Notification> {
    let post = known.outboxes.get(&task)?;
    Some(Notification { task, number, news, end: post.end, result: post.result.clone() })
}

/// What the timer of an outbox comes back with.
fn elapsed(root: TaskId, timer: NotificationTimer) -> Fact {
    Fact::Outbox { root, event: NotificationEvent::Elapsed { timer } }
}
