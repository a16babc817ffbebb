//! What the explorer promises, on small programs.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use downbeat_rt::{First, JoinEnd, first_of};
use downbeat_sim::explore::{End, ExploreError, Explorer, Extent, Schedule, Search, Stop, World};

const ALL: [Search; 2] = [Search::Exhaustive, Search::Plain];

/// Two tasks send, and the order in which their numbers arrive is returned.
async fn race(world: World) -> Vec<u8> {
    let (sender, mut receiver) = world.rt().channel("numbers", 2);
    for number in [1, 2] {
        let sender = sender.clone();
        world.rt().spawn("sender", async move { assert_eq!(sender.send(number).await, Ok(())) });
    }
    drop(sender);
    let mut arrived = Vec::new();
    while let Some(number) = receiver.next().await {
        arrived.push(number);
    }
    arrived
}

/// What a program returns, in all executions, however they are searched.
fn returned<T: Ord + std::fmt::Debug + Clone, F: Future<Output = T>>(program: impl Fn(World) -> F) -> Vec<T> {
    let [reduced, plain] = ALL.map(|search| {
        let report = Explorer::new(&program).explore(search).expect("it depends on the choices alone");
        assert_eq!((report.extent, report.failures().next()), (Extent::Complete, None), "{search:?}");
        report.returned().cloned().collect::<Vec<_>>()
    });
    assert_eq!(reduced, plain, "with the reduction and without");
    reduced
}

#[test]
fn messages_of_two_tasks_arrive_in_either_order() {
    assert_eq!(returned(race), [[1, 2], [2, 1]]);
}

#[test]
fn timer_may_beat_a_message() {
    let won = returned(async |world: World| {
        let (sender, mut receiver) = world.rt().channel("message", 1);
        world.rt().spawn("sender", async move { assert!(sender.send(()).await.is_ok()) });
        let winner = first_of(receiver.next(), world.rt().sleep(Duration::from_millis(15))).await;
        (winner == First::Right(()), world.rt().now().as_millis())
    });
    // If both are ready, the message is looked at first.
    assert_eq!(won, [(false, 0), (false, 15), (true, 15)]);
}

#[test]
fn whoever_waits_for_rest_comes_after_everybody_and_every_timer() {
    let program = async |world: World| {
        let rt = world.rt();
        let done = rt.cell("done", 0);
        for ms in [0, 10, 20] {
            let (clock, done) = (rt.clone(), done.clone());
            rt.spawn("worker", async move {
                clock.sleep(Duration::from_millis(ms)).await;
                done.with(|done| *done += 1);
            });
        }
        world.at_rest().await;
        let first = (done.get(), rt.now().as_millis() >= 20);
        let again = done.clone();
        rt.spawn("late", async move { again.with(|done| *done += 1) });
        // A wait for rest that is given up is none.
        assert_eq!(first_of(std::future::ready(()), world.at_rest()).await, First::Left(()));
        world.at_rest().await;
        (first, done.get())
    };
    assert_eq!(returned(program), [((3, true), 4)]);
}

#[test]
fn rest_that_has_come_is_dropped_without_taking_that_of_another() {
    let ends = returned(async |world: World| {
        let mut first = Box::pin(world.at_rest());
        first.as_mut().await;
        let (other, done) = (world.clone(), world.rt().cell("done", false));
        let seen = done.clone();
        let task = world.rt().spawn("other", async move {
            other.at_rest().await;
            seen.set(true);
        });
        world.rt().sleep(Duration::from_millis(1)).await;
        drop(first);
        task.join().await;
        done.get()
    });
    assert_eq!(ends, [true]);
}

#[test]
fn end_at_rest_is_one_end_for_tasks_that_have_nothing_in_common() {
    let classes = |rests| {
        let program = |world: World| async move {
            for name in ["a", "b", "c"] {
                let cell = world.rt().cell(name, 0);
                world.rt().spawn(name, async move { cell.set(1) });
            }
            if rests {
                world.at_rest().await;
            } else {
                world.rt().sleep(Duration::from_millis(1)).await;
            }
        };
        Explorer::new(program).explore(Search::Exhaustive).expect("it depends on the choices alone").classes
    };
    // Or else each of the three has gone on by the end, or not.
    assert_eq!((classes(true), classes(false)), (Some(1), Some(8)));
}

#[test]
fn step_that_drops_two_senders_may_drop_the_last() {
    let out = returned(async |world: World| {
        let rt = world.rt();
        let (sender, mut receiver) = rt.channel::<()>("queue", 1);
        let out = rt.cell("out", 0);
        let [one, two, three] = [(); 3].map(|()| sender.clone());
        let seen = out.clone();
        let x = rt.spawn("x", async move {
            drop((sender, one));
            let looked = first_of(receiver.next(), std::future::ready(())).await;
            seen.set(if looked == First::Left(None) { 1 } else { 2 });
        });
        let y = rt.spawn("y", async move { drop((two, three)) });
        x.join().await;
        y.join().await;
        out.get()
    });
    assert_eq!(out, [1, 2]);
}

#[test]
fn last_sender_ends_the_queue_whoever_that_is() {
    let ends = returned(async |world: World| {
        let (sender, mut receiver) = world.rt().channel("numbers", 3);
        for number in [1, 2] {
            let own = sender.clone();
            world.rt().spawn("sender", async move { assert_eq!(own.try_send(number), Ok(())) });
        }
        drop(sender);
        let mut arrived = Vec::new();
        while let Some(number) = receiver.next().await {
            arrived.push(number);
        }
        arrived
    });
    assert_eq!(ends, [[1, 2], [2, 1]]);
}

#[test]
fn timer_beats_no_timer_that_is_due_before_it() {
    let order = returned(async |world: World| {
        let rt = world.rt();
        let order = rt.cell("order", Vec::new());
        let sleepers = [20, 10, 10].map(|ms| {
            let order = order.clone();
            let sleep = rt.sleep(Duration::from_millis(ms));
            rt.spawn("sleeper", async move {
                sleep.await;
                order.with(|order| order.push(ms));
            })
        });
        for sleeper in sleepers {
            sleeper.join().await;
        }
        (rt.now().as_millis(), order.get())
    });
    // A task that was woken may be slow to go on, so that what it says comes late. Time is never turned back.
    assert_eq!(order, [(20, vec![10, 10, 20]), (20, vec![10, 20, 10]), (20, vec![20, 10, 10])]);
}

#[test]
fn world_is_tried_with_each_possibility() {
    let found = returned(async |world: World| {
        let first = world.choose(3, "latency");
        (first, first == 2 && world.happens("crash"), world.choose(1, "no choice"))
    });
    assert_eq!(found, [(0, false, 0), (1, false, 0), (2, false, 0), (2, true, 0)]);
}

#[test]
fn task_ends_in_one_of_three_ways() {
    let found = returned(async |world: World| {
        let rt = world.rt();
        let finished = rt.spawn("finishes", async {}).join().await;
        let panicked = rt.spawn("panics", async { panic!("on purpose") }).join().await;
        let waits = rt.spawn("waits", pending());
        waits.abort();
        [finished, panicked, waits.join().await].map(|end| end == JoinEnd::Finished)
    });
    assert_eq!(found, [[true, false, false]]);
}

#[test]
fn aborted_task_has_gone_to_its_end_or_not() {
    let found = returned(async |world: World| {
        let cell = world.rt().cell("steps", 0);
        let (inner, steps) = (world.rt().clone(), cell.clone());
        let task = world.rt().spawn("worker", async move {
            steps.set(1);
            inner.sleep(Duration::from_secs(1)).await;
            steps.set(2);
        });
        world.rt().sleep(Duration::from_secs(1)).await;
        task.abort();
        (task.join().await == JoinEnd::Finished, cell.get())
    });
    assert_eq!(found, [(false, 0), (false, 1), (true, 2)]);
}

#[test]
fn panic_that_nobody_learns_of_is_a_failure() {
    for search in ALL {
        let mut explorer = Explorer::new(async |world: World| {
            let task = world.rt().spawn("worker", async { panic!("on purpose") });
            if world.happens("nobody joins") {
                drop(task);
                world.rt().sleep(Duration::from_secs(1)).await;
            } else {
                task.join().await;
            }
        });
        let report = explorer.explore(search).expect("it depends on the choices alone");
        let ends: Vec<_> = report.ends.keys().cloned().collect();
        let panicked = End::Panicked { task: "worker".into(), message: "on purpose".into() };
        assert_eq!(ends, [End::Returned(()), panicked], "{search:?}");
    }
}

#[test]
fn deadlock_names_those_who_wait() {
    for search in ALL {
        let mut explorer = Explorer::new(async |world: World| {
            let rt = world.rt();
            let ((to_left, mut at_left), (to_right, mut at_right)) =
                (rt.channel("left", 1), rt.channel("right", 1));
            let peer = rt.spawn("peer", async move {
                assert_eq!(at_right.next().await, Some(()));
                assert!(to_left.send(()).await.is_ok());
            });
            if world.happens("politeness") {
                assert!(to_right.send(()).await.is_ok());
            }
            assert_eq!(at_left.next().await, Some(()));
            peer.join().await == JoinEnd::Finished
        });
        let report = explorer.explore(search).expect("it depends on the choices alone");
        let ends: Vec<_> = report.ends.keys().cloned().collect();
        let deadlocked = End::Deadlocked(vec!["root".into(), "peer".into()]);
        assert_eq!(ends, [End::Returned(true), deadlocked], "{search:?}");
        assert_eq!(report.failures().count(), 1);
    }
}

#[test]
fn execution_without_end_is_cut_off_and_nothing_is_complete() {
    for search in ALL {
        let explorer = Explorer::new(async |world: World| {
            while !world.happens("the end") {
                world.rt().sleep(Duration::from_secs(1)).await;
            }
        });
        let report = explorer.steps(20).explore(search).expect("it depends on the choices alone");
        let ends: Vec<_> = report.ends.keys().cloned().collect();
        assert_eq!(ends, [End::Returned(()), End::CutOff], "{search:?}");
        assert_eq!((report.extent, report.longest), (Extent::Stopped(Stop::Steps(20)), 20), "{search:?}");
    }
}

#[test]
fn limits_end_a_search_and_say_so() {
    let ended = |explorer: &mut dyn FnMut() -> Extent| explorer();
    let stopped = [
        ended(&mut || Explorer::new(race).executions(3).explore(Search::Plain).expect("no error").extent),
        ended(&mut || {
            Explorer::new(race).time(Duration::ZERO).explore(Search::Plain).expect("no error").extent
        }),
    ];
    assert_eq!(stopped, [Extent::Stopped(Stop::Executions(3)), Extent::Stopped(Stop::Time(Duration::ZERO))]);
}

#[test]
fn program_that_keeps_something_is_found_out() {
    let runs = std::cell::Cell::new(0);
    let error = Explorer::new(|world: World| {
        runs.set(runs.get() + 1);
        let spawns = runs.get() % 2;
        async move {
            for _ in 0..=spawns {
                world.rt().spawn("child", async {});
            }
            world.rt().sleep(Duration::from_secs(1)).await;
        }
    })
    .explore(Search::Plain);
    assert_eq!(error, Err(ExploreError::Diverged { step: 1 }));
}

/// The timer is due too late to be among the alternatives.
#[test]
fn program_that_arms_another_timer_than_before_is_found_out() {
    let runs = std::cell::Cell::new(0);
    let program = |world: World| {
        runs.set(runs.get() + 1);
        let arms = runs.get() > 1;
        async move {
            let rt = world.rt().clone();
            world.rt().spawn("first", async move {
                let mut sleep = pin!(rt.sleep(Duration::from_secs(9)));
                poll_fn(|cx| Poll::Ready(arms && sleep.as_mut().poll(cx).is_ready())).await;
            });
            world.rt().spawn("second", async {});
            world.rt().sleep(Duration::from_secs(1)).await;
            world.rt().sleep(Duration::from_secs(1)).await;
        }
    };
    let error = Explorer::new(program).explore(Search::Plain);
    assert_eq!(error, Err(ExploreError::Diverged { step: 2 }));
}

#[test]
fn schedule_leads_to_the_same_end_again() {
    let mut explorer = Explorer::new(race);
    let report = explorer.explore(Search::Exhaustive).expect("it depends on the choices alone");
    for (end, seen) in &report.ends {
        let execution = explorer.replay(&seen.first).expect("it is its own schedule");
        assert_eq!((&execution.end, &execution.schedule), (end, &seen.first));
    }
    let other = Schedule::new(0, [7]);
    assert_eq!(explorer.replay(&other), Err(ExploreError::Misfit { place: 0 }));
}

/// The poll in which it ends wakes the task too: it has ended all the same, once.
#[test]
fn task_that_wakes_itself_in_its_last_step_ends_once() {
    let ends = returned(async |world: World| {
        let rt = world.rt();
        let (sender, mut receiver) = rt.channel("own", 1);
        let task = rt.spawn("task", async move {
            first_of(receiver.next(), async { assert_eq!(sender.try_send(1), Ok(())) }).await;
        });
        assert_eq!(rt.spawn("other", async {}).join().await, JoinEnd::Finished);
        task.abort();
        task.join().await == JoinEnd::Finished
    });
    assert_eq!(ends, [false, true]);
}

/// Whoever is the last to have a cell drops its value, and closes the queue of which it is the end.
#[test]
fn it_matters_who_drops_the_last_clone_of_a_cell() {
    let seen = returned(async |world: World| {
        let rt = world.rt();
        let (sender, receiver) = rt.channel("queue", 1);
        let one = rt.cell("end", receiver);
        let other = one.clone();
        let (value, out) = (rt.cell("value", 0), rt.cell("out", (0, false)));
        let b = rt.spawn("b", async move { drop(one) });
        let a = {
            let value = value.clone();
            rt.spawn("a", async move {
                drop(other);
                value.set(1);
            })
        };
        let c = {
            let out = out.clone();
            rt.spawn("c", async move { out.set((value.get(), sender.try_send(1).is_ok())) })
        };
        for task in [b, c, a] {
            task.join().await;
        }
        out.get()
    });
    assert_eq!(seen, [(0, true), (1, false), (1, true)]);
}

/// What is dropped when an execution is over chooses nothing.
#[test]
fn choices_of_what_is_dropped_at_the_end_are_none() {
    struct Chooses(World);
    impl Drop for Chooses {
        fn drop(&mut self) {
            assert_eq!(self.0.choose(3, "at the end"), 0);
        }
    }
    let program = async |world: World| {
        let chooses = Chooses(world.clone());
        world.rt().spawn("for ever", async move {
            let _chooses = chooses;
            pending::<()>().await;
        });
        world.rt().spawn("nothing", async {}).join().await;
    };
    let report = Explorer::new(program).explore(Search::Plain).expect("it depends on the choices alone");
    assert!(report.executions <= 3, "the world chose beside it: {report:?}");
}

/// Whoever posts and whoever takes have nothing in common but where the queue is empty or full.
#[test]
fn ends_of_a_queue_are_apart_between_empty_and_full() {
    let classes = |capacity: usize, filled: usize| {
        let program = async |world: World| {
            let rt = world.rt();
            let (sender, mut receiver) = rt.channel("queue", capacity);
            (0..filled).for_each(|item| assert_eq!(sender.try_send(item), Ok(())));
            rt.spawn("sender", async move {
                let _full = sender.try_send(9);
                pending::<()>().await;
            });
            rt.spawn("receiver", async move {
                let _empty = receiver.take();
                pending::<()>().await;
            });
            rt.sleep(Duration::from_secs(1)).await;
        };
        ALL.map(|search| {
            let report = Explorer::new(&program).explore(search).expect("it depends on the choices alone");
            report.classes.expect("they are counted")
        })
    };
    // Either of them, both, or neither comes before the end; where it matters, both in two orders.
    #[rustfmt::skip]
    let cases = [
        ("empty",           (3, 0), 5),
        ("one is there",    (3, 1), 4),
        ("room for one",    (3, 2), 4),
        ("full",            (3, 3), 5),
        ("one and no more", (1, 1), 5),
    ];
    for (name, (capacity, filled), expected) in cases {
        assert_eq!(classes(capacity, filled), [expected; 2], "{name}");
    }
}
