//! The generated parts of the pages of a worker and its health: what each machine was seen to do.

use super::page::with_part;
use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::fs;
use std::string::String;
use std::vec::Vec;

/// What a machine did, over its whole enumeration.
#[derive(Default)]
pub(super) struct Observed {
    /// Source, target, event.
    edges: BTreeSet<(&'static str, &'static str, &'static str)>,
    outcomes: BTreeMap<(&'static str, &'static str), BTreeSet<&'static str>>,
}

type Boxes<'b> = [(&'b str, &'b [&'b str])];

impl Observed {
    pub(super) fn applied(&mut self, from: &'static str, kind: &'static str, to: &'static str) {
        self.edges.insert((from, to, kind));
        self.refused(from, kind, "Applied");
    }

    pub(super) fn refused(&mut self, from: &'static str, kind: &'static str, outcome: &'static str) {
        self.outcomes.entry((kind, from)).or_default().insert(outcome);
    }

    fn diagram(&self, initial: &str, boxes: &Boxes<'_>, kinds: &[&str]) -> String {
        let mut lines = Vec::from(["```mermaid".into(), "stateDiagram-v2".into()]);
        lines.push(format!("    [*] --> {}", id(initial)));
        for (name, leaves) in boxes.iter().filter(|(_, leaves)| leaves.len() > 1) {
            lines.push(format!("    state \"{name}\" as Box{name} {{"));
            lines.extend(leaves.iter().map(|leaf| format!("        state \"{leaf}\" as {}", id(leaf))));
            lines.push("    }".into());
        }
        // An edge that leaves its state where it is says nothing in a picture; the table has it.
        let mut labels: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for kind in kinds {
            for (from, to, _) in self.edges.iter().filter(|(from, to, by)| by == kind && from != to) {
                labels.entry((from, to)).or_default().push(kind);
            }
        }
        for ((from, to), kinds) in labels {
            lines.push(format!("    {} --> {} : {}", id(from), id(to), kinds.join(", ")));
        }
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
                let (_, outcomes) = seen.unwrap_or_else(|| panic!("{kind} never met {leaf}"));
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

    /// Compares the page with what was seen, or writes it anew.
    pub(super) fn assert_page(&self, name: &str, initial: &str, boxes: &Boxes<'_>, kinds: &[&str]) {
        let path = format!("{}/../docs/{name}.md", env!("CARGO_MANIFEST_DIR"));
        let page = fs::read_to_string(&path).expect("the page is there");
        let today = with_part(&page, "diagram", &self.diagram(initial, boxes, kinds));
        let today = with_part(&today, "table", &self.table(boxes, kinds));
        if std::env::var_os("UPDATE_DOCS").is_some_and(|set| set == "1") {
            fs::write(&path, today).expect("the page can be written");
            return;
        }
        let different = page.lines().zip(today.lines()).find(|(is, ought)| is != ought);
        assert!(
            page == today,
            "docs/{name}.md is not what the machine does, first at {different:?}; to write it anew: UPDATE_DOCS=1 \
             cargo test -p downbeat-kernel page_of_{name}"
        );
    }
}

fn id(leaf: &str) -> String {
    leaf.replace(['(', ')'], "")
}

/// The leaves, with the name of the box instead where all of it is there.
fn boxed(found: &[&str], boxes: &Boxes<'_>) -> String {
    let mut names = Vec::new();
    for (name, leaves) in boxes {
        let in_it: Vec<&str> = leaves.iter().copied().filter(|leaf| found.contains(leaf)).collect();
        if in_it.len() == leaves.len() && leaves.len() > 1 {
            names.push(format!("every {name}"));
        } else {
            names.extend(in_it.into_iter().map(String::from));
        }
    }
    names.join("; ")
}
