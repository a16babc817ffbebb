//! What can be set: bounds that refuse with a typed error, and the numbers of the retry policy.

use serde::{Deserialize, Serialize};

/// Settings of one kernel. They are part of its state: a journal replays to the same state only under the same
/// settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Config {
    /// Tasks held at once, ended ones that are not acknowledged included. 100,000 by default: one shard.
    pub tasks_max: u32,
    /// How deep subtasks may nest; 0 allows none. 8 by default: deeper trees are a model that delegates in
    /// circles.
    pub depth_max: u8,
    /// Messages of one task that are accepted and not yet in a request. 1,000 by default: more than a person
    /// types while a model answers.
    pub messages_max: u32,
    /// Calls in one response. 128 by default, the most that current providers return.
    pub calls_max: u16,
    /// Sends of one turn, over all layers (S2). 8 by default: with the waits below about ten minutes.
    pub attempts_max: u16,
    /// Responses in a row without a call before a person is asked; 0 for never. 3 by default, as in Roo-Code.
    pub mistakes_max: u16,
    /// The wait before the second attempt; it doubles with each. 5,000 ms by default, as in Roo-Code.
    pub backoff_ms: u32,
    /// The longest such wait. 600,000 ms by default, as in Roo-Code.
    pub backoff_ms_max: u32,
    /// What is added to the time that a throttling provider names. 1,000 ms by default, as in Roo-Code.
    pub retry_after_margin_ms: u32,
    /// How long a cancelled task waits for its own requests and tools to stop before it gives them up (L2).
    /// 10,000 ms by default.
    pub grace_ms: u32,
    /// The fault that is planted, if any.
    #[cfg(feature = "planted-faults")]
    pub fault: Option<crate::faults::Fault>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tasks_max: 100_000,
            depth_max: 8,
            messages_max: 1_000,
            calls_max: 128,
            attempts_max: 8,
            mistakes_max: 3,
            backoff_ms: 5_000,
            backoff_ms_max: 600_000,
            retry_after_margin_ms: 1_000,
            grace_ms: 10_000,
            #[cfg(feature = "planted-faults")]
            fault: None,
        }
    }
}
