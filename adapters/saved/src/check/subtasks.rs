//! What became of the results of subtasks, as far as the parent's own files show it.
//!
//! The program shows a result in the window and gives it to the model as a message, in one go: as a text (Roo-Code
//! `src/core/task/Task.ts`, `completeSubtask`), or with delegation as the result of the call that started the subtask
//! (`src/core/webview/ClineProvider.ts`, `reopenParentFromDelegation`).

use crate::bounds::LETTERS_MIN;
use crate::conversation::{Given, Mark, Role, Turn};
use crate::finding::{Certainty, Fault, Property};
use crate::moment::{at, length};
use crate::task::{Found, Task};
use crate::window::{Entry, Kind};
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
fn repeated_in_conversation(task: &Task, found: &mut Found) -> bool {
    let mut given: BTreeMap<String, &Turn> = BTreeMap::new();
    let mut any = false;
    for turn in task.turns().iter().filter(|turn| turn.mark == Mark::Said) {
        if turn.role == Role::Assistant {
            if turn.starts_subtask() {
                // The same text may well be the result of another subtask. One that is named is the same.
                given.retain(|key, _| key.starts_with("named "));
            }
            continue;
        }
        for delivered in turn.readable().filter_map(delivered) {
            let key = match delivered.child {
                Some(child) => format!("named {child}"),
                None => format!("unnamed {}", plain(delivered.result)),
            };
            if let Some(first) = given.insert(key, turn) {
                any = true;
                let who = delivered.child.map_or_else(|| "A subtask".to_owned(), quoted);
                let says = format!(
                    "{who}: the same result was given to the parent twice, first{} and again{}.",
                    at(first.ts),
                    at(turn.ts)
                );
                let about = (Property::S3, Fault::RepeatedSubtaskResult);
                found.add(Certainty::Proven, about, task.at_turn(turn), says);
            }
        }
    }
    any
}

/// Two results in the window, when no subtask was started between.
fn repeated_in_window(task: &Task, found: &mut Found) {
    let results = |entry: &&Entry| matches!(entry.kind, Kind::SubtaskResult | Kind::SubtaskAsked);
    let entries: Vec<&Entry> = task.entries().iter().filter(results).collect();
    for pair in entries.windows(2) {
        let [first, second] = pair else { continue };
        if first.kind != Kind::SubtaskResult || second.kind != Kind::SubtaskResult {
            continue;
        }
        let are_same = !second.text.is_empty() && first.text == second.text;
        let certainty = if are_same { Certainty::Proven } else { Certainty::Suspicious };
        let says = format!(
            "{} shown{} and{}, and no subtask was asked for between them.",
            if are_same { "The same result of a subtask was" } else { "Two results of subtasks were" },
            at(first.ts),
            at(second.ts)
        );
        found.add(certainty, (Property::S3, Fault::RepeatedSubtaskResult), task.at_entry(second), says);
    }
}

/// A result that was shown to the person, and that no message to the model has, when the model spoke after it.
fn lost(task: &Task, found: &mut Found) {
    let Some(conversation) = &task.conversation else { return };
    let results: Vec<&Entry> =
        task.entries().iter().filter(|entry| entry.kind == Kind::SubtaskResult).collect();
    if results.is_empty() {
        return;
    }
    let given = Given::of(conversation);
    for entry in results {
        let result = plain(&entry.text);
        if result.len() < LETTERS_MIN || given.has(&result, entry.ts) {
            continue;
        }
        let is_after =
            |turn: &&Turn| turn.role == Role::Assistant && turn.ts > entry.ts && turn.mark == Mark::Said;
        let spoke = conversation.turns.iter().find(is_after).filter(|_| entry.ts.is_some());
        let Some(spoke) = spoke else { continue };
        // What was said before this moment may have been taken out of the file since.
        if entry.ts <= conversation.hidden_until() {
            continue;
        }
        let says = format!(
            "A subtask's result was shown{} and given to the model in no message, and the model went on{}.",
            at(entry.ts),
            at(spoke.ts)
        );
        found.add(Certainty::Proven, (Property::S4, Fault::LostSubtaskResult), task.at_entry(entry), says);
    }
}

/// A parent that has a result, or waits for one, and does nothing until a person does.
fn stalled(task: &Task, found: &mut Found) {
    let Some(window) = &task.window else { return };
    let about = (Property::L1, Fault::StalledParent);
    for (position, entry) in window.entries.iter().enumerate() {
        let is_request = |kind: &Kind| matches!(kind, Kind::RequestStarted { .. });
        match entry.kind {
            Kind::SubtaskResult => {
                let (between, request) =
                    window.next(position, |kind| is_request(kind) || *kind == Kind::SubtaskResult);
                let person =
                    between.iter().find(|entry| matches!(entry.kind, Kind::Feedback | Kind::ResumeAsked));
                let says = match (request, person) {
                    (Some(request), Some(_)) if is_request(&request.kind) => format!(
                        "The parent had a subtask's result{} and sent its next request{} only after a person had \
                         opened it again or typed{}.",
                        at(entry.ts),
                        at(request.ts),
                        later(entry, request)
                    ),
                    (None, Some(_)) => format!(
                        "The parent had a subtask's result{} and has sent nothing since, though it was opened again.",
                        at(entry.ts)
                    ),
                    (None, None) => {
                        format!(
                            "The parent had a subtask's result{} and has sent nothing since.",
                            at(entry.ts)
                        )
                    }
                    (Some(_), Some(_) | None) => continue,
                };
                found.add(Certainty::Suspicious, about, task.at_entry(entry), says);
            }
            Kind::SubtaskAsked => {
                let (between, next) = window.next(position, |kind| {
                    is_request(kind) || matches!(kind, Kind::SubtaskResult | Kind::SubtaskAsked)
                });
                let reopened = between.iter().find(|entry| entry.kind == Kind::ResumeAsked);
                let (Some(next), Some(reopened)) = (next, reopened) else { continue };
                if !is_request(&next.kind) {
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
            Kind::RequestStarted { .. }
            | Kind::EndAsked
            | Kind::Completion
            | Kind::CompletionAsked
            | Kind::Feedback
            | Kind::ResumeAsked
            | Kind::Shortened
            | Kind::Asked
            | Kind::Aside
            | Kind::Said => {}
        }
    }
}

/// How long after one entry another came: `, … later`, or nothing where that is not known.
fn later(from: &Entry, until: &Entry) -> String {
    let ms = until.ts.zip(from.ts).map(|(until, from)| until.saturating_sub(from));
    ms.map(|ms| format!(", {} later", length(ms))).unwrap_or_default()
}
