//! Whether a type fits into a word, and which field is too wide for it.

use super::sentence::Sentence;
use super::{MAX_BITS, Pack};

/// A field's place in a packed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; `Variant::name` in an enum, whose variants lie one over the other.
    pub name: &'static str,
    /// Its lowest bit.
    pub begin: u32,
    /// How many bits it takes.
    pub bits: u32,
}

/// Why no state of type `S` can be packed: the first field that ends beyond the widest word, and the widest field.
/// `None` if it can be.
pub fn misfit<S: Pack>() -> Option<String> {
    sentence::<S>().map(|said| said.as_str().to_owned())
}

/// Ends compilation with the sentence of [`misfit`].
pub(super) const fn assert_packable<S: Pack>() {
    if let Some(said) = sentence::<S>() {
        panic!("{}", said.as_str());
    }
}

const fn sentence<S: Pack>() -> Option<Sentence> {
    if S::BITS <= MAX_BITS {
        return None;
    }
    let said = Sentence::EMPTY.text(S::NAME).text(" needs ").number(S::BITS);
    let said = said.text(" bits and a packed state has ").number(MAX_BITS);
    let (Some(beyond), Some(widest)) = (first_beyond(S::FIELDS), widest(S::FIELDS)) else {
        return Some(said);
    };
    let said = said.text(": `").text(beyond.name).text("` (bits ").number(beyond.begin);
    let said = said.text(" to ").number(beyond.begin + beyond.bits - 1).text(") is too wide");
    if beyond.bits == widest.bits {
        return Some(said);
    }
    Some(said.text("; the widest is `").text(widest.name).text("` with ").number(widest.bits).text(" bits"))
}

const fn first_beyond(fields: &[Field]) -> Option<Field> {
    match fields {
        [] => None,
        [first, ..] if first.begin + first.bits > MAX_BITS => Some(*first),
        [_, rest @ ..] => first_beyond(rest),
    }
}

/// The first one of the widest.
const fn widest(fields: &[Field]) -> Option<Field> {
    match fields {
        [] => None,
        [first, rest @ ..] => match widest(rest) {
            Some(wider) if wider.bits > first.bits => Some(wider),
            Some(_) | None => Some(*first),
        },
    }
}
