//! The whole system: the windows with their handlers and processes, the store, the server, and what may still happen.

use downbeat_sim::event_loop::{EventLoop, Pid};
use downbeat_sim::kinds::Kinds;

use super::ledger::{Ledger, REQUESTS, RequestIndex};
use super::properties::Judged;
use super::server::{Answer, Generation, Server};

/// The most windows: processes of the operating system that share the store.
pub const WINDOWS: usize = 2;

/// The most handlers in a window: objects with a credential of their own in memory.
pub const HANDLERS: usize = 2;

/// The most calls of async functions at once in a window: each request, and a refresh that each may have begun.
pub const PROCESSES: usize = 2 * REQUESTS;

/// A refresh that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// On its way to the server.
    Sent,
    /// The server has done what it does; its answer is on the way back.
    Served(Answer),
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestAt {
    /// Reads the store.
    Loading,
    /// Awaits a refresh that is a process of its own, or one that has settled since.
    Waiting {
        /// Which one; its number is that of its signal.
        refresh: Pid,
        /// With which refresh token.
        token: Generation,
        /// Whether this request began it.
        is_owner: bool,
        /// What came of it.
        settled: Option<Answer>,
    },
    /// Has a refresh of its own on the way, with this refresh token.
    Refreshing(Generation, Call),
    /// Writes a credential to the store.
    Writing(Generation, WriteAt),
    /// Deletes the credential from the store, because the server did not take this refresh token.
    Clearing(Generation),
    /// Is with the API, under this access token.
    Sent(Generation),
}

/// How far a write has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriteAt {
    /// The store has what it had.
    Begun,
    /// The file is there without its content, or not there.
    Blanked,
}

/// A request with what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// Which one.
    pub index: RequestIndex,
    /// Whose credential it uses.
    pub handler: u8,
    /// The access token with which the API refused it.
    pub refused: Option<Generation>,
}

/// Where a refresh stands that is a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefreshAt {
    /// With the server.
    Calling(Call),
    /// Writes the new credential.
    Writing(Generation, WriteAt),
    /// Deletes the credential, because the server did not take the refresh token.
    Clearing,
}

/// A call of an async function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Process {
    /// A request, from its beginning to its end.
    Request(Request, RequestAt),
    /// A refresh whose promise several requests may await.
    Refresh {
        /// Whose promise.
        handler: u8,
        /// The refresh token.
        token: Generation,
        /// Where it stands.
        at: RefreshAt,
    },
}

/// The variable with the promise of the refresh in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Promise {
    /// None.
    None,
    /// Of a refresh that is going on.
    Pending(Pid, Generation),
    /// Of one that is over, and nobody has cleared the variable yet.
    Settled(Answer, Generation),
}

/// What remembers a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handler {
    /// The credential in memory.
    pub memory: Option<Generation>,
    /// The refresh in flight, for clients that keep it.
    pub promise: Promise,
}

/// A process of the operating system with its event loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Calls of async functions.
    pub processes: EventLoop<Process, PROCESSES>,
    /// What remembers credentials.
    pub handlers: [Handler; HANDLERS],
}

impl Window {
    /// A process that has just started.
    pub const NEW: Self = Self {
        processes: EventLoop::new(),
        handlers: [Handler { memory: None, promise: Promise::None }; HANDLERS],
    };
}

/// The file, or the secret storage, that all windows share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Store {
    /// A credential.
    Holds(Generation),
    /// A file without its content, or its name without a file.
    Blank,
    /// The credential was deleted.
    Deleted,
}

impl Store {
    /// The credential that is there.
    pub fn held(self) -> Option<Generation> {
        match self {
            Self::Holds(generation) => Some(generation),
            Self::Blank | Self::Deleted => None,
        }
    }
}

/// How often each thing may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// Times that the access tokens come to their end.
    pub lapses: u8,
    /// All of the next four together.
    pub troubles: u8,
    /// Access tokens that the API takes no more, before their time.
    pub refusals: u8,
    /// Windows that crash, and start again.
    pub crashes: u8,
    /// Answers to a refresh that get lost.
    pub losses: u8,
    /// Writes to the store that fail.
    pub failures: u8,
}

impl Left {
    /// Nothing may happen any more.
    pub const NONE: Self = Self { lapses: 0, troubles: 0, refusals: 0, crashes: 0, losses: 0, failures: 0 };
}

/// The whole system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The windows.
    pub windows: [Window; WINDOWS],
    /// The store.
    pub store: Store,
    /// The server.
    pub server: Server,
    /// What became of the requests.
    pub ledger: Ledger,
    /// What may still happen.
    pub left: Left,
}

impl State {
    /// Every call of an async function that is under way: window, number, where it stands.
    pub fn processes(&self) -> impl Iterator<Item = (u8, Pid, Process)> {
        (0..).zip(&self.windows).flat_map(|(window, state)| {
            state.processes.suspended().map(move |(pid, process, _)| (window, pid, *process))
        })
    }
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
        self.processes().filter_map(|(_, _, process)| match process {
            Process::Request(_, RequestAt::Refreshing(token, _)) => Some(token),
            Process::Refresh { token, at: RefreshAt::Calling(_), .. } => Some(token),
            Process::Request(..) | Process::Refresh { .. } => None,
        })
    }

    fn is_sent_again(&self) -> bool {
        self.processes().any(|(_, _, process)| match process {
            Process::Request(request, RequestAt::Sent(_)) => request.refused.is_some(),
            Process::Request(..) | Process::Refresh { .. } => false,
        })
    }

    fn waiting(&self) -> impl Iterator<Item = RequestIndex> {
        self.processes().filter_map(|(_, _, process)| match process {
            Process::Request(request, RequestAt::Waiting { .. } | RequestAt::Refreshing(..)) => {
                Some(request.index)
            }
            Process::Request(..) | Process::Refresh { .. } => None,
        })
    }
}

/// One step of an event loop, of the server, of the clock, or of bad luck. What has a window and a number is about that
/// call of an async function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Action {
    /// Somebody makes a request in a window, at a handler.
    Ask(u8, u8),
    /// The head of a window's microtask queue runs.
    Run(u8),
    /// What a call awaits comes: the server, the API or the store goes on.
    Fire(u8, Pid),
    /// The server takes a refresh token that was used already: it is within its grace period.
    Forgive(u8, Pid),
    /// The answer to a refresh gets lost.
    Lose(u8, Pid),
    /// A write to the store fails.
    FailWrite(u8, Pid),
    /// By their clocks, clients find every access token due for a refresh.
    Lapse,
    /// Those access tokens expire.
    Expire,
    /// The API takes the newest access token no more.
    Refuse,
    /// A window crashes, and starts again.
    Crash(u8),
}
