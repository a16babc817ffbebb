//! The attempts at a remote task: stories, and long random histories in which hardly anybody knows what became of them.

use downbeat_kernel::{
    AttemptEnd, AttemptNumber, Config, FailureClass, Finding, Ignored, Outcome, QueryNumber, Retry,
    RetryEffect, RetryEnd, RetryEvent, RetryReason, RetryRejected, RetryState, RetryTimer,
};
use proptest::prelude::*;

use AttemptEnd::{Failed, Succeeded, Unknown};
use FailureClass::{Permanent, Transient};

const ATTEMPT_MS: u64 = 600_000;
const QUERY_MS: u64 = 10_000;

fn config() -> Config {
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

const SUBMITTED: RetryEvent = RetryEvent::Submitted;
const CANCEL: RetryEvent = RetryEvent::CancelRequested;

fn ended(attempt: u32, end: AttemptEnd) -> RetryEvent {
    RetryEvent::AttemptEnded { attempt: AttemptNumber(attempt), end }
}

fn found(attempt: u32, query: u32, finding: Finding) -> RetryEvent {
    RetryEvent::Found { attempt: AttemptNumber(attempt), query: QueryNumber(query), finding }
}

fn elapsed(timer: u32) -> RetryEvent {
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
        ("nobody answers",        &[elapsed(2), elapsed(3)],             vec![CANCELLED]),
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

/// What is true of an attempt, wherever it is.
#[derive(Clone, Copy, PartialEq)]
enum Real {
    Ordered,
    Runs,
    Succeeded,
    Failed(FailureClass),
    Fenced,
}

/// A site that begins attempts, takes their results, and answers; and everything else by chance.
#[derive(Default)]
struct World {
    retry: Retry,
    /// Every attempt that was ordered, from the first.
    attempts: Vec<Real>,
    outstanding: Option<RetryEffect>,
    timer: Option<(RetryTimer, u64)>,
    cancelled: bool,
    ends: Vec<RetryEnd>,
}

impl World {
    fn take(&mut self, event: RetryEvent) {
        let (before, mut effects) = (self.retry, Vec::new());
        let outcome = self.retry.step(event, &config(), &mut |effect| effects.push(effect));
        if outcome == Outcome::Applied {
            self.learn(event);
        } else {
            assert_eq!((before, &effects[..]), (self.retry, &[][..]), "S25: {event:?}");
        }
        self.cancelled |= event == CANCEL;
        for effect in effects {
            self.obey(effect, event);
        }
        self.judge();
    }

    fn learn(&mut self, event: RetryEvent) {
        match event {
            RetryEvent::Elapsed { timer } => {
                assert_eq!(self.timer.take().map(|(armed, _)| armed), Some(timer));
            }
            RetryEvent::AttemptEnded { .. } | RetryEvent::EndAcknowledged => self.outstanding = None,
            RetryEvent::CancelRequested => self.outstanding = None,
            // The order of an attempt that runs stays what a restart repeats.
            RetryEvent::Found { attempt, finding: Finding::StillRunning, .. } => {
                self.outstanding = Some(RetryEffect::Begin { attempt });
            }
            RetryEvent::Found { .. } => self.outstanding = None,
            RetryEvent::Submitted => {}
        }
    }

    fn obey(&mut self, effect: RetryEffect, event: RetryEvent) {
        match effect {
            RetryEffect::Begin { attempt } => {
                assert!(!self.cancelled, "S19: an attempt after the cancel");
                let may_follow = |real: &Real| match *real {
                    Real::Failed(class) => class != Permanent,
                    Real::Fenced => true,
                    Real::Ordered | Real::Runs | Real::Succeeded => false,
                };
                assert!(self.attempts.iter().all(may_follow), "S18: beside another, or for nothing");
                self.attempts.push(Real::Ordered);
                assert_eq!(attempt.0 as usize, self.attempts.len());
                self.outstanding = Some(effect);
            }
            RetryEffect::Query { .. } | RetryEffect::Fence { .. } => self.outstanding = Some(effect),
            RetryEffect::Ended { end } => {
                self.outstanding = Some(effect);
                self.ends.push(end);
                assert_eq!(self.ends.len(), 1, "S7: ended twice");
            }
            RetryEffect::Arm { timer, after_ms } => {
                assert_eq!(self.timer.replace((timer, after_ms)), None, "two timers after {event:?}");
                let waits = matches!(self.retry.state, RetryState::BackingOff { .. });
                if let Some(Real::Failed(FailureClass::Throttled { retry_after_ms })) = self.attempts.last() {
                    assert!(!waits || after_ms > u64::from(*retry_after_ms), "it was asked to wait");
                }
            }
            RetryEffect::Disarm { timer } => {
                assert_eq!(self.timer.take().map(|(timer, _)| timer), Some(timer));
            }
        }
    }

    /// A restart repeats exactly what this list holds outstanding.
    fn judge(&self) {
        let mut repeated = Vec::new();
        self.retry.resync(&config(), &mut |effect| repeated.push(effect));
        let timer = self.timer.map(|(timer, after_ms)| RetryEffect::Arm { timer, after_ms });
        let mut owed: Vec<RetryEffect> = self.outstanding.into_iter().chain(timer).collect();
        // Between a fence whose answer was `StillRunning` and the next attempt nothing is ordered.
        if matches!(self.retry.state, RetryState::BackingOff { .. } | RetryState::Ended(RetryEnd::Cancelled))
        {
            owed.retain(|effect| !matches!(effect, RetryEffect::Begin { .. }));
        }
        assert_eq!(repeated, owed);
        assert_eq!(self.retry.validate(&config()), Ok(()), "{:?}", self.retry);
    }

    fn last(&mut self) -> Option<&mut Real> {
        self.attempts.last_mut()
    }

    /// The site looks, and fences first if that is what was ordered.
    fn look(&mut self) {
        let retry = self.retry;
        let fences = matches!(self.outstanding, Some(RetryEffect::Fence { .. }));
        let asked = fences || matches!(self.outstanding, Some(RetryEffect::Query { .. }));
        let Some(real) = self.attempts.last_mut().filter(|_| asked) else { return };
        let finding = match *real {
            Real::Ordered => Finding::NeverStarted,
            Real::Runs | Real::Fenced => Finding::StillRunning,
            Real::Succeeded => Finding::Succeeded,
            Real::Failed(class) => Finding::Failed(class),
        };
        if fences && [Real::Ordered, Real::Runs].contains(real) {
            *real = Real::Fenced;
        }
        let Retry { attempt, query, .. } = retry;
        self.take(RetryEvent::Found { attempt, query, finding });
    }

    fn report(&mut self) {
        let attempt = self.retry.attempt;
        let end = match self.last() {
            Some(Real::Succeeded) => Succeeded,
            Some(Real::Failed(class)) => Failed(*class),
            Some(Real::Ordered | Real::Runs | Real::Fenced) | None => Unknown,
        };
        self.take(RetryEvent::AttemptEnded { attempt, end });
    }

    /// What may happen next, by chance.
    fn happen(&mut self, choice: u8, number: u32) {
        let some = number % (self.retry.attempt.0 + 2);
        match choice % 11 {
            0 => self.take(SUBMITTED),
            1 | 2 => {
                let throttled = FailureClass::Throttled { retry_after_ms: 70_000 };
                let failed = [Transient, throttled, Transient, Permanent][number as usize % 4];
                let over = if number.is_multiple_of(3) { Real::Succeeded } else { Real::Failed(failed) };
                match self.last() {
                    Some(real @ Real::Ordered) => *real = Real::Runs,
                    Some(real @ Real::Runs) => *real = over,
                    Some(Real::Succeeded | Real::Failed(_) | Real::Fenced) | None => {}
                }
            }
            3 => self.report(),
            4 | 5 => self.look(),
            6 => {
                self.take(RetryEvent::Elapsed {
                    timer: self.timer.map_or(RetryTimer(0), |(timer, _)| timer),
                });
            }
            7 if number.is_multiple_of(23) => self.take(CANCEL),
            7 => self.take(elapsed(number % (self.retry.timer.0 + 2))),
            8 if some != self.retry.attempt.0 => self.take(ended(some, Succeeded)),
            8 | 9 => {
                let old = number % self.retry.query.0.max(1);
                self.take(found(self.retry.attempt.0, old, Finding::NeverStarted));
            }
            _ => {
                if matches!(self.retry.state, RetryState::Ended(_)) && number.is_multiple_of(2) {
                    self.take(RetryEvent::EndAcknowledged);
                }
            }
        }
    }

    /// From here on nobody answers anything, and timers run out.
    fn come_to_rest(&mut self) {
        while let Some((timer, _)) = self.timer {
            self.take(RetryEvent::Elapsed { timer });
        }
    }
}

proptest! {
    #[test]
    fn a_task_has_one_end_and_never_two_attempts_that_could_succeed(
        events in proptest::collection::vec((any::<u8>(), any::<u32>()), 0..200),
    ) {
        let mut world = World::default();
        for (choice, number) in events {
            world.happen(choice, number);
        }
        world.come_to_rest();
        let is_over = matches!(world.retry.state, RetryState::Ended(_) | RetryState::Closed);
        prop_assert_eq!(is_over, world.retry.state != RetryState::Unsubmitted, "L1: {:?}", world.retry);
        prop_assert_eq!(world.ends.len(), usize::from(is_over));
        if let Some(RetryEnd::Completed { attempt }) = world.ends.first() {
            prop_assert!(world.attempts[attempt.0 as usize - 1] == Real::Succeeded, "S11: {attempt:?}");
        }
    }
}
