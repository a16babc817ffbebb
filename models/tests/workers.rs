//! The models of a worker and its monitor: verdicts, state counts, counterexamples, and the diagrams of their pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use downbeat_models::registry;
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Run, Settings, Variant, run};

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

/// Together the variants with the kernel's worker take every kind of action but those whose bounds are 0 in each.
#[test]
fn kernel_is_as_expected_and_every_kind_of_action_is_taken() {
    let registry = registry();
    let mut counts = Vec::new();
    let mut untaken: Option<BTreeSet<&str>> = None;
    let of_kernel = |variant: &&Variant| variant.model() == "interrupt" && variant.name() != "as-is";
    for variant in registry.variants().filter(of_kernel) {
        let run = check(variant, &[], None);
        for property in run.evaluated() {
            assert!(property.is_as_expected(), "{variant} {}: {}", property.found.id, property.found.verdict);
        }
        let kinds = run.report.coverage.kinds.iter();
        let missing = kinds.filter(|(_, steps)| *steps == 0).map(|(name, _)| *name).collect();
        untaken = Some(untaken.map_or_else(|| BTreeSet::clone(&missing), |known| &known & &missing));
        counts.push((variant.name(), run.report.distinct, run.report.depth));
    }
    assert_eq!(
        untaken.into_iter().flatten().collect::<Vec<_>>(),
        ["observe", "progress", "report", "wrap up"]
    );
    insta::assert_debug_snapshot!("kernel-state-counts", counts);
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
