//! The pages of spans.

use std::sync::atomic::AtomicBool;

use downbeat_sim::diagram::Style;
use downbeat_sim::harness::Outcome;

use crate::judge::{Follow, Judged, Reading, judge_spans};
use crate::{Input, either, json, outcome, page};

const HEALTHY: &str = include_str!("../../trace/tests/otlp/healthy.json");
const OVERLAP: &str = include_str!("../../trace/tests/otlp/overlap.jsonl");
const LEFT_OUT: &str = include_str!("../../trace/tests/otlp/left-out.json");

fn judged(name: &str, text: &str, is_interrupted: bool) -> Judged {
    let interrupt = AtomicBool::new(is_interrupted);
    let reading =
        Reading { follow: Follow::No, is_whole: true, shows_progress: false, interrupt: &interrupt };
    judge_spans(name.to_owned(), text.as_bytes(), reading)
}

#[test]
fn pages_say_what_spans_show_and_what_they_do_not() {
    let damaged = OVERLAP.replacen("\"spanId\"", "\"spanID\"", 1);
    #[rustfmt::skip]
    let cases = [
        ("healthy", HEALTHY, Outcome::AsExpected),
        ("overlap", OVERLAP, Outcome::Unexpected),
        ("left-out", LEFT_OUT, Outcome::Incomplete),
        ("cut", &OVERLAP[..OVERLAP.len() - 20], Outcome::Incomplete),
        ("damaged", &damaged, Outcome::Failed),
    ];
    for (name, text, expected) in cases {
        let judged = judged(name, text, false);
        assert_eq!(outcome(&judged), expected, "{name}");
        insta::assert_snapshot!(name, page::page(&judged, Style::Plain));
    }
}

#[test]
fn a_machine_is_told_how_many_spans_said_nothing() {
    let document = json::document(&judged("left-out", LEFT_OUT, false));
    insta::assert_snapshot!(format!("{:#}", document["spans"]));
}

#[test]
fn spans_whose_reading_was_interrupted_keep_nothing() {
    let judged = judged("healthy", HEALTHY, true);
    assert!(judged.is_interrupted && judged.error.is_none());
    assert_eq!(outcome(&judged), Outcome::Interrupted);
}

#[test]
fn what_a_file_is_may_be_said_and_else_its_first_object_tells() {
    let interrupt = AtomicBool::new(false);
    let line = "{\"event\":\"restart\"}\n";
    // What was read: spans, lines that are none, nothing.
    #[rustfmt::skip]
    let cases: [(_, _, Result<_, String>); 4] = [
        (OVERLAP, None,               Ok((true, None))),
        (line,    None,               Ok((false, None))),
        (OVERLAP, Some(Input::Trace), Ok((false, Some("line 1, column 1415, byte 1414: missing field `event`")))),
        (line,    Some(Input::Otlp),  Ok((true, Some("line 2, column 1, byte 20, document 1: no document has `resourceSpans`; if these are lines of the schema, say --input trace")))),
    ];
    for (text, input, expected) in cases {
        let reading =
            Reading { follow: Follow::No, is_whole: false, shows_progress: false, interrupt: &interrupt };
        let judged = either("it".to_owned(), text.as_bytes(), input, reading, |_| {});
        let judged =
            judged.map(|judged| (judged.spans.is_some(), judged.error.map(|error| error.to_string())));
        let expected = expected.map(|(is_of_spans, error)| (is_of_spans, error.map(str::to_owned)));
        assert_eq!(judged.map_err(|error: std::io::Error| error.to_string()), expected, "{input:?}");
    }
    let reading =
        Reading { follow: Follow::Grows, is_whole: false, shows_progress: false, interrupt: &interrupt };
    let refused = either("it".to_owned(), OVERLAP.as_bytes(), None, reading, |_| {}).err();
    assert!(refused.is_some_and(|error| error.to_string().contains("--follow")));
}
