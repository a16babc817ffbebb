//! tokio below the seam.

use crate::runtime::{JoinEnd, Runtime, Spawned, Waiting, Work};
use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::BuildHasher;
use std::pin::Pin;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A runtime of tokio.
#[derive(Debug)]
pub struct Tokio {
    handle: Handle,
    began: Instant,
}

impl Tokio {
    /// The runtime that this is called in.
    ///
    /// # Panics
    /// If it is called in none.
    pub fn current() -> Self {
        Self { handle: Handle::current(), began: Instant::now() }
    }
}

impl Runtime for Tokio {
    fn spawn(&self, _name: &'static str, work: Work) -> Box<dyn Spawned> {
        Box::new(self.handle.spawn(work))
    }

    fn sleep(&self, duration: Duration) -> Waiting {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn random(&self, below: u64) -> u64 {
        // Every state of this hasher begins with keys of its own.
        RandomState::new().hash_one(self.began.elapsed()) % below.max(1)
    }
}

impl Spawned for JoinHandle<()> {
    fn abort(&self) {
        Self::abort(self);
    }

    fn join(&mut self) -> Pin<Box<dyn Future<Output = JoinEnd> + Send + '_>> {
        Box::pin(async move {
            match self.await {
                Ok(()) => JoinEnd::Finished,
                Err(error) if error.is_panic() => JoinEnd::Panicked,
                Err(_) => JoinEnd::Aborted,
            }
        })
    }
}
