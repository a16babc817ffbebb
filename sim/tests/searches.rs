//! The ways to search, asked for on the command line: storage, reduction, disk, checkpoints, interrupts, and what
//! happens when one of them fails.
#![cfg(feature = "harness")]

#[path = "models/bell.rs"]
mod bell;
#[path = "models/counter.rs"]
mod counter;
#[path = "models/counting.rs"]
mod counting;
#[path = "models/graph.rs"]
mod graph;
#[path = "models/two_phase_commit.rs"]
mod two_phase_commit;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use bell::{Bell, Tower};
use counter::Custom;
use counting::{Counting, Wrong};
use downbeat_sim::harness::Outcome::{self, AsExpected, Failed, Incomplete, Interrupted, Unexpected};
use downbeat_sim::harness::{self, Bounds, Registry, Streams, Variant};
use downbeat_sim::report::Verdict;
use graph::{Edge, Graph};
use serde_json::{Value, json};
use two_phase_commit::TwoPhaseCommit;

/// What a command came to.
struct Command {
    outcome: Outcome,
    out: String,
    err: String,
}

impl Command {
    fn of(line: &str) -> Self {
        Self::on(&registry(), line)
    }

    fn on(registry: &Registry, line: &str) -> Self {
        Self::until(None, registry, line)
    }

    fn until(interrupt: Option<fn() -> &'static AtomicBool>, registry: &Registry, line: &str) -> Self {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams {
            out: &mut out,
            err: &mut err,
            colors: false,
            progress: false,
            width: 100,
            program: "toys".into(),
            arguments: words.clone(),
            interrupt,
        };
        let outcome =
            harness::main_from(std::iter::once("toys".to_owned()).chain(words), registry, &mut streams);
        let text = |bytes| String::from_utf8(bytes).expect("output is text");
        Self { outcome, out: text(out), err: text(err) }
    }

    /// The report, without what differs between two runs of one check.
    fn report(&self) -> Value {
        let mut report: Value = serde_json::from_str(&self.out).expect("the output is one document of JSON");
        for run in report["runs"].as_array_mut().expect("a report has runs") {
            run["seconds"] = json!(null);
        }
        report
    }
}

fn two_phase(bounds: &Bounds) -> TwoPhaseCommit {
    TwoPhaseCommit { managers: u8::try_from(bounds.get("managers")).expect("at most eight") }
}

fn registry() -> Registry {
    let managers = |variant: Variant| variant.bound("managers", 5, 1..=8, "resource managers");
    let packed = managers(Variant::packed("packed", "its states are words", two_phase));
    let plain = managers(Variant::new("plain", "its states stay as they are", two_phase));
    let key = counter::variant("key", "they take a key first", Custom::Key, true);
    Registry::new().model("two-phase", "a transaction", [packed, plain]).model("counter", "clerks", [key])
}

/// A model that is wrong, between two that are not.
fn wrong(wrong: Wrong) -> Registry {
    let variant = |name| counter::variant(name, "they take a key first", Custom::Key, true);
    Registry::new()
        .model("before", "clerks", [variant("key")])
        .model("counting", "to three", [Variant::new("wrong", "", move |_: &_| Counting::new(wrong))])
        .model("after", "clerks", [variant("key")])
}

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("downbeat-searches-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("there is room for temporary files");
        Self(path)
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).expect("it exists");
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.map(|entry| entry.file_name());
        entries.map(|entry| name(entry).expect("it can be listed").to_string_lossy().into_owned()).collect()
    }

    fn path(&self) -> std::path::Display<'_> {
        self.0.display()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[test]
fn storage_is_told_where_it_is_not_the_usual_one() {
    let fingerprint = |bits: u8| json!({ "kind": "fingerprint", "bits": bits });
    let (exact, whole) = (json!({ "kind": "exact" }), "exact: whole states were compared");
    let words = |bits: u8| format!("told apart by fingerprints of {bits} bits");
    #[rustfmt::skip]
    let cases = [
        ("two-phase@packed",                          exact.clone(),    None),
        ("two-phase@packed --storage exact",          exact.clone(),    None),
        ("two-phase@packed --storage fingerprint",    fingerprint(64),  Some(words(64))),
        ("two-phase@packed --storage fingerprint128", fingerprint(128), Some(words(128))),
        ("two-phase@plain",                           fingerprint(64),  None),
        ("two-phase@plain --storage exact",           exact,            Some(whole.to_owned())),
        ("two-phase@plain --storage fingerprint",     fingerprint(64),  None),
        ("two-phase@plain --storage fingerprint128",  fingerprint(128), Some(words(128))),
    ];
    for (line, storage, told) in cases {
        let mut run = Command::of(&format!("check {line} --format json")).report()["runs"][0].take();
        if let Some(storage) = run["storage"].as_object_mut() {
            storage.remove("omission");
        }
        assert_eq!((&run["storage"], &run["states"]["distinct"]), (&storage, &json!(8_832)), "{line}");
        let text = Command::of(&format!("check {line}")).out;
        let lines: Vec<&str> =
            text.lines().filter(|line| line.contains("exact") || line.contains(" bits")).collect();
        assert_eq!(lines, told.iter().map(|told| format!("    {told}")).collect::<Vec<_>>(), "{line}");
    }
}

#[test]
fn reduction_is_for_the_models_that_are_declared_for_it() {
    let line = "check two-phase@packed counter --reduce symmetry";
    let Command { outcome, out, .. } = Command::of(line);
    assert_eq!(outcome, AsExpected);
    let said: Vec<&str> = out.lines().filter(|line| line.contains("symmetry")).collect();
    assert_eq!(said, ["    reduced by symmetry", "    searched in full: not declared for symmetry"]);
    let report = Command::of(&format!("{line} --format json")).report();
    let runs: Vec<(&Value, &Value)> = (0..2)
        .map(|run| (&report["runs"][run]["reduction"], &report["runs"][run]["states"]["distinct"]))
        .collect();
    assert_eq!(runs, [(&json!("symmetry"), &json!(314)), (&json!(null), &json!(12))]);

    let cases = [
        ("symmetry", "declared: two-phase@packed, two-phase@plain"),
        ("partial-order", "no model here declares it; leave --reduce out"),
    ];
    for (reduction, declared) in cases {
        let Command { outcome, out, err } = Command::of(&format!("check counter --reduce {reduction}"));
        let expected = format!("error: no selected model is declared for --reduce {reduction}\n{declared}\n");
        assert_eq!((outcome, out.as_str(), err), (Failed, "", expected));
    }
}

#[test]
fn audit_of_every_state_is_told_from_one_of_some() {
    let cases = [
        ("", 208, "audited: 208 of 8,832 states; --audit-all looks at each"),
        ("--audit-all", 8_832, "audited: every state"),
        ("--audit-all --reduce symmetry", 314, "audited: every state"),
    ];
    for (options, audited, told) in cases {
        let line = format!("check two-phase@packed {options}");
        let report = Command::of(&format!("{line} --format json")).report();
        assert_eq!(report["runs"][0]["states"]["audited"], json!(audited), "{line}");
        let Command { outcome, out, .. } = Command::of(&line);
        assert_eq!(
            (outcome, out.lines().filter(|line| line.contains("audited")).collect()),
            (AsExpected, vec![told])
        );
    }
}

/// Each of so many states leads to all others, and each is to be entered again and again.
fn complete(states: u8) -> Graph {
    let edges = (0..states).flat_map(|from| {
        let others = (0..states).filter(move |to| *to != from);
        others.map(move |to| Edge { from, to, fair: 1 << to, bad: false })
    });
    Graph { initial: vec![0], edges: edges.collect(), fair_actions: states, ..Graph::default() }
}

#[test]
fn lasso_that_is_perhaps_not_a_shortest_one_says_so() {
    let of = |states| {
        let variant = Variant::new("complete", "", move |_: &_| complete(states));
        Registry::new().model("graph", "", [variant.expect("eventually", Verdict::Violated)])
    };
    let given_up = "perhaps not a shortest one: the search for a shorter loop was given up";
    for (states, is_shortest, told) in [(4, true, vec![]), (24, false, vec![given_up])] {
        let line = "check --property eventually";
        let Command { outcome, out, .. } = Command::on(&of(states), line);
        let said: Vec<&str> = out.lines().filter(|line| line.contains("shortest")).collect();
        assert_eq!((outcome, said), (AsExpected, told), "{states} states");
        let report = Command::on(&of(states), &format!("{line} --format json")).report();
        let property = &report["runs"][0]["properties"][0];
        let found = (&property["shortest"], &property["counterexample"]["length"]);
        assert_eq!(found, (&json!(is_shortest), &json!(states)), "{states} states");
    }
}

#[test]
fn memory_is_a_limit_or_the_beginning_of_the_disk() {
    let directory = Directory::new("disk");
    let line = "check two-phase@packed --bound managers=7 --format json";
    let expected = Command::of(line).report();
    assert_eq!(expected["runs"][0]["states"]["distinct"], json!(296_448));
    let on_disk = Command::of(&format!("{line} --max-memory 2 --spill {}", directory.path()));
    assert_eq!((on_disk.outcome, on_disk.report()), (AsExpected, expected.clone()));
    assert_eq!(directory.files(), [""; 0], "files are left");
    assert_eq!(Command::of(&format!("{line} --max-memory 2")).report(), expected);
    // Whole states have to be compared, which is not done on disk.
    let cases = [line.to_owned() + " --no-spill", line.replace("packed", "plain") + " --storage exact"];
    for line in cases {
        let stopped = Command::of(&format!("{line} --max-memory 2"));
        let stopped_by = stopped.report()["runs"][0]["stopped_by"].take();
        assert_eq!((stopped.outcome, stopped_by), (Incomplete, json!("limit of 2 MiB of memory")), "{line}");
    }
}

#[test]
fn search_goes_on_from_its_checkpoint() {
    let directory = Directory::new("checkpoint");
    let (line, here) = ("check --format json", directory.path());
    let expected = Command::of(line).report();
    let Command { outcome, err, .. } = Command::of(&format!("{line} --max-states 2000 --checkpoint {here}"));
    assert_eq!(outcome, Incomplete);
    let saved = "saved: {here}/two-phase@packed.checkpoint\nsaved: {here}/two-phase@plain.checkpoint\n\
                 to go on: the same command with --resume and a higher limit\n";
    assert_eq!(err, saved.replace("{here}", &here.to_string()));

    let Command { outcome, out, err } = Command::of(&format!("{line} --checkpoint {here}"));
    let refused = format!(
        "error: {here} has checkpoints: --resume goes on from them; remove them to begin anew\n\
         of: two-phase@packed, two-phase@plain\n"
    );
    assert_eq!((outcome, out.as_str(), err), (Failed, "", refused));

    let resumed = Command::of(&format!("{line} --checkpoint {here} --resume"));
    assert_eq!((resumed.outcome, resumed.report(), resumed.err.as_str()), (AsExpected, expected, ""));
    assert_eq!(directory.files(), [""; 0], "a search that is complete has no checkpoint");
    // There is nothing to go on with beyond a depth.
    Command::of(&format!("{line} --checkpoint {here} --checkpoint-every 0 --max-depth 6"));
    assert_eq!(directory.files(), [""; 0]);
}

#[test]
fn checkpoint_that_does_not_fit_is_refused_with_what_is_different() {
    let directory = Directory::new("foreign");
    let (line, here) = ("check two-phase@packed", directory.path());
    let file = directory.0.join("two-phase@packed.checkpoint");
    Command::of(&format!("{line} --max-states 2000 --checkpoint {here}"));
    let refused = |more: &str| {
        let Command { outcome, err, .. } =
            Command::of(&format!("{line} --checkpoint {here} --resume {more}"));
        assert_eq!(outcome, Failed, "{more}");
        let begin =
            format!("error: two-phase@packed cannot be checked: cannot go on from `{}`: ", file.display());
        let why = err.strip_prefix(&begin).unwrap_or_else(|| panic!("{err}"));
        why.strip_suffix("; remove it to begin anew\n").unwrap_or_else(|| panic!("{err}")).to_owned()
    };
    #[rustfmt::skip]
    let cases = [
        ("--bound managers=6",    "it is of a search with managers=5, and this is one with managers=6"),
        ("--max-depth 9",         "it is of a search with any depth, and this is one with a depth of 9"),
        ("--property S1",         "it is of a search with properties S1 R1 R2, and this is one with properties S1"),
        ("--storage fingerprint", "it is of a search with packed states, and this is one with fingerprints of 64 bits"),
        ("--audit-all",           "it is of a search with an audit of some states, and this is one with an audit of every state"),
        ("--reduce symmetry",     "it is of a search with every state, and this is one with symmetry reduction"),
    ];
    for (more, why) in cases {
        assert_eq!(refused(more), why);
    }
    let whole = std::fs::read(&file).expect("the checkpoint is there");
    std::fs::write(&file, &whole[..whole.len() / 2]).expect("it can be written");
    assert_eq!(refused(""), "it is cut off or damaged");
    std::fs::write(&file, "a file of somebody else").expect("it can be written");
    assert_eq!(refused(""), "it is not a checkpoint");
}

/// A tower that counts to the end, and clerks.
fn tower(bell: &'static Bell, end: u64) -> Registry {
    let tower = Variant::new("tower", "", move |_: &_| Tower { bell, end });
    let key = counter::variant("key", "they take a key first", Custom::Key, true);
    Registry::new().model("bell", "a bell in a tower", [tower]).model("counter", "clerks", [key])
}

#[test]
fn interrupt_keeps_what_was_found_and_says_how_to_go_on() {
    static BELL: Bell = Bell::new();
    let until_rung = |line: &str| Command::until(Some(|| &BELL.rung), &tower(&BELL, u64::MAX), line);
    let directory = Directory::new("interrupt");
    let line = "check --quiet --max-states 9000";
    let expected = until_rung(&format!("{line} --format json")).report();

    BELL.ring_at(5_000, 1);
    let Command { outcome, out, err } = until_rung(line);
    assert_eq!((outcome, outcome.code()), (Interrupted, 130));
    assert!(out.contains("\n    incomplete: stopped by the interrupt\n"), "{out}");
    assert!(out.contains("\n✗ bell@tower violates, unexpectedly: S1\n"), "what was found is told: {out}");
    assert!(out.contains("\n2 variants: 1 not as expected, 1 not checked; 5,00"), "{out}");
    let hint = "interrupted: bell@tower is incomplete; not checked: counter@key\n\
                nothing was saved; with --checkpoint DIR a search can be gone on with\n";
    assert_eq!(err, hint);

    let line = format!("{line} --format json --checkpoint {}", directory.path());
    BELL.ring_at(5_000, 1);
    let Command { outcome, err, .. } = until_rung(&line);
    assert_eq!(outcome, Interrupted);
    let file = directory.0.join("bell@tower.checkpoint");
    let hint = format!(
        "interrupted: bell@tower is incomplete; not checked: counter@key\nsaved: {}\nto go on: toys {line} --resume\n",
        file.display()
    );
    assert_eq!(err, hint);

    // Rung again while the states of the checkpoint are found again.
    let resume = format!("{line} --resume");
    BELL.ring_at(3_000, 1);
    let again = until_rung(&resume);
    assert_eq!(again.outcome, Interrupted);
    let not_checked = json!([
        { "model": "bell", "variant": "tower", "reason": "interrupt" },
        { "model": "counter", "variant": "key", "reason": "interrupt" },
    ]);
    assert_eq!(again.report()["not_checked"], not_checked);
    let hint = format!(
        "interrupted: not checked: bell@tower, counter@key\nstill saved: {}\nto go on: toys {resume}\n",
        file.display()
    );
    assert_eq!(again.err, hint);

    BELL.ring_at(0, 0);
    let resumed = until_rung(&resume);
    assert_eq!((resumed.outcome, resumed.report()), (Unexpected, expected));
}

#[test]
fn interrupt_is_obeyed_while_liveness_is_decided() {
    static BELL: Bell = Bell::new();
    let until_rung = |line: &str| Command::until(Some(|| &BELL.rung), &tower(&BELL, 2_000), line);
    let directory = Directory::new("liveness");
    let line = "check bell --format json";
    let expected = until_rung(line).report();

    // The search takes a step once, unless it looks twice at the state, and liveness once more.
    let line = format!("{line} --checkpoint {}", directory.path());
    BELL.ring_at(1_500, 2);
    let interrupted = until_rung(&line);
    let run = interrupted.report()["runs"][0].take();
    assert_eq!(interrupted.outcome, Interrupted);
    assert_eq!((&run["states"]["distinct"], &run["stopped_by"]), (&json!(2_001), &json!("interrupt")));
    let verdicts: Vec<&Value> = (0..2).map(|property| &run["properties"][property]["verdict"]).collect();
    assert_eq!(verdicts, ["violated", "incomplete"]);

    BELL.ring_at(0, 0);
    let resumed = until_rung(&format!("{line} --resume"));
    assert_eq!(resumed.report(), expected);
    assert_eq!(directory.files(), [""; 0]);
}

#[test]
fn variant_that_cannot_be_checked_keeps_no_other_from_it() {
    let action = "`Increment`";
    #[rustfmt::skip]
    let cases = [
        (Wrong::NoInitialState,   "the model has no initial state: `Model::initial` returned nothing".to_owned()),
        (Wrong::Panic(3),         format!("the model panicked when it was asked for {action} after Increment, Increment: no step to 3")),
        (Wrong::PropertyPanic(1), "the model panicked when it was asked for its properties, kinds and marks after Increment: what is that?".to_owned()),
        (Wrong::Fickle(1),        format!("{action}, asked for twice in the same state, led to different states or was there only once; does \
                                           the model depend on anything but its arguments, or does its own `steps` differ from `actions` and \
                                           `next`?")),
        (Wrong::Hash,             format!("{action} leads to a state that is equal to another and hashes differently; does `Hash` of the state look \
                                           at something that `Eq` does not?")),
        (Wrong::NoHash,           format!("{action} leads to a state that differs from another and has the same key; does `Hash` or `Pack` of the \
                                           state leave out a field that `Eq` looks at?")),
        (Wrong::Twice,            format!("{action} is listed twice in one state; two actions enabled in one state must differ")),
    ];
    for (what, why) in cases {
        let Command { outcome, out, err } = Command::on(&wrong(what), "check");
        assert_eq!(outcome, Failed, "{what:?}");
        assert_eq!(err, format!("error: counting@wrong cannot be checked: {why}\n"), "{what:?}");
        assert!(out.contains("\n✗ wrong    error\n"), "{out}");
        assert!(out.contains("\n3 variants: 2 as expected, 1 not checked; 24 states in "), "{out}");
        let json = Command::on(&wrong(what), "check --format json");
        let not_checked = json!([{ "model": "counting", "variant": "wrong", "reason": why }]);
        assert_eq!(json.report()["not_checked"], not_checked);
        assert_eq!((&json.report()["as_expected"], json.err), (&json!(false), err));
    }
}

#[test]
fn file_that_cannot_be_written_loses_no_result() {
    let directory = Directory::new("out");
    let file = directory.0.join("counter@as-is.S1.txt");
    std::fs::create_dir(&file).expect("it can be made");
    let Command { outcome, out, err } =
        Command::on(&counter::registry(), &format!("check --out {}", directory.path()));
    assert_eq!(outcome, Failed);
    assert!(out.contains("\n4 variants: 4 as expected; "), "{out}");
    assert!(err.starts_with(&format!("error: {} cannot be written: ", file.display())), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[test]
fn wrong_usage_is_refused_before_anything_is_searched() {
    let below_a_file = Path::new("Cargo.toml/below").display();
    #[rustfmt::skip]
    let cases = [
        (format!("--out {below_a_file}"),                        "error: --out: in `Cargo.toml/below` no file can be written: "),
        (format!("--checkpoint {below_a_file}"),                 "error: --checkpoint: in `Cargo.toml/below` no file can be written: "),
        (format!("--max-memory 9 --spill {below_a_file}"),       "error: --spill: in `Cargo.toml/below` no file can be written: "),
        ("--threads 0".into(),                                   "error: invalid value '0' for '--threads <COUNT>': expected a number of threads, from 1 on\n"),
        ("--threads many".into(),                                "error: invalid value 'many' for '--threads <COUNT>': expected a number of threads, from 1 on\n"),
        ("--spill .".into(),                                     "error: the following required arguments were not provided:\n  --max-memory <MIB>\n"),
        ("--resume".into(),                                      "error: the following required arguments were not provided:\n  --checkpoint <DIR>\n"),
        ("--max-memory 9 --spill . --no-spill".into(),           "error: the argument '--spill <DIR>' cannot be used with '--no-spill'\n"),
        ("--checkpoint . --checkpoint-every soon".into(),        "error: invalid value 'soon' for '--checkpoint-every <SECONDS>': expected a number of seconds, such as 60 or 0.5\n"),
    ];
    for (arguments, expected) in cases {
        let Command { outcome, out, err } = Command::of(&format!("check {arguments}"));
        assert_eq!((outcome, out.as_str()), (Failed, ""), "{arguments}");
        assert!(err.starts_with(expected), "{arguments}: {err}");
    }
}

#[test]
fn infinite_model_is_incomplete_at_its_limit() {
    static SILENT: Bell = Bell::new();
    let line = "check bell --property L1 --max-states 5000";
    let Command { outcome, out, .. } = Command::on(&tower(&SILENT, u64::MAX), line);
    assert_eq!(outcome, Incomplete);
    assert!(out.contains("\n    incomplete: stopped by the limit of 5000 states\n"), "{out}");
}
