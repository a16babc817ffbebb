//! Threads that take jobs from one list.

use std::sync::{Mutex, PoisonError};

/// Does `work` on every job, on up to `threads` threads of which the caller's is one.
///
/// Which thread does which job is left to chance, so a job must own, or borrow alone, all that it changes.
pub(super) fn for_each<J: Iterator + Send>(threads: usize, jobs: J, work: impl Fn(J::Item) + Sync) {
    if threads <= 1 {
        jobs.for_each(work);
        return;
    }
    let jobs = Mutex::new(jobs);
    let take_all = || {
        loop {
            // A poisoned list means that an iterator panicked; the scope below passes that panic on.
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
            match job {
                Some(job) => work(job),
                None => break,
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(take_all);
        }
        take_all();
    });
}
