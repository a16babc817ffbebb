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
    ///
    /// What cannot be read counts most, as of any input. But a storage is one input of many tasks: what one of them
    /// proves is not taken back by another that is damaged.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Task(examined) if !examined.damaged.is_empty() => Outcome::Failed,
            Self::Task(examined) => of_worst(examined.worst()),
            Self::Storage(storage) => match storage.worst() {
                Some(Certainty::Proven) => Outcome::Unexpected,
                worst @ (Some(Certainty::Suspicious | Certainty::CannotTell) | None) => {
                    let is_whole = storage.damaged() == 0 && storage.damaged_lists.is_empty();
                    if is_whole { of_worst(worst) } else { Outcome::Failed }
                }
            },
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
        json!({ "folder": name, "saved": saved.expect("a report has no maps with other keys") })
    }
}

fn of_worst(worst: Option<Certainty>) -> Outcome {
    match worst {
        Some(Certainty::Proven) => Outcome::Unexpected,
        Some(Certainty::Suspicious | Certainty::CannotTell) | None => Outcome::AsExpected,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    /// A directory of its own, gone with the value.
    struct Directory(PathBuf);

    impl Drop for Directory {
        fn drop(&mut self) {
            // What is left behind in a folder for such things hurts nobody.
            let _gone = fs::remove_dir_all(&self.0);
        }
    }

    const SOUND: &str = r#"[{"role":"user","content":"go"},{"role":"assistant","content":"done"}]"#;
    const LOST: &str = r#"[{"role":"user","content":"go"},
        {"role":"assistant","content":[{"type":"tool_use","id":"a","name":"read_file","input":{}}]},
        {"role":"user","content":[]},
        {"role":"assistant","content":"done"}]"#;
    const CUT: &str = "[{";

    /// A name, files with what they are, and what of them is examined.
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str, Outcome);

    fn outcome(name: &str, files: &[(&str, &str)], examined: &str) -> Outcome {
        let root = std::env::temp_dir().join(format!("downbeat-validate-{}-{name}", std::process::id()));
        let directory = Directory(root);
        for (file, content) in files {
            let path = directory.0.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, content).expect("written");
        }
        Saved::of(&directory.0.join(examined)).expect("a folder of saved tasks").outcome()
    }

    #[test]
    fn what_is_proven_in_a_storage_is_not_taken_back_by_a_damaged_task() {
        const ONE: &str = "tasks/one/api_conversation_history.json";
        const OTHER: &str = "tasks/other/api_conversation_history.json";
        const WINDOW: &str = "tasks/one/ui_messages.json";
        const LIST: &str = "tasks/_index.json";
        #[rustfmt::skip]
        let cases: [Case; 8] = [
            ("sound", &[(ONE, SOUND)], "", Outcome::AsExpected),
            ("lost", &[(ONE, LOST)], "", Outcome::Unexpected),
            ("damaged", &[(ONE, SOUND), (OTHER, CUT)], "", Outcome::Failed),
            ("damaged-file", &[(ONE, SOUND), (WINDOW, CUT)], "", Outcome::Failed),
            ("damaged-list", &[(ONE, SOUND), (LIST, CUT)], "", Outcome::Failed),
            ("both", &[(ONE, LOST), (OTHER, CUT), (LIST, CUT)], "", Outcome::Unexpected),
            // One task is one input: what cannot be read of it counts most.
            ("alone", &[(ONE, LOST)], "tasks/one", Outcome::Unexpected),
            ("alone-damaged", &[(ONE, LOST), (WINDOW, CUT)], "tasks/one", Outcome::Failed),
        ];
        for (name, files, examined, expected) in cases {
            assert_eq!(outcome(name, files, examined), expected, "{name}");
        }
    }
}
