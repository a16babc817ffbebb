//! Pages and documents of whole traces.

use std::sync::atomic::AtomicBool;

use downbeat_sim::diagram::Style;
use serde_json::{Value, json};

use crate::judge::{Follow, Judged, Reading, judge};
use crate::{json, page};

const SCHEMA: &str = include_str!("../../../docs/validate.schema.json");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/trace.md");

/// The main loop and the end of the subtask each send the next request.
const DOUBLE_CONTINUATION: &str = r#"{"event":"task-started","task":"parent","at_ms":0}
{"event":"request-started","task":"parent","request":1,"at_ms":10}
{"event":"request-ended","task":"parent","request":1,"end":"completed","at_ms":2300}
{"event":"task-started","task":"child","parent":"parent","at_ms":2310}
{"event":"request-started","task":"child","request":2,"at_ms":2320}
{"event":"request-ended","task":"child","request":2,"end":"completed","at_ms":5900}
{"event":"task-ended","task":"child","end":"completed","at_ms":5910}
{"event":"request-started","task":"parent","request":3,"at_ms":5915}
{"event":"result-delivered","task":"parent","child":"child","at_ms":5920}
{"event":"request-started","task":"parent","request":4,"at_ms":5921}
{"event":"request-ended","task":"parent","request":3,"end":"completed","at_ms":8100}
{"event":"request-ended","task":"parent","request":4,"end":"completed","at_ms":8400}
{"event":"task-ended","task":"parent","end":"completed","at_ms":8410}
"#;

fn judged(name: &str, text: &str, is_whole: bool) -> Judged {
    let interrupt = AtomicBool::new(false);
    let reading = Reading { follow: Follow::No, is_whole, shows_progress: false, interrupt: &interrupt };
    judge(name.to_owned(), text.as_bytes(), reading, |_| ())
}

#[test]
fn page_of_the_double_continuation_is_in_the_book() {
    let shown = page::page(&judged("trace.jsonl", DOUBLE_CONTINUATION, true), Style::Plain);
    let text = format!(
        "```json\n{DOUBLE_CONTINUATION}```\n\n```text\n$ downbeat validate trace.jsonl --whole\n{shown}```\n"
    );
    let book = std::fs::read_to_string(PAGE).expect("the page is there");
    let (begin, end) = ("<!-- example -->\n", "<!-- end of example -->");
    let (before, rest) = book.split_once(begin).expect("it has a place for it");
    let (committed, after) = rest.split_once(end).expect("it has a place for it");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PAGE, format!("{before}{begin}{text}{end}{after}")).expect("it can be written");
        return;
    }
    assert!(committed == text, "docs/trace.md has another page; write it anew with UPDATE_DOCS=1\n{text}");
}

#[test]
fn documents_are_valid_whatever_the_trace_is() {
    let schema = serde_json::from_str(SCHEMA).expect("it is JSON");
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let schema = jsonschema::draft202012::new(&schema).expect("it is a schema");
    let many = "{\"event\":\"call-entered\",\"task\":1}\n{\"event\":\"lock-waited\",\"task\":1}\n".repeat(3);
    #[rustfmt::skip]
    let cases = [
        ("the double continuation", DOUBLE_CONTINUATION.to_owned(), "broken"),
        ("nothing", String::new(), "undecided"),
        ("calls at once", many, "undecided"),
        ("cut, with kinds and fields of its own", "{\"event\":\"tea-made\"}\n{\"event\":\"cancel\",\"task\":1,\"x\":1}\n{\"event\":".to_owned(), "undecided"),
        ("no trace", "hello\n".to_owned(), "undecided"),
    ];
    for (name, text, expected) in cases {
        for is_whole in [false, true] {
            let document =
                json!({ "version": 1, "traces": [json::document(&judged(name, &text, is_whole))] });
            let errors: Vec<_> = schema
                .iter_errors(&document)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{name}: {errors:#?}");
            assert_eq!(document["traces"][0]["properties"][0]["verdict"], expected, "{name}");
            let mut other = document;
            other["traces"][0]["properties"][0]["verdict"] = Value::from("kept");
            assert!(!schema.is_valid(&other), "{name}: a verdict without its ground is valid");
        }
    }
}

#[test]
fn last_line_that_is_cut_is_told_from_one_that_is_no_event() {
    let whole = "{\"event\":\"task-started\",\"task\":1}\n";
    let cut = judged("", &format!("{whole}{}", &whole[..20]), true);
    assert_eq!(
        (cut.cut.map(|place| (place.line, place.byte)), cut.error.is_none(), cut.is_whole),
        (Some((2, 34)), true, false)
    );
    let foreign = judged("", &format!("{whole}hello"), true);
    let error = foreign.error.map(|error| error.to_string());
    assert_eq!((foreign.cut, error.as_deref()), (None, Some("line 2, column 1, byte 34: expected value")));
    let unbroken = judged("", whole.trim_end(), true);
    assert_eq!((unbroken.monitor.events(), unbroken.is_whole), (1, true));
}
