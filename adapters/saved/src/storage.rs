//! A whole storage directory: every task, and what tasks say about each other.
//!
//! One task is in memory at a time. What is kept of each is a [`Record`]: its history item, its findings, and
//! fingerprints of the results that it has said or was given.

use crate::bounds::{DIRECTORIES_MAX, LEVELS_MAX};
use crate::conversation::Role;
use crate::error::SavedError;
use crate::examine::{self, Examined, Loaded, VERSION, listed_items, name_of, task_folders};
use crate::finding::{Certainty, Counts, Place};
use crate::item::{Item, Status};
use crate::relatives::{self, Scope};
use crate::task::{Names, Task};
use crate::window::{Entry, Kind, REQUESTS};
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
    /// The tasks, in the order of their folders, and after those of a directory the tasks that only a list of it knows.
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

    /// How many folders could not be examined, or have a file that cannot be read.
    pub fn damaged(&self) -> usize {
        let is_damaged = |row: &&Row| match &row.outcome {
            Outcome::Examined(examined) => !examined.damaged.is_empty(),
            Outcome::Damaged(_) => true,
        };
        self.tasks.iter().filter(is_damaged).count()
    }
}

/// Examines every task of a storage directory, and what their history items say of each other. A task that only a list
/// knows is one without files.
///
/// # Errors
/// If there is no task folder in it. A task that cannot be examined is a row of its own and does not make it fail.
pub fn examine_storage(directory: &Path) -> Result<Storage, SavedError> {
    let places = places(directory)?;
    if places.is_empty() {
        return Err(SavedError::NotSaved {
            path: directory.to_owned(),
            looked_for: LOOKED_FOR,
            below: below(directory),
        });
    }
    let mut storage = Storage { version: VERSION, tasks: Vec::new(), damaged_lists: Vec::new() };
    for (place, folders) in places {
        let mut lists = listed_items(&place, &mut storage.damaged_lists);
        let (mut records, mut unread) = (Vec::new(), BTreeSet::new());
        let first = storage.tasks.len();
        let mut push = |folder: &Path, loaded: Result<Loaded, SavedError>| {
            let outcome = match loaded {
                Ok(loaded) => {
                    records.push(Record::of(
                        loaded.id().to_owned(),
                        storage.tasks.len() - first,
                        &loaded.task,
                    ));
                    Outcome::Examined(Box::new(loaded.report()))
                }
                Err(error) => {
                    unread.insert(name_of(folder));
                    Outcome::Damaged(error.to_string())
                }
            };
            let shown = folder.strip_prefix(directory).unwrap_or(folder);
            storage.tasks.push(Row { folder: shown.to_string_lossy().into_owned(), outcome });
        };
        for folder in folders {
            push(&folder, examine::load(&folder, Some(&lists)));
            lists.remove(&name_of(&folder));
        }
        for (id, (item, list)) in lists {
            push(&place.join(&id), Loaded::listed(id, item, list));
        }
        for related in relatives::check(&records, &unread, Scope::Storage) {
            let row = &mut storage.tasks[first + related.row];
            match &mut row.outcome {
                Outcome::Examined(examined) => examined.add(related.finding),
                Outcome::Damaged(_) => {}
            }
        }
    }
    Ok(storage)
}

/// The directories of task folders that belong together, each with its folders.
fn places(directory: &Path) -> Result<Vec<(PathBuf, Vec<PathBuf>)>, SavedError> {
    let folders_of = |path: &Path| task_folders(path).unwrap_or_default();
    let inner = directory.join("tasks");
    let folders = folders_of(&inner);
    if !folders.is_empty() {
        return Ok(vec![(inner, folders)]);
    }
    let folders = task_folders(directory)?;
    if !folders.is_empty() {
        return Ok(vec![(directory.to_owned(), folders)]);
    }
    let inner = directories(directory).into_iter().map(|inner| inner.join("tasks"));
    let places = inner.map(|tasks| (folders_of(&tasks), tasks)).filter(|(folders, _)| !folders.is_empty());
    Ok(places.map(|(folders, tasks)| (tasks, folders)).collect())
}

/// The directories in a directory, in the order of their names.
fn directories(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut inner: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    inner.sort();
    inner
}

/// A storage directory no more than [`LEVELS_MAX`] levels further down: an editor's has it in `User/globalStorage`.
fn below(directory: &Path) -> Option<PathBuf> {
    let mut level = vec![directory.to_owned()];
    let mut left = DIRECTORIES_MAX;
    for _ in 0..LEVELS_MAX {
        level = level.iter().flat_map(|directory| directories(directory)).take(left).collect();
        left -= level.len();
        let found = level.iter().find(|inner| places(inner).is_ok_and(|places| !places.is_empty()));
        if let Some(found) = found {
            return Some(found.clone());
        }
    }
    None
}

/// What is kept of one task while its storage is examined.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: String,
    /// Its place among the rows.
    pub(crate) row: usize,
    pub(crate) item: Option<Item>,
    /// The names that its files have in places.
    pub(crate) names: Names,
    /// What it was to do, and since when.
    pub(crate) began: Option<Words>,
    /// The subtask that it asked for and has no answer to.
    pub(crate) asked: Option<(Words, Place)>,
    /// The last result that it said, with how it ended.
    pub(crate) end: Option<End>,
    /// Whether it has a window that could be read, which would show its end.
    pub(crate) has_window: bool,
    /// Results of subtasks that it was given.
    pub(crate) given: Vec<Given>,
    /// When it sent its next request, each time that a person had opened it again.
    pub(crate) continued: Vec<i64>,
    /// When the model last spoke.
    pub(crate) spoke: Option<i64>,
    /// The last moment in its files.
    pub(crate) last: Option<i64>,
}

/// What a subtask is to do, as its parent and it say it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    pub(crate) ts: i64,
    pub(crate) fingerprint: u64,
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
    pub(crate) place: Place,
}

impl Record {
    pub(crate) fn of(id: String, row: usize, task: &Task) -> Self {
        let window = task.window.iter();
        let shown = window.flat_map(|window| window.of_kind(Kind::SubtaskResult)).map(|entry| Given {
            child: None,
            fingerprint: fingerprint(&entry.text),
            place: task.at_entry(entry),
        });
        let mut given: Vec<Given> = shown.collect();
        for turn in task.turns() {
            given.extend(turn.readable().filter_map(delivered).map(|delivered| Given {
                child: delivered.child.map(str::to_owned),
                fingerprint: fingerprint(delivered.result),
                place: task.at_turn(turn),
            }));
        }
        let answers = task.turns().iter().filter(|turn| turn.role == Role::Assistant);
        let first = task.entries().first().filter(|first| first.kind == Kind::Task);
        Self {
            id,
            row,
            item: task.item.clone(),
            names: task.names.clone(),
            began: first.and_then(words),
            asked: asked(task),
            end: End::of(task),
            has_window: task.window.is_some(),
            given,
            continued: continued(task),
            spoke: answers.filter_map(|turn| turn.ts).max(),
            last: task.last_moment(),
        }
    }
}

fn words(entry: &Entry) -> Option<Words> {
    Some(Words { ts: entry.ts?, fingerprint: fingerprint(&entry.text)? })
}

/// The last subtask that a task asked for, if nothing came after it.
fn asked(task: &Task) -> Option<(Words, Place)> {
    let window = task.window.as_ref()?;
    let last = window.of_kind(Kind::SubtaskAsked).last()?;
    let answers = [Kind::SubtaskResult, Kind::Feedback, Kind::RequestStarted, Kind::RequestFailed];
    let is_open = window.next(last.index, &answers).is_none();
    Some((words(last).filter(|_| is_open)?, task.at_entry(last)))
}

/// The first request after each time that the task was opened again.
fn continued(task: &Task) -> Vec<i64> {
    let Some(window) = &task.window else { return Vec::new() };
    let reopened = window.of_kind(Kind::ResumeAsked);
    reopened.filter_map(|entry| window.next(entry.index, &REQUESTS)?.ts).collect()
}

impl End {
    /// The end of a task, if the last thing that it did was to end.
    fn of(task: &Task) -> Option<Self> {
        let window = task.window.as_ref()?;
        let said = window.of_kind(Kind::Completion).last()?;
        let goes_on = [Kind::RequestStarted, Kind::RequestFailed, Kind::Feedback, Kind::SubtaskAsked];
        if window.next(said.index, &goes_on).is_some() {
            return None;
        }
        Some(Self {
            ts: said.ts,
            fingerprint: fingerprint(&said.text),
            as_root: window.next(said.index, &[Kind::CompletionAsked]).is_some(),
            is_recorded: task.item.as_ref().is_some_and(|item| item.status == Some(Status::Completed)),
        })
    }
}
