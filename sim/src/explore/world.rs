//! What a program under exploration is given: the seam, and a world that decides what it decides.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use downbeat_rt::{Access, JoinEnd, ObjectId, Passing, Rt, Runtime, Spawned, Waiting, Work};

use super::held::during;
use super::misuse::Exploration;
use super::stage::{Joining, Sleeping, Stage};
use super::story::Beat;

/// The world around a program: a runtime behind the seam, and everything else that somebody decides.
#[derive(Clone, Debug)]
pub struct World {
    rt: Rt,
    simulated: Simulated,
}

impl World {
    pub(super) fn new(exploration: Exploration) -> Self {
        let simulated = Simulated(exploration);
        Self { rt: Rt::new(simulated), simulated }
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
        let taken = self.simulated.during(|stage| stage.choose(of, label));
        assert!(of > 0, "{label}: one of none");
        // What is dropped when an execution is over decides nothing any more.
        taken.unwrap_or(0)
    }

    /// Whether something happens that need not, such as a fault.
    pub fn happens(&self, label: &'static str) -> bool {
        self.choose(2, label) == 1
    }

    /// Runs something that may begin at any moment, such as a crash: between any two steps, and behind everything else, also timers,
    /// where nobody chooses. So the moment is one choice. What it does from then on is in its turn.
    pub fn spawn_last(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.simulated.during(|stage| stage.spawn(name, Box::pin(work), true));
    }

    /// Waits until nothing else can go on: no other task is ready, and no timer is armed. What there is to judge at the end can be judged then.
    /// One task at a time waits for that.
    pub fn at_rest(&self) -> impl Future<Output = ()> + Send + use<> {
        AtRest { simulated: self.simulated, execution: None }
    }

    /// Says something that whoever reads the diagram of this execution wants to know. It is made only for a diagram.
    pub fn say<S: Into<String>>(&self, words: impl FnOnce() -> S) {
        if self.simulated.during(|stage| stage.tells()) == Some(true) {
            let words = words().into();
            self.simulated.during(|stage| stage.tell(Beat::Says { words }));
        }
    }
}

/// The runtime of an exploration: all that it knows is on the stage of the thread.
#[derive(Clone, Copy, Debug)]
struct Simulated(Exploration);

impl Simulated {
    /// Calls with the stage, if an execution goes on.
    fn during<R>(self, act: impl FnOnce(&mut Stage) -> R) -> Option<R> {
        during(self.0, None, act)
    }

    /// Calls with the stage, if this execution goes on.
    fn within<R>(self, execution: u64, act: impl FnOnce(&mut Stage) -> R) -> Option<R> {
        during(self.0, Some(execution), act)
    }
}

impl Runtime for Simulated {
    fn spawn(&self, name: &'static str, work: Work) -> Box<dyn Spawned> {
        let spawned = self.during(|stage| (stage.execution(), stage.spawn(name, work, false)));
        let (execution, task) = spawned.unwrap_or((0, 0));
        Box::new(Handle { simulated: *self, execution, task })
    }

    fn sleep(&self, duration: Duration) -> Waiting {
        let now = self.during(Stage::now);
        let deadline = now.map_or(Duration::MAX, |now| now.saturating_add(duration));
        Box::pin(Sleep { simulated: *self, deadline, armed: None })
    }

    fn now(&self) -> Duration {
        self.during(Stage::now).unwrap_or(Duration::ZERO)
    }

    fn random(&self, below: u64) -> u64 {
        self.during(|stage| stage.random(below)).unwrap_or(0)
    }

    fn object(&self, name: &'static str) -> ObjectId {
        self.during(|stage| stage.object(name)).unwrap_or_default()
    }

    fn touch(&self, object: ObjectId, access: Access) {
        self.during(|stage| stage.touch_object(object, None, access));
    }

    fn touch_part(&self, object: ObjectId, part: usize, access: Access) {
        self.during(|stage| stage.touch_object(object, Some(part), access));
    }

    fn passed(&self, object: ObjectId, passing: Passing) {
        self.during(|stage| stage.passed(object, passing));
    }
}

/// A task of an execution.
#[derive(Debug)]
struct Handle {
    simulated: Simulated,
    execution: u64,
    task: usize,
}

impl Spawned for Handle {
    fn abort(&self) {
        self.simulated.within(self.execution, |stage| stage.abort(self.task));
    }

    fn join(&mut self) -> Pin<Box<dyn Future<Output = JoinEnd> + Send + '_>> {
        Box::pin(Join(self))
    }
}

struct Join<'h>(&'h Handle);

impl Future for Join<'_> {
    type Output = JoinEnd;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<JoinEnd> {
        // Cloned and dropped where the stage is not borrowed: it may be the program's own.
        let waker = cx.waker().clone();
        match self.0.simulated.within(self.0.execution, |stage| stage.join(self.0.task, waker)) {
            Some(Joining::Ended(end, waker)) => {
                drop(waker);
                Poll::Ready(end)
            }
            Some(Joining::Waits(before)) => {
                drop(before);
                Poll::Pending
            }
            // Nobody polls when the execution is over, but for what is dropped then and does.
            None => Poll::Ready(JoinEnd::Aborted),
        }
    }
}

/// Waits until nothing else can go on.
struct AtRest {
    simulated: Simulated,
    /// In which execution it has begun to.
    execution: Option<u64>,
}

impl Future for AtRest {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<()> {
        let begun = self.execution;
        let waits = self.simulated.during(|stage| (stage.execution(), stage.wait_for_rest(begun.is_some())));
        let Some((execution, waits)) = waits else { return Poll::Pending };
        // What has come waits for nothing that its end could give up.
        self.execution = waits.then_some(execution);
        if waits { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for AtRest {
    fn drop(&mut self) {
        if let Some(execution) = self.execution {
            self.simulated.within(execution, Stage::give_up_rest);
        }
    }
}

struct Sleep {
    simulated: Simulated,
    deadline: Duration,
    armed: Option<Armed>,
}

/// A timer of an execution.
#[derive(Clone, Copy)]
struct Armed {
    execution: u64,
    serial: usize,
    /// The task that has polled it last.
    task: usize,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = &mut *self;
        let Some(armed) = &mut sleep.armed else {
            let Some(now) = sleep.simulated.during(Stage::now) else { return Poll::Pending };
            if now >= sleep.deadline {
                return Poll::Ready(());
            }
            // Wakers are cloned and dropped where the stage is not borrowed: they may be the program's own.
            let waker = cx.waker().clone();
            sleep.simulated.during(|stage| {
                let (serial, task) = stage.arm(sleep.deadline, waker);
                sleep.armed = Some(Armed { execution: stage.execution(), serial, task });
            });
            return Poll::Pending;
        };
        let found = sleep.simulated.within(armed.execution, |stage| {
            let before = std::mem::replace(&mut armed.task, stage.acting_number());
            stage.look_at_timer(armed.serial, before, cx.waker())
        });
        match found {
            Some(Sleeping::Fired) => Poll::Ready(()),
            Some(Sleeping::WakesAnother) => {
                let waker = cx.waker().clone();
                drop(sleep.simulated.within(armed.execution, |stage| stage.rearm(armed.serial, waker)));
                Poll::Pending
            }
            Some(Sleeping::Armed) | None => Poll::Pending,
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some(armed) = self.armed else { return };
        let disarm = |stage: &mut Stage| stage.disarm(armed.serial, armed.task);
        drop(self.simulated.within(armed.execution, disarm));
    }
}
