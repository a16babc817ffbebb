//! Searches that see a part, replay, minimization, and what a failure looks like.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use downbeat_rt::{First, first_of};
use downbeat_sim::explore::{self, End, Explorer, Extent, Report, Schedule, Search, Stop, World};

#[derive(Clone, Copy, Debug)]
enum Letter {
    Done,
    Interrupt,
    Resume,
}

/// A parent that forgets the end of its child if it comes while it is interrupted. Others make noise.
async fn forgetful(world: World) {
    let rt = world.rt();
    let (mailbox, mut letters) = rt.channel("mailbox", 4);
    let (inner, user) = (rt.clone(), mailbox.clone());
    rt.spawn("user", async move {
        for letter in [Letter::Interrupt, Letter::Resume] {
            inner.sleep(Duration::from_millis(10)).await;
            assert!(user.send(letter).await.is_ok());
        }
    });
    let (inner, noisy) = (rt.clone(), world.clone());
    let noise = rt.spawn("noise", async move {
        for _ in 0..3 {
            inner.sleep(Duration::from_millis(1 + noisy.choose(3, "latency") as u64)).await;
        }
    });
    let inner = rt.clone();
    rt.spawn("child", async move {
        inner.sleep(Duration::from_millis(5)).await;
        assert!(mailbox.send(Letter::Done).await.is_ok());
    });
    let (mut is_interrupted, mut is_done) = (false, false);
    for _ in 0..3 {
        match letters.next().await {
            Some(Letter::Done) => is_done = !is_interrupted,
            Some(Letter::Interrupt) => is_interrupted = true,
            Some(Letter::Resume) => is_interrupted = false,
            None => break,
        }
    }
    noise.join().await;
    assert!(is_done, "the child is forgotten");
}

const SEED: u64 = 0x51f2;

fn report(search: Search) -> Report<()> {
    Explorer::new(forgetful).stop_at_failure().explore(search).expect("it depends on the choices alone")
}

fn forgotten() -> End<()> {
    End::Panicked { task: "root".into(), message: "the child is forgotten".into() }
}

#[test]
fn searches_that_see_a_part_find_the_fault_and_say_what_they_have_seen() {
    let found = Extent::Stopped(Stop::Failure);
    let cases = [
        ("nothing unusual", Search::Bounded(0), Extent::Bounded(0), false),
        ("one deviation", Search::Bounded(1), found, true),
        ("random", Search::Random { seed: SEED, executions: 10_000 }, found, true),
        ("one execution", Search::Random { seed: SEED, executions: 1 }, Extent::Sampled, false),
        ("priorities", Search::Pct { seed: SEED, executions: 10_000, depth: 2 }, found, true),
        ("swarm", Search::Swarm { seed: SEED, executions: 10_000 }, found, true),
        ("exhaustive", Search::Exhaustive, found, true),
    ];
    for (name, search, extent, is_found) in cases {
        let report = report(search);
        println!("{name}: {} executions", report.executions);
        assert_eq!((report.extent, report.ends.contains_key(&forgotten())), (extent, is_found), "{name}");
    }
}

#[test]
fn failing_schedule_is_minimized_to_a_handful_of_choices() {
    let explorer = Explorer::new(forgetful);
    for seed in 0..20 {
        let report = report(Search::Random { seed, executions: 10_000 });
        let first = &report.ends[&forgotten()].first;
        let minimized = explorer.minimize(first).expect("it is a schedule of the program");
        let execution = explorer.replay(&minimized).expect("so is this");
        assert_eq!((&execution.end, &execution.schedule), (&forgotten(), &minimized));
        assert_eq!(minimized.to_string().parse(), Ok(minimized.clone()));
        assert_eq!(minimized.deviations().len(), 1, "{minimized}, of {first}");
    }
}

#[test]
fn bytes_are_choices() {
    let explorer = Explorer::new(async |world: World| (world.choose(3, "one"), world.choose(300, "other")));
    let cases = [(vec![], (0, 0)), (vec![4], (1, 0)), (vec![2, 255, 9], (2, 255))];
    for (bytes, expected) in cases {
        assert_eq!(explorer.bytes(&bytes).end, End::Returned(expected), "{bytes:?}");
    }
}

#[test]
fn random_numbers_are_those_of_the_seed_and_of_who_asks() {
    let asked = |seed| {
        let mut explorer = Explorer::new(async |world: World| {
            let drawn = world.rt().cell("drawn", [0; 2]);
            let tasks = [0, 1].map(|at| {
                let (rt, drawn) = (world.rt().clone(), drawn.clone());
                world.rt().spawn("drawer", async move {
                    let number = rt.random(1_000_000);
                    drawn.with(|drawn| drawn[at] = number);
                })
            });
            for task in tasks {
                task.join().await;
            }
            drawn.get()
        });
        explorer = explorer.seed(seed);
        let report = explorer.explore(Search::Exhaustive).expect("it depends on the choices alone");
        assert!(report.executions > 1);
        let [drawn] = report.returned().collect::<Vec<_>>()[..] else { panic!("it depends on the order") };
        *drawn
    };
    let [one, again, other] = [asked(1), asked(1), asked(2)];
    assert_eq!(one, again);
    assert_ne!(one, other);
    assert_ne!(one[0], one[1]);
}

#[test]
fn interrupt_and_progress_are_looked_at_between_executions() {
    let stop = AtomicBool::new(false);
    let mut seen = 0;
    let report = Explorer::new(forgetful)
        .interrupt(&stop)
        .progress(|progress| {
            seen = progress.executions;
            stop.store(true, Ordering::Relaxed);
        })
        .explore(Search::Random { seed: 1, executions: u64::MAX })
        .expect("it depends on the choices alone");
    assert_eq!(report.extent, Extent::Stopped(Stop::Interrupt));
    assert!((seen..=seen + 1).contains(&report.executions), "{} after {seen}", report.executions);
}

/// Everything that an execution decides, as text.
fn trace(schedule: &Schedule) -> String {
    let execution = Explorer::new(busy).replay(schedule).expect("it is a schedule of the program");
    format!("{}\n{:#?}\n{:?}\n", execution.schedule, execution.story, execution.end)
}

/// A little of everything.
async fn busy(world: World) -> (u64, Vec<u64>) {
    let rt = world.rt();
    let (sender, mut receiver) = rt.channel("numbers", 1);
    for number in 0..3 {
        let (rt, sender, world) = (rt.clone(), sender.clone(), world.clone());
        rt.clone().spawn("sender", async move {
            rt.sleep(Duration::from_millis(rt.random(4))).await;
            if !world.happens("crash") {
                let _closed = sender.send(number * 10 + rt.random(10)).await;
            }
        });
    }
    drop(sender);
    let mut arrived = Vec::new();
    while let First::Left(Some(number)) = first_of(receiver.next(), rt.sleep(Duration::from_millis(3))).await
    {
        arrived.push(number);
    }
    (u64::try_from(rt.now().as_millis()).expect("it is short"), arrived)
}

fn traces() -> String {
    let search = Search::Random { seed: SEED, executions: 500 };
    let report = Explorer::new(busy).explore(search).expect("it depends on the choices alone");
    assert!(report.ends.len() > 50, "{}", report.ends.len());
    report.ends.values().map(|seen| trace(&seen.first)).collect()
}

/// Where a fresh process is told to write what it traced.
const TRACES: &str = "DOWNBEAT_EXPLORE_TRACES";

#[test]
fn traces_are_equal_twice_and_in_a_fresh_process() {
    let here = traces();
    assert!(here == traces(), "the second run differs");
    if let Some(file) = std::env::var_os(TRACES) {
        std::fs::write(file, here).expect("it can be written");
        return;
    }
    let file = std::env::temp_dir().join(format!("downbeat-explore-{}", std::process::id()));
    let program = std::env::current_exe().expect("a test has a program");
    let name = "traces_are_equal_twice_and_in_a_fresh_process";
    let run = Command::new(program).args([name, "--exact"]).env(TRACES, &file).status();
    assert!(run.expect("it can be run").success());
    let there = std::fs::read_to_string(&file).expect("it was written");
    std::fs::remove_file(&file).expect("it is there");
    assert!(!there.is_empty() && here == there, "a fresh process differs");
}

#[test]
fn failure_is_drawn_with_its_schedule() {
    let failure = std::panic::catch_unwind(|| explore::test(forgetful)).expect_err("the fault is planted");
    let text = failure.downcast_ref::<String>().expect("it says something");
    insta::assert_snapshot!(text);
}

#[test]
fn deadlock_is_drawn_with_those_who_wait() {
    let failure = std::panic::catch_unwind(|| {
        explore::test(async |world: World| {
            let rt = world.rt();
            let (sender, mut receiver) = rt.channel("rooms", 1);
            // The room is given back when both have been there.
            let guests = [1, 2].map(|_| {
                let sender = sender.clone();
                rt.spawn("guest", async move { assert!(sender.send(()).await.is_ok()) })
            });
            for guest in guests {
                guest.join().await;
            }
            receiver.next().await
        })
    })
    .expect_err("the second guest waits for the room");
    insta::assert_snapshot!(failure.downcast_ref::<String>().expect("it says something"));
}

#[test]
#[should_panic(expected = "incomplete: ended after 10 executions of 10 executions")]
fn test_that_does_not_see_all_fails() {
    Explorer::new(busy).executions(10).test(Search::Exhaustive);
}

#[test]
#[should_panic(expected = "3 executions were cut off after 50 steps, the first of them seed=")]
fn test_with_an_execution_without_end_fails() {
    let endless = Explorer::new(async |world: World| {
        loop {
            world.rt().sleep(Duration::from_secs(1)).await;
        }
    });
    endless.steps(50).test(Search::Random { seed: 1, executions: 3 });
}

#[test]
fn bounded_search_that_cuts_executions_off_is_incomplete() {
    let mut explorer = Explorer::new(async |world: World| {
        while world.happens("another round") {
            world.rt().sleep(Duration::from_secs(1)).await;
        }
    });
    let whole = explorer.explore(Search::Bounded(3)).expect("it depends on the choices alone");
    assert_eq!((whole.extent, whole.executions), (Extent::Bounded(3), 4));
    let cut = explorer.steps(4).explore(Search::Bounded(3)).expect("it depends on the choices alone");
    assert_eq!(cut.extent, Extent::Stopped(Stop::Steps(4)));
}

/// Four steps of a task, and something beside it that sees how many there were.
async fn interrupted(world: World, comes_last: bool) -> u8 {
    let (steps, seen) = (world.rt().cell("steps", 0), world.rt().cell("seen", 9));
    let (rt, done) = (world.rt().clone(), steps.clone());
    world.rt().spawn("works", async move {
        for _ in 0..4 {
            done.with(|steps| *steps += 1);
            // A step more, in which the timer fires.
            rt.sleep(Duration::from_millis(1)).await;
        }
    });
    let sees = seen.clone();
    let interrupt = async move { sees.set(steps.get()) };
    if comes_last {
        world.spawn_last("interrupt", interrupt);
    } else {
        world.rt().spawn("interrupt", interrupt);
    }
    world.at_rest().await;
    seen.get()
}

#[test]
fn what_comes_last_begins_at_any_moment_by_one_choice() {
    let seen = |comes_last, search| {
        let mut explorer = Explorer::new(|world| interrupted(world, comes_last));
        let report = explorer.explore(search).expect("it depends on the choices alone");
        (report.returned().copied().collect::<Vec<_>>(), report.classes)
    };
    let ends = |comes_last, search| seen(comes_last, search).0;
    #[rustfmt::skip]
    let cases = [
        ("in its turn",                 false, 0, vec![1]),
        ("in its turn, with a choice",  false, 1, vec![0, 1]),
        ("last",                        true,  0, vec![4]),
        ("last, with a choice",         true,  1, vec![0, 1, 2, 3, 4]),
    ];
    for (name, comes_last, most, expected) in cases {
        assert_eq!(ends(comes_last, Search::Bounded(most)), expected, "{name}");
    }
    for search in [Search::Exhaustive, Search::Plain] {
        assert_eq!(seen(true, search), seen(false, search), "{search:?}");
        assert_eq!(ends(true, search), [0, 1, 2, 3, 4], "{search:?}");
    }
}
