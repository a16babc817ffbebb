//! A toy that counts, and that can ring a bell while a search takes its steps.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use downbeat_sim::model::{Fairness, Model, Property, Told};

/// A bell that rings once.
pub(crate) struct Bell {
    pub(crate) rung: AtomicBool,
    /// The number at which it rings.
    number: AtomicU64,
    /// How often that is counted to until it rings; 0 for never.
    times: AtomicU64,
}

impl Bell {
    pub(crate) const fn new() -> Self {
        Self { rung: AtomicBool::new(false), number: AtomicU64::new(0), times: AtomicU64::new(0) }
    }

    /// Rings when the number is counted to so many times from now on.
    pub(crate) fn ring_at(&self, number: u64, times: u64) {
        self.rung.store(false, Ordering::Relaxed);
        self.number.store(number, Ordering::Relaxed);
        self.times.store(times, Ordering::Relaxed);
    }

    fn count(&self, number: u64) {
        if self.number.load(Ordering::Relaxed) == number {
            let fewer = |times: u64| times.checked_sub(1);
            let times = self.times.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
            self.rung.fetch_or(times == Ok(1), Ordering::Relaxed);
        }
    }
}

/// Counts from 0 on.
pub(crate) struct Tower {
    pub(crate) bell: &'static Bell,
    pub(crate) end: u64,
}

impl Model for Tower {
    type State = u64;
    type Action = ();

    fn initial(&self) -> Vec<u64> {
        vec![0]
    }

    fn actions(&self, number: &u64, actions: &mut Vec<()>) {
        if *number < self.end {
            actions.push(());
        }
    }

    fn next(&self, number: &u64, (): &()) -> Option<u64> {
        self.bell.count(number + 1);
        Some(number + 1)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let explain = |_: &Self, number: &u64| format!("it is {number}");
        vec![
            Property::<Self>::always(
                "S1",
                "below a hundred",
                |_, number| *number < 100,
                |_, _| true,
                explain,
            ),
            Property::<Self>::eventually("L1", "ends", |model, number| *number == model.end, explain),
        ]
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        vec![Fairness::weak("it counts", |()| true)]
    }

    fn is_final(&self, _: &u64) -> bool {
        true
    }

    fn lanes(&self) -> Vec<String> {
        vec!["bell".into()]
    }

    fn tell(&self, _: &u64, (): &(), _: &u64) -> Told {
        Told::new(0, 0, "counts")
    }
}
