//! Probabilistic concurrency testing (Burckhardt et al. 2010): random priorities that change in few places.

use super::Strategy;
use crate::explore::mix::{Numbers, mix};
use crate::explore::names::Actor;
use crate::explore::trace::Trace;

/// Whoever has the highest priority goes on. In `depth` - 1 places, at random among as many as the longest execution so far had, the
/// one who would go on gets a priority below all that were drawn. A fault that needs `depth` orders among n actors in k steps is then
/// found in an execution with a chance of at least 1 / (n k^(depth - 1)), once k is known.
pub(in crate::explore) struct Pct {
    seed: u64,
    depth: usize,
    number: u64,
    numbers: Numbers,
    /// The most places with several alternatives of an execution so far.
    longest: usize,
    /// Places of this execution so far.
    at: usize,
    /// Where priorities change.
    changes: Vec<usize>,
    /// By actor; 0 for one that was not seen.
    priorities: Vec<u64>,
}

impl Pct {
    pub(in crate::explore) fn new(seed: u64, depth: usize) -> Self {
        let (changes, priorities) = (Vec::new(), Vec::new());
        Self { seed, depth, number: 0, numbers: Numbers::new(seed), longest: 1, at: 0, changes, priorities }
    }

    /// The place of the highest priority.
    fn highest(&mut self, alternatives: &[Actor]) -> Option<usize> {
        for actor in alternatives {
            if self.priorities.len() <= actor.index() {
                self.priorities.resize(actor.index() + 1, 0);
            }
            let drawn = self.numbers.word();
            let priority = &mut self.priorities[actor.index()];
            if *priority == 0 {
                // Above all that a change gives.
                *priority = drawn | 1 << 63;
            }
        }
        (0..alternatives.len()).max_by_key(|place| self.priorities[alternatives[*place].index()])
    }
}

impl Strategy for Pct {
    fn next(&mut self, _trace: &Trace) -> Option<usize> {
        self.longest = self.longest.max(self.at);
        self.number += 1;
        self.numbers = Numbers::new(mix(self.seed, self.number));
        self.at = 0;
        self.priorities.clear();
        self.changes.clear();
        for _ in 1..self.depth {
            self.changes.push(self.numbers.below(self.longest));
        }
        Some(0)
    }

    fn go_on(&mut self, alternatives: &[Actor], _trace: &Trace) -> Option<usize> {
        if alternatives.len() < 2 {
            return (!alternatives.is_empty()).then_some(0);
        }
        let highest = self.highest(alternatives)?;
        let change = self.changes.iter().position(|place| *place == self.at);
        self.at += 1;
        let Some(change) = change else { return Some(highest) };
        self.priorities[alternatives[highest].index()] = change as u64 + 1;
        self.highest(alternatives)
    }

    fn choose(&mut self, of: usize, _label: &'static str) -> usize {
        self.numbers.below(of)
    }

    fn seed(&self, _seed: u64) -> u64 {
        mix(self.seed, self.number)
    }
}
