//! The request a second time: a list of sends, and one table over event and state.

use super::beside;
use crate::config::Config;
use crate::credential::Generation;
use crate::request::{
    Aim, Fate, Input, Ledger, Passing, ProfileId, Profiles, Request, RequestEffect, RequestEnd, RequestEvent,
    RequestReason, RequestRejected, RequestState, RequestTimer, SendFailure, SendReason, SendRecord, Wait,
};
use crate::vocabulary::{Attempt, Ignored, Outcome};
use std::vec::Vec;

type Said = beside::Said<Request, RequestEffect, RequestRejected>;

/// The send that an event is about, and whether it is one that was made, or else the one that comes next.
fn about(event: RequestEvent) -> Option<(usize, bool)> {
    use RequestEvent as E;
    let (attempt, made) = match event {
        E::OutputDelivered { attempt }
        | E::ResponseEnded { attempt }
        | E::SendFailed { attempt, .. }
        | E::Stopped { attempt }
        | E::TimerFired { timer: RequestTimer::Grace(attempt) } => (attempt, true),
        E::CredentialGiven { attempt, .. }
        | E::CredentialFailed { attempt }
        | E::TimerFired { timer: RequestTimer::Backoff(attempt) } => (attempt, false),
        E::Began { .. }
        | E::UsageReported { .. }
        | E::ProfileDown { .. }
        | E::ProfileUp { .. }
        | E::PauseRequested
        | E::ResumeRequested
        | E::CancelRequested => return None,
    };
    Some((usize::from(attempt.0), made))
}

/// The twin's way to see a request: with lists, and with the orders that came of the event so far.
#[derive(Clone)]
struct View {
    request: Request,
    sends: Vec<SendRecord>,
    effects: Vec<RequestEffect>,
}

impl View {
    fn of(request: &Request) -> Self {
        Self { request: *request, sends: request.ledger.sends().to_vec(), effects: Vec::new() }
    }

    fn done(self) -> (Request, Vec<RequestEffect>) {
        (Request { ledger: Ledger::of(&self.sends), ..self.request }, self.effects)
    }

    fn order(mut self, effect: RequestEffect) -> Self {
        self.effects.push(effect);
        self
    }

    fn to(mut self, state: RequestState) -> Self {
        self.request.state = state;
        self
    }

    fn held(mut self, held: bool) -> Self {
        self.request.held = held;
        self
    }

    fn at(&self) -> Option<ProfileId> {
        self.sends.last().map(|send| send.profile)
    }

    fn booked(mut self, fate: Fate) -> Self {
        self.sends.last_mut().expect("something was sent").fate = fate;
        self
    }

    fn next(&self) -> Attempt {
        Attempt(u16::try_from(self.sends.len()).expect("few sends"))
    }

    fn disarm(self, timer: fn(Attempt) -> RequestTimer, attempt: Attempt) -> Self {
        self.order(RequestEffect::Disarm { timer: timer(attempt) })
    }

    fn end(mut self, end: RequestEnd) -> Self {
        (self.request.held, self.request.owed) = (false, None);
        self.to(RequestState::Ended(end)).order(RequestEffect::Ended { end })
    }

    fn fail(self, reason: RequestReason) -> Self {
        self.end(RequestEnd::Failed(reason))
    }

    /// The first profile that is up, else the one of before.
    fn best(&self) -> ProfileId {
        self.up().or(self.at()).unwrap_or_default()
    }

    fn up(&self) -> Option<ProfileId> {
        let Request { profiles: Profiles { count, down, .. }, shut, .. } = self.request;
        let up = (0..count).filter(|place| down & 1 << place == 0 && shut & 1 << place == 0);
        up.map(ProfileId).min()
    }

    fn refused(&self, profile: ProfileId) -> Generation {
        self.request.refused[usize::from(profile.0)]
    }

    /// The next send, to this profile, for this reason, if one is left.
    fn ask(self, profile: ProfileId, reason: SendReason, config: &Config) -> Self {
        if self.sends.len() >= usize::from(config.attempts_max.max(1)).min(16) {
            return self.fail(RequestReason::AttemptsExhausted);
        }
        let (attempt, newer_than) = (self.next(), self.refused(profile));
        if self.is_keyed(profile) {
            return self.may_go(profile, Generation(0), reason);
        }
        self.to(RequestState::Authorizing { profile, reason }).order(RequestEffect::GetCredential {
            attempt,
            profile,
            newer_than,
        })
    }

    fn is_keyed(&self, profile: ProfileId) -> bool {
        self.request.profiles.keyed & 1 << profile.0 != 0
    }

    /// Everything is there for the next send, which a hold keeps back.
    fn may_go(self, profile: ProfileId, generation: Generation, reason: SendReason) -> Self {
        if self.request.held {
            self.to(RequestState::Ready { profile, generation, reason })
        } else {
            self.goes(profile, generation, reason)
        }
    }

    fn goes(self, profile: ProfileId, generation: Generation, reason: SendReason) -> Self {
        let from = self.request.previous.filter(|previous| previous.profile == profile);
        let input = from.map_or(Input::Full, Input::Continue);
        let attempt = self.next();
        let mut view = self.to(RequestState::Streaming { generation });
        view.request.owed = None;
        view.sends.push(SendRecord { profile, reason, fate: Fate::Open, charged: false });
        view.order(RequestEffect::Send { attempt, profile, generation, input, reason })
    }

    /// The same, to the best profile.
    fn ask_best(self, reason: SendReason, config: &Config) -> Self {
        let best = self.best();
        self.ask_at(best, reason, config)
    }

    /// The same, to this profile, which may be another than that of the last send.
    fn ask_at(self, place: ProfileId, reason: SendReason, config: &Config) -> Self {
        let reason = match (self.at(), reason) {
            (Some(at), _) if at != place => SendReason::Failover,
            (Some(_), SendReason::Failover) => match self.request.owed {
                Some(wait) => return self.pause(wait),
                None => SendReason::Returned,
            },
            (_, reason) => reason,
        };
        self.ask(place, reason, config)
    }

    /// A credential is there, of a profile that may not be the best one any more.
    fn given(self, profile: ProfileId, generation: Generation, reason: SendReason, config: &Config) -> Self {
        match self.up() {
            Some(up) if up != profile => self.ask_at(up, reason, config),
            Some(_) | None => self.may_go(profile, generation, reason),
        }
    }

    /// Another try, after a wait if it goes to the same place.
    fn wait(mut self, after: Passing, asked: Option<u32>, jitter: u32, config: &Config) -> Self {
        let here = self.at().unwrap_or_default();
        let too_long = asked > Some(config.retry_after_ms_max);
        if too_long {
            self.request.shut |= 1 << here.0;
        }
        let waits = self.sends.iter().filter(|send| matches!(send.reason, SendReason::Retry(_))).count();
        let usual = (u64::from(config.backoff_ms) << waits).min(config.backoff_ms_max.into());
        let margin = u64::from(config.retry_after_margin_ms);
        let wait = asked.map_or(usual, |asked| u64::from(asked) + margin);
        let wait = Wait { after, after_ms: wait + u64::from(jitter).min(wait) };
        let spent = self.sends.len() >= usize::from(config.attempts_max).min(16);
        if spent {
            self.fail(RequestReason::AttemptsExhausted)
        } else if self.best() != here {
            self.request.owed = if too_long { None } else { Some(wait) };
            self.ask_best(SendReason::Failover, config)
        } else if too_long {
            self.fail(RequestReason::Throttled)
        } else {
            self.pause(wait)
        }
    }

    fn pause(mut self, Wait { after, after_ms }: Wait) -> Self {
        self.request.owed = None;
        let timer = RequestTimer::Backoff(self.next());
        self.to(RequestState::BackingOff { after, after_ms }).order(RequestEffect::Arm { timer, after_ms })
    }

    fn stop(self, aim: Aim, attempt: Attempt, config: &Config) -> Self {
        let arm =
            RequestEffect::Arm { timer: RequestTimer::Grace(attempt), after_ms: config.grace_ms.into() };
        self.to(RequestState::Stopping(aim)).order(RequestEffect::Stop { attempt }).order(arm)
    }

    /// The stream that was told to stop is closed.
    fn freed(self, aim: Aim, config: &Config) -> Self {
        match aim {
            // Nobody is there for it, so it waits like one that broke off.
            Aim::Failover { .. } if self.up().is_none() => self.wait(Passing::Interrupted, None, 0, config),
            Aim::Failover { .. } => self.ask_best(SendReason::Failover, config),
            Aim::Cancel => self.end(RequestEnd::Cancelled),
        }
    }
}

/// What the request makes of the event, written from what its vocabulary promises.
pub(super) fn twin(at: &Request, event: RequestEvent, config: &Config) -> Said {
    use RequestEvent as E;
    use RequestState as S;
    let stale = Err(Outcome::Ignored(Ignored::Stale));
    let duplicate = Err(Outcome::Ignored(Ignored::Duplicate));
    let terminal = Err(Outcome::Ignored(Ignored::Terminal));
    let never = Err(Outcome::Rejected(RequestRejected::NeverAsked { state: at.state, event }));
    let view = View::of(at);
    let sent = view.sends.len();
    let is_open = matches!(at.state, S::Streaming { .. } | S::Delivering | S::Stopping(_));
    let is_over = matches!(at.state, S::Ended(_));
    match about(event) {
        Some((attempt, made)) if attempt > sent || made && attempt == sent => return never,
        Some(_) if is_over => return terminal,
        Some((attempt, true)) if !is_open || attempt + 1 < sent => return stale,
        Some((attempt, false)) if attempt < sent => return stale,
        Some(_) | None => {}
    }
    let view = match (event, at.state) {
        (E::Began { .. }, S::Ended(_)) => return terminal,
        (E::Began { profiles: got, previous }, S::Unbegun) => {
            let all: Vec<u8> = (0..8).filter(|place| *place < got.count).collect();
            let named = got.down | got.keyed;
            let strange = (0..8).any(|place| named & 1 << place != 0 && !all.contains(&place));
            let unknown = previous.is_some_and(|previous| !all.contains(&previous.profile.0));
            if all.is_empty() || got.count > 8 || strange || unknown {
                return Err(Outcome::Rejected(RequestRejected::Profiles { got }));
            }
            let begun = View::of(&Request { profiles: got, previous, ..*at });
            begun.clone().ask(begun.best(), SendReason::First, config)
        }
        (E::Began { .. }, _) => return duplicate,

        (E::CredentialGiven { generation: got, .. }, S::Authorizing { profile, reason }) => {
            let refused = view.refused(profile);
            if got <= refused {
                return Err(Outcome::Rejected(RequestRejected::OldCredential { refused, got }));
            }
            view.given(profile, got, reason, config)
        }
        (E::CredentialFailed { .. }, S::Authorizing { profile, reason }) => match view.up() {
            Some(up) if up != profile => view.ask_at(up, reason, config),
            Some(_) | None => view.fail(RequestReason::Credential),
        },
        (E::CredentialGiven { .. } | E::CredentialFailed { .. }, S::Ready { profile, .. })
            if !view.is_keyed(profile) =>
        {
            return duplicate;
        }
        (E::CredentialGiven { .. } | E::CredentialFailed { .. }, _) => return never,

        (E::OutputDelivered { .. }, S::Streaming { .. }) => view.to(S::Delivering),
        (E::OutputDelivered { .. }, S::Delivering) => return duplicate,
        (E::OutputDelivered { .. }, _) => return stale,

        (E::ResponseEnded { attempt }, S::Stopping(aim)) => {
            let view = view.booked(Fate::Whole).disarm(RequestTimer::Grace, attempt);
            match aim {
                Aim::Cancel => view.end(RequestEnd::Cancelled),
                Aim::Failover { .. } => view.end(RequestEnd::Accepted { attempt }),
            }
        }
        (E::ResponseEnded { attempt }, _) => view.booked(Fate::Whole).end(RequestEnd::Accepted { attempt }),

        (E::SendFailed { attempt, failure, jitter_ms, .. }, state) => {
            let lost = matches!(failure, SendFailure::Transient | SendFailure::Interrupted);
            let is_billed = view.sends.last().is_some_and(|send| send.charged);
            let is_read = lost || state == S::Delivering || is_billed;
            let view = view.booked(if is_read { Fate::Lost } else { Fate::Refused });
            let here = view.at().unwrap_or_default();
            let continued = at.previous.is_some_and(|previous| previous.profile == here);
            let is_stopping = matches!(state, S::Stopping(_));
            let view = if is_stopping { view.disarm(RequestTimer::Grace, attempt) } else { view };
            match (state, failure) {
                (S::Stopping(Aim::Cancel), _) => view.end(RequestEnd::Cancelled),
                (S::Delivering, _) => view.fail(RequestReason::Interrupted),
                (_, SendFailure::Throttled { retry_after_ms }) => {
                    view.wait(Passing::Throttled, retry_after_ms, jitter_ms, config)
                }
                (_, SendFailure::Transient) => view.wait(Passing::Transient, None, jitter_ms, config),
                (_, SendFailure::Interrupted) => view.wait(Passing::Interrupted, None, jitter_ms, config),
                (
                    S::Streaming { generation } | S::Stopping(Aim::Failover { generation }),
                    SendFailure::Unauthorized,
                ) if view.refused(here) == Generation(0) && !view.is_keyed(here) => {
                    let mut view = view;
                    view.request.refused[usize::from(here.0)] = generation;
                    view.ask_best(SendReason::FreshToken, config)
                }
                (_, SendFailure::Unauthorized) => view.fail(RequestReason::Unauthorized),
                (_, SendFailure::ContinuityLost) if continued => {
                    let mut view = view;
                    view.request.previous = None;
                    view.ask_best(SendReason::FullInput, config)
                }
                (_, SendFailure::ContinuityLost | SendFailure::Invalid) => view.fail(RequestReason::Invalid),
                (_, SendFailure::ContextTooLong) => view.fail(RequestReason::ContextTooLong),
            }
        }

        (E::Stopped { attempt }, S::Stopping(aim)) => {
            view.booked(Fate::Lost).disarm(RequestTimer::Grace, attempt).freed(aim, config)
        }
        (E::Stopped { .. }, _) => return never,

        (E::TimerFired { timer: RequestTimer::Grace(attempt) }, S::Stopping(aim)) => {
            view.booked(Fate::Lost).order(RequestEffect::Fence { attempt }).freed(aim, config)
        }
        (E::TimerFired { timer: RequestTimer::Backoff(_) }, S::BackingOff { after, .. }) => {
            view.ask_best(SendReason::Retry(after), config)
        }
        (
            E::TimerFired { timer: RequestTimer::Backoff(_) },
            S::Authorizing {
                reason: SendReason::Retry(_) | SendReason::Failover | SendReason::Returned, ..
            }
            | S::Ready { reason: SendReason::Retry(_) | SendReason::Failover | SendReason::Returned, .. },
        ) => return duplicate,
        (E::TimerFired { .. }, _) => return never,

        (E::UsageReported { attempt }, _) => match view.sends.get(usize::from(attempt.0)) {
            None => return never,
            Some(SendRecord { charged: true, .. }) => return duplicate,
            Some(SendRecord { profile, .. }) => {
                let profile = *profile;
                let mut view = view.order(RequestEffect::Charge { attempt, profile });
                view.sends[usize::from(attempt.0)].charged = true;
                view
            }
        },

        (E::ProfileDown { profile: got } | E::ProfileUp { profile: got }, _)
            if got.0 >= at.profiles.count =>
        {
            return Err(Outcome::Rejected(RequestRejected::UnknownProfile { count: at.profiles.count, got }));
        }
        (E::ProfileDown { .. } | E::ProfileUp { .. }, S::Ended(_)) => return terminal,
        (E::ProfileDown { profile }, _) if at.profiles.down & 1 << profile.0 != 0 => return duplicate,
        (E::ProfileUp { profile }, _) if (at.profiles.down | at.shut) & 1 << profile.0 == 0 => {
            return duplicate;
        }
        (E::ProfileUp { profile }, _) => {
            let mut view = view;
            view.request.profiles.down &= !(1 << profile.0);
            view.request.shut &= !(1 << profile.0);
            view
        }
        (E::ProfileDown { profile }, state) => {
            let mut view = view;
            view.request.profiles.down += 1 << profile.0;
            let leaves = view.at() == Some(profile) && view.best() != profile;
            let may = sent < usize::from(config.attempts_max).min(16);
            match state {
                S::Streaming { generation } if leaves && may => {
                    let last = Attempt(view.next().0 - 1);
                    view.stop(Aim::Failover { generation }, last, config)
                }
                S::Unbegun
                | S::Authorizing { .. }
                | S::Ready { .. }
                | S::Streaming { .. }
                | S::Delivering
                | S::Stopping(_)
                | S::BackingOff { .. }
                | S::Ended(_) => view,
            }
        }

        (E::PauseRequested | E::ResumeRequested, S::Ended(_) | S::Stopping(Aim::Cancel)) => return terminal,
        (E::PauseRequested | E::ResumeRequested, S::Unbegun) => return never,
        (E::PauseRequested, _) if at.held => return duplicate,
        (E::ResumeRequested, _) if !at.held => return duplicate,
        (E::PauseRequested, _) => view.held(true),
        (E::ResumeRequested, S::Ready { profile, generation, reason }) => {
            view.held(false).given(profile, generation, reason, config)
        }
        (E::ResumeRequested, _) => view.held(false),

        (E::CancelRequested, S::Ended(_)) => return terminal,
        (E::CancelRequested, S::Stopping(Aim::Cancel)) => return duplicate,
        (E::CancelRequested, S::Stopping(Aim::Failover { .. })) => {
            view.held(false).to(S::Stopping(Aim::Cancel))
        }
        (E::CancelRequested, S::Streaming { .. } | S::Delivering) => {
            let last = Attempt(view.next().0 - 1);
            view.held(false).stop(Aim::Cancel, last, config)
        }
        (E::CancelRequested, S::BackingOff { .. }) => {
            let next = view.next();
            view.disarm(RequestTimer::Backoff, next).end(RequestEnd::Cancelled)
        }
        (E::CancelRequested, _) => view.end(RequestEnd::Cancelled),
    };
    Ok(view.done())
}

/// What a restart repeats.
pub(super) fn twin_resync(at: &Request, config: &Config) -> Vec<RequestEffect> {
    use RequestState as S;
    let view = View::of(at);
    let next = view.next();
    let last = Attempt(next.0.saturating_sub(1));
    match at.state {
        S::Authorizing { profile, .. } => {
            let newer_than = view.refused(profile);
            Vec::from([RequestEffect::GetCredential { attempt: next, profile, newer_than }])
        }
        S::Streaming { .. } | S::Delivering => Vec::from([RequestEffect::Recover { attempt: last }]),
        S::BackingOff { after_ms, .. } => {
            Vec::from([RequestEffect::Arm { timer: RequestTimer::Backoff(next), after_ms }])
        }
        S::Stopping(aim) => view.stop(aim, last, config).effects,
        S::Unbegun | S::Ready { .. } | S::Ended(_) => Vec::new(),
    }
}
