//! A whole storage directory: every task, and what tasks say about each other.
//!
//! One task is in memory at a time. What is kept of each is a [`Record`]: its history item, its findings, and
//! fingerprints of the results that it has said or was given.

use crate::error::SavedError;
use crate::examine::{self, Examined, VERSION, listed_items, name_of, task_folders};
use crate::finding::{Certainty, Counts, Finding};
use crate::item::{Item, Status};
use crate::relatives;
use crate::task::Task;
use crate::window::Kind;
use crate::words::{delivered, fingerprint};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a storage directory is known by.
const LOOKED_FOR: &[&str] = &["tasks/<task>", "<task>", "<publisher.extension>/tasks/<task>"];

/// What one storage directory shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Storage {
    /// [`VERSION`].
    pub version: u32,
    /// The tasks, in the order of their folders.
    pub tasks: Vec<Row>,
    /// Lists of history items that cannot be read, and why.
    pub damaged_lists: Vec<String>,
}

/// What one task of a storage shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// The folder, from the storage directory.
    pub folder: String,
    /// What was found in it and about it, or why it cannot be examined.
    pub outcome: Outcome,
}

/// What became of the examination of one folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was examined.
    Examined(Box<Examined>),
    /// It cannot be.
    Damaged(String),
}

impl Storage {
    /// The certainty of the most certain finding in any task, for an exit code. Folders that cannot be read are
    /// [`Storage::damaged`].
    pub fn worst(&self) -> Option<Certainty> {
        self.examined().filter_map(Examined::worst).max()
    }

    /// How many findings there are in all tasks.
    pub fn counts(&self) -> Counts {
        self.examined().fold(Counts::default(), |sum, examined| Counts {
            proven: sum.proven + examined.counts.proven,
            suspicious: sum.suspicious + examined.counts.suspicious,
            cannot_tell: sum.cannot_tell + examined.counts.cannot_tell,
        })
    }

    /// The tasks that could be examined.
    pub fn examined(&self) -> impl Iterator<Item = &Examined> {
        self.tasks.iter().filter_map(|row| match &row.outcome {
            Outcome::Examined(examined) => Some(&**examined),
            Outcome::Damaged(_) => None,
        })
    }

    /// How many folders could not be examined.
    pub fn damaged(&self) -> usize {
        self.tasks.len() - self.examined().count()
    }
}

/// Whether this is a directory of task folders, or has one, or is a `globalStorage` in which an extension has one.
pub fn is_storage(path: &Path) -> bool {
    places(path).is_ok_and(|places| !places.is_empty())
}

/// Examines every task of a storage directory.
///
/// # Errors
/// If there is no task folder in it. A task that cannot be examined is a row of its own and does not make it fail.
pub fn examine_storage(directory: &Path) -> Result<Storage, SavedError> {
    let places = places(directory)?;
    if places.is_empty() {
        return Err(SavedError::NotSaved { path: directory.to_owned(), looked_for: LOOKED_FOR });
    }
    let mut storage = Storage { version: VERSION, tasks: Vec::new(), damaged_lists: Vec::new() };
    for place in places {
        let lists = listed_items(&place, &mut storage.damaged_lists);
        let (mut records, mut unread) = (Vec::new(), BTreeSet::new());
        let first = storage.tasks.len();
        for folder in task_folders(&place)? {
            let outcome = match examine::load(&folder, Some(&lists)) {
                Ok(loaded) => {
                    records.push(Record::of(
                        loaded.id().to_owned(),
                        storage.tasks.len() - first,
                        &loaded.task,
                    ));
                    Outcome::Examined(Box::new(loaded.report()))
                }
                Err(error) => {
                    unread.insert(name_of(&folder));
                    Outcome::Damaged(error.to_string())
                }
            };
            let shown = folder.strip_prefix(directory).unwrap_or(&folder);
            storage.tasks.push(Row { folder: shown.to_string_lossy().into_owned(), outcome });
        }
        for (row, finding) in relatives::check(&records, &unread) {
            add(&mut storage.tasks[first + row], finding);
        }
    }
    Ok(storage)
}

/// Puts a finding about its relatives before those of a task that are less certain.
fn add(row: &mut Row, finding: Finding) {
    match &mut row.outcome {
        Outcome::Examined(examined) => {
            let at = examined.findings.partition_point(|other| other.certainty >= finding.certainty);
            examined.counts.add(finding.certainty);
            examined.findings.insert(at, finding);
        }
        Outcome::Damaged(_) => {}
    }
}

/// The directories of task folders that belong together.
fn places(directory: &Path) -> Result<Vec<PathBuf>, SavedError> {
    let has_tasks = |path: &Path| task_folders(path).is_ok_and(|folders| !folders.is_empty());
    let inner = directory.join("tasks");
    if has_tasks(&inner) {
        return Ok(vec![inner]);
    }
    if !task_folders(directory)?.is_empty() {
        return Ok(vec![directory.to_owned()]);
    }
    let unreadable = |error| SavedError::unreadable(directory, &error);
    let mut places = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let tasks = entry.map_err(unreadable)?.path().join("tasks");
        if has_tasks(&tasks) {
            places.push(tasks);
        }
    }
    places.sort();
    Ok(places)
}

/// What is kept of one task while its storage is examined.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: String,
    /// Its place among the rows.
    pub(crate) row: usize,
    pub(crate) item: Option<Item>,
    /// The names that its files have in places.
    pub(crate) names: crate::task::Names,
    /// The last result that it said, with how it ended.
    pub(crate) end: Option<End>,
    /// Results of subtasks that it was given.
    pub(crate) given: Vec<Given>,
    /// When it sent its next request, each time that a person had opened it again.
    pub(crate) continued: Vec<i64>,
    /// When the model last spoke.
    pub(crate) spoke: Option<i64>,
    /// The last moment in its files.
    pub(crate) last: Option<i64>,
}

/// The end of a task.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) ts: Option<i64>,
    pub(crate) fingerprint: Option<u64>,
    /// Whether the task was shown as complete to a person, as one without a parent is.
    pub(crate) as_root: bool,
    /// Whether the program says that it has ended.
    pub(crate) is_recorded: bool,
}

/// A subtask's result that a task was given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The subtask, where the message names it.
    pub(crate) child: Option<String>,
    pub(crate) fingerprint: Option<u64>,
    pub(crate) place: crate::finding::Place,
}

impl Record {
    fn of(id: String, row: usize, task: &Task) -> Self {
        let in_window =
            task.entries().iter().filter(|entry| entry.kind == Kind::SubtaskResult).map(|entry| Given {
                child: None,
                fingerprint: fingerprint(&entry.text),
                place: task.at_entry(entry),
            });
        let mut given: Vec<Given> = in_window.collect();
        for turn in task.turns() {
            given.extend(turn.readable().filter_map(delivered).map(|delivered| Given {
                child: delivered.child.map(str::to_owned),
                fingerprint: fingerprint(delivered.result),
                place: task.at_turn(turn),
            }));
        }
        let is_answer = |turn: &&crate::conversation::Turn| turn.role == crate::conversation::Role::Assistant;
        Self {
            id,
            row,
            item: task.item.clone(),
            names: task.names.clone(),
            end: End::of(task),
            given,
            continued: continued(task),
            spoke: task.turns().iter().filter(is_answer).filter_map(|turn| turn.ts).max(),
            last: task.last_moment(),
        }
    }
}

/// The first request after each time that the task was opened again.
fn continued(task: &Task) -> Vec<i64> {
    let Some(window) = &task.window else { return Vec::new() };
    let is_request = |kind: &Kind| matches!(kind, Kind::RequestStarted { .. });
    let reopened = window.entries.iter().enumerate().filter(|(_, entry)| entry.kind == Kind::ResumeAsked);
    reopened.filter_map(|(position, _)| window.next(position, is_request).1?.ts).collect()
}

impl End {
    /// The end of a task, if the last thing that it did was to end.
    fn of(task: &Task) -> Option<Self> {
        let position = task.entries().iter().rposition(|entry| entry.kind == Kind::Completion)?;
        let (said, after) = (&task.entries()[position], &task.entries()[position + 1..]);
        let goes_on = |entry: &crate::window::Entry| {
            matches!(entry.kind, Kind::RequestStarted { .. } | Kind::Feedback | Kind::SubtaskAsked)
        };
        if after.iter().any(goes_on) {
            return None;
        }
        Some(Self {
            ts: said.ts,
            fingerprint: fingerprint(&said.text),
            as_root: after.iter().any(|entry| entry.kind == Kind::CompletionAsked),
            is_recorded: task.item.as_ref().is_some_and(|item| item.status == Some(Status::Completed)),
        })
    }
}
