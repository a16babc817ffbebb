//! One flight at a time: of all that want the same work done, one does it.

use crate::sync::{Mutex, lock};
use crate::waiters::{WaiterKey, Waiters};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Where those meet who want the same work done, such as the refresh of one credential.
///
/// Whoever comes while nobody does it gets a [`Flight`] and does it; the others wait for its landing (S14). A flight that is
/// dropped before it lands, because its task was aborted or panicked, goes to one of those who wait, so that all of them
/// settle (L5).
#[derive(Debug)]
pub struct Gate<T> {
    inner: Mutex<Inner<T>>,
    #[cfg(test)]
    fault: Option<Fault>,
}

#[derive(Debug)]
struct Inner<T> {
    /// The last value that landed, with its number.
    landed: Option<(u64, T)>,
    is_flying: bool,
    waiters: Waiters,
}

/// What becomes of one who enters.
#[derive(Debug)]
pub enum Entered<'g, T> {
    /// Somebody has done it.
    Landed {
        /// Which landing it was, from 1: whoever finds that the value will not do enters again with this number.
        number: u64,
        /// What came of it.
        value: T,
    },
    /// Nobody does it: it is yours to do.
    Flight(Flight<'g, T>),
}

/// The right to do the work, which one at a time has.
#[derive(Debug)]
#[must_use = "a flight that is dropped at once has somebody else do the work"]
pub struct Flight<'g, T> {
    gate: &'g Gate<T>,
}

/// Waits until somebody has done the work, or it is one's own to do.
#[derive(Debug)]
pub struct Enter<'g, T> {
    gate: &'g Gate<T>,
    seen: u64,
    key: Option<WaiterKey>,
}

/// What the models of this crate break.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Whether somebody flies is looked up, and the flight begins under another lock.
    LooksBeforeItFlies,
    /// A landing wakes nobody.
    LandsInSilence,
    /// A flight that is dropped stays in the air.
    DropsInSilence,
    /// Every landing has the number of the first.
    KeepsTheOldest,
}

impl<T> Default for Gate<T> {
    fn default() -> Self {
        let inner = Inner { landed: None, is_flying: false, waiters: Waiters::default() };
        Self {
            inner: Mutex::new(inner),
            #[cfg(test)]
            fault: None,
        }
    }
}

impl<T: Clone> Gate<T> {
    /// Wants the work done anew if the last landing that one has seen is this one; 0 if one has seen none.
    pub fn enter(&self, seen: u64) -> Enter<'_, T> {
        Enter { gate: self, seen, key: None }
    }

    /// The last landing.
    pub fn landed(&self) -> Option<(u64, T)> {
        lock(&self.inner).landed.clone()
    }
}

impl<T> Gate<T> {
    /// Ends a flight, with a value or without, has everybody look again, and gives the number of the last landing.
    fn end(&self, value: Option<T>) -> u64 {
        let mut inner = lock(&self.inner);
        inner.is_flying = false;
        #[cfg(test)]
        let silence = if value.is_some() { Fault::LandsInSilence } else { Fault::DropsInSilence };
        if let Some(value) = value {
            let number = inner.number() + 1;
            #[cfg(test)]
            let number = if self.fault == Some(Fault::KeepsTheOldest) { 1 } else { number };
            inner.landed = Some((number, value));
        }
        let number = inner.number();
        let woken = inner.waiters.take_all();
        drop(inner);
        #[cfg(test)]
        if self.fault == Some(silence) {
            return number;
        }
        woken.for_each(std::task::Waker::wake);
        number
    }
}

impl<T> Inner<T> {
    /// The number of the last landing, 0 before the first.
    fn number(&self) -> u64 {
        self.landed.as_ref().map_or(0, |(number, _)| *number)
    }
}

impl<T> Flight<'_, T> {
    /// The work is done, and this came of it. Returns the number of the landing.
    pub fn land(self, value: T) -> u64 {
        let number = self.gate.end(Some(value));
        std::mem::forget(self);
        number
    }
}

impl<T> Drop for Flight<'_, T> {
    fn drop(&mut self) {
        self.gate.end(None);
    }
}

impl<'g, T: Clone> Future for Enter<'g, T> {
    type Output = Entered<'g, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let gate = self.gate;
        let mut inner = lock(&gate.inner);
        if let Some((number, value)) = &inner.landed
            && *number > self.seen
        {
            let landed = Entered::Landed { number: *number, value: value.clone() };
            inner.waiters.forget(self.key.take());
            return Poll::Ready(landed);
        }
        if inner.is_flying {
            inner.waiters.keep(&mut self.key, cx.waker());
            return Poll::Pending;
        }
        #[cfg(test)]
        if gate.fault == Some(Fault::LooksBeforeItFlies) {
            drop(inner);
            inner = lock(&gate.inner);
        }
        inner.is_flying = true;
        inner.waiters.forget(self.key.take());
        Poll::Ready(Entered::Flight(Flight { gate }))
    }
}

impl<T> Drop for Enter<'_, T> {
    fn drop(&mut self) {
        if self.key.is_some() {
            lock(&self.gate.inner).waiters.forget(self.key.take());
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

    fn gate(fault: Option<Fault>) -> Arc<Gate<u64>> {
        Arc::new(Gate { fault, ..Gate::default() })
    }

    /// Gets a value newer than the one that was seen, and says which landing it is of.
    fn get(gate: &Gate<u64>, seen: u64) -> u64 {
        match block_on(gate.enter(seen)) {
            Entered::Landed { number, .. } => number,
            Entered::Flight(flight) => flight.land(7),
        }
    }

    /// Some want the same at once, and another one gives up, in flight or before.
    fn all_settle(fault: Option<Fault>, others: usize, size: Size) {
        explore(size, move || {
            let gate = gate(fault);
            let threads: Vec<_> = (0..others)
                .map(|_| {
                    let gate = Arc::clone(&gate);
                    thread::spawn(move || get(&gate, 0))
                })
                .collect();
            drop(block_on(gate.enter(0)));
            for thread in threads {
                assert_eq!(thread.join().expect("it ends"), 1, "the work was done twice");
            }
        });
    }

    /// One finds that the first landing will not do, while another is content with it.
    fn newer_is_another_flight(fault: Option<Fault>, size: Size) {
        explore(size, move || {
            let gate = gate(fault);
            let content = Arc::clone(&gate);
            let content = thread::spawn(move || get(&content, 0));
            let first = get(&gate, 0);
            assert_eq!(get(&gate, first), first + 1, "an old landing was given for a newer one");
            assert!((1..=2).contains(&content.join().expect("it ends")));
        });
    }

    #[test]
    fn one_does_the_work_and_everybody_settles() {
        all_settle(None, 2, Size::TwoAndACanceller);
        all_settle(None, 3, Size::Three);
    }

    #[test]
    fn landing_that_will_not_do_is_followed_by_another() {
        newer_is_another_flight(None, Size::TwoAndACanceller);
    }

    #[test]
    fn second_flight_is_found() {
        finds("the work was done twice", || {
            all_settle(Some(Fault::LooksBeforeItFlies), 2, Size::TwoAndACanceller);
        });
    }

    #[test]
    fn silent_landing_is_found() {
        finds("deadlock", || all_settle(Some(Fault::LandsInSilence), 2, Size::TwoAndACanceller));
    }

    #[test]
    fn silent_end_of_a_flight_is_found() {
        finds("deadlock", || all_settle(Some(Fault::DropsInSilence), 2, Size::TwoAndACanceller));
    }

    #[test]
    fn landing_without_a_number_of_its_own_is_found() {
        finds("an old landing was given", || {
            newer_is_another_flight(Some(Fault::KeepsTheOldest), Size::TwoAndACanceller);
        });
    }
}
