//! A process: what runs in it ends at once when it is killed, and nothing of it does anything after that.
//!
//! It is a runtime in front of that of the explorer. What is spawned through it is kept in a slot, and a kill empties all slots in
//! one step. To drop a future is not to kill a process, because it may say something as it goes. It says it to the process itself, which is
//! gone, or to a connection, whose other end finds it broken, as it would.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use downbeat_rt::{Access, JoinEnd, ObjectId, Passing, Rt, Runtime, Spawned, Task, Waiting, Work};

/// A process, and the handle to kill it.
#[derive(Clone)]
pub(crate) struct Process(Arc<Shared>);

struct Shared {
    rt: Rt,
    /// Whether it lives, for whoever records who depends on whom: each step of the process reads it, and a kill writes it.
    life: ObjectId,
    waits: Waits,
    inner: Mutex<Inner>,
}

/// Which waits of a process are never over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// Those of this length and more.
    pub(crate) endless: Duration,
    /// And those of this length, but for the first.
    pub(crate) once: Option<Duration>,
}

#[derive(Default)]
struct Inner {
    is_dead: bool,
    /// Whether the wait that is over once was begun.
    has_waited: bool,
    slots: Vec<Arc<Slot>>,
}

/// Where a task of the process is. It is empty while it is polled, and when it has ended.
struct Slot(Mutex<Option<Work>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Process {
    /// A process in which some waits are never over.
    pub(crate) fn new(rt: &Rt, waits: Waits) -> Self {
        let (rt, life) = (rt.clone(), rt.object("process"));
        Self(Arc::new(Shared { rt, life, waits, inner: Mutex::default() }))
    }

    /// The runtime of what runs in it.
    pub(crate) fn rt(&self) -> Rt {
        Rt::new(Inside(Arc::clone(&self.0)))
    }

    /// Whether nobody has ended it.
    pub(crate) fn lives(&self) -> bool {
        self.0.rt.touch(self.0.life, Access::Read);
        !lock(&self.0.inner).is_dead
    }

    /// Ends it, as kill -9 does.
    pub(crate) fn kill(&self) {
        self.0.rt.touch(self.0.life, Access::Write);
        let slots = {
            let mut inner = lock(&self.0.inner);
            inner.is_dead = true;
            std::mem::take(&mut inner.slots)
        };
        for slot in slots {
            let work = lock(&slot.0).take();
            drop(work);
        }
    }
}

/// The runtime as the process sees it.
struct Inside(Arc<Shared>);

impl Runtime for Inside {
    fn spawn(&self, name: &'static str, work: Work) -> Box<dyn Spawned> {
        let slot = Arc::new(Slot(Mutex::new(Some(work))));
        lock(&self.0.inner).slots.push(Arc::clone(&slot));
        let process = Arc::clone(&self.0);
        Box::new(Running(Some(self.0.rt.spawn(name, Guarded { process, slot }))))
    }

    fn sleep(&self, duration: Duration) -> Waiting {
        let Waits { endless, once } = self.0.waits;
        // One task of the process begins them, so that there is one first.
        let is_again = once == Some(duration) && std::mem::replace(&mut lock(&self.0.inner).has_waited, true);
        if duration >= endless || is_again {
            return Box::pin(std::future::pending());
        }
        Box::pin(self.0.rt.sleep(duration))
    }

    fn now(&self) -> Duration {
        self.0.rt.now()
    }

    fn random(&self, below: u64) -> u64 {
        self.0.rt.random(below)
    }

    fn object(&self, name: &'static str) -> ObjectId {
        self.0.rt.object(name)
    }

    fn touch(&self, object: ObjectId, access: Access) {
        self.0.rt.touch(object, access);
    }

    fn touch_part(&self, object: ObjectId, part: usize, access: Access) {
        self.0.rt.touch_part(object, part, access);
    }

    fn passed(&self, object: ObjectId, passing: Passing) {
        self.0.rt.passed(object, passing);
    }
}

struct Running(Option<Task>);

impl Spawned for Running {
    fn abort(&self) {
        self.0.iter().for_each(Task::abort);
    }

    fn join(&mut self) -> Pin<Box<dyn Future<Output = JoinEnd> + Send + '_>> {
        let task = self.0.take();
        Box::pin(async move {
            match task {
                Some(task) => task.join().await,
                None => JoinEnd::Finished,
            }
        })
    }
}

/// A task of a process.
struct Guarded {
    process: Arc<Shared>,
    slot: Arc<Slot>,
}

impl Future for Guarded {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.process.rt.touch(self.process.life, Access::Read);
        let Some(mut work) = lock(&self.slot.0).take() else { return Poll::Pending };
        let polled = work.as_mut().poll(cx);
        // It may have killed its own process.
        if polled.is_pending() && !lock(&self.process.inner).is_dead {
            *lock(&self.slot.0) = Some(work);
        }
        polled
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // What is aborted goes with what it owns.
        self.process.rt.touch(self.process.life, Access::Read);
        let work = lock(&self.slot.0).take();
        drop(work);
        lock(&self.process.inner).slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
    }
}
