//! The kernel's machines composed: verdicts, state counts, and what is done in them.

use std::collections::{BTreeMap, BTreeSet};

use downbeat_models::subtask_tree::variants;
use downbeat_sim::harness::{Run, Settings, Variant, run};

/// What the largest variant may have, and what each of the others may, so that all of them are checked in seconds.
const LARGE_MAX: usize = 1_500_000;
const STATES_MAX: usize = 500_000;

fn check(variant: &Variant) -> Run {
    run(variant, &variant.default_bounds(), &Settings::default()).expect("the model is consistent")
}

#[test]
fn every_variant_is_as_expected_and_each_kind_of_action_is_taken_in_one_or_another() {
    let mut counts = Vec::new();
    let mut taken: BTreeMap<&str, u64> = BTreeMap::new();
    for variant in variants() {
        let run = check(&variant);
        for property in run.evaluated() {
            assert!(property.is_as_expected(), "{variant} {}: {}", property.found.id, property.found.verdict);
        }
        let (distinct, depth) = (run.report.distinct, run.report.depth);
        let ids: Vec<&str> = run.report.properties.iter().map(|property| property.id).collect();
        let name = variant.name();
        counts.push(format!("{name:<32}{distinct:>8} states, depth {depth}: {}", ids.join(" ")));
        let most = if name == "kernel-large" { LARGE_MAX } else { STATES_MAX };
        assert!(distinct < most, "{counts:?}");
        for (kind, steps) in run.report.coverage.kinds {
            *taken.entry(kind).or_default() += steps;
        }
    }
    let never = taken.into_iter().filter(|(_, steps)| *steps == 0).map(|(kind, _)| kind);
    assert_eq!(never.collect::<BTreeSet<_>>(), BTreeSet::new());
    insta::assert_snapshot!("state-counts", counts.join("\n"));
}
