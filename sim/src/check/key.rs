//! Keys: what the visited set stores of a state, one or two machine words that are spread evenly.
//!
//! A key is either a fingerprint of the state, or the packed state itself mixed by a bijection, so that it can
//! be had back. Neither depends on the run or the process; on the machine, fingerprints depend by the size and the
//! byte order of its words, in which `Hash` writes lengths, variants and slices.

use std::hash::{BuildHasher, Hash};

use foldhash::quality::FixedState;

/// The visited set is divided into so many parts by the highest bits of a key: enough that some tens of threads
/// share the work evenly; part of no result.
pub(super) const SHARDS: usize = 1 << SHARD_BITS;
const SHARD_BITS: u32 = 5;

/// Any fixed numbers do: the same states must hash alike on every run.
const HASHER: FixedState = FixedState::with_seed(0x646f_776e_6265_6174);
const SECOND_HASHER: FixedState = FixedState::with_seed(0x6b65_726e_656c_2121);

/// A word or two that stand for a state in the visited set.
pub(super) trait Key: Copy + Ord + Hash + Send + Sync + std::fmt::Debug + 'static {
    /// In the place of a key that is not there: greater than all. No state has it.
    const EMPTY: Self;
    /// Bytes of the key on disk.
    const BYTES: usize;

    /// The fingerprint of a value: equal for equal values if their `Hash` agrees with `Eq`.
    fn fingerprint(value: &impl Hash) -> Self;

    /// A place for the key among 2^`bits`, by the bits below those of the shard, which are the best mixed ones.
    fn place(self, bits: u32) -> usize;

    /// The part of the visited set that the key belongs to, by its highest bits: keys of a lower shard are less.
    fn shard(self) -> usize;

    /// A part of the key, for sums over many.
    fn digest(self) -> u64;

    /// Appends the key in [`Self::BYTES`] bytes that sort as the keys do.
    fn write(self, bytes: &mut Vec<u8>);

    /// Reads what [`Self::write`] wrote.
    fn read(bytes: &[u8]) -> Self;
}

#[expect(clippy::cast_possible_truncation, reason = "the place is a part of the key, whichever part")]
impl Key for u64 {
    const EMPTY: Self = Self::MAX;
    const BYTES: usize = 8;

    fn fingerprint(value: &impl Hash) -> Self {
        HASHER.hash_one(value).min(Self::MAX - 1)
    }

    #[inline]
    fn place(self, bits: u32) -> usize {
        (self << SHARD_BITS >> (64 - bits)) as usize
    }

    #[inline]
    fn shard(self) -> usize {
        (self >> (64 - SHARD_BITS)) as usize
    }

    fn digest(self) -> u64 {
        self
    }

    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_be_bytes());
    }

    fn read(bytes: &[u8]) -> Self {
        bytes[..8].iter().fold(0, |word, byte| word << 8 | Self::from(*byte))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the place is a part of the key, whichever part")]
impl Key for u128 {
    const EMPTY: Self = Self::MAX;
    const BYTES: usize = 16;

    fn fingerprint(value: &impl Hash) -> Self {
        let (high, low) = (HASHER.hash_one(value), SECOND_HASHER.hash_one(value));
        (Self::from(high) << 64 | Self::from(low)).min(Self::MAX - 1)
    }

    #[inline]
    fn place(self, bits: u32) -> usize {
        (self << SHARD_BITS >> (128 - bits)) as usize
    }

    #[inline]
    fn shard(self) -> usize {
        (self >> (128 - SHARD_BITS)) as usize
    }

    fn digest(self) -> u64 {
        (self >> 64) as u64 ^ self as u64
    }

    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend(self.to_be_bytes());
    }

    fn read(bytes: &[u8]) -> Self {
        bytes[..16].iter().fold(0, |word, byte| word << 8 | Self::from(*byte))
    }
}

/// A word that can be mixed into a key and had back. All bits set is the one word that has no key.
pub(super) trait Mix: Key {
    /// A bijection that spreads words of few bits over all bits.
    fn mix(self) -> Self;
    /// The word that [`Self::mix`] made a key of.
    fn unmix(self) -> Self;
}

/// An odd number whose products have well mixed upper bits (a constant of Pelle Evensen's `rrmxmx`).
const FACTOR: u64 = 0x9fb2_1c65_1e98_df25;
const INVERSE: u64 = inverse(FACTOR);

/// The number that undoes the multiplication by an odd one, by Newton's iteration.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut round = 0;
    // Each round doubles the number of correct low bits; an odd number is its own inverse in three of them.
    while round < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}

/// A bijection of words that leaves 0 where it is.
#[inline]
fn scramble(word: u64) -> u64 {
    let word = (word ^ word >> 32).wrapping_mul(FACTOR);
    let word = (word ^ word >> 32).wrapping_mul(FACTOR);
    word ^ word >> 32
}

/// Undoes [`scramble`].
#[inline]
fn unscramble(word: u64) -> u64 {
    let word = (word ^ word >> 32).wrapping_mul(INVERSE);
    let word = (word ^ word >> 32).wrapping_mul(INVERSE);
    word ^ word >> 32
}

/// A word takes part in the search of few bits, and one multiplication spreads them well enough over the highest
/// ones, which are all that places are made of.
impl Mix for u64 {
    #[inline]
    fn mix(self) -> Self {
        let word = !self;
        !(word ^ word >> 32).wrapping_mul(FACTOR)
    }

    #[inline]
    fn unmix(self) -> Self {
        let word = (!self).wrapping_mul(INVERSE);
        !(word ^ word >> 32)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a word are taken apart and mixed in turn")]
impl Mix for u128 {
    #[inline]
    fn mix(self) -> Self {
        let (mut high, mut low) = ((!self >> 64) as u64, !self as u64);
        low = scramble(low);
        high = scramble(high ^ low);
        low = scramble(low ^ high.rotate_left(21));
        !(Self::from(high) << 64 | Self::from(low))
    }

    #[inline]
    fn unmix(self) -> Self {
        let (mut high, mut low) = ((!self >> 64) as u64, !self as u64);
        low = unscramble(low) ^ high.rotate_left(21);
        high = unscramble(high) ^ low;
        low = unscramble(low);
        !(Self::from(high) << 64 | Self::from(low))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_are_had_back_from_their_keys(word in any::<u128>()) {
            prop_assert_eq!(word.mix().unmix(), word);
            let low = u64::try_from(word >> 64).unwrap_or(0);
            prop_assert_eq!(low.mix().unmix(), low);
        }

        #[test]
        fn keys_are_written_in_their_order(one in any::<u128>(), other in any::<u128>()) {
            let (mut first, mut second) = (Vec::new(), Vec::new());
            one.write(&mut first);
            other.write(&mut second);
            prop_assert_eq!(first.cmp(&second), one.cmp(&other));
            prop_assert_eq!(u128::read(&first), one);
        }
    }

    #[test]
    fn only_a_full_word_has_the_empty_key() {
        assert_eq!((u64::MAX.mix(), u64::EMPTY.unmix()), (u64::EMPTY, u64::MAX));
        assert_eq!((u128::MAX.mix(), u128::EMPTY.unmix()), (u128::EMPTY, u128::MAX));
        assert_eq!(u64::read(&[0, 0, 0, 0, 0, 0, 1, 2]), 258);
    }

    #[test]
    #[cfg(all(target_pointer_width = "64", target_endian = "little"))]
    fn fingerprints_are_the_recorded_ones() {
        // A change makes every saved checkpoint useless and needs a new version of it. `Hash` writes lengths and the
        // numbers of variants in words of the machine, and slices as they lie in memory.
        let narrow = [
            u64::fingerprint(&7_u8),
            u64::fingerprint(&(1_u32, "two")),
            u64::fingerprint(&Some([3_u16, 4])),
            u64::fingerprint(&vec![Some(5_u64), None]),
        ];
        let recorded =
            [0x3c7e_7f99_defe_2e6d, 0xd6a6_adff_8f5c_57a8, 0x1535_9770_26b2_4121, 0x9596_cbf1_96a1_017c];
        assert_eq!(narrow, recorded, "{narrow:#018x?}");
        let wide = [u128::fingerprint(&7_u8), u128::fingerprint(&(1_u32, "two"))];
        let recorded = [0x3c7e_7f99_defe_2e6d_99a0_99a3_ab1f_6462, 0xd6a6_adff_8f5c_57a8_86c7_20a8_3b42_4233];
        assert_eq!(wide, recorded, "{wide:#034x?}");
    }
}
