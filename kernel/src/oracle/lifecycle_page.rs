//! What is generated of `docs/task-lifecycle.md`: a diagram whose boxes have edges of their own.

use super::page::{Edges, OUTSIDE, Observed, arrows, id};
use super::situations::{Responses, situations, small};
use super::twin::No;
use super::{KINDS, kind, leaf, machine};
use crate::lifecycle::{Follow, Refusal};
use crate::vocabulary::Ignored;
use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::string::String;
use std::vec::Vec;

/// The boxes of the diagram, outer ones first, each with the leaves in it.
const BOXES: [(&str, &[&str]); 6] = [
    (
        "Live",
        &[
            "Queued",
            "Initializing",
            "Requesting",
            "ExecutingTools",
            "AwaitingSubtask",
            "AwaitingInput",
            "AwaitingBudget",
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
    ("InProgress", &["Requesting", "ExecutingTools"]),
];

/// The boxes that no other one is around.
const OUTER: usize = 5;

fn observe() -> Observed {
    let responses = Responses::new();
    let mut observed = Observed::default();
    for at in situations(small()) {
        let source = leaf(at.state);
        for event in at.events(&responses) {
            match machine(&at, &event) {
                Ok(after) => {
                    let gone = after.follows.iter().any(|follow| matches!(follow, Follow::Forget { .. }));
                    observed.applied(source, kind(&event), if gone { OUTSIDE } else { leaf(after.state) });
                }
                Err(no) => observed.refused(source, kind(&event), outcome(no)),
            }
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
        No::Because(Refusal::Request(_)) => "Rejected(Request)",
        No::Because(Refusal::Worker(_)) => "Rejected(Worker)",
        No::Because(Refusal::NotForShell) => "Rejected(NotForShell)",
        No::Because(Refusal::Subtask { .. }) => "Rejected(Subtask)",
        No::Because(Refusal::NotARoot { .. }) => "Rejected(NotARoot)",
        No::Because(Refusal::BillGap { .. }) => "Rejected(BillGap)",
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
    lines.extend(arrows(&edges, &KINDS));
    lines.push("```".into());
    lines.push(String::new());
    lines.push("Not drawn, because these events leave every state of the box as it is:".into());
    lines.push(String::new());
    lines.extend(staying.iter().map(|(name, kinds)| format!("- {name}: `{}`", kinds.join("`, `"))));
    lines.join("\n")
}

#[test]
fn page_of_task_lifecycle_shows_what_the_machine_does() {
    let observed = observe();
    observed.assert_page("task-lifecycle", &diagram(&observed), &BOXES[..OUTER], &KINDS);
}

#[test]
fn edges_are_where_the_machine_applies_an_event() {
    let applied: BTreeSet<_> = observe().edges.into_iter().map(|(from, by, _)| (by, from)).collect();
    let listed = crate::EDGES.iter().flat_map(|(by, states)| states.iter().map(move |from| (*by, *from)));
    assert_eq!(listed.clone().count(), applied.len(), "an edge is listed twice, or is missing");
    assert_eq!(listed.collect::<BTreeSet<_>>(), applied);
}
