//! One table: CPU time and memory for eight resource managers, as ratios to stateright's breadth-first search.

use std::fmt;
use std::time::Instant;

use downbeat_sim::check::Checker;
use downbeat_sim::model::Model;
use stateright::Checker as _;

use super::{InWord, LARGE, LARGE_DISTINCT, LARGE_GENERATED, Vectors, copy};

/// Each search is run so often, and the fastest counts: others only disturb.
const RUNS: usize = 3;

/// What a search cost.
#[derive(Clone, Copy)]
struct Cost {
    /// Of all threads together, user and system.
    cpu_seconds: f64,
    wall_seconds: f64,
    /// The most memory beyond what there was before it.
    bytes: f64,
}

impl Cost {
    fn of(mut search: impl FnMut()) -> Self {
        let mut best = Cost { cpu_seconds: f64::MAX, wall_seconds: f64::MAX, bytes: f64::MAX };
        for _ in 0..RUNS {
            reset_peak();
            let (cpu, memory, wall) = (cpu_seconds(), status("VmRSS:"), Instant::now());
            search();
            best.wall_seconds = wall.elapsed().as_secs_f64().min(best.wall_seconds);
            best.cpu_seconds = (cpu_seconds() - cpu).min(best.cpu_seconds);
            best.bytes = (status("VmHWM:") - memory).min(best.bytes);
        }
        best
    }
}

/// Runs every search and prints the table.
pub(super) fn print() {
    let words = InWord { managers: LARGE };
    let sets = copy::TwoPhaseCommit { managers: LARGE };
    let vectors = Vectors { managers: LARGE };
    let rows = [
        ("packed, a word", 1, Cost::of(|| checked(&words, 1, Checker::packed_states))),
        ("packed, a word", 2, Cost::of(|| checked(&words, 2, Checker::packed_states))),
        ("packed by the derive", 1, Cost::of(|| checked(&sets, 1, Checker::packed_states))),
        ("`Copy` struct", 1, Cost::of(|| checked(&sets, 1, |checker| checker))),
        ("struct of vectors", 1, Cost::of(|| checked(&vectors, 1, |checker| checker))),
        ("struct of vectors", 2, Cost::of(|| checked(&vectors, 2, |checker| checker))),
    ];
    let peer = Cost::of(|| {
        let checker = stateright::Model::checker(vectors.clone()).threads(1).spawn_bfs().join();
        assert_eq!(checker.unique_state_count(), LARGE_DISTINCT);
    });
    println!("two-phase commit, {LARGE} managers: {LARGE_DISTINCT} states, {LARGE_GENERATED} steps");
    println!(
        "{:24} {:>7} {:>9} {:>9} {:>12} {:>12}",
        "state", "threads", "CPU", "wall", "times the", "bytes a"
    );
    println!("{:24} {:>7} {:>9} {:>9} {:>12} {:>12}", "", "", "", "", "CPU speed", "state");
    for (name, threads, cost) in rows {
        println!(
            "{name:24} {threads:>7} {cost} {:>12.1} {:>12.1}",
            peer.cpu_seconds / cost.cpu_seconds,
            a_state(cost)
        );
    }
    println!("{:24} {:>7} {peer} {:>12.1} {:>12.1}", "stateright, vectors", 1, 1.0, a_state(peer));
    println!(
        "two threads on a word: {:.2} times one, by wall time",
        rows[0].2.wall_seconds / rows[1].2.wall_seconds
    );
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7.2} s {:>7.2} s", self.cpu_seconds, self.wall_seconds)
    }
}

fn a_state(cost: Cost) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a figure of three digits")]
    let states = LARGE_DISTINCT as f64;
    cost.bytes / states
}

fn checked<'a, M: Model>(model: &'a M, threads: usize, with: impl Fn(Checker<'a, M>) -> Checker<'a, M>) {
    let threads = threads.try_into().expect("at least one thread");
    let report = with(Checker::new(model).threads(threads)).check().expect("the model is sound");
    assert_eq!((report.distinct, report.generated), (LARGE_DISTINCT, LARGE_GENERATED));
}

/// User and system time of this process, by the clock of the scheduler: a hundredth of a second at the finest.
fn cpu_seconds() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").expect("these figures are taken on Linux");
    // Behind the name, which may contain anything, the user time is the 12th field and the system time the 13th.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    let ticks: f64 = fields.skip(11).take(2).map(|field| field.parse().unwrap_or(0.0)).sum();
    ticks / TICKS_A_SECOND
}

/// A line of the status of this process, in bytes.
fn status(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("these figures are taken on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    1024.0 * line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0)
}

/// Lets the peak of memory begin anew.
fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("a process may reset its own peak");
}
