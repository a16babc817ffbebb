//! What the agent asks a person about for one prompt.

use serde::{Deserialize, Serialize};

/// The questions of one prompt that fit between the first open one and the last: the window is this many bits.
pub const APPROVALS_MAX: u32 = 32;

/// The questions of one prompt, numbered from 1. Those up to `settled` are answered or withdrawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Approvals {
    /// The number of the last question.
    pub asked: u32,
    /// Every question up to this one is settled, and the next one is open if there is one.
    pub settled: u32,
    /// Bit `i`: question `settled + 1 + i` is open.
    pub open: u32,
}

impl Approvals {
    /// Whether this question waits for its answer.
    pub fn is_open(&self, number: u32) -> bool {
        number > self.settled && number <= self.asked && self.open >> (number - self.settled - 1) & 1 == 1
    }

    /// The questions that wait for their answers, in their order.
    pub fn open(&self) -> impl Iterator<Item = u32> + use<> {
        let all = *self;
        (all.settled + 1..=all.asked).filter(move |number| all.is_open(*number))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.asked - self.settled >= APPROVALS_MAX
    }

    /// One question more.
    pub(crate) fn ask(&mut self) {
        // One that does not fit leaves no bit.
        self.open |= 1_u32.checked_shl(self.asked - self.settled).unwrap_or(0);
        self.asked += 1;
    }

    /// An open question got its answer.
    pub(crate) fn settle(&mut self, number: u32) {
        self.open &= !(1 << (number - self.settled - 1));
        // No further than to the last question: a window of 32 settled ones leaves no bit.
        let behind = self.open.trailing_zeros().min(self.asked - self.settled);
        self.open = self.open.checked_shr(behind).unwrap_or(0);
        self.settled += behind;
    }

    /// Nobody has to answer any more.
    pub(crate) fn withdraw(&mut self) {
        (self.settled, self.open) = (self.asked, 0);
    }
}
