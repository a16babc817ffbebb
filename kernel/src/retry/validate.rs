//! What must be true of the attempts at a task that are read from outside.

use super::{Retry, RetryEnd, RetryReason, RetryState};
use crate::config::Config;
use crate::validate::COUNTER_MAX;
use core::error::Error;
use core::fmt;

/// What is wrong with stored attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryCorrupt {
    /// A number is past its largest, or there were fewer timers than attempts and questions.
    Counters,
    /// There are more attempts than the settings allow, or fewer than the state needs.
    Attempts,
    /// It was asked more often than the settings allow, or never although the state says so.
    Queries,
}

impl fmt::Display for RetryCorrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counters => "the numbers of attempts, questions and timers contradict each other",
            Self::Attempts => "the attempts do not agree with the state or the settings",
            Self::Queries => "the questions do not agree with the state or the settings",
        })
    }
}

impl Error for RetryCorrupt {}

impl Retry {
    /// Whether these attempts can have come from events.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub fn validate(&self, config: &Config) -> Result<(), RetryCorrupt> {
        let rules = [
            (self.counters_fit(), RetryCorrupt::Counters),
            (self.attempts_fit(config), RetryCorrupt::Attempts),
            (self.queries_fit(config), RetryCorrupt::Queries),
        ];
        rules.into_iter().try_for_each(|(fits, corrupt)| if fits { Ok(()) } else { Err(corrupt) })
    }

    /// An attempt, a question and a fence have a timer each, and so has the wait between two attempts.
    fn counters_fit(&self) -> bool {
        let waits = match self.state {
            RetryState::BackingOff { .. } => self.attempt.0,
            RetryState::Unsubmitted
            | RetryState::Running
            | RetryState::Querying { .. }
            | RetryState::Fencing { .. }
            | RetryState::Cancelling { .. }
            | RetryState::Ended(_)
            | RetryState::Closed => self.attempt.0.saturating_sub(1),
        };
        let armed = [self.attempt.0, self.query.0, waits, self.repeats()];
        self.timer.0 <= COUNTER_MAX
            && self.query.0 <= COUNTER_MAX
            && armed.into_iter().fold(0, u32::saturating_add) <= self.timer.0
            && (self.attempt.0 > 0 || self.timer.0 == 0)
    }

    fn attempts_fit(&self, config: &Config) -> bool {
        let (tried, most) = (self.attempt.0, u32::from(config.task_attempts_max.max(1)));
        let fits = match self.state {
            RetryState::Unsubmitted => tried == 0,
            RetryState::Running
            | RetryState::Querying { .. }
            | RetryState::Fencing { .. }
            | RetryState::Cancelling { .. }
            | RetryState::Ended(
                RetryEnd::Failed(RetryReason::Permanent | RetryReason::Unknown) | RetryEnd::CancelUnconfirmed,
            ) => tried > 0,
            RetryState::BackingOff { .. } => tried > 0 && tried < most,
            RetryState::Ended(RetryEnd::Completed { attempt }) => tried > 0 && attempt == self.attempt,
            RetryState::Ended(RetryEnd::Failed(RetryReason::Exhausted)) => tried == most,
            RetryState::Ended(RetryEnd::Cancelled) | RetryState::Closed => true,
        };
        fits && tried <= most
    }

    fn queries_fit(&self, config: &Config) -> bool {
        let most = config.queries_max.max(1);
        match self.state {
            RetryState::Querying { asked } | RetryState::Cancelling { asked } => {
                self.query.0 > 0 && (1..=most).contains(&asked)
            }
            // It was asked about the attempt before.
            RetryState::Fencing { asked } => self.query.0 > 1 && (1..=most).contains(&asked),
            RetryState::Ended(RetryEnd::Failed(RetryReason::Unknown) | RetryEnd::CancelUnconfirmed) => {
                self.query.0 > 0
            }
            RetryState::Unsubmitted => self.query.0 == 0,
            // Nothing comes after the last attempt that could be cancelled without a fence.
            RetryState::Ended(RetryEnd::Cancelled)
                if self.attempt.0 == u32::from(config.task_attempts_max.max(1)) =>
            {
                self.query.0 > 0
            }
            RetryState::Running
            | RetryState::BackingOff { .. }
            | RetryState::Ended(
                RetryEnd::Completed { .. }
                | RetryEnd::Failed(RetryReason::Permanent | RetryReason::Exhausted)
                | RetryEnd::Cancelled,
            )
            | RetryState::Closed => self.attempt.0 > 0 || self.query.0 == 0,
        }
    }

    /// How often the last question or fence was repeated.
    fn repeats(&self) -> u32 {
        match self.state {
            RetryState::Querying { asked }
            | RetryState::Fencing { asked }
            | RetryState::Cancelling { asked } => u32::from(asked.saturating_sub(1)),
            RetryState::Unsubmitted
            | RetryState::Running
            | RetryState::BackingOff { .. }
            | RetryState::Ended(_)
            | RetryState::Closed => 0,
        }
    }
}
