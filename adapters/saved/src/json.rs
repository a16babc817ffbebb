//! JSON files, taken apart without trust, and one message at a time.

use crate::bounds::{FILE_BYTES_MAX, MESSAGES_MAX, UNKNOWN_MAX};
use crate::error::SavedError;
use crate::words::quoted;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The bytes of a file, or none where there is no such file.
pub(crate) fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>, SavedError> {
    let unreadable = |error| SavedError::unreadable(path, &error);
    // To open a pipe waits for its other end.
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(SavedError::NoFile { path: path.to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    }
    let file = File::open(path).map_err(unreadable)?;
    let too_long = |bytes| SavedError::TooLong { file: path.to_string_lossy().into_owned(), bytes };
    let length = file.metadata().map_err(unreadable)?.len();
    if length > FILE_BYTES_MAX {
        return Err(too_long(length));
    }
    let mut bytes = Vec::new();
    // A file that grows while it is read is not read beyond the bound either.
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(too_long(bytes.len() as u64));
    }
    Ok(Some(bytes))
}

/// A file as one value.
pub(crate) fn parse(file: &str, bytes: &[u8], unknown: &mut Unknown) -> Result<Value, SavedError> {
    let (bytes, halves) = readable(file, bytes)?;
    unknown.count_halves(halves);
    serde_json::from_slice(&bytes).map_err(|error| SavedError::damaged(file, &bytes, &error))
}

/// What a file of many objects is.
pub(crate) struct Shape {
    /// The field that has the array, where it may stand in an object.
    pub(crate) key: Option<&'static str>,
    /// What one of them is.
    pub(crate) one: &'static str,
    /// What all of them are.
    pub(crate) all: &'static str,
}

/// What is met in a file of many objects, in its order.
pub(crate) enum Met {
    /// Halves of characters that were replaced in the whole file.
    HalfCharacters(u64),
    /// A field beside the array.
    Field(String),
    /// One of the objects, with its place.
    One(usize, Map<String, Value>),
}

/// Reads an array of objects, or the one in a field of an object, one at a time: only what is made of them is in
/// memory as a whole. Gives the JSON path of the array.
pub(crate) fn each(
    file: &str,
    bytes: &[u8],
    shape: &Shape,
    mut take: impl FnMut(Met),
) -> Result<String, SavedError> {
    let (bytes, halves) = readable(file, bytes)?;
    if halves > 0 {
        take(Met::HalfCharacters(halves));
    }
    let mut reader = Reader { file, shape, base: None, refused: None, take: &mut take };
    let mut parser = serde_json::Deserializer::from_slice(&bytes);
    let read = Place { reader: &mut reader, key: None }.deserialize(&mut parser).and_then(|()| parser.end());
    match (read, reader.refused, reader.base) {
        (Ok(()) | Err(_), Some(refused), _) => Err(refused),
        (Err(error), None, _) => Err(SavedError::damaged(file, &bytes, &error)),
        (Ok(()), None, Some(base)) => Ok(base),
        (Ok(()), None, None) => Err(foreign(file, path_of(shape.key), shape.all, "null")),
    }
}

/// The JSON path of an array that stands in such a field.
fn path_of(key: Option<&str>) -> String {
    key.map_or_else(|| "$".to_owned(), |key| format!("$.{key}"))
}

struct Reader<'r> {
    file: &'r str,
    shape: &'r Shape,
    /// The JSON path of the array, once it was found.
    base: Option<String>,
    /// Why it is not read on, where it is JSON.
    refused: Option<SavedError>,
    take: &'r mut dyn FnMut(Met),
}

/// A value in which the array is looked for: the whole file, or one field of it.
struct Place<'p, 'r> {
    reader: &'p mut Reader<'r>,
    key: Option<&'static str>,
}

impl Place<'_, '_> {
    fn refuse<E: serde::de::Error>(self, found: &'static str) -> E {
        self.reader.refused =
            Some(foreign(self.reader.file, path_of(self.key), self.reader.shape.all, found));
        E::custom("of another shape")
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reader.shape.all)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let reader = self.reader;
        let base = reader.base.insert(path_of(self.key));
        let mut index = 0;
        while let Some(value) = array.next_element::<Value>()? {
            let refused = match value {
                Value::Object(one) if index < MESSAGES_MAX => {
                    (reader.take)(Met::One(index, one));
                    index += 1;
                    continue;
                }
                Value::Object(_) => SavedError::TooMany { file: reader.file.to_owned() },
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    foreign(reader.file, format!("{base}[{index}]"), reader.shape.one, kind_of(&value))
                }
            };
            reader.refused = Some(refused);
            return Err(serde::de::Error::custom("of another shape"));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (None, Some(sought)) = (self.key, self.reader.shape.key) else {
            return Err(self.refuse("an object"));
        };
        while let Some(key) = map.next_key::<String>()? {
            if key == sought {
                map.next_value_seed(Place { reader: self.reader, key: Some(sought) })?;
            } else {
                map.next_value::<IgnoredAny>()?;
                (self.reader.take)(Met::Field(key));
            }
        }
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Err(self.refuse("a boolean"))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Err(self.refuse("a number"))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Err(self.refuse("a number"))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(self.refuse("a number"))
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Err(self.refuse("a string"))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Err(self.refuse("null"))
    }
}

/// The mark of UTF-8, which some editors write. It says nothing.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes as the parser takes them: with spaces for a mark of UTF-8, and without halves of characters, which are
/// counted. JavaScript cuts texts between the two halves of a character and writes what is left as an escape, which
/// is no text in UTF-8. What is put there is as long as what was there, so that places stay.
fn readable<'b>(file: &str, bytes: &'b [u8]) -> Result<(Cow<'b, [u8]>, u64), SavedError> {
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(SavedError::TooLong { file: file.to_owned(), bytes: bytes.len() as u64 });
    }
    let encoding = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16, where UTF-8 was expected"),
        [0, ..] if bytes.iter().all(|byte| *byte == 0) => Some("nothing but zeros, which a crash may leave"),
        [b'[' | b'{', 0, ..] | [0, b'[' | b'{', ..] => Some("UTF-16, where UTF-8 was expected"),
        _ => None,
    };
    if let Some(encoding) = encoding {
        return Err(SavedError::Encoded { file: file.to_owned(), encoding });
    }
    let mut readable = Cow::Borrowed(bytes);
    if bytes.starts_with(MARK) {
        readable.to_mut()[..MARK.len()].fill(b' ');
    }
    let mut halves = 0;
    let mut at = 0;
    while let Some(next) = readable[at..].iter().position(|byte| *byte == b'\\') {
        at += next;
        at += match (surrogate(&readable, at), surrogate(&readable, at + 6)) {
            (Some(Half::First), Some(Half::Second)) => 12,
            (Some(_), _) => {
                readable.to_mut()[at..at + 6].copy_from_slice(b"\\ufffd");
                halves += 1;
                6
            }
            (None, _) => 2.min(readable.len() - at),
        };
    }
    Ok((readable, halves))
}

/// Which half of a character an escape is.
enum Half {
    First,
    Second,
}

fn surrogate(bytes: &[u8], at: usize) -> Option<Half> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    // A sign is no digit of an escape.
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    match u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()? {
        0xd800..=0xdbff => Some(Half::First),
        0xdc00..=0xdfff => Some(Half::Second),
        0..=0xd7ff | 0xe000..=0xffff => None,
    }
}

/// What a value is, in the words of an error.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

pub(crate) fn foreign(file: &str, path: String, expected: &'static str, found: &'static str) -> SavedError {
    SavedError::Foreign { file: file.to_owned(), path, expected, found }
}

/// A text that is taken out of an object.
pub(crate) fn take_text(object: &mut Map<String, Value>, key: &str) -> Option<String> {
    match object.get_mut(key).map(Value::take) {
        Some(Value::String(text)) => Some(text),
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            None
        }
    }
}

pub(crate) fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// A moment, in milliseconds since 1970.
pub(crate) fn moment(object: &Map<String, Value>, key: &str) -> Option<i64> {
    object.get(key).and_then(Value::as_i64)
}

pub(crate) fn is_true(object: &Map<String, Value>, key: &str) -> bool {
    object.get(key).and_then(Value::as_bool) == Some(true)
}

/// What was met and is not known, by name.
#[derive(Debug, Default)]
pub(crate) struct Unknown(BTreeMap<String, u64>);

impl Unknown {
    pub(crate) fn count(&mut self, what: &str, name: &str) {
        let mut name = format!("{what} {}", quoted(name));
        if self.0.len() >= UNKNOWN_MAX && !self.0.contains_key(&name) {
            "others".clone_into(&mut name);
        }
        *self.0.entry(name).or_default() += 1;
    }

    pub(crate) fn count_fields(&mut self, what: &str, object: &Map<String, Value>, known: &[&str]) {
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            self.count(what, key);
        }
    }

    /// What was met in another file.
    pub(crate) fn extend(&mut self, other: Self) {
        for (name, count) in other.0 {
            let has_room = self.0.len() < UNKNOWN_MAX || self.0.contains_key(&name);
            *self.0.entry(if has_room { name } else { "others".to_owned() }).or_default() += count;
        }
    }

    /// Halves of characters that were replaced.
    pub(crate) fn count_halves(&mut self, halves: u64) {
        if halves > 0 {
            *self.0.entry("half of a character".to_owned()).or_default() += halves;
        }
    }

    pub(crate) fn into_counts(self) -> BTreeMap<String, u64> {
        self.0
    }
}
