//! The demo in this program. What it does is tested where it lives (`adapters/demo/tests/process.rs`).

use std::process::{Command, Output};

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_downbeat"));
    command.arg("demo").args(arguments).output().expect("the program starts")
}

#[test]
fn demo_runs_to_its_end_and_says_how_it_came_out() {
    let store = std::env::temp_dir().join(format!("downbeat-cli-demo-{}", std::process::id()));
    let path = store.to_str().expect("a name in Unicode");
    let output = demo(&["--tasks", "1", "--speed", "200", "--store", path]);
    drop(std::fs::remove_dir_all(&store));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("every promise was kept:\n"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn wrong_usage_of_the_demo_is_told_by_its_exit_code() {
    for arguments in
        [&["--speed", "0"][..], &["--tasks", "0"], &["--live", "99999"], &["--format", "mermaid"]]
    {
        let output = demo(arguments);
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true), "{arguments:?}");
    }
}
