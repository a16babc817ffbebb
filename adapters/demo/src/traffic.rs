//! Long traffic on a clock that does not wait: what it costs to live for long.

use crate::error::DemoError;
use crate::run::{Wanted, run};
use std::time::Duration;

/// How a run stands after a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minute {
    /// Which, from 1.
    pub minute: u32,
    /// Tasks that live.
    pub tasks_live: usize,
    /// Trees that have ended.
    pub trees_ended: u64,
    /// Events that became durable.
    pub events: u64,
    /// Sends that reached the provider.
    pub sends: u64,
    /// The first promises that were broken, and how.
    pub broken: Vec<String>,
}

/// Runs for so many minutes of the runtime's time, and says after each how it stands.
///
/// # Errors
/// As for the command.
pub async fn traffic(
    wanted: &Wanted,
    minutes: u32,
    look: &mut (dyn FnMut(Minute) + Send),
) -> Result<(), DemoError> {
    const MINUTE: Duration = Duration::from_mins(1);
    let mut next = 1;
    let mut show = |view: &crate::view::View| {
        if view.elapsed >= MINUTE * next {
            look(Minute {
                minute: next,
                tasks_live: view.tasks_live,
                trees_ended: view.totals.trees_ended,
                events: view.events,
                sends: view.totals.sends,
                broken: view
                    .verdict
                    .broken
                    .iter()
                    .map(|broken| format!("{} {}", broken.promise, broken.what))
                    .collect(),
            });
            next += 1;
        }
        Ok(())
    };
    let stop = tokio::time::sleep(MINUTE * minutes + Duration::from_secs(1));
    run(wanted, &mut show, stop).await.map(drop)
}
