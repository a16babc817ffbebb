//! Credentials: verdicts, state counts, counterexamples, and what the page tells.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use downbeat_models::token_refresh::variants;
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Run, Settings, Variant, run};
use downbeat_sim::report::Verdict;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/races/token-refresh.md");

/// What a variant may have, so that all of them are checked in seconds.
const STATES_MAX: usize = 400_000;

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
        counts.push(format!("{:<24}{distinct:>8} states, depth {depth}, never: {never:?}", variant.name()));
        assert!(distinct < STATES_MAX, "{counts:?}");
    }
    insta::assert_snapshot!("state-counts", counts.join("\n"));
}

/// What the kernel's variants never do: they are their assumptions, and what follows from a broken one.
const NEVER: [&str; 3] = ["end claim early", "forgive", "crash losing"];

#[test]
fn kernel_takes_each_edge_and_each_kind_of_action() {
    let variants = variants();
    let mut steps: BTreeMap<String, u64> = BTreeMap::new();
    for variant in variants.iter().filter(|variant| variant.name().starts_with("kernel")) {
        let report = check(variant, &[], None).report;
        let kinds = report.coverage.kinds.into_iter().map(|(kind, taken)| (kind.to_owned(), taken));
        for (name, taken) in report.coverage.marks.into_iter().chain(kinds) {
            *steps.entry(name).or_default() += taken;
        }
    }
    let never: Vec<&str> =
        steps.iter().filter(|(_, taken)| **taken == 0).map(|(name, _)| name.as_str()).collect();
    assert_eq!(BTreeSet::from_iter(never), BTreeSet::from(NEVER));
    // The edges of the credential, and the kinds of what may happen.
    assert_eq!(steps.len(), 37 + 27);
}

/// Bounds that are set.
type Bounds = &'static [(&'static str, u64)];

/// What may happen, as the page names it: the bounds of the clients that leave nothing else, those of the kernel's variant that do,
/// and of these the ones that take A10 and A12 away where the row lets a grant be lost.
const SETTINGS: [(&str, Bounds, Bounds, Bounds); 7] = [
    ("one handler", &[("windows", 1), ("handlers", 1), ("troubles", 0)], &[], &[]),
    (
        "an access token is refused early",
        &[("crashes", 0), ("losses", 0), ("failures", 0)],
        &[("refusals", 1)],
        &[],
    ),
    (
        "a crash",
        &[("refusals", 0), ("losses", 0), ("failures", 0)],
        &[("crashes", 1)],
        &[("unheard", 1), ("texts", 1)],
    ),
    ("an answer is lost", &[("refusals", 0), ("crashes", 0), ("failures", 0)], &[], &[("unheard", 1)]),
    ("a write fails", &[("refusals", 0), ("crashes", 0), ("losses", 0)], &[], &[]),
    ("two windows", &[("windows", 2), ("troubles", 0)], &[("windows", 2)], &[]),
    (
        "two windows, three requests, no grace",
        &[("windows", 2), ("troubles", 0), ("requests", 3), ("grace", 0)],
        &[("windows", 2), ("requests", 3), ("grace", 0)],
        &[],
    ),
];

/// The bounds of every row that says nothing else.
const USUAL: [(&str, u64); 8] = [
    ("windows", 1),
    ("handlers", 1),
    ("requests", 2),
    ("troubles", 1),
    ("refusals", 1),
    ("crashes", 1),
    ("losses", 1),
    ("failures", 1),
];

/// The same for the kernel's variant, in whose world a write may fail at any time. A server forgives what it likes.
const USUAL_OF_KERNEL: [(&str, u64); 6] =
    [("windows", 1), ("requests", 2), ("waits", 1), ("refusals", 0), ("crashes", 0), ("grace", 1)];

const CLIENTS: [&str; 4] = ["gemini", "qwen", "codex", "global-single-flight"];

/// The ids of what is violated within some bounds, and those of every row where they are silent.
fn violated(name: &str, usual: &[(&str, u64)], bounds: &[(&str, u64)]) -> String {
    let usual = usual.iter().filter(|(usual, _)| bounds.iter().all(|(name, _)| name != usual));
    let bounds: Vec<(&str, u64)> = usual.chain(bounds).copied().collect();
    ids_of_violated(&check(&variant(name), &bounds, None))
}

fn ids_of_violated(run: &Run) -> String {
    let violated = run.report.properties.iter().filter(|property| property.verdict == Verdict::Violated);
    let ids: Vec<&str> = violated.map(|property| property.id).collect();
    if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") }
}

fn settings_table() -> String {
    let clients = CLIENTS.join("` | `");
    let header = [
        format!("| what happens | `{clients}` | `kernel` | without A10 and A12 |"),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    let rows = SETTINGS.map(|(name, bounds, of_kernel, freed)| {
        let clients = CLIENTS.map(|client| violated(client, &USUAL, bounds));
        let kernels = [&[], freed]
            .map(|freed: &[_]| violated("kernel", &USUAL_OF_KERNEL, &[of_kernel, freed].concat()));
        format!("| {name} | {} | {} |", clients.join(" | "), kernels.join(" | "))
    });
    header.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// What the kernel's credential rests on, as the page names it, and the bound that takes it away.
const ASSUMPTIONS: [(&str, &[(&str, u64)]); 4] = [
    ("nothing", &[]),
    ("a refresh is granted, and nobody hears of it", &[("unheard", 1)]),
    ("a claim ends before what it is for is stored", &[("early", 1)]),
    ("a crash loses the new credential before it is stored", &[("texts", 1)]),
];

/// The bounds of every row of that table.
const OF_ASSUMPTIONS: [(&str, u64); 5] =
    [("requests", 2), ("waits", 1), ("refusals", 0), ("crashes", 1), ("grace", 1)];

fn assumptions_table() -> String {
    let header = ["| what is let happen | `kernel` | `kernel-two` |", "|---|---|---|"].map(str::to_owned);
    let rows = ASSUMPTIONS.map(|(name, bounds)| {
        let bounds = [&OF_ASSUMPTIONS[..], bounds].concat();
        let cells =
            ["kernel", "kernel-two"].map(|kernel| ids_of_violated(&check(&variant(kernel), &bounds, None)));
        format!("| {name} | {} |", cells.join(" | "))
    });
    header.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// What a command of the page shows: `downbeat check token-refresh@codex --property S16 --bound crashes=0`.
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

/// The page with the text between its markers replaced.
fn with_part(page: &str, part: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- generated: {part} -->\n"), format!("\n<!-- end of {part} -->"));
    let (before, rest) = page.split_once(&begin).expect("the page has the marker");
    let (_, after) = rest.split_once(&end).expect("the page has the end marker");
    [before, &begin, text, &end, after].concat()
}

/// The page with the output of each of its commands in the block below it, and its tables.
fn rewritten(page: &str) -> String {
    let page = with_part(page, "settings", &settings_table());
    let page = with_part(&page, "assumptions", &assumptions_table());
    let mut lines = page.lines();
    let mut written = String::new();
    while let Some(line) = lines.next() {
        written.extend([line, "\n"]);
        let command =
            line.strip_prefix("`downbeat check token-refresh@").and_then(|rest| rest.strip_suffix('`'));
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
    let page = fs::read_to_string(PAGE).expect("docs/races/token-refresh.md is there");
    let of_today = rewritten(&page);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|set| set == "1") {
        fs::write(PAGE, of_today).expect("docs/races/token-refresh.md can be written");
        return;
    }
    let different = page.lines().zip(of_today.lines()).find(|(is, ought)| is != ought);
    assert!(
        page == of_today,
        "docs/races/token-refresh.md is not what the checker finds, first at {different:?}; to write it anew: \
         UPDATE_DOCS=1 cargo test -p downbeat-models --test token_refresh page_of_the_race"
    );
}
