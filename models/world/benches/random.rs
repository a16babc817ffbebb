//! Scenarios at random: on the explorer, and the same on tokio with its clock paused. How many executions in a second, and how much simulated time?
//!
//! `cargo bench -p downbeat-world --bench random`
//!
//! Simulated time is that of the waits that are over: of the shell those below five seconds (with `hours` all of them), of people that before a root goes on, of a pool
//! the first lease. On tokio tasks are late too, by a drawn time, and all of that passes.

use divan::Bencher;
use divan::counter::ItemsCount;
use downbeat_sim::explore::{Explorer, Search};
use downbeat_world::{Drawn, Marks, Scenario, Scene};
use std::time::{Duration, Instant};
use tokio::runtime::Builder;

fn main() {
    divan::main();
}

/// So many executions are one sample.
const EXECUTIONS: u64 = 500;

/// Nearly everything; and scenarios in which each timer is alone: the wait before a request is sent again, that before a root goes on, a lease.
const SCENARIOS: [&str; 5] =
    ["child+child+message+pause+retry+token+death+slow+disk+kill", "task", "retry", "pause", "lease"];

/// The same, and the largest with every wait over some time: on tokio that would not come to rest in the time it has for that.
const EXPLORED: [&str; 6] = [
    SCENARIOS[0],
    SCENARIOS[1],
    SCENARIOS[2],
    SCENARIOS[3],
    SCENARIOS[4],
    "child+child+message+pause+retry+token+death+slow+disk+kill+hours",
];

fn scene(name: &str) -> Scene {
    name.parse::<Scenario>().expect("there is such a scenario").scene()
}

/// How much of something there is in a second, and in an execution.
fn told(executions: u64, steps: Option<u64>, simulated: Duration, elapsed: Duration) {
    let each = |seconds: f64| seconds / u32::try_from(executions).map_or(f64::MAX, f64::from);
    let steps = steps.map_or(String::new(), |steps| format!("{} steps each, ", steps / executions));
    println!(
        "{executions} executions, {steps}{:.1} ms simulated each, {:.0} simulated seconds a second",
        each(simulated.as_secs_f64()) * 1_000.0,
        simulated.as_secs_f64() / elapsed.as_secs_f64()
    );
}

#[divan::bench(args = EXPLORED, sample_count = 20)]
fn explorer(bencher: Bencher<'_, '_>, name: &str) {
    let scene = scene(name);
    let found = || {
        let mut explorer = Explorer::new(|world| scene.play(world, Marks::default())).without_classes();
        explorer.explore(Search::Pct { seed: 1, executions: EXECUTIONS, depth: 3 })
    };
    let report = found().expect("the shell keeps to the seam");
    assert!(report.returned().all(Result::is_ok), "{name}");
    told(report.executions, Some(report.steps), report.simulated, report.elapsed);
    bencher.counter(ItemsCount::new(EXECUTIONS)).bench(|| divan::black_box(found().is_ok()));
}

#[divan::bench(args = SCENARIOS, sample_count = 20)]
fn paused_tokio(bencher: Bencher<'_, '_>, name: &str) {
    let scene = scene(name);
    let play = |seed| {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let began = tokio::time::Instant::now();
            (scene.play(Drawn::here(seed), Marks::default()).await, began.elapsed())
        })
    };
    let began = Instant::now();
    let mut simulated = Duration::ZERO;
    for seed in 0..EXECUTIONS {
        let (verdict, passed) = play(seed);
        assert!(verdict.is_ok(), "{name}, seed {seed}: {verdict:?}");
        simulated += passed;
    }
    told(EXECUTIONS, None, simulated, began.elapsed());
    bencher.counter(ItemsCount::new(EXECUTIONS)).bench(|| {
        (0..EXECUTIONS).for_each(|seed| assert!(divan::black_box(play(seed)).0.is_ok()));
    });
}
