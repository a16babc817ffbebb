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
fn certified_scenario_is_seen_whole_and_keeps_every_promise() {
    let output = run(&["sim", "child+message", "--exhaustive", "--format", "json"]);
    assert_eq!(code(&output), 0);
    let scenario = &document(&output)["scenarios"][0];
    assert_eq!((&scenario["result"], &scenario["extent"]), (&Value::from("kept"), &Value::from("complete")));
}

#[test]
fn planted_fault_is_found_drawn_and_found_again_by_its_replay() {
    let output = run(&["sim", "kill", "--exhaustive", "--fault", "sends-again"]);
    let (page, _) = words(&output);
    assert_eq!(code(&output), 1);
    assert!(page.contains("kill: S2 is broken") && page.contains("kills the process"), "{page}");
    let command = page.lines().find_map(|line| line.split_once("downbeat replay '")).expect("it says how").1;
    let recording = command.trim_end_matches('\'');
    let again = run(&["replay", recording]);
    assert_eq!(code(&again), 0);
    assert!(words(&again).0.contains("S2 is broken"));
    let (scenario, schedule) = recording.split_once(" fault=sends-again").expect("it says which fault");
    assert_eq!(
        code(&run(&["replay", &format!("{scenario}{schedule}")])),
        1,
        "without the fault nothing is broken"
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
    ];
    for (arguments, expected) in cases {
        let output = run(arguments);
        let (_, said) = words(&output);
        assert_eq!(code(&output), 2, "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}
