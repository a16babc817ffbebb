//! The shape of a span in JSON, and what is kept of one.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use super::wire::Fault;
use super::{About, Operation};
use crate::event::End;
use crate::name::NAME_MAX;

pub(super) fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { u128::from_str_radix(text, 16).ok() } else { None }
}

pub(super) fn short(text: &str) -> Option<u64> {
    hex(text, 16).and_then(|id| u64::try_from(id).ok())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireSpan {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    pub(super) parent_span_id: Option<String>,
    start_time_unix_nano: Option<Whole>,
    end_time_unix_nano: Option<Whole>,
    attributes: Option<Vec<Attribute>>,
    status: Option<Status>,
}

#[derive(Deserialize)]
struct Status {
    code: Option<Code>,
}

#[derive(Deserialize)]
struct Attribute {
    key: String,
    value: Option<Value>,
}

/// What a span says that is of generative AI; nothing if it says nothing of that.
pub(super) fn about(wire: &mut WireSpan) -> Result<Option<About>, Fault> {
    let attributes = wire.attributes.take().unwrap_or_default();
    if !attributes.iter().any(|attribute| attribute.key.starts_with("gen_ai.")) {
        return Ok(None);
    }
    let ns = |time: &Option<Whole>| {
        time.as_ref().map_or(Some(0), |Whole(ns)| u64::try_from(*ns).ok()).ok_or(Fault::Time)
    };
    let mut about = About {
        operation: Operation::Unnamed,
        start_ns: ns(&wire.start_time_unix_nano)?,
        end_ns: ns(&wire.end_time_unix_nano)?,
        end: End::Unknown,
        agent: None,
        conversation: None,
        call: None,
    };
    let (mut agent_name, mut agent_id, mut call, mut conversation) = (None, None, None, None);
    let (mut has_failed, mut has_finished) = (false, false);
    for Attribute { key, value } in attributes {
        let Some(value) = value else { continue };
        match key.as_str() {
            "gen_ai.operation.name" => {
                about.operation = value.text().map_or(Operation::Unnamed, |name| operation(&name));
            }
            "gen_ai.agent.name" => agent_name = name("gen_ai.agent.name", value)?,
            "gen_ai.agent.id" => agent_id = name("gen_ai.agent.id", value)?,
            "gen_ai.conversation.id" => conversation = name("gen_ai.conversation.id", value)?,
            "gen_ai.tool.call.id" => call = name("gen_ai.tool.call.id", value)?,
            "gen_ai.response.finish_reasons" => {
                let reasons = value.texts();
                has_finished |= !reasons.is_empty();
                has_failed |= reasons.iter().any(|reason| reason == "error");
            }
            "error.type" => has_failed |= value.text().is_some(),
            _ => {}
        }
    }
    let code = wire.status.as_ref().and_then(|status| status.code.as_ref()).map_or(0, |Code(code)| *code);
    about.end = match (has_failed || code == STATUS_ERROR, has_finished || code == STATUS_OK) {
        (true, _) => End::Failed,
        (false, true) => End::Completed,
        (false, false) => End::Unknown,
    };
    about.agent = agent_name.or(agent_id);
    (about.conversation, about.call) = (conversation, call);
    Ok(Some(about))
}

const STATUS_OK: u8 = 1;
const STATUS_ERROR: u8 = 2;

fn operation(name: &str) -> Operation {
    match name {
        "invoke_agent" => Operation::Agent,
        "chat" | "text_completion" | "generate_content" => Operation::Request,
        "execute_tool" => Operation::Tool,
        _ => Operation::Other,
    }
}

/// What something is called; nothing if the text is empty.
fn name(attribute: &'static str, value: Value) -> Result<Option<Box<str>>, Fault> {
    let text = value.text().filter(|text| !text.is_empty());
    match text {
        Some(text) if text.len() > NAME_MAX => Err(Fault::LongName(attribute)),
        text => Ok(text.map(String::into_boxed_str)),
    }
}

/// A value of an attribute, as far as one is looked at.
#[derive(Deserialize)]
struct Value {
    #[serde(rename = "stringValue")]
    string: Option<String>,
    #[serde(rename = "intValue")]
    whole: Option<Whole>,
    #[serde(rename = "arrayValue")]
    array: Option<Array>,
}

#[derive(Deserialize)]
struct Array {
    values: Option<Vec<Value>>,
}

impl Value {
    fn text(self) -> Option<String> {
        self.string.or_else(|| self.whole.map(|Whole(number)| number.to_string()))
    }

    fn texts(self) -> Vec<String> {
        let Self { string, array, .. } = self;
        let list = array.and_then(|array| array.values).unwrap_or_default();
        list.into_iter().filter_map(Self::text).chain(string).collect()
    }
}

/// A whole number, as a number or, as Protobuf writes 64 bits, as text.
struct Whole(i128);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfAny;
        impl Visitor<'_> for OfAny {
            type Value = Whole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number without a fraction, or a text of its digits")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Whole, E> {
                Ok(Whole(number.into()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Whole, E> {
                Ok(Whole(number.into()))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Whole, E> {
                let number = text.parse().map(Whole);
                number.map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(OfAny)
    }
}

/// The code of a status: its number or, as some write, its name.
struct Code(u8);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfAny;
        impl Visitor<'_> for OfAny {
            type Value = Code;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the code of a status: 0, 1 or 2")
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Code, E> {
                let code = u8::try_from(number).ok().filter(|code| *code <= STATUS_ERROR).map(Code);
                code.ok_or_else(|| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Code, E> {
                match text {
                    "STATUS_CODE_UNSET" => Ok(Code(0)),
                    "STATUS_CODE_OK" => Ok(Code(STATUS_OK)),
                    "STATUS_CODE_ERROR" => Ok(Code(STATUS_ERROR)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(OfAny)
    }
}
