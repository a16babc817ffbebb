//! A runtime on which time goes faster: whoever waits, waits a part of the time, the shell and the world alike.

use downbeat_rt::{Runtime, Spawned, Tokio, Waiting, Work};
use std::time::Duration;

/// A runtime whose seconds are shorter.
#[derive(Debug)]
pub(crate) struct Faster {
    pub(crate) tokio: Tokio,
    /// How many of its seconds one of the runtime below has.
    pub(crate) speed: u32,
}

impl Runtime for Faster {
    fn spawn(&self, name: &'static str, work: Work) -> Box<dyn Spawned> {
        self.tokio.spawn(name, work)
    }

    fn sleep(&self, duration: Duration) -> Waiting {
        self.tokio.sleep(duration / self.speed)
    }

    fn now(&self) -> Duration {
        self.tokio.now() * self.speed
    }

    fn random(&self, below: u64) -> u64 {
        self.tokio.random(below)
    }
}
