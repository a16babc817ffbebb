//! Notifications about the tasks of remote agents: what is sent, what says so, and what people make of it.
//!
//! [`ledger`] is what people are shown, [`properties`] what is asked of that. [`as_is`] has the table with a mark that the
//! semantics document describes, [`kernel`] the kernel's outbox in its place. The stories are in
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
