//! What `validate` says of a trace to a machine.

use downbeat_trace::{Breach, Left, Place, Property, Recursion, Tally, Verdict};
use serde_json::{Value, json};

use crate::judge::Judged;
use crate::page::waits;

/// The document of one trace.
pub(crate) fn document(judged: &Judged) -> Value {
    let Judged {
        name,
        files,
        monitor,
        error,
        cut,
        spans,
        unknown_kinds,
        unknown_fields,
        is_interrupted,
        is_whole,
        lacks_end: _,
        notes,
    } = judged;
    let verdicts = monitor.verdicts(*is_whole);
    let properties: Vec<_> =
        verdicts.iter().map(|(property, verdict)| of_property(*property, verdict)).collect();
    let (notable, more) = monitor.notable();
    let calls: Vec<_> = notable.iter().map(of_calls).collect();
    let open: Vec<_> = monitor
        .open()
        .iter()
        .map(|open| json!({ "task": open.task, "waits": waits(&open.waits), "last": place(open.last.place), "atMs": open.last.at_ms }))
        .collect();
    json!({
        "trace": name,
        "files": files,
        "events": monitor.events(),
        "tasks": monitor.tasks(),
        "fromMs": monitor.span_ms().map(|(first, _)| first),
        "untilMs": monitor.span_ms().map(|(_, last)| last),
        "whole": is_whole,
        "interrupted": is_interrupted,
        "properties": properties,
        "calls": calls,
        "callsLeftOut": more,
        "open": open,
        "backwards": monitor.backwards(),
        "spans": spans.as_ref().map(of_spans),
        "unknownKinds": unknown_kinds.as_ref().map(|(count, at, name)| json!({ "count": count, "first": name, "at": place(*at) })),
        "unknownFields": unknown_fields,
        "notes": notes,
        "cut": cut.map(place),
        "error": error.as_ref().map(ToString::to_string),
    })
}

fn of_spans(tally: &Tally) -> Value {
    let left: serde_json::Map<_, _> =
        Left::ALL.iter().map(|why| (why.name().to_owned(), tally.left(*why).into())).collect();
    json!({
        "read": tally.spans,
        "byConversation": tally.by_conversation,
        "byTrace": tally.by_trace,
        "leftOut": left,
    })
}

/// Where a line stands, with the file if there are several.
pub(crate) fn place(place: Place) -> Value {
    let mut document = json!({ "line": place.line, "byte": place.byte });
    if place.file > 0 {
        document["file"] = place.file.into();
    }
    document
}

fn of_property(property: Property, verdict: &Verdict) -> Value {
    let mut document = json!({ "id": property.id(), "statement": property.statement() });
    let name = match verdict {
        Verdict::Kept(count) => {
            document["atStake"] = (*count).into();
            "kept"
        }
        Verdict::Broken(breach) => {
            document["breach"] = of_breach(breach);
            "broken"
        }
        Verdict::NotAtStake => "not-at-stake",
        Verdict::Undecided(missing) => {
            document["missing"] = missing.iter().map(|need| need.words()).collect::<Vec<_>>().into();
            "undecided"
        }
        Verdict::Unfinished => "unfinished",
        Verdict::Undecidable(why) => {
            document["why"] = (*why).into();
            "undecidable"
        }
        Verdict::Incomplete => "incomplete",
    };
    document["verdict"] = name.into();
    document
}

fn of_breach(breach: &Breach) -> Value {
    let context: Vec<_> = breach
        .context
        .iter()
        .map(|shown| {
            let event = serde_json::from_str(&shown.text).unwrap_or(Value::Null);
            let mut document = place(shown.place);
            document["event"] = event;
            document
        })
        .collect();
    json!({
        "fault": breach.fault.name(),
        "words": breach.fault.words(),
        "of": breach.of,
        "at": (breach.moment.place.line > 0).then(|| place(breach.moment.place)),
        "atMs": breach.moment.at_ms,
        "count": breach.count,
        "context": context,
    })
}

fn of_calls(notable: &downbeat_trace::Notable) -> Value {
    let downbeat_trace::Notable { task, calls } = notable;
    let (changes, count) = calls.changes();
    let changes: Vec<_> = changes
        .iter()
        .map(|(at, state)| json!({ "at": place(at.place), "atMs": at.at_ms, "state": state.name() }))
        .collect();
    let spent: serde_json::Map<_, _> =
        Recursion::ALL.iter().map(|state| (state.name().to_owned(), calls.ms(*state).into())).collect();
    json!({
        "task": task,
        "peak": calls.peak().name(),
        "first": calls.first().map(|first| place(first.place)),
        "approached": calls.approached().map(|(at, why, count)| json!({ "at": place(at.place), "atMs": at.at_ms, "why": why.words(), "count": count })),
        "changes": changes,
        "changeCount": count,
        "ms": spent,
    })
}
