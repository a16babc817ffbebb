//! What was said to the model and by it: `api_conversation_history.json`.
//!
//! It is an array of messages in the form of the Anthropic API with fields of the programs beside it (Roo-Code
//! `src/core/task-persistence/apiMessages.ts`, Cline `src/core/storage/disk.ts`), or an object with `version` 2 and
//! the messages in the form of the AI SDK (Roo-Code `src/core/task-persistence/rooMessage.ts`). Messages that a
//! summary or a truncation hides stay in the file in later versions, and are marked; in earlier ones they are gone.

use crate::error::SavedError;
use crate::json::{Met, Shape, Unknown, each, is_true, moment, take_text, text};
use crate::words::{delivered, is_surroundings, resumes, starts_of_subtasks, was_not_said};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The file that the programs write.
pub const CONVERSATION: &str = "api_conversation_history.json";

const FIELDS: &[&str] = &[
    "role",
    "content",
    "ts",
    "type",
    "id",
    "isSummary",
    "condenseId",
    "condenseParent",
    "truncationId",
    "truncationParent",
    "isTruncationMarker",
    "summary",
    "encrypted_content",
    "text",
    "reasoning_details",
    "reasoning_content",
    "providerOptions",
    "modelInfo",
    "metrics",
];

/// The parts of a message that are no texts, and may be what a tool gave.
const ATTACHMENTS: &[&str] = &["image", "document", "file"];

/// The parts of a message that say nothing about turns and tools.
const OTHER_PARTS: &[&str] = &["reasoning", "thinking", "redacted_thinking", "thoughtSignature"];

/// The tool that starts a subtask.
pub(crate) const NEW_TASK: &str = "new_task";

/// Who a message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The person, or the program for it.
    User,
    /// The model.
    Assistant,
    /// Results of tools, where they are messages by themselves.
    Tool,
    /// Somebody who is not known here.
    Unknown,
}

/// What a message is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It was said.
    Said,
    /// It stands for earlier messages, which are in the file still.
    Summary,
    /// It stands for earlier messages, which are gone.
    Replacement,
    /// Earlier messages are not sent any more, and are in the file still.
    Truncation,
}

/// One part of a message.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Text(String),
    /// A call of a tool.
    Call {
        id: Option<String>,
        name: Option<String>,
    },
    /// The result of a call.
    Result {
        id: Option<String>,
        text: String,
    },
    /// A picture or a file.
    Attachment,
    /// Something of a form that is not known here: it may be a call, or a result.
    Unread,
}

/// One message.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    /// Its place in the file.
    pub(crate) index: usize,
    pub(crate) role: Role,
    pub(crate) ts: Option<i64>,
    pub(crate) mark: Mark,
    pub(crate) parts: Vec<Part>,
}

impl Turn {
    /// What was said, without what the program says of the surroundings.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) if !is_surroundings(text) => Some(text.as_str()),
            Part::Text(_) | Part::Call { .. } | Part::Result { .. } | Part::Attachment | Part::Unread => None,
        })
    }

    /// What the model gets to read: texts and results.
    pub(crate) fn readable(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) | Part::Result { text, .. } => Some(text.as_str()),
            Part::Call { .. } | Part::Attachment | Part::Unread => None,
        })
    }

    pub(crate) fn calls(&self) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Call { id, name } => Some((id.as_deref(), name.as_deref())),
            Part::Text(_) | Part::Result { .. } | Part::Attachment | Part::Unread => None,
        })
    }

    pub(crate) fn results(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Result { id, text } => Some((id.as_deref(), text.as_str())),
            Part::Text(_) | Part::Call { .. } | Part::Attachment | Part::Unread => None,
        })
    }

    /// Whether it is what an interrupted or empty response left, and not what a model said.
    pub(crate) fn was_not_said(&self) -> bool {
        self.texts().any(was_not_said)
    }

    /// Whether the task was interrupted before it and goes on with it.
    pub(crate) fn resumes(&self) -> bool {
        self.readable().any(resumes)
    }

    /// Whether it does nothing but give the result of a subtask, which the program adds as a message by itself.
    pub(crate) fn only_delivers(&self) -> bool {
        let mut texts = self.texts().peekable();
        texts.peek().is_some()
            && texts.all(|text| delivered(text).is_some())
            && self.results().next().is_none()
    }

    /// How many subtasks it starts, as far as can be read.
    pub(crate) fn starts_of_subtasks(&self) -> usize {
        let calls = self.calls().filter(|(_, name)| *name == Some(NEW_TASK)).count();
        calls + self.texts().map(starts_of_subtasks).sum::<usize>()
    }

    /// Whether something of it is of a form that is not known here.
    pub(crate) fn is_unread(&self) -> bool {
        self.role == Role::Unknown || self.parts.iter().any(|part| matches!(part, Part::Unread))
    }

    pub(crate) fn has_attachment(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Attachment))
    }
}

/// How the model calls tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolForm {
    /// No call was found.
    None,
    /// In what it says, as XML; results are texts.
    Text,
    /// As parts of its messages, with ids; results name them.
    Native,
}

/// A whole conversation.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    pub(crate) turns: Vec<Turn>,
    /// What stands before the number of a message in a JSON path.
    pub(crate) base: String,
}

impl Conversation {
    pub(crate) fn read(file: &str, bytes: &[u8], unknown: &mut Unknown) -> Result<Self, SavedError> {
        let shape = Shape { key: Some("messages"), one: "a message", all: "an array of messages" };
        let (mut turns, mut ids, mut has_hidden) = (Vec::new(), Ids::default(), false);
        let base = each(file, bytes, &shape, |met| match met {
            Met::Field(name) if name == "version" => {}
            Met::Field(name) => unknown.count("conversation field", &name),
            Met::HalfCharacters(count) => unknown.count_halves(count),
            Met::One(index, message) => {
                has_hidden |= message.contains_key("condenseParent");
                turns.extend(turn(index, message, &mut ids, unknown));
            }
        })?;
        if has_hidden {
            for turn in turns.iter_mut().filter(|turn| turn.mark == Mark::Replacement) {
                turn.mark = Mark::Summary;
            }
        }
        Ok(Self { turns, base })
    }

    /// The moment until which messages may have been taken out of the file, so that what is not in it says nothing.
    ///
    /// Both an earlier truncation and an earlier summary take out messages after the first (Roo-Code
    /// `src/core/sliding-window/index.ts` and `src/core/condense/index.ts`), and a summary has the moment of the first
    /// message that it keeps.
    pub(crate) fn hidden_until(&self) -> Option<i64> {
        self.turns.iter().skip(1).find_map(|turn| turn.ts)
    }

    /// Whether a summary took the place of messages that are gone.
    pub(crate) fn has_cut(&self) -> bool {
        self.turns.iter().any(|turn| turn.mark == Mark::Replacement)
    }

    pub(crate) fn tool_form(&self) -> ToolForm {
        if self.turns.iter().any(|turn| turn.calls().next().is_some() || turn.results().next().is_some()) {
            ToolForm::Native
        } else if self.turns.iter().any(|turn| turn.texts().any(|text| text.contains("] Result:"))) {
            ToolForm::Text
        } else {
            ToolForm::None
        }
    }
}

/// The ids of the calls that were read. Cline writes two, `id` and `call_id`, and a result may name either.
#[derive(Default)]
struct Ids {
    known: BTreeSet<String>,
    by_other: BTreeMap<String, String>,
}

impl Ids {
    fn add(&mut self, id: Option<&String>, other: Option<String>) {
        self.known.extend(id.cloned());
        self.by_other.extend(other.zip(id.cloned()));
    }

    /// The id of the call that a result names.
    fn of_result(&self, id: Option<String>, other: Option<&String>) -> Option<String> {
        let is_known = id.as_ref().is_some_and(|id| self.known.contains(id));
        let by_other = [id.as_ref(), other].into_iter().flatten().find_map(|id| self.by_other.get(id));
        if is_known { id } else { by_other.cloned().or(id) }
    }
}

/// One message, unless it is no turn: reasoning that is stored by itself.
fn turn(index: usize, mut message: Map<String, Value>, ids: &mut Ids, unknown: &mut Unknown) -> Option<Turn> {
    unknown.count_fields("message field", &message, FIELDS);
    if text(&message, "type") == Some("reasoning") {
        return None;
    }
    let role = match text(&message, "role") {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool") => Role::Tool,
        Some(other) => {
            unknown.count("role", other);
            Role::Unknown
        }
        None => {
            unknown.count("message", "without a role");
            Role::Unknown
        }
    };
    let mark = if is_true(&message, "isSummary") {
        if message.contains_key("condenseId") { Mark::Summary } else { Mark::Replacement }
    } else if is_true(&message, "isTruncationMarker") {
        Mark::Truncation
    } else {
        Mark::Said
    };
    let mut parts = match message.get_mut("content").map(Value::take) {
        Some(Value::String(text)) => vec![Part::Text(text)],
        Some(Value::Array(parts)) => {
            parts.into_iter().filter_map(|value| part(value, ids, unknown)).collect()
        }
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            unknown.count("message", "without content");
            vec![Part::Unread]
        }
    };
    // Calls as OpenAI's interface has them stand beside the content, and so do the ids of their results.
    if ["tool_calls", "tool_call_id"].iter().any(|field| message.contains_key(*field)) {
        parts.push(Part::Unread);
    }
    Some(Turn { index, role, ts: moment(&message, "ts"), mark, parts })
}

/// What a part says, or nothing if it is one that says nothing about turns and tools.
fn part(value: Value, ids: &mut Ids, unknown: &mut Unknown) -> Option<Part> {
    let Value::Object(mut part) = value else {
        unknown.count("part", "that is no object");
        return Some(Part::Unread);
    };
    let id_of = |part: &mut Map<String, Value>, key| take_text(part, key).filter(|id| !id.is_empty());
    Some(match text(&part, "type") {
        Some("text") => take_text(&mut part, "text").map_or(Part::Unread, Part::Text),
        Some("tool_use") => {
            let id = id_of(&mut part, "id");
            ids.add(id.as_ref(), id_of(&mut part, "call_id"));
            Part::Call { id, name: take_text(&mut part, "name") }
        }
        Some("tool-call") => {
            Part::Call { id: id_of(&mut part, "toolCallId"), name: take_text(&mut part, "toolName") }
        }
        Some("tool_result") => {
            let (id, other) = (id_of(&mut part, "tool_use_id"), id_of(&mut part, "call_id"));
            let text = part.remove("content").map(result_text).unwrap_or_default();
            Part::Result { id: ids.of_result(id, other.as_ref()), text }
        }
        Some("tool-result") => {
            let text = part.remove("output").map(result_text).unwrap_or_default();
            Part::Result { id: id_of(&mut part, "toolCallId"), text }
        }
        Some(other) if ATTACHMENTS.contains(&other) => Part::Attachment,
        Some(other) if OTHER_PARTS.contains(&other) => return None,
        Some(other) => {
            unknown.count("part", other);
            Part::Unread
        }
        None => {
            unknown.count("part", "without a type");
            Part::Unread
        }
    })
}

/// The texts of a result: one text, parts of which some are texts, or an output with a value.
fn result_text(content: Value) -> String {
    match content {
        Value::String(text) => text,
        Value::Array(parts) => parts.into_iter().map(result_text).collect::<Vec<_>>().join("\n"),
        Value::Object(mut part) => {
            let key = if part.contains_key("text") { "text" } else { "value" };
            part.get_mut(key).map(Value::take).map(result_text).unwrap_or_default()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}
