//! Saved tasks of KiloCode, Roo-Code and Cline: a folder of one task, or a storage directory of many.

use std::path::Path;

use downbeat_saved::{
    Certainty, Examined, SavedError, Storage, examine, examine_storage, is_task_folder, summary, text,
};
use downbeat_sim::harness::Outcome;
use serde_json::{Value, json};

/// What a folder came to.
pub(crate) enum Saved {
    Task(Box<Examined>),
    Storage(Storage),
}

impl Saved {
    pub(crate) fn of(folder: &Path) -> Result<Self, SavedError> {
        if is_task_folder(folder) {
            return Ok(Self::Task(Box::new(examine(folder)?)));
        }
        Ok(Self::Storage(examine_storage(folder)?))
    }

    /// What the program ends with for this: what is suspicious is not proven.
    pub(crate) fn outcome(&self) -> Outcome {
        let (worst, damaged) = match self {
            Self::Task(examined) => (examined.worst(), 0),
            Self::Storage(storage) => (storage.worst(), storage.damaged() + storage.damaged_lists.len()),
        };
        match worst {
            _ if damaged > 0 => Outcome::Failed,
            Some(Certainty::Proven) => Outcome::Unexpected,
            Some(Certainty::Suspicious | Certainty::CannotTell) | None => Outcome::AsExpected,
        }
    }

    /// What a person reads of it.
    pub(crate) fn page(&self) -> String {
        match self {
            Self::Task(examined) => text(examined),
            Self::Storage(storage) => summary(storage),
        }
    }

    /// What a machine reads of it.
    pub(crate) fn document(&self, name: &str) -> Value {
        let saved = match self {
            Self::Task(examined) => serde_json::to_value(examined),
            Self::Storage(storage) => serde_json::to_value(storage),
        };
        json!({ "folder": name, "saved": saved.unwrap_or(Value::Null) })
    }
}
