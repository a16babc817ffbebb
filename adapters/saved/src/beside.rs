//! The relatives of a task that is examined alone: its parent and its subtasks, in the folders beside its own.

use crate::bounds::RELATIVES_MAX;
use crate::examine::{Loaded, is_task_folder, listed_items, load};
use crate::finding::{Certainty, Fault, Finding, Place, Property};
use crate::relatives::{self, Scope};
use crate::storage::Record;
use crate::words::quoted;
use std::collections::BTreeSet;
use std::path::{Component, Path};

/// What the history items of a task and its relatives say of each other, as far as it is about this task.
pub(crate) fn check(folder: &Path, loaded: &Loaded) -> Vec<Finding> {
    let Some(item) = &loaded.task.item else { return Vec::new() };
    let own = [&item.parent, &item.awaits, &item.completed_by, &item.delegated_to];
    let mut names: Vec<&String> = own.into_iter().flatten().chain(&item.children).collect();
    let mut seen = BTreeSet::from([&item.id]);
    names.retain(|name| seen.insert(name));
    if names.is_empty() {
        return Vec::new();
    }
    // What cannot be told here has no folder that can be named, and so none beside it.
    let Some(beside) = folder.canonicalize().ok().and_then(|folder| Some(folder.parent()?.to_owned())) else {
        return Vec::new();
    };
    let left_off = names.len().saturating_sub(RELATIVES_MAX);
    names.truncate(RELATIVES_MAX);
    let mut notes = Vec::new();
    let lists = listed_items(&beside, &mut notes);
    let (mut records, mut unread) = (Vec::new(), BTreeSet::new());
    records.push(Record::of(loaded.id().to_owned(), 0, &loaded.task));
    let mut absent = Vec::new();
    for name in names {
        let path = beside.join(name);
        if !is_plain(name) || !is_task_folder(&path) {
            absent.push(name);
            continue;
        }
        match load(&path, Some(&lists)) {
            Ok(relative) => {
                records.push(Record::of(relative.id().to_owned(), records.len(), &relative.task));
            }
            Err(_) => drop(unread.insert(name.clone())),
        }
    }
    let mut found = Vec::new();
    for related in relatives::check(&records, &unread, Scope::Alone) {
        if related.row == 0 {
            found.push(related.finding);
        } else if related.child == item.id {
            // Its parent is in another folder.
            let mut finding = related.finding;
            finding.place.file = format!("../{}/{}", quoted(&records[related.row].id), finding.place.file);
            found.push(finding);
        }
    }
    let mut note = |says| {
        let (certainty, property, fault) = (Certainty::CannotTell, Property::S3, Fault::NotRecorded);
        let place = Place { file: loaded.task.names.item.clone(), message: None, path: "$".into(), ts: None };
        found.push(Finding { certainty, property, fault, place, says });
    };
    for damaged in notes {
        note(format!(
            "S3 and S9 were not decided for relatives without an item of their own, because of {damaged}."
        ));
    }
    // The one that is waited for is told of by itself.
    absent.retain(|name| item.awaits.as_ref() != Some(name));
    if let Some(first) = absent.first() {
        let more = absent.len() - 1;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        note(format!(
            "S3 and S9 were not decided for the relatives that are not beside this folder: looked for ../{}{more}.",
            quoted(first)
        ));
    }
    if left_off > 0 {
        note(format!(
            "S3 and S9 were not decided for {left_off} of the relatives: no more than {RELATIVES_MAX} are looked for."
        ));
    }
    found
}

/// Whether it is the name of a folder, and leads nowhere else.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}
