//! Calls of tools and their results, where they have ids.
//!
//! Tools in text have no ids, and all that is said of them is that. Summaries are skipped, since messages that they hide are
//! in the file too; where a summary took the place of messages, what does not match may have been among them.

use crate::conversation::{Mark, NEW_TASK, Role, ToolForm, Turn};
use crate::finding::{Certainty, Fault, Property};
use crate::item::Status;
use crate::moment::at;
use crate::task::{Found, Task};
use crate::words::{quoted, refuses_call, result_of, was_filled_in};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn check(task: &Task, found: &mut Found) {
    let said: Vec<&Turn> = task.turns().iter().filter(|turn| turn.mark == Mark::Said).collect();
    let mut calls: BTreeMap<&str, usize> = BTreeMap::new();
    for id in said.iter().flat_map(|turn| turn.calls()).filter_map(|(id, _)| id) {
        *calls.entry(id).or_default() += 1;
    }
    repeated(task, &said, &calls, found);
    orphans(task, &calls, found);
    missing(task, found);
    not_decided(task, &said, found);
}

/// Results beyond the first of one call. Providers may use an id again, so only an id with one call proves it.
fn repeated(task: &Task, said: &[&Turn], calls: &BTreeMap<&str, usize>, found: &mut Found) {
    let mut results: BTreeMap<&str, Vec<(&Turn, bool)>> = BTreeMap::new();
    for turn in said {
        for (id, text) in turn.results().filter_map(|(id, text)| Some((id?, text))) {
            results.entry(id).or_default().push((turn, was_filled_in(text)));
        }
    }
    // What cannot be read may be a call with the same id.
    let is_all_read = !said.iter().any(|turn| turn.role != Role::User && turn.is_unread());
    for (id, results) in results {
        let Some(made) = calls.get(id).copied().filter(|made| results.len() > *made) else { continue };
        let is_proven = made == 1 && is_all_read && !results.iter().any(|(_, filled)| *filled);
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

/// Why nothing is said of calls and results that have no ids, or cannot be read.
fn not_decided(task: &Task, said: &[&Turn], found: &mut Found) {
    let Some(conversation) = &task.conversation else { return };
    let mut note = |turn: Option<&Turn>, why: &str| {
        let place = turn.map_or_else(|| task.at_conversation(), |turn| task.at_turn(turn));
        let says = format!("S8 was not decided, because {why}.");
        found.add(Certainty::CannotTell, (Property::S8, Fault::NotRecorded), place, says);
    };
    if conversation.turns.is_empty() {
        note(None, "the conversation has no messages");
    }
    let first = |is: &dyn Fn(&Turn) -> bool| said.iter().find(|turn| is(turn)).copied();
    if conversation.tool_form() == ToolForm::Text {
        note(
            first(&|turn| turn.texts().any(|text| result_of(text).is_some())),
            "calls of tools are texts, and have no ids",
        );
    }
    if let Some(turn) = first(&|turn| turn.calls().any(|(id, _)| id.is_none())) {
        note(Some(turn), "calls have no ids");
    }
    if let Some(turn) = first(&|turn| turn.results().any(|(id, _)| id.is_none())) {
        note(Some(turn), "results name no call");
    }
    if let Some(turn) = first(&Turn::is_unread) {
        note(
            Some(turn),
            "messages have something of a form that is not known here, which may be a call or a result",
        );
    }
}

/// Results that do not answer the last message of the model.
fn orphans(task: &Task, calls: &BTreeMap<&str, usize>, found: &mut Found) {
    let mut pending: Option<BTreeSet<&str>> = None;
    // Whether the message of the model has calls that may be any.
    let mut has_unnamed = false;
    let mut answered: BTreeSet<&str> = BTreeSet::new();
    let may_be_cut = task.may_be_cut();
    for turn in task.turns() {
        match (turn.mark, turn.role) {
            (Mark::Truncation, _) => continue,
            // An earlier summary repeats the calls whose results it keeps.
            (Mark::Summary | Mark::Replacement, _) => {
                pending.get_or_insert_default().extend(turn.calls().filter_map(|(id, _)| id));
                continue;
            }
            (Mark::Said, Role::User | Role::Tool) => {}
            (Mark::Said, Role::Unknown) => has_unnamed = true,
            (Mark::Said, Role::Assistant) => {
                pending = Some(turn.calls().filter_map(|(id, _)| id).collect());
                has_unnamed = turn.is_unread() || turn.calls().any(|(id, _)| id.is_none());
                continue;
            }
        }
        for id in turn.results().filter_map(|(id, _)| id) {
            // More than one result of a call is told of as such.
            let is_again = !answered.insert(id);
            if is_again || pending.as_ref().is_some_and(|pending| pending.contains(id)) {
                continue;
            }
            let (certainty, why) = if calls.contains_key(id) {
                (Certainty::Suspicious, "the call is in another message than the one before")
            } else if has_unnamed {
                (
                    Certainty::CannotTell,
                    "no message has a call with this id, and the one before has a call without",
                )
            } else if may_be_cut || pending.is_none() {
                // An early truncation takes out what comes after the first message, and leaves no trace of it.
                (
                    Certainty::CannotTell,
                    "no message has the call, which may be among those that were taken out of the file",
                )
            } else {
                (Certainty::Proven, "no message has the call")
            };
            let says = format!("The result of {} was given to the model{}; {why}.", quoted(id), at(turn.ts));
            found.add(certainty, (Property::S8, Fault::OrphanResult), task.at_turn(turn), says);
        }
    }
}

/// Calls that have no result before the model speaks again, or at the end.
fn missing(task: &Task, found: &mut Found) {
    let turns = task.turns();
    for (at_turn, turn) in turns.iter().enumerate() {
        if turn.mark != Mark::Said || turn.calls().next().is_none() {
            continue;
        }
        let rest = &turns[at_turn + 1..];
        let until = rest.iter().position(|next| next.role == Role::Assistant && next.mark == Mark::Said);
        let between = &rest[..until.unwrap_or(rest.len())];
        // A summary between them has told the model of the results in its own words.
        if between.iter().any(|turn| turn.mark != Mark::Said) {
            continue;
        }
        let after = After::of(task, turn, between, until.map(|until| &rest[until]));
        let waits = if until.is_none() { delegation(task) } else { Delegation::No };
        for (id, name) in turn.calls() {
            let Some(id) = id else { continue };
            match (&waits, name) {
                (Delegation::Yes, Some(NEW_TASK)) => continue,
                (Delegation::Yes, Some(_) | None) if between.is_empty() => continue,
                (Delegation::Unknown, Some(NEW_TASK)) if !after.filled.contains_key(id) => {
                    let says = format!(
                        "S8 was not decided for the call {NEW_TASK} ({}){}, because its result is that of a subtask, \
                         which may still run.",
                        quoted(id),
                        at(turn.ts)
                    );
                    let about = (Property::S8, Fault::MissingResult);
                    found.add(Certainty::CannotTell, about, task.at_turn(turn), says);
                    continue;
                }
                (Delegation::Yes | Delegation::No | Delegation::Unknown, Some(_) | None) => {}
            }
            if let Some((certainty, fault, says)) = after.fate(id, name) {
                found.add(certainty, (Property::S8, fault), task.at_turn(turn), says);
            }
        }
    }
}

/// Whether a task waits for a subtask at its end.
enum Delegation {
    Yes,
    No,
    /// No history item says it.
    Unknown,
}

fn delegation(task: &Task) -> Delegation {
    match task.item.as_ref().map(|item| &item.status) {
        Some(Some(Status::Delegated)) => Delegation::Yes,
        Some(Some(Status::Active | Status::Completed)) => Delegation::No,
        Some(Some(Status::Unknown) | None) | None => Delegation::Unknown,
    }
}

/// What stands between a message of the model and the next, or the end.
struct After<'a> {
    turn: &'a Turn,
    /// Whether the program made up each of the results.
    filled: BTreeMap<&'a str, bool>,
    /// The tools whose results are texts.
    in_text: BTreeSet<&'a str>,
    refuses: bool,
    has_text: bool,
    reopened: bool,
    /// What may be a result, and does not say of which call.
    unnamed: Option<&'static str>,
    then: Then<'a>,
}

/// What comes after the messages that stand behind a call.
enum Then<'a> {
    /// There are none, and the model spoke.
    SpokeAtOnce(&'a Turn),
    Spoke(&'a Turn),
    Ends,
    /// There are none, and nothing else either.
    EndsAtOnce,
}

impl<'a> After<'a> {
    fn of(task: &Task, turn: &'a Turn, between: &'a [Turn], next: Option<&'a Turn>) -> Self {
        let texts = || between.iter().flat_map(Turn::texts);
        let unnamed = if between.iter().any(Turn::is_unread) {
            Some("a message after it has something of a form that is not known here")
        } else if between.iter().flat_map(Turn::results).any(|(id, _)| id.is_none()) {
            Some("a message after it has a result that names no call")
        } else if between.iter().any(Turn::has_attachment) {
            Some("a message after it has a picture or a file beside the texts")
        } else {
            None
        };
        let until = next.or(between.last()).and_then(|turn| turn.ts);
        Self {
            turn,
            filled: between
                .iter()
                .flat_map(Turn::results)
                .filter_map(|(id, text)| Some((id?, was_filled_in(text))))
                .collect(),
            in_text: texts().filter_map(result_of).collect(),
            refuses: texts().any(refuses_call),
            has_text: texts().next().is_some(),
            reopened: between.iter().any(Turn::resumes)
                || (!between.is_empty() && task.was_reopened(turn.ts, until)),
            unnamed,
            then: match (next, between) {
                (Some(next), []) => Then::SpokeAtOnce(next),
                (Some(next), [_, ..]) => Then::Spoke(next),
                (None, [_, ..]) => Then::Ends,
                (None, []) => Then::EndsAtOnce,
            },
        }
    }

    /// What is to be said of one of the calls.
    fn fate(&self, id: &str, name: Option<&str>) -> Option<(Certainty, Fault, String)> {
        let filled = self.filled.get(id);
        if filled == Some(&false) || name.is_some_and(|name| self.in_text.contains(name)) {
            return None;
        }
        let call =
            format!("{} ({})", name.map_or_else(|| "of a tool without a name".into(), quoted), quoted(id));
        let when = at(self.turn.ts);
        let missing = |certainty, says| Some((certainty, Fault::MissingResult, says));
        if filled.is_some() {
            let says = format!(
                "The call {call}{when} was interrupted, and the program made up its result. Whether the tool had \
                 run, the files do not say."
            );
            return Some((Certainty::CannotTell, Fault::FilledResult, says));
        }
        if self.refuses {
            let says = format!(
                "The call {call}{when} has no result of its own. The model was told in a text that a call was not \
                 run; of which, the files do not say."
            );
            return missing(Certainty::CannotTell, says);
        }
        let next = match self.then {
            Then::SpokeAtOnce(next) => {
                let says =
                    format!("The model spoke again{} before the call {call} got a result.", at(next.ts));
                return missing(Certainty::Suspicious, says);
            }
            // What ends a task gets a result only when a person goes on with it.
            Then::EndsAtOnce if name == Some("attempt_completion") => return None,
            Then::EndsAtOnce => {
                let says = format!(
                    "The call {call}{when} had no result when the file ends. Whether it would have got one, the \
                     files do not say."
                );
                return missing(Certainty::CannotTell, says);
            }
            Then::Spoke(next) => Some(next),
            Then::Ends => None,
        };
        if self.reopened {
            let says = format!(
                "The call {call}{when} has no result, and the task was opened again after it. Whether the tool had \
                 run, the files do not say."
            );
            return missing(Certainty::CannotTell, says);
        }
        if let Some(unnamed) = self.unnamed {
            let says = format!("S8 was not decided for the call {call}{when}, because {unnamed}.");
            return missing(Certainty::CannotTell, says);
        }
        // Cline gives what is no text without saying of which call, where the call has lost its id.
        if self.has_text {
            let says = format!("The call {call}{when} has no result; a text beside it may stand for it.");
            return missing(Certainty::Suspicious, says);
        }
        let Some(next) = next else {
            let says = format!(
                "The call {call}{when} has no result, though a message to the model stands after it; the model has \
                 said nothing since."
            );
            return missing(Certainty::Suspicious, says);
        };
        let says = format!("The call {call}{when} had no result when the model spoke again{}.", at(next.ts));
        missing(Certainty::Proven, says)
    }
}
