//! The outbox of a remote task in long random histories, with a receiver that hears little and some of it twice, and crashes.

#[cfg(feature = "planted-faults")]
use crate::lives::assert_judged;
use crate::lives::{COUNTED_OUT, Chances, chances, damaged, other_numbers};
use crate::notification::{
    CANCELLED, COMPLETED, PROGRESS, acknowledged, config, elapsed, posted, recorded, report, send,
};
use downbeat_kernel::{
    Config, News, NotificationEffect, NotificationEvent, NotificationRecord, NotificationTimer, Outbox,
    Outcome,
};
use proptest::prelude::*;
use proptest::sample::Index;

/// Somebody who posts, and a receiver that remembers the highest number it has seen.
#[derive(Default)]
struct World {
    config: Config,
    outbox: Outbox,
    /// What was applied, as records.
    journal: Vec<String>,
    /// What was accepted, in its order.
    accepted: Vec<News>,
    /// What is out and was not acknowledged, and how often it was sent.
    out: Option<(u32, u8)>,
    reporting: Option<u32>,
    timer: Option<NotificationTimer>,
    /// What the receiver has shown, by number.
    shown: Vec<u32>,
    reported: Vec<u32>,
}

impl World {
    fn live(chances: &Chances, config: Config) -> Self {
        let mut world = Self { config, ..Self::default() };
        for (choice, number) in chances {
            world.happen(*choice, *number);
        }
        world
    }

    fn take(&mut self, event: NotificationEvent) {
        let (before, mut effects) = (self.outbox, Vec::new());
        let outcome = self.outbox.step(event, &self.config, &mut |effect| effects.push(effect));
        if outcome == Outcome::Applied {
            let record = serde_json::to_string(&NotificationRecord::from(event));
            self.journal.push(record.expect("a record has no maps"));
            self.learn(event);
        } else {
            assert_eq!((before, &effects[..]), (self.outbox, &[][..]), "S25: {event:?}");
            let is_owed = event == posted(self.next(), COMPLETED) && self.outbox.conclusion.is_none();
            assert!(!is_owed, "S24: a conclusion is refused");
        }
        for effect in effects {
            self.obey(effect, event);
        }
        self.judge();
    }

    /// The number of what is posted next.
    fn next(&self) -> u32 {
        u32::try_from(self.accepted.len() + 1).unwrap_or(u32::MAX)
    }

    fn learn(&mut self, event: NotificationEvent) {
        match event {
            NotificationEvent::Posted { number, news } => {
                assert_eq!(number.0, self.next(), "it was accepted before, or one before it was not");
                let over = self.accepted.iter().any(|news| *news != PROGRESS);
                assert!(!over, "S24: {news:?} after the conclusion");
                let first = self.out.map(|(number, _)| number).or(self.reporting).unwrap_or(number.0);
                let has_room = number.0 - first < 3 || news != PROGRESS;
                assert!(has_room, "bound: {number:?} waits behind {first}");
                self.accepted.push(news);
            }
            NotificationEvent::Acknowledged { number } => {
                assert_eq!(self.out.take().map(|(number, _)| number), Some(number.0), "it was not out");
            }
            NotificationEvent::UndeliveredRecorded { .. } => self.reporting = None,
            NotificationEvent::Elapsed { timer } => {
                assert_eq!(self.timer.take(), Some(timer), "an old timer");
            }
        }
    }

    fn obey(&mut self, effect: NotificationEffect, event: NotificationEvent) {
        match effect {
            NotificationEffect::Send { number, news } => {
                let known = self.out.filter(|(out, _)| *out == number.0);
                assert_eq!(self.out, known, "S24: {number:?} overtakes");
                assert_eq!(self.accepted[number.0 as usize - 1], news, "S24: other news");
                // A conclusion that was reported has its last attempt again.
                let before = known.map_or(u8::from(self.reported.contains(&number.0)), |(_, sent)| sent);
                self.out = Some((number.0, before + 1));
                assert!(self.out.is_some_and(|(_, sent)| sent <= 2), "sent past its budget");
            }
            NotificationEffect::ReportUndelivered { number, .. } => {
                assert_eq!(self.out.take(), Some((number.0, 2)), "given up early");
                self.reporting = Some(number.0);
                self.reported.push(number.0);
            }
            NotificationEffect::Arm { timer, .. } => {
                assert_eq!(self.timer.replace(timer), None, "two timers after {event:?}");
            }
            NotificationEffect::Disarm { timer } => assert_eq!(self.timer.take(), Some(timer)),
        }
    }

    /// A restart repeats exactly what this list holds outstanding.
    fn judge(&self) {
        let mut repeated = Vec::new();
        self.outbox.resync(&self.config, &mut |effect| repeated.push(effect));
        let news = |number: u32| self.accepted[number as usize - 1];
        let mut owed = Vec::new();
        owed.extend(self.out.map(|(number, _)| send(number, news(number))));
        owed.extend(self.reporting.map(|number| report(number, news(number))));
        let after_ms = self.out.map_or(0, |(_, sent)| [0, 1_000, 2_000][usize::from(sent)]);
        owed.extend(self.timer.map(|timer| NotificationEffect::Arm { timer, after_ms }));
        assert_eq!(repeated, owed, "L1: repeated and owed");
        if self.config == config() {
            assert_eq!(self.outbox.validate(&self.config), Ok(()), "{:?}", self.outbox);
        }
    }

    /// A crash: who comes after it has the journal, and of what is outstanding the orders that are repeated. How often the first
    /// was sent before is the sender's to know, and to bound.
    fn restart(&mut self) {
        let (mut again, mut orders) = (Outbox::default(), Vec::new());
        for line in &self.journal {
            let record: NotificationRecord = serde_json::from_str(line).expect("it was written");
            assert_eq!(again.step(record.into(), &self.config, &mut |_| {}), Outcome::Applied);
        }
        assert_eq!(again, self.outbox, "a journal led to another state");
        let sent = self.out.map_or(0, |(_, sent)| sent);
        (self.out, self.reporting, self.timer) = (None, None, None);
        again.resync(&self.config, &mut |order| orders.push(order));
        for order in orders {
            match order {
                NotificationEffect::Send { number, .. } => self.out = Some((number.0, sent)),
                NotificationEffect::ReportUndelivered { number, .. } => self.reporting = Some(number.0),
                NotificationEffect::Arm { timer, .. } => self.timer = Some(timer),
                NotificationEffect::Disarm { .. } => panic!("nothing runs after a crash: {order:?}"),
            }
        }
        self.outbox = again;
    }

    /// The receiver sees what is out, and drops what is not above all that it has seen.
    fn deliver(&mut self) {
        if let Some((number, _)) = self.out
            && self.shown.last().is_none_or(|last| *last < number)
        {
            self.shown.push(number);
        }
    }

    /// What may happen next, by chance: much of it late, doubled or never asked for.
    fn happen(&mut self, choice: u8, number: u32) {
        let next = self.next();
        let news = if number.is_multiple_of(29) { COMPLETED } else { PROGRESS };
        match choice % 10 {
            0 | 1 => self.take(posted(next, news)),
            2 => self.deliver(),
            3 => {
                self.deliver();
                let out = self.out.map_or(next, |(number, _)| number);
                self.take(acknowledged(out));
            }
            4 => self.take(NotificationEvent::Elapsed { timer: self.timer.unwrap_or_default() }),
            5 => self.take(recorded(self.reporting.unwrap_or(number % (next + 1)))),
            // A copy that was on the way.
            6 => self.take(acknowledged(number % self.outbox.settled.0.max(1))),
            7 => self.take(elapsed(number % (self.outbox.timer.0 + 2))),
            8 => self.restart(),
            _ => self.take(posted(number % (next + 2), CANCELLED)),
        }
    }

    /// From here on the receiver hears everything, and reports go on record.
    fn come_to_rest(&mut self) {
        for _ in 0..=5 {
            self.deliver();
            if let Some((number, _)) = self.out {
                self.take(acknowledged(number));
            }
            if let Some(number) = self.reporting {
                self.take(recorded(number));
            }
        }
    }
}

/// L1, S24: nothing is owed any more, and everything was shown or reported, in its order.
fn assert_at_rest(world: &World) {
    assert_eq!((world.out, world.reporting, world.timer), (None, None, None), "L1: {:?}", world.outbox);
    let is_progress = |number: u32| world.accepted[number as usize - 1] == PROGRESS;
    let reported = |number: u32| is_progress(number) && world.reported.contains(&number);
    let told = |number: u32| world.shown.contains(&number) || reported(number);
    assert!((1..=world.outbox.accepted.0).all(told), "S24: {:?} {:?}", world.shown, world.reported);
    assert!(world.shown.is_sorted(), "S24: {:?}", world.shown);
}

/// Whatever an event can say, near what the outbox knows.
fn any_event(outbox: &Outbox, choice: u8, number: u32) -> NotificationEvent {
    let near = |last: u32| if number.is_multiple_of(2) { last.wrapping_add(1) } else { number / 2 % 6 };
    match choice % 6 {
        0 => posted(near(outbox.accepted.0), PROGRESS),
        1 if number.is_multiple_of(5) => posted(near(outbox.accepted.0), COMPLETED),
        1 | 2 => acknowledged(near(outbox.settled.0)),
        3 => recorded(near(outbox.settled.0)),
        4 => NotificationEvent::Elapsed { timer: outbox.timer },
        _ => elapsed(number % 9),
    }
}

proptest! {
    #[test]
    fn everything_is_shown_in_order_or_reported_and_nothing_follows_a_conclusion(chances in chances(0..300)) {
        let mut world = World::live(&chances, config());
        world.come_to_rest();
        assert_at_rest(&world);
    }

    /// Numbers in the place of numbers: the snapshot cannot be read, is found out, or is a state from which no event leads
    /// out of validity.
    #[test]
    fn damaged_outbox_never_panics(
        before in chances(0..100), place in any::<Index>(), number in other_numbers(), after in chances(1..50),
    ) {
        let world = World::live(&before, config());
        let read = damaged(&world.outbox, place, number);
        if let Some(mut outbox) = read.filter(|outbox| outbox.validate(&config()).is_ok()) {
            for (choice, chance) in after {
                let event = any_event(&outbox, choice, chance);
                drop(outbox.step(event, &config(), &mut |_| {}));
                let is_valid = outbox.validate(&config()).is_ok();
                prop_assert!(number == COUNTED_OUT || is_valid, "{event:?} leads to {outbox:?}");
            }
        }
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn judge_finds_every_planted_fault_of_the_outbox() {
    use downbeat_kernel::Fault as F;
    let judged = [
        (F::NotificationDoubled, "it was accepted before"),
        (F::NotificationSentAgain, "S25: "),
        (F::NotificationGapTaken, "it was accepted before"),
        (F::OutboxUnbounded, "bound: "),
        (F::ConclusionRefused, "S24: "),
        (F::ConclusionContradicted, "S24: "),
        (F::NotificationOvertakes, "S24: "),
        (F::AnyNotificationAcknowledged, "it was not out"),
        (F::NotificationSentOnce, "L1: repeated and owed"),
        (F::AnyNotificationTimer, "an old timer"),
        (F::NotificationTimerLeft, "two timers"),
        (F::NotificationNeverGivenUp, "sent past its budget"),
        (F::GivenUpSilently, "S24: "),
        (F::ConclusionGivenUp, "S24: "),
        (F::ResyncForgetsNotification, "L1: repeated and owed"),
        (F::ResyncForgetsUndelivered, "L1: repeated and owed"),
        (F::ResyncForgetsNotificationTimer, "L1: repeated and owed"),
    ];
    assert_judged(&judged, F::OF_NOTIFICATIONS, |fault, chances| {
        let mut world = World::live(chances, Config { fault: Some(fault), ..config() });
        world.come_to_rest();
        assert_at_rest(&world);
    });
}
