//! `docs/trace.schema.json` and the tables of `docs/trace.md` are what the code is.
//!
//! `UPDATE_DOCS=1 cargo test -p downbeat-trace --test trace document` writes them anew.

use std::fmt::Write as _;

use downbeat_trace::{Decided, End, Fault, Field, Kind, Line, Need, Property, Shape};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::lines::event;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/trace.schema.json");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/trace.md");

/// The value of a field, where it has to be there, and where it need not.
fn shape(shape: Shape, is_needed: bool) -> Value {
    let name = match (shape, is_needed) {
        (Shape::Name, true) => "name",
        (Shape::Name, false) => "nameOrNull",
        (Shape::Number, true) => "number",
        (Shape::Number, false) => "numberOrNull",
    };
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn schema() -> Value {
    let ends: Vec<_> = End::ALL.iter().map(|end| end.name()).collect();
    let mut properties = serde_json::Map::new();
    properties.insert("event".to_owned(), json!({ "type": "string" }));
    properties.insert(
        "at_ms".to_owned(),
        json!({ "description": "When, in milliseconds.", "type": ["number", "null"] }),
    );
    properties.insert("end".to_owned(), json!({ "description": "How it ended.", "enum": ends }));
    for field in Field::ALL {
        properties.insert(
            field.name().to_owned(),
            json!({ "description": field.about(), "$ref": "#/$defs/nameOrNull" }),
        );
    }
    let numbers = || Field::ALL.iter().filter(|field| field.shape() == Shape::Number);
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    let of_known: serde_json::Map<_, _> =
        numbers().map(|field| (field.name().to_owned(), shape(Shape::Number, false))).collect();
    let mut rules = vec![json!({
        "if": { "properties": { "event": { "enum": kinds } } },
        "then": { "properties": of_known },
    })];
    for kind in Kind::ALL {
        let mut required: Vec<_> = kind.needs().iter().map(|field| field.name()).collect();
        if kind.has_end() {
            required.push("end");
        }
        if required.is_empty() {
            continue;
        }
        let needed: serde_json::Map<_, _> =
            kind.needs().iter().map(|field| (field.name().to_owned(), shape(field.shape(), true))).collect();
        rules.push(json!({
            "if": { "properties": { "event": { "const": kind.name() } } },
            "then": { "description": kind.about(), "required": required, "properties": needed },
        }));
    }
    let name = json!({ "description": "A text that is a number is that number.", "type": ["string", "integer"], "minimum": 0 });
    let number = json!({ "type": ["string", "integer"], "minimum": 0, "pattern": "^(0|[1-9][0-9]{0,18})$" });
    let or_null = |of: &str| json!({ "anyOf": [{ "$ref": format!("#/$defs/{of}") }, { "type": "null" }] });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://downbeat.invalid/trace.schema.json",
        "title": "A line of a trace",
        "description": "Events of other kinds, and other fields, are counted and not judged. A field that is null is not there. Made from `adapters/trace/src/event.rs`.",
        "type": "object",
        "required": ["event"],
        "properties": properties,
        "allOf": rules,
        "$defs": { "name": name, "nameOrNull": or_null("name"), "number": number, "numberOrNull": or_null("number") },
    })
}

fn listed(fields: &[Field]) -> String {
    fields.iter().map(|field| format!("`{}`", field.name())).collect::<Vec<_>>().join(", ")
}

fn kinds() -> String {
    let mut table = String::from("| event | has | may have | it says |\n|---|---|---|---|\n");
    for kind in Kind::ALL {
        let end = match (kind.has_end(), kind.needs().is_empty()) {
            (true, false) => ", `end`",
            (true, true) => "`end`",
            (false, _) => "",
        };
        let _ = writeln!(
            table,
            "| `{}` | {}{end} | {} | {} |",
            kind.name(),
            listed(kind.needs()),
            listed(kind.may_have()),
            kind.about()
        );
    }
    table
}

fn fields() -> String {
    let mut table = String::from("| field | value | it says |\n|---|---|---|\n");
    table.push_str("| `at_ms` | a number | when, in milliseconds since any moment that is the same for the whole trace |\n");
    for field in Field::ALL {
        let value = match field.shape() {
            Shape::Name => "a name",
            Shape::Number => "a number",
        };
        let _ = writeln!(table, "| `{}` | {value} | {} |", field.name(), field.about());
    }
    table
}

fn ends() -> String {
    let mut table = String::from("| `end` | it says |\n|---|---|\n");
    for end in End::ALL {
        let _ = writeln!(table, "| `{}` | {} |", end.name(), end.about());
    }
    table
}

fn properties() -> String {
    let mut table = String::from(
        "| id | promise | broken when | put to the test when | decided by a trace with |\n|---|---|---|---|---|\n",
    );
    for property in Property::ALL {
        let faults = Fault::ALL.iter().filter(|fault| fault.property() == *property);
        let faults = faults.map(|fault| fault.words()).collect::<Vec<_>>().join("; ");
        let needs = |needs: &[Need]| {
            let words = needs.iter().map(|need| match need {
                Need::Event(kind) => format!("`{}`", kind.name()),
                Need::Said(kind, field) => format!("`{}` with `{}`", kind.name(), field.name()),
            });
            words.collect::<Vec<_>>().join(", ")
        };
        let decided = match property.decided() {
            Decided::By(list) => needs(list),
            Decided::AtTheEndBy(list) => format!("{}, if it is whole", needs(list)),
            Decided::Never(why) => format!("none: {why}"),
        };
        let _ = writeln!(
            table,
            "| {} | {} | {faults} | {} | {decided} |",
            property.id(),
            property.statement(),
            property.stake()
        );
    }
    table
}

/// The page with what stands between the two marks of a name replaced.
fn with(page: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no {end}"));
    format!("{before}{begin}{text}{end}{after}")
}

fn compare(path: &str, expected: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, expected).expect("it can be written");
        return;
    }
    let committed = std::fs::read_to_string(path).expect("it is there");
    assert!(committed == expected, "{path} is not what the code is; write it anew with UPDATE_DOCS=1");
}

#[test]
fn schema_is_what_the_tables_of_events_are() {
    compare(SCHEMA, &format!("{:#}\n", schema()));
}

#[test]
fn page_has_the_tables_of_events_and_promises() {
    let page = std::fs::read_to_string(PAGE).expect("the page is there");
    let tables = [("kinds", kinds()), ("fields", fields()), ("ends", ends()), ("promises", properties())];
    let expected = tables.iter().fold(page, |page, (name, table)| with(&page, name, table));
    compare(PAGE, &expected);
}

fn validator() -> jsonschema::Validator {
    assert!(jsonschema::draft202012::meta::is_valid(&schema()));
    jsonschema::draft202012::new(&schema()).expect("it is a schema")
}

#[test]
fn schema_takes_what_the_reader_takes() {
    let validator = validator();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let fields = prop::collection::vec((prop::sample::select(Field::ALL), 0_usize..6), 0..3);
    let kind = prop::sample::select(Kind::ALL);
    let changes = (event(), fields, any::<bool>(), prop::option::of(kind));
    let judged = runner.run(&changes, |(event, changes, loses_end, kind)| {
        let mut line: Value = serde_json::from_str(&event.line()).expect("it is JSON");
        prop_assert!(validator.is_valid(&line), "{line}");
        // Something is missing, of another shape, or of another kind.
        for (field, value) in changes {
            line[field.name()] =
                [json!(null), json!("a"), json!("7"), json!(-1), json!(1.5), json!([])][value].clone();
        }
        if let Some(kind) = kind {
            line["event"] = kind.name().into();
        }
        if loses_end {
            line.as_object_mut().expect("it is an object").remove("end");
        }
        let is_taken = Line::read(line.to_string().as_bytes()).is_ok();
        prop_assert_eq!(validator.is_valid(&line), is_taken, "{}", line);
        Ok(())
    });
    if let Err(difference) = judged {
        panic!("{difference}");
    }
    for (text, is_taken) in [
        ("{}", false),
        ("[]", false),
        ("{\"event\":null}", false),
        ("{\"event\":\"restart\",\"end\":\"over\"}", false),
        ("{\"event\":\"restart\",\"at_ms\":\"now\"}", false),
        ("{\"event\":\"restart\",\"at_ms\":null,\"why\":{}}", true),
        ("{\"event\":\"tea-made\",\"turn\":\"one\"}", true),
        ("{\"event\":\"tea-made\",\"task\":{}}", false),
    ] {
        let value: Value = serde_json::from_str(text).expect("it is JSON");
        assert_eq!(
            (validator.is_valid(&value), Line::read(text.as_bytes()).is_ok()),
            (is_taken, is_taken),
            "{text}"
        );
    }
}
