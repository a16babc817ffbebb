//! What the demo promises, and how often each promise was put to the test.

use std::fmt;

/// A property of `docs/properties.md`, as far as the outside can see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    S1,
    S2,
    S3,
    S5,
    S6,
    S7,
    S8,
    S15,
    S17,
    S24,
    L1,
}

impl Promise {
    pub(crate) const ALL: [Self; 11] = [
        Self::S1,
        Self::S2,
        Self::S3,
        Self::S5,
        Self::S6,
        Self::S7,
        Self::S8,
        Self::S15,
        Self::S17,
        Self::S24,
        Self::L1,
    ];

    /// The id in `docs/properties.md`.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::S1 => "S1",
            Self::S2 => "S2",
            Self::S3 => "S3",
            Self::S5 => "S5",
            Self::S6 => "S6",
            Self::S7 => "S7",
            Self::S8 => "S8",
            Self::S15 => "S15",
            Self::S17 => "S17",
            Self::S24 => "S24",
            Self::L1 => "L1",
        }
    }

    /// In words.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::S1 => "a task has one request at a time",
            Self::S2 => "no send comes twice, and each attempt of a turn asks the same",
            Self::S3 => "the result of each subtask is in one turn of its parent",
            Self::S5 => "each accepted message is in one turn, or is reported",
            Self::S6 => "an answer is that to its own question",
            Self::S7 => "a task that has ended sends nothing, and ends as it had to",
            Self::S8 => "each tool works once, and its result is in the next turn",
            Self::S15 => "no refresh token is used twice",
            Self::S17 => "a token that was refused is not sent again",
            Self::S24 => "people hear of one end of each tree, under one number",
            Self::L1 => "each tree that was begun has ended, and people know",
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) promise: Promise,
    /// By what.
    pub(crate) what: String,
}

/// How each promise has come out so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    looked: [u64; Promise::ALL.len()],
    /// The first that were broken.
    pub(crate) broken: Vec<Broken>,
    /// How many there are.
    pub(crate) broken_count: u64,
}

/// Broken promises that are kept with their words: more than anybody reads.
const BROKEN_MAX: usize = 20;

impl Verdict {
    /// Looks whether a promise is kept.
    pub(crate) fn look(&mut self, promise: Promise, is_kept: bool, what: impl FnOnce() -> String) {
        self.looked[promise as usize] += 1;
        if !is_kept {
            self.broken_count += 1;
            if self.broken.len() < BROKEN_MAX {
                self.broken.push(Broken { promise, what: what() });
            }
        }
    }

    /// How often somebody looked at a promise.
    pub(crate) fn looked(&self, promise: Promise) -> u64 {
        self.looked[promise as usize]
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.broken_count == 0
    }
}
