//! The choices of a string of bytes, as a fuzzer makes them.

use super::Strategy;
use crate::explore::names::Actor;
use crate::explore::trace::Trace;

/// One execution in which each choice is the remainder of one byte. Behind the last byte it is the first alternative; of more than
/// 256, only so many are ever taken.
pub(in crate::explore) struct Bytes {
    given: Vec<u8>,
    at: usize,
    has_run: bool,
}

impl Bytes {
    pub(in crate::explore) fn new(bytes: &[u8]) -> Self {
        Self { given: bytes.to_vec(), at: 0, has_run: false }
    }

    fn one_of(&mut self, of: usize) -> usize {
        self.at += 1;
        self.given.get(self.at - 1).map_or(0, |byte| usize::from(*byte) % of)
    }
}

impl Strategy for Bytes {
    fn next(&mut self, _trace: &Trace) -> Option<usize> {
        (!std::mem::replace(&mut self.has_run, true)).then_some(0)
    }

    fn go_on(&mut self, alternatives: &[Actor], _trace: &Trace) -> Option<usize> {
        match alternatives.len() {
            0 => None,
            1 => Some(0),
            several => Some(self.one_of(several)),
        }
    }

    fn choose(&mut self, of: usize, _label: &'static str) -> usize {
        self.one_of(of)
    }
}
