//! What `validate` says of a trace to a person.

use std::fmt::Write as _;

use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::grouped;
use downbeat_sim::mermaid;
use downbeat_trace::{Breach, Kind, Left, Notable, Property, Recursion, Tally, Verdict, Waits};

use crate::judge::Judged;
use crate::words::{clock, drawn, sentence, span};

/// Tasks that are told of, of those that are open at the end.
const OPEN_SHOWN: usize = 12;
/// Tasks whose calls are told of.
const NOTABLE_SHOWN: usize = 12;
/// Changes of the calls of one task that are told of.
const CHANGES_SHOWN: usize = 8;

/// The page of one trace. Ends with a line break.
pub(crate) fn page(judged: &Judged, style: Style) -> String {
    let verdicts = judged.monitor.verdicts(judged.is_whole);
    let mut page = String::new();
    let _ = writeln!(page, "{}\n", heading(judged));
    for (property, verdict) in &verdicts {
        if let Some(row) = row(*property, verdict, judged.monitor.gaps() > 0) {
            let _ = writeln!(page, "{row}");
        }
    }
    undecided(&mut page, &verdicts, judged.spans.is_some());
    remarks(&mut page, judged);
    let broken = broken(&verdicts);
    for (number, (property, breach)) in broken.iter().enumerate() {
        // One event may break several promises: what came before it is drawn once.
        let same = broken[..number].iter().find(|(_, other)| other.context == breach.context);
        if let Some((other, _)) = same {
            let (id, drawn_for) = (property.id(), other.id());
            let _ = writeln!(page, "\n{id} violated: {}, as drawn for {drawn_for}", sentence(breach));
        } else {
            let drawn = diagram::text(property.id(), property.statement(), &drawn(breach), style);
            let _ = write!(page, "\n{drawn}");
        }
    }
    calls(&mut page, judged);
    open(&mut page, judged);
    if let Some(error) = &judged.error {
        let _ = writeln!(page, "\nnot read to its end: {error}");
    }
    let ids: Vec<_> = broken.iter().map(|(property, _)| property.id()).collect();
    let _ = match ids.len() {
        0 if !verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Kept(_))) => {
            writeln!(page, "\nnothing was put to the test that can be told")
        }
        0 => writeln!(page, "\nno promise was broken, of those that can be told"),
        1 => writeln!(page, "\nbroken: {}", ids[0]),
        several => writeln!(page, "\nbroken: {several} promises, {}", ids.join(", ")),
    };
    page
}

/// The promises that are broken, and by what.
fn broken(verdicts: &[(Property, Verdict)]) -> Vec<(Property, &Breach)> {
    verdicts
        .iter()
        .filter_map(|(property, verdict)| match verdict {
            Verdict::Broken(breach) => Some((*property, &**breach)),
            Verdict::Kept(_)
            | Verdict::NotAtStake
            | Verdict::Undecided(_)
            | Verdict::Unfinished
            | Verdict::Undecidable(_)
            | Verdict::Incomplete => None,
        })
        .collect()
}

/// The diagrams of one trace in mermaid, each with a comment that names it, an empty line between them.
pub(crate) fn diagrams(judged: &Judged) -> String {
    let verdicts = judged.monitor.verdicts(judged.is_whole);
    let of = |(property, breach): (Property, &Breach)| {
        let drawn = mermaid::diagram(property.id(), property.statement(), &drawn(breach));
        format!("%% {} {}\n{drawn}", judged.name, property.id())
    };
    let mut diagrams: Vec<_> = broken(&verdicts).into_iter().map(of).collect();
    if let Some(error) = &judged.error {
        diagrams.push(format!("%% {} was not read to its end: {error}\n", judged.name));
    }
    diagrams.join("\n")
}

fn heading(judged: &Judged) -> String {
    let Judged { name, monitor, .. } = judged;
    let mut heading =
        format!("{name}: {}, {}", count(monitor.events(), "event"), count(monitor.tasks(), "task"));
    if let Some((first, last)) = monitor.span_ms() {
        let _ = write!(heading, ", {} from {}", span(last - first), clock(first));
    }
    heading
}

fn row(property: Property, verdict: &Verdict, has_gaps: bool) -> Option<String> {
    let (mark, words) = match verdict {
        Verdict::Kept(count) => ('✓', format!("kept, {} at stake", times(*count))),
        Verdict::Broken(breach) if breach.count > 1 => {
            ('✗', format!("broken {}, first {}", times(breach.count), sentence(breach)))
        }
        Verdict::Broken(breach) => ('✗', format!("broken: {}", sentence(breach))),
        Verdict::Incomplete if has_gaps => ('?', "kept in what was seen; something is missing".to_owned()),
        Verdict::Incomplete => ('?', "kept in what was followed; a bound kept the rest out".to_owned()),
        Verdict::NotAtStake | Verdict::Undecided(_) | Verdict::Unfinished | Verdict::Undecidable(_) => {
            return None;
        }
    };
    Some(format!("{mark} {:<4} {}\n       {words}", property.id(), property.statement()))
}

/// What is not known, and why.
fn undecided(page: &mut String, verdicts: &[(Property, Verdict)], is_of_spans: bool) {
    let ids = |is_such: fn(&Verdict) -> bool| {
        let such = verdicts.iter().filter(|(_, verdict)| is_such(verdict));
        such.map(|(property, _)| property.id()).collect::<Vec<_>>().join(", ")
    };
    let idle = ids(|verdict| matches!(verdict, Verdict::NotAtStake));
    if !idle.is_empty() {
        let _ = writeln!(page, "\nnever put to the test: {idle}");
    }
    let unfinished = ids(|verdict| matches!(verdict, Verdict::Unfinished));
    if !unfinished.is_empty() && is_of_spans {
        let _ = writeln!(page, "\nwhat has not ended is in no span, so that {unfinished} cannot be told");
    } else if !unfinished.is_empty() {
        let _ = writeln!(
            page,
            "\nthe trace may go on, so that {unfinished} cannot be told; --whole says that it does not"
        );
    }
    let mut lacking: Vec<(String, Vec<&str>)> = Vec::new();
    for (property, verdict) in verdicts {
        let why = match verdict {
            Verdict::Undecided(missing) => {
                let words: Vec<_> = missing.iter().map(|need| need.words()).collect();
                format!("the trace has {}", words.join(", "))
            }
            Verdict::Undecidable(why) => (*why).to_owned(),
            Verdict::Kept(_)
            | Verdict::Broken(_)
            | Verdict::NotAtStake
            | Verdict::Unfinished
            | Verdict::Incomplete => continue,
        };
        match lacking.iter_mut().find(|(other, _)| *other == why) {
            Some((_, ids)) => ids.push(property.id()),
            None => lacking.push((why, vec![property.id()])),
        }
    }
    if !lacking.is_empty() {
        let _ = writeln!(page, "\ncannot be told from this trace:");
        for (why, ids) in lacking {
            let _ = writeln!(page, "  {:<10} {why}", ids.join(", "));
        }
    }
}

/// What the reader should know of the trace itself.
fn remarks(page: &mut String, judged: &Judged) {
    let mut remarks = judged.notes.clone();
    remarks
        .extend((1..).zip(&judged.files).map(|(number, file): (u32, _)| format!("file {number} is {file}")));
    if judged.monitor.backwards() > 0 {
        remarks.push(format!(
            "{} earlier than one above: lines are judged in their order, not by their times",
            count(judged.monitor.backwards(), "event")
        ));
    }
    if let Some((kinds, place, name)) = &judged.unknown_kinds {
        remarks.push(format!(
            "{} of a kind that the schema does not have, first `{name}` ({place})",
            count(*kinds, "line")
        ));
    }
    if judged.unknown_fields > 0 {
        remarks.push(format!("{} that the schema does not have", count(judged.unknown_fields, "field")));
    }
    if let Some(tally) = &judged.spans {
        spans(&mut remarks, tally);
    }
    if let Some(place) = judged.cut {
        remarks.push(match &judged.spans {
            None if judged.files.is_empty() => {
                format!("the last line is cut off ({place}, byte {})", place.byte)
            }
            None => format!("the last line of a file is cut off ({place}, byte {})", place.byte),
            Some(_) => format!("the input is cut off at byte {}, behind span {}", place.byte, place.line - 1),
        });
    }
    if judged.is_interrupted {
        remarks.push("ended by Ctrl-C before its end".to_owned());
    }
    if !remarks.is_empty() {
        page.push('\n');
    }
    for remark in remarks {
        let _ = writeln!(page, "note: {remark}");
    }
}

/// What became of the spans.
fn spans(remarks: &mut Vec<String>, tally: &Tally) {
    remarks.push(format!("{}; a line is the number of one", count(tally.spans, "span")));
    for (number, what) in [(tally.by_conversation, "conversation"), (tally.by_trace, "trace")] {
        if number > 0 {
            remarks.push(format!(
                "{} of requests or tools below no agent: the {what} is taken for the task",
                count(number, "span")
            ));
        }
    }
    for why in Left::ALL.iter().filter(|why| tally.left(**why) > 0) {
        let gap = if why.is_gap() { "; nothing is kept for certain" } else { "" };
        remarks.push(format!("{} left out: {}{gap}", grouped(tally.left(*why)), why.words()));
    }
}

/// Where calls of one task were under way at once, or nearly.
fn calls(page: &mut String, judged: &Judged) {
    let (notable, more) = judged.monitor.notable();
    if notable.is_empty() {
        return;
    }
    let _ = writeln!(page, "\ncalls of one task at once:");
    for Notable { task, calls } in notable.iter().take(NOTABLE_SHOWN) {
        let mut line = format!("  {task}: ");
        match calls.first() {
            Some(first) => {
                let _ = write!(line, "{}, first at {}", calls.peak().name(), first.place);
            }
            None => line += "never",
        }
        if let Some((moment, why, count)) = calls.approached() {
            let _ = write!(line, "; nearly {}, first at {}: {}", times(count), moment.place, why.words());
        }
        let _ = writeln!(page, "{line}");
        let (changes, all) = calls.changes();
        if calls.first().is_some() {
            let shown: Vec<_> = changes
                .iter()
                .take(CHANGES_SHOWN)
                .map(|(at, state)| match at.at_ms {
                    Some(at_ms) => format!("{} {}", clock(at_ms), state.name()),
                    None => format!("{} {}", at.place, state.name()),
                })
                .collect();
            let rest = if all > CHANGES_SHOWN as u64 { ", ..." } else { "" };
            let _ = writeln!(page, "    {}{rest}", shown.join(", "));
            let spent: Vec<_> = Recursion::ALL
                .iter()
                .filter(|state| calls.ms(**state) > 0.0)
                .map(|state| format!("{} {}", state.name(), span(calls.ms(*state))))
                .collect();
            if !spent.is_empty() {
                let _ = writeln!(page, "    in all {}", spent.join(", "));
            }
        }
    }
    let rest = notable.len().saturating_sub(NOTABLE_SHOWN) as u64 + more;
    if rest > 0 {
        let _ = writeln!(page, "  and {}", count(rest, "more task"));
    }
}

/// Who has not ended when the trace does.
fn open(page: &mut String, judged: &Judged) {
    let open = judged.monitor.open();
    if open.is_empty()
        || judged.monitor.count(Kind::TaskEnded) == 0 && judged.monitor.count(Kind::TaskStarted) == 0
    {
        return;
    }
    let _ = writeln!(page, "\nnot ended when the trace does:");
    let now = judged.monitor.span_ms().map(|(_, last)| last);
    for open in open.iter().take(OPEN_SHOWN) {
        let since = now
            .zip(open.last.at_ms)
            .map_or_else(String::new, |(now, at)| format!(", {} ago", span(now - at)));
        let _ = writeln!(
            page,
            "  {}: {}; last heard of at {}{since}",
            open.task,
            waits(&open.waits),
            open.last.place
        );
    }
    if open.len() > OPEN_SHOWN {
        let _ = writeln!(page, "  and {}", count((open.len() - OPEN_SHOWN) as u64, "more task"));
    }
}

/// What a task waits for, in words.
pub(crate) fn waits(waits: &Waits) -> String {
    match waits {
        Waits::Model(1) => "waits for the model".to_owned(),
        Waits::Model(count) => format!("waits for the model, {count} requests at once"),
        Waits::Person(question) => format!("a person has question {question}"),
        Waits::Paused => "a person paused it".to_owned(),
        Waits::Call(call) => format!("waits for the result of call {call}"),
        Waits::Subtask(child) => format!("waits for subtask {child}"),
        Waits::Result(child) => format!("subtask {child} has ended, and its result was not delivered"),
        Waits::Message(message) => format!("message {message} has not reached the model"),
        Waits::Nothing => "nothing is under way".to_owned(),
    }
}

fn count(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(number))
}

fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{} times", grouped(number)) }
}
