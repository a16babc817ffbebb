//! Threads that wait for jobs for as long as a search lasts.
//!
//! A job owns what it changes and shares, behind an [`Arc`](std::sync::Arc), what nobody changes meanwhile. So it
//! can go to any thread, and what it was given comes back. A thread without a job looks out for the next one before
//! it goes to sleep, since to wake a thread takes as long as a job does.

use std::hint;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// So long a thread looks out for a job before it sleeps: what one thread does alone between two lists of jobs takes
/// less, and of another's time it wastes no more than waking up costs.
const LOOKOUT: Duration = Duration::from_micros(100);

/// Work that some worker does.
type Job<'a, W> = Box<dyn FnOnce(&mut W) + Send + 'a>;

/// Where a job leaves what it returned, or that it panicked.
type Place<T> = Arc<Mutex<Option<thread::Result<T>>>>;

/// Threads that take jobs from one list. Each has a worker of type `W`, what it needs to work, to itself.
pub(super) struct Crew<'a, W> {
    /// The jobs of the last list that are left. Each thread begins at its own part of the list, so that the same jobs
    /// of list after list find what they need in the caches of the thread that did them before.
    jobs: Mutex<Vec<Option<Job<'a, W>>>>,
    /// Threads, with the caller's.
    threads: usize,
    /// How many jobs are on the list, for those who look out and would only disturb with the lock.
    open: AtomicUsize,
    is_over: AtomicBool,
    called: Condvar,
}

impl<'a, W> Crew<'a, W> {
    /// Calls `lead` with a crew of so many threads beside the caller's. They end with `lead`, however it ends.
    pub(super) fn with<T>(threads: usize, worker: impl Fn() -> W + Sync, lead: impl FnOnce(&Self) -> T) -> T {
        let crew = Self {
            jobs: Mutex::new(Vec::new()),
            threads: threads + 1,
            open: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            called: Condvar::new(),
        };
        thread::scope(|scope| {
            let (crew, worker) = (&crew, &worker);
            for thread in 1..=threads {
                scope.spawn(move || crew.serve(thread, &mut worker()));
            }
            let _end = End(crew);
            lead(crew)
        })
    }

    /// Does `work` on every input, on the caller's thread too; what it returns, in the order of the inputs.
    ///
    /// Which thread does what is left to chance. Once this returns, no clone of `work` is left. A panic in one job is
    /// passed on when it is seen.
    pub(super) fn all<I: Send + 'a, T: Send + 'a>(
        &self,
        own: &mut W,
        inputs: impl IntoIterator<Item = I>,
        work: impl Fn(&mut W, I) -> T + Clone + Send + 'a,
    ) -> Vec<T> {
        // What a job returns waits in a place of its own, and only numbers go from thread to thread: what carries them
        // is compiled once, and not for every type of result.
        let (sender, receiver) = mpsc::channel();
        let job = |(number, input)| {
            let (work, sender) = (work.clone(), sender.clone());
            let place: Place<T> = Arc::default();
            let left = Arc::clone(&place);
            let job: Job<'a, W> = Box::new(move |worker| {
                let result = catch_unwind(AssertUnwindSafe(|| work(worker, input)));
                drop(work);
                *left.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                // Nobody waits for it if another job has panicked.
                let _ = sender.send(number);
            });
            (Some(job), place)
        };
        let (jobs, places): (Vec<_>, Vec<_>) = inputs.into_iter().enumerate().map(job).unzip();
        self.call(jobs);
        drop((work, sender));
        while let Some(job) = self.take(0) {
            job(own);
        }
        let mut results: Vec<Option<T>> = places.iter().map(|_| None).collect();
        while let Some(number) = next(&receiver) {
            let result = places[number].lock().unwrap_or_else(PoisonError::into_inner).take();
            results[number] = result.map(|result| result.unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results.into_iter().flatten().collect()
    }

    /// Puts jobs on the empty list.
    fn call(&self, jobs: Vec<Option<Job<'a, W>>>) {
        let mut list = self.lock();
        self.open.store(jobs.len(), Ordering::Relaxed);
        *list = jobs;
        drop(list);
        self.called.notify_all();
    }

    /// Takes the first job that is left, from the part of this thread on; the lock is open again.
    fn take(&self, thread: usize) -> Option<Job<'a, W>> {
        let mut jobs = self.lock();
        let begin = thread * jobs.len() / self.threads;
        let (others, own) = jobs.split_at_mut(begin);
        let job = own.iter_mut().chain(others).find_map(Option::take);
        if job.is_some() {
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
        job
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Job<'a, W>>>> {
        // Jobs are done, and may panic, without the lock.
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does jobs until the end.
    fn serve(&self, thread: usize, worker: &mut W) {
        let mut since = Instant::now();
        while !self.is_over.load(Ordering::Relaxed) {
            if self.open.load(Ordering::Relaxed) > 0
                && let Some(job) = self.take(thread)
            {
                job(worker);
                since = Instant::now();
            } else if since.elapsed() < LOOKOUT {
                hint::spin_loop();
            } else {
                self.sleep();
                since = Instant::now();
            }
        }
    }

    /// Until there is something to do, or the end.
    fn sleep(&self) {
        let nothing =
            |_: &mut Vec<_>| self.open.load(Ordering::Relaxed) == 0 && !self.is_over.load(Ordering::Relaxed);
        drop(self.called.wait_while(self.lock(), nothing));
    }
}

/// Ends a crew when it goes out of scope, also in a panic.
struct End<'a, 'b, W>(&'a Crew<'b, W>);

impl<W> Drop for End<'_, '_, W> {
    fn drop(&mut self) {
        // Under the lock, so that nobody goes to sleep between seeing it false and the call.
        let jobs = self.0.lock();
        self.0.is_over.store(true, Ordering::Relaxed);
        drop(jobs);
        self.0.called.notify_all();
    }
}

/// The number of the next job that is done; `None` when every job is.
fn next(results: &Receiver<usize>) -> Option<usize> {
    let since = Instant::now();
    while since.elapsed() < LOOKOUT {
        match results.try_recv() {
            Ok(result) => return Some(result),
            Err(mpsc::TryRecvError::Disconnected) => return None,
            Err(mpsc::TryRecvError::Empty) => hint::spin_loop(),
        }
    }
    results.recv().ok()
}

/// Does `work` on every job, each worker on a thread that lives no longer; the caller's thread is one of them.
///
/// For jobs that borrow, and that are long enough for it: a thread begins a tenth of a millisecond late.
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
    thread::scope(|scope| {
        for other in others {
            scope.spawn(|| take_all(other));
        }
        take_all(own);
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// What a crew makes of some numbers, several times.
    fn squares(threads: usize, count: u64) -> Vec<u64> {
        Crew::with(
            threads,
            || 0_u64,
            |crew| {
                let all = |offset: u64| {
                    let shared = Arc::new(offset);
                    let seen = Arc::clone(&shared);
                    let results = crew.all(&mut 0, 0..count, move |done, number| {
                        *done += 1;
                        if number % 5 == 0 {
                            // Longer than anybody looks out for.
                            thread::sleep(LOOKOUT * 2);
                        }
                        number * number + *seen
                    });
                    assert_eq!(
                        Arc::into_inner(shared),
                        Some(offset),
                        "what was shared is left to the caller"
                    );
                    results
                };
                (0..20).flat_map(all).collect()
            },
        )
    }

    #[test]
    fn crew_returns_results_in_the_order_of_the_inputs() {
        for (threads, count) in [(0, 7), (1, 0), (1, 1), (1, 30), (3, 30), (9, 4)] {
            let expected: Vec<u64> =
                (0..20).flat_map(|offset| (0..count).map(move |n| n * n + offset)).collect();
            assert_eq!(squares(threads, count), expected, "{threads} threads beside the caller's");
        }
    }

    #[test]
    fn crew_passes_a_panic_on_and_waits_for_nobody() {
        for threads in [0, 1, 3] {
            let panic = catch_unwind(|| {
                Crew::with(
                    threads,
                    || (),
                    |crew| crew.all(&mut (), 0..30, |(), number| assert_ne!(number, 12, "not this one")),
                )
            });
            let said = panic.expect_err("a job panics").downcast::<String>().expect("it says why");
            assert!(said.contains("not this one"), "{said}");
        }
    }
}
