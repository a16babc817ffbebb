//! One request among providers that do their worst, by chance, and a judge who sees what goes over the wire.

use downbeat_kernel::RequestReason as R;
use downbeat_kernel::{
    Aim, Attempt, Config, Fate, Generation, Input, Outcome, Passing, Previous, ProfileId, Profiles, Request,
    RequestEffect, RequestEnd, RequestEvent, RequestState, RequestTimer, SendFailure, SendReason, TurnNumber,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A send, as it is seen on the wire.
#[derive(Clone, Copy)]
struct Sent {
    profile: ProfileId,
    generation: Generation,
    is_open: bool,
    /// The provider has begun to work on it.
    is_billed: bool,
    is_whole: bool,
    /// How it was reported as failed.
    failure: Option<SendFailure>,
}

/// What is known of the open send after a crash.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Recovery {
    /// There was none.
    #[default]
    Needless,
    /// It went with its process, and nobody has asked about it.
    Unasked,
    /// The driver is to say what became of it.
    Asked,
}

/// A driver with its request, and what the judge knows.
#[derive(Default)]
struct World {
    request: Request,
    config: Config,
    wire: Vec<Sent>,
    /// The credential that is waited for.
    wanted: Option<(Attempt, ProfileId, Generation)>,
    newest: u32,
    timers: BTreeSet<RequestTimer>,
    /// The waits that are over.
    waited: BTreeSet<Attempt>,
    /// Sends that were told to stop.
    given_up: BTreeSet<Attempt>,
    /// Profiles that are down.
    down: BTreeSet<ProfileId>,
    /// Those that asked for more patience than a request has.
    shut: BTreeSet<ProfileId>,
    /// Those that came up since the last send.
    came_up: BTreeSet<ProfileId>,
    profiles: u8,
    recovery: Recovery,
    /// A fault is planted, and somebody else than `validate` has to find it.
    is_faulty: bool,
    /// Tokens that were refused, but for those of streams that nobody wants any more.
    refused: Vec<(ProfileId, Generation)>,
    delivered: Option<Attempt>,
    charged: BTreeSet<Attempt>,
    is_cancelled: bool,
    /// A person holds it.
    is_held: bool,
    /// Bit `i`: profile `i` has a key that does not change.
    keyed: u8,
    end: Option<RequestEnd>,
    /// Why things were sent, for the test of what is reached.
    reasons: BTreeSet<SendReason>,
}

/// The longest time that a provider may name, its margin, and as much jitter.
const WAIT_MS_MAX: u64 = 2 * (3_600_000 + 1_000);

const FAILURES: [SendFailure; 9] = [
    SendFailure::Throttled { retry_after_ms: None },
    SendFailure::Throttled { retry_after_ms: Some(u32::MAX) },
    SendFailure::Throttled { retry_after_ms: Some(1_000) },
    SendFailure::Unauthorized,
    SendFailure::ContinuityLost,
    SendFailure::ContextTooLong,
    SendFailure::Transient,
    SendFailure::Interrupted,
    SendFailure::Invalid,
];

impl World {
    /// A request to so many profiles, of which the last one has a key or has none.
    fn new(config: Config, profiles: u8, continues: bool, has_key: bool) -> Self {
        let keyed = u8::from(has_key) << (profiles - 1);
        let mut world = Self { config, newest: 1, profiles, keyed, ..Self::default() };
        let previous = Previous { turn: TurnNumber(1), attempt: Attempt(0), profile: ProfileId(0) };
        let profiles = Profiles { count: profiles, down: 0, keyed };
        let _ = world.take(RequestEvent::Began { profiles, previous: continues.then_some(previous) });
        world
    }

    fn take(&mut self, event: RequestEvent) -> Outcome<downbeat_kernel::RequestRejected> {
        let (before, mut effects) = (self.request, Vec::new());
        let outcome = self.request.step(event, &self.config, &mut |effect| effects.push(effect));
        if outcome != Outcome::Applied {
            assert_eq!((before, &effects[..]), (self.request, &[][..]), "S25: {event:?}");
        }
        for effect in effects {
            self.obey(effect, Some(event));
        }
        self.judge_books();
        if !self.is_faulty {
            assert_eq!(self.request.validate(&self.config), Ok(()), "valid: {event:?} at {before:?}");
        }
        outcome
    }

    /// Carries out an order that came of an event, or of a restart.
    fn obey(&mut self, effect: RequestEffect, event: Option<RequestEvent>) {
        match effect {
            RequestEffect::GetCredential { attempt, profile, newer_than } => {
                assert_eq!(self.wanted, None, "a second credential after {event:?}");
                assert!(!self.is_keyed(profile), "{profile:?} has a key");
                if event.is_some() {
                    self.judge_place(profile);
                }
                self.wanted = Some((attempt, profile, newer_than));
            }
            RequestEffect::Send { attempt, profile, generation, input, reason } => {
                self.judge_place(profile);
                self.judge_send(attempt, profile, generation, input, reason);
                self.reasons.insert(reason);
                self.came_up.clear();
                self.wire.push(Sent {
                    profile,
                    generation,
                    is_open: true,
                    is_billed: false,
                    is_whole: false,
                    failure: None,
                });
            }
            RequestEffect::Recover { attempt } => {
                assert_eq!(self.open(), Some(attempt), "asked about another send");
                self.recovery = Recovery::Asked;
            }
            RequestEffect::Stop { attempt } => {
                assert_eq!(usize::from(attempt.0) + 1, self.wire.len(), "an old send is told to stop");
                self.given_up.insert(attempt);
            }
            RequestEffect::Fence { attempt } => self.wire[usize::from(attempt.0)].is_open = false,
            RequestEffect::Charge { attempt, profile } => {
                assert!(self.charged.insert(attempt), "charged: {attempt:?} twice");
                assert_eq!(profile, self.wire[usize::from(attempt.0)].profile, "charged: {attempt:?}");
            }
            RequestEffect::Arm { timer, after_ms } => {
                assert!(after_ms <= WAIT_MS_MAX, "waits: {after_ms} ms for {timer:?}");
                assert!(self.timers.insert(timer), "{timer:?} is armed twice");
            }
            RequestEffect::Disarm { timer } => assert!(self.timers.remove(&timer), "{timer:?} is not armed"),
            RequestEffect::Ended { end } => self.judge_end(end),
        }
    }

    fn is_keyed(&self, profile: ProfileId) -> bool {
        self.keyed >> profile.0 & 1 == 1
    }

    /// The first profile that is up.
    fn up(&self) -> Option<ProfileId> {
        let mut profiles = (0..self.profiles).map(ProfileId);
        profiles.find(|profile| !self.down.contains(profile) && !self.shut.contains(profile))
    }

    /// Every send goes to the first profile that is up, if one is.
    fn judge_place(&self, profile: ProfileId) {
        let up = self.up();
        assert!(up.is_none_or(|up| up == profile), "place: {profile:?} and not {up:?}");
    }

    fn judge_send(
        &self,
        attempt: Attempt,
        profile: ProfileId,
        generation: Generation,
        input: Input,
        reason: SendReason,
    ) {
        let sent = self.wire.len();
        assert!(!self.is_held, "S13: {attempt:?} while a person holds it");
        assert_eq!(generation == Generation(0), self.is_keyed(profile), "{attempt:?} with {generation:?}");
        assert!(!self.wire.iter().any(|send| send.is_open), "S1: {attempt:?} beside an open stream");
        assert_eq!(usize::from(attempt.0), sent, "S2: a send under a number that was used");
        assert!(sent < usize::from(self.config.attempts_max.max(1)), "S2: the budget is spent");
        assert_eq!(self.delivered, None, "S18: {attempt:?} after output went out");
        assert!(!self.is_cancelled && self.end.is_none(), "S19: {attempt:?} after the cancel or the end");
        let failure = self.wire.last().and_then(|send| send.failure);
        let was_given_up = self.given_up.contains(&Attempt(attempt.0.wrapping_sub(1)));
        let fits = match reason {
            SendReason::First => sent == 0,
            SendReason::Retry(Passing::Throttled) => matches!(failure, Some(SendFailure::Throttled { .. })),
            SendReason::Retry(Passing::Transient) => failure == Some(SendFailure::Transient),
            // What was given up for another profile, and found none, has no failure of its own.
            SendReason::Retry(Passing::Interrupted) => {
                failure == Some(SendFailure::Interrupted) || failure.is_none() && was_given_up
            }
            SendReason::FreshToken => failure == Some(SendFailure::Unauthorized),
            SendReason::FullInput => failure == Some(SendFailure::ContinuityLost) && input == Input::Full,
            SendReason::Failover => self.wire.last().is_some_and(|last| last.profile != profile),
            SendReason::Returned => {
                let is_there = self.wire.last().is_some_and(|last| last.profile == profile);
                let is_up = !self.down.contains(&profile);
                is_there && (was_given_up && is_up || self.came_up.contains(&profile))
            }
        };
        assert!(fits, "paid: {attempt:?} goes out for {reason:?} after {failure:?}");
        let waits = match reason {
            SendReason::Retry(_) => true,
            SendReason::Returned => self.asks_for_a_wait(failure),
            SendReason::First | SendReason::FreshToken | SendReason::FullInput | SendReason::Failover => {
                false
            }
        };
        assert!(!waits || self.waited.contains(&attempt), "waits: {attempt:?} without its wait");
        let is_final = self.refused.iter().any(|(of, _)| self.refusals(*of) > 1);
        assert!(!is_final, "S17: {attempt:?} after a second refusal");
        let will_not_do = self.refused.iter().any(|(of, old)| *of == profile && *old >= generation);
        assert!(!will_not_do, "S17: {attempt:?} with {generation:?} after {:?}", self.refused);
        let has_fallen_back = self.reasons.contains(&SendReason::FullInput);
        let again = reason == SendReason::FullInput || input != Input::Full;
        assert!(
            !(has_fallen_back && again),
            "continuity: {attempt:?} goes out for {reason:?} with {input:?}"
        );
    }

    /// How often a token of a profile was refused.
    fn refusals(&self, profile: ProfileId) -> usize {
        self.refused.iter().filter(|(of, _)| *of == profile).count()
    }

    /// Whether what failed like this may go to the same place only after a wait.
    fn asks_for_a_wait(&self, failure: Option<SendFailure>) -> bool {
        match failure {
            Some(SendFailure::Throttled { retry_after_ms }) => {
                retry_after_ms.is_none_or(|asked| asked <= self.config.retry_after_ms_max)
            }
            Some(SendFailure::Transient | SendFailure::Interrupted) => true,
            Some(
                SendFailure::Unauthorized
                | SendFailure::ContinuityLost
                | SendFailure::ContextTooLong
                | SendFailure::Invalid,
            )
            | None => false,
        }
    }

    fn judge_end(&mut self, end: RequestEnd) {
        assert_eq!(self.end, None, "it ended twice");
        assert!(!self.wire.iter().any(|send| send.is_open), "S1: an open stream outlives its request");
        if let RequestEnd::Accepted { attempt } = end {
            assert!(self.wire[usize::from(attempt.0)].is_whole, "S18: a part of a response was accepted");
            assert!(self.delivered.is_none_or(|delivered| delivered == attempt), "S18: two answers");
            assert!(!self.is_cancelled, "S19: accepted after the cancel");
        }
        assert_eq!(end == RequestEnd::Cancelled, self.is_cancelled, "{end:?}");
        if end == RequestEnd::Failed(R::Unauthorized) {
            let last = self.wire.last().map(|send| send.profile);
            let is_final = last.is_some_and(|last| self.is_keyed(last) || self.refusals(last) == 2);
            assert!(is_final, "S17: it gives up without a newer token of {last:?}");
        }
        if end == RequestEnd::Failed(R::Throttled) {
            assert_eq!(self.up(), None, "place: it gives up although a provider is up");
        }
        self.end = Some(end);
    }

    /// The ledger has a line for each send, and calls nothing free that a provider has worked on.
    fn judge_books(&self) {
        let lines = self.request.ledger.sends();
        assert_eq!(lines.len(), self.wire.len(), "paid: a send without a line");
        for (line, sent) in lines.iter().zip(&self.wire) {
            assert_eq!(line.profile, sent.profile, "paid: another profile");
            assert_eq!(line.fate == Fate::Open, sent.is_open, "paid: {line:?} is not over, or is");
            assert!(!(sent.is_billed && line.fate == Fate::Refused), "paid: {line:?} is not free");
            assert_eq!(line.fate == Fate::Whole, sent.is_whole, "paid: {line:?} has no whole response");
        }
    }

    /// The open send, if something can still be heard of it.
    fn heard(&self) -> Option<Attempt> {
        self.open().filter(|_| self.recovery != Recovery::Unasked)
    }

    fn open(&self) -> Option<Attempt> {
        let place = self.wire.iter().position(|send| send.is_open)?;
        u16::try_from(place).ok().map(Attempt)
    }

    /// The open send is over, as `event` will say.
    fn close(&mut self, attempt: Attempt, failure: Option<SendFailure>) {
        let send = &mut self.wire[usize::from(attempt.0)];
        (send.is_open, send.failure, send.is_whole) = (false, failure, failure.is_none());
        self.recovery = Recovery::Needless;
    }

    /// What may happen next, by chance; some of it is late, doubled or was never asked for.
    fn happen(&mut self, choice: u8, number: u32) {
        let any = Attempt(u16::try_from(number % 6).expect("small"));
        match choice % 16 {
            0 | 1 => self.authorize(number),
            2 => self.respond(number),
            3 | 4 => self.fail(FAILURES[number as usize % FAILURES.len()], number),
            5 => {
                if let Some(attempt) = self.heard().filter(|_| self.recovery == Recovery::Needless) {
                    let outcome = self.take(RequestEvent::OutputDelivered { attempt });
                    if outcome == Outcome::Applied {
                        self.wire[usize::from(attempt.0)].is_billed = true;
                        self.delivered = Some(attempt);
                    }
                }
            }
            6 | 7 => self.fire(number),
            8 => self.confirm_stop(),
            9 => drop(self.take(RequestEvent::UsageReported { attempt: any })),
            10 => {
                let profile = ProfileId(u8::try_from(number % 4).expect("small"));
                self.change(profile, number.is_multiple_of(3));
            }
            11 if number.is_multiple_of(5) => self.cancel(),
            12 if number.is_multiple_of(3) => self.crash(),
            13 => self.fall_behind(any, number),
            14 => self.hold(number),
            // The provider begins to work.
            _ => {
                if let Some(attempt) = self.open() {
                    self.wire[usize::from(attempt.0)].is_billed = true;
                }
            }
        }
    }

    fn hold(&mut self, number: u32) {
        let was = self.is_held;
        self.is_held = number.is_multiple_of(2);
        let event = if self.is_held { RequestEvent::PauseRequested } else { RequestEvent::ResumeRequested };
        let outcome = self.take(event);
        let is_due = was != self.is_held && self.end.is_none() && !self.is_cancelled;
        assert_eq!(outcome == Outcome::Applied, is_due, "{event:?} is {outcome:?}");
    }

    fn change(&mut self, profile: ProfileId, is_up: bool) {
        if is_up {
            let was_away = self.down.remove(&profile) | self.shut.remove(&profile);
            if was_away {
                self.came_up.insert(profile);
            }
            drop(self.take(RequestEvent::ProfileUp { profile }));
        } else if profile.0 < self.profiles {
            self.down.insert(profile);
            drop(self.take(RequestEvent::ProfileDown { profile }));
        }
    }

    fn cancel(&mut self) {
        self.is_cancelled |= self.end.is_none();
        self.is_held = false;
        drop(self.take(RequestEvent::CancelRequested));
    }

    /// A credential comes, newer than what will not do, or there is none.
    fn authorize(&mut self, number: u32) {
        let Some((attempt, _, newer_than)) = self.wanted else { return };
        let old = RequestEvent::CredentialGiven { attempt, generation: newer_than };
        if newer_than.0 > 0 {
            assert_ne!(self.take(old), Outcome::Applied, "S17: the old one will not do");
        }
        self.wanted = None;
        if number.is_multiple_of(23) {
            return drop(self.take(RequestEvent::CredentialFailed { attempt }));
        }
        self.newest += u32::from(newer_than.0 == self.newest);
        let generation = Generation(self.newest);
        drop(self.take(RequestEvent::CredentialGiven { attempt, generation }));
    }

    fn respond(&mut self, number: u32) {
        if number.is_multiple_of(2) {
            return;
        }
        if let Some(attempt) = self.heard() {
            self.wire[usize::from(attempt.0)].is_billed = true;
            self.close(attempt, None);
            assert_eq!(self.take(RequestEvent::ResponseEnded { attempt }), Outcome::Applied);
        }
    }

    /// After the first byte every failure is an interruption.
    fn fail(&mut self, failure: SendFailure, number: u32) {
        let Some(attempt) = self.heard() else { return };
        let Sent { is_billed, profile, generation, .. } = self.wire[usize::from(attempt.0)];
        let begun = is_billed || self.recovery == Recovery::Asked;
        let refused = !matches!(failure, SendFailure::Transient | SendFailure::Interrupted);
        // A provider that is short of capacity in the middle of a stream says how long, and its bill has come before.
        let is_shed = matches!(failure, SendFailure::Throttled { .. }) && self.charged.contains(&attempt);
        let may_be_shed = is_shed && self.recovery != Recovery::Asked;
        let failure = if begun && refused && !may_be_shed { SendFailure::Interrupted } else { failure };
        self.close(attempt, Some(failure));
        let is_cancelled = self.request.state == RequestState::Stopping(Aim::Cancel);
        if failure == SendFailure::Unauthorized && !is_cancelled {
            self.refused.push((profile, generation));
        }
        if failure == (SendFailure::Throttled { retry_after_ms: Some(u32::MAX) }) && !is_cancelled {
            self.shut.insert(profile);
        }
        let event = RequestEvent::SendFailed { attempt, failure, jitter_ms: number % 100 };
        assert_eq!(self.take(event), Outcome::Applied);
    }

    fn fire(&mut self, number: u32) {
        let timer = self.timers.iter().nth(number as usize % self.timers.len().max(1)).copied();
        let Some(timer) = timer else { return };
        self.timers.remove(&timer);
        match timer {
            RequestTimer::Backoff(attempt) => {
                self.waited.insert(attempt);
            }
            RequestTimer::Grace(_) => self.recovery = Recovery::Needless,
        }
        assert_eq!(self.take(RequestEvent::TimerFired { timer }), Outcome::Applied, "{timer:?}");
    }

    fn confirm_stop(&mut self) {
        if let (Some(attempt), RequestState::Stopping(_)) = (self.open(), self.request.state) {
            self.wire[usize::from(attempt.0)].is_open = false;
            self.recovery = Recovery::Needless;
            assert_eq!(self.take(RequestEvent::Stopped { attempt }), Outcome::Applied);
        }
    }

    /// The process is gone with its streams and timers. What was on its way from the provider is not on record.
    fn crash(&mut self) {
        self.timers.clear();
        self.wanted = None;
        self.recovery = if self.open().is_some() { Recovery::Unasked } else { Recovery::Needless };
        let mut effects = Vec::new();
        self.request.resync(&self.config, &mut |effect| effects.push(effect));
        for effect in effects {
            assert!(!matches!(effect, RequestEffect::Send { .. }), "S2: {effect:?} once more after a crash");
            self.obey(effect, None);
        }
    }

    /// Something late, doubled or never asked for: it moves nothing.
    fn fall_behind(&mut self, attempt: Attempt, number: u32) {
        let generation = Generation(number % 9);
        let failure = FAILURES[number as usize % FAILURES.len()];
        let event = match number % 8 {
            0 => RequestEvent::ResponseEnded { attempt },
            1 => RequestEvent::SendFailed { attempt, failure, jitter_ms: 0 },
            2 => RequestEvent::OutputDelivered { attempt },
            3 => RequestEvent::Stopped { attempt },
            4 => RequestEvent::CredentialGiven { attempt, generation },
            5 => RequestEvent::TimerFired { timer: RequestTimer::Backoff(attempt) },
            6 => RequestEvent::Began { profiles: self.request.profiles, previous: None },
            _ => RequestEvent::TimerFired { timer: RequestTimer::Grace(attempt) },
        };
        let stops = matches!(self.request.state, RequestState::Stopping(_));
        let current = match event {
            RequestEvent::TimerFired { timer } => self.timers.contains(&timer),
            RequestEvent::CredentialGiven { attempt, .. } => {
                self.wanted.is_some_and(|(wanted, ..)| wanted == attempt)
            }
            RequestEvent::Stopped { attempt } => stops && self.open() == Some(attempt),
            RequestEvent::Began { .. }
            | RequestEvent::CredentialFailed { .. }
            | RequestEvent::OutputDelivered { .. }
            | RequestEvent::ResponseEnded { .. }
            | RequestEvent::SendFailed { .. }
            | RequestEvent::UsageReported { .. }
            | RequestEvent::ProfileDown { .. }
            | RequestEvent::ProfileUp { .. }
            | RequestEvent::PauseRequested
            | RequestEvent::ResumeRequested
            | RequestEvent::CancelRequested => self.open() == Some(attempt),
        };
        if !current {
            assert_ne!(self.take(event), Outcome::Applied, "stale: {event:?}");
        }
    }

    /// Everything that is asked for is answered from here on.
    fn come_to_rest(&mut self) {
        self.hold(1);
        for _ in 0..100 {
            if self.end.is_some() {
                return;
            }
            if !matches!(self.request.state, RequestState::Stopping(_)) {
                self.fail(SendFailure::Interrupted, 0);
            }
            self.fire(0);
            self.authorize(1);
        }
        panic!("L1: it does not end: {:?}", self.request);
    }
}

proptest! {
    #[test]
    fn request_has_one_end_one_open_stream_and_a_line_for_each_send(
        attempts_max in 0_u16..6,
        profiles in 1_u8..4,
        continues in any::<bool>(),
        has_key in any::<bool>(),
        events in proptest::collection::vec((any::<u8>(), any::<u32>()), 0..120),
    ) {
        let config = Config { attempts_max, ..Config::default() };
        let mut world = World::new(config, profiles, continues, has_key);
        for (choice, number) in events {
            world.happen(choice, number);
        }
        world.come_to_rest();
        prop_assert_eq!(world.timers, BTreeSet::new(), "a timer outlives its request");
    }
}

/// Enough to come by everything.
const HISTORIES: u32 = 6_000;

/// A fixed sequence of numbers that look like chance.
fn numbers(seed: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(seed), |number| {
        Some(number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
    })
    .skip(1)
    .map(|number| number >> 8)
}

/// The history of a seed, to its end.
fn history(seed: u32, config: Config) -> World {
    let config = Config { attempts_max: 1 + u16::try_from(seed % 5).expect("small"), ..config };
    let mut world = World::new(config, 2, seed.is_multiple_of(2), seed.is_multiple_of(3));
    world.is_faulty = config != Config { attempts_max: config.attempts_max, ..Config::default() };
    let mut numbers = numbers(seed);
    for _ in 0..60 {
        let choice = numbers.next().expect("without end").to_le_bytes()[1];
        world.happen(choice, numbers.next().expect("without end"));
    }
    world.come_to_rest();
    assert_eq!(world.timers, BTreeSet::new(), "a timer outlives its request");
    world
}

#[test]
fn random_histories_come_by_every_reason_to_send_and_every_end() {
    let (mut reasons, mut ends) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..HISTORIES {
        let mut world = history(seed, Config::default());
        reasons.append(&mut world.reasons);
        ends.extend(world.end.map(|end| match end {
            RequestEnd::Accepted { .. } => RequestEnd::Accepted { attempt: Attempt(0) },
            RequestEnd::Failed(_) | RequestEnd::Cancelled => end,
        }));
    }
    let retries = [Passing::Throttled, Passing::Transient, Passing::Interrupted].map(SendReason::Retry);
    let others = [
        SendReason::First,
        SendReason::FreshToken,
        SendReason::FullInput,
        SendReason::Failover,
        SendReason::Returned,
    ];
    assert_eq!(reasons, retries.into_iter().chain(others).collect());
    let failed = [
        R::AttemptsExhausted,
        R::Throttled,
        R::Credential,
        R::Unauthorized,
        R::ContextTooLong,
        R::Invalid,
        R::Interrupted,
    ];
    let accepted = RequestEnd::Accepted { attempt: Attempt(0) };
    let failed = failed.map(RequestEnd::Failed).into_iter();
    assert_eq!(ends, failed.chain([accepted, RequestEnd::Cancelled]).collect());
}

/// The judge can say no: a fault, and what it says in one history or another.
#[cfg(feature = "planted-faults")]
const JUDGED: [(downbeat_kernel::Fault, &str); 53] = {
    use downbeat_kernel::Fault as F;
    [
        (F::BeginsAgain, "a second credential"),
        (F::AnySend, "stale: "),
        (F::NoSendBudget, "S2: "),
        (F::CredentialSendsAgain, "S1: "),
        (F::OldCredentialTaken, "S17: "),
        (F::RefusedAgain, "S17: "),
        (F::RefusalIsShared, "S17: it gives up"),
        (F::LostIsContinued, "paid: "),
        (F::FullIsLost, "continuity: "),
        (F::InvalidIsRetried, "paid: "),
        (F::RetriesAtOnce, "paid: "),
        (F::TruncatedAccepted, "paid: "),
        (F::DeliveredIsReplayed, "S18: "),
        (F::DeliveredFailsOver, "S18: "),
        (F::StoppedDelivers, "S18: "),
        (F::FailoverBeside, "paid: "),
        (F::NoFence, "paid: "),
        (F::NoFenceTimer, "is not armed"),
        (F::DownForgotten, "place: "),
        (F::DownIsPreferred, "place: "),
        (F::CredentialSticks, "place: "),
        (F::ReturnIsFailover, "paid: "),
        (F::UnaskedStops, "paid: "),
        (F::FailoverOutlivesCancel, "S19: "),
        (F::CancelMissesWait, "S19: "),
        (F::CancelEndsBeside, "S1: "),
        (F::CancelledAccepted, "S19: "),
        (F::EndedRequestMoves, "it ended twice"),
        (F::LostIsFree, "paid: "),
        (F::BilledIsRefused, "paid: "),
        (F::FencedIsFree, "paid: "),
        (F::ChargesPreferred, "charged: "),
        (F::ChargedTwice, "charged: "),
        (F::NoRetryTimer, "is not armed"),
        (F::ReturnsToDown, "paid: "),
        (F::WaitUnbounded, "waits: "),
        (F::OwedForgotten, "waits: "),
        (F::OwedKept, "paid: "),
        (F::ShutForgotten, "place: it gives up"),
        (F::ShutKept, "place: "),
        (F::HeldSends, "S13: "),
        (F::ResumeLeavesReady, "L1: "),
        (F::ResumeSendsAgain, "S1: "),
        (F::BackoffLeftAtCancel, "a timer outlives its request"),
        (F::GraceLeftArmed, "a timer outlives its request"),
        (F::AnyBackoff, "a second credential"),
        (F::AnyGrace, "stale: "),
        (F::RefusedRequestEmits, "S25: "),
        (F::ResyncSendsAgain, "S2: "),
        (F::ResyncForgetsCredential, "L1: "),
        (F::ResyncForgetsSend, "L1: "),
        (F::ResyncForgetsBackoff, "L1: "),
        (F::ResyncForgetsStop, "L1: "),
    ]
};

#[cfg(feature = "planted-faults")]
#[test]
fn judge_finds_every_planted_fault_of_the_request() {
    use downbeat_kernel::Fault;
    let in_conversation = [Fault::ContinuityShared];
    let judged = JUDGED.iter().map(|(fault, _)| *fault).chain(in_conversation);
    let all: BTreeSet<Fault> = Fault::OF_REQUESTS.iter().copied().collect();
    assert_eq!(judged.collect::<BTreeSet<Fault>>(), all);
    for (fault, expected) in JUDGED {
        let config = Config { fault: Some(fault), ..Config::default() };
        let said = |seed| match std::panic::catch_unwind(|| drop(history(seed, config))) {
            Ok(()) => String::new(),
            Err(why) => match (why.downcast_ref::<String>(), why.downcast_ref::<&str>()) {
                (Some(why), _) => why.clone(),
                (None, why) => why.copied().unwrap_or_default().to_owned(),
            },
        };
        assert!((0..HISTORIES).any(|seed| said(seed).contains(expected)), "{fault:?} is not {expected:?}");
    }
}
