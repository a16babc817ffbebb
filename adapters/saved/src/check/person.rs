//! What a person typed, and whether the model was given it.
//!
//! The program shows what a person types (`user_feedback`) and puts it into the next message to the model. A request
//! of a process that was killed is in neither file, and a task that is opened again may drop the last message; earlier
//! versions take messages out of the file. So a message counts as lost only if the model answered a later one, nobody
//! opened the task again in between, and nothing was taken out.

use crate::conversation::{Given, Mark, Role, Turn};
use crate::finding::{Certainty, Fault, Property};
use crate::moment::at;
use crate::task::{Found, Task};
use crate::window::{Entry, Kind};
use crate::words::{quoted, unchanged};

pub(crate) fn check(task: &Task, found: &mut Found) {
    let Some(conversation) = &task.conversation else { return };
    let typed: Vec<&Entry> = task.entries().iter().filter(|entry| entry.kind == Kind::Feedback).collect();
    if typed.is_empty() {
        return;
    }
    let given = Given::of(conversation);
    for entry in typed {
        // Shorter, or made of files and commands alone: it may be there in other words.
        let Some(message) = unchanged(&entry.text) else { continue };
        if given.has(&message, entry.ts) {
            continue;
        }
        let about = (Property::S5, Fault::LostMessage);
        let said = format!("A person typed «{}»{}", quoted(entry.text.trim()), at(entry.ts));
        let (certainty, says) = match fate(task, entry, &conversation.turns) {
            Fate::Hidden => continue,
            Fate::NotYet => (Certainty::CannotTell, format!("{said}; the task has sent nothing since.")),
            Fate::Untimed => (
                Certainty::Suspicious,
                format!(
                    "{said}, and no message to the model has it. The messages have no moments to say more."
                ),
            ),
            Fate::Reopened => (
                Certainty::Suspicious,
                format!("{said}, and no message to the model has it. The task was opened again after it."),
            ),
            Fate::Passed(answer) => (
                Certainty::Proven,
                format!("{said}, and no message to the model has it; the model went on{}.", at(answer.ts)),
            ),
        };
        found.add(certainty, about, task.at_entry(entry), says);
    }
}

/// What happened after a person typed.
enum Fate<'a> {
    /// Messages of that time may have been taken out.
    Hidden,
    /// Nothing was sent.
    NotYet,
    /// The messages do not say when they were sent.
    Untimed,
    /// The task was opened again before the next answer.
    Reopened,
    /// The model answered a later message.
    Passed(&'a Turn),
}

fn fate<'a>(task: &Task, entry: &Entry, turns: &'a [Turn]) -> Fate<'a> {
    let Some(typed) = entry.ts else { return Fate::Untimed };
    if turns.iter().any(|turn| turn.ts.is_none() && turn.mark == Mark::Said) {
        return Fate::Untimed;
    }
    let hidden_until = task.conversation.as_ref().and_then(crate::conversation::Conversation::hidden_until);
    let is_after = |turn: &Turn| turn.mark == Mark::Said && turn.ts > Some(typed);
    let asked = turns.iter().position(|turn| is_after(turn) && turn.role != Role::Assistant);
    let answer = asked.and_then(|asked| turns[asked..].iter().find(|turn| turn.role == Role::Assistant));
    match answer {
        _ if Some(typed) <= hidden_until => Fate::Hidden,
        None => Fate::NotYet,
        Some(answer) if task.was_reopened(Some(typed), answer.ts) => Fate::Reopened,
        Some(answer) => Fate::Passed(answer),
    }
}
