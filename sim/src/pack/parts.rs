//! Values of several parts, one beside the other in a word.

use super::{Pack, TooWide, Word, width};

/// Packs the parts of a value, the first one lowest.
///
/// ```
/// use downbeat_sim::pack::{Pack, Packer, TooWide, Unpacker, Word};
///
/// #[derive(Debug, PartialEq)]
/// struct Point { x: u8, y: u8 }
///
/// impl Pack for Point {
///     const BITS: u32 = 2 * u8::BITS;
///     fn pack<W: Word>(&self) -> Result<W, TooWide> {
///         Ok(Packer::default().part(&self.x)?.part(&self.y)?.word())
///     }
///     fn unpack<W: Word>(word: W) -> Self {
///         let mut parts = Unpacker::new(word);
///         Point { x: parts.part(), y: parts.part() }
///     }
/// }
/// let word: u64 = Point { x: 1, y: 2 }.pack()?;
/// assert_eq!((word, Point::unpack(word)), (0x0201, Point { x: 1, y: 2 }));
/// # Ok::<(), TooWide>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Packer<W> {
    word: W,
    /// Where the next part begins.
    at: u32,
}

impl<W: Word> Default for Packer<W> {
    #[inline]
    fn default() -> Self {
        Self { word: W::ZERO, at: 0 }
    }
}

impl<W: Word> Packer<W> {
    /// Adds a number that is known to fit into so many bits, such as that of a variant.
    #[inline]
    #[must_use]
    pub fn number(self, number: u64, bits: u32) -> Self {
        Self { word: self.word | W::of(number).up(self.at), at: self.at + bits }
    }

    /// Adds a value with all its bits.
    ///
    /// # Errors
    /// A field of the value exceeds the bound that it was declared with.
    #[inline]
    pub fn part<T: Pack>(self, value: &T) -> Result<Self, TooWide> {
        // Half a word at a time: shifts of 128 bits cost several times as much as those of 64.
        let part = if T::BITS <= u64::BITS { W::of(value.pack::<u64>()?) } else { value.pack::<W>()? };
        Ok(Self { word: self.word | part.up(self.at), at: self.at + T::BITS })
    }

    /// Adds an unsigned number with the bits that the numbers up to `max` need.
    ///
    /// # Errors
    /// It is more than `max`; the error calls it `field`.
    #[inline]
    pub fn bounded<T: Pack>(self, value: &T, max: u64, field: &'static str) -> Result<Self, TooWide> {
        let value = value.pack::<u64>()?;
        if value > max { Err(TooWide { field, value, max }) } else { Ok(self.number(value, width(max))) }
    }

    /// The word of all the parts.
    #[inline]
    pub fn word(self) -> W {
        self.word
    }
}

/// Unpacks the parts of a value in the order in which a [`Packer`] packed them.
#[derive(Clone, Copy, Debug)]
pub struct Unpacker<W> {
    /// What is left: the next part begins at the lowest bit.
    rest: W,
}

impl<W: Word> Unpacker<W> {
    /// Begins at the lowest bit.
    #[inline]
    pub fn new(word: W) -> Self {
        Self { rest: word }
    }

    /// Takes the number in the next `bits` bits, at most 64.
    #[inline]
    pub fn number(&mut self, bits: u32) -> u64 {
        let number = self.rest.keep(bits).low();
        self.rest = self.rest.down(bits);
        number
    }

    /// Takes the value that [`Packer::part`] packed.
    #[inline]
    pub fn part<T: Pack>(&mut self) -> T {
        let value = if T::BITS <= u64::BITS { T::unpack(self.rest.low()) } else { T::unpack(self.rest) };
        self.rest = self.rest.down(T::BITS);
        value
    }

    /// Takes the number that [`Packer::bounded`] packed.
    #[inline]
    pub fn bounded<T: Pack>(&mut self, max: u64) -> T {
        T::unpack(self.number(width(max)))
    }
}
