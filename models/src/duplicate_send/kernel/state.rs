//! The whole system: each turn with its request and its orders, the conversation, the tokens, and what may still happen.

use downbeat_kernel::{
    Attempt, Conversation, Fate, Generation, Passing, Previous, ProfileId, Request, RequestEnd, RequestState,
    RequestTimer, SendReason, TurnNumber,
};

use super::super::properties::Judged;
use super::super::wire::{Profile, Response, SendIndex, Stage, TURNS, Token, TurnIndex, Wire, turn_name};
use super::act::name_of;
use super::{ATTEMPTS, Left, Scenario};

/// A credential that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    pub(super) attempt: u8,
    pub(super) profile: Profile,
    pub(super) newer_than: Token,
}

/// A turn: its request, and what that has ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Desk {
    pub(super) request: Request,
    pub(super) wanted: Option<Wanted>,
    /// The attempt before which a wait runs.
    pub(super) backoff: Option<u8>,
    /// The attempt whose time to stop runs.
    pub(super) grace: Option<u8>,
    /// The last send went with a crash, and the driver is to say what became of it.
    pub(super) is_asked_about: bool,
    /// One bit for each profile that the turn was told is down.
    pub(super) down: u8,
    /// One bit for each profile that asked for more patience than there is, and was not said to be up since.
    pub(super) shut: u8,
}

/// What may be wrong about a request, beside what goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// An event that was not applied has changed something all the same (S25).
    ChangedUnapplied,
    /// An event was applied that is void.
    AppliedVoid,
    /// An order was given twice, or to nobody, a send went elsewhere than to the preferred profile, a wait is too long or for
    /// nothing, or a turn ended twice, or for want of patience although a profile is up.
    Disorder,
    /// A send has another reason than what became of the one before.
    Unexplained,
    /// The request is not what events lead to.
    Corrupt,
}

const FLAWS: usize = Flaw::Corrupt as usize + 1;

/// One state of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) desks: [Desk; TURNS],
    pub(super) conversation: Conversation,
    /// The newest token of each profile.
    pub(super) tokens: [Token; 2],
    pub(super) wire: Wire,
    pub(super) left: Left,
    /// What was seen to be wrong.
    flaws: [bool; FLAWS],
}

impl State {
    /// Nobody has asked for anything.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let mut conversation = Conversation::default();
        if scenario.continues {
            conversation = before_the_first();
        }
        let request = Request::default();
        let desk = Desk {
            request,
            wanted: None,
            backoff: None,
            grace: None,
            is_asked_about: false,
            down: 0,
            shut: 0,
        };
        Self {
            desks: [desk; TURNS],
            conversation,
            tokens: [1; 2],
            wire: Wire::EMPTY,
            left: scenario.left,
            flaws: [false; FLAWS],
        }
    }

    /// Notes a flaw, if it is one.
    pub(super) fn note(&mut self, flaw: Flaw, is_there: bool) {
        self.flaws[flaw as usize] |= is_there;
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.flaws[flaw as usize]
    }

    pub(super) fn desk(&self, turn: TurnIndex) -> &Desk {
        &self.desks[usize::from(turn)]
    }

    pub(super) fn desk_mut(&mut self, turn: TurnIndex) -> &mut Desk {
        &mut self.desks[usize::from(turn)]
    }

    /// How many turns have begun: the next one.
    pub(super) fn made(&self) -> TurnIndex {
        self.wire.turns().fold(0, |made, _| made + 1)
    }

    /// The open stream of a turn.
    pub(super) fn stream(&self, turn: TurnIndex) -> Option<SendIndex> {
        self.wire.open_streams(turn).last()
    }

    /// The place of the last send of a turn on the wire, whether it came there or not.
    pub(super) fn last(&self, turn: TurnIndex) -> Option<SendIndex> {
        let sends = self.desk(turn).request.ledger.sends().len();
        slot(turn, Attempt(u16::try_from(sends.checked_sub(1)?).ok()?))
    }

    /// Where the last send of a turn went, or was to go.
    pub(super) fn last_profile(&self, turn: TurnIndex) -> Option<Profile> {
        self.desk(turn).request.ledger.sends().last().map(|send| profile(send.profile))
    }

    /// Whether the driver has been told to close the open stream of a turn.
    pub(super) fn is_stopping(&self, turn: TurnIndex) -> bool {
        matches!(self.desk(turn).request.state, RequestState::Stopping(_))
    }

    /// Whether the last send of a turn went with a crash, and the request counts on it.
    pub(super) fn is_lost(&self, turn: TurnIndex) -> bool {
        let last = self.desk(turn).request.ledger.sends().last();
        last.is_some_and(|send| send.fate == Fate::Open) && self.stream(turn).is_none()
    }

    /// The profiles that a request may be sent to now.
    pub(super) fn up(&self, turn: TurnIndex) -> Option<Profile> {
        let Desk { request, down, shut, .. } = self.desk(turn);
        (0..request.profiles.count).find(|profile| (down | shut) >> profile & 1 == 0)
    }

    /// Notes in the wire what the ledger of a turn says now about what may have to be paid, whether or not its bill has come.
    pub(super) fn keep_books(&mut self, turn: TurnIndex) {
        let ledger = self.desk(turn).request.ledger;
        for attempt in (0..).map(Attempt).take(ledger.sends().len()) {
            if let Some(send) = slot(turn, attempt) {
                let line = ledger.sends().get(usize::from(attempt.0));
                self.wire.sent_mut(send).is_booked = line.is_some_and(|line| line.fate != Fate::Refused);
            }
        }
    }

    /// Whether what became of the send before is why a send goes out. What a crash has cut off has not gone out at all.
    pub(super) fn is_explained(&self, turn: TurnIndex, attempt: Attempt, reason: SendReason) -> bool {
        let Some(send) = slot(turn, attempt).map(|send| *self.wire.sent(send)) else { return true };
        let before = attempt.0.checked_sub(1).map(Attempt);
        let Some(at) = before.and_then(|before| slot(turn, before)) else {
            return reason == SendReason::First;
        };
        let before = *self.wire.sent(at);
        // The wire does not know where something was to go that a crash has cut off.
        let meant = self.desk(turn).request.ledger.sends().get(usize::from(attempt_of(at)));
        let unsent = meant.map(|line| line.profile.0).filter(|_| before.stage == Stage::Unsent);
        let same = unsent.unwrap_or(before.profile) == send.profile;
        let is_refused = before.stage == Stage::Refused;
        let is_lost = matches!(before.stage, Stage::Broken | Stage::Unsent);
        match reason {
            SendReason::First => false,
            SendReason::FreshToken => is_refused,
            SendReason::Retry(Passing::Throttled) => is_refused || is_lost && before.is_charged,
            SendReason::Retry(Passing::Transient | Passing::Interrupted) => is_lost,
            SendReason::FullInput => is_refused && before.from.is_some() && send.from.is_none(),
            SendReason::Failover => (is_lost || is_refused) && !same,
            SendReason::Returned => (is_lost || is_refused) && same,
        }
    }

    /// Whether the last send of a turn failed in a way that asks for a wait: it was throttled, or broke off.
    pub(super) fn may_wait(&self, turn: TurnIndex) -> bool {
        let Some(sent) = self.last(turn).map(|send| *self.wire.sent(send)) else { return true };
        match sent.stage {
            Stage::Refused => self.wire.turn(turn).throttled[usize::from(sent.profile)],
            Stage::Broken | Stage::Unsent => true,
            Stage::Asked | Stage::Working | Stage::Whole => false,
        }
    }

    /// Where each turn stands, in one line.
    pub(super) fn standing(&self) -> String {
        let made = usize::from(self.made());
        let turns = (0..).zip(&self.desks).take(made).map(|(turn, desk)| {
            let sends = desk.request.ledger.sends().len();
            format!("{}: {}, {sends} sent", turn_name(turn), name_of(desk.request.state))
        });
        turns.collect::<Vec<_>>().join("; ")
    }
}

/// A conversation whose last response came before the first turn.
fn before_the_first() -> Conversation {
    let mut request = Request::default();
    let config = downbeat_kernel::Config::default();
    for event in [
        downbeat_kernel::RequestEvent::Began {
            profiles: downbeat_kernel::Profiles { count: 1, down: 0, keyed: 0 },
            previous: None,
        },
        downbeat_kernel::RequestEvent::CredentialGiven { attempt: Attempt(0), generation: Generation(1) },
        downbeat_kernel::RequestEvent::ResponseEnded { attempt: Attempt(0) },
    ] {
        let _ = request.step(event, &config, &mut |_| {});
    }
    let mut conversation = Conversation::default();
    conversation.turn_ended(TurnNumber(1), &request);
    conversation
}

/// The number of a turn in its conversation, whose first turn was before those of the model.
pub(super) fn number(turn: TurnIndex) -> TurnNumber {
    TurnNumber(u32::from(turn) + 2)
}

/// The place of a send on the wire, if it has one there.
pub(super) fn slot(turn: TurnIndex, attempt: Attempt) -> Option<SendIndex> {
    let attempt = u8::try_from(attempt.0).ok().filter(|attempt| usize::from(*attempt) < ATTEMPTS)?;
    Some(turn * u8::try_from(ATTEMPTS).expect("small") + attempt)
}

/// The attempt that a send on the wire is.
pub(super) fn attempt_of(send: SendIndex) -> u8 {
    send % u8::try_from(ATTEMPTS).expect("small")
}

/// The response that a send continues from, as the wire numbers them.
pub(super) fn response(previous: Previous) -> Response {
    match previous.turn {
        TurnNumber(0 | 1) => 0,
        TurnNumber(later) => {
            let turn = u8::try_from(later - 2).unwrap_or(u8::MAX);
            slot(turn, previous.attempt).map_or(u8::MAX, |send| send + 1)
        }
    }
}

/// The wire's number of a profile.
pub(super) fn profile(ProfileId(profile): ProfileId) -> Profile {
    profile
}

/// The wire's number of a token.
pub(super) fn token(Generation(generation): Generation) -> Token {
    u8::try_from(generation).unwrap_or(u8::MAX)
}

/// The timer of a desk, where it is kept.
pub(super) fn timer(desk: &mut Desk, timer: RequestTimer) -> (&mut Option<u8>, u8) {
    let (kept, attempt) = match timer {
        RequestTimer::Backoff(attempt) => (&mut desk.backoff, attempt),
        RequestTimer::Grace(attempt) => (&mut desk.grace, attempt),
    };
    (kept, u8::try_from(attempt.0).unwrap_or(u8::MAX))
}

impl Judged for State {
    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn send_name(&self, send: SendIndex) -> String {
        format!("{}{}", turn_name(self.wire.sent(send).turn), attempt_of(send) + 1)
    }

    fn unsettled(&self) -> String {
        let Some(turn) = self.wire.open_turns().next() else { return "no turn is open".to_owned() };
        let state = self.desk(turn).request.state;
        let waits = match state {
            RequestState::Ended(RequestEnd::Accepted { .. }) => "has accepted a response",
            RequestState::Ended(_) => "has ended",
            RequestState::Unbegun
            | RequestState::Authorizing { .. }
            | RequestState::Ready { .. }
            | RequestState::Streaming { .. }
            | RequestState::Delivering
            | RequestState::BackingOff { .. }
            | RequestState::Stopping(_) => "waits",
        };
        format!("turn {} does not end: its request is {} and {waits}", turn_name(turn), name_of(state))
    }
}
