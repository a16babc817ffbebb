//! What the callers of a session and the one in charge of it know: who asked, what came of it, who was stopped.
//!
//! Nothing in here is of one version of the session: whatever answers requests is judged by this ledger.

use std::fmt;

/// The most requests.
pub const REQUESTS: usize = 5;

/// A request, by the order in which they were made.
pub type RequestIndex = u8;

/// How people call a request.
pub fn request_name(request: RequestIndex) -> char {
    char::from(b'A' + request)
}

/// How an `invoke` settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// With its own result.
    Answered,
    /// With the result of another request.
    Crossed,
    /// By a rejection.
    Rejected,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Nobody has made it yet.
    Unborn,
    /// Made, and not yet before an agent.
    Asked,
    /// An agent works on it.
    AtWork,
    /// Its `invoke` has settled.
    Settled(Outcome),
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// How far it has come.
    pub stage: Stage,
    /// Whether its caller cancelled its token.
    pub cancelled: bool,
    /// Whether an abort was meant for it.
    pub aborted: bool,
}

/// Why a request is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A cancel or an abort, whomever it was meant for.
    Interrupt,
    /// What nobody wanted: a start failed, an agent died by itself.
    Failure,
}

/// What an interrupt did that it was not meant to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stray {
    /// It rejected a request that it was not meant for.
    Hit(RequestIndex),
    /// The request that it was meant for was answered.
    Missed(RequestIndex),
}

/// All requests, and the first breach of each promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ledger {
    requests: [Request; REQUESTS],
    /// The first result that completed another request: made for, taken for (S11).
    pub crossed: Option<(RequestIndex, RequestIndex)>,
    /// The first interrupt that went astray (S12).
    pub stray: Option<Stray>,
    /// The first request that an agent began to work on after it was stopped (S13).
    pub restarted: Option<RequestIndex>,
}

impl Ledger {
    /// Nobody has asked for anything.
    pub const EMPTY: Self = Self {
        requests: [Request { stage: Stage::Unborn, cancelled: false, aborted: false }; REQUESTS],
        crossed: None,
        stray: None,
        restarted: None,
    };

    /// A request.
    pub fn request(&self, request: RequestIndex) -> &Request {
        &self.requests[usize::from(request)]
    }

    fn request_mut(&mut self, request: RequestIndex) -> &mut Request {
        &mut self.requests[usize::from(request)]
    }

    /// Those that were made, in order.
    pub fn made(&self) -> impl Iterator<Item = (RequestIndex, &Request)> {
        (0..).zip(&self.requests).filter(|(_, request)| request.stage != Stage::Unborn)
    }

    /// Those whose `invoke` has not settled, in order.
    pub fn open(&self) -> impl Iterator<Item = RequestIndex> {
        self.made().filter(|(_, request)| request.is_open()).map(|(index, _)| index)
    }

    /// A caller makes the next request.
    ///
    /// # Panics
    /// There were [`REQUESTS`] already: a mistake of the model.
    pub fn make(&mut self) -> RequestIndex {
        let next = (0..).zip(&mut self.requests).find(|(_, request)| request.stage == Stage::Unborn);
        match next {
            Some((index, request)) => {
                request.stage = Stage::Asked;
                index
            }
            None => panic!("no more than {REQUESTS} requests are made"),
        }
    }

    /// The caller cancels the token of a request.
    pub fn cancel(&mut self, request: RequestIndex) {
        self.request_mut(request).cancelled = true;
    }

    /// Who an abort is meant for, if it came now: the request that an agent works on, else the oldest that is open.
    pub fn in_progress(&self) -> Option<RequestIndex> {
        let at_work = |&request: &RequestIndex| self.request(request).stage == Stage::AtWork;
        self.open().find(at_work).or_else(|| self.open().next())
    }

    /// The one in charge aborts what is in progress.
    pub fn abort(&mut self) {
        if let Some(request) = self.in_progress() {
            self.stop(request);
        }
    }

    /// The one in charge stops every request that is open.
    pub fn stop_all(&mut self) {
        self.requests
            .iter_mut()
            .filter(|request| request.is_open())
            .for_each(|request| request.aborted = true);
    }

    /// The one in charge stops a request that he names.
    pub fn stop(&mut self, request: RequestIndex) {
        self.request_mut(request).aborted = true;
    }

    /// An agent that was not told to stop takes a request.
    pub fn put_to_work(&mut self, request: RequestIndex) {
        let Request { stage, cancelled, aborted } = self.request_mut(request);
        if *stage == Stage::Asked {
            *stage = Stage::AtWork;
        }
        if *cancelled || *aborted {
            self.restarted = self.restarted.or(Some(request));
        }
    }

    /// An `invoke` is completed with the result that was made for `made_for`.
    pub fn complete(&mut self, request: RequestIndex, made_for: RequestIndex) {
        if made_for != request {
            self.crossed = self.crossed.or(Some((made_for, request)));
        }
        if self.request(request).aborted {
            self.stray = self.stray.or(Some(Stray::Missed(request)));
        }
        let outcome = if made_for == request { Outcome::Answered } else { Outcome::Crossed };
        self.request_mut(request).stage = Stage::Settled(outcome);
    }

    /// An `invoke` is rejected.
    pub fn reject(&mut self, request: RequestIndex, cause: Cause) {
        let Request { stage, cancelled, aborted } = self.request_mut(request);
        *stage = Stage::Settled(Outcome::Rejected);
        if cause == Cause::Interrupt && !*cancelled && !*aborted {
            self.stray = self.stray.or(Some(Stray::Hit(request)));
        }
    }
}

impl Request {
    /// Whether somebody waits for it.
    pub fn is_open(&self) -> bool {
        match self.stage {
            Stage::Asked | Stage::AtWork => true,
            Stage::Unborn | Stage::Settled(_) => false,
        }
    }

    /// How its `invoke` settled.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.stage {
            Stage::Settled(outcome) => Some(outcome),
            Stage::Unborn | Stage::Asked | Stage::AtWork => None,
        }
    }
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Stray::Hit(request) => {
                write!(f, "request {} was rejected, and nobody had cancelled it", request_name(request))
            }
            Stray::Missed(request) => {
                write!(
                    f,
                    "request {} was answered, after the abort that was meant for it",
                    request_name(request)
                )
            }
        }
    }
}
