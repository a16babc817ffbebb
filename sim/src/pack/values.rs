//! The encodings of the standard library's values.

use super::{Pack, Packer, TooWide, Unpacker, Word};

impl Pack for () {
    const BITS: u32 = 0;

    #[inline]
    fn pack<W: Word>(&self) -> Result<W, TooWide> {
        Ok(W::ZERO)
    }

    #[inline]
    fn unpack<W: Word>(_: W) -> Self {}
}

impl Pack for bool {
    const BITS: u32 = 1;

    #[inline]
    fn pack<W: Word>(&self) -> Result<W, TooWide> {
        Ok(W::of(u64::from(*self)))
    }

    #[inline]
    fn unpack<W: Word>(word: W) -> Self {
        word.low() & 1 != 0
    }
}

macro_rules! integers {
    ($unsigned:ident, $signed:ident $(, #[$expected:meta])?) => {
        $(#[$expected])?
        impl Pack for $unsigned {
            const BITS: u32 = Self::BITS;

            #[inline]
            fn pack<W: Word>(&self) -> Result<W, TooWide> {
                Ok(W::of(*self as u64))
            }

            #[inline]
            fn unpack<W: Word>(word: W) -> Self {
                word.low() as Self
            }
        }

        impl Pack for $signed {
            const BITS: u32 = Self::BITS;

            #[inline]
            fn pack<W: Word>(&self) -> Result<W, TooWide> {
                self.cast_unsigned().pack()
            }

            #[inline]
            fn unpack<W: Word>(word: W) -> Self {
                $unsigned::unpack(word).cast_signed()
            }
        }
    };
}

integers!(u8, i8, #[expect(clippy::cast_possible_truncation, clippy::cast_lossless, reason = "see `usize`")]);
integers!(u16, i16, #[expect(clippy::cast_possible_truncation, clippy::cast_lossless, reason = "see `usize`")]);
integers!(u32, i32, #[expect(clippy::cast_possible_truncation, clippy::cast_lossless, reason = "see `usize`")]);
integers!(u64, i64);
integers!(usize, isize, #[expect(
    clippy::cast_possible_truncation,
    reason = "what is above belongs to other values; the way into a word loses nothing, and `From` has it not for all"
)]);

/// The lowest bit tells whether there is a value.
impl<T: Pack> Pack for Option<T> {
    const BITS: u32 = 1 + T::BITS;

    #[inline]
    fn pack<W: Word>(&self) -> Result<W, TooWide> {
        match self {
            None => Ok(W::ZERO),
            Some(value) => Ok(value.pack::<W>()?.up(1) | W::of(1)),
        }
    }

    #[inline]
    fn unpack<W: Word>(word: W) -> Self {
        bool::unpack(word).then(|| T::unpack(word.down(1)))
    }
}

/// The first element is the lowest.
impl<T: Pack, const N: usize> Pack for [T; N] {
    #[expect(clippy::cast_possible_truncation, reason = "an array of 2^32 elements is no part of a state")]
    const BITS: u32 = (N as u32).saturating_mul(T::BITS);

    #[inline]
    fn pack<W: Word>(&self) -> Result<W, TooWide> {
        let packed = self.iter().try_fold(Packer::default(), Packer::part)?;
        Ok(packed.word())
    }

    #[inline]
    fn unpack<W: Word>(word: W) -> Self {
        let mut parts = Unpacker::new(word);
        std::array::from_fn(|_| parts.part())
    }
}

macro_rules! tuples {
    ($($($value:ident $number:tt)+;)*) => {$(
        impl<$($value: Pack),+> Pack for ($($value,)+) {
            const BITS: u32 = 0 $(+ $value::BITS)+;

            #[inline]
            fn pack<W: Word>(&self) -> Result<W, TooWide> {
                Ok(Packer::default()$(.part(&self.$number)?)+.word())
            }

            #[inline]
            fn unpack<W: Word>(word: W) -> Self {
                let mut parts = Unpacker::new(word);
                ($(parts.part::<$value>(),)+)
            }
        }
    )*};
}

tuples! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
}
