//! The whole system: the windows with their credentials and what those have ordered, the requests, the store, the server.

use downbeat_kernel::{Credential, CredentialState, Generation as Number, IfCurrent, OrderNumber};

use super::super::ledger::{Ledger, REQUESTS, RequestIndex};
use super::super::properties::Judged;
use super::super::server::{Answer, GENERATIONS, Generation, Server};
use super::super::state::WINDOWS;
use super::Left;

/// A window, by its place.
pub(super) type WindowIndex = u8;

/// The most contents that a store has, counted from 1: each is a generation of the server, which are counted from 0.
pub(super) const NUMBERS: usize = GENERATIONS as usize + 1;

/// An order that the store, or the driver's own record, has yet to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ask {
    Read,
    Claim,
    Write,
    Recover,
}

/// A refresh that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Flight {
    pub(super) token: Generation,
    /// What the server has answered, once it has.
    pub(super) answer: Option<Answer>,
}

/// A write on its way to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Landing {
    pub(super) number: u8,
    pub(super) token: Generation,
}

/// One process, and what its credential has outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Window {
    pub(super) credential: Credential,
    /// It has crashed, and has not started again.
    pub(super) is_down: bool,
    pub(super) ask: Option<Ask>,
    /// The timer that is armed: in order, that of the last order.
    pub(super) armed: Option<OrderNumber>,
    pub(super) flight: Option<Flight>,
    /// A refresh that was in flight when the next one was sent: no sound credential leaves one.
    pub(super) beside: Option<Generation>,
    /// A new credential that the store does not have yet, as the driver has it on record.
    pub(super) successor: Option<Generation>,
    pub(super) landing: Option<Landing>,
}

impl Window {
    /// Whether the credential has a successor to write.
    pub(super) fn is_writing(&self) -> bool {
        match self.credential.state {
            CredentialState::Storing
            | CredentialState::Unsaved
            | CredentialState::Reading { if_current: IfCurrent::Write }
            | CredentialState::Waiting { if_current: IfCurrent::Write } => true,
            CredentialState::Lapsed
            | CredentialState::Fresh
            | CredentialState::Reading { if_current: IfCurrent::Refresh | IfCurrent::Refuse }
            | CredentialState::Refreshing
            | CredentialState::Waiting { if_current: IfCurrent::Refresh | IfCurrent::Refuse }
            | CredentialState::Refused => false,
        }
    }

    /// Whether a refresh of it was granted, and it has not heard so.
    pub(super) fn is_owed_a_grant(&self) -> bool {
        match self.flight {
            Some(Flight { answer: Some(Answer::Granted(_)), .. }) => true,
            Some(Flight { answer: Some(Answer::InvalidGrant | Answer::Error) | None, .. }) | None => false,
        }
    }
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum At {
    /// Nobody has made it, or it is over.
    Nowhere,
    /// Waits for a credential.
    Waiting {
        window: WindowIndex,
        waiter: u64,
        /// The token for which the API refused it.
        refused: Option<Generation>,
    },
    /// Is with the API.
    Sent {
        window: WindowIndex,
        number: u8,
        token: Generation,
        /// The token for which the API refused it before.
        refused: Option<Generation>,
    },
}

/// What all windows share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Store {
    /// The number of the newest content.
    pub(super) number: u8,
    /// Every content there was, by number.
    texts: [Generation; NUMBERS],
    /// Somebody has logged out.
    pub(super) is_empty: bool,
    /// The window that has the right to refresh the newest content.
    pub(super) claim: Option<WindowIndex>,
}

impl Store {
    /// The content of a number, if there ever was one.
    pub(super) fn text(&self, number: u8) -> Option<Generation> {
        (1..=self.number).contains(&number).then(|| self.texts[usize::from(number)])
    }

    /// What it holds.
    pub(super) fn held(&self) -> Option<Generation> {
        if self.is_empty { None } else { self.text(self.number) }
    }

    /// Takes the next content, which nobody has claimed.
    pub(super) fn put(&mut self, token: Generation) {
        self.number += 1;
        self.texts[usize::from(self.number)] = token;
        (self.is_empty, self.claim) = (false, None);
    }
}

/// A promise that the last step broke, beside those that the ledger has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Breach {
    /// An event that was not applied has changed something (S25).
    Unapplied,
    /// Something was applied that is void, came again, or was never asked for.
    Stale,
    /// An order was given twice or for nothing, or somebody was told who does not wait.
    Disorder,
    /// A credential was given that the store never had.
    Unstored,
    /// Somebody was refused with what was replaced already, and was not given the newer one at once.
    Replaced,
}

/// The promises that the last step broke.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Breaches(u8);

impl Breaches {
    pub(super) fn note(&mut self, breach: Breach, is_broken: bool) {
        self.0 |= u8::from(is_broken) << breach as u8;
    }

    pub(super) fn has(self, breach: Breach) -> bool {
        self.0 & 1 << breach as u8 != 0
    }
}

/// One state of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) windows: [Window; WINDOWS],
    pub(super) requests: [At; REQUESTS],
    pub(super) store: Store,
    pub(super) server: Server,
    pub(super) ledger: Ledger,
    pub(super) left: Left,
    pub(super) breaches: Breaches,
}

impl State {
    /// Nobody has asked for anything, and no window knows what the store holds.
    pub(super) fn new(left: Left) -> Self {
        let window = Window {
            credential: Credential::default(),
            is_down: false,
            ask: None,
            armed: None,
            flight: None,
            beside: None,
            successor: None,
            landing: None,
        };
        let store = Store { number: 1, texts: [0; NUMBERS], is_empty: false, claim: None };
        Self {
            windows: [window; WINDOWS],
            requests: [At::Nowhere; REQUESTS],
            store,
            server: Server::FIRST,
            ledger: Ledger::EMPTY,
            left,
            breaches: Breaches::default(),
        }
    }

    pub(super) fn window(&self, window: WindowIndex) -> &Window {
        &self.windows[usize::from(window)]
    }

    pub(super) fn at(&self, request: RequestIndex) -> At {
        self.requests[usize::from(request)]
    }

    /// Every request that has not ended, and where it stands.
    pub(super) fn open(&self) -> impl Iterator<Item = (RequestIndex, At)> {
        (0..).zip(self.requests).filter(|(_, at)| *at != At::Nowhere)
    }

    /// The generation that a window's credential knows, in the store's numbers.
    pub(super) fn known(&self, window: WindowIndex) -> u8 {
        byte(self.window(window).credential.generation)
    }

    /// The credential that a window has by this number: what was in the store, or what is to be its successor.
    pub(super) fn text(&self, window: WindowIndex, number: u8) -> Option<Generation> {
        let successor = self.window(window).successor;
        if number > self.known(window) { successor } else { self.store.text(number) }
    }

    /// Whether the new credential of a window is in the store.
    pub(super) fn is_stored(&self, window: WindowIndex) -> bool {
        let successor = self.window(window).successor;
        successor.is_some() && successor == self.store.text(self.known(window) + 1)
    }

    /// Whether a person who is told to log in is told the truth: what the store holds is good for nothing.
    pub(super) fn is_revoked(&self) -> bool {
        self.store.held().is_none_or(|token| self.server.has_revoked(token))
    }

    /// Whether a claim is needed still: its token is in use, or what that brought is not stored.
    pub(super) fn is_claim_needed(&self, holder: WindowIndex) -> bool {
        let window = self.window(holder);
        window.flight.is_some() || window.successor.is_some()
    }

    /// The same with the least numbers: what is older than the last order and the last waiter that was told can be told
    /// from them in the same way, whatever its number.
    pub(super) fn renumber(&mut self) {
        for (index, window) in (0..).zip(&mut self.windows) {
            let credential = &mut window.credential;
            let fewer = credential.order.0.saturating_sub(2);
            credential.order.0 -= fewer;
            window.armed = window.armed.map(|OrderNumber(order)| OrderNumber(order.saturating_sub(fewer)));
            let past = credential.settled.0.saturating_sub(1);
            credential.settled.0 -= past;
            credential.accepted.0 -= past;
            for at in &mut self.requests {
                if let At::Waiting { window, waiter, .. } = at
                    && *window == index
                {
                    *waiter = waiter.saturating_sub(past);
                }
            }
        }
    }
}

/// A number of the store as the model has it.
pub(super) fn byte(number: Number) -> u8 {
    u8::try_from(number.0).unwrap_or(u8::MAX)
}

/// A number of the store as the kernel has it.
pub(super) fn number(byte: u8) -> Number {
    Number(byte.into())
}

impl Judged for State {
    fn server(&self) -> &Server {
        &self.server
    }

    fn stored(&self) -> Option<Generation> {
        self.store.held()
    }

    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn refreshes(&self) -> impl Iterator<Item = Generation> {
        let flights = |window: &Window| [window.flight.map(|flight| flight.token), window.beside];
        self.windows.iter().flat_map(flights).flatten()
    }

    fn is_sent_again(&self) -> bool {
        self.requests.iter().any(|at| matches!(at, At::Sent { refused: Some(_), .. }))
    }

    fn waiting(&self) -> impl Iterator<Item = RequestIndex> {
        self.open().filter(|(_, at)| matches!(at, At::Waiting { .. })).map(|(request, _)| request)
    }
}
