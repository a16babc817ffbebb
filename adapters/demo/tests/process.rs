//! The demo as a process: kills and signals at any moment, what it says to machines, and every error. The process is this same program.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use clap::Parser;
use downbeat_demo::{DemoArgs, demo};
use serde_json::Value;

/// Tells this program that it is the child, and with which arguments, one on each line.
const ARGUMENTS: &str = "DOWNBEAT_DEMO_ARGUMENTS";
/// Has the child panic somewhere, after a while.
const PANICS: &str = "DOWNBEAT_DEMO_PANICS";
const SCHEMA: &str = include_str!("../../../docs/demo.schema.json");

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("downbeat-demo-cli-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        Self(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    args: DemoArgs,
}

/// The child's life. Not a test of its own: without a parent it does nothing.
#[test]
fn child() {
    if let Ok(arguments) = std::env::var(ARGUMENTS) {
        if std::env::var_os(PANICS).is_some() {
            std::thread::spawn(|| {
                std::thread::sleep(Duration::from_millis(500));
                panic!("on purpose");
            });
        }
        let Program { args } = Program::parse_from(["downbeat"].into_iter().chain(arguments.lines()));
        std::process::exit(demo(&args).into());
    }
}

/// A demo with this store.
fn with_store(store: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["child", "--exact", "--nocapture"]);
    let store = store.to_str().expect("a name in Unicode");
    command.env(ARGUMENTS, [&["--store", store], arguments].concat().join("\n"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The same, which says what it does in JSON.
fn in_json(store: &Path, arguments: &[&str]) -> Command {
    with_store(store, &[&["--format", "json"], arguments].concat())
}

/// What it has said in JSON; around it is what a program of tests says.
fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

fn summary(output: &Output) -> Value {
    lines(output).pop().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn assert_valid(lines: &[Value]) {
    let schema = serde_json::from_str(SCHEMA).expect("it is JSON");
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let schema = jsonschema::draft202012::new(&schema).expect("it is a schema");
    for line in lines {
        let errors: Vec<_> = schema.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
    let kinds: Vec<_> = lines.iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!((kinds[0], kinds[1], kinds[kinds.len() - 1]), ("begin", "progress", "summary"));
    let mut broken = lines[lines.len() - 1].clone();
    broken["kept"] = Value::Bool(broken["kept"] == Value::Bool(false));
    assert!(!schema.is_valid(&broken), "a summary that contradicts itself is valid");
}

/// Waits until it has said something.
fn begun(child: &mut Child) {
    let mut line = String::new();
    // One byte at a time: what comes after it is somebody else's.
    let mut out = BufReader::with_capacity(1, child.stdout.as_mut().expect("it is a pipe"));
    while !line.contains(r#""kind":"begin""#) {
        line.clear();
        assert!(out.read_line(&mut line).expect("it says something") > 0, "it has ended");
    }
}

fn signal(id: &str, name: &str) {
    assert!(Command::new("kill").args(["-s", name, id]).status().expect("there is a `kill`").success());
}

#[test]
fn run_that_is_killed_again_and_again_goes_on_and_keeps_every_promise() {
    let folder = Folder::new("kill");
    let mut kills = 0;
    for millis in [40, 250, 700, 110, 1_000, 5, 450, 330] {
        let arguments = ["--tasks", "10", "--live", "5", "--speed", "8"];
        let mut child = in_json(&folder.0, &arguments).spawn().expect("it starts");
        begun(&mut child);
        std::thread::sleep(Duration::from_millis(millis));
        if child.try_wait().expect("it is a child").is_none() {
            signal(&child.id().to_string(), "KILL");
            kills += 1;
        }
        drop(child.wait_with_output());
    }
    assert!(kills > 4, "it was killed {kills} times before it was over");
    let output = in_json(&folder.0, &["--speed", "50"]).output().expect("it starts");
    let lines = lines(&output);
    assert_eq!(output.status.code(), Some(0), "{}", summary(&output));
    assert_valid(&lines);
    let summary = summary(&output);
    assert_eq!((&summary["outcome"], &summary["kept"]), (&"over".into(), &true.into()));
    assert_eq!((&summary["lives"], &summary["killed"]), (&(kills + 1).into(), &kills.into()));
    assert_eq!(summary["totals"]["trees_ended"], 10);
}

#[test]
fn interrupted_run_stops_in_an_orderly_way_and_goes_on() {
    let folder = Folder::new("interrupt");
    for name in ["INT", "TERM"] {
        let mut child = in_json(&folder.0, &["--tasks", "8"]).spawn().expect("it starts");
        begun(&mut child);
        std::thread::sleep(Duration::from_millis(500));
        signal(&child.id().to_string(), name);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(130));
        let mut rest = lines(&output);
        let last = rest.pop().expect("a summary");
        assert_eq!(
            (&last["outcome"], &last["kept"], &last["killed"]),
            (&"stopped".into(), &true.into(), &0.into())
        );
    }
    let output = in_json(&folder.0, &["--speed", "100"]).output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{}", summary(&output));
    assert_eq!(summary(&output)["lives"], 3);
}

/// What the store forgets is sent again: the promise that is broken by that is said, and by the exit code too.
#[test]
fn journal_that_is_put_back_breaks_a_promise_and_says_so() {
    let folder = Folder::new("put-back");
    let kept = Folder::new("put-back-kept");
    let files = ["journal.db", "journal.db-wal"];
    let copy = |from: &Folder, to: &Folder| {
        for file in files {
            drop(fs::remove_file(to.at(file)));
            drop(fs::copy(from.at(file), to.at(file)));
        }
        drop(fs::remove_file(to.at("journal.db-shm")));
    };
    fs::create_dir_all(&kept.0).expect("it is made");
    for millis in [1_500, 3_000] {
        let mut child = in_json(&folder.0, &["--tasks", "6", "--speed", "4"]).spawn().expect("it starts");
        begun(&mut child);
        std::thread::sleep(Duration::from_millis(millis));
        signal(&child.id().to_string(), "KILL");
        drop(child.wait_with_output());
        if millis == 1_500 {
            copy(&folder, &kept);
        }
    }
    copy(&kept, &folder);
    let output = in_json(&folder.0, &["--speed", "100"]).output().expect("it starts");
    let summary = summary(&output);
    assert_eq!((output.status.code(), &summary["kept"]), (Some(1), &false.into()), "{summary}");
    assert_valid(&lines(&output));
    let again = "is over and has broken a promise";
    let (code, text) = error(&folder, &[]);
    assert!(code == Some(2) && text.contains(again), "{text}");
}

#[test]
fn lines_for_people_say_where_it_is_stored_and_how_it_goes_on() {
    let folder = Folder::new("lines");
    let output = with_store(&folder.0, &["--tasks", "2", "--speed", "100"]).output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).replace(&folder.0.display().to_string(), "DIR");
    let begins = format!(
        "a run of seed 1 in `DIR`; if it is stopped, `{} demo --store DIR --speed 100` goes on\n",
        std::env::current_exe().expect("this program").file_stem().expect("it has a name").display()
    );
    assert!(text.contains(&begins), "{text}");
    assert!(!text.contains('\u{1b}'), "no screen where there is no terminal: {text}");
    assert!(text.contains("every promise was kept:\n"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}

/// What is said on standard error, with the folder as DIR.
fn error(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let output = in_json(&folder.0, arguments).output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stderr).replace(&folder.0.display().to_string(), "DIR");
    (output.status.code(), text)
}

#[test]
fn errors_name_what_to_do() {
    let refused = |text: &str| (Some(2), format!("error: {text}\n"));
    let folder = Folder::new("errors");
    let mut child = in_json(&folder.0, &["--tasks", "7"]).spawn().expect("it starts");
    begun(&mut child);
    std::thread::sleep(Duration::from_millis(700));
    let held = "another demo runs with `DIR/world.jsonl`; stop that one, or name another folder with --store";
    assert_eq!(error(&folder, &[]), refused(held));
    assert_eq!(error(&folder, &["--fresh"]), refused(held));
    signal(&child.id().to_string(), "KILL");
    drop(child.wait_with_output());

    let other = "the run in `DIR` is not over and has --tasks 7; leave --tasks out to go on with it, or begin anew with --fresh";
    assert_eq!(error(&folder, &["--tasks", "8"]), refused(other));
    let other = "the run in `DIR` is not over and has --seed 1; leave --seed out to go on with it, or begin anew with --fresh";
    assert_eq!(error(&folder, &["--seed", "2"]), refused(other));

    let journal = fs::read(folder.at("journal.db")).expect("it is there");
    fs::write(
        folder.at("journal.db"),
        b"no database, and much longer than the head of one would be, by far......",
    )
    .expect("it is written");
    for file in ["journal.db-wal", "journal.db-shm"] {
        drop(fs::remove_file(folder.at(file)));
    }
    let damaged = "store: this is no database, or a damaged one: restore it from a backup; or begin anew with --fresh (the store is `DIR`)";
    assert_eq!(error(&folder, &[]), refused(damaged));
    fs::remove_file(folder.at("journal.db")).expect("it is removed");
    let torn = "`DIR/journal.db` is missing, without which the run cannot go on; --fresh removes what is stored and begins anew";
    assert_eq!(error(&folder, &[]), refused(torn));
    fs::write(folder.at("journal.db"), journal).expect("it is written");

    let world = fs::read(folder.at("world.jsonl")).expect("it is there");
    fs::write(folder.at("world.jsonl"), [&world[..], b"no line\n"].concat()).expect("it is written");
    let (code, text) = error(&folder, &[]);
    assert!(code == Some(2) && text.starts_with("error: `DIR/world.jsonl` is damaged in line "), "{text}");
    assert!(text.ends_with("--fresh removes what is stored and begins anew\n"), "{text}");
    fs::write(folder.at("world.jsonl"), b"{\"Run\":{\"version\":999,\"seed\":1,\"trees\":2}}\n")
        .expect("it is written");
    let newer = "`DIR/world.jsonl` is not of a run of this version; use the version that wrote it, or begin anew with --fresh";
    assert_eq!(error(&folder, &[]), refused(newer));
    fs::remove_file(folder.at("world.jsonl")).expect("it is removed");
    let torn = "`DIR/world.jsonl` is missing, without which the run cannot go on; --fresh removes what is stored and begins anew";
    assert_eq!(error(&folder, &[]), refused(torn));
    let fresh =
        in_json(&folder.0, &["--fresh", "--tasks", "1", "--speed", "100"]).output().expect("it starts");
    assert_eq!(fresh.status.code(), Some(0), "{}", summary(&fresh));

    fs::write(folder.at("letter.txt"), b"dear").expect("it is written");
    let foreign =
        "`DIR` has files that are not of a demo, such as `letter.txt`; name another folder with --store";
    assert_eq!(error(&folder, &["--fresh"]), refused(foreign));
    assert!(folder.at("letter.txt").exists(), "what is not a demo's is not touched");
}

#[test]
fn folder_that_cannot_be_written_is_an_error() {
    let folder = Folder::new("read-only");
    fs::create_dir_all(&folder.0).expect("it is made");
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o555)).expect("it is ours");
    let is_free = fs::write(folder.at("try"), b"").is_ok();
    drop(fs::remove_file(folder.at("try")));
    if is_free {
        println!("skipped for folders: whoever runs this may write everywhere");
    } else {
        let text = error(&folder, &[]);
        assert_eq!(text.0, Some(2));
        assert!(
            text.1.ends_with("check the permissions, or name another folder with --store\n"),
            "{}",
            text.1
        );
    }
    let folder = Folder::new("no-folder");
    fs::write(&folder.0, b"a file").expect("it is written");
    let text = "error: `DIR` cannot be used: File exists (os error 17); check the permissions, or name another folder with --store\n";
    assert_eq!(error(&folder, &[]), (Some(2), text.to_owned()));
    drop(fs::remove_file(&folder.0));
}

#[test]
fn full_disk_ends_the_run_with_an_error() {
    let folder = Folder::new("full");
    let command = in_json(&folder.0, &["--tasks", "200", "--live", "50", "--speed", "50"]);
    let mut limited = Command::new("bash");
    // The signal that comes with the error is ignored, as it is on a disk that is full.
    limited.args(["-c", r#"trap "" XFSZ; ulimit -f 64; exec "$0" "$@""#]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = limited.output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.starts_with("error: "), "{text}");
}

/// What a demo writes to a terminal of its own, which is sent that signal after a while. `None` where no terminal can be had.
fn on_a_terminal(folder: &Folder, variables: &[(&str, &str)], name: Option<&str>) -> Option<String> {
    let speed = if name.is_some() { "1" } else { "15" };
    let command = with_store(&folder.0, &["--tasks", "4", "--speed", speed]);
    let arguments: Vec<_> = command.get_args().filter_map(|argument| argument.to_str()).collect();
    let line = format!("exec '{}' {}", command.get_program().to_str()?, arguments.join(" "));
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env("TERM", "xterm");
    terminal.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    terminal.envs(variables.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped());
    let Ok(child) = terminal.spawn() else {
        println!("skipped: `script`, which gives a program a terminal, is not there");
        return None;
    };
    std::thread::sleep(Duration::from_millis(1_500));
    if let Some(name) = name {
        let children = Command::new("pgrep").args(["-P", &child.id().to_string()]).output();
        let children = String::from_utf8(children.expect("there is a `pgrep`").stdout).expect("numbers");
        children.lines().for_each(|id| signal(id, name));
    }
    let output = child.wait_with_output().expect("it ends");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn terminal_is_given_back_at_the_end_on_a_signal_and_on_a_panic() {
    let (taken, given_back) = ("\u{1b}[?1049h", "\u{1b}[?1049l");
    let (hidden, shown) = ("\u{1b}[?25l", "\u{1b}[?25h");
    let cases = [
        ("end", None, "every promise was kept:"),
        ("interrupt", Some("INT"), "every promise was kept so far:"),
        ("terminate", Some("TERM"), "every promise was kept so far:"),
        ("panic", None, "on purpose"),
    ];
    for (name, signal, after) in cases {
        let variables = if name == "panic" { &[(PANICS, "1")][..] } else { &[] };
        let folder = Folder::new(&format!("terminal-{name}"));
        let Some(written) = on_a_terminal(&folder, variables, signal) else { return };
        let at =
            |what: &str| written.find(what).unwrap_or_else(|| panic!("{name}: no {what:?} in {written:?}"));
        assert!(at(taken) < at(given_back) && at(hidden) < at(shown), "{name}: {written:?}");
        assert!(at(given_back) < at(after), "{name}: it is said where it goes with the screen: {written:?}");
        let (_, rest) = written.rsplit_once(given_back).expect("it is there");
        assert!(!rest.contains(taken) && !rest.contains(hidden), "{name}: it is taken again: {written:?}");
    }
}

#[test]
fn colours_are_left_out_where_nobody_wants_them() {
    let colour = "\u{1b}[38;5;";
    for (variables, has_colours) in [(&[("NO_COLOR", "")][..], true), (&[("NO_COLOR", "1")], false)] {
        let folder = Folder::new(&format!("colours-{has_colours}"));
        let Some(written) = on_a_terminal(&folder, variables, Some("INT")) else { return };
        assert_eq!(written.contains(colour), has_colours, "{written:?}");
    }
}
