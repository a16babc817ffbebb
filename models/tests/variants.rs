//! Every variant: verdicts, state counts and the text of every counterexample.

use downbeat_models::subtask_completion::as_is_variants;
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::{Registry, Run, Settings, Variant, run};
use downbeat_sim::report::Verdict;

fn registry() -> Registry {
    Registry::new().model("subtask-completion", "the systems as they are", as_is_variants())
}

fn check(variant: &Variant, bounds: &[(&str, u64)], only: &[&str]) -> Run {
    let bounds = variant.bounds_with(bounds.iter().copied()).expect("the variant has these bounds");
    let only = (!only.is_empty()).then(|| only.iter().map(|&id| id.to_owned()).collect());
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
    let registry = downbeat_models::registry();
    for variant in registry.variants().filter(|variant| variant.model() == "subtask-completion") {
        let run = check(variant, &[], &[]);
        for property in run.evaluated() {
            assert!(property.is_as_expected(), "{variant} {}: {}", property.found.id, property.found.verdict);
        }
        if run.expected_verdict() == Verdict::Violated {
            insta::assert_snapshot!(variant.name(), diagrams(&run));
        }
        counts.push(format!(
            "{:<26}{:>9} states of {:>9} generated, depth {}",
            variant.name(),
            run.report.distinct,
            run.report.generated,
            run.report.depth
        ));
    }
    insta::assert_snapshot!("state-counts", counts.join("\n"));
}

#[test]
fn deep_bounds_are_in_their_ranges_and_deeper_than_the_defaults() {
    let mut models = Vec::new();
    let registry = downbeat_models::registry();
    for variant in registry.variants().filter(|variant| !variant.deep_bounds().is_empty()) {
        models.push(variant.model());
        for (name, value) in variant.deep_bounds() {
            let bound = variant.bounds().iter().find(|bound| bound.name == *name).expect("it has this bound");
            assert!(bound.range.contains(value) && *value > bound.default, "{variant}: {name}={value}");
        }
        // What is put to the test by default is put to the test there too.
        let deep = variant.bounds_with(variant.deep_bounds().iter().copied()).expect("they are its own");
        let judged = variant.properties(&deep);
        for property in variant.properties(&variant.default_bounds()) {
            assert!(judged.contains(&property), "{variant} has no {} in a deep search", property.id);
        }
    }
    models.dedup();
    let searched = [
        "subtask-completion",
        "remote-agents",
        "agent-session",
        "health",
        "interrupt",
        "token-refresh",
        "subtask-tree",
    ];
    assert_eq!(models, searched);
}

/// Bounds by name.
type Changes = Vec<(&'static str, u64)>;

/// Bounds under which nothing out of the ordinary happens but what is listed.
fn nothing_but(extra: &[(&'static str, u64)]) -> Vec<(&'static str, u64)> {
    let quiet = ["tools", "questions", "troubles"].map(|name| (name, 0));
    quiet
        .into_iter()
        .filter(|(name, _)| extra.iter().all(|(other, _)| other != name))
        .chain(extra.iter().copied())
        .collect()
}

#[test]
fn each_story_of_the_book_is_found_where_nothing_else_can_happen() {
    let provider = ["texts", "empties", "throttles", "truncations", "failures"].map(|name| (name, 0));
    let user = ["messages", "closes", "cancels", "rejections", "opens", "crashes"].map(|name| (name, 0));
    let only = |kind: &'static str| -> Vec<(&'static str, u64)> {
        let others = provider.into_iter().chain(user).filter(|(name, _)| *name != kind);
        others.chain([("troubles", 1), (kind, 1)]).collect()
    };
    #[rustfmt::skip]
    let stories: [(&str, &str, Changes, &str); 9] = [
        ("double-continuation", "as-is", vec![], "S1"),
        ("resumed-without-the-result", "as-is", vec![], "S4"),
        ("duplicate-without-overlap", "mutex", only("empties"), "S2"),
        ("nested-call-waits-for-its-caller", "mutex-recursive", vec![], "deadlock"),
        ("refused-and-read-as-an-answer", "skip-if-running-recursive", vec![], "S8"),
        ("orphan", "as-is", only("opens"), "S3"),
        ("queued-message-approves", "as-is", only("messages"), "S5"),
        ("dies-silently", "as-is", only("failures"), "L1"),
        ("crash-between-the-writes", "delegation", only("crashes"), "S3"),
    ];
    for (name, variant, bounds, property) in stories {
        let registry = registry();
        let variant = registry.variant("subtask-completion", variant).expect("a variant");
        let run = check(variant, &nothing_but(&bounds), &[property]);
        insta::assert_snapshot!(name, diagrams(&run));
    }
}

#[test]
fn a_lock_or_a_flag_of_the_instance_does_not_hold_back_the_retry_of_an_older_one() {
    // The countdown of a refused request goes on after a cancel; the task was rebuilt by then.
    for name in ["mutex", "skip-if-running", "delegation"] {
        let registry = registry();
        let variant = registry.variant("subtask-completion", name).expect("a variant");
        let bounds = nothing_but(&[("troubles", 2), ("throttles", 1), ("cancels", 1), ("subtasks", 0)]);
        let run = check(variant, &bounds, &["S1"]);
        assert_eq!(run.report.property("S1").map(|found| found.verdict), Some(Verdict::Violated), "{name}");
    }
}

#[test]
fn every_variant_keeps_its_verdict_on_the_double_send_at_any_pace() {
    // Without the assumptions about time there are more interleavings, and no other verdict on the race itself.
    #[rustfmt::skip]
    let cases = [
        ("as-is", Verdict::Violated, Verdict::Violated),
        ("mutex", Verdict::Holds, Verdict::Holds),
        ("skip-if-running", Verdict::Holds, Verdict::Holds),
    ];
    for (name, s1, s2) in cases {
        let registry = registry();
        let variant = registry.variant("subtask-completion", name).expect("a variant");
        let bounds = nothing_but(&[("any-pace", 1), ("responses", 3), ("subtasks", 1)]);
        let run = check(variant, &bounds, &["S1", "S2"]);
        let verdict = |id| run.report.property(id).map(|found| found.verdict);
        assert_eq!((verdict("S1"), verdict("S2")), (Some(s1), Some(s2)), "{name}");
    }
}
