//! A journal for machines: a line of JSON for each thing, as `docs/journal.schema.json` describes them.

use crate::change::{Change, facets};
use crate::exported::Played;
use crate::follow::Follow;
use crate::plain::phrase;
use crate::say::Sayer;
use crate::settings::{Settings, Source, changed};
use crate::text::ordered;
use downbeat_kernel::TaskId;
use downbeat_shell::{Entry, OnRecord, Order, Outstanding};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The first line.
pub(crate) fn journal(path: &str, settings: &Settings) -> Value {
    json!({
        "kind": "journal",
        "version": 1,
        "tool": { "name": "downbeat", "version": env!("CARGO_PKG_VERSION") },
        "journal": path,
        "shards": settings.config.shards,
        "settings": {
            "source": match settings.source {
                Source::Given => "given",
                Source::Snapshot => "snapshot",
                Source::Default => "default",
            },
            "kernel": changed(&settings.config.kernel).into_iter().collect::<Map<_, _>>(),
            "pool": settings.config.pool.map(|pool| changed(&pool).into_iter().collect::<Map<_, _>>()),
        },
    })
}

/// A shard as it stands.
pub(crate) fn shard(follow: &Follow<'_>) -> Value {
    let counts = follow.counts();
    let tasks = || follow.replay().kernel().tasks();
    let live = tasks().filter(|task| task.state.end().is_none()).count();
    json!({
        "kind": "shard",
        "shard": follow.shard().0,
        "lines": counts.lines,
        "last": counts.last,
        "first_ms": counts.first_ms,
        "last_ms": counts.last_ms,
        "tasks": {
            "live": live,
            "held": tasks().count() - live,
            "completed": counts.completed,
            "failed": counts.failed,
            "cancelled": counts.cancelled,
        },
        "compacted_before": follow.compacted().map(|at| at.0),
        "snapshot_agrees_at": follow.compared().map(|at| at.0),
    })
}

/// How a task stands.
pub(crate) fn task(follow: &Follow<'_>, sayer: &Sayer<'_, '_>, task: TaskId) -> Value {
    let kernel = follow.replay().kernel();
    let facets = kernel.task(task).map(facets).unwrap_or_default();
    let waits = sayer.each(task).into_iter().map(|said| {
        json!({
            "for": said.kind,
            "text": said.text,
            "since_ms": said.since_ms,
            "until_ms": said.until_ms,
            "subtask": said.subtask.map(|task| task.0),
        })
    });
    let outstanding = sayer.outstanding(task).map(|Outstanding { order, armed }| {
        json!({ "order": ordered(order, Some(task)), "armed_ms": armed.map(|(at, _)| at), "fires_ms": armed.map(|(_, at)| at) })
    });
    json!({
        "kind": "task",
        "shard": follow.shard().0,
        "after": follow.counts().last,
        "task": task.0,
        "parent": kernel.task(task).and_then(|task| Some(task.data.parent?.0)),
        "state": kernel.task(task).map(|task| phrase(&task.state)),
        "ended": kernel.task(task).is_some_and(|task| task.state.end().is_some()),
        "facets": facets.into_iter().map(|(what, value)| (what, value.into())).collect::<Map<_, Value>>(),
        "why": sayer.line(task),
        "waits": waits.collect::<Vec<_>>(),
        "outstanding": outstanding.collect::<Vec<_>>(),
    })
}

/// A line, and what followed from it for some tasks.
pub(crate) fn event(
    shard: u32,
    line: &OnRecord,
    changes: &[(TaskId, Vec<Change>)],
    orders: &[&Order],
    has_words: bool,
) -> Value {
    let text = if has_words { line.entry.text.clone() } else { Vec::new() };
    let entry = Entry { text, ..line.entry.clone() };
    let of_change = |(task, change): (TaskId, &Change)| json!({ "task": task.0, "what": change.what, "before": change.before, "after": change.after });
    let changes = changes.iter().flat_map(|(task, changes)| changes.iter().map(move |it| (*task, it)));
    json!({
        "kind": "event",
        "shard": shard,
        "at": line.at.0,
        "entry": entry,
        "changes": changes.map(of_change).collect::<Vec<_>>(),
        "orders": orders.iter().map(|order| ordered(order, None)).collect::<Vec<_>>(),
    })
}

/// An exported tree that was stepped through again.
pub(crate) fn exported(path: &Path, played: &Played, misfit: Option<&str>) -> Value {
    json!({
        "kind": "tree",
        "file": path.display().to_string(),
        "root": played.root.0,
        "events": played.events,
        "as_recorded": misfit.is_none(),
        "misfit": misfit,
    })
}

/// The last line.
pub(crate) fn result(error: Option<&str>) -> Value {
    json!({ "kind": "result", "ok": error.is_none(), "error": error })
}
