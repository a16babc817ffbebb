//! What the outbox of a root orders, done: people are told that somebody asks, and how it ended, each at least once and in that order.
//!
//! The end of a task is acknowledged in the tree, which then forgets it, when the outbox of a root has the conclusion, and people have the
//! messages that nobody has read; not before: a crash would keep it from them otherwise (duty 6 of `docs/composition.md`).

use crate::act::{Actor, Work};
use crate::contain::{asked, contained};
use crate::fact::{Fact, Told};
use crate::fault::{self, Fault};
use crate::known::Known;
use crate::ports::Notification;
use crate::trace::Subject;
use downbeat_kernel::{
    End, MessageId, News, NotificationEffect, NotificationEvent, NotificationNumber, NotificationTimer,
    QuestionEvent, TaskId,
};
use downbeat_wiring::{Hearers, Record, lineage, may_forget, posted, root_of};
use std::sync::Arc;

impl Known {
    /// Who has to hear of the end of a task in the tree. What a subtask ended with is its parent's by then.
    pub(crate) fn words_of_end(&self, task: TaskId, end: End) -> Vec<Told> {
        let mut words = Vec::new();
        if self.kernel.task(task).is_some_and(|task| task.data.parent.is_none()) {
            words.push(Told::Over(task, end));
        }
        if self.asking.contains_key(&task) {
            words.push(Fact::Questions { root: task, event: QuestionEvent::TaskEnded }.into());
        }
        if let Some((name, tries)) = self.attempted.of(task) {
            words.extend(tries.ended(name, task, end).map(Told::Fact));
        } else if self.is_told_of(task) && !self.is_concluded(task) {
            let record = self.records.get(&task).cloned().unwrap_or_default();
            words.push(Told::Posted { root: task, news: News::Concluded(record.conclusion(task, end)) });
        }
        words.push(Told::Heard(task));
        words
    }

    /// Whether everybody who has to has the end of a task on record. Told whether the pool has still to hear something of it.
    pub(crate) fn may_forget(&self, task: TaskId, is_on_way: bool) -> bool {
        let Some(ended) = self.kernel.task(task).filter(|task| task.state.end().is_some()) else {
            return false;
        };
        let pool = self.pool.as_ref().filter(|_| ended.data.parent.is_none());
        let post = self.outboxes.get(&task).filter(|_| self.is_told_of(task));
        let tries = self.attempted.of(task).map(|(_, tries)| tries);
        let (outbox, retry) = (post.map(|post| &post.outbox), tries.map(|tries| &tries.retry));
        let questions = self.asking.get(&task).map(|asking| &asking.questions);
        let hearers = Hearers { pool, outbox, retry, questions };
        let nobody = Record::default();
        may_forget(task, hearers, tries.map_or(&nobody, |tries| &tries.record), is_on_way)
    }

    /// Something is told to people of a root, as the next notification there.
    pub(crate) fn posts(&self, root: TaskId, news: News) -> Fact {
        let outbox = self.outboxes.get(&root).map(|post| post.outbox).unwrap_or_default();
        Fact::Outbox { root, event: posted(&outbox, news) }
    }
}

impl Actor {
    /// Somebody is asked something in the tree of a root: people hear of it. After a crash they hear again of what is asked still.
    pub(crate) fn asks(&mut self, task: TaskId, text: &str, known: &Known) {
        let root = known.name_of(root_of(&known.kernel, task));
        self.tell_with(Told::Posted { root, news: News::Progress }, text);
    }

    /// Whether everybody who has to has heard of the end of a task: a crash that comes later takes it from nobody. What people have
    /// still to hear of a subtask keeps those above it too, which have the words, and the name.
    pub(crate) fn may_forget(&self, task: TaskId, known: &Known) -> bool {
        if fault::has(Fault::ForgetsEarly) {
            return true;
        }
        let (first, last) = (TaskId(0), TaskId(u64::MAX));
        let messages = Work::Undelivered(first, MessageId(0))..=Work::Undelivered(last, MessageId(u32::MAX));
        let reports = Work::WorkerReport(first, 0)..=Work::WorkerReport(last, u32::MAX);
        let is_heard = |work: &Work| {
            let (Work::Undelivered(of, _) | Work::WorkerReport(of, _)) = work else { return true };
            !lineage(&known.kernel, *of).any(|of| of == task)
        };
        let mut told = self.works.range(messages).chain(self.works.range(reports));
        told.all(|(work, _)| is_heard(work)) && known.may_forget(task, self.tells_pool_of(task))
    }

    /// An order of the outbox of a root.
    pub(crate) async fn of_outbox(&mut self, root: TaskId, effect: NotificationEffect, known: &Known) {
        match effect {
            NotificationEffect::Send { number, news } => self.notify(root, number, news, known).await,
            NotificationEffect::ReportUndelivered { number, news } => {
                self.stop(&Work::Notice(root)).await;
                let Some(notification) = notification(root, number, news, known) else { return };
                let notifier = Arc::clone(&self.ports.notifier);
                let report = move || notifier.undelivered(notification.clone());
                let (reported, subject) = (asked(&report), Subject::of("Notifier::undelivered", root));
                let mut bound = self.bound(self.bounds.again_ms, subject);
                self.begin(Work::Report(root), "report", async move {
                    // A report that panics is no reason to say nothing more.
                    bound.insist(reported, report).await;
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
        let mut sent = asked(|| self.ports.notifier.notify(notification));
        if fault::has(Fault::TellsNobody) {
            sent = Box::pin(async { true });
        }
        self.begin(Work::Notice(root), "notice", async move {
            let event = NotificationEvent::Acknowledged { number };
            let has_it = contained(sent).await.unwrap_or(false);
            // That it could not be sent says the timer soon enough.
            has_it.then_some((Fact::Outbox { root, event }, vec![])).into_iter().collect()
        });
    }
}

/// Those who have heard now what people have heard of a task: it, and those above it.
pub(crate) fn heard(known: &Known, task: TaskId) -> Vec<(Told, Vec<String>)> {
    lineage(&known.kernel, task).map(|task| (Told::Heard(task), vec![])).collect()
}

fn notification(task: TaskId, number: NotificationNumber, news: News, known: &Known) -> Option<Notification> {
    let post = known.outboxes.get(&task)?;
    let (end, text) = match news {
        News::Progress => (None, post.progress.get(&number)?.clone()),
        News::Concluded(_) => post.end.clone().map(|(end, text)| (Some(end), text))?,
    };
    let text = if fault::has(Fault::ForgetsLastWords) { "".into() } else { text };
    Some(Notification { task, number, news, end, text })
}

/// What the timer of an outbox comes back with.
fn elapsed(root: TaskId, timer: NotificationTimer) -> Fact {
    Fact::Outbox { root, event: NotificationEvent::Elapsed { timer } }
}
