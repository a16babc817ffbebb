//! The agent session: verdicts, counterexamples, and the known outcomes after an abort.

use std::collections::{BTreeSet, HashSet};

use downbeat_models::agent_session::Version;
use downbeat_models::agent_session::as_is::AsIs;
use downbeat_models::agent_session::ledger::{Ledger, Outcome};
use downbeat_models::agent_session::state::{Action, Left, State};
use downbeat_models::agent_session::variants;
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Run, Settings, Variant, run};
use downbeat_sim::model::Model;
use downbeat_sim::report::Verdict;

const IDS: [&str; 6] = ["S10", "S11", "S12", "S13", "deadlock", "settles"];

fn check(variant: &Variant, changes: &[(&str, u64)]) -> Run {
    let bounds = variant.bounds_with(changes.iter().copied()).expect("the variant has these bounds");
    run(variant, &bounds, &Settings::default()).expect("the model is consistent")
}

/// The ids of what is violated.
fn violated(run: &Run) -> Vec<&'static str> {
    let violated = run.report.properties.iter().filter(|property| property.verdict == Verdict::Violated);
    violated.map(|property| property.id).collect()
}

fn diagram_of(run: &Run, id: &str) -> String {
    let found =
        run.report.property(id).and_then(|property| Some((property.name, property.counterexample.as_ref()?)));
    let (name, counterexample) = found.unwrap_or_else(|| panic!("{id} has no counterexample"));
    let id = IDS.into_iter().find(|known| *known == id).expect("a property of the model");
    diagram::text(id, name, counterexample, Style::Plain)
}

#[test]
fn every_variant_is_as_expected_and_its_counterexamples_read_as_before() {
    let mut counts = Vec::new();
    for variant in variants() {
        let found = check(&variant, &[]);
        for property in found.evaluated() {
            assert!(property.is_as_expected(), "{variant} {}: {}", property.found.id, property.found.verdict);
        }
        let diagrams: Vec<String> = violated(&found).into_iter().map(|id| diagram_of(&found, id)).collect();
        if !diagrams.is_empty() {
            insta::assert_snapshot!(variant.name(), diagrams.join("\n"));
        }
        let (distinct, depth) = (found.report.distinct, found.report.depth);
        counts.push(format!("{:<8}{distinct:>6} states, depth {depth}", variant.name()));
    }
    insta::assert_snapshot!("state-counts", counts.join("\n"));
}

/// How an iterator ends that was aborted.
#[derive(Clone, Copy, Debug)]
enum Way {
    Throws,
    EndsNormally,
    Never,
}

/// What can still happen after an abort, two more requests, and the end of the first iterator between them: all
/// orders of what the SDK does.
fn outcomes(version: Version, way: Way) -> BTreeSet<[&'static str; 2]> {
    let left = Left { cancels: 0, aborts: 1, failures: 0, exits: 0, late: 0 };
    let model = AsIs { version, requests: 3, callers: 2, early: false, left };
    let end = match way {
        Way::Throws => vec![Action::Throw(0)],
        Way::EndsNormally => vec![Action::End(0)],
        Way::Never => vec![],
    };
    let before =
        [Action::Invoke, Action::QueryReturns(0), Action::Abort, Action::Invoke, Action::QueryReturns(1)];
    let script = before.into_iter().chain(end).chain([Action::Invoke]);
    let state =
        script.fold(model.initial()[0], |state, action| settled(&model, follow(&model, &state, action)));
    let mut outcomes = BTreeSet::new();
    let (mut frontier, mut known) = (vec![state], HashSet::new());
    while let Some(state) = frontier.pop() {
        let next: Vec<State> =
            of_the_sdk(&model, &state).map(|action| follow(&model, &state, action)).collect();
        if next.is_empty() {
            outcomes.insert([1, 2].map(|request| word(&state.ledger, request)));
        }
        frontier.extend(
            next.into_iter().map(|state| settled(&model, state)).filter(|state| known.insert(*state)),
        );
    }
    outcomes
}

/// The state after an action of the script; the same state if there is no start whose `query()` could return.
fn follow(model: &AsIs, state: &State, action: Action) -> State {
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    let is_return = matches!(action, Action::QueryReturns(_));
    if is_return && !actions.contains(&action) {
        return *state;
    }
    assert!(actions.contains(&action), "{action:?} is not enabled");
    model.next(state, &action).expect("it is enabled")
}

/// The state when no microtask is left.
fn settled(model: &AsIs, mut state: State) -> State {
    while let Some(next) = model.next(&state, &Action::Run) {
        state = next;
    }
    state
}

fn of_the_sdk(model: &AsIs, state: &State) -> impl Iterator<Item = Action> {
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    actions.into_iter().filter(|action| matches!(action, Action::QueryReturns(_) | Action::Answer(_)))
}

fn word(ledger: &Ledger, request: u8) -> &'static str {
    match ledger.request(request).outcome() {
        Some(Outcome::Answered) => "ok",
        Some(Outcome::Crossed) => "crossed",
        Some(Outcome::Rejected) => "error",
        None => "hang",
    }
}

#[test]
fn abort_then_two_more_invokes_come_to_the_known_outcomes() {
    #[rustfmt::skip]
    let known: [(Version, Way, &[[&str; 2]]); 12] = [
        (Version::V0, Way::Throws,       &[["error", "hang"]]),
        (Version::V1, Way::Throws,       &[["error", "ok"]]),
        // Crossed if the answer to B comes when C is in the queue; before, it completes nobody.
        (Version::V2, Way::Throws,       &[["error", "crossed"], ["error", "ok"]]),
        (Version::V3, Way::Throws,       &[["ok", "ok"]]),
        (Version::V0, Way::EndsNormally, &[["hang", "hang"]]),
        (Version::V1, Way::EndsNormally, &[["hang", "hang"]]),
        (Version::V2, Way::EndsNormally, &[["ok", "ok"]]),
        (Version::V3, Way::EndsNormally, &[["ok", "ok"]]),
        (Version::V0, Way::Never,        &[["hang", "hang"]]),
        (Version::V1, Way::Never,        &[["hang", "hang"]]),
        (Version::V2, Way::Never,        &[["ok", "ok"]]),
        (Version::V3, Way::Never,        &[["ok", "ok"]]),
    ];
    for (version, way, expected) in known {
        assert_eq!(outcomes(version, way), expected.iter().copied().collect(), "{version:?} {way:?}");
    }
}
