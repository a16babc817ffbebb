//! How many executions of a small race the explorer runs in a second, by each search, and beside shuttle at random.

use std::collections::BTreeSet;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use downbeat_rt::first_of;
use downbeat_sim::explore::{Explorer, Search, World};
use shuttle::Runner;
use shuttle::scheduler::RandomScheduler;
use shuttle::sync::{Arc, Mutex};

fn main() {
    divan::main();
}

/// A parent with a queue, a user who sends some messages, a child that sends one, and a timer that may interrupt: some twenty steps.
async fn race(world: World) -> (u8, u8) {
    let rt = world.rt();
    let (sender, mut receiver) = rt.channel("parent", 4);
    let token = rt.cell("token", 0_u8);
    let user = {
        let (sender, rt) = (sender.clone(), rt.clone());
        rt.clone().spawn("user", async move {
            for message in [1, 2, 3, 4] {
                let _closed = sender.send(message).await;
                rt.sleep(Duration::from_millis(5)).await;
            }
        })
    };
    let child = {
        let (sender, token) = (sender.clone(), token.clone());
        rt.spawn("child", async move {
            token.set(1);
            let _closed = sender.send(10).await;
        })
    };
    drop(sender);
    let mut sum = 0;
    while let downbeat_rt::First::Left(Some(item)) =
        first_of(receiver.next(), rt.sleep(Duration::from_millis(20))).await
    {
        sum += item + token.get();
    }
    child.join().await;
    user.join().await;
    (sum, token.get())
}

/// The race without its timers, which shuttle does not have, and with room for one message. shuttle lets others go on wherever
/// something shared is used, and this explorer where a task waits: with more room it would see fewer orders.
async fn messages(world: World) -> u8 {
    let rt = world.rt();
    let (sender, mut receiver) = rt.channel("parent", 1);
    let token = rt.cell("token", 0_u8);
    let user = {
        let sender = sender.clone();
        rt.spawn("user", async move {
            for message in [1, 2, 3, 4] {
                let _closed = sender.send(message).await;
            }
        })
    };
    let child = {
        let token = token.clone();
        rt.spawn("child", async move {
            token.set(1);
            let _closed = sender.send(10).await;
        })
    };
    let mut sum = 0;
    while let Some(item) = receiver.next().await {
        sum += item + token.get();
    }
    child.join().await;
    user.join().await;
    sum
}

/// The same on shuttle.
async fn messages_on_shuttle() -> u8 {
    let (sender, receiver) = shuttle::sync::mpsc::sync_channel(1);
    let token = Arc::new(Mutex::new(0_u8));
    let user = {
        let sender = sender.clone();
        shuttle::future::spawn(async move {
            for message in [1, 2, 3, 4] {
                let _closed = sender.send(message);
            }
        })
    };
    let child = {
        let token = Arc::clone(&token);
        shuttle::future::spawn(async move {
            *token.lock().expect("nobody panics") = 1;
            let _closed = sender.send(10);
        })
    };
    let mut sum = 0;
    while let Ok(item) = receiver.recv() {
        sum += item + *token.lock().expect("nobody panics");
    }
    child.await.expect("nobody aborts it");
    user.await.expect("nobody aborts it");
    sum
}

#[divan::bench]
fn messages_at_random(bencher: Bencher<'_, '_>) {
    let search = Search::Random { seed: 1, executions: EXECUTIONS };
    let found = || Explorer::new(messages).without_classes().explore(search);
    let report = found().expect("it depends on the choices alone");
    println!("{:?}, {} steps each", report.returned().collect::<Vec<_>>(), report.steps / report.executions);
    bencher.counter(ItemsCount::new(EXECUTIONS)).bench(|| divan::black_box(found().is_ok()));
}

#[divan::bench]
fn messages_at_random_on_shuttle(bencher: Bencher<'_, '_>) {
    let seen = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let run = || {
        let seen = Arc::clone(&seen);
        let executions = usize::try_from(EXECUTIONS).expect("they are few");
        let scheduler = RandomScheduler::new_from_seed(1, executions);
        Runner::new(scheduler, shuttle::Config::new()).run(move || {
            let sum = shuttle::future::block_on(messages_on_shuttle());
            seen.lock().expect("nobody panics").insert(sum);
        })
    };
    run();
    println!("{:?}", seen.lock().expect("nobody panics"));
    bencher.counter(ItemsCount::new(EXECUTIONS)).bench(|| divan::black_box(run()));
}

/// So many executions are one sample.
const EXECUTIONS: u64 = 2_000;

fn explore(bencher: Bencher<'_, '_>, search: Search) {
    let report =
        Explorer::new(race).executions(EXECUTIONS).explore(search).expect("it depends on the choices alone");
    println!(
        "{} executions and {} given up, {} steps each, {:?} classes, {:.2} for each, {}",
        report.executions,
        report.given_up,
        report.steps / (report.executions + report.given_up),
        report.classes,
        report.redundancy().unwrap_or_default(),
        report.extent
    );
    bencher.counter(ItemsCount::new(report.executions + report.given_up)).bench(|| {
        let report = Explorer::new(race).executions(EXECUTIONS).without_classes().explore(search);
        divan::black_box(report.is_ok())
    });
}

/// So many timers are armed at once, each for another time.
async fn timers(world: World) -> Duration {
    let rt = world.rt();
    let sleepers: Vec<_> =
        (1..=100).map(|ms| rt.spawn("sleeper", rt.sleep(Duration::from_millis(ms)))).collect();
    for sleeper in sleepers {
        sleeper.join().await;
    }
    rt.now()
}

#[divan::bench(sample_count = 20, args = [Search::Plain, Search::Exhaustive])]
fn hundred_timers(bencher: Bencher<'_, '_>, search: Search) {
    bencher.counter(ItemsCount::new(20_u64)).bench(|| {
        let report = Explorer::new(timers).executions(20).without_classes().explore(search);
        divan::black_box(report.is_ok())
    });
}

#[divan::bench]
fn plain(bencher: Bencher<'_, '_>) {
    explore(bencher, Search::Plain);
}

#[divan::bench]
fn reduced(bencher: Bencher<'_, '_>) {
    explore(bencher, Search::Exhaustive);
}

#[divan::bench]
fn random(bencher: Bencher<'_, '_>) {
    explore(bencher, Search::Random { seed: 1, executions: EXECUTIONS });
}
