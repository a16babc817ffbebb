//! Those who wait for one thing, each with one waker.

use std::collections::VecDeque;
use std::task::Waker;

/// One who waits. The owner of the list numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaiterKey(u64);

/// The wakers of those who wait, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    last: u64,
    /// By number, and each number is larger than all that were given before.
    wakers: VecDeque<(WaiterKey, Waker)>,
}

impl Waiters {
    /// Keeps the newest waker of one who waits, who gets a number with the first.
    pub(crate) fn keep(&mut self, key: &mut Option<WaiterKey>, waker: &Waker) {
        let key = *key.get_or_insert_with(|| {
            self.last += 1;
            WaiterKey(self.last)
        });
        match self.place(key) {
            Ok(place) => self.wakers[place].1.clone_from(waker),
            // One who was told and waits again has the number of before.
            Err(place) => self.wakers.insert(place, (key, waker.clone())),
        }
    }

    /// They wait no longer. Returns false if they were told to wake before.
    pub(crate) fn forget(&mut self, key: Option<WaiterKey>) -> bool {
        let place = key.and_then(|key| self.place(key).ok());
        place.is_some_and(|place| self.wakers.remove(place).is_some())
    }

    /// Everybody, to be woken when the lock is given back: a waker may run what it wakes at once.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.wakers).into_iter().map(|(_, waker)| waker)
    }

    /// The one who has waited longest, to be woken when the lock is given back.
    pub(crate) fn take_first(&mut self) -> Option<Waker> {
        self.wakers.pop_front().map(|(_, waker)| waker)
    }

    /// Where the waker of one who waits is, or would be.
    fn place(&self, key: WaiterKey) -> Result<usize, usize> {
        self.wakers.binary_search_by_key(&key, |(key, _)| *key)
    }
}
