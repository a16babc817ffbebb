//! One request to a model: however often it has to be sent, it has one answer and one bill.
//!
//! What is sent twice is paid twice, and a provider, its library and a task that each try again multiply. Here everyone who
//! would send again has to come by one place: it counts every send in one budget (S2), writes it into a ledger with its
//! reason, and sends only when the send before it is over (S1).
//!
//! Three facts carry the argument. Every answer names its attempt, so that what an old stream still says touches nothing.
//! A stream that is given up is stopped first, and closed by force if it does not stop in time. And once output has gone out,
//! nothing is sent any more (S18): a second answer could not be told from the first by whoever has read it.
//!
//! A request ends exactly once: accepted, failed, or cancelled.

mod conversation;
mod ledger;
mod step;
mod validate;
mod vocabulary;
mod wait;

pub use conversation::Conversation;
pub use ledger::{Fate, Ledger, SENDS_MAX, SendRecord};
pub use validate::RequestCorrupt;
pub use vocabulary::{
    Input, Passing, Previous, ProfileId, RequestEffect, RequestEnd, RequestEvent, RequestReason,
    RequestRejected, RequestTimer, SendFailure, SendReason,
};

use crate::config::Config;
use crate::credential::Generation;
use crate::faults::Fault;
use crate::vocabulary::{Attempt, Outcome, TurnNumber};
use serde::{Deserialize, Serialize};
use step::Step;

/// The profiles that a request may be sent to at most: those that are down are a set of this many bits.
pub const PROFILES_MAX: u8 = 8;

/// The profiles that a request may be sent to, the preferred one first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Profiles {
    /// How many there are, 1 to [`PROFILES_MAX`].
    pub count: u8,
    /// Bit `i`: profile `i` is not to be used now.
    pub down: u8,
    /// Bit `i`: profile `i` has a key that does not change, so that no credential is asked for.
    pub keyed: u8,
}

/// Where a request stands. The diagram is in `docs/request.md`, made from this code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RequestState {
    /// Nobody has asked for it.
    #[default]
    Unbegun,
    /// Waits for a credential for the next send.
    Authorizing {
        /// Where that will go.
        profile: ProfileId,
        /// Why.
        reason: SendReason,
    },
    /// The next send is held back by a person.
    Ready {
        /// Where it will go.
        profile: ProfileId,
        /// With which credential.
        generation: Generation,
        /// Why.
        reason: SendReason,
    },
    /// The last send is open, and no output of it has gone out.
    Streaming {
        /// The credential that it was sent with, [`Generation`] 0 for a key that does not change.
        generation: Generation,
    },
    /// The last send is open, and output of it has gone out.
    Delivering,
    /// Waits before the next send.
    BackingOff {
        /// What happened to the last one.
        after: Passing,
        /// The wait, in milliseconds.
        after_ms: u64,
    },
    /// The last send was told to stop.
    Stopping(Aim),
    /// It came to its end. Nothing leaves this state.
    Ended(RequestEnd),
}

/// Why a send is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Aim {
    /// To send to another profile.
    Failover {
        /// The credential that it was sent with.
        generation: Generation,
    },
    /// To end as cancelled.
    Cancel,
}

/// A wait before a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wait {
    /// What happened to the send before.
    pub after: Passing,
    /// How long, in milliseconds.
    pub after_ms: u64,
}

/// The token of each profile that was not taken, [`Generation`] 0 where there was none.
pub type Refused = [Generation; PROFILES_MAX as usize];

/// One request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Request {
    /// Where it stands.
    pub state: RequestState,
    /// Where it may be sent to.
    pub profiles: Profiles,
    /// What it may continue from, until its provider says that this is lost.
    pub previous: Option<Previous>,
    /// The first token of each profile that was not taken. There is no second (S17).
    pub refused: Refused,
    /// Bit `i`: profile `i` wants to be asked again later than [`Config::retry_after_ms_max`], and was not said to be
    /// up again since.
    pub shut: u8,
    /// The wait that is due if its next send goes where the last one failed, while it is to go elsewhere.
    pub owed: Option<Wait>,
    /// Whether a person holds it: it sends nothing.
    pub held: bool,
    /// What was sent.
    pub ledger: Ledger,
}

impl Request {
    /// Takes one event and gives `sink` the effects in their order.
    ///
    /// Unless the outcome is [`Outcome::Applied`], nothing changed and nothing was emitted (S25).
    pub fn step(
        &mut self,
        event: RequestEvent,
        config: &Config,
        sink: &mut dyn FnMut(RequestEffect),
    ) -> Outcome<RequestRejected> {
        Step { request: self, config, sink }.take(event)
    }

    /// Repeats what is outstanding, with the same identities: for a shell that has just started. A send is asked about and
    /// not repeated, because it may have been done.
    pub fn resync(&self, config: &Config, sink: &mut dyn FnMut(RequestEffect)) {
        match self.state {
            RequestState::Authorizing { profile, .. } if !config.has(Fault::ResyncForgetsCredential) => {
                sink(self.get_credential(profile));
            }
            RequestState::Streaming { generation } if config.has(Fault::ResyncSendsAgain) => {
                if let Some(send) = self.ledger.last() {
                    let (profile, reason) = (send.profile, send.reason);
                    let input = self.input(profile);
                    sink(RequestEffect::Send { attempt: self.last(), profile, generation, input, reason });
                }
            }
            RequestState::Streaming { .. } | RequestState::Delivering
                if !config.has(Fault::ResyncForgetsSend) =>
            {
                sink(RequestEffect::Recover { attempt: self.last() });
            }
            RequestState::BackingOff { after_ms, .. } if !config.has(Fault::ResyncForgetsBackoff) => {
                sink(RequestEffect::Arm { timer: RequestTimer::Backoff(self.ledger.next()), after_ms });
            }
            RequestState::Stopping(_) if !config.has(Fault::ResyncForgetsStop) => self.stop(config, sink),
            RequestState::Authorizing { .. }
            | RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::BackingOff { .. }
            | RequestState::Stopping(_)
            | RequestState::Unbegun
            | RequestState::Ready { .. }
            | RequestState::Ended(_) => {}
        }
    }

    /// The response that was accepted, for a later turn to continue from.
    pub(crate) fn response(&self, turn: TurnNumber) -> Option<Previous> {
        let RequestState::Ended(RequestEnd::Accepted { attempt }) = self.state else { return None };
        let send = self.ledger.sends().get(usize::from(attempt.0))?;
        Some(Previous { turn, attempt, profile: send.profile })
    }

    /// Whether a whole response to this attempt would end the request as accepted.
    pub(crate) fn awaits(&self, attempt: Attempt, config: &Config) -> bool {
        let is_wanted = match self.state {
            RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::Stopping(Aim::Failover { .. }) => true,
            RequestState::Stopping(Aim::Cancel)
            | RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::BackingOff { .. }
            | RequestState::Ended(_) => false,
        };
        is_wanted && self.fits(attempt, config).is_ok()
    }

    /// Whether a provider may have worked on what was sent, so that the model may have read it.
    pub(crate) fn may_have_been_read(&self) -> bool {
        self.ledger.sends().iter().any(|send| send.fate != Fate::Refused)
    }

    /// The number of the last send; there is one.
    fn last(&self) -> Attempt {
        Attempt(self.ledger.next().0.saturating_sub(1))
    }

    /// The order for a credential for the next send.
    fn get_credential(&self, profile: ProfileId) -> RequestEffect {
        RequestEffect::GetCredential {
            attempt: self.ledger.next(),
            profile,
            newer_than: self.newer_than(profile),
        }
    }

    /// The generation of a profile that will not do.
    fn newer_than(&self, profile: ProfileId) -> Generation {
        self.refused.get(usize::from(profile.0)).copied().unwrap_or_default()
    }

    /// Whether a token of a profile was not taken.
    fn is_refused(&self, profile: ProfileId) -> bool {
        self.newer_than(profile) != Generation(0)
    }

    /// The orders that close the last send, or see to it that it will be closed.
    fn stop(&self, config: &Config, sink: &mut dyn FnMut(RequestEffect)) {
        let attempt = self.last();
        sink(RequestEffect::Stop { attempt });
        if !config.has(Fault::NoFenceTimer) {
            let after_ms = u64::from(config.grace_ms);
            sink(RequestEffect::Arm { timer: RequestTimer::Grace(attempt), after_ms });
        }
    }

    /// What a send to this profile has the provider read.
    fn input(&self, profile: ProfileId) -> Input {
        match self.previous {
            Some(previous) if previous.profile == profile => Input::Continue(previous),
            Some(_) | None => Input::Full,
        }
    }

    /// Where the next send would go: to the first profile that can be used; if none can, nowhere else than before.
    fn preferred(&self, config: &Config) -> ProfileId {
        let before = self.ledger.last().map_or(ProfileId(0), |send| send.profile);
        self.preferred_to(before, config)
    }

    /// The first profile that is neither down nor shut; if all are, `otherwise`.
    fn preferred_to(&self, otherwise: ProfileId, config: &Config) -> ProfileId {
        self.first_up(config).unwrap_or(otherwise)
    }

    /// The first profile that is neither down nor shut.
    fn first_up(&self, config: &Config) -> Option<ProfileId> {
        let Profiles { count, down, .. } = self.profiles;
        let down = if config.has(Fault::DownIsPreferred) { 0 } else { down };
        let avoided = down | self.shut;
        (0..count).find(|place| avoided >> place & 1 == 0).map(ProfileId)
    }

    /// Whether a profile asked for too much patience, and was not said to be up since.
    pub(crate) fn has_shut(&self, profile: ProfileId) -> bool {
        profile.is_in(self.shut)
    }

    /// How often it has waited before it was sent to the same place again.
    fn waits(&self) -> u32 {
        let retries = self.ledger.sends().iter().filter(|send| matches!(send.reason, SendReason::Retry(_)));
        retries.fold(0, |waits, _| waits + 1)
    }

    /// Whether there is no send left (S2).
    fn is_spent(&self, config: &Config) -> bool {
        let sent = self.ledger.next().0;
        let spent = sent >= config.attempts_max && !config.has(Fault::NoSendBudget);
        spent || usize::from(sent) >= SENDS_MAX
    }

    /// How an answer about a send relates to the one that is open.
    fn fits(&self, attempt: Attempt, config: &Config) -> Result<(), Fit> {
        let next = self.ledger.next();
        match self.state {
            _ if attempt >= next => Err(Fit::NeverAsked),
            RequestState::Ended(_) => Err(Fit::Terminal),
            RequestState::Streaming { .. } | RequestState::Delivering | RequestState::Stopping(_)
                if attempt == self.last() || config.has(Fault::AnySend) =>
            {
                Ok(())
            }
            RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::Stopping(_)
            | RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::BackingOff { .. } => Err(Fit::Stale),
        }
    }

    /// How a credential or the end of a wait relates to the send that is next.
    fn fits_next(&self, attempt: Attempt) -> Result<(), Fit> {
        let next = self.ledger.next();
        match self.state {
            _ if attempt > next => Err(Fit::NeverAsked),
            RequestState::Ended(_) => Err(Fit::Terminal),
            RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::BackingOff { .. }
            | RequestState::Stopping(_) => {
                if attempt == next {
                    Ok(())
                } else {
                    Err(Fit::Stale)
                }
            }
        }
    }
}

/// Why an answer is not the one that is waited for.
#[derive(Clone, Copy)]
enum Fit {
    Stale,
    Terminal,
    NeverAsked,
}

impl ProfileId {
    /// Whether places with a bit for each have this one.
    pub(crate) fn is_in(self, places: u8) -> bool {
        places.checked_shr(self.0.into()).is_some_and(|places| places & 1 == 1)
    }
}

impl Profiles {
    /// Those of the settings, of which some are down now.
    pub(crate) fn of(config: &Config, down: u8) -> Self {
        let count = config.profiles.clamp(1, PROFILES_MAX);
        let all = u8::MAX >> (PROFILES_MAX - count);
        Self { count, down: down & all, keyed: config.profiles_keyed & all }
    }

    /// Whether a profile needs no credential.
    fn is_keyed(self, profile: ProfileId) -> bool {
        profile.is_in(self.keyed)
    }

    /// Whether there can be such a list, and what is continued from is in it.
    fn can_be(self, previous: Option<Previous>) -> bool {
        let known = u16::from(self.down | self.keyed) >> self.count.min(PROFILES_MAX) == 0;
        let in_list = previous.is_none_or(|previous| previous.profile.0 < self.count);
        (1..=PROFILES_MAX).contains(&self.count) && known && in_list
    }
}
