//! Time travel through a journal of the shell: the state before and after each line, what is outstanding, and why a task waits.
//!
//! A journal is read as it is, also while its shell runs: no lease is taken, and nothing is written. What is shown follows from
//! its lines alone, replayed as after a crash. The page is `docs/replay.md`.

mod change;
mod command;
mod error;
mod export;
mod exported;
mod expression;
mod follow;
mod json;
mod observed;
mod place;
mod plain;
mod say;
mod scenario;
mod settings;
mod show;
mod since;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod why;

pub use command::{Export, Format, PastArgs, is_exported, past, play};
pub use error::PastError;
pub use exported::{Misfit, Played, step_through};
pub use observed::{Seen, observe};
pub use place::{is_on_a_server, name};
pub use scenario::SCENARIO_WORDS;
pub use why::{Wait, Why, why};
