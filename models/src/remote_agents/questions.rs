//! Questions of remote agents: an agent asks, a person answers, and meanwhile the agent may be gone.
//!
//! [`ledger`] is what agents and people see, [`properties`] what is asked of that. [`as_is`] has the orchestrator of the design,
//! [`kernel`] the kernel's machine in its place. The stories are in `docs/races/remote-input.md`.

pub mod as_is;
pub mod kernel;
pub mod ledger;
pub mod properties;

use downbeat_sim::harness::Variant;

/// The design, and the kernel.
pub fn variants() -> Vec<Variant> {
    [as_is::variant()].into_iter().chain(kernel::variants()).collect()
}
