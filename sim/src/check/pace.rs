//! How many states are treated at a time: many, and yet few enough that a search sees soon that it is to end.
//!
//! What is found must not depend on it, since time decides it.

use std::time::Duration;

/// So long a piece of work is to take. Who interrupts a search waits about so long.
const AIM: Duration = Duration::from_millis(100);
/// States of the first piece. What a state costs is not known then.
const FIRST: usize = 64;
/// A piece has at most so many times the states of the one before, since what a few states cost says little.
const GROWTH: usize = 4;
/// What takes less than this is done sooner by one thread than divided.
const WORTH_DIVIDING: Duration = Duration::from_micros(200);

/// What states have cost so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    piece: usize,
    /// Wall time of one state, in nanoseconds.
    state_ns: u128,
}

impl Pace {
    /// A pace that is not known.
    pub(super) fn new() -> Self {
        Self { piece: FIRST, state_ns: 0 }
    }

    /// States of the next piece, at least one and at most `most`.
    pub(super) fn piece(&self, most: usize) -> usize {
        self.piece.min(most).max(1)
    }

    /// Whether so many states are worth another thread.
    pub(super) fn is_worth_dividing(&self, states: usize) -> bool {
        self.state_ns * states as u128 >= WORTH_DIVIDING.as_nanos()
    }

    /// So many states took this time; a piece never has more than `most` states.
    pub(super) fn learn(&mut self, states: usize, took: Duration, most: usize) {
        self.state_ns = took.as_nanos() / (states as u128).max(1);
        let in_time = usize::try_from(AIM.as_nanos() / self.state_ns.max(1)).unwrap_or(usize::MAX);
        self.piece = in_time.clamp(1, (GROWTH * self.piece).min(most));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_the_cost_of_states() {
        const MOST: usize = 32_768;
        let mut pace = Pace::new();
        assert_eq!((pace.piece(MOST), pace.piece(9), pace.is_worth_dividing(MOST)), (64, 9, false));
        #[rustfmt::skip]
        let cases = [
            ("fast: more",              64,     Duration::from_micros(6),  256,    true),
            ("and more",                256,    Duration::from_micros(25), 1_024,  true),
            ("a short piece counts",    3,      Duration::from_nanos(300), 4_096,  true),
            ("up to what is allowed",   4_096,  Duration::from_micros(400), 16_384, true),
            ("and no further",          16_384, Duration::from_millis(1),  MOST,   true),
            ("slow: as many as fit",    32_768, Duration::from_secs(32),   102,    true),
            ("very slow: one",          102,    Duration::from_secs(102),  1,      true),
            ("too fast for the clock",  1,      Duration::ZERO,            4,      false),
        ];
        for (name, states, took, piece, is_worth_dividing) in cases {
            pace.learn(states, took, MOST);
            assert_eq!(
                (pace.piece(MOST), pace.is_worth_dividing(MOST)),
                (piece, is_worth_dividing),
                "{name}"
            );
        }
    }
}
