//! The demo in this program. What it does is tested where it lives (`adapters/demo/tests/process.rs`).

use std::process::{Command, Output};
use std::thread::sleep;
use std::time::Duration;

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

/// Nobody reads what it says, so that it waits for room in the pipe for ever and cannot stop.
#[test]
#[cfg(unix)]
fn second_interrupt_ends_a_demo_that_cannot_stop() {
    use std::io::Write;
    use std::process::Stdio;

    let store = std::env::temp_dir().join(format!("downbeat-cli-demo-stuck-{}", std::process::id()));
    let (reader, writer) = std::io::pipe().expect("there is a pipe");
    let mut filler = writer.try_clone().expect("a pipe has as many ends as are wanted");
    let filled = std::thread::spawn(move || while filler.write_all(&[b' '; 4_096]).is_ok() {});
    sleep(Duration::from_millis(300));
    let mut command = Command::new(env!("CARGO_BIN_EXE_downbeat"));
    command.args(["demo", "--format", "json", "--store"]).arg(&store).stdout(writer).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    // Who sends the writing end to a child keeps none.
    drop(command);
    let id = child.id().to_string();
    let interrupt = || {
        assert!(Command::new("kill").args(["-s", "INT", &id]).status().expect("there is a `kill`").success());
    };
    while !store.join("journal.db").exists() {
        sleep(Duration::from_millis(20));
    }
    // Long enough to be at the first line.
    sleep(Duration::from_millis(500));
    interrupt();
    sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().expect("it is a child"), None, "one interrupt has ended it at once");
    interrupt();
    let ended = (0..500).find_map(|_| {
        sleep(Duration::from_millis(20));
        child.try_wait().expect("it is a child")
    });
    drop(child.kill());
    assert_eq!(ended.and_then(|status| status.code()), Some(130));
    drop(reader);
    filled.join().expect("it ends when nobody can read any more");
    drop(std::fs::remove_dir_all(&store));
}
