//! Numbers that look random and are always the same.

/// A number that follows from the seed and from what it is about, and from nothing else. Two that are about different things have
/// nothing to do with each other.
pub(crate) fn roll(seed: u64, about: &[u64]) -> u64 {
    about.iter().fold(mix(seed), |state, word| mix(state ^ mix(*word)))
}

/// The same, below this bound, which is not 0.
pub(crate) fn below(bound: u64, seed: u64, about: &[u64]) -> u64 {
    roll(seed, about) % bound
}

/// splitmix64: <https://prng.di.unimi.it/splitmix64.c>.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
