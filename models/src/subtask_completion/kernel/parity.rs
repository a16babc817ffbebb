//! That parts and memos are exact: the model made of them has the states, the steps and the truths of the plain one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use downbeat_sim::check::Checker;
use downbeat_sim::model::{Check, Model, Property};
use downbeat_sim::report::{Kind, Report, Verdict};

use super::act::Action;
use super::plain::{PlainModel, Whole};
use super::state::{Roster, State};
use super::{KernelModel, SCENARIOS, Scenario};

/// More than the depth of any scenario, which is 27.
const ALL_LEVELS: usize = 30;
/// What a faulty kernel is followed to: it may go on for ever, and soon asks more than the outside can count.
#[cfg(feature = "planted-faults")]
const FAULTY_LEVELS: usize = 14;

/// Two tasks with a little of everything but questions.
const TREE: Scenario = Scenario {
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
    outputs: 1,
    bad_starts: true,
    late: true,
    budget: 0,
    bills: 0,
};

/// Two tasks that ask and talk, and use what does not go together.
const TALK: Scenario =
    Scenario { pauses: 0, crashes: 0, failures: 0, questions: 2, mixed: 1, texts: 2, ..TREE };

/// Two tasks that spend.
const SPEND: Scenario = Scenario {
    messages: 0,
    cancels: 0,
    failures: 0,
    outputs: 0,
    tools: 0,
    bad_starts: false,
    budget: 1,
    bills: 2,
    ..TREE
};

/// A state, what is done there, and what comes of it.
type Step<'s, M> = (&'s <M as Model>::State, &'s <M as Model>::Action, &'s <M as Model>::State);

/// What the predicates of all properties say, in their order, and whether the system may rest.
fn truths_of_state<M: Model>(model: &M, properties: &[Property<M>], state: &M::State) -> Vec<bool> {
    let mut truths = vec![model.is_final(state)];
    for property in properties {
        match property.check {
            Check::Always { holds, reachable } => {
                truths.extend([holds, reachable].map(|of| of(model, state)));
            }
            Check::LeadsTo { from, to } => truths.extend([from, to].map(|of| of(model, state))),
            Check::Sometimes(of) | Check::Eventually(of) => truths.push(of(model, state)),
            Check::AlwaysStep { .. } | Check::NoDeadlock => {}
        }
    }
    truths
}

/// What the predicates of steps say.
fn truths_of_step<M: Model>(model: &M, properties: &[Property<M>], step: Step<'_, M>) -> Vec<bool> {
    let (before, action, after) = step;
    let mut truths = Vec::new();
    for property in properties {
        match property.check {
            Check::AlwaysStep { holds, reachable } => {
                truths.extend([holds, reachable].map(|of| of(model, before, action, after)));
            }
            Check::Always { .. }
            | Check::LeadsTo { .. }
            | Check::Sometimes(_)
            | Check::Eventually(_)
            | Check::NoDeadlock => {}
        }
    }
    truths
}

/// The edges of the lifecycle that a step takes, in their order.
fn edges_of_step<M: Model>(model: &M, (before, action, after): Step<'_, M>) -> Vec<usize> {
    let mut edges = Vec::new();
    model.mark(before, action, after, &mut |edge| edges.push(edge));
    edges
}

/// The ids of properties, and what is asked of each.
fn asked<M: Model>(properties: &[Property<M>]) -> Vec<(&'static str, Kind)> {
    properties.iter().map(|property| (property.id, Kind::from(&property.check))).collect()
}

/// The steps from a state, in their order.
fn steps<M: Model>(model: &M, state: &M::State) -> Vec<(M::Action, M::State)> {
    let mut steps = Vec::new();
    model.steps(state, &mut Vec::new(), |action, after| steps.push((action.clone(), after)));
    steps
}

fn actions<S>(steps: &[(Action, S)]) -> Vec<Action> {
    steps.iter().map(|(action, _)| *action).collect()
}

/// A model and its plain twin on their way through the same states.
struct Pair<'a> {
    name: &'a str,
    parts: &'a KernelModel,
    plain: PlainModel,
    properties: (Vec<Property<KernelModel>>, Vec<Property<PlainModel>>),
    /// Every state that was come by.
    known: HashMap<Whole, State>,
    steps: usize,
}

impl<'a> Pair<'a> {
    fn new(name: &'a str, parts: &'a KernelModel) -> Self {
        let plain = PlainModel::of(parts);
        let properties = (parts.properties(), plain.properties());
        assert_eq!(asked(&properties.0), asked(&properties.1), "{name}");
        Self { name, parts, plain, properties, known: HashMap::new(), steps: 0 }
    }

    /// Goes on breadth first, for as many levels as are asked for. Of each it follows `width` states, evenly spread, so
    /// that some thousand states reach the depth of a scenario.
    fn walk(mut self, width: usize, levels: usize) -> Self {
        let initial = self.parts.initial().into_iter().zip(self.plain.initial());
        let mut level: Vec<_> = initial.filter(|(state, whole)| self.meet(state, whole, &[])).collect();
        for _ in 0..levels {
            if level.is_empty() {
                break;
            }
            let followed = std::mem::take(&mut level);
            let every = followed.len().div_ceil(width);
            for (state, whole) in followed.iter().step_by(every) {
                self.compare_steps(state, whole, &mut level);
            }
        }
        self
    }

    /// Compares the steps from a state, and adds what they found to the `next` level.
    fn compare_steps(&mut self, state: &State, whole: &Whole, next: &mut Vec<(State, Whole)>) {
        let (taken, plain) = (steps(self.parts, state), steps(&self.plain, whole));
        assert_eq!(actions(&taken), actions(&plain), "{}: the actions of a state", self.name);
        for ((action, after), (_, whole_after)) in taken.into_iter().zip(plain) {
            self.compare_step((state, &action, &after), (whole, &action, &whole_after));
            if self.meet(&after, &whole_after, &[action]) {
                next.push((after, whole_after));
            }
        }
    }

    fn compare_step(&mut self, step: Step<'_, KernelModel>, plain: Step<'_, PlainModel>) {
        let (name, action) = (self.name, step.1);
        let (of_step, of_plain) = &self.properties;
        let truths = truths_of_step(self.parts, of_step, step);
        assert_eq!(truths, truths_of_step(&self.plain, of_plain, plain), "{name}: the truths of {action:?}");
        let edges = edges_of_step(self.parts, step);
        assert_eq!(edges, edges_of_step(&self.plain, plain), "{name}: the edges of {action:?}");
        self.steps += 1;
    }

    /// Compares a state with what its parts stand for. Returns whether it is new.
    fn meet(&mut self, state: &State, whole: &Whole, by: &[Action]) -> bool {
        let name = self.name;
        assert!(Whole::of(self.parts, state) == *whole, "{name}: the state after {by:?}");
        assert_eq!(state.roster, Roster::of(whole.kernel()), "{name}: the roster after {by:?}");
        match self.known.entry(whole.clone()) {
            Entry::Occupied(known) => {
                assert!(known.get() == state, "{name}: one state in two sets of parts, after {by:?}");
                false
            }
            Entry::Vacant(new) => {
                new.insert(*state);
                let truths = truths_of_state(self.parts, &self.properties.0, state);
                let of_plain = truths_of_state(&self.plain, &self.properties.1, whole);
                assert_eq!(truths, of_plain, "{name}: the properties of the state after {by:?}");
                true
            }
        }
    }
}

#[test]
fn small_systems_have_every_state_of_the_plain_ones() {
    let cases = [
        ("a tree", Scenario { messages: 0, ..TREE }),
        ("talk", Scenario { messages: 0, questions: 1, bad_starts: false, ..TALK }),
        ("a tree with a budget", SPEND),
    ];
    for (name, scenario) in cases {
        let model = KernelModel::new(scenario);
        let walked = Pair::new(name, &model).walk(usize::MAX, usize::MAX);
        let report = Checker::new(&model).check().expect("the model is consistent");
        // The initial state counts as generated.
        let counts = (walked.known.len(), walked.steps as u64 + 1);
        assert_eq!(counts, (report.distinct, report.generated), "{name}");
    }
}

#[test]
fn every_scenario_has_the_steps_and_truths_of_the_plain_system() {
    for (name, _, scenario, _) in SCENARIOS {
        let model = KernelModel::new(*scenario);
        let walked = Pair::new(name, &model).walk(1_000, ALL_LEVELS);
        assert!(walked.steps > 50_000, "{name}: {} steps are too few to show anything", walked.steps);
    }
}

#[test]
#[cfg(feature = "planted-faults")]
fn a_faulty_kernel_has_the_steps_and_truths_of_the_plain_system() {
    use downbeat_kernel::Fault;

    for fault in Fault::ALL {
        for (scenario, of) in [(TREE, "a tree"), (TALK, "talk"), (SPEND, "a tree with a budget")] {
            let name = format!("{fault:?} in {of}");
            let model = KernelModel::new(scenario).with_fault(*fault);
            let walked = Pair::new(&name, &model).walk(80, FAULTY_LEVELS);
            assert!(walked.steps > 1_000, "{name}: {} steps are too few to show anything", walked.steps);
        }
    }
}

/// What a check says that does not depend on how the states are kept.
fn found(report: &Report) -> (usize, u64, usize, Vec<(&'static str, Verdict)>) {
    let verdicts = report.properties.iter().map(|found| (found.id, found.verdict)).collect();
    (report.distinct, report.generated, report.depth, verdicts)
}

#[test]
fn a_check_of_all_states_finds_what_it_finds_in_the_plain_system() {
    let model = KernelModel::new(TREE);
    let plain = PlainModel::of(&model);
    let in_parts = Checker::new(&model).whole_states().check().expect("the model is consistent");
    let in_plain = Checker::new(&plain).whole_states().check().expect("the model is consistent");
    assert_eq!(found(&in_parts), found(&in_plain));
    let histories = plain.with_histories();
    let in_histories = Checker::new(&histories).whole_states().check().expect("the model is consistent");
    assert!(in_histories.distinct > in_plain.distinct, "no history differs from another");
    let of = |report| {
        let (_, _, depth, verdicts) = found(report);
        (depth, verdicts)
    };
    assert_eq!(of(&in_histories), of(&in_plain), "a history makes a difference");
}
