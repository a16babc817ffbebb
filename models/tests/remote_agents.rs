//! The reports of remote agents: verdicts, counterexamples, the declared footprints, and what they save.

use std::collections::HashSet;

use downbeat_models::remote_agents::reports::{Names, Reports};
use downbeat_sim::check::{Checker, Reduction};
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Settings, Variant, run};
use downbeat_sim::model::Model;
use downbeat_sim::reduction::{audit, is_kept};
use downbeat_sim::report::{Report, Verdict};

/// The systems of the variants within their default bounds.
fn systems() -> Vec<(Variant, Reports)> {
    let systems =
        [(false, Names::Nothing), (true, Names::Nothing), (true, Names::Task), (true, Names::TaskAndAttempt)];
    let variants = downbeat_models::remote_agents::reports::variants();
    let built = variants.into_iter().zip(systems).map(|(variant, (repeats, names))| {
        let system = Reports::new(repeats, names, &variant.default_bounds());
        (variant, system)
    });
    built.collect()
}

/// Every state that can be reached.
fn states(system: &Reports) -> HashSet<<Reports as Model>::State> {
    let mut frontier = system.initial();
    let mut states: HashSet<_> = frontier.iter().copied().collect();
    while let Some(state) = frontier.pop() {
        system.steps(&state, &mut Vec::new(), |_, next| {
            if states.insert(next) {
                frontier.push(next);
            }
        });
    }
    states
}

#[test]
fn every_variant_is_as_expected_and_its_counterexamples_read_as_before() {
    let mut counts = Vec::new();
    for (variant, _) in systems() {
        let found = run(&variant, &variant.default_bounds(), &Settings::default()).expect("it is consistent");
        for property in found.evaluated() {
            assert!(property.is_as_expected(), "{variant} {}: {}", property.found.id, property.found.verdict);
        }
        let diagrams = found.report.properties.iter().filter_map(|property| {
            let counterexample = property.counterexample.as_ref()?;
            Some(diagram::text(property.id, property.name, counterexample, Style::Plain))
        });
        let diagrams: Vec<String> = diagrams.collect();
        if !diagrams.is_empty() {
            insta::assert_snapshot!(variant.name(), diagrams.join("\n"));
        }
        let (distinct, depth) = (found.report.distinct, found.report.depth);
        counts.push(format!("{:<14}{distinct:>7} states, depth {depth}", variant.name()));
    }
    insta::assert_snapshot!("state-counts", counts.join("\n"));
}

#[test]
fn declared_footprints_are_true_in_every_state() {
    for (variant, system) in systems() {
        let processes = system.processes().expect("they are declared");
        for state in states(&system) {
            assert_eq!(audit(&system, &processes, &state), Ok(()), "{} {state:?}", variant.name());
        }
    }
}

#[test]
fn what_was_seen_is_what_is_so() {
    for (variant, system) in systems() {
        for state in states(&system) {
            let unbooked = system.agents().any(|agent| state.unbooked(agent).is_some());
            assert!(!unbooked || state.seen.unbooked.is_some(), "{} {state:?}", variant.name());
            let waits = system.agents().any(|agent| state.outbox(agent).is_full());
            assert!(!waits || variant.expected("S11") == Verdict::Violated, "{} {state:?}", variant.name());
        }
    }
}

#[test]
fn reduced_search_has_the_same_verdicts_and_a_tenth_of_the_states_of_the_fix() {
    let mut sizes = Vec::new();
    for (variant, system) in systems() {
        let kept = system.properties().into_iter().filter(|property| is_kept(&property.check));
        let ids: Vec<&str> = kept.map(|property| property.id).collect();
        let verdicts = |report: &Report| -> Vec<Verdict> {
            report.properties.iter().map(|property| property.verdict).collect()
        };
        let full = Checker::new(&system).only(ids.clone()).check().expect("it is consistent");
        let reduced = Checker::new(&system).only(ids.clone()).reduction(Reduction::PartialOrder).check();
        let reduced = reduced.expect("it declares its processes");
        assert_eq!(verdicts(&reduced), verdicts(&full), "{}", variant.name());
        let expected: Vec<Verdict> = ids.iter().map(|id| variant.expected(id)).collect();
        assert_eq!(verdicts(&reduced), expected, "{}", variant.name());
        let (full, reduced) = (full.distinct, reduced.distinct);
        if variant.name() == "names-attempt" {
            assert!(full >= 10 * reduced, "{full} states, {reduced} with the reduction");
        }
        sizes.push(format!("{:<14}{full:>7} states, {reduced:>6} with the reduction", variant.name()));
    }
    insta::assert_snapshot!("reduced-state-counts", sizes.join("\n"));
}
