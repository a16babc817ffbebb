//! The outbox of a remote task: stories, and long random histories with a receiver that hears little and some of it twice.

use downbeat_kernel::{
    Conclusion, Config, Ignored, News, NotificationEffect, NotificationEvent, NotificationNumber,
    NotificationRejected, NotificationTimer, Outbox, OutboxState, Outcome,
};
use proptest::prelude::*;

const PROGRESS: News = News::Progress;
const COMPLETED: News = News::Concluded(Conclusion::Completed);
const CANCELLED: News = News::Concluded(Conclusion::Cancelled);

fn config() -> Config {
    Config { notifications_max: 3, notification_attempts_max: 2, ..Config::default() }
}

/// The outbox after these events, all of which are applied, and the effects of the last one.
#[track_caller]
fn after(events: &[NotificationEvent]) -> (Outbox, Vec<NotificationEffect>) {
    let (mut outbox, mut effects) = (Outbox::default(), Vec::new());
    for event in events {
        effects.clear();
        let outcome = outbox.step(*event, &config(), &mut |effect| effects.push(effect));
        assert_eq!(outcome, Outcome::Applied, "{event:?}");
    }
    (outbox, effects)
}

/// The outcome of an event that changes nothing.
#[track_caller]
fn refused(outbox: &Outbox, event: NotificationEvent) -> Outcome<NotificationRejected> {
    let (mut same, mut effects) = (*outbox, Vec::new());
    let outcome = same.step(event, &config(), &mut |effect| effects.push(effect));
    assert_eq!((&same, effects), (outbox, Vec::new()), "{event:?}");
    outcome
}

fn posted(number: u32, news: News) -> NotificationEvent {
    NotificationEvent::Posted { number: NotificationNumber(number), news }
}

fn acknowledged(number: u32) -> NotificationEvent {
    NotificationEvent::Acknowledged { number: NotificationNumber(number) }
}

fn recorded(number: u32) -> NotificationEvent {
    NotificationEvent::UndeliveredRecorded { number: NotificationNumber(number) }
}

fn elapsed(timer: u32) -> NotificationEvent {
    NotificationEvent::Elapsed { timer: NotificationTimer(timer) }
}

fn send(number: u32, news: News) -> NotificationEffect {
    NotificationEffect::Send { number: NotificationNumber(number), news }
}

fn report(number: u32, news: News) -> NotificationEffect {
    NotificationEffect::ReportUndelivered { number: NotificationNumber(number), news }
}

fn arm(timer: u32, after_ms: u64) -> NotificationEffect {
    NotificationEffect::Arm { timer: NotificationTimer(timer), after_ms }
}

fn disarm(timer: u32) -> NotificationEffect {
    NotificationEffect::Disarm { timer: NotificationTimer(timer) }
}

#[test]
fn one_notification_is_out_at_a_time_and_the_next_follows_its_end() {
    let two = [posted(1, PROGRESS), posted(2, COMPLETED)];
    assert_eq!(after(&two[..1]).1, [send(1, PROGRESS), arm(1, 1_000)]);
    #[rustfmt::skip]
    let cases: [(&str, &[NotificationEvent], &[NotificationEffect]); 5] = [
        ("the second waits",              &[],                                      &[]),
        ("the first is acknowledged",     &[acknowledged(1)],                       &[disarm(1), send(2, COMPLETED), arm(2, 1_000)]),
        ("the first is sent again",       &[elapsed(1)],                            &[send(1, PROGRESS), arm(2, 2_000)]),
        ("the first is given up",         &[elapsed(1), elapsed(2)],                &[report(1, PROGRESS)]),
        ("that is on record",             &[elapsed(1), elapsed(2), recorded(1)],   &[send(2, COMPLETED), arm(3, 1_000)]),
    ];
    for (name, events, effects) in cases {
        assert_eq!(after(&[&two[..], events].concat()).1, effects, "{name}");
    }
}

#[test]
fn a_conclusion_is_the_last_word_and_has_always_room() {
    let full = [posted(1, PROGRESS), posted(2, PROGRESS), posted(3, PROGRESS)];
    let concluded = [&full[..], &[posted(4, COMPLETED)]].concat();
    let delivered = [posted(1, COMPLETED), acknowledged(1)];
    let limit = NotificationRejected::OutboxFull { limit: 3, number: NotificationNumber(4) };
    let gap = |expected, got| {
        let (expected, got) = (NotificationNumber(expected), NotificationNumber(got));
        Outcome::Rejected(NotificationRejected::NotificationGap { expected, got })
    };
    let terminal = Outcome::Ignored(Ignored::Terminal);
    let duplicate = Outcome::Ignored(Ignored::Duplicate);
    #[rustfmt::skip]
    let cases: [(&str, &[NotificationEvent], NotificationEvent, Outcome<NotificationRejected>); 9] = [
        ("no room for more",               &full,      posted(4, PROGRESS),  Outcome::Rejected(limit)),
        ("another conclusion",             &concluded, posted(5, CANCELLED), terminal.clone()),
        ("something late",                 &concluded, posted(5, PROGRESS),  terminal.clone()),
        ("with a number left out",         &concluded, posted(7, PROGRESS),  terminal.clone()),
        ("after all is delivered",         &delivered, posted(2, CANCELLED), terminal),
        ("the conclusion comes again",     &concluded, posted(4, COMPLETED), duplicate.clone()),
        ("its number says something else", &concluded, posted(4, CANCELLED), duplicate),
        ("a number left out",              &full[..1], posted(3, PROGRESS),  gap(2, 3)),
        ("no number",                      &full[..1], posted(0, PROGRESS),  gap(2, 0)),
    ];
    for (name, events, event, outcome) in cases {
        assert_eq!(refused(&after(events).0, event), outcome, "{name}");
    }
}

#[test]
fn what_comes_late_or_for_another_number_is_named() {
    let sent = [posted(1, PROGRESS), posted(2, PROGRESS), acknowledged(1)];
    let given_up = [posted(1, PROGRESS), elapsed(1), elapsed(2)];
    let never = |state, event| Outcome::Rejected(NotificationRejected::NeverAsked { state, event });
    let sending = |attempt| OutboxState::Sending { attempt };
    let duplicate = Outcome::Ignored(Ignored::Duplicate);
    let stale = Outcome::Ignored(Ignored::Stale);
    #[rustfmt::skip]
    let cases: [(&str, &[NotificationEvent], NotificationEvent, Outcome<NotificationRejected>); 9] = [
        ("acknowledged twice",             &sent,      acknowledged(1), duplicate),
        ("acknowledged before it is sent", &sent[..2], acknowledged(2), never(sending(1), acknowledged(2))),
        ("nothing was sent",               &[],        acknowledged(1), never(OutboxState::Idle, acknowledged(1))),
        ("acknowledged when given up",     &given_up,  acknowledged(1), stale.clone()),
        ("nothing was given up",           &sent,      recorded(2),     never(sending(1), recorded(2))),
        ("an old timer",                   &sent,      elapsed(1),      stale.clone()),
        ("no timer runs",                  &given_up,  elapsed(2),      stale),
        ("a timer that was never armed",   &sent,      elapsed(3),      never(sending(1), elapsed(3))),
        ("no timer at all",                &sent,      elapsed(0),      never(sending(1), elapsed(0))),
    ];
    for (name, events, event, outcome) in cases {
        assert_eq!(refused(&after(events).0, event), outcome, "{name}");
    }
}

#[test]
fn resync_repeats_what_is_outstanding() {
    #[rustfmt::skip]
    let cases: [(&str, &[NotificationEvent], &[NotificationEffect]); 5] = [
        ("idle",              &[],                                           &[]),
        ("sent",              &[posted(1, COMPLETED)],                       &[send(1, COMPLETED), arm(1, 1_000)]),
        ("sent again",        &[posted(1, PROGRESS), elapsed(1)],            &[send(1, PROGRESS), arm(2, 2_000)]),
        ("given up",          &[posted(1, COMPLETED), elapsed(1), elapsed(2)], &[report(1, COMPLETED)]),
        ("delivered",         &[posted(1, COMPLETED), acknowledged(1)],      &[]),
    ];
    for (name, events, effects) in cases {
        let (outbox, mut repeated) = (after(events).0, Vec::new());
        outbox.resync(&config(), &mut |effect| repeated.push(effect));
        assert_eq!(repeated, effects, "{name}");
    }
}

/// Somebody who posts, and a receiver that remembers the highest number it has seen.
#[derive(Default)]
struct World {
    outbox: Outbox,
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
    fn take(&mut self, event: NotificationEvent) {
        let (before, mut effects) = (self.outbox, Vec::new());
        let outcome = self.outbox.step(event, &config(), &mut |effect| effects.push(effect));
        if outcome == Outcome::Applied {
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
                self.accepted.push(news);
            }
            NotificationEvent::Acknowledged { number } => {
                assert_eq!(self.out.take().map(|(number, _)| number), Some(number.0), "it was not out");
            }
            NotificationEvent::UndeliveredRecorded { .. } => self.reporting = None,
            NotificationEvent::Elapsed { timer } => assert_eq!(self.timer.take(), Some(timer)),
        }
    }

    fn obey(&mut self, effect: NotificationEffect, event: NotificationEvent) {
        match effect {
            NotificationEffect::Send { number, news } => {
                let known = self.out.filter(|(out, _)| *out == number.0);
                assert_eq!(self.out, known, "S24: {number:?} overtakes");
                assert_eq!(self.accepted[number.0 as usize - 1], news, "S24: other news");
                self.out = Some((number.0, known.map_or(0, |(_, sent)| sent) + 1));
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
        self.outbox.resync(&config(), &mut |effect| repeated.push(effect));
        let news = |number: u32| self.accepted[number as usize - 1];
        let mut owed = Vec::new();
        owed.extend(self.out.map(|(number, _)| send(number, news(number))));
        owed.extend(self.reporting.map(|number| report(number, news(number))));
        let after_ms = self.out.map_or(0, |(_, sent)| [0, 1_000, 2_000][usize::from(sent)]);
        owed.extend(self.timer.map(|timer| NotificationEffect::Arm { timer, after_ms }));
        assert_eq!(repeated, owed);
        assert_eq!(self.outbox.validate(&config()), Ok(()), "{:?}", self.outbox);
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
        match choice % 9 {
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
            _ => self.take(posted(number % (next + 2), CANCELLED)),
        }
    }

    /// From here on the receiver hears everything, and reports go on record.
    fn come_to_rest(&mut self) {
        for _ in 0..=4 {
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

proptest! {
    #[test]
    fn everything_is_shown_in_order_or_reported_and_nothing_follows_a_conclusion(
        events in proptest::collection::vec((any::<u8>(), any::<u32>()), 0..300),
    ) {
        let mut world = World::default();
        for (choice, number) in events {
            world.happen(choice, number);
        }
        world.come_to_rest();
        prop_assert_eq!((world.out, world.reporting, world.timer), (None, None, None), "{:?}", world.outbox);
        let told = |number: u32| world.shown.contains(&number) || world.reported.contains(&number);
        prop_assert!((1..=world.outbox.accepted.0).all(told), "S24: {:?} {:?}", world.shown, world.reported);
        prop_assert!(world.shown.is_sorted());
    }
}
