//! Any bytes as the files of a saved task.

use downbeat_saved::bounds::{FINDINGS_MAX, WAITS_MAX};
use downbeat_saved::{Examined, Files, SavedError, examine_bytes, text};

/// What stands between the files: a byte that is in no text.
pub const PARTS: u8 = 0xff;

/// Examines bytes as a conversation, a window and a history item. One that is empty is not there.
///
/// # Panics
/// If the report is out of order or longer than it may be, or a damaged file is damaged behind its end.
pub fn saved(bytes: &[u8]) {
    saved_task(bytes);
}

/// The same, with what was found, if something of them could be read.
///
/// # Panics
/// As [`saved`].
pub fn saved_task(bytes: &[u8]) -> Option<Examined> {
    let mut parts = bytes.split(|byte| *byte == PARTS);
    let mut file = || parts.next().filter(|part| !part.is_empty());
    let files = Files { conversation: file(), window: file(), item: file() };
    match examine_bytes("task", &files) {
        Ok(examined) => {
            assert!(
                examined.findings.is_sorted_by(|a, b| a.certainty >= b.certainty),
                "the most certain first"
            );
            assert!(
                examined.findings.len() <= FINDINGS_MAX && examined.waits.len() <= WAITS_MAX,
                "within bounds"
            );
            assert!(examined.waits.iter().all(|wait| wait.ms >= 0), "no wait ends before it begins");
            let json = serde_json::to_string(&examined).expect("a report has no maps with other keys");
            assert!(!json.contains("\\u001b"), "nothing that a terminal obeys");
            assert!(text(&examined).lines().all(|line| !line.contains(char::is_control)), "one line each");
            examined.damaged.iter().for_each(|error| refused(error, bytes));
            Some(examined)
        }
        Err(error) => {
            refused(&error, bytes);
            None
        }
    }
}

/// Why a file of these bytes may be refused.
fn refused(error: &SavedError, bytes: &[u8]) {
    match error {
        SavedError::Damaged { offset, line, column, .. } => {
            let longest = bytes.split(|byte| *byte == PARTS).map(<[u8]>::len).max().unwrap_or_default();
            assert!(
                *offset <= longest && *line <= offset + 1 && *column <= offset + 1,
                "damaged within the file"
            );
        }
        SavedError::Foreign { .. }
        | SavedError::TooLong { .. }
        | SavedError::TooMany { .. }
        | SavedError::Encoded { .. } => {}
        SavedError::Unreadable { .. } | SavedError::NoFile { .. } | SavedError::NotSaved { .. } => {
            panic!("bytes are no folder: {error}")
        }
    }
}
