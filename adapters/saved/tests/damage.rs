//! Files that are cut, changed, foreign or missing.

mod planted;

use downbeat_saved::bounds::{FILE_BYTES_MAX, FINDINGS_MAX, MESSAGES_MAX, SHOWN_MAX, WAITS_MAX};
use downbeat_saved::{Counts, Examined, Files, SavedError, examine, examine_bytes, examine_storage, text};
use planted::{Copy, task_folders};
use serde_json::{Value, json};
use std::fs;

const NAMES: [&str; 3] = ["api_conversation_history.json", "ui_messages.json", "history_item.json"];

/// The files of a folder. What is not there is empty, and given as not there.
fn files(folder: &std::path::Path) -> [Vec<u8>; 3] {
    NAMES.map(|name| fs::read(folder.join(name)).unwrap_or_default())
}

/// The report, or why one of the files cannot be read.
fn examined([conversation, window, item]: &[Vec<u8>; 3]) -> Result<Examined, SavedError> {
    let some = |bytes: &'_ Vec<u8>| (!bytes.is_empty()).then_some(());
    let files = Files {
        conversation: some(conversation).map(|()| conversation.as_slice()),
        window: some(window).map(|()| window.as_slice()),
        item: some(item).map(|()| item.as_slice()),
    };
    let examined = examine_bytes("task", &files)?;
    match examined.damaged.first() {
        Some(error) => Err(error.clone()),
        None => Ok(examined),
    }
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
            Ok(examined) => {
                let told = text(&examined);
                assert!(!told.lines().any(|line| line.contains(char::is_control)), "{told:?}");
                assert!(examined.waits.iter().all(|wait| wait.ms >= 0), "{told}");
                read += 1;
            }
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
            "ts of 4 messages in api_conversation_history.json",
            "ts of 2 messages in ui_messages.json"
        ]
    );
    let unknown: Vec<_> = examined.unknown.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    #[rustfmt::skip]
    assert_eq!(unknown, [
        ("ask why", 1), ("message without a role", 1), ("message without content", 2), ("part song", 1),
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
    let examined = examine(copy.path()).expect("a window");
    let [error] = &examined.damaged[..] else { panic!("{:?}", examined.damaged) };
    assert_eq!(*error, SavedError::TooLong { file: path.display().to_string(), bytes: FILE_BYTES_MAX + 1 });
    assert!(error.to_string().ends_with(": 268435457 bytes, and no more than 268435456 are read"), "{error}");
}

/// Nothing waits for whoever would write into a pipe.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_opened() {
    let copy = Copy::of("native/0199-native");
    let path = copy.path().join(NAMES[2]);
    copy.remove(NAMES[2]);
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo starts");
    assert!(made.success());
    let examined = examine(copy.path()).expect("a conversation and a window");
    assert_eq!(examined.damaged, [SavedError::NoFile { path }]);
}

/// A file that cannot be read takes nothing from the others.
#[test]
fn sound_files_are_examined_beside_a_damaged_one() {
    let copy = Copy::of("native/0199-native");
    let sound = examine(copy.path()).expect("a sound folder");
    assert_eq!((sound.waits.len(), &sound.damaged[..]), (1, &[][..]));
    fs::write(copy.path().join(NAMES[0]), "[{").expect("written");
    let examined = examine(copy.path()).expect("a window");
    let damaged: Vec<_> = examined.damaged.iter().map(ToString::to_string).collect();
    assert_eq!(
        damaged,
        ["api_conversation_history.json: EOF while parsing an object at byte 2, line 1, column 3, in $[0]"]
    );
    assert_eq!((&examined.waits, &examined.parent), (&sound.waits, &sound.parent));
    assert!(text(&examined).contains("\ncannot be read: api_conversation_history.json: EOF"));
    fs::write(copy.path().join(NAMES[1]), "[{").expect("written");
    let error = examine(copy.path()).expect_err("nothing that was said");
    assert!(matches!(error, SavedError::Damaged { .. }), "{error}");
}

/// JavaScript cuts texts between the halves of a character, and writes what is left as an escape.
#[test]
fn halves_of_characters_are_replaced_and_counted() {
    #[rustfmt::skip]
    let cases: [(&str, u64); 7] = [
        (r"cut \ud83d", 1), (r"\udf89 cut", 1), (r"\udf89\ud83c", 2), (r"\ud83d\ud83c\udf89", 1),
        (r"whole \ud83c\udf89", 0), (r"a path: \\ud83d", 0), (r"\u00fc", 0),
    ];
    for (content, halves) in cases {
        let conversation = format!(r#"[{{"role":"user","content":"{content}","ts":1}}]"#);
        let files = [conversation.into_bytes(), b"[]".to_vec(), Vec::new()];
        let examined = examined(&files).expect("a sound file");
        let counted = examined.unknown.get("half of a character").copied().unwrap_or_default();
        assert_eq!((counted, examined.files[0].messages), (halves, Some(1)), "{content}");
    }
    let files = [br#"[{"content":"\ud83d", "role" nothing}]"#.to_vec(), b"[]".to_vec(), Vec::new()];
    assert_eq!(
        examined(&files).expect_err("damaged elsewhere").to_string(),
        "api_conversation_history.json: expected `:` at byte 29, line 1, column 30, in $[0].role"
    );
}

#[test]
fn other_encodings_are_named_and_a_mark_of_utf_8_is_passed_over() {
    let utf_16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    #[rustfmt::skip]
    let cases: [(Vec<u8>, &str); 6] = [
        (b"\xef\xbb\xbf[]".to_vec(), ""),
        (b"\xef\xbb\xbf[}".to_vec(), "ui_messages.json: expected value at byte 4, line 1, column 5, in $[0]"),
        (utf_16("\u{feff}[]"), "ui_messages.json: UTF-16, where UTF-8 was expected"),
        (utf_16("[]"), "ui_messages.json: UTF-16, where UTF-8 was expected"),
        (vec![0; 4096], "ui_messages.json: nothing but zeros, which a crash may leave"),
        (b"\0x".to_vec(), "ui_messages.json: expected value at byte 0, line 1, column 1, in $"),
    ];
    for (window, expected) in cases {
        let told = examined(&[b"[]".to_vec(), window, Vec::new()]);
        assert_eq!(told.map_or_else(|error| error.to_string(), |_| String::new()), expected);
    }
}

#[test]
fn files_of_too_many_messages_are_refused() {
    let window = |count: usize| format!("[{}{{}}]", "{},".repeat(count - 1)).into_bytes();
    let told = |window| examined(&[b"[]".to_vec(), window, Vec::new()]);
    assert_eq!(
        told(window(MESSAGES_MAX)).expect("as many as are read").files[1].messages,
        Some(MESSAGES_MAX)
    );
    let error = told(window(MESSAGES_MAX + 1)).expect_err("one more");
    assert_eq!(error, SavedError::TooMany { file: NAMES[1].to_owned() });
}

/// Were each message compared with each other one, each of these would be some ten thousand million steps and take
/// minutes; the limit is far above what one pass takes.
#[test]
fn the_time_is_that_of_reading_once() {
    const COUNT: usize = 150_000;
    let say = |ts: usize, kind: &str| json!({"ts": ts, "type": "say", "say": kind, "text": ""});
    let turn = |ts: usize, content: &Value| json!({"ts": ts, "role": "assistant", "content": content});
    let of =
        |each: &dyn Fn(usize) -> Value| Value::from((0..COUNT).map(each).collect::<Vec<_>>()).to_string();
    let asked = json!({"tool": "newTask", "content": "x"}).to_string();
    let nothing = || "[]".to_owned();
    #[rustfmt::skip]
    let cases = [
        ("results of subtasks", nothing(), of(&|ts| say(ts, "subtask_result"))),
        ("subtasks", nothing(), of(&|ts| json!({"ts": ts, "type": "ask", "ask": "tool", "text": asked}))),
        ("ends", nothing(), of(&|ts| say(ts, "completion_result"))),
        ("responses in a row", of(&|ts| turn(ts, &json!("x"))), of(&|ts| say(ts, "api_req_started"))),
        (
            "calls without results, in a task that was often opened again",
            of(&|ts| turn(ts, &json!([{"type": "tool_use", "id": format!("{ts}"), "name": "read_file"}]))),
            of(&|ts| json!({"ts": COUNT + ts, "type": "ask", "ask": "resume_task"})),
        ),
    ];
    for (name, conversation, window) in cases {
        let begin = std::time::Instant::now();
        let examined =
            examined(&[conversation.into(), window.into(), Vec::new()]).expect("JSON of the right shape");
        assert!(examined.findings.len() <= FINDINGS_MAX && examined.waits.len() <= WAITS_MAX, "{name}");
        assert!(begin.elapsed().as_secs() < 120, "{name}: {:?}", begin.elapsed());
    }
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
