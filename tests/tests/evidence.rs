//! The page of the evidence is made from the models: which variant checks what, within which bounds.
//!
//! `UPDATE_DOCS=1 cargo test -p downbeat-tests --test evidence` writes it anew.

use downbeat_sim::harness::{Registry, Variant};
use downbeat_sim::report::Verdict;
use std::collections::BTreeSet;
use std::fmt::Write;

const PROPERTIES: &str = include_str!("../../docs/properties.md");
const ASSUMPTIONS: &str = include_str!("../../docs/assumptions.md");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/evidence.md");

/// The cells of the rows of the table whose head begins so.
fn rows(page: &'static str, head: &str) -> Vec<Vec<&'static str>> {
    let table = page.lines().skip_while(|line| !line.starts_with(head));
    let rows = table.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.split('|').map(str::trim).collect()).collect()
}

/// The ids of the table of properties, each once, in its order.
fn ids() -> Vec<&'static str> {
    let mut ids: Vec<_> = rows(PROPERTIES, "| id |").iter().map(|row| row[1]).collect();
    ids.dedup();
    ids
}

fn evidence(registry: &Registry) -> String {
    let mut page = String::from(
        "# Evidence\n\nWhich variant of which model checks each [property](properties.md), and within which bounds. The page is made from the \
         models:\n`UPDATE_DOCS=1 cargo test -p downbeat-tests --test evidence` writes it anew, and a test fails where it is not what they are.\n\n\
         ## Where each property is checked\nA property that is *found violated* is expected to be: `check` shows how, and fails if it is not. \
         One that is *vacuous* has\nnothing to say there, because nothing can come to what it is about.\n\n\
         | id | holds in | found violated in | vacuous in |\n|---|---|---|---|\n",
    );
    for id in ids() {
        let expected = |verdict| {
            let models = registry.models().iter().map(|model| {
                let variants = model.variants.iter().filter(|variant| {
                    let properties = variant.properties(&variant.default_bounds());
                    properties.iter().any(|property| property.id == id) && variant.expected(id) == verdict
                });
                (model.name, variants.map(Variant::name).collect::<Vec<_>>().join(", "))
            });
            let some = models.filter(|(_, variants)| !variants.is_empty());
            some.map(|(model, variants)| format!("`{model}`: {variants}")).collect::<Vec<_>>().join("; ")
        };
        let (holds, violated) = (expected(Verdict::Holds), expected(Verdict::Violated));
        let vacuous = expected(Verdict::Vacuous);
        writeln!(page, "| {id} | {holds} | {violated} | {vacuous} |").expect("a string takes it");
    }
    page.push_str("\n## Bounds\n`check` searches every state within these; `--bound` sets others, and `--deep` takes the deeper ones.\n\n");
    page.push_str("| variant | bounds | deeper |\n|---|---|---|\n");
    for variant in registry.variants() {
        let list = |bounds: &mut dyn Iterator<Item = (&'static str, u64)>| {
            bounds.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
        };
        let bounds = list(&mut variant.default_bounds().iter());
        let deep = list(&mut variant.deep_bounds().iter().copied());
        writeln!(page, "| `{variant}` | {bounds} | {deep} |").expect("a string takes it");
    }
    page
}

#[test]
fn page_of_evidence_is_what_the_models_are() {
    let page = evidence(&downbeat_models::registry());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, page).expect("the page can be written");
        return;
    }
    let committed = std::fs::read_to_string(PAGE).expect("the page is there");
    assert!(
        committed == page,
        "docs/evidence.md is not what the models are; write it anew with UPDATE_DOCS=1"
    );
}

/// Whoever adds a property has to say what it rests on.
#[test]
fn every_property_rests_on_assumptions_that_there_are() {
    let assumptions: BTreeSet<_> = rows(ASSUMPTIONS, "| id |").iter().map(|row| row[1]).collect();
    let mut named = Vec::new();
    for row in rows(ASSUMPTIONS, "| property |") {
        named.extend(row[1].split(", "));
        for assumption in row[2].split(", ").filter(|cell| *cell != "none") {
            assert!(assumptions.contains(assumption), "{} rests on {assumption}, which is not there", row[1]);
        }
    }
    let (mut named, mut ids) = (named, ids());
    named.sort_unstable();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(named, ids);
}
