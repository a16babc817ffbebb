//! What became of the requests, and which promises the last step broke.
//!
//! Nothing in here is of one client: whatever keeps credentials is judged by this ledger.

use super::server::Generation;

/// The most requests.
pub const REQUESTS: usize = 3;

/// A request, by the order in which they were made.
pub type RequestIndex = u8;

/// How people call a request.
pub fn request_name(request: RequestIndex) -> char {
    char::from(b'A' + request)
}

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer of the API.
    Answered,
    /// A person is told to log in.
    Login,
    /// With another error: the API refused it twice, a refresh or a write failed, the window crashed.
    Failed,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Nobody has made it yet.
    Unmade,
    /// Somebody waits for it.
    Open,
    /// It is over.
    Over,
}

/// What an older outcome did to a newer credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Regress {
    /// Whether it was in the store, and not in memory.
    pub is_stored: bool,
    /// The newer one, which was there.
    pub lost: Generation,
    /// What is there instead; `None` if the newer one was cleared.
    pub instead: Option<Generation>,
}

/// All requests, and what the last step did that must not be done.
///
/// A breach is forgotten at the next step: what follows it is no other system, and its states need not be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ledger {
    requests: [Stage; REQUESTS],
    /// A refresh token that was used again (S15).
    pub reused: Option<Generation>,
    /// A newer credential that an older outcome took away (S16).
    pub regress: Option<Regress>,
    /// A request that was sent again with the token that was refused (S17).
    pub repeated: Option<(RequestIndex, Generation)>,
    /// A request whose person was told to log in, and the server had revoked nothing.
    pub needless_login: Option<RequestIndex>,
}

impl Ledger {
    /// Nobody has asked for anything.
    pub const EMPTY: Self = Self::at([Stage::Unmade; REQUESTS]);

    const fn at(requests: [Stage; REQUESTS]) -> Self {
        Self { requests, reused: None, regress: None, repeated: None, needless_login: None }
    }

    /// The ledger at the beginning of the next step.
    #[must_use]
    pub fn without_breaches(&self) -> Self {
        Self::at(self.requests)
    }

    /// Where each request stands, in order.
    pub fn requests(&self) -> impl Iterator<Item = (RequestIndex, Stage)> {
        (0..).zip(self.requests)
    }

    /// How many were made.
    pub fn made(&self) -> usize {
        self.requests.iter().filter(|stage| **stage != Stage::Unmade).count()
    }

    /// Those that somebody waits for, in order.
    pub fn open(&self) -> impl Iterator<Item = RequestIndex> {
        self.requests().filter(|(_, stage)| *stage == Stage::Open).map(|(request, _)| request)
    }

    /// Whether a request is over.
    pub fn has_ended(&self) -> bool {
        self.requests.contains(&Stage::Over)
    }

    /// Somebody makes the next request.
    ///
    /// # Panics
    /// There were [`REQUESTS`] already: a mistake of the model.
    pub fn make(&mut self) -> RequestIndex {
        let next = (0..).zip(&mut self.requests).find(|(_, stage)| **stage == Stage::Unmade);
        let Some((request, stage)) = next else { panic!("no more than {REQUESTS} requests are made") };
        *stage = Stage::Open;
        request
    }

    /// A request is over. `is_revoked` is whether the server has revoked the family by then.
    pub fn end(&mut self, request: RequestIndex, outcome: Outcome, is_revoked: bool) {
        self.requests[usize::from(request)] = Stage::Over;
        if outcome == Outcome::Login && !is_revoked {
            self.needless_login = Some(request);
        }
    }

    /// A refresh token came to the server that was used already.
    pub fn reuse(&mut self, token: Generation) {
        self.reused = Some(token);
    }

    /// A request goes out that was refused before with `refused`.
    pub fn send_again(&mut self, request: RequestIndex, refused: Generation, token: Generation) {
        if refused == token {
            self.repeated = Some((request, token));
        }
    }

    /// The store is emptied, on the way to another credential. If that one is older, the newer one is gone by now.
    pub fn blank(&mut self, held: Option<Generation>, instead: Generation) {
        self.replace(true, held, Some(instead), instead);
    }

    /// What a place holds is replaced by what came of the refresh with (or the read of) `outcome_of`, or cleared by it.
    pub fn replace(
        &mut self,
        is_stored: bool,
        held: Option<Generation>,
        instead: Option<Generation>,
        outcome_of: Generation,
    ) {
        if let Some(lost) = held.filter(|&held| held > outcome_of) {
            self.regress = Some(Regress { is_stored, lost, instead });
        }
    }
}
