//! The machine words that states are packed into.

use std::fmt::Debug;
use std::hash::Hash;
use std::ops::BitOr;

/// An unsigned integer of 64 or 128 bits.
pub trait Word: Sealed + Copy + Debug + Ord + Hash + Send + Sync + BitOr<Output = Self> + 'static {
    /// Bits of the word.
    const BITS: u32;
    /// No bit is set.
    const ZERO: Self;

    /// The word with this number in it.
    fn of(number: u64) -> Self;

    /// The lowest 64 bits.
    fn low(self) -> u64;

    /// The word with every bit `bits` places higher. By all the places of a word it is a shift by none: a value
    /// that takes no bits may stand behind the last one.
    #[must_use]
    fn up(self, bits: u32) -> Self;

    /// The word with every bit `bits` places lower. By all the places of a word it is a shift by none.
    #[must_use]
    fn down(self, bits: u32) -> Self;

    /// The lowest `bits` bits, with zeros above.
    #[must_use]
    fn keep(self, bits: u32) -> Self;
}

/// Encodings rely on the words that there are.
pub trait Sealed {}

macro_rules! word {
    ($word:ty, $of:expr, $low:expr) => {
        impl Sealed for $word {}

        impl Word for $word {
            const BITS: u32 = <$word>::BITS;
            const ZERO: Self = 0;

            #[inline]
            fn of(number: u64) -> Self {
                $of(number)
            }

            #[inline]
            fn low(self) -> u64 {
                $low(self)
            }

            #[inline]
            fn up(self, bits: u32) -> Self {
                self.wrapping_shl(bits)
            }

            #[inline]
            fn down(self, bits: u32) -> Self {
                self.wrapping_shr(bits)
            }

            #[inline]
            fn keep(self, bits: u32) -> Self {
                self & Self::MAX.checked_shr(Self::BITS.saturating_sub(bits)).unwrap_or(0)
            }
        }
    };
}

word!(u64, std::convert::identity, std::convert::identity);
word!(u128, u128::from, low_half);

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
fn low_half(word: u128) -> u64 {
    word as u64
}
