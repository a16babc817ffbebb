//! The outbox beside its twin: a list of what waits, and one table over the events.

use super::beside::{self, Side};
use super::page::Observed;
use crate::config::Config;
use crate::notification::{
    Conclusion, News, NotificationEffect, NotificationEvent, NotificationNumber, NotificationRejected,
    NotificationTimer, Outbox, OutboxState,
};
use crate::vocabulary::{Ignored, Outcome};
use std::collections::BTreeSet;
use std::string::String;
use std::vec::Vec;

type Said = beside::Said<Outbox, NotificationEffect, NotificationRejected>;
type Twin = fn(&Outbox, NotificationEvent, &Config) -> Said;

/// Bounds that a few notifications and attempts reach.
fn small() -> Config {
    Config { notifications_max: 2, notification_attempts_max: 3, ..super::small() }
}

/// What waits, with what each is about: the twin's way to see an outbox.
fn waiting(at: &Outbox) -> Vec<(u32, News)> {
    let last = at.conclusion.map_or(News::Progress, News::Concluded);
    let news = |number| if number == at.accepted.0 { last } else { News::Progress };
    (at.settled.0 + 1..=at.accepted.0).map(|number| (number, news(number))).collect()
}

/// The waits after the first, the second and the third attempt, in milliseconds.
const PATIENCE: [u64; 3] = [1_000, 2_000, 4_000];

/// The orders of the attempt at a notification.
fn attempt(
    at: &Outbox,
    (number, news): (u32, News),
    attempt: u8,
    timer: u32,
) -> (Outbox, Vec<NotificationEffect>) {
    let (number, timer) = (NotificationNumber(number), NotificationTimer(timer));
    let after_ms = PATIENCE[usize::from(attempt) - 1];
    let effects = [NotificationEffect::Send { number, news }, NotificationEffect::Arm { timer, after_ms }];
    (Outbox { state: OutboxState::Sending { attempt }, timer, ..*at }, effects.into())
}

/// What the outbox makes of the event, written from what its vocabulary promises.
fn twin(at: &Outbox, event: NotificationEvent, config: &Config) -> Said {
    use NotificationEvent as E;
    use OutboxState as S;
    let ignored = |why| Err(Outcome::Ignored(why));
    let rejected = |why| Err(Outcome::Rejected(why));
    let never = rejected(NotificationRejected::NeverAsked { state: at.state, event });
    let queue = waiting(at);
    let next_timer = at.timer.0 + 1;
    // The first that waits is settled, and the second has its turn.
    let rest = |mut before: Vec<NotificationEffect>| {
        let at = Outbox { settled: NotificationNumber(at.settled.0 + 1), ..*at };
        let Some(second) = waiting(&at).first().copied() else {
            return Ok((Outbox { state: S::Idle, ..at }, before));
        };
        let (next, effects) = attempt(&at, second, 1, next_timer);
        before.extend(effects);
        Ok((next, before))
    };
    match event {
        E::Posted { number, .. } if (1..=at.accepted.0).contains(&number.0) => ignored(Ignored::Duplicate),
        E::Posted { .. } if at.conclusion.is_some() => ignored(Ignored::Terminal),
        E::Posted { number, .. } if number.0 != at.accepted.0 + 1 => {
            let expected = NotificationNumber(at.accepted.0 + 1);
            rejected(NotificationRejected::NotificationGap { expected, got: number })
        }
        E::Posted { number, news: News::Progress }
            if queue.len() >= usize::from(config.notifications_max) =>
        {
            rejected(NotificationRejected::OutboxFull { limit: config.notifications_max, number })
        }
        E::Posted { number, news } => {
            let conclusion = match news {
                News::Progress => None,
                News::Concluded(conclusion) => Some(conclusion),
            };
            let at = Outbox { accepted: number, conclusion, ..*at };
            if queue.is_empty() {
                Ok(attempt(&at, (number.0, news), 1, next_timer))
            } else {
                Ok((at, Vec::new()))
            }
        }

        E::Acknowledged { number } | E::UndeliveredRecorded { number }
            if (1..=at.settled.0).contains(&number.0) =>
        {
            ignored(Ignored::Duplicate)
        }
        E::Acknowledged { number } | E::UndeliveredRecorded { number }
            if queue.first().is_none_or(|(first, _)| *first != number.0) =>
        {
            never
        }
        E::Acknowledged { .. } => match at.state {
            S::Sending { .. } => rest(Vec::from([NotificationEffect::Disarm { timer: at.timer }])),
            S::Idle | S::Undelivered => ignored(Ignored::Stale),
        },
        E::UndeliveredRecorded { .. } => match at.state {
            S::Undelivered => match queue.first() {
                Some(last @ (_, News::Concluded(_))) => {
                    Ok(attempt(at, *last, config.notification_attempts_max, next_timer))
                }
                Some((_, News::Progress)) | None => rest(Vec::new()),
            },
            S::Idle | S::Sending { .. } => never,
        },

        E::Elapsed { timer } if timer.0 == 0 || timer > at.timer => never,
        E::Elapsed { timer } if timer < at.timer => ignored(Ignored::Stale),
        E::Elapsed { .. } => match (at.state, queue.first()) {
            (S::Sending { attempt: last }, Some((number, news)))
                if last >= config.notification_attempts_max =>
            {
                let number = NotificationNumber(*number);
                let report = NotificationEffect::ReportUndelivered { number, news: *news };
                Ok((Outbox { state: S::Undelivered, ..*at }, Vec::from([report])))
            }
            (S::Sending { attempt: last }, Some(first)) => Ok(attempt(at, *first, last + 1, next_timer)),
            (S::Sending { .. }, None) | (S::Idle | S::Undelivered, _) => ignored(Ignored::Stale),
        },
    }
}

/// What a restart repeats.
fn twin_resync(at: &Outbox, _: &Config) -> Vec<NotificationEffect> {
    match (at.state, waiting(at).first()) {
        (OutboxState::Sending { attempt: last }, Some(first)) => attempt(at, *first, last, at.timer.0).1,
        (OutboxState::Undelivered, Some((number, news))) => {
            let number = NotificationNumber(*number);
            Vec::from([NotificationEffect::ReportUndelivered { number, news: *news }])
        }
        (OutboxState::Sending { .. } | OutboxState::Undelivered, None) | (OutboxState::Idle, _) => Vec::new(),
    }
}

const CONCLUSIONS: [Conclusion; 3] = [Conclusion::Completed, Conclusion::Failed, Conclusion::Cancelled];

/// Every combination up to four notifications, sense or not.
fn combinations() -> Vec<Outbox> {
    use OutboxState as S;
    let attempts = (0..=4).map(|attempt| S::Sending { attempt });
    let states: Vec<S> = [S::Idle, S::Undelivered].into_iter().chain(attempts).collect();
    let conclusions: Vec<_> = [None].into_iter().chain(CONCLUSIONS.map(Some)).collect();
    let mut all = Vec::new();
    for (accepted, settled) in (0..=4).flat_map(|accepted| (0..=4).map(move |settled| (accepted, settled))) {
        for (state, conclusion) in
            states.iter().flat_map(|state| conclusions.iter().map(move |conclusion| (*state, *conclusion)))
        {
            all.extend((0..8).map(|timer| Outbox {
                state,
                accepted: NotificationNumber(accepted),
                settled: NotificationNumber(settled),
                conclusion,
                timer: NotificationTimer(timer),
            }));
        }
    }
    all
}

/// Those that can be.
fn situations() -> Vec<Outbox> {
    combinations().into_iter().filter(|at| at.validate(&small()).is_ok()).collect()
}

fn events(at: &Outbox) -> Vec<NotificationEvent> {
    use NotificationEvent as E;
    let mut events = Vec::new();
    for number in (0..=at.accepted.0 + 2).map(NotificationNumber) {
        let news = [News::Progress].into_iter().chain(CONCLUSIONS.map(News::Concluded));
        events.extend(news.map(|news| E::Posted { number, news }));
        events.extend([E::Acknowledged { number }, E::UndeliveredRecorded { number }]);
    }
    events.extend((0..=at.timer.0 + 1).map(|timer| E::Elapsed { timer: NotificationTimer(timer) }));
    events
}

fn machine(at: &Outbox, event: NotificationEvent, config: &Config) -> Said {
    beside::taken(at, |outbox, sink| outbox.step(event, config, sink))
}

/// Compares every pair until the first difference; how many there are.
fn compare(config: &Config, twin: Twin) -> Result<usize, String> {
    let repeats = |at: &Outbox, config: &Config| beside::repeated(|sink| at.resync(config, sink));
    let sides = [Side { takes: machine, repeats }, Side { takes: twin, repeats: twin_resync }];
    beside::compare(situations(), events, config, sides)
}

#[test]
fn outbox_and_twin_agree_on_every_pair() {
    let pairs = compare(&small(), twin).unwrap_or_else(|difference| panic!("{difference}"));
    assert!(pairs > 20_000, "the enumeration has shrunk to {pairs} pairs");
}

/// What is reached from the beginning, with timers left out of account.
#[test]
fn validate_accepts_the_outboxes_that_can_be_and_no_others() {
    let shape = |at: &Outbox| (at.state, at.accepted, at.settled, at.conclusion);
    let (mut reached, mut frontier) = (BTreeSet::new(), Vec::from([Outbox::default()]));
    while let Some(at) = frontier.pop() {
        assert_eq!(at.validate(&small()), Ok(()), "{at:?}");
        for event in events(&at) {
            let mut next = at;
            let _ = next.step(event, &small(), &mut |_| {});
            // A conclusion is sent for as long as nobody has it: with ever more timers.
            if next.accepted.0 <= 4 && next.timer.0 <= 12 && reached.insert(next) {
                frontier.push(next);
            }
        }
    }
    // Few timers are enough for each shape that is accepted.
    let accepted: BTreeSet<_> = situations().iter().map(shape).collect();
    let reached: BTreeSet<_> = reached.iter().filter(|at| at.timer.0 < 8).map(shape).collect();
    let either: Vec<_> = reached.symmetric_difference(&accepted).collect();
    assert!(either.is_empty(), "reached, or accepted, and not both: {either:?}");
}

const KINDS: [&str; 4] = ["Posted", "Acknowledged", "UndeliveredRecorded", "Elapsed"];

/// The boxes of the diagram with the states in them.
const BOXES: [(&str, &[&str]); 3] =
    [("Idle", &["Idle", "Idle(concluded)"]), ("Sending", &["Sending"]), ("Undelivered", &["Undelivered"])];

fn name(at: &Outbox) -> &'static str {
    match (at.state, at.conclusion) {
        (OutboxState::Idle, None) => "Idle",
        (OutboxState::Idle, Some(_)) => "Idle(concluded)",
        (OutboxState::Sending { .. }, _) => "Sending",
        (OutboxState::Undelivered, _) => "Undelivered",
    }
}

fn kind(event: NotificationEvent) -> &'static str {
    match event {
        NotificationEvent::Posted { .. } => "Posted",
        NotificationEvent::Acknowledged { .. } => "Acknowledged",
        NotificationEvent::UndeliveredRecorded { .. } => "UndeliveredRecorded",
        NotificationEvent::Elapsed { .. } => "Elapsed",
    }
}

fn outcome(refused: &Outcome<NotificationRejected>) -> &'static str {
    match refused {
        Outcome::Applied => "Applied",
        Outcome::Ignored(Ignored::Stale) => "Ignored(Stale)",
        Outcome::Ignored(Ignored::Duplicate) => "Ignored(Duplicate)",
        Outcome::Ignored(Ignored::Terminal) => "Ignored(Terminal)",
        Outcome::Rejected(NotificationRejected::NotificationGap { .. }) => "Rejected(NotificationGap)",
        Outcome::Rejected(NotificationRejected::OutboxFull { .. }) => "Rejected(OutboxFull)",
        Outcome::Rejected(NotificationRejected::NeverAsked { .. }) => "Rejected(NeverAsked)",
    }
}

#[test]
fn page_of_notification_shows_what_the_machine_does() {
    let mut observed = Observed::default();
    for at in situations() {
        for event in events(&at) {
            match machine(&at, event, &small()) {
                Ok((next, _)) => observed.applied(name(&at), kind(event), name(&next)),
                Err(refused) => observed.refused(name(&at), kind(event), outcome(&refused)),
            }
        }
    }
    let diagram = observed.diagram("Idle", &BOXES, &KINDS);
    observed.assert_page("notification", &diagram, &BOXES, &KINDS);
}

/// A twin with one wrong entry each: the comparison is not blind.
#[test]
fn comparison_finds_a_wrong_entry_of_the_twin_of_the_outbox() {
    let wrong: [(&str, Twin); 3] = [
        ("an effect less", |at, event, config| {
            let (outbox, mut effects) = twin(at, event, config)?;
            effects.truncate(2);
            Ok((outbox, effects))
        }),
        ("another refusal", |at, event, config| match twin(at, event, config) {
            Err(Outcome::Ignored(_)) => Err(Outcome::Ignored(Ignored::Stale)),
            other => other,
        }),
        ("the conclusion is forgotten", |at, event, config| {
            let (mut outbox, effects) = twin(at, event, config)?;
            outbox.conclusion = at.conclusion;
            Ok((outbox, effects))
        }),
    ];
    for (name, twin) in wrong {
        assert!(compare(&small(), twin).is_err(), "nobody noticed: {name}");
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn comparison_finds_every_planted_fault_of_the_outbox() {
    for fault in crate::faults::Fault::OF_NOTIFICATIONS.iter().copied() {
        let config = Config { fault: Some(fault), ..small() };
        assert!(compare(&config, twin).is_err(), "nobody noticed {fault:?}");
    }
}
