//! What must be true of a credential that is read from outside.

use super::{Credential, CredentialState, IfCurrent};
use crate::config::Config;
use crate::validate::COUNTER_MAX;
use core::error::Error;
use core::fmt;

/// What is wrong with a stored credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialCorrupt {
    /// A generation or an order has a number that no credential comes to.
    Counters,
    /// Somebody waits although nothing is ordered, nobody waits although something is, or too many wait.
    Waiters,
    /// The state needs a generation, or an order, and there was none.
    State,
    /// The waits are more than may be, or none where the state is a wait, or some where nobody waits.
    Waits,
}

impl fmt::Display for CredentialCorrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counters => "a generation or an order is past its largest number",
            Self::Waiters => "who waits does not agree with the state",
            Self::State => "the state needs a generation or an order that there never was",
            Self::Waits => "the waits do not agree with the state",
        })
    }
}

impl Error for CredentialCorrupt {}

impl Credential {
    /// Whether this credential can have come from events.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub fn validate(&self, config: &Config) -> Result<(), CredentialCorrupt> {
        let rules = [
            (self.generation.0.max(self.order.0) <= COUNTER_MAX, CredentialCorrupt::Counters),
            (self.waiters_fit(config), CredentialCorrupt::Waiters),
            (self.state_fits(), CredentialCorrupt::State),
            (self.waits_fit(config), CredentialCorrupt::Waits),
        ];
        rules.into_iter().try_for_each(|(fits, corrupt)| if fits { Ok(()) } else { Err(corrupt) })
    }

    fn waiters_fit(&self, config: &Config) -> bool {
        match self.accepted.0.checked_sub(self.settled.0) {
            Some(waiting) => self.is_open() == (waiting > 0) && waiting <= u64::from(config.waiters_max),
            None => false,
        }
    }

    fn state_fits(&self) -> bool {
        let (has_generation, has_ordered) = (self.generation.0 > 0, self.order.0 > 0);
        match self.state {
            CredentialState::Lapsed => true,
            CredentialState::Fresh => has_generation,
            CredentialState::Refused
            | CredentialState::Reading { if_current: IfCurrent::Refresh | IfCurrent::Refuse }
            | CredentialState::Waiting { if_current: IfCurrent::Refresh | IfCurrent::Refuse } => has_ordered,
            CredentialState::Refreshing
            | CredentialState::Storing
            | CredentialState::Unsaved
            | CredentialState::Reading { if_current: IfCurrent::Write }
            | CredentialState::Waiting { if_current: IfCurrent::Write } => has_generation && has_ordered,
        }
    }

    fn waits_fit(&self, config: &Config) -> bool {
        match self.state {
            CredentialState::Waiting { .. } => (1..=config.credential_waits_max).contains(&self.waits),
            CredentialState::Reading { .. } | CredentialState::Refreshing | CredentialState::Storing => {
                self.waits <= config.credential_waits_max
            }
            CredentialState::Lapsed
            | CredentialState::Fresh
            | CredentialState::Unsaved
            | CredentialState::Refused => self.waits == 0,
        }
    }
}
