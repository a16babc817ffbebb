//! What the list of tasks says of one: the history item.
//!
//! It is in the folder (`history_item.json`, Roo-Code `src/core/task-persistence/TaskHistoryStore.ts`), in an index
//! of all folders (`tasks/_index.json`, the same file), in `state/taskHistory.json` (Cline
//! `src/core/storage/disk.ts`), or in the editor's own state, which is in no file of the storage. Its fields about
//! parents and subtasks are those of `packages/types/src/history.ts`.

use crate::error::SavedError;
use crate::json::{Met, Shape, Unknown, each, foreign, kind_of, parse, text};
use serde_json::{Map, Value};

/// The file that later versions write.
pub const ITEM: &str = "history_item.json";

const FIELDS: &[&str] = &[
    "id",
    "ulid",
    "rootTaskId",
    "parentTaskId",
    "number",
    "ts",
    "title",
    "task",
    "tokensIn",
    "tokensOut",
    "cacheWrites",
    "cacheReads",
    "totalCost",
    "size",
    "workspace",
    "mode",
    "toolProtocol",
    "apiConfigName",
    "status",
    "delegatedToId",
    "childIds",
    "awaitingChildId",
    "completedByChildId",
    "completionResultSummary",
    "isFavorited",
    "fileNotfound",
    "shadowGitConfigWorkTree",
    "cwdOnTaskInitialization",
    "conversationHistoryDeletedRange",
    "checkpointManagerErrorMessage",
    "modelId",
];

/// What the program says of where a task stands, since there is delegation.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is worked on, or may be.
    Active,
    /// It waits for a subtask.
    Delegated,
    /// It has ended.
    Completed,
    /// Something that is not known here.
    Unknown,
}

/// What a history item says about a task and its relatives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) status: Option<Status>,
    pub(crate) delegated_to: Option<String>,
    pub(crate) awaits: Option<String>,
    pub(crate) completed_by: Option<String>,
    /// Its subtasks, also of earlier times.
    pub(crate) children: Vec<String>,
    /// Whether messages at the beginning are no longer sent. They are in the file still.
    pub(crate) has_deleted_range: bool,
}

impl Item {
    pub(crate) fn read(file: &str, bytes: &[u8], unknown: &mut Unknown) -> Result<Self, SavedError> {
        let value = parse(file, bytes, unknown)?;
        let Value::Object(item) = value else {
            return Err(foreign(file, "$".into(), "a history item", kind_of(&value)));
        };
        unknown.count_fields("history item field", &item, FIELDS);
        Self::of(&item).ok_or_else(|| {
            foreign(file, "$.id".into(), "a task id", kind_of(item.get("id").unwrap_or(&Value::Null)))
        })
    }

    /// Every item of a list, or of an index with `entries`. Entries without an id are left out: they name no task.
    pub(crate) fn read_all(file: &str, bytes: &[u8]) -> Result<Vec<Self>, SavedError> {
        let shape = Shape { key: Some("entries"), one: "a history item", all: "an array of history items" };
        let mut items = Vec::new();
        each(file, bytes, &shape, |met| match met {
            Met::One(_, item) => items.extend(Self::of(&item)),
            Met::Field(_) | Met::HalfCharacters(_) => {}
        })?;
        Ok(items)
    }

    fn of(item: &Map<String, Value>) -> Option<Self> {
        let owned = |key| text(item, key).map(str::to_owned);
        let status = text(item, "status").map(|status| match status {
            "active" => Status::Active,
            "delegated" => Status::Delegated,
            "completed" => Status::Completed,
            _other => Status::Unknown,
        });
        let children = item.get("childIds").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            id: owned("id")?,
            parent: owned("parentTaskId"),
            status,
            delegated_to: owned("delegatedToId"),
            awaits: owned("awaitingChildId"),
            completed_by: owned("completedByChildId"),
            children: children.filter_map(Value::as_str).map(str::to_owned).collect(),
            has_deleted_range: item.get("conversationHistoryDeletedRange").is_some_and(Value::is_array),
        })
    }

    /// Whether the version that wrote it knows of delegation.
    pub(crate) fn delegates(&self) -> bool {
        self.status.is_some()
    }
}
