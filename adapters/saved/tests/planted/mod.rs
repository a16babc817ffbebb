//! The folders of the tests, and their copies with faults.

#![expect(dead_code, reason = "each test uses a part of it")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The folders that are written by hand.
pub(crate) fn folders() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/folders")
}

/// Every task folder among them.
pub(crate) fn task_folders() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![folders()];
    while let Some(folder) = left.pop() {
        if downbeat_saved::is_task_folder(&folder) {
            found.push(folder);
            continue;
        }
        let entries = fs::read_dir(&folder).expect("a folder");
        left.extend(entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()));
    }
    found.sort();
    found
}

/// A copy of a storage directory that a fault is planted into. It is gone with the value.
pub(crate) struct Copy(PathBuf);

impl Copy {
    pub(crate) fn of(folder: &str) -> Self {
        static COPIES: AtomicU32 = AtomicU32::new(0);
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("downbeat-saved-{}-{number}", std::process::id()));
        copy(&folders().join(folder), &root);
        Self(root)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Changes a JSON file of it.
    pub(crate) fn edit(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let path = self.0.join(file);
        let mut value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
        change(&mut value);
        fs::write(&path, serde_json::to_vec(&value).expect("JSON")).expect("written");
    }

    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.0.join(file)).expect("a file");
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What is left behind in a folder for such things hurts nobody.
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a copy");
        }
    }
}
