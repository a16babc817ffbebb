//! Remote agents: an orchestrator that hands tasks to agents in other places, over links that lose messages.
//!
//! The source is the design of remote task orchestration and its semantics document. What is here: [`reports`], how the
//! end of a task comes back; [`questions`], what an agent asks a person; [`notifications`], what people are told of a task;
//! [`retries`], when a task is tried again. Of the last three there is the design, and the kernel's [`machine`] in its place.
//! Leases, the pool and a second orchestrator are not.

pub mod machine;
pub mod notifications;
pub mod questions;
pub mod queue;
pub mod reports;
pub mod retries;

use downbeat_sim::harness::Variant;

/// Each conversation around a task, as designed and with the kernel's machine.
pub fn variants() -> Vec<Variant> {
    [questions::variants(), notifications::variants(), retries::variants()].into_iter().flatten().collect()
}
