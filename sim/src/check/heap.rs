//! What states own on the heap. Nobody tells how much that is, so it is measured: by how much more the process has
//! grown than what the search knows to hold.

use super::limits::resident_bytes;

/// What a process may take beside the states: rooms that threads work in, and what the allocator keeps for later.
const OTHER: u64 = 16 << 20;

/// A state that owns something may own so much, whatever was measured: memory that was used before is not seen to grow.
const LEAST: u64 = 1 << 10;

/// The measure of one search.
#[derive(Clone, Debug)]
pub(super) struct Heap {
    /// The resident memory of the process at the beginning, where the system tells it and states own something.
    before: Option<u64>,
    /// The most bytes that the search knew to hold, and the most states in memory: memory that is freed is not given
    /// back to the system, so all is compared at its peak.
    held: u64,
    states: u64,
    /// Bytes that a state is taken to own, and the most that it can own by what was seen.
    each: u64,
    each_most: u64,
}

impl Heap {
    /// A measure that begins now. `owns` is whether a state can own anything.
    pub(super) fn new(owns: bool) -> Self {
        Self { before: resident_bytes().filter(|_| owns), held: 0, states: 0, each: 0, each_most: 0 }
    }

    /// Looks at the process when the search holds so many bytes, among them so many states without what they own.
    pub(super) fn measure(&mut self, held: u64, states: u64) {
        if let Some(before) = self.before
            && let Some(now) = resident_bytes()
        {
            self.learn(held, states, now.saturating_sub(before));
        }
    }

    fn learn(&mut self, held: u64, states: u64, grown: u64) {
        self.held = self.held.max(held);
        self.states = self.states.max(states);
        let owned_most = grown.saturating_sub(self.held);
        self.each = owned_most.saturating_sub(OTHER) / self.states.max(1);
        self.each_most = owned_most / self.states.max(1);
    }

    /// How many states own no more than so many bytes, as far as it can be told; `None` if they own nothing.
    pub(super) fn states_in(&self, bytes: u64) -> Option<u64> {
        self.before.map(|_| bytes / self.each_most.max(LEAST))
    }

    /// Bytes that so many states own, as far as it was seen.
    pub(super) fn of(&self, states: u64) -> u64 {
        self.each * states
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heap_is_what_the_process_has_grown_beyond_what_is_known() {
        const MIB: u64 = 1 << 20;
        let mut heap = Heap::new(true);
        #[rustfmt::skip]
        let cases = [
            ("nothing seen",                           3,  1_024, 3,   0,   Some(1_024)),
            ("perhaps there is something",             3,  1_024, 18,  0,   Some(68)),
            ("a kibibyte each",                        4,  2_048, 22,  MIB, Some(113)),
            ("written to disk: freed, not given back", 1,  100,   22,  MIB, Some(113)),
            ("more of them",                           5,  4_096, 25,  MIB, Some(204)),
        ];
        for (name, held, states, grown, of_1024, in_a_mib) in cases {
            heap.learn(held * MIB, states, grown * MIB);
            assert_eq!((heap.of(1_024), heap.states_in(MIB)), (of_1024, in_a_mib), "{name}");
        }
        assert_eq!(Heap::new(false).states_in(MIB), None);
    }
}
