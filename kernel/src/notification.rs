//! The outbox of a remote task: what people are told about it, in order, each at least once, and never two ends.
//!
//! Whoever sends cannot know whether a notification that was not acknowledged has arrived, so it is sent again, and the
//! receiver drops what it has. Three facts make that enough (S24). A notification has a number that it keeps through every
//! attempt and every crash. The next one is not sent before the one before it is settled, so that the receiver has to
//! remember no more than the highest number it has seen. And the conclusion of a task takes the last number there is: what
//! would come after it is refused, whoever wants to say it.
//!
//! Attempts are bounded, and a notification that nobody acknowledges is reported, not dropped: the outbox goes on when that
//! is on record. With a conclusion there is nothing to go on to, so it is sent again, and reported again, for as long as it is
//! not acknowledged. One of these stands beside each remote task.

mod validate;
mod vocabulary;

pub use validate::OutboxCorrupt;
pub use vocabulary::{
    Conclusion, News, NotificationEffect, NotificationEvent, NotificationNumber, NotificationRejected,
    NotificationTimer,
};

use crate::backoff::doubled;
use crate::config::Config;
use crate::faults::Fault;
use crate::vocabulary::{Ignored, Outcome};
use serde::{Deserialize, Serialize};

/// Where an outbox stands. The diagram is in `docs/notification.md`, made from this code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OutboxState {
    /// Nothing waits to be delivered.
    #[default]
    Idle,
    /// The first that waits was sent, and a timer runs until it is sent again or given up.
    Sending {
        /// Which attempt it is, from 1.
        attempt: u8,
    },
    /// The first that waits was given up, and that is not on record yet.
    Undelivered,
}

/// The outbox of one task. `1..=settled` were delivered or reported; the rest up to `accepted` wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Outbox {
    /// Where it stands.
    pub state: OutboxState,
    /// The last notification that was accepted.
    pub accepted: NotificationNumber,
    /// Every notification up to this one is settled.
    pub settled: NotificationNumber,
    /// How the task ended, if the last notification that was accepted says so.
    pub conclusion: Option<Conclusion>,
    /// The last timer that was armed, 0 before the first.
    pub timer: NotificationTimer,
}

type Reply = Outcome<NotificationRejected>;

impl Outbox {
    /// Takes one event and gives `sink` the effects in their order.
    ///
    /// Unless the outcome is [`Outcome::Applied`], nothing changed and nothing was emitted (S25).
    pub fn step(
        &mut self,
        event: NotificationEvent,
        config: &Config,
        sink: &mut dyn FnMut(NotificationEffect),
    ) -> Outcome<NotificationRejected> {
        let mut step = Step { outbox: self, config, sink };
        match event {
            NotificationEvent::Posted { number, news } => step.posted(number, news),
            NotificationEvent::Acknowledged { number } => step.acknowledged(number, event),
            NotificationEvent::UndeliveredRecorded { number } => step.undelivered_recorded(number, event),
            NotificationEvent::Elapsed { timer } => step.elapsed(timer, event),
        }
    }

    /// Repeats every order that is outstanding, with the same identities: for a shell that has just started. The timer runs
    /// its whole time again.
    pub fn resync(&self, config: &Config, sink: &mut dyn FnMut(NotificationEffect)) {
        let (number, news) = (self.first(), self.news(self.first()));
        match self.state {
            OutboxState::Idle => {}
            OutboxState::Sending { attempt } => {
                if !config.has(Fault::ResyncForgetsNotification) {
                    sink(NotificationEffect::Send { number, news });
                }
                if !config.has(Fault::ResyncForgetsNotificationTimer) {
                    let after_ms = patience(config, attempt);
                    sink(NotificationEffect::Arm { timer: self.timer, after_ms });
                }
            }
            OutboxState::Undelivered if config.has(Fault::ResyncForgetsUndelivered) => {}
            OutboxState::Undelivered => sink(NotificationEffect::ReportUndelivered { number, news }),
        }
    }

    /// The first notification that waits, if any does, else the next one to come.
    fn first(&self) -> NotificationNumber {
        NotificationNumber(self.settled.0 + 1)
    }

    /// What a notification is about: the last one may be the conclusion.
    fn news(&self, number: NotificationNumber) -> News {
        match self.conclusion {
            Some(conclusion) if number == self.accepted => News::Concluded(conclusion),
            Some(_) | None => News::Progress,
        }
    }
}

/// How long an attempt waits to be acknowledged, in milliseconds.
fn patience(config: &Config, attempt: u8) -> u64 {
    doubled(config.notification_backoff_ms, u32::from(attempt.saturating_sub(1)), config.backoff_ms_max)
}

/// An outbox during one step.
struct Step<'s> {
    outbox: &'s mut Outbox,
    config: &'s Config,
    sink: &'s mut dyn FnMut(NotificationEffect),
}

impl Step<'_> {
    fn posted(&mut self, number: NotificationNumber, news: News) -> Reply {
        let Outbox { state, accepted, settled, conclusion, .. } = *self.outbox;
        let is_known = number.0 != 0 && number <= accepted;
        if is_known && !self.config.has(Fault::NotificationDoubled) {
            if self.config.has(Fault::NotificationSentAgain) {
                (self.sink)(NotificationEffect::Send { number, news });
            }
            return Outcome::Ignored(Ignored::Duplicate);
        }
        // S24: nothing contradicts a conclusion, and nothing follows it.
        if conclusion.is_some() && !self.config.has(Fault::ConclusionContradicted) {
            return Outcome::Ignored(Ignored::Terminal);
        }
        let expected = NotificationNumber(accepted.0.saturating_add(1));
        if number != expected && !is_known && !self.config.has(Fault::NotificationGapTaken) {
            return Outcome::Rejected(NotificationRejected::NotificationGap { expected, got: number });
        }
        let limit = self.config.notifications_max;
        let is_full = accepted.0 - settled.0 >= u32::from(limit);
        let may_wait = news != News::Progress && !self.config.has(Fault::ConclusionRefused);
        if is_full && !may_wait && !self.config.has(Fault::OutboxUnbounded) {
            return Outcome::Rejected(NotificationRejected::OutboxFull { limit, number });
        }
        self.outbox.accepted = if is_known { expected } else { number };
        self.outbox.conclusion = match news {
            News::Progress => None,
            News::Concluded(conclusion) => Some(conclusion),
        };
        if state == OutboxState::Idle {
            self.send(1);
        } else if self.config.has(Fault::NotificationOvertakes) {
            (self.sink)(NotificationEffect::Send { number, news });
        }
        Outcome::Applied
    }

    fn acknowledged(&mut self, number: NotificationNumber, event: NotificationEvent) -> Reply {
        let any = self.config.has(Fault::AnyNotificationAcknowledged) && number <= self.outbox.settled;
        if let (Some(refused), false) = (self.other(number, event), any) {
            return refused;
        }
        match self.outbox.state {
            OutboxState::Sending { .. } => {
                self.disarm();
                self.go_on();
                Outcome::Applied
            }
            // It is reported as given up already.
            OutboxState::Undelivered => Outcome::Ignored(Ignored::Stale),
            OutboxState::Idle => self.never_asked(event),
        }
    }

    fn undelivered_recorded(&mut self, number: NotificationNumber, event: NotificationEvent) -> Reply {
        if let Some(refused) = self.other(number, event) {
            return refused;
        }
        match self.outbox.state {
            OutboxState::Undelivered => {
                self.leave_behind();
                Outcome::Applied
            }
            OutboxState::Idle | OutboxState::Sending { .. } => self.never_asked(event),
        }
    }

    fn elapsed(&mut self, timer: NotificationTimer, event: NotificationEvent) -> Reply {
        let Outbox { state, timer: last, .. } = *self.outbox;
        if timer.0 == 0 || timer > last {
            return self.never_asked(event);
        }
        let current = timer == last || self.config.has(Fault::AnyNotificationTimer);
        match state {
            OutboxState::Sending { attempt } if current => self.try_again(attempt),
            OutboxState::Idle | OutboxState::Sending { .. } | OutboxState::Undelivered => {
                return Outcome::Ignored(Ignored::Stale);
            }
        }
        Outcome::Applied
    }

    /// The attempt was not acknowledged in time.
    fn try_again(&mut self, attempt: u8) {
        if attempt < self.config.notification_attempts_max {
            self.send(attempt + 1);
        } else if self.config.has(Fault::NotificationNeverGivenUp) {
            self.send(attempt);
        } else if self.config.has(Fault::GivenUpSilently) {
            self.go_on();
        } else {
            let number = self.outbox.first();
            self.outbox.state = OutboxState::Undelivered;
            (self.sink)(NotificationEffect::ReportUndelivered { number, news: self.outbox.news(number) });
        }
    }

    /// What was given up is on record. A conclusion is said for as long as nobody has it (S24), each time with the patience of
    /// the last attempt.
    fn leave_behind(&mut self) {
        match self.outbox.news(self.outbox.first()) {
            News::Concluded(_) if !self.config.has(Fault::ConclusionGivenUp) => {
                self.send(self.config.notification_attempts_max.max(1));
            }
            News::Concluded(_) | News::Progress => self.go_on(),
        }
    }

    /// Sends the first notification that waits.
    fn send(&mut self, attempt: u8) {
        let number = self.outbox.first();
        self.outbox.state = OutboxState::Sending { attempt };
        (self.sink)(NotificationEffect::Send { number, news: self.outbox.news(number) });
        if !self.config.has(Fault::NotificationSentOnce) {
            self.outbox.timer.0 += 1;
            let after_ms = patience(self.config, attempt);
            (self.sink)(NotificationEffect::Arm { timer: self.outbox.timer, after_ms });
        }
    }

    fn disarm(&mut self) {
        if !self.config.has(Fault::NotificationTimerLeft) {
            (self.sink)(NotificationEffect::Disarm { timer: self.outbox.timer });
        }
    }

    /// The first that waits is settled.
    fn go_on(&mut self) {
        self.outbox.settled.0 += 1;
        if self.outbox.settled == self.outbox.accepted {
            self.outbox.state = OutboxState::Idle;
        } else {
            self.send(1);
        }
    }

    /// Why a notification is not the first that waits, if it is not.
    fn other(&self, number: NotificationNumber, event: NotificationEvent) -> Option<Reply> {
        if number.0 == 0 || number > self.outbox.first() {
            return Some(self.never_asked(event));
        }
        (number <= self.outbox.settled).then_some(Outcome::Ignored(Ignored::Duplicate))
    }

    fn never_asked(&self, event: NotificationEvent) -> Reply {
        Outcome::Rejected(NotificationRejected::NeverAsked { state: self.outbox.state, event })
    }
}
