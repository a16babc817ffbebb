//! A set of keys in one array: open addressing with linear probing, which grows by doubling.

use super::key::Key;

/// Slots of an empty table.
const LEAST: usize = 64;

/// A set of keys. It owns nothing but its array: a key costs between 1.15 and 2.3 times its size.
#[derive(Debug)]
pub(super) struct Table<K> {
    slots: Vec<K>,
    len: usize,
}

impl<K: Key> Table<K> {
    /// An empty set.
    pub(super) fn new() -> Self {
        Self { slots: vec![K::EMPTY; LEAST], len: 0 }
    }

    /// The place of a key, below [`Self::capacity`], if it is there. It moves when the table grows.
    #[inline]
    pub(super) fn find(&self, key: K) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut place = key.place() & mask;
        loop {
            let found = self.slots[place];
            if found == key {
                return Some(place);
            }
            if found == K::EMPTY {
                return None;
            }
            place = (place + 1) & mask;
        }
    }

    /// What stands where a key would stand if nothing else were there. Asked for many keys in a row, the
    /// processor fetches all these places at the same time.
    #[inline]
    pub(super) fn glance(&self, key: K) -> K {
        self.slots[key.place() & (self.slots.len() - 1)]
    }

    /// Adds a key; whether it is new.
    #[inline]
    pub(super) fn insert(&mut self, key: K) -> bool {
        let mask = self.slots.len() - 1;
        let mut place = key.place() & mask;
        loop {
            let found = self.slots[place];
            if found == key {
                return false;
            }
            if found == K::EMPTY {
                break;
            }
            place = (place + 1) & mask;
        }
        self.slots[place] = key;
        self.len += 1;
        if self.len * 8 > self.slots.len() * 7 {
            self.grow();
        }
        true
    }

    #[cold]
    fn grow(&mut self) {
        let twice = vec![K::EMPTY; self.slots.len() * 2];
        let keys = std::mem::replace(&mut self.slots, twice);
        let mask = self.slots.len() - 1;
        for key in keys.into_iter().filter(|key| *key != K::EMPTY) {
            let mut place = key.place() & mask;
            while self.slots[place] != K::EMPTY {
                place = (place + 1) & mask;
            }
            self.slots[place] = key;
        }
    }

    /// How many places there are.
    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Every key, in no order.
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
        fn table_is_a_set(keys in proptest::collection::vec(1_u64..3_000, 0..4_000)) {
            let (mut table, mut reference) = (Table::new(), BTreeSet::new());
            for key in keys {
                // All keys want the same few places.
                let key = key << 4 | 1;
                prop_assert_eq!(table.insert(key), reference.insert(key));
                prop_assert!(table.find(key).is_some());
                prop_assert_eq!(table.find(key + 1), None);
            }
            let mut keys = table.into_keys();
            keys.sort_unstable();
            prop_assert_eq!(keys, reference.into_iter().collect::<Vec<u64>>());
        }
    }
}
