//! What an orchestrator says to people about remote tasks, and asks them: verdicts, state counts, counterexamples, and what
//! the page tells.

use std::fs;

use downbeat_models::remote_agents::{notifications, questions, retries};
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Run, Settings, Variant, run};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/races/remote-input.md");

/// What a variant may have, so that all of them are checked in seconds.
const STATES_MAX: usize = 600_000;

/// The variant that has no crash by itself: its deep bounds have.
const WITHOUT_CRASH: &str = "kernel-retries-owners";

fn variants() -> Vec<Variant> {
    [questions::variants(), notifications::variants(), retries::variants()].into_iter().flatten().collect()
}

fn variant(name: &str) -> Variant {
    let found = variants().into_iter().find(|variant| variant.name() == name);
    found.unwrap_or_else(|| panic!("no variant is named {name}"))
}

fn check(variant: &Variant, bounds: &[(&str, u64)], only: Option<&str>) -> Run {
    let bounds = variant.bounds_with(bounds.iter().copied()).expect("the variant has these bounds");
    let only = only.map(|id| [id.to_owned()].into());
    run(variant, &bounds, &Settings { only, ..Settings::default() }).expect("the model is consistent")
}

/// The diagram of every counterexample of a run, one below the other.
fn diagrams(run: &Run) -> String {
    let diagrams = run.report.properties.iter().filter_map(|property| {
        let counterexample = property.counterexample.as_ref()?;
        Some(diagram::text(property.id, property.name, counterexample, Style::Plain))
    });
    diagrams.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_variant_is_as_expected_and_its_counterexamples_read_as_before() {
    let mut counts = Vec::new();
    for variant in variants() {
        let run = check(&variant, &[], None);
        for property in run.evaluated() {
            assert!(property.is_as_expected(), "{variant} {}: {}", property.found.id, property.found.verdict);
        }
        let shown = diagrams(&run);
        if !shown.is_empty() {
            insta::assert_snapshot!(variant.name(), shown);
        }
        let (distinct, depth) = (run.report.distinct, run.report.depth);
        let never = run.report.coverage.kinds.iter().filter(|(_, steps)| *steps == 0);
        let never: Vec<&str> = never.map(|(kind, _)| *kind).collect();
        let left_out: &[&str] = if variant.name() == WITHOUT_CRASH { &["Crash"] } else { &[] };
        assert_eq!(never, left_out, "what {variant} never has");
        counts.push(format!("{:<28}{distinct:>8} states, depth {depth}", variant.name()));
        assert!(distinct < STATES_MAX, "{counts:?}");
    }
    insta::assert_snapshot!("state-counts", counts.join("\n"));
}

/// What a command of the page shows: `downbeat check remote-agents@questions --property S6 --bound crashes=0`.
fn output(command: &str) -> String {
    let (name, options) = command.split_once(" --property ").expect("a command names a property");
    let mut options = options.split(" --bound ");
    let id = options.next();
    let bounds = options.map(|bound| {
        let (name, value) = bound.split_once('=').expect("a bound has a value");
        (name, value.parse().expect("a bound is a number"))
    });
    let bounds: Vec<(&str, u64)> = bounds.collect();
    let shown = diagrams(&check(&variant(name), &bounds, id));
    assert!(!shown.is_empty(), "{command} finds no counterexample");
    let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

/// The page with the output of each of its commands in the block below it.
fn rewritten(page: &str) -> String {
    let mut lines = page.lines();
    let mut written = String::new();
    while let Some(line) = lines.next() {
        written.extend([line, "\n"]);
        let command =
            line.strip_prefix("`downbeat check remote-agents@").and_then(|rest| rest.strip_suffix('`'));
        let Some(command) = command else { continue };
        assert_eq!((lines.next(), lines.next()), (Some(""), Some("```text")), "a block follows {line}");
        lines.by_ref().find(|line| *line == "```").expect("the block ends");
        written.extend(["\n```text\n", &output(command), "\n```\n"]);
    }
    written
}

/// `UPDATE_DOCS=1` writes the page.
#[test]
fn page_of_the_race_shows_what_the_checker_finds() {
    let page = fs::read_to_string(PAGE).expect("docs/races/remote-input.md is there");
    let of_today = rewritten(&page);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|set| set == "1") {
        fs::write(PAGE, of_today).expect("docs/races/remote-input.md can be written");
        return;
    }
    let different = page.lines().zip(of_today.lines()).find(|(is, ought)| is != ought);
    assert!(
        page == of_today,
        "docs/races/remote-input.md is not what the checker finds, first at {different:?}; to write it anew: \
         UPDATE_DOCS=1 cargo test -p downbeat-models --test remote_input page_of_the_race"
    );
}
