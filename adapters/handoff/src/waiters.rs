//! Those who wait for one thing, each with one waker.

use std::collections::BTreeMap;
use std::task::Waker;

/// One who waits. The owner of the list numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaiterKey(u64);

/// The wakers of those who wait, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    last: u64,
    wakers: BTreeMap<WaiterKey, Waker>,
}

impl Waiters {
    /// Keeps the newest waker of one who waits, who gets a number with the first.
    pub(crate) fn keep(&mut self, key: &mut Option<WaiterKey>, waker: &Waker) {
        let key = *key.get_or_insert_with(|| {
            self.last += 1;
            WaiterKey(self.last)
        });
        match self.wakers.get_mut(&key) {
            Some(kept) => kept.clone_from(waker),
            None => {
                self.wakers.insert(key, waker.clone());
            }
        }
    }

    /// They wait no longer. Returns false if they were told to wake before.
    pub(crate) fn forget(&mut self, key: Option<WaiterKey>) -> bool {
        key.is_some_and(|key| self.wakers.remove(&key).is_some())
    }

    /// Everybody, to be woken when the lock is given back: a waker may run what it wakes at once.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.wakers).into_values()
    }

    /// The one who has waited longest, to be woken when the lock is given back.
    pub(crate) fn take_first(&mut self) -> Option<Waker> {
        self.wakers.pop_first().map(|(_, waker)| waker)
    }
}
