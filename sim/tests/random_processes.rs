//! Random systems of processes: every way to search them, and every reduction, against the reference.

#[path = "models/automata.rs"]
mod automata;
#[path = "models/interned.rs"]
mod interned;
#[path = "models/naive.rs"]
mod naive;
#[expect(dead_code, reason = "the tests of symmetry look at all states of a quotient by brute force")]
#[path = "models/orbits.rs"]
mod orbits;
#[expect(dead_code, reason = "the tests of the audit plant faults")]
#[path = "models/processes.rs"]
mod processes;
#[expect(
    dead_code,
    reason = "the tests of the conditions look at more of a search, and leave conditions out"
)]
#[path = "models/reduced.rs"]
mod reduced;
#[path = "models/walkers.rs"]
mod walkers;
#[path = "models/ways.rs"]
mod ways;

use automata::{PROCESSES, systems};
use downbeat_sim::check::Reduction;
use downbeat_sim::model::Model;
use downbeat_sim::report::{PropertyReport, Report, Undecided, Verdict};
use interned::Interned;
use naive::{Naive, measure, without_lassos};
use processes::processes;
use proptest::prelude::*;
use reduced::Cycles;
use walkers::Walkers;
use ways::{Directory, Search, Stored, Way, all_replay, cases, undecided, ways};

const SAFETY: [&str; 4] = ["always", "step", "sometimes", "deadlock"];
const ALL: [&str; 6] = ["always", "step", "sometimes", "deadlock", "leads-to", "eventually"];

/// The properties in the order in which a model of these tests has them.
fn in_order<M: Model>(model: &M, only: &[&str]) -> Vec<&'static str> {
    let ids = model.properties().into_iter().map(|property| property.id);
    ids.filter(|id| only.contains(id)).collect()
}

/// Some ways to search a small system, few of them interrupted: a checkpoint takes time until it is on the disk.
fn some_ways() -> impl Strategy<Value = Vec<Way>> {
    let block = || prop_oneof![1..4_usize, 4..50_usize];
    prop::collection::vec(prop_oneof![50 => ways(1..=1, block()), 1 => ways(2..=3, block())], 2)
}

/// The verdict about each property.
fn judged(report: &Report) -> Vec<(&'static str, Verdict)> {
    report.properties.iter().map(|found| (found.id, found.verdict)).collect()
}

/// The number of steps of each counterexample.
fn lengths(report: &Report) -> Vec<Option<usize>> {
    let length = |found: &PropertyReport| Some(found.counterexample.as_ref()?.steps.len());
    report.properties.iter().map(length).collect()
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn every_way_to_search_agrees_with_the_reference(
        model in systems(2..=PROCESSES),
        depth in prop::option::weighted(0.2, 0..9_usize),
        ways in some_ways(),
    ) {
        let directory = Directory::new("processes");
        let naive = Naive::of(&model);
        let search = Search { model: &model, states: naive.states.len(), only: &SAFETY, most: None, depth, reduction: None };
        let expected = search.plainly(Stored::Whole, &directory);
        prop_assert_eq!(&expected, &naive.report(&SAFETY, depth));
        all_replay(&model, &expected)?;
        search.agrees(&ways, &expected, &directory)?;
        Interned::new(&model).agrees((&SAFETY, depth), 1, &expected)?;
    }

    #[test]
    fn liveness_agrees_with_the_reference(
        model in systems(1..=2),
        ways in some_ways(),
    ) {
        let directory = Directory::new("liveness");
        let naive = Naive::of(&model);
        let search = Search { model: &model, states: naive.states.len(), only: &ALL, most: None, depth: None, reduction: None };
        let expected = search.plainly(Stored::Whole, &directory);
        prop_assert_eq!(&without_lassos(&expected), &naive.report(&ALL, None));
        for (found, property) in expected.properties.iter().zip(model.properties()) {
            let measured = found.counterexample.as_ref().and_then(measure);
            prop_assert_eq!(measured, naive.lasso(&property.check), "{}", found.id);
        }
        all_replay(&model, &expected)?;
        search.agrees(&ways, &expected, &directory)?;
    }

    #[test]
    fn partial_order_agrees_with_the_reference(
        model in systems(2..=PROCESSES),
        alone in prop::sample::select(&SAFETY[..]),
        ways in some_ways(),
    ) {
        let directory = Directory::new("partial-order");
        let naive = Naive::of(&model);
        let processes = model.processes();
        for only in [&ALL[..], &SAFETY, &[alone]] {
            let reduction = Some(Reduction::PartialOrder);
            let search = Search { model: &model, states: naive.states.len(), only, most: None, depth: None, reduction };
            let expected = search.plainly(Stored::Whole, &directory);
            let whole = undecided(&naive.report(only, None), Undecided::LivenessUnderPartialOrder);
            prop_assert_eq!(judged(&expected), judged(&whole));
            let kept: Vec<&str> = only.iter().copied().filter(|id| SAFETY.contains(id)).collect();
            let levels = reduced::search(&model, processes.as_ref(), &kept, Cycles::Proviso).levels;
            let textbook = (levels.len(), levels.values().copied().max().unwrap_or(0));
            prop_assert_eq!((expected.distinct, expected.depth), textbook);
            prop_assert!(expected.distinct <= whole.distinct);
            all_replay(&model, &expected)?;
            search.agrees(&ways, &expected, &directory)?;
        }
    }

    #[test]
    fn symmetry_agrees_with_the_reference(
        model in processes(),
        depth in prop::option::weighted(0.2, 0..9_usize),
        ways in some_ways(),
    ) {
        let directory = Directory::new("symmetry");
        let (all, safety) = (in_order(&model, &ALL), in_order(&model, &SAFETY));
        let naive = Naive::of(&model);
        let search = Search { model: &model, states: naive.states.len(), only: &safety, most: None, depth, reduction: None };
        let full = search.plainly(Stored::Whole, &directory);
        prop_assert_eq!(&full, &naive.report(&safety, depth));
        search.agrees(&ways, &full, &directory)?;

        let symmetry = model.symmetry().expect("the processes are interchangeable");
        let least = |state| (0..symmetry.renamings()).map(|number| symmetry.renamed(&state, number)).min();
        let quotient = Naive::of_only(&model, |state| least(state).expect("there is a renaming"));
        let of_orbits = quotient.report(&[], depth);
        let search = Search { only: &all, reduction: Some(Reduction::Symmetry), ..search };
        let expected = search.plainly(Stored::Whole, &directory);
        let properties = if full.stopped_by.is_none() {
            undecided(&naive.report(&all, depth), Undecided::LivenessUnderSymmetry)
        } else {
            naive.report(&all, depth)
        };
        prop_assert_eq!((judged(&expected), lengths(&expected)), (judged(&properties), lengths(&properties)));
        let counts = Report { properties: Vec::new(), reduction: None, ..expected.clone() };
        prop_assert_eq!(counts, of_orbits);
        all_replay(&model, &expected)?;
        search.agrees(&ways, &expected, &directory)?;
    }
}

proptest! {
    #![proptest_config(cases(3))]

    #[test]
    fn threads_agree_with_a_textbook_under_reductions(
        model in (any::<u64>(), 180..240_u64).prop_map(|(seed, places)| Walkers { seed, places }),
        ways in prop::collection::vec(ways(1..=3, prop_oneof![1_024..10_000_usize, Just(1 << 20)]), 4),
    ) {
        let directory = Directory::new("walkers");
        let (states, only) = (100_000, &SAFETY);
        let search = Search { model: &model, states, only, most: None, depth: None, reduction: None };
        let full = search.plainly(Stored::Whole, &directory);
        let quotient = {
            let found = orbits::quotient(&model);
            let depth = orbits::way(&found, found.len() - 1).len() - 1;
            (found.len(), depth)
        };
        let reduced = {
            let levels = reduced::search(&model, model.processes().as_ref(), only, Cycles::Proviso).levels;
            (levels.len(), levels.into_values().max().unwrap_or(0))
        };
        for (reduction, counts) in [(Reduction::Symmetry, quotient), (Reduction::PartialOrder, reduced)] {
            let search = Search { reduction: Some(reduction), ..search };
            let expected = search.plainly(Stored::Whole, &directory);
            prop_assert_eq!((expected.distinct, expected.depth), counts);
            prop_assert!(expected.distinct < full.distinct);
            prop_assert_eq!(judged(&expected), judged(&full));
            all_replay(&model, &expected)?;
            search.agrees(&ways, &expected, &directory)?;
            for threads in [2, 3] {
                search.go(&Way::plain(Stored::Fingerprints64, threads), &directory).agrees(&expected)?;
            }
        }
    }
}
