//! A bounded queue between tasks, the one that threads share and loom has checked.

use crate::runtime::{Access, ObjectId, Passing, Rt};
use downbeat_handoff::{Mailbox, Refused};
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tasks that do something at one end of a queue have it in common, and those at different ends the places that they use: whoever
/// posts the n-th and whoever takes the n-th, or the one that has to be taken before there is room. Whatever else is done touches
/// both ends.
struct Shared<T> {
    rt: Rt,
    object: ObjectId,
    mailbox: Mailbox<T>,
    capacity: usize,
    senders: AtomicUsize,
    /// How many were posted and taken: which place is next at each end.
    posted: AtomicUsize,
    taken: AtomicUsize,
}

/// The parts of a queue: its ends, and as many places as there is room for.
const POSTING: usize = 0;
const TAKING: usize = 1;
const PLACES: usize = 2;

impl<T> Shared<T> {
    fn touch_end(&self, end: usize, access: Access) {
        self.rt.touch_part(self.object, end, access);
    }

    fn touch(&self) {
        self.touch_end(POSTING, Access::Write);
        self.touch_end(TAKING, Access::Write);
    }

    /// Looks at the place that is next at one end.
    fn touch_next(&self, end: usize) {
        self.touch_end(end, Access::Write);
        let next = if end == POSTING { &self.posted } else { &self.taken };
        let place = next.load(Ordering::Relaxed) % self.capacity;
        self.rt.touch_part(self.object, PLACES + place, Access::Write);
    }

    /// Says that something was taken, if it was.
    fn taken(&self, item: Option<T>) -> Option<T> {
        item.inspect(|_| {
            self.taken.fetch_add(1, Ordering::Relaxed);
            self.rt.passed(self.object, Passing::Out);
        })
    }

    /// Waits, and says so each time that it looks by what it looks at, and when it is given up that it touches all: what it was told
    /// may then be passed on to another.
    async fn touching<F: Future>(&self, waiting: F, looks: impl Fn()) -> F::Output {
        let mut told = Told(Some(self));
        let mut waiting = pin!(waiting);
        let found = poll_fn(|cx| {
            looks();
            waiting.as_mut().poll(cx)
        })
        .await;
        told.0 = None;
        found
    }
}

/// Says, when a wait is given up, that the queue was touched.
struct Told<'s, T>(Option<&'s Shared<T>>);

impl<T> Drop for Told<'_, T> {
    fn drop(&mut self) {
        self.0.into_iter().for_each(Shared::touch);
    }
}

/// The end that posts. There may be many; when the last is dropped, the queue ends behind what is in it.
pub struct Sender<T>(Arc<Shared<T>>);

/// The end that takes. Dropped, it closes the queue, and what is in it is dropped too.
pub struct Receiver<T>(Arc<Shared<T>>);

/// Nobody takes anything any more. What was to be posted comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why nothing was posted. It comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// There is no room now.
    Full(T),
    /// Nobody takes anything any more.
    Closed(T),
}

pub(crate) fn channel<T>(rt: Rt, name: &'static str, capacity: usize) -> (Sender<T>, Receiver<T>) {
    let object = rt.object(name);
    let shared = Arc::new(Shared {
        rt,
        object,
        mailbox: Mailbox::new(capacity),
        capacity: capacity.max(1),
        senders: AtomicUsize::new(1),
        posted: AtomicUsize::new(0),
        taken: AtomicUsize::new(0),
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

impl<T: Send> Sender<T> {
    /// Posts as soon as there is room. What is dropped while it waits was not posted.
    ///
    /// # Errors
    /// Gives back what nobody takes any more.
    pub async fn send(&self, item: T) -> Result<(), SendError<T>> {
        let mut item = item;
        loop {
            match self.try_send(item) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed(item)) => return Err(SendError(item)),
                Err(TrySendError::Full(back)) => item = back,
            }
            self.0.touching(self.0.mailbox.room(), || self.0.touch()).await;
        }
    }

    /// Posts without waiting.
    ///
    /// # Errors
    /// Gives back what there is no room for, or nobody to take.
    pub fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        self.0.touch_next(POSTING);
        self.0.mailbox.post(item).map_err(|refused| match refused {
            Refused::Full(item) => TrySendError::Full(item),
            Refused::Closed(item) => TrySendError::Closed(item),
        })?;
        self.0.posted.fetch_add(1, Ordering::Relaxed);
        self.0.rt.passed(self.0.object, Passing::In);
        Ok(())
    }

    /// Lets nothing in any more, from anybody. What is there can still be taken.
    pub fn seal(&self) {
        self.0.touch();
        self.0.mailbox.seal();
    }

    /// How many wait to be taken.
    pub fn waiting(&self) -> usize {
        self.0.touch_end(POSTING, Access::Read);
        self.0.touch_end(TAKING, Access::Read);
        self.0.mailbox.len()
    }
}

impl<T: Send> Receiver<T> {
    /// Waits for the next one; `None` once nothing comes any more.
    pub async fn next(&mut self) -> Option<T> {
        let item = self.0.touching(self.0.mailbox.next(), || self.0.touch_next(TAKING)).await;
        self.0.taken(item)
    }

    /// Takes the next one if it is there.
    pub fn take(&mut self) -> Option<T> {
        self.0.touch_next(TAKING);
        self.0.taken(self.0.mailbox.take())
    }

    /// Lets nothing in any more, and hands back what nobody took.
    pub fn close(&mut self) -> VecDeque<T> {
        self.0.touch();
        let left = self.0.mailbox.close();
        for _ in &left {
            self.0.rt.passed(self.0.object, Passing::Out);
        }
        left
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.senders.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // Also where it is not the last: which one is depends on the order in which they go.
        self.0.touch_end(POSTING, Access::Write);
        if self.0.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.touch_end(TAKING, Access::Write);
            self.0.mailbox.seal();
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.0.touch();
        drop(self.0.mailbox.close());
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}
