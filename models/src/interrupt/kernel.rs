//! The kernel's worker in the place of worker, loop, session and monitor.
//!
//! The world is that of [`crate::worker`]; here is what is asked of it, and within which bounds.

use downbeat_sim::harness::Variant;

use crate::worker::{Budget, Scenario};

/// The systems that `downbeat check` looks at: name, what it is about, what it has.
///
/// One space with everything is too large to wait for. The first is the main one; together they have each feature beside
/// each other one, which a test holds them to.
pub const SCENARIOS: &[(&str, &str, Scenario)] = &[
    (
        "kernel",
        "the kernel's worker: a person interrupts, pauses, wants it to finish, is asked, and ends it",
        CALM.with(Budget::Interrupts, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::WrapUps, 1)
            .with(Budget::Approvals, 1),
    ),
    (
        "kernel-inbox",
        "the kernel's worker: more messages than the inbox has room for, a pause, and a wish to finish",
        Scenario { room: 2, ..NOTHING }
            .with(Budget::Messages, 3)
            .with(Budget::Pauses, 1)
            .with(Budget::WrapUps, 1),
    ),
    (
        "kernel-failures",
        "the kernel's worker: iterators that fail, one wait of each kind, questions to a person, and an end",
        CALM.failing(3).with(Budget::Interrupts, 1).with(Budget::Approvals, 2),
    ),
    (
        "kernel-restart",
        "the kernel's worker: a crash between any two effects, and what a person does",
        CALM.with(Budget::Crashes, 1)
            .with(Budget::Interrupts, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::Approvals, 1)
            .with(Budget::Reports, 1),
    ),
    (
        "kernel-restart-failures",
        "the kernel's worker: two crashes between any two effects, failures, and a wish to finish",
        NOTHING.failing(2).with(Budget::Crashes, 2).with(Budget::WrapUps, 1).with(Budget::Reports, 1),
    ),
    (
        "kernel-subtask",
        "the kernel's worker with a subtask: a pause, a wish to finish, and an end",
        NOTHING
            .with(Budget::Updates, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::WrapUps, 1)
            .with(Budget::Ends, 1),
    ),
    (
        "kernel-subtask-failures",
        "the kernel's worker with a subtask: failures and a pause",
        NOTHING.failing(2).with(Budget::Updates, 1).with(Budget::Pauses, 1),
    ),
    (
        "kernel-subtask-restart",
        "the kernel's worker with a subtask: a crash between any two effects",
        NOTHING
            .with(Budget::Updates, 1)
            .with(Budget::Crashes, 1)
            .with(Budget::Messages, 1)
            .with(Budget::Reports, 1),
    ),
    (
        "kernel-subtask-crowd",
        "the kernel's worker with a subtask that says more than its inbox has room for, a message, and an end",
        Scenario { room: 1, ..NOTHING }
            .with(Budget::Updates, 2)
            .with(Budget::Messages, 1)
            .with(Budget::Ends, 1),
    ),
    (
        "kernel-delegation",
        "the kernel's worker and a subtask that its agent asks for: a pause that holds it back, and an end",
        NOTHING
            .with(Budget::Subtasks, 1)
            .with(Budget::Updates, 1)
            .with(Budget::Pauses, 1)
            .with(Budget::Ends, 1),
    ),
    (
        "kernel-tree",
        "the kernel's workers of a task and of the subtask that its agent asks for: an interrupt of either",
        FAMILY.with(Budget::Interrupts, 1),
    ),
    (
        "kernel-tree-end",
        "the kernel's workers of a task and of the subtask that its agent asks for: an end of either",
        FAMILY.with(Budget::Ends, 1),
    ),
    (
        "kernel-tree-restart",
        "the kernel's workers of a task and of the subtask that its agent asks for: a crash between any two effects",
        FAMILY.with(Budget::Crashes, 1),
    ),
];

const NOTHING: Scenario = Scenario::NOTHING;
/// The agent asks for a subtask that has an agent of its own.
const FAMILY: Scenario = Scenario { works: true, ..NOTHING.with(Budget::Subtasks, 1) };
/// A person writes once, and ends the task at some time or never.
const CALM: Scenario = NOTHING.with(Budget::Messages, 1).with(Budget::Ends, 1);

/// The kernel's worker, of which every property is expected to hold.
pub fn variants() -> Vec<Variant> {
    SCENARIOS.iter().map(|(name, about, scenario)| scenario.variant(name, about).deep(deep(name))).collect()
}

/// What there is more of in a search of minutes.
fn deep(name: &str) -> Vec<(&'static str, u64)> {
    match name {
        "kernel" => vec![("messages", 2), ("interrupts", 2), ("pauses", 2)],
        "kernel-failures" => vec![("interrupts", 2), ("pauses", 1)],
        "kernel-restart" => vec![("crashes", 2), ("pauses", 2)],
        "kernel-subtask" => vec![("messages", 1), ("interrupts", 1)],
        // With both at once more memory is needed than many machines have to spare.
        "kernel-tree" => vec![("ends", 1)],
        _ => Vec::new(),
    }
}
