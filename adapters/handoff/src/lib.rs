//! What threads of the orchestrator share: three small primitives, and nothing else.
//!
//! - [`Gate`]: of all that want the same work done, one does it and the others get what came of it (S14, L5).
//! - [`Mailbox`]: what was posted is taken once or handed back, also when it closes meanwhile (S5).
//! - [`Turns`]: a cancel stops the turn that it names and no other (S12).
//!
//! There is no runtime in here. What waits is a future that any runtime may poll, and what wakes it is its waker: so loom can
//! put every interleaving of every step to the test, which it could not with primitives of a runtime that it does not know. The
//! tests of this crate are those models; `docs/handoff.md` says how far they go.

mod gate;
mod mailbox;
#[cfg(test)]
mod model;
mod sync;
mod turns;
mod waiters;

pub use gate::{Enter, Entered, Flight, Gate};
pub use mailbox::{Mailbox, Next, Refused, Room};
pub use turns::{Cancelled, Turn, TurnEnd, Turns};
