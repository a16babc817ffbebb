//! The whole system: the session, its orders, the SDK, the callers, and what may still happen.

use downbeat_kernel::{IteratorId, PromptId, Session, SessionState};

use super::super::ledger::{Ledger, REQUESTS, RequestIndex, request_name};
use super::super::properties::Judged;
use super::super::sdk::{ITERATORS, IteratorIndex, Sdk, SdkIterator};
use super::Left;

/// The iterator that a crash took and that the session counts on, until its end is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lost {
    /// There is none.
    Nothing,
    /// One without a prompt.
    Idle(IteratorIndex),
    /// One that was to answer a request.
    With(IteratorIndex, RequestIndex),
    /// One that was told to stop: its end may never be reported.
    Stopping(IteratorIndex),
}

/// How far the close of the session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Close {
    Unasked,
    Asked,
    /// The session has said that it is closed.
    Done,
}

/// One state of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) session: Session,
    pub(super) sdk: Sdk,
    pub(super) ledger: Ledger,
    /// For each iterator the requests that it was given, one bit each.
    pub(super) given: [u8; ITERATORS],
    pub(super) lost: Lost,
    /// Timers that are armed, one bit for each iterator.
    pub(super) armed: u8,
    pub(super) close: Close,
    pub(super) left: Left,
    /// An event that was not applied has changed something all the same (S25).
    pub(super) changed_unapplied: bool,
    /// An order was given twice or to nobody, or a request was settled twice.
    pub(super) disorder: bool,
    /// An iterator was ordered while one ran.
    pub(super) beside: bool,
}

impl State {
    /// A session that nobody has used.
    pub(super) fn new(left: Left) -> Self {
        Self {
            session: Session::default(),
            sdk: Sdk::EMPTY,
            ledger: Ledger::EMPTY,
            given: [0; ITERATORS],
            lost: Lost::Nothing,
            armed: 0,
            close: Close::Unasked,
            left,
            changed_unapplied: false,
            disorder: false,
            beside: false,
        }
    }

    /// How many requests were made: the next one.
    pub(super) fn made(&self) -> RequestIndex {
        self.ledger.made().fold(0, |made, _| made + 1)
    }

    /// The iterator that the session started last.
    pub(super) fn newest(&self) -> Option<IteratorIndex> {
        slot(self.session.iterator)
    }

    /// Whether a crash took this iterator, and the session does not know yet.
    pub(super) fn is_lost(&self, iterator: IteratorIndex) -> bool {
        match self.lost {
            Lost::Nothing => false,
            Lost::Idle(lost) | Lost::With(lost, _) | Lost::Stopping(lost) => lost == iterator,
        }
    }

    pub(super) fn is_armed(&self, iterator: IteratorIndex) -> bool {
        self.armed & 1 << iterator != 0
    }

    /// Whether an iterator was given a request.
    pub(super) fn was_given(&self, iterator: IteratorIndex, request: RequestIndex) -> bool {
        self.given[usize::from(iterator)] & 1 << request != 0
    }

    /// The request that was put to an iterator which was not told to stop.
    pub(super) fn put_to_iterator(&self) -> Option<RequestIndex> {
        match self.lost {
            Lost::With(_, request) => Some(request),
            Lost::Nothing | Lost::Idle(_) | Lost::Stopping(_) => {
                self.sdk.live().find_map(|iterator| self.sdk.works_on(iterator))
            }
        }
    }

    /// Whether any iterator runs, told to stop or not.
    pub(super) fn is_running(&self) -> bool {
        self.sdk.iterators().any(|(_, iterator)| iterator.runs())
    }

    /// Where the session stands, in one line.
    pub(super) fn standing(&self) -> String {
        let open: Vec<String> = self.ledger.open().map(|request| request_name(request).to_string()).collect();
        let iterator = match self.session.state {
            SessionState::Dormant | SessionState::Closed => String::new(),
            SessionState::Starting
            | SessionState::Listening
            | SessionState::Answering
            | SessionState::Stopping
            | SessionState::Closing => format!(" (iterator {})", self.session.iterator.0),
        };
        format!("{:?}{iterator}; open: [{}]", self.session.state, open.join(", "))
    }
}

/// The place of an iterator in the SDK, if it has one there.
pub(super) fn slot(iterator: IteratorId) -> Option<IteratorIndex> {
    let index = u8::try_from(iterator.0.checked_sub(1)?).ok()?;
    (usize::from(index) < ITERATORS).then_some(index)
}

/// The request that a prompt is, if there can be one.
pub(super) fn request_of(prompt: PromptId) -> Option<RequestIndex> {
    let index = u8::try_from(prompt.0.checked_sub(1)?).ok()?;
    (usize::from(index) < REQUESTS).then_some(index)
}

impl Judged for State {
    fn sdk(&self) -> &Sdk {
        &self.sdk
    }

    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn unsettled(&self) -> String {
        let Some(request) = self.ledger.open().next() else {
            return "nobody waits, and the session does not say that it is closed".to_owned();
        };
        let name = request_name(request);
        let waits = format!("{name} waits, and the session is {:?}", self.session.state);
        let Some(iterator) = self.newest() else { return waits };
        let stands = match self.sdk.iterator(iterator) {
            SdkIterator::Absent | SdkIterator::Ended => "is over",
            SdkIterator::Starting { .. } => "does not come up",
            SdkIterator::Live { .. } => "has nothing to do",
            SdkIterator::Aborted { .. } => "was told to stop",
        };
        format!("{waits}; iterator {} {stands}", iterator + 1)
    }
}
