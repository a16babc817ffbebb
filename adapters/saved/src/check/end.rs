//! Tasks that went on after their end.
//!
//! A task says its result before anybody has approved of it, and asks. What a person types then continues it, and so
//! does opening it again. A request with neither between them is one that nobody asked for.

use crate::finding::{Certainty, Fault, Property};
use crate::item::Status;
use crate::moment::at;
use crate::task::{Found, Task};
use crate::window::Kind;

pub(crate) fn check(task: &Task, found: &mut Found) {
    let Some(window) = &task.window else { return };
    for (position, entry) in window.entries.iter().enumerate() {
        if entry.kind != Kind::Completion {
            continue;
        }
        let (between, request) =
            window.next(position, |kind| matches!(kind, Kind::RequestStarted { .. } | Kind::Completion));
        let Some(request) = request.filter(|next| next.kind != Kind::Completion) else { continue };
        let is_explained = between.iter().any(|entry| match entry.kind {
            // An answer to a question may be a no that leaves no other trace.
            Kind::Feedback | Kind::ResumeAsked | Kind::EndAsked | Kind::Asked | Kind::SubtaskAsked => true,
            // A failure is shown, and tried again.
            Kind::Said => true,
            Kind::RequestStarted { .. }
            | Kind::SubtaskResult
            | Kind::Completion
            | Kind::CompletionAsked
            | Kind::Shortened
            | Kind::Aside => false,
        });
        if is_explained {
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
