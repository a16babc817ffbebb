//! The shell on tokio and SQLite, in a world that plays a script.

mod stage;
mod story;
