//! People, and whoever brings them news; the clock on their wall.

use downbeat_kernel::{About, MessageId, QuestionEnd, QuestionId, QuestionKey, TaskId};
use downbeat_models::watch::TaskIndex;
use downbeat_rt::{Cell, Rt, Sender};
use downbeat_shell::{Clock, Doing, Excerpt, Notification, Notifier, People, RootEnd, Text, Trial, Viewer};
use std::future::ready;

use crate::host::Host;
use crate::ledger::Ledger;
use crate::marks::{Mark, Marks};

/// When a scene begins, in milliseconds since 1970.
const SOME_DAY_MS: u64 = 1_700_000_000_000;

/// By so much a clock is set forward or back.
const HOUR_MS: i64 = 3_600_000;

/// Everybody who hears of the tasks of one tree.
#[derive(Clone)]
pub(crate) struct Audience {
    pub(crate) ledger: Ledger,
    pub(crate) world: Host,
    /// Where those who answer hear of questions.
    pub(crate) answering: Vec<Sender<QuestionId>>,
}

impl People for Audience {
    fn ask(&self, question: QuestionId, about: About, text: Text) {
        let About::Question(call) = about else { return };
        self.world.say(|| format!("hears question {}: {text}", question.number));
        self.ledger.asked(question, call);
        for somebody in &self.answering {
            // Whoever has not come to it yet hears of it only once.
            let _ = somebody.try_send(question);
        }
    }

    fn asks(&self, _root: TaskId, _question: QuestionKey, _text: Text) {}

    fn settled(&self, _root: TaskId, _question: QuestionKey, _end: QuestionEnd) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn withdraw(&self, _question: QuestionId) {}

    fn undelivered(&self, _task: TaskId, _trial: Trial, message: MessageId, in_doubt: bool) -> Doing<()> {
        let Self { ledger, world, .. } = self.clone();
        Box::pin(async move {
            world.say(|| format!("hears that nobody has read message {}", message.0));
            ledger.returned(message, in_doubt);
        })
    }
}

impl Notifier for Audience {
    fn notify(&self, notification: Notification) -> Doing<bool> {
        let Self { ledger, world, .. } = self.clone();
        Box::pin(async move {
            if let Some(RootEnd::Once(end)) = notification.end {
                world.say(|| format!("hears that the root has ended: {end:?}"));
                ledger.ended(end, &notification.text);
            }
            true
        })
    }

    fn undelivered(&self, _notification: Notification) -> Doing<()> {
        Box::pin(ready(()))
    }
}

impl Viewer for Audience {
    fn show(&self, excerpt: Excerpt) -> Doing<()> {
        let Self { ledger, world, .. } = self.clone();
        Box::pin(async move {
            world.say(|| format!("sees piece {} of a response", excerpt.number));
            // The root is the first task, and its subtasks are the next.
            let task = excerpt.id.task.0.saturating_sub(1);
            ledger.shown(TaskIndex::try_from(task).unwrap_or(TaskIndex::MAX), &excerpt);
        })
    }
}

/// The time of day is that of the explorer, until somebody sets it.
#[derive(Clone)]
pub(crate) struct Wall {
    rt: Rt,
    /// By how much it is wrong, in milliseconds.
    ahead_ms: Cell<i64>,
}

impl Wall {
    pub(crate) fn new(rt: &Rt) -> Self {
        Self { rt: rt.clone(), ahead_ms: rt.cell("clock", 0) }
    }

    /// Somebody sets it, perhaps: an hour forward or back.
    pub(crate) fn jumps(&self, world: &Host, marks: &Marks) {
        let ahead_ms = [0, HOUR_MS, -HOUR_MS][world.choose(3, "the clock jumps")];
        if ahead_ms != 0 {
            world.say(|| if ahead_ms > 0 { "sets the clock forward" } else { "sets the clock back" });
            marks.hit(Mark::ClockJumped);
            self.ahead_ms.set(ahead_ms);
        }
    }
}

impl Clock for Wall {
    fn now_ms(&self) -> u64 {
        let now_ms = SOME_DAY_MS + u64::try_from(self.rt.now().as_millis()).unwrap_or_default();
        now_ms.saturating_add_signed(self.ahead_ms.get())
    }
}
