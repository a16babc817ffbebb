//! What was done for a task, attempt by attempt, and what was said to be its end.
//!
//! A *site* is whatever begins attempts and takes their results: the pool of agents with the store behind it. It begins an
//! attempt once, whatever copies of the order come, and none that is older than one that it has begun.

use std::fmt;

use downbeat_kernel::{FailureClass, RetryEnd, RetryReason};

/// The most attempts at a task.
pub const ATTEMPTS: usize = 3;

/// An attempt, from 0.
pub type Attempt = u8;

/// How an attempt stands at the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Real {
    /// The site has not heard of it.
    #[default]
    Unheard,
    /// Somebody works on it.
    Running,
    /// Its result was taken.
    Succeeded,
    /// It is over without a result.
    Failed(FailureClass),
    /// It may not begin, go on, or deliver a result.
    Fenced,
}

/// What is wrong with what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breach {
    /// Two attempts have delivered a result (S18).
    TwoResults(Attempt, Attempt),
    /// An attempt worked although a newer one had begun (S20).
    Outdated(Attempt, Attempt),
    /// An attempt began when the task had been said to be cancelled (S21).
    BegunAfter(Attempt),
    /// An attempt delivered a result when the task had been said to be cancelled (S21).
    DeliveredAfter(Attempt),
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoResults(first, second) => {
                write!(f, "attempts {} and {} have both delivered a result", first + 1, second + 1)
            }
            Self::Outdated(old, new) => {
                write!(f, "attempt {} works although attempt {} has begun", old + 1, new + 1)
            }
            Self::BegunAfter(attempt) => {
                write!(f, "attempt {} begins, and the task was said to be cancelled", attempt + 1)
            }
            Self::DeliveredAfter(attempt) => {
                write!(f, "attempt {} delivers a result, and the task was said to be cancelled", attempt + 1)
            }
        }
    }
}

/// What an observer has seen.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    attempts: [Real; ATTEMPTS],
    /// How the task was said to end.
    pub end: Option<RetryEnd>,
    /// Two results (S18).
    pub twice: Option<Breach>,
    /// Two at work (S20).
    pub beside: Option<Breach>,
    /// Something of the task began, or was delivered, after it was said to be cancelled (S21).
    pub after_cancelled: Option<Breach>,
    /// Somebody cancelled the task.
    pub is_cancelled: bool,
    /// An attempt was ordered after the cancel (S19).
    pub ordered_late: bool,
    /// The end was said to be another one (S7).
    pub reopened: bool,
    /// The end is not what the attempts came to (S11).
    pub is_false: bool,
}

impl Ledger {
    /// How an attempt stands.
    pub fn attempt(&self, attempt: Attempt) -> Real {
        self.attempts.get(usize::from(attempt)).copied().unwrap_or_default()
    }

    fn set(&mut self, attempt: Attempt, real: Real) {
        if let Some(slot) = self.attempts.get_mut(usize::from(attempt)) {
            *slot = real;
        }
    }

    fn all(&self) -> impl Iterator<Item = (Attempt, Real)> + use<> {
        (0..).zip(self.attempts)
    }

    /// Whether the site has begun with this or a newer one.
    pub fn is_outdated(&self, attempt: Attempt) -> bool {
        self.all().any(|(other, real)| other > attempt && has_begun(real))
    }

    /// Whether the site would begin it.
    pub fn may_begin(&self, attempt: Attempt) -> bool {
        self.attempt(attempt) == Real::Unheard && !self.is_outdated(attempt)
    }

    /// Whether any attempt has begun.
    pub fn has_begun(&self) -> bool {
        self.all().any(|(_, real)| has_begun(real))
    }

    /// Whether any attempt has delivered a result.
    pub fn has_result(&self) -> bool {
        self.all().any(|(_, real)| real == Real::Succeeded)
    }

    /// The site begins an attempt.
    pub fn begin(&mut self, attempt: Attempt) {
        let old = self.all().find(|(other, real)| *other < attempt && *real == Real::Running);
        self.beside = self.beside.or(old.map(|(old, _)| Breach::Outdated(old, attempt)));
        self.note_after_cancelled(Breach::BegunAfter(attempt));
        self.set(attempt, Real::Running);
    }

    /// An attempt comes to its end at the site.
    pub fn finish(&mut self, attempt: Attempt, real: Real) {
        if real == Real::Succeeded {
            let first = self.all().find(|(other, real)| *other != attempt && *real == Real::Succeeded);
            self.twice = self.twice.or(first.map(|(first, _)| Breach::TwoResults(first, attempt)));
            let newer = self.all().find(|(other, real)| *other > attempt && has_begun(*real));
            self.beside = self.beside.or(newer.map(|(newer, _)| Breach::Outdated(attempt, newer)));
            self.note_after_cancelled(Breach::DeliveredAfter(attempt));
        }
        self.set(attempt, real);
    }

    fn note_after_cancelled(&mut self, breach: Breach) {
        if self.is_said_cancelled() {
            self.after_cancelled = self.after_cancelled.or(Some(breach));
        }
    }

    /// Whether people were told that nothing of the task goes on, because it was cancelled.
    pub fn is_said_cancelled(&self) -> bool {
        self.end == Some(RetryEnd::Cancelled)
    }

    /// The site takes nothing of an attempt from here on.
    pub fn fence(&mut self, attempt: Attempt) {
        match self.attempt(attempt) {
            Real::Unheard | Real::Running => self.set(attempt, Real::Fenced),
            Real::Succeeded | Real::Failed(_) | Real::Fenced => {}
        }
    }

    /// An attempt is ordered.
    pub fn order(&mut self) {
        self.ordered_late |= self.is_cancelled;
    }

    /// Somebody does not want the task any more, before its end was said.
    pub fn cancel(&mut self) {
        self.is_cancelled |= self.end.is_none();
    }

    /// The end of the task is said, of which so many attempts were ordered.
    pub fn say(&mut self, end: RetryEnd, ordered: Attempt) {
        self.reopened |= self.end.is_some_and(|known| known != end);
        self.end = self.end.or(Some(end));
        let is_over = |attempt| match self.attempt(attempt) {
            Real::Failed(_) | Real::Fenced => true,
            Real::Unheard | Real::Running | Real::Succeeded => false,
        };
        self.is_false |= match end {
            RetryEnd::Completed { attempt } => {
                u8::try_from(attempt.0).map(|number| self.attempt(number - 1)) != Ok(Real::Succeeded)
            }
            RetryEnd::Failed(RetryReason::Permanent | RetryReason::Exhausted) => !(0..ordered).all(is_over),
            RetryEnd::Failed(RetryReason::Unknown) | RetryEnd::Cancelled | RetryEnd::CancelUnconfirmed => {
                false
            }
        };
    }
}

fn has_begun(real: Real) -> bool {
    match real {
        Real::Running | Real::Succeeded | Real::Failed(_) => true,
        Real::Unheard | Real::Fenced => false,
    }
}

/// How people call a failure.
pub fn class_word(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Transient => "failed, it may pass",
        FailureClass::Throttled { .. } => "failed, asked to wait",
        FailureClass::Permanent => "failed for good",
    }
}

/// How people call an end.
pub fn end_word(end: RetryEnd) -> String {
    match end {
        RetryEnd::Completed { attempt } => format!("completed by attempt {}", attempt.0),
        RetryEnd::Failed(RetryReason::Permanent) => "failed for good".to_owned(),
        RetryEnd::Failed(RetryReason::Exhausted) => "failed, as its attempts did".to_owned(),
        RetryEnd::Failed(RetryReason::Unknown) => "failed, and nobody knows how".to_owned(),
        RetryEnd::Cancelled => "cancelled".to_owned(),
        RetryEnd::CancelUnconfirmed => "cancelled, and nobody knows whether it has stopped".to_owned(),
    }
}
