//! What a program under exploration is given: the seam, and a world that decides what it decides.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use downbeat_rt::{Access, JoinEnd, ObjectId, Passing, Rt, Runtime, Spawned, Waiting, Work};

use super::fault::{self, Fault};
use super::footprint::{Object, Touch};
use super::stage::{Joining, Sleeping, Stage, on_stage};
use super::story::Beat;

/// The world around a program: a runtime behind the seam, and everything else that somebody decides.
#[derive(Clone, Debug)]
pub struct World {
    rt: Rt,
}

impl World {
    pub(super) fn new(rt: Rt) -> Self {
        Self { rt }
    }

    /// The runtime. Its `random` depends on the seed, on who asks, and on how often that task has asked before: it is no choice.
    pub fn rt(&self) -> &Rt {
        &self.rt
    }

    /// What happens, of so many possibilities: a number below `of`. An exhaustive search tries all. The first, 0, should be what
    /// happens most often, such as no fault; the label says what is decided.
    ///
    /// # Panics
    /// If there is no possibility.
    pub fn choose(&self, of: usize, label: &'static str) -> usize {
        assert!(of > 0, "{label}: one of none");
        // What is dropped when an execution is over decides nothing any more.
        if is_over() { 0 } else { staged(|stage| stage.choose(of, label)) }
    }

    /// Whether something happens that need not, such as a fault.
    pub fn happens(&self, label: &'static str) -> bool {
        self.choose(2, label) == 1
    }

    /// Says something that whoever reads the diagram of this execution wants to know. It is made only for a diagram.
    pub fn say<S: Into<String>>(&self, words: impl FnOnce() -> S) {
        if staged(|stage| stage.tells()) {
            let words = words().into();
            staged(|stage| stage.tell(Beat::Says { words }));
        }
    }
}

/// The runtime of an execution: all that it knows is on the stage of the thread.
#[derive(Debug)]
pub(super) struct Simulated;

/// Calls with the stage of this thread.
#[track_caller]
fn staged<R>(act: impl FnOnce(&mut Stage) -> R) -> R {
    on_stage(act).expect("the seam of an exploration is used by its program alone, on its thread")
}

/// What is dropped when an execution is over may still use the seam, to no effect.
fn is_over() -> bool {
    on_stage(|stage| !stage.is_running(stage.execution())).unwrap_or(true)
}

impl Runtime for Simulated {
    fn spawn(&self, name: &'static str, work: Work) -> Box<dyn Spawned> {
        if is_over() {
            return Box::new(Handle { execution: 0, task: 0 });
        }
        staged(|stage| Box::new(Handle { execution: stage.execution(), task: stage.spawn(name, work) }))
    }

    fn sleep(&self, duration: Duration) -> Waiting {
        let deadline = if is_over() { Duration::MAX } else { staged(Stage::now).saturating_add(duration) };
        Box::pin(Sleep { deadline, armed: None })
    }

    fn now(&self) -> Duration {
        if is_over() { Duration::ZERO } else { staged(Stage::now) }
    }

    fn random(&self, below: u64) -> u64 {
        if is_over() { 0 } else { staged(|stage| stage.random(below)) }
    }

    fn object(&self, name: &'static str) -> ObjectId {
        if is_over() {
            return ObjectId::default();
        }
        ObjectId(staged(|stage| stage.object(name)).index() as u64)
    }

    fn touch(&self, object: ObjectId, access: Access) {
        let touch = match access {
            Access::Read => Touch::read(numbered(object)),
            Access::Write if fault::has(Fault::IgnoresWrites) => Touch::read(numbered(object)),
            Access::Write => Touch::write(numbered(object)),
        };
        on_stage(|stage| stage.touch(touch));
    }

    fn passed(&self, object: ObjectId, passing: Passing) {
        on_stage(|stage| {
            if stage.tells() {
                stage.tell(Beat::Passes { object: numbered(object), passing });
            }
        });
    }
}

fn numbered(object: ObjectId) -> Object {
    Object::numbered(usize::try_from(object.0).unwrap_or(usize::MAX))
}

/// A task of an execution.
#[derive(Debug)]
struct Handle {
    execution: u64,
    task: usize,
}

impl Handle {
    /// Calls with the stage, if the execution goes on.
    fn during<R>(&self, act: impl FnOnce(&mut Stage) -> R) -> Option<R> {
        on_stage(|stage| stage.is_running(self.execution).then(|| act(stage))).flatten()
    }
}

impl Spawned for Handle {
    fn abort(&self) {
        self.during(|stage| stage.abort(self.task));
    }

    fn join(&mut self) -> Pin<Box<dyn Future<Output = JoinEnd> + Send + '_>> {
        Box::pin(Join(self))
    }
}

struct Join<'h>(&'h Handle);

impl Future for Join<'_> {
    type Output = JoinEnd;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<JoinEnd> {
        match self.0.during(|stage| stage.join(self.0.task, cx.waker())) {
            Some(Joining::Ended(end)) => Poll::Ready(end),
            Some(Joining::Waits(before)) => {
                drop(before);
                Poll::Pending
            }
            // Nobody polls when the execution is over, but for what is dropped then and does.
            None => Poll::Ready(JoinEnd::Aborted),
        }
    }
}

struct Sleep {
    deadline: Duration,
    /// The execution and the number of its timer, once it is armed.
    armed: Option<(u64, usize)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if is_over() {
            return Poll::Pending;
        }
        let Some((_, serial)) = self.armed else {
            if staged(Stage::now) >= self.deadline {
                return Poll::Ready(());
            }
            let waker = cx.waker().clone();
            let deadline = self.deadline;
            self.armed = Some(staged(|stage| (stage.execution(), stage.arm(deadline, waker))));
            return Poll::Pending;
        };
        match staged(|stage| stage.rearm(serial, cx.waker())) {
            Sleeping::Armed(before) => {
                drop(before);
                Poll::Pending
            }
            Sleeping::Fired => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some((execution, serial)) = self.armed else { return };
        let waker = on_stage(|stage| if stage.is_running(execution) { stage.disarm(serial) } else { None });
        drop(waker);
    }
}
