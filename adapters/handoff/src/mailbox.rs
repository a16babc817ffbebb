//! A bounded queue that loses nothing: what was posted is taken once, or handed back.

use crate::sync::{Mutex, lock};
use crate::waiters::{WaiterKey, Waiters};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What is on its way to whoever takes it, in the order in which it was posted.
///
/// Closing it and handing back what is left are one act: what is posted at the same moment is either handed back with the rest
/// or refused with [`Refused::Closed`], and never lost between the two (S5).
#[derive(Debug)]
pub struct Mailbox<T> {
    inner: Mutex<Inner<T>>,
    capacity: usize,
    #[cfg(test)]
    fault: Option<Fault>,
}

#[derive(Debug)]
struct Inner<T> {
    queue: VecDeque<T>,
    is_closed: bool,
    /// Who waits for something to take.
    takers: Waiters,
    /// Who waits for room.
    posters: Waiters,
}

/// Why something was not taken in. It comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused<T> {
    /// There is no room now.
    Full(T),
    /// Nobody takes anything any more.
    Closed(T),
}

/// Waits for the next one; `None` once the mailbox is closed.
#[derive(Debug)]
pub struct Next<'m, T> {
    mailbox: &'m Mailbox<T>,
    key: Option<WaiterKey>,
}

/// Waits until there is room, or the mailbox is closed. The room is not kept: somebody else may post first.
#[derive(Debug)]
pub struct Room<'m, T> {
    mailbox: &'m Mailbox<T>,
    key: Option<WaiterKey>,
}

/// What the models of this crate break.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// What is left is handed back before the mailbox is closed, under another lock.
    ClosesTooLate,
    /// Whether something is there is looked up, and the waker is kept under another lock.
    LooksBeforeItWaits,
    /// One who was woken and is gone takes the wake with it.
    WakesTheDead,
    /// Nobody is told that nothing will come.
    SealsInSilence,
    /// Whether there is room is looked up, and the queue grows under another lock.
    LooksBeforeItPosts,
}

impl<T> Mailbox<T> {
    /// An empty mailbox for so many, at least one.
    pub fn new(capacity: usize) -> Self {
        let inner = Inner {
            queue: VecDeque::new(),
            is_closed: false,
            takers: Waiters::default(),
            posters: Waiters::default(),
        };
        Self {
            inner: Mutex::new(inner),
            capacity: capacity.max(1),
            #[cfg(test)]
            fault: None,
        }
    }

    /// Posts without waiting.
    ///
    /// # Errors
    /// Gives back what there is no room for, or nobody to take.
    pub fn post(&self, item: T) -> Result<(), Refused<T>> {
        let mut inner = lock(&self.inner);
        if inner.is_closed {
            return Err(Refused::Closed(item));
        }
        if inner.queue.len() >= self.capacity {
            return Err(Refused::Full(item));
        }
        #[cfg(test)]
        if self.fault == Some(Fault::LooksBeforeItPosts) {
            drop(inner);
            inner = lock(&self.inner);
        }
        inner.queue.push_back(item);
        let woken = inner.takers.take_first();
        drop(inner);
        woken.into_iter().for_each(std::task::Waker::wake);
        Ok(())
    }

    /// Posts as soon as there is room. What is dropped while it waits was not posted.
    ///
    /// # Errors
    /// Gives back what nobody takes any more.
    pub async fn send(&self, item: T) -> Result<(), T> {
        let mut item = item;
        loop {
            match self.post(item) {
                Ok(()) => return Ok(()),
                Err(Refused::Closed(item)) => return Err(item),
                Err(Refused::Full(back)) => item = back,
            }
            self.room().await;
        }
    }

    /// Waits until there may be room.
    pub fn room(&self) -> Room<'_, T> {
        Room { mailbox: self, key: None }
    }

    /// Waits for the next one.
    pub fn next(&self) -> Next<'_, T> {
        Next { mailbox: self, key: None }
    }

    /// Takes the next one if it is there.
    pub fn take(&self) -> Option<T> {
        let mut inner = lock(&self.inner);
        let item = inner.queue.pop_front()?;
        let woken = inner.posters.take_first();
        drop(inner);
        woken.into_iter().for_each(std::task::Waker::wake);
        Some(item)
    }

    /// Lets nothing in any more, and hands back what nobody took. Everybody who waits is told.
    pub fn close(&self) -> VecDeque<T> {
        let mut inner = lock(&self.inner);
        let left = std::mem::take(&mut inner.queue);
        #[cfg(test)]
        if self.fault == Some(Fault::ClosesTooLate) {
            drop(inner);
            inner = lock(&self.inner);
        }
        inner.is_closed = true;
        let woken = inner.takers.take_all().chain(inner.posters.take_all());
        drop(inner);
        woken.for_each(std::task::Waker::wake);
        left
    }

    /// Lets nothing in any more. What is there can still be taken, and whoever waits is told.
    pub fn seal(&self) {
        let mut inner = lock(&self.inner);
        inner.is_closed = true;
        let woken = inner.takers.take_all().chain(inner.posters.take_all());
        drop(inner);
        #[cfg(test)]
        if self.fault == Some(Fault::SealsInSilence) {
            return;
        }
        woken.for_each(std::task::Waker::wake);
    }

    /// How many are in it.
    pub fn len(&self) -> usize {
        lock(&self.inner).queue.len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        lock(&self.inner).is_closed
    }
}

impl<T> Future for Next<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inner = lock(&self.mailbox.inner);
        if let Some(item) = inner.queue.pop_front() {
            inner.takers.forget(self.key.take());
            let woken = inner.posters.take_first();
            drop(inner);
            woken.into_iter().for_each(std::task::Waker::wake);
            return Poll::Ready(Some(item));
        }
        if inner.is_closed {
            inner.takers.forget(self.key.take());
            return Poll::Ready(None);
        }
        #[cfg(test)]
        if self.mailbox.fault == Some(Fault::LooksBeforeItWaits) {
            drop(inner);
            inner = lock(&self.mailbox.inner);
        }
        inner.takers.keep(&mut self.key, cx.waker());
        Poll::Pending
    }
}

impl<T> Drop for Next<'_, T> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut inner = lock(&self.mailbox.inner);
        let was_told = !inner.takers.forget(Some(key));
        // It was told of something that somebody else can take.
        let pass_on = was_told && !inner.queue.is_empty();
        #[cfg(test)]
        let pass_on = pass_on && self.mailbox.fault != Some(Fault::WakesTheDead);
        let woken = if pass_on { inner.takers.take_first() } else { None };
        drop(inner);
        woken.into_iter().for_each(std::task::Waker::wake);
    }
}

impl<T> Future for Room<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.mailbox.inner);
        if inner.is_closed || inner.queue.len() < self.mailbox.capacity {
            inner.posters.forget(self.key.take());
            return Poll::Ready(());
        }
        inner.posters.keep(&mut self.key, cx.waker());
        Poll::Pending
    }
}

impl<T> Drop for Room<'_, T> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut inner = lock(&self.mailbox.inner);
        let was_told = !inner.posters.forget(Some(key));
        let pass_on = was_told && inner.queue.len() < self.mailbox.capacity;
        let woken = if pass_on { inner.posters.take_first() } else { None };
        drop(inner);
        woken.into_iter().for_each(std::task::Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Size, explore, finds};
    use loom::future::block_on;
    use loom::thread;
    use std::sync::Arc;
    use std::task::Waker;

    fn mailbox(capacity: usize, fault: Option<Fault>) -> Arc<Mailbox<u8>> {
        Arc::new(Mailbox { fault, ..Mailbox::new(capacity) })
    }

    /// Some post, one takes a single item, and the mailbox is closed at any moment.
    fn nothing_is_lost(fault: Option<Fault>, posters: u8, size: Size) {
        explore(size, move || {
            let mailbox = mailbox(2, fault);
            let posters: Vec<_> = (0..posters)
                .map(|poster| {
                    let mailbox = Arc::clone(&mailbox);
                    let post = move |item: &u8| block_on(mailbox.send(*item)).is_ok();
                    thread::spawn(move || [10 * poster, 10 * poster + 1].into_iter().filter(post).collect())
                })
                .collect();
            let taker = Arc::clone(&mailbox);
            let taker = thread::spawn(move || block_on(taker.next()));
            let left = mailbox.close();
            let posted = posters.into_iter().map(|poster| poster.join().expect("it ends"));
            let accepted: Vec<u8> = posted.collect::<Vec<Vec<_>>>().concat();
            let mut settled: Vec<_> = taker.join().expect("it ends").into_iter().chain(left).collect();
            settled.sort_unstable();
            assert_eq!(settled, accepted, "what was taken or handed back, and what was accepted");
        });
    }

    /// One posts; of two who want to take, one does not wait for it.
    fn somebody_takes_it(fault: Option<Fault>, size: Size) {
        explore(size, move || {
            let mailbox = mailbox(1, fault);
            let impatient = Arc::clone(&mailbox);
            let impatient = thread::spawn(move || {
                let mut next = std::pin::pin!(impatient.next());
                if let Poll::Ready(Some(item)) = next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    impatient.post(item).expect("there is room");
                }
            });
            let poster = Arc::clone(&mailbox);
            let poster = thread::spawn(move || poster.post(1));
            assert_eq!(block_on(mailbox.next()), Some(1));
            assert_eq!(poster.join().expect("it ends"), Ok(()));
            impatient.join().expect("it ends");
        });
    }

    /// Two post into a mailbox for one, and another one takes what is there.
    fn bound_holds(fault: Option<Fault>, size: Size) {
        explore(size, move || {
            let mailbox = mailbox(1, fault);
            let posters = [1, 2].map(|item| {
                let mailbox = Arc::clone(&mailbox);
                thread::spawn(move || mailbox.post(item))
            });
            let taken = mailbox.take();
            let refused = posters.map(|poster| poster.join().expect("it ends").err());
            assert!(mailbox.len() <= 1, "more than there is room for");
            let in_there = usize::from(taken.is_some()) + mailbox.len();
            assert_eq!(in_there + refused.into_iter().flatten().count(), 2, "{refused:?}");
        });
    }

    /// One posts, another one seals, and a third takes until nothing comes.
    fn end_comes_after_the_last(fault: Option<Fault>, size: Size) {
        explore(size, move || {
            let mailbox = mailbox(2, fault);
            let poster = Arc::clone(&mailbox);
            let poster = thread::spawn(move || poster.post(1).is_ok());
            let sealer = Arc::clone(&mailbox);
            let sealer = thread::spawn(move || sealer.seal());
            let mut taken = 0;
            while block_on(mailbox.next()).is_some() {
                taken += 1;
            }
            sealer.join().expect("it ends");
            assert_eq!(taken, u8::from(poster.join().expect("it ends")), "an item was lost behind the end");
        });
    }

    #[test]
    fn sealed_mailbox_is_emptied_first() {
        end_comes_after_the_last(None, Size::TwoAndACanceller);
    }

    #[test]
    fn silent_seal_is_found() {
        finds("deadlock", || {
            end_comes_after_the_last(Some(Fault::SealsInSilence), Size::TwoAndACanceller);
        });
    }

    #[test]
    fn what_was_accepted_is_taken_once_or_handed_back() {
        nothing_is_lost(None, 1, Size::TwoAndACanceller);
        nothing_is_lost(None, 2, Size::Three);
    }

    #[test]
    fn wake_of_one_who_is_gone_goes_to_another() {
        somebody_takes_it(None, Size::TwoAndACanceller);
    }

    #[test]
    fn mailbox_never_holds_more_than_its_capacity() {
        bound_holds(None, Size::TwoAndACanceller);
    }

    #[test]
    fn close_that_comes_too_late_is_found() {
        finds("what was taken or handed back, and what was accepted", || {
            nothing_is_lost(Some(Fault::ClosesTooLate), 1, Size::TwoAndACanceller);
        });
    }

    #[test]
    fn item_that_is_not_looked_for_again_is_found() {
        finds("deadlock", || nothing_is_lost(Some(Fault::LooksBeforeItWaits), 1, Size::TwoAndACanceller));
    }

    #[test]
    fn wake_that_dies_is_found() {
        finds("deadlock", || somebody_takes_it(Some(Fault::WakesTheDead), Size::TwoAndACanceller));
    }

    #[test]
    fn mailbox_that_overflows_is_found() {
        finds("more than there is room for", || {
            bound_holds(Some(Fault::LooksBeforeItPosts), Size::TwoAndACanceller);
        });
    }
}
