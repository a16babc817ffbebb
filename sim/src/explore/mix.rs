//! Fixed functions that spread numbers over words: the same on every machine and in every run.

/// Odd numbers with as many ones as zeros (of wyhash).
const FACTORS: [u64; 2] = [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];

/// A word that depends on every bit of both.
#[expect(clippy::cast_possible_truncation, reason = "the halves of the product")]
pub(super) fn mix(one: u64, other: u64) -> u64 {
    let product = u128::from(one ^ FACTORS[0]) * u128::from(other ^ FACTORS[1]);
    product as u64 ^ (product >> 64) as u64
}

/// Numbers that look random, and are the same for the same seed.
#[derive(Clone, Debug)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next word (wyrand).
    pub(super) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(FACTORS[0]);
        mix(self.0, self.0 ^ FACTORS[1])
    }

    /// The next number below this one, which is not 0.
    pub(super) fn below(&mut self, below: usize) -> usize {
        scale(self.word(), below as u64).try_into().expect("it is below a usize")
    }
}

/// The word as a part of all words, as a number below this one.
pub(super) fn scale(word: u64, below: u64) -> u64 {
    ((u128::from(word) * u128::from(below)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_their_seed_and_even() {
        let mut numbers = Numbers::new(1);
        let mut counts = [0; 7];
        (0..7_000).for_each(|_| counts[numbers.below(7)] += 1);
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
        assert_eq!(Numbers::new(9).word(), Numbers::new(9).word());
        assert_ne!(Numbers::new(9).word(), Numbers::new(10).word());
    }

    #[test]
    fn mixing_is_not_symmetric() {
        assert_ne!(mix(1, 2), mix(2, 1));
        assert_eq!([scale(0, 10), scale(u64::MAX, 10), scale(1 << 63, 10)], [0, 9, 5]);
    }
}
