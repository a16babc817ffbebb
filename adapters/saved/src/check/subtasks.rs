//! What became of the results of subtasks, as far as the parent's own files show it.
//!
//! The program shows a result in the window and gives it to the model as a message, in one go: as a text (Roo-Code
//! `src/core/task/Task.ts`, `completeSubtask`), or with delegation as the result of the call that started the subtask
//! (`src/core/webview/ClineProvider.ts`, `reopenParentFromDelegation`).

use crate::bounds::{LETTERS_MIN, SOUGHT_MAX};
use crate::conversation::{Mark, Role, Turn};
use crate::finding::{Certainty, Fault, Property};
use crate::item::Item;
use crate::moment::{at, length};
use crate::task::{ByMoment, Found, Task};
use crate::window::{Entry, Kind, REQUESTS};
use crate::words::{delivered, plain, quoted};
use std::collections::BTreeMap;

pub(crate) fn check(task: &Task, found: &mut Found) {
    if !repeated_in_conversation(task, found) {
        repeated_in_window(task, found);
    }
    lost(task, found);
    stalled(task, found);
}

/// A result that the model was given twice, when no subtask was started between.
///
/// Several subtasks may be started at once, and say the same. So a result without a name proves something only if
/// there are more results than starts, and if it has enough words.
fn repeated_in_conversation(task: &Task, found: &mut Found) -> bool {
    let mut given: BTreeMap<String, &Turn> = BTreeMap::new();
    let (mut started, mut unnamed) = (0, 0);
    let mut any = false;
    let may_be_cut = task.may_be_cut();
    for turn in task.turns().iter().filter(|turn| turn.mark == Mark::Said) {
        if turn.role == Role::Assistant {
            let starts = turn.starts_of_subtasks();
            started += starts;
            if starts > 0 {
                // The same text may well be the result of another subtask. One that is named is the same.
                given.retain(|key, _| key.starts_with("named "));
            }
            continue;
        }
        for delivered in turn.readable().filter_map(delivered) {
            let (key, is_certain) = if let Some(child) = delivered.child {
                (format!("named {child}"), true)
            } else {
                unnamed += 1;
                let words = plain(delivered.result);
                let is_certain = unnamed > started && !may_be_cut && has_enough_words(&words);
                (format!("unnamed {words}"), is_certain)
            };
            if let Some(first) = given.insert(key, turn) {
                any = true;
                let certainty = if is_certain { Certainty::Proven } else { Certainty::Suspicious };
                let who = delivered.child.map_or_else(|| "A subtask".to_owned(), quoted);
                let says = format!(
                    "{who}: the same result was given to the parent twice, first{} and again{}.",
                    at(first.ts),
                    at(turn.ts)
                );
                let about = (Property::S3, Fault::RepeatedSubtaskResult);
                found.add(certainty, about, task.at_turn(turn), says);
            }
        }
    }
    any
}

fn has_enough_words(plain: &str) -> bool {
    plain.len() >= LETTERS_MIN
}

/// Two results in the window, when no subtask was asked for between.
fn repeated_in_window(task: &Task, found: &mut Found) {
    let entries =
        task.entries().iter().filter(|entry| matches!(entry.kind, Kind::SubtaskResult | Kind::SubtaskAsked));
    let (mut asked, mut shown) = (0, 0);
    let mut last: Option<&Entry> = None;
    for entry in entries {
        if entry.kind == Kind::SubtaskAsked {
            asked += 1;
            last = None;
            continue;
        }
        shown += 1;
        let Some(first) = last.replace(entry) else { continue };
        let are_same = !entry.text.is_empty() && first.text == entry.text;
        let certainty = match (are_same, shown > asked) {
            (true, true) if has_enough_words(&plain(&entry.text)) => Certainty::Proven,
            // Results of two subtasks that were asked for one after the other.
            (false, false) => continue,
            (true | false, true) | (true, false) => Certainty::Suspicious,
        };
        let says = format!(
            "{} shown{} and{}, and no subtask was asked for between them.",
            if are_same { "The same result of a subtask was" } else { "Two results of subtasks were" },
            at(first.ts),
            at(entry.ts)
        );
        found.add(certainty, (Property::S3, Fault::RepeatedSubtaskResult), task.at_entry(entry), says);
    }
}

/// A result that was shown to the person, and that no message to the model has, when the model spoke after it.
fn lost(task: &Task, found: &mut Found) {
    let (Some(conversation), Some(window)) = (&task.conversation, &task.window) else { return };
    let results = window.of_kind(Kind::SubtaskResult).map(|entry| (entry, plain(&entry.text)));
    let mut results: Vec<_> = results.filter(|(_, words)| has_enough_words(words)).collect();
    let left_off = results.len().saturating_sub(SOUGHT_MAX);
    results.truncate(SOUGHT_MAX);
    let (entries, words): (Vec<&Entry>, Vec<String>) = results.into_iter().unzip();
    let answers = ByMoment::of(
        conversation.turns.iter().filter(|turn| turn.role == Role::Assistant && turn.mark == Mark::Said),
    );
    // A message of a form that is not known may have it.
    let is_read = !conversation.turns.iter().any(|turn| turn.role != Role::Assistant && turn.is_unread());
    let certainty = if is_read { Certainty::Proven } else { Certainty::Suspicious };
    let missing = entries.iter().zip(task.was_given(&words)).filter(|(_, was_given)| !was_given);
    for (entry, _) in missing {
        // What was said before this moment may have been taken out of the file since.
        if entry.ts <= conversation.hidden_until() {
            continue;
        }
        let Some(spoke) = entry.ts.and_then(|ts| answers.after(ts)) else { continue };
        let says = format!(
            "A subtask's result was shown{} and given to the model in no message, and the model went on{}.",
            at(entry.ts),
            at(spoke.ts)
        );
        found.add(certainty, (Property::S4, Fault::LostSubtaskResult), task.at_entry(entry), says);
    }
    if let (true, Some(last)) = (left_off > 0, entries.last()) {
        let says = format!(
            "S4 was not decided for {left_off} of the results of subtasks: no more than {SOUGHT_MAX} are looked for."
        );
        found.add(Certainty::CannotTell, (Property::S4, Fault::NotRecorded), task.at_entry(last), says);
    }
}

/// A parent that has a result, or waits for one, and does nothing until a person does.
fn stalled(task: &Task, found: &mut Found) {
    let Some(window) = &task.window else { return };
    let about = (Property::L1, Fault::StalledParent);
    for entry in window.of_kind(Kind::SubtaskResult) {
        let next =
            window.next(entry.index, &[Kind::RequestStarted, Kind::RequestFailed, Kind::SubtaskResult]);
        let person = window.between(entry, next, &[Kind::Feedback, Kind::ResumeAsked]);
        let says = match (next, person) {
            (Some(request), Some(_)) if REQUESTS.contains(&request.kind) => format!(
                "The parent had a subtask's result{} and sent its next request{} only after a person had opened it \
                 again or typed{}.",
                at(entry.ts),
                at(request.ts),
                later(entry, request)
            ),
            (None, Some(_)) => format!(
                "The parent had a subtask's result{} and has sent nothing since, though it was opened again.",
                at(entry.ts)
            ),
            (None, None) => {
                format!("The parent had a subtask's result{} and has sent nothing since.", at(entry.ts))
            }
            (Some(_), Some(_) | None) => continue,
        };
        found.add(Certainty::Suspicious, about, task.at_entry(entry), says);
    }
    for entry in window.of_kind(Kind::SubtaskAsked) {
        let next = window.next(
            entry.index,
            &[Kind::RequestStarted, Kind::RequestFailed, Kind::SubtaskResult, Kind::SubtaskAsked],
        );
        let Some(next) = next else {
            // A later version says itself whether it waits, and for whom.
            let is_told = task.item.as_ref().is_some_and(Item::delegates);
            if !is_told && window.between(entry, None, &[Kind::Feedback]).is_none() {
                let says = format!(
                    "The task asked for a subtask{}, and nothing has happened in it since: no result, no request and \
                     no answer of a person.",
                    at(entry.ts)
                );
                found.add(Certainty::Suspicious, about, task.at_entry(entry), says);
            }
            continue;
        };
        let Some(reopened) = window.between(entry, Some(next), &[Kind::ResumeAsked]) else { continue };
        if !REQUESTS.contains(&next.kind) {
            continue;
        }
        let says = format!(
            "The task asked for a subtask{}, was opened again{}, and went on without a result{}.",
            at(entry.ts),
            at(reopened.ts),
            later(entry, next)
        );
        let about = (Property::S3, Fault::LostSubtaskResult);
        found.add(Certainty::Suspicious, about, task.at_entry(entry), says);
    }
}

/// How long after one entry another came: `, … later`, or nothing where that is not known, or a clock was set back.
fn later(from: &Entry, until: &Entry) -> String {
    let ms = until.ts.zip(from.ts).and_then(|(until, from)| until.checked_sub(from)).filter(|ms| *ms >= 0);
    ms.map(|ms| format!(", {} later", length(ms))).unwrap_or_default()
}
