//! What an adapter does wrong stays with it: one that panics has failed, and the shard goes on.

use crate::ports::Doing;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Asks an adapter for something. If that panics already, what it was asked for does.
pub(crate) fn asked<T: Send + 'static>(ask: impl FnOnce() -> Doing<T>) -> Doing<T> {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|panic| Box::pin(async move { resume_unwind(panic) }))
}

/// Runs something of an adapter; `None` if it panics.
pub(crate) fn contained<T>(doing: Doing<T>) -> Contained<T> {
    Contained(Some(doing))
}

/// Something of an adapter that runs. It is gone when it is done, and what panics while it is dropped is contained too.
pub(crate) struct Contained<T>(Option<Doing<T>>);

impl<T> Contained<T> {
    fn end(&mut self) {
        if let Some(doing) = self.0.take() {
            told(|| drop(doing));
        }
    }
}

impl<T> Future for Contained<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(doing) = &mut self.0 else { return Poll::Ready(None) };
        let answer = match catch_unwind(AssertUnwindSafe(|| doing.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(answer)) => Some(answer),
            Err(_) => None,
        };
        self.end();
        Poll::Ready(answer)
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Tells an adapter something that it answers later, or never; asks it for something that it has at once. `None` if it panics.
pub(crate) fn told<T>(tell: impl FnOnce() -> T) -> Option<T> {
    let told = catch_unwind(AssertUnwindSafe(tell)).ok();
    if told.is_none() {
        tracing::error!(target: "downbeat::shard", "an adapter has panicked");
    }
    told
}
