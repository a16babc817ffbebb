//! Closed systems to check: kernels and real orchestrators, each with the environment that it lives in.
//!
//! A model here is a system of the semantics documents together with everything that acts on it: users, model
//! providers, timers, crashes. What is promised to the outside world is judged by one [`watch`], with one
//! predicate for each property in [`properties`], for every variant of every model.

pub mod agent_session;
pub mod duplicate_send;
pub mod health;
pub mod interrupt;
mod pots;
pub mod properties;
pub mod remote_agents;
pub mod subtask_completion;
pub mod subtask_tree;
pub mod token_refresh;
pub mod watch;
pub mod worker;

use downbeat_sim::harness::Registry;

/// Every model, with every variant.
pub fn registry() -> Registry {
    Registry::new()
        .model(
            "subtask-completion",
            "how a subtask's result comes back to its parent",
            subtask_completion::as_is_variants().into_iter().chain(subtask_completion::kernel::variants()),
        )
        .model(
            "agent-reports",
            "how the end of a task comes back from a remote agent",
            remote_agents::reports::variants(),
        )
        .model(
            "remote-agents",
            "how tasks come to remote agents and are taken back, what is asked and told about them, and when they are tried again",
            remote_agents::variants(),
        )
        .model(
            "agent-session",
            "how requests come to an agent and results come back, when some are stopped",
            agent_session::variants(),
        )
        .model(
            "health",
            "what a health monitor reports of a worker, and what comes of it",
            health::variants(),
        )
        .model(
            "interrupt",
            "what an interrupt does to a worker in every gap of its loop",
            interrupt::variants(),
        )
        .model(
            "token-refresh",
            "how credentials with rotating refresh tokens are renewed, stored and lost",
            token_refresh::variants(),
        )
        .model(
            "duplicate-send",
            "how often one question to a model goes over the network, and who pays",
            duplicate_send::variants(),
        )
        .model(
            "subtask-tree",
            "all of the kernel's machines composed, as whoever drives them wires them",
            subtask_tree::variants(),
        )
}
