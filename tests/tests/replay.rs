//! Counterexamples of the systems as they are, saved and replayed, without a search in between.

use std::fs;
use std::path::{Path, PathBuf};

use downbeat_sim::harness::{self, Outcome, Streams};

/// Variants with few states that between them have every fix and every kind of counterexample: invariants,
/// deadlocks, loops, and behaviours that come to rest.
const VARIANTS: [&str; 6] = [
    "mutex",
    "mutex-recursive",
    "skip-if-running",
    "delegation-restart",
    "delegation-calm",
    "delegation-any-pace",
];

/// How a command ended, and what it wrote.
fn command(line: impl IntoIterator<Item = String>) -> (Outcome, String) {
    let registry = downbeat_models::registry();
    let mut out = Vec::new();
    let program = "downbeat".to_owned();
    let mut streams = Streams {
        out: &mut out,
        err: &mut std::io::stderr(),
        colors: false,
        progress: false,
        width: 100,
        program,
        arguments: Vec::new(),
        interrupt: None,
    };
    let outcome =
        harness::main_from(["downbeat".to_owned()].into_iter().chain(line), &registry, &mut streams);
    (outcome, String::from_utf8(out).expect("output is text"))
}

fn words(line: &str) -> impl Iterator<Item = String> {
    line.split_whitespace().map(str::to_owned)
}

fn directory(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("downbeat-tests-{name}-{}", std::process::id()))
}

/// The saved counterexamples in a directory.
fn saved(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory)
        .expect("the directory was made")
        .map(|entry| entry.expect("it is listed").path());
    let mut files: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.display().to_string())
        .collect();
    files.sort();
    files
}

#[test]
fn every_counterexample_of_the_systems_as_they_are_is_violated_as_recorded() {
    let out = directory("as-is");
    let variants = VARIANTS.map(|name| format!("subtask-completion@{name}"));
    let line = words("check --quiet --out").chain([out.display().to_string()]).chain(variants);
    let (outcome, text) = command(line);
    assert_eq!(outcome, Outcome::AsExpected, "{text}");

    let files = saved(&out);
    let registry = downbeat_models::registry();
    let expected: usize = VARIANTS
        .iter()
        .map(|name| {
            let variant = registry.variant("subtask-completion", name).expect("the model has it");
            let properties = variant.properties(&variant.default_bounds());
            let violated = |id| variant.expected(id) == downbeat_sim::report::Verdict::Violated;
            properties.iter().filter(|property| violated(property.id)).count()
        })
        .sum();
    let (outcome, text) = command(words("replay --quiet").chain(files));
    fs::remove_dir_all(out).expect("the files are ours");
    let last = format!("{expected} counterexamples: {expected} violated as recorded, 0 not");
    assert_eq!((outcome, text.lines().last()), (Outcome::AsExpected, Some(last.as_str())), "{text}");
    assert!(!text.contains("reads otherwise"), "{text}");
}

#[test]
fn the_double_send_of_the_system_as_it_is_does_not_fit_the_one_with_a_lock() {
    let out = directory("lock");
    let line = words("check subtask-completion@as-is --property S1 --max-depth 24 --quiet --out");
    command(line.chain([out.display().to_string()]));
    let files = saved(&out);
    let [file] = files.as_slice() else { panic!("one counterexample to S1: {files:?}") };
    let of_as_is = fs::read_to_string(file).expect("it was saved");
    fs::write(file, of_as_is.replace("\"variant\": \"as-is\"", "\"variant\": \"mutex\""))
        .expect("it is ours");
    let (outcome, text) = command(words("replay").chain([file.clone()]));
    fs::remove_dir_all(out).expect("the files are ours");
    assert_eq!(outcome, Outcome::Unexpected, "{text}");
    // Up to there the two are one system; then the continuation waits for the lock and sends nothing.
    let step = "step 18 of 20 cannot be taken: `Fire(Pid(3))` is not enabled there; what is: `Fire(Pid(2))`";
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(step), "{text}");
}
