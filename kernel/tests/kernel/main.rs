//! The kernel through its public face: whole lives of tasks, event by event, effects and refusals compared as
//! whole values.

mod bounds;
mod credential;
mod credential_random;
mod journal;
mod life;
mod messages;
mod notification;
mod orders;
mod person;
mod pool;
mod pool_ledger;
mod pool_random;
mod pool_stage;
mod question;
mod random;
mod record;
mod recovery;
mod request;
mod request_random;
mod retry;
mod session;
mod stage;
mod subtasks;
mod tree;
mod tree_choices;
#[cfg(feature = "planted-faults")]
mod tree_faults;
mod tree_situations;
mod turn;
mod worker;
mod worker_ends;
#[cfg(feature = "planted-faults")]
mod worker_faults;
mod worker_health;
mod worker_ledger;
mod worker_promises;
mod worker_prompts;
mod worker_random;
mod worker_stage;
mod working;
mod working_random;
