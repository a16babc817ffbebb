//! What can happen around an outbox.

use downbeat_kernel::{News, NotificationEvent, NotificationTimer, Outbox};
use downbeat_sim::kinds::Kinds;

use super::super::super::machine::Fair;
use super::super::ledger::Index;
use super::{Around, CANCELLED, COMPLETED, TIMERS, number};

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Kinds)]
pub enum Act {
    /// There is something to say about the task. If it is refused, it is left out.
    Post,
    /// The agent says that the task is completed.
    Complete,
    /// The user cancels the task.
    Cancel,
    /// A copy of a notification arrives.
    Deliver(Index, News),
    /// An acknowledgement arrives.
    Acknowledge(Index),
    /// The report that one was given up is on record.
    Record(Index),
    /// The timer runs out.
    Elapse,
    /// A notification is posted once more.
    PostAgain(Index),
    /// One is posted that is not the next.
    PostAhead,
    /// The user's cancel comes again, under the number of the last notification.
    CancelLate,
    /// A timer fires that was taken back, or fired before.
    ElapseLate(u8),
}

impl Around {
    /// The event that the machine is told of an act.
    pub(super) fn event_of(&self, machine: &Outbox, act: Act) -> Option<NotificationEvent> {
        let next = self.ledger.count();
        let posted = |index, news| NotificationEvent::Posted { number: number(index), news };
        let event = match act {
            Act::Post => posted(next, News::Progress),
            Act::Complete => posted(next, COMPLETED),
            Act::Cancel => posted(next, CANCELLED),
            Act::Deliver(..) => return None,
            Act::Acknowledge(index) => NotificationEvent::Acknowledged { number: number(index) },
            Act::Record(index) => NotificationEvent::UndeliveredRecorded { number: number(index) },
            Act::Elapse => NotificationEvent::Elapsed { timer: machine.timer },
            Act::PostAgain(index) => posted(index, self.ledger.news(index)?),
            Act::PostAhead => posted(next + 1, News::Progress),
            Act::CancelLate => posted(next.checked_sub(1)?, CANCELLED),
            Act::ElapseLate(timer) => NotificationEvent::Elapsed { timer: NotificationTimer(timer.into()) },
        };
        Some(event)
    }

    /// Every act.
    pub(super) fn enabled(&self, machine: &Outbox, acts: &mut Vec<Act>) {
        if self.left.progress > 0 {
            acts.push(Act::Post);
        }
        acts.extend(self.completes.then_some(Act::Complete));
        acts.extend(self.cancels.then_some(Act::Cancel));
        for index in self.ledger.all() {
            acts.push(Act::PostAgain(index));
            let sent = self.ledger.news(index).filter(|_| self.sent & 1 << index != 0);
            acts.extend(sent.map(|news| Act::Deliver(index, news)));
            acts.extend((self.received & 1 << index != 0).then_some(Act::Acknowledge(index)));
            acts.extend(self.ledger.is_reported(index).then_some(Act::Record(index)));
        }
        let beside = self.sent_beside.map(|(index, news)| Act::Deliver(index, news));
        if let Some(act) = beside.filter(|act| !acts.contains(act)) {
            acts.push(act);
        }
        acts.extend(self.is_armed.then_some(Act::Elapse));
        acts.push(Act::PostAhead);
        acts.extend((!self.cancels && self.ledger.count() > 0).then_some(Act::CancelLate));
        let current = u8::try_from(machine.timer.0.min(TIMERS)).unwrap_or(0);
        acts.extend((1..=current).filter(|timer| *timer < current || !self.is_armed).map(Act::ElapseLate));
    }
}

/// Timers run out, and reports go on record. Nothing need arrive, and nothing need come late or crash.
pub(super) fn fair() -> Vec<Fair<Act>> {
    vec![
        ("the timer runs out", |act| act == Act::Elapse),
        ("what was given up goes on record", |act| matches!(act, Act::Record(_))),
    ]
}
