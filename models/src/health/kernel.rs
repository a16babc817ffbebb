//! The kernel's worker in the place of the monitor, its handlers and the loop that they act on.
//!
//! The world is that of [`crate::worker`], and so is what is asked of it; here are the bounds that are about health: an
//! agent that works, repeats itself, fails, falls silent, or says how far it is and nothing else.

use downbeat_sim::harness::Variant;

use crate::worker::{Budget, Scenario};

/// The systems that `downbeat check` looks at: name, what it is about, what it has.
pub const SCENARIOS: &[(&str, &str, Scenario)] = &[
    (
        "kernel",
        "the kernel's worker: every sign of life and silence, questions, a pause, and a message",
        NOTHING
            .with(Budget::Signs, 2)
            .with(Budget::Messages, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::Approvals, 1),
    ),
    (
        "kernel-failures",
        "the kernel's worker: signs of life, silence, and iterators that fail, with a wish to finish",
        NOTHING.failing(2).with(Budget::Signs, 1).with(Budget::WrapUps, 1),
    ),
    (
        "kernel-restart",
        "the kernel's worker: signs of life and silence, an interrupt, an end, and a crash between any two effects",
        NOTHING
            .with(Budget::Signs, 1)
            .with(Budget::Interrupts, 1)
            .with(Budget::Ends, 1)
            .with(Budget::Reports, 1)
            .with(Budget::Crashes, 1),
    ),
    (
        "kernel-updates",
        "the kernel's worker with a subtask: signs of life and silence, an interrupt, and a question",
        NOTHING
            .with(Budget::Signs, 1)
            .with(Budget::Updates, 1)
            .with(Budget::Interrupts, 1)
            .with(Budget::Approvals, 1),
    ),
];

/// Nothing but silence, and answers to questions about it.
const NOTHING: Scenario = Scenario { progress: true, ..Scenario::NOTHING };

/// The kernel's worker, of which every property is expected to hold.
pub fn variants() -> Vec<Variant> {
    SCENARIOS.iter().map(|(name, about, scenario)| scenario.variant(name, about).deep(deep(name))).collect()
}

/// What there is more of in a search of minutes.
fn deep(name: &str) -> Vec<(&'static str, u64)> {
    match name {
        "kernel" => vec![("signs", 3), ("interrupts", 1)],
        "kernel-restart" => vec![("crashes", 2)],
        _ => Vec::new(),
    }
}
