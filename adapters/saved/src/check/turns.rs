//! Who spoke when: double continuations, and histories out of alternation.
//!
//! A task sends a request, saves the response, and only then sends the next. So between one response and the next
//! there is one request. Two messages of the model in a row are not proof by themselves: a message between them may
//! have been deleted. They are proof when the window shows that both requests had begun before the first response was
//! saved, and that none began after that.

use super::requests::{self, Requests};
use crate::bounds::LETTERS_MIN;
use crate::conversation::{Mark, Role, Turn};
use crate::finding::{Certainty, Fault, Property};
use crate::moment::at;
use crate::task::{Found, Task};
use crate::window::{Entry, Kind};
use crate::words::plain;
use std::collections::BTreeSet;

/// What one side said, and then what the other answered.
#[derive(Default)]
struct Exchange<'a> {
    asked: Vec<&'a Turn>,
    answered: Vec<&'a Turn>,
}

pub(crate) fn check(task: &Task, found: &mut Found) {
    let mut explained = BTreeSet::new();
    let mut before = None;
    let requests = Requests::of(task.entries());
    for exchange in exchanges(task.turns()) {
        for pair in exchange.answered.windows(2) {
            if let [first, second] = pair {
                explained.extend(double_continuation(task, &requests, before, (first, second), found));
            }
        }
        questions(task, &exchange, found);
        before = exchange.answered.last().and_then(|turn| turn.ts).or(before);
    }
    requests::check(task, &requests, &explained, found);
}

/// The conversation in exchanges. A summary, a truncation or a message of somebody who is not known ends one: what
/// stands on both sides of it was not said in a row.
fn exchanges(turns: &[Turn]) -> Vec<Exchange<'_>> {
    let mut exchanges = vec![Exchange::default()];
    for turn in turns {
        let is_over = exchanges.last().is_some_and(|last| match (turn.mark, turn.role) {
            (Mark::Summary | Mark::Replacement | Mark::Truncation, _) | (Mark::Said, Role::Unknown) => true,
            (Mark::Said, Role::Assistant) => false,
            (Mark::Said, Role::User | Role::Tool) => !last.answered.is_empty(),
        });
        if is_over {
            exchanges.push(Exchange::default());
        }
        if let (Mark::Said, Some(last)) = (turn.mark, exchanges.last_mut()) {
            match turn.role {
                Role::Assistant => last.answered.push(turn),
                Role::User => last.asked.push(turn),
                // Later versions give results in messages of their own, beside those of the user. What somebody else
                // said may have been anything.
                Role::Tool | Role::Unknown => {}
            }
        }
    }
    exchanges
}

/// Two messages of the model in a row. Gives the requests that they answer, if the window shows both.
fn double_continuation(
    task: &Task,
    requests: &Requests<'_>,
    before: Option<i64>,
    (first, second): (&Turn, &Turn),
    found: &mut Found,
) -> Vec<usize> {
    let place = task.at_turn(second);
    if first.was_not_said() || second.was_not_said() {
        let says = format!(
            "Two messages of the model stand in a row{}, and one of them is what an interrupted or empty response left.",
            at(second.ts)
        );
        found.add(Certainty::Suspicious, (Property::S2, Fault::OutOfAlternation), place, says);
        return Vec::new();
    }
    if let Some((one, other)) = overlap(requests, before, first, second) {
        let says = format!(
            "Two requests were in flight at once: the second began{} before the response to the first was saved{}, \
             and another response was saved{}.",
            at(other.ts),
            at(first.ts),
            at(second.ts)
        );
        found.add(Certainty::Proven, (Property::S1, Fault::DoubleContinuation), place, says);
        return vec![one.index, other.index];
    }
    let says = format!(
        "Two messages of the model stand in a row{}: two responses to one set of results, unless a message between \
         them was deleted.",
        at(second.ts)
    );
    found.add(Certainty::Suspicious, (Property::S1, Fault::DoubleContinuation), place, says);
    Vec::new()
}

/// Two requests that began after the response before, and before the first of these two, when none began between
/// them, and none of that time has failed: what a failed one left may stand among the messages too.
fn overlap<'a>(
    requests: &Requests<'a>,
    before: Option<i64>,
    first: &Turn,
    second: &Turn,
) -> Option<(&'a Entry, &'a Entry)> {
    let (first_ts, second_ts) = (first.ts?, second.ts?);
    let begun = requests.between(before.unwrap_or(i64::MIN), first_ts)?;
    if !requests.between(first_ts, second_ts)?.is_empty()
        || begun.iter().any(|(_, entry)| entry.kind == Kind::RequestFailed)
    {
        return None;
    }
    match begun {
        [.., (_, one), (_, other)] => Some((one, other)),
        [] | [_] => None,
    }
}

/// Two messages to the model in a row. The later versions merge them when they send (Roo-Code
/// `src/core/task/mergeConsecutiveApiMessages.ts`), so they prove nothing. The result of a subtask, and results that
/// are given before a task delegates (`flushPendingToolResultsToHistory`), are messages by themselves.
fn questions(task: &Task, exchange: &Exchange<'_>, found: &mut Found) {
    let asked: Vec<&Turn> = exchange.asked.iter().copied().filter(|turn| !turn.only_delivers()).collect();
    for pair in asked.windows(2) {
        let [first, second] = pair else { continue };
        let place = task.at_turn(second);
        if share_content(first, second) {
            let says =
                format!("The same content was given to the model in two messages in a row{}.", at(second.ts));
            found.add(Certainty::Suspicious, (Property::S2, Fault::RepeatedContent), place, says);
        } else if !is_split(first, second) {
            let says = format!(
                "Two messages to the model stand in a row{}, with no response between.",
                at(second.ts)
            );
            found.add(Certainty::Suspicious, (Property::S2, Fault::OutOfAlternation), place, says);
        }
    }
}

fn share_content(first: &Turn, second: &Turn) -> bool {
    let long = |text: &str| Some(plain(text)).filter(|plain| plain.len() >= LETTERS_MIN);
    let contents: BTreeSet<String> = first.texts().filter_map(long).collect();
    second.texts().filter_map(long).any(|text| contents.contains(&text))
}

/// Whether results of one message of the model are in two messages.
fn is_split(first: &Turn, second: &Turn) -> bool {
    let ids: BTreeSet<_> = first.results().filter_map(|(id, _)| id).collect();
    let mut others = second.results().filter_map(|(id, _)| id).peekable();
    !ids.is_empty() && others.peek().is_some() && others.all(|id| !ids.contains(id))
}
