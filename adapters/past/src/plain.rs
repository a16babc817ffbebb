//! Anything of the kernel's vocabulary as a phrase: `SendFailed(attempt 0, failure Transient)`.
//!
//! It goes by how a value is serialized, so that whatever is added to the vocabulary can be said.

use serde::Serialize;
use serde_json::{Map, Value};

/// A value as a phrase.
pub(crate) fn phrase<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).map_or_else(|error| error.to_string(), |value| of_value(&value))
}

/// The same, of something that happened to this task: its id is not said again.
pub(crate) fn phrase_of<T: Serialize>(value: &T, task: u64) -> String {
    let Ok(mut value) = serde_json::to_value(value) else { return phrase(value) };
    leave_out(&mut value, task);
    of_value(&value)
}

/// Leaves the id of a task out where it says whose something is.
fn leave_out(value: &mut Value, task: u64) {
    let Value::Object(fields) = value else { return };
    if fields.get("task").and_then(Value::as_u64) == Some(task) {
        fields.remove("task");
    }
    fields.values_mut().for_each(|field| leave_out(field, task));
}

fn of_value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(is_so) => is_so.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(name) => name.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(of_value).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => of_fields(fields),
    }
}

fn of_fields(fields: &Map<String, Value>) -> String {
    if let Some((name, content)) = variant(fields) {
        let said = of_value(content);
        return match content {
            Value::Object(inner) if inner.is_empty() => name.clone(),
            Value::Object(inner) if variant(inner).is_none() => format!("{name}{said}"),
            Value::Object(_) | Value::Array(_) | Value::String(_) | Value::Number(_) => {
                format!("{name}({said})")
            }
            Value::Bool(_) | Value::Null => format!("{name} {said}"),
        };
    }
    // The order of a map depends on who else uses it.
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| rank(name));
    let of_field = |(name, field): (&String, &Value)| match name.as_str() {
        // What happened, or is ordered, says itself.
        "event" | "effect" => of_value(field),
        name => format!("{name} {}", of_value(field)),
    };
    format!("({})", fields.into_iter().map(of_field).collect::<Vec<_>>().join(", "))
}

/// The name and the content of a variant of an enum: names of variants begin with a capital letter, those of fields do not.
fn variant(fields: &Map<String, Value>) -> Option<(&String, &Value)> {
    let mut all = fields.iter();
    let (name, content) = all.next()?;
    (all.next().is_none() && name.starts_with(|first: char| first.is_ascii_uppercase()))
        .then_some((name, content))
}

/// Whose and which come first.
fn rank(name: &str) -> (usize, &str) {
    const FIRST: [&str; 8] = ["task", "root", "agent", "turn", "attempt", "index", "number", "timer"];
    (FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len()), name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use downbeat_kernel::{
        Attempt, CallId, Effect, Event, RequestEvent, SendFailure, TaskId, ToolEnd, TurnNumber,
    };

    #[test]
    fn words_of_the_kernel_are_phrases() {
        let (task, turn) = (TaskId(7), TurnNumber(1));
        let throttled = SendFailure::Throttled { retry_after_ms: None };
        let failed = RequestEvent::SendFailed { attempt: Attempt(0), failure: throttled, jitter_ms: 5 };
        let call = CallId { task, turn, index: 0 };
        #[rustfmt::skip]
        let cases = [
            (phrase_of(&Event::Admitted { task }, 7), "Admitted"),
            (phrase_of(&Event::Admitted { task }, 8), "Admitted(task 7)"),
            (phrase_of(&Event::Request { task, turn, event: failed }, 7),
             "Request(turn 1, SendFailed(attempt 0, failure Throttled(retry_after_ms none), jitter_ms 5))"),
            (phrase_of(&Event::ToolEnded { call, end: ToolEnd::Failed }, 7), "ToolEnded(call (turn 1, index 0), end Failed)"),
            (phrase(&Effect::RunTool { call }), "RunTool(call (task 7, turn 1, index 0))"),
        ];
        for (said, expected) in cases {
            assert_eq!(said, expected);
        }
    }
}
