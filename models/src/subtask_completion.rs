//! How a subtask's result comes back to its parent, in the systems that do it and in the fixes proposed for them.
//!
//! The as-is systems are the task loop of the semantics documents, await by await: [`loops`] has the body that
//! sends requests, [`tools`] the presenter and the tools, [`tree`] what moves tasks on the stack, [`delegation`] the
//! redesign that closes the parent. They run on [`downbeat_sim::event_loop`]: a step is what happens between two
//! `await`s, nothing else is atomic.
//!
//! The environment is a user who sees the task on top of the stack, and a provider that answers, refuses and
//! breaks off. Each thing that it may do is bounded by a number of times, and each bound is shown with the results.
//! A behaviour that needs more responses than there are is cut short there, and no verdict rests on what it would
//! have come to.
//!
//! What counts as one turn (S2) is the cause of a send: the first prompt, the results of one response, the
//! continuation after one subtask, the reminder that no tool was used. A loop that wakes from its pause and the loop
//! that `continueParentTask` starts have the same cause.

pub mod actions;
pub mod as_is;
pub mod budget;
pub mod delegation;
pub mod kernel;
pub mod loops;
pub mod process;
pub mod state;
pub mod tools;
pub mod tree;
pub mod world;

use downbeat_sim::harness::Variant;
use downbeat_sim::report::Verdict;

use self::as_is::AsIs;
use self::budget::BUDGETS;

/// The body of `recursivelyMakeClineRequests`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A loop over an explicit stack, as in the documented version.
    Loop,
    /// It calls itself, as in Cline and in Roo-Code before August 2025.
    Recursive,
}

/// What is done about the race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fix {
    /// Nothing.
    None,
    /// A lock around the body, first come first served, that does not know its owner.
    Mutex,
    /// A call of the body while another runs returns at once.
    SkipIfRunning,
    /// One open task; the parent is stored and closed, the child reopens it.
    Delegation,
}

/// Which system it is, and within which bounds.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// The body.
    pub body: Body,
    /// The fix.
    pub fix: Fix,
    /// Mistakes in a row before the user is asked.
    pub mistake_limit: u8,
    /// Whether models answer at any pace. Otherwise the first chunk of an answer takes longer than the disk, a click
    /// and a poll of milliseconds, the rest of a stream comes before a person acts or another model answers, and a loop that was
    /// aborted comes to the chunk upon which it gives up before a person acts again.
    pub any_pace: bool,
    /// What the environment may do, by [`budget::Budget`].
    pub left: [u8; BUDGETS],
}

/// The systems as they are, and with the fixes that were proposed or merged, with what the checker found about each.
///
/// Each is put to three tests. Under its own name: one thing out of the ordinary, and people and models that take
/// their time. As `-any-pace`: no assumption about time, in shorter lives. As `-calm`: no assumption about time,
/// and nothing out of the ordinary: what the fix was made for. The delegation is put to a fourth, a crash alone.
///
/// What is expected was written down after each counterexample had been read beside the code that it is of. The
/// stories are in `docs/races/subtask-completion.md`.
pub fn as_is_variants() -> Vec<Variant> {
    let as_is = (Body::Loop, Fix::None);
    let as_is_recursive = (Body::Recursive, Fix::None);
    let mutex = (Body::Loop, Fix::Mutex);
    let mutex_recursive = (Body::Recursive, Fix::Mutex);
    let skip = (Body::Loop, Fix::SkipIfRunning);
    let skip_recursive = (Body::Recursive, Fix::SkipIfRunning);
    let delegation = (Body::Loop, Fix::Delegation);
    vec![
        Trial {
            name: "as-is",
            about: "the body is a loop, and nothing is done about the race",
            system: as_is,
            setting: USUAL,
            violated: &["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S19", "deadlock", "L1"],
            headline: "S1",
        },
        Trial {
            name: "as-is-recursive",
            about: "the body calls itself, and nothing is done about the race",
            system: as_is_recursive,
            setting: USUAL,
            violated: &["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S19", "deadlock", "L1"],
            headline: "S1",
        },
        Trial {
            name: "mutex",
            about: "an async lock around the loop body",
            system: mutex,
            setting: USUAL,
            violated: &["S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S19", "deadlock", "L1"],
            headline: "S2",
        },
        Trial {
            name: "mutex-recursive",
            about: "an async lock around the body that calls itself",
            system: mutex_recursive,
            setting: USUAL,
            violated: &["S3", "S4", "S5", "S6", "S7", "S8", "S9", "S19", "deadlock", "L1"],
            headline: "deadlock",
        },
        Trial {
            name: "skip-if-running",
            about: "a second call of the loop body returns at once",
            system: skip,
            setting: USUAL,
            violated: &["S3", "S4", "S5", "S6", "S7", "S8", "S9", "S19", "deadlock", "L1"],
            headline: "deadlock",
        },
        Trial {
            name: "skip-if-running-recursive",
            about: "a second call returns at once, and the body calls itself",
            system: skip_recursive,
            setting: USUAL,
            violated: &["S3", "S4", "S5", "S6", "S7", "S8", "S9", "S19", "deadlock", "L1"],
            headline: "deadlock",
        },
        Trial {
            name: "delegation",
            about: "one open task; the parent is stored and closed, its child reopens it",
            system: delegation,
            setting: RESTARTS,
            violated: &["S3", "S4", "S5", "S6", "S7", "S8", "S9", "S19", "L1"],
            headline: "S9",
        },
        Trial {
            name: "delegation-restart",
            about: "the delegation, when the process dies between its writes and nothing else goes wrong",
            system: delegation,
            setting: CRASH,
            violated: &["S3", "S7", "S9"],
            headline: "S3",
        },
        Trial {
            name: "mutex-calm",
            about: "the lock, at any pace, while nothing goes wrong",
            system: mutex,
            setting: CALM,
            violated: &["S3", "S4", "S9", "deadlock", "L1"],
            headline: "S4",
        },
        Trial {
            name: "skip-if-running-calm",
            about: "the flag, at any pace, while nothing goes wrong",
            system: skip,
            setting: CALM,
            violated: &["S3", "S4", "S9", "deadlock", "L1"],
            headline: "S4",
        },
        Trial {
            name: "delegation-calm",
            about: "the delegation, at any pace, while nothing goes wrong",
            system: delegation,
            setting: CALM,
            violated: &["S1"],
            headline: "S1",
        },
        Trial {
            name: "as-is-any-pace",
            about: "the loop body as it is, with no assumption about time",
            system: as_is,
            setting: ANY_PACE,
            violated: &["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S19", "deadlock", "L1"],
            headline: "S1",
        },
        Trial {
            name: "mutex-any-pace",
            about: "the lock, with no assumption about time",
            system: mutex,
            setting: ANY_PACE,
            violated: &["S1", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S19", "deadlock", "L1"],
            headline: "S1",
        },
        Trial {
            name: "skip-if-running-any-pace",
            about: "the flag, with no assumption about time",
            system: skip,
            setting: ANY_PACE,
            violated: &["S1", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S19", "deadlock", "L1"],
            headline: "S1",
        },
        Trial {
            name: "delegation-any-pace",
            about: "the delegation, with no assumption about time",
            system: delegation,
            setting: ANY_PACE,
            violated: &["S1", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S19", "L1", "L2"],
            headline: "S1",
        },
    ]
    .into_iter()
    .map(Trial::variant)
    .collect()
}

/// What a trial has otherwise than usual.
struct Setting {
    /// Other defaults of bounds.
    defaults: &'static [(&'static str, u64)],
    /// What there is more of in a deep search.
    deep: &'static [(&'static str, u64)],
}

const USUAL: Setting = Setting { defaults: &[], deep: &[] };

/// The faults of the delegation itself take two acts of the user or a crash; those of the provider are the same as
/// before.
const RESTARTS: Setting = Setting {
    defaults: &[
        ("crashes", 1),
        ("troubles", 2),
        ("texts", 0),
        ("empties", 0),
        ("throttles", 0),
        ("truncations", 0),
        ("rejections", 0),
        ("tools", 0),
    ],
    deep: &[],
};

/// A crash, and nothing else out of the ordinary: who is opened afterwards is a person's choice.
const CRASH: Setting = Setting {
    defaults: &[
        ("crashes", 1),
        ("texts", 0),
        ("empties", 0),
        ("throttles", 0),
        ("truncations", 0),
        ("rejections", 0),
        ("messages", 0),
        ("closes", 0),
        ("cancels", 0),
        ("opens", 0),
        ("tools", 0),
        ("questions", 0),
    ],
    deep: &[],
};

/// What the fixes were made for, so that here it is worth a deep search.
const CALM: Setting = Setting {
    defaults: &[("any-pace", 1), ("troubles", 0)],
    deep: &[("responses", 6), ("tools", 2), ("questions", 2)],
};

const ANY_PACE: Setting = Setting { defaults: &[("any-pace", 1), ("responses", 2)], deep: &[] };

/// One system within its bounds, and what is expected of it.
struct Trial {
    name: &'static str,
    about: &'static str,
    system: (Body, Fix),
    setting: Setting,
    violated: &'static [&'static str],
    /// The violation that tells the story.
    headline: &'static str,
}

impl Trial {
    fn variant(self) -> Variant {
        let variant = AsIs::variant(self.name, self.about, self.system, self.setting.defaults);
        let variant = self.violated.iter().fold(variant, |variant, id| variant.expect(id, Verdict::Violated));
        variant.deep(self.setting.deep.iter().copied()).headline(self.headline)
    }
}
