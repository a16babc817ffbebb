//! One execution of a program, from its beginning to its end.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use downbeat_rt::{JoinEnd, Work};

use super::held::{during, on_stage};
use super::misuse::Exploration;
use super::report::End;
use super::stage::{Stage, Turn};
use super::world::World;
use crate::check::panics::caught;

/// Runs executions, one after the other. Its memory is used again for the next.
pub(super) struct Executor {
    exploration: Exploration,
    world: World,
    /// The bodies of the tasks other than the root, by number less one.
    bodies: Vec<Option<Work>>,
    wakers: Vec<(Arc<TaskWaker>, Waker)>,
    /// What is dropped at the end of an execution.
    left: Vec<Waker>,
    /// What a waker said that panicked: it ends the execution, because nobody has called it whose panic it could be.
    waker_panic: Option<String>,
}

/// Wakes one task of one execution.
struct TaskWaker {
    task: usize,
    execution: AtomicU64,
    exploration: Exploration,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let execution = self.execution.load(Ordering::Relaxed);
        during(self.exploration, Some(execution), |stage| stage.wake_by_waker(self.task));
    }
}

/// How a poll went.
type Polled<T> = Result<Poll<T>, String>;

impl Executor {
    pub(super) fn new(exploration: Exploration) -> Self {
        let world = World::new(exploration);
        Self {
            exploration,
            world,
            bodies: Vec::new(),
            wakers: Vec::new(),
            left: Vec::new(),
            waker_panic: None,
        }
    }

    /// Runs the program once; `None` if the strategy has seen all that could follow.
    pub(super) fn run<T, F: Future<Output = T>>(&mut self, program: impl Fn(World) -> F) -> Option<End<T>> {
        let execution = stage(Stage::begin);
        // What the program does before it is a future belongs to its first step.
        let world = self.world.clone();
        let mut root = pin!(Some(async move { program(world).await }));
        let end = loop {
            match stage(Stage::turn) {
                Turn::Task(0) => {
                    let root = root.as_mut().as_pin_mut().expect("it has not ended");
                    match self.poll(execution, 0, root) {
                        Ok(Poll::Pending) => {}
                        Ok(Poll::Ready(value)) => break Some(Self::over(Ok(value))),
                        Err(message) => break Some(Self::over(Err(message))),
                    }
                }
                Turn::Task(number) => self.go_on(execution, number),
                Turn::Abort(number) => self.finish(number, JoinEnd::Aborted, None),
                Turn::Timer(waker) => self.wake(waker),
                Turn::Nothing => break Some(stuck()),
                Turn::TooLong => break Some(End::CutOff),
                Turn::Known => break None,
            }
            if let Some(message) = self.waker_panic.take() {
                stage(Stage::over);
                break Some(End::Panicked { task: "a waker of the program".to_owned(), message });
            }
            stage(|stage| {
                stage.rest();
                if !stage.spawned.is_empty() {
                    self.bodies.extend(stage.spawned.drain(..).map(Some));
                }
            });
        };
        let end = end.map(|end| panicked().unwrap_or(end));
        stage(|stage| stage.end(&mut self.left));
        let dropped = caught(|| root.set(None)).and(self.clear());
        match (end, dropped) {
            (Some(End::Returned(_) | End::Deadlocked(_) | End::CutOff), Err(message)) => {
                Some(End::Panicked { task: "whatever is dropped at the end".to_owned(), message })
            }
            (end, _) => end,
        }
    }

    /// Polls a task other than the root.
    fn go_on(&mut self, execution: u64, number: usize) {
        let mut body = self.bodies[number - 1].take().expect("a task that goes on has not ended");
        let polled = self.poll(execution, number, body.as_mut());
        self.bodies[number - 1] = Some(body);
        match polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(())) => self.finish(number, JoinEnd::Finished, None),
            Err(message) => self.finish(number, JoinEnd::Panicked, Some(message)),
        }
    }

    fn poll<T>(
        &mut self,
        execution: u64,
        number: usize,
        body: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    ) -> Polled<T> {
        while self.wakers.len() <= number {
            self.wakers.push(waker(self.wakers.len(), self.exploration));
        }
        let (shared, waker) = &self.wakers[number];
        shared.execution.store(execution, Ordering::Relaxed);
        caught(|| body.poll(&mut Context::from_waker(waker)))
    }

    /// Drops what a task owns, and says that it has ended.
    fn finish(&mut self, number: usize, end: JoinEnd, panic: Option<String>) {
        let body = self.bodies[number - 1].take();
        let (end, panic) = match caught(|| drop(body)) {
            Ok(()) => (end, panic),
            Err(message) => (JoinEnd::Panicked, panic.or(Some(message))),
        };
        let joiner = stage(|stage| stage.finish(number, end, panic));
        if let Some(joiner) = joiner {
            self.wake(joiner);
        }
    }

    /// Wakes whoever waits, by a waker that may be the program's own.
    fn wake(&mut self, waker: Waker) {
        self.waker_panic = caught(|| waker.wake()).err();
    }

    /// The root has ended, and everything with it.
    fn over<T>(value: Result<T, String>) -> End<T> {
        stage(Stage::over);
        match value {
            Ok(value) => End::Returned(value),
            Err(message) => End::Panicked { task: "root".to_owned(), message },
        }
    }

    /// Drops what is left of an execution.
    fn clear(&mut self) -> Result<(), String> {
        self.bodies.extend(stage(|stage| std::mem::take(&mut stage.spawned)).into_iter().map(Some));
        let left = &mut self.left;
        let mut dropped = caught(|| left.clear());
        for body in self.bodies.drain(..) {
            dropped = dropped.and(caught(|| drop(body)));
        }
        for (number, entry) in self.wakers.iter_mut().enumerate() {
            // One here and one in the waker: more if the program has kept some, which are not to wake a later task.
            if Arc::strong_count(&entry.0) > 2 {
                *entry = waker(number, self.exploration);
            }
        }
        dropped
    }
}

fn stage<R>(act: impl FnOnce(&mut Stage) -> R) -> R {
    on_stage(act).expect("an execution has a stage")
}

fn waker(task: usize, exploration: Exploration) -> (Arc<TaskWaker>, Waker) {
    let shared = Arc::new(TaskWaker { task, execution: AtomicU64::new(0), exploration });
    let waker = Waker::from(Arc::clone(&shared));
    (shared, waker)
}

/// Nothing can go on.
fn stuck<T>() -> End<T> {
    stage(|stage| {
        let mut names = stage.task_names();
        End::Deadlocked(
            stage.waiting().into_iter().map(|number| std::mem::take(&mut names[number])).collect(),
        )
    })
}

/// A task has panicked, and nobody has learned of it.
fn panicked<T>() -> Option<End<T>> {
    stage(|stage| {
        let (number, message) = stage.take_panic()?;
        let task = stage.task_names().swap_remove(number);
        Some(End::Panicked { task, message })
    })
}
