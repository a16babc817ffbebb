//! The kernel of an agent-task orchestrator: pure transition functions.
//!
//! [`Kernel::step`] takes one [`Event`], a fact that happened outside, and gives [`Effect`]s, orders to whoever
//! drives it. There is nothing else: no clock, no I/O, no randomness, no thread. Time comes in as
//! [`Event::TimerFired`], ids and jitter come in with events, and what is to be done goes out as effects. So a
//! journal of events replays to the same state on every machine, and a checker can take any event at any moment.
//!
//! ```
//! use downbeat_kernel::{Budget, Config, Effect, Event, Kernel, Outcome, TaskId};
//!
//! let mut kernel = Kernel::new(Config::default());
//! let mut effects = Vec::new();
//! let task = TaskId(1);
//! assert_eq!(kernel.step(Event::TaskSubmitted { task, budget: Budget::default() }, &mut effects), Outcome::Applied);
//! assert_eq!(effects, [Effect::Enqueue { task }]);
//! ```
//!
//! Each machine has its file: [`TaskState`] says where a task stands, [`CallState`] where one call of the model's
//! stands. The properties that the kernel keeps have ids, S1 and on, in `docs/properties.md`; comments cite them
//! at the branch that obeys them.
//!
//! # What a version promises
//! The crate follows semantic versioning. Before 1.0, *breaking* is a new middle number (0.1 to 0.2), and everything else a new
//! last one (0.1.0 to 0.1.1).
//!
//! - Enums are not `#[non_exhaustive]`, because a new event, effect or refusal is something to decide about. A new variant or
//!   field of the vocabulary or of a state is breaking.
//! - So is what an event does in a state, also where that mends a mistake, and a default of [`Config`] or [`PoolConfig`]: a
//!   journal would replay to another state.
//! - Records ([`Record`], [`PoolRecord`] and the others) of every version that was ever written are read for ever. A new version
//!   of them is not breaking, but a service that goes back to the old one cannot read it.
//! - Not promised: the serialized form of states (a snapshot may be thrown away) and of what is not in a record, `Debug` texts,
//!   and whatever the feature `planted-faults` adds. The least Rust version is 1.95; a greater one is not breaking.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod backoff;
mod budget;
mod calls;
mod config;
mod credential;
mod drive;
mod ending;
pub mod faults;
mod health;
mod kernel;
mod lifecycle;
mod notification;
#[cfg(test)]
mod oracle;
mod pool;
mod question;
mod request;
mod retry;
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

pub use budget::{Account, Budget, Clock, Spend};
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
pub use notification::{
    Conclusion, News, NotificationEffect, NotificationEvent, NotificationNumber, NotificationRejected,
    NotificationTimer, Outbox, OutboxCorrupt, OutboxState,
};
pub use pool::{
    Agent, AgentId, AgentState, Booking, Epoch, Lease, Place, Pool, PoolConfig, PoolCorrupt, PoolEffect,
    PoolEnd, PoolEvent, PoolRejected, PoolTimer, Priority, Renewal, Standing, Stay, UserId, WorkEnd,
};
pub use question::{
    Asker, QuestionCorrupt, QuestionEffect, QuestionEnd, QuestionEvent, QuestionKey, QuestionNumber,
    QuestionRejected, QuestionState, QuestionTimer, Questions, Untold,
};
pub use request::{
    Aim, Conversation, Fate, Input, Ledger, PROFILES_MAX, Passing, Previous, ProfileId, Profiles, Refused,
    Request, RequestCorrupt, RequestEffect, RequestEnd, RequestEvent, RequestReason, RequestRejected,
    RequestState, RequestTimer, SENDS_MAX, SendFailure, SendReason, SendRecord, Wait,
};
pub use retry::{
    AttemptEnd, AttemptNumber, FailureClass, Finding, QueryNumber, Retry, RetryCorrupt, RetryEffect,
    RetryEnd, RetryEvent, RetryReason, RetryRejected, RetryState, RetryTimer,
};
pub use roster::Task;
pub use session::{
    IteratorEnd, IteratorId, PROMPTS_MAX, PromptEnd, PromptId, Session, SessionEffect, SessionEvent,
    SessionRejected, SessionState,
};
pub use task::{Held, Outstanding, TaskData, TaskState};
pub use validate::{COUNTER_MAX, Corrupt, Ties};
pub use visit::{EDGES, Met, Visit};
pub use vocabulary::*;
pub use wire::{CredentialRecord, NotificationRecord, PoolRecord, QuestionRecord, Record, RetryRecord};
pub use worker::{
    APPROVALS_MAX, ApprovalId, Approvals, Assignment, Breaker, Content, Deadline, Source, Then, Worker,
    WorkerCorrupt, WorkerData, WorkerEffect, WorkerEnd, WorkerEvent, WorkerPart, WorkerReason,
    WorkerRejected, WorkerState, WorkerTimer,
};
