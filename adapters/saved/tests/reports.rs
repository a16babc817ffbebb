//! The reports of sound folders, in the forms of the versions that write them.

mod planted;

use downbeat_saved::{Certainty, SavedError, examine, examine_storage, is_task_folder, summary, text};
use planted::{Copy, folders, task_folders};
use std::path::Path;

#[test]
fn sound_folders_have_nothing_proven_and_nothing_suspicious() {
    let folders = task_folders();
    assert_eq!(folders.len(), 11);
    for folder in folders {
        let examined = examine(&folder).expect("a sound folder");
        let worst = examined.worst().filter(|worst| *worst > Certainty::CannotTell);
        assert_eq!(worst, None, "{}", text(&examined));
        assert_eq!(examined.unknown.len(), 0, "{:?}", examined.unknown);
    }
}

/// Without what a form says of itself the reports of the other folders would be the same.
#[test]
fn reports_say_how_the_files_are_written_what_is_missing_and_how_long_waits_were() {
    for (name, folder) in [
        ("cline", "cline/tasks/1757845351000"),
        ("text", "text/0199-parent"),
        ("native", "native/0199-native"),
        ("delegation", "delegation/tasks/0199-p"),
        ("condensed", "condensed/0199-kept"),
        ("cut", "cut/0199-cut"),
        ("truncated", "truncated/0199-truncated"),
        ("interrupted", "interrupted/0199-interrupted"),
        ("sdk", "sdk/0199-sdk"),
    ] {
        insta::assert_snapshot!(name, text(&examine(&folders().join(folder)).expect("a sound folder")));
    }
}

#[test]
fn summary_has_a_row_for_each_task() {
    let storage = examine_storage(&folders().join("delegation")).expect("a storage");
    assert_eq!(storage.worst(), None);
    insta::assert_snapshot!(summary(&storage));
}

#[test]
fn json_has_the_version_and_names_that_stay() {
    let examined = examine(&folders().join("interrupted/0199-interrupted")).expect("a sound folder");
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&examined).expect("a report has no maps with other keys")
    );
}

#[test]
fn folders_are_told_apart() {
    let is =
        |path: &str| (is_task_folder(&folders().join(path)), examine_storage(&folders().join(path)).is_ok());
    assert_eq!(is("native/0199-native"), (true, false));
    assert_eq!(is("native"), (false, true), "a directory of task folders");
    assert_eq!(is("delegation"), (false, true), "a directory with tasks");
    assert_eq!(is(""), (false, true), "a directory of directories with tasks");
    assert_eq!(is("cline/state"), (false, false));
    assert_eq!(is("nowhere"), (false, false));
}

/// What a list says of a task is placed in the list.
#[test]
fn items_of_lists_are_found_from_a_folder_and_from_its_storage() {
    let copy = Copy::of("delegation");
    copy.remove("tasks/0199-c/history_item.json");
    let alone = examine(&copy.path().join("tasks/0199-c")).expect("a sound folder");
    let storage = examine_storage(copy.path()).expect("a storage");
    let among = storage.examined().find(|examined| examined.task == "0199-c");
    assert_eq!((alone.parent.as_deref(), Some(&alone)), (Some("0199-p"), among));
    assert_eq!(alone.missing, [""; 0]);
}

/// A `globalStorage` has an extension in each of its folders; what is not one is passed over.
#[test]
fn every_extension_of_a_global_storage_is_examined() {
    let storage = examine_storage(&folders()).expect("a storage");
    let tasks: Vec<_> = storage.tasks.iter().map(|row| row.folder.as_str()).collect();
    assert_eq!(tasks, ["cline/tasks/1757845351000", "delegation/tasks/0199-c", "delegation/tasks/0199-p"]);
}

/// An editor's directory is above its `globalStorage`; the error says where to go.
#[test]
fn directories_above_a_storage_name_the_one_that_has_tasks() {
    let copy = Copy::of("delegation");
    let inner = copy.path().join("User/globalStorage/publisher.extension");
    std::fs::create_dir_all(&inner).expect("a directory");
    std::fs::rename(copy.path().join("tasks"), inner.join("tasks")).expect("renamed");
    let storage = copy.path().join("User/globalStorage");
    for above in [copy.path().to_owned(), copy.path().join("User")] {
        let error = examine_storage(&above).expect_err("no storage").to_string();
        assert!(error.ends_with(&format!("; there are some in {}", storage.display())), "{error}");
    }
    assert_eq!(examine_storage(&storage).expect("a storage").tasks.len(), 2);
    // Further down it is not looked for.
    let deep = copy.path().join("a/b/c/d");
    std::fs::create_dir_all(&deep).expect("a directory");
    std::fs::rename(&storage, deep.join("globalStorage")).expect("renamed");
    let error = examine_storage(copy.path()).expect_err("no storage").to_string();
    assert!(error.ends_with("<publisher.extension>/tasks/<task>"), "{error}");
}

#[test]
fn folders_of_something_else_say_what_was_looked_for() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/check");
    let told = |error: SavedError| error.to_string().replace(env!("CARGO_MANIFEST_DIR"), "");
    assert_eq!(
        told(examine(&place).expect_err("no task")),
        "/src/check: no saved task; looked for api_conversation_history.json, ui_messages.json, claude_messages.json, history_item.json"
    );
    assert_eq!(
        told(examine_storage(&place).expect_err("no storage")),
        "/src/check: no saved task; looked for tasks/<task>, <task>, <publisher.extension>/tasks/<task>"
    );
}
