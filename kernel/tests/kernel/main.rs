//! The kernel through its public face: whole lives of tasks, event by event, effects and refusals compared as
//! whole values.

mod alike;
mod bounds;
mod budget;
mod credential;
mod credential_random;
mod damaged;
mod damaged_requests;
mod damaged_tasks;
mod damaged_workers;
mod journal;
mod life;
mod lives;
mod messages;
mod notification;
mod notification_random;
mod orders;
mod person;
mod pool;
mod pool_ledger;
mod pool_random;
mod pool_stage;
mod pots;
mod question;
mod question_random;
mod random;
mod record;
mod record_beside;
mod record_tree;
mod recovery;
mod request;
mod request_random;
mod retry;
mod retry_random;
mod session;
mod stage;
mod subtasks;
mod tree;
mod tree_choices;
#[cfg(feature = "planted-faults")]
mod tree_faults;
mod tree_situations;
mod turn;
mod visits;
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
