//! Calls of tools and their results, where they have ids.
//!
//! Tools in text have no ids, and nothing is said about them. Summaries are skipped, since messages that they hide are
//! in the file too; where a summary took the place of messages, what does not match may have been among them.

use crate::conversation::{Mark, Role, Turn};
use crate::finding::{Certainty, Fault, Property};
use crate::moment::at;
use crate::task::{Found, Task};
use crate::words::{is_result_of, quoted, refuses_call, was_filled_in};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn check(task: &Task, found: &mut Found) {
    let said: Vec<&Turn> = task.turns().iter().filter(|turn| turn.mark == Mark::Said).collect();
    let mut calls: BTreeMap<&str, u32> = BTreeMap::new();
    for (id, _) in said.iter().flat_map(|turn| turn.calls()) {
        *calls.entry(id.unwrap_or_default()).or_default() += 1;
    }
    repeated(task, &said, &calls, found);
    orphans(task, &calls, found);
    missing(task, found);
}

/// Results beyond the first of one call. Providers may use an id again, so only an id with one call proves it.
fn repeated(task: &Task, said: &[&Turn], calls: &BTreeMap<&str, u32>, found: &mut Found) {
    let mut results: BTreeMap<&str, Vec<(&Turn, bool)>> = BTreeMap::new();
    for turn in said {
        for (id, text) in turn.results() {
            results.entry(id.unwrap_or_default()).or_default().push((turn, was_filled_in(text)));
        }
    }
    for (id, results) in results {
        let made = calls.get(id).copied().unwrap_or_default();
        if id.is_empty() || made == 0 || results.len() <= made as usize {
            continue;
        }
        let is_proven = made == 1 && !results.iter().any(|(_, filled)| *filled);
        let certainty = if is_proven { Certainty::Proven } else { Certainty::Suspicious };
        let (first, last) = (results[0].0, results[results.len() - 1].0);
        let says = format!(
            "The call {} got {} results, the first{} and the last{}.",
            quoted(id),
            results.len(),
            at(first.ts),
            at(last.ts)
        );
        found.add(certainty, (Property::S8, Fault::RepeatedResult), task.at_turn(last), says);
    }
}

/// Results that do not answer the last message of the model.
fn orphans(task: &Task, calls: &BTreeMap<&str, u32>, found: &mut Found) {
    let mut pending: Option<BTreeSet<&str>> = None;
    let mut answered: BTreeSet<&str> = BTreeSet::new();
    for turn in task.turns() {
        match (turn.mark, turn.role) {
            (Mark::Truncation, _) => continue,
            // An earlier summary repeats the calls whose results it keeps.
            (Mark::Summary { .. }, _) => {
                pending.get_or_insert_default().extend(turn.calls().filter_map(|(id, _)| id));
                continue;
            }
            (Mark::Said, Role::User | Role::Tool) => {}
            (Mark::Said, Role::Assistant) => {
                pending = Some(turn.calls().filter_map(|(id, _)| id).collect());
                continue;
            }
        }
        for id in turn.results().filter_map(|(id, _)| id) {
            // More than one result of a call is told of as such.
            let is_again = !answered.insert(id);
            if is_again || pending.as_ref().is_some_and(|pending| pending.contains(id)) {
                continue;
            }
            let is_known = calls.contains_key(id);
            // An early truncation takes out what comes after the first message, and leaves no trace of it.
            let is_behind_cut = task.may_be_cut() || pending.is_none();
            let (certainty, why) = match (is_known, is_behind_cut) {
                (true, _) => (Certainty::Suspicious, "the call is in another message than the one before"),
                (false, true) => (
                    Certainty::CannotTell,
                    "no message has the call, which may be among those that were taken out of the file",
                ),
                (false, false) => (Certainty::Proven, "no message has the call"),
            };
            let says = format!("The result of {} was given to the model{}; {why}.", quoted(id), at(turn.ts));
            found.add(certainty, (Property::S8, Fault::OrphanResult), task.at_turn(turn), says);
        }
    }
}

/// Calls that have no result before the model speaks again.
fn missing(task: &Task, found: &mut Found) {
    let turns = task.turns();
    for (at_turn, turn) in turns.iter().enumerate() {
        if turn.mark != Mark::Said || turn.calls().next().is_none() {
            continue;
        }
        let rest = &turns[at_turn + 1..];
        let until = rest.iter().position(|next| next.role == Role::Assistant && next.mark == Mark::Said);
        let Some(until) = until else { continue };
        let (between, next) = (&rest[..until], &rest[until]);
        // A summary between them has told the model of the results in its own words.
        if between.iter().any(|turn| turn.mark != Mark::Said) {
            continue;
        }
        let results: BTreeMap<&str, bool> = between
            .iter()
            .flat_map(Turn::results)
            .filter_map(|(id, text)| Some((id?, was_filled_in(text))))
            .collect();
        for (id, name) in turn.calls() {
            let Some(id) = id else { continue };
            let filled = results.get(id);
            let in_text = || between.iter().flat_map(Turn::texts);
            if filled == Some(&false) || in_text().any(|text| is_result_of(text, name)) {
                continue;
            }
            let call = format!("{} ({})", quoted(name), quoted(id));
            let (when, next_when) = (at(turn.ts), at(next.ts));
            let reopened = between.iter().any(Turn::resumes) || task.was_reopened(turn.ts, next.ts);
            let (certainty, about, says) = match filled {
                Some(_) => (
                    Certainty::CannotTell,
                    Fault::FilledResult,
                    format!(
                        "The call {call}{when} was interrupted, and the program made up its result. Whether the tool \
                         had run, the files do not say."
                    ),
                ),
                None if in_text().any(refuses_call) => (
                    Certainty::CannotTell,
                    Fault::MissingResult,
                    format!(
                        "The call {call}{when} has no result of its own. The model was told in a text that a call was \
                         not run; of which, the files do not say."
                    ),
                ),
                None if between.is_empty() => (
                    Certainty::Suspicious,
                    Fault::MissingResult,
                    format!("The model spoke again{next_when} before the call {call} got a result."),
                ),
                None if reopened => (
                    Certainty::CannotTell,
                    Fault::MissingResult,
                    format!(
                        "The call {call}{when} has no result, and the task was opened again after it. Whether the \
                         tool had run, the files do not say."
                    ),
                ),
                // Cline gives what is no text without saying of which call, where the call has lost its id.
                None if in_text().next().is_some() => (
                    Certainty::Suspicious,
                    Fault::MissingResult,
                    format!("The call {call}{when} has no result; a text beside it may stand for it."),
                ),
                None => (
                    Certainty::Proven,
                    Fault::MissingResult,
                    format!("The call {call}{when} had no result when the model spoke again{next_when}."),
                ),
            };
            found.add(certainty, (Property::S8, about), task.at_turn(turn), says);
        }
    }
}
