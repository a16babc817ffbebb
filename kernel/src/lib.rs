//! The kernel of an agent-task orchestrator: pure transition functions.
//!
//! [`Kernel::step`] takes one [`Event`], a fact that happened outside, and gives [`Effect`]s, orders to whoever
//! drives it. There is nothing else: no clock, no I/O, no randomness, no thread. Time comes in as
//! [`Event::TimerFired`], ids and jitter come in with events, and what is to be done goes out as effects. So a
//! journal of events replays to the same state on every machine, and a checker can take any event at any moment.
//!
//! ```
//! use downbeat_kernel::{Config, Effect, Event, Kernel, Outcome, TaskId};
//!
//! let mut kernel = Kernel::new(Config::default());
//! let mut effects = Vec::new();
//! let task = TaskId(1);
//! assert_eq!(kernel.step(Event::TaskSubmitted { task }, &mut effects), Outcome::Applied);
//! assert_eq!(effects, [Effect::Enqueue { task }]);
//! ```
//!
//! Each machine has its file: [`TaskState`] says where a task stands, [`CallState`] where one call of the model's
//! stands. The properties that the kernel keeps have ids, S1 and on, in `docs/properties.md`; comments cite them
//! at the branch that obeys them.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod calls;
mod config;
mod credential;
mod drive;
mod ending;
pub mod faults;
mod health;
mod kernel;
mod lifecycle;
#[cfg(test)]
mod oracle;
mod roster;
mod session;
mod task;
mod turn;
mod validate;
mod visit;
mod vocabulary;
mod wire;
mod worker;
mod working;

pub use calls::{CallState, Calls, Wanted};
pub use config::Config;
pub use credential::{
    Credential, CredentialCorrupt, CredentialEffect, CredentialEvent, CredentialRejected, CredentialState,
    Found, Generation, IfCurrent, OrderNumber, RefreshEnd, WaitEnd, WaiterId, WriteEnd,
};
pub use faults::Fault;
pub use health::{
    CheckNumber, Concern, Health, HealthEffect, HealthEvent, HealthRejected, HealthState, Origin, Rung, Sign,
    ToolId, WatchNumber,
};
pub use kernel::Kernel;
pub use roster::Task;
pub use session::{
    IteratorEnd, IteratorId, PROMPTS_MAX, PromptEnd, PromptId, Session, SessionEffect, SessionEvent,
    SessionRejected, SessionState,
};
pub use task::{Held, Outstanding, TaskData, TaskState};
pub use validate::{COUNTER_MAX, Corrupt, Ties};
pub use visit::{EDGES, Met, Visit};
pub use vocabulary::*;
pub use wire::Record;
pub use worker::{
    APPROVALS_MAX, ApprovalId, Approvals, Assignment, Breaker, Content, Deadline, Source, Then, Worker,
    WorkerCorrupt, WorkerData, WorkerEffect, WorkerEnd, WorkerEvent, WorkerPart, WorkerReason,
    WorkerRejected, WorkerState, WorkerTimer,
};
