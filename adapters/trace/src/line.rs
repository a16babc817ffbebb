//! One line of a trace: an event as an object of JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use crate::event::{End, Event, Field, Kind};
use crate::name::{NAME_MAX, Name};

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lives as long as a line is looked at, and is an event as a rule"
)]
pub enum Line<'a> {
    /// An event, and how many of its fields are not of the schema.
    Event(Event<'a>, u32),
    /// An event of a kind that is not of the schema.
    Unknown(Cow<'a, str>),
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// If it is no object of JSON with an `event`, says something twice, or a value is not of its shape.
    pub fn read(text: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }
}

impl Event<'_> {
    /// The event as a line, without a line break.
    pub fn line(&self) -> String {
        use std::fmt::Write as _;
        let mut line = format!("{{\"event\":\"{}\"", self.kind.name());
        if let Some(at_ms) = self.at_ms {
            let _ = write!(line, ",\"at_ms\":{at_ms}");
        }
        for (field, name) in self.said() {
            let _ = match name {
                Name::Number(number) => write!(line, ",\"{}\":{number}", field.name()),
                Name::Text(text) => {
                    write!(line, ",\"{}\":{}", field.name(), serde_json::Value::from(text.as_ref()))
                }
            };
        }
        if let Some(end) = self.end {
            let _ = write!(line, ",\"end\":\"{}\"", end.name());
        }
        line.push('}');
        line
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Line<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Line<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event: an object with `event`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line<'de>, A::Error> {
        // The kind stands first as a rule, and need not.
        let mut event = Event::new(Kind::Restart);
        let mut kind: Option<Result<Kind, Cow<'de, str>>> = None;
        let mut unknown = 0_u32;
        let twice = |name: &str| A::Error::custom(format_args!("`{name}` is there twice"));
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Event => {
                    let Text(name) = map.next_value()?;
                    let named = Kind::of(&name).ok_or(name);
                    if kind.replace(named).is_some() {
                        return Err(twice("event"));
                    }
                }
                Key::At => {
                    let at_ms: Option<f64> = map.next_value()?;
                    if at_ms.is_some() && event.at_ms.is_some() {
                        return Err(twice("at_ms"));
                    }
                    event.at_ms = at_ms.or(event.at_ms);
                }
                Key::End => {
                    let Text(name) = map.next_value()?;
                    let end = End::of(&name).ok_or_else(|| {
                        let names: Vec<_> = End::ALL.iter().map(|end| end.name()).collect();
                        A::Error::custom(format_args!("`end` is one of {}", names.join(", ")))
                    })?;
                    if event.end.replace(end).is_some() {
                        return Err(twice("end"));
                    }
                }
                Key::Field(field) => {
                    if let Value(Some(name)) = map.next_value()?
                        && !event.set(field, name)
                    {
                        return Err(twice(field.name()));
                    }
                }
                Key::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    unknown = unknown.saturating_add(1);
                }
            }
        }
        match kind {
            Some(Ok(kind)) => {
                event.kind = kind;
                event.misfit().map_or(Ok(()), |misfit| Err(A::Error::custom(misfit)))?;
                Ok(Line::Event(event, unknown))
            }
            Some(Err(name)) => Ok(Line::Unknown(name)),
            None => Err(A::Error::missing_field("event")),
        }
    }
}

enum Key {
    Event,
    At,
    End,
    Field(Field),
    Unknown,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;
        impl Visitor<'_> for OfText {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                Ok(match name {
                    "event" => Key::Event,
                    "at_ms" => Key::At,
                    "end" => Key::End,
                    name => Field::of(name).map_or(Key::Unknown, Key::Field),
                })
            }
        }
        deserializer.deserialize_identifier(OfText)
    }
}

/// A text, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;
        impl<'de> Visitor<'de> for OfText {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(OfText)
    }
}

/// A name, or null.
struct Value<'a>(Option<Name<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfAny;
        impl<'de> Visitor<'de> for OfAny {
            type Value = Value<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a number from 0 without a fraction")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
                fits(text).map(|text| Value(Some(Name::of(text))))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
                fits(text).map(|text| Value(Some(Name::of(text.to_owned()))))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Value<'de>, E> {
                Ok(Value(Some(Name::Number(number))))
            }
            fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
                Ok(Value(None))
            }
        }
        deserializer.deserialize_any(OfAny)
    }
}

/// A text that is no longer than a name may be.
fn fits<E: Error>(text: &str) -> Result<&str, E> {
    if text.len() > NAME_MAX {
        return Err(E::custom(format_args!(
            "a name has at most {NAME_MAX} bytes: give a digest of a longer one"
        )));
    }
    Ok(text)
}
