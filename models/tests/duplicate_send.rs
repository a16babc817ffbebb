//! Sends of one question to a model: verdicts, state counts, counterexamples, and what the page tells.

use std::fs;

use downbeat_models::duplicate_send::kernel::{KernelModel, SCENARIO};
use downbeat_models::duplicate_send::variants;
use downbeat_sim::check::Checker;
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Run, Settings, Variant, run};
use downbeat_sim::report::Verdict;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/races/duplicate-send.md");

/// What a variant may have, so that all of them are checked in seconds.
const STATES_MAX: usize = 1_000_000;

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
        if run.expected_verdict() == Verdict::Violated {
            insta::assert_snapshot!(variant.name(), diagrams(&run));
        }
        let (distinct, depth) = (run.report.distinct, run.report.depth);
        counts.push(format!("{:<24}{distinct:>8} states, depth {depth}", variant.name()));
        assert!(distinct < STATES_MAX, "{counts:?}");
    }
    insta::assert_snapshot!("state-counts", counts.join("\n"));
}

/// The edges of the request, and the kinds of what may happen.
const TAKEN: usize = 44 + 17;

#[test]
fn kernel_takes_each_edge_and_each_kind_of_action() {
    let report = Checker::new(&KernelModel::new(SCENARIO)).check().expect("the model is consistent");
    let kinds = report.coverage.kinds.into_iter().map(|(kind, steps)| (kind.to_owned(), steps));
    let taken: Vec<_> = report.coverage.marks.into_iter().chain(kinds).collect();
    let never: Vec<_> = taken.iter().filter(|(_, steps)| *steps == 0).map(|(name, _)| name).collect();
    assert_eq!(never, [""; 0]);
    assert_eq!(taken.len(), TAKEN);
}

const AS_IS: [&str; 6] = [
    "layered-retries",
    "refresh-retry",
    "continuity-race",
    "failover-without-cancel",
    "repeated-fetch",
    "fallback-path",
];

/// What may go wrong, as the page names it, and the bound that allows it.
const TROUBLES: [(&str, &str); 8] = [
    ("nothing", "troubles"),
    ("429", "throttles"),
    ("401", "refusals"),
    ("400, previous response", "losses"),
    ("503", "outages"),
    ("no first byte in time", "delays"),
    ("an error in the stream", "breaks"),
    ("a cancel, and one 429", "cancels"),
];

/// The ids of what is violated where nothing but this goes wrong, as often as it may.
fn violated(name: &str, trouble: &str) -> String {
    let variant = variant(name);
    let quiet = TROUBLES.iter().map(|(_, bound)| *bound).chain(["keeps", "switches"]);
    let quiet = quiet.filter(|bound| *bound != "troubles").map(|bound| (bound, 0));
    let most = match trouble {
        "troubles" => vec![],
        "cancels" => vec![("cancels", 1), ("throttles", 1)],
        other => vec![(other, 2)],
    };
    let bounds: Vec<(&str, u64)> =
        quiet.filter(|(bound, _)| most.iter().all(|(name, _)| name != bound)).chain(most.clone()).collect();
    let run = check(&variant, &bounds, None);
    let violated = run.report.properties.iter().filter(|property| property.verdict == Verdict::Violated);
    let ids: Vec<&str> = violated.map(|property| property.id).collect();
    if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") }
}

fn troubles_table() -> String {
    let header = [
        format!("| what goes wrong | `{}` |", AS_IS.join("` | `")),
        format!("|{}", "---|".repeat(AS_IS.len() + 1)),
    ];
    let rows = TROUBLES.map(|(name, bound)| {
        let cells = AS_IS.map(|client| violated(client, bound));
        format!("| {name} | {} |", cells.join(" | "))
    });
    header.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// Without a lost response this handler sends no more often than its task tries.
#[test]
fn continuity_alone_exceeds_the_budget_of_who_continues() {
    let variant = variant("continuity-race");
    for (losses, expected) in [(2, Verdict::Violated), (0, Verdict::Holds)] {
        let run = check(&variant, &[("losses", losses)], Some("S2"));
        assert_eq!(run.report.properties[0].verdict, expected, "losses={losses}");
    }
}

/// What a command of the page shows: `downbeat check duplicate-send@fallback-path --property S18 --bound cancels=0`.
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

/// The page with the output of each of its commands in the block below it, and its table.
fn rewritten(page: &str) -> String {
    let (begin, end) = ("<!-- generated: troubles -->\n", "\n<!-- end of troubles -->");
    let (before, rest) = page.split_once(begin).expect("the page has the marker");
    let (_, after) = rest.split_once(end).expect("the page has the end marker");
    let page = [before, begin, &troubles_table(), end, after].concat();
    let mut lines = page.lines();
    let mut written = String::new();
    while let Some(line) = lines.next() {
        written.extend([line, "\n"]);
        let command =
            line.strip_prefix("`downbeat check duplicate-send@").and_then(|rest| rest.strip_suffix('`'));
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
    let page = fs::read_to_string(PAGE).expect("docs/races/duplicate-send.md is there");
    let of_today = rewritten(&page);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|set| set == "1") {
        fs::write(PAGE, of_today).expect("docs/races/duplicate-send.md can be written");
        return;
    }
    let different = page.lines().zip(of_today.lines()).find(|(is, ought)| is != ought);
    assert!(
        page == of_today,
        "docs/races/duplicate-send.md is not what the checker finds, first at {different:?}; to write it anew: \
         UPDATE_DOCS=1 cargo test -p downbeat-models --test duplicate_send page_of_the_race"
    );
}
