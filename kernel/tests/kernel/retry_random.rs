//! The attempts at a remote task in long random histories in which hardly anybody knows what became of them, with crashes.

#[cfg(feature = "planted-faults")]
use crate::lives::assert_judged;
use crate::lives::{COUNTED_OUT, Chances, chances, damaged, other_numbers};
use crate::retry::{CANCEL, SUBMITTED, config, elapsed, ended, found};
use downbeat_kernel::{
    AttemptEnd, Config, FailureClass, Finding, Outcome, Retry, RetryEffect, RetryEnd, RetryEvent,
    RetryReason, RetryRecord, RetryState, RetryTimer,
};
use proptest::prelude::*;
use proptest::sample::Index;

use AttemptEnd::{Failed, Succeeded, Unknown};
use FailureClass::{Permanent, Transient};

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
    config: Config,
    retry: Retry,
    /// What was applied, as records.
    journal: Vec<String>,
    /// Every attempt that was ordered, from the first.
    attempts: Vec<Real>,
    outstanding: Option<RetryEffect>,
    timer: Option<(RetryTimer, u64)>,
    cancelled: bool,
    ends: Vec<RetryEnd>,
}

impl World {
    fn live(chances: &Chances, config: Config) -> Self {
        let mut world = Self { config, ..Self::default() };
        for (choice, number) in chances {
            world.happen(*choice, *number);
        }
        world
    }

    fn take(&mut self, event: RetryEvent) {
        let (before, mut effects) = (self.retry, Vec::new());
        let outcome = self.retry.step(event, &self.config, &mut |effect| effects.push(effect));
        if outcome == Outcome::Applied {
            let record = serde_json::to_string(&RetryRecord::from(event));
            self.journal.push(record.expect("a record has no maps"));
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
                assert_eq!(self.timer.take().map(|(armed, _)| armed), Some(timer), "an old timer");
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
                assert!(self.attempts.len() < 3, "S2: past its budget");
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
                let by_silence = matches!(event, RetryEvent::Elapsed { .. });
                let unknown = end == RetryEnd::Failed(RetryReason::Unknown);
                let cancelled = matches!(end, RetryEnd::Cancelled | RetryEnd::CancelUnconfirmed);
                assert!(by_silence == unknown || cancelled, "S11: {event:?} made it {end:?}");
                self.ends.push(end);
                assert_eq!(self.ends.len(), 1, "S7: ended twice");
                let may_go_on = |real: &Real| match *real {
                    Real::Ordered | Real::Runs => true,
                    Real::Succeeded | Real::Failed(_) | Real::Fenced => false,
                };
                let goes_on = self.attempts.iter().any(may_go_on);
                assert!(end != RetryEnd::Cancelled || !goes_on, "S21: cancelled, and it may go on");
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
        self.retry.resync(&self.config, &mut |effect| repeated.push(effect));
        let timer = self.timer.map(|(timer, after_ms)| RetryEffect::Arm { timer, after_ms });
        let mut owed: Vec<RetryEffect> = self.outstanding.into_iter().chain(timer).collect();
        // Between a fence whose answer was `StillRunning` and the next attempt nothing is ordered.
        if matches!(self.retry.state, RetryState::BackingOff { .. } | RetryState::Ended(RetryEnd::Cancelled))
        {
            owed.retain(|effect| !matches!(effect, RetryEffect::Begin { .. }));
        }
        assert_eq!(repeated, owed, "L1: repeated and owed");
        if self.config == config() {
            assert_eq!(self.retry.validate(&self.config), Ok(()), "{:?}", self.retry);
        }
    }

    /// A crash: who comes after it has the journal, and of what is outstanding the orders that are repeated.
    fn restart(&mut self) {
        let (mut again, mut orders) = (Retry::default(), Vec::new());
        for line in &self.journal {
            let record: RetryRecord = serde_json::from_str(line).expect("it was written");
            assert_eq!(again.step(record.into(), &self.config, &mut |_| {}), Outcome::Applied);
        }
        assert_eq!(again, self.retry, "a journal led to another state");
        (self.outstanding, self.timer) = (None, None);
        again.resync(&self.config, &mut |order| orders.push(order));
        for order in orders {
            match order {
                RetryEffect::Begin { .. }
                | RetryEffect::Query { .. }
                | RetryEffect::Fence { .. }
                | RetryEffect::Ended { .. } => self.outstanding = Some(order),
                RetryEffect::Arm { timer, after_ms } => self.timer = Some((timer, after_ms)),
                RetryEffect::Disarm { .. } => panic!("nothing runs after a crash: {order:?}"),
            }
        }
        self.retry = again;
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
        match choice % 12 {
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
            10 => self.restart(),
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
        for _ in 0..100 {
            if let Some((timer, _)) = self.timer {
                self.take(RetryEvent::Elapsed { timer });
            }
        }
    }
}

/// L1, S11: it is over, with the one end that its attempts came to.
fn assert_at_rest(world: &World) {
    let is_over = matches!(world.retry.state, RetryState::Ended(_) | RetryState::Closed);
    assert_eq!(is_over, world.retry.state != RetryState::Unsubmitted, "L1: {:?}", world.retry);
    assert_eq!(world.ends.len(), usize::from(is_over), "S7: {:?}", world.ends);
    if let Some(RetryEnd::Completed { attempt }) = world.ends.first() {
        assert!(world.attempts[attempt.0 as usize - 1] == Real::Succeeded, "S11: {attempt:?}");
    }
}

/// Whatever an event can say, near what is known of the attempts.
fn any_event(retry: &Retry, choice: u8, number: u32) -> RetryEvent {
    let near = |last: u32| if number.is_multiple_of(4) { number / 4 % 5 } else { last };
    let (attempt, query) = (near(retry.attempt.0), near(retry.query.0));
    let class =
        [Transient, FailureClass::Throttled { retry_after_ms: number }, Permanent][number as usize % 3];
    match choice % 10 {
        0 => SUBMITTED,
        1 => ended(attempt, Failed(class)),
        2 => ended(attempt, [Succeeded, Unknown][number as usize % 2]),
        3 => found(attempt, query, Finding::Failed(class)),
        4 => found(attempt, query, [Finding::Succeeded, Finding::NeverStarted][number as usize % 2]),
        5 => found(attempt, query, Finding::StillRunning),
        6 if number.is_multiple_of(7) => CANCEL,
        7 => RetryEvent::EndAcknowledged,
        6 | 8 => RetryEvent::Elapsed { timer: retry.timer },
        _ => elapsed(number % 9),
    }
}

proptest! {
    #[test]
    fn a_task_has_one_end_and_never_two_attempts_that_could_succeed(chances in chances(0..200)) {
        let mut world = World::live(&chances, config());
        world.come_to_rest();
        assert_at_rest(&world);
    }

    /// Numbers in the place of numbers: the snapshot cannot be read, is found out, or is a state from which no event leads
    /// out of validity.
    #[test]
    fn damaged_retry_never_panics(
        before in chances(0..100), place in any::<Index>(), number in other_numbers(), after in chances(1..50),
    ) {
        let world = World::live(&before, config());
        let read = damaged(&world.retry, place, number);
        if let Some(mut retry) = read.filter(|retry| retry.validate(&config()).is_ok()) {
            for (choice, chance) in after {
                let event = any_event(&retry, choice, chance);
                drop(retry.step(event, &config(), &mut |_| {}));
                let is_valid = retry.validate(&config()).is_ok();
                prop_assert!(number == COUNTED_OUT || is_valid, "{event:?} leads to {retry:?}");
            }
        }
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn judge_finds_every_planted_fault_of_the_attempts() {
    use downbeat_kernel::Fault as F;
    let judged = [
        (F::AnyAttemptEnds, "S11: "),
        (F::OldAttemptDisarms, "S25: "),
        (F::AttemptEndsTwice, "two timers"),
        (F::UnknownTriesAgain, "S18: "),
        (F::RunningTriedAgain, "S18: "),
        (F::UnfencedRetry, "S18: "),
        (F::FenceNotGiven, "L1: repeated and owed"),
        (F::SuccessBeforeFenceLost, "S18: "),
        (F::PermanentTaskTried, "S18: "),
        (F::NoTaskBudget, "S2: "),
        (F::ThrottledHurries, "it was asked to wait"),
        (F::RetryNeverDue, "L1: repeated and owed"),
        (F::ReportAwaitedForEver, "L1: repeated and owed"),
        (F::AnyQueryAnswers, "S18: "),
        (F::QueriedOnce, "L1: repeated and owed"),
        (F::FencedOnce, "L1: repeated and owed"),
        (F::QueriedForEver, "L1: "),
        (F::UnknownIsExhausted, "S11: "),
        (F::UnconfirmedIsCancelled, "S21: "),
        (F::CancelMissesBackoff, "S19: "),
        (F::EndedTaskMoves, "S7: "),
        (F::AnyRetryTimer, "an old timer"),
        (F::RetryTimerLeft, "two timers"),
        (F::ResyncForgetsAttempt, "L1: repeated and owed"),
        (F::ResyncForgetsQuery, "L1: repeated and owed"),
        (F::ResyncForgetsFence, "L1: repeated and owed"),
        (F::ResyncForgetsRetryEnd, "L1: repeated and owed"),
        (F::ResyncForgetsRetryTimer, "L1: repeated and owed"),
    ];
    assert_judged(&judged, F::OF_RETRIES, |fault, chances| {
        let mut world = World::live(chances, Config { fault: Some(fault), ..config() });
        world.come_to_rest();
        assert_at_rest(&world);
    });
}
