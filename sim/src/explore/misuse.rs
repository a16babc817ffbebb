//! What a program may not do with the seam, and where it is noted.
//!
//! A panic would not do: the program may catch it, and one on another thread ends that thread alone. So what was done is noted first,
//! and the search ends with it when the execution is over, whatever the program has made of it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};

use super::schedule::Schedule;

/// What a program did that no search can order, or that makes one execution depend on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// The seam, or the waker of a task, was used on another thread.
    Thread,
    /// A queue, a cell, a task, a timer or a waker was used in another execution than the one that it was made in.
    Kept,
    /// A task was woken by a step that has touched nothing of the seam that the task had to do with: they share something past it.
    Unrecorded {
        /// Which task was woken.
        woken: String,
        /// Whose step it was: a task, or a timer of one.
        by: String,
    },
    /// An execution differs from another one in the order of steps alone that have nothing in common on the seam, and comes to
    /// another end: tasks share something past the seam.
    Apart {
        /// Its choices.
        schedule: Schedule,
    },
    /// The seam was asked for something by nobody: by a waker of the program's own, when a timer fired.
    NoStep,
    /// The world was asked to choose, and there was nothing to choose from.
    OneOfNone {
        /// What was to be decided.
        label: &'static str,
    },
    /// Two tasks wait at once until nobody else can go on.
    TwoAtRest,
    /// The program explores.
    Nested,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread => write!(f, "it used the seam, or woke a task, on another thread"),
            Self::Kept => write!(f, "it kept something of the seam from one execution to another"),
            Self::Unrecorded { woken, by } => write!(
                f,
                "{by} woke {woken}, and they have touched nothing in common: they share something past the seam"
            ),
            Self::Apart { schedule } => write!(
                f,
                "two executions differ in the order of steps with nothing in common, and come to different ends: tasks share something past the seam. One of the two is {schedule}"
            ),
            Self::NoStep => write!(f, "a waker of its own asked the seam for something when a timer fired"),
            Self::OneOfNone { label } => write!(f, "{label}: it asked for one of none"),
            Self::TwoAtRest => write!(f, "two tasks wait until nobody else can go on"),
            Self::Nested => write!(f, "it explores, and is explored"),
        }
    }
}

/// An exploration, by a number that no other one of this process has. Whatever belongs to it knows it by that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exploration(u64);

/// Those that go on, on all threads.
static GOING_ON: Mutex<Vec<Arc<Misuses>>> = Mutex::new(Vec::new());

impl Exploration {
    /// Something of it is used where it does not take place. When it is over, and on its thread, that does nothing.
    pub(super) fn note_elsewhere(self) {
        let going_on = going_on();
        let thread = thread::current().id();
        let is_used = |misuses: &&Arc<Misuses>| misuses.exploration == self && misuses.thread != thread;
        if let Some(misuses) = going_on.iter().find(is_used) {
            misuses.note(Misuse::Thread);
        }
    }
}

fn going_on() -> MutexGuard<'static, Vec<Arc<Misuses>>> {
    // Nothing panics while it is held.
    GOING_ON.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first misuse in one exploration.
#[derive(Debug)]
pub(super) struct Misuses {
    exploration: Exploration,
    thread: ThreadId,
    first: OnceLock<Misuse>,
}

impl Misuses {
    /// Those of an exploration on this thread, which does not go on yet.
    pub(super) fn new() -> Self {
        static BEFORE: AtomicU64 = AtomicU64::new(0);
        let exploration = Exploration(BEFORE.fetch_add(1, Ordering::Relaxed));
        Self { exploration, thread: thread::current().id(), first: OnceLock::new() }
    }

    pub(super) fn exploration(&self) -> Exploration {
        self.exploration
    }

    /// The exploration goes on from here: other threads can note what they misuse.
    pub(super) fn begin(self: &Arc<Self>) {
        going_on().push(Arc::clone(self));
    }

    /// The exploration is over.
    pub(super) fn end(&self) {
        going_on().retain(|misuses| misuses.exploration != self.exploration);
    }

    pub(super) fn note(&self, misuse: Misuse) {
        // The others may follow from the first.
        self.first.get_or_init(|| misuse);
    }

    pub(super) fn first(&self) -> Option<&Misuse> {
        self.first.get()
    }
}
