//! The reports as text, for a terminal of [`WIDTH`] characters.

use crate::bounds::{ASK_MS_MIN, SHOWN_MAX, WIDTH};
use crate::conversation::ToolForm;
use crate::examine::{Examined, Shortened};
use crate::finding::{Certainty, Counts, Fault, Finding, Place, Property};
use crate::moment::{length, moment};
use crate::storage::{Outcome, Storage};
use crate::words::quoted;
use std::collections::{BTreeMap, BTreeSet};

/// The report of one task.
pub fn text(examined: &Examined) -> String {
    let mut out = String::new();
    let mut line = |text: &str| out.push_str(&wrapped(text, 0));
    line(&format!("task {}", quoted(&examined.task)));
    if let (Some(first), Some(last)) = (examined.first_ts, examined.last_ts) {
        line(&format!("from {} to {} UTC", moment(first), moment(last)));
    }
    if let Some(parent) = &examined.parent {
        line(&format!("a subtask of {}", quoted(parent)));
    }
    line(&form(examined));
    for file in &examined.files {
        let messages = file.messages.map(|messages| format!("{messages} messages, ")).unwrap_or_default();
        line(&format!("read {}: {messages}{} bytes", file.file, file.bytes));
    }
    for missing in &examined.missing {
        line(&format!("missing: {missing}"));
    }
    for damaged in &examined.damaged {
        line(&format!("cannot be read: {}", quoted_line(&damaged.to_string())));
    }
    findings(examined, &mut out);
    waits(examined, &mut out);
    if !examined.unknown.is_empty() {
        let counts: Vec<String> =
            examined.unknown.iter().map(|(name, count)| format!("{name} ({count})")).collect();
        out.push_str(&wrapped(&format!("\nnot known here: {}", counts.join(", ")), 4));
    }
    out
}

fn form(examined: &Examined) -> String {
    let tools = match examined.form.tools {
        ToolForm::None => "no calls of tools",
        ToolForm::Text => "calls of tools in text",
        ToolForm::Native => "calls of tools with ids",
    };
    let delegation = match examined.form.delegation {
        Some(true) => ", delegation",
        Some(false) | None => "",
    };
    let shortened = match examined.form.shortened {
        Shortened::No => "",
        Shortened::Kept => ", shortened with all messages kept",
        Shortened::Cut => ", shortened with messages taken out",
    };
    format!("{tools}{delegation}{shortened}")
}

fn findings(examined: &Examined, out: &mut String) {
    let Counts { proven, suspicious, cannot_tell } = examined.counts;
    for (certainty, count) in [
        (Certainty::Proven, proven),
        (Certainty::Suspicious, suspicious),
        (Certainty::CannotTell, cannot_tell),
    ] {
        if count > 0 {
            line(out, &format!("\n{}: {count}", certainty.name()));
        }
        let (shown, more) = few_of_each(examined, |other| other == certainty);
        for finding in shown {
            line(
                out,
                &format!("  {:?} {}, {}", finding.property, finding.fault.name(), place(&finding.place)),
            );
            out.push_str(&wrapped(&format!("    {}", finding.says), 4));
        }
        for (fault, more) in more {
            line(out, &format!("  and {more} more: {}", fault.name()));
        }
    }
    if examined.findings_left_off > 0 {
        line(out, &format!("left off, the least certain first: {}", examined.findings_left_off));
    }
    if examined.worst().is_none_or(|worst| worst == Certainty::CannotTell) {
        line(out, "\nnothing proven, nothing suspicious");
    }
}

/// The first findings of each kind, and how many more there are of each.
fn few_of_each(
    examined: &Examined,
    is: impl Fn(Certainty) -> bool,
) -> (Vec<&Finding>, BTreeMap<Fault, usize>) {
    let mut seen: BTreeMap<Fault, usize> = BTreeMap::new();
    let shown = examined.findings.iter().filter(|finding| is(finding.certainty)).filter(|finding| {
        let seen = seen.entry(finding.fault).or_default();
        *seen += 1;
        *seen <= SHOWN_MAX
    });
    let shown = shown.collect();
    let more = seen.into_iter().filter(|(_, seen)| *seen > SHOWN_MAX);
    (shown, more.map(|(fault, seen)| (fault, seen - SHOWN_MAX)).collect())
}

fn waits(examined: &Examined, out: &mut String) {
    if !examined.waits.is_empty() || !examined.open_waits.is_empty() {
        line(out, "\nwaits");
    }
    for wait in &examined.waits {
        let began = wait.place.ts.map(|ts| format!(" from {}", moment(ts))).unwrap_or_default();
        line(
            out,
            &format!("  {:>13} {}{began}, {}", length(wait.ms), wait.wait_for.name(), place(&wait.place)),
        );
    }
    for wait in &examined.open_waits {
        let since = wait.place.ts.map(|ts| format!(" since {}", moment(ts))).unwrap_or_default();
        line(out, &format!("  {:>13} {}{since}, {}", "still open", wait.wait_for.name(), place(&wait.place)));
    }
    if examined.waits_left_off > 0 {
        line(out, &format!("  and {} waits more, each shorter", examined.waits_left_off));
    }
    if examined.short_waits > 0 {
        line(
            out,
            &format!("waits for a person of less than {}: {}", length(ASK_MS_MIN), examined.short_waits),
        );
    }
}

fn place(place: &Place) -> String {
    format!("{} {}", place.file, place.path)
}

/// The summary of a storage: a row for each task, and what the findings are that are proven or suspicious.
pub fn summary(storage: &Storage) -> String {
    let mut out = String::new();
    let [name, last, counts, longest] =
        ["task", "last moment", "proven suspicious cannot tell", "longest wait"];
    line(&mut out, &format!("{name:<38} {last:<19} {counts} {longest}"));
    for row in &storage.tasks {
        match &row.outcome {
            Outcome::Examined(examined) => {
                let last = examined.last_ts.map(moment).unwrap_or_default();
                let Counts { proven, suspicious, cannot_tell } = examined.counts;
                let longest = examined.waits.iter().map(|wait| wait.ms).max().map(length).unwrap_or_default();
                let folder = shortened(&row.folder, 38);
                let counts = format!("{proven:>6} {suspicious:>10} {cannot_tell:>11}");
                line(&mut out, &format!("{folder:<38} {last:<19} {counts} {longest:>12}"));
            }
            Outcome::Damaged(_) => {
                line(&mut out, &format!("{:<38} cannot be read", shortened(&row.folder, 38)));
            }
        }
    }
    for row in &storage.tasks {
        let detail = match &row.outcome {
            Outcome::Damaged(why) => vec![why.clone()],
            Outcome::Examined(examined) => {
                let damaged = examined.damaged.iter().map(|damaged| format!("cannot be read: {damaged}"));
                let (shown, more) = few_of_each(examined, |certainty| certainty > Certainty::CannotTell);
                let shown = shown.into_iter().map(|finding| {
                    format!("{}, {:?}: {}", finding.certainty.name(), finding.property, finding.says)
                });
                let more = more.into_iter().map(|(fault, more)| format!("and {more} more: {}", fault.name()));
                damaged.chain(shown).chain(more).collect()
            }
        };
        if !detail.is_empty() {
            line(&mut out, &format!("\n{}", shortened(&row.folder, WIDTH)));
        }
        for says in detail {
            out.push_str(&wrapped(&format!("  {}", quoted_line(&says)), 4));
        }
    }
    cannot_tell(storage, &mut out);
    for damaged in &storage.damaged_lists {
        out.push_str(&wrapped(&format!("missing: {}", quoted_line(damaged)), 4));
    }
    let Counts { proven, suspicious, cannot_tell } = storage.counts();
    let (tasks, damaged) = (storage.tasks.len(), storage.damaged());
    line(
        &mut out,
        &format!(
            "\ntasks: {tasks}, proven: {proven}, suspicious: {suspicious}, cannot tell: {cannot_tell}, cannot be \
             read: {damaged}"
        ),
    );
    out
}

/// What the files of a storage cannot tell: each kind once, with the first of it, and in how many tasks it is.
fn cannot_tell(storage: &Storage, out: &mut String) {
    let mut kinds: BTreeMap<(Property, Fault, &str), (usize, &str)> = BTreeMap::new();
    for examined in storage.examined() {
        let mut seen = BTreeSet::new();
        for finding in examined.findings.iter().filter(|it| it.certainty == Certainty::CannotTell) {
            // Of what is not recorded, each reason is a kind of its own.
            let reason = if finding.fault == Fault::NotRecorded { finding.says.as_str() } else { "" };
            let kind = (finding.property, finding.fault, reason);
            let (tasks, _) = kinds.entry(kind).or_insert((0, &finding.says));
            *tasks += usize::from(seen.insert(kind));
        }
    }
    if !kinds.is_empty() {
        line(out, "\ncannot tell, each kind once");
    }
    for ((property, fault, _), (tasks, says)) in kinds {
        let of = if tasks == 1 { "1 task".to_owned() } else { format!("{tasks} tasks") };
        let told = format!("  {property:?} {}, {of}: {}", fault.name(), quoted_line(says));
        out.push_str(&wrapped(&told, 4));
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

/// A text without what a terminal obeys.
fn quoted_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// The end of a text that is too long for its column. Ids differ at their ends.
fn shortened(text: &str, width: usize) -> String {
    let text = quoted_line(text);
    let count = text.chars().count();
    if count <= width {
        text
    } else {
        format!("…{}", text.chars().skip(count - width + 1).collect::<String>())
    }
}

/// A text in lines of the width, those after the first indented. A word that is longer is a line of its own.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut width = 0;
    for (index, word) in text.split(' ').enumerate() {
        let letters = word.chars().count();
        if index > 0 && width + 1 + letters > WIDTH {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            width = indent;
        } else if index > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += letters;
    }
    out.push('\n');
    out
}
