//! A journal as text, for people.

use crate::change::{Change, facets};
use crate::follow::Follow;
use crate::plain::{phrase, phrase_of};
use crate::say::Sayer;
use crate::settings::{Settings, Source, changed};
use crate::time::{span, stamp};
use downbeat_kernel::{Event, Kernel, TaskId};
use downbeat_shell::{OnRecord, Order, Outstanding, Recorded};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Rows of tasks that are shown of a shard: more than fit on a screen.
pub(crate) const ROWS_MAX: usize = 50;

/// Orders that are shown of a line: a send of a long conversation has a part for each message.
const ORDERS_MAX: usize = 12;

/// Where settings come from, and which are not as by default.
pub(crate) fn settings(settings: &Settings) -> String {
    let words = |changed: Vec<(String, serde_json::Value)>| {
        let words: Vec<_> = changed.into_iter().map(|(name, value)| format!("{name} {value}")).collect();
        if words.is_empty() { "all as by default".to_owned() } else { words.join(", ") }
    };
    let mut differ = words(changed(&settings.config.kernel));
    if let Some(pool) = &settings.config.pool {
        add(&mut differ, format_args!("; a pool: {}", words(changed(pool))));
    }
    match settings.source {
        Source::Given => format!("settings: as given ({differ})"),
        Source::Snapshot => format!("settings: of the last snapshot ({differ})"),
        Source::Default => {
            "settings: those by default, which the journal does not say; others are given with --settings"
                .to_owned()
        }
    }
}

/// What a shard has to say of itself.
pub(crate) fn shard(follow: &Follow<'_>) -> String {
    let counts = follow.counts();
    let mut text = format!("shard {}: ", follow.shard().0);
    let kernel = follow.replay().kernel();
    let (live, held) = (live(kernel).count(), kernel.tasks().count());
    match counts.first_ms {
        None => text += "no line",
        Some(first_ms) => {
            let lines =
                if counts.lines == 1 { "1 line".to_owned() } else { format!("{} lines", counts.lines) };
            let span = span(counts.last_ms.saturating_sub(first_ms));
            add(
                &mut text,
                format_args!("{lines}, {} to {} ({span})", stamp(first_ms), stamp(counts.last_ms)),
            );
        }
    }
    add(
        &mut text,
        format_args!(
            "\n  tasks: {live} live, {} ended of which {} are held until everybody has heard ({} completed, {} failed, {} cancelled)\n",
            counts.ended(),
            held - live,
            counts.completed,
            counts.failed,
            counts.cancelled
        ),
    );
    if let Some(at) = follow.compacted() {
        add(
            &mut text,
            format_args!(
                "  compacted before position {}: what was over there is not in it, and lines have the numbers of others\n",
                at.0
            ),
        );
    }
    if let Some(at) = follow.compared() {
        add(&mut text, format_args!("  the snapshot before position {} knows the same\n", at.0));
    }
    text
}

/// Each task that lives, with why it waits.
pub(crate) fn tasks(follow: &Follow<'_>) -> String {
    let (sayer, kernel) = (Sayer::new(follow), follow.replay().kernel());
    let mut text = String::new();
    let rows = rows(follow, &sayer);
    for task in rows.iter().take(ROWS_MAX) {
        let live = kernel.task(*task).filter(|task| task.state.end().is_none());
        let state = live.map_or_else(|| "between attempts".to_owned(), |task| phrase(&task.state));
        add(&mut text, format_args!("  task {:<6} {state:<18} {}\n", task.0, sayer.line(*task)));
    }
    let more = rows.len().saturating_sub(ROWS_MAX);
    if more > 0 {
        add(&mut text, format_args!("  and {more} more; --task ID shows one, --format json all\n"));
    }
    add(&mut text, format_args!("  a restart would repeat {} orders\n", sayer.outstanding_count()));
    text
}

/// The tasks that live, and those between two attempts.
pub(crate) fn rows(follow: &Follow<'_>, sayer: &Sayer<'_, '_>) -> Vec<TaskId> {
    let replay = follow.replay();
    let live: BTreeSet<_> = live(replay.kernel()).map(|task| task.id).collect();
    let attempted: BTreeSet<_> = live.iter().map(|task| replay.name_of(*task)).collect();
    let is_between = |name: &TaskId| !attempted.contains(name) && sayer.attempts(*name).is_some();
    let between: Vec<_> = replay.tried().map(|(name, _)| name).filter(is_between).collect();
    live.into_iter().chain(between).collect::<BTreeSet<_>>().into_iter().collect()
}

fn live(kernel: &Kernel) -> impl Iterator<Item = &downbeat_kernel::Task> {
    kernel.tasks().filter(|task| task.state.end().is_none())
}

/// A line of a journal: what happened, and to whom.
pub(crate) fn line(line: &OnRecord, before_ms: Option<u64>, task: Option<TaskId>, has_words: bool) -> String {
    let entry = &line.entry;
    let passed = before_ms.and_then(|before| entry.at_ms.checked_sub(before));
    let passed = passed.map(|ms| format!("  + {}", span(ms))).unwrap_or_default();
    let mut text =
        format!("{:>6}  {}{passed}\n        {}\n", line.at.0, stamp(entry.at_ms), event(line, task));
    if let Some(bill) = entry.bill {
        let (tokens, micros) = (bill.spend.tokens, bill.spend.micros);
        let (number, root) = (bill.number.0, bill.root.0);
        add(
            &mut text,
            format_args!("        with bill {number} of task {root}: {tokens} tokens, {micros} micros\n"),
        );
    }
    if has_words {
        for words in &entry.text {
            add(&mut text, format_args!("        | {}\n", escaped(words)));
        }
    }
    text
}

/// Words on one line, without what a terminal would take for an order.
fn escaped(words: &str) -> String {
    words
        .chars()
        .flat_map(|letter| {
            let plain = (!letter.is_control()).then_some(letter);
            plain
                .into_iter()
                .chain(letter.is_control().then(|| letter.escape_default()).into_iter().flatten())
        })
        .collect()
}

/// What a line says, as a phrase.
pub(crate) fn event(line: &OnRecord, task: Option<TaskId>) -> String {
    let of = |value: String, machine: &str| format!("{machine}: {value}");
    let task = task.map_or(0, |task| task.0);
    match &line.entry.event {
        Recorded::Tree(record) => phrase_of(&Event::from(record.clone()), task),
        Recorded::Credential { profile, event } => {
            of(last(phrase(event)), &format!("credential of profile {}", profile.0))
        }
        Recorded::Outbox { root, event } => of(last(phrase(event)), &format!("outbox of task {}", root.0)),
        Recorded::Pool(event) => of(last(phrase_of(event, task)), "pool"),
        Recorded::Questions { root, event } => {
            of(last(phrase(event)), &format!("questions of the agent of task {}", root.0))
        }
        Recorded::Retry { task, event } => of(last(phrase(event)), &format!("attempts at task {}", task.0)),
        Recorded::Submitted { .. }
        | Recorded::Attempted { .. }
        | Recorded::Begun { .. }
        | Recorded::NoPlace { .. } => phrase_of(&line.entry.event, task),
        Recorded::PoolStands { .. } => "how the pool stood when the journal was compacted".to_owned(),
        Recorded::Stands { profile, .. } => {
            format!("how the credential of profile {} stood when the journal was compacted", profile.0)
        }
    }
}

/// A record without its version: `V1(Started(agent 2))` is `Started(agent 2)`.
fn last(record: String) -> String {
    let inner = record.strip_suffix(')').and_then(|rest| Some(rest.split_once('(')?.1.to_owned()));
    inner.filter(|_| record.starts_with('V')).unwrap_or(record)
}

/// What changed of a task, and what was ordered for it.
pub(crate) fn consequences(changes: &[Change], orders: &[&Order], task: Option<TaskId>) -> String {
    let mut text = String::new();
    for Change { what, before, after } in changes {
        let nothing = "—";
        let before = before.as_deref().unwrap_or(nothing);
        let after = after.as_deref().unwrap_or(nothing);
        add(&mut text, format_args!("        {what:<14} {before} → {after}\n"));
    }
    for order in orders.iter().take(ORDERS_MAX) {
        add(&mut text, format_args!("        ordered        {}\n", ordered(order, task)));
    }
    if orders.len() > ORDERS_MAX {
        add(&mut text, format_args!("        and {} orders more\n", orders.len() - ORDERS_MAX));
    }
    text
}

/// An order as a phrase.
pub(crate) fn ordered(order: &Order, task: Option<TaskId>) -> String {
    let id = task.map_or(0, |task| task.0);
    match order {
        Order::Tree(effect) => phrase_of(effect, id),
        Order::Credential { profile, effect } => {
            format!("credential of profile {}: {}", profile.0, phrase(effect))
        }
        Order::Outbox { root, effect } => format!("outbox of task {}: {}", root.0, phrase(effect)),
        Order::Pool(effect) => format!("pool: {}", phrase(effect)),
        Order::Retry { task, effect } => format!("attempts at task {}: {}", task.0, phrase(effect)),
        Order::Questions { root, effect } => {
            format!("questions of the agent of task {}: {}", root.0, phrase(effect))
        }
        Order::There { agent, effect, .. } => format!("at agent {}: {}", agent.0, phrase_of(effect, id)),
        Order::LeaseOver { agent, lease, .. } => {
            format!(
                "the lease of task {} at agent {} is over (epoch {})",
                lease.task.0, agent.0, lease.epoch.0
            )
        }
        Order::Forgotten(task) => format!("task {} is forgotten", task.0),
        Order::Attach { task, iterator } => {
            format!("iterator {} of task {} runs still, or has ended", iterator.0, task.0)
        }
    }
}

/// How a task stands.
pub(crate) fn standing(follow: &Follow<'_>, task: TaskId) -> String {
    let (sayer, kernel) = (Sayer::new(follow), follow.replay().kernel());
    let mut text = String::new();
    for (what, value) in kernel.task(task).map(facets).unwrap_or_default() {
        add(&mut text, format_args!("  {what:<14} {value}\n"));
    }
    add(&mut text, format_args!("  why            {}\n", sayer.line(task)));
    let outstanding: Vec<_> = sayer.outstanding(task).collect();
    if outstanding.is_empty() {
        text += "  outstanding    nothing\n";
    }
    for (index, Outstanding { order, armed }) in outstanding.into_iter().enumerate() {
        let name = if index == 0 { "outstanding" } else { "" };
        let armed = armed
            .map(|(armed_ms, fires_ms)| format!(", armed {}, fires {}", stamp(armed_ms), stamp(fires_ms)));
        let armed = armed.unwrap_or_default();
        add(&mut text, format_args!("  {name:<14} {}{armed}\n", ordered(order, Some(task))));
    }
    text
}

pub(crate) fn add(text: &mut String, piece: std::fmt::Arguments<'_>) {
    // Nothing fails that is written to memory.
    let _ = text.write_fmt(piece);
}
