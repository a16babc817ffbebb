//! A runtime of tokio in front of which a seed says what happens, and who is late.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use downbeat_rt::{First, Rt, Runtime, Spawned, Tokio, Waiting, Work, first_of};

use super::actor::{Acting, Actor, Handle};
use super::busy::{Busy, One, REST};

/// A scene that goes on for so long never comes to rest: with all that waits in it, it takes some seconds, and many are played at once.
const LIMIT: Duration = Duration::from_mins(5);

/// Of so many times that a task goes on, it is late in as many as the seed says.
const TIMES: u64 = 8;
/// None, few or half of them: where nobody is late, tasks of several threads are at work at the same time.
const LATE: [u64; 3] = [0, 1, 4];

/// A task is late by up to this many milliseconds, as a power of two: longer than the waits of the shell that may be over.
const LATENESS: u32 = 7;
/// And what may happen at any moment by up to so many, as long as a scene takes.
const MOMENT: u32 = 10;

/// The runtime of tokio in which it was made, as what a scene is played on.
///
/// What happens is drawn from a seed, and so is which tasks are late, each time that they go on. On a runtime with one thread and a paused
/// clock, the same seed is the same execution. With several threads it is not.
#[derive(Clone, Debug)]
pub struct Drawn {
    rt: Rt,
    below: Arc<Below>,
}

impl Drawn {
    /// The runtime of tokio that this is called in.
    ///
    /// # Panics
    /// If it is called in none.
    pub fn here(seed: u64) -> Self {
        let numbers = Numbers { seed: mixed(seed), drawn: AtomicU64::new(0) };
        let late = usize::try_from(numbers.below(LATE.len() as u64)).map_or(0, |drawn| LATE[drawn]);
        let below = Arc::new(Below { tokio: Tokio::current(), numbers, late, busy: Arc::default() });
        Self { rt: Rt::new(Seam(Arc::clone(&below))), below }
    }

    pub(super) fn rt(&self) -> &Rt {
        &self.rt
    }

    pub(super) fn choose(&self, of: usize) -> usize {
        // What may happen at any time happens late as often as early.
        let is_first = self.below.numbers.below(4) > 0;
        if is_first { 0 } else { usize::try_from(self.below.numbers.below(of as u64)).unwrap_or(0) }
    }

    pub(super) async fn any_moment(&self) {
        let moment = self.below.numbers.time(MOMENT);
        self.below.sleep(moment).await;
    }

    pub(super) async fn at_rest(&self) -> Result<(), &'static str> {
        match first_of(self.below.busy.over(), self.below.tokio.sleep(LIMIT)).await {
            First::Left(over) => over,
            First::Right(()) => Err(REST),
        }
    }
}

/// Numbers that look random (splitmix64).
struct Numbers {
    seed: u64,
    drawn: AtomicU64,
}

impl Numbers {
    fn below(&self, below: u64) -> u64 {
        let place = self.drawn.fetch_add(1, Ordering::Relaxed);
        mixed(self.seed.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15))) % below.max(1)
    }

    /// Short times and long ones are as likely, up to this power of two.
    fn time(&self, power_max: u32) -> Duration {
        let power = self.below(u64::from(power_max) + 1);
        Duration::from_millis(1 + self.below(1 << power))
    }
}

/// A word that depends on every bit of this one.
fn mixed(word: u64) -> u64 {
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

/// tokio, and what is known of what runs there.
struct Below {
    tokio: Tokio,
    numbers: Numbers,
    /// Of [`TIMES`] times that a task goes on, it is late in so many.
    late: u64,
    busy: Arc<Busy>,
}

impl Below {
    fn sleep(&self, duration: Duration) -> Waiting {
        Box::pin(Armed { sleep: self.tokio.sleep(duration), busy: Arc::clone(&self.busy), counts: None })
    }

    fn lateness(&self) -> Option<Waiting> {
        (self.numbers.below(TIMES) < self.late).then(|| self.sleep(self.numbers.time(LATENESS)))
    }
}

impl fmt::Debug for Below {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Below")
    }
}

/// The seam above it.
struct Seam(Arc<Below>);

impl Runtime for Seam {
    fn spawn(&self, name: &'static str, work: Work) -> Box<dyn Spawned> {
        let (actor, below) = (Actor::new(&self.0.busy), Arc::clone(&self.0));
        let lateness = move || below.lateness();
        let acting = Acting::new(Arc::clone(&actor), work, lateness);
        Box::new(Handle { actor, inner: self.0.tokio.spawn(name, Box::pin(acting)) })
    }

    fn sleep(&self, duration: Duration) -> Waiting {
        self.0.sleep(duration)
    }

    fn now(&self) -> Duration {
        self.0.tokio.now()
    }

    fn random(&self, below: u64) -> u64 {
        self.0.numbers.below(below)
    }
}

/// A wait that counts while it is armed.
struct Armed {
    sleep: Waiting,
    busy: Arc<Busy>,
    counts: Option<One>,
}

impl Future for Armed {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.counts.is_none() {
            self.counts = Some(self.busy.one());
        }
        let polled = self.sleep.as_mut().poll(cx);
        if polled.is_ready() {
            self.counts = None;
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::runtime::{Builder, Runtime as TokioRuntime};

    /// One task asks another one, gives a third up and waits a while, a few times over.
    async fn works(rt: Rt) {
        let (ask, mut asked) = rt.channel::<u32>("asked", 1);
        let (answer, mut answers) = rt.channel("answers", 1);
        rt.spawn("answers", async move {
            while let Some(number) = asked.next().await {
                let _ = answer.send(number + 1).await;
            }
        });
        for number in 0..20 {
            assert_eq!((ask.send(number).await, answers.next().await), (Ok(()), Some(number + 1)));
            let (given_up, (says, mut said)) = (rt.spawn("waits", pending()), rt.channel("said", 1));
            let ends = rt.spawn("ends", async move { assert_eq!(says.send(()).await, Ok(())) });
            assert_eq!(said.next().await, Some(()));
            ends.join().await;
            given_up.abort();
            given_up.join().await;
            rt.sleep(Duration::from_millis(1)).await;
        }
    }

    fn all_is_done_at_rest(runtime: &TokioRuntime, scenes: u64) {
        let play = async |seed| {
            let drawn = Drawn::here(seed);
            let done = drawn.rt().cell("done", false);
            let (rt, says) = (drawn.rt().clone(), done.clone());
            drawn.rt().spawn("works", async move {
                works(rt).await;
                says.set(true);
            });
            (drawn.at_rest().await, done.get())
        };
        runtime.block_on(async {
            let all: Vec<_> = (0..scenes).map(|seed| tokio::spawn(play(seed))).collect();
            for (seed, playing) in all.into_iter().enumerate() {
                assert_eq!(playing.await.expect("it does not panic"), (Ok(()), true), "seed {seed}");
            }
        });
    }

    #[test]
    fn rest_comes_when_all_is_done() {
        let paused = Builder::new_current_thread().enable_time().start_paused(true).build();
        all_is_done_at_rest(&paused.expect("a runtime"), 200);
        let threads = Builder::new_multi_thread().worker_threads(2).enable_time().build();
        all_is_done_at_rest(&threads.expect("a runtime"), 500);
    }

    #[test]
    fn what_goes_on_for_ever_never_comes_to_rest() {
        let paused =
            || Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let busy = paused().block_on(async {
            let drawn = Drawn::here(0);
            let rt = drawn.rt().clone();
            drawn.rt().spawn("runs", async move {
                loop {
                    rt.spawn("ends", async {}).join().await;
                }
            });
            drawn.at_rest().await
        });
        let waits = paused().block_on(async {
            let drawn = Drawn::here(0);
            let rt = drawn.rt().clone();
            drawn.rt().spawn("waits", async move {
                loop {
                    rt.sleep(Duration::from_secs(1)).await;
                }
            });
            drawn.at_rest().await
        });
        assert_eq!((busy, waits), (Err(REST), Err(REST)));
    }
}
