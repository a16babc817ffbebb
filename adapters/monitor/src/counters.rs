//! What can be read at any time, without asking anybody.

use std::sync::atomic::{AtomicU64, Ordering};

use downbeat_trace::{Monitor, Property};

/// Counters of a live service. They lag behind what happens by what stands in the queue.
#[derive(Debug)]
pub struct Counters {
    breaches: [AtomicU64; Property::ALL.len()],
    events: AtomicU64,
    dropped: AtomicU64,
    unreadable: AtomicU64,
    unknown: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            breaches: [const { AtomicU64::new(0) }; Property::ALL.len()],
            events: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            unreadable: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
        }
    }
}

impl Counters {
    /// How often a promise was broken, as far as that is certain.
    pub fn breaches(&self, property: Property) -> u64 {
        self.breaches[property as usize].load(Ordering::Relaxed)
    }

    /// Events that were judged.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// Events for which there was no room in the queue.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Acquire)
    }

    /// Events that lack something, or say something of the wrong shape. Each is as good as dropped.
    pub fn unreadable(&self) -> u64 {
        self.unreadable.load(Ordering::Acquire)
    }

    /// Events of kinds that the schema does not have. They say nothing, and are no gap.
    pub fn unknown(&self) -> u64 {
        self.unknown.load(Ordering::Relaxed)
    }

    /// Whether events are missing, so that no promise is *kept*.
    pub fn has_gap(&self) -> bool {
        self.missing() > 0
    }

    /// How many events are missing by now.
    pub(crate) fn missing(&self) -> u64 {
        self.dropped() + self.unreadable()
    }

    pub(crate) fn dropped_one(&self) {
        self.dropped.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn unreadable_one(&self) {
        self.unreadable.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn unknown_one(&self) {
        self.unknown.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes over what a monitor has come to.
    pub(crate) fn take(&self, monitor: &Monitor) {
        self.events.store(monitor.events(), Ordering::Relaxed);
        for property in Property::ALL {
            self.breaches[*property as usize].store(monitor.breaches(*property), Ordering::Relaxed);
        }
    }
}
