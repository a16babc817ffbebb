//! What goes over the wire for each turn, and which promises the last step broke.
//!
//! Nothing in here is of one client: whoever sends for a turn is judged by this record. A turn is one question to a model;
//! a *send* is one request over the network. A provider that has begun to work on a send may want to be paid for it.

/// The most turns.
pub const TURNS: usize = 2;

/// The most sends, of all turns together.
pub const SENDS: usize = 8;

/// The most profiles.
pub const PROFILES: usize = 2;

/// A turn, by the order in which they begin.
pub type TurnIndex = u8;

/// A send, by the order in which they go out.
pub type SendIndex = u8;

/// A provider profile, from 0.
pub type Profile = u8;

/// A token of a profile; a newer one has a higher number.
pub type Token = u8;

/// A response that a later turn may continue from: 0 is the one of before the first turn, and each send has the next
/// number.
pub type Response = u8;

/// How people call a turn.
pub fn turn_name(turn: TurnIndex) -> char {
    char::from(b'A' + turn)
}

/// How far a send has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It did not go out.
    Unsent,
    /// The provider has it, and has not begun to work.
    Asked,
    /// The provider works on it.
    Working,
    /// Closed, with the whole response.
    Whole,
    /// Closed, because the provider refused it.
    Refused,
    /// Closed without a whole response.
    Broken,
}

/// One send.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, seen by somebody else")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    /// How far it has come.
    pub stage: Stage,
    /// Whose it is.
    pub turn: TurnIndex,
    /// Where it went.
    pub profile: Profile,
    /// With which token.
    pub token: Token,
    /// The response that it continues from; without one it has the full input.
    pub from: Option<Response>,
    /// The provider has begun to work on it.
    pub is_billed: bool,
    /// The owner of the turn knows that it may have to be paid.
    pub is_booked: bool,
    /// Output of it has gone out to whoever reads it.
    pub is_delivered: bool,
    /// Somebody was charged for it.
    pub is_charged: bool,
}

impl Sent {
    const NONE: Self = Self {
        stage: Stage::Unsent,
        turn: 0,
        profile: 0,
        token: 0,
        from: None,
        is_billed: false,
        is_booked: false,
        is_delivered: false,
        is_charged: false,
    };

    /// Whether its stream is open.
    pub fn is_open(&self) -> bool {
        match self.stage {
            Stage::Asked | Stage::Working => true,
            Stage::Unsent | Stage::Whole | Stage::Refused | Stage::Broken => false,
        }
    }
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// With a response.
    Accepted,
    /// Without one.
    Failed,
    /// Somebody wanted that.
    Cancelled,
}

/// How far a turn has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// Nobody has asked for it yet.
    Unmade,
    /// Somebody waits for it.
    Open,
    /// It is over.
    Over(Outcome),
}

/// What is known of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Turn {
    /// How far it has come.
    pub progress: Progress,
    /// Somebody wants it to end.
    pub is_cancelled: bool,
    /// The last token of each profile that was refused.
    pub refused: [Option<Token>; PROFILES],
    /// It was refused for good, or a second time for a token of one profile.
    pub is_refused_for_good: bool,
    /// Which profiles asked for patience, until that was waited for.
    pub throttled: [bool; PROFILES],
    /// Descriptions of the model that were fetched since it last began.
    pub fetched: u8,
}

impl Turn {
    /// Whether a token was refused for it.
    pub fn has_refused(&self) -> bool {
        self.refused.iter().any(Option::is_some)
    }

    /// Whether a profile asked for patience that was not waited for yet.
    pub fn has_throttled(&self) -> bool {
        self.throttled.contains(&true)
    }
}

/// What is promised about sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promise {
    /// One budget, each attempt once, nothing after a refusal for good.
    S2,
    /// Once more with a newer token, and not a third time.
    S17,
    /// One response is accepted, it is whole, and output is of one send.
    S18,
    /// Nothing after a cancel.
    S19,
    /// What has to be paid is in the books.
    Paid,
    /// Charged once, and to where it went.
    Charged,
    /// No two turns continue from one response.
    Continuity,
    /// Throttled, then the owner's wait.
    Waits,
    /// The description of a model is fetched once.
    Metadata,
}

/// How many promises there are.
const PROMISES: usize = Promise::Metadata as usize + 1;

/// Every send of every turn, and what the last step did that must not be done.
///
/// A breach is forgotten at the next step: what follows it is no other system, and its states need not be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wire {
    turns: [Turn; TURNS],
    sends: [Sent; SENDS],
    /// For each promise the send by which it was broken, or the turn if there is none.
    breaches: [Option<u8>; PROMISES],
}

impl Wire {
    /// Nobody has asked for anything.
    pub const EMPTY: Self = Self {
        turns: [Turn {
            progress: Progress::Unmade,
            is_cancelled: false,
            refused: [None; PROFILES],
            is_refused_for_good: false,
            throttled: [false; PROFILES],
            fetched: 0,
        }; TURNS],
        sends: [Sent::NONE; SENDS],
        breaches: [None; PROMISES],
    };

    /// The record at the beginning of the next step.
    #[must_use]
    pub fn without_breaches(&self) -> Self {
        Self { breaches: [None; PROMISES], ..*self }
    }

    /// The send, or turn, by which the last step broke a promise.
    pub fn breach(&self, promise: Promise) -> Option<u8> {
        self.breaches[promise as usize]
    }

    /// The last step broke a promise.
    pub fn breaks(&mut self, promise: Promise, by: u8) {
        let breach = &mut self.breaches[promise as usize];
        *breach = breach.or(Some(by));
    }

    /// A turn.
    pub fn turn(&self, turn: TurnIndex) -> &Turn {
        &self.turns[usize::from(turn)]
    }

    /// A turn, to note something about it.
    pub fn turn_mut(&mut self, turn: TurnIndex) -> &mut Turn {
        &mut self.turns[usize::from(turn)]
    }

    /// Every turn that was made, in order.
    pub fn turns(&self) -> impl Iterator<Item = (TurnIndex, &Turn)> {
        (0..).zip(&self.turns).filter(|(_, turn)| turn.progress != Progress::Unmade)
    }

    /// The turns that somebody waits for, in order.
    pub fn open_turns(&self) -> impl Iterator<Item = TurnIndex> {
        self.turns().filter(|(_, turn)| turn.progress == Progress::Open).map(|(index, _)| index)
    }

    /// A send.
    pub fn sent(&self, send: SendIndex) -> &Sent {
        &self.sends[usize::from(send)]
    }

    /// A send, to note something about it.
    pub fn sent_mut(&mut self, send: SendIndex) -> &mut Sent {
        &mut self.sends[usize::from(send)]
    }

    /// Every send that went out, in order.
    pub fn sends(&self) -> impl Iterator<Item = (SendIndex, &Sent)> {
        (0..).zip(&self.sends).filter(|(_, sent)| sent.stage != Stage::Unsent)
    }

    /// The sends of a turn, in order.
    pub fn sends_of(&self, turn: TurnIndex) -> impl Iterator<Item = (SendIndex, &Sent)> {
        self.sends().filter(move |(_, sent)| sent.turn == turn)
    }

    /// The open streams of a turn, in order.
    pub fn open_streams(&self, turn: TurnIndex) -> impl Iterator<Item = SendIndex> {
        self.sends_of(turn).filter(|(_, sent)| sent.is_open()).map(|(index, _)| index)
    }

    /// Somebody asks for the next turn.
    ///
    /// # Panics
    /// There were [`TURNS`] already: a mistake of the model.
    pub fn make(&mut self) -> TurnIndex {
        let next = (0..).zip(&mut self.turns).find(|(_, turn)| turn.progress == Progress::Unmade);
        let Some((index, turn)) = next else { panic!("no more than {TURNS} turns are made") };
        turn.progress = Progress::Open;
        index
    }

    /// The place of the next send.
    ///
    /// # Panics
    /// There were [`SENDS`] already: the bounds of the model allow too many.
    pub fn next_send(&self) -> SendIndex {
        let next = (0..).zip(&self.sends).find(|(_, sent)| sent.stage == Stage::Unsent);
        next.map_or_else(|| panic!("no more than {SENDS} sends go out"), |(index, _)| index)
    }

    /// Something is sent for a turn, of which `allowed` may be in all.
    pub fn send(
        &mut self,
        send: SendIndex,
        (turn, allowed): (TurnIndex, u8),
        (profile, token): (Profile, Token),
        from: Option<Response>,
    ) {
        let Turn { progress, is_cancelled, refused, is_refused_for_good, throttled, .. } = *self.turn(turn);
        let again = self.sent(send).stage != Stage::Unsent;
        let before = self.sends_of(turn).count();
        if again || before >= usize::from(allowed) || is_refused_for_good {
            self.breaks(Promise::S2, send);
        }
        let is_stale = refused[usize::from(profile)].is_some_and(|refused| token <= refused);
        if is_stale || is_refused_for_good && self.turn(turn).has_refused() {
            self.breaks(Promise::S17, send);
        }
        if is_cancelled || matches!(progress, Progress::Over(_)) {
            self.breaks(Promise::S19, send);
        }
        if throttled[usize::from(profile)] {
            self.breaks(Promise::Waits, send);
        }
        let is_claimed = |(_, other): (SendIndex, &Sent)| other.turn != turn && other.from == from;
        if from.is_some() && self.sends().any(is_claimed) {
            self.breaks(Promise::Continuity, send);
        }
        self.judge_books(turn, send);
        *self.sent_mut(send) = Sent { stage: Stage::Asked, turn, profile, token, from, ..Sent::NONE };
    }

    /// What has to be paid is in the books by now.
    fn judge_books(&mut self, turn: TurnIndex, by: u8) {
        if self.sends_of(turn).any(|(_, sent)| sent.is_billed && !sent.is_booked) {
            self.breaks(Promise::Paid, by);
        }
    }

    /// The provider begins to work.
    pub fn begin(&mut self, send: SendIndex) {
        let sent = self.sent_mut(send);
        (sent.stage, sent.is_billed) = (Stage::Working, true);
    }

    /// A stream is closed.
    pub fn close(&mut self, send: SendIndex, stage: Stage) {
        self.sent_mut(send).stage = stage;
    }

    /// Whoever a send went to asks for patience.
    pub fn throttle(&mut self, send: SendIndex) {
        let Sent { turn, profile, .. } = *self.sent(send);
        self.turn_mut(turn).throttled[usize::from(profile)] = true;
    }

    /// The patience that a profile asked for was waited for.
    pub fn waited(&mut self, turn: TurnIndex, profile: Profile) {
        self.turn_mut(turn).throttled[usize::from(profile)] = false;
    }

    /// The provider does not take the token. The second time that is for good; another one has tokens of its own.
    pub fn refuse_token(&mut self, send: SendIndex) {
        let Sent { turn, profile, token, .. } = *self.sent(send);
        self.close(send, Stage::Refused);
        let turn = self.turn_mut(turn);
        let before = turn.refused[usize::from(profile)].replace(token);
        turn.is_refused_for_good |= before.is_some();
    }

    /// Output of a send goes out.
    pub fn deliver(&mut self, send: SendIndex) {
        let turn = self.sent(send).turn;
        if self.sends_of(turn).any(|(other, sent)| other != send && sent.is_delivered) {
            self.breaks(Promise::S18, send);
        }
        self.sent_mut(send).is_delivered = true;
    }

    /// The owner of a turn throws away what he has of it, and begins anew.
    pub fn withdraw(&mut self, turn: TurnIndex) {
        let of_turn = self.sends.iter_mut().filter(|sent| sent.stage != Stage::Unsent && sent.turn == turn);
        of_turn.for_each(|sent| sent.is_delivered = false);
    }

    /// Somebody is charged for a send.
    pub fn charge(&mut self, send: SendIndex, profile: Profile) {
        let sent = *self.sent(send);
        if sent.is_charged || sent.profile != profile {
            self.breaks(Promise::Charged, send);
        }
        self.sent_mut(send).is_charged = true;
    }

    /// The description of the model is fetched for a turn.
    pub fn fetch(&mut self, turn: TurnIndex) {
        let fetched = &mut self.turn_mut(turn).fetched;
        *fetched += 1;
        if *fetched > 1 {
            self.breaks(Promise::Metadata, turn);
        }
    }

    /// A response is taken for the answer to its turn.
    pub fn accept(&mut self, send: SendIndex) {
        let Sent { stage, turn, .. } = *self.sent(send);
        let of_another = self.sends_of(turn).any(|(other, sent)| other != send && sent.is_delivered);
        let is_over = self.turn(turn).progress != Progress::Open;
        if stage != Stage::Whole || of_another || is_over {
            self.breaks(Promise::S18, send);
        }
        if self.turn(turn).is_cancelled {
            self.breaks(Promise::S19, send);
        }
        self.sent_mut(send).is_booked = true;
        self.end(turn, Outcome::Accepted);
    }

    /// A turn is over.
    pub fn end(&mut self, turn: TurnIndex, outcome: Outcome) {
        self.judge_books(turn, turn);
        self.turn_mut(turn).progress = Progress::Over(outcome);
    }
}
