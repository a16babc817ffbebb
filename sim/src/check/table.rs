//! A set of keys in one array: open addressing with linear probing, in the order of the keys.
//!
//! The place of a key is given by its highest bits, so that greater keys have greater places, and keys are kept
//! sorted throughout. A search for a key that is not there ends at the first greater one, after a few places
//! even in a table that is nearly full, and the keys come out sorted.

use super::key::Key;

/// An empty table has 2^6 places.
const LEAST_BITS: u32 = 6;
/// Places behind the last one, for keys that are pushed aside there; as many more whenever they run out.
const MARGIN: usize = 64;

/// A set of keys. It owns nothing but its array: a key costs between 1.15 and 2.3 times its size.
#[derive(Debug)]
pub(super) struct Table<K> {
    /// The keys in ascending order, with [`Key::EMPTY`], which is greater than all, between them.
    slots: Vec<K>,
    /// Keys belong to one of the first 2^`bits` slots.
    bits: u32,
    len: usize,
}

impl<K: Key> Table<K> {
    /// An empty set.
    pub(super) fn new() -> Self {
        Self::with_bits(LEAST_BITS)
    }

    fn with_bits(bits: u32) -> Self {
        Self { slots: vec![K::EMPTY; (1 << bits) + MARGIN], bits, len: 0 }
    }

    /// The first place from where the key belongs on that has no lesser key. The last slot is always empty.
    #[inline]
    fn place(&self, key: K) -> usize {
        let mut place = key.place(self.bits);
        while self.slots[place] < key {
            place += 1;
        }
        place
    }

    /// The place of a key, below [`Self::capacity`], if it is there. It moves when keys are added.
    #[inline]
    pub(super) fn find(&self, key: K) -> Option<usize> {
        let place = self.place(key);
        (self.slots[place] == key).then_some(place)
    }

    /// What stands where a key would stand if nothing else were there. Asked for many keys in a row, the
    /// processor fetches all these places at the same time.
    #[inline]
    pub(super) fn glance(&self, key: K) -> K {
        self.slots[key.place(self.bits)]
    }

    /// Adds a key; whether it is new.
    #[inline]
    pub(super) fn insert(&mut self, key: K) -> bool {
        let place = self.place(key);
        if self.slots[place] == key {
            return false;
        }
        self.insert_at(place, key);
        true
    }

    #[inline]
    fn insert_at(&mut self, place: usize, key: K) {
        // Everything up to the next gap moves by one.
        let mut moved = key;
        for slot in &mut self.slots[place..] {
            std::mem::swap(slot, &mut moved);
            if moved == K::EMPTY {
                break;
            }
        }
        self.len += 1;
        if self.slots.last() != Some(&K::EMPTY) {
            self.slots.extend([K::EMPTY; MARGIN]);
        }
        if self.len * 8 > 7 << self.bits {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let mut wider = Self::with_bits(self.bits + 1);
        let mut least = 0;
        for key in self.slots.iter().copied().filter(|key| *key != K::EMPTY) {
            // In ascending order each key goes where it belongs, or right behind the one before.
            let place = key.place(wider.bits).max(least);
            if place + 1 >= wider.slots.len() {
                wider.slots.extend([K::EMPTY; MARGIN]);
            }
            wider.slots[place] = key;
            least = place + 1;
        }
        wider.len = self.len;
        *self = wider;
    }

    /// How many places there are.
    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Bytes in use.
    pub(super) fn memory(&self) -> u64 {
        (self.capacity() * size_of::<K>()) as u64
    }

    /// Every key, in ascending order.
    pub(super) fn into_keys(self) -> Vec<K> {
        let mut keys = self.slots;
        keys.retain(|key| *key != K::EMPTY);
        keys
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn table_is_a_sorted_set(
            keys in proptest::collection::vec(0_u64..3_000, 0..4_000),
            // All keys want the same few places, also the last ones, or are spread.
            base in prop_oneof![Just(0), Just(1 << 63), Just(u64::MAX - 3_001)],
            spread in prop_oneof![Just(1), Just(1 << 46)],
        ) {
            let (mut table, mut reference) = (Table::new(), BTreeSet::new());
            for key in keys {
                let key = (base + key).wrapping_mul(spread).min(u64::MAX - 1);
                prop_assert_eq!(table.find(key).is_some(), reference.contains(&key));
                prop_assert_eq!(table.insert(key), reference.insert(key));
                prop_assert!(table.find(key).is_some_and(|place| place < table.capacity()));
            }
            prop_assert_eq!(table.into_keys(), reference.into_iter().collect::<Vec<u64>>());
        }
    }
}
