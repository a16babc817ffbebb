//! Sequence diagrams of counterexamples that are hard to draw.

use std::collections::BTreeSet;

use downbeat_sim::diagram::{self, Style};
use downbeat_sim::mermaid;
use downbeat_sim::model::Told;
use downbeat_sim::report::{Counterexample, Step};
use proptest::prelude::*;

fn counterexample(lanes: &[&str], steps: Vec<Told>, lasso_start: Option<usize>) -> Counterexample {
    Counterexample {
        lanes: lanes.iter().map(|lane| (*lane).to_owned()).collect(),
        opening: "the parent runs; its subtask has ended and its result is on the way".into(),
        steps: steps.into_iter().map(|told| Step { action: "Action".into(), told }).collect(),
        lasso_start,
        explanation:
            "the parent has two requests in flight for the same turn, #2 with the result of the subtask \
                      and #3 with the message of the user; the answer to either is lost"
                .into(),
    }
}

fn race(lasso_start: Option<usize>) -> Counterexample {
    let lanes = ["user", "event loop", "parent task", "nobody", "subtask", "model provider"];
    let steps = vec![
        Told::new(
            4,
            2,
            "the result of the subtask is delivered to the task that asked for it, which is idle by now",
        )
        .then(2, 5, "request #2, with the result")
        .change(
            "in flight: parent #2; the parent believes itself to be waiting for the subtask, which is gone",
        ),
        Told::new(0, 1, "sends a message"),
        Told::new(1, 2, "hands the message to the task")
            .then(2, 5, "request #3, with the message")
            .change("in flight: parent #2, parent #3"),
        Told::new(2, 2, "waits"),
    ];
    counterexample(&lanes, steps, lasso_start)
}

#[test]
fn finite_behaviour_with_several_arrows_a_step() {
    insta::assert_snapshot!(diagram::text(
        "S1",
        "at most one model request in flight",
        &race(None),
        Style::Plain
    ));
}

#[test]
fn lasso_with_a_loop() {
    insta::assert_snapshot!(diagram::text(
        "L1",
        "every task ends, or waits for a person",
        &race(Some(2)),
        Style::Plain
    ));
}

#[test]
fn lasso_that_comes_to_rest() {
    insta::assert_snapshot!(diagram::text(
        "L1",
        "every task ends, or waits for a person",
        &race(Some(4)),
        Style::Plain
    ));
}

#[test]
fn colors_end_where_they_begin() {
    let text = diagram::text("L1", "every task ends", &race(Some(2)), Style::Ansi);
    let plain = diagram::text("L1", "every task ends", &race(Some(2)), Style::Plain);
    let mut stripped = String::new();
    for (index, piece) in text.split("\x1b[").enumerate() {
        let rest = if index == 0 { piece } else { piece.split_once('m').map_or("", |(_, rest)| rest) };
        stripped += rest;
    }
    assert_eq!(stripped, plain);
    for line in text.lines() {
        assert_eq!(line.matches("\x1b[").count(), 2 * line.matches("\x1b[0m").count(), "{line:?}");
    }
}

#[test]
fn names_that_do_not_fit_go_into_a_legend() {
    let lanes = [
        "token-refresher 1",
        "token-refresher 2",
        "authorization-server",
        "credential-store",
        "task-orchestrator",
        "session-supervisor",
    ];
    let steps = vec![
        Told::new(0, 3, "reads the credential"),
        Told::new(1, 3, "reads the credential"),
        Told::new(0, 2, "refreshes").then(2, 4, "token 2").then(4, 5, "goes on"),
    ];
    insta::assert_snapshot!(diagram::text(
        "S15",
        "a token is used once",
        &counterexample(&lanes, steps, None),
        Style::Plain
    ));
}

#[test]
fn more_participants_than_lifelines_are_named_in_the_text() {
    let lanes: Vec<String> = (0..30).map(|number| format!("worker {number}")).collect();
    let lanes: Vec<&str> = lanes.iter().map(String::as_str).collect();
    let steps = (0..29).map(|number| Told::new(number, number + 1, "passes the token")).collect();
    let text =
        diagram::text("L4", "the token comes back", &counterexample(&lanes, steps, None), Style::Plain);
    assert!(text.contains("\n   1  worker 0 → worker 1: passes the token\n"), "{text}");
}

#[test]
fn mermaid_of_a_lasso_with_a_loop() {
    let mut lasso = race(Some(2));
    lasso.steps[0].told.cause.text = "result: #1; <b>done</b>\n100 %".into();
    insta::assert_snapshot!(mermaid::diagram("L1", "every task ends", &lasso));
}

prop_compose! {
    fn told(lanes: usize)(
        arrows in prop::collection::vec((0..lanes, 0..lanes, "[a-z ]{0,90}|[a-z]{80}"), 1..4),
        change in "[a-z ,#]{0,150}",
    ) -> Told {
        let (from, to, text) = arrows[0].clone();
        let rest = arrows[1..].iter().cloned();
        rest.fold(Told::new(from, to, text), |told, (from, to, text)| told.then(from, to, text)).change(change)
    }
}

prop_compose! {
    fn counterexamples()(lanes in prop::collection::vec("[a-z]{1,9}( [a-z]{1,12}){0,3}", 1..28))(
        steps in prop::collection::vec(told(lanes.len()), 0..14),
        lasso_start in prop::option::of(0..15_usize),
        lanes in Just(lanes),
    ) -> Counterexample {
        let lanes: Vec<&str> = lanes.iter().map(String::as_str).collect();
        let lasso_start = lasso_start.map(|start| start.min(steps.len()));
        counterexample(&lanes, steps, lasso_start)
    }
}

proptest! {
    #[test]
    fn diagrams_fit_a_hundred_columns(counterexample in counterexamples()) {
        let text = diagram::text("S1", "a statement", &counterexample, Style::Plain);
        for line in text.lines() {
            prop_assert!(line.chars().count() <= diagram::WIDTH, "{}", line);
            prop_assert_eq!(line.trim_end(), line);
        }
        let arrows: usize = counterexample.steps.iter().map(|step| 1 + step.told.then.len()).sum();
        let drawn = text.lines().filter(|line| line.contains('●')).count();
        // With too many participants for lifelines the text names them, and no arrow is drawn.
        let participants: BTreeSet<_> = counterexample
            .steps
            .iter()
            .flat_map(|step| std::iter::once(&step.told.cause).chain(&step.told.then))
            .flat_map(|arrow| [arrow.from, arrow.to])
            .collect();
        prop_assert!(drawn == arrows || (drawn == 0 && participants.len() > 5), "{}", text);
    }
}
