//! The shell at work: trees of tasks against a simulated provider, live on a terminal.
//!
//! The kernel, the shell and the store are those that ship. What is simulated is the world behind the shell's ports: it follows a
//! script, remembers in a file what reached it, and judges over all lives of the process whether the promises were kept. The page is
//! `docs/demo.md`.

mod command;
mod dice;
mod error;
mod faster;
mod faults;
mod folder;
mod json;
mod ledger;
mod mirror;
mod path;
mod people;
mod promise;
mod record;
mod run;
mod screen;
mod script;
mod signals;
mod terminal;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;
mod traffic;
mod tree;
mod vault;
mod view;
mod world;

pub use command::{DemoArgs, Format, demo};
pub use error::DemoError;
pub use faults::Fault;
pub use run::{Outcome, Wanted};
pub use traffic::{Minute, traffic};
