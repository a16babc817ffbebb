//! Lines and bytes: what is written is read again, what is cut is cut where it says, and nothing else is taken for an event.

use downbeat_trace::{
    End, Event, Field, Kind, LINE_MAX, Line, Monitor, Name, Read, Reader, Shape, TraceError, Verdict,
};
use proptest::prelude::*;

/// A trace that was read to its end, or to where it cannot be read on.
struct Whole {
    monitor: Monitor,
    error: Option<TraceError>,
    cut: Option<u64>,
    unknown: (u64, u64),
}

fn whole(bytes: &[u8]) -> Whole {
    let (mut monitor, mut reader) = (Monitor::default(), Reader::new(bytes));
    let mut error = None;
    loop {
        match reader.read() {
            Ok(Read::Event { place, event, text }) => monitor.take(place, &event, text),
            Ok(Read::Other) => {}
            Ok(Read::Pending) => break,
            Err(why) => {
                error = Some(why);
                break;
            }
        }
    }
    let mut cut = reader.cut().map(|place| place.byte).filter(|_| error.is_none());
    if error.is_none() {
        match reader.rest() {
            Ok(Read::Event { place, event, text }) => {
                monitor.take(place, &event, text);
                cut = None;
            }
            Ok(Read::Other | Read::Pending) => cut = None,
            Err(why) if why.is_cut() => {}
            Err(why) => (error, cut) = (Some(why), None),
        }
    }
    let unknown = (reader.unknown_kinds().map_or(0, |(count, ..)| count), reader.unknown_fields());
    Whole { monitor, error, cut, unknown }
}

fn place(error: &TraceError) -> (u64, u64) {
    (error.place().line, error.place().byte)
}

/// Few names, so that events are about the same things.
fn name() -> impl Strategy<Value = Name<'static>> {
    prop_oneof![
        4 => (0_u64..4).prop_map(Name::Number),
        1 => any::<u64>().prop_map(Name::Number),
        1 => ".{0,6}".prop_map(Name::of),
        1 => prop::sample::select(vec!["a\"b\\c\n", "7", "\u{1f995}", "\0"]).prop_map(Name::of),
    ]
}

pub(crate) fn event() -> impl Strategy<Value = Event<'static>> {
    let fields = prop::collection::vec((prop::sample::select(Field::ALL), name(), 0_u64..4), 0..4);
    let at_ms = prop::option::of((0_u64..4_000_000_000_000_000).prop_map(micros));
    let parts = (
        prop::sample::select(Kind::ALL),
        prop::sample::select(End::ALL),
        any::<bool>(),
        fields,
        at_ms,
        name(),
    );
    parts.prop_map(|(kind, end, has_end, fields, at_ms, own)| {
        let mut event = Event::new(kind);
        if has_end || kind.has_end() {
            event = event.ended(end);
        }
        if let Some(at_ms) = at_ms {
            event = event.at(at_ms);
        }
        let needed = kind.needs().iter().map(|field| (*field, own.clone(), 1));
        for (field, name, number) in needed.chain(fields) {
            let is_number = field.shape() == Shape::Number;
            event = event.with(field, if is_number { Name::Number(number) } else { name });
        }
        event
    })
}

/// A time that is given to the microsecond.
#[expect(clippy::cast_precision_loss, reason = "below 2^53")]
fn micros(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

/// Bytes that are near a trace.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        3 => event().prop_map(|event| event.line()),
        1 => prop::sample::select(vec![
            "", "{}", "[]", "{\"event\":\"restart\"", "{\"event\":\"restart\",\"event\":\"restart\"}", "nothing", "\u{feff}",
            "{\"event\":\"cancel\",\"task\":null}", "{\"event\":\"cancel\",\"task\":1.5}", "{\"event\":\"cancel\",\"task\":1,\"task\":2}",
            "{\"event\":\"task-ended\",\"task\":1,\"end\":\"over\"}", "{\"event\":\"restart\",\"at_ms\":1e999}",
        ]).prop_map(str::to_owned),
    ];
    let lines = prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n").into_bytes());
    (lines, prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3)).prop_map(
        |(mut bytes, changes)| {
            for (at, byte) in changes {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
            }
            bytes
        },
    )
}

proptest! {
    #[test]
    fn event_is_what_its_line_says(event in event()) {
        let line = event.line();
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(Line::read(line.as_bytes()).expect("it is a line"), Line::Event(event, 0));
    }

    #[test]
    fn any_bytes_are_judged_or_refused_at_a_place(bytes in prop_oneof![nearly(), prop::collection::vec(any::<u8>(), 0..200)]) {
        let Whole { monitor, error, .. } = whole(&bytes);
        prop_assert_eq!(monitor.verdicts(true).len(), monitor.verdicts(false).len());
        if let Some(error) = error {
            let (line, byte) = place(&error);
            let before = usize::try_from(byte).expect("within the bytes");
            prop_assert!(before <= bytes.len(), "{error}");
            let lines = bytes[..before].split(|byte| *byte == b'\n').count() as u64;
            prop_assert_eq!(line, lines, "{}", error);
            prop_assert!(before == 0 || bytes[before - 1] == b'\n', "{error}");
        }
    }

    #[test]
    fn cut_trace_has_the_verdicts_of_its_whole_lines(events in prop::collection::vec(event(), 1..8), at in any::<prop::sample::Index>()) {
        let lines: Vec<_> = events.iter().map(Event::line).collect();
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        let cut_at = at.index(text.len());
        let cut = &text.as_bytes()[..cut_at];
        let mut is_whole_line = 0;
        let mut end = 0;
        for line in &lines {
            // Without its line break a line is whole as well.
            if end + line.len() <= cut_at {
                is_whole_line += 1;
                end += line.len() + 1;
            } else {
                break;
            }
        }
        let expected: String = lines[..is_whole_line].iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        let (cut, expected) = (whole(cut), whole(expected.as_bytes()));
        prop_assert!(cut.error.is_none(), "{:?}", cut.error);
        prop_assert_eq!(cut.monitor.verdicts(false), expected.monitor.verdicts(false));
        prop_assert_eq!(cut.monitor.events(), expected.monitor.events());
        let is_between = end >= cut_at;
        prop_assert_eq!(cut.cut, (!is_between).then_some(end as u64));
    }
}

#[test]
fn what_the_schema_does_not_have_is_counted() {
    let text = "{\"event\":\"cancel\",\"task\":1,\"why\":{\"a\":[1,2]},\"who\":\"me\"}\n\
                {\"event\":\"tea-made\",\"sugar\":2}\n\n{\"event\":\"coffee-made\"}";
    let whole = whole(text.as_bytes());
    assert_eq!((whole.unknown, whole.monitor.events()), ((2, 2), 1));
    let deep = format!("{{\"event\":\"restart\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(self::whole(deep.as_bytes()).unknown, (0, 1), "however deep");
    let mut reader = Reader::new(text.as_bytes());
    while !matches!(reader.read().expect("it is a trace"), Read::Pending) {}
    let _ = reader.rest().expect("it is a line");
    let (count, place, first) = reader.unknown_kinds().expect("there are some");
    assert_eq!((count, place.line, first), (2, 2, "tea-made"));
}

#[test]
fn what_is_no_event_is_refused_with_its_place() {
    #[rustfmt::skip]
    let cases = [
        ("\n{\"event\":\"cancel\"}\n", "line 2, column 18, byte 18: `cancel` has to have `task`"),
        ("{\"event\":\"task-ended\",\"task\":1}\n", "line 1, column 31, byte 30: `task-ended` has to have `end`"),
        ("{\"task\":1}\n", "line 1, column 10, byte 9: missing field `event`"),
        ("{\"event\":\"restart\",\"end\":\"over\"}\n", "line 1, column 32, byte 31: `end` is one of completed, failed, cancelled, stopped, refused, unknown"),
        ("{\"event\":\"cancel\",\"task\":1,\"task\":2}\n", "line 1, column 36, byte 35: `task` is there twice"),
        ("{\"event\":\"cancel\",\"task\":-1}\n", "line 1, column 27, byte 26: invalid type: integer `-1`, expected a text, or a number from 0 without a fraction"),
        ("{\"event\":\"request-started\",\"task\":1,\"turn\":\"one\"}\n", "line 1, column 49, byte 48: `turn` has to be a number"),
        ("\u{feff}{]\n", "line 1, column 5, byte 4: key must be a string"),
        ("  {]\n", "line 1, column 4, byte 3: key must be a string"),
        ("hello", "line 1, column 1, byte 0: expected value"),
        ("\u{0}\u{1}\u{2}", "line 1, column 1, byte 0: expected value"),
    ];
    for (text, expected) in cases {
        let error = whole(text.as_bytes()).error.map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected), "{text:.80}");
    }
    let long = vec![b' '; LINE_MAX + 1];
    let error = whole(&long).error.map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("line 1, byte 0: a line has at most 1048576 bytes"));
}

#[test]
fn trace_of_windows_with_a_mark_is_read() {
    let text = "\u{feff}{\"event\":\"task-started\",\"task\":1}\r\n  {\"event\":\"task-ended\",\"task\":\"1\",\"end\":\"completed\"}\r\n";
    let whole = whole(text.as_bytes());
    assert!(whole.error.is_none(), "{:?}", whole.error);
    assert!(whole.monitor.verdicts(true).iter().any(|(_, verdict)| *verdict == Verdict::Kept(1)));
    assert_eq!((whole.monitor.events(), whole.monitor.tasks()), (2, 1));
}
