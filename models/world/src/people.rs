//! People, and whoever brings them news; the clock on their wall.

use downbeat_kernel::{About, MessageId, QuestionEnd, QuestionId, QuestionKey, TaskId};
use downbeat_rt::Rt;
use downbeat_shell::{Clock, Doing, Notification, Notifier, People, RootEnd, Text, Trial};
use downbeat_sim::explore::World;
use std::future::ready;

use crate::ledger::Ledger;

/// Everybody who hears of the tasks of one tree.
#[derive(Clone)]
pub(crate) struct Audience {
    pub(crate) ledger: Ledger,
    pub(crate) world: World,
}

impl People for Audience {
    fn ask(&self, _question: QuestionId, _about: About, _text: Text) {}

    fn asks(&self, _root: TaskId, _question: QuestionKey, _text: Text) {}

    fn settled(&self, _root: TaskId, _question: QuestionKey, _end: QuestionEnd) -> Doing<()> {
        Box::pin(ready(()))
    }

    fn withdraw(&self, _question: QuestionId) {}

    fn undelivered(&self, _task: TaskId, _trial: Trial, message: MessageId, in_doubt: bool) -> Doing<()> {
        let Self { ledger, world } = self.clone();
        Box::pin(async move {
            world.say(|| format!("hears that nobody has read message {}", message.0));
            ledger.returned(message, in_doubt);
        })
    }
}

impl Notifier for Audience {
    fn notify(&self, notification: Notification) -> Doing<bool> {
        let Self { ledger, world } = self.clone();
        Box::pin(async move {
            if let Some(RootEnd::Once(end)) = notification.end {
                world.say(|| format!("hears that the root has ended: {end:?}"));
                ledger.ended(end);
            }
            true
        })
    }

    fn undelivered(&self, _notification: Notification) -> Doing<()> {
        Box::pin(ready(()))
    }
}

/// The time of day is that of the explorer.
pub(crate) struct Wall(pub(crate) Rt);

impl Clock for Wall {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000 + u64::try_from(self.0.now().as_millis()).unwrap_or_default()
    }
}
