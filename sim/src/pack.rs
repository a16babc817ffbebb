//! Packed states: a whole state in one machine word.
//!
//! A type that is [`Pack`] has a place of fixed width in a word of 64 or 128 bits. Different values have different
//! words and equal values have equal ones, so that a word is as good as the state that it was made from: a search
//! that stores words instead of states is as exact, and faster. An encoding changes no verdict.
//!
//! With the feature `derive`, structs and enums get their encoding from `#[derive(Pack)]`. What owns memory (vectors,
//! strings, maps) has no fixed width and stays with `Clone + Eq + Hash`.
//!
//! Encodings are for one run of one program: reordering the fields of a type changes its words.

mod fit;
mod parts;
mod sentence;
mod values;
mod word;

use std::error::Error;
use std::fmt;

#[cfg(feature = "derive")]
pub use downbeat_sim_derive::Pack;

pub use fit::{Field, misfit};
pub use parts::{Packer, Unpacker};
pub use word::Word;

/// Bits of the widest word, hence of the widest state that can be packed.
pub const MAX_BITS: u32 = u128::BITS;

/// A value with a place in a machine word.
///
/// An encoding by hand needs [`Pack::BITS`], [`Pack::pack`] and [`Pack::unpack`]; the rest is for messages.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no packed encoding",
    note = "a struct or an enum gets one from `#[derive(downbeat_sim::pack::Pack)]`",
    note = "what owns memory (a vector, a string, a map) cannot have one: use an array with a bound"
)]
pub trait Pack: Sized {
    /// Bits of a word that the value takes. It may exceed [`MAX_BITS`] in a type that is not packed itself.
    const BITS: u32;

    /// The type as a sentence names it.
    const NAME: &'static str = "the state";

    /// Where its fields lie, in the order of declaration; empty if it has none with a name.
    const FIELDS: &'static [Field] = &[];

    /// The value in the lowest [`Pack::BITS`] bits of a word, with zeros above.
    ///
    /// # Errors
    /// A field exceeds the bound that it was declared with.
    fn pack<W: Word>(&self) -> Result<W, TooWide>;

    /// The value that was packed into the lowest [`Pack::BITS`] bits of a word, whatever is above them.
    ///
    /// Bits that no value packs into give some value or other.
    fn unpack<W: Word>(word: W) -> Self;
}

/// Packs a state into a word of 64 or 128 bits.
///
/// It does not compile for a type that is wider than any word: the error is the sentence of [`misfit`].
///
/// ```compile_fail
/// // the state needs 192 bits and a packed state has 128
/// let word: Result<u128, _> = downbeat_sim::pack::pack(&[1_u64, 2, 3]);
/// ```
/// ```
/// let word: Result<u128, _> = downbeat_sim::pack::pack(&[1_u64, 2]);
/// assert_eq!(word, Ok(2 << 64 | 1));
/// ```
///
/// # Errors
/// A field exceeds the bound that it was declared with.
///
/// # Panics
/// The type fits into 128 bits, and `W` has 64.
#[inline]
pub fn pack<S: Pack, W: Word>(state: &S) -> Result<W, TooWide> {
    const { fit::assert_packable::<S>() };
    assert!(S::BITS <= W::BITS, "{} needs a word of {MAX_BITS} bits", S::NAME);
    state.pack()
}

/// The state that [`pack`] made a word from.
#[inline]
pub fn unpack<S: Pack, W: Word>(word: W) -> S {
    S::unpack(word)
}

/// A value beyond the bound that its field was declared with. The model has left its own bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooWide {
    /// The field with the type that declares it: `State::retries`, `Phase::Waiting::turns`.
    pub field: &'static str,
    /// The value that it has.
    pub value: u64,
    /// The largest value that it was declared to have.
    pub max: u64,
}

impl fmt::Display for TooWide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, value, max } = self;
        write!(f, "`{field}` is {value} and is declared to be at most {max} ({} bits)", width(*max))
    }
}

impl Error for TooWide {}

/// Bits that the numbers from 0 to `max` need.
pub const fn width(max: u64) -> u32 {
    u64::BITS - max.leading_zeros()
}

/// The largest of some widths: the bits of an enum's widest variant.
pub const fn most(widths: &[u32]) -> u32 {
    match widths {
        [] => 0,
        [first, rest @ ..] => {
            let most = most(rest);
            if *first > most { *first } else { most }
        }
    }
}
