//! The kernel through its public face: whole lives of tasks, event by event, effects and refusals compared as
//! whole values.

mod bounds;
mod credential;
mod credential_random;
mod life;
mod messages;
mod orders;
mod person;
mod random;
mod record;
mod recovery;
mod session;
mod stage;
mod subtasks;
mod worker;
mod worker_ends;
#[cfg(feature = "planted-faults")]
mod worker_faults;
mod worker_health;
mod worker_ledger;
mod worker_random;
mod worker_stage;
mod working;
mod working_random;
