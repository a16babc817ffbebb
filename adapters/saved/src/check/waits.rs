//! How long each wait lasted, as far as the window shows it.

use crate::bounds::ASK_MS_MIN;
use crate::finding::WaitFor;
use crate::task::{Found, Task};
use crate::window::{Entry, Kind, REQUESTS};

pub(crate) fn check(task: &Task, found: &mut Found) {
    let Some(window) = &task.window else { return };
    for entry in &window.entries {
        let rest = window.entries.get(entry.index + 1);
        let (wait_for, next) = match entry.kind {
            Kind::SubtaskAsked => {
                let next = window.next(entry.index, &[Kind::SubtaskResult, Kind::SubtaskAsked]);
                let went_on = [Kind::Feedback, Kind::RequestStarted, Kind::RequestFailed];
                let waits = match next {
                    Some(next) => next.kind == Kind::SubtaskResult,
                    None => window.next(entry.index, &went_on).is_none(),
                };
                (waits.then_some(WaitFor::Subtask), next)
            }
            Kind::SubtaskResult => {
                let next = window.next(entry.index, &REQUESTS);
                // Of several results the last is waited with.
                let waits = next.is_some() || window.next(entry.index, &[Kind::SubtaskResult]).is_none();
                (waits.then_some(WaitFor::Parent), next)
            }
            Kind::Asked | Kind::EndAsked | Kind::FailureAsked => (
                Some(WaitFor::Person).filter(|_| rest.is_none_or(|next| next.kind != Kind::ResumeAsked)),
                rest,
            ),
            // At the end of the file these two wait for nobody: the task is over, or was looked at.
            Kind::CompletionAsked | Kind::ResumeAsked => {
                (rest.filter(|next| next.kind != Kind::ResumeAsked).map(|_| WaitFor::Person), rest)
            }
            Kind::Task
            | Kind::RequestStarted
            | Kind::RequestFailed
            | Kind::Failure
            | Kind::Completion
            | Kind::Feedback
            | Kind::Shortened
            | Kind::Aside
            | Kind::Said => (None, None),
        };
        match (wait_for, next) {
            (Some(wait_for), Some(next)) => wait(task, wait_for, entry, next, found),
            (Some(wait_for), None) => found.waits_still(wait_for, task.at_entry(entry)),
            (None, Some(_) | None) => {}
        }
        if let Some(reopened) = rest.filter(|next| next.kind == Kind::ResumeAsked) {
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
