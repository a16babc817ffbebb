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

/// How states of a model are told apart and kept until they are expanded.
pub(super) trait Encoding<M: Model>: 'static {
    /// What the visited set is asked with.
    type Key: Key;
    /// What is needed beside the key to have the state back.
    type Body: Clone + Send + Sync;
    /// One part of the visited set.
    type Visited: Visited<Self::Key, Self::Body>;
    /// Whether states with equal keys are taken to be equal.
    const BY_KEY: bool;
    /// The encoding in words.
    const NAME: &'static str;
    /// What the report says about it.
    const STORAGE: Storage;

    /// The key of a state and the rest of it.
    fn encode(state: M::State) -> Result<Encoded<M, Self>, Box<CheckError>>
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
    /// A set of none.
    fn new() -> Self;
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

impl<K: Key, B> Visited<K, B> for Table<K> {
    fn new() -> Self {
        Table::new()
    }

    fn into_keys(self) -> Vec<K> {
        self.into_keys()
    }

    #[inline]
    fn find(&self, key: K, _: &B) -> Option<usize> {
        self.find(key)
    }

    #[inline]
    fn is_at_hand(&self, key: K) -> bool {
        self.glance(key) == key
    }

    #[inline]
    fn insert(&mut self, key: K, _: &B) -> bool {
        self.insert(key)
    }

    fn places(&self) -> usize {
        self.capacity()
    }

    fn memory(&self) -> u64 {
        (self.capacity() * size_of::<K>()) as u64
    }
}

/// States as their fingerprints of one word or two. Two states with one fingerprint are taken to be one.
pub(super) struct Fingerprint<K>(PhantomData<K>);

impl<M: Model, K: Key> Encoding<M> for Fingerprint<K> {
    type Key = K;
    type Body = M::State;
    type Visited = Table<K>;
    const BY_KEY: bool = true;
    const NAME: &'static str =
        if K::BITS == 64 { "fingerprints of 64 bits" } else { "fingerprints of 128 bits" };
    const STORAGE: Storage = Storage::Fingerprint { bits: K::BITS };

    #[inline]
    fn encode(state: M::State) -> Result<(K, M::State), Box<CheckError>> {
        Ok((K::fingerprint(&state), state))
    }

    fn of_key(_: K) -> Option<M::State> {
        None
    }

    #[inline]
    fn decode(_: K, body: &M::State) -> Cow<'_, M::State> {
        Cow::Borrowed(body)
    }
}

/// States as the words that they are packed into, mixed. No two states have one word, so the keys are exact, and
/// nothing but the key is kept of a state.
pub(super) struct Packed<W>(PhantomData<W>);

impl<M: Model<State: Pack>, W: Word + Mix> Encoding<M> for Packed<W> {
    type Key = W;
    type Body = ();
    type Visited = Table<W>;
    const BY_KEY: bool = true;
    const NAME: &'static str = "packed states";
    const STORAGE: Storage = Storage::Exact;

    #[inline]
    fn encode(state: M::State) -> Result<(W, ()), Box<CheckError>> {
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

/// States as they are, stored whole and compared.
pub(super) struct Whole;

impl<M: Model> Encoding<M> for Whole {
    type Key = u64;
    type Body = M::State;
    type Visited = States<M::State>;
    const BY_KEY: bool = false;
    const NAME: &'static str = "whole states";
    const STORAGE: Storage = Storage::Exact;

    #[inline]
    fn encode(state: M::State) -> Result<(u64, M::State), Box<CheckError>> {
        Ok((u64::fingerprint(&state), state))
    }

    fn of_key(_: u64) -> Option<M::State> {
        None
    }

    #[inline]
    fn decode(_: u64, body: &M::State) -> Cow<'_, M::State> {
        Cow::Borrowed(body)
    }
}

/// Whole states, found by their keys.
pub(super) struct States<S> {
    table: HashTable<(u64, usize)>,
    states: Vec<S>,
}

impl<S: Eq + Clone + Send + Sync> Visited<u64, S> for States<S> {
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

    fn is_at_hand(&self, _: u64) -> bool {
        false
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

    fn places(&self) -> usize {
        self.states.len()
    }

    fn memory(&self) -> u64 {
        let table = self.table.capacity() * (size_of::<(u64, usize)>() + 1);
        (self.states.capacity() * size_of::<S>() + table) as u64
    }
}
