//! Whether some run of the kernel explains a recorded trace.
//!
//! A trace says little: some kinds of events only, perhaps with times of clocks that differ, perhaps with nothing but the order within
//! each task. It is *explained* if the kernel, driven by some environment, has a run in which the events of the trace happen in an order
//! that the trace allows, with steps between them that nobody has written down. This is trace validation against a specification, as
//! known from TLA+, with the kernel that ships as the specification.
//!
//! Trees of tasks know nothing of each other, so each is explained by itself.

#[cfg(test)]
mod cases;
#[cfg(test)]
mod drawn;
mod guess;
mod log;
mod observed;
mod search;
mod sight;
mod system;
mod unobserved;

use std::sync::atomic::AtomicBool;

use downbeat_kernel::Config;
use downbeat_trace::{Event, Place};

pub use observed::is_left_out;

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
    /// The settings of the kernel. By default its bounds are as wide as they go, nobody is asked after however many responses without a
    /// call, and every profile has a credential that has to be asked for: what a kernel does whose keys do not change, that one may
    /// do too.
    pub config: Config,
    /// Whether nothing comes after it.
    pub is_whole: bool,
    /// Steps that nobody has written down between two that somebody has, at most. 40 by default: from the submission of a task to
    /// its first request it takes four.
    pub unobserved_max: usize,
    /// Situations that are looked at for each tree, at most. 200,000 by default.
    pub situations_max: usize,
    /// About how many bytes the search for one tree takes, at most. 1,000,000,000 by default.
    pub bytes_max: usize,
    /// Events of one tree, at most. 100,000 by default.
    pub events_max: usize,
}

/// The settings under which a kernel refuses least: nobody knows what limits there were.
fn widest() -> Config {
    Config {
        profiles_keyed: 0,
        tasks_max: u32::MAX,
        depth_max: u8::MAX,
        messages_max: u32::MAX,
        calls_max: u16::MAX,
        attempts_max: u16::MAX,
        mistakes_max: 0,
        ..Config::default()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            order: Order::Lines,
            config: widest(),
            is_whole: false,
            unobserved_max: 40,
            situations_max: 200_000,
            bytes_max: 1_000_000_000,
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
    /// [`Settings::bytes_max`].
    Bytes,
    /// What the kernel counts with: 65,535 calls of one response, 16 sends of one turn, 255 tasks in a line from the root down. A
    /// kernel with bounds that are lower by choice rejects what is above them.
    Kernel,
    /// Somebody wanted the search to end.
    Interrupted,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An event of the trace.
    Observed(Place),
    /// Something that nobody has written down, in words.
    Unobserved(String),
}

/// Explains a trace, tree by tree, in the order of their first events.
pub fn explain<'e>(
    events: impl IntoIterator<Item = (Place, Event<'e>)>,
    settings: Settings,
) -> Vec<Explained> {
    explain_until(events, settings, &AtomicBool::new(false))
}

/// As [`explain`], until somebody sets `interrupted`: what is not explained by then is [`Verdict::Undecided`].
pub fn explain_until<'e>(
    events: impl IntoIterator<Item = (Place, Event<'e>)>,
    mut settings: Settings,
    interrupted: &AtomicBool,
) -> Vec<Explained> {
    if let Order::Times { apart_ms } = &mut settings.order {
        // Clocks cannot be apart by less than nothing, and of those that are apart by no number nothing is known.
        *apart_ms = if apart_ms.is_nan() { f64::INFINITY } else { apart_ms.max(0.0) };
    }
    let trees = log::trees(events, settings.order).into_iter();
    trees.map(|tree| search::explain(&tree, settings, interrupted)).collect()
}
