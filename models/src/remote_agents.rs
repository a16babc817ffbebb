//! Remote agents: an orchestrator that hands tasks to agents in other places, over links that lose messages.
//!
//! The source is the design of remote task orchestration and its semantics document. What is here is its first
//! slice: [`reports`], how the end of a task comes back. Leases, the pool and a second orchestrator are not.

pub mod queue;
pub mod reports;
