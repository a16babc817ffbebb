//! The program as a process: signals, kills at any moment, disks that are full, and readers that are gone.
#![cfg(unix)]

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_downbeat");
/// Searched in a second or two, in some thirty blocks.
const VARIANT: &str = "subtask-completion@kernel-retries";
/// Nothing that a test waits for takes this long on any machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("downbeat-process-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("there is room for temporary files");
        Self(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn checkpoint(&self) -> PathBuf {
        self.at(&format!("{VARIANT}.checkpoint"))
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).expect("it exists");
        entries.map(|entry| entry.expect("it can be listed").path()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A check of [`VARIANT`] that writes JSON.
fn check(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["check", VARIANT, "--format", "json"]).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A check of [`VARIANT`] that writes a checkpoint after each block.
fn check_with_checkpoints(directory: &Directory) -> Command {
    let mut command = check(&["--checkpoint-every", "0", "--checkpoint"]);
    command.arg(&directory.0);
    command
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the program starts")
}

fn start(command: &mut Command) -> Child {
    command.spawn().expect("the program starts")
}

fn end(child: Child) -> Output {
    child.wait_with_output().expect("it is a child")
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let status = Command::new("kill").args(["-s", name, &id]).status().expect("there is a `kill`");
    assert!(status.success(), "no signal {name} for {id}");
}

/// Waits until something is so, or until the program has ended; whether it is so.
fn wait_until(child: &mut Child, mut is_so: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if is_so() {
            return true;
        }
        if child.try_wait().expect("it is a child").is_some() {
            return false;
        }
        assert!(begin.elapsed() < PATIENCE, "nothing happens");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The report without what differs between two runs of one check.
fn report(output: &Output) -> Value {
    let mut report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", text(&output.stdout), text(&output.stderr)));
    for run in report["runs"].as_array_mut().expect("a report has runs") {
        run["seconds"] = json!(null);
    }
    report
}

#[test]
fn interrupted_check_reports_and_goes_on() {
    let directory = Directory::new("interrupt");
    let expected = output(&mut check(&[]));
    assert_eq!(expected.status.code(), Some(0));

    let mut child = start(check_with_checkpoints(&directory).arg("subtask-completion@mutex-recursive"));
    assert!(wait_until(&mut child, || directory.checkpoint().exists()), "it was too fast to be interrupted");
    signal(&child, "INT");
    let interrupted = end(child);
    assert_eq!(interrupted.status.code(), Some(130), "{}", text(&interrupted.stderr));
    let report_so_far = report(&interrupted);
    // The variants come in the order of the registry.
    let run = &report_so_far["runs"][1];
    assert_eq!((&run["variant"], &run["stopped_by"]), (&json!("kernel-retries"), &json!("interrupt")));
    assert_eq!((&run["verdict"], &report_so_far["as_expected"]), (&json!("incomplete"), &json!(false)));
    let checkpoint = directory.checkpoint();
    let expected_hint = format!(
        "interrupted: {VARIANT} is incomplete\nsaved: {}\nto go on: downbeat check {VARIANT} --format json \
         --checkpoint-every 0 --checkpoint {} subtask-completion@mutex-recursive --resume\n",
        checkpoint.display(),
        directory.0.display(),
    );
    assert_eq!(text(&interrupted.stderr), expected_hint);

    let resumed = output(check_with_checkpoints(&directory).arg("--resume"));
    assert_eq!((resumed.status.code(), report(&resumed)), (Some(0), report(&expected)));
    assert_eq!(directory.files(), Vec::<PathBuf>::new(), "a complete search leaves nothing behind");
}

#[test]
fn killed_check_goes_on_from_whatever_it_has_written() {
    let directory = Directory::new("kill");
    let expected = output(&mut check(&[]));
    let mut kills = 0;
    // By the size of the checkpoint, and by time: while it finds its states again, writes, searches, decides liveness.
    for (bytes, millis) in
        [(1, 0), (0, 40), (30_000, 0), (0, 150), (90_000, 3), (0, 400), (150_000, 70), (200_000, 1)]
    {
        let mut child = start(check_with_checkpoints(&directory).arg("--resume"));
        let size = || fs::metadata(directory.checkpoint()).map_or(0, |file| file.len());
        if wait_until(&mut child, || size() >= bytes) {
            std::thread::sleep(Duration::from_millis(millis));
        }
        if child.try_wait().expect("it is a child").is_none() {
            signal(&child, "KILL");
            kills += 1;
        }
        drop(end(child));
    }
    assert!(kills > 2, "it was killed {kills} times before it had ended");
    let resumed = output(check_with_checkpoints(&directory).arg("--resume"));
    assert_eq!((resumed.status.code(), report(&resumed)), (Some(0), report(&expected)));
    assert_eq!(directory.files(), Vec::<PathBuf>::new(), "what a kill left is removed too");
}

#[test]
fn second_interrupt_ends_the_program_at_once() {
    let directory = Directory::new("twice");
    // A pipe that nobody reads in the place of a file: the program waits there for ever.
    let pipe = directory.at("agent-reports@as-is.L1.json.part");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("there is a `mkfifo`").success());
    let mut command = Command::new(PROGRAM);
    command.args(["check", "agent-reports@as-is", "--out"]).arg(&directory.0);
    let mut child = start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    assert!(wait_until(&mut child, || directory.at("agent-reports@as-is.L1.txt").exists()));
    let mut signals = 0;
    while child.try_wait().expect("it is a child").is_none() {
        signal(&child, "INT");
        signals += 1;
        std::thread::sleep(Duration::from_millis(50));
        assert!(signals < 1_000, "nothing ends it");
    }
    assert_eq!(end(child).status.code(), Some(130));
    assert!(signals > 1, "the first one is no reason to leave everything undone");
}

/// A command that cannot write a file of more than 64 KiB.
fn with_little_room(command: &Command) -> Command {
    with_room_for(64, command)
}

/// A command that cannot write a file of more than so many KiB.
fn with_room_for(kibibytes: u32, command: &Command) -> Command {
    // The signal that comes with the error is ignored, as it is on a disk that is full.
    let mut limited = Command::new("bash");
    limited.args(["-c", &format!(r#"trap "" XFSZ; ulimit -f {kibibytes}; exec "$0" "$@""#)]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.stdout(Stdio::piped()).stderr(Stdio::piped());
    limited
}

#[test]
fn full_disk_under_a_checkpoint_leaves_the_one_before() {
    let directory = Directory::new("full-checkpoint");
    let expected = output(&mut check(&[]));
    let full = output(&mut with_little_room(&check_with_checkpoints(&directory)));
    assert_eq!(full.status.code(), Some(2));
    let error = format!(
        "error: {VARIANT} cannot be checked: cannot write `{}.part`: File too large (os error 27); the checkpoint \
         before, if there was one, is still there: make room, and go on with --resume\n",
        directory.checkpoint().display()
    );
    assert_eq!(text(&full.stderr), error);
    assert_eq!(directory.files(), [directory.checkpoint()], "what could not be completed is gone");
    let resumed = output(check_with_checkpoints(&directory).arg("--resume"));
    assert_eq!((resumed.status.code(), report(&resumed)), (Some(0), report(&expected)));
}

#[test]
fn full_disk_under_a_spill_ends_that_search_alone() {
    let directory = Directory::new("full-spill");
    let mut command = check(&["agent-reports@as-is", "--max-memory", "3", "--spill"]);
    command.arg(&directory.0);
    let child = start(&mut with_little_room(&command));
    let id = child.id();
    let full = end(child);
    assert_eq!(full.status.code(), Some(2));
    let file = directory.at(&format!("downbeat-{id}-0/1"));
    let error = format!("cannot write `{}`: File too large (os error 27)", file.display());
    let advice = "--spill names another directory, and --no-spill ends a search instead";
    assert_eq!(text(&full.stderr), format!("error: {VARIANT} cannot be checked: {error}; {advice}\n"));
    let report = report(&full);
    assert_eq!(report["runs"].as_array().map(Vec::len), Some(1), "the other one was checked");
    let not_checked =
        json!([{ "model": "subtask-completion", "variant": "kernel-retries", "reason": error }]);
    assert_eq!(report["not_checked"], not_checked);
    assert_eq!(directory.files(), Vec::<PathBuf>::new(), "what was spilled is gone");
}

#[test]
fn what_a_killed_search_has_spilled_is_removed_by_the_next_one() {
    let directory = Directory::new("killed-spill");
    let spilling = || {
        let mut command = check(&["--max-memory", "3", "--spill"]);
        command.arg(&directory.0);
        command
    };
    let mut child = start(&mut spilling());
    let left = directory.at(&format!("downbeat-{}-0", child.id()));
    assert!(wait_until(&mut child, || left.join("1").exists()), "it was too fast to be killed");
    signal(&child, "KILL");
    drop(end(child));
    assert_eq!(directory.files(), [left]);
    let next = output(&mut spilling());
    assert_eq!((next.status.code(), text(&next.stderr)), (Some(3), String::new()));
    assert_eq!(directory.files(), Vec::<PathBuf>::new());
}

#[test]
fn full_disk_under_a_counterexample_loses_no_result() {
    let directory = Directory::new("full-out");
    let mut command = Command::new(PROGRAM);
    command.args(["check", "agent-reports@as-is", "--format", "json"]);
    let expected = report(&output(&mut command));
    command.arg("--out").arg(&directory.0);
    let full = output(&mut with_room_for(1, &command));
    let file = directory.at("agent-reports@as-is.deadlock.json");
    let error = format!("error: {} cannot be written: File too large (os error 27)\n", file.display());
    assert_eq!((full.status.code(), text(&full.stderr)), (Some(2), error));
    assert_eq!(report(&full), expected, "the report is as complete as without files");
    let is_part = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "part");
    assert!(!file.exists() && !directory.files().iter().any(is_part), "no half of a file stays");
}

#[test]
fn diagrams_in_files_say_that_they_are_perhaps_not_the_shortest() {
    let caveat =
        "perhaps not a shortest one: by partial order, steps were left out that may lead there sooner\n";
    for (format, extension) in [("text", "txt"), ("mermaid", "mmd")] {
        let directory = Directory::new(&format!("caveat-{format}"));
        for (reduction, expected) in [(&[][..], 0), (&["--reduce", "partial-order"], 1)] {
            let mut command = Command::new(PROGRAM);
            command.args(["check", "agent-reports@as-is", "--format", format, "--out"]).arg(&directory.0);
            output(command.args(reduction));
            let file = directory.at(&format!("agent-reports@as-is.deadlock.{extension}"));
            let diagram = fs::read_to_string(file).expect("it was written");
            assert_eq!(diagram.matches(caveat).count(), expected, "{diagram}");
        }
    }
}

#[test]
fn output_that_cannot_be_written_is_a_failure_unless_its_reader_is_gone() {
    let full = File::options().write(true).open("/dev/full").expect("there is a full device");
    let full = output(Command::new(PROGRAM).args(["check", "agent-reports@as-is"]).stdout(full));
    let error = "error: the output cannot be written: No space left on device (os error 28)\n";
    assert_eq!((full.status.code(), text(&full.stderr).as_str()), (Some(2), error));

    let mut child =
        start(Command::new(PROGRAM).args(["check", "agent-reports@as-is"]).stdout(Stdio::piped()));
    drop(child.stdout.take());
    assert_eq!(end(child).status.code(), Some(0));
}
