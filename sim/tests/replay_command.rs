//! The command `replay` on files that `check --out` saved, that somebody damaged, and whose model has changed.
#![cfg(feature = "harness")]

#[path = "models/counter.rs"]
mod counter;

use std::fs;
use std::path::PathBuf;

use counter::Custom;
use downbeat_sim::harness::Outcome::{self, AsExpected, Failed, Unexpected};
use downbeat_sim::harness::{self, Registry, Streams};
use downbeat_sim::report::Verdict;
use serde_json::{Value, json};

/// A directory of the test's own that is removed with the value.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("downbeat-replay-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("there is room for some files");
        Directory(path)
    }

    /// The path of a file in it.
    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.0.join(name), content).expect("there is room for some files");
        self.file(name)
    }

    /// What `check` saves of the toy, by file name.
    fn saved(&self, arguments: &str, name: &str) -> Value {
        let line = format!("check {arguments} --quiet --out {}", self.0.display());
        command(&counter::registry(), line.split_whitespace());
        let saved = fs::read_to_string(self.0.join(name)).expect("it was saved");
        serde_json::from_str(&saved).expect("it is JSON")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("the files are ours");
    }
}

/// How a command ended, and what it wrote to its two streams.
fn command<'a>(registry: &Registry, line: impl IntoIterator<Item = &'a str>) -> (Outcome, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let program = "toys".to_owned();
    let mut streams = Streams {
        out: &mut out,
        err: &mut err,
        colors: false,
        progress: false,
        width: 100,
        program,
        arguments: Vec::new(),
        interrupt: None,
    };
    let outcome = harness::main_from(["toys"].into_iter().chain(line), registry, &mut streams);
    let text = |bytes| String::from_utf8(bytes).expect("output is text");
    (outcome, text(out), text(err))
}

fn replay(registry: &Registry, arguments: &[&str]) -> (Outcome, String, String) {
    command(registry, ["replay"].into_iter().chain(arguments.iter().copied()))
}

/// The toy with a variant built otherwise than it was.
fn changed(custom: Custom, diligent: bool) -> Registry {
    let variants = ["as-is", "key", "polite", "lazy"]
        .map(|name| counter::variant(name, "not what it was", custom, diligent).expect("S1", Verdict::Holds));
    Registry::new().model("counter", "clerks that add one to a shared counter", variants)
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or("")
}

#[test]
fn saved_counterexamples_are_violated_as_recorded() {
    let directory = Directory::new("as-recorded");
    directory.saved("", "counter@as-is.S1.json");
    directory.saved("counter@as-is --bound clerks=3 --property S2", "counter@as-is.S2.json");
    // An invariant, an invariant of steps, a loop, and one that comes to rest.
    for (name, id) in [("as-is", "S1"), ("as-is", "S2"), ("polite", "L1"), ("lazy", "L1")] {
        let file = directory.file(&format!("counter@{name}.{id}.json"));
        let (outcome, text, _) = replay(&counter::registry(), &[&file]);
        assert_eq!(
            (outcome, last_line(&text)),
            (AsExpected, &*format!("{id} is violated, as recorded")),
            "{name}"
        );
        let drawn = fs::read_to_string(file.replace(".json", ".txt")).expect("`check` drew it too");
        assert!(text.contains(&drawn), "{name}:\n{text}");
    }
}

#[test]
fn replay_shows_the_diagram_and_the_bounds() {
    let directory = Directory::new("diagram");
    directory.saved("counter@polite --property L1", "counter@polite.L1.json");
    let file = directory.file("counter@polite.L1.json");
    let (outcome, text, err) = replay(&counter::registry(), &[&file]);
    assert_eq!((outcome, err.as_str()), (AsExpected, ""));
    insta::assert_snapshot!("replay", text.replace(&directory.file(""), "traces/"));
    let (_, text, _) = replay(&counter::registry(), &[&file, "--format", "mermaid"]);
    insta::assert_snapshot!("replay_mermaid", text);
}

#[test]
fn check_prints_the_command_that_replays_an_unexpected_counterexample() {
    let directory = Directory::new("command");
    let out = directory.0.display();
    let line = format!("check counter@as-is --bound clerks=3 --property S2 --out {out}");
    let (outcome, text, _) = command(&counter::registry(), line.split_whitespace());
    assert_eq!(outcome, Unexpected);
    let proposed = text.lines().find_map(|line| line.strip_prefix("replay: toys ")).expect("it is proposed");
    let (outcome, ..) = command(&counter::registry(), proposed.split_whitespace());
    assert_eq!(outcome, AsExpected);

    // What is expected is no news.
    let line = format!("check counter@as-is --out {out}");
    let (_, text, _) = command(&counter::registry(), line.split_whitespace());
    assert!(text.contains("S1 violated: ") && !text.contains("replay: "), "{text}");
}

#[test]
fn damaged_files_are_refused_with_the_place_and_what_to_do() {
    let directory = Directory::new("damaged");
    let saved = directory.saved("counter@as-is --property S1", "counter@as-is.S1.json");
    let text = serde_json::to_string_pretty(&saved).expect("it was JSON");
    let with = |place: &str, value: Value| {
        let mut saved = saved.clone();
        *saved.pointer_mut(place).expect("the file has this field") = value;
        saved.to_string().into_bytes()
    };
    let without = |place: &str, field: &str| {
        let mut saved = saved.clone();
        let object =
            saved.pointer_mut(place).and_then(Value::as_object_mut).expect("there is such an object");
        object.remove(field).expect("the object has this field");
        serde_json::to_vec_pretty(&saved).expect("it was JSON")
    };
    let again = "; save it again with `check --out DIR`";
    #[rustfmt::skip]
    let cases: Vec<(&str, Vec<u8>, String)> = vec![
        ("empty", Vec::new(), format!("not all of it is there: EOF while parsing a value at line 1 column 0{again}")),
        ("one brace", b"{".into(), format!("not all of it is there: EOF while parsing an object at line 1 column 1{again}")),
        ("text", b"S1: no update is lost\n".into(), format!("not JSON: expected value at line 1 column 1{again}")),
        ("not UTF-8", b"{\"format\": \"\xff\"}".into(), format!("not JSON: invalid unicode code point at line 1 column 13{again}")),
        ("more after it", format!("{text}}}").into(), format!("not JSON: trailing characters at line {} column 2{again}", text.lines().count())),
        ("a list", b"[1, 2]".into(), format!("no saved counterexample: its `format` is not `downbeat-counterexample`{again}")),
        ("another format", with("/format", json!("x")), format!("no saved counterexample: its `format` is not `downbeat-counterexample`{again}")),
        ("no format", without("", "format"), format!("no saved counterexample: its `format` is not `downbeat-counterexample`{again}")),
        ("a newer version", with("/version", json!(2)), "saved in version 2 of the format, and this program reads version 1; \
            use the program that saved it, or save it again with `check --out DIR`".into()),
        ("no version", without("", "version"), format!("damaged: missing field `version` at line {} column 1{again}", text.lines().count() - 1)),
        ("no model", without("", "model"), format!("damaged: missing field `model` at line {} column 1{again}", text.lines().count() - 1)),
        ("a negative bound", with("/bounds/clerks", json!(-2)), String::from("damaged: invalid value: integer `-2`, expected u64 at line 1 column ")),
        ("an action is a number", with("/counterexample/steps/0/debug", json!(7)), String::from("damaged: invalid type: integer `7`, expected a string at line 1 column ")),
        ("fewer steps than it says", with("/counterexample/steps", json!([])), format!("damaged: its `length` is 4, and it has 0 steps{again}")),
        ("a loop behind the end", with("/counterexample/lasso_start", json!(5)), format!("damaged: its `lasso_start` is 5, and it has 4 steps{again}")),
        ("an unknown model", with("/model", json!("conter")), "there is no model `conter`; did you mean `counter`?\nknown: counter".into()),
        ("an unknown variant", with("/variant", json!("kei")), "counter has no variant `kei`; did you mean `key`?\nknown: as-is, key, polite, lazy".into()),
        ("an unknown property", with("/property/id", json!("S9")), "counter@as-is has no property `S9`; did you mean `S1`?\nknown: S1, S2, S3, V1, R1, D1, L1".into()),
        ("an unknown bound", with("/bounds", json!({"clerk": 2})), "there is no bound `clerk`; did you mean `clerks`?\nknown: clerks".into()),
        ("a bound out of its range", with("/bounds", json!({"clerks": 9})), "the bound `clerks` of counter@as-is is between 1 and 4, not 9".into()),
    ];
    for (name, content, expected) in cases {
        let file = directory.write("damaged.json", content);
        let (outcome, out, err) = replay(&counter::registry(), &[&file]);
        assert_eq!((outcome, out.as_str()), (Failed, ""), "{name}");
        assert!(err.starts_with(&format!("error: {file}: {expected}")), "{name}: {err}");
        let ends = expected.ends_with("column ") || err == format!("error: {file}: {expected}\n");
        assert!(ends, "{name}: {err}");
    }

    // However much of a file is missing, it is not all there.
    for end in (1..text.len()).step_by(37) {
        let file = directory.write("truncated.json", &text[..end]);
        let (outcome, _, err) = replay(&counter::registry(), &[&file]);
        assert_eq!(outcome, Failed, "{end}");
        assert!(err.contains(": not all of it is there: EOF while parsing "), "{end}: {err}");
    }
    let (outcome, _, err) = replay(&counter::registry(), &[&directory.file("nothing.json")]);
    assert_eq!(outcome, Failed);
    assert!(err.contains("nothing.json: cannot be read: "), "{err}");
}

#[test]
fn traces_that_do_not_fit_any_more_say_where_and_what_to_do() {
    let directory = Directory::new("misfit");
    let s1 = directory.saved("counter@as-is --property S1", "counter@as-is.S1.json");
    let s2 = directory.saved("counter@as-is --property S2 --bound clerks=3", "counter@as-is.S2.json");
    let l1 = directory.saved("counter@polite --property L1", "counter@polite.L1.json");
    let edited = |saved: &Value, edit: fn(&mut Value)| {
        let mut saved = saved.clone();
        edit(&mut saved);
        saved
    };
    let shorter: fn(&mut Value) = |saved| {
        saved["counterexample"]["steps"].as_array_mut().expect("a list of steps").remove(2);
        saved["counterexample"]["length"] = json!(3);
    };
    let fewer_in_the_loop: fn(&mut Value) = |saved| {
        saved["counterexample"]["steps"].as_array_mut().expect("a list of steps").pop();
        saved["counterexample"]["length"] = json!(1);
    };
    let unchanged: fn(&mut Value) = |_| {};
    let now = "what the model does now: toys check";
    let other = "whether another behaviour violates it: toys check";
    #[rustfmt::skip]
    let cases = [
        ("a renamed step", edited(&s1, |saved| saved["counterexample"]["steps"][1]["debug"] = json!("Look(1)")), counter::registry(),
            "S1 is not violated as recorded: step 2 of 4 cannot be taken: `Look(1)` is not enabled there; what is: `Read(1)`, `Write(0)`",
            format!("{now} counter@as-is --property S1")),
        ("a removed step", edited(&s1, shorter), counter::registry(),
            "S1 is not violated as recorded: every step can be taken, and S1 holds on them now: nothing on the way breaks it",
            format!("{other} counter@as-is --property S1")),
        ("fewer clerks", edited(&s2, |saved| saved["bounds"]["clerks"] = json!(2)), counter::registry(),
            "S2 is not violated as recorded: step 4 of 6 cannot be taken: `Read(2)` is not enabled there; what is: `Write(1)`",
            format!("{now} counter@as-is --property S2")),
        ("more clerks", edited(&s1, |saved| saved["bounds"]["clerks"] = json!(3)), counter::registry(),
            "S1 is not violated as recorded: every step can be taken, and S1 holds on them now: nothing on the way breaks it",
            format!("{other} counter@as-is --property S1 --bound clerks=3")),
        ("half a loop", edited(&l1, fewer_in_the_loop), counter::registry(),
            "L1 is not violated as recorded: the loop does not close: steps 1 to 1 can be taken, and end elsewhere than they began",
            format!("{now} counter@polite --property L1")),
        ("a key", edited(&s1, unchanged), changed(Custom::Key, true),
            "S1 is not violated as recorded: step 1 of 4 cannot be taken: `Read(0)` is not enabled there; what is: `TakeKey(0)`, `TakeKey(1)`",
            format!("{now} counter@as-is --property S1")),
        ("nobody may give way", edited(&l1, unchanged), changed(Custom::Key, true),
            "L1 is not violated as recorded: step 2 of 2 cannot be taken: `GiveWay(0)` is not enabled there; what is: `Read(0)`",
            format!("{now} counter@polite --property L1")),
        ("a loop of somebody else's property", edited(&l1, |saved| saved["property"]["id"] = json!("S1")), counter::registry(),
            "S1 is not violated as recorded: S1 is of the kind always now, and a behaviour that violates it has no loop",
            format!("{now} counter@polite --property S1")),
    ];
    for (name, saved, registry, conclusion, advice) in cases {
        let file = directory.write("misfit.json", saved.to_string());
        let (outcome, text, err) = replay(&registry, &[&file]);
        assert_eq!((outcome, err.as_str()), (Unexpected, ""), "{name}");
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.ends_with(&format!("{conclusion} {advice}")), "{name}: {text}");
    }
}

#[test]
fn fix_that_makes_a_loop_unfair_is_told() {
    let directory = Directory::new("unfair");
    directory.saved("counter@lazy --property L1", "counter@lazy.L1.json");
    let file = directory.file("counter@lazy.L1.json");
    let (outcome, text, _) = replay(&changed(Custom::Key, true), &[&file]);
    assert_eq!(outcome, Unexpected);
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "every step can be taken, and L1 holds on them now: they do not go on for ever, for `clerk 1 goes on` is \
        weakly fair, enabled all the time and not taken";
    assert!(joined.contains(expected), "{text}");
}

#[test]
fn changes_that_do_not_matter_are_noted() {
    let directory = Directory::new("notes");
    let mut saved = directory.saved("counter@as-is --property S1", "counter@as-is.S1.json");
    saved["bounds"] = json!({});
    saved["counterexample"]["steps"][0]["action"] = json!("looks at the counter");
    saved["counterexample"]["explanation"] = json!("somebody is lost");
    saved["a field of a later program"] = json!(true);
    let file = directory.write("notes.json", saved.to_string());
    let (outcome, text, _) = replay(&counter::registry(), &[&file, "--quiet"]);
    assert_eq!(outcome, AsExpected);
    let expected = "not recorded, so the default: clerks=2\n\
                    reads otherwise than recorded: step 1, the explanation\n\
                    S1 is violated, as recorded\n";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn several_files_are_replayed_each_and_the_worst_decides() {
    let directory = Directory::new("several");
    let mut saved = directory.saved("", "counter@as-is.S1.json");
    let good = directory.file("counter@as-is.S1.json");
    let other = directory.file("counter@lazy.L1.json");
    saved["counterexample"]["steps"][1]["debug"] = json!("Look(1)");
    let misfit = directory.write("misfit.json", saved.to_string());
    let damaged = directory.write("damaged.json", "{");
    #[rustfmt::skip]
    let cases: [(&[&str], Outcome, &str); 4] = [
        (&[&good, &other],           AsExpected, "2 counterexamples: 2 violated as recorded, 0 not"),
        (&[&good, &misfit, &other],  Unexpected, "3 counterexamples: 2 violated as recorded, 1 not"),
        (&[&damaged, &good, &other], Failed,     "2 counterexamples: 2 violated as recorded, 0 not"),
        (&[&misfit, &damaged, &good], Failed,    "2 counterexamples: 1 violated as recorded, 1 not"),
    ];
    for (files, expected, last) in cases {
        let (outcome, text, err) = replay(&counter::registry(), files);
        assert_eq!((outcome, last_line(&text)), (expected, last));
        assert_eq!(err.contains("damaged.json"), expected == Failed, "{err}");

        let (_, json, _) = replay(&counter::registry(), &[files, &["--format", "json"]].concat());
        let report: Value = serde_json::from_str(&json).expect("it is one document of JSON");
        assert_eq!(report["as_recorded"], json!(expected == AsExpected), "{files:?}");
    }
}
