//! That the checks of the session's model are not blind, and that its edges are all there are.

use std::collections::{BTreeSet, HashSet};

use downbeat_kernel::{Config, Outcome, Session, SessionEffect, SessionEvent, SessionRejected, SessionState};
use downbeat_sim::check::Checker;
use downbeat_sim::model::Model;
use downbeat_sim::report::Verdict;

use super::act::{EDGES, edge, name_of};
use super::state::State;
use super::{KernelModel, Left, Machine, SCENARIO, Scenario};

/// Three requests, one of which may be stopped before its turn.
const SMALL: Scenario = Scenario {
    requests: 3,
    callers: 3,
    left: Left { cancels: 1, aborts: 0, restarts: 1, closes: 0, failures: 1, exits: 0, crashes: 1 },
};

/// Takes a request out of the queue and leaves its place.
fn withdraws_nothing(
    session: &mut Session,
    event: SessionEvent,
    config: &Config,
    sink: &mut dyn FnMut(SessionEffect),
) -> Outcome<SessionRejected> {
    let outcome = session.step(event, config, sink);
    session.withdrawn = 0;
    outcome
}

/// Counts an iterator that says again that it runs.
fn ignored_changes(
    session: &mut Session,
    event: SessionEvent,
    config: &Config,
    sink: &mut dyn FnMut(SessionEffect),
) -> Outcome<SessionRejected> {
    let outcome = session.step(event, config, sink);
    if let (Outcome::Ignored(_), SessionEvent::Started { .. }) = (&outcome, event) {
        session.state = SessionState::Listening;
    }
    outcome
}

/// Orders an iterator to stop that it has not.
fn ignored_emits(
    session: &mut Session,
    event: SessionEvent,
    config: &Config,
    sink: &mut dyn FnMut(SessionEffect),
) -> Outcome<SessionRejected> {
    let outcome = session.step(event, config, sink);
    if let (Outcome::Ignored(_), SessionEvent::AbortRequested { .. }) = (&outcome, event) {
        sink(SessionEffect::Stop { iterator: session.iterator });
    }
    outcome
}

/// What the faults of the kernel do not show: `tests/tests/planted_faults.rs` has the rest.
#[test]
fn spoiled_sessions_break_the_property_that_is_there_for_it() {
    let cases: [(&str, Machine, &str); 3] = [
        ("what was withdrawn is begun", withdraws_nothing, "S13"),
        ("an ignored event changes something", ignored_changes, "S25"),
        ("an ignored event emits something", ignored_emits, "S25"),
    ];
    for (name, machine, id) in cases {
        let model = KernelModel { machine, ..KernelModel::new(SMALL) };
        let report = Checker::new(&model).only([id]).check().expect("the model is consistent");
        assert_eq!(report.properties[0].verdict, Verdict::Violated, "{name}");
    }
}

/// Every state that can be reached.
fn states(model: &KernelModel) -> impl Iterator<Item = State> {
    let mut frontier = model.initial();
    let mut states: HashSet<State> = frontier.iter().copied().collect();
    while let Some(state) = frontier.pop() {
        model.steps(&state, &mut Vec::new(), |_, next| {
            if states.insert(next) {
                frontier.push(next);
            }
        });
    }
    states.into_iter()
}

#[test]
fn edges_are_those_that_are_applied_and_no_others() {
    let model = KernelModel::new(Scenario { left: Left { crashes: 0, ..SCENARIO.left }, ..SCENARIO });
    let mut applied = BTreeSet::new();
    for state in states(&model) {
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        for event in actions.iter().filter_map(|action| action.act.event(&state)) {
            if model.is_applied(&state, event) {
                applied.insert((state.session.state, name_of(event)));
            }
        }
    }
    assert_eq!(applied, EDGES.into_iter().collect());
}

#[test]
fn edges_are_found_by_state_and_event() {
    #[rustfmt::skip]
    let cases = [
        ("the first",               SessionState::Dormant,   "Invoked",     Some(0)),
        ("the last",                SessionState::Closing,   "StopElapsed", Some(24)),
        ("a state without an edge", SessionState::Closed,    "Invoked",     None),
        ("an event without one",    SessionState::Listening, "StopElapsed", None),
    ];
    for (name, state, event, place) in cases {
        assert_eq!(edge(state, event), place, "{name}");
    }
}
