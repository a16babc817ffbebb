//! Interned parts: states made of a few numbers, for systems of tasks, workers and channels.
//!
//! A state of such a system owns vectors, and most steps change one corner of it. Kept whole, it is cloned, hashed and
//! compared with each step. Kept as parts, each different corner is stored once in a table ([`Parts`]), and a state is a
//! short array of handles ([`Part`]): `Copy`, hashed and compared in nanoseconds. A step that rewrites one corner
//! replaces one handle. As few corners repeat in very many states, what a corner does is worked out once and kept in a
//! [`Memo`] (by two numbers) or in [`Notes`] (by the number of a part).
//!
//! Numbers are given in the order in which threads come, so nothing may depend on them: a handle is hashed by what it
//! stands for, has no order, and prints as its number only for the eyes of whoever debugs a model. A memo of a function
//! that depends on its arguments alone cannot be seen in any result.
//!
//! ```
//! use downbeat_sim::parts::{Memo, Parts};
//!
//! let words: Parts<String> = Parts::new();
//! let (a, b) = (words.intern("a word".into()), words.intern("a word".into()));
//! assert_eq!(a, b);
//! assert_eq!(words[a], "a word");
//!
//! let lengths: Memo<u32> = Memo::counting();
//! let length = || lengths.get_or(a.key(), 0, || u32::try_from(words[a].len()).unwrap_or(u32::MAX));
//! assert_eq!((length(), length()), (6, 6));
//! assert_eq!((lengths.counts().hits, lengths.counts().misses), (1, 1));
//! ```

mod memo;
mod shelf;

use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Index;
use std::sync::{Mutex, PoisonError};

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

pub use memo::{Counts, Memo, Word};
pub use shelf::{Notes, Shelf};

/// Any fixed number does: equal contents must hash alike on every run.
const HASHER: FixedState = FixedState::with_seed(0x7061_7274_7320_6f66);

/// Enough that some tens of threads seldom wait for each other; part of no result.
const SHARDS: usize = 64;

/// A value that is stored once in a [`Parts`], by its number there and the hash of its content.
///
/// Handles of one table are equal exactly if their contents are; those of different tables must not meet. The hash of a
/// handle is that of its content, the same in every run, process and thread, as far as the content's own `Hash` is.
// Aligned as its number: a state of several is shorter by the gaps.
#[repr(C, packed(4))]
pub struct Part<T> {
    number: u32,
    hash: u64,
    of: PhantomData<fn() -> T>,
}

/// Values of one type, each stored once.
///
/// A value is read without a lock. Interning one takes the lock of one shard in 64, also if the value is known: a model
/// on parts interns seldom, because a memo has the part already.
pub struct Parts<T> {
    shards: [Mutex<HashTable<Part<T>>>; SHARDS],
    values: Shelf<T>,
}

impl<T> Part<T> {
    /// Its number in its table, for the key of a [`Memo`]. It may differ from run to run.
    pub fn key(self) -> u32 {
        self.number
    }

    /// The hash of the content, the same in every run.
    pub fn content_hash(self) -> u64 {
        self.hash
    }

    fn new(number: u32, hash: u64) -> Self {
        Self { number, hash, of: PhantomData }
    }
}

impl<T> Clone for Part<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Part<T> {}

impl<T> PartialEq for Part<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Part<T> {}

impl<T> Hash for Part<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.content_hash());
    }
}

impl<T> fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.key())
    }
}

impl<T> Word for Part<T> {
    fn to_words(self) -> (u64, u64) {
        (self.number.into(), self.content_hash())
    }

    fn from_words(number: u64, hash: u64) -> Self {
        Self::new(u32::try_from(number).expect("the number of a part was put there"), hash)
    }
}

impl<T: Eq + Hash> Parts<T> {
    /// A table without values.
    pub fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), values: Shelf::new() }
    }

    /// The handle of a value, which is stored if it is new.
    ///
    /// # Panics
    /// The table has 2^32 − 64 values.
    pub fn intern(&self, value: T) -> Part<T> {
        let hash = HASHER.hash_one(&value);
        let shard = usize::try_from(hash % SHARDS as u64).unwrap_or_default();
        // A thread that panicked while it held the lock left the table as it was, or with one more value in it.
        let mut shard = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        let same = |part: &Part<T>| part.content_hash() == hash && self[*part] == value;
        match shard.entry(hash, same, |part| part.content_hash()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(vacant) => {
                let part = Part::new(self.values.push(value), hash);
                vacant.insert(part);
                part
            }
        }
    }
}

impl<T> Parts<T> {
    /// How many different values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Eq + Hash> Default for Parts<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Index<Part<T>> for Parts<T> {
    type Output = T;

    fn index(&self, part: Part<T>) -> &T {
        self.values.get(part.number).expect("a part is looked up in the table that gave it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::thread;

    #[test]
    fn values_are_stored_once_whichever_thread_brings_them() {
        let words: Parts<String> = Parts::new();
        let bring = |from: usize| -> Vec<Part<String>> {
            (0..3_000).map(|n| words.intern(format!("word {}", (n + from) % 1_000))).collect()
        };
        let brought: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|n| scope.spawn(move || bring(n * 250))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
        });
        assert_eq!(words.len(), 1_000);
        for (from, parts) in brought.iter().enumerate() {
            for (n, part) in parts.iter().enumerate() {
                assert_eq!(words[*part], format!("word {}", (n + from * 250) % 1_000));
            }
        }
        let numbers: HashSet<u32> = brought.iter().flatten().map(|part| part.key()).collect();
        assert_eq!(numbers.len(), 1_000);
    }

    #[test]
    fn parts_hash_by_content_and_never_by_number() {
        let (one, other) = (Parts::new(), Parts::new());
        let forward: Vec<Part<u64>> = (0..100).map(|n| one.intern(n)).collect();
        let mut backward: Vec<Part<u64>> = (0..100).rev().map(|n| other.intern(n)).collect();
        backward.reverse();
        let hashes = |parts: &[Part<u64>]| -> Vec<u64> { parts.iter().map(|p| HASHER.hash_one(p)).collect() };
        assert_eq!(hashes(&forward), hashes(&backward));
        assert_ne!(forward[0].key(), backward[0].key());
        assert_eq!(hashes(&forward).into_iter().collect::<HashSet<_>>().len(), 100);
        // What a process finds today another one has to find tomorrow.
        assert_eq!(forward[7].content_hash(), SEVEN);
    }

    /// The hash of `7_u64`.
    const SEVEN: u64 = 6_006_374_559_970_093_840;

    #[test]
    fn a_handle_is_three_short_words() {
        assert_eq!((size_of::<Part<String>>(), align_of::<Part<String>>()), (12, 4));
    }
}
