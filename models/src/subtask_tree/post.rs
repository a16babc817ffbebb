//! The outbox of the first root, and a receiver that hears of it at some time, again, or never.

use downbeat_kernel::{Conclusion, News, NotificationEffect, NotificationEvent, NotificationNumber, Outcome};

use super::act::PostAct;
use super::state::{Breach, Post};
use super::step::Step;
use super::words::{self, POST, USER};

/// The most notifications.
const NUMBERS: usize = 4;

/// Whoever is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Receiver {
    /// What each number says.
    noted: [Option<News>; NUMBERS],
    /// Numbers that were sent, and that came: one bit each.
    sent: u8,
    received: u8,
    pub(super) armed: bool,
    /// It was reported that this one was given up, and that is not on record.
    pub(super) reporting: Option<u8>,
}

fn bit(number: u8) -> u8 {
    1 << number
}

fn small(number: NotificationNumber) -> u8 {
    u8::try_from(number.0).unwrap_or(0)
}

impl Post {
    pub(super) fn acts(&self, may: &mut impl FnMut(PostAct)) {
        let Receiver { sent, received, armed, reporting, .. } = self.receiver;
        for number in (1..=3).filter(|number| sent & bit(*number) != 0) {
            if received & bit(number) == 0 {
                may(PostAct::Deliver(number));
            } else if u32::from(number) > self.outbox.settled.0 {
                may(PostAct::Acknowledge(number));
            }
        }
        if armed {
            may(PostAct::ElapsePost);
        }
        if reporting.is_some() {
            may(PostAct::RecordUndelivered);
        }
    }

    /// The event that an act is to the outbox.
    pub(super) fn event(&self, act: PostAct) -> Option<NotificationEvent> {
        let number = |number: u8| NotificationNumber(number.into());
        Some(match act {
            PostAct::Deliver(_) => return None,
            PostAct::Acknowledge(of) => NotificationEvent::Acknowledged { number: number(of) },
            PostAct::ElapsePost => NotificationEvent::Elapsed { timer: self.outbox.timer },
            PostAct::RecordUndelivered => {
                NotificationEvent::UndeliveredRecorded { number: number(self.receiver.reporting?) }
            }
        })
    }

    /// Whether there is nothing left to do.
    pub(super) fn is_settled(&self) -> bool {
        self.outbox.settled == self.outbox.accepted
    }
}

impl Step<'_> {
    /// What an act is outside, before the outbox knows of it.
    pub(super) fn happens_to_post(&mut self, act: PostAct) {
        match act {
            PostAct::Deliver(number) => self.deliver_post(number),
            PostAct::ElapsePost => self.post.receiver.armed = false,
            PostAct::RecordUndelivered | PostAct::Acknowledge(_) => {}
        }
    }

    /// The receiver shows what is above all that it has seen.
    fn deliver_post(&mut self, number: u8) {
        let is_newest = self.post.receiver.received >> number == 0;
        self.post.receiver.received |= bit(number);
        let news = self.post.receiver.noted[usize::from(number)];
        if let (true, Some(news)) = (is_newest, news) {
            self.show(news);
        }
    }

    fn show(&mut self, news: News) {
        let known = self.seen.concluded;
        self.note(Breach::Contradicted, known.is_some());
        match news {
            News::Progress => {}
            News::Concluded(conclusion) => {
                let is_true = self.seen.end == Some(conclusion);
                self.note(Breach::Contradicted, !is_true);
                self.seen.concluded = known.or(Some(conclusion));
            }
        }
    }

    /// Gives the outbox an event, and carries out what comes of it.
    pub(super) fn inform_post(&mut self, event: NotificationEvent) -> bool {
        let (before, mut effects) = (self.post.outbox, Vec::new());
        let config = self.model.settings.outbox;
        let outcome = self.post.outbox.step(event, &config, &mut |effect| effects.push(effect));
        let (after, is_silent) = (self.post.outbox, effects.is_empty());
        let is_applied = self.judge_outcome(outcome == Outcome::Applied, || before != after || !is_silent);
        if is_applied {
            match event {
                NotificationEvent::Posted { number, news } => {
                    if let Some(noted) = self.post.receiver.noted.get_mut(usize::from(small(number))) {
                        *noted = Some(news);
                    }
                }
                NotificationEvent::UndeliveredRecorded { .. } => self.post.receiver.reporting = None,
                NotificationEvent::Acknowledged { .. } | NotificationEvent::Elapsed { .. } => {}
            }
        }
        for effect in self.cut_short(effects) {
            self.obey_outbox(effect);
        }
        is_applied
    }

    fn obey_outbox(&mut self, effect: NotificationEffect) {
        match effect {
            NotificationEffect::Send { number, news } => {
                self.tell(POST, USER, || format!("sends notification {}, {}", number.0, words::news(news)));
                self.post.receiver.sent |= bit(small(number));
            }
            NotificationEffect::ReportUndelivered { number, .. } => {
                self.tell(POST, USER, || format!("gives notification {} up", number.0));
                let before = self.post.receiver.reporting.replace(small(number));
                self.note(Breach::Disorder, before.is_some());
            }
            NotificationEffect::Arm { .. } => {
                let was = std::mem::replace(&mut self.post.receiver.armed, true);
                self.note(Breach::Disorder, was);
            }
            NotificationEffect::Disarm { .. } => self.post.receiver.armed = false,
        }
    }

    /// The process is gone; what was sent is not.
    pub(super) fn crash_post(&mut self) {
        (self.post.receiver.armed, self.post.receiver.reporting) = (false, None);
        let (outbox, mut effects) = (self.post.outbox, Vec::new());
        outbox.resync(&self.model.settings.outbox, &mut |effect| effects.push(effect));
        for effect in effects {
            self.obey_outbox(effect);
        }
    }

    pub(super) fn renumber_post(&mut self) {
        if self.post.outbox.timer.0 > 1 {
            self.post.outbox.timer.0 = 1;
        }
    }
}

/// How people call an end.
pub(super) fn conclusion_word(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Completed => "completed",
        Conclusion::Failed => "failed",
        Conclusion::Cancelled => "cancelled",
    }
}
