//! A small memory of keys that were generated a moment ago.
//!
//! Most steps lead to states that were just found: two independent steps come to the same state in either order,
//! and in a breadth-first search both ways to it are close together. This memory fits into the nearest cache and
//! answers for four steps out of five before the visited set is asked. It forgets whatever it likes.

use super::key::Key;

/// 32 KiB of keys of one word. More answers more and is slower to ask.
const PLACES: usize = 4096;

/// Keys that a thread has seen and may have forgotten.
#[derive(Clone, Debug)]
pub(super) struct Recent<K> {
    places: Box<[K]>,
}

impl<K: Key> Recent<K> {
    /// A memory of nothing.
    pub(super) fn new() -> Self {
        Self { places: vec![K::EMPTY; PLACES].into() }
    }

    /// Whether the key is remembered; it is from now on.
    #[inline]
    pub(super) fn has_seen(&mut self, key: K) -> bool {
        // The shard takes the highest bits and the table the lowest ones.
        let place = &mut self.places[(key.place() >> 24) % PLACES];
        std::mem::replace(place, key) == key
    }
}
