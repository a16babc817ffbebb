//! The seam: all that asynchronous code of this project asks of a runtime.
//!
//! It is four things: to spawn, to sleep, to hand things over, to abort. In production tokio is behind it; under test a runtime
//! that decides itself which task goes on, which timer fires, and in which order, so that the code that ships is the code whose
//! schedules are explored. Therefore nothing above the seam names a runtime, reads a clock, or draws a random number.
//!
//! What is polled first of two futures is part of the program and not of the schedule: [`first_of`] is biased.

mod cell;
mod channel;
mod first;
mod runtime;
#[cfg(feature = "tokio")]
mod tokio;

pub use cell::Cell;
pub use channel::{Receiver, SendError, Sender, TrySendError};
pub use first::{First, first_of};
pub use runtime::{Access, JoinEnd, ObjectId, Passing, Rt, Runtime, Spawned, Task, Waiting, Work};

#[cfg(feature = "tokio")]
pub use self::tokio::Tokio;
