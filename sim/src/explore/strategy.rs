//! How the choices of an execution are made.

pub(super) mod bytes;
pub(super) mod pct;
pub(super) mod random;
pub(super) mod replay;

use super::names::Actor;
use super::trace::Trace;

/// Makes the choices of one execution after the other.
pub(super) trait Strategy {
    /// Prepares the next execution; `None` if there is none. The trace is that of the last one, and the next one repeats so many steps
    /// of it.
    fn next(&mut self, trace: &Trace) -> Option<usize>;

    /// Who goes on, by place: tasks that are ready, the one first that has been longest, then the timers that may fire, then the
    /// tasks that come last. `None` if there is nobody, or all that could follow was seen.
    fn go_on(&mut self, alternatives: &[Actor], trace: &Trace) -> Option<usize>;

    /// One of several possibilities, of which there are more than one.
    fn choose(&mut self, of: usize, label: &'static str) -> usize;

    /// What this execution draws numbers from; the same for all, unless the strategy itself is random.
    fn seed(&self, seed: u64) -> u64 {
        seed
    }

    /// The first place where an execution did not offer what it was expected to.
    fn misfit(&self) -> Option<usize> {
        None
    }
}
