//! The generated parts of a page: the diagram of the states and the table of what each event does in each. Both are what
//! the machine was seen to do, not what somebody meant.

use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::fs;
use std::string::String;
use std::vec::Vec;

/// Source, event, target.
pub(super) type Edges = BTreeSet<(&'static str, &'static str, &'static str)>;

/// What a machine did, over its whole enumeration.
#[derive(Default)]
pub(super) struct Observed {
    pub(super) edges: Edges,
    outcomes: BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>>,
}

/// The boxes of a diagram, each with the leaves in it. A box of one leaf is that leaf.
type Boxes<'b> = [(&'b str, &'b [&'b str])];

/// Where what is forgotten goes.
pub(super) const OUTSIDE: &str = "[*]";

impl Observed {
    pub(super) fn applied(&mut self, from: &'static str, kind: &'static str, to: &'static str) {
        self.edges.insert((from, kind, to));
        self.refused(from, kind, "Applied");
    }

    pub(super) fn refused(&mut self, from: &'static str, kind: &'static str, outcome: &'static str) {
        self.outcomes.entry((kind, from)).or_default().insert(outcome);
    }

    pub(super) fn diagram(&self, initial: &str, boxes: &Boxes<'_>, kinds: &[&str]) -> String {
        let mut lines = Vec::from(["```mermaid".into(), "stateDiagram-v2".into()]);
        lines.push(format!("    [*] --> {}", id(initial)));
        for (name, leaves) in boxes.iter().filter(|(_, leaves)| leaves.len() > 1) {
            lines.push(format!("    state \"{name}\" as Box{name} {{"));
            lines.extend(leaves.iter().map(|leaf| format!("        state \"{leaf}\" as {}", id(leaf))));
            lines.push("    }".into());
        }
        // An edge that leaves its state where it is says nothing in a picture; the table has it.
        let moves = self.edges.iter().copied().filter(|(from, _, to)| from != to).collect();
        lines.extend(arrows(&moves, kinds));
        lines.push("```".into());
        lines.join("\n")
    }

    fn table(&self, boxes: &Boxes<'_>, kinds: &[&str]) -> String {
        let mut lines = Vec::from(["| event | outcome | in |".into(), "|---|---|---|".into()]);
        for kind in kinds {
            // In the order of the states, so that the outcome of the earliest comes first.
            let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
            for leaf in boxes.iter().flat_map(|(_, leaves)| leaves.iter().copied()) {
                let seen = self.outcomes.iter().find(|((by, from), _)| by == kind && *from == leaf);
                let Some((_, outcomes)) = seen else { continue };
                let outcomes: Vec<&str> = outcomes.iter().copied().collect();
                let outcomes = format!("`{}`", outcomes.join("`, `"));
                match groups.iter_mut().find(|(same, _)| *same == outcomes) {
                    Some((_, found)) => found.push(leaf),
                    None => groups.push((outcomes, Vec::from([leaf]))),
                }
            }
            for (outcomes, found) in groups {
                lines.push(format!("| `{kind}` | {outcomes} | {} |", boxed(&found, boxes)));
            }
        }
        lines.join("\n")
    }

    /// Compares the page with this diagram and the table of what was seen, or writes it anew.
    pub(super) fn assert_page(&self, name: &str, diagram: &str, boxes: &Boxes<'_>, kinds: &[&str]) {
        keep(name, |page| {
            let today = with_part(page, "diagram", diagram);
            with_part(&today, "table", &self.table(boxes, kinds))
        });
    }
}

/// Compares a part of a page with this text, or writes it anew.
pub(super) fn assert_part(name: &str, part: &str, text: &str) {
    keep(name, |page| with_part(page, part, text));
}

/// Compares a page with what is made of it today, or writes it anew.
fn keep(name: &str, made: impl FnOnce(&str) -> String) {
    let path = format!("{}/../docs/{name}.md", env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(&path).expect("the page is there");
    let today = made(&page);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|set| set == "1") {
        fs::write(&path, today).expect("the page can be written");
        return;
    }
    let different = page.lines().zip(today.lines()).find(|(is, ought)| is != ought);
    assert!(
        page == today,
        "docs/{name}.md is not what the machine does, first at {different:?}; to write it anew: UPDATE_DOCS=1 \
         cargo test -p downbeat-kernel page_of_{}",
        name.replace('-', "_")
    );
}

/// The arrows of a diagram, each with the events that take it.
pub(super) fn arrows(edges: &Edges, kinds: &[&str]) -> Vec<String> {
    let mut labels: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for kind in kinds {
        for (from, _, to) in edges.iter().filter(|(_, by, _)| by == kind) {
            labels.entry((from, to)).or_default().push(kind);
        }
    }
    let arrow = |((from, to), kinds): ((&str, &str), Vec<&str>)| {
        format!("    {} --> {} : {}", id(from), id(to), kinds.join(", "))
    };
    labels.into_iter().map(arrow).collect()
}

/// A leaf as a diagram can name it.
pub(super) fn id(leaf: &str) -> String {
    if leaf == OUTSIDE { leaf.into() } else { leaf.replace(['(', ')'], "") }
}

/// The leaves, with the name of the box instead where all or most of it is there.
fn boxed(found: &[&str], boxes: &Boxes<'_>) -> String {
    let mut names = Vec::new();
    for (name, leaves) in boxes {
        let (in_it, not): (Vec<&str>, Vec<&str>) = leaves.iter().partition(|leaf| found.contains(leaf));
        if not.is_empty() && leaves.len() > 1 {
            names.push(format!("every {name}"));
        } else if !not.is_empty() && in_it.len() > 2 * not.len() {
            names.push(format!("every {name} but {}", not.join(" and ")));
        } else {
            names.extend(in_it.into_iter().map(String::from));
        }
    }
    names.join("; ")
}

/// The page with the text between its markers replaced.
fn with_part(page: &str, part: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- generated: {part} -->\n"), format!("<!-- end of {part} -->"));
    let (before, rest) = page.split_once(&begin).expect("the page has the marker");
    let (_, after) = rest.split_once(&end).expect("the page has the end marker");
    format!("{before}{begin}{text}\n{end}{after}")
}
