//! How many calls of the function that asks the model are under way for a task: the recursive-call machine of the code-flow analysis.
//!
//! ```text
//! Idle ◀──▶ Running ◀──▶ Concurrent ◀──▶ TripleConcurrent
//!             ▲ │
//!             │ ▼
//!            Locked
//! ```
//! A call is one between `call-entered` and `call-left`; of a task without these, a request in flight is one.

use super::Moment;

/// Where a task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recursion {
    /// No call is under way.
    #[default]
    Idle,
    /// One is.
    Running,
    /// One is, and a lock keeps others out.
    Locked,
    /// Two are.
    Concurrent,
    /// Three are, or more.
    TripleConcurrent,
}

impl Recursion {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Idle, Self::Running, Self::Locked, Self::Concurrent, Self::TripleConcurrent];

    /// Its name in the code-flow analysis.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "IDLE",
            Self::Running => "RUNNING",
            Self::Locked => "LOCKED",
            Self::Concurrent => "CONCURRENT",
            Self::TripleConcurrent => "TRIPLE_CONCURRENT",
        }
    }
}

/// Why two calls were nearly under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Approach {
    /// A second call came, and waited for the lock.
    WaitedForLock,
    /// A call began while a subtask of the task was live: its end would begin another one.
    BeganBesideSubtask,
    /// The result of a subtask was delivered while a call was under way.
    ResultWhileRunning,
}

impl Approach {
    /// What happened.
    pub const fn words(self) -> &'static str {
        match self {
            Self::WaitedForLock => "a second call waited for the lock",
            Self::BeganBesideSubtask => "a call began while a subtask was live",
            Self::ResultWhileRunning => "the result of a subtask came while a call was under way",
        }
    }
}

/// Changes that are kept of a task: the first ones.
const CHANGES_MAX: usize = 32;

/// What became of the calls of a task over time.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    under_way: u32,
    is_locked: bool,
    /// Whether the trace has calls of this task, so that its requests are not counted as such.
    has_own: bool,
    state: Recursion,
    since: Option<Moment>,
    ms: [f64; Recursion::ALL.len()],
    changes: Vec<(Moment, Recursion)>,
    change_count: u64,
    peak: Recursion,
    /// When two were first under way.
    first: Option<Moment>,
    approached: Option<(Moment, Approach)>,
    approach_count: u64,
}

impl Calls {
    /// Where the task stands.
    pub fn state(&self) -> Recursion {
        self.state
    }

    /// The most that it came to.
    pub fn peak(&self) -> Recursion {
        self.peak
    }

    /// When two calls were first under way at once.
    pub fn first(&self) -> Option<Moment> {
        self.first
    }

    /// When two calls were first nearly under way at once, why, and how often that was so.
    pub fn approached(&self) -> Option<(Moment, Approach, u64)> {
        self.approached.map(|(at, why)| (at, why, self.approach_count))
    }

    /// The first changes, and how many there were.
    pub fn changes(&self) -> (&[(Moment, Recursion)], u64) {
        (&self.changes, self.change_count)
    }

    /// Milliseconds in a state, as far as the trace has times; up to the last change.
    pub fn ms(&self, state: Recursion) -> f64 {
        self.ms[state as usize]
    }

    /// Whether there is anything to say of it.
    pub fn is_notable(&self) -> bool {
        self.peak >= Recursion::Concurrent || self.approached.is_some()
    }

    pub(super) fn entered(&mut self, at: Moment) {
        if !self.has_own {
            self.has_own = true;
            self.under_way = 0;
        }
        self.under_way = self.under_way.saturating_add(1);
        self.changed(at);
    }

    pub(super) fn left(&mut self, at: Moment) {
        if !self.has_own {
            self.has_own = true;
            self.under_way = 0;
        }
        self.under_way = self.under_way.saturating_sub(1);
        self.changed(at);
    }

    /// So many requests are in flight.
    pub(super) fn requests(&mut self, at: Moment, in_flight: usize) {
        if !self.has_own {
            self.under_way = u32::try_from(in_flight).unwrap_or(u32::MAX);
            self.changed(at);
        }
    }

    /// A request went out while a subtask was live.
    pub(super) fn sent_beside(&mut self, at: Moment) {
        if !self.has_own {
            self.approach(at, Approach::BeganBesideSubtask);
        }
    }

    pub(super) fn locked(&mut self, at: Moment, is_locked: bool) {
        self.is_locked = is_locked;
        self.changed(at);
    }

    pub(super) fn waited(&mut self, at: Moment) {
        if self.under_way > 0 || self.is_locked {
            self.approach(at, Approach::WaitedForLock);
        }
    }

    pub(super) fn approach(&mut self, at: Moment, why: Approach) {
        self.approach_count += 1;
        self.approached.get_or_insert((at, why));
    }

    pub(super) fn restarted(&mut self, at: Moment) {
        (self.under_way, self.is_locked) = (0, false);
        self.changed(at);
    }

    fn changed(&mut self, at: Moment) {
        let state = match (self.under_way, self.is_locked) {
            (0, _) => Recursion::Idle,
            (1, false) => Recursion::Running,
            (1, true) => Recursion::Locked,
            (2, _) => Recursion::Concurrent,
            (3.., _) => Recursion::TripleConcurrent,
        };
        if state == self.state {
            return;
        }
        if let (Some(before), Some(now)) = (self.since.and_then(|since| since.at_ms), at.at_ms) {
            self.ms[self.state as usize] += (now - before).max(0.0);
        }
        (self.state, self.since) = (state, Some(at));
        self.peak = self.peak.max(state);
        if state >= Recursion::Concurrent {
            self.first.get_or_insert(at);
        }
        self.change_count += 1;
        if self.changes.len() < CHANGES_MAX {
            self.changes.push((at, state));
        }
    }
}
