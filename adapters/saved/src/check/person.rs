//! What a person typed, and whether the model was given it.
//!
//! The program shows what a person types (`user_feedback`) and puts it into the next message to the model. A request
//! of a process that was killed is in neither file, and a task that is opened again may drop the last message; earlier
//! versions take messages out of the file. So a message counts as lost only if the model answered a later one, nobody
//! opened the task again in between, and nothing was taken out.

use crate::bounds::SOUGHT_MAX;
use crate::conversation::{Conversation, Mark, Role, Turn};
use crate::finding::{Certainty, Fault, Property};
use crate::moment::at;
use crate::task::{ByMoment, Found, Task};
use crate::window::{Entry, Kind};
use crate::words::{quoted, unchanged};

pub(crate) fn check(task: &Task, found: &mut Found) {
    let (Some(conversation), Some(window)) = (&task.conversation, &task.window) else { return };
    // What is shorter, or made of files and commands alone, may be there in other words.
    let typed = window.of_kind(Kind::Feedback);
    let mut typed: Vec<_> = typed.filter_map(|entry| Some((entry, unchanged(&entry.text)?))).collect();
    let left_off = typed.len().saturating_sub(SOUGHT_MAX);
    typed.truncate(SOUGHT_MAX);
    let (typed, words): (Vec<&Entry>, Vec<String>) = typed.into_iter().unzip();
    let then = Afterwards::of(conversation);
    for (entry, _) in typed.iter().zip(task.was_given(&words)).filter(|(_, was_given)| !was_given) {
        let about = (Property::S5, Fault::LostMessage);
        let said = format!("A person typed «{}»{}", quoted(entry.text.trim()), at(entry.ts));
        let (certainty, says) = match then.fate(task, entry) {
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
            Fate::Unread => (
                Certainty::Suspicious,
                format!(
                    "{said}, and no message to the model has it, as far as they can be read: some have a form that \
                     is not known here."
                ),
            ),
            Fate::Passed(answer) => (
                Certainty::Proven,
                format!("{said}, and no message to the model has it; the model went on{}.", at(answer.ts)),
            ),
        };
        found.add(certainty, about, task.at_entry(entry), says);
    }
    if let (true, Some(last)) = (left_off > 0, typed.last()) {
        let says = format!(
            "S5 was not decided for {left_off} of the messages of a person: no more than {SOUGHT_MAX} are looked for."
        );
        found.add(Certainty::CannotTell, (Property::S5, Fault::NotRecorded), task.at_entry(last), says);
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
    /// Messages to the model cannot be read.
    Unread,
    /// The model answered a later message.
    Passed(&'a Turn),
}

/// What was said after each moment of a conversation.
struct Afterwards<'a> {
    hidden_until: Option<i64>,
    is_timed: bool,
    is_read: bool,
    asked: ByMoment<'a>,
    answers: Vec<&'a Turn>,
}

impl<'a> Afterwards<'a> {
    fn of(conversation: &'a Conversation) -> Self {
        let said = || conversation.turns.iter().filter(|turn| turn.mark == Mark::Said);
        let answers = conversation.turns.iter().filter(|turn| turn.role == Role::Assistant);
        Self {
            hidden_until: conversation.hidden_until(),
            is_timed: said().all(|turn| turn.ts.is_some()),
            is_read: !said().any(|turn| turn.role != Role::Assistant && turn.is_unread()),
            asked: ByMoment::of(said().filter(|turn| turn.role != Role::Assistant)),
            answers: answers.collect(),
        }
    }

    fn fate(&self, task: &Task, entry: &Entry) -> Fate<'a> {
        let Some(typed) = entry.ts.filter(|_| self.is_timed) else { return Fate::Untimed };
        if Some(typed) <= self.hidden_until {
            return Fate::Hidden;
        }
        let answer = self.asked.after(typed).and_then(|asked| {
            self.answers.get(self.answers.partition_point(|answer| answer.index < asked.index)).copied()
        });
        match answer {
            None => Fate::NotYet,
            Some(answer) if task.was_reopened(Some(typed), answer.ts) => Fate::Reopened,
            Some(_) if !self.is_read => Fate::Unread,
            Some(answer) => Fate::Passed(answer),
        }
    }
}
