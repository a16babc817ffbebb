//! Files that are cut, changed, foreign or missing.

mod planted;

use downbeat_saved::bounds::{FILE_BYTES_MAX, FINDINGS_MAX, SHOWN_MAX, WAITS_MAX};
use downbeat_saved::{Counts, Examined, Files, SavedError, examine, examine_bytes, examine_storage, text};
use planted::{Copy, task_folders};
use serde_json::{Value, json};
use std::fs;

const NAMES: [&str; 3] = ["api_conversation_history.json", "ui_messages.json", "history_item.json"];

/// The files of a folder. What is not there is empty, and given as not there.
fn files(folder: &std::path::Path) -> [Vec<u8>; 3] {
    NAMES.map(|name| fs::read(folder.join(name)).unwrap_or_default())
}

fn examined([conversation, window, item]: &[Vec<u8>; 3]) -> Result<Examined, SavedError> {
    let some = |bytes: &'_ Vec<u8>| (!bytes.is_empty()).then_some(());
    let files = Files {
        conversation: some(conversation).map(|()| conversation.as_slice()),
        window: some(window).map(|()| window.as_slice()),
        item: some(item).map(|()| item.as_slice()),
    };
    examine_bytes("task", &files)
}

#[test]
fn files_that_are_cut_anywhere_are_damaged_at_their_end() {
    for folder in task_folders() {
        let whole = files(&folder);
        for (which, bytes) in whole.iter().enumerate() {
            // Behind the last bracket there is nothing but the end of the line.
            for length in 1..bytes.trim_ascii_end().len() {
                let mut cut = whole.clone();
                cut[which].truncate(length);
                let error = examined(&cut).expect_err("a file that is cut");
                let SavedError::Damaged { file, offset, .. } = &error else { panic!("{error}") };
                assert_eq!((file.as_str(), *offset), (NAMES[which], length), "{error}");
            }
        }
    }
}

/// Splitmix, so that the same bytes are changed each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).expect("below a usize")
    }
}

/// Bytes are put in, taken out, exchanged and repeated. A number of them leave JSON of another shape.
#[test]
fn files_that_are_changed_anywhere_are_examined_or_refused() {
    let folders = task_folders();
    let (mut read, mut refused) = (0, 0);
    for seed in 0..6000 {
        let random = &mut Random(seed);
        let mut changed = files(&folders[random.below(folders.len())]);
        let bytes = &mut changed[random.below(2)];
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            let other = bytes[random.below(bytes.len())];
            match random.below(4) {
                0 => bytes[at] = other,
                1 => bytes[at] = b"0123456789\"{}[]:,-"[random.below(18)],
                2 => drop(bytes.remove(at)),
                _ => {
                    let end = (at + random.below(200)).min(bytes.len());
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
            }
        }
        match examined(&changed) {
            Ok(_) => read += 1,
            Err(_) => refused += 1,
        }
    }
    // Neither of them is all that there is.
    assert!(read > 1000 && refused > 1000, "{read} were read, {refused} refused");
}

#[test]
fn foreign_files_are_told_with_the_json_path() {
    #[rustfmt::skip]
    let cases: [(usize, &[u8], &str); 8] = [
        (0, b"{}", "api_conversation_history.json: $.messages is null, where an array of messages was expected"),
        (0, b"{\"version\":2,\"messages\":7}", "api_conversation_history.json: $.messages is a number, where an array of messages was expected"),
        (0, b"[{\"role\":\"user\",\"content\":\"a\"}, 3]", "api_conversation_history.json: $[1] is a number, where a message was expected"),
        (0, b"{\"messages\":[[]]}", "api_conversation_history.json: $.messages[0] is an array, where a message was expected"),
        (0, b"[{\"role\":\"user\",\n\"content\":[{\"type\":\"text\" \"text\"}]}]", "api_conversation_history.json: expected `,` or `}` at byte 43, line 2, column 27, in $[0].content[0].type"),
        (1, b"\"text\"", "ui_messages.json: $ is a string, where an array of messages was expected"),
        (1, b"[null]", "ui_messages.json: $[0] is null, where a message was expected"),
        (2, b"{\"id\":5}", "history_item.json: $.id is a number, where a task id was expected"),
    ];
    for (which, bytes, expected) in cases {
        let mut files = [b"[]".to_vec(), b"[]".to_vec(), Vec::new()];
        files[which] = bytes.to_vec();
        assert_eq!(examined(&files).expect_err("a foreign file").to_string(), expected);
    }
}

#[test]
fn what_is_missing_is_named_and_what_is_unknown_is_counted() {
    let window =
        br#"[{"ts":1,"type":"say","say":"sung","mood":1},{"type":"ask","ask":"why","mood":2},{"mood":3}]"#;
    let conversation = br#"[{"role":"chorus"},{"role":"user","content":[{"type":"song"},7,{}]},{"content":[]},{"role":"user"}]"#;
    let files = [conversation.to_vec(), window.to_vec(), Vec::new()];
    let examined = examined(&files).expect("JSON of the right shape");
    assert_eq!(
        examined.missing,
        [
            "history_item.json",
            "ts of 2 messages in api_conversation_history.json",
            "ts of 2 messages in ui_messages.json"
        ]
    );
    let unknown: Vec<_> = examined.unknown.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    #[rustfmt::skip]
    assert_eq!(unknown, [
        ("ask why", 1), ("message without a role", 1), ("message without content", 1), ("part song", 1),
        ("part that is no object", 1), ("part without a type", 1), ("role chorus", 1), ("say sung", 1),
        ("window field mood", 3), ("window message that is neither an ask nor a say", 1),
    ]);
}

/// What is left off is counted, and the most certain findings and the longest waits are told.
#[test]
fn bounds_leave_nothing_off_that_is_not_counted() {
    let results: Vec<_> = (0..FINDINGS_MAX + 20)
        .map(|id| json!({"type": "tool_result", "tool_use_id": format!("call-{id}"), "content": "done"}))
        .collect();
    let conversation = json!([
        {"role": "user", "content": "Go on.", "ts": 0},
        {"role": "assistant", "content": "Yes.", "ts": 1},
        {"role": "user", "content": results, "ts": 2},
    ]);
    let window: Vec<_> = (0..WAITS_MAX + 3)
        .flat_map(|number| {
            let ts = 10_000_000 * number;
            let asked = json!({"ts": ts, "type": "ask", "ask": "followup"});
            [asked, json!({"ts": ts + 60_000 + number, "type": "say", "say": "text"})]
        })
        .collect();
    let files = [conversation.to_string().into(), Value::from(window).to_string().into(), Vec::new()];
    let examined = examined(&files).expect("JSON of the right shape");
    assert_eq!((examined.findings.len(), examined.findings_left_off), (FINDINGS_MAX, 21));
    assert_eq!(examined.counts, Counts { proven: FINDINGS_MAX + 20, suspicious: 0, cannot_tell: 1 });
    assert_eq!((examined.waits.len(), examined.waits_left_off), (WAITS_MAX, 3));
    assert_eq!(examined.waits[0].ms, 60_003, "the longest, in their order");
    let told = text(&examined);
    let shown = told.lines().filter(|line| line.starts_with("  S8 orphan tool result")).count();
    assert_eq!(shown, SHOWN_MAX);
    assert!(
        told.contains("  and 495 more: orphan tool result")
            && told.contains("left off, the least certain first: 21")
    );
}

/// The file is refused by its length. It has no content, and takes no place on the disk.
#[test]
fn files_that_are_too_long_are_not_read() {
    let copy = Copy::of("native/0199-native");
    let path = copy.path().join(NAMES[0]);
    fs::File::create(&path).expect("a file").set_len(FILE_BYTES_MAX + 1).expect("a length");
    let error = examine(copy.path()).expect_err("a long file");
    assert_eq!(error, SavedError::TooLong { file: path.display().to_string(), bytes: FILE_BYTES_MAX + 1 });
    assert!(error.to_string().ends_with(": 268435457 bytes, and no more than 268435456 are read"), "{error}");
}

/// The first versions kept both in files of one name.
#[test]
fn the_file_of_the_earliest_versions_is_what_its_content_says() {
    for (name, other) in [(NAMES[0], NAMES[1]), (NAMES[1], NAMES[0])] {
        let copy = Copy::of("native/0199-native");
        copy.remove(other);
        fs::rename(copy.path().join(name), copy.path().join("claude_messages.json")).expect("renamed");
        let examined = examine(copy.path()).expect("a folder");
        let read: Vec<_> = examined.files.iter().map(|file| file.file.as_str()).collect();
        assert_eq!(read, ["claude_messages.json", "history_item.json"]);
        assert_eq!(examined.missing, [other]);
    }
}

/// A task that cannot be read does not hide the others.
#[test]
fn damaged_tasks_are_rows_of_a_storage() {
    let copy = Copy::of("delegation");
    fs::write(copy.path().join("tasks/0199-c/ui_messages.json"), "[").expect("written");
    let storage = examine_storage(copy.path()).expect("a storage");
    assert_eq!((storage.tasks.len(), storage.damaged()), (2, 1));
}
