//! The generated parts of `docs/task-lifecycle.md`: the diagram of the states and the table of what each event
//! does in each. Both are what the machine was seen to do, not what somebody meant.

use super::situations::{Responses, situations, small};
use super::twin::No;
use super::{KINDS, kind, leaf, machine};
use crate::lifecycle::{Follow, Refusal};
use crate::vocabulary::Ignored;
use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::fs;
use std::string::String;
use std::vec::Vec;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/task-lifecycle.md");
const OUTSIDE: &str = "[*]";

/// The boxes of the diagram, outer ones first, each with the leaves in it.
const BOXES: [(&str, &[&str]); 6] = [
    (
        "Live",
        &[
            "Queued",
            "Initializing",
            "Requesting",
            "ExecutingTools",
            "BackingOff",
            "AwaitingSubtask",
            "AwaitingInput",
        ],
    ),
    (
        "Paused",
        &[
            "Paused(Unstarted)",
            "Paused(Queued)",
            "Paused(Admitted)",
            "Paused(Initializing)",
            "Paused(Requesting)",
            "Paused(BackingOff)",
            "Paused(Attempt)",
            "Paused(Turn)",
            "Paused(Calls)",
        ],
    ),
    (
        "Cancelling",
        &["Cancelling(Nothing)", "Cancelling(Initialization)", "Cancelling(Request)", "Cancelling(Worker)"],
    ),
    ("OfWorker", &["Working", "Ending"]),
    ("Ended", &["Completed", "Failed", "Cancelled"]),
    ("InProgress", &["Requesting", "ExecutingTools", "BackingOff"]),
];

/// The boxes that no other one is around.
const OUTER: usize = 5;

/// Source, event, target: leaves at first, boxes where a whole box has the edge.
type Edges = BTreeSet<(&'static str, &'static str, &'static str)>;

/// What the machine did, over the whole enumeration.
#[derive(Default)]
struct Observed {
    edges: Edges,
    outcomes: BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>>,
}

fn observe() -> Observed {
    let responses = Responses::new();
    let mut observed = Observed::default();
    for at in situations(small()) {
        let source = leaf(at.state);
        for event in at.events(&responses) {
            let outcome = match machine(&at, &event) {
                Ok(after) => {
                    let gone = after.follows.iter().any(|follow| matches!(follow, Follow::Forget { .. }));
                    let target = if gone { OUTSIDE } else { leaf(after.state) };
                    observed.edges.insert((source, kind(&event), target));
                    "Applied"
                }
                Err(no) => outcome(no),
            };
            observed.outcomes.entry((kind(&event), source)).or_default().insert(outcome);
        }
    }
    observed
}

fn outcome(no: No) -> &'static str {
    match no {
        No::Edge => "Rejected(NoEdge)",
        No::LeftTrace => "a trace of a refused event",
        No::Because(Refusal::Ignored(Ignored::Stale)) => "Ignored(Stale)",
        No::Because(Refusal::Ignored(Ignored::Duplicate)) => "Ignored(Duplicate)",
        No::Because(Refusal::Ignored(Ignored::Terminal)) => "Ignored(Terminal)",
        No::Because(Refusal::NeverAsked) => "Rejected(NeverAsked)",
        No::Because(Refusal::IdNotFresh { .. }) => "Rejected(IdNotFresh)",
        No::Because(Refusal::MessageGap { .. }) => "Rejected(MessageGap)",
        No::Because(Refusal::QueueFull { .. }) => "Rejected(QueueFull)",
        No::Because(Refusal::TooManyCalls { .. }) => "Rejected(TooManyCalls)",
        No::Because(Refusal::NoCalls { .. }) => "Rejected(NoCalls)",
        No::Because(Refusal::Worker(_)) => "Rejected(Worker)",
        No::Because(Refusal::NotForShell) => "Rejected(NotForShell)",
        No::Because(Refusal::Subtask { .. }) => "Rejected(Subtask)",
    }
}

/// The outermost box of a leaf.
fn home(leaf: &'static str) -> &'static str {
    BOXES.iter().find(|(_, leaves)| leaves.contains(&leaf)).map_or(leaf, |(name, _)| name)
}

/// Moves an edge that every leaf of a box has onto the box. Gives the edges that are left, and for each box the
/// events that leave each of its leaves where it is.
fn factored(mut edges: Edges) -> (Edges, Vec<(&'static str, Vec<&'static str>)>) {
    let mut staying = Vec::new();
    for (name, leaves) in BOXES {
        let mut stays = Vec::new();
        for kind in KINDS {
            let of_box: Edges =
                edges.iter().filter(|(from, by, _)| *by == kind && leaves.contains(from)).copied().collect();
            let all = leaves.iter().all(|leaf| of_box.iter().any(|(from, ..)| from == leaf));
            let outward = of_box.iter().all(|(.., to)| !leaves.contains(to));
            let in_place = of_box.iter().all(|(from, _, to)| from == to);
            if !all || !(outward || in_place) {
                continue;
            }
            edges.retain(|edge| !of_box.contains(edge));
            if in_place {
                stays.push(kind);
                continue;
            }
            let mut targets: BTreeMap<&str, BTreeSet<&'static str>> = BTreeMap::new();
            for (.., to) in &of_box {
                targets.entry(home(to)).or_default().insert(to);
            }
            for leaves in targets.values() {
                let to = match Vec::from_iter(leaves)[..] {
                    [only] => only,
                    ref several => home(several[0]),
                };
                edges.insert((name, kind, to));
            }
        }
        if !stays.is_empty() {
            staying.push((name, stays));
        }
    }
    (edges, staying)
}

fn id(leaf: &str) -> String {
    if leaf == OUTSIDE { leaf.into() } else { leaf.replace(['(', ')'], "") }
}

fn diagram(observed: &Observed) -> String {
    let mut lines = Vec::from([
        "```mermaid".into(),
        "stateDiagram-v2".into(),
        "    [*] --> Queued".into(),
        "    [*] --> PausedUnstarted".into(),
    ]);
    let in_progress = BOXES[OUTER];
    for (name, leaves) in &BOXES[..OUTER] {
        lines.push(format!("    state {name} {{"));
        let mut inner = false;
        for leaf in *leaves {
            if in_progress.1.contains(leaf) {
                if !inner {
                    lines.push(format!("        state {} {{", in_progress.0));
                    lines.extend(in_progress.1.iter().map(|leaf| format!("            {leaf}")));
                    lines.push("        }".into());
                    inner = true;
                }
            } else if let Some((_, held)) = leaf.trim_end_matches(')').split_once('(') {
                lines.push(format!("        state \"{held}\" as {}", id(leaf)));
            } else {
                lines.push(format!("        {leaf}"));
            }
        }
        lines.push("    }".into());
    }
    let (edges, staying) = factored(observed.edges.clone());
    let mut labels: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for kind in KINDS {
        for (from, _, to) in edges.iter().filter(|(_, by, _)| *by == kind) {
            labels.entry((from, to)).or_default().push(kind);
        }
    }
    for ((from, to), kinds) in labels {
        lines.push(format!("    {} --> {} : {}", id(from), id(to), kinds.join(", ")));
    }
    lines.push("```".into());
    lines.push(String::new());
    lines.push("Not drawn, because these events leave every state of the box as it is:".into());
    lines.push(String::new());
    lines.extend(staying.iter().map(|(name, kinds)| format!("- {name}: `{}`", kinds.join("`, `"))));
    lines.join("\n")
}

fn table(observed: &Observed) -> String {
    let mut lines = Vec::from(["| event | outcome | in |".into(), "|---|---|---|".into()]);
    let leaves: Vec<&str> = BOXES[..OUTER].iter().flat_map(|(_, leaves)| leaves.iter().copied()).collect();
    for kind in KINDS {
        // In the order of the states, so that the outcome of the earliest comes first.
        let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
        for leaf in &leaves {
            let outcomes: Vec<&str> = observed.outcomes[&(kind, *leaf)].iter().copied().collect();
            let outcomes = format!("`{}`", outcomes.join("`, `"));
            match groups.iter_mut().find(|(same, _)| *same == outcomes) {
                Some((_, found)) => found.push(leaf),
                None => groups.push((outcomes, Vec::from([*leaf]))),
            }
        }
        for (outcomes, found) in groups {
            lines.push(format!("| `{kind}` | {outcomes} | {} |", boxed(&found)));
        }
    }
    lines.join("\n")
}

/// The leaves, with the name of the box instead where all or most of it is there.
fn boxed(found: &[&str]) -> String {
    let mut names = Vec::new();
    for (name, leaves) in &BOXES[..OUTER] {
        let (in_it, not): (Vec<&str>, Vec<&str>) = leaves.iter().partition(|leaf| found.contains(leaf));
        if not.is_empty() {
            names.push(format!("every {name}"));
        } else if in_it.len() > 2 * not.len() {
            names.push(format!("every {name} but {}", not.join(" and ")));
        } else {
            names.extend(in_it.into_iter().map(String::from));
        }
    }
    names.join("; ")
}

/// The page with the text between its markers replaced.
pub(super) fn with_part(page: &str, part: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- generated: {part} -->\n"), format!("<!-- end of {part} -->"));
    let (before, rest) = page.split_once(&begin).expect("the page has the marker");
    let (_, after) = rest.split_once(&end).expect("the page has the end marker");
    format!("{before}{begin}{text}\n{end}{after}")
}

#[test]
fn page_of_the_lifecycle_shows_what_the_machine_does() {
    let observed = observe();
    let page = fs::read_to_string(PAGE).expect("docs/task-lifecycle.md is there");
    let page_of_today = with_part(&page, "diagram", &diagram(&observed));
    let page_of_today = with_part(&page_of_today, "table", &table(&observed));
    if std::env::var_os("UPDATE_DOCS").is_some_and(|set| set == "1") {
        fs::write(PAGE, page_of_today).expect("docs/task-lifecycle.md can be written");
        return;
    }
    let different = page.lines().zip(page_of_today.lines()).find(|(is, ought)| is != ought);
    assert!(
        page == page_of_today,
        "docs/task-lifecycle.md is not what the machine does, first at {different:?}; to write it anew: \
         UPDATE_DOCS=1 cargo test -p downbeat-kernel page_of_the_lifecycle"
    );
}

#[test]
fn edges_are_where_the_machine_applies_an_event() {
    let applied: BTreeSet<_> = observe().edges.into_iter().map(|(from, by, _)| (by, from)).collect();
    let listed = crate::EDGES.iter().flat_map(|(by, states)| states.iter().map(move |from| (*by, *from)));
    assert_eq!(listed.clone().count(), applied.len(), "an edge is listed twice, or is missing");
    assert_eq!(listed.collect::<BTreeSet<_>>(), applied);
}
