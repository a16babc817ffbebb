//! One table: CPU time and memory for eight resource managers, as ratios to stateright's breadth-first search.

use std::fmt;
use std::thread;
use std::time::Instant;

use downbeat_sim::check::Checker;
use downbeat_sim::model::Model;
use stateright::Checker as _;

use super::{InWord, LARGE, LARGE_DISTINCT, LARGE_GENERATED, Vectors, copy};

/// Each search is run so often, and the fastest counts: others only disturb.
const RUNS: usize = 5;
const PEER: &str = "stateright, vectors";
const WORD: &str = "packed, a word";

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
        let mut best = Cost { cpu_seconds: f64::MAX, wall_seconds: f64::MAX, bytes: 0.0 };
        for _ in 0..RUNS {
            reset_peak();
            let (cpu, memory, wall) = (cpu_seconds(), status("VmRSS:"), Instant::now());
            search();
            best.wall_seconds = wall.elapsed().as_secs_f64().min(best.wall_seconds);
            best.cpu_seconds = (cpu_seconds() - cpu).min(best.cpu_seconds);
            // What an earlier run gave back to the allocator only is no gain of a later one.
            best.bytes = (status("VmHWM:") - memory).max(best.bytes);
        }
        best
    }
}

/// The name of a row, its number of threads, and its search.
type Row<'a> = (&'static str, usize, &'a dyn Fn(usize));

/// Runs the searches whose names contain `filter`, and prints the table. Ratios are there if both sides are.
pub(super) fn print(filter: &str) {
    let words = InWord { managers: LARGE };
    let sets = copy::TwoPhaseCommit { managers: LARGE };
    let vectors = Vectors { managers: LARGE };
    let word = |threads| checked(&words, threads, Checker::packed_states);
    let own_vectors = |threads| checked(&vectors, threads, |checker| checker);
    let rows: [Row<'_>; 7] = [
        (PEER, 1, &|threads| {
            let checker = stateright::Model::checker(vectors.clone()).threads(threads).spawn_bfs().join();
            assert_eq!(checker.unique_state_count(), LARGE_DISTINCT);
        }),
        (WORD, 1, &word),
        (WORD, 2, &word),
        ("packed by the derive", 1, &|threads| checked(&sets, threads, Checker::packed_states)),
        ("`Copy` struct", 1, &|threads| checked(&sets, threads, |checker| checker)),
        ("struct of vectors", 1, &own_vectors),
        ("struct of vectors", 2, &own_vectors),
    ];
    let mut costs: Vec<(&str, usize, Cost)> = Vec::new();
    for (name, threads, search) in rows.into_iter().filter(|(name, ..)| name.contains(filter)) {
        if costs.is_empty() {
            println!("two-phase commit, {LARGE} managers: {LARGE_DISTINCT} states, {LARGE_GENERATED} steps");
            println!(
                "{:24} {:>7} {:>9} {:>9} {:>12} {:>12}",
                "state", "threads", "CPU", "wall", "times the", "bytes a"
            );
            println!("{:24} {:>7} {:>9} {:>9} {:>12} {:>12}", "", "", "", "", "CPU speed", "state");
        }
        costs.push((name, threads, Cost::of(|| search(threads))));
        let (.., cost) = costs[costs.len() - 1];
        let peer = costs.iter().find(|(name, ..)| *name == PEER);
        let ratio =
            peer.map(|(.., peer)| format!("{:.1}", peer.cpu_seconds / cost.cpu_seconds)).unwrap_or_default();
        println!("{name:24} {threads:>7} {cost} {ratio:>12} {:>12.1}", a_state(cost));
    }
    let wall = |wanted| {
        let row = costs.iter().find(|(name, threads, _)| (*name, *threads) == (WORD, wanted));
        row.map(|(.., cost)| cost.wall_seconds)
    };
    if let (Some(one), Some(two)) = (wall(1), wall(2)) {
        println!("two threads on a word: {:.2} times one, by wall time", one / two);
        // What two cores are worth just now: often they are two halves of one, or somebody else has a part of them.
        let both = Cost::of(|| {
            thread::scope(|scope| {
                scope.spawn(|| word(1));
                word(1);
            });
        });
        println!("two searches side by side: {:.2} times one", 2.0 * one / both.wall_seconds);
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7.2} s {:>7.3} s", self.cpu_seconds, self.wall_seconds)
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
