//! The shell on tokio and SQLite, in a world that plays a script.

mod asks;
mod bad;
mod contained;
mod crew;
mod cuts;
mod faults;
mod fleet;
mod login;
mod logins;
mod notices;
#[expect(dead_code, reason = "the tests of the store use the rest of it")]
#[path = "../../../store/tests/store/place.rs"]
mod place;
mod snapshots;
mod stage;
mod starts;
mod stopping;
mod story;
mod streams;
mod subtasks;
mod trials;
mod tries;
mod workers;
