//! A process: what runs in it ends at once when it is killed, and nothing of it does anything after that.
//!
//! It is a runtime in front of another one. What is spawned through it is kept in a slot, and a kill empties all slots in one step. To drop a
//! future is not to kill a process, because it may say something as it goes. It says it to the process itself, which is gone, or to a
//! connection, whose other end finds it broken, as it would.
//!
//! On several threads, steps of the process may be under way when it is killed. They come to their ends, as system calls would, and the kill
//! waits for them; none begins after that. When [`Process::kill`] is over, nothing of the process is left that does anything.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use downbeat_rt::{Access, JoinEnd, ObjectId, Passing, Rt, Runtime, Spawned, Task, Waiting, Work};

/// A process, and the handle to kill it.
#[derive(Clone)]
pub(crate) struct Process(Arc<Body>);

struct Body {
    rt: Rt,
    /// Whether it lives, for whoever records who depends on whom: each step of the process reads it, and a kill writes it.
    life: ObjectId,
    waits: Waits,
    tasks: Mutex<Tasks>,
    /// No step is under way any more.
    still: Condvar,
    /// Held from the beginning of a kill to its end.
    kills: Mutex<()>,
}

/// Which waits of a process are never over.
#[derive(Clone)]
pub(crate) struct Waits {
    /// Those of this length and more.
    pub(crate) endless: Duration,
    /// And these, but for the first.
    pub(crate) once: Option<Once>,
}

/// A wait that is over once.
#[derive(Clone)]
pub(crate) struct Once {
    pub(crate) wait: Duration,
    /// What is to be done when it is over.
    pub(crate) over: Arc<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Tasks {
    is_dead: bool,
    /// Steps that are under way.
    steps: usize,
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
        let (tasks, still, kills) = (Mutex::default(), Condvar::new(), Mutex::new(()));
        Self(Arc::new(Body { rt, life, waits, tasks, still, kills }))
    }

    /// The runtime of what runs in it.
    pub(crate) fn rt(&self) -> Rt {
        Rt::new(Inside(Arc::clone(&self.0)))
    }

    /// Whether nobody has ended it.
    pub(crate) fn lives(&self) -> bool {
        self.0.rt.touch(self.0.life, Access::Read);
        !lock(&self.0.tasks).is_dead
    }

    /// Ends it, as kill -9 does, if nobody has. `dies` is called when no step is under way any more, and before anybody else can notice. Nothing that
    /// runs in the process may call this: it would wait for itself.
    pub(crate) fn kill(&self, dies: impl FnOnce()) {
        let Body { rt, life, tasks, still, kills, .. } = &*self.0;
        rt.touch(*life, Access::Write);
        let _one = lock(kills);
        let slots = {
            let mut tasks = lock(tasks);
            if std::mem::replace(&mut tasks.is_dead, true) {
                return;
            }
            let mut tasks =
                still.wait_while(tasks, |tasks| tasks.steps > 0).unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut tasks.slots)
        };
        dies();
        for slot in slots {
            let work = lock(&slot.0).take();
            drop(work);
        }
    }
}

impl Body {
    /// A step begins, unless the process is dead.
    fn step(&self) -> Option<Step<'_>> {
        self.rt.touch(self.life, Access::Read);
        let mut tasks = lock(&self.tasks);
        if tasks.is_dead {
            return None;
        }
        tasks.steps += 1;
        Some(Step(self))
    }
}

/// A step that is under way.
struct Step<'p>(&'p Body);

impl Drop for Step<'_> {
    fn drop(&mut self) {
        lock(&self.0.tasks).steps -= 1;
        self.0.still.notify_all();
    }
}

/// The runtime as the process sees it.
struct Inside(Arc<Body>);

impl Runtime for Inside {
    fn spawn(&self, name: &'static str, work: Work) -> Box<dyn Spawned> {
        let slot = Arc::new(Slot(Mutex::new(Some(work))));
        lock(&self.0.tasks).slots.push(Arc::clone(&slot));
        let process = Arc::clone(&self.0);
        Box::new(Running(Some(self.0.rt.spawn(name, Guarded { process, slot }))))
    }

    fn sleep(&self, duration: Duration) -> Waiting {
        let Waits { endless, once } = &self.0.waits;
        let once = once.as_ref().filter(|once| once.wait == duration);
        // One task of the process begins them, so that there is one first.
        let is_again = once.is_some() && std::mem::replace(&mut lock(&self.0.tasks).has_waited, true);
        if duration >= *endless || is_again {
            return Box::pin(std::future::pending());
        }
        let wait = self.0.rt.sleep(duration);
        match once.map(|once| Arc::clone(&once.over)) {
            None => Box::pin(wait),
            Some(over) => Box::pin(async move {
                wait.await;
                over();
            }),
        }
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
    process: Arc<Body>,
    slot: Arc<Slot>,
}

impl Future for Guarded {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(_step) = self.process.step() else { return Poll::Pending };
        let Some(mut work) = lock(&self.slot.0).take() else { return Poll::Pending };
        let polled = work.as_mut().poll(cx);
        if polled.is_pending() {
            *lock(&self.slot.0) = Some(work);
        }
        polled
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // What is aborted goes with what it owns, in a step of the process; what is left of a dead one, the kill has.
        let Some(_step) = self.process.step() else { return };
        let work = lock(&self.slot.0).take();
        drop(work);
        lock(&self.process.tasks).slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pause::pause;
    use downbeat_rt::Tokio;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    /// So often: a kill that waits for nobody is found within a few.
    const KILLS: u32 = 50;

    #[test]
    fn nothing_of_a_process_goes_on_after_a_kill() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
        let _inside = runtime.enter();
        let rt = Rt::new(Tokio::current());
        for kill in 0..KILLS {
            let process = Process::new(&rt, Waits { endless: Duration::MAX, once: None });
            let done = Arc::new(AtomicU32::new(0));
            for _ in 0..2 {
                let done = Arc::clone(&done);
                process.rt().spawn("works", async move {
                    loop {
                        // A step long enough to be under way.
                        (0..1_000).for_each(|_| _ = done.fetch_add(1, Ordering::Relaxed));
                        pause().await;
                    }
                });
            }
            while done.load(Ordering::Relaxed) < 10_000 {
                thread::yield_now();
            }
            process.kill(|| {});
            let at_its_end = done.load(Ordering::Relaxed);
            thread::sleep(Duration::from_micros(100));
            assert_eq!(done.load(Ordering::Relaxed), at_its_end, "kill {kill}");
        }
    }
}
