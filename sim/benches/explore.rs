//! How many executions of a small race the explorer runs in a second, by each search.

use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use downbeat_rt::first_of;
use downbeat_sim::explore::{Explorer, Search, World};

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
