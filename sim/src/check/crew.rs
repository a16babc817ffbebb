//! Threads that take jobs from one list.

use std::sync::{Mutex, PoisonError};

/// Does `work` on every job, each worker on a thread of its own; the caller's thread is one of them.
///
/// Jobs are taken in their order. Which worker does which job is left to chance, so a job must own, or borrow
/// alone, all that it changes.
pub(super) fn for_each<W: Send, J: Iterator + Send>(
    workers: &mut [W],
    jobs: J,
    work: impl Fn(&mut W, J::Item) + Sync,
) {
    let Some((own, others)) = workers.split_first_mut() else { return };
    if others.is_empty() {
        jobs.for_each(|job| work(own, job));
        return;
    }
    let jobs = Mutex::new(jobs);
    let take_all = |worker: &mut W| {
        loop {
            // A poisoned list means that an iterator panicked; the scope below passes that panic on.
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
            match job {
                Some(job) => work(worker, job),
                None => break,
            }
        }
    };
    std::thread::scope(|scope| {
        for other in others {
            scope.spawn(|| take_all(other));
        }
        take_all(own);
    });
}
