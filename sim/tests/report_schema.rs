//! Real reports against the published schema.
#![cfg(feature = "harness")]

#[path = "models/counter.rs"]
mod counter;

use downbeat_sim::harness::{self, Streams};
use serde_json::{Value, json};

fn schema() -> jsonschema::Validator {
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/report.schema.json")).expect("the schema is JSON");
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    jsonschema::draft202012::new(&schema).expect("the schema is one")
}

fn report(arguments: &str) -> Value {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams { out: &mut out, err: &mut err, colors: false, progress: false };
    let arguments = ["toys", "check", "--format", "json"].into_iter().chain(arguments.split_whitespace());
    harness::main_from(arguments, &counter::registry(), &mut streams);
    serde_json::from_slice(&out).expect("the report is one document of JSON")
}

#[test]
fn reports_are_valid() {
    let schema = schema();
    for arguments in
        ["", "--bound clerks=3", "--max-depth 2", "--max-states 3", "--property R1", "counter@polite"]
    {
        let report = report(arguments);
        let errors: Vec<String> =
            schema.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{arguments}: {errors:#?}");
    }
}

#[test]
fn schema_refuses_reports_that_contradict_themselves() {
    let schema = schema();
    #[rustfmt::skip]
    let cases: [(&str, &str, Value); 7] = [
        ("no verdict",                             "/runs/0/verdict",                                  json!(null)),
        ("an unknown verdict",                     "/runs/0/verdict",                                  json!("fine")),
        ("violated without a counterexample",      "/runs/0/properties/0/counterexample",              json!(null)),
        ("a lasso of an invariant",                "/runs/0/properties/0/counterexample/lasso_start",  json!(0)),
        ("liveness without a lasso",               "/runs/2/properties/6/counterexample/lasso_start",  json!(null)),
        ("stopped and as expected",                "/runs/0/stopped_by",                               json!("limit of 1 states")),
        ("a negative count",                       "/runs/0/states/distinct",                          json!(-1)),
    ];
    for (name, place, value) in cases {
        let mut report = report("");
        assert!(schema.is_valid(&report));
        *report.pointer_mut(place).expect("the report has this field") = value;
        assert!(!schema.is_valid(&report), "{name}");
    }
}
