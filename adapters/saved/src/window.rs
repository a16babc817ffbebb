//! What the person was shown: `ui_messages.json`.
//!
//! An array of messages of which each is an `ask` or a `say` of some kind (Roo-Code and KiloCode
//! `packages/types/src/message.ts`, Cline `src/shared/ExtensionMessage.ts`). Kinds that bear on no finding are told
//! apart from kinds that are not known, and nothing else.

use crate::error::SavedError;
use crate::json::{Met, Shape, Unknown, each, is_true, moment, take_text, text};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

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

/// Kinds of `say` that show that a request has failed, or is sent again.
const FAILURES: &[&str] = &["error", "error_retry", "api_req_retried", "api_req_retry_delayed"];

/// Kinds of `say` that show that a response has come.
const OTHER_SAYS: &[&str] = &[
    "task",
    "text",
    "api_req_finished",
    "api_req_rate_limited",
    "api_req_rate_limit_wait",
    "too_many_tools_warning",
    "api_req_deleted",
    "deleted_api_reqs",
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// What the task is, as it was given: the first message.
    Task,
    /// A request to the model.
    RequestStarted,
    /// A request that failed or was stopped: the program puts why into the message of its beginning.
    RequestFailed,
    /// That a request has failed, or is sent again.
    Failure,
    /// The same, and the person is asked what to do.
    FailureAsked,
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

/// Requests, however they ended.
pub(crate) const REQUESTS: [Kind; 2] = [Kind::RequestStarted, Kind::RequestFailed];

/// One message of the window.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its place in the file.
    pub(crate) index: usize,
    pub(crate) ts: Option<i64>,
    pub(crate) kind: Kind,
    /// Its text, where a finding may compare it; of a subtask that is asked for, what it is to do.
    pub(crate) text: String,
}

/// The whole window.
#[derive(Debug, Default)]
pub(crate) struct Window {
    pub(crate) entries: Vec<Entry>,
    /// The places of the entries of each kind, in their order.
    places: BTreeMap<Kind, Vec<usize>>,
}

impl Window {
    pub(crate) fn read(file: &str, bytes: &[u8], unknown: &mut Unknown) -> Result<Self, SavedError> {
        let mut window = Self::default();
        let shape = Shape { key: None, one: "a message", all: "an array of messages" };
        let read = each(file, bytes, &shape, |met| match met {
            // It has no key, and so no fields beside it.
            Met::Field(_) => {}
            Met::HalfCharacters(count) => unknown.count_halves(count),
            Met::One(index, message) => {
                let entry = entry(index, message, unknown);
                window.places.entry(entry.kind).or_default().push(index);
                window.entries.push(entry);
            }
        });
        read.map(|_| window)
    }

    /// The first entry after this place that is of one of these kinds.
    pub(crate) fn next(&self, after: usize, kinds: &[Kind]) -> Option<&Entry> {
        let next_of = |kind| {
            let places = self.places.get(kind)?;
            places.get(places.partition_point(|place| *place <= after))
        };
        kinds.iter().filter_map(next_of).min().map(|place| &self.entries[*place])
    }

    /// The first entry of such a kind between two others, or after the first if there is no second.
    pub(crate) fn between(&self, from: &Entry, until: Option<&Entry>, kinds: &[Kind]) -> Option<&Entry> {
        self.next(from.index, kinds).filter(|found| until.is_none_or(|until| found.index < until.index))
    }

    /// The entries of one kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Entry> {
        self.places.get(&kind).into_iter().flatten().map(|place| &self.entries[*place])
    }
}

fn entry(index: usize, mut message: Map<String, Value>, unknown: &mut Unknown) -> Entry {
    unknown.count_fields("window field", &message, FIELDS);
    // What was never finished shows that a response had begun, and nothing else.
    let is_partial = is_true(&message, "partial");
    let body = take_text(&mut message, "text").unwrap_or_default();
    let kind = match (text(&message, "type"), text(&message, "ask"), text(&message, "say")) {
        (Some("ask" | "say"), ..) if is_partial => Kind::Said,
        (Some("say"), _, Some("text" | "task")) if index == 0 => Kind::Task,
        (Some("ask"), Some(ask), _) => ask_kind(ask, &body, unknown),
        (Some("say"), _, Some(say)) => say_kind(say, &body, unknown),
        (Some(_) | None, Some(_) | None, Some(_) | None) => {
            unknown.count("window message", "that is neither an ask nor a say");
            Kind::Said
        }
    };
    let text = match kind {
        Kind::Task | Kind::SubtaskResult | Kind::Completion | Kind::Feedback => body,
        Kind::SubtaskAsked => named(&body, "content").unwrap_or_default(),
        Kind::RequestStarted
        | Kind::RequestFailed
        | Kind::Failure
        | Kind::FailureAsked
        | Kind::EndAsked
        | Kind::CompletionAsked
        | Kind::ResumeAsked
        | Kind::Shortened
        | Kind::Asked
        | Kind::Aside
        | Kind::Said => String::new(),
    };
    Entry { index, ts: moment(&message, "ts"), kind, text }
}

fn ask_kind(ask: &str, body: &str, unknown: &mut Unknown) -> Kind {
    match ask {
        "resume_task" | "resume_completed_task" => Kind::ResumeAsked,
        "completion_result" => Kind::CompletionAsked,
        "api_req_failed" => Kind::FailureAsked,
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
        "api_req_started" if has_failed(body) => Kind::RequestFailed,
        "api_req_started" => Kind::RequestStarted,
        "subtask_result" => Kind::SubtaskResult,
        "completion_result" => Kind::Completion,
        "user_feedback" => Kind::Feedback,
        "condense_context" | "sliding_window_truncation" => Kind::Shortened,
        "checkpoint_saved" | "checkpoint_created" => Kind::Aside,
        known if FAILURES.contains(&known) => Kind::Failure,
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
