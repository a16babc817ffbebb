//! The outbox of a remote task: stories, event by event.

use downbeat_kernel::{
    Conclusion, Config, Ignored, News, NotificationEffect, NotificationEvent, NotificationNumber,
    NotificationRejected, NotificationTimer, Outbox, OutboxState, Outcome,
};

pub(crate) const PROGRESS: News = News::Progress;
pub(crate) const COMPLETED: News = News::Concluded(Conclusion::Completed);
pub(crate) const CANCELLED: News = News::Concluded(Conclusion::Cancelled);

pub(crate) fn config() -> Config {
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

pub(crate) fn posted(number: u32, news: News) -> NotificationEvent {
    NotificationEvent::Posted { number: NotificationNumber(number), news }
}

pub(crate) fn acknowledged(number: u32) -> NotificationEvent {
    NotificationEvent::Acknowledged { number: NotificationNumber(number) }
}

pub(crate) fn recorded(number: u32) -> NotificationEvent {
    NotificationEvent::UndeliveredRecorded { number: NotificationNumber(number) }
}

pub(crate) fn elapsed(timer: u32) -> NotificationEvent {
    NotificationEvent::Elapsed { timer: NotificationTimer(timer) }
}

pub(crate) fn send(number: u32, news: News) -> NotificationEffect {
    NotificationEffect::Send { number: NotificationNumber(number), news }
}

pub(crate) fn report(number: u32, news: News) -> NotificationEffect {
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
fn a_conclusion_is_sent_until_somebody_has_it() {
    let reported = [posted(1, COMPLETED), elapsed(1), elapsed(2)];
    #[rustfmt::skip]
    let cases: [(&str, &[NotificationEvent], &[NotificationEffect]); 4] = [
        ("it is reported",    &[],                                       &[report(1, COMPLETED)]),
        ("and sent again",    &[recorded(1)],                            &[send(1, COMPLETED), arm(3, 2_000)]),
        ("and again",         &[recorded(1), elapsed(3), recorded(1)],   &[send(1, COMPLETED), arm(4, 2_000)]),
        ("until it is there", &[recorded(1), acknowledged(1)],           &[disarm(3)]),
    ];
    for (name, events, effects) in cases {
        assert_eq!(after(&[&reported[..], events].concat()).1, effects, "{name}");
    }
}

/// Who has one attempt is sent each again with the patience of the first.
#[test]
fn a_conclusion_that_has_one_attempt_is_sent_again_as_at_first() {
    let config = Config { notification_attempts_max: 1, ..config() };
    let (mut outbox, mut effects) = (Outbox::default(), Vec::new());
    for event in [posted(1, COMPLETED), elapsed(1), recorded(1)] {
        effects.clear();
        assert_eq!(outbox.step(event, &config, &mut |effect| effects.push(effect)), Outcome::Applied);
    }
    assert_eq!(effects, [send(1, COMPLETED), arm(2, 1_000)]);
    assert_eq!(outbox.validate(&config), Ok(()));
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
