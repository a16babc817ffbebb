//! The command line, run in this process on a toy.
#![cfg(feature = "harness")]

#[path = "models/counter.rs"]
mod counter;

use counter::Custom;
use downbeat_sim::harness::Outcome::{self, AsExpected, Failed, Incomplete, Unexpected};
use downbeat_sim::harness::{self, Registry, Settings, Streams, Variant};
use downbeat_sim::report::Verdict;

/// How a command ended, and what it printed, without the times.
fn command(line: &str) -> (Outcome, String) {
    command_in(&counter::registry(), line)
}

fn command_in(registry: &Registry, line: &str) -> (Outcome, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams {
        out: &mut out,
        err: &mut err,
        colors: false,
        progress: false,
        width: 100,
        program: "toys".into(),
        arguments: Vec::new(),
        interrupt: None,
    };
    let arguments = std::iter::once("toys").chain(line.split_whitespace());
    let outcome = harness::main_from(arguments, registry, &mut streams);
    out.append(&mut err);
    let text = String::from_utf8(out).expect("output is text");
    (outcome, text.lines().map(|line| without_time(line) + "\n").collect())
}

/// The line with `T` for a time at its end.
fn without_time(line: &str) -> String {
    let time = line.strip_suffix(" s").and_then(|rest| rest.rsplit_once(' '));
    match time {
        Some((rest, seconds)) if seconds.parse::<f64>().is_ok() => format!("{rest} T"),
        _ => line.to_owned(),
    }
}

#[test]
fn check_prints_a_table_and_the_shortest_counterexamples() {
    let (outcome, text) = command("check");
    assert_eq!(outcome, AsExpected);
    insta::assert_snapshot!("check", text);
}

#[test]
fn check_shows_every_unexpected_violation_in_full() {
    let (outcome, text) = command("check counter@as-is --bound clerks=3");
    assert_eq!(outcome, Unexpected);
    insta::assert_snapshot!("check_unexpected", text);
}

#[test]
fn check_names_the_counterexamples_that_it_does_not_show() {
    let registry = || {
        let as_is = counter::variant("as-is", "they read and write as they like", Custom::None, true);
        let as_is =
            ["S1", "S2", "S3"].into_iter().fold(as_is, |as_is, id| as_is.expect(id, Verdict::Violated));
        Registry::new().model("counter", "clerks that add one to a shared counter", [as_is])
    };
    let (outcome, text) = command_in(&registry(), "check --bound clerks=3");
    assert_eq!(outcome, AsExpected);
    let diagrams = |text: &str| text.lines().filter(|line| line.contains(" violated: ")).count();
    assert_eq!(diagrams(&text), 1);
    let hint = "counter@as-is also violates, as expected: S2 (6 steps), S3 (6 steps); --all-counterexamples shows how";
    assert!(text.contains(&hint[..90]), "{text}");

    let (_, text) = command_in(&registry(), "check --bound clerks=3 --all-counterexamples");
    assert_eq!(diagrams(&text), 2, "S2 and S3 are violated by the same behaviour");
    assert!(text.contains("counter@as-is also violates, by a behaviour shown above: S3 (6 steps)"), "{text}");

    let (_, text) = command_in(&registry(), "check --bound clerks=3 --quiet");
    assert_eq!(diagrams(&text), 0, "expected violations are not shown when quiet");
    assert!(!text.contains("also violates"), "the table has the ids: {text}");
}

#[test]
fn check_shows_the_headline_of_a_variant_before_a_shorter_counterexample() {
    let as_is = |headline| {
        let as_is = counter::variant("as-is", "they read and write as they like", Custom::None, true);
        let as_is =
            ["S1", "S2", "S3"].into_iter().fold(as_is, |as_is, id| as_is.expect(id, Verdict::Violated));
        Registry::new().model(
            "counter",
            "clerks that add one to a shared counter",
            [as_is.headline(headline)],
        )
    };
    for headline in ["S1", "S2", "S3"] {
        let (outcome, text) = command_in(&as_is(headline), "check --bound clerks=3");
        assert_eq!(outcome, AsExpected);
        let shown: Vec<_> = text.lines().filter(|line| line.contains(" violated: ")).collect();
        assert!(matches!(shown[..], [line] if line.starts_with(headline)), "{headline}: {shown:?}");
    }
}

#[test]
#[should_panic(expected = "the headline of counter@as-is is `S1`, which is not expected to be violated")]
fn headline_has_to_be_an_expected_violation() {
    let as_is = counter::variant("as-is", "they read and write as they like", Custom::None, true);
    let _registry = Registry::new().model("counter", "clerks", [as_is.headline("S1")]);
}

#[test]
fn check_says_what_was_decided_otherwise_without_a_violation() {
    let registry = || {
        let key = counter::variant("key", "they take a key first", Custom::Key, true)
            .expect("S1", Verdict::Violated);
        Registry::new().model("counter", "clerks that add one to a shared counter", [key])
    };
    let (outcome, text) = command_in(&registry(), "check");
    assert_eq!(outcome, Unexpected);
    assert!(text.contains("✗ counter@key S1 (no update is lost) holds, expected violated\n"), "{text}");
    assert!(text.contains("\n1 variant: 1 not as expected; 12 states in T\n"), "{text}");
    let chance = "told apart by fingerprints: a state was missed with a chance of at most 5e-18\n";
    assert!(text.ends_with(chance), "{text}");
}

/// One variant with a deep search, and one without.
fn with_a_deep_variant() -> Registry {
    let key = counter::variant("key", "they take a key first", Custom::Key, true).deep([("clerks", 3)]);
    let polite = counter::variant("polite", "they may give the key back unused", Custom::PoliteKey, true)
        .expect("L1", Verdict::Violated);
    Registry::new().model("counter", "clerks that add one to a shared counter", [key, polite])
}

#[test]
fn deep_search_takes_deep_bounds_where_there_are_any_and_says_so() {
    #[rustfmt::skip]
    let cases = [
        ("check",                         [("with clerks=2", 12), ("with the bounds of key", 12)]),
        ("check --deep",                  [("with deep bounds: clerks=3", 32), ("with clerks=2", 12)]),
        ("check --deep --bound clerks=1", [("with clerks=1", 4), ("with the bounds of key", 4)]),
        ("check --bound clerks=3",        [("with deep bounds: clerks=3", 32), ("with the bounds of key", 32)]),
    ];
    for (line, expected) in cases {
        let (outcome, text) = command_in(&with_a_deep_variant(), &format!("{line} --quiet"));
        assert_eq!(outcome, AsExpected, "{line}\n{text}");
        let bounds = text.lines().map(str::trim).filter(|line| line.starts_with("with "));
        let states = text.lines().filter(|line| line.starts_with('✓')).map(|row| {
            let cells: Vec<&str> = row.split_whitespace().collect();
            cells[cells.len() - 3].parse::<usize>().expect("the third last column")
        });
        assert_eq!(bounds.zip(states).collect::<Vec<_>>(), expected, "{line}\n{text}");
    }
    let (_, text) = command_in(&with_a_deep_variant(), "check --deep --format json");
    let report: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let deep: Vec<_> = (0..2).map(|run| report["runs"][run]["deep"].clone()).collect();
    assert_eq!(deep, [true, false]);
}

#[test]
fn deep_search_of_nothing_deep_is_refused() {
    let none = "error: no selected model has bounds for --deep\n";
    let cases = [
        (command("check --deep"), format!("{none}no model here has any; leave --deep out\n")),
        (
            command_in(&with_a_deep_variant(), "check counter@polite --deep"),
            format!("{none}deep: counter@key\n"),
        ),
    ];
    for (result, expected) in cases {
        assert_eq!(result, (Failed, expected));
    }
}

#[test]
fn models_lists_deep_bounds() {
    let (_, text) = command_in(&with_a_deep_variant(), "models counter@key");
    assert!(text.contains("\n    clerks=2  clerks that add one each (1 to 4; deep: 3)\n"), "{text}");
}

#[test]
fn models_lists_everything() {
    let (outcome, text) = command("models counter@as-is counter@polite");
    assert_eq!(outcome, AsExpected);
    insta::assert_snapshot!("models", text);
}

#[test]
fn check_draws_mermaid() {
    let (outcome, text) = command("check --format mermaid");
    assert_eq!(outcome, AsExpected);
    insta::assert_snapshot!("mermaid", text);
}

#[test]
fn exit_code_tells_what_happened() {
    #[rustfmt::skip]
    let cases = [
        ("check",                                       AsExpected, 0),
        ("check counter",                               AsExpected, 0),
        ("check counter@key counter@lazy --threads 1",  AsExpected, 0),
        ("check counter@as-is --property S1",           AsExpected, 0),
        ("check counter@as-is --bound clerks=3",        Unexpected, 1),
        ("check --bound clerks=3 --property S1",        AsExpected, 0),
        // With three clerks S2 is violated within seven steps; the rest is open.
        ("check --bound clerks=3 --max-depth 7",        Unexpected, 1),
        ("check --coverage",                            AsExpected, 0),
        ("check --max-states 3",                        Incomplete, 3),
        ("check --max-depth 2",                         Incomplete, 3),
        ("check --max-seconds 0",                       Incomplete, 3),
        ("check --max-memory 0",                        Incomplete, 3),
        // Found at once, and still not everything was seen.
        ("check --max-states 9 --property R1",          Incomplete, 3),
        ("check conter",                                Failed,     2),
        ("check counter@kei",                           Failed,     2),
        ("check --property S9",                         Failed,     2),
        ("check --bound clerk=2",                       Failed,     2),
        ("check --bound clerks=9",                      Failed,     2),
        ("check --bound clerks",                        Failed,     2),
        ("check --max-seconds -1",                      Failed,     2),
        ("check --threads 0",                           Failed,     2),
        ("check --quiet --all-counterexamples",         Failed,     2),
        ("check --out Cargo.toml",                      Failed,     2),
        ("chek",                                        Failed,     2),
        ("",                                            Failed,     2),
        ("check --help",                                AsExpected, 0),
        ("replay",                                      Failed,     2),
        ("replay --help",                               AsExpected, 0),
    ];
    for (line, expected, code) in cases {
        let (outcome, text) = command(line);
        assert_eq!(outcome, expected, "{line}\n{text}");
        assert_eq!(outcome.code(), code, "{line}");
    }
}

#[test]
fn failure_lists_what_is_known_and_suggests_the_nearest() {
    #[rustfmt::skip]
    let cases = [
        ("check conter",            "error: there is no model `conter`; did you mean `counter`?\nknown: counter\n"),
        ("check counter@kei",       "error: counter has no variant `kei`; did you mean `key`?\n\
                                     known: as-is, key, polite, lazy\n"),
        ("check polite",            "error: `polite` is a variant, not a model; did you mean `counter@polite`?\n"),
        ("check @polite",           "error: `polite` is a variant, not a model; did you mean `counter@polite`?\n"),
        ("models zebra",            "error: there is no model `zebra`\nknown: counter\n"),
        ("check --property S9",     "error: there is no property `S9`; did you mean `S1`?\n\
                                     known: S1, S2, S3, V1, R1, D1, L1\n"),
        ("check --bound clerk=2",   "error: there is no bound `clerk`; did you mean `clerks`?\nknown: clerks\n"),
        ("check --bound clerks=2 --bound clerks=3", "error: the bound `clerks` is set twice; set it once\n"),
        ("check --reduce symmetry", "error: no selected model is declared for --reduce symmetry\n\
                                     no model here declares it; leave --reduce out\n"),
        ("check --bound clerks=9",  "error: the bound `clerks` of counter@as-is is between 1 and 4, not 9\n"),
    ];
    for (line, expected) in cases {
        assert_eq!(command(line), (Failed, expected.to_owned()), "{line}");
    }
}

#[test]
fn negative_number_is_refused_by_what_it_is_for() {
    let of_seconds = "expected a number of seconds, such as 60 or 0.5";
    #[rustfmt::skip]
    let cases = [
        ("--max-states",       "COUNT",   "expected a whole number, such as 1000000"),
        ("--max-depth",        "STEPS",   "expected a whole number, such as 20"),
        ("--max-seconds",      "SECONDS", of_seconds),
        ("--max-memory",       "MIB",     "expected a whole number of MiB, such as 8000"),
        ("--threads",          "COUNT",   "expected a number of threads, from 1 on"),
        ("--checkpoint-every", "SECONDS", of_seconds),
    ];
    for (option, value, expected) in cases {
        let expected = format!("error: invalid value '-1' for '{option} <{value}>': {expected}\n");
        let (outcome, text) = command(&format!("check {option} -1"));
        assert!(outcome == Failed && text.starts_with(&expected) && !text.contains("-- -1"), "{text}");
    }
}

#[test]
fn failure_tells_a_property_that_is_not_evaluated_from_one_that_does_not_exist() {
    // A model without anything to judge: its only property is one of another variant.
    let registry = || {
        let as_is = counter::variant("as-is", "they read and write as they like", Custom::None, true)
            .expect("S1", Verdict::Violated);
        let door = Variant::new("door", "a door", |_: &_| door::Door);
        Registry::new().model("counter", "clerks", [as_is]).model("door", "a door", [door])
    };
    let (outcome, text) = command_in(&registry(), "check door --property S1");
    let expected = "error: `S1` is not evaluated for door@door; it is a property of counter\nevaluated: D7\n";
    assert_eq!((outcome, text.as_str()), (Failed, expected));
}

#[test]
fn check_shows_a_behaviour_once_and_refers_to_it_for_another_variant() {
    let variant = |name| {
        counter::variant(name, "they read and write as they like", Custom::None, true)
            .expect("S1", Verdict::Violated)
    };
    let registry = Registry::new().model("counter", "clerks", [variant("one"), variant("two")]);
    let (_, text) = command_in(&registry, "check");
    assert_eq!(text.matches("S1 violated: ").count(), 1, "{text}");
    assert!(text.contains("\n    the same behaviour as counter@one\n"), "{text}");
    let (_, text) = command_in(&registry, "check --all-counterexamples");
    assert_eq!(text.matches("S1 violated: ").count(), 2, "{text}");
}

#[test]
fn coverage_of_a_model_that_names_nothing_says_so() {
    let (_, text) = command("check counter@key counter@lazy --coverage --quiet");
    let expected = "\ncounter@key\n  the model names no kinds of action and no marks\n  \
                    weakly fair: clerk 1 goes on\n  weakly fair: clerk 2 goes on\n\
                    counter@lazy\n  the model names no kinds of action and no marks\n\n2 variants: ";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn out_gets_a_file_to_replay_for_each_counterexample_and_its_diagram() {
    let directory = std::env::temp_dir().join(format!("downbeat-command-{}", std::process::id()));
    for (format, extension) in [("text", "txt"), ("mermaid", "mmd"), ("json", "json")] {
        let out = directory.join(format);
        let (outcome, _) = command(&format!("check --format {format} --out {}", out.display()));
        assert_eq!(outcome, AsExpected);
        let mut files: Vec<String> = std::fs::read_dir(&out)
            .expect("the directory was made")
            .map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let mut expected = Vec::new();
        for name in ["as-is.S1", "lazy.L1", "polite.L1"] {
            // The one for `replay` comes first by its name, and is the only one of JSON.
            let both = if extension == "json" { vec!["json"] } else { vec!["json", extension] };
            expected.extend(both.iter().map(|extension| format!("counter@{name}.{extension}")));
        }
        assert_eq!(files, expected);
    }
    let text = std::fs::read_to_string(directory.join("text/counter@as-is.S1.txt")).expect("it was written");
    assert!(text.starts_with("S1: no update is lost\n") && !text.contains('\x1b'), "{text}");
    std::fs::remove_dir_all(directory).expect("the files are ours");
}

#[test]
fn no_line_is_wider_than_a_hundred_columns() {
    for line in ["check --bound clerks=4", "check", "check --max-states 3", "models"] {
        let (_, text) = command(line);
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

#[test]
fn messages_are_as_wide_as_the_terminal() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams {
        out: &mut out,
        err: &mut err,
        colors: false,
        progress: false,
        width: 20,
        program: "toys".into(),
        arguments: Vec::new(),
        interrupt: None,
    };
    harness::main_from(["toys", "check", "counter@elephant"], &counter::registry(), &mut streams);
    let expected = "error: counter has no variant `elephant`\nknown: as-is, key,\n  polite, lazy\n";
    assert_eq!(String::from_utf8_lossy(&err), expected);
}

#[test]
fn color_is_used_when_asked_for_or_on_a_terminal() {
    let registry = counter::registry();
    for (arguments, terminal, expected) in [
        ("--color always", false, true),
        ("--color never", true, false),
        ("--color auto", true, true),
        ("--color auto", false, false),
        ("", true, true),
        ("", false, false),
    ] {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams {
            out: &mut out,
            err: &mut err,
            colors: terminal,
            progress: false,
            width: 100,
            program: "toys".into(),
            arguments: Vec::new(),
            interrupt: None,
        };
        let arguments = ["toys", "check"].into_iter().chain(arguments.split_whitespace());
        harness::main_from(arguments, &registry, &mut streams);
        assert_eq!(out.contains(&0x1b), expected, "{terminal}");
    }
}

#[test]
fn toys_are_as_expected() {
    harness::assert_as_expected(&counter::registry(), "");
    harness::assert_as_expected(&counter::registry(), "counter@polite");
}

#[test]
#[should_panic(expected = "S2 violated: the counter went back to 1")]
fn assertion_shows_the_diagram_of_an_unexpected_violation() {
    let three = |_: &_| counter::Counter { clerks: 3, custom: Custom::None, diligent: true };
    let as_is = Variant::new("as-is", "three clerks read and write as they like", three)
        .expect("S1", Verdict::Violated)
        .expect("S3", Verdict::Violated)
        .expect("V1", Verdict::Vacuous);
    let registry = Registry::new().model("counter", "clerks that add one to a shared counter", [as_is]);
    harness::assert_as_expected(&registry, "counter");
}

#[test]
fn run_gives_the_data() {
    let registry = counter::registry();
    let variant = registry.variant("counter", "as-is").expect("the toy has it");
    let bounds = variant.bounds_with([("clerks", 3)]).expect("three clerks are allowed");
    let run = harness::run(variant, &bounds, &Settings::default()).expect("the toy is sound");
    assert_eq!((run.report.distinct, run.report.generated, run.report.depth), (59, 100, 6));
    assert!(run.is_unexpected() && !run.is_as_expected());
}

mod door {
    use downbeat_sim::model::{Model, Property, Told};

    /// A door that nobody goes through.
    pub(super) struct Door;

    impl Model for Door {
        type State = ();
        type Action = ();
        fn initial(&self) -> Vec<()> {
            vec![()]
        }
        fn actions(&self, (): &(), _: &mut Vec<()>) {}
        fn next(&self, (): &(), (): &()) -> Option<()> {
            None
        }
        fn properties(&self) -> Vec<Property<Self>> {
            vec![Property::<Self>::sometimes("D7", "there is a door", |_, ()| true)]
        }
        fn is_final(&self, (): &()) -> bool {
            true
        }
        fn lanes(&self) -> Vec<String> {
            vec!["door".into()]
        }
        fn tell(&self, (): &(), (): &(), (): &()) -> Told {
            Told::new(0, 0, "nothing")
        }
    }
}

mod registry {
    use super::*;

    fn variant() -> downbeat_sim::harness::Variant {
        counter::variant("key", "they take a key first", Custom::Key, true)
    }

    #[test]
    #[should_panic(expected = "counter@key expects something of `S7`, which is none of its properties")]
    fn refuses_an_expectation_about_nothing() {
        drop(Registry::new().model("counter", "", [variant().expect("S7", Verdict::Violated)]));
    }

    #[test]
    #[should_panic(expected = "counter@key expects something of `S1` twice")]
    fn refuses_two_expectations_about_one_property() {
        let twice = variant().expect("S1", Verdict::Violated).expect("S1", Verdict::Holds);
        drop(Registry::new().model("counter", "", [twice]));
    }

    #[test]
    #[should_panic(expected = "counter@key expects `S1` to be incomplete, which decides nothing")]
    fn refuses_to_expect_to_be_undecided() {
        drop(Registry::new().model("counter", "", [variant().expect("S1", Verdict::Incomplete)]));
    }

    #[test]
    #[should_panic(expected = "two variants of the model `counter` are named `key`")]
    fn refuses_two_variants_of_one_name() {
        drop(Registry::new().model("counter", "", [variant(), variant()]));
    }

    #[test]
    #[should_panic(expected = "two models are named `counter`")]
    fn refuses_two_models_of_one_name() {
        drop(Registry::new().model("counter", "", [variant()]).model("counter", "", [variant()]));
    }

    #[test]
    #[should_panic(expected = "two bounds of counter@key are named `clerks`")]
    fn refuses_two_bounds_of_one_name() {
        drop(Registry::new().model("counter", "", [variant().bound("clerks", 1, 1..=2, "clerks again")]));
    }

    #[test]
    #[should_panic(expected = "the default of the bound `rooms` of counter@key is outside 1..=2")]
    fn refuses_a_default_outside_its_range() {
        drop(Registry::new().model("counter", "", [variant().bound("rooms", 3, 1..=2, "rooms")]));
    }

    #[test]
    #[should_panic(expected = "counter@key has no bound `rooms` that could be deep")]
    fn refuses_a_deep_bound_that_is_none() {
        drop(Registry::new().model("counter", "", [variant().deep([("rooms", 3)])]));
    }

    #[test]
    #[should_panic(expected = "the bound `clerks` of counter@key is deep twice")]
    fn refuses_two_deep_values_of_one_bound() {
        drop(Registry::new().model("counter", "", [variant().deep([("clerks", 3), ("clerks", 4)])]));
    }

    #[test]
    #[should_panic(expected = "`clerks` of counter@key is 5, which is outside 1..=4 or not beyond 2")]
    fn refuses_a_deep_bound_outside_its_range() {
        drop(Registry::new().model("counter", "", [variant().deep([("clerks", 5)])]));
    }

    #[test]
    #[should_panic(expected = "`clerks` of counter@key is 2, which is outside 1..=4 or not beyond 2")]
    fn refuses_a_deep_bound_that_is_no_deeper() {
        drop(Registry::new().model("counter", "", [variant().deep([("clerks", 2)])]));
    }

    #[test]
    #[should_panic(expected = "the name `Key!` of a variant must consist of")]
    fn refuses_a_name_that_no_file_should_have() {
        let named = counter::variant("Key!", "they take a key first", Custom::Key, true);
        drop(Registry::new().model("counter", "", [named]));
    }
}
