//! Remote agents: an orchestrator that hands tasks to agents in other places, over links that lose messages.
//!
//! The source is the design of remote task orchestration and its semantics document. [`as_is`] is the design: gateway,
//! orchestrators, manager, agents. [`kernel`] has the kernel's pool in the place of all but the agents. Both are judged by
//! one [`ledger`], with one predicate for each property in [`properties`]. Others look closer at one corner of the design
//! each: [`reports`], how the end of a task comes back; [`questions`], what an agent asks a person; [`notifications`], what
//! people are told of a task; [`retries`], when a task is tried again. The last three have the kernel's [`machine`] in the
//! place of the design, too.

pub mod as_is;
pub mod bag;
pub mod kernel;
pub mod ledger;
pub mod machine;
pub mod notifications;
pub mod owners;
pub mod properties;
pub mod questions;
pub mod queue;
pub mod reports;
pub mod retries;

use downbeat_sim::harness::Variant;

/// The design and the kernel's pool in its place, then each conversation around a task with the kernel's machine.
pub fn variants() -> Vec<Variant> {
    let of_pool = pool_variants();
    let around = [questions::variants(), notifications::variants(), retries::variants()];
    of_pool.into_iter().chain(around.into_iter().flatten()).collect()
}

/// The design, and the kernel's pool in its place.
pub fn pool_variants() -> Vec<Variant> {
    as_is::variants().into_iter().chain(kernel::variants()).collect()
}
