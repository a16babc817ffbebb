//! Choices by numbers that look random.

use super::Strategy;
use crate::explore::mix::{Numbers, mix};
use crate::explore::names::Actor;
use crate::explore::trace::Trace;

/// Everybody who may go on is as likely as the others, and so is each possibility of the world.
pub(in crate::explore) struct Random {
    seed: u64,
    number: u64,
    numbers: Numbers,
    /// Whether each execution has but some of the world's faults, latencies and so on, each with a likelihood of its own.
    is_swarm: bool,
}

impl Random {
    pub(in crate::explore) fn new(seed: u64, is_swarm: bool) -> Self {
        Self { seed, number: 0, numbers: Numbers::new(seed), is_swarm }
    }

    /// How likely anything but the first possibility is under this label, in sixteenths: 0 for half of the labels.
    fn likelihood(&self, label: &'static str) -> u64 {
        let name = label.bytes().fold(mix(self.seed, self.number), |name, byte| mix(name, byte.into()));
        [0, 0, 0, 0, 1, 2, 4, 8][usize::try_from(name >> 61).unwrap_or(0)]
    }
}

impl Strategy for Random {
    fn next(&mut self, _trace: &Trace) -> Option<usize> {
        self.number += 1;
        self.numbers = Numbers::new(mix(self.seed, self.number));
        Some(0)
    }

    fn go_on(&mut self, alternatives: &[Actor], _trace: &Trace) -> Option<usize> {
        match alternatives.len() {
            0 => None,
            1 => Some(0),
            several => Some(self.numbers.below(several)),
        }
    }

    fn choose(&mut self, of: usize, label: &'static str) -> usize {
        if !self.is_swarm {
            return self.numbers.below(of);
        }
        let is_first = self.numbers.word() >> 60 >= self.likelihood(label);
        if is_first { 0 } else { 1 + self.numbers.below(of - 1) }
    }

    fn seed(&self, _seed: u64) -> u64 {
        mix(self.seed, self.number)
    }
}
