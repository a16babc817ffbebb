//! How much can still go on: tasks that are ready or run, timers that are armed, and news that tokio has not delivered yet.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// A scene in which tasks have gone on so often never comes to rest: it is hundreds of times what a long one takes.
const STEPS_MAX: u64 = 100_000;

/// The promise that is broken by what never comes to rest.
pub(super) const REST: &str = "rest";

/// What can still go on, counted.
#[derive(Debug, Default)]
pub(super) struct Busy(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    count: usize,
    steps: u64,
    resting: Option<Waker>,
}

impl Busy {
    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that can go on, until it is dropped.
    pub(super) fn one(self: &Arc<Self>) -> One {
        self.lock().count += 1;
        One(Arc::clone(self))
    }

    /// A step of a task, until it is dropped.
    pub(super) fn step(self: &Arc<Self>) -> One {
        let resting = {
            let mut counted = self.lock();
            counted.count += 1;
            counted.steps += 1;
            if counted.steps < STEPS_MAX { None } else { counted.resting.take() }
        };
        resting.into_iter().for_each(Waker::wake);
        One(Arc::clone(self))
    }

    /// Waits until nothing can go on.
    ///
    /// # Errors
    /// There were too many steps.
    pub(super) async fn over(&self) -> Result<(), &'static str> {
        poll_fn(|cx| {
            let mut counted = self.lock();
            if counted.count == 0 {
                return Poll::Ready(Ok(()));
            }
            if counted.steps >= STEPS_MAX {
                return Poll::Ready(Err(REST));
            }
            counted.resting = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// Something that can go on.
#[derive(Debug)]
pub(super) struct One(Arc<Busy>);

impl Drop for One {
    fn drop(&mut self) {
        let resting = {
            let mut counted = self.0.lock();
            counted.count -= 1;
            if counted.count == 0 { counted.resting.take() } else { None }
        };
        resting.into_iter().for_each(Waker::wake);
    }
}
