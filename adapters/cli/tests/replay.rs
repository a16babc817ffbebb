//! Journals in this program. What is shown of them is tested where that lives (`adapters/past/src/tests.rs`).

use downbeat_past::SCENARIO_WORDS;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// The settings under which the demo writes its journal.
const SETTINGS: &str = r#"{"kernel":{"profiles_keyed":0,"attempts_max":16,"backoff_ms":1000}}"#;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("downbeat-cli-replay-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).expect("a folder for the test");
        std::fs::write(path.join("settings.json"), SETTINGS).expect("it is written");
        Self(path)
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a name in Unicode").to_owned()
    }

    /// What asks for the journal of the demo in this folder.
    fn replay(&self, arguments: &[&str]) -> Output {
        let (journal, settings) = (self.at("demo/journal.db"), self.at("settings.json"));
        run(&[&["replay", "--journal", &journal, "--settings", &settings], arguments].concat())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_downbeat")).args(arguments).output().expect("the program starts")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn journal_of_a_demo_is_shown_while_it_runs_and_its_trees_are_exported_when_it_was_killed() {
    let folder = Folder::new("demo");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_downbeat"));
    let store = folder.at("demo");
    demo.args([
        "demo", "--tasks", "50", "--live", "8", "--speed", "4", "--format", "json", "--store", &store,
    ]);
    let mut demo = demo.stdout(Stdio::null()).spawn().expect("the program starts");
    let (mut lines, mut live) = (0, 0);
    while lines < 300 {
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(
            demo.try_wait().expect("it is a child"),
            None,
            "it is over, or whoever reads has stopped it"
        );
        if !Path::new(&folder.at("demo/journal.db")).exists() {
            continue;
        }
        let shown = folder.replay(&["--format", "json"]);
        let error = String::from_utf8_lossy(&shown.stderr).into_owned();
        // Before the first line there is nothing to read.
        if shown.status.code() == Some(2) && lines == 0 {
            continue;
        }
        assert_eq!((shown.status.code(), error.as_str()), (Some(0), ""));
        let documents: Vec<Value> =
            text(&shown).lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
        let now = documents[1]["lines"].as_u64().expect("a number");
        assert!(now >= lines, "{now} lines after {lines}");
        (lines, live) = (now, documents.iter().filter(|document| document["kind"] == "task").count());
    }
    assert!(live > 0, "nothing lives");
    demo.kill().expect("it is a child");
    demo.wait().expect("it is a child");

    let rows = text(&folder.replay(&[]));
    let task =
        rows.lines().find_map(|row| row.trim_start().strip_prefix("task ")).expect("a task that lives");
    let task = task.split_whitespace().next().expect("its number").to_owned();
    let story = folder.replay(&["--task", &task, "--tree"]);
    assert!(
        story.status.success() && text(&story).contains("  why            waits for "),
        "{}",
        text(&story)
    );
    let test = folder.replay(&["--task", &task, "--export", "test"]);
    assert!(test.status.success() && text(&test).contains("#[test]"), "{}", text(&test));
    let tree = folder.replay(&["--task", &task, "--export", "tree"]);
    let file = folder.at("tree.jsonl");
    std::fs::write(&file, &tree.stdout).expect("it is written");
    let played = run(&["replay", &file]);
    assert!(
        played.status.success() && text(&played).ends_with(" events, as recorded\n"),
        "{}",
        text(&played)
    );
    let scenario = text(&folder.replay(&["--task", &task, "--export", "scenario"]));
    let command = scenario.lines().last().and_then(|line| line.strip_prefix("downbeat ")).expect("a command");
    let mut arguments: Vec<_> = command.split(' ').collect();
    arguments.extend(["--seeds", "20", "--quiet"]);
    let simulated = run(&arguments);
    assert!(simulated.status.success(), "{command}\n{}", text(&simulated));
}

/// Whatever a tree may be exported as, `sim` has: every word at once is a scenario of it.
#[test]
fn words_of_exported_scenarios_are_those_of_the_simulator() {
    let words = SCENARIO_WORDS.iter().flat_map(|(word, most)| (0..*most).map(|_| *word));
    let name = words.collect::<Vec<_>>().join("+");
    let simulated = run(&["sim", &name, "--seeds", "1", "--quiet"]);
    assert!(simulated.status.success(), "{name}\n{}", String::from_utf8_lossy(&simulated.stderr));
}

#[test]
fn wrong_usage_of_journals_is_told_by_its_exit_code() {
    let folder = Folder::new("usage");
    let journal = folder.at("journal.db");
    let cases: [&[&str]; 7] = [
        &["replay"],
        &["replay", "--task", "1"],
        &["replay", "some.json", "--journal", &journal],
        &["replay", "--journal", &journal],
        &["replay", "--journal", &journal, "--format", "mermaid"],
        &["replay", "--journal", &journal, "--export", "test"],
        &["replay", "--journal", &journal, "--at", "3", "--until", "4"],
    ];
    for arguments in cases {
        let output = run(arguments);
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: "), "{arguments:?}");
    }
}
