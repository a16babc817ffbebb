//! One task folder, examined.

use crate::check;
use crate::conversation::{CONVERSATION, Conversation, Mark, ToolForm};
use crate::error::SavedError;
use crate::finding::{Certainty, Counts, Finding, Wait};
use crate::item::{ITEM, Item, Status};
use crate::json::{Unknown, bytes_of, parse};
use crate::task::{Names, Task};
use crate::window::{WINDOW, Window};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The version of the reports. It changes when a field means something else, and not when one is added.
pub const VERSION: u32 = 1;

/// The file of the earliest versions (Roo-Code `src/core/task-persistence/apiMessages.ts`, Cline
/// `src/core/storage/disk.ts`): a conversation or a window, which its content tells.
const EARLIEST: &str = "claude_messages.json";

/// Lists of history items, as seen from a task folder.
const LISTS: [&str; 3] = ["_index.json", "../state/taskHistory.json", "../task_history.json"];

/// What a task folder is known by.
const LOOKED_FOR: &[&str] = &[CONVERSATION, WINDOW, EARLIEST];

/// The files of a task, in memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files<'a> {
    /// `api_conversation_history.json`.
    pub conversation: Option<&'a [u8]>,
    /// `ui_messages.json`.
    pub window: Option<&'a [u8]>,
    /// `history_item.json`.
    pub item: Option<&'a [u8]>,
}

/// How the files of a task are written, by which versions differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Form {
    /// How the model calls tools.
    pub tools: ToolForm,
    /// Whether its history item knows of delegation, if there is one.
    pub delegation: Option<bool>,
    /// Whether summaries or truncations hide messages.
    pub shortened: Shortened,
}

/// What became of messages that are no longer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortened {
    /// All are sent, as far as the files show.
    No,
    /// They are still in the file.
    Kept,
    /// They were taken out.
    Cut,
}

/// How much of a file was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileRead {
    /// Its name.
    pub file: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// How many messages it has, if it has messages: with a role, or of the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<usize>,
}

/// What one task folder shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Examined {
    /// [`VERSION`].
    pub version: u32,
    /// The task: its id, where the history item says it, else the name of its folder.
    pub task: String,
    /// The task that it is a subtask of, where the history item says so.
    pub parent: Option<String>,
    /// Where it stands, where the history item says so.
    pub status: Option<Status>,
    /// How its files are written.
    pub form: Form,
    /// What was read.
    pub files: Vec<FileRead>,
    /// What is not there, and would say more.
    pub missing: Vec<String>,
    /// The first moment in the files, in milliseconds since 1970.
    pub first_ts: Option<i64>,
    /// The last moment in the files.
    pub last_ts: Option<i64>,
    /// How many findings there are.
    pub counts: Counts,
    /// What was found, the most certain first.
    pub findings: Vec<Finding>,
    /// How many findings more there are.
    pub findings_left_off: usize,
    /// How long it waited, in the order in which the waits began.
    pub waits: Vec<Wait>,
    /// How many waits more there are, each shorter than those.
    pub waits_left_off: usize,
    /// How many waits for a person were shorter than a minute.
    pub short_waits: u64,
    /// What was met that is not known here, with how often.
    pub unknown: BTreeMap<String, u64>,
}

impl Examined {
    /// The certainty of the most certain finding, for an exit code.
    pub fn worst(&self) -> Option<Certainty> {
        self.findings.iter().map(|finding| finding.certainty).max()
    }
}

/// Whether this is the folder of one task: it has one of its files.
pub fn is_task_folder(path: &Path) -> bool {
    LOOKED_FOR.iter().any(|file| path.join(file).is_file())
}

/// Examines the folder of one task. Its history item is looked for in the folder, and in the lists beside it.
///
/// # Errors
/// If it is no such folder, or a file of it is damaged, foreign or too long. Lists beside it do not make it fail:
/// one that cannot be read is named as missing.
pub fn examine(folder: &Path) -> Result<Examined, SavedError> {
    let loaded = load(folder, None)?;
    Ok(loaded.report())
}

/// Examines the files of one task as bytes.
///
/// # Errors
/// If one of them is damaged, foreign or too long.
pub fn examine_bytes(task: &str, files: &Files<'_>) -> Result<Examined, SavedError> {
    let names = Names { conversation: CONVERSATION.into(), window: WINDOW.into(), item: ITEM.into() };
    Ok(Loaded::read(task.to_owned(), names, files, None)?.report())
}

/// One task in memory, with what its report says of the files.
pub(crate) struct Loaded {
    name: String,
    pub(crate) task: Task,
    files: Vec<FileRead>,
    missing: Vec<String>,
    unknown: Unknown,
}

/// The history items of lists, by task, each with the name of its list.
pub(crate) type Listed = BTreeMap<String, (Item, &'static str)>;

/// Reads the folder of one task. If it has no item, that of a list is taken; without lists those beside it are read.
pub(crate) fn load(folder: &Path, lists: Option<&Listed>) -> Result<Loaded, SavedError> {
    if !is_task_folder(folder) {
        return Err(SavedError::NotSaved { path: folder.to_owned(), looked_for: LOOKED_FOR });
    }
    let mut names = Names { conversation: CONVERSATION.into(), window: WINDOW.into(), item: ITEM.into() };
    let mut conversation = bytes_of(&folder.join(CONVERSATION))?;
    let mut window = bytes_of(&folder.join(WINDOW))?;
    if (conversation.is_none() || window.is_none())
        && let Some(earliest) = bytes_of(&folder.join(EARLIEST))?
    {
        let is_conversation =
            parse(EARLIEST, &earliest)?.get(0).is_some_and(|first| first.get("role").is_some());
        let (file, name) = if is_conversation {
            (&mut conversation, &mut names.conversation)
        } else {
            (&mut window, &mut names.window)
        };
        if file.is_none() {
            *file = Some(earliest);
            EARLIEST.clone_into(name);
        }
    }
    let item = bytes_of(&folder.join(ITEM))?;
    // The name of `.` is that of the folder which it is.
    let folder = &folder.canonicalize().map_err(|error| SavedError::unreadable(folder, &error))?;
    let name = name_of(folder);
    let files =
        Files { conversation: conversation.as_deref(), window: window.as_deref(), item: item.as_deref() };
    let mut notes = Vec::new();
    let beside = match (lists, folder.parent()) {
        (None, Some(tasks)) if item.is_none() => listed_items(tasks, &mut notes),
        (None | Some(_), _) => Listed::new(),
    };
    let listed = lists.unwrap_or(&beside).get(&name).filter(|_| item.is_none());
    if let Some((_, list)) = listed {
        list.trim_start_matches("../").clone_into(&mut names.item);
    }
    let listed = listed.map(|(item, _)| item.clone());
    let mut loaded = Loaded::read(name, names, &files, listed)?;
    loaded.missing.extend(notes);
    Ok(loaded)
}

/// The name of a folder, which is the id of its task.
pub(crate) fn name_of(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The items of the lists that are beside task folders. What cannot be read is noted.
pub(crate) fn listed_items(tasks: &Path, notes: &mut Vec<String>) -> Listed {
    let mut listed = Listed::new();
    for list in LISTS {
        let read = || {
            let Some(bytes) = bytes_of(&tasks.join(list))? else { return Ok(Vec::new()) };
            Item::read_all(list, &parse(list, &bytes)?)
        };
        match read() {
            // The first list that has a task says the most of it.
            Ok(items) => {
                for item in items {
                    listed.entry(item.id.clone()).or_insert((item, list));
                }
            }
            Err(error) => notes.push(format!("a list of history items: {error}")),
        }
    }
    listed
}

impl Loaded {
    fn read(name: String, names: Names, files: &Files<'_>, listed: Option<Item>) -> Result<Self, SavedError> {
        let mut unknown = Unknown::default();
        let mut read = Vec::new();
        let mut missing = Vec::new();
        let mut note = |file: &str, bytes: Option<&[u8]>, messages: Option<usize>| match bytes {
            Some(bytes) => read.push(FileRead { file: file.to_owned(), bytes: bytes.len() as u64, messages }),
            None => missing.push(file.to_owned()),
        };
        let value = |file: &str, bytes: Option<&[u8]>| bytes.map(|bytes| parse(file, bytes)).transpose();
        let conversation = value(&names.conversation, files.conversation)?
            .map(|value| Conversation::read(&names.conversation, value, &mut unknown))
            .transpose()?;
        note(&names.conversation, files.conversation, conversation.as_ref().map(|read| read.turns.len()));
        let window = value(&names.window, files.window)?
            .map(|value| Window::read(&names.window, value, &mut unknown))
            .transpose()?;
        note(&names.window, files.window, window.as_ref().map(|read| read.entries.len()));
        let item = value(&names.item, files.item)?
            .map(|value: Value| Item::read(&names.item, &value, &mut unknown))
            .transpose()?;
        if item.is_none() && listed.is_none() {
            note(&names.item, None, None);
        } else if files.item.is_some() {
            note(&names.item, files.item, None);
        }
        let task = Task { conversation, window, item: item.or(listed), names };
        missing.extend(untimed(&task));
        Ok(Self { name, task, files: read, missing, unknown })
    }

    pub(crate) fn id(&self) -> &str {
        self.task.item.as_ref().map_or(&self.name, |item| &item.id)
    }

    /// The report, for which everything is checked that the files show by themselves.
    pub(crate) fn report(self) -> Examined {
        let mut found = check::all(&self.task);
        let counts = found.counts();
        let (findings, findings_left_off) = found.findings();
        let (waits, waits_left_off) = found.waits();
        let item = self.task.item.as_ref();
        Examined {
            version: VERSION,
            task: self.id().to_owned(),
            parent: item.and_then(|item| item.parent.clone()),
            status: item.and_then(|item| item.status.clone()),
            form: form(&self.task),
            first_ts: self.task.first_moment(),
            last_ts: self.task.last_moment(),
            files: self.files,
            missing: self.missing,
            counts,
            findings,
            findings_left_off,
            waits,
            waits_left_off,
            short_waits: found.short_waits,
            unknown: self.unknown.into_counts(),
        }
    }
}

fn form(task: &Task) -> Form {
    let keeps = task.turns().iter().any(|turn| turn.mark != Mark::Said);
    let has_range = task.item.as_ref().is_some_and(|item| item.has_deleted_range);
    Form {
        tools: task.conversation.as_ref().map_or(ToolForm::None, Conversation::tool_form),
        delegation: task.item.as_ref().map(Item::delegates),
        shortened: if task.may_be_cut() {
            Shortened::Cut
        } else if keeps || has_range {
            Shortened::Kept
        } else {
            Shortened::No
        },
    }
}

/// Moments that are not there.
fn untimed(task: &Task) -> Vec<String> {
    let turns = task.turns().iter().filter(|turn| turn.ts.is_none()).count();
    let entries = task.entries().iter().filter(|entry| entry.ts.is_none()).count();
    let note = |file: &str, count: usize| (count > 0).then(|| format!("ts of {count} messages in {file}"));
    note(&task.names.conversation, turns).into_iter().chain(note(&task.names.window, entries)).collect()
}

/// The folders of tasks in a directory, in the order of their names.
pub(crate) fn task_folders(directory: &Path) -> Result<Vec<PathBuf>, SavedError> {
    let unreadable = |error| SavedError::unreadable(directory, &error);
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_task_folder(&path) {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}
