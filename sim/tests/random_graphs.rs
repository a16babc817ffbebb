//! The checker against a slow one that works by fixpoints and by trying all subsets of states.

#[path = "models/graph.rs"]
mod graph;
#[path = "models/interned.rs"]
mod interned;
#[path = "models/large.rs"]
mod large;
#[path = "models/naive.rs"]
mod naive;
#[path = "models/ways.rs"]
mod ways;

use std::time::Duration;

use downbeat_sim::check::{Checker, Limit};
use downbeat_sim::model::Model;
use downbeat_sim::report::{Report, Storage};
use graph::{Edge, Graph};
use interned::Interned;
use large::Large;
use naive::{Naive, measure, without_lassos};
use proptest::prelude::*;
use ways::{Directory, EVERY_STORAGE, Part, Search, Stored, Way, all_replay, cases, ways};

/// Few enough that the reference tries all sets of them.
const STATES: u8 = 7;
/// All properties of a graph.
const ALL: [&str; 6] = ["always", "step", "sometimes", "deadlock", "leads-to", "eventually"];

fn graphs() -> impl Strategy<Value = Graph> {
    // A step of no fair action, of one, or of several.
    let fair = prop_oneof![Just(0), (0..3_u32).prop_map(|fair| 1 << fair), 0..1_u32 << 3];
    let edge = (0..STATES, 0..STATES, fair, prop::bool::weighted(0.15))
        .prop_map(|(from, to, fair, bad)| Edge { from, to, fair, bad });
    let sparse = 0..1_u32 << STATES;
    (
        prop::collection::vec(0..STATES, 1..3),
        prop::collection::vec(edge, 0..16),
        (0..=3_u8, 0..1_u32 << 3),
        (sparse.clone(), sparse.clone()).prop_map(|(one, other)| one & other),
        (sparse.clone(), sparse.clone(), sparse.clone(), sparse),
    )
        .prop_map(
            |(initial, edges, (fair_actions, strong), bad, (antecedent, from, goal, final_states))| Graph {
                initial,
                edges,
                fair_actions,
                strong,
                bad,
                antecedent,
                from,
                goal,
                final_states,
            },
        )
}

/// Graphs where few states let a behaviour rest: most have a fair step, and few are goals.
fn restless_graphs() -> impl Strategy<Value = Graph> {
    let fair = prop_oneof![1 => Just(0), 8 => (0..3_u32).prop_map(|fair| 1 << fair), 8 => 1..1_u32 << 3];
    let step =
        |from, fair| (from, 1..STATES, fair).prop_map(|(from, by, fair)| (from, (from + by) % STATES, fair));
    let edges = (
        (0..STATES).map(|from| step(Just(from).boxed(), fair.clone().boxed())).collect::<Vec<_>>(),
        prop::collection::vec(step((0..STATES).boxed(), prop_oneof![Just(0), fair].boxed()), 0..12),
    );
    let goal = prop_oneof![Just(0), (0..STATES).prop_map(|state| 1 << state), 0..1_u32 << STATES];
    (edges, 0..1_u32 << 3, 0..1_u32 << STATES, goal).prop_map(|((first, more), strong, from, goal)| {
        let edge = |(from, to, fair)| Edge { from, to, fair, bad: false };
        let edges = first.into_iter().chain(more).map(edge).collect();
        Graph { initial: vec![0], edges, fair_actions: 3, strong, from, goal, ..Graph::default() }
    })
}

/// Compares a report with the reference, and its counterexamples with the graph.
fn agrees(
    graph: &Graph,
    naive: &Naive<'_, Graph>,
    (only, depth): (&[&str], Option<usize>),
    report: &Report,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(&without_lassos(report), &naive.report(only, depth));
    let properties = graph.properties().into_iter().filter(|property| only.contains(&property.id));
    for (found, property) in report.properties.iter().zip(properties) {
        if report.stopped_by.is_none() {
            let measured = found.counterexample.as_ref().and_then(measure);
            prop_assert_eq!(measured, naive.lasso(&property.check), "{}", found.id);
        }
    }
    all_replay(graph, report)
}

/// Some of the properties, in their order, and at least one.
fn some_of_all() -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![Just(ALL.to_vec()), prop::sample::subsequence(ALL.to_vec(), 1..ALL.len())]
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn every_way_to_search_agrees_with_the_reference(
        graph in graphs(),
        only in some_of_all(),
        depth in prop::option::weighted(0.2, 0..5_usize),
        ways in prop::collection::vec(ways(1..=1, 1..4_usize), 2),
    ) {
        let directory = Directory::new("graphs");
        let naive = Naive::of(&graph);
        let search =
            Search { model: &graph, states: naive.states.len(), only: &only, most: None, depth, reduction: None };
        let expected = search.plainly(Stored::Whole, &directory);
        agrees(&graph, &naive, (&only, depth), &expected)?;
        search.agrees(&ways, &expected, &directory)?;
        Interned::new(&graph).agrees((&only, depth), 1, &expected)?;
    }

    #[test]
    fn shortest_lassos_are_those_of_the_reference(graph in restless_graphs()) {
        let report = Checker::new(&graph).check().expect("the graph is sound");
        let report = Report { elapsed: Duration::ZERO, storage: Storage::Exact, ..report };
        agrees(&graph, &Naive::of(&graph), (&ALL, None), &report)?;
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn interrupted_searches_agree_with_the_reference(
        graph in graphs(),
        depth in prop::option::weighted(0.2, 0..5_usize),
        way in ways(2..=4, 1..4_usize),
    ) {
        let directory = Directory::new("interrupted");
        let naive = Naive::of(&graph);
        let search = Search { model: &graph, states: naive.states.len(), only: &ALL, most: None, depth, reduction: None };
        let expected = search.plainly(Stored::Whole, &directory);
        agrees(&graph, &naive, (&ALL, depth), &expected)?;
        search.go(&way, &directory).agrees(&expected)?;
    }
}

const SAFETY: [&str; 4] = ["always", "step", "sometimes", "deadlock"];

/// Graphs of which some levels have enough states for several threads, and of some graphs for several chunks of states.
fn large_graphs() -> impl Strategy<Value = Large> {
    let states = prop_oneof![4 => 4_000..9_000_u64, 1 => 25_000..40_000_u64];
    (any::<u64>(), states).prop_map(|(seed, states)| Large { seed, states })
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn threads_agree_with_the_reference(
        model in large_graphs(),
        depth in prop::option::weighted(0.3, 5..9_usize),
        ways in prop::collection::vec(
            ways(1..=3, prop_oneof![200..1_000_usize, 1_024..2_000_usize, 4_097..10_000_usize, Just(1 << 20)]),
            4,
        ),
    ) {
        let directory = Directory::new("large");
        let naive = Naive::of(&model);
        let only = ["always", "step", "sometimes", "deadlock", "leads-to"];
        let search =
            Search { model: &model, states: naive.states.len(), only: &only, most: None, depth, reduction: None };
        let expected = search.plainly(Stored::Whole, &directory);
        let safety = Search { only: &SAFETY, ..search }.plainly(Stored::Whole, &directory);
        prop_assert_eq!(&safety, &naive.report(&SAFETY, depth));
        prop_assert_eq!(&safety.properties, &expected.properties[..4]);
        search.agrees(&ways, &expected, &directory)?;
        for threads in [2, 3] {
            for stored in EVERY_STORAGE {
                search.go(&Way::plain(stored, threads), &directory).agrees(&expected)?;
            }
            Interned::new(&model).agrees((&only, depth), threads, &expected)?;
        }
    }
}

/// Where a limit on states ends a search depends on the limit alone.
#[test]
fn limit_on_states_ends_every_search_at_the_same_place() {
    let directory = Directory::new("limits");
    let model = Large { seed: 3, states: 40_000 };
    let only = [&SAFETY[..], &["leads-to"]].concat();
    for most in [1, 3, 700, 10_000, 30_000] {
        let search = Search {
            model: &model,
            states: most,
            only: &only,
            most: Some(most),
            depth: None,
            reduction: None,
        };
        let expected = search.plainly(Stored::Whole, &directory);
        assert_eq!(expected.stopped_by, Some(Limit::States(most)));
        all_replay(&model, &expected).expect("what was found is so");
        for stored in EVERY_STORAGE {
            for (threads, spills) in [(1, false), (2, false), (3, false), (2, true)] {
                let [part] = Way::plain(stored, threads).parts[..] else { panic!("it has one part") };
                let way = Way { stored, parts: vec![Part { spills, ..part }] };
                assert_eq!(search.go(&way, &directory).report, expected, "{most} states, {way:?}");
            }
        }
    }
}

#[test]
fn searches_with_little_memory_write_files_again_and_again_within_a_level() {
    let directory = Directory::new("files");
    let model = Large { seed: 3, states: 6_000 };
    let search =
        Search { model: &model, states: 6_000, only: &SAFETY, most: None, depth: None, reduction: None };
    for stored in [Stored::Fingerprints64, Stored::Fingerprints128, Stored::Packed] {
        let part = Part { threads: 1, block: 100, spills: true, blocks: 0, is_killed: false };
        let outcome = search.go(&Way { stored, parts: vec![part] }, &directory);
        let (files, levels) = (outcome.files, outcome.report.depth as u64 + 1);
        assert!(files > levels, "{files} files, {levels} levels, {stored:?}");
    }
}
