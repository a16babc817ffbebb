//! What the programs write in words, and how texts are compared and quoted.
//!
//! Each phrase has the file of the program that writes it. A phrase that a later version words otherwise is not
//! recognized; then a finding that it would have explained stays, and no finding is hidden.

use crate::bounds::{LETTERS_MIN, QUOTE_MAX};

/// What a response ends with that a person or an error has stopped, or that was empty (Roo-Code
/// `src/core/task/Task.ts`, Cline `src/core/task/index.ts`). Such a message was not said by the model; one that quotes
/// the phrase in the middle was.
const NOT_SAID: [&str; 3] = [
    "[Response interrupted by user]",
    "[Response interrupted by API Error]",
    "Failure: I did not provide a response.",
];

/// What the text begins with that a task is resumed with (Roo-Code `src/core/task/Task.ts`, `resumeTaskFromHistory`;
/// Cline `src/core/prompts/responses.ts`, `taskResumption`).
const RESUMPTION: &str = "[TASK RESUMPTION]";

/// The results that the programs make up for calls that have none (Roo-Code `src/core/task/Task.ts` and
/// `src/core/task/validateToolResultIds.ts`).
const FILLED: [&str; 2] = [
    "Task was interrupted before this tool call could be completed.",
    "Tool execution was interrupted before completion.",
];

/// What a subtask's result is given to its parent with, as a text (Roo-Code `src/core/task/Task.ts`,
/// `completeSubtask`, before delegation).
const COMPLETED: &str = "[new_task completed] Result:";

/// What the program adds to each message of a person (`src/core/environment/getEnvironmentDetails.ts`).
const SURROUNDINGS: &str = "<environment_details>";
const SURROUNDINGS_END: &str = "</environment_details>";

pub(crate) fn was_not_said(text: &str) -> bool {
    NOT_SAID.iter().any(|phrase| text.trim_end().ends_with(phrase))
}

pub(crate) fn resumes(text: &str) -> bool {
    text.trim_start().starts_with(RESUMPTION)
}

pub(crate) fn was_filled_in(result: &str) -> bool {
    FILLED.contains(&result.trim())
}

/// Whether a text is nothing but what the program adds.
pub(crate) fn is_surroundings(text: &str) -> bool {
    let Some(inner) = text.trim_start().strip_prefix(SURROUNDINGS) else { return false };
    inner.rsplit_once(SURROUNDINGS_END).is_none_or(|(_, behind)| behind.trim().is_empty())
}

/// What the model is told in a text of a call that is not run (Cline `src/core/task/ToolExecutor.ts` and
/// `src/core/prompts/responses.ts`; earlier Roo-Code `src/core/assistant-message/presentAssistantMessage.ts`).
const REFUSALS: [&str; 2] =
    ["due to user rejecting a previous tool", "was not executed because a tool has already been used"];

pub(crate) fn refuses_call(text: &str) -> bool {
    REFUSALS.iter().any(|phrase| text.contains(phrase))
}

/// The tool of which a text is the result, as it is given where the call has lost its id (Cline
/// `src/core/task/tools/utils/ToolResultUtils.ts`) and where calls are texts.
pub(crate) fn result_of(text: &str) -> Option<&str> {
    let rest = text.trim_start().strip_prefix('[')?;
    rest.contains("] Result:").then(|| rest.split([' ', ']']).next())?
}

/// A subtask's result in the conversation of its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivered<'a> {
    /// The subtask, where the text names it.
    pub(crate) child: Option<&'a str>,
    /// Its result.
    pub(crate) result: &'a str,
}

/// The subtask's result that a text gives to a parent, if it does. With delegation it is named (Roo-Code
/// `src/core/webview/ClineProvider.ts`, `reopenParentFromDelegation`).
pub(crate) fn delivered(text: &str) -> Option<Delivered<'_>> {
    let text = text.trim_start();
    if let Some(result) = text.strip_prefix(COMPLETED) {
        return Some(Delivered { child: None, result: result.trim() });
    }
    let (child, rest) = text.strip_prefix("Subtask ")?.split_once(" completed.")?;
    if child.contains(char::is_whitespace) {
        return None;
    }
    let result = rest.trim_start().strip_prefix("Result:")?;
    Some(Delivered { child: Some(child), result: result.trim() })
}

/// How many subtasks a response starts in a text: the tools of earlier versions are XML in what the model says.
pub(crate) fn starts_of_subtasks(text: &str) -> usize {
    text.matches("<new_task>").count()
}

/// What a sign becomes where a text is quoted as XML, behind the `&`.
const ENTITIES: [&str; 5] = ["lt;", "gt;", "amp;", "quot;", "#39;"];

/// A text as its letters and digits, in words: what is left of it however it was quoted or escaped on its way.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        // Quoted as JSON, the end of a line is a letter after a backslash.
        let escapes: &[&str] = match letter {
            '\\' => &["n", "r", "t"],
            '&' => &ENTITIES,
            _ => &[],
        };
        if let Some(rest) = escapes.iter().find_map(|escape| letters.as_str().strip_prefix(escape)) {
            letters = rest.chars();
        }
        if letter.is_alphanumeric() {
            plain.extend(letter.to_lowercase());
        } else if !plain.ends_with(' ') && !plain.is_empty() {
            plain.push(' ');
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// The longest stretch of a person's message that the program passes on as it is, as [`plain`] words. Files and
/// commands that it mentions are replaced by others (Roo-Code `src/core/mentions/index.ts`), and a backslash by two.
pub(crate) fn unchanged(message: &str) -> Option<String> {
    let is_changed = |word: &str| word.starts_with(['@', '/', '<']) || word.contains(['\\', '@']);
    let mut longest = String::new();
    let mut stretch = String::new();
    for word in message.split_whitespace().chain(["@"]) {
        if is_changed(word) {
            let words = plain(&stretch);
            if words.len() > longest.len() {
                longest = words;
            }
            stretch.clear();
        } else {
            stretch.push_str(word);
            stretch.push(' ');
        }
    }
    (longest.chars().filter(|letter| *letter != ' ').count() >= LETTERS_MIN).then_some(longest)
}

/// A piece of a file for people: short, on one line, and with nothing in it that a terminal obeys.
pub(crate) fn quoted(text: &str) -> String {
    let mut letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut quoted: String = letters.by_ref().take(QUOTE_MAX).collect();
    if letters.next().is_some() {
        quoted.push('…');
    }
    quoted
}

/// A fingerprint of a text's plain words, if they are long enough to be told from others: FNV-1a, 64 bits. Tasks of a
/// storage are compared by it, so that none has to be kept in memory.
pub(crate) fn fingerprint(text: &str) -> Option<u64> {
    let plain = plain(text);
    let hash = plain.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (plain.len() >= LETTERS_MIN).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_the_same_however_they_were_escaped() {
        let said = "Use \"two\"\nspaces, please.";
        let escaped = serde_json::to_string(said).expect("a text");
        assert_eq!(plain(said), "use two spaces please");
        assert_eq!(plain(&escaped), plain(said));
        assert_eq!(plain("if a &lt; b &amp;&amp; c"), plain("if a < b && c"));
        assert_eq!(plain("a & lt; b"), "a lt b");
    }

    #[test]
    fn what_the_program_replaces_is_not_looked_for() {
        assert_eq!(
            unchanged("look at @/src/a.rs and fix its broken test"),
            Some("and fix its broken test".into())
        );
        assert_eq!(unchanged("/init"), None);
        assert_eq!(unchanged("yes do it"), None);
    }

    #[test]
    fn what_was_not_said_ends_with_its_mark() {
        assert!(was_not_said("I list\n\n[Response interrupted by user]\n"));
        assert!(!was_not_said("I saw \"[Response interrupted by user]\" in the log"));
    }

    #[test]
    fn results_in_texts_name_their_tool() {
        assert_eq!(result_of("[read_file for 'a.rs'] Result:"), Some("read_file"));
        assert_eq!(result_of("[update_todo_list] Result:\nupdated"), Some("update_todo_list"));
        assert_eq!(result_of("[read_file] for the result"), None);
    }

    #[test]
    fn results_of_subtasks_are_recognized() {
        let named = Delivered { child: Some("c1"), result: "Done." };
        assert_eq!(delivered("Subtask c1 completed.\n\nResult:\nDone."), Some(named));
        let unnamed = Delivered { child: None, result: "Done." };
        assert_eq!(delivered("[new_task completed] Result: Done."), Some(unnamed));
        assert_eq!(delivered("Subtask of mine completed. Result: x"), None);
    }

    #[test]
    fn quotes_have_nothing_that_a_terminal_obeys() {
        assert_eq!(quoted("a\u{1b}[31mb\nc"), "a [31mb c");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), QUOTE_MAX + 1);
    }
}
