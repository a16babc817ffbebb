//! What an exploration found.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::schedule::Schedule;

/// How an execution came to its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End<T> {
    /// The program returned this.
    Returned(T),
    /// The program waits, and nothing is ready and no timer is armed. These tasks had not ended.
    Deadlocked(Vec<String>),
    /// The program panicked, or a task of it did of which nobody learned by joining it.
    Panicked {
        /// Which task: `root` is the program itself.
        task: String,
        /// What it said.
        message: String,
    },
    /// It was cut off after as many steps as are allowed. What it would have come to is not known.
    CutOff,
}

impl<T> End<T> {
    /// Whether the program is wrong if this can happen.
    pub fn is_failure(&self) -> bool {
        match self {
            Self::Deadlocked(_) | Self::Panicked { .. } => true,
            Self::Returned(_) | Self::CutOff => false,
        }
    }
}

impl<T: fmt::Debug> fmt::Display for End<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned(value) => write!(f, "returned {value:?}"),
            Self::Deadlocked(tasks) => {
                write!(f, "deadlock: nothing can go on, and {} wait", tasks.join(", "))
            }
            Self::Panicked { task, message } => write!(f, "{task} panicked: {message}"),
            Self::CutOff => write!(f, "cut off, after as many steps as are allowed"),
        }
    }
}

/// How often an end was seen, and how to see it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// In so many executions. It depends on which executions the strategy chose.
    pub executions: u64,
    /// The choices of the first of them.
    pub first: Schedule,
    /// Which execution of the search that was, from 1.
    pub nth: u64,
    /// How long the search had taken when it had ended.
    pub after: Duration,
    /// So many other ends were seen before.
    pub(super) number: u32,
}

/// What part of all executions was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All, but for those that differ from one that was seen in the order of steps that have nothing in common.
    Complete,
    /// All that have at most so many choices other than the first.
    Bounded(usize),
    /// Some, drawn at random.
    Sampled,
    /// Some, until this.
    Stopped(Stop),
}

/// What ended an exploration before it had seen what it was to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// At least one execution was cut off after so many steps. All others were seen.
    Steps(usize),
    /// There were so many executions.
    Executions(u64),
    /// The time was over.
    Time(Duration),
    /// A failure was found, and one was enough.
    Failure,
    /// It was asked to end.
    Interrupt,
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Complete => write!(f, "complete"),
            Self::Bounded(1) => write!(f, "bounded: at most 1 choice other than the first"),
            Self::Bounded(most) => write!(f, "bounded: at most {most} choices other than the first"),
            Self::Sampled => write!(f, "sampled"),
            Self::Stopped(Stop::Steps(most)) => {
                write!(f, "incomplete: executions were cut off after {most} steps")
            }
            Self::Stopped(Stop::Executions(most)) => write!(f, "incomplete: ended after {most} executions"),
            Self::Stopped(Stop::Time(time)) => {
                write!(f, "incomplete: ended after {} seconds", time.as_secs_f64())
            }
            Self::Stopped(Stop::Failure) => write!(f, "incomplete: ended at the first failure"),
            Self::Stopped(Stop::Interrupt) => write!(f, "incomplete: interrupted"),
        }
    }
}

/// Everything that an exploration found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<T> {
    /// How executions ended.
    pub ends: BTreeMap<End<T>, Seen>,
    /// What part of all executions was seen.
    pub extent: Extent,
    /// Executions that came to an end, or were cut off.
    pub executions: u64,
    /// Executions that were given up because all that could follow had been seen.
    pub given_up: u64,
    /// Distinct classes of executions that came to an end: two of one class differ in the order of steps that have nothing in
    /// common. They are told apart by numbers of 128 bits; `None` if nobody counted.
    pub classes: Option<u64>,
    /// Steps of all executions, also of those that were given up.
    pub steps: u64,
    /// Steps of the longest execution.
    pub longest: usize,
    /// Virtual time that passed in all executions.
    pub simulated: Duration,
    /// Wall-clock time. The only field that differs between two runs of the same exploration.
    pub elapsed: Duration,
}

impl<T> Report<T> {
    /// What the program returned, in all executions.
    pub fn returned(&self) -> impl Iterator<Item = &T> {
        self.ends.keys().filter_map(|end| match end {
            End::Returned(value) => Some(value),
            End::Deadlocked(_) | End::Panicked { .. } | End::CutOff => None,
        })
    }

    /// The ends that must not be.
    pub fn failures(&self) -> impl Iterator<Item = (&End<T>, &Seen)> {
        self.ends.iter().filter(|(end, _)| end.is_failure())
    }

    /// How many executions were begun for each class: 1 if nothing was done twice. `None` if nobody counted.
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    pub fn redundancy(&self) -> Option<f64> {
        self.classes.map(|classes| (self.executions + self.given_up) as f64 / classes.max(1) as f64)
    }
}

/// How far an exploration has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Executions that came to an end.
    pub executions: u64,
    /// Executions that were given up.
    pub given_up: u64,
    /// Steps of all executions.
    pub steps: u64,
    /// Ends that differ.
    pub ends: usize,
    /// Time since it began.
    pub elapsed: Duration,
}

impl Progress {
    /// Executions per second so far.
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let executions = (self.executions + self.given_up) as f64;
        executions / self.elapsed.as_secs_f64().max(1e-9)
    }
}
