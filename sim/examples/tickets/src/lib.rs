//! Sells the seats of a show: an example of asynchronous code on the seam.
//!
//! It is written as for any runtime, and asks for everything by [`Rt`]. `tests/tickets.rs` runs it on tokio and under every
//! schedule.

use downbeat_rt::{Cell, Rt};

/// A show that is sold. Every clone is the same one.
#[derive(Clone, Debug)]
pub struct Show {
    free: Cell<u32>,
}

impl Show {
    /// A show with so many seats, all of them free.
    pub fn new(rt: &Rt, seats: u32) -> Self {
        Self { free: rt.cell("free seats", seats) }
    }

    /// Sells a seat, if there is one. It is kept while the buyer pays, and free again if that comes to nothing.
    pub async fn sell(&self, pays: impl Future<Output = bool>) -> bool {
        let is_kept = self.free.with(|free| free.checked_sub(1).map(|left| *free = left).is_some());
        let is_paid = is_kept && pays.await;
        if is_kept && !is_paid {
            self.free.with(|free| *free += 1);
        }
        is_paid
    }

    /// The same with a fault, to see how a test fails: the seat is looked for before the buyer pays, and taken afterwards.
    pub async fn sell_twice(&self, pays: impl Future<Output = bool>) -> bool {
        let is_sold = self.free.get() > 0 && pays.await;
        if is_sold {
            self.free.with(|free| *free = free.saturating_sub(1));
        }
        is_sold
    }
}
