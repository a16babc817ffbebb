//! What must be true of an outbox that is read from outside.

use super::{Outbox, OutboxState};
use crate::config::Config;
use crate::validate::COUNTER_MAX;
use core::error::Error;
use core::fmt;

/// What is wrong with a stored outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxCorrupt {
    /// A number is past its largest, more is settled than accepted, or there were fewer timers than attempts.
    Counters,
    /// More waits than may.
    Bounds,
    /// Something waits and nothing is sent, or the other way round, or an attempt is past the last one.
    State,
    /// A task ended that nothing was said about.
    Conclusion,
}

impl fmt::Display for OutboxCorrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counters => "the numbers of notifications and timers contradict each other",
            Self::Bounds => "more notifications wait than the settings allow",
            Self::State => "what waits in the outbox does not agree with its state",
            Self::Conclusion => "a conclusion was accepted without a notification",
        })
    }
}

impl Error for OutboxCorrupt {}

impl Outbox {
    /// Whether this outbox can have come from events.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub fn validate(&self, config: &Config) -> Result<(), OutboxCorrupt> {
        let rules = [
            (self.counters_fit(config), OutboxCorrupt::Counters),
            (self.is_within_bounds(config), OutboxCorrupt::Bounds),
            (self.state_fits(config), OutboxCorrupt::State),
            (self.conclusion.is_none() || self.accepted.0 > 0, OutboxCorrupt::Conclusion),
        ];
        rules.into_iter().try_for_each(|(fits, corrupt)| if fits { Ok(()) } else { Err(corrupt) })
    }

    /// Each attempt has had its timer.
    fn counters_fit(&self, config: &Config) -> bool {
        let attempts = match self.state {
            OutboxState::Idle => 0,
            OutboxState::Sending { attempt } => attempt,
            OutboxState::Undelivered => config.notification_attempts_max.max(1),
        };
        self.settled <= self.accepted
            && self.accepted.0 <= COUNTER_MAX
            && self.timer.0 <= COUNTER_MAX
            && self.settled.0 + u32::from(attempts) <= self.timer.0
            && (self.accepted.0 > 0 || self.timer.0 == 0)
    }

    fn is_within_bounds(&self, config: &Config) -> bool {
        let most = u32::from(config.notifications_max) + u32::from(self.conclusion.is_some());
        self.accepted.0.checked_sub(self.settled.0).is_some_and(|waits| waits <= most)
    }

    fn state_fits(&self, config: &Config) -> bool {
        let waits = self.settled < self.accepted;
        match self.state {
            OutboxState::Idle => !waits,
            OutboxState::Sending { attempt } => {
                waits && (1..=config.notification_attempts_max.max(1)).contains(&attempt)
            }
            OutboxState::Undelivered => waits,
        }
    }
}
