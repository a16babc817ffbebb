//! What a runtime has to do, and the handle by which code asks for it.

use crate::cell::{self, Cell};
use crate::channel::{self, Receiver, Sender};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Something to be run to its end.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A wait that a runtime has begun.
pub type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something that tasks share, as far as a runtime wants to know: numbered by the runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u64);

/// What a step of a task does with something shared. Two steps that do nothing with the same thing, or only read it, lead to the
/// same state in either order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// It looks.
    Read,
    /// It changes it, or waits for a change.
    Write,
}

/// Which way something goes through a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Passing {
    /// It was put in, behind all others.
    In,
    /// The one that had been there longest was taken out.
    Out,
}

/// What is below the seam.
pub trait Runtime: Send + Sync + 'static {
    /// Begins to run something. The name is for whoever reads a schedule.
    fn spawn(&self, name: &'static str, work: Work) -> Box<dyn Spawned>;

    /// Waits.
    fn sleep(&self, duration: Duration) -> Waiting;

    /// The time since the runtime began.
    fn now(&self) -> Duration;

    /// A number below this one, which is not 0. For what has to differ, and not for secrets.
    fn random(&self, below: u64) -> u64;

    /// A number for something that tasks share.
    fn object(&self, name: &'static str) -> ObjectId {
        let _ = name;
        ObjectId::default()
    }

    /// The task that runs does that with something shared.
    fn touch(&self, object: ObjectId, access: Access) {
        let _ = (object, access);
    }

    /// The task that runs does that with this part of something shared. A runtime that knows no parts takes it for the whole; to one
    /// that does, whoever touches the whole touches none of its parts.
    fn touch_part(&self, object: ObjectId, part: usize, access: Access) {
        let _ = part;
        self.touch(object, access);
    }

    /// The task that runs has put something into a queue, or taken it out. For whoever draws a schedule.
    fn passed(&self, object: ObjectId, passing: Passing) {
        let _ = (object, passing);
    }
}

/// Something that was spawned.
pub trait Spawned: Send + Sync {
    /// Stops it at the next point where it waits. What it owns is dropped there.
    fn abort(&self);

    /// Waits until it has ended and what it owned is dropped. Asked once.
    fn join(&mut self) -> Pin<Box<dyn Future<Output = JoinEnd> + Send + '_>>;
}

/// How something that was spawned came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinEnd {
    /// By itself.
    Finished,
    /// It was aborted before.
    Aborted,
    /// It panicked.
    Panicked,
}

/// A handle to a runtime.
#[derive(Clone)]
pub struct Rt(Arc<dyn Runtime>);

impl Rt {
    /// The handle to this runtime.
    pub fn new(runtime: impl Runtime) -> Self {
        Self(Arc::new(runtime))
    }

    /// Runs something beside what runs now. The name is for whoever reads a schedule.
    pub fn spawn(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> Task {
        Task(self.0.spawn(name, Box::pin(work)))
    }

    /// Waits.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        self.0.sleep(duration)
    }

    /// The time since the runtime began.
    pub fn now(&self) -> Duration {
        self.0.now()
    }

    /// A number below this one, which is not 0. For what has to differ, and not for secrets.
    pub fn random(&self, below: u64) -> u64 {
        self.0.random(below)
    }

    /// A bounded queue between tasks.
    pub fn channel<T: Send>(&self, name: &'static str, capacity: usize) -> (Sender<T>, Receiver<T>) {
        channel::channel(self.clone(), name, capacity)
    }

    /// A value that tasks share.
    pub fn cell<T>(&self, name: &'static str, value: T) -> Cell<T> {
        cell::cell(self.clone(), name, value)
    }

    /// A number for something that tasks share.
    pub fn object(&self, name: &'static str) -> ObjectId {
        self.0.object(name)
    }

    /// The task that runs does that with something shared.
    pub fn touch(&self, object: ObjectId, access: Access) {
        self.0.touch(object, access);
    }

    /// The task that runs does that with this part of something shared, and not with the whole or with other parts.
    pub fn touch_part(&self, object: ObjectId, part: usize, access: Access) {
        self.0.touch_part(object, part, access);
    }

    /// The task that runs has put something into a queue, or taken it out.
    pub fn passed(&self, object: ObjectId, passing: Passing) {
        self.0.passed(object, passing);
    }
}

impl fmt::Debug for Rt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rt")
    }
}

/// Something that was spawned. Dropped, it runs on.
pub struct Task(Box<dyn Spawned>);

impl Task {
    /// Stops it at the next point where it waits.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Waits until it has ended and what it owned is dropped.
    pub async fn join(mut self) -> JoinEnd {
        self.0.join().await
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Task")
    }
}
