//! What the tasks of a storage say about each other: parents and subtasks, by their history items.

use crate::bounds::LATER_MS;
use crate::finding::{Certainty, Fault, Finding, Place, Property};
use crate::item::{Item, Status};
use crate::moment::{at, length};
use crate::storage::{End, Record};
use crate::words::quoted;
use std::collections::{BTreeMap, BTreeSet};

/// A finding about relatives.
pub(crate) struct Related {
    /// The row that it belongs to.
    pub(crate) row: usize,
    /// The subtask that it is about.
    pub(crate) child: String,
    pub(crate) finding: Finding,
}

/// Which tasks are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of a storage.
    Storage,
    /// One and those that it names. There may be others.
    Alone,
}

/// The tasks that are compared, as they are looked up.
struct Tasks<'a> {
    scope: Scope,
    by_id: BTreeMap<&'a str, &'a Record>,
    by_parent: BTreeMap<&'a str, Vec<&'a Record>>,
    /// By the words that they began with, in the order in which they did.
    by_words: BTreeMap<u64, Vec<(i64, &'a Record)>>,
    /// Those that have said the same at their end.
    by_end: BTreeMap<u64, Vec<&'a Record>>,
    /// Folders that are there and could not be read.
    unread: &'a BTreeSet<String>,
    /// The last moment of any.
    last: Option<i64>,
}

impl<'a> Tasks<'a> {
    fn of(records: &'a [Record], unread: &'a BTreeSet<String>, scope: Scope) -> Self {
        let mut by_parent: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        let mut by_words: BTreeMap<u64, Vec<(i64, &Record)>> = BTreeMap::new();
        let mut by_end: BTreeMap<u64, Vec<&Record>> = BTreeMap::new();
        for record in records {
            if let Some(parent) = parent_of(record) {
                by_parent.entry(parent).or_default().push(record);
            }
            if let Some(began) = record.began {
                by_words.entry(began.fingerprint).or_default().push((began.ts, record));
            }
            if let Some(end) = record.end.as_ref().and_then(|end| end.fingerprint) {
                by_end.entry(end).or_default().push(record);
            }
        }
        for alike in by_words.values_mut() {
            alike.sort_by_key(|(ts, _)| *ts);
        }
        Self {
            scope,
            by_id: records.iter().map(|record| (record.id.as_str(), record)).collect(),
            by_parent,
            by_words,
            by_end,
            unread,
            last: records.iter().filter_map(|record| record.last).max(),
        }
    }
}

/// The findings about relatives.
pub(crate) fn check(records: &[Record], unread: &BTreeSet<String>, scope: Scope) -> Vec<Related> {
    let tasks = Tasks::of(records, unread, scope);
    let mut found = Vec::new();
    for record in records {
        let mut add = |child: &str, certainty, (property, fault), place, says| {
            let finding = Finding { certainty, property, fault, place, says };
            found.push(Related { row: record.row, child: child.to_owned(), finding });
        };
        if let Some(item) = &record.item {
            awaits(record, item, &tasks, &mut add);
            strangers(record, item, &tasks, &mut add);
        }
        let children = tasks.by_parent.get(record.id.as_str());
        if let Some(children) = children {
            lost(record, children, &mut add);
        }
        orphan(record, &tasks, &mut add);
    }
    found
}

type Add<'a> = dyn FnMut(&str, Certainty, (Property, Fault), Place, String) + 'a;

fn parent_of(record: &Record) -> Option<&String> {
    record.item.as_ref().and_then(|item| item.parent.as_ref())
}

fn at_item(record: &Record, field: &str) -> Place {
    Place { file: record.names.item.clone(), message: None, path: format!("$.{field}"), ts: None }
}

/// A parent that waits, by its history item, for a subtask that has ended or is gone.
///
/// The program writes that the subtask has ended, and then at once that the parent waits no more. In between it may be
/// copied or killed; so it is proven only where something happened later, in any task of the storage.
fn awaits(record: &Record, item: &Item, tasks: &Tasks<'_>, add: &mut Add<'_>) {
    let (Some(Status::Delegated), Some(child)) = (&item.status, &item.awaits) else { return };
    let name = quoted(child);
    let mut tell = |certainty, says| {
        let about = (Property::S9, Fault::AwaitsEnded);
        add(child, certainty, about, at_item(record, "awaitingChildId"), says);
    };
    let Some(awaited) = tasks.by_id.get(child.as_str()) else {
        let (certainty, why) = match tasks.scope {
            Scope::Storage | Scope::Alone if tasks.unread.contains(child) => {
                (Certainty::CannotTell, "which cannot be read".to_owned())
            }
            Scope::Storage => (Certainty::Suspicious, "which is not in this storage".to_owned()),
            Scope::Alone => {
                (Certainty::CannotTell, format!("which is not beside its folder: looked for ../{name}"))
            }
        };
        tell(certainty, format!("The task waits for the subtask {name}, {why}."));
        return;
    };
    let is_recorded = awaited.item.as_ref().is_some_and(|item| item.status == Some(Status::Completed));
    let Some(end) = awaited.end.as_ref().filter(|_| is_recorded) else {
        if is_recorded && awaited.has_window {
            let says = format!(
                "S9 was not decided: the task waits for the subtask {name}, whose item says that it has ended, and \
                 whose window shows that it went on, or no end."
            );
            tell(Certainty::CannotTell, says);
        } else if is_recorded {
            let says = format!(
                "The task waits for the subtask {name}, whose item says that it has ended. When, its files do not say."
            );
            tell(Certainty::Suspicious, says);
        }
        return;
    };
    let went_on = end.ts.zip(tasks.last).is_some_and(|(ended, last)| last.saturating_sub(ended) > LATER_MS);
    let (certainty, since) = match (went_on, tasks.scope) {
        (true, Scope::Storage | Scope::Alone) => (Certainty::Proven, ""),
        (false, Scope::Storage) => (Certainty::Suspicious, " Nothing has happened in this storage since."),
        (false, Scope::Alone) => (
            Certainty::Suspicious,
            " Whether anything has happened since in tasks that it does not name was not looked at.",
        ),
    };
    tell(certainty, format!("The task waits for the subtask {name}, which ended{}.{since}", at(end.ts)));
}

/// Results of tasks that are not its subtasks.
fn strangers(record: &Record, item: &Item, tasks: &Tasks<'_>, add: &mut Add<'_>) {
    let about = (Property::S3, Fault::WrongParent);
    let other_parent = |child: &str| {
        let parent = parent_of(tasks.by_id.get(child)?)?;
        (*parent != record.id).then_some(parent)
    };
    if let Some((child, parent)) =
        item.completed_by.as_deref().and_then(|child| Some((child, other_parent(child)?)))
    {
        let says = format!(
            "The task was resumed by the end of {}, which is a subtask of {}.",
            quoted(child),
            quoted(parent)
        );
        add(child, Certainty::Proven, about, at_item(record, "completedByChildId"), says);
    }
    let mut is_named = false;
    for given in &record.given {
        let Some((child, parent)) =
            given.child.as_deref().and_then(|child| Some((child, other_parent(child)?)))
        else {
            continue;
        };
        let says = format!(
            "The result of {} was given to this task{}, and it is a subtask of {}.",
            quoted(child),
            at(given.place.ts),
            quoted(parent)
        );
        add(child, Certainty::Proven, about, given.place.clone(), says);
        is_named = true;
    }
    // The window has the results of those that are named too, without their names.
    for given in record.given.iter().filter(|_| !is_named) {
        let Some(fingerprint) = given.fingerprint.filter(|_| given.child.is_none()) else { continue };
        let said = tasks.by_end.get(&fingerprint).map_or(&[][..], Vec::as_slice);
        // What a task without a parent said may have been said by one of its own subtasks too.
        let is_foreign = said.iter().all(|other| parent_of(other).is_some_and(|parent| *parent != record.id));
        if let Some((first, parent)) = said.first().and_then(|first| Some((first, parent_of(first)?)))
            && is_foreign
        {
            let says = format!(
                "This task was given a result{} that a subtask of {} has said, and none of its own.",
                at(given.place.ts),
                quoted(parent)
            );
            add(&first.id, Certainty::Suspicious, about, given.place.clone(), says);
            break;
        }
    }
    let last_two = (item.delegated_to.as_deref(), item.completed_by.as_deref());
    if let (Some(Status::Active), None, (Some(delegated), Some(completed))) =
        (&item.status, &item.awaits, last_two)
        && delegated != completed
    {
        let says = format!(
            "The task last delegated to {} and was resumed by the end of {}.",
            quoted(delegated),
            quoted(completed)
        );
        add(completed, Certainty::Suspicious, about, at_item(record, "completedByChildId"), says);
    }
}

/// Subtasks that have ended, and a parent that was not given their results. Without files of the parent nothing says
/// what it was given.
fn lost(parent: &Record, children: &[&Record], add: &mut Add<'_>) {
    if parent.last.is_none() {
        return;
    }
    let named: BTreeSet<&str> = parent.given.iter().filter_map(|given| given.child.as_deref()).collect();
    let unnamed: BTreeSet<Option<u64>> =
        parent.given.iter().filter(|given| given.child.is_none()).map(|given| given.fingerprint).collect();
    let awaits = parent.item.as_ref().and_then(|item| item.awaits.as_ref());
    for child in children {
        let Some(end) = &child.end else { continue };
        let is_given = named.contains(child.id.as_str()) || unnamed.contains(&end.fingerprint);
        // That it waits for one that has ended is told by itself.
        if !is_given && awaits != Some(&child.id) {
            not_given(parent, child, end, add);
        }
    }
}

fn not_given(parent: &Record, child: &Record, end: &End, add: &mut Add<'_>) {
    let place = at_item(parent, "id");
    let name = quoted(&child.id);
    match kind_of_end(end) {
        EndKind::Recorded | EndKind::AsRoot => {
            let then = match parent.spoke.zip(end.ts) {
                Some((spoke, ended)) if spoke > ended => {
                    let by_person = parent.continued.iter().find(|ts| **ts > ended);
                    by_person.map_or_else(
                        || "and went on without it".to_owned(),
                        |ts| {
                            let later = length(ts.saturating_sub(ended));
                            format!("and went on without it when a person had opened it again, {later} later")
                        },
                    )
                }
                Some(_) | None => "and has not gone on since".to_owned(),
            };
            let why = match kind_of_end(end) {
                EndKind::AsRoot => " It ended as a task without a parent.",
                EndKind::Recorded | EndKind::Asking => "",
            };
            let says = format!(
                "The subtask {name} ended{}; the task was not given its result, {then}.{why}",
                at(end.ts)
            );
            add(&child.id, Certainty::Suspicious, (Property::S3, Fault::LostSubtaskResult), place, says);
        }
        EndKind::Asking => {
            let says = format!(
                "The subtask {name} said its result{}, and the task was not given it. Whether anybody has approved \
                 of it, the files do not say.",
                at(end.ts)
            );
            add(&child.id, Certainty::CannotTell, (Property::S3, Fault::LostSubtaskResult), place, says);
        }
    }
}

/// A task that asked for a subtask and did nothing since, and a task without a parent that began with the same words
/// and has ended: no history item has to say that they belong together.
fn orphan(parent: &Record, tasks: &Tasks<'_>, add: &mut Add<'_>) {
    let Some((asked, place)) = &parent.asked else { return };
    let alike = tasks.by_words.get(&asked.fingerprint).map_or(&[][..], Vec::as_slice);
    let later = &alike[alike.partition_point(|(ts, _)| *ts < asked.ts)..];
    let child = later.iter().find(|(_, task)| task.id != parent.id && parent_of(task).is_none());
    let Some((_, child)) = child else { return };
    let Some(end) = &child.end else { return };
    let (certainty, how) = match kind_of_end(end) {
        EndKind::Recorded | EndKind::AsRoot => {
            (Certainty::Suspicious, format!("ended{} as a task without a parent", at(end.ts)))
        }
        EndKind::Asking => (
            Certainty::CannotTell,
            format!(
                "said its result{}; whether anybody has approved of it, the files do not say",
                at(end.ts)
            ),
        ),
    };
    let says = format!(
        "The task asked for a subtask{} and has done nothing since. The task {} began with the same words and {how}.",
        at(Some(asked.ts)),
        quoted(&child.id)
    );
    add(&child.id, certainty, (Property::S3, Fault::LostSubtaskResult), place.clone(), says);
}

/// What is known of an end.
enum EndKind {
    /// The program says that the task has ended.
    Recorded,
    /// It was shown to a person, as a task without a parent is.
    AsRoot,
    /// It was said, and approval was asked for.
    Asking,
}

fn kind_of_end(end: &End) -> EndKind {
    if end.is_recorded {
        EndKind::Recorded
    } else if end.as_root {
        EndKind::AsRoot
    } else {
        EndKind::Asking
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Given;
    use crate::task::Names;

    /// Were each task compared with each other one, this would be twenty thousand million comparisons.
    #[test]
    fn tasks_are_looked_up_and_not_compared_with_each_other() {
        const COUNT: u64 = 100_000;
        let names = Names { conversation: "c".into(), window: "w".into(), item: "i".into() };
        let place = Place { file: "w".into(), message: None, path: "$".into(), ts: None };
        let record = |number: u64| Record {
            id: number.to_string(),
            row: 0,
            item: Some(Item {
                id: number.to_string(),
                parent: (number > 0).then(|| "0".to_owned()),
                status: Some(Status::Completed),
                delegated_to: None,
                awaits: None,
                completed_by: None,
                children: Vec::new(),
                has_deleted_range: false,
            }),
            names: names.clone(),
            began: None,
            asked: None,
            end: Some(End { ts: Some(1), fingerprint: Some(number), as_root: false, is_recorded: true }),
            has_window: true,
            given: Vec::new(),
            continued: Vec::new(),
            spoke: None,
            last: Some(1),
        };
        let mut records: Vec<Record> = (0..COUNT).map(record).collect();
        // All of its subtasks but the last have given it their results.
        let given = |number| Given { child: None, fingerprint: Some(number), place: place.clone() };
        records[0].given = (1..COUNT - 1).map(given).collect();
        let begin = std::time::Instant::now();
        let found = check(&records, &BTreeSet::new(), Scope::Storage);
        assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
        let children: Vec<_> = found.iter().map(|related| related.child.as_str()).collect();
        assert_eq!(children, [(COUNT - 1).to_string()]);
    }
}
