//! A task on tokio of which is known whether it can go on.
//!
//! It counts as long as anything may still come of it: it was woken and was not polled since; it is polled; it has ended or was aborted, and is there
//! still; or it is gone, and whoever joins it has not heard of that. tokio says nothing of the kind, so the task has a waker of its own in front of
//! that of tokio.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use downbeat_rt::{JoinEnd, Spawned, Waiting, Work};

use super::busy::{Busy, One};

/// What a task, its wakers and its handle share.
pub(super) struct Actor {
    busy: Arc<Busy>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// That of tokio.
    waker: Option<Waker>,
    /// It was woken, and was not polled since.
    ready: Option<One>,
    /// It was aborted.
    aborted: Option<One>,
    /// What it owned is dropped.
    is_over: bool,
    is_joined: bool,
    /// It is over, and whoever joins it has not heard.
    unheard: Option<One>,
}

impl Actor {
    /// One that was just spawned.
    pub(super) fn new(busy: &Arc<Busy>) -> Arc<Self> {
        let state = State { ready: Some(busy.one()), ..State::default() };
        Arc::new(Self { busy: Arc::clone(busy), state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is polled, and counts as that.
    fn begins(&self, waker: &Waker) -> One {
        let step = self.busy.step();
        let mut state = self.lock();
        state.waker = Some(waker.clone());
        state.ready = None;
        step
    }
}

impl Wake for Actor {
    fn wake(self: Arc<Self>) {
        let waker = {
            let mut state = self.lock();
            if !state.is_over && state.ready.is_none() {
                state.ready = Some(self.busy.one());
            }
            state.waker.clone()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

/// What tokio runs: the work of a task, which is late whenever that is drawn.
pub(super) struct Acting<L> {
    actor: Arc<Actor>,
    work: Option<Work>,
    /// Whether it is late this time, and for how long.
    lateness: L,
    late: Option<Waiting>,
    /// It is polled; or it has ended, or panicked, and is there still.
    step: Option<One>,
}

impl<L: FnMut() -> Option<Waiting>> Acting<L> {
    pub(super) fn new(actor: Arc<Actor>, work: Work, lateness: L) -> Self {
        Self { actor, work: Some(work), lateness, late: None, step: None }
    }

    fn go_on(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { work, lateness, late, .. } = self;
        if late.is_none() {
            *late = lateness();
        }
        if late.as_mut().is_some_and(|late| late.as_mut().poll(cx).is_pending()) {
            return Poll::Pending;
        }
        *late = None;
        work.as_mut().map_or(Poll::Ready(()), |work| work.as_mut().poll(cx))
    }
}

impl<L: FnMut() -> Option<Waiting> + Unpin> Future for Acting<L> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let acting = self.get_mut();
        acting.step = Some(acting.actor.begins(cx.waker()));
        let waker = Waker::from(Arc::clone(&acting.actor));
        let polled = acting.go_on(&mut Context::from_waker(&waker));
        if polled.is_pending() {
            acting.step = None;
        }
        polled
    }
}

impl<L> Drop for Acting<L> {
    fn drop(&mut self) {
        let _goes = self.actor.busy.one();
        drop((self.work.take(), self.late.take()));
        let waker = {
            let mut state = self.actor.lock();
            state.is_over = true;
            state.unheard = state.is_joined.then(|| self.actor.busy.one());
            (state.ready, state.aborted) = (None, None);
            state.waker.take()
        };
        drop(waker);
    }
}

/// The handle to a task.
pub(super) struct Handle {
    pub(super) actor: Arc<Actor>,
    pub(super) inner: Box<dyn Spawned>,
}

impl Spawned for Handle {
    fn abort(&self) {
        {
            let mut state = self.actor.lock();
            if !state.is_over && state.aborted.is_none() {
                state.aborted = Some(self.actor.busy.one());
            }
        }
        self.inner.abort();
    }

    fn join(&mut self) -> Pin<Box<dyn Future<Output = JoinEnd> + Send + '_>> {
        Box::pin(async move {
            let _joining = Joining::new(&self.actor);
            self.inner.join().await
        })
    }
}

/// Somebody waits for the end of a task.
struct Joining<'h>(&'h Actor);

impl<'h> Joining<'h> {
    fn new(actor: &'h Actor) -> Self {
        let mut state = actor.lock();
        state.is_joined = true;
        state.unheard = state.is_over.then(|| actor.busy.one());
        Self(actor)
    }
}

impl Drop for Joining<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        (state.is_joined, state.unheard) = (false, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::pin::pin;

    /// A task of a runtime that has not said yet that it is over.
    struct Slow;

    impl Spawned for Slow {
        fn abort(&self) {}

        fn join(&mut self) -> Pin<Box<dyn Future<Output = JoinEnd> + Send + '_>> {
            Box::pin(pending())
        }
    }

    #[test]
    fn whoever_joins_what_is_over_counts_until_it_has_heard() {
        let busy = Arc::new(Busy::default());
        let actor = Actor::new(&busy);
        let is_over = || pin!(busy.over()).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        assert!(!is_over(), "it is ready");
        drop(Acting::new(Arc::clone(&actor), Box::pin(async {}), || None));
        assert!(is_over(), "it is gone");
        let mut handle = Handle { actor, inner: Box::new(Slow) };
        let mut joining = handle.join();
        assert!(joining.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(!is_over(), "somebody is to hear of it");
        drop(joining);
        assert!(is_over(), "nobody is");
    }
}
