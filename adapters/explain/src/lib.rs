//! Whether some run of the kernel explains a recorded trace.
//!
//! A trace says little: some kinds of events only, perhaps with times of clocks that differ, perhaps with nothing but the order within
//! each task. It is *explained* if the kernel, driven by some environment, has a run in which the events of the trace happen in an order
//! that the trace allows, with steps between them that nobody has written down. This is trace validation against a specification, as
//! known from TLA+, with the kernel that ships as the specification.
//!
//! Trees of tasks know nothing of each other, so each is explained by itself.

#[cfg(test)]
mod drawn;
mod log;
mod moves;
mod search;
mod sight;
mod system;

use downbeat_kernel::Config;
use downbeat_trace::{Event, Kind, Place};

/// In which order the events of a trace happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// In that of the lines.
    Lines,
    /// Those of one task in that of the lines; nothing is known between tasks.
    Tasks,
    /// Those of one task in that of the lines, and one that has a later time by more than this, in milliseconds, after the other.
    Times {
        /// How far clocks are apart at most.
        apart_ms: f64,
    },
}

/// How a trace is explained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// In which order its events happened.
    pub order: Order,
    /// The settings of the kernel. Those by default, but that every profile has a credential that has to be asked for: what a kernel
    /// does whose keys do not change, that one may do too.
    pub config: Config,
    /// Whether nothing comes after it.
    pub is_whole: bool,
    /// Steps that nobody has written down between two that somebody has, at most. 40 by default: from the submission of a task to
    /// its first request it takes four.
    pub unobserved_max: usize,
    /// Situations that are looked at for each tree, at most. 200,000 by default, some hundred megabytes.
    pub situations_max: usize,
    /// Events of one tree, at most. 100,000 by default.
    pub events_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            order: Order::Lines,
            config: Config { profiles_keyed: 0, ..Config::default() },
            is_whole: false,
            unobserved_max: 40,
            situations_max: 200_000,
            events_max: 100_000,
        }
    }
}

/// What became of one tree of tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// Its root.
    pub root: String,
    /// Tasks of it in the trace.
    pub tasks: usize,
    /// Events of it that the kernel knows something of.
    pub events: usize,
    /// What became of them.
    pub verdict: Verdict,
    /// Situations that were looked at.
    pub situations: usize,
}

/// Whether a tree is explained.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// By this run: every event, and the steps between them.
    Explained(Vec<Step>),
    /// By no run.
    Rejected(Prefix),
    /// Nothing is known: this bound ended the search.
    Undecided(Bound, Prefix),
    /// The trace does not say how this task began.
    NoBeginning(String),
}

/// The longest beginning that a run explains.
#[derive(Clone, Debug, PartialEq)]
pub struct Prefix {
    /// The run.
    pub steps: Vec<Step>,
    /// How many events it explains.
    pub explained: usize,
    /// The events of which one would have to come next, and none can.
    pub next: Vec<Place>,
    /// Where the tasks stand then, in words.
    pub stand: Vec<String>,
}

/// A bound of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// [`Settings::unobserved_max`].
    Unobserved,
    /// [`Settings::situations_max`].
    Situations,
    /// [`Settings::events_max`].
    Events,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An event of the trace.
    Observed(Place),
    /// Something that nobody has written down, in words.
    Unobserved(String),
}

/// Kinds that say nothing to the tree of tasks in the kernel: they are left out.
pub const LEFT_OUT: [Kind; 15] = [
    Kind::RefreshStarted,
    Kind::RefreshEnded,
    Kind::CredentialStored,
    Kind::Interrupt,
    Kind::AgentAssigned,
    Kind::AgentActive,
    Kind::AgentReleased,
    Kind::IteratorStarted,
    Kind::IteratorEnded,
    Kind::Notified,
    Kind::CallEntered,
    Kind::CallLeft,
    Kind::LockWaited,
    Kind::LockTaken,
    Kind::LockReleased,
];

/// Explains a trace, tree by tree, in the order of their first events.
pub fn explain<'e>(
    events: impl IntoIterator<Item = (Place, Event<'e>)>,
    settings: Settings,
) -> Vec<Explained> {
    log::trees(events, settings.order).into_iter().map(|tree| search::explain(&tree, settings)).collect()
}
