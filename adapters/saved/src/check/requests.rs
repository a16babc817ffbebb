//! Requests that were in flight at once, by when they began and when the responses were saved.
//!
//! Two loops that send for one task seldom leave two messages of the model in a row: if each waits for its tools, their
//! messages alternate as those of one loop do. But one loop saves a response before it sends the next request. So a
//! request that begins when none was saved since the one before is suspicious: both loops are there, or the request
//! before died and left no trace. Which of them it was shows when both stop: a request that died gets no response.

use crate::conversation::{Mark, Role, Turn};
use crate::finding::{Certainty, Fault, Property};
use crate::moment::at;
use crate::task::{Found, Task};
use crate::window::{Entry, Kind};
use std::collections::BTreeSet;

/// The requests of a window.
pub(super) struct Requests<'a> {
    /// With their moments, where each has one, and they are in order. A clock that was set back proves nothing.
    ordered: Option<Vec<(i64, &'a Entry)>>,
}

impl<'a> Requests<'a> {
    pub(super) fn of(entries: &'a [Entry]) -> Self {
        let requests =
            entries.iter().filter(|entry| matches!(entry.kind, Kind::RequestStarted | Kind::RequestFailed));
        let ordered: Option<Vec<_>> = requests.map(|entry| Some((entry.ts?, entry))).collect();
        Self { ordered: ordered.filter(|ordered| ordered.is_sorted_by_key(|(ts, _)| *ts)) }
    }

    /// Those that began after one moment and not after another; nothing if that is not known.
    pub(super) fn between(&self, after: i64, until: i64) -> Option<&[(i64, &'a Entry)]> {
        let ordered = self.ordered.as_deref().filter(|_| after <= until)?;
        let place = |moment| ordered.partition_point(|(ts, _)| *ts <= moment);
        Some(&ordered[place(after)..place(until)])
    }
}

/// `explained` are the places of requests of which something has been told already.
pub(super) fn check(task: &Task, requests: &Requests<'_>, explained: &BTreeSet<usize>, found: &mut Found) {
    let mut told = explained.clone();
    if let Some(requests) = &requests.ordered {
        answered_all(task, requests, &mut told, found);
    }
    // What somebody who is not known said may be a response too.
    let spoken = task.turns().iter().filter(|turn| matches!(turn.role, Role::Assistant | Role::Unknown));
    let saved = spoken.map(|turn| turn.ts).collect::<Option<Vec<i64>>>();
    let mut saved = saved.filter(|saved| !saved.is_empty());
    if let Some(saved) = &mut saved {
        saved.sort_unstable();
    }
    let hidden_until = task.conversation.as_ref().and_then(crate::conversation::Conversation::hidden_until);
    let mut behind_cut: Vec<&Entry> = Vec::new();
    let mut untimed: Vec<&Entry> = Vec::new();
    for (one, other, shows) in unfailed_pairs(task.entries()) {
        if told.contains(&other.index) {
            continue;
        }
        let between = |saved: &[i64]| {
            let next = saved.get(saved.partition_point(|ts| Some(*ts) < one.ts));
            next.is_some_and(|ts| Some(*ts) <= other.ts)
        };
        let certainty = match (&saved, shows) {
            (Some(saved), Shows::Nothing | Shows::Something) if between(saved) => continue,
            (Some(_), Shows::Nothing) => Certainty::Suspicious,
            (None, Shows::Nothing) => Certainty::CannotTell,
            (Some(_), Shows::Something) if one.ts.is_none() || one.ts > other.ts => {
                untimed.push(other);
                continue;
            }
            (Some(_), Shows::Something) if other.ts <= hidden_until => {
                behind_cut.push(other);
                continue;
            }
            (Some(_), Shows::Something) => Certainty::Suspicious,
            (None, Shows::Something) => {
                untimed.push(other);
                continue;
            }
        };
        let says = match shows {
            Shows::Nothing => format!(
                "A request began{} when nothing of a response to the one before, which began{}, had been shown.",
                at(other.ts),
                at(one.ts)
            ),
            Shows::Something => format!(
                "A request began{} when no message of the model had been saved since the one before, which began{}.",
                at(other.ts),
                at(one.ts)
            ),
        };
        found.add(certainty, (Property::S1, Fault::RequestsTogether), task.at_entry(other), says);
    }
    if let Some(first) = behind_cut.first() {
        let says = format!(
            "S1 was not decided for {} of the requests, because no message of the model is in the file between each \
             and the one before, and messages of that time may have been taken out.",
            behind_cut.len()
        );
        let about = (Property::S1, Fault::RequestsTogether);
        found.add(Certainty::CannotTell, about, task.at_entry(first), says);
    }
    let has_answers = task.turns().iter().any(|turn| turn.role == Role::Assistant);
    if let Some(first) = untimed.first().filter(|_| has_answers) {
        let says = "S1 was not decided, because requests or messages of the model have no moments, or these are out of \
                    order: whether each request was answered before the next began, the files do not say.";
        let about = (Property::S1, Fault::NotRecorded);
        found.add(Certainty::CannotTell, about, task.at_entry(first), says.to_owned());
    }
}

/// What the window has between two requests, beside what says nothing of responses.
#[derive(Clone, Copy)]
enum Shows {
    Nothing,
    Something,
}

/// Each two requests, one after the other, of which the first is not known to have failed, and between which nobody
/// opened the task again.
fn unfailed_pairs(entries: &[Entry]) -> impl Iterator<Item = (&Entry, &Entry, Shows)> {
    let mut open: Option<(&Entry, Shows)> = None;
    entries.iter().filter_map(move |entry| match entry.kind {
        Kind::RequestStarted => open.replace((entry, Shows::Nothing)).map(|(one, shows)| (one, entry, shows)),
        Kind::RequestFailed => open.take().map(|(one, shows)| (one, entry, shows)),
        Kind::ResumeAsked | Kind::Failure | Kind::FailureAsked => {
            open = None;
            None
        }
        Kind::Aside | Kind::Shortened => None,
        Kind::Task
        | Kind::SubtaskAsked
        | Kind::EndAsked
        | Kind::SubtaskResult
        | Kind::Completion
        | Kind::CompletionAsked
        | Kind::Feedback
        | Kind::Asked
        | Kind::Said => {
            if let Some((_, shows)) = &mut open {
                *shows = Shows::Something;
            }
            None
        }
    })
}

/// Requests that began when others had no response yet, where those got theirs too.
///
/// In one loop a request that has no response when the next begins is dead. If `n` are dead, then from then on there
/// are never fewer than `n` responses less than requests. Where there are, one of the dead has answered.
fn answered_all(task: &Task, requests: &[(i64, &Entry)], told: &mut BTreeSet<usize>, found: &mut Found) {
    let Some(answers) = answers(task) else { return };
    let reopened = task.entries().iter().filter(|entry| entry.kind == Kind::ResumeAsked);
    let Some(reopened) = reopened.map(|entry| entry.ts).collect::<Option<Vec<i64>>>() else { return };
    let mut events: Vec<(i64, Event<'_>)> = Vec::new();
    events.extend(answers.into_iter().map(|(ts, turn)| (ts, Event::Answered(turn))));
    events.extend(reopened.into_iter().map(|ts| (ts, Event::Reopened)));
    events.extend(requests.iter().map(|(ts, entry)| {
        let is_failed = entry.kind == Kind::RequestFailed;
        (*ts, if is_failed { Event::Failed } else { Event::Began(entry) })
    }));
    // Of those at one moment an answer is first: that is the order of one loop.
    events.sort_by_key(|(ts, _)| *ts);
    let mut open = 0_usize;
    let mut last: Option<&Entry> = None;
    // The requests that began when one more had no response than at the one before, each with the request before.
    let mut dead: Vec<(&Entry, &Entry)> = Vec::new();
    for (_, event) in events {
        match event {
            Event::Began(entry) => {
                if let Some(before) = last.filter(|_| open > dead.len()) {
                    dead.resize(open, (before, entry));
                }
                open += 1;
                last = Some(entry);
            }
            Event::Answered(turn) => {
                open = open.saturating_sub(1);
                if dead.len() <= open {
                    continue;
                }
                for (one, other) in dead.drain(open..) {
                    if told.insert(other.index) {
                        let says = format!(
                            "Two requests were in flight at once: one began{} before the response to the one \
                             before, which began{}, was saved, and each had been answered{}.",
                            at(other.ts),
                            at(one.ts),
                            at(turn.ts)
                        );
                        let about = (Property::S1, Fault::DoubleContinuation);
                        found.add(Certainty::Proven, about, task.at_entry(other), says);
                    }
                }
            }
            // What it left may stand among the messages as if it were an answer.
            Event::Failed => dead.clear(),
            Event::Reopened => {
                open = 0;
                dead.clear();
            }
        }
    }
}

enum Event<'a> {
    Answered(&'a Turn),
    Reopened,
    Began(&'a Entry),
    Failed,
}

/// What the model has said, with the moments, where each has one, and they are in order.
fn answers(task: &Task) -> Option<Vec<(i64, &Turn)>> {
    let said = task
        .turns()
        .iter()
        .filter(|turn| turn.role == Role::Assistant && turn.mark == Mark::Said && !turn.was_not_said());
    let answers: Vec<(i64, &Turn)> = said.map(|turn| Some((turn.ts?, turn))).collect::<Option<_>>()?;
    answers.is_sorted_by_key(|(ts, _)| *ts).then_some(answers)
}
