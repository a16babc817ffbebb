//! What is said to machines: a line of JSON for each moment, as `docs/demo.schema.json` describes them.

use crate::promise::Promise;
use crate::run::Outcome;
use crate::view::View;
use serde_json::{Value, json};

/// The first line.
pub(crate) fn begin(view: &View) -> Value {
    let subject = &view.subject;
    json!({
        "kind": "begin",
        "tool": { "name": "downbeat", "version": env!("CARGO_PKG_VERSION") },
        "seed": subject.seed,
        "trees": subject.trees,
        "speed": subject.speed,
        "store": subject.folder.display().to_string(),
        "life": view.totals.lives,
        "killed": view.totals.killed,
    })
}

/// A moment.
pub(crate) fn progress(view: &View) -> Value {
    json!({
        "kind": "progress",
        "seconds": rounded(view.elapsed.as_secs_f64()),
        "live": { "trees": view.trees_live, "tasks": view.tasks_live },
        "outside": { "requests": view.requests_all, "tools": view.tools, "questions": view.questions },
        "durable": {
            "events": view.events,
            "commits": view.commits,
            "events_per_second": rounded(view.events_per_second),
        },
        "totals": totals(view),
        "broken": view.verdict.broken_count,
    })
}

/// The last line.
pub(crate) fn summary(outcome: Outcome, view: &View) -> Value {
    let verdict = &view.verdict;
    let promises = Promise::ALL.map(
        |promise| json!({ "id": promise.id(), "text": promise.text(), "looked": verdict.looked(promise) }),
    );
    let broken = verdict.broken.iter();
    let broken = broken.map(|broken| json!({ "id": broken.promise.id(), "what": broken.what }));
    json!({
        "kind": "summary",
        "outcome": match outcome {
            Outcome::Over => "over",
            Outcome::Stopped => "stopped",
        },
        "kept": verdict.is_kept(),
        "seconds": rounded(view.elapsed.as_secs_f64()),
        "lives": view.totals.lives,
        "killed": view.totals.killed,
        "totals": totals(view),
        "promises": promises,
        "broken": broken.collect::<Vec<_>>(),
        "broken_count": verdict.broken_count,
        "store": view.subject.folder.display().to_string(),
    })
}

/// How many of each kind there were, over all lives.
fn totals(view: &View) -> Value {
    let totals = &view.totals;
    json!({
        "trees_begun": totals.trees_begun,
        "trees_ended": totals.trees_ended,
        "trees_cancelled": totals.trees_cancelled,
        "tasks": totals.tasks,
        "sends": totals.sends,
        "throttled": totals.throttled,
        "failed": totals.failed,
        "unauthorized": totals.unauthorized,
        "tools": totals.tools,
        "messages": totals.messages,
        "refreshes": totals.refreshes,
        "tokens": totals.tokens,
    })
}

/// With three digits behind the point.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}
