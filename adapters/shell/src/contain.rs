//! What an adapter does wrong stays with it: one that panics has failed, and the shard goes on.

use crate::ports::Doing;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Poll;

/// Asks an adapter for something. If that panics already, what it was asked for does.
pub(crate) fn asked<T: Send + 'static>(ask: impl FnOnce() -> Doing<T>) -> Doing<T> {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|panic| Box::pin(async move { resume_unwind(panic) }))
}

/// Runs something of an adapter; `None` if it panics.
pub(crate) async fn contained<T>(mut doing: Doing<T>) -> Option<T> {
    poll_fn(move |cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| doing.as_mut().poll(cx)));
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })
    .await
}

/// Tells an adapter something that it answers later, or never; asks it for something that it has at once. `None` if it panics.
pub(crate) fn told<T>(tell: impl FnOnce() -> T) -> Option<T> {
    let told = catch_unwind(AssertUnwindSafe(tell)).ok();
    if told.is_none() {
        tracing::error!(target: "downbeat::shard", "an adapter has panicked");
    }
    told
}
