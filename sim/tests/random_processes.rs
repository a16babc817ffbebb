//! Random systems of processes: every way to search them, and every reduction, against the reference.

#[path = "models/automata.rs"]
mod automata;
#[path = "models/naive.rs"]
mod naive;
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

/// The verdict about each property, and the number of steps of its counterexample.
fn verdicts(report: &Report) -> Vec<(&'static str, Verdict, Option<usize>)> {
    let length = |found: &PropertyReport| Some(found.counterexample.as_ref()?.steps.len());
    report.properties.iter().map(|found| (found.id, found.verdict, length(found))).collect()
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn every_way_to_search_agrees_with_the_reference(
        model in systems(2..=PROCESSES),
        depth in prop::option::weighted(0.2, 0..9_usize),
        ways in prop::collection::vec(ways(1..=1, prop_oneof![1..4_usize, 4..50_usize]), 2),
    ) {
        let directory = Directory::new("processes");
        let naive = Naive::of(&model);
        let search = Search { model: &model, states: naive.states.len(), only: &SAFETY, most: None, depth, reduction: None };
        let expected = search.plainly(Stored::Whole, &directory);
        prop_assert_eq!(&expected, &naive.report(&SAFETY, depth));
        all_replay(&model, &expected)?;
        search.agrees(&ways, &expected, &directory)?;
    }

    #[test]
    fn liveness_agrees_with_the_reference(
        model in systems(1..=2),
        ways in prop::collection::vec(ways(1..=1, prop_oneof![1..4_usize, 4..50_usize]), 2),
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
        ways in prop::collection::vec(ways(1..=1, prop_oneof![1..4_usize, 4..50_usize]), 2),
    ) {
        let directory = Directory::new("partial-order");
        let naive = Naive::of(&model);
        let processes = model.processes();
        for only in [&ALL[..], &SAFETY, &[alone]] {
            let reduction = Some(Reduction::PartialOrder);
            let search = Search { model: &model, states: naive.states.len(), only, most: None, depth: None, reduction };
            let expected = search.plainly(Stored::Whole, &directory);
            let whole = undecided(&naive.report(only, None), Undecided::LivenessUnderPartialOrder);
            let verdicts = |report: &Report| verdicts(report).into_iter().map(|(id, verdict, _)| (id, verdict)).collect::<Vec<_>>();
            prop_assert_eq!(verdicts(&expected), verdicts(&whole));
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
        ways in prop::collection::vec(ways(1..=1, prop_oneof![1..4_usize, 4..50_usize]), 2),
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
        prop_assert_eq!(verdicts(&expected), verdicts(&properties));
        let counts = Report { properties: Vec::new(), reduction: None, ..expected.clone() };
        prop_assert_eq!(counts, of_orbits);
        all_replay(&model, &expected)?;
        search.agrees(&ways, &expected, &directory)?;
    }
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn threads_agree_with_the_reference_under_reductions(
        model in (any::<u64>(), 80..120_u64).prop_map(|(seed, places)| Walkers { seed, places }),
        ways in prop::collection::vec(ways(1..=3, prop_oneof![200..1_000_usize, 1_024..2_000_usize, Just(1 << 20)]), 4),
    ) {
        let directory = Directory::new("walkers");
        let states = 40_000;
        let search = Search { model: &model, states, only: &SAFETY, most: None, depth: None, reduction: None };
        let full = search.plainly(Stored::Whole, &directory);
        all_replay(&model, &full)?;
        for reduction in [Reduction::Symmetry, Reduction::PartialOrder] {
            let search = Search { reduction: Some(reduction), ..search };
            let expected = search.plainly(Stored::Whole, &directory);
            all_replay(&model, &expected)?;
            match reduction {
                Reduction::Symmetry => {
                    prop_assert_eq!(verdicts(&expected), verdicts(&full));
                    let symmetry = model.symmetry().expect("the walkers are interchangeable");
                    let quotient = Naive::of_only(&model, |state| symmetry.renamed(&state, 1).min(state));
                    let counts = Report { properties: Vec::new(), reduction: None, ..expected.clone() };
                    prop_assert_eq!(counts, quotient.report(&[], None));
                }
                Reduction::PartialOrder => {
                    let levels = reduced::search(&model, model.processes().as_ref(), &SAFETY, Cycles::Proviso).levels;
                    prop_assert_eq!(Some((expected.distinct, expected.depth)), levels.values().max().map(|depth| (levels.len(), *depth)));
                    prop_assert!(expected.distinct < full.distinct);
                }
            }
            search.agrees(&ways, &expected, &directory)?;
            for threads in [2, 3] {
                search.go(&Way::plain(Stored::Fingerprints64, threads), &directory).agrees(&expected)?;
            }
        }
    }
}
