use crate::NAME_MAX;
use std::fmt::Write as _;

use super::*;
use crate::monitor::{Monitor, Verdict};
use crate::property::Property;

const HEALTHY: &str = include_str!("../../tests/otlp/healthy.json");
const OVERLAP: &str = include_str!("../../tests/otlp/overlap.jsonl");
const LEFT_OUT: &str = include_str!("../../tests/otlp/left-out.json");

fn told(text: &str) -> String {
    let otlp = Otlp::read(text.as_bytes());
    let mut told = String::new();
    for (place, event) in otlp.events() {
        let _ = writeln!(told, "{:>2} @{:<5} {}", place.line, place.byte, event.line());
    }
    let tally = otlp.tally();
    let _ = writeln!(
        told,
        "spans {}, conversation {}, trace {}",
        tally.spans, tally.by_conversation, tally.by_trace
    );
    for why in Left::ALL.iter().filter(|why| tally.left(**why) > 0) {
        let _ = writeln!(told, "{} {}", tally.left(*why), why.name());
    }
    if let Some(error) = otlp.error() {
        let _ = writeln!(told, "{error}");
    }
    if let Some(cut) = otlp.cut() {
        let _ = writeln!(told, "cut at {} before span {}", cut.byte, cut.line);
    }
    told
}

fn verdict(text: &str, property: Property) -> Verdict {
    let otlp = Otlp::read(text.as_bytes());
    let mut monitor = Monitor::default();
    if otlp.has_gap() {
        monitor.gap();
    }
    for (place, event) in otlp.events() {
        monitor.take(place, &event, event.line().as_bytes());
    }
    let verdicts = monitor.verdicts(true);
    verdicts.into_iter().find(|(of, _)| *of == property).expect("there is one of each").1
}

#[test]
fn an_agent_with_tools_and_a_subagent_is_a_trace() {
    insta::assert_snapshot!(told(HEALTHY));
}

#[test]
fn what_says_nothing_is_left_out_and_counted() {
    insta::assert_snapshot!(told(LEFT_OUT));
}

#[test]
fn the_place_of_a_span_is_where_it_begins() {
    let otlp = Otlp::read(HEALTHY.as_bytes());
    for (place, _) in otlp.events() {
        let at = usize::try_from(place.byte).expect("a short document");
        assert!(HEALTHY[at..].starts_with("{\n") && HEALTHY[at..].contains("\"traceId\""), "{place:?}");
        let before = HEALTHY[..at].matches("\"traceId\"").count() as u64;
        assert_eq!(before + 1, place.line);
    }
}

#[test]
fn requests_that_overlap_break_s1_and_those_that_follow_at_once_do_not() {
    assert_eq!(verdict(HEALTHY, Property::S1), Verdict::Kept(4));
    let Verdict::Broken(breach) = verdict(OVERLAP, Property::S1) else { panic!("they overlap") };
    assert_eq!((breach.count, breach.moment.place.line), (1, 2));
    // What was left out may have broken it.
    assert_eq!(verdict(LEFT_OUT, Property::S1), Verdict::Incomplete);
}

#[test]
fn what_spans_do_not_say_is_undecided() {
    for property in [Property::S2, Property::S3, Property::S4, Property::S5, Property::S8, Property::S18] {
        assert!(matches!(verdict(HEALTHY, property), Verdict::Undecided(_)), "{property:?}");
    }
}

/// Everything that begins or ends at one nanosecond, in every order in which the spans may stand.
#[test]
fn at_one_moment_what_ends_ends_before_another_begins() {
    let spans = [
        of(1, 0, "invoke_agent", 1, 9),
        of(2, 1, "chat", 2, 5),
        // It takes no time at all.
        of(3, 1, "chat", 5, 5),
        of(4, 1, "chat", 5, 7),
        of(5, 1, "invoke_agent", 7, 8),
        of(6, 5, "chat", 7, 8),
        of(7, 1, "chat", 8, 9),
    ];
    for turn in 0..spans.len() {
        let mut spans = spans.to_vec();
        spans.rotate_left(turn);
        for _ in 0..2 {
            let text =
                format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(","));
            assert_eq!(verdict(&text, Property::S1), Verdict::Kept(5), "{text}");
            assert_eq!(verdict(&text, Property::S9), Verdict::Kept(1), "{text}");
            assert!(matches!(verdict(&text, Property::S7), Verdict::Kept(_)), "{text}");
            spans.reverse();
        }
    }
}

/// A span of trace 7; 0 is no parent.
fn of(id: u32, parent: u32, operation: &str, start: u32, end: u32) -> String {
    let parent = if parent == 0 { String::new() } else { format!("{parent:016x}") };
    format!(
        r#"{{"traceId":"{:032x}","spanId":"{id:016x}","parentSpanId":"{parent}","startTimeUnixNano":{start},"endTimeUnixNano":{end},"attributes":[{{"key":"gen_ai.operation.name","value":{{"stringValue":"{operation}"}}}}]}}"#,
        7
    )
}

fn document(spans: &[String]) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(","))
}

#[test]
fn what_outlives_its_agent_is_found() {
    let agent = of(1, 0, "invoke_agent", 1, 9);
    #[rustfmt::skip]
    let cases = [
        (of(2, 1, "invoke_agent", 5, 8), [false, false]),
        (of(2, 1, "invoke_agent", 5, 12), [false, true]),
        (of(2, 1, "invoke_agent", 10, 12), [false, true]),
        (of(2, 1, "chat", 8, 12), [false, false]),
        (of(2, 1, "chat", 10, 12), [true, false]),
        (of(2, 1, "execute_tool", 10, 12), [true, false]),
        // Of another trace it is nobody's.
        (of(2, 1, "chat", 10, 12).replacen('7', "8", 1), [false, false]),
    ];
    for (span, expected) in cases {
        let text = document(&[agent.clone(), span]);
        let is_broken = |property| matches!(verdict(&text, property), Verdict::Broken(_));
        assert_eq!([Property::S7, Property::S9].map(is_broken), expected, "{text}");
    }
}

#[test]
fn damage_is_told_with_its_place() {
    let with = |field: &str, value: &str| {
        let at = OVERLAP.find(field).expect("it is there") + field.len() + 2;
        let end = at + OVERLAP[at..].find([',', '}']).expect("it ends");
        format!("{}{value}{}", &OVERLAP[..at], &OVERLAP[end..])
    };
    let cases = [
        with("\"traceId\"", "\"W4qlotLIcugyHPNzCNad8g==\""),
        with("\"spanId\"", "\"xyz\""),
        with("\"parentSpanId\"", "\"12\""),
        with("\"startTimeUnixNano\"", "1.5"),
        with("\"endTimeUnixNano\"", "\"soon\""),
        with("\"startTimeUnixNano\"", "-1"),
        with("\"startTimeUnixNano\"", "}"),
        with("\"attributes\"", "{}"),
        with("\"status\"", "{\"code\":3}"),
        "[]".to_owned(),
        "{\"resourceSpans\":7}".to_owned(),
        "{\"event\":\"restart\"}\n{\"event\":\"restart\"}".to_owned(),
        format!("{OVERLAP}nonsense"),
        format!("{{\"resourceSpans\":[{{\"resource\":{}", "[".repeat(200)),
    ];
    let told: Vec<_> = cases
        .iter()
        .map(|case| Otlp::read(case.as_bytes()).error().map_or("no error".to_owned(), ToString::to_string))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_document_cut_anywhere_is_no_whole_one() {
    let whole = OVERLAP.lines().next().expect("two documents");
    for end in 1..whole.len() {
        let otlp = Otlp::read(&whole.as_bytes()[..end]);
        assert!(otlp.has_gap(), "cut at {end}");
        assert_eq!(otlp.error().map(ToString::to_string), None, "cut at {end}");
        assert_eq!(otlp.cut().map(|cut| cut.byte), Some(end as u64), "cut at {end}");
        // A half says no more than the whole: no request is in flight twice because an end is missing.
        let verdict = verdict(&whole[..end], Property::S1);
        assert!(matches!(verdict, Verdict::Incomplete | Verdict::Undecided(_)), "cut at {end}: {verdict:?}");
    }
}

#[test]
fn flipped_bytes_are_an_error_or_another_document() {
    let mut bytes = OVERLAP.as_bytes().to_vec();
    let mut errors = 0;
    for at in 0..bytes.len() {
        for bit in [1, 4, 0x20, 0x80] {
            bytes[at] ^= bit;
            let otlp = Otlp::read(bytes.as_slice());
            errors += u32::from(otlp.error().is_some());
            let mut monitor = Monitor::default();
            for (place, event) in otlp.events() {
                monitor.take(place, &event, event.line().as_bytes());
            }
            bytes[at] ^= bit;
        }
    }
    assert!(errors > 0);
}

#[test]
fn long_names_and_long_spans_are_refused() {
    let of = |name: &str, rest: &str| {
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{:032x}","spanId":"{:016x}","name":"{rest}","attributes":[{{"key":"gen_ai.conversation.id","value":{{"stringValue":"{name}"}}}}]}}]}}]}}]}}"#,
            7, 8
        )
    };
    let fits = of(&"x".repeat(NAME_MAX), "");
    assert!(Otlp::read(fits.as_bytes()).error().is_none());
    let long = of(&"x".repeat(NAME_MAX + 1), "");
    assert!(matches!(Otlp::read(long.as_bytes()).error(), Some(OtlpError::LongName { .. })));
    let large = of("x", &"x".repeat(5_000));
    assert!(wire::read(large.as_bytes(), 6_000).error.is_none());
    assert!(matches!(wire::read(large.as_bytes(), 5_000).error, Some(OtlpError::TooLong { .. })));
}

/// Spans that name each other as their parents have nobody above them.
#[test]
fn a_circle_of_spans_ends() {
    let spans = [(1, 2), (2, 3), (3, 1), (4, 4)].map(|(id, parent)| of(id, parent, "chat", 1, 2));
    let otlp = Otlp::read(document(&spans).as_bytes());
    assert_eq!(otlp.events().count(), 0);
    assert!(otlp.has_gap());
}
