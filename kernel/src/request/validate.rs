//! What must be true of a request that is read from outside.

use super::{
    Aim, Fate, PROFILES_MAX, Passing, ProfileId, Request, RequestEnd, RequestReason, RequestState,
    SendReason, SendRecord, Wait,
};
use crate::config::Config;
use crate::credential::Generation;
use core::error::Error;
use core::fmt;

/// Why a request cannot have come from events: what [`Request::validate`] found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestCorrupt {
    /// There is no such list of profiles, or something names a profile that is not in it.
    Profiles,
    /// The sends are too many, or do not follow from each other.
    Ledger,
    /// What was sent does not lead to the state.
    State,
}

impl fmt::Display for RequestCorrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Profiles => "the profiles of the request cannot be",
            Self::Ledger => "the sends of the request do not follow from each other",
            Self::State => "the state of the request does not follow from its sends",
        })
    }
}

impl Error for RequestCorrupt {}

impl Request {
    /// Checks what must be true of every request.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub fn validate(&self, config: &Config) -> Result<(), RequestCorrupt> {
        let rules = [
            (self.profiles_fit(), RequestCorrupt::Profiles),
            (self.ledger_fits(config), RequestCorrupt::Ledger),
            (self.state_fits(config), RequestCorrupt::State),
        ];
        rules.into_iter().find(|(fits, _)| !fits).map_or(Ok(()), |(_, corrupt)| Err(corrupt))
    }

    /// A request that nobody began knows nothing, also if it was cancelled.
    fn profiles_fit(&self) -> bool {
        let Self { state, profiles, ledger, .. } = self;
        if *self == (Self { state: *state, ..Self::default() }) {
            return matches!(state, RequestState::Unbegun | RequestState::Ended(RequestEnd::Cancelled));
        }
        let known = |profile: ProfileId| profile.0 < profiles.count;
        *state != RequestState::Unbegun
            && profiles.can_be(self.previous)
            && self.refused().all(|profile| self.may_ask(profile))
            && ledger.sends().iter().all(|send| known(send.profile))
    }

    fn ledger_fits(&self, config: &Config) -> bool {
        let sends = self.ledger.sends();
        let once = |reason| sends.iter().filter(|send| send.reason == reason).count() <= 1;
        let follow = sends.is_sorted_by(|before, send| {
            follows(*before, send.profile, send.reason) && !matches!(before.fate, Fate::Open | Fate::Whole)
        });
        let first = sends.first().is_none_or(|send| send.reason == SendReason::First);
        let fresh = |profile| {
            let is_fresh =
                |send: &&SendRecord| send.profile == profile && send.reason == SendReason::FreshToken;
            sends.iter().filter(is_fresh).count()
        };
        let full = sends.iter().any(|send| send.reason == SendReason::FullInput);
        let was_refused = |profile| {
            sends.iter().any(|send| send.profile == profile && !matches!(send.fate, Fate::Open | Fate::Whole))
        };
        self.ledger.is_sound()
            && sends.len() <= usize::from(config.attempts_max).max(1)
            && follow
            && first
            && once(SendReason::FullInput)
            && sends.iter().all(|send| fresh(send.profile) <= usize::from(self.is_refused(send.profile)))
            && (!full || self.previous.is_none())
            && self.refused().all(was_refused)
            && self.shut().all(was_refused)
    }

    /// The profiles that asked for too much patience.
    fn shut(&self) -> impl Iterator<Item = ProfileId> {
        (0..PROFILES_MAX).filter(|place| self.shut >> place & 1 == 1).map(ProfileId)
    }

    /// The profiles of which a token was not taken.
    fn refused(&self) -> impl Iterator<Item = ProfileId> {
        (0..PROFILES_MAX).map(ProfileId).filter(|profile| self.is_refused(*profile))
    }

    fn state_fits(&self, config: &Config) -> bool {
        let last = self.ledger.last();
        let fate = last.map(|send| send.fate);
        let is_over = matches!(fate, None | Some(Fate::Refused | Fate::Lost));
        let may_send = |profile, reason| match last {
            None => reason == SendReason::First,
            Some(before) => is_over && !self.is_spent(config) && follows(*before, profile, reason),
        };
        let is_open = fate == Some(Fate::Open);
        let is_newer = |generation| last.is_some_and(|send| self.may_be_sent(send.profile, generation));
        match self.state {
            RequestState::Ended(_) | RequestState::Unbegun if self.held => false,
            _ if !self.may_owe() => false,
            RequestState::Unbegun => fate.is_none(),
            RequestState::Authorizing { profile, reason } => {
                self.may_ask(profile) && may_send(profile, reason) && self.may_be_due(profile, reason)
            }
            RequestState::Ready { profile, generation, reason } => {
                self.held
                    && self.may_be_sent(profile, generation)
                    && may_send(profile, reason)
                    && self.may_be_due(profile, reason)
            }
            RequestState::Streaming { generation } => is_open && is_newer(generation),
            RequestState::Delivering => is_open,
            RequestState::Stopping(Aim::Cancel) => is_open && !self.held,
            RequestState::Stopping(Aim::Failover { generation }) => {
                is_open && is_newer(generation) && !self.is_spent(config)
            }
            RequestState::BackingOff { after, .. } => {
                !self.is_shut() && last.is_some_and(|send| may_send(send.profile, SendReason::Retry(after)))
            }
            RequestState::Ended(RequestEnd::Accepted { attempt }) => {
                fate == Some(Fate::Whole) && attempt == self.last()
            }
            RequestState::Ended(RequestEnd::Cancelled) => !is_open,
            RequestState::Ended(RequestEnd::Failed(reason)) => is_over && self.can_fail(reason, fate, config),
        }
    }

    /// Whether a credential can be asked for.
    fn may_ask(&self, profile: ProfileId) -> bool {
        profile.0 < self.profiles.count && !self.profiles.is_keyed(profile)
    }

    /// Whether a wait is owed only where the next send goes elsewhere than the one that failed.
    fn may_owe(&self) -> bool {
        let Some(Wait { after, .. }) = self.owed else { return true };
        let leaves = matches!(
            self.state,
            RequestState::Authorizing { reason: SendReason::Failover, .. }
                | RequestState::Ready { reason: SendReason::Failover, .. }
        );
        leaves
            && self.ledger.last().is_some_and(|send| follows(*send, send.profile, SendReason::Retry(after)))
    }

    /// Whether a send can go there with this credential.
    fn may_be_sent(&self, profile: ProfileId, generation: Generation) -> bool {
        if self.may_ask(profile) {
            generation > self.newer_than(profile)
        } else {
            profile.0 < self.profiles.count && generation == Generation(0)
        }
    }

    /// Whether what a send is due for is so, and was not made up for before.
    fn may_be_due(&self, profile: ProfileId, reason: SendReason) -> bool {
        let mut so_far = self.ledger.sends().iter().filter(|send| send.reason == reason);
        match reason {
            SendReason::FreshToken => so_far.all(|send| send.profile != profile) && self.is_refused(profile),
            SendReason::FullInput => so_far.next().is_none() && self.previous.is_none(),
            SendReason::First | SendReason::Retry(_) | SendReason::Failover | SendReason::Returned => true,
        }
    }

    /// Whether there was no newer token for the last send to be tried again with.
    fn may_be_final(&self) -> bool {
        let is_final =
            |send: &SendRecord| self.is_refused(send.profile) || self.profiles.is_keyed(send.profile);
        self.ledger.last().is_some_and(is_final)
    }

    /// Whether where the last send went asks for too much patience.
    fn is_shut(&self) -> bool {
        self.ledger.last().is_some_and(|last| self.shut().any(|profile| profile == last.profile))
    }

    /// Whether a request can have failed like this after a last send that ended like that.
    fn can_fail(&self, reason: RequestReason, fate: Option<Fate>, config: &Config) -> bool {
        let is_refused = self.ledger.last().is_some_and(|send| send.may_be_refused());
        match reason {
            RequestReason::AttemptsExhausted => fate.is_some() && self.is_spent(config),
            RequestReason::Credential => fate.is_none() || !self.is_spent(config),
            RequestReason::Throttled => is_refused && self.is_shut(),
            RequestReason::Unauthorized => is_refused && self.may_be_final(),
            RequestReason::ContextTooLong | RequestReason::Invalid => is_refused,
            RequestReason::Interrupted => fate.is_some(),
        }
    }
}

impl SendRecord {
    /// Whether it can have failed by a refusal, if it has failed: a provider that had sent its bill by then has worked on it all the
    /// same.
    fn may_be_refused(self) -> bool {
        self.fate == Fate::Refused || self.charged
    }
}

/// Whether a send to `profile` can come after another for this reason.
fn follows(before: SendRecord, profile: ProfileId, reason: SendReason) -> bool {
    let same = before.profile == profile;
    match reason {
        SendReason::First => false,
        SendReason::FreshToken | SendReason::FullInput | SendReason::Retry(Passing::Throttled) => {
            same && before.may_be_refused()
        }
        SendReason::Retry(Passing::Transient | Passing::Interrupted) => same && before.fate == Fate::Lost,
        SendReason::Failover => !same,
        SendReason::Returned => same,
    }
}
