//! Recorded behaviours, replayed in graphs that are still what they were and in such as have changed.

#[path = "models/graph.rs"]
mod graph;

use downbeat_sim::check::{CheckError, Checker};
use downbeat_sim::model::{Fairness, Model, Property, Strength, Told};
use downbeat_sim::replay::{Gone, Misfit, Part, Replayed, replay};
use downbeat_sim::report::{Counterexample, Kind, Step};
use graph::{Edge, Graph};

fn free(from: u8, to: u8) -> Edge {
    Edge { from, to, fair: 0, bad: false }
}

fn fair(from: u8, to: u8) -> Edge {
    Edge { fair: 1, ..free(from, to) }
}

fn bad(from: u8, to: u8) -> Edge {
    Edge { bad: true, ..free(from, to) }
}

fn set(states: &[u8]) -> u32 {
    states.iter().fold(0, |set, state| set | 1 << state)
}

/// From 0 by way of 1 and 2 to 3, which is a dead end, and from 1 round by 4.
fn ways() -> Graph {
    Graph {
        initial: vec![0],
        edges: vec![free(0, 1), free(1, 2), bad(2, 3), free(1, 4), free(4, 1), free(0, 5), free(5, 5)],
        fair_actions: 1,
        bad: set(&[3]),
        from: set(&[1]),
        goal: set(&[2]),
        ..Graph::default()
    }
}

/// A record of these actions of [`ways`], from 0.
fn recorded(actions: &[usize], lasso_start: Option<usize>, explanation: &str) -> Counterexample {
    let edges = ways().edges;
    let step = |action: &usize| Step {
        action: action.to_string(),
        told: Told::new(0, 0, format!("{} to {}", edges[*action].from, edges[*action].to)),
    };
    Counterexample {
        lanes: vec!["graph".into()],
        opening: "0".into(),
        steps: actions.iter().map(step).collect(),
        lasso_start,
        explanation: explanation.into(),
    }
}

/// A name, the property, what was recorded, how the graph changes, and what comes of it.
type Case = (&'static str, &'static str, Counterexample, fn(&mut Graph), Result<(), Misfit>);

#[test]
fn recorded_behaviour_is_judged_by_the_graph_as_it_is_now() {
    let to_3 = |explanation| recorded(&[0, 1, 2], None, explanation);
    let round = || recorded(&[0, 3, 4], Some(1), "still at 1");
    let rest = || recorded(&[0, 3], Some(2), "still at 4");
    let gone = |id, why| Err(Misfit::Gone { id, why });
    let step = |step, of, expected: &str, enabled: &[&str], more| {
        let enabled = enabled.iter().map(ToString::to_string).collect();
        Err(Misfit::Step { step, of, expected: expected.into(), enabled, more })
    };
    let mut twelve = to_3("3 is bad");
    twelve.steps[0].action = "12".into();
    let unchanged: fn(&mut Graph) = |_| {};
    #[rustfmt::skip]
    let cases: Vec<Case> = vec![
        ("a bad state is bad",             "always",   to_3("3 is bad"), unchanged, Ok(())),
        ("a bad state is good now",        "always",   to_3("3 is bad"), |graph| graph.bad = 0, gone("always", Gone::Kept)),
        ("a state before it is bad now",   "always",   to_3("3 is bad"), |graph| graph.bad |= set(&[1]),
            Err(Misfit::Earlier { id: "always", steps: 1, of: 3 })),
        ("a bad step is bad",              "step",     to_3("the step to 3 is bad"), unchanged, Ok(())),
        ("a bad step is good now",         "step",     to_3("the step to 3 is bad"), |graph| graph.edges[2].bad = false,
            gone("step", Gone::Kept)),
        ("a step before it is bad now",    "step",     to_3("the step to 3 is bad"), |graph| graph.edges[0].bad = true,
            Err(Misfit::Earlier { id: "step", steps: 1, of: 3 })),
        ("a dead end is one",              "deadlock", to_3("3 is a dead end"), unchanged, Ok(())),
        ("a dead end is final now",        "deadlock", to_3("3 is a dead end"), |graph| graph.final_states = set(&[3]),
            gone("deadlock", Gone::Rests)),
        ("a dead end has a way out now",   "deadlock", to_3("3 is a dead end"), |graph| graph.edges.push(free(3, 0)),
            gone("deadlock", Gone::GoesOn { action: "7".into() })),
        ("a dead end where a step changes nothing is one", "deadlock", recorded(&[5], None, "5 is a dead end"), unchanged, Ok(())),
        ("a step is not enabled",          "always",   to_3("3 is bad"), |graph| graph.edges[1].from = 0,
            step(2, 3, "1", &["3"], 0)),
        ("nothing is enabled",             "always",   to_3("3 is bad"), |graph| graph.edges[2].from = 9,
            step(3, 3, "2", &[], 0)),
        ("the nearest of what is enabled", "always",   twelve,
            |graph| graph.edges.extend([free(0, 1); 5]), step(1, 3, "12", &["10", "11", "0"], 4)),
        ("a loop is one",                  "leads-to", round(), unchanged, Ok(())),
        ("to rest is allowed",             "leads-to", rest(), unchanged, Ok(())),
        ("the loop ends elsewhere",        "leads-to", round(), |graph| graph.edges[4].to = 0,
            Err(Misfit::Open { loop_start: 2, of: 3 })),
        ("nothing obliges now",            "leads-to", round(), |graph| graph.from = 0, gone("leads-to", Gone::NothingDue)),
        ("the goal is met in the loop",    "leads-to", round(), |graph| graph.goal = set(&[4]), gone("leads-to", Gone::Met { steps: 2 })),
        ("the goal is met when it is due", "leads-to", rest(), |graph| graph.goal = set(&[1]), gone("leads-to", Gone::Met { steps: 1 })),
        ("the goal is met before",         "leads-to", round(), |graph| graph.goal = set(&[0]), Ok(())),
        ("it is due in the loop only",     "leads-to", round(), |graph| graph.from = set(&[4]), Ok(())),
        ("the way out of rest is fair now", "leads-to", rest(), |graph| graph.edges[4].fair = 1,
            gone("leads-to", Gone::Unfair { name: "fair 0".into(), strength: Strength::Weak })),
        ("a fair step that changes nothing does not end rest", "eventually", recorded(&[5], Some(1), "still at 5"),
            |graph| graph.edges[6] = fair(5, 5), Ok(())),
        ("the way out of the loop is fair in one state of it", "leads-to", round(), |graph| graph.edges[1].fair = 1, Ok(())),
        ("the way out of the loop is fair in each state of it", "leads-to", round(),
            |graph| graph.edges.extend([fair(1, 2), fair(4, 2)]),
            gone("leads-to", Gone::Unfair { name: "fair 0".into(), strength: Strength::Weak })),
        ("and what is fair is taken in the loop", "leads-to", round(),
            |graph| { graph.edges[3].fair = 1; graph.edges.extend([fair(1, 2), fair(4, 2)]); }, Ok(())),
        ("a step that changes nothing does not take what is fair", "eventually", recorded(&[5, 6], Some(1), "still at 5"),
            |graph| { graph.edges[6] = fair(5, 5); graph.edges.push(fair(5, 2)); },
            gone("eventually", Gone::Unfair { name: "fair 0".into(), strength: Strength::Weak })),
        ("the goal never comes",           "eventually", round(), unchanged, Ok(())),
        ("the goal is met at the beginning", "eventually", round(), |graph| graph.goal = set(&[0]), gone("eventually", Gone::Met { steps: 0 })),
        ("no single behaviour violates what can happen", "sometimes", to_3("3 is bad"), unchanged,
            Err(Misfit::OtherKind { id: "sometimes", kind: Kind::Sometimes })),
        ("an invariant has no loop",       "always",   round(), unchanged, Err(Misfit::OtherKind { id: "always", kind: Kind::Always })),
        ("liveness has one",               "leads-to", to_3("still at 3"), unchanged, Err(Misfit::OtherKind { id: "leads-to", kind: Kind::LeadsTo })),
        ("there is no such property",      "S7",       to_3("3 is bad"), unchanged, Err(Misfit::Model(CheckError::UnknownProperty {
            id: "S7".into(), known: vec!["always", "step", "sometimes", "deadlock", "leads-to", "eventually"],
        }))),
        ("there is no beginning",          "always",   to_3("3 is bad"), |graph| graph.initial.clear(),
            Err(Misfit::Model(CheckError::NoInitialState))),
    ];
    for (name, id, recorded, change, expected) in cases {
        let mut graph = ways();
        change(&mut graph);
        let expected = expected.map(|()| Replayed { counterexample: recorded.clone(), reworded: Vec::new() });
        assert_eq!(replay(&graph, id, &recorded), expected, "{name}");
    }
}

#[test]
fn every_counterexample_of_the_checker_is_one() {
    let graph = ways();
    let report = Checker::new(&graph).check().expect("the graph is sound");
    let mut replayed = Vec::new();
    for property in &report.properties {
        let Some(counterexample) = &property.counterexample else { continue };
        let as_recorded = Replayed { counterexample: counterexample.clone(), reworded: Vec::new() };
        assert_eq!(replay(&graph, property.id, counterexample), Ok(as_recorded), "{}", property.id);
        replayed.push(property.id);
    }
    assert_eq!(replayed, ["always", "step", "deadlock", "leads-to", "eventually"]);
}

#[test]
fn of_several_beginnings_the_one_counts_from_which_the_property_is_violated() {
    // All of them open alike, for this model has no opening.
    struct Blind(Graph);
    impl Model for Blind {
        type State = u8;
        type Action = usize;
        fn initial(&self) -> Vec<u8> {
            self.0.initial()
        }
        fn actions(&self, state: &u8, actions: &mut Vec<usize>) {
            self.0.actions(state, actions);
        }
        fn next(&self, state: &u8, action: &usize) -> Option<u8> {
            self.0.next(state, action)
        }
        fn properties(&self) -> Vec<Property<Self>> {
            let is_good: fn(&Self, &u8) -> bool = |blind, state| !graph::contains(blind.0.bad, *state);
            vec![Property::<Self>::always(
                "always",
                "no bad state",
                is_good,
                |_, _| true,
                |_, _| String::new(),
            )]
        }
        fn is_final(&self, _: &u8) -> bool {
            true
        }
        fn lanes(&self) -> Vec<String> {
            self.0.lanes()
        }
        fn tell(&self, _: &u8, _: &usize, _: &u8) -> Told {
            Told::new(0, 0, "goes on")
        }
    }

    let blind = |initial: &[u8]| Blind(Graph { initial: initial.to_vec(), ..ways() });
    let mut recorded = recorded(&[1, 2], None, "");
    recorded.opening = String::new();
    recorded.steps.iter_mut().for_each(|step| step.told = Told::new(0, 0, "goes on"));
    let expected = Replayed { counterexample: recorded.clone(), reworded: Vec::new() };
    assert_eq!(replay(&blind(&[0, 5, 1]), "always", &recorded), Ok(expected));
    // None fits; that which goes farthest is told.
    let misfit = Misfit::Step { step: 2, of: 2, expected: "9".into(), enabled: vec!["2".into()], more: 0 };
    recorded.steps[1].action = "9".into();
    assert_eq!(replay(&blind(&[0, 1, 5]), "always", &recorded), Err(misfit));
}

#[test]
fn words_that_changed_are_named_and_do_not_matter() {
    let graph = ways();
    let as_now = recorded(&[0, 1, 2], None, "3 is bad");
    let mut otherwise = as_now.clone();
    otherwise.opening = "nought".into();
    otherwise.steps[1].told.cause.text = "from 1 to 2".into();
    otherwise.steps[2].told.change = "there".into();
    otherwise.explanation = "bad".into();
    let reworded = vec![Part::Opening, Part::Step(2), Part::Step(3), Part::Explanation];
    let expected = Replayed { counterexample: as_now.clone(), reworded };
    assert_eq!(replay(&graph, "always", &otherwise), Ok(expected));

    // A participant that has another place and the same name reads the same.
    let mut moved = as_now.clone();
    moved.lanes = vec!["somebody".into(), "graph".into()];
    for step in &mut moved.steps {
        (step.told.cause.from, step.told.cause.to) = (1, 1);
    }
    assert_eq!(
        replay(&graph, "always", &moved),
        Ok(Replayed { counterexample: as_now, reworded: Vec::new() })
    );
}

/// 0 and 1 go round for ever; from 1 a way leads to 2, in several guises.
struct Rounds {
    fairness: Option<Strength>,
    lanes: usize,
}

/// All steps look alike in `Debug`.
#[derive(Clone, PartialEq, Eq)]
struct Alike(u8);

impl std::fmt::Debug for Alike {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "goes")
    }
}

impl Model for Rounds {
    type State = u8;
    type Action = Alike;

    fn initial(&self) -> Vec<u8> {
        vec![0]
    }
    fn actions(&self, state: &u8, actions: &mut Vec<Alike>) {
        match state {
            0 => actions.push(Alike(1)),
            1 => actions.extend([Alike(2), Alike(0)]),
            _ => {}
        }
    }
    fn next(&self, _: &u8, action: &Alike) -> Option<u8> {
        Some(action.0)
    }
    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::<Self>::eventually(
            "L1",
            "it comes to 2",
            |_, state| *state == 2,
            |_, _| String::new(),
        )]
    }
    fn fairness(&self) -> Vec<Fairness<Self>> {
        let leaves = |action: &Alike| action.0 == 2;
        let goes_on = Fairness::weak("it goes on", |_: &Alike| true);
        let fair = self.fairness.map(|strength| match strength {
            Strength::Weak => Fairness::weak("it leaves", leaves),
            Strength::Strong => Fairness::strong("it leaves", leaves),
        });
        fair.into_iter().chain([goes_on]).collect()
    }
    fn is_final(&self, _: &u8) -> bool {
        true
    }
    fn lanes(&self) -> Vec<String> {
        vec!["walker".into(); self.lanes]
    }
    fn tell(&self, _: &u8, _: &Alike, after: &u8) -> Told {
        Told::new(0, 0, format!("goes to {after}"))
    }
}

/// Round once, told like this.
fn round(told: [&str; 2]) -> Counterexample {
    let step = |told: &str| Step { action: "goes".into(), told: Told::new(0, 0, told) };
    Counterexample {
        lanes: vec!["walker".into()],
        opening: String::new(),
        steps: told.into_iter().map(step).collect(),
        lasso_start: Some(0),
        explanation: String::new(),
    }
}

#[test]
fn strong_fairness_leaves_a_loop_that_weak_fairness_stays_in() {
    let recorded = round(["goes to 1", "goes to 0"]);
    let unfair = Gone::Unfair { name: "it leaves".into(), strength: Strength::Strong };
    #[rustfmt::skip]
    let cases = [
        (None,                   Ok(Replayed { counterexample: recorded.clone(), reworded: Vec::new() })),
        (Some(Strength::Weak),   Ok(Replayed { counterexample: recorded.clone(), reworded: Vec::new() })),
        (Some(Strength::Strong), Err(Misfit::Gone { id: "L1", why: unfair })),
    ];
    for (fairness, expected) in cases {
        assert_eq!(replay(&Rounds { fairness, lanes: 1 }, "L1", &recorded), expected, "{fairness:?}");
    }
}

#[test]
fn actions_that_look_alike_are_told_apart_by_their_words_else_the_first_is_taken() {
    let rounds = Rounds { fairness: None, lanes: 1 };
    assert!(replay(&rounds, "L1", &round(["goes to 1", "goes to 0"])).is_ok());
    let open = Misfit::Open { loop_start: 1, of: 2 };
    assert_eq!(replay(&rounds, "L1", &round(["goes to 1", "returns"])), Err(open));
}

#[test]
fn model_that_tells_of_a_participant_it_does_not_have_is_refused() {
    let error = CheckError::UnknownLane { action: "goes".into(), lane: 0, lanes: 0 };
    let rounds = Rounds { fairness: None, lanes: 0 };
    assert_eq!(replay(&rounds, "L1", &round(["goes to 1", "goes to 0"])), Err(Misfit::Model(error)));
}

#[test]
fn misfits_say_what_is_different() {
    let step = |enabled: &[&str], more| Misfit::Step {
        step: 3,
        of: 4,
        expected: "Write(0)".into(),
        enabled: enabled.iter().map(ToString::to_string).collect(),
        more,
    };
    let gone = |why| Misfit::Gone { id: "L1", why };
    let unfair = |strength| gone(Gone::Unfair { name: "clerk 1 goes on".into(), strength });
    #[rustfmt::skip]
    let cases = [
        (step(&[], 0), "step 3 of 4 cannot be taken: `Write(0)` is not enabled there, and nothing else is"),
        (step(&["Read(0)", "Read(1)"], 0), "step 3 of 4 cannot be taken: `Write(0)` is not enabled there; what is: `Read(0)`, `Read(1)`"),
        (step(&["Read(0)"], 5), "step 3 of 4 cannot be taken: `Write(0)` is not enabled there; what is: `Read(0)`, and 5 more"),
        (Misfit::Open { loop_start: 2, of: 3 }, "the loop does not close: steps 2 to 3 can be taken, and end elsewhere than they began"),
        (Misfit::Earlier { id: "S1", steps: 1, of: 3 }, "S1 is violated after 1 of the 3 steps already"),
        (Misfit::OtherKind { id: "S1", kind: Kind::Always }, "S1 is of the kind always now, and a behaviour that violates it has no loop"),
        (Misfit::OtherKind { id: "S1", kind: Kind::Sometimes }, "S1 is of the kind sometimes now, which no single behaviour violates"),
        (Misfit::OtherKind { id: "S1", kind: Kind::LeadsTo },
            "S1 is of the kind leads-to now, which only a behaviour that goes on for ever violates"),
        (gone(Gone::Kept), "every step can be taken, and L1 holds on them now: nothing on the way breaks it"),
        (gone(Gone::GoesOn { action: "Read(0)".into() }), "every step can be taken, and L1 holds on them now: in the end `Read(0)` can be taken"),
        (gone(Gone::Rests), "every step can be taken, and L1 holds on them now: the system may rest where they end"),
        (gone(Gone::NothingDue), "every step can be taken, and L1 holds on them now: no state on the way obliges to the goal"),
        (gone(Gone::Met { steps: 0 }), "every step can be taken, and L1 holds on them now: the goal is met at the beginning"),
        (gone(Gone::Met { steps: 2 }), "every step can be taken, and L1 holds on them now: the goal is met after step 2"),
        (unfair(Strength::Weak), "every step can be taken, and L1 holds on them now: they do not go on for ever, for \
            `clerk 1 goes on` is weakly fair, enabled all the time and not taken"),
        (unfair(Strength::Strong), "every step can be taken, and L1 holds on them now: they do not go on for ever, for \
            `clerk 1 goes on` is strongly fair, enabled again and again and not taken"),
    ];
    for (misfit, expected) in cases {
        assert_eq!(misfit.to_string(), expected);
    }
}
