//! How long each wait lasted, as far as the window shows it.

use crate::bounds::ASK_MS_MIN;
use crate::finding::WaitFor;
use crate::task::{Found, Task};
use crate::window::{Entry, Kind};

pub(crate) fn check(task: &Task, found: &mut Found) {
    let Some(window) = &task.window else { return };
    for (position, entry) in window.entries.iter().enumerate() {
        let rest = &window.entries[position + 1..];
        let next_of = |is: fn(&Kind) -> bool| rest.iter().find(|entry| is(&entry.kind));
        let next = match entry.kind {
            Kind::SubtaskAsked => {
                let next = next_of(|kind| matches!(kind, Kind::SubtaskResult | Kind::SubtaskAsked));
                next.filter(|next| next.kind == Kind::SubtaskResult).map(|next| (WaitFor::Subtask, next))
            }
            Kind::SubtaskResult => {
                let next = next_of(|kind| matches!(kind, Kind::RequestStarted { .. }));
                next.map(|next| (WaitFor::Parent, next))
            }
            Kind::Asked | Kind::EndAsked | Kind::CompletionAsked | Kind::ResumeAsked => {
                rest.first().filter(|next| next.kind != Kind::ResumeAsked).map(|next| (WaitFor::Person, next))
            }
            Kind::RequestStarted { .. }
            | Kind::Completion
            | Kind::Feedback
            | Kind::Shortened
            | Kind::Aside
            | Kind::Said => None,
        };
        if let Some((wait_for, next)) = next {
            wait(task, wait_for, entry, next, found);
        }
        if let Some(reopened) = rest.first().filter(|next| next.kind == Kind::ResumeAsked) {
            wait(task, WaitFor::Reopening, entry, reopened, found);
        }
    }
}

fn wait(task: &Task, wait_for: WaitFor, from: &Entry, until: &Entry, found: &mut Found) {
    // Without moments, or with a clock that was set back between them, there is no length.
    let Some(ms) =
        until.ts.zip(from.ts).and_then(|(until, from)| until.checked_sub(from)).filter(|ms| *ms >= 0)
    else {
        return;
    };
    if wait_for == WaitFor::Person && ms < ASK_MS_MIN {
        found.short_waits += 1;
    } else {
        found.waited(wait_for, task.at_entry(from), ms);
    }
}
