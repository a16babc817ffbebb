//! The kernel through its public face: whole lives of tasks, event by event, effects and refusals compared as
//! whole values.

mod bounds;
mod life;
mod messages;
mod orders;
mod person;
mod random;
mod recovery;
mod stage;
mod subtasks;
