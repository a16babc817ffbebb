//! What the person was shown: `ui_messages.json`.
//!
//! An array of messages of which each is an `ask` or a `say` of some kind (Roo-Code and KiloCode
//! `packages/types/src/message.ts`, Cline `src/shared/ExtensionMessage.ts`). Kinds that bear on no finding are told
//! apart from kinds that are not known, and nothing else.

use crate::error::SavedError;
use crate::json::{Unknown, foreign, is_true, moment, take_text, text};
use serde_json::{Map, Value};

/// The file that the programs write.
pub const WINDOW: &str = "ui_messages.json";

const FIELDS: &[&str] = &[
    "ts",
    "type",
    "ask",
    "say",
    "text",
    "images",
    "files",
    "partial",
    "reasoning",
    "conversationHistoryIndex",
    "conversationHistoryDeletedRange",
    "checkpoint",
    "progressStatus",
    "contextCondense",
    "contextTruncation",
    "isProtected",
    "apiProtocol",
    "isAnswered",
    "commandCompleted",
    "lastCheckpointHash",
    "isCheckpointCheckedOut",
    "isOperationOutsideWorkspace",
    "modelInfo",
    "metadata",
];

/// Kinds of `ask` that wait for a person and bear on nothing else.
const OTHER_ASKS: &[&str] = &[
    "followup",
    "plan_mode_respond",
    "act_mode_respond",
    "command",
    "api_req_failed",
    "mistake_limit_reached",
    "browser_action_launch",
    "use_mcp_server",
    "auto_approval_max_req_reached",
    "new_task",
    "condense",
    "summarize_task",
    "report_bug",
    "use_subagents",
    "payment_required_prompt",
    "invalid_model",
    "checkpoint_restore",
];

/// Kinds of `say` that show that a response, or a failure, has come.
const OTHER_SAYS: &[&str] = &[
    "task",
    "error",
    "error_retry",
    "api_req_finished",
    "api_req_retried",
    "api_req_retry_delayed",
    "api_req_rate_limited",
    "api_req_rate_limit_wait",
    "too_many_tools_warning",
    "api_req_deleted",
    "deleted_api_reqs",
    "text",
    "image",
    "reasoning",
    "command",
    "tool",
    "user_feedback_diff",
    "command_output",
    "shell_integration_warning",
    "shell_integration_warning_with_suggestion",
    "browser_action",
    "browser_action_launch",
    "browser_action_result",
    "browser_session_status",
    "mcp_server_request_started",
    "mcp_server_response",
    "mcp_notification",
    "use_mcp_server",
    "rooignore_error",
    "clineignore_error",
    "command_permission_denied",
    "diff_error",
    "condense_context_error",
    "codebase_search_result",
    "user_edit_todos",
    "load_mcp_documentation",
    "generate_explanation",
    "info",
    "task_progress",
    "hook_status",
    "hook_output_stream",
    "subagent",
    "use_subagents",
    "subagent_usage",
    "conditional_rules_applied",
];

/// What a message of the window is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A request to the model. Why it failed or was stopped, if it was, the program puts into the same message.
    RequestStarted { failed: bool },
    /// The person is asked whether a subtask may start.
    SubtaskAsked,
    /// The person is asked whether the subtask may end.
    EndAsked,
    /// The result of a subtask.
    SubtaskResult,
    /// The result of the task, before anybody has approved of it.
    Completion,
    /// The person is shown that the task is complete, and may answer.
    CompletionAsked,
    /// What the person has typed.
    Feedback,
    /// The task was opened again, and the person is asked whether it goes on.
    ResumeAsked,
    /// Earlier messages were summed up, or are no longer sent.
    Shortened,
    /// Anything else that waits for the person.
    Asked,
    /// Something that says nothing about responses.
    Aside,
    /// Anything else that is said.
    Said,
}

/// One message of the window.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its place in the file.
    pub(crate) index: usize,
    pub(crate) ts: Option<i64>,
    pub(crate) kind: Kind,
    /// Its text, where a finding may compare it.
    pub(crate) text: String,
}

/// The whole window.
#[derive(Debug, Default)]
pub(crate) struct Window {
    pub(crate) entries: Vec<Entry>,
}

impl Window {
    pub(crate) fn read(file: &str, value: Value, unknown: &mut Unknown) -> Result<Self, SavedError> {
        let Value::Array(messages) = value else {
            return Err(foreign(file, "$".into(), "an array of messages", &value));
        };
        let mut entries = Vec::new();
        for (index, message) in messages.into_iter().enumerate() {
            let Value::Object(message) = message else {
                return Err(foreign(file, format!("$[{index}]"), "a message", &message));
            };
            entries.push(entry(index, message, unknown));
        }
        Ok(Self { entries })
    }

    /// The first entry after this one that is of such a kind, and those between.
    pub(crate) fn next(&self, after: usize, is: impl Fn(&Kind) -> bool) -> (&[Entry], Option<&Entry>) {
        let rest = &self.entries[after + 1..];
        let found = rest.iter().position(|entry| is(&entry.kind));
        (&rest[..found.unwrap_or(rest.len())], found.map(|at| &rest[at]))
    }
}

fn entry(index: usize, mut message: Map<String, Value>, unknown: &mut Unknown) -> Entry {
    unknown.count_fields("window field", &message, FIELDS);
    // What was never finished shows that a response had begun, and nothing else.
    let is_partial = is_true(&message, "partial");
    let body = take_text(&mut message, "text").unwrap_or_default();
    let kind = match (text(&message, "type"), text(&message, "ask"), text(&message, "say")) {
        (Some("ask" | "say"), ..) if is_partial => Kind::Said,
        (Some("ask"), Some(ask), _) => ask_kind(ask, &body, unknown),
        (Some("say"), _, Some(say)) => say_kind(say, &body, unknown),
        (_, _, _) => {
            unknown.count("window message", "that is neither an ask nor a say");
            Kind::Said
        }
    };
    let compared = matches!(kind, Kind::SubtaskResult | Kind::Completion | Kind::Feedback);
    let text = if compared { body } else { String::new() };
    Entry { index, ts: moment(&message, "ts"), kind, text }
}

fn ask_kind(ask: &str, body: &str, unknown: &mut Unknown) -> Kind {
    match ask {
        "resume_task" | "resume_completed_task" => Kind::ResumeAsked,
        "completion_result" => Kind::CompletionAsked,
        // Shown beside a command that runs; nothing waits for it.
        "command_output" => Kind::Said,
        "tool" => match named(body, "tool").as_deref() {
            // Roo-Code `src/core/tools/newTaskTool.ts` and `attemptCompletionTool.ts`.
            Some("newTask") => Kind::SubtaskAsked,
            Some("finishTask") => Kind::EndAsked,
            Some(_) | None => Kind::Asked,
        },
        known if OTHER_ASKS.contains(&known) => Kind::Asked,
        other => {
            unknown.count("ask", other);
            Kind::Asked
        }
    }
}

fn say_kind(say: &str, body: &str, unknown: &mut Unknown) -> Kind {
    match say {
        "api_req_started" => Kind::RequestStarted { failed: has_failed(body) },
        "subtask_result" => Kind::SubtaskResult,
        "completion_result" => Kind::Completion,
        "user_feedback" => Kind::Feedback,
        "condense_context" | "sliding_window_truncation" => Kind::Shortened,
        "checkpoint_saved" | "checkpoint_created" => Kind::Aside,
        known if OTHER_SAYS.contains(&known) => Kind::Said,
        other => {
            unknown.count("say", other);
            Kind::Said
        }
    }
}

/// A text of an object that is itself JSON in a text.
fn named(body: &str, key: &str) -> Option<String> {
    let value: Value = serde_json::from_str(body).ok()?;
    value.get(key)?.as_str().map(str::to_owned)
}

/// Whether a request has a reason for its end (Roo-Code `src/core/task/Task.ts`, `updateApiReqMsg`). One that has no
/// readable text has none.
fn has_failed(body: &str) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(body) else { return false };
    ["cancelReason", "streamingFailedMessage"]
        .iter()
        .any(|key| value.get(key).is_some_and(|reason| !reason.is_null()))
}
