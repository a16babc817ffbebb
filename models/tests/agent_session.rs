//! The agent session: verdicts, counterexamples, the known outcomes after an abort, and what the page tells.

use std::collections::{BTreeSet, HashSet};
use std::fs;

use downbeat_models::agent_session::Version;
use downbeat_models::agent_session::as_is::AsIs;
use downbeat_models::agent_session::kernel::{KernelModel, SCENARIO};
use downbeat_models::agent_session::ledger::{Ledger, Outcome, Stray};
use downbeat_models::agent_session::state::{Action, Left, State};
use downbeat_models::agent_session::variants;
use downbeat_sim::check::Checker;
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Run, Settings, Variant, run};
use downbeat_sim::model::Model;
use downbeat_sim::report::Verdict;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/races/agent-session.md");

const VERSIONS: [(Version, &str); 4] =
    [(Version::V0, "v0"), (Version::V1, "v1"), (Version::V2, "v2"), (Version::V3, "v3")];

const IDS: [&str; 6] = ["S10", "S11", "S12", "S13", "deadlock", "settles"];

fn variant(name: &str) -> Variant {
    let found = variants().into_iter().find(|variant| variant.name() == name);
    found.unwrap_or_else(|| panic!("no variant is named {name}"))
}

fn check(variant: &Variant, changes: &[(&str, u64)]) -> Run {
    let bounds = variant.bounds_with(changes.iter().copied()).expect("the variant has these bounds");
    run(variant, &bounds, &Settings::default()).expect("the model is consistent")
}

/// The ids of what is violated.
fn violated(run: &Run) -> Vec<&'static str> {
    let violated = run.report.properties.iter().filter(|property| property.verdict == Verdict::Violated);
    violated.map(|property| property.id).collect()
}

fn diagram_of(run: &Run, id: &str) -> String {
    let found =
        run.report.property(id).and_then(|property| Some((property.name, property.counterexample.as_ref()?)));
    let (name, counterexample) = found.unwrap_or_else(|| panic!("{id} has no counterexample"));
    let id = IDS.into_iter().find(|known| *known == id).expect("a property of the model");
    diagram::text(id, name, counterexample, Style::Plain)
}

#[test]
fn every_variant_is_as_expected_and_its_counterexamples_read_as_before() {
    let mut counts = Vec::new();
    for variant in variants() {
        let found = check(&variant, &[]);
        for property in found.evaluated() {
            assert!(property.is_as_expected(), "{variant} {}: {}", property.found.id, property.found.verdict);
        }
        let diagrams: Vec<String> = violated(&found).into_iter().map(|id| diagram_of(&found, id)).collect();
        if !diagrams.is_empty() {
            insta::assert_snapshot!(variant.name(), diagrams.join("\n"));
        }
        let (distinct, depth) = (found.report.distinct, found.report.depth);
        counts.push(format!("{:<8}{distinct:>6} states, depth {depth}", variant.name()));
    }
    insta::assert_snapshot!("state-counts", counts.join("\n"));
}

#[test]
fn kernel_takes_each_edge_and_each_kind_of_action() {
    let report = Checker::new(&KernelModel::new(SCENARIO)).check().expect("the model is consistent");
    let kinds = report.coverage.kinds.into_iter().map(|(kind, steps)| (kind.to_owned(), steps));
    let taken: Vec<_> = report.coverage.marks.into_iter().chain(kinds).collect();
    let never: Vec<_> = taken.iter().filter(|(_, steps)| *steps == 0).map(|(name, _)| name).collect();
    assert_eq!(never, [""; 0]);
    // The edges of the session, and the kinds of what may happen.
    assert_eq!(taken.len(), 25 + 19);
}

/// How an iterator ends that was aborted.
#[derive(Clone, Copy, Debug)]
enum Way {
    Throws,
    EndsNormally,
    Never,
}

/// What can still happen after an abort, two more requests, and the end of the first iterator between them: all
/// orders of what the SDK does.
fn outcomes(version: Version, way: Way) -> BTreeSet<[&'static str; 2]> {
    let left = Left { cancels: 0, aborts: 1, failures: 0, exits: 0, late: 0 };
    let model = AsIs { version, requests: 3, callers: 2, early: false, left };
    let end = match way {
        Way::Throws => vec![Action::Throw(0)],
        Way::EndsNormally => vec![Action::End(0)],
        Way::Never => vec![],
    };
    let before =
        [Action::Invoke, Action::QueryReturns(0), Action::Abort, Action::Invoke, Action::QueryReturns(1)];
    let script = before.into_iter().chain(end).chain([Action::Invoke]);
    let state =
        script.fold(model.initial()[0], |state, action| settled(&model, follow(&model, &state, action)));
    let mut outcomes = BTreeSet::new();
    let (mut frontier, mut known) = (vec![state], HashSet::new());
    while let Some(state) = frontier.pop() {
        let next: Vec<State> =
            of_the_sdk(&model, &state).map(|action| follow(&model, &state, action)).collect();
        if next.is_empty() {
            outcomes.insert([1, 2].map(|request| word(&state.ledger, request)));
        }
        frontier.extend(
            next.into_iter().map(|state| settled(&model, state)).filter(|state| known.insert(*state)),
        );
    }
    outcomes
}

/// The state after an action of the script; the same state if there is no start whose `query()` could return.
fn follow(model: &AsIs, state: &State, action: Action) -> State {
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    let is_return = matches!(action, Action::QueryReturns(_));
    if is_return && !actions.contains(&action) {
        return *state;
    }
    assert!(actions.contains(&action), "{action:?} is not enabled");
    model.next(state, &action).expect("it is enabled")
}

/// The state when no microtask is left.
fn settled(model: &AsIs, mut state: State) -> State {
    while let Some(next) = model.next(&state, &Action::Run) {
        state = next;
    }
    state
}

fn of_the_sdk(model: &AsIs, state: &State) -> impl Iterator<Item = Action> {
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    actions.into_iter().filter(|action| matches!(action, Action::QueryReturns(_) | Action::Answer(_)))
}

fn word(ledger: &Ledger, request: u8) -> &'static str {
    match ledger.request(request).outcome() {
        Some(Outcome::Answered) => "ok",
        Some(Outcome::Crossed) => "crossed",
        Some(Outcome::Rejected) => "error",
        None => "hang",
    }
}

#[test]
fn an_interrupt_goes_astray_in_both_ways() {
    let left = Left { cancels: 0, aborts: 1, failures: 0, exits: 0, late: 0 };
    let model = AsIs { version: Version::V3, requests: 3, callers: 2, early: true, left };
    let strays: BTreeSet<bool> = states(&model)
        .filter_map(|state| match state.ledger.stray? {
            Stray::Hit(_) => Some(true),
            Stray::Missed(_) => Some(false),
        })
        .collect();
    assert_eq!(strays, BTreeSet::from([false, true]));
}

/// Every state that can be reached.
fn states(model: &AsIs) -> impl Iterator<Item = State> {
    let mut frontier = model.initial();
    let mut states: HashSet<State> = frontier.iter().copied().collect();
    while let Some(state) = frontier.pop() {
        model.steps(&state, &mut Vec::new(), |_, next| {
            if states.insert(next) {
                frontier.push(next);
            }
        });
    }
    states.into_iter()
}

#[test]
fn abort_then_two_more_invokes_come_to_the_known_outcomes() {
    #[rustfmt::skip]
    let known: [(Version, Way, &[[&str; 2]]); 12] = [
        (Version::V0, Way::Throws,       &[["error", "hang"]]),
        (Version::V1, Way::Throws,       &[["error", "ok"]]),
        // Crossed if the answer to B comes when C is in the queue; before, it completes nobody.
        (Version::V2, Way::Throws,       &[["error", "crossed"], ["error", "ok"]]),
        (Version::V3, Way::Throws,       &[["ok", "ok"]]),
        (Version::V0, Way::EndsNormally, &[["hang", "hang"]]),
        (Version::V1, Way::EndsNormally, &[["hang", "hang"]]),
        (Version::V2, Way::EndsNormally, &[["ok", "ok"]]),
        (Version::V3, Way::EndsNormally, &[["ok", "ok"]]),
        (Version::V0, Way::Never,        &[["hang", "hang"]]),
        (Version::V1, Way::Never,        &[["hang", "hang"]]),
        (Version::V2, Way::Never,        &[["ok", "ok"]]),
        (Version::V3, Way::Never,        &[["ok", "ok"]]),
    ];
    for (version, way, expected) in known {
        assert_eq!(outcomes(version, way), expected.iter().copied().collect(), "{version:?} {way:?}");
    }
}

/// The words of the page for the ways to end.
const WAYS: [(Way, &str); 3] =
    [(Way::Throws, "throws"), (Way::EndsNormally, "ends normally"), (Way::Never, "never ends")];

fn outcomes_table() -> String {
    let header =
        ["| the first iterator | `v0` | `v1` | `v2` | `v3` |".to_owned(), "|---|---|---|---|---|".to_owned()];
    let rows = WAYS.map(|(way, name)| {
        let cells = VERSIONS.map(|(version, _)| {
            let pairs = outcomes(version, way).into_iter().map(|pair| pair.join(", "));
            pairs.collect::<Vec<_>>().join("; or ")
        });
        format!("| {name} | {} |", cells.join(" | "))
    });
    header.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// What may happen, as the page names it, and the bounds that leave nothing else.
const SETTINGS: [(&str, &[(&str, u64)]); 8] = [
    ("one caller; aborts", &[("callers", 1), ("cancels", 0), ("early", 0)]),
    ("one caller; aborts, also during a start", &[("callers", 1), ("cancels", 0)]),
    ("one caller; cancelled tokens", &[("callers", 1), ("aborts", 0), ("early", 0)]),
    ("one caller; cancelled tokens, also during a start", &[("callers", 1), ("aborts", 0)]),
    ("two callers; nobody is stopped", &[("cancels", 0), ("aborts", 0)]),
    ("two callers; cancelled tokens", &[("aborts", 0), ("early", 0)]),
    ("one caller; an agent exits by itself", &[("callers", 1), ("cancels", 0), ("aborts", 0), ("exits", 1)]),
    ("one caller; aborts and a late result", &[("callers", 1), ("cancels", 0), ("early", 0), ("late", 1)]),
];

fn settings_table() -> String {
    let header =
        ["| what happens | `v0` | `v1` | `v2` | `v3` |".to_owned(), "|---|---|---|---|---|".to_owned()];
    let rows = SETTINGS.map(|(name, bounds)| {
        let cells = VERSIONS.map(|(_, version)| {
            let violated = violated(&check(&variant(version), bounds));
            if violated.is_empty() { "nothing".to_owned() } else { violated.join(", ") }
        });
        format!("| {name} | {} |", cells.join(" | "))
    });
    header.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// The page with the text between its markers replaced.
fn with_part(page: &str, part: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- generated: {part} -->\n"), format!("<!-- end of {part} -->"));
    let (before, rest) = page.split_once(&begin).expect("the page has the marker");
    let (_, after) = rest.split_once(&end).expect("the page has the end marker");
    format!("{before}{begin}{text}\n{end}{after}")
}

/// What begins a command for one story of the page.
const COMMAND: &str = "\n`downbeat check agent-session@";

/// What begins the diagram of the command above it.
const DIAGRAM: &str = "`\n\n```text\n";

/// The page with the diagram of each command that has one below it.
fn with_diagrams(page: &str) -> String {
    let mut stories = page.split(COMMAND);
    let mut written = stories.next().unwrap_or_default().to_owned();
    for story in stories {
        let (command, after) = story.split_once('`').expect("a command ends");
        let diagram = diagram_by(command);
        let (head, tail) = match format!("`{after}").strip_prefix(DIAGRAM) {
            Some(shown) => {
                let (_, tail) = shown.split_once("```").expect("a diagram ends");
                ([DIAGRAM, &diagram, "```"].concat(), tail.to_owned())
            }
            None => ("`".to_owned(), after.to_owned()),
        };
        written += &[COMMAND, command, &head, &tail].concat();
    }
    written
}

/// The diagram that a command of the page shows: `v2 --property S11 --bound late=1`.
fn diagram_by(command: &str) -> String {
    let (name, options) = command.split_once(" --property ").expect("a command names a property");
    let mut options = options.split(" --bound ");
    let id = options.next().unwrap_or_default();
    let bounds = options.map(|bound| {
        let (name, value) = bound.split_once('=').expect("a bound has a value");
        (name, value.parse().expect("a bound is a number"))
    });
    let bounds: Vec<(&str, u64)> = bounds.collect();
    diagram_of(&check(&variant(name), &bounds), id)
}

#[test]
fn page_of_the_race_shows_what_the_checker_finds() {
    let page = fs::read_to_string(PAGE).expect("docs/races/agent-session.md is there");
    let of_today = with_part(&page, "outcomes", &outcomes_table());
    let of_today = with_part(&of_today, "settings", &settings_table());
    let of_today = with_diagrams(&of_today);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|set| set == "1") {
        fs::write(PAGE, of_today).expect("docs/races/agent-session.md can be written");
        return;
    }
    let different = page.lines().zip(of_today.lines()).find(|(is, ought)| is != ought);
    assert!(
        page == of_today,
        "docs/races/agent-session.md is not what the checker finds, first at {different:?}; to write it anew: \
         UPDATE_DOCS=1 cargo test -p downbeat-models --test agent_session page_of_the_race"
    );
}
