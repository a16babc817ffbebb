//! That parts and memos show in nothing: a model that has worked out everything answers as one that has worked out
//! nothing, and the report is the same on any number of threads.

use std::collections::{BTreeSet, HashSet};
use std::num::NonZeroUsize;

use downbeat_models::subtask_completion::kernel::{KernelModel, SCENARIOS, Scenario};
use downbeat_sim::check::Checker;
use downbeat_sim::model::Model;

const SMALL: Scenario = Scenario {
    tasks: 2,
    messages: 1,
    cancels: 1,
    pauses: 1,
    crashes: 1,
    tools: 1,
    questions: 0,
    mixed: 0,
    texts: 0,
    failures: 1,
    outputs: 0,
    bad_starts: true,
    late: true,
    budget: 0,
    bills: 0,
};

/// Calls `visit` with each state of a model, up to a number of them.
fn explore(model: &KernelModel, states: usize, mut visit: impl FnMut(&<KernelModel as Model>::State)) {
    let mut found = model.initial();
    let mut known: HashSet<_> = found.iter().copied().collect();
    let mut next = 0;
    while next < found.len().min(states) {
        let state = found[next];
        next += 1;
        visit(&state);
        model.steps(&state, &mut Vec::new(), |_, after| {
            if known.insert(after) {
                found.push(after);
            }
        });
    }
}

#[test]
fn steps_are_those_of_actions_and_next() {
    let model = KernelModel::new(SMALL);
    let mut steps = 0_usize;
    explore(&model, 3_000, |state| {
        let (mut actions, mut taken) = (Vec::new(), Vec::new());
        model.actions(state, &mut actions);
        let one_by_one: Vec<_> = actions.iter().map(|action| (*action, model.next(state, action))).collect();
        model.steps(state, &mut Vec::new(), |action, after| taken.push((*action, Some(after))));
        assert!(one_by_one == taken, "the steps of a state differ, among the actions {actions:?}");
        steps += taken.len();
    });
    assert!(steps > 15_000, "{steps} steps are too few to show anything");
}

#[test]
fn a_model_that_knows_all_its_steps_reports_what_a_new_one_does() {
    let model = KernelModel::new(SMALL);
    let mut reports = Vec::new();
    for threads in [2, 1, 3] {
        let threads = NonZeroUsize::new(threads).expect("at least one thread");
        let report = Checker::new(&model).threads(threads).check().expect("the model is consistent");
        let verdicts: Vec<_> = report.properties.iter().map(|found| (found.id, found.verdict)).collect();
        reports.push((report.distinct, report.generated, report.depth, verdicts));
    }
    let new = Checker::new(&KernelModel::new(SMALL)).check().expect("the model is consistent");
    assert_eq!((new.distinct, new.generated, new.depth), (reports[0].0, reports[0].1, reports[0].2));
    assert!(reports.windows(2).all(|pair| pair[0] == pair[1]), "{reports:?}");
}

/// In their first states, and with two tasks: which edges a whole scenario takes is for its report to say.
#[test]
fn scenarios_take_nearly_each_edge_of_the_lifecycle_soon() {
    let marks = KernelModel::new(SMALL).marks();
    let mut hit: BTreeSet<usize> = BTreeSet::new();
    for (_, _, scenario, _) in SCENARIOS {
        let model = KernelModel::new(Scenario { tasks: scenario.tasks.min(2), crashes: 0, ..*scenario });
        explore(&model, 25_000, |state| {
            model.steps(state, &mut Vec::new(), |action, after| {
                model.mark(state, action, &after, &mut |mark| {
                    hit.insert(mark);
                });
            });
        });
    }
    let missed: Vec<_> =
        (0..marks.len()).filter(|mark| !hit.contains(mark)).map(|mark| &marks[mark]).collect();
    insta::assert_snapshot!("edges-not-taken", format!("{} edges\nnot taken: {missed:#?}", marks.len()));
}

#[test]
fn each_kind_of_action_is_taken_and_has_a_name_of_its_own() {
    let kinds = KernelModel::new(SMALL).kinds();
    let mut taken = vec![false; kinds.len()];
    for (_, _, scenario, _) in SCENARIOS {
        let model = KernelModel::new(*scenario);
        explore(&model, 8_000, |state| {
            model.steps(state, &mut Vec::new(), |action, _| taken[model.kind(action)] = true);
        });
    }
    assert_eq!(kinds.iter().collect::<BTreeSet<_>>().len(), kinds.len());
    let never: Vec<_> = kinds.iter().zip(taken).filter(|(_, taken)| !taken).map(|(kind, _)| *kind).collect();
    assert_eq!(never, [""; 0]);
}

#[test]
fn states_are_had_back_from_their_bytes() {
    let model = KernelModel::new(SMALL);
    let codec = model.codec().expect("states of parts are written as numbers");
    let mut seen = HashSet::new();
    explore(&model, 3_000, |state| {
        let mut bytes = Vec::new();
        (codec.write)(&model, state, &mut bytes);
        assert!((codec.read)(&model, &bytes) == *state, "{bytes:?} is another state");
        seen.insert(bytes);
    });
    assert_eq!(seen.len(), 3_000, "different states have different bytes");
}
