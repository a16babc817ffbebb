//! A step in which others may go on.

use std::future::poll_fn;
use std::task::Poll;

/// Lets others go on.
pub(crate) async fn pause() {
    let mut was_here = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut was_here, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
