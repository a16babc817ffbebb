//! How tasks come to remote agents and are taken back: verdicts, state counts, counterexamples, and what the page tells.

use std::collections::{BTreeMap, HashSet};
use std::fs;

use downbeat_models::remote_agents::as_is::AsIs;
use downbeat_models::remote_agents::ledger::{Breach, End, Ledger};
use downbeat_models::remote_agents::pool_variants as variants;
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Run, Settings, Variant, run};
use downbeat_sim::model::Model;
use downbeat_sim::report::Verdict;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/races/remote-agents.md");

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
        counts.push(format!("{:<24}{distinct:>8} states, depth {depth}", variant.name()));
        assert!(distinct < STATES_MAX, "{counts:?}");
    }
    insta::assert_snapshot!("state-counts", counts.join("\n"));
}

#[test]
fn every_kind_of_action_is_taken_in_one_variant_or_another() {
    for system in ["as-is", "kernel-pool"] {
        let mut taken: BTreeMap<&str, u64> = BTreeMap::new();
        for variant in variants().iter().filter(|variant| variant.name().starts_with(system)) {
            // Which steps there are shows without a look at any property but one.
            for (kind, steps) in check(variant, &[], Some("S7")).report.coverage.kinds {
                *taken.entry(kind).or_default() += steps;
            }
        }
        let never: Vec<&str> =
            taken.into_iter().filter(|(_, steps)| *steps == 0).map(|(kind, _)| kind).collect();
        assert_eq!(never, Vec::<&str>::new(), "of {system}");
    }
}

/// A race, the variant that has it, and what is broken then.
type Race = (&'static str, &'static str, fn(Breach) -> bool);

/// Whether a step of a variant somewhere breaks a promise like this.
fn breaks(name: &str, is_it: fn(Breach) -> bool) -> bool {
    let system = AsIs::new(&variant(name).default_bounds());
    let has = |ledger: &Ledger| ledger.breaches().any(is_it);
    let mut frontier = system.initial();
    let mut states: HashSet<_> = frontier.iter().copied().collect();
    let mut found = false;
    while let Some(state) = frontier.pop() {
        system.steps(&state, &mut Vec::new(), |_, next| {
            found |= has(&next.ledger);
            if states.insert(next) {
                frontier.push(next);
            }
        });
        if found {
            return true;
        }
    }
    false
}

/// A shortest counterexample shows one way in which a property breaks; these are the others, by the rows of the page.
#[test]
fn each_race_of_the_design_comes_out() {
    let cases: [Race; 13] = [
        ("double assignment", "as-is", |breach| matches!(breach, Breach::TwoAgents(..))),
        ("cancel against complete", "as-is-cancel", |breach| {
            matches!(breach, Breach::Contradicted(_, [End::Completed, End::Cancelled]))
        }),
        ("complete against cancel", "as-is-cancel", |breach| {
            matches!(breach, Breach::Contradicted(_, [End::Cancelled, End::Completed]))
        }),
        ("cancel of an unassigned task", "as-is", |breach| matches!(breach, Breach::StartedAfterEnd(_))),
        ("a replaced agent writes", "as-is", |breach| matches!(breach, Breach::OldWrite(_))),
        ("a replaced task has two agents", "as-is", |breach| matches!(breach, Breach::SecondResult(_))),
        ("release against assign", "as-is-two", |breach| matches!(breach, Breach::Freed(..))),
        ("release before cleaning", "as-is-two", |breach| matches!(breach, Breach::Traces(..))),
        ("scale-down against assign", "as-is", |breach| matches!(breach, Breach::GoneAgent(..))),
        ("quota overshoot", "as-is-requests", |breach| matches!(breach, Breach::Overdrawn(_))),
        ("a late answer", "as-is-questions", |breach| matches!(breach, Breach::CrossedAnswer(..))),
        ("late status", "as-is-two", |breach| matches!(breach, Breach::MovedAfterEnd(_, End::Completed))),
        ("ambiguous retry", "as-is-retries", |breach| matches!(breach, Breach::SecondResult(_))),
    ];
    for (race, name, is_it) in cases {
        assert!(breaks(name, is_it), "{race} does not come out of {name}");
    }
}

/// What may go wrong, as the page names it, and the bound that allows it.
const TROUBLES: [(&str, &str); 9] = [
    ("nothing", "troubles"),
    ("a message is lost", "losses"),
    ("a message arrives twice", "duplicates"),
    ("a process crashes", "crashes"),
    ("the user cancels", "cancels"),
    ("an agent dies", "deaths"),
    ("an agent is taken for dead", "suspicions"),
    ("an idle agent is removed", "removals"),
    ("the manager is asked again", "retries"),
];

/// The ids of what is violated where nothing but this goes wrong, once.
fn violated(trouble: &str, orchestrators: u64) -> String {
    let quiet = TROUBLES.iter().map(|(_, bound)| *bound).filter(|bound| *bound != "troubles");
    let bounds = quiet.map(|bound| (bound, u64::from(bound == trouble)));
    let bounds: Vec<(&str, u64)> = bounds.chain([("orchestrators", orchestrators)]).collect();
    let run = check(&variant("as-is"), &bounds, None);
    let violated = run.report.properties.iter().filter(|property| property.verdict == Verdict::Violated);
    let ids: Vec<&str> = violated.map(|property| property.id).collect();
    if ids.is_empty() { "nothing".to_owned() } else { ids.join(", ") }
}

fn troubles_table() -> String {
    let header = ["| what goes wrong, once | one orchestrator | two |", "|---|---|---|"].map(str::to_owned);
    let rows =
        TROUBLES.map(|(name, bound)| format!("| {name} | {} | {} |", violated(bound, 1), violated(bound, 2)));
    header.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// What a command of the page shows: `downbeat check remote-agents@as-is --property S20 --bound crashes=0`.
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
    let page = fs::read_to_string(PAGE).expect("docs/races/remote-agents.md is there");
    let of_today = rewritten(&page);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|set| set == "1") {
        fs::write(PAGE, of_today).expect("docs/races/remote-agents.md can be written");
        return;
    }
    let different = page.lines().zip(of_today.lines()).find(|(is, ought)| is != ought);
    assert!(
        page == of_today,
        "docs/races/remote-agents.md is not what the checker finds, first at {different:?}; to write it anew: \
         UPDATE_DOCS=1 cargo test -p downbeat-models --test remote_pool page_of_the_race"
    );
}
