//! What a program may not do with the seam, and where it is noted.
//!
//! A panic would not do: the program may catch it, and one on another thread ends that thread alone. So what was done is noted first,
//! and the search ends with it when the execution is over, whatever the program has made of it.

use std::fmt;
use std::sync::OnceLock;
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

/// The first misuse in one exploration. It stands for the exploration too: whatever belongs to it refers to this.
#[derive(Debug)]
pub(super) struct Misuses {
    thread: ThreadId,
    first: OnceLock<Misuse>,
}

impl Misuses {
    /// Those of an exploration on this thread.
    pub(super) fn new() -> Self {
        Self { thread: thread::current().id(), first: OnceLock::new() }
    }

    pub(super) fn note(&self, misuse: Misuse) {
        // The others may follow from the first.
        self.first.get_or_init(|| misuse);
    }

    /// Something of the exploration is used where it does not take place. When it is over, and on its thread, that does nothing.
    pub(super) fn note_elsewhere(&self) {
        if thread::current().id() != self.thread {
            self.note(Misuse::Thread);
        }
    }

    pub(super) fn first(&self) -> Option<&Misuse> {
        self.first.get()
    }
}
