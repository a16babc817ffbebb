//! The models of a worker and its monitor: verdicts, state counts, counterexamples, and the diagrams of their pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use downbeat_models::worker::{Budget, Scenario};
use downbeat_models::{health, interrupt, registry};
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Run, Settings, Variant, run};
use downbeat_sim::report::Verdict;

const MODELS: [&str; 2] = ["health", "interrupt"];

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
    let registry = registry();
    let as_is = registry.variants().filter(|variant| variant.name() == "as-is");
    for variant in as_is.filter(|variant| MODELS.contains(&variant.model())) {
        let run = check(variant, &[], None);
        for property in run.evaluated() {
            assert!(property.is_as_expected(), "{variant} {}: {}", property.found.id, property.found.verdict);
        }
        let coverage = &run.report.coverage;
        let kinds = coverage.kinds.iter().copied();
        let marks = coverage.marks.iter().map(|(name, steps)| (name.as_str(), *steps));
        let unseen: Vec<_> = kinds.chain(marks).filter(|(_, steps)| *steps == 0).collect();
        assert_eq!(unseen, [], "{variant}");
        let name = format!("{}-{}", variant.model(), variant.name());
        insta::assert_snapshot!(name.as_str(), diagrams(&run));
        let (distinct, depth) = (run.report.distinct, run.report.depth);
        counts.push(format!("{name:<20}{distinct:>9} states, depth {depth}"));
    }
    insta::assert_snapshot!("state-counts", counts.join("\n"));
}

/// What the pages say of the as-is systems within other bounds than the default ones.
#[test]
fn verdicts_of_the_pages_within_other_bounds_are_found() {
    type Case = (&'static str, &'static str, &'static [(&'static str, u64)], Verdict);
    #[rustfmt::skip]
    let cases: [Case; 9] = [
        ("health",    "L3",       &[("deaf", 0), ("removals", 0)],         Verdict::Holds),
        ("interrupt", "S11",      &[("pauses", 0), ("ends", 0)],           Verdict::Holds),
        ("interrupt", "S11",      &[("pauses", 0), ("ends", 0), ("monitored", 0)], Verdict::Violated),
        ("interrupt", "L3",       &[("pauses", 0), ("ends", 0)],           Verdict::Holds),
        ("interrupt", "deadlock", &[("pauses", 0), ("ends", 0)],           Verdict::Violated),
        ("interrupt", "deadlock", &[("pauses", 0), ("ends", 0), ("empties", 0)], Verdict::Holds),
        ("interrupt", "stops",    &[("pauses", 0)],                        Verdict::Holds),
        ("interrupt", "stops",    &[("pauses", 0), ("late-listeners", 0)], Verdict::Violated),
        ("interrupt", "S12",      &[("pauses", 0), ("late-listeners", 0), ("monitored", 0)], Verdict::Holds),
    ];
    let registry = registry();
    for (model, id, bounds, expected) in cases {
        let variant = registry.variant(model, "as-is").expect("a variant");
        let run = check(variant, bounds, Some(id));
        let found: Vec<_> =
            run.evaluated().map(|property| (property.found.id, property.found.verdict)).collect();
        assert_eq!(found, [(id, expected)], "{model} {bounds:?}");
    }
}

/// The edges of the table that no variant takes.
const UNTAKEN: [&str; 5] = [
    // The first of a worker's life, in the step in which its task is deployed: nobody tells it to the worker.
    "Held x Assigned",
    "Idle x Assigned",
    // A worker rests when its last prompt was answered, and then its iterator listens or has ended.
    "Idle x Session(Started)",
    "Idle x Session(StopElapsed)",
    // One that is to finish has that in its inbox until it is answered, and then it ends.
    "Idle x TimerFired(WrapUp)",
];

/// Each event in each state in which the page says that it is applied.
fn edges_of_the_page() -> BTreeSet<String> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/worker.md"));
    let page = page.expect("the page is there");
    let (_, table) = page.split_once("<!-- generated: table -->").expect("the page has its table");
    let (table, _) = table.split_once("<!-- end of table -->").expect("the table ends");
    let mut edges = BTreeSet::new();
    for row in table.lines().filter(|row| row.contains("`Applied`")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let &["", event, _, places, ""] = cells.as_slice() else { panic!("{row} has three cells") };
        let states = places.split("; ").flat_map(states_of);
        edges.extend(states.map(|state| format!("{state} x {}", event.trim_matches('`'))));
    }
    edges
}

/// The states that a cell of that table names: one, a group, or a group but one of it.
fn states_of(place: &str) -> Vec<&str> {
    let (group, left_out) = place.split_once(" but ").unwrap_or((place, ""));
    let mut states = match group {
        "every Waiting" => vec!["Idle", "Held"],
        "every InTurn" => vec!["Executing", "AwaitingApproval", "BackingOff", "Cooling"],
        one => vec![one],
    };
    states.retain(|state| *state != left_out);
    states
}

/// But for a subtask that the agent asks for, and one whose own agent works: the page says what is beside those.
#[test]
fn scenarios_have_each_feature_beside_each_other_one() {
    type Feature = (&'static str, fn(&Scenario) -> bool);
    let features: [Feature; 12] = [
        ("messages", |s| s.has(Budget::Messages)),
        ("interrupts", |s| s.has(Budget::Interrupts)),
        ("pauses", |s| s.has(Budget::Pauses)),
        ("wrap-ups", |s| s.has(Budget::WrapUps)),
        ("ends", |s| s.has(Budget::Ends)),
        ("approvals", |s| s.has(Budget::Approvals)),
        ("failures up to the breaker", |s| s.left.of(Budget::Failures) >= 2 && s.breaker == 2),
        ("signs of life", |s| s.has(Budget::Signs)),
        ("answers about progress", |s| s.progress),
        ("reports", |s| s.has(Budget::Reports)),
        ("a subtask", |s| s.has(Budget::Updates)),
        ("a crash", |s| s.has(Budget::Crashes)),
    ];
    let scenarios = || interrupt::kernel::SCENARIOS.iter().chain(health::kernel::SCENARIOS);
    for (a, has_a) in features {
        for (b, has_b) in features {
            let together = scenarios().any(|(_, _, scenario)| has_a(scenario) && has_b(scenario));
            assert!(together, "no scenario has {a} and {b}");
        }
    }
}

/// Whether it takes a budget to come by an edge, which no model of a worker has: only who is held by one can be held by a
/// person beside.
fn is_of_a_budget(edge: &str) -> bool {
    let held_twice = ["Held x InterruptRequested", "Held x PauseRequested"];
    edge.contains("Budget") || held_twice.contains(&edge)
}

/// Everything holds, and together the variants with the kernel's worker take every kind of action and every edge of its
/// machine that there is.
#[test]
fn kernel_is_as_expected_and_takes_every_kind_of_action_and_every_edge() {
    let registry = registry();
    let mut counts = Vec::new();
    let mut untaken: Option<BTreeSet<String>> = None;
    let edges: BTreeSet<_> = edges_of_the_page().into_iter().filter(|edge| !is_of_a_budget(edge)).collect();
    let of_kernel = |variant: &&Variant| MODELS.contains(&variant.model()) && variant.name() != "as-is";
    for variant in registry.variants().filter(of_kernel) {
        let run = check(variant, &[], None);
        for property in run.evaluated() {
            assert!(property.is_as_expected(), "{variant} {}: {}", property.found.id, property.found.verdict);
        }
        let coverage = &run.report.coverage;
        assert_eq!(coverage.marks.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>(), edges);
        let kinds = coverage.kinds.iter().map(|(name, steps)| (String::from(*name), *steps));
        let never = kinds.chain(coverage.marks.iter().cloned()).filter(|(_, steps)| *steps == 0);
        let never = never.map(|(name, _)| name).collect();
        untaken = Some(untaken.map_or_else(|| BTreeSet::clone(&never), |known| &known & &never));
        let (distinct, depth) = (run.report.distinct, run.report.depth);
        counts.push(format!("{:<34}{distinct:>9} states, depth {depth}", variant.to_string()));
    }
    assert_eq!(untaken.into_iter().flatten().collect::<Vec<_>>(), UNTAKEN);
    insta::assert_snapshot!("kernel-state-counts", counts.join("\n"));
}

/// What a command of a page checks: `downbeat check health@as-is --property L3 --bound deaf=0`.
struct Command<'a> {
    subject: (&'a str, &'a str),
    property: Option<&'a str>,
    bounds: Vec<(&'a str, u64)>,
}

impl<'a> Command<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let words = line.strip_prefix("`downbeat check ")?.strip_suffix('`')?;
        let mut words = words.split(' ');
        let subject = words.next()?.split_once('@')?;
        let mut command = Self { subject, property: None, bounds: Vec::new() };
        while let Some(option) = words.next() {
            let value = words.next().expect("an option has a value");
            match option {
                "--property" => command.property = Some(value),
                "--bound" => {
                    let (name, value) = value.split_once('=').expect("a bound has a value");
                    command.bounds.push((name, value.parse().expect("a bound is a number")));
                }
                _ => panic!("{option} in {line}"),
            }
        }
        Some(command)
    }

    fn output(&self) -> String {
        let registry = registry();
        let (model, variant) = self.subject;
        let variant = registry.variant(model, variant).expect("a variant");
        diagrams(&check(variant, &self.bounds, self.property))
    }
}

/// The page with the output of each of its commands in the block below it.
fn rewritten(page: &str) -> String {
    let mut lines = page.lines().peekable();
    let mut written = String::new();
    while let Some(line) = lines.next() {
        written.push_str(line);
        written.push('\n');
        let Some(command) = Command::parse(line) else { continue };
        assert_eq!((lines.next(), lines.next()), (Some(""), Some("```text")), "a block follows {line}");
        lines.by_ref().find(|line| *line == "```").expect("the block ends");
        let output = command.output();
        let output: Vec<&str> = output.lines().map(str::trim_end).collect();
        written.extend(["\n```text\n", output.join("\n").trim_end(), "\n```\n"]);
    }
    written
}

/// `UPDATE_DOCS=1` writes the pages.
#[test]
fn each_diagram_of_the_pages_is_what_its_command_shows() {
    for model in MODELS {
        let path = PathBuf::from(format!("{}/../docs/races/{model}.md", env!("CARGO_MANIFEST_DIR")));
        let page = fs::read_to_string(&path).expect("the page is there");
        let rewritten = rewritten(&page);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &rewritten).expect("the page can be written");
        } else {
            assert!(page == rewritten, "docs/races/{model}.md: UPDATE_DOCS=1 cargo test -p downbeat-models");
        }
    }
}
