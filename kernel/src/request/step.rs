//! What each event does to a request.

use super::wait::backoff;
use super::{
    Aim, Fate, Fit, Input, Passing, Previous, ProfileId, Profiles, Refused, Request, RequestEffect,
    RequestEnd, RequestEvent, RequestReason, RequestRejected, RequestState, RequestTimer, SendFailure,
    SendReason, Wait,
};
use crate::config::Config;
use crate::credential::Generation;
use crate::faults::Fault;
use crate::vocabulary::{Attempt, Ignored, Outcome};

type Reply = Outcome<RequestRejected>;

/// A request during one step.
pub(super) struct Step<'s> {
    pub(super) request: &'s mut Request,
    pub(super) config: &'s Config,
    pub(super) sink: &'s mut dyn FnMut(RequestEffect),
}

impl Step<'_> {
    pub(super) fn take(&mut self, event: RequestEvent) -> Reply {
        match event {
            RequestEvent::Began { profiles, previous } => self.began(profiles, previous),
            RequestEvent::CredentialGiven { attempt, generation } => {
                self.credential_given(attempt, generation, event)
            }
            RequestEvent::CredentialFailed { attempt } => self.credential_failed(attempt, event),
            RequestEvent::OutputDelivered { attempt } => self.output_delivered(attempt, event),
            RequestEvent::ResponseEnded { attempt } => self.response_ended(attempt, event),
            RequestEvent::SendFailed { attempt, failure, jitter_ms } => {
                self.send_failed(attempt, failure, jitter_ms, event)
            }
            RequestEvent::Stopped { attempt } => self.stopped(attempt, event),
            RequestEvent::UsageReported { attempt } => self.usage_reported(attempt, event),
            RequestEvent::ProfileDown { profile } => self.profile_changed(profile, true),
            RequestEvent::ProfileUp { profile } => self.profile_changed(profile, false),
            RequestEvent::PauseRequested => self.pause_requested(event),
            RequestEvent::ResumeRequested => self.resume_requested(event),
            RequestEvent::CancelRequested => self.cancel_requested(),
            RequestEvent::TimerFired { timer: RequestTimer::Backoff(attempt) } => {
                self.backoff_elapsed(attempt, event)
            }
            RequestEvent::TimerFired { timer: RequestTimer::Grace(attempt) } => {
                self.grace_elapsed(attempt, event)
            }
        }
    }

    fn began(&mut self, profiles: Profiles, previous: Option<Previous>) -> Reply {
        match self.request.state {
            RequestState::Unbegun => {}
            RequestState::Authorizing { .. } if self.config.has(Fault::BeginsAgain) => {}
            RequestState::Ended(_) => return Outcome::Ignored(Ignored::Terminal),
            RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::BackingOff { .. }
            | RequestState::Stopping(_) => return Outcome::Ignored(Ignored::Duplicate),
        }
        if !profiles.can_be(previous) {
            return Outcome::Rejected(RequestRejected::Profiles { got: profiles });
        }
        self.request.profiles = profiles;
        self.request.previous = previous;
        self.authorize(self.request.preferred(self.config), SendReason::First);
        Outcome::Applied
    }

    fn credential_given(&mut self, attempt: Attempt, generation: Generation, event: RequestEvent) -> Reply {
        if let Err(fit) = self.request.fits_next(attempt) {
            let twice = matches!(self.request.state, RequestState::Streaming { .. });
            if twice && self.config.has(Fault::CredentialSendsAgain) {
                return self.send_again(generation);
            }
            return self.unfit(fit, event);
        }
        let RequestState::Authorizing { profile, reason } = self.request.state else {
            return self.unasked_credential(event);
        };
        let refused = self.request.newer_than(profile);
        if generation <= refused && !self.config.has(Fault::OldCredentialTaken) {
            return Outcome::Rejected(RequestRejected::OldCredential { refused, got: generation });
        }
        if self.config.has(Fault::CredentialSticks) {
            self.ready(profile, generation, reason);
        } else {
            self.authorized(profile, generation, reason);
        }
        Outcome::Applied
    }

    /// There is a credential for a send to `profile`, and another one may be the better place by now.
    fn authorized(&mut self, profile: ProfileId, generation: Generation, reason: SendReason) {
        let better = self.request.preferred_to(profile, self.config);
        if better == profile {
            self.ready(profile, generation, reason);
        } else {
            self.send_to(better, reason);
        }
    }

    /// An answer about a credential for the next send, of which none is missing.
    fn unasked_credential(&self, event: RequestEvent) -> Reply {
        match self.request.state {
            RequestState::Ready { profile, .. } if !self.request.profiles.is_keyed(profile) => {
                Outcome::Ignored(Ignored::Duplicate)
            }
            RequestState::Ready { .. }
            | RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::BackingOff { .. }
            | RequestState::Stopping(_)
            | RequestState::Ended(_) => self.unfit(Fit::NeverAsked, event),
        }
    }

    /// Nothing is missing for the next send but, if a person holds the request, that person's word.
    fn ready(&mut self, profile: ProfileId, generation: Generation, reason: SendReason) {
        if self.request.held && !self.config.has(Fault::HeldSends) {
            self.request.state = RequestState::Ready { profile, generation, reason };
        } else {
            self.send(profile, generation, reason);
        }
    }

    /// The one place where something is sent.
    fn send(&mut self, profile: ProfileId, generation: Generation, reason: SendReason) {
        let (attempt, input) = (self.request.ledger.next(), self.request.input(profile));
        self.request.ledger.write(profile, reason);
        self.request.state = RequestState::Streaming { generation };
        if !self.config.has(Fault::OwedKept) {
            self.request.owed = None;
        }
        if self.config.has(Fault::DownForgotten) {
            self.request.profiles.down = 0;
        }
        (self.sink)(RequestEffect::Send { attempt, profile, generation, input, reason });
    }

    /// What a planted fault does.
    fn send_again(&mut self, generation: Generation) -> Reply {
        if let Some(send) = self.request.ledger.last() {
            let (attempt, profile, reason) = (self.request.last(), send.profile, send.reason);
            let input = self.request.input(profile);
            (self.sink)(RequestEffect::Send { attempt, profile, generation, input, reason });
        }
        Outcome::Applied
    }

    fn credential_failed(&mut self, attempt: Attempt, event: RequestEvent) -> Reply {
        if let Err(fit) = self.request.fits_next(attempt) {
            return self.unfit(fit, event);
        }
        let RequestState::Authorizing { profile, reason } = self.request.state else {
            return self.unasked_credential(event);
        };
        let better = self.request.preferred_to(profile, self.config);
        if better == profile || self.config.has(Fault::CredentialSticks) {
            self.end(RequestEnd::Failed(RequestReason::Credential));
        } else {
            self.send_to(better, reason);
        }
        Outcome::Applied
    }

    /// S18: what goes out is on record before it does, and nothing goes out of a send that is given up.
    fn output_delivered(&mut self, attempt: Attempt, event: RequestEvent) -> Reply {
        if let Err(fit) = self.request.fits(attempt, self.config) {
            if self.config.has(Fault::RefusedRequestEmits) {
                (self.sink)(RequestEffect::Stop { attempt });
            }
            return self.unfit(fit, event);
        }
        match self.request.state {
            RequestState::Streaming { .. } => {
                self.request.state = RequestState::Delivering;
                Outcome::Applied
            }
            RequestState::Delivering => Outcome::Ignored(Ignored::Duplicate),
            RequestState::Stopping(_) if self.config.has(Fault::StoppedDelivers) => Outcome::Applied,
            RequestState::Stopping(_)
            | RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::BackingOff { .. }
            | RequestState::Ended(_) => self.unfit(Fit::Stale, event),
        }
    }

    fn response_ended(&mut self, attempt: Attempt, event: RequestEvent) -> Reply {
        if let Err(fit) = self.request.fits(attempt, self.config) {
            return self.unfit(fit, event);
        }
        match self.request.state {
            RequestState::Streaming { .. } | RequestState::Delivering => {}
            // It was faster than the order to stop, and another send would only cost more.
            RequestState::Stopping(Aim::Failover { .. }) => self.disarm_grace(),
            RequestState::Stopping(Aim::Cancel) if self.config.has(Fault::CancelledAccepted) => {
                self.disarm_grace();
            }
            RequestState::Stopping(Aim::Cancel) => {
                self.request.ledger.close(Fate::Whole);
                self.disarm_grace();
                self.end(RequestEnd::Cancelled);
                return Outcome::Applied;
            }
            RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::BackingOff { .. }
            | RequestState::Ended(_) => return self.unfit(Fit::Stale, event),
        }
        self.request.ledger.close(Fate::Whole);
        self.end(RequestEnd::Accepted { attempt });
        Outcome::Applied
    }

    fn send_failed(
        &mut self,
        attempt: Attempt,
        failure: SendFailure,
        jitter_ms: u32,
        event: RequestEvent,
    ) -> Reply {
        if let Err(fit) = self.request.fits(attempt, self.config) {
            return self.unfit(fit, event);
        }
        if failure == SendFailure::Interrupted && self.config.has(Fault::TruncatedAccepted) {
            return self.response_ended(attempt, event);
        }
        // Who has sent output or a bill has worked on it, whatever it says then.
        let is_billed = self.request.ledger.last().is_some_and(|send| send.charged);
        let is_billed = is_billed && !self.config.has(Fault::BilledIsRefused);
        let worked = is_billed || self.request.state == RequestState::Delivering;
        let fate = if worked { Fate::Lost } else { failure.fate() };
        self.request.ledger.close(if self.config.has(Fault::LostIsFree) { Fate::Refused } else { fate });
        match self.request.state {
            RequestState::Streaming { generation } => self.failed(generation, failure, jitter_ms),
            RequestState::Delivering if self.config.has(Fault::DeliveredIsReplayed) => {
                self.try_again(Passing::Interrupted, None, jitter_ms);
            }
            RequestState::Delivering => self.end(RequestEnd::Failed(RequestReason::Interrupted)),
            // It was faster than the order to stop, and what follows is the same as without that.
            RequestState::Stopping(Aim::Failover { generation }) => {
                self.disarm_grace();
                self.failed(generation, failure, jitter_ms);
            }
            RequestState::Stopping(Aim::Cancel) => {
                self.disarm_grace();
                self.end(RequestEnd::Cancelled);
            }
            RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::BackingOff { .. }
            | RequestState::Ended(_) => return self.unfit(Fit::Stale, event),
        }
        Outcome::Applied
    }

    /// What is done about each class of failures, before any output has gone out.
    fn failed(&mut self, generation: Generation, failure: SendFailure, jitter_ms: u32) {
        let Some(profile) = self.request.ledger.last().map(|send| send.profile) else { return };
        match failure {
            SendFailure::Throttled { retry_after_ms } => {
                self.try_again(Passing::Throttled, retry_after_ms, jitter_ms);
            }
            SendFailure::Transient => self.try_again(Passing::Transient, None, jitter_ms),
            SendFailure::Interrupted => self.try_again(Passing::Interrupted, None, jitter_ms),
            // S17: the second time it is no matter of a stale token.
            // And a key that does not change is not taken the second time either.
            SendFailure::Unauthorized if self.is_final(profile) && !self.config.has(Fault::RefusedAgain) => {
                self.end(RequestEnd::Failed(RequestReason::Unauthorized));
            }
            SendFailure::Unauthorized => {
                if let Some(refused) = self.request.refused.get_mut(usize::from(profile.0)) {
                    *refused = generation;
                }
                self.send_later(SendReason::FreshToken);
            }
            SendFailure::ContinuityLost if self.is_continued(profile) => {
                if !self.config.has(Fault::LostIsContinued) {
                    self.request.previous = None;
                }
                self.send_later(SendReason::FullInput);
            }
            SendFailure::Invalid | SendFailure::ContextTooLong
                if self.config.has(Fault::InvalidIsRetried) =>
            {
                self.try_again(Passing::Transient, None, jitter_ms);
            }
            SendFailure::ContinuityLost | SendFailure::Invalid => {
                self.end(RequestEnd::Failed(RequestReason::Invalid));
            }
            SendFailure::ContextTooLong => self.end(RequestEnd::Failed(RequestReason::ContextTooLong)),
        }
    }

    /// Whether there is no newer token that a refused send to this profile could be tried with.
    fn is_final(&self, profile: ProfileId) -> bool {
        let shared = self.config.has(Fault::RefusalIsShared) && self.request.refused != Refused::default();
        self.request.is_refused(profile) || self.request.profiles.is_keyed(profile) || shared
    }

    /// Whether the last send, to this profile, continued from a response.
    fn is_continued(&self, profile: ProfileId) -> bool {
        self.request.input(profile) != Input::Full || self.config.has(Fault::FullIsLost)
    }

    fn stopped(&mut self, attempt: Attempt, event: RequestEvent) -> Reply {
        if let Err(fit) = self.request.fits(attempt, self.config) {
            return self.unfit(fit, event);
        }
        match self.request.state {
            RequestState::Stopping(aim) => {
                self.request.ledger.close(Fate::Lost);
                self.disarm_grace();
                self.stopped_for(aim);
                Outcome::Applied
            }
            RequestState::Streaming { .. } if self.config.has(Fault::UnaskedStops) => {
                self.request.ledger.close(Fate::Lost);
                self.try_again(Passing::Interrupted, None, 0);
                Outcome::Applied
            }
            RequestState::Streaming { .. } | RequestState::Delivering => self.unfit(Fit::NeverAsked, event),
            RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::BackingOff { .. }
            | RequestState::Ended(_) => self.unfit(Fit::Stale, event),
        }
    }

    /// In every state: a bill that comes late is a bill.
    fn usage_reported(&mut self, attempt: Attempt, event: RequestEvent) -> Reply {
        let preferred = self.request.preferred(self.config);
        let Some(send) = self.request.ledger.send_mut(attempt) else {
            return self.unfit(Fit::NeverAsked, event);
        };
        if send.charged && !self.config.has(Fault::ChargedTwice) {
            return Outcome::Ignored(Ignored::Duplicate);
        }
        send.charged = true;
        let profile = if self.config.has(Fault::ChargesPreferred) { preferred } else { send.profile };
        (self.sink)(RequestEffect::Charge { attempt, profile });
        Outcome::Applied
    }

    fn profile_changed(&mut self, profile: ProfileId, is_down: bool) -> Reply {
        let Profiles { count, down, .. } = self.request.profiles;
        if profile.0 >= count {
            return Outcome::Rejected(RequestRejected::UnknownProfile { count, got: profile });
        }
        let bit = 1 << profile.0;
        let is_news = if is_down { down & bit == 0 } else { (down | self.request.shut) & bit != 0 };
        match self.request.state {
            RequestState::Ended(_) => return Outcome::Ignored(Ignored::Terminal),
            _ if !is_news => return Outcome::Ignored(Ignored::Duplicate),
            RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::BackingOff { .. }
            | RequestState::Stopping(_) => {}
        }
        if is_down {
            self.request.profiles.down |= bit;
            self.fail_over(profile);
        } else {
            // Who says so has seen that its patience is over. A wait that is owed there is so all the same.
            self.request.profiles.down &= !bit;
            if !self.config.has(Fault::ShutKept) {
                self.request.shut &= !bit;
            }
        }
        Outcome::Applied
    }

    /// Gives up a send to a profile that is down, if there is a better place for it and nobody has read of it.
    fn fail_over(&mut self, down: ProfileId) {
        let generation = match self.request.state {
            RequestState::Streaming { generation } => generation,
            RequestState::Delivering if self.config.has(Fault::DeliveredFailsOver) => Generation(1),
            RequestState::Delivering
            | RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::BackingOff { .. }
            | RequestState::Stopping(_)
            | RequestState::Ended(_) => return,
        };
        let is_there = self.request.ledger.last().is_some_and(|send| send.profile == down);
        let better = self.request.preferred(self.config);
        if !is_there || better == down || self.request.is_spent(self.config) {
            return;
        }
        if self.config.has(Fault::FailoverBeside) {
            self.request.ledger.close(Fate::Lost);
            return self.authorize(better, SendReason::Failover);
        }
        self.request.state = RequestState::Stopping(Aim::Failover { generation });
        self.request.stop(self.config, self.sink);
    }

    /// S13: what is open goes on, and nothing new is sent.
    fn pause_requested(&mut self, event: RequestEvent) -> Reply {
        match self.request.state {
            RequestState::Unbegun => self.unfit(Fit::NeverAsked, event),
            RequestState::Ended(_) | RequestState::Stopping(Aim::Cancel) => {
                Outcome::Ignored(Ignored::Terminal)
            }
            RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::BackingOff { .. }
            | RequestState::Stopping(Aim::Failover { .. }) => {
                if self.request.held {
                    return Outcome::Ignored(Ignored::Duplicate);
                }
                self.request.held = true;
                Outcome::Applied
            }
        }
    }

    fn resume_requested(&mut self, event: RequestEvent) -> Reply {
        match self.request.state {
            RequestState::Unbegun => return self.unfit(Fit::NeverAsked, event),
            RequestState::Ended(_) | RequestState::Stopping(Aim::Cancel) => {
                return Outcome::Ignored(Ignored::Terminal);
            }
            _ if !self.request.held => return Outcome::Ignored(Ignored::Duplicate),
            RequestState::Ready { .. } if self.config.has(Fault::ResumeLeavesReady) => {}
            RequestState::Ready { profile, generation, reason } => {
                self.request.held = false;
                self.authorized(profile, generation, reason);
            }
            RequestState::Streaming { generation } if self.config.has(Fault::ResumeSendsAgain) => {
                return self.send_again(generation);
            }
            RequestState::Authorizing { .. }
            | RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::BackingOff { .. }
            | RequestState::Stopping(Aim::Failover { .. }) => {}
        }
        self.request.held = false;
        Outcome::Applied
    }

    fn cancel_requested(&mut self) -> Reply {
        match self.request.state {
            RequestState::Ended(end) if self.config.has(Fault::EndedRequestMoves) => self.end(end),
            RequestState::Ended(_) => return Outcome::Ignored(Ignored::Terminal),
            RequestState::Stopping(Aim::Cancel) => return Outcome::Ignored(Ignored::Duplicate),
            RequestState::Unbegun => self.end(RequestEnd::Cancelled),
            RequestState::Authorizing { .. } | RequestState::Ready { .. } => self.cancel_wait(),
            RequestState::BackingOff { .. } => {
                if !self.config.has(Fault::BackoffLeftAtCancel) {
                    let timer = RequestTimer::Backoff(self.request.ledger.next());
                    (self.sink)(RequestEffect::Disarm { timer });
                }
                self.cancel_wait();
            }
            RequestState::Streaming { .. } | RequestState::Delivering
                if self.config.has(Fault::CancelEndsBeside) =>
            {
                self.request.ledger.close(Fate::Lost);
                self.end(RequestEnd::Cancelled);
            }
            RequestState::Streaming { .. } | RequestState::Delivering => {
                self.request.state = RequestState::Stopping(Aim::Cancel);
                self.request.held = false;
                self.request.stop(self.config, self.sink);
            }
            RequestState::Stopping(Aim::Failover { .. })
                if self.config.has(Fault::FailoverOutlivesCancel) => {}
            RequestState::Stopping(Aim::Failover { .. }) => {
                self.request.state = RequestState::Stopping(Aim::Cancel);
                self.request.held = false;
            }
        }
        Outcome::Applied
    }

    /// Nothing is open, so that nothing has to be waited for (S19).
    fn cancel_wait(&mut self) {
        let waits = self.request.state;
        self.end(RequestEnd::Cancelled);
        if self.config.has(Fault::CancelMissesWait) {
            self.request.state = waits;
        }
    }

    fn backoff_elapsed(&mut self, attempt: Attempt, event: RequestEvent) -> Reply {
        if let Err(fit) = self.request.fits_next(attempt) {
            return self.unfit(fit, event);
        }
        match self.request.state {
            RequestState::BackingOff { after, .. } => {
                self.send_later(SendReason::Retry(after));
                Outcome::Applied
            }
            RequestState::Authorizing { reason: SendReason::Retry(_), .. }
                if self.config.has(Fault::AnyBackoff) =>
            {
                self.send_later(SendReason::Failover);
                Outcome::Applied
            }
            RequestState::Authorizing {
                reason: SendReason::Retry(_) | SendReason::Failover | SendReason::Returned,
                ..
            }
            | RequestState::Ready {
                reason: SendReason::Retry(_) | SendReason::Failover | SendReason::Returned,
                ..
            } => Outcome::Ignored(Ignored::Duplicate),
            RequestState::Authorizing {
                reason: SendReason::First | SendReason::FreshToken | SendReason::FullInput,
                ..
            }
            | RequestState::Ready {
                reason: SendReason::First | SendReason::FreshToken | SendReason::FullInput,
                ..
            }
            | RequestState::Unbegun
            | RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::Stopping(_)
            | RequestState::Ended(_) => self.unfit(Fit::NeverAsked, event),
        }
    }

    fn grace_elapsed(&mut self, attempt: Attempt, event: RequestEvent) -> Reply {
        if let Err(fit) = self.request.fits(attempt, self.config) {
            return self.unfit(fit, event);
        }
        let aim = match self.request.state {
            RequestState::Stopping(aim) => aim,
            RequestState::Streaming { generation } if self.config.has(Fault::AnyGrace) => {
                Aim::Failover { generation }
            }
            RequestState::Streaming { .. } | RequestState::Delivering => {
                return self.unfit(Fit::NeverAsked, event);
            }
            RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::BackingOff { .. }
            | RequestState::Ended(_) => return self.unfit(Fit::Stale, event),
        };
        if !self.config.has(Fault::NoFence) {
            (self.sink)(RequestEffect::Fence { attempt });
        }
        let free = self.config.has(Fault::FencedIsFree);
        self.request.ledger.close(if free { Fate::Refused } else { Fate::Lost });
        self.stopped_for(aim);
        Outcome::Applied
    }

    /// The send that was told to stop is closed.
    fn stopped_for(&mut self, aim: Aim) {
        match aim {
            Aim::Failover { .. }
                if self.request.first_up(self.config).is_none() && !self.config.has(Fault::ReturnsToDown) =>
            {
                self.try_again(Passing::Interrupted, None, 0);
            }
            Aim::Failover { .. } => self.send_later(SendReason::Failover),
            Aim::Cancel => self.end(RequestEnd::Cancelled),
        }
    }

    /// The last send failed in a way that may pass. Where it went is as good as any other place, or there is a better one.
    fn try_again(&mut self, after: Passing, retry_after_ms: Option<u32>, jitter_ms: u32) {
        let Some(profile) = self.request.ledger.last().map(|send| send.profile) else { return };
        let too_long = retry_after_ms.is_some_and(|asked| asked > self.config.retry_after_ms_max)
            && !self.config.has(Fault::WaitUnbounded);
        if too_long && !self.config.has(Fault::ShutForgotten) {
            self.request.shut |= 1 << profile.0;
        }
        let after_ms = backoff(self.config, self.request.waits(), retry_after_ms, jitter_ms);
        let elsewhere = profile != self.request.preferred(self.config);
        if self.request.is_spent(self.config) {
            self.end(RequestEnd::Failed(RequestReason::AttemptsExhausted));
        } else if elsewhere {
            let is_owed = !too_long && !self.config.has(Fault::OwedForgotten);
            self.request.owed = is_owed.then_some(Wait { after, after_ms });
            self.send_later(SendReason::Failover);
        } else if self.config.has(Fault::RetriesAtOnce) {
            self.send_later(SendReason::Failover);
        } else if too_long {
            self.end(RequestEnd::Failed(RequestReason::Throttled));
        } else {
            self.back_off(Wait { after, after_ms });
        }
    }

    fn back_off(&mut self, Wait { after, after_ms }: Wait) {
        self.request.owed = None;
        self.request.state = RequestState::BackingOff { after, after_ms };
        if !self.config.has(Fault::NoRetryTimer) {
            let timer = RequestTimer::Backoff(self.request.ledger.next());
            (self.sink)(RequestEffect::Arm { timer, after_ms });
        }
    }

    /// The next send goes to the preferred profile; `reason` is why, if that is where the last one went.
    fn send_later(&mut self, reason: SendReason) {
        self.send_to(self.request.preferred(self.config), reason);
    }

    /// The next send goes to this profile. What was to go elsewhere, and goes where the last one went, returns there, after
    /// the wait that it left behind.
    fn send_to(&mut self, profile: ProfileId, reason: SendReason) {
        let elsewhere = self.request.ledger.last().is_some_and(|send| send.profile != profile);
        let returns = reason == SendReason::Failover && !self.config.has(Fault::ReturnIsFailover);
        match (elsewhere, self.request.owed) {
            (true, _) => self.authorize(profile, SendReason::Failover),
            (false, Some(wait)) => self.back_off(wait),
            (false, None) => self.authorize(profile, if returns { SendReason::Returned } else { reason }),
        }
    }

    /// Every send begins here (S2).
    fn authorize(&mut self, profile: ProfileId, reason: SendReason) {
        if reason != SendReason::First && self.request.is_spent(self.config) {
            return self.end(RequestEnd::Failed(RequestReason::AttemptsExhausted));
        }
        if self.request.profiles.is_keyed(profile) {
            return self.ready(profile, Generation(0), reason);
        }
        self.request.state = RequestState::Authorizing { profile, reason };
        (self.sink)(self.request.get_credential(profile));
    }

    fn disarm_grace(&mut self) {
        if !self.config.has(Fault::GraceLeftArmed) {
            (self.sink)(RequestEffect::Disarm { timer: RequestTimer::Grace(self.request.last()) });
        }
    }

    fn end(&mut self, end: RequestEnd) {
        self.request.state = RequestState::Ended(end);
        self.request.held = false;
        self.request.owed = None;
        (self.sink)(RequestEffect::Ended { end });
    }

    fn unfit(&self, fit: Fit, event: RequestEvent) -> Reply {
        match fit {
            Fit::Stale => Outcome::Ignored(Ignored::Stale),
            Fit::Terminal => Outcome::Ignored(Ignored::Terminal),
            Fit::NeverAsked => {
                Outcome::Rejected(RequestRejected::NeverAsked { state: self.request.state, event })
            }
        }
    }
}
