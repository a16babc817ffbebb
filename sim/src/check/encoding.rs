//! What is stored of a state: its fingerprint, all of it, or the word that it is packed into.

use std::borrow::Cow;
use std::marker::PhantomData;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::CheckError;
use super::key::{Key, Mix};
use super::table::Table;
use crate::model::Model;
use crate::pack::{self, Pack, Word};
use crate::report::Storage;

/// What is kept of a state in the visited set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// A fingerprint of 64 bits.
    OneWord,
    /// A fingerprint of 128 bits.
    TwoWords,
    /// The state.
    Whole,
    /// The word that it is packed into.
    Packed,
}

impl Kept {
    /// Whether states with equal keys are taken to be equal.
    #[inline]
    pub(super) fn is_by_key(self) -> bool {
        self != Kept::Whole
    }

    /// In words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kept::OneWord => "fingerprints of 64 bits",
            Kept::TwoWords => "fingerprints of 128 bits",
            Kept::Whole => "whole states",
            Kept::Packed => "packed states",
        }
    }

    /// What the report says about it.
    pub(super) fn storage(self) -> Storage {
        match self {
            Kept::OneWord => Storage::Fingerprint { bits: 64 },
            Kept::TwoWords => Storage::Fingerprint { bits: 128 },
            Kept::Whole | Kept::Packed => Storage::Exact,
        }
    }

    /// The bytes, from the highest on, in which keys of this type differ.
    pub(super) fn key_bytes<K: Key>(self) -> usize {
        match self {
            Kept::OneWord => size_of::<u64>(),
            Kept::TwoWords | Kept::Whole | Kept::Packed => K::BYTES,
        }
    }
}

/// How states of a model are told apart and kept until they are expanded. Of what is kept it is told each time: a search
/// of a model is compiled once for all that one encoding can keep.
pub(super) trait Encoding<M: Model>: 'static {
    /// What the visited set is asked with.
    type Key: Key;
    /// What is needed beside the key to have the state back.
    type Body: Clone + Send + Sync;
    /// One part of the visited set.
    type Visited: Visited<Self::Key, Self::Body>;

    /// A part of the visited set, of no states.
    fn nothing(kept: Kept) -> Self::Visited;

    /// The key of a state and the rest of it.
    fn encode(kept: Kept, state: M::State) -> Result<Encoded<M, Self>, Box<CheckError>>
    where
        Self: Sized;

    /// The rest of a state, if its key is all that is needed to have it back.
    fn of_key(key: Self::Key) -> Option<Self::Body>;

    /// The state that was encoded.
    fn decode(key: Self::Key, body: &Self::Body) -> Cow<'_, M::State>;
}

/// A key and the rest of a state.
pub(super) type Encoded<M, E> = (<E as Encoding<M>>::Key, <E as Encoding<M>>::Body);

/// A set of states.
pub(super) trait Visited<K, B>: Send + Sync {
    /// The keys that are there, in ascending order.
    fn into_keys(self) -> Vec<K>;
    /// The place of a state, below [`Self::places`], if it is there.
    fn find(&self, key: K, body: &B) -> Option<usize>;
    /// Whether a look at one place is enough to see that the state is there.
    fn is_at_hand(&self, key: K) -> bool;
    /// Adds a state; whether it is new.
    fn insert(&mut self, key: K, body: &B) -> bool;
    /// How many places there are.
    fn places(&self) -> usize;
    /// Bytes in use, without what states own on the heap.
    fn memory(&self) -> u64;
}

impl<K: Key> Visited<K, ()> for Table<K> {
    fn into_keys(self) -> Vec<K> {
        self.into_keys()
    }

    #[inline]
    fn find(&self, key: K, (): &()) -> Option<usize> {
        self.find(key)
    }

    #[inline]
    fn is_at_hand(&self, key: K) -> bool {
        self.glance(key) == key
    }

    #[inline]
    fn insert(&mut self, key: K, (): &()) -> bool {
        self.insert(key)
    }

    fn places(&self) -> usize {
        self.capacity()
    }

    fn memory(&self) -> u64 {
        self.memory()
    }
}

/// States by their hashes: a fingerprint of one word or two, which two states with one are taken to be one by, or what
/// finds a state among whole ones, which are compared. A fingerprint of one word is the high half of a key whose low
/// half is zero.
pub(super) struct Hashed;

impl<M: Model> Encoding<M> for Hashed {
    type Key = u128;
    type Body = M::State;
    type Visited = Seen<M::State>;

    fn nothing(kept: Kept) -> Seen<M::State> {
        match kept {
            Kept::OneWord => Seen::OneWord(Table::new()),
            Kept::TwoWords => Seen::TwoWords(Table::new()),
            Kept::Whole => Seen::Whole(States::new()),
            Kept::Packed => unreachable!("packed states have an encoding of their own"),
        }
    }

    #[inline]
    fn encode(kept: Kept, state: M::State) -> Result<(u128, M::State), Box<CheckError>> {
        let key =
            if kept == Kept::TwoWords { u128::fingerprint(&state) } else { widen(u64::fingerprint(&state)) };
        Ok((key, state))
    }

    fn of_key(_: u128) -> Option<M::State> {
        None
    }

    #[inline]
    fn decode(_: u128, body: &M::State) -> Cow<'_, M::State> {
        Cow::Borrowed(body)
    }
}

#[inline]
fn widen(word: u64) -> u128 {
    u128::from(word) << 64
}

#[inline]
fn narrow(key: u128) -> u64 {
    (key >> 64) as u64
}

/// States that were hashed.
pub(super) enum Seen<S> {
    OneWord(Table<u64>),
    TwoWords(Table<u128>),
    Whole(States<S>),
}

impl<S: Eq + Clone + Send + Sync> Visited<u128, S> for Seen<S> {
    fn into_keys(self) -> Vec<u128> {
        match self {
            Seen::OneWord(table) => table.into_keys().into_iter().map(widen).collect(),
            Seen::TwoWords(table) => table.into_keys(),
            Seen::Whole(states) => states.into_keys().into_iter().map(widen).collect(),
        }
    }

    #[inline]
    fn find(&self, key: u128, body: &S) -> Option<usize> {
        match self {
            Seen::OneWord(table) => table.find(narrow(key)),
            Seen::TwoWords(table) => table.find(key),
            Seen::Whole(states) => states.find(narrow(key), body),
        }
    }

    #[inline]
    fn is_at_hand(&self, key: u128) -> bool {
        match self {
            Seen::OneWord(table) => table.glance(narrow(key)) == narrow(key),
            Seen::TwoWords(table) => table.glance(key) == key,
            Seen::Whole(_) => false,
        }
    }

    #[inline]
    fn insert(&mut self, key: u128, body: &S) -> bool {
        match self {
            Seen::OneWord(table) => table.insert(narrow(key)),
            Seen::TwoWords(table) => table.insert(key),
            Seen::Whole(states) => states.insert(narrow(key), body),
        }
    }

    fn places(&self) -> usize {
        match self {
            Seen::OneWord(table) => table.capacity(),
            Seen::TwoWords(table) => table.capacity(),
            Seen::Whole(states) => states.states.len(),
        }
    }

    fn memory(&self) -> u64 {
        match self {
            Seen::OneWord(table) => table.memory(),
            Seen::TwoWords(table) => table.memory(),
            Seen::Whole(states) => states.memory(),
        }
    }
}

/// States as the words that they are packed into, mixed. No two states have one word, so the keys are exact, and
/// nothing but the key is kept of a state.
pub(super) struct Packed<W>(PhantomData<W>);

impl<M: Model<State: Pack>, W: Word + Mix> Encoding<M> for Packed<W> {
    type Key = W;
    type Body = ();
    type Visited = Table<W>;

    fn nothing(_: Kept) -> Table<W> {
        Table::new()
    }

    #[inline]
    fn encode(_: Kept, state: M::State) -> Result<(W, ()), Box<CheckError>> {
        match pack::pack::<M::State, W>(&state) {
            // A word that is not full has another key than that of no state.
            Ok(word) if <M::State as Pack>::BITS < <W as Word>::BITS || word.mix() != W::EMPTY => {
                Ok((word.mix(), ()))
            }
            Ok(_) => Err(Box::new(CheckError::FullWord)),
            Err(wide) => Err(Box::new(CheckError::TooWide(wide))),
        }
    }

    fn of_key(_: W) -> Option<()> {
        Some(())
    }

    #[inline]
    fn decode(key: W, (): &()) -> Cow<'_, M::State> {
        Cow::Owned(pack::unpack(key.unmix()))
    }
}

/// Whole states, found by their hashes.
pub(super) struct States<S> {
    table: HashTable<(u64, usize)>,
    states: Vec<S>,
}

impl<S: Eq + Clone> States<S> {
    fn new() -> Self {
        Self { table: HashTable::new(), states: Vec::new() }
    }

    fn into_keys(self) -> Vec<u64> {
        let mut keys: Vec<u64> = self.table.into_iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys
    }

    fn find(&self, key: u64, body: &S) -> Option<usize> {
        let same = |(other, place): &(u64, usize)| *other == key && self.states[*place] == *body;
        self.table.find(key, same).map(|(_, place)| *place)
    }

    fn insert(&mut self, key: u64, body: &S) -> bool {
        let Self { table, states } = self;
        let same = |(other, place): &(u64, usize)| *other == key && states[*place] == *body;
        match table.entry(key, same, |(key, _)| *key) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert((key, states.len()));
                states.push(body.clone());
                true
            }
        }
    }

    fn memory(&self) -> u64 {
        let table = self.table.capacity() * (size_of::<(u64, usize)>() + 1);
        (self.states.capacity() * size_of::<S>() + table) as u64
    }
}
