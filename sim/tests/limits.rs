//! A limit makes undecided what it leaves open, and says so.

#[expect(dead_code, reason = "nothing rings here")]
#[path = "models/bell.rs"]
mod bell;
#[path = "models/graph.rs"]
mod graph;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bell::{Bell, Tower};
use downbeat_sim::check::{Checker, Limit, Limits, Phase, Progress};
use downbeat_sim::report::Undecided;
use downbeat_sim::report::Verdict::{self, Holds, Incomplete, Violated};
use graph::{Edge, Graph};

/// States 0 to 9 in a row; the last one is final and the goal.
fn row() -> Graph {
    let edge = |from| Edge { from, to: from + 1, fair: 0b1, bad: false };
    Graph {
        initial: vec![0],
        edges: (0..9).map(edge).collect(),
        fair_actions: 1,
        antecedent: 1,
        from: 1,
        goal: 1 << 9,
        final_states: 1 << 9,
        ..Graph::default()
    }
}

const NOT_SOMETIMES: [&str; 5] = ["always", "step", "deadlock", "leads-to", "eventually"];

#[test]
fn limits_end_the_search_only_if_something_lies_beyond() {
    let states = |states| Limits { states: Some(states), ..Limits::default() };
    let depth = |depth| Limits { depth: Some(depth), ..Limits::default() };
    #[rustfmt::skip]
    let cases = [
        ("no limit",                   Limits::default(), None,                   10, Holds),
        ("as many states as there are", states(10),       None,                   10, Holds),
        ("one state too few",          states(9),         Some(Limit::States(9)), 10, Incomplete),
        ("one state",                  states(1),         Some(Limit::States(1)), 2,  Incomplete),
        ("no state",                   states(0),         Some(Limit::States(0)), 1,  Incomplete),
        ("as deep as it goes",         depth(9),          None,                   10, Holds),
        ("one step less",              depth(8),          Some(Limit::Depth(8)),  9,  Incomplete),
        ("no step",                    depth(0),          Some(Limit::Depth(0)),  1,  Incomplete),
        ("no time", Limits { time: Some(Duration::ZERO), ..Limits::default() },
            Some(Limit::Time(Duration::ZERO)), 1, Incomplete),
        ("no memory", Limits { memory: Some(0), ..Limits::default() },
            Some(Limit::Memory(0)), 1, Incomplete),
        ("plenty of each", Limits { states: Some(99), depth: Some(99), time: Some(Duration::from_secs(999)), memory: Some(1 << 40) },
            None, 10, Holds),
    ];
    for (name, limits, stopped_by, distinct, verdict) in cases {
        let graph = row();
        let report =
            Checker::new(&graph).only(NOT_SOMETIMES).limits(limits).check().expect("the graph is sound");
        assert_eq!(
            (report.stopped_by, report.distinct, report.verdict()),
            (stopped_by, distinct, verdict),
            "{name}"
        );
        assert!(report.properties.iter().all(|property| property.verdict == verdict), "{name}: {report:?}");
    }
}

#[test]
fn every_limit_ends_the_search_of_an_infinite_model() {
    static SILENT: Bell = Bell::new();
    let tower = Tower { bell: &SILENT, end: u64::MAX };
    let (time, memory) = (Duration::from_millis(100), 64 * 1024);
    #[rustfmt::skip]
    let cases = [
        (Limits { states: Some(3_000), ..Limits::default() }, Limit::States(3_000)),
        (Limits { depth: Some(3_000), ..Limits::default() },  Limit::Depth(3_000)),
        (Limits { time: Some(time), ..Limits::default() },    Limit::Time(time)),
        (Limits { memory: Some(memory), ..Limits::default() }, Limit::Memory(memory)),
    ];
    for (limits, stopped_by) in cases {
        let report = Checker::new(&tower).limits(limits).check().expect("the tower is sound");
        let verdicts: Vec<Verdict> = report.properties.iter().map(|property| property.verdict).collect();
        assert_eq!(report.stopped_by, Some(stopped_by));
        // What was found stays; that the end never comes is not known.
        let found = if report.depth < 100 { Incomplete } else { Violated };
        assert_eq!(verdicts, [found, Incomplete], "{stopped_by:?}");
    }
}

#[test]
fn time_ends_the_search_of_an_infinite_model_on_disk() {
    static SILENT: Bell = Bell::new();
    let directory = std::env::temp_dir().join(format!("downbeat-limits-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("there is room for temporary files");
    let time = Duration::from_millis(300);
    let limits = Limits { time: Some(time), memory: Some(256 * 1024), ..Limits::default() };
    let mut files = 0;
    let entries = || std::fs::read_dir(&directory).expect("it exists").count();
    let tower = Tower { bell: &SILENT, end: u64::MAX };
    let checker =
        Checker::new(&tower).limits(limits).spill(&directory).progress(|_| files = files.max(entries()));
    let report = checker.check().expect("the tower is sound");
    assert_eq!((report.stopped_by, report.verdict()), (Some(Limit::Time(time)), Violated));
    assert_eq!((files, entries()), (1, 0), "what was spilled is removed");
    std::fs::remove_dir(directory).expect("it is ours, and empty");
}

#[test]
fn memory_that_suffices_for_the_search_and_not_for_liveness_leaves_liveness_open() {
    static SILENT: Bell = Bell::new();
    let directory = std::env::temp_dir();
    let tower = Tower { bell: &SILENT, end: 40_000 };
    let decided = |mebibytes: u64| {
        let memory = mebibytes * 1024 * 1024;
        let limits = Limits { memory: Some(memory), ..Limits::default() };
        let report =
            Checker::new(&tower).limits(limits).spill(&directory).check().expect("the tower is sound");
        let properties = report.properties.iter().map(|property| (property.verdict, property.undecided));
        (report.stopped_by, properties.collect::<Vec<_>>())
    };
    let spilled = Some(Undecided::LivenessWhenSpilled);
    #[rustfmt::skip]
    let cases = [
        (1, None,                            [(Violated, None), (Incomplete, spilled)]),
        (3, Some(Limit::Memory(3 << 20)),    [(Violated, None), (Incomplete, None)]),
        (5, None,                            [(Violated, None), (Holds, None)]),
    ];
    for (mebibytes, stopped_by, properties) in cases {
        assert_eq!(decided(mebibytes), (stopped_by, properties.to_vec()), "{mebibytes} MiB");
    }
}

#[test]
fn limits_leave_what_was_decided() {
    let verdicts = |bad: u32, depth: usize| -> Vec<Verdict> {
        let graph = Graph { bad, ..row() };
        let limits = Limits { depth: Some(depth), ..Limits::default() };
        let report = Checker::new(&graph).only(["always", "sometimes", "deadlock"]).limits(limits).check();
        let report = report.expect("the graph is sound");
        assert_eq!(report.verdict(), if depth == 9 || bad & 0b1_1111 != 0 { Violated } else { Incomplete });
        report.properties.iter().map(|property| property.verdict).collect()
    };
    assert_eq!(verdicts(1 << 4, 4), [Violated, Holds, Incomplete], "the bad state lies at the limit");
    assert_eq!(verdicts(1 << 5, 4), [Incomplete, Incomplete, Incomplete], "it lies beyond");
    assert_eq!(verdicts(1 << 5, 9), [Violated, Holds, Holds], "there is nothing beyond the limit");
}

#[test]
fn limits_look_at_what_is_stored_before_they_end_the_search() {
    let graph = Graph { bad: 1 << 3, ..row() };
    let limits = Limits { states: Some(3), ..Limits::default() };
    let report = Checker::new(&graph).only(["always"]).limits(limits).check().expect("the graph is sound");
    assert_eq!((report.distinct, report.properties[0].verdict), (4, Violated));
}

#[test]
fn limits_between_initial_states_do_not_hide_where_a_behaviour_begins() {
    // Close to the limit blocks are of one state: of the initial ones the first alone is expanded, to a bad state.
    let edge = Edge { from: 0, to: 3, fair: 0, bad: false };
    let graph = Graph { initial: vec![0, 1, 2], edges: vec![edge], bad: 1 << 3, ..Graph::default() };
    let limits = Limits { states: Some(3), ..Limits::default() };
    let report = Checker::new(&graph).only(["always"]).limits(limits).check().expect("the graph is sound");
    assert_eq!((report.stopped_by, report.distinct, report.depth), (Some(Limit::States(3)), 4, 1));
    let steps = report.properties[0].counterexample.as_ref().map(|counterexample| counterexample.steps.len());
    assert_eq!(steps, Some(1));
}

#[test]
fn interrupt_between_two_properties_of_liveness_leaves_what_was_decided() {
    let graph = Graph { bad: 1 << 4, ..row() };
    #[rustfmt::skip]
    let cases: [(_, Option<Limit>, [Verdict; 3]); 4] = [
        (Phase::Walking(10),  Some(Limit::Interrupt), [Violated, Incomplete, Incomplete]),
        (Phase::Deciding(0),  Some(Limit::Interrupt), [Violated, Incomplete, Incomplete]),
        (Phase::Deciding(1),  Some(Limit::Interrupt), [Violated, Holds, Incomplete]),
        (Phase::Deciding(2),  None,                   [Violated, Holds, Holds]),
    ];
    for (phase, stopped_by, expected) in cases {
        let interrupt = AtomicBool::new(false);
        let progress = |progress: &Progress| {
            interrupt.fetch_or(progress.phase == phase, Ordering::Relaxed);
        };
        let checker = Checker::new(&graph).only(["always", "leads-to", "eventually"]);
        let report = checker.interrupt(&interrupt).progress(progress).check().expect("the graph is sound");
        let verdicts: Vec<Verdict> = report.properties.iter().map(|property| property.verdict).collect();
        assert_eq!((report.stopped_by, &verdicts[..]), (stopped_by, &expected[..]), "{phase:?}");
    }
}

#[test]
fn limits_on_time_hold_while_the_graph_is_built() {
    // The search sees ten states in ten blocks; the time is over when it has ended.
    let graph = row();
    let limits = Limits { time: Some(Duration::from_millis(200)), ..Limits::default() };
    let wait = |progress: &Progress| {
        if progress.states == 10 && progress.frontier == 0 {
            std::thread::sleep(Duration::from_millis(250));
        }
    };
    let checker = Checker::new(&graph).only(["always", "eventually"]).limits(limits).progress(wait);
    let report = checker.check().expect("the graph is sound");
    assert_eq!(report.stopped_by, limits.time.map(Limit::Time));
    let verdicts: Vec<Verdict> = report.properties.iter().map(|property| property.verdict).collect();
    assert_eq!(verdicts, [Holds, Incomplete]);
}
