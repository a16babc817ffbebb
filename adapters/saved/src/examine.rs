//! One task folder, examined.

use crate::beside;
use crate::bounds::FINDINGS_MAX;
use crate::check;
use crate::conversation::{CONVERSATION, Conversation, Mark, ToolForm};
use crate::error::SavedError;
use crate::finding::{Certainty, Counts, Finding, OpenWait, Wait};
use crate::item::{ITEM, Item, Status};
use crate::json::{Met, Shape, Unknown, bytes_of, each};
use crate::task::{Names, Task};
use crate::window::{WINDOW, Window};
use serde::Serialize;
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
const LOOKED_FOR: &[&str] = &[CONVERSATION, WINDOW, EARLIEST, ITEM];

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
    /// How many messages it has, if it has messages. Reasoning that is stored by itself is none.
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
    /// Files that are there and cannot be read. What is found is found in the others.
    pub damaged: Vec<SavedError>,
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
    /// What it still waits for when the files end.
    pub open_waits: Vec<OpenWait>,
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

    /// Puts a finding before those that are less certain.
    pub(crate) fn add(&mut self, finding: Finding) {
        let at = self.findings.partition_point(|other| other.certainty >= finding.certainty);
        self.counts.add(finding.certainty);
        self.findings.insert(at, finding);
        if self.findings.len() > FINDINGS_MAX {
            self.findings.truncate(FINDINGS_MAX);
            self.findings_left_off += 1;
        }
    }
}

/// Whether this is the folder of one task: it has one of its files.
pub fn is_task_folder(path: &Path) -> bool {
    LOOKED_FOR.iter().any(|file| path.join(file).is_file())
}

/// Examines the folder of one task. Its history item is looked for in the folder, and in the lists beside it; the
/// relatives that it names are looked for beside the folder.
///
/// A file that is damaged, foreign or too long is one of [`Examined::damaged`], if another one can be examined.
/// Lists beside it that cannot be read are named as missing.
///
/// # Errors
/// If it is no such folder, or nothing that was said can be read.
pub fn examine(folder: &Path) -> Result<Examined, SavedError> {
    let loaded = load(folder, None)?;
    let beside = beside::check(folder, &loaded);
    let mut examined = loaded.report();
    for finding in beside {
        examined.add(finding);
    }
    Ok(examined)
}

/// Examines the files of one task as bytes. A file that is damaged, foreign or too long is one of
/// [`Examined::damaged`], if another one can be examined.
///
/// # Errors
/// If nothing that was said can be read.
pub fn examine_bytes(task: &str, files: &Files<'_>) -> Result<Examined, SavedError> {
    let names = Names { conversation: CONVERSATION.into(), window: WINDOW.into(), item: ITEM.into() };
    let sources =
        Sources { conversation: Ok(files.conversation), window: Ok(files.window), item: Ok(files.item) };
    Ok(Loaded::read(task.to_owned(), names, sources, None)?.report())
}

/// The bytes of each file, or why there are none.
struct Sources<'a> {
    conversation: Result<Option<&'a [u8]>, SavedError>,
    window: Result<Option<&'a [u8]>, SavedError>,
    item: Result<Option<&'a [u8]>, SavedError>,
}

/// One task in memory, with what its report says of the files.
pub(crate) struct Loaded {
    name: String,
    pub(crate) task: Task,
    files: Vec<FileRead>,
    missing: Vec<String>,
    damaged: Vec<SavedError>,
    unknown: Unknown,
}

/// The history items of lists, by task, each with the name of its list.
pub(crate) type Listed = BTreeMap<String, (Item, &'static str)>;

/// Reads the folder of one task. If it has no item, that of a list is taken; without lists those beside it are read.
pub(crate) fn load(folder: &Path, lists: Option<&Listed>) -> Result<Loaded, SavedError> {
    if !is_task_folder(folder) {
        return Err(SavedError::NotSaved { path: folder.to_owned(), looked_for: LOOKED_FOR, below: None });
    }
    let mut names = Names { conversation: CONVERSATION.into(), window: WINDOW.into(), item: ITEM.into() };
    let mut conversation = bytes_of(&folder.join(CONVERSATION));
    let mut window = bytes_of(&folder.join(WINDOW));
    if (conversation == Ok(None) || window == Ok(None))
        && let Some(earliest) = bytes_of(&folder.join(EARLIEST)).transpose()
    {
        let is_conversation = earliest.as_ref().is_ok_and(|bytes| is_conversation(bytes));
        let (file, name) = if is_conversation {
            (&mut conversation, &mut names.conversation)
        } else {
            (&mut window, &mut names.window)
        };
        if *file == Ok(None) {
            *file = earliest.map(Some);
            EARLIEST.clone_into(name);
        }
    }
    let item = bytes_of(&folder.join(ITEM));
    // The name of `.` is that of the folder which it is.
    let folder = &folder.canonicalize().map_err(|error| SavedError::unreadable(folder, &error))?;
    let name = name_of(folder);
    let mut notes = Vec::new();
    let beside = match (lists, folder.parent()) {
        (None, Some(tasks)) if item == Ok(None) => listed_items(tasks, &mut notes),
        (None | Some(_), _) => Listed::new(),
    };
    let listed = lists.unwrap_or(&beside).get(&name).filter(|_| item == Ok(None));
    if let Some((_, list)) = listed {
        list.trim_start_matches("../").clone_into(&mut names.item);
    }
    let listed = listed.map(|(item, _)| item.clone());
    let sources = Sources { conversation: whole(&conversation), window: whole(&window), item: whole(&item) };
    let mut loaded = Loaded::read(name, names, sources, listed)?;
    loaded.missing.extend(notes);
    Ok(loaded)
}

/// A file without its owner.
fn whole(bytes: &Result<Option<Vec<u8>>, SavedError>) -> Result<Option<&[u8]>, SavedError> {
    bytes.as_ref().map(Option::as_deref).map_err(Clone::clone)
}

/// Whether the messages of a file of the earliest versions have roles, as those of a conversation do.
fn is_conversation(bytes: &[u8]) -> bool {
    let shape = Shape { key: None, one: "a message", all: "an array of messages" };
    let mut has_role = false;
    let read = each(EARLIEST, bytes, &shape, |met| match met {
        Met::One(0, first) => has_role = first.contains_key("role"),
        Met::One(..) | Met::Field(_) | Met::HalfCharacters(_) => {}
    });
    // A damaged one is told of when it is read.
    has_role && read.is_ok()
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
            Item::read_all(list, &bytes)
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

/// What is said of the files while they are read.
#[derive(Default)]
struct Reading {
    read: Vec<FileRead>,
    missing: Vec<String>,
    damaged: Vec<SavedError>,
    unknown: Unknown,
}

impl Reading {
    fn file<T>(
        &mut self,
        file: &str,
        source: Result<Option<&[u8]>, SavedError>,
        read: impl Fn(&str, &[u8], &mut Unknown) -> Result<T, SavedError>,
        messages: impl Fn(&T) -> Option<usize>,
    ) -> Option<T> {
        let bytes = match source {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                self.missing.push(file.to_owned());
                return None;
            }
            Err(error) => {
                self.damaged.push(error);
                return None;
            }
        };
        let mut unknown = Unknown::default();
        match read(file, bytes, &mut unknown) {
            Ok(value) => {
                let (file, bytes, messages) = (file.to_owned(), bytes.len() as u64, messages(&value));
                self.read.push(FileRead { file, bytes, messages });
                self.unknown.extend(unknown);
                Some(value)
            }
            Err(error) => {
                self.damaged.push(error);
                None
            }
        }
    }
}

impl Loaded {
    /// A task that only a list knows.
    pub(crate) fn listed(name: String, item: Item, list: &str) -> Result<Self, SavedError> {
        let names = Names {
            conversation: CONVERSATION.into(),
            window: WINDOW.into(),
            item: list.trim_start_matches("../").to_owned(),
        };
        let sources = Sources { conversation: Ok(None), window: Ok(None), item: Ok(None) };
        Self::read(name, names, sources, Some(item))
    }

    fn read(
        name: String,
        names: Names,
        sources: Sources<'_>,
        listed: Option<Item>,
    ) -> Result<Self, SavedError> {
        let mut reading = Reading::default();
        let conversation =
            reading.file(&names.conversation, sources.conversation, Conversation::read, |read| {
                Some(read.turns.len())
            });
        let window =
            reading.file(&names.window, sources.window, Window::read, |read| Some(read.entries.len()));
        if conversation.is_none()
            && window.is_none()
            && let Some(error) = reading.damaged.first()
        {
            return Err(error.clone());
        }
        // What a list says of it stands for its own.
        let item = match listed {
            Some(item) => Some(item),
            None => reading.file(&names.item, sources.item, Item::read, |_| None),
        };
        let task = Task::new(conversation, window, item, names);
        let Reading { read, mut missing, damaged, unknown } = reading;
        missing.extend(untimed(&task));
        Ok(Self { name, task, files: read, missing, damaged, unknown })
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
            damaged: self.damaged,
            counts,
            findings,
            findings_left_off,
            waits,
            waits_left_off,
            open_waits: found.open_waits,
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
