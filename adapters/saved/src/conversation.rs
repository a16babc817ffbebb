//! What was said to the model and by it: `api_conversation_history.json`.
//!
//! It is an array of messages in the form of the Anthropic API with fields of the programs beside it (Roo-Code
//! `src/core/task-persistence/apiMessages.ts`, Cline `src/core/storage/disk.ts`), or an object with `version` 2 and
//! the messages in the form of the AI SDK (Roo-Code `src/core/task-persistence/rooMessage.ts`). Messages that a
//! summary or a truncation hides stay in the file in later versions, and are marked; in earlier ones they are gone.

use crate::error::SavedError;
use crate::json::{Unknown, foreign, is_true, moment, take_text, text};
use crate::words::{delivered, is_surroundings, plain, resumes, starts_subtask, was_not_said};
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

/// The parts of a message that say nothing about turns and tools.
const OTHER_PARTS: &[&str] =
    &["image", "document", "file", "reasoning", "thinking", "redacted_thinking", "thoughtSignature"];

/// Who a message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The person, or the program for it.
    User,
    /// The model.
    Assistant,
    /// Results of tools, where they are messages by themselves.
    Tool,
}

/// What a message is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It was said.
    Said,
    /// It stands for earlier messages. These are in the file still, or are gone.
    Summary {
        /// Whether they are still in the file.
        kept: bool,
    },
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
        name: String,
    },
    /// The result of a call.
    Result {
        id: Option<String>,
        text: String,
    },
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
            Part::Text(_) | Part::Call { .. } | Part::Result { .. } => None,
        })
    }

    /// What the model gets to read: texts and results.
    pub(crate) fn readable(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) | Part::Result { text, .. } => Some(text.as_str()),
            Part::Call { .. } => None,
        })
    }

    pub(crate) fn calls(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Call { id, name } => Some((id.as_deref(), name.as_str())),
            Part::Text(_) | Part::Result { .. } => None,
        })
    }

    pub(crate) fn results(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Result { id, text } => Some((id.as_deref(), text.as_str())),
            Part::Text(_) | Part::Call { .. } => None,
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

    pub(crate) fn starts_subtask(&self) -> bool {
        self.calls().any(|(_, name)| name == "new_task") || self.texts().any(starts_subtask)
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
    pub(crate) base: &'static str,
}

impl Conversation {
    pub(crate) fn read(file: &str, value: Value, unknown: &mut Unknown) -> Result<Self, SavedError> {
        let (base, messages) = match value {
            Value::Array(messages) => ("$", messages),
            Value::Object(mut envelope) => {
                unknown.count_fields("conversation field", &envelope, &["version", "messages"]);
                match envelope.get_mut("messages").map(Value::take) {
                    Some(Value::Array(messages)) => ("$.messages", messages),
                    None => {
                        return Err(foreign(file, "$.messages".into(), "an array of messages", &Value::Null));
                    }
                    Some(other) => {
                        return Err(foreign(file, "$.messages".into(), "an array of messages", &other));
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(foreign(file, "$".into(), "an array of messages", &value));
            }
        };
        let (mut turns, mut ids) = (Vec::new(), Ids::default());
        let has_hidden = messages.iter().any(|message| message.get("condenseParent").is_some());
        for (index, message) in messages.into_iter().enumerate() {
            let Value::Object(message) = message else {
                return Err(foreign(file, format!("{base}[{index}]"), "a message", &message));
            };
            turns.extend(turn(index, message, has_hidden, &mut ids, unknown));
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
        self.turns.iter().any(|turn| turn.mark == Mark::Summary { kept: false })
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

/// What the model was given to read, as [`plain`] words, with when.
pub(crate) struct Given(Vec<(Option<i64>, String)>);

impl Given {
    pub(crate) fn of(conversation: &Conversation) -> Self {
        let given = conversation.turns.iter().filter(|turn| turn.role != Role::Assistant);
        Self(given.flat_map(|turn| turn.readable().map(|text| (turn.ts, plain(text)))).collect())
    }

    /// Whether a text has these words. Those from this moment on are looked at first, since it is most likely there.
    pub(crate) fn has(&self, words: &str, from: Option<i64>) -> bool {
        let has =
            |is_late: bool| self.0.iter().any(|(ts, text)| (*ts >= from) == is_late && text.contains(words));
        has(true) || has(false)
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

/// One message, unless it is no turn: reasoning that is stored by itself, or a role that is not known.
fn turn(
    index: usize,
    mut message: Map<String, Value>,
    has_hidden: bool,
    ids: &mut Ids,
    unknown: &mut Unknown,
) -> Option<Turn> {
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
            return None;
        }
        None => {
            unknown.count("message", "without a role");
            return None;
        }
    };
    let mark = if is_true(&message, "isSummary") {
        Mark::Summary { kept: has_hidden || message.get("condenseId").is_some() }
    } else if is_true(&message, "isTruncationMarker") {
        Mark::Truncation
    } else {
        Mark::Said
    };
    let parts = match message.get_mut("content").map(Value::take) {
        Some(Value::String(text)) => vec![Part::Text(text)],
        Some(Value::Array(parts)) => {
            parts.into_iter().filter_map(|value| part(value, ids, unknown)).collect()
        }
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            unknown.count("message", "without content");
            Vec::new()
        }
    };
    Some(Turn { index, role, ts: moment(&message, "ts"), mark, parts })
}

fn part(value: Value, ids: &mut Ids, unknown: &mut Unknown) -> Option<Part> {
    let Value::Object(mut part) = value else {
        unknown.count("part", "that is no object");
        return None;
    };
    match text(&part, "type") {
        Some("text") => Some(Part::Text(take_text(&mut part, "text")?)),
        Some("tool_use") => {
            let id = take_text(&mut part, "id");
            ids.add(id.as_ref(), take_text(&mut part, "call_id").filter(|other| !other.is_empty()));
            Some(Part::Call { id, name: take_text(&mut part, "name").unwrap_or_default() })
        }
        Some("tool-call") => Some(Part::Call {
            id: take_text(&mut part, "toolCallId"),
            name: take_text(&mut part, "toolName").unwrap_or_default(),
        }),
        Some("tool_result") => {
            let content = part.get_mut("content").map(Value::take).unwrap_or_default();
            let (id, other) = (take_text(&mut part, "tool_use_id"), take_text(&mut part, "call_id"));
            Some(Part::Result { id: ids.of_result(id, other.as_ref()), text: result_text(content) })
        }
        Some("tool-result") => {
            let output = part.get_mut("output").map(Value::take).unwrap_or_default();
            Some(Part::Result { id: take_text(&mut part, "toolCallId"), text: result_text(output) })
        }
        Some(other) if OTHER_PARTS.contains(&other) => None,
        Some(other) => {
            unknown.count("part", other);
            None
        }
        None => {
            unknown.count("part", "without a type");
            None
        }
    }
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
