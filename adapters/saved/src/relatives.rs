//! What the tasks of a storage say about each other: parents and subtasks, by their history items.

use crate::bounds::LATER_MS;
use crate::finding::{Certainty, Fault, Finding, Place, Property};
use crate::item::{Item, Status};
use crate::moment::{at, length};
use crate::storage::{End, Record};
use crate::words::quoted;
use std::collections::{BTreeMap, BTreeSet};

/// The findings about relatives, each with the row that it belongs to. `unread` are the folders that are there and
/// could not be read.
pub(crate) fn check(records: &[Record], unread: &BTreeSet<String>) -> Vec<(usize, Finding)> {
    let by_id: BTreeMap<&str, &Record> = records.iter().map(|record| (record.id.as_str(), record)).collect();
    let last = records.iter().filter_map(|record| record.last).max();
    let mut found = Vec::new();
    for record in records {
        let mut add = |certainty, (property, fault), place, says| {
            found.push((record.row, Finding { certainty, property, fault, place, says }));
        };
        let Some(item) = &record.item else { continue };
        awaits(record, item, &by_id, (unread, last), &mut add);
        strangers(record, item, &by_id, records, &mut add);
        for child in records.iter().filter(|child| parent_of(child) == Some(&record.id)) {
            lost(record, child, &mut add);
        }
    }
    found
}

type Add<'a> = dyn FnMut(Certainty, (Property, Fault), Place, String) + 'a;

fn parent_of(record: &Record) -> Option<&String> {
    record.item.as_ref().and_then(|item| item.parent.as_ref())
}

fn at_item(record: &Record, field: &str) -> Place {
    Place { file: record.names.item.clone(), message: None, path: format!("$.{field}"), ts: None }
}

/// A parent that waits, by its history item, for a subtask that has ended or is gone.
///
/// The program writes that the subtask has ended, and then at once that the parent waits no more. In between it may be
/// copied or killed; so it is proven only where something happened later.
fn awaits(
    record: &Record,
    item: &Item,
    by_id: &BTreeMap<&str, &Record>,
    (unread, last): (&BTreeSet<String>, Option<i64>),
    add: &mut Add<'_>,
) {
    let (Some(Status::Delegated), Some(child)) = (&item.status, &item.awaits) else { return };
    let place = at_item(record, "awaitingChildId");
    let Some(awaited) = by_id.get(child.as_str()) else {
        let (certainty, why) = if unread.contains(child) {
            (Certainty::CannotTell, "cannot be read")
        } else {
            (Certainty::Suspicious, "is not in this storage")
        };
        let says = format!("The task waits for the subtask {}, which {why}.", quoted(child));
        add(certainty, (Property::S9, Fault::AwaitsEnded), place, says);
        return;
    };
    let Some(end) = awaited.end.as_ref().filter(|end| end.is_recorded) else { return };
    let went_on = end.ts.zip(last).is_some_and(|(ended, last)| last.saturating_sub(ended) > LATER_MS);
    let (certainty, since) = if went_on {
        (Certainty::Proven, "")
    } else {
        (Certainty::Suspicious, " Nothing has happened in this storage since.")
    };
    let says = format!("The task waits for the subtask {}, which ended{}.{since}", quoted(child), at(end.ts));
    add(certainty, (Property::S9, Fault::AwaitsEnded), place, says);
}

/// Results of tasks that are not its subtasks.
fn strangers(
    record: &Record,
    item: &Item,
    by_id: &BTreeMap<&str, &Record>,
    records: &[Record],
    add: &mut Add<'_>,
) {
    let about = (Property::S3, Fault::WrongParent);
    let other_parent = |child: &str| {
        let parent = parent_of(by_id.get(child)?)?;
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
        add(Certainty::Proven, about, at_item(record, "completedByChildId"), says);
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
        add(Certainty::Proven, about, given.place.clone(), says);
        is_named = true;
    }
    // The window has the results of those that are named too, without their names.
    for given in record.given.iter().filter(|_| !is_named) {
        let says_it = |other: &&Record| {
            let end = other.end.as_ref().and_then(|end| end.fingerprint);
            end.is_some() && given.child.is_none() && end == given.fingerprint
        };
        let parents: Vec<Option<&String>> = records.iter().filter(says_it).map(parent_of).collect();
        if let Some(Some(parent)) = parents.first()
            && parents.iter().flatten().count() == parents.len()
            && !parents.contains(&Some(&record.id))
        {
            let says = format!(
                "This task was given a result{} that a subtask of {} has said, and none of its own.",
                at(given.place.ts),
                quoted(parent)
            );
            add(Certainty::Suspicious, about, given.place.clone(), says);
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
        add(Certainty::Suspicious, about, at_item(record, "completedByChildId"), says);
    }
}

/// A subtask that has ended, and a parent that was not given its result.
fn lost(parent: &Record, child: &Record, add: &mut Add<'_>) {
    let Some(end) = &child.end else { return };
    let is_given = |given: &crate::storage::Given| match &given.child {
        Some(named) => *named == child.id,
        None => given.fingerprint == end.fingerprint,
    };
    let item = parent.item.as_ref();
    let awaits = item.is_some_and(|item| item.awaits.as_ref() == Some(&child.id));
    // That it waits for one that has ended is told by itself.
    if awaits || parent.given.iter().any(is_given) {
        return;
    }
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
            add(Certainty::Suspicious, (Property::S3, Fault::LostSubtaskResult), place, says);
        }
        EndKind::Asking => {
            let says = format!(
                "The subtask {name} said its result{}, and the task was not given it. Whether anybody has approved \
                 of it, the files do not say.",
                at(end.ts)
            );
            add(Certainty::CannotTell, (Property::S3, Fault::LostSubtaskResult), place, says);
        }
    }
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
