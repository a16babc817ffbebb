//! The command `validate` as a process: exit codes, standard input, files that grow, files that are none, memory.
#![cfg(unix)]

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_downbeat");

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("downbeat-validate-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("there is room for temporary files");
        Self(path)
    }

    /// A file in it, as an argument.
    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("it can be written");
        path.into_os_string().into_string().expect("it is UTF-8")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("validate").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What the program says and how it ends, with this on its standard input.
fn validate(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = command(arguments).spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("it is a pipe");
    pipe.write_all(input.as_bytes()).expect("it reads");
    drop(pipe);
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it is a child");
    (status.code(), text(&stdout), text(&stderr))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const KEPT: &str = "{\"event\":\"request-started\",\"task\":1}\n{\"event\":\"request-ended\",\"task\":1,\"end\":\"completed\"}\n";
const BROKEN: &str = "{\"event\":\"request-started\",\"task\":1}\n{\"event\":\"request-started\",\"task\":1}\n{\"event\":\"request-ended\",\"task\":1,\"end\":\"completed\"}\n";

/// More agents at once than are followed.
fn too_many() -> String {
    let mut trace = String::from("{\"event\":\"iterator-ended\",\"agent\":0,\"iterator\":0}\n");
    for agent in 1..=100_001 {
        let _ = writeln!(trace, "{{\"event\":\"iterator-started\",\"agent\":{agent},\"iterator\":1}}");
    }
    trace
}

#[test]
fn end_says_what_the_trace_shows() {
    let directory = Directory::new("ends");
    let (kept, broken) = (directory.file("kept", KEPT), directory.file("broken", BROKEN));
    let many = directory.file("many", too_many());
    let foreign = directory.file("foreign", "{\"event\":\"request-started\",\"task\":1}\nhello\n");
    let binary = directory.file("binary", [0x7f, b'E', b'L', b'F', 0, 1, 2, 3]);
    let cut = directory.file("cut", &KEPT[..KEPT.len() - 9]);
    let cut_behind = directory.file("cut-behind", format!("{KEPT}{}", &KEPT[..20]));
    let (empty, spans) = (directory.file("empty", ""), directory.file("spans", "{\"resourceSpans\":[]}"));
    let of_a_task = directory.file("ui_messages.json", "[]");
    let storage = concat!(env!("CARGO_MANIFEST_DIR"), "/../saved/tests/folders").to_owned();
    let bare = Directory::new("bare");
    let folder = bare.0.to_str().expect("it is UTF-8");
    #[rustfmt::skip]
    let cases: &[(&[&str], i32, &str)] = &[
        (&[&kept], 0, "no promise was broken, of those that can be told"),
        (&[&broken], 1, "broken: S1"),
        (&[&many], 3, "kept in what was followed; a bound kept the rest out"),
        (&[&foreign], 2, "not read to its end: line 2, column 1, byte 37: expected value"),
        (&[&binary], 2, "not read to its end: line 1, column 1, byte 0: expected value"),
        (&[&cut], 3, "note: the last line is cut off (line 2, byte 37)"),
        (&[&empty], 3, "nothing was put to the test that can be told"),
        (&[&cut_behind], 0, "note: the last line is cut off (line 3"),
        (&[&cut_behind, "--whole"], 3, "note: the last line is cut off (line 3"),
        (&[&kept, "--explain", "--order", "times", "--apart", "nan"], 2, "invalid value 'nan'"),
        (&[&kept, "--explain", "--order", "times", "--apart=-5"], 2, "invalid value '-5'"),
        (&[&kept, "--settings", &kept], 2, "--settings is for journals of a shell"),
        (&["-", "--explain"], 2, "standard input and pipes come once"),
        (&[&spans, "--explain"], 2, "--explain is for traces and journals"),
        (&[&of_a_task], 2, "it is a file of a saved task: name its folder"),
        (&[&storage, "--whole"], 2, "--whole is for traces"),
        (&[&kept, &many], 3, "kept"),
        (&[&kept, &broken, &many], 1, "broken: S1"),
        (&[&kept, &foreign, &broken], 2, "broken: S1"),
        (&[&kept, "no-such-file"], 2, "no-such-file: "),
        (&[folder], 2, "no saved task; looked for"),
        (&[&kept, &broken, "--follow"], 2, "--follow waits at the end of one trace"),
        (&[&kept, "--follow", "--whole"], 2, "cannot be used with"),
        (&[], 2, "required arguments"),
    ];
    for (arguments, code, words) in cases {
        let (ended, out, err) = validate(arguments, "");
        assert_eq!(ended, Some(*code), "{arguments:?}\n{out}\n{err}");
        assert!(out.contains(words) || err.contains(words), "{arguments:?}: no {words:?} in\n{out}\n{err}");
    }
}

#[test]
fn logs_of_several_processes_are_one_trace_in_the_order_of_their_times() {
    // The loop and the end of the subtask log by themselves. Neither sends twice.
    let main = "{\"event\":\"request-started\",\"task\":1,\"request\":1,\"at_ms\":10}\n{\"event\":\"request-ended\",\"task\":1,\"request\":1,\"end\":\"completed\",\"at_ms\":30}\n";
    let other = main.replace("\"request\":1", "\"request\":2").replace("10}", "20}").replace("30}", "40}");
    let directory = Directory::new("merge");
    let (one, two) = (directory.file("one", main), directory.file("two", &other));
    let cut = directory.file("cut", &other[..other.len() - 9]);
    let untimed = directory.file("untimed", KEPT);
    let spans = directory.file("spans", "{\"resourceSpans\":[]}");
    let shuffled = directory.file("shuffled", main.lines().rev().collect::<Vec<_>>().join("\n"));
    let folder = directory.0.to_str().expect("it is UTF-8");
    #[rustfmt::skip]
    let cases: &[(&[&str], i32, &str)] = &[
        (&[&one, &two], 0, "no promise was broken"),
        (&[&one, &two, "--merge"], 1, "file 2, line 1: a request was sent while another one is in flight"),
        (&[&one, &two, "--merge", "--explain"], 1, "explained by the kernel"),
        (&[&one, "-", "--merge"], 0, "note: file 2 is -"),
        (&[&one, &cut, "--merge"], 1, "note: the last line of a file is cut off (file 2, line 2"),
        (&[&one, &untimed, "--merge"], 2, "file 2, line 1, byte 0: it has no time (`at_ms`)"),
        (&[&one, &spans, "--merge"], 2, "--merge puts lines in order, and this is spans"),
        (&[&one, folder, "--merge"], 2, "--merge puts lines in order, and this is a folder"),
        (&[&one, "no-such-file", "--merge"], 2, "no-such-file: "),
        (&[&one, "--merge", "--follow"], 2, "cannot be used with"),
        (&[&one, "-", "--merge", "--explain"], 2, "standard input and pipes come once"),
        (&["-", "-", "--merge"], 2, "name it once"),
        (&[&shuffled], 0, "earlier than one above"),
        (&[&shuffled, "--merge"], 0, "S1   at most one model request in flight for a task\n       kept, once at stake"),
    ];
    for (arguments, code, words) in cases {
        let (ended, out, err) = validate(arguments, "");
        assert_eq!(ended, Some(*code), "{arguments:?}\n{out}\n{err}");
        assert!(out.contains(words) || err.contains(words), "{arguments:?}: no {words:?} in\n{out}\n{err}");
    }
    let (_, out, _) = validate(&[&one, &two, "--merge", "--explain", "--format", "json"], "");
    let document = of_schema(&out);
    assert_eq!(document["traces"][0]["files"], serde_json::json!([one, two]));
    assert_eq!(document["traces"][0]["properties"][0]["breach"]["context"][1]["file"], 2);
}

#[test]
fn standard_input_is_a_trace() {
    let (code, out, _) = validate(&["-"], BROKEN);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.starts_with("standard input: 3 events, 1 task\n"), "{out}");
    // By its path a pipe is read once, too, and the first byte is not lost. It is followed to its end.
    for arguments in [["/dev/stdin", "--quiet"], ["/dev/stdin", "--follow"], ["-", "--follow"]] {
        let (code, out, error) = validate(&arguments, BROKEN);
        assert_eq!((code, error.as_str()), (Some(1), ""), "{arguments:?}: {out}");
        assert!(out.contains("3 events, 1 task\n") && out.contains("S1 violated"), "{arguments:?}: {out}");
    }
}

/// What was found by then is told.
#[test]
fn ctrl_c_ends_what_says_nothing() {
    for arguments in [&["-"][..], &["-", "--merge", "/dev/null"], &["-", "--follow"]] {
        let mut child = command(arguments).spawn().expect("the program starts");
        let mut pipe = child.stdin.take().expect("it is a pipe");
        let timed = BROKEN.replace("\"task\":1", "\"task\":1,\"at_ms\":5");
        pipe.write_all(timed.as_bytes()).expect("it reads");
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert!(child.try_wait().expect("it is a child").is_none(), "{arguments:?}: it did not wait");
        interrupt(&child);
        let output = child.wait_with_output().expect("it is a child");
        let page = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {page}");
        assert!(page.contains("note: ended by Ctrl-C before its end"), "{arguments:?}: {page}");
        drop(pipe);
    }
}

#[test]
fn what_is_broken_is_drawn_in_mermaid_too() {
    let directory = Directory::new("mermaid");
    let (kept, broken) = (directory.file("kept", KEPT), directory.file("broken", BROKEN));
    let (code, out, error) = validate(&[&kept, &broken, "--format", "mermaid"], "");
    assert_eq!((code, error.as_str()), (Some(1), ""));
    let (head, diagram) = out.split_once('\n').expect("two lines");
    assert_eq!(head, format!("%% {broken} S1"));
    assert!(diagram.starts_with("sequenceDiagram\n") && diagram.contains("line 2"), "{out}");
    let (code, out, _) = validate(&["-", "--format", "mermaid"], "hello\n");
    assert_eq!(
        (code, out.lines().count(), out.starts_with("%% standard input was not read")),
        (Some(2), 1, true)
    );
    for arguments in [&[&broken, "--explain"][..], &[directory.0.to_str().expect("it is UTF-8")]] {
        let (code, _, error) = validate(&[arguments, &["--format", "mermaid"]].concat(), "");
        assert!(code == Some(2) && error.contains("leave `--format mermaid` out"), "{error}");
    }
}

/// A document that is one of the schema.
fn of_schema(document: &str) -> Value {
    let schema = include_str!("../../../docs/validate.schema.json");
    let schema = serde_json::from_str(schema).expect("it is JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("it is a schema");
    let document: Value = serde_json::from_str(document).expect("it is one document of JSON");
    let errors: Vec<_> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    document
}

#[test]
fn output_for_machines_is_that_of_the_schema() {
    let directory = Directory::new("json");
    let kept = directory.file("kept", KEPT);
    let (code, out, err) = validate(&[&kept, "-", "no-such-file", "--format", "json"], BROKEN);
    assert_eq!(code, Some(2), "{err}");
    let document = of_schema(&out);
    let verdicts: Vec<_> =
        (0..2).map(|trace| &document["traces"][trace]["properties"][0]["verdict"]).collect();
    assert_eq!(verdicts, ["kept", "broken"]);
}

fn interrupt(child: &Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &id]).status().expect("there is a `kill`").success());
}

#[test]
fn file_that_grows_is_followed_until_ctrl_c() {
    let directory = Directory::new("follow");
    let path = directory.file("trace", KEPT);
    let grow = |text: &str| {
        let mut file = OpenOptions::new().append(true).open(&path).expect("it is there");
        file.write_all(text.as_bytes()).expect("it can be written");
    };
    let mut child = command(&[&path, "--follow"]).spawn().expect("the program starts");
    // Half a line is no event yet.
    grow(&BROKEN[..50]);
    grow(&BROKEN[50..]);
    let mut out = BufReader::new(child.stdout.take().expect("it is a pipe"));
    let mut told = String::new();
    while !told.contains("S1 violated") {
        assert!(out.read_line(&mut told).expect("it says something") > 0, "it has ended: {told}");
    }
    interrupt(&child);
    assert_eq!(
        child.wait().expect("it is a child").code(),
        Some(1),
        "a breach counts more than who ended it"
    );

    let kept = directory.file("kept", KEPT);
    let mut child = command(&[&kept, "--follow"]).spawn().expect("the program starts");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(child.try_wait().expect("it is a child").is_none(), "it did not wait for more");
    interrupt(&child);
    let output = child.wait_with_output().expect("it is a child");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("note: ended by Ctrl-C before its end"));
}

/// The greatest memory that a process had, in kilobytes.
#[cfg(target_os = "linux")]
fn peak_kb(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("it has memory");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("a number")
}

/// Tasks one after the other, of so many bytes, on a pipe: the memory that judging them takes.
#[cfg(target_os = "linux")]
fn peak_kb_of(bytes: usize) -> u64 {
    let mut child = command(&["-", "--quiet"]).spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("it is a pipe");
    let (mut written, mut task) = (0, 0_u64);
    while written < bytes {
        let mut block = String::new();
        for _ in 0..200 {
            task += 1;
            let _ = writeln!(block, "{{\"event\":\"task-started\",\"task\":{task}}}");
            for turn in 0..40 {
                let _ = writeln!(block, "{{\"event\":\"request-started\",\"task\":{task},\"turn\":{turn}}}");
                let _ = writeln!(
                    block,
                    "{{\"event\":\"request-ended\",\"task\":{task},\"turn\":{turn},\"end\":\"completed\"}}"
                );
            }
            let _ = writeln!(block, "{{\"event\":\"task-ended\",\"task\":{task},\"end\":\"completed\"}}");
        }
        pipe.write_all(block.as_bytes()).expect("it reads");
        written += block.len();
    }
    // What is still in the pipe is a few kilobytes.
    let peak = peak_kb(&child);
    drop(pipe);
    let output = child.wait_with_output().expect("it is a child");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    peak
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_trace() {
    let (short, long) = (peak_kb_of(8 << 20), peak_kb_of(40 << 20));
    assert!(long < short + 8_000, "{short} kB for 8 MB, {long} kB for 40 MB");
    assert!(long < 64_000, "{long} kB");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "a gigabyte takes minutes without optimization"]
fn gigabyte_takes_no_more_memory_than_its_ended_tasks() {
    let peak = peak_kb_of(1 << 30);
    // Some 160,000 tasks have ended, of which about five hundred bytes each are kept.
    assert!(peak < 128_000, "{peak} kB");
}

/// A saved task: an answer that lacks what its call asks for, beside a sound one.
#[test]
fn folders_of_saved_tasks_are_examined_and_their_end_says_what_is_proven() {
    let folders = concat!(env!("CARGO_MANIFEST_DIR"), "/../saved/tests/folders");
    let storage = format!("{folders}/delegation");
    let (code, page, _) = validate(&[&storage], "");
    assert_eq!(code, Some(0), "{page}");
    assert!(page.contains("0199-p"), "{page}");

    let directory = Directory::new("saved");
    let history = r#"[{"role":"user","content":"go"},
        {"role":"assistant","content":[{"type":"tool_use","id":"a","name":"read_file","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"x"}]},
        {"role":"assistant","content":[{"type":"tool_use","id":"b","name":"read_file","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":"x"}]},
        {"role":"assistant","content":"done"}]"#;
    directory.file("api_conversation_history.json", history);
    let folder = directory.0.to_str().expect("it is UTF-8");
    let (code, page, _) = validate(&[folder], "");
    assert_eq!(code, Some(1), "{page}");
    let (code, document, _) = validate(&[folder, "--format", "json"], "");
    let document = of_schema(&document);
    assert_eq!((code, document["traces"][0]["folder"].as_str()), (Some(1), Some(folder)));
}

/// The settings under which the demo writes its journal.
const SETTINGS: &str = r#"{"kernel":{"profiles_keyed":0,"attempts_max":16,"backoff_ms":1000}}"#;

#[test]
fn journal_of_a_demo_keeps_every_promise_and_the_kernel_explains_it() {
    let directory = Directory::new("journal");
    let store = directory.0.join("demo").into_os_string().into_string().expect("it is UTF-8");
    let settings = directory.file("settings.json", SETTINGS);
    let mut demo = Command::new(PROGRAM);
    demo.args(["demo", "--tasks", "6", "--speed", "50", "--format", "json", "--store", &store]);
    assert!(demo.output().expect("the program starts").status.success());

    let journal = format!("{store}/journal.db");
    let (code, document, error) =
        validate(&[&journal, "--settings", &settings, "--whole", "--explain", "--format", "json"], "");
    assert_eq!((code, error.as_str()), (Some(0), ""));
    let document = of_schema(&document);
    let shard = &document["traces"][0]["shards"][0];
    let kept = shard["properties"].as_array().into_iter().flatten().filter(|it| it["verdict"] == "kept");
    assert!(kept.count() > 10, "{:#}", shard["properties"]);
    let trees = shard["explanation"]["trees"].as_array().expect("it was to be explained");
    assert!(trees.len() == 6 && trees.iter().all(|tree| tree["verdict"] == "explained"), "{trees:#?}");
    // Without its settings it does not follow: what comes before that line is judged.
    let (code, page, _) = validate(&[&journal], "");
    assert_eq!(code, Some(2));
    assert!(page.contains("not read to its end: shard 0: line ") && page.contains("✓ S2"), "{page}");
    assert!(page.contains("note: of a shell's own journal"), "{page}");
}
