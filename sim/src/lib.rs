//! Engines that check models.
//!
//! A [`model::Model`] is a closed system: initial states, steps, properties. [`check::Checker`] visits every
//! state that it can come to and returns a [`report::Report`]: a verdict for each property and, for each one
//! that is violated, a shortest counterexample, which [`diagram`] and [`mermaid`] draw as a sequence diagram.
//! [`replay`] steps a recorded one through the model again.
//! [`explore`] runs asynchronous code on the seam `downbeat-rt` under every schedule.
//! With the feature `harness`, `harness` puts a command line and assertions for tests around any number of
//! models; with the feature `derive`, [`pack`] and [`kinds`] derive what a model says of its states and actions.
//! `docs/checker.md` is the manual, and `docs/explorer.md` that of the explorer.
//!
//! Nothing here knows a particular model, reads a random number, or depends on the number of threads.

pub mod check;
pub mod diagram;
mod edits;
pub mod event_loop;
pub mod explore;
#[cfg(feature = "harness")]
pub mod harness;
pub mod kinds;
pub mod mermaid;
pub mod model;
pub mod pack;
pub mod parts;
pub mod reduction;
pub mod replay;
pub mod report;
pub mod symmetry;

#[cfg(all(doctest, feature = "harness", feature = "derive"))]
#[doc = include_str!("../../docs/checker.md")]
struct Manual;

#[cfg(doctest)]
#[doc = include_str!("../../docs/explorer.md")]
struct ExplorerManual;
