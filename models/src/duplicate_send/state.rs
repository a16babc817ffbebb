//! The clients as they are: the calls under way, the variables of the handler, the wire, and what may still happen.

use downbeat_sim::kinds::Kinds;

use super::properties::Judged;
use super::wire::{Profile, Response, SendIndex, TURNS, Token, TurnIndex, Wire, turn_name};

/// Which way of sending the handler has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Path {
    /// By the library.
    Library,
    /// By the library once more, with the full input.
    Full,
    /// By a request of the handler's own.
    Raw,
    /// By one more of these, with the full input.
    RawFull,
}

/// What a call knows: the locals of the task's loop and of the handler below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Whose call it is.
    pub turn: TurnIndex,
    /// Tries of the task that failed.
    pub tries: u8,
    /// Tries of the library that failed, of this one.
    pub pauses: u8,
    /// Whether the handler has sent again with what its refresh brought.
    pub is_replayed: bool,
    /// How the handler sends.
    pub path: Path,
    /// The response that it continues from.
    pub from: Option<Response>,
}

/// What a call awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// The description of the model; how many came before.
    Fetching(u8),
    /// The look at the limits of the active profile.
    Adjusting,
    /// The response of the request before, or a short time.
    AwaitingResponse,
    /// The head of the answer.
    Requested(SendIndex),
    /// The next piece of the answer.
    Reading(SendIndex),
    /// The wait of the library before it tries again.
    Pausing,
    /// The refresh of the token.
    Refreshing,
    /// The cool-down of a profile being put on record.
    Cooling,
    /// A look at what the send has cost; how many came before.
    Polling(SendIndex, u8),
    /// The wait of the task before it tries again.
    Counting,
}

/// The variables of the handler, which all calls share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handler {
    /// The profile that is active; `None` when all are cooling down.
    pub active: Option<Profile>,
    /// Bit `i`: profile `i` cools down.
    pub cooling: u8,
    /// The response that came last.
    pub last: Option<Response>,
    /// Whether a request has gone out whose response is not known yet.
    pub is_pending: bool,
    /// The token in memory, from 1.
    pub token: Token,
}

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// All of the others together, but for the cancels.
    pub troubles: u8,
    /// Sends for which the provider asks for patience.
    pub throttles: u8,
    /// Sends that are refused for their token.
    pub refusals: u8,
    /// Refreshes that bring the token that is there.
    pub keeps: u8,
    /// Sends that are refused because the provider does not know what they continue from.
    pub losses: u8,
    /// Sends that are refused by a provider in trouble.
    pub outages: u8,
    /// Sends that a provider works on, and whose answer does not come in time.
    pub delays: u8,
    /// Streams that break.
    pub breaks: u8,
    /// Turns that are cancelled.
    pub cancels: u8,
    /// Switches of the active profile by somebody else who uses the handler.
    pub switches: u8,
}

/// The whole system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The call of each turn, and what it awaits.
    pub calls: [Option<(Call, At)>; TURNS],
    /// What they share.
    pub handler: Handler,
    /// What went over the wire.
    pub wire: Wire,
    /// What may still happen.
    pub left: Left,
}

/// How a provider refuses a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It asks for patience.
    Throttled,
    /// It does not take the token.
    Unauthorized,
    /// It does not know the response that the send continues from.
    ContinuityLost,
    /// It is in trouble.
    Unavailable,
}

/// One step of a call, of a provider, of a person, or of bad luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Action {
    /// Somebody asks for the next turn.
    Ask,
    /// What the call of a turn awaits comes.
    Fire(TurnIndex),
    /// Its send is refused.
    Refuse(TurnIndex, Refusal),
    /// The provider begins to work on its send, and the client gives up waiting for it.
    TimeOut(TurnIndex),
    /// Its stream breaks.
    Break(TurnIndex),
    /// The refresh of the token brings the token that is there.
    KeepToken(TurnIndex),
    /// Somebody does not want a turn any more.
    Cancel(TurnIndex),
    /// Another call of the handler finds the active profile at its limit, and switches.
    Switch,
    /// A stream that nobody reads comes to its end.
    RunOut(SendIndex),
}

impl State {
    /// The call of a turn, and what it awaits.
    pub fn call(&self, turn: TurnIndex) -> Option<(Call, At)> {
        self.calls[usize::from(turn)]
    }

    /// The streams that nobody reads.
    pub fn unread(&self) -> impl Iterator<Item = SendIndex> {
        let is_read = |send: SendIndex| {
            self.calls.iter().flatten().any(|(_, at)| match *at {
                At::Requested(read) | At::Reading(read) => read == send,
                At::Fetching(_)
                | At::Adjusting
                | At::AwaitingResponse
                | At::Pausing
                | At::Refreshing
                | At::Cooling
                | At::Polling(..)
                | At::Counting => false,
            })
        };
        let open = self.wire.sends().filter(|(_, sent)| sent.is_open()).map(|(send, _)| send);
        open.filter(move |send| !is_read(*send))
    }
}

impl Judged for State {
    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn unsettled(&self) -> String {
        match self.wire.open_turns().next() {
            Some(turn) => format!("turn {} does not end", turn_name(turn)),
            None => "a stream is open that nobody reads".to_owned(),
        }
    }
}
