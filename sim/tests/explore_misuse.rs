//! What a program may not do with the seam ends the search with an error, also where the program makes nothing of it.

use std::cell::RefCell;
use std::fmt;
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use downbeat_rt::{Access, JoinEnd, Rt};
use downbeat_sim::explore::{End, ExploreError, Explorer, Misuse, Schedule, Search, World};

/// What every search, and a replay, ends with.
fn misuse<T: Ord + fmt::Debug, F: Future<Output = T>>(program: impl Fn(World) -> F) -> Misuse {
    let found = |search| match Explorer::new(&program).explore(search) {
        Err(ExploreError::Misused(misuse)) => misuse,
        other => panic!("{other:?}"),
    };
    let [reduced, sampled] = [Search::Exhaustive, Search::Random { seed: 1, executions: 9 }].map(found);
    assert_eq!(reduced, sampled);
    reduced
}

/// Does something on another thread, and ignores whether it panicked.
fn elsewhere(act: impl FnOnce() + Send) {
    thread::scope(|scope| drop(scope.spawn(act).join()));
}

#[test]
fn seam_on_another_thread_is_noted() {
    type Use = fn(&Rt);
    let uses: [(&str, Use); 5] = [
        ("now", |rt| assert_eq!(rt.now(), Duration::ZERO)),
        ("spawn", |rt| drop(rt.spawn("lost", pending()))),
        ("cell", |rt| assert_eq!(rt.cell("cell", 1).get(), 1)),
        ("sleep", |rt| drop(rt.sleep(Duration::from_secs(1)))),
        ("random", |rt| assert_eq!(rt.random(9), 0)),
    ];
    for (name, act) in uses {
        assert_eq!(misuse(async |world: World| elsewhere(|| act(world.rt()))), Misuse::Thread, "{name}");
    }
    assert_eq!(misuse(async |world: World| elsewhere(|| assert!(!world.happens("it")))), Misuse::Thread);
}

#[test]
fn waker_on_another_thread_is_noted() {
    let program = async |_: World| {
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            elsewhere(|| waker.wake());
            Poll::Ready(())
        })
        .await;
    };
    assert_eq!(misuse(program), Misuse::Thread);
    let replayed = Explorer::new(program).replay(&Schedule::first(0));
    assert_eq!(replayed.err(), Some(ExploreError::Misused(Misuse::Thread)));
}

/// What a program keeps, of which the next execution uses the oldest.
struct Shelf<T>(RefCell<Option<T>>);

impl<T> Shelf<T> {
    fn new() -> Self {
        Self(RefCell::new(None))
    }

    fn oldest(&self, made: T, act: impl FnOnce(&T)) {
        act(self.0.borrow_mut().get_or_insert(made));
    }
}

#[test]
fn what_is_kept_from_one_execution_to_the_next_is_noted() {
    let (cells, wakers, tasks) = (Shelf::new(), Shelf::new(), Shelf::new());
    let cell = misuse(async |world: World| {
        world.happens("once more");
        cells.oldest(world.rt().cell("cell", 0), |cell| cell.set(1));
    });
    let waker = misuse(async |world: World| {
        world.happens("once more");
        poll_fn(|cx| {
            wakers.oldest(cx.waker().clone(), Waker::wake_by_ref);
            Poll::Ready(())
        })
        .await;
    });
    let task = misuse(async |world: World| {
        world.happens("once more");
        tasks.oldest(world.rt().spawn("task", pending()), downbeat_rt::Task::abort);
    });
    assert_eq!([cell, waker, task], [Misuse::Kept, Misuse::Kept, Misuse::Kept]);
}

#[test]
fn what_is_kept_from_one_exploration_to_the_next_is_noted() {
    let shelf = Shelf::new();
    let program = async |world: World| {
        shelf.oldest(world.rt().channel::<u8>("queue", 1), |(sender, _)| assert!(sender.waiting() == 0));
    };
    let explore = || Explorer::new(program).explore(Search::Exhaustive).map(|report| report.executions);
    assert_eq!(explore(), Ok(1));
    assert_eq!(explore(), Err(ExploreError::Misused(Misuse::Kept)));
}

/// A letter of which nobody tells the seam, or somebody does.
#[derive(Default)]
struct Letter(Mutex<(Option<u8>, Option<Waker>)>);

impl Letter {
    fn put(&self, item: u8) {
        let mut inner = self.0.lock().expect("nobody panics");
        inner.0 = Some(item);
        let waker = inner.1.take();
        drop(inner);
        waker.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<u8> {
        let mut inner = self.0.lock().expect("nobody panics");
        inner.1 = Some(cx.waker().clone());
        inner.0.take().map_or(Poll::Pending, Poll::Ready)
    }
}

async fn letter(world: World, is_recorded: bool) -> u8 {
    let letter = Arc::new(Letter::default());
    let object = world.rt().object("letter");
    let (rt, put) = (world.rt().clone(), Arc::clone(&letter));
    world.rt().spawn("sender", async move {
        if is_recorded {
            rt.touch(object, Access::Write);
        }
        put.put(7);
    });
    poll_fn(|cx| {
        if is_recorded {
            world.rt().touch(object, Access::Write);
        }
        letter.poll(cx)
    })
    .await
}

#[test]
fn wake_by_somebody_with_nothing_in_common_is_noted() {
    let unrecorded = Misuse::Unrecorded { woken: "root".into(), by: "sender".into() };
    assert_eq!(misuse(|world| letter(world, false)), unrecorded);
    let recorded = Explorer::new(|world| letter(world, true)).explore(Search::Exhaustive);
    let recorded = recorded.expect("the seam is told");
    assert_eq!(recorded.returned().collect::<Vec<_>>(), [&7]);
}

/// Two tasks count past the seam, and nobody waits for it. They may draw numbers besides.
async fn count_past(world: World, is_drawn: bool) -> u64 {
    let (rt, shared) = (world.rt(), Arc::new(Mutex::new(0)));
    for number in [1, 2] {
        let (rt, shared) = (rt.clone(), Arc::clone(&shared));
        world.rt().spawn("counter", async move {
            let drawn = if is_drawn { rt.random(9) } else { 0 };
            let mut shared = shared.lock().expect("nobody panics");
            *shared = *shared * 10 + number + drawn;
        });
    }
    rt.sleep(Duration::from_secs(1)).await;
    *shared.lock().expect("nobody panics")
}

/// The reduction takes such steps in one order alone, and does not see it.
#[test]
fn executions_of_one_class_that_end_apart_are_noted() {
    let is_noted = |search, is_drawn| match Explorer::new(|world| count_past(world, is_drawn)).explore(search)
    {
        Err(ExploreError::Misused(Misuse::Apart { .. })) => true,
        Ok(_) => false,
        Err(other) => panic!("{other}"),
    };
    let random = Search::Random { seed: 1, executions: 100 };
    for is_drawn in [false, true] {
        let found = [Search::Plain, Search::Bounded(1), random, Search::Exhaustive];
        assert_eq!(found.map(|search| is_noted(search, is_drawn)), [true, true, true, false], "{is_drawn}");
    }
    let mut unwatched = Explorer::new(|world| count_past(world, false)).without_classes();
    assert!(unwatched.explore(Search::Plain).is_ok());
}

/// What a program that catches panics makes of one of the seam.
#[test]
fn misuse_is_noted_before_a_panic_that_the_program_catches() {
    let none = async |world: World| {
        let chosen = catch_unwind(AssertUnwindSafe(|| world.choose(0, "latency")));
        assert!(chosen.is_err());
    };
    assert_eq!(misuse(none), Misuse::OneOfNone { label: "latency" });
    let nested = async |world: World| {
        let task = world.rt().spawn("explorer", async {
            let _refused = Explorer::new(async |_: World| ()).explore(Search::Plain);
        });
        assert_eq!(task.join().await, JoinEnd::Panicked);
    };
    assert_eq!(misuse(nested), Misuse::Nested);
}

/// A waker of a program's own.
struct Own(fn(&Rt), Rt);

impl Wake for Own {
    fn wake(self: Arc<Self>) {
        self.0(&self.1);
    }
}

/// Sleeps, and waits for another task, each with a waker of the program's own.
async fn own_waker(world: World, joins: bool, act: fn(&Rt)) {
    let rt = world.rt();
    let waker = Waker::from(Arc::new(Own(act, rt.clone())));
    let polled = |future: Pin<&mut dyn Future<Output = ()>>| {
        assert_eq!(future.poll(&mut Context::from_waker(&waker)), Poll::Pending);
    };
    if joins {
        let task = rt.spawn("task", async {});
        let mut joined = pin!(async { assert_eq!(task.join().await, JoinEnd::Finished) });
        polled(joined.as_mut());
        rt.sleep(Duration::from_secs(1)).await;
    } else {
        let mut sleep = pin!(rt.sleep(Duration::from_millis(1)));
        polled(sleep.as_mut());
        rt.sleep(Duration::from_secs(1)).await;
    }
}

#[test]
fn waker_of_a_program_that_panics_ends_the_execution() {
    for (joins, count) in [(false, 1), (true, 2)] {
        let program = |world| own_waker(world, joins, |_| panic!("on purpose"));
        let report = Explorer::new(program).explore(Search::Exhaustive).expect("it is a panic like others");
        let panicked = End::Panicked { task: "a waker of the program".into(), message: "on purpose".into() };
        assert!(report.ends.contains_key(&panicked), "joins: {joins}");
        assert_eq!(report.ends.len(), count, "the task may be slower than the timer: {:?}", report.ends);
    }
}

#[test]
fn waker_of_a_program_that_asks_the_seam_for_something_is_noted() {
    let asks = |rt: &Rt| drop(rt.spawn("child", pending()));
    assert_eq!(misuse(|world| own_waker(world, false, asks)), Misuse::NoStep);
}

#[test]
fn two_tasks_that_wait_for_rest_are_noted() {
    let program = async |world: World| {
        let other = world.clone();
        world.rt().spawn("other", async move { other.at_rest().await });
        world.at_rest().await;
    };
    assert_eq!(misuse(program), Misuse::TwoAtRest);
}
