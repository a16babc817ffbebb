//! Which turn runs, and whether somebody has cancelled it.

use crate::sync::{AtomicU64, Mutex, Ordering, lock};
use crate::waiters::{WaiterKey, Waiters};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The turns of one executor, one at a time, numbered from 1.
///
/// A cancel names a turn. Whether it hits is decided in one act with whether that turn has finished, so that a cancel that was
/// told that it hit has stopped that turn, and the turn after it knows nothing of it (S12).
#[derive(Debug, Default)]
pub struct Turns {
    /// Four times the number of the last turn, plus its stage.
    word: AtomicU64,
    waiters: Mutex<Waiters>,
    #[cfg(test)]
    fault: Option<Fault>,
}

const RESTING: u64 = 0;
const RUNNING: u64 = 1;
const CANCELLED: u64 = 2;

/// A turn that runs. Dropped, it is over.
#[derive(Debug)]
pub struct Turn<'t> {
    turns: &'t Turns,
    number: u64,
}

/// How a turn came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnEnd {
    /// By itself: no cancel has hit it, and none will.
    Finished,
    /// Somebody cancelled it before.
    Cancelled,
}

/// Waits until somebody cancels a turn.
#[derive(Debug)]
pub struct Cancelled<'t> {
    turns: &'t Turns,
    number: u64,
    key: Option<WaiterKey>,
}

/// What the models of this crate break.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Which turn runs is looked up, and then whatever runs is cancelled.
    CancelsWhatRuns,
    /// A turn that finishes does not look whether it was cancelled.
    FinishesBlindly,
    /// The waker is kept after it was looked up whether there is a cancel, and nobody looks again.
    LooksBeforeItWaits,
}

impl Turns {
    /// Begins the next turn, unless one runs.
    pub fn begin(&self) -> Option<Turn<'_>> {
        let begun = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
            (word % 4 == RESTING).then(|| (word / 4 + 1) * 4 + RUNNING)
        });
        let number = begun.ok()? / 4 + 1;
        Some(Turn { turns: self, number })
    }

    /// Cancels this turn. Returns whether it hit: the turn runs and nobody has cancelled it before.
    pub fn cancel(&self, number: u64) -> bool {
        // No turn has a number that does not fit into the word.
        let Some(word) = number.checked_mul(4).and_then(|word| word.checked_add(CANCELLED)) else {
            return false;
        };
        let hit = self.swap(word - CANCELLED + RUNNING, word);
        if hit {
            let woken = lock(&self.waiters).take_all();
            woken.for_each(std::task::Waker::wake);
        }
        hit
    }

    /// The number of the turn that runs.
    pub fn running(&self) -> Option<u64> {
        let word = self.word.load(Ordering::Acquire);
        (word % 4 != RESTING).then_some(word / 4)
    }

    fn swap(&self, from: u64, to: u64) -> bool {
        #[cfg(test)]
        if self.fault == Some(Fault::CancelsWhatRuns) && to % 4 == CANCELLED {
            let is_current = self.word.load(Ordering::Acquire) == from;
            let cancel = |word: u64| (word % 4 == RUNNING).then_some(word / 4 * 4 + CANCELLED);
            return is_current && self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, cancel).is_ok();
        }
        self.word.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl Turn<'_> {
    /// Which one it is.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether somebody has cancelled it.
    pub fn is_cancelled(&self) -> bool {
        self.turns.word.load(Ordering::Acquire) == self.number * 4 + CANCELLED
    }

    /// Waits until somebody cancels it.
    pub fn cancelled(&self) -> Cancelled<'_> {
        Cancelled { turns: self.turns, number: self.number, key: None }
    }

    /// Ends it, and says whether it was cancelled before.
    pub fn finish(self) -> TurnEnd {
        let end = self.end();
        std::mem::forget(self);
        end
    }

    fn end(&self) -> TurnEnd {
        #[cfg(test)]
        if self.turns.fault == Some(Fault::FinishesBlindly) {
            self.turns.word.store(self.number * 4 + RESTING, Ordering::Release);
            return TurnEnd::Finished;
        }
        if self.turns.swap(self.number * 4 + RUNNING, self.number * 4 + RESTING) {
            return TurnEnd::Finished;
        }
        // Nothing but the turn itself leaves this stage.
        self.turns.word.store(self.number * 4 + RESTING, Ordering::Release);
        TurnEnd::Cancelled
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

impl Future for Cancelled<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let turns = self.turns;
        let is_cancelled = || turns.word.load(Ordering::Acquire) == self.number * 4 + CANCELLED;
        #[cfg(test)]
        if turns.fault == Some(Fault::LooksBeforeItWaits) {
            if is_cancelled() {
                return Poll::Ready(());
            }
            lock(&turns.waiters).keep(&mut self.key, cx.waker());
            return Poll::Pending;
        }
        let mut waiters = lock(&turns.waiters);
        if is_cancelled() {
            waiters.forget(self.key.take());
            return Poll::Ready(());
        }
        // Who cancels from here on finds the waker: it is kept under the lock under which it is looked for.
        waiters.keep(&mut self.key, cx.waker());
        Poll::Pending
    }
}

impl Drop for Cancelled<'_> {
    fn drop(&mut self) {
        if self.key.is_some() {
            lock(&self.turns.waiters).forget(self.key.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Size, explore, finds};
    use loom::future::block_on;
    use loom::thread;
    use std::sync::Arc;

    /// One thread runs two turns, and each canceller names one of them.
    fn cancels_hit_what_they_name(fault: Option<Fault>, size: Size) {
        explore(size, move || {
            let turns = Arc::new(Turns { fault, ..Turns::default() });
            let cancellers = [1, 2].map(|number| {
                let turns = Arc::clone(&turns);
                thread::spawn(move || turns.cancel(number))
            });
            let ends = [1, 2].map(|number| {
                let turn = turns.begin().expect("no other turn runs");
                assert_eq!(turn.number(), number);
                turn.finish()
            });
            let hits = cancellers.map(|canceller| canceller.join().expect("it ends"));
            let stopped = ends.map(|end| end == TurnEnd::Cancelled);
            assert_eq!(hits, stopped, "a cancel hit a turn that finished, or missed one that it stopped");
        });
    }

    /// One thread waits for the cancel of its turn, while others cancel that turn and one that is not there.
    fn whoever_waits_hears_of_the_cancel(fault: Option<Fault>, size: Size) {
        explore(size, move || {
            let turns = Arc::new(Turns { fault, ..Turns::default() });
            let turn = turns.begin().expect("no other turn runs");
            let cancellers = [1, 2].map(|number| {
                let turns = Arc::clone(&turns);
                thread::spawn(move || turns.cancel(number))
            });
            block_on(turn.cancelled());
            assert_eq!(turn.finish(), TurnEnd::Cancelled);
            assert_eq!(cancellers.map(|canceller| canceller.join().expect("it ends")), [true, false]);
        });
    }

    /// Some want to run a turn at once, and another one cancels the first turn.
    fn one_turn_runs_at_a_time(count: usize, size: Size) {
        explore(size, move || {
            let turns = Arc::new(Turns::default());
            let runners: Vec<_> = (0..count)
                .map(|_| {
                    let turns = Arc::clone(&turns);
                    thread::spawn(move || turns.begin().map(|turn| (turn.number(), turn.finish())))
                })
                .collect();
            let hit = turns.cancel(1);
            let ran: Vec<_> =
                runners.into_iter().filter_map(|runner| runner.join().expect("it ends")).collect();
            let cancelled = ran.iter().filter(|(_, end)| *end == TurnEnd::Cancelled);
            assert_eq!(
                cancelled.map(|(number, _)| *number).collect::<Vec<_>>(),
                if hit { vec![1] } else { vec![] }
            );
            let mut numbers: Vec<_> = ran.iter().map(|(number, _)| *number).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "each has its own number");
            assert!(!numbers.is_empty(), "nobody ran");
            assert_eq!(turns.running(), None);
        });
    }

    #[test]
    fn cancel_hits_the_turn_that_it_names() {
        cancels_hit_what_they_name(None, Size::TwoAndACanceller);
    }

    #[test]
    fn cancel_wakes_whoever_waits_for_it() {
        whoever_waits_hears_of_the_cancel(None, Size::TwoAndACanceller);
    }

    #[test]
    fn turn_begins_only_when_none_runs() {
        one_turn_runs_at_a_time(2, Size::TwoAndACanceller);
        one_turn_runs_at_a_time(3, Size::Three);
    }

    #[test]
    fn cancel_of_whatever_runs_is_found() {
        finds("a cancel hit a turn that finished", || {
            cancels_hit_what_they_name(Some(Fault::CancelsWhatRuns), Size::TwoAndACanceller);
        });
    }

    #[test]
    fn blind_finish_is_found() {
        finds("a cancel hit a turn that finished", || {
            cancels_hit_what_they_name(Some(Fault::FinishesBlindly), Size::TwoAndACanceller);
        });
    }

    #[test]
    fn cancel_that_is_not_looked_for_again_is_found() {
        finds("deadlock", || {
            whoever_waits_hears_of_the_cancel(Some(Fault::LooksBeforeItWaits), Size::TwoAndACanceller);
        });
    }
}
