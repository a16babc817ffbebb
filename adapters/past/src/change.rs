//! What a line changed of a task, in the words of `docs/task-lifecycle.md`.

use crate::plain::phrase;
use downbeat_kernel::{CallState, Task};

/// Something of a task that is another than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) what: String,
    /// `None` where there was no task.
    pub(crate) before: Option<String>,
    /// `None` where there is none any more.
    pub(crate) after: Option<String>,
}

/// What is another than before.
pub(crate) fn changes(before: Option<&Task>, after: Option<&Task>) -> Vec<Change> {
    let (old, new) = (before.map(facets).unwrap_or_default(), after.map(facets).unwrap_or_default());
    let find = |facets: &[(String, String)], what: &str| {
        facets.iter().find(|(name, _)| name == what).map(|(_, value)| value.clone())
    };
    let whats = new.iter().chain(&old).map(|(what, _)| what.clone());
    let mut seen = Vec::new();
    for what in whats {
        let (before, after) = (find(&old, &what), find(&new, &what));
        if before != after && seen.iter().all(|change: &Change| change.what != what) {
            seen.push(Change { what, before, after });
        }
    }
    seen
}

/// What there is to say of a task, each with its name. What is as in the beginning is left out.
pub(crate) fn facets(task: &Task) -> Vec<(String, String)> {
    let data = &task.data;
    let mut facets = vec![("state".to_owned(), phrase(&task.state))];
    let mut add = |what: &str, is_there: bool, value: String| {
        if is_there {
            facets.push((what.to_owned(), value));
        }
    };
    add(
        "parent",
        data.parent.is_some(),
        data.parent.map_or_else(String::new, |parent| format!("task {}", parent.0)),
    );
    add("turn", data.turn.0 > 0, data.turn.0.to_string());
    add("request", data.turn.0 > 0, phrase(&data.request.state));
    add("sends", !data.request.ledger.sends().is_empty(), sends(task));
    add("mistakes", data.mistakes > 0, data.mistakes.to_string());
    let messages =
        format!("{} answered, {} taken, {} accepted", data.answered.0, data.taken.0, data.accepted.0);
    add("messages", data.accepted.0 > 0, messages);
    for (index, call) in data.calls.iter().enumerate() {
        add(&format!("call {index}"), true, call_words(call));
    }
    if let Some(worker) = &data.worker {
        add("worker", true, phrase(&worker.state));
        add("session", true, phrase(&worker.data.session.state));
        add("worker's turn", worker.data.turn.0 > 0, worker.data.turn.0.to_string());
        add("inbox", !worker.data.inbox.is_empty(), phrase(&worker.data.inbox));
        add("failures", worker.data.failures > 0, worker.data.failures.to_string());
        add(
            "reports",
            worker.data.reported > 0,
            format!("{} of {} acknowledged", worker.data.acknowledged, worker.data.reported),
        );
    }
    if let Some(account) = &data.account {
        let spent = format!(
            "{} tokens, {} micros, grant {}",
            account.spent.tokens, account.spent.micros, account.grant.0
        );
        add("spent", true, spent);
        add("clock", true, phrase(&account.clock));
    }
    add("budget", data.spent, "spent".to_owned());
    facets
}

fn sends(task: &Task) -> String {
    let sends = task.data.request.ledger.sends();
    let of_send = |send: &downbeat_kernel::SendRecord| phrase(&send.fate);
    sends.iter().map(of_send).collect::<Vec<_>>().join(", ")
}

fn call_words(call: CallState) -> String {
    match call {
        CallState::Waiting(_) => "waits for resume".to_owned(),
        CallState::Running => "tool runs".to_owned(),
        CallState::Asking { number, .. } => format!("asks question {number}"),
        CallState::Subtask { child } => format!("subtask {} lives", child.0),
        CallState::Settled(result) => format!("settled: {}", phrase(&result)),
    }
}
