//! Liveness on graphs where a check that looks at paths instead of cycles errs.

#[path = "models/graph.rs"]
mod graph;

use downbeat_sim::check::Checker;
use downbeat_sim::report::{PropertyReport, Verdict};
use graph::{Edge, Graph};

/// A step that nobody is obliged to take.
fn free(from: u8, to: u8) -> Edge {
    Edge { from, to, fair: 0, bad: false }
}

/// A step of a fair action.
fn fair(from: u8, to: u8, action: u8) -> Edge {
    Edge { fair: 1 << action, ..free(from, to) }
}

fn set(states: &[u8]) -> u32 {
    states.iter().fold(0, |set, state| set | 1 << state)
}

/// The verdict, and of the counterexample the states in order and where the loop begins.
fn found(report: &PropertyReport) -> (Verdict, Option<(Vec<String>, usize)>) {
    let lasso = report.counterexample.as_ref().map(|counterexample| {
        let told = counterexample.steps.iter().map(|step| step.told.cause.text.clone());
        (told.collect(), counterexample.lasso_start.expect("liveness is violated by lassos"))
    });
    (report.verdict, lasso)
}

#[test]
fn eventually_is_decided_by_fair_cycles() {
    let holds = (Verdict::Holds, None);
    let violated = |steps: &[&str], lasso_start| {
        (Verdict::Violated, Some((steps.iter().map(|step| (*step).to_owned()).collect(), lasso_start)))
    };
    #[rustfmt::skip]
    let cases = [
        ("the goal lies on one branch only, the other ends",
            vec![fair(0, 1, 0), fair(0, 2, 0)], set(&[1]),
            violated(&["0 to 2"], 1)),
        ("the goal lies on one branch of a diamond, behind the join there is nothing",
            vec![fair(0, 1, 0), fair(0, 2, 0), fair(1, 3, 0), fair(2, 3, 0)], set(&[1]),
            violated(&["0 to 2", "2 to 3"], 2)),
        ("the join is visited first by the branch with the goal",
            vec![fair(0, 1, 0), fair(0, 2, 0), fair(2, 4, 0), fair(1, 3, 0), fair(4, 3, 0), fair(3, 5, 0)], set(&[1]),
            violated(&["0 to 2", "2 to 4", "4 to 3", "3 to 5"], 4)),
        ("the goal lies on both branches",
            vec![fair(0, 1, 0), fair(0, 2, 0), fair(1, 3, 0), fair(2, 3, 0)], set(&[1, 2]),
            holds.clone()),
        ("the goal lies behind the join",
            vec![fair(0, 1, 0), fair(0, 2, 0), fair(1, 3, 0), fair(2, 3, 0)], set(&[3]),
            holds.clone()),
        ("a cycle never comes to the goal",
            vec![fair(0, 1, 0), fair(1, 2, 0), fair(2, 0, 0)], set(&[9]),
            violated(&["0 to 1", "1 to 2", "2 to 0"], 0)),
        ("a cycle beside the goal, and its way out is fair",
            vec![fair(0, 1, 0), fair(1, 0, 0), fair(0, 2, 1), fair(1, 2, 1)], set(&[2]),
            holds.clone()),
        ("the way out of the cycle is free",
            vec![fair(0, 1, 0), fair(1, 0, 0), free(0, 2)], set(&[2]),
            violated(&["0 to 1", "1 to 0"], 0)),
        ("the way out of the cycle is fair and enabled in one of its two states only",
            vec![fair(0, 1, 0), fair(1, 0, 0), fair(0, 2, 1)], set(&[2]),
            violated(&["0 to 1", "1 to 0"], 0)),
        ("the fair action that leaves the cycle is also taken within it",
            vec![fair(0, 1, 0), fair(1, 0, 1), fair(0, 2, 1), fair(1, 2, 0)], set(&[2]),
            violated(&["0 to 1", "1 to 0"], 0)),
        ("a step to the same state does not count as taking the fair action",
            vec![fair(0, 0, 0), fair(0, 1, 0)], set(&[1]),
            holds.clone()),
        ("a step to the same state does not enable the fair action",
            vec![fair(0, 0, 0)], set(&[1]),
            violated(&[], 0)),
        ("nothing is fair, so nothing need happen",
            vec![free(0, 1)], set(&[1]),
            violated(&[], 0)),
        ("the goal holds at once",
            vec![free(0, 1)], set(&[0]),
            holds.clone()),
        ("rest after some steps, with a free step that need not be taken",
            vec![fair(0, 1, 0), free(1, 2)], set(&[2]),
            violated(&["0 to 1"], 1)),
        ("two fair actions are served in different states of a loop",
            vec![fair(0, 1, 0), fair(1, 2, 1), fair(2, 1, 0), fair(1, 3, 2), fair(2, 3, 2), fair(3, 1, 2), fair(1, 4, 0), fair(2, 4, 1), fair(3, 4, 0)], set(&[4]),
            violated(&["0 to 1", "1 to 2", "2 to 1", "1 to 3", "3 to 1"], 1)),
        ("the nearer component goes round, the farther one comes to rest and makes the whole shorter",
            vec![fair(0, 1, 0), fair(0, 3, 0), fair(1, 2, 0), fair(2, 1, 0), fair(3, 4, 0)], set(&[9]),
            violated(&["0 to 3", "3 to 4"], 2)),
        ("as many steps to rest as with a loop: rest says more",
            vec![fair(0, 1, 0), fair(1, 0, 0), free(0, 2), fair(2, 3, 0)], set(&[9]),
            violated(&["0 to 2", "2 to 3"], 2)),
        ("as many steps to rest as with a loop of three",
            vec![fair(0, 1, 0), fair(1, 5, 0), fair(5, 0, 0), free(0, 2), fair(2, 3, 0), fair(3, 4, 0)], set(&[9]),
            violated(&["0 to 2", "2 to 3", "3 to 4"], 3)),
        ("the loop at the shortest stem is longer than a stem with one more step and its loop",
            vec![fair(0, 1, 0), fair(1, 2, 0), fair(2, 3, 0), fair(3, 0, 0), free(0, 4), fair(4, 5, 0), fair(5, 4, 0)], set(&[9]),
            violated(&["0 to 4", "4 to 5", "5 to 4"], 1)),
        ("two loops with as many steps: the one with the shorter stem",
            vec![fair(0, 1, 0), fair(1, 2, 0), fair(2, 0, 0), free(0, 4), fair(4, 5, 0), fair(5, 4, 0)], set(&[9]),
            violated(&["0 to 1", "1 to 2", "2 to 0"], 0)),
        ("a loop passes twice through its first state, since no round through it serves both actions",
            vec![fair(0, 1, 0), fair(1, 0, 0), fair(0, 2, 1), fair(2, 0, 1), fair(1, 9, 1), fair(2, 9, 0)], set(&[9]),
            violated(&["0 to 1", "1 to 0", "0 to 2", "2 to 0"], 0)),
    ];
    for (name, edges, goal, expected) in cases {
        let graph = Graph { initial: vec![0], edges, fair_actions: 3, goal, ..Graph::default() };
        let report = Checker::new(&graph).only(["eventually"]).check().expect("the graph is sound");
        assert_eq!(found(&report.properties[0]), expected, "{name}");
    }
}

#[test]
fn leads_to_obliges_only_after_its_antecedent() {
    let violated = |steps: &[&str], lasso_start| {
        (Verdict::Violated, Some((steps.iter().map(|step| (*step).to_owned()).collect(), lasso_start)))
    };
    // 0 goes round for ever with 1, and either may go on to 2, from where 3 follows, and round again.
    let edges = vec![fair(0, 1, 0), fair(1, 0, 0), free(1, 2), fair(2, 3, 0), fair(3, 0, 0)];
    #[rustfmt::skip]
    let cases = [
        ("from 2 follows 3",                 set(&[2]), set(&[3]), (Verdict::Holds, None)),
        ("from 3 need not follow 2",         set(&[3]), set(&[2]),
            violated(&["0 to 1", "1 to 2", "2 to 3", "3 to 0", "0 to 1", "1 to 0"], 4)),
        ("the antecedent is not reachable",  set(&[9]), set(&[3]), (Verdict::Vacuous, None)),
        ("the goal holds where it is due",   set(&[2]), set(&[2]), (Verdict::Holds, None)),
        ("from 1 follows 0",                 set(&[1]), set(&[0]), (Verdict::Holds, None)),
    ];
    for (name, from, goal, expected) in cases {
        let graph =
            Graph { initial: vec![0], edges: edges.clone(), fair_actions: 1, from, goal, ..Graph::default() };
        let report = Checker::new(&graph).only(["leads-to"]).check().expect("the graph is sound");
        assert_eq!(found(&report.properties[0]), expected, "{name}");
    }
}

/// The steps in words, and where the loop begins; none if the property holds.
type Lasso<'a> = Option<(&'a [&'a str], usize)>;

/// Violated by this lasso under weak fairness, and by that one under strong fairness.
#[test]
fn strong_fairness_excludes_more_than_weak_fairness() {
    let round = || vec![free(0, 1), free(1, 0)];
    let with = |more: &[Edge]| [round(), more.to_vec()].concat();
    let both = |from, to| Edge { fair: 0b11, ..free(from, to) };
    // The goal is 9.
    #[rustfmt::skip]
    let cases: Vec<(&str, Vec<Edge>, Lasso<'_>, Lasso<'_>)> = vec![
        ("the way out is enabled everywhere on the cycle",
            with(&[fair(0, 9, 0), fair(1, 9, 0)]),
            None,
            None),
        ("the way out is enabled again and again",
            vec![fair(0, 1, 1), fair(1, 0, 1), fair(1, 9, 0)],
            Some((&["0 to 1", "1 to 0"], 0)),
            None),
        ("the way out is enabled again and again, but where it is not the behaviour may rest",
            with(&[fair(1, 9, 0)]),
            Some((&[], 0)),
            Some((&[], 0))),
        ("the fair step leaves the cycle and comes back into it",
            vec![fair(0, 1, 1), fair(1, 0, 1), fair(1, 2, 0), fair(2, 0, 1)],
            Some((&["0 to 1", "1 to 0"], 0)),
            Some((&["0 to 1", "1 to 2", "2 to 0"], 0))),
        ("the fair step leads away, the goal is not there either",
            vec![fair(0, 1, 1), fair(1, 0, 1), fair(1, 2, 0), fair(2, 3, 1), fair(3, 2, 1)],
            Some((&["0 to 1", "1 to 0"], 0)),
            Some((&["0 to 1", "1 to 2", "2 to 3", "3 to 2"], 2))),
        ("a smaller cycle avoids what enables the way out",
            vec![fair(0, 1, 1), fair(1, 0, 1), fair(1, 9, 0), fair(0, 2, 1), fair(2, 0, 1)],
            Some((&["0 to 1", "1 to 0"], 0)),
            Some((&["0 to 2", "2 to 0"], 0))),
        ("two rounds: without 2, which enables action 0, no step takes action 1, which 1 enables",
            vec![fair(0, 1, 2), fair(1, 0, 2), fair(1, 2, 1), fair(2, 1, 2), fair(2, 9, 0), fair(0, 3, 2), fair(3, 4, 2), fair(4, 0, 2)],
            Some((&["0 to 1", "1 to 0"], 0)),
            Some((&["0 to 3", "3 to 4", "4 to 0"], 0))),
        ("two rounds, and nothing is left but a state that enables a fair action",
            vec![fair(0, 1, 2), fair(1, 0, 2), fair(1, 2, 1), fair(2, 1, 2), fair(2, 9, 0)],
            Some((&["0 to 1", "1 to 0"], 0)),
            None),
        ("two rounds, and a state is left where nothing is fair",
            vec![free(0, 1), fair(1, 0, 2), fair(1, 2, 1), fair(2, 1, 2), fair(2, 9, 0)],
            Some((&[], 0)),
            Some((&[], 0))),
        ("one step takes both actions that are enabled",
            vec![both(0, 1), fair(1, 0, 2), fair(0, 9, 0), fair(0, 9, 1)],
            Some((&["0 to 1", "1 to 0"], 0)),
            Some((&["0 to 1", "1 to 0"], 0))),
        ("a step that changes nothing neither enables the action nor takes it",
            vec![fair(0, 1, 1), fair(1, 0, 1), fair(1, 1, 0), fair(0, 9, 2), fair(1, 9, 2), fair(1, 1, 2)],
            None,
            None),
        ("no rest while the only step is fair",
            vec![fair(0, 9, 0)],
            None,
            None),
    ];
    for (name, edges, under_weak, under_strong) in cases {
        for (strong, expected) in [(0b000, under_weak), (0b111, under_strong)] {
            let graph = Graph {
                initial: vec![0],
                edges: edges.clone(),
                fair_actions: 3,
                strong,
                goal: set(&[9]),
                ..Graph::default()
            };
            let report = Checker::new(&graph).only(["eventually"]).check().expect("the graph is sound");
            let verdict = if expected.is_some() { Verdict::Violated } else { Verdict::Holds };
            let expected = expected.map(|(steps, start)| {
                (steps.iter().map(|step| (*step).to_owned()).collect::<Vec<String>>(), start)
            });
            assert_eq!(found(&report.properties[0]), (verdict, expected), "{name}, strong={strong:#b}");
        }
    }
}
