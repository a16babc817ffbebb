//! The attempts at a remote task: stories, event by event.

use downbeat_kernel::{
    AttemptEnd, AttemptNumber, Config, FailureClass, Finding, Ignored, Outcome, QueryNumber, Retry,
    RetryEffect, RetryEnd, RetryEvent, RetryReason, RetryRejected, RetryTimer,
};

use AttemptEnd::{Failed, Succeeded, Unknown};
use FailureClass::{Permanent, Transient};

const ATTEMPT_MS: u64 = 600_000;
const QUERY_MS: u64 = 10_000;

pub(crate) fn config() -> Config {
    Config { queries_max: 2, ..Config::default() }
}

/// The task after these events, all of which are applied, and the effects of the last one.
#[track_caller]
fn after(events: &[RetryEvent]) -> (Retry, Vec<RetryEffect>) {
    let (mut retry, mut effects) = (Retry::default(), Vec::new());
    for event in events {
        effects.clear();
        let outcome = retry.step(*event, &config(), &mut |effect| effects.push(effect));
        assert_eq!(outcome, Outcome::Applied, "{event:?}");
    }
    (retry, effects)
}

/// The outcome of an event that changes nothing.
#[track_caller]
fn refused(retry: &Retry, event: RetryEvent) -> Outcome<RetryRejected> {
    let (mut same, mut effects) = (*retry, Vec::new());
    let outcome = same.step(event, &config(), &mut |effect| effects.push(effect));
    assert_eq!((&same, effects), (retry, Vec::new()), "{event:?}");
    outcome
}

pub(crate) const SUBMITTED: RetryEvent = RetryEvent::Submitted;
pub(crate) const CANCEL: RetryEvent = RetryEvent::CancelRequested;

pub(crate) fn ended(attempt: u32, end: AttemptEnd) -> RetryEvent {
    RetryEvent::AttemptEnded { attempt: AttemptNumber(attempt), end }
}

pub(crate) fn found(attempt: u32, query: u32, finding: Finding) -> RetryEvent {
    RetryEvent::Found { attempt: AttemptNumber(attempt), query: QueryNumber(query), finding }
}

pub(crate) fn elapsed(timer: u32) -> RetryEvent {
    RetryEvent::Elapsed { timer: RetryTimer(timer) }
}

fn begin(attempt: u32) -> RetryEffect {
    RetryEffect::Begin { attempt: AttemptNumber(attempt) }
}

fn query(attempt: u32, query: u32) -> RetryEffect {
    RetryEffect::Query { attempt: AttemptNumber(attempt), query: QueryNumber(query) }
}

fn fence(attempt: u32, query: u32) -> RetryEffect {
    RetryEffect::Fence { attempt: AttemptNumber(attempt), query: QueryNumber(query) }
}

fn arm(timer: u32, after_ms: u64) -> RetryEffect {
    RetryEffect::Arm { timer: RetryTimer(timer), after_ms }
}

fn disarm(timer: u32) -> RetryEffect {
    RetryEffect::Disarm { timer: RetryTimer(timer) }
}

fn completed(attempt: u32) -> RetryEffect {
    RetryEffect::Ended { end: RetryEnd::Completed { attempt: AttemptNumber(attempt) } }
}

fn failed(reason: RetryReason) -> RetryEffect {
    RetryEffect::Ended { end: RetryEnd::Failed(reason) }
}

const CANCELLED: RetryEffect = RetryEffect::Ended { end: RetryEnd::Cancelled };
const UNCONFIRMED: RetryEffect = RetryEffect::Ended { end: RetryEnd::CancelUnconfirmed };

#[test]
fn an_attempt_that_ended_is_followed_by_what_its_end_calls_for() {
    let throttled = FailureClass::Throttled { retry_after_ms: 90_000 };
    assert_eq!(after(&[SUBMITTED]).1, [begin(1), arm(1, ATTEMPT_MS)]);
    let again = [ended(1, Failed(Transient)), elapsed(2)];
    let third = [&again[..], &[ended(2, Failed(Transient)), elapsed(4)]].concat();
    #[rustfmt::skip]
    let cases: [(&str, &[RetryEvent], &[RetryEffect]); 8] = [
        ("it succeeded",            &[ended(1, Succeeded)],                                &[disarm(1), completed(1)]),
        ("it may pass",             &[ended(1, Failed(Transient))],                        &[disarm(1), arm(2, 30_000)]),
        ("the wait is over",        &again,                                                &[begin(2), arm(3, ATTEMPT_MS)]),
        ("it may pass once more",   &[&again[..], &[ended(2, Failed(Transient))]].concat(), &[disarm(3), arm(4, 60_000)]),
        ("the third was the last",  &[&third[..], &[ended(3, Failed(Transient))]].concat(), &[disarm(5), failed(RetryReason::Exhausted)]),
        ("somebody asks to wait",   &[ended(1, Failed(throttled))],                        &[disarm(1), arm(2, 91_000)]),
        ("another try cannot help", &[ended(1, Failed(Permanent))],                        &[disarm(1), failed(RetryReason::Permanent)]),
        ("nobody knows",            &[ended(1, Unknown)],                                  &[disarm(1), query(1, 1), arm(2, QUERY_MS)]),
    ];
    for (name, events, effects) in cases {
        assert_eq!(after(&[&[SUBMITTED], events].concat()).1, effects, "{name}");
    }
}

#[test]
fn what_may_have_succeeded_is_asked_about_and_fenced_before_it_is_tried_again() {
    let unknown = [SUBMITTED, ended(1, Unknown)];
    let absent = [&unknown[..], &[found(1, 1, Finding::NeverStarted)]].concat();
    let wait = |timer| Vec::from([disarm(timer), arm(timer + 1, 30_000)]);
    #[rustfmt::skip]
    let cases: [(&str, &[RetryEvent], RetryEvent, Vec<RetryEffect>); 12] = [
        ("nothing was heard for long",    &unknown[..1], elapsed(1),                            vec![query(1, 1), arm(2, QUERY_MS)]),
        ("it had succeeded",              &unknown,      found(1, 1, Finding::Succeeded),        vec![disarm(2), completed(1)]),
        ("it had failed",                 &unknown,      found(1, 1, Finding::Failed(Transient)), wait(2)),
        ("it runs",                       &unknown,      found(1, 1, Finding::StillRunning),     vec![disarm(2), arm(3, ATTEMPT_MS)]),
        ("nobody has begun",              &unknown,      found(1, 1, Finding::NeverStarted),     vec![disarm(2), fence(1, 2), arm(3, QUERY_MS)]),
        ("its report comes after all",    &unknown,      ended(1, Succeeded),                    vec![disarm(2), completed(1)]),
        ("the question was lost",         &unknown,      elapsed(2),                             vec![query(1, 1), arm(3, QUERY_MS)]),
        ("it has its fence",              &absent,       found(1, 2, Finding::NeverStarted),     wait(3)),
        ("it ran, and has its fence",     &absent,       found(1, 2, Finding::StillRunning),     wait(3)),
        ("it was faster than its fence",  &absent,       found(1, 2, Finding::Succeeded),        vec![disarm(3), completed(1)]),
        ("and its report is faster still", &absent,      ended(1, Succeeded),                    vec![disarm(3), completed(1)]),
        ("the fence was lost",            &absent,       elapsed(3),                             vec![fence(1, 2), arm(4, QUERY_MS)]),
    ];
    for (name, events, event, effects) in cases {
        assert_eq!(after(&[events, &[event]].concat()).1, effects, "{name}");
    }
}

#[test]
fn a_question_that_nobody_answers_ends_the_task_as_unknown() {
    let unknown = [SUBMITTED, ended(1, Unknown)];
    let absent = [&unknown[..], &[found(1, 1, Finding::NeverStarted)]].concat();
    for (name, events, timers) in [("a question", &unknown[..], [2, 3]), ("a fence", &absent[..], [3, 4])] {
        let (retry, effects) = after(&[events, &timers.map(elapsed)].concat());
        assert_eq!(effects, [failed(RetryReason::Unknown)], "{name}");
        let late = refused(&retry, ended(1, Succeeded));
        assert_eq!(late, Outcome::Ignored(Ignored::Terminal), "{name}");
    }
}

#[test]
fn a_cancel_ends_the_task_once_wherever_it_stands() {
    let unknown = [SUBMITTED, ended(1, Unknown)];
    let absent = [&unknown[..], &[found(1, 1, Finding::NeverStarted)]].concat();
    let waits = [SUBMITTED, ended(1, Failed(Transient))];
    let fenced = |timer, number| Vec::from([disarm(timer), fence(1, number), arm(timer + 1, QUERY_MS)]);
    #[rustfmt::skip]
    let cases: [(&str, &[RetryEvent], Vec<RetryEffect>); 5] = [
        ("before the first attempt", &[],          vec![CANCELLED]),
        ("while it runs",            &[SUBMITTED], fenced(1, 1)),
        ("while it is asked about",  &unknown,     fenced(2, 2)),
        ("while it is fenced",       &absent,      fenced(3, 3)),
        ("between two attempts",     &waits,       vec![disarm(2), CANCELLED]),
    ];
    for (name, events, effects) in cases {
        assert_eq!(after(&[events, &[CANCEL]].concat()).1, effects, "{name}");
    }
    let cancelling = [SUBMITTED, CANCEL];
    #[rustfmt::skip]
    let ends: [(&str, &[RetryEvent], Vec<RetryEffect>); 4] = [
        ("it has its fence",      &[found(1, 1, Finding::StillRunning)], vec![disarm(2), CANCELLED]),
        ("it was completed",      &[found(1, 1, Finding::Succeeded)],    vec![disarm(2), CANCELLED]),
        ("its report comes",      &[ended(1, Succeeded)],                vec![disarm(2), CANCELLED]),
        ("nobody answers",        &[elapsed(2), elapsed(3)],             vec![UNCONFIRMED]),
    ];
    for (name, events, effects) in ends {
        let (retry, last) = after(&[&cancelling[..], events].concat());
        assert_eq!(last, effects, "{name}");
        for event in [CANCEL, SUBMITTED, ended(1, Succeeded), found(1, 1, Finding::Succeeded)] {
            assert_eq!(refused(&retry, event), Outcome::Ignored(Ignored::Terminal), "{name}: {event:?}");
        }
    }
}

#[test]
fn what_comes_late_or_from_nowhere_is_named() {
    let second = [SUBMITTED, ended(1, Failed(Transient)), elapsed(2), ended(2, Unknown)];
    let running = [&second[..], &[found(2, 1, Finding::StillRunning)]].concat();
    let fencing = [&second[..], &[found(2, 1, Finding::NeverStarted)]].concat();
    let never = |events: &[RetryEvent], event| {
        Outcome::Rejected(RetryRejected::NeverAsked { state: after(events).0.state, event })
    };
    let (stale, duplicate) = (Outcome::Ignored(Ignored::Stale), Outcome::Ignored(Ignored::Duplicate));
    #[rustfmt::skip]
    let cases: [(&str, &[RetryEvent], RetryEvent, Outcome<RetryRejected>); 14] = [
        ("submitted again",               &second,      SUBMITTED,                              duplicate.clone()),
        ("an older attempt",              &second,      ended(1, Succeeded),                    stale.clone()),
        ("an attempt to come",            &second,      ended(3, Succeeded),                    never(&second, ended(3, Succeeded))),
        ("no attempt",                    &second,      ended(0, Succeeded),                    never(&second, ended(0, Succeeded))),
        ("it is asked about already",     &second,      ended(2, Unknown),                      duplicate.clone()),
        ("an older attempt was found",    &second,      found(1, 1, Finding::Succeeded),        stale.clone()),
        ("an answer to the question",     &fencing,     found(2, 1, Finding::StillRunning),     stale.clone()),
        ("an answer to no question",      &second,      found(2, 2, Finding::NeverStarted),     never(&second, found(2, 2, Finding::NeverStarted))),
        ("answered twice",                &running,     found(2, 1, Finding::NeverStarted),     duplicate.clone()),
        ("ended twice",                   &second[..2], ended(1, Failed(Transient)),            duplicate.clone()),
        ("an old timer",                  &second,      elapsed(1),                             stale),
        ("a timer that was never armed",  &second,      elapsed(5),                             never(&second, elapsed(5))),
        ("acknowledged before the end",   &second,      RetryEvent::EndAcknowledged,            never(&second, RetryEvent::EndAcknowledged)),
        ("acknowledged twice",            &[CANCEL, RetryEvent::EndAcknowledged], RetryEvent::EndAcknowledged, duplicate),
    ];
    for (name, events, event, outcome) in cases {
        assert_eq!(refused(&after(events).0, event), outcome, "{name}");
    }
}

#[test]
fn resync_repeats_what_is_outstanding() {
    let unknown = [SUBMITTED, ended(1, Unknown)];
    #[rustfmt::skip]
    let cases: [(&str, &[RetryEvent], Vec<RetryEffect>); 8] = [
        ("unsubmitted", &[],                                                           vec![]),
        ("running",     &[SUBMITTED],                                                  vec![begin(1), arm(1, ATTEMPT_MS)]),
        ("querying",    &unknown,                                                      vec![query(1, 1), arm(2, QUERY_MS)]),
        ("fencing",     &[&unknown[..], &[found(1, 1, Finding::NeverStarted)]].concat(), vec![fence(1, 2), arm(3, QUERY_MS)]),
        ("backing off", &[SUBMITTED, ended(1, Failed(Transient))],                     vec![arm(2, 30_000)]),
        ("cancelling",  &[SUBMITTED, CANCEL],                                          vec![fence(1, 1), arm(2, QUERY_MS)]),
        ("ended",       &[SUBMITTED, ended(1, Succeeded)],                             vec![completed(1)]),
        ("closed",      &[CANCEL, RetryEvent::EndAcknowledged],                        vec![]),
    ];
    for (name, events, effects) in cases {
        let (retry, mut repeated) = (after(events).0, Vec::new());
        retry.resync(&config(), &mut |effect| repeated.push(effect));
        assert_eq!(repeated, effects, "{name}");
    }
}
