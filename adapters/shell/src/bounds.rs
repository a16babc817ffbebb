//! How long the shell waits for an adapter where no machine of the kernel has a timer.
//!
//! Who does not answer in time is dropped, and then it is told that nobody has answered: what comes of that is what comes of a panic, or the
//! same is asked again. A bound that is not set arms no timer.

use crate::act::Actor;
use crate::contain::{asked, contained};
use crate::fault::{self, Fault};
use crate::ports::Doing;
use crate::trace::{self, Subject};
use downbeat_rt::{Cell, First, Receiver, Rt, Sender, first_of};
use std::num::NonZeroU32;
use std::time::Duration;
use tracing::Span;

/// Who is asked again and again is given so long at last: longer than telling somebody of something, or removing a container, takes.
const AGAIN_MS_MAX: NonZeroU32 = NonZeroU32::new(3_600_000).expect("it is not 0");

const TWO: NonZeroU32 = NonZeroU32::new(2).expect("it is not 0");

/// How long adapters may take that no timer of the kernel waits for; `None` is for as long as they like. What has a timer there is not
/// among them: containers, leases, iterators, credentials, notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Milliseconds for which a model may say nothing: in [`Model::send`](crate::Model::send) from the last piece of its output on, and in
    /// [`Model::recover`](crate::Model::recover). The send has failed then, and may be made again if none of its output went out; of one of
    /// before a crash nobody knows what became of it. 600,000 by default, our own choice: a whole response that does not stream may take minutes.
    pub silence_ms_max: Option<NonZeroU32>,
    /// Milliseconds that [`Tools::run`](crate::Tools::run) may take; it has failed then, and its model hears after how long. 3,600,000 by
    /// default, our own choice: a tool may build something large, or test it.
    pub tool_ms_max: Option<NonZeroU32>,
    /// Milliseconds that [`Agents::prepare`](crate::Agents::prepare) may take, and then [`Workers::deploy`](crate::Workers::deploy); the
    /// surroundings of the task cannot be made ready then. 600,000 by default, our own choice: five times as long as a container may take to start.
    pub ready_ms_max: Option<NonZeroU32>,
    /// Milliseconds after which those are asked again who have to hear of something before the shell forgets it, and have not said that they
    /// did: [`People::settled`](crate::People::settled), [`People::undelivered`](crate::People::undelivered),
    /// [`Overseer::report`](crate::Overseer::report), [`Notifier::undelivered`](crate::Notifier::undelivered); and who has to remove a container
    /// ([`Agents::remove`](crate::Agents::remove)). Each time twice as long, up to an hour. 120,000 by default, as long as a container may take to start.
    pub again_ms: Option<NonZeroU32>,
}

impl Bounds {
    /// None: who never answers is waited for until somebody cancels the task, or until the next start.
    pub const NONE: Self =
        Self { silence_ms_max: None, tool_ms_max: None, ready_ms_max: None, again_ms: None };
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            silence_ms_max: NonZeroU32::new(600_000),
            tool_ms_max: NonZeroU32::new(3_600_000),
            ready_ms_max: NonZeroU32::new(600_000),
            again_ms: NonZeroU32::new(120_000),
        }
    }
}

/// Why nothing came of what an adapter was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    Panicked,
    /// Nobody has answered for so long.
    Silent(NonZeroU32),
}

/// How long one thing of an adapter is waited for.
pub(crate) struct Bound {
    rt: Rt,
    ms_max: Option<NonZeroU32>,
    asked: Subject,
    /// That of the shard: what is told here is told elsewhere.
    span: Span,
    /// Signs of life, if whoever is asked can give any.
    pulse: Option<Pulse>,
    /// A sign that was being given is not any more.
    given: Option<Receiver<()>>,
}

impl Actor {
    /// A bound for what is asked now.
    pub(crate) fn bound(&self, ms_max: Option<NonZeroU32>, asked: Subject) -> Bound {
        Bound { rt: self.rt.clone(), ms_max, asked, span: Span::current(), pulse: None, given: None }
    }
}

impl Bound {
    /// With signs of life that begin the time anew; none where there is no bound.
    pub(crate) fn with_pulse(mut self) -> (Self, Option<Pulse>) {
        if self.ms_max.is_some() {
            let (pulse, given) = Pulse::new(&self.rt);
            (self.pulse, self.given) = (Some(pulse), Some(given));
        }
        let pulse = self.pulse.clone();
        (self, pulse)
    }

    /// Waits for an answer. Who does not give one in time is dropped before anybody hears so.
    pub(crate) async fn wait<T>(&mut self, doing: Doing<T>) -> Result<T, Nothing> {
        let ms_max = self.ms_max.filter(|_| !fault::has(Fault::WaitsForEver));
        let Some(ms_max) = ms_max else { return contained(doing).await.ok_or(Nothing::Panicked) };
        match first_of(contained(doing), self.is_silent(ms_max)).await {
            First::Left(answer) => answer.ok_or(Nothing::Panicked),
            First::Right(()) => {
                self.span.in_scope(|| trace::silent(&self.asked, ms_max.get()));
                Err(Nothing::Silent(ms_max))
            }
        }
    }

    /// Waits for an answer, and asks again where none comes in time. Who takes longer than that is given twice as long. `None` if it panics.
    pub(crate) async fn insist<T: Send + 'static>(
        &mut self,
        first: Doing<T>,
        again: impl Fn() -> Doing<T>,
    ) -> Option<T> {
        let mut doing = first;
        loop {
            match self.wait(doing).await {
                Ok(answer) => return Some(answer),
                Err(Nothing::Panicked) => return None,
                Err(Nothing::Silent(ms)) => {
                    self.ms_max = Some(ms.max(ms.saturating_mul(TWO).min(AGAIN_MS_MAX)));
                    doing = asked(&again);
                }
            }
        }
    }

    async fn is_silent(&mut self, ms_max: NonZeroU32) {
        let whole = Duration::from_millis(ms_max.get().into());
        let mut left = Some(whole);
        while let Some(wait) = left {
            self.rt.sleep(wait).await;
            while let (Some(pulse), Some(given)) = (&self.pulse, &mut self.given)
                && pulse.is_beating()
            {
                // A timer that is armed again and again would never let time rest.
                let _ = given.next().await;
            }
            left = self.pulse.as_ref().and_then(|pulse| pulse.left_of(whole));
        }
    }
}

/// When somebody gave a sign of life last.
#[derive(Clone)]
pub(crate) struct Pulse {
    rt: Rt,
    last: Cell<Last>,
    given: Sender<()>,
}

struct Last {
    at: Duration,
    /// How many signs are being given, and wait for whoever takes them.
    waiting: u32,
}

impl Pulse {
    /// With what says that a sign is not being given any more.
    fn new(rt: &Rt) -> (Self, Receiver<()>) {
        let (given, is_given) = rt.channel("pulse", 1);
        (Self { rt: rt.clone(), last: rt.cell("pulse", Last { at: rt.now(), waiting: 0 }), given }, is_given)
    }

    /// Whether a sign is being given.
    fn is_beating(&self) -> bool {
        self.last.read(|last| last.waiting > 0)
    }

    /// A sign that lasts until it is dropped.
    pub(crate) fn beat(&self) -> Beat {
        self.last.with(|last| last.waiting += 1);
        Beat(self.clone())
    }

    /// What is left of a time that each sign begins anew, if anything is.
    fn left_of(&self, whole: Duration) -> Option<Duration> {
        let now = self.rt.now();
        let silent = self.last.read(|last| now.saturating_sub(last.at));
        whole.checked_sub(silent).filter(|left| !left.is_zero())
    }
}

/// A sign of life that is being given.
pub(crate) struct Beat(Pulse);

impl Drop for Beat {
    fn drop(&mut self) {
        let now = self.0.rt.now();
        self.0.last.with(|last| (last.at, last.waiting) = (now, last.waiting - 1));
        // Whoever has not come to the one before hears of both at once.
        let _ = self.0.given.try_send(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use downbeat_rt::{Runtime, Spawned, Waiting, Work};
    use std::future::ready;
    use std::sync::{Arc, Mutex, PoisonError};

    /// A runtime whose waits are over at once, and kept.
    #[derive(Default)]
    struct Hasty(Arc<Mutex<Vec<Duration>>>);

    impl Runtime for Hasty {
        fn spawn(&self, name: &'static str, _work: Work) -> Box<dyn Spawned> {
            unreachable!("nothing is spawned: {name}")
        }

        fn sleep(&self, duration: Duration) -> Waiting {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(duration);
            Box::pin(ready(()))
        }

        fn now(&self) -> Duration {
            Duration::ZERO
        }

        fn random(&self, _below: u64) -> u64 {
            0
        }
    }

    #[tokio::test]
    async fn answer_wins_over_the_end_of_the_wait_and_no_bound_waits_for_nothing() {
        let never = || -> Doing<u8> { Box::pin(std::future::pending()) };
        let second = || -> Doing<u8> {
            let mut polls = 0;
            Box::pin(std::future::poll_fn(move |cx| {
                polls += 1;
                cx.waker().wake_by_ref();
                if polls > 1 { std::task::Poll::Ready(7) } else { std::task::Poll::Pending }
            }))
        };
        let one = NonZeroU32::MIN;
        #[rustfmt::skip]
        let cases = [
            ("there, and a bound",  Some(one), Box::pin(ready(7_u8)) as Doing<u8>, Ok(7),                    0),
            ("later, and none",     None,      second(),                        Ok(7),                    0),
            ("later, and too late", Some(one), second(),                        Err(Nothing::Silent(one)), 1),
            ("never",               Some(one), never(),                         Err(Nothing::Silent(one)), 1),
        ];
        for (name, ms_max, doing, expected, waits) in cases {
            let hasty = Hasty::default();
            let kept = Arc::clone(&hasty.0);
            let (rt, asked) = (Rt::new(hasty), Subject::new("it"));
            let mut bound = Bound { rt, ms_max, asked, span: Span::none(), pulse: None, given: None };
            assert_eq!(bound.wait(doing).await, expected, "{name}");
            assert_eq!(kept.lock().expect("nobody panics").len(), waits, "{name}");
        }
    }

    #[tokio::test]
    async fn who_takes_long_is_given_longer_each_time() {
        let hasty = Hasty::default();
        let kept = Arc::clone(&hasty.0);
        let ms_max = NonZeroU32::new(1_000_000);
        let mut bound = Bound {
            rt: Rt::new(hasty),
            ms_max,
            asked: Subject::new("it"),
            span: Span::none(),
            pulse: None,
            given: None,
        };
        let asked = Mutex::new(0);
        let later = || -> Doing<u8> {
            let mut asked = asked.lock().expect("nobody panics");
            *asked += 1;
            if *asked < 4 { Box::pin(std::future::pending()) } else { Box::pin(ready(7)) }
        };
        assert_eq!(bound.insist(later(), later).await, Some(7));
        let waits: Vec<_> = kept.lock().expect("nobody panics").iter().map(Duration::as_secs).collect();
        assert_eq!(waits, [1_000, 2_000, 3_600]);
    }
}
