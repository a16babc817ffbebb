//! The choices of a list.

use super::Strategy;
use crate::explore::names::Actor;
use crate::explore::schedule::Schedule;
use crate::explore::trace::Trace;

/// One execution by a list. What the list does not say is the first alternative.
pub(in crate::explore) struct Replay {
    schedule: Schedule,
    at: usize,
    has_run: bool,
    /// Where the list asked for an alternative that was not there.
    misfit: Option<usize>,
}

impl Replay {
    pub(in crate::explore) fn new(schedule: Schedule) -> Self {
        Self { schedule, at: 0, has_run: false, misfit: None }
    }

    fn one_of(&mut self, of: usize) -> usize {
        let asked = self.schedule.choice(self.at);
        if asked >= of {
            self.misfit.get_or_insert(self.at);
        }
        self.at += 1;
        if asked < of { asked } else { 0 }
    }
}

impl Strategy for Replay {
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

    fn seed(&self, _seed: u64) -> u64 {
        self.schedule.seed()
    }

    fn misfit(&self) -> Option<usize> {
        self.misfit
    }
}
