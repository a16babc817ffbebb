//! Limits of a search: on states, depth, time and memory.

use std::fmt;
use std::time::{Duration, Instant};

/// What may end a search early. The default has no limit.
///
/// A search that a limit ended reports every property that it did not decide as incomplete, never as holding.
/// States and depth give the same report every time; time and memory depend on the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The search ends when it has found more than these: by how many more depends on how many states one state leads
    /// to, and on nothing else. Liveness is decided up to 2^31
    /// states, whatever the limit.
    pub states: Option<usize>,
    /// Behaviours of more than so many steps are not explored. A search that comes to the last state before
    /// it comes to this depth, or at it, is complete.
    pub depth: Option<usize>,
    /// Wall-clock time, looked at about every tenth of a second, and never within a state.
    pub time: Option<Duration>,
    /// Bytes of memory, looked at as often as time: the resident set of the whole
    /// process where the system tells it (Linux), otherwise an estimate from the sizes of the state, the
    /// tables and the graph that leaves out what a state owns on the heap. A search that may go on on disk is
    /// judged by the estimate.
    pub memory: Option<u64>,
}

/// The limit that ended a search, with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// There are more distinct states than these.
    States(usize),
    /// There are states farther away than so many steps.
    Depth(usize),
    /// The time was over.
    Time(Duration),
    /// More than so many bytes were in use.
    Memory(u64),
    /// The search was asked to end.
    Interrupt,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::States(1) => write!(f, "limit of 1 state"),
            Limit::States(states) => write!(f, "limit of {states} states"),
            Limit::Depth(1) => write!(f, "limit of 1 step of depth"),
            Limit::Depth(depth) => write!(f, "limit of {depth} steps of depth"),
            Limit::Time(time) => write!(f, "limit of {} seconds", time.as_secs_f64()),
            Limit::Interrupt => write!(f, "interrupt"),
            Limit::Memory(bytes) => write!(f, "limit of {} MiB of memory", bytes / (1024 * 1024)),
        }
    }
}

impl Limits {
    /// The first limit that is exceeded, other than depth, which the search itself sees.
    pub(super) fn exceeded(&self, states: usize, begin: Instant, memory: impl Fn() -> u64) -> Option<Limit> {
        let most = self.max_states();
        if states > most {
            return Some(Limit::States(most));
        }
        if let Some(time) = self.time
            && begin.elapsed() >= time
        {
            return Some(Limit::Time(time));
        }
        self.memory.filter(|most| memory() > *most).map(Limit::Memory)
    }

    /// The limit on states; all that there can be if there is none.
    pub(super) fn max_states(&self) -> usize {
        self.states.unwrap_or(usize::MAX)
    }
}

/// The resident set of this process, where the system tells it.
pub(super) fn resident_bytes() -> Option<u64> {
    // A page is 4 KiB wherever this is likely to run; a kernel with larger pages makes the limit come late,
    // by a known factor, and asking for the size of a page would need a call into C.
    const PAGE_BYTES: u64 = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}
