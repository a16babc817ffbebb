//! The whole system: the session's fields and processes, the SDK, the callers, and what may still happen.

use downbeat_sim::event_loop::{EventLoop, Pid};
use downbeat_sim::kinds::Kinds;

use super::ledger::{Ledger, REQUESTS, RequestIndex};
use super::line::Line;
use super::sdk::{IteratorIndex, Sdk};

/// The most processes at once: an `invoke`, a prompt iterable and a message loop for each request.
pub const PROCESSES: usize = 3 * REQUESTS;

/// One step of the event loop, of the SDK, or of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kinds)]
pub enum Action {
    /// The head of the microtask queue runs.
    Run,
    /// The head runs, a caller whose `invoke` has settled, and makes the next request at once.
    RunAndInvoke,
    /// A caller makes the next request.
    Invoke,
    /// The `query()` of a start returns.
    QueryReturns(IteratorIndex),
    /// The `query()` of a start fails.
    QueryFails(IteratorIndex),
    /// A live iterator gives its next result.
    Answer(IteratorIndex),
    /// An aborted iterator gives a result that was under way.
    AnswerLate(IteratorIndex),
    /// An iterator throws.
    Throw(IteratorIndex),
    /// An iterator ends normally: its agent exited with code 0.
    End(IteratorIndex),
    /// A caller cancels the token of its request.
    Cancel(RequestIndex),
    /// A token that was cancelled before its listener was there calls it: a timer of zero milliseconds.
    Listener(RequestIndex),
    /// The one in charge calls `abort()`.
    Abort,
}

/// Where an `invoke` stands, with the start that it awaits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvokeAt {
    /// Start awaits `query()`.
    Querying,
    /// `query()` has returned; start goes on.
    Started,
    /// Start has returned; `invoke` goes on.
    Entering,
    /// Awaits the completion of its request.
    Completing,
    /// Its promise has settled as that of the request did; its caller goes on.
    Returning,
}

/// Where a prompt iterable stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IterableAt {
    /// Awaits the pending prompt that it has set, whether that is still in its slot or was overwritten.
    Waiting,
    /// The pending prompt was rejected.
    Refused,
    /// It has its next request: the queue's head, or the one that it was handed.
    Taking(RequestIndex),
    /// Has yielded a request; the SDK goes on.
    Yielding(RequestIndex),
    /// Awaits the completion of the request that it yielded.
    Completing(RequestIndex),
}

/// Where a message loop stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoopAt {
    /// Awaits the next message.
    Listening,
    /// Has thrown out of its `for await`, which awaits that the iterator returns.
    Leaving,
}

/// Program counter and locals of one async function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Process {
    /// `invoke`.
    Invoke {
        /// Its request; also the name of the iterator that it starts, if it does.
        request: RequestIndex,
        /// The `await`.
        at: InvokeAt,
    },
    /// What the SDK takes prompts from.
    Iterable {
        /// Whose.
        iterator: IteratorIndex,
        /// The `await`.
        at: IterableAt,
    },
    /// What reads an iterator's messages.
    Loop {
        /// Whose.
        iterator: IteratorIndex,
        /// The `await`.
        at: LoopAt,
    },
}

/// The variables that all calls of one session share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shared {
    /// `gen`: the iterator that the session believes to be its own.
    pub generator: Option<IteratorIndex>,
    /// `Q`: requests in order; the head stays until its result.
    pub queue: Line,
    /// `cur`: the request that is being answered.
    pub current: Option<RequestIndex>,
    /// `pendingPrompt`: the iterable whose wait can be ended.
    pub pending_prompt: Option<IteratorIndex>,
}

/// How often each thing out of the ordinary may still happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    /// Cancelled tokens.
    pub cancels: u8,
    /// Calls of `abort()`.
    pub aborts: u8,
    /// Starts that fail.
    pub failures: u8,
    /// Iterators that end without an abort.
    pub exits: u8,
    /// Results of aborted iterators.
    pub late: u8,
}

/// One state of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The session's variables.
    pub shared: Shared,
    /// The session's calls, and who goes on when.
    pub processes: EventLoop<Process, PROCESSES>,
    /// Requests whose cancelled token has yet to call its listener, one bit each.
    pub listeners_due: u8,
    /// The SDK.
    pub sdk: Sdk,
    /// What callers know.
    pub ledger: Ledger,
    /// What may still happen.
    pub left: Left,
}

impl State {
    /// A session that nobody has used.
    pub fn new(left: Left) -> Self {
        Self {
            shared: Shared { generator: None, queue: Line::default(), current: None, pending_prompt: None },
            processes: EventLoop::new(),
            listeners_due: 0,
            sdk: Sdk::EMPTY,
            ledger: Ledger::EMPTY,
            left,
        }
    }

    /// The `invoke` of a request, and where it stands; `None` once it has returned.
    pub fn invoke_of(&self, request: RequestIndex) -> Option<(Pid, InvokeAt)> {
        self.processes.suspended().find_map(|(pid, process, _)| match *process {
            Process::Invoke { request: own, at } => (own == request).then_some((pid, at)),
            Process::Iterable { .. } | Process::Loop { .. } => None,
        })
    }

    /// The loop that listens to an iterator.
    pub fn loop_of(&self, iterator: IteratorIndex) -> Option<Pid> {
        let listening = Process::Loop { iterator, at: LoopAt::Listening };
        self.processes.suspended().find(|(_, process, _)| **process == listening).map(|(pid, ..)| pid)
    }

    /// How many `invoke`s have not returned to their callers.
    pub fn invokes(&self) -> usize {
        let invokes = |process: &Process| matches!(process, Process::Invoke { .. });
        self.processes.suspended().filter(|(_, process, _)| invokes(process)).count()
    }

    /// Whether the listener of a token is due.
    pub fn is_listener_due(&self, request: RequestIndex) -> bool {
        self.listeners_due & 1 << request != 0
    }
}
