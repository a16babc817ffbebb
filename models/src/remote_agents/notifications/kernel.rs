//! The kernel's outbox, with a receiver that hears little of it, and some of it twice.
//!
//! Whoever posts takes the next number for what there is to say; two ends are wanted, the agent's and the user's, and come
//! twice too. The receiver shows what is above all that it has seen. Nothing need arrive; what was sent once may arrive at any
//! moment, again and out of order, and so may acknowledgements.

mod act;
mod words;

use downbeat_kernel::{
    Conclusion, Config, News, NotificationEffect, NotificationEvent, NotificationNumber, NotificationTimer,
    Outbox, Outcome,
};
use downbeat_sim::harness::{Bounds, Variant};
use downbeat_sim::model::{Arrow, Property};

use super::super::machine::{Closed, Fair, Former, State, World};
use super::ledger::{Index, Ledger, NOTIFICATIONS, news_word};
use super::properties::{Judged, of_notifications};
use act::Act;

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// Things to say about a task that goes on.
    pub progress: u8,
    /// Crashes, at rest or between two orders.
    pub crashes: u8,
}

/// Two notifications, and the end. The second crash may come to what was repeated after the first.
pub const LEFT: Left = Left { progress: 2, crashes: 2 };

/// What surrounds an outbox.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Around {
    ledger: Ledger,
    /// Ends that were not wanted yet.
    completes: bool,
    cancels: bool,
    /// Notifications that were sent, and those that the receiver got a copy of: one bit each.
    sent: u8,
    received: u8,
    /// What was sent under a number of which that is not on record.
    sent_beside: Option<(Index, News)>,
    /// The one that was sent last.
    out: Option<Index>,
    /// The report that was given since the last crash.
    reporting: Option<Index>,
    is_armed: bool,
    /// An end was wanted and refused.
    is_owed: bool,
    left: Left,
    /// An order was given twice, too often, or out of turn.
    disorder: bool,
    /// Sends of the present notification since the last crash.
    attempts: u8,
    /// It is on record that a conclusion was given up, and it was not sent since.
    is_left_behind: bool,
}

/// The attempts that the settings here allow.
const ATTEMPTS: u8 = 2;

impl Around {
    /// A task about which there is nothing to say yet.
    pub fn new(left: Left) -> Self {
        Self {
            ledger: Ledger::default(),
            completes: true,
            cancels: true,
            sent: 0,
            received: 0,
            sent_beside: None,
            out: None,
            reporting: None,
            is_armed: false,
            is_owed: false,
            left,
            disorder: false,
            attempts: 0,
            is_left_behind: false,
        }
    }

    /// Carries out an order about a notification; there is no such order about one that was not accepted.
    fn about(&mut self, number: NotificationNumber, order: impl FnOnce(&mut Self, Index)) {
        match index(number).filter(|index| self.ledger.news(*index).is_some()) {
            Some(index) => order(self, index),
            None => self.disorder = true,
        }
    }

    /// The receiver shows what is above all that it has seen.
    fn deliver(&mut self, index: Index, news: News) {
        let is_newest = self.received >> index == 0;
        self.received |= 1 << index;
        if is_newest {
            self.ledger.show(index, news);
        }
    }

    /// One is out at a time, and each has so many attempts.
    fn send(&mut self, index: Index, news: News) {
        let is_settled = |out: Index| self.received & 1 << out != 0 || self.ledger.is_told(out);
        let is_new = self.out != Some(index);
        self.disorder |= is_new && self.out.is_some_and(|out| out > index || !is_settled(out));
        self.attempts = if is_new { 1 } else { self.attempts.saturating_add(1).min(ATTEMPTS + 1) };
        self.disorder |= self.attempts > ATTEMPTS || self.ledger.news(index) != Some(news);
        (self.out, self.is_left_behind) = (Some(index), false);
        self.sent |= 1 << index;
    }
}

/// The kernel's number of a notification.
fn number(index: Index) -> NotificationNumber {
    NotificationNumber(u32::from(index) + 1)
}

/// The notification of that number, if there can be one.
fn index(number: NotificationNumber) -> Option<Index> {
    let index = u8::try_from(number.0.checked_sub(1)?).ok()?;
    (usize::from(index) < NOTIFICATIONS).then_some(index)
}

/// The timer that counts, and one before it, whatever their numbers were.
const TIMERS: u32 = 2;

impl World for Around {
    type Machine = Outbox;
    type Event = NotificationEvent;
    type Effect = NotificationEffect;
    type Act = Act;

    fn config() -> Config {
        Config { notifications_max: 1, notification_attempts_max: ATTEMPTS, ..Config::default() }
    }

    fn step(
        machine: &mut Outbox,
        event: NotificationEvent,
        config: &Config,
        sink: &mut dyn FnMut(NotificationEffect),
    ) -> bool {
        machine.step(event, config, sink) == Outcome::Applied
    }

    fn resync(machine: &Outbox, config: &Config, sink: &mut dyn FnMut(NotificationEffect)) {
        machine.resync(config, sink);
    }

    fn is_valid(machine: &Outbox, config: &Config) -> bool {
        // Its timers have low numbers here, as if there had been fewer.
        let timer = NotificationTimer(if machine.timer.0 == 0 { 0 } else { machine.timer.0 + 1_000 });
        Outbox { timer, ..*machine }.validate(config).is_ok()
    }

    fn renumber(&mut self, machine: &mut Outbox, former: Option<&mut Former<Self>>) {
        machine.timer.0 = machine.timer.0.min(TIMERS);
        let Some(former) = former else { return };
        if let Some(machine) = former.machine_mut() {
            machine.timer.0 = machine.timer.0.min(TIMERS);
        }
        if let Some((_, NotificationEvent::Elapsed { timer })) = former.taken_mut() {
            timer.0 = timer.0.min(TIMERS);
        }
        for order in former.orders_mut() {
            match order {
                NotificationEffect::Arm { timer, .. } | NotificationEffect::Disarm { timer } => {
                    timer.0 = timer.0.min(TIMERS);
                }
                NotificationEffect::Send { .. } | NotificationEffect::ReportUndelivered { .. } => {}
            }
        }
    }

    fn acts(&self, machine: &Outbox, acts: &mut Vec<Act>) {
        self.enabled(machine, acts);
    }

    fn event(&self, machine: &Outbox, act: Act) -> Option<NotificationEvent> {
        self.event_of(machine, act)
    }

    fn happens(&mut self, act: Act) {
        // A slow process has yet to send it while a copy of another one arrives.
        self.disorder |= self.is_left_behind && !matches!(act, Act::Deliver(..));
        match act {
            // Two owners put the same news on record if the store lets them.
            Act::Post => self.left.progress = self.left.progress.saturating_sub(1),
            Act::Complete => (self.completes, self.is_owed) = (false, true),
            Act::Cancel => (self.cancels, self.is_owed) = (false, true),
            Act::Deliver(index, news) => self.deliver(index, news),
            Act::Elapse => self.is_armed = false,
            Act::Acknowledge(_)
            | Act::Record(_)
            | Act::PostAgain(_)
            | Act::PostAhead
            | Act::CancelLate
            | Act::ElapseLate(_) => {}
        }
        // One end is enough, whichever was first.
        let has_end = self.ledger.all().any(|index| self.ledger.news(index) != Some(News::Progress));
        self.is_owed &= !has_end;
    }

    fn is_taken(&mut self, event: NotificationEvent) {
        match event {
            NotificationEvent::Posted { number, news } => {
                self.disorder |= index(number) != Some(self.ledger.count());
                self.ledger.note(news);
                self.is_owed &= news == News::Progress;
            }
            // What may still be said has its last attempt again.
            NotificationEvent::UndeliveredRecorded { number } => {
                let news = index(number).and_then(|index| self.ledger.news(index));
                self.is_left_behind = news.is_some_and(|news| news != News::Progress);
                (self.attempts, self.reporting) = (ATTEMPTS - 1, None);
            }
            NotificationEvent::Acknowledged { .. } | NotificationEvent::Elapsed { .. } => {}
        }
    }

    fn obeys(&mut self, order: NotificationEffect) {
        match order {
            NotificationEffect::Send { number, news } => {
                self.about(number, |around, index| around.send(index, news));
            }
            NotificationEffect::ReportUndelivered { number, .. } => self.about(number, |around, index| {
                around.disorder |= around.reporting == Some(index) || around.out != Some(index);
                around.reporting = Some(index);
                around.ledger.report(index);
            }),
            NotificationEffect::Arm { .. } => {
                self.disorder |= self.is_armed;
                self.is_armed = true;
            }
            NotificationEffect::Disarm { .. } => {
                self.disorder |= !self.is_armed;
                self.is_armed = false;
            }
        }
    }

    fn hears_of(&mut self, order: NotificationEffect) {
        match order {
            NotificationEffect::Send { number, news } => match index(number) {
                Some(index) if self.sent & 1 << index == 0 || self.ledger.news(index) != Some(news) => {
                    self.sent_beside = Some((index, news));
                }
                Some(_) => {}
                None => self.disorder = true,
            },
            NotificationEffect::ReportUndelivered { number, .. } => {
                self.about(number, |around, index| around.ledger.report(index));
            }
            NotificationEffect::Arm { .. } | NotificationEffect::Disarm { .. } => {}
        }
    }

    fn is_of_timer(order: NotificationEffect) -> bool {
        matches!(order, NotificationEffect::Arm { .. } | NotificationEffect::Disarm { .. })
    }

    fn elapses() -> Act {
        Act::Elapse
    }

    fn spend_crash(&mut self) -> Option<()> {
        self.left.crashes = self.left.crashes.checked_sub(1)?;
        Some(())
    }

    fn begin_anew(&mut self) {
        // The attempt that was under way is repeated under its number.
        self.attempts = self.attempts.saturating_sub(1);
        (self.reporting, self.is_armed) = (None, false);
    }

    fn unsettled(&self) -> Option<String> {
        self.untold()
    }

    fn properties() -> Vec<Property<Closed<Self>>> {
        let mut properties = of_notifications();
        properties.push(Property::always(
            "orders",
            "one notification is out at a time, so many times and no more, a conclusion again whenever that was reported, \
             and every other order is given once until a crash",
            |_, state: &State<Self>| !state.world.disorder,
            |_, state: &State<Self>| state.world.out.is_some() && state.world.is_armed,
            |_, _| "an order was given twice, too often, or out of turn".into(),
        ));
        properties
    }

    fn fair() -> Vec<Fair<Act>> {
        act::fair()
    }

    fn lanes() -> Vec<String> {
        words::lanes()
    }

    fn told(&self, act: Act) -> Arrow {
        words::told(act)
    }

    fn ordered(order: NotificationEffect) -> Arrow {
        words::ordered(order)
    }

    fn standing(&self, machine: &Outbox) -> String {
        words::standing(machine)
    }
}

impl Around {
    fn untold(&self) -> Option<String> {
        let untold = self.ledger.all().find(|index| !self.ledger.is_told(*index));
        let words = |index| {
            let news = self.ledger.news(index).map_or("nothing", news_word);
            format!("nobody is told notification {}, {news}", index + 1)
        };
        let owed = self.is_owed.then(|| "the task has ended, and its end was refused".to_owned());
        untold.map(words).or(owed)
    }
}

impl Judged for State<Around> {
    fn ledger(&self) -> &Ledger {
        &self.world.ledger
    }

    fn untold(&self) -> Option<String> {
        self.world.untold()
    }
}

/// A second owner beside a crash.
pub const BY_TWO: Left = Left { crashes: 1, ..LEFT };

/// What people are told, in order and once, by one owner and by two.
pub fn variants() -> [Variant; 2] {
    // One number is left for the end.
    let most = NOTIFICATIONS as u64 - 1;
    [
        variant("kernel-notifications", "the kernel's outbox of a remote task", LEFT, 0)
            .deep([("progress", most), ("crashes", 3)]),
        variant(
            "kernel-notifications-owners",
            "the same, and its owner is suspended, and replaced",
            BY_TWO,
            1,
        ),
    ]
}

fn variant(name: &'static str, about: &'static str, left: Left, owners: u8) -> Variant {
    let build = |bounds: &Bounds| {
        let byte = |name| u8::try_from(bounds.get(name)).unwrap_or(u8::MAX);
        Closed::new(Around::new(Left { progress: byte("progress"), crashes: byte("crashes") }))
            .with_owners(byte("owners"))
    };
    let most = NOTIFICATIONS as u64 - 1;
    Variant::new(name, about, build)
        .bound("progress", left.progress.into(), 0..=most, "things to say about a task that goes on")
        .bound("crashes", left.crashes.into(), 0..=3, "crashes, at rest or between two orders")
        .bound("owners", owners.into(), 0..=1, "processes that are suspended while another one goes on")
}

/// The two ends that somebody wants.
const COMPLETED: News = News::Concluded(Conclusion::Completed);
const CANCELLED: News = News::Concluded(Conclusion::Cancelled);
