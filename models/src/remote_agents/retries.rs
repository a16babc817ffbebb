//! Attempts at the tasks of remote agents: what follows on the end of one, and what on none.
//!
//! [`ledger`] is what was done for the task and what people were told of it, [`properties`] what is asked of that.
//! [`as_is`] has the retry that the design asks for, [`kernel`] the kernel's machine in its place. The stories are in
//! `docs/races/remote-input.md`.

pub mod as_is;
pub mod kernel;
pub mod ledger;
pub mod properties;

use downbeat_sim::harness::Variant;

/// The design, and the kernel.
pub fn variants() -> Vec<Variant> {
    [as_is::variant()].into_iter().chain(kernel::variants()).collect()
}
