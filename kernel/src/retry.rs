//! The attempts at a remote task: when to try again, and when that would do the work twice.
//!
//! An attempt that failed is tried again, by what failed: after a wait that grows, after the wait that somebody asked for,
//! or not at all. An attempt of which nothing is heard has not failed. It may have succeeded, and its report is lost; it may
//! run; it may begin later, when its order comes. Two facts keep the task to one result (S18). Nobody tries again before it
//! was asked how the attempt stands. And one that has no end is fenced first, by an order whose answer says how the attempt
//! stood *then*, so that a success between question and fence is found.
//!
//! Questions and fences are bounded. If none is answered the task fails as [`RetryReason::Unknown`], or, if it was cancelled,
//! ends as [`RetryEnd::CancelUnconfirmed`]. Each says what it is: a person has to look. One of these stands beside each remote
//! task.

mod validate;
mod vocabulary;

pub use validate::RetryCorrupt;
pub use vocabulary::{
    AttemptEnd, AttemptNumber, FailureClass, Finding, QueryNumber, RetryEffect, RetryEnd, RetryEvent,
    RetryReason, RetryRejected, RetryTimer,
};

use crate::backoff::doubled;
use crate::config::Config;
use crate::faults::Fault;
use crate::vocabulary::{Ignored, Outcome};
use serde::{Deserialize, Serialize};

/// Where a task stands. The diagram is in `docs/retry.md`, made from this code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RetryState {
    /// Nobody wants it yet.
    #[default]
    Unsubmitted,
    /// An attempt was ordered and is not over.
    Running,
    /// It is asked how the attempt stands.
    Querying {
        /// How often, from 1.
        asked: u8,
    },
    /// The attempt is being fenced, to be followed by the next one.
    Fencing {
        /// How often that was ordered, from 1.
        asked: u8,
    },
    /// The attempt failed, and the next one waits.
    BackingOff {
        /// How long, in milliseconds.
        wait_ms: u64,
    },
    /// The attempt is being fenced, because nobody wants the task any more.
    Cancelling {
        /// How often that was ordered, from 1.
        asked: u8,
    },
    /// It ended, and that is not on record yet.
    Ended(RetryEnd),
    /// It ended, and that is on record.
    Closed,
}

/// The attempts at one remote task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Retry {
    /// Where the task stands.
    pub state: RetryState,
    /// The last attempt, 0 before the first.
    pub attempt: AttemptNumber,
    /// The last question or fence, 0 before the first.
    pub query: QueryNumber,
    /// The last timer that was armed, 0 before the first.
    pub timer: RetryTimer,
}

type Reply = Outcome<RetryRejected>;

impl Retry {
    /// Takes one event and gives `sink` the effects in their order.
    ///
    /// Unless the outcome is [`Outcome::Applied`], nothing changed and nothing was emitted (S25).
    pub fn step(
        &mut self,
        event: RetryEvent,
        config: &Config,
        sink: &mut dyn FnMut(RetryEffect),
    ) -> Outcome<RetryRejected> {
        let mut step = Step { retry: self, config, sink };
        match event {
            RetryEvent::Submitted => step.submitted(),
            RetryEvent::AttemptEnded { attempt, end } => step.attempt_ended(attempt, end, event),
            RetryEvent::Found { attempt, query, finding } => step.found(attempt, query, finding, event),
            RetryEvent::CancelRequested => step.cancel_requested(),
            RetryEvent::EndAcknowledged => step.end_acknowledged(event),
            RetryEvent::Elapsed { timer } => step.elapsed(timer, event),
        }
    }

    /// Repeats every order that is outstanding, with the same identities: for a shell that has just started. Timers run
    /// their whole time again.
    pub fn resync(&self, config: &Config, sink: &mut dyn FnMut(RetryEffect)) {
        if let Some((order, forgotten)) = self.order()
            && !config.has(forgotten)
        {
            sink(order);
        }
        if let Some(after_ms) = self.period(config)
            && !config.has(Fault::ResyncForgetsRetryTimer)
        {
            sink(RetryEffect::Arm { timer: self.timer, after_ms });
        }
    }

    /// What is outstanding beside the timer, and the fault that forgets it.
    fn order(&self) -> Option<(RetryEffect, Fault)> {
        let Self { state, attempt, query, .. } = *self;
        match state {
            RetryState::Unsubmitted | RetryState::BackingOff { .. } | RetryState::Closed => None,
            RetryState::Running => Some((RetryEffect::Begin { attempt }, Fault::ResyncForgetsAttempt)),
            RetryState::Querying { .. } => {
                Some((RetryEffect::Query { attempt, query }, Fault::ResyncForgetsQuery))
            }
            RetryState::Fencing { .. } | RetryState::Cancelling { .. } => {
                Some((RetryEffect::Fence { attempt, query }, Fault::ResyncForgetsFence))
            }
            RetryState::Ended(end) => Some((RetryEffect::Ended { end }, Fault::ResyncForgetsRetryEnd)),
        }
    }

    /// How long the timer [`Retry::timer`] runs here, in milliseconds; `None` where none runs.
    fn period(&self, config: &Config) -> Option<u64> {
        match self.state {
            RetryState::Unsubmitted | RetryState::Ended(_) | RetryState::Closed => None,
            RetryState::Running => Some(config.attempt_ms.into()),
            RetryState::Querying { .. } | RetryState::Fencing { .. } | RetryState::Cancelling { .. } => {
                Some(config.query_ms.into())
            }
            RetryState::BackingOff { wait_ms } => Some(wait_ms),
        }
    }

    /// Whether the timer [`Retry::timer`] runs.
    pub fn is_armed(&self) -> bool {
        match self.state {
            RetryState::Unsubmitted | RetryState::Ended(_) | RetryState::Closed => false,
            RetryState::Running
            | RetryState::Querying { .. }
            | RetryState::Fencing { .. }
            | RetryState::BackingOff { .. }
            | RetryState::Cancelling { .. } => true,
        }
    }
}

/// The attempts at a task during one step.
struct Step<'s> {
    retry: &'s mut Retry,
    config: &'s Config,
    sink: &'s mut dyn FnMut(RetryEffect),
}

impl Step<'_> {
    fn submitted(&mut self) -> Reply {
        match self.retry.state {
            RetryState::Unsubmitted => {
                self.begin();
                Outcome::Applied
            }
            RetryState::Running
            | RetryState::Querying { .. }
            | RetryState::Fencing { .. }
            | RetryState::BackingOff { .. }
            | RetryState::Cancelling { .. } => Outcome::Ignored(Ignored::Duplicate),
            RetryState::Ended(_) | RetryState::Closed => Outcome::Ignored(Ignored::Terminal),
        }
    }

    fn attempt_ended(&mut self, attempt: AttemptNumber, end: AttemptEnd, event: RetryEvent) -> Reply {
        let fit = self.unfit(attempt, event);
        let any = self.config.has(Fault::AnyAttemptEnds) && fit == Some(Outcome::Ignored(Ignored::Stale));
        if let (Some(refused), false) = (fit, any) {
            if self.config.has(Fault::OldAttemptDisarms) && refused == Outcome::Ignored(Ignored::Stale) {
                self.disarm();
            }
            return refused;
        }
        let known = Finding::of(end);
        match (self.retry.state, known) {
            (RetryState::Running, None) if self.config.has(Fault::UnknownTriesAgain) => {
                self.disarm();
                self.failed(FailureClass::Transient);
            }
            (RetryState::Running, None) => {
                self.disarm();
                self.query();
            }
            (RetryState::Running | RetryState::Querying { .. } | RetryState::Fencing { .. }, Some(known)) => {
                self.disarm();
                self.resolve(known);
            }
            (RetryState::Cancelling { .. }, Some(_)) => {
                self.disarm();
                self.end(RetryEnd::Cancelled);
            }
            (RetryState::BackingOff { .. }, Some(known)) if self.config.has(Fault::AttemptEndsTwice) => {
                self.resolve(known);
            }
            // Nothing new: that nobody knows is why it is asked, or fenced; or the attempt was over before.
            (
                RetryState::Querying { .. } | RetryState::Fencing { .. } | RetryState::Cancelling { .. },
                None,
            )
            | (RetryState::BackingOff { .. }, Some(_) | None) => return Outcome::Ignored(Ignored::Duplicate),
            (RetryState::Ended(_), Some(known)) if self.config.has(Fault::EndedTaskMoves) => {
                self.resolve(known);
            }
            (RetryState::Ended(_) | RetryState::Closed, Some(_) | None) => {
                return Outcome::Ignored(Ignored::Terminal);
            }
            (RetryState::Unsubmitted, Some(_) | None) => return self.never_asked(event),
        }
        Outcome::Applied
    }

    fn found(
        &mut self,
        attempt: AttemptNumber,
        query: QueryNumber,
        finding: Finding,
        event: RetryEvent,
    ) -> Reply {
        if let Some(refused) = self.unfit(attempt, event) {
            return refused;
        }
        if query.0 == 0 || query > self.retry.query {
            return self.never_asked(event);
        }
        if query < self.retry.query && !self.config.has(Fault::AnyQueryAnswers) {
            return Outcome::Ignored(Ignored::Stale);
        }
        match self.retry.state {
            RetryState::Querying { .. } => {
                self.disarm();
                self.resolve(finding);
            }
            RetryState::Fencing { .. } => {
                self.disarm();
                self.fenced(finding);
            }
            RetryState::Cancelling { .. } => {
                self.disarm();
                self.end(RetryEnd::Cancelled);
            }
            RetryState::Running | RetryState::BackingOff { .. } => {
                return Outcome::Ignored(Ignored::Duplicate);
            }
            RetryState::Ended(_) | RetryState::Closed => return Outcome::Ignored(Ignored::Terminal),
            RetryState::Unsubmitted => return self.never_asked(event),
        }
        Outcome::Applied
    }

    fn cancel_requested(&mut self) -> Reply {
        match self.retry.state {
            // S21: nothing has begun, and nothing will.
            RetryState::Unsubmitted => self.end(RetryEnd::Cancelled),
            RetryState::BackingOff { .. } if self.config.has(Fault::CancelMissesBackoff) => {
                return Outcome::Ignored(Ignored::Duplicate);
            }
            RetryState::BackingOff { .. } => {
                self.disarm();
                self.end(RetryEnd::Cancelled);
            }
            RetryState::Running | RetryState::Querying { .. } | RetryState::Fencing { .. } => {
                self.disarm();
                self.retry.query.0 += 1;
                self.retry.state = RetryState::Cancelling { asked: 1 };
                self.fence();
            }
            RetryState::Cancelling { .. } => return Outcome::Ignored(Ignored::Duplicate),
            RetryState::Ended(_) | RetryState::Closed => return Outcome::Ignored(Ignored::Terminal),
        }
        Outcome::Applied
    }

    fn end_acknowledged(&mut self, event: RetryEvent) -> Reply {
        match self.retry.state {
            RetryState::Ended(_) => {
                self.retry.state = RetryState::Closed;
                Outcome::Applied
            }
            RetryState::Closed => Outcome::Ignored(Ignored::Duplicate),
            RetryState::Unsubmitted
            | RetryState::Running
            | RetryState::Querying { .. }
            | RetryState::Fencing { .. }
            | RetryState::BackingOff { .. }
            | RetryState::Cancelling { .. } => self.never_asked(event),
        }
    }

    fn elapsed(&mut self, timer: RetryTimer, event: RetryEvent) -> Reply {
        if timer.0 == 0 || timer > self.retry.timer {
            return self.never_asked(event);
        }
        if timer < self.retry.timer && !self.config.has(Fault::AnyRetryTimer) {
            return Outcome::Ignored(Ignored::Stale);
        }
        match self.retry.state {
            RetryState::Running if self.config.has(Fault::UnknownTriesAgain) => {
                self.failed(FailureClass::Transient);
            }
            RetryState::Running => self.query(),
            RetryState::Querying { asked } | RetryState::Fencing { asked } if self.is_last(asked) => {
                let reason = if self.config.has(Fault::UnknownIsExhausted) {
                    RetryReason::Exhausted
                } else {
                    RetryReason::Unknown
                };
                self.end(RetryEnd::Failed(reason));
            }
            RetryState::Querying { asked } => {
                self.retry.state = RetryState::Querying { asked: asked.saturating_add(1) };
                self.ask();
            }
            RetryState::Fencing { asked } => {
                self.retry.state = RetryState::Fencing { asked: asked.saturating_add(1) };
                self.fence();
            }
            // S21: the order of the attempt may still arrive, so nobody may say that nothing starts any more.
            RetryState::Cancelling { asked } if self.is_last(asked) => {
                self.end(if self.config.has(Fault::UnconfirmedIsCancelled) {
                    RetryEnd::Cancelled
                } else {
                    RetryEnd::CancelUnconfirmed
                });
            }
            RetryState::Cancelling { asked } => {
                self.retry.state = RetryState::Cancelling { asked: asked.saturating_add(1) };
                self.fence();
            }
            RetryState::BackingOff { .. } => self.begin(),
            RetryState::Unsubmitted | RetryState::Ended(_) | RetryState::Closed => {
                return Outcome::Ignored(Ignored::Stale);
            }
        }
        Outcome::Applied
    }

    fn begin(&mut self) {
        self.retry.attempt.0 += 1;
        self.retry.state = RetryState::Running;
        (self.sink)(RetryEffect::Begin { attempt: self.retry.attempt });
        if !self.config.has(Fault::ReportAwaitedForEver) {
            self.arm();
        }
    }

    /// Nobody knows how the attempt stands: it is asked.
    fn query(&mut self) {
        self.retry.query.0 += 1;
        self.retry.state = RetryState::Querying { asked: 1 };
        self.ask();
    }

    fn ask(&mut self) {
        let Retry { attempt, query, .. } = *self.retry;
        (self.sink)(RetryEffect::Query { attempt, query });
        if !self.config.has(Fault::QueriedOnce) {
            self.arm();
        }
    }

    /// Whether one more question or fence would be one too many.
    fn is_last(&self, asked: u8) -> bool {
        asked >= self.config.queries_max && !self.config.has(Fault::QueriedForEver)
    }

    /// What is known of an attempt decides.
    fn resolve(&mut self, finding: Finding) {
        match finding {
            Finding::Succeeded => self.end(RetryEnd::Completed { attempt: self.retry.attempt }),
            Finding::Failed(class) => self.failed(class),
            Finding::NeverStarted if self.config.has(Fault::UnfencedRetry) => {
                self.failed(FailureClass::Transient);
            }
            Finding::StillRunning if self.config.has(Fault::RunningTriedAgain) => {
                self.failed(FailureClass::Transient);
            }
            // Its order may still be on the way (S20).
            Finding::NeverStarted => {
                self.retry.query.0 += 1;
                self.retry.state = RetryState::Fencing { asked: 1 };
                self.fence();
            }
            Finding::StillRunning => {
                self.retry.state = RetryState::Running;
                self.arm();
            }
        }
    }

    fn fence(&mut self) {
        let Retry { attempt, query, .. } = *self.retry;
        if !self.config.has(Fault::FenceNotGiven) {
            (self.sink)(RetryEffect::Fence { attempt, query });
        }
        if !self.config.has(Fault::FencedOnce) {
            self.arm();
        }
    }

    /// The attempt has its fence. It may have come to an end before.
    fn fenced(&mut self, finding: Finding) {
        match finding {
            Finding::Succeeded if self.config.has(Fault::SuccessBeforeFenceLost) => {
                self.failed(FailureClass::Transient);
            }
            Finding::Succeeded | Finding::Failed(_) => self.resolve(finding),
            Finding::NeverStarted | Finding::StillRunning => self.failed(FailureClass::Transient),
        }
    }

    /// The attempt is over, and cannot do anything any more.
    fn failed(&mut self, class: FailureClass) {
        let Config { backoff_ms_max, task_backoff_ms, retry_after_margin_ms, .. } = *self.config;
        let tried = self.retry.attempt.0;
        let wait_ms = match class {
            FailureClass::Permanent if self.config.has(Fault::PermanentTaskTried) => 0,
            FailureClass::Permanent => return self.end(RetryEnd::Failed(RetryReason::Permanent)),
            FailureClass::Throttled { retry_after_ms } if !self.config.has(Fault::ThrottledHurries) => {
                u64::from(retry_after_ms) + u64::from(retry_after_margin_ms)
            }
            FailureClass::Throttled { .. } | FailureClass::Transient => {
                doubled(task_backoff_ms, tried.saturating_sub(1), backoff_ms_max)
            }
        };
        if tried >= u32::from(self.config.task_attempts_max) && !self.config.has(Fault::NoTaskBudget) {
            return self.end(RetryEnd::Failed(RetryReason::Exhausted));
        }
        self.retry.state = RetryState::BackingOff { wait_ms };
        if !self.config.has(Fault::RetryNeverDue) {
            self.arm();
        }
    }

    fn end(&mut self, end: RetryEnd) {
        self.retry.state = RetryState::Ended(end);
        (self.sink)(RetryEffect::Ended { end });
    }

    fn arm(&mut self) {
        let Some(after_ms) = self.retry.period(self.config) else { return };
        self.retry.timer.0 += 1;
        (self.sink)(RetryEffect::Arm { timer: self.retry.timer, after_ms });
    }

    fn disarm(&mut self) {
        if !self.config.has(Fault::RetryTimerLeft) {
            (self.sink)(RetryEffect::Disarm { timer: self.retry.timer });
        }
    }

    /// Why an attempt is not the last one, if it is not.
    fn unfit(&self, attempt: AttemptNumber, event: RetryEvent) -> Option<Reply> {
        if attempt.0 == 0 || attempt > self.retry.attempt {
            return Some(self.never_asked(event));
        }
        (attempt < self.retry.attempt).then_some(Outcome::Ignored(Ignored::Stale))
    }

    fn never_asked(&self, event: RetryEvent) -> Reply {
        Outcome::Rejected(RetryRejected::NeverAsked { state: self.retry.state, event })
    }
}

impl Finding {
    /// What the end of an attempt says about it; `None` if nothing.
    fn of(end: AttemptEnd) -> Option<Self> {
        match end {
            AttemptEnd::Succeeded => Some(Self::Succeeded),
            AttemptEnd::Failed(class) => Some(Self::Failed(class)),
            AttemptEnd::Unknown => None,
        }
    }
}
