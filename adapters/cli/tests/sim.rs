//! `downbeat sim`, and `downbeat replay` of what it finds.

use std::process::{Command, Output};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_downbeat");

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().expect("the program runs")
}

fn words(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it writes text");
    (text(&output.stdout), text(&output.stderr))
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

/// What it says for machines.
fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one document of JSON")
}

#[test]
fn certified_scenario_is_seen_whole_under_any_of_its_names_and_keeps_every_promise() {
    let output = run(&["sim", "task+message+child", "--exhaustive", "--format", "json"]);
    assert_eq!(code(&output), 0);
    let document = document(&output);
    let scenario = &document["scenarios"][0];
    let found = ["scenario", "result", "extent"].map(|field| &scenario[field]);
    assert_eq!(found, [&Value::from("child+message"), &Value::from("kept"), &Value::from("complete")]);
    assert_eq!(document["marks"], Value::Null, "which are hit depends on what stands for a class");
}

#[test]
fn marks_are_told_of_a_search_at_random() {
    let document = document(&run(&["sim", "child+message", "--seeds", "200", "--format", "json"]));
    let marks = document["marks"].as_array().expect("they are a list");
    assert!(
        marks.contains(&Value::from("a message came while a request of a subtask was under way")),
        "{marks:?}"
    );
}

#[test]
fn certificates_are_printed_as_they_are_committed() {
    let output = run(&["sim", "child+message", "--exhaustive", "--format", "certificates"]);
    let (printed, _) = words(&output);
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/world/src/certificates.rs");
    let committed = std::fs::read_to_string(path).expect("they are there");
    let is_other = |line: &&str| line.contains("scenario: ") && !line.contains(r#""child+message","#);
    let expected: Vec<&str> = committed.lines().filter(|line| !is_other(line)).collect();
    assert_eq!((code(&output), printed.lines().collect::<Vec<_>>()), (0, expected));
}

/// The line with which a fault is found again.
fn recording() -> String {
    let output = run(&["sim", "kill", "--exhaustive", "--fault", "sends-again"]);
    let (page, _) = words(&output);
    assert_eq!(code(&output), 1);
    assert!(page.contains("kill: S2 is broken") && page.contains("kills the process"), "{page}");
    assert!(page.contains("S2: one send for each (task, turn, attempt); first in execution "), "{page}");
    let command = page.lines().find_map(|line| line.split_once("downbeat replay '")).expect("it says how").1;
    command.trim_end_matches('\'').to_owned()
}

#[test]
fn planted_fault_is_found_drawn_and_found_again_by_its_replay() {
    let found = recording();
    let with = |from: &str, to: &str| {
        assert!(found.contains(from), "{found}");
        found.replace(from, to)
    };
    let unknown = with(" broke=S2", "");
    #[rustfmt::skip]
    let cases = [
        ("as it was found",                   found.clone(),                     0, "broken, as recorded, is S2: one send for each (task, turn, attempt)"),
        ("nobody knows what was broken",      unknown,                           0, "broken is S2: one send for each (task, turn, attempt)"),
        ("another promise was broken",        with(" broke=S2", " broke=S5"),    1, "not S5 is broken, as recorded, but S2: "),
        ("without the fault",                 with(" fault=sends-again", ""),    1, "every promise is kept, and S2 was broken when it was recorded"),
        ("with something else in it",         with(" broke=S2", " bork=S2"),     2, ""),
    ];
    for (name, text, expected, conclusion) in cases {
        let drawn = run(&["replay", &text]);
        let (page, _) = words(&drawn);
        assert_eq!(code(&drawn), expected, "{name}: {page}");
        assert!(page.contains(conclusion), "{name}: {page}");
        assert_eq!(page.contains("kills the process"), expected < 2, "{name}: {page}");
        let quiet = run(&["replay", &text, "--quiet"]);
        let (page, _) = words(&quiet);
        assert_eq!(
            (code(&quiet), page.lines().count()),
            (expected, usize::from(expected < 2)),
            "{name}: {page}"
        );
        assert!(page.contains(conclusion), "{name}: {page}");
        let output = run(&["replay", &text, "--format", "json"]);
        let document = &document(&output)["recordings"][0];
        assert_eq!(code(&output), expected, "{name}");
        let result = ["broken", if name == "without the fault" { "kept" } else { "broken" }, "failed"];
        assert_eq!(document["result"], result[usize::try_from(expected).expect("it is small")], "{name}");
    }
    let output = run(&["replay", &found, "--format", "mermaid"]);
    assert!(words(&output).0.contains("sequenceDiagram"));
}

#[test]
fn files_of_the_checker_are_replayed_apart() {
    let output = run(&["replay", "some.json", "kill seed=0x0"]);
    let (_, said) = words(&output);
    assert_eq!(code(&output), 2);
    assert!(
        said.contains("first `downbeat replay FILE...`, then `downbeat replay 'kill seed=0x0'`"),
        "{said}"
    );
}

#[test]
fn limit_of_time_is_told_and_is_no_verdict() {
    let output = run(&["sim", "child+message+kill", "--exhaustive", "--time", "0.01", "--format", "json"]);
    assert_eq!(
        (code(&output), &document(&output)["scenarios"][0]["result"]),
        (3, &Value::from("incomplete"))
    );
}

#[test]
fn errors_name_what_there_is() {
    let cases = [
        (&["sim", "flood"][..], "there is no `flood`"),
        (&["sim", "--fault", "none"], "there are: effects-first"),
        (&["replay", "flood seed=0x0"], "there is no `flood`"),
        (&["replay", "task seed=oops"], "error: "),
        (&["sim", "task", "--format", "certificates"], "--exhaustive"),
        (
            &["sim", "--exhaustive", "--format", "certificates", "--fault", "sends-again"],
            "of a shell with a fault",
        ),
    ];
    for (arguments, expected) in cases {
        let output = run(arguments);
        let (_, said) = words(&output);
        assert_eq!(code(&output), 2, "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}
