//! The agent SDK: what an iterator over an agent's messages does, and which ways it may end.
//!
//! An iterator is named by the request whose `invoke` called `query()` for it; where iterators are no request's own, by
//! the order in which they are started. It takes prompts as long as it was not
//! aborted, and has one result for each, in order. After an abort it throws at some time, or ends normally, or
//! never ends: whoever drives the model chooses.

use super::ledger::{REQUESTS, RequestIndex};
use super::line::Line;

/// An iterator, by the request whose `invoke` started it, or by its place in the order of starts.
pub type IteratorIndex = RequestIndex;

/// The most iterators: one for each request, and one more for a restart that takes an iterator from nobody.
pub const ITERATORS: usize = REQUESTS + 1;

/// One call of `query()` and the iterator that it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SdkIterator {
    /// Not asked for.
    Absent,
    /// `query()` is in progress.
    Starting {
        /// Whether the abort controller that it was given has been aborted since.
        aborted: bool,
    },
    /// Takes prompts and gives results.
    Live {
        /// What it still has to answer.
        prompts: Line,
    },
    /// Told to stop, and not ended.
    Aborted {
        /// What it had still to answer.
        prompts: Line,
    },
    /// Over: it threw, ended, was left by its loop, or `query()` failed.
    Ended,
}

/// All iterators of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sdk([SdkIterator; ITERATORS]);

impl Sdk {
    /// No iterator.
    pub const EMPTY: Self = Self([SdkIterator::Absent; ITERATORS]);

    /// One of them.
    pub fn iterator(&self, iterator: IteratorIndex) -> &SdkIterator {
        &self.0[usize::from(iterator)]
    }

    /// All of them with their numbers.
    pub fn iterators(&self) -> impl Iterator<Item = (IteratorIndex, &SdkIterator)> {
        (0..).zip(&self.0)
    }

    /// Those that take prompts (S10).
    pub fn live(&self) -> impl Iterator<Item = IteratorIndex> {
        let live = self.iterators().filter(|(_, iterator)| matches!(iterator, SdkIterator::Live { .. }));
        live.map(|(index, _)| index)
    }

    /// Whether some `query()` is in progress.
    pub fn is_starting(&self) -> bool {
        self.0.iter().any(|iterator| matches!(iterator, SdkIterator::Starting { .. }))
    }

    /// Whether an abort would reach anything.
    pub fn is_stoppable(&self) -> bool {
        self.0.iter().any(|iterator| match iterator {
            SdkIterator::Starting { aborted: false } | SdkIterator::Live { .. } => true,
            SdkIterator::Absent
            | SdkIterator::Starting { aborted: true }
            | SdkIterator::Aborted { .. }
            | SdkIterator::Ended => false,
        })
    }

    /// `query()` is called, with the abort controller that is the current one.
    pub fn start(&mut self, iterator: IteratorIndex) {
        self.0[usize::from(iterator)] = SdkIterator::Starting { aborted: false };
    }

    /// `query()` returns.
    pub fn open(&mut self, iterator: IteratorIndex) {
        let prompts = Line::default();
        let opened = &mut self.0[usize::from(iterator)];
        let was_aborted = *opened == SdkIterator::Starting { aborted: true };
        *opened = if was_aborted { SdkIterator::Aborted { prompts } } else { SdkIterator::Live { prompts } };
    }

    /// The current abort controller is aborted. Every iterator that was not told to stop was started with it.
    pub fn abort(&mut self) {
        self.0.iter_mut().for_each(SdkIterator::stop);
    }

    /// One iterator is told to stop, and no other.
    pub fn stop(&mut self, iterator: IteratorIndex) {
        self.0[usize::from(iterator)].stop();
    }

    /// The iterator is given a prompt; whether it takes it.
    pub fn take(&mut self, iterator: IteratorIndex, request: RequestIndex) -> bool {
        match &mut self.0[usize::from(iterator)] {
            SdkIterator::Live { prompts } => {
                prompts.push(request);
                true
            }
            SdkIterator::Absent
            | SdkIterator::Starting { .. }
            | SdkIterator::Aborted { .. }
            | SdkIterator::Ended => false,
        }
    }

    /// The request that the iterator's next result is for, if it works on one.
    pub fn works_on(&self, iterator: IteratorIndex) -> Option<RequestIndex> {
        match self.iterator(iterator) {
            SdkIterator::Live { prompts } | SdkIterator::Aborted { prompts } => prompts.first(),
            SdkIterator::Absent | SdkIterator::Starting { .. } | SdkIterator::Ended => None,
        }
    }

    /// The iterator gives its next result; the request that it is for.
    pub fn answer(&mut self, iterator: IteratorIndex) -> Option<RequestIndex> {
        match &mut self.0[usize::from(iterator)] {
            SdkIterator::Live { prompts } | SdkIterator::Aborted { prompts } => prompts.shift(),
            SdkIterator::Absent | SdkIterator::Starting { .. } | SdkIterator::Ended => None,
        }
    }

    /// The iterator is over, or `query()` failed.
    pub fn end(&mut self, iterator: IteratorIndex) {
        self.0[usize::from(iterator)] = SdkIterator::Ended;
    }

    /// The process that had the iterators is gone.
    pub fn end_all(&mut self) {
        for iterator in self.0.iter_mut().filter(|iterator| iterator.runs()) {
            *iterator = SdkIterator::Ended;
        }
    }
}

impl SdkIterator {
    /// Whether it runs, or is about to, told to stop or not.
    pub fn runs(&self) -> bool {
        match self {
            SdkIterator::Starting { .. } | SdkIterator::Live { .. } | SdkIterator::Aborted { .. } => true,
            SdkIterator::Absent | SdkIterator::Ended => false,
        }
    }

    fn stop(&mut self) {
        match *self {
            SdkIterator::Starting { .. } => *self = SdkIterator::Starting { aborted: true },
            SdkIterator::Live { prompts } => *self = SdkIterator::Aborted { prompts },
            SdkIterator::Absent | SdkIterator::Aborted { .. } | SdkIterator::Ended => {}
        }
    }
}
