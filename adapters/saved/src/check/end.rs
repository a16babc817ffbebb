//! Tasks that went on after their end.
//!
//! A task says its result before anybody has approved of it, and asks. What a person types then continues it, and so
//! does opening it again. A request with neither between them is one that nobody asked for.

use crate::finding::{Certainty, Fault, Property};
use crate::item::Status;
use crate::moment::at;
use crate::task::{Found, Task};
use crate::window::Kind;

/// What explains a request after the end.
const EXPLAINS: [Kind; 8] = [
    Kind::Feedback,
    Kind::ResumeAsked,
    // An answer to a question may be a no that leaves no other trace.
    Kind::EndAsked,
    Kind::Asked,
    Kind::SubtaskAsked,
    // A failure is shown, and tried again.
    Kind::Failure,
    Kind::FailureAsked,
    Kind::Said,
];

pub(crate) fn check(task: &Task, found: &mut Found) {
    let Some(window) = &task.window else { return };
    for entry in window.of_kind(Kind::Completion) {
        let next = window.next(entry.index, &[Kind::RequestStarted, Kind::RequestFailed, Kind::Completion]);
        let Some(request) = next.filter(|next| next.kind != Kind::Completion) else { continue };
        if window.between(entry, Some(request), &EXPLAINS).is_some() {
            continue;
        }
        let ended = match task.item.as_ref().and_then(|item| item.status.as_ref()) {
            Some(Status::Completed) => " Its history item says that it has ended.",
            None | Some(Status::Active | Status::Delegated | Status::Unknown) => "",
        };
        let says = format!(
            "The task said its result{} and sent another request{}, with nothing from a person between them.{ended}",
            at(entry.ts),
            at(request.ts)
        );
        found.add(Certainty::Suspicious, (Property::S7, Fault::WentOnAfterEnd), task.at_entry(request), says);
    }
}
