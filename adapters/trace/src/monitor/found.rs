//! What one event shows.

use crate::fault::Fault;
use crate::property::{PROPERTIES, Property};

/// Which promises one event puts to the test, which it shows to be broken, and of which the count is lost.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) faults: Vec<Fault>,
    /// A bit for each promise that was at stake.
    pub(super) staked: u32,
    /// A bit for each promise of which something was forgotten.
    pub(super) lost: u32,
}

const _: () = assert!(PROPERTIES <= 32, "a bit for each promise");

impl Found {
    pub(super) const fn nothing() -> Self {
        Self { faults: Vec::new(), staked: 0, lost: 0 }
    }

    pub(super) fn broke(&mut self, fault: Fault) {
        self.staked(fault.property());
        self.faults.push(fault);
    }

    pub(super) fn staked(&mut self, property: Property) {
        self.staked |= 1 << property as u32;
    }

    /// A bound was reached: from here on a breach of this may go unseen.
    pub(super) fn lost(&mut self, property: Property) {
        self.lost |= 1 << property as u32;
    }
}
