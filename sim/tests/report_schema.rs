//! Real reports, saved counterexamples and reports of replays against the published schemas.
#![cfg(feature = "harness")]

#[path = "models/counter.rs"]
mod counter;

use downbeat_sim::harness::{self, Streams};
use serde_json::{Value, json};

const REPORT: &str = include_str!("../../docs/report.schema.json");
const REPLAY: &str = include_str!("../../docs/replay.schema.json");
const COUNTEREXAMPLE: &str = include_str!("../../docs/counterexample.schema.json");

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("it is JSON")
}

fn schema(text: &str) -> jsonschema::Validator {
    let schema = json(text);
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    jsonschema::draft202012::new(&schema).expect("the schema is one")
}

/// What a command writes.
fn output(arguments: impl Iterator<Item = impl Into<String>>) -> Value {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams {
        out: &mut out,
        err: &mut err,
        colors: false,
        progress: false,
        width: 100,
        program: "toys".into(),
        arguments: Vec::new(),
        interrupt: None,
    };
    let arguments = ["toys".to_owned()].into_iter().chain(arguments.map(Into::into));
    harness::main_from(arguments, &counter::registry(), &mut streams);
    serde_json::from_slice(&out).expect("the output is one document of JSON")
}

fn report(arguments: &str) -> Value {
    output(["check", "--format", "json"].into_iter().chain(arguments.split_whitespace()))
}

fn assert_valid(schema: &jsonschema::Validator, document: &Value, what: &str) {
    let errors: Vec<String> =
        schema.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

#[test]
fn reports_are_valid() {
    let schema = schema(REPORT);
    for arguments in
        ["", "--bound clerks=3", "--max-depth 2", "--max-states 3", "--property R1", "counter@polite"]
    {
        assert_valid(&schema, &report(arguments), arguments);
    }
}

#[test]
fn schema_refuses_reports_that_contradict_themselves() {
    let schema = schema(REPORT);
    #[rustfmt::skip]
    let cases: [(&str, &str, Value); 12] = [
        ("no verdict",                             "/runs/0/verdict",                                  json!(null)),
        ("an unknown verdict",                     "/runs/0/verdict",                                  json!("fine")),
        ("violated without a counterexample",      "/runs/0/properties/0/counterexample",              json!(null)),
        ("a lasso of an invariant",                "/runs/0/properties/0/counterexample/lasso_start",  json!(0)),
        ("liveness without a lasso",               "/runs/2/properties/6/counterexample/lasso_start",  json!(null)),
        ("no word of the length",                  "/runs/0/properties/0/shortest",                    json!(null)),
        ("a length of nothing",                    "/runs/0/properties/1/shortest",                    json!(true)),
        ("stopped and as expected",                "/runs/0/stopped_by",                               json!("limit of 1 states")),
        ("undecided and yet a verdict",            "/runs/0/properties/1/undecided",                   json!("for want of time")),
        ("fingerprints of no length",              "/runs/0/storage",                                  json!({"kind": "fingerprint", "omission": 0.5})),
        ("a chance of more than one",              "/runs/0/storage",      json!({"kind": "fingerprint", "bits": 8, "omission": 1.5})),
        ("a negative count",                       "/runs/0/states/distinct",                          json!(-1)),
    ];
    for (name, place, value) in cases {
        let mut report = report("");
        assert!(schema.is_valid(&report));
        *report.pointer_mut(place).expect("the report has this field") = value;
        assert!(!schema.is_valid(&report), "{name}");
    }
}

#[test]
fn saved_counterexamples_and_their_replays_are_valid() {
    let (saved_schema, replay_schema) = (schema(COUNTEREXAMPLE), schema(REPLAY));
    let directory = std::env::temp_dir().join(format!("downbeat-schema-{}", std::process::id()));
    let report = report(&format!("--out {}", directory.display()));
    let mut files = Vec::new();
    // In the report it is the same, so that it can be cut out.
    for (run, property, name) in [(0, 0, "as-is.S1"), (2, 6, "polite.L1"), (3, 6, "lazy.L1")] {
        let file = directory.join(format!("counter@{name}.json"));
        let saved = json(&std::fs::read_to_string(&file).expect("it was saved"));
        assert_valid(&saved_schema, &saved, name);
        let run = &report["runs"][run];
        let property = &run["properties"][property];
        let cut_out = json!({
            "format": "downbeat-counterexample",
            "version": 1,
            "model": run["model"],
            "variant": run["variant"],
            "bounds": run["bounds"],
            "property": { "id": property["id"], "name": property["name"] },
            "counterexample": property["counterexample"],
        });
        assert_eq!(saved, cut_out, "{name}");
        files.push(file.display().to_string());
    }
    let mut broken = json(&std::fs::read_to_string(&files[0]).expect("it was saved"));
    broken["counterexample"]["steps"][0]["debug"] = json!("Look(0)");
    let file = directory.join("broken.json");
    std::fs::write(&file, broken.to_string()).expect("there is room for it");
    files.push(file.display().to_string());

    let replays = output(["replay", "--format", "json"].map(String::from).into_iter().chain(files.clone()));
    std::fs::remove_dir_all(directory).expect("the files are ours");
    assert_valid(&replay_schema, &replays, "replays");
    let outcomes: Vec<&Value> = (0..4).map(|index| &replays["replays"][index]["outcome"]).collect();
    assert_eq!(outcomes, ["violated", "violated", "violated", "misfit"]);
    assert_eq!(replays["replays"][0]["counterexample"], report["runs"][0]["properties"][0]["counterexample"]);

    let mut contradictory = replays.clone();
    contradictory["replays"][0]["outcome"] = json!("gone");
    assert!(!replay_schema.is_valid(&contradictory), "what is gone has no counterexample");
}

#[test]
fn schemas_agree_about_counterexamples() {
    let [report, replay, saved] = [REPORT, REPLAY, COUNTEREXAMPLE].map(json);
    for definition in ["count", "counterexample", "step"] {
        assert_eq!(report["$defs"][definition], replay["$defs"][definition], "{definition}");
        assert_eq!(report["$defs"][definition], saved["$defs"][definition], "{definition}");
    }
}
