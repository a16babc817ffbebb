//! JSON files, read whole and taken apart without trust.

use crate::bounds::{FILE_BYTES_MAX, UNKNOWN_MAX};
use crate::error::SavedError;
use crate::words::quoted;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The bytes of a file, or none where there is no such file.
pub(crate) fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>, SavedError> {
    let unreadable = |error| SavedError::unreadable(path, &error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
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

pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Value, SavedError> {
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(SavedError::TooLong { file: file.to_owned(), bytes: bytes.len() as u64 });
    }
    serde_json::from_slice(bytes).map_err(|error| SavedError::damaged(file, bytes, &error))
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

pub(crate) fn foreign(file: &str, path: String, expected: &'static str, value: &Value) -> SavedError {
    SavedError::Foreign { file: file.to_owned(), path, expected, found: kind_of(value) }
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

    pub(crate) fn into_counts(self) -> BTreeMap<String, u64> {
        self.0
    }
}
