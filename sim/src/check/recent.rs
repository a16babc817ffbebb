//! A small memory of keys that were generated a moment ago.
//!
//! Most steps lead to states that were just found: two independent steps come to the same state in either order,
//! and in a breadth-first search both ways to it are close together. This memory fits into the nearest cache and
//! answers for four steps out of five before the visited set is asked. It forgets whatever it likes.

use super::key::Key;

/// 32 KiB of keys of two words. More answers more and is slower to ask.
const PLACES: usize = 1 << PLACE_BITS;
const PLACE_BITS: u32 = 11;

/// Keys that a thread has seen and may have forgotten.
#[derive(Clone, Debug)]
pub(super) struct Recent<K> {
    places: Box<[K; PLACES]>,
}

impl<K: Key> Recent<K> {
    /// A memory of nothing.
    pub(super) fn new() -> Self {
        Self { places: Box::new([K::EMPTY; PLACES]) }
    }

    /// Forgets all keys.
    pub(super) fn forget(&mut self) {
        self.places.fill(K::EMPTY);
    }

    /// Whether the key is remembered; it is from now on.
    #[inline]
    pub(super) fn has_seen(&mut self, key: K) -> bool {
        let place = &mut self.places[key.place(PLACE_BITS) % PLACES];
        std::mem::replace(place, key) == key
    }
}
