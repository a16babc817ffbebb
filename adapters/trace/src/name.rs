//! What things are called in a trace.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use hashbrown::Equivalent;

/// Bytes of the longest name: whoever has longer ones gives a digest.
pub const NAME_MAX: usize = 1_024;

/// What a task, a request, a call is called: a number or a text. A text that is a number is that number, so that `7` and `"7"` are one
/// name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// A number.
    Number(u64),
    /// Anything else.
    Text(Cow<'a, str>),
}

impl<'a> Name<'a> {
    /// The name that a text is.
    pub fn of(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        number(&text).map_or(Self::Text(text), Self::Number)
    }

    /// The same, for longer than its line is there.
    pub fn into_owned(self) -> Name<'static> {
        match self {
            Self::Number(number) => Name::Number(number),
            Self::Text(text) => Name::Text(Cow::Owned(text.into_owned())),
        }
    }

    /// The number that it is.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }
}

/// A text that is a number as one writes it: without sign, without zeros before it.
fn number(text: &str) -> Option<u64> {
    let is_number = matches!(text.as_bytes(), [b'0'] | [b'1'..=b'9', ..])
        && text.len() <= 20
        && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => shown(text, f),
        }
    }
}

/// Shows a text, with what would move a cursor or change a colour written out.
fn shown(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !text.contains(char::is_control) {
        return f.pad(text);
    }
    let escaped = text.chars().fold(String::new(), |mut shown, char| {
        if char.is_control() {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
        shown
    });
    f.pad(&escaped)
}

impl Hash for Name<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Number(number) => number.hash(state),
            Self::Text(text) => text.hash(state),
        }
    }
}

/// A name that is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A number.
    Number(u64),
    /// Anything else.
    Text(Box<str>),
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Number(number) => number.hash(state),
            Self::Text(text) => text.hash(state),
        }
    }
}

impl From<&Name<'_>> for Key {
    fn from(name: &Name<'_>) -> Self {
        match name {
            Name::Number(number) => Self::Number(*number),
            Name::Text(text) => Self::Text(text.as_ref().into()),
        }
    }
}

impl PartialEq<Name<'_>> for Key {
    fn eq(&self, name: &Name<'_>) -> bool {
        match (self, name) {
            (Self::Number(one), Name::Number(other)) => one == other,
            (Self::Text(one), Name::Text(other)) => **one == **other,
            (Self::Number(_), Name::Text(_)) | (Self::Text(_), Name::Number(_)) => false,
        }
    }
}

impl Equivalent<Key> for Name<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        key == self
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => shown(text, f),
        }
    }
}

impl Key {
    /// The name as it is looked for.
    pub fn name(&self) -> Name<'_> {
        match self {
            Self::Number(number) => Name::Number(*number),
            Self::Text(text) => Name::Text(Cow::Borrowed(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_moves_a_cursor() {
        let name = Name::of("\u{1b}[31mred\n\u{9b}2Jé");
        assert_eq!(name.to_string(), "\\u{1b}[31mred\\n\\u{9b}2Jé");
        assert_eq!(Key::from(&name).to_string(), name.to_string());
    }

    #[test]
    fn a_text_that_is_a_number_is_that_number() {
        #[rustfmt::skip]
        let cases = [
            ("7", Name::Number(7)),
            ("0", Name::Number(0)),
            ("18446744073709551615", Name::Number(u64::MAX)),
            ("18446744073709551616", Name::Text("18446744073709551616".into())),
            ("007", Name::Text("007".into())),
            ("+7", Name::Text("+7".into())),
            ("", Name::Text("".into())),
            ("t7", Name::Text("t7".into())),
        ];
        for (text, expected) in cases {
            assert_eq!(Name::of(text), expected, "{text:?}");
        }
    }
}
