//! The states that were found: stored once, found by hash, numbered in the order of discovery.
//!
//! The storage is divided into a fixed number of shards by hash, so that threads can insert into different
//! shards at once without a lock. A state keeps its place ([`StateId`]); its *rank* is its number in the order
//! in which a breadth-first search on one thread finds it. Everything that is reported goes by rank, so that it
//! depends neither on threads nor on the hash.

use std::hash::{BuildHasher, Hash};
use std::ops::Range;

use foldhash::quality::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Enough that some tens of threads share the work evenly; part of no result.
const SHARD_BITS: u32 = 5;
const SHARDS: usize = 1 << SHARD_BITS;

/// Half of what [`StateId`] can tell apart, so that uneven shards do not overflow it.
pub(super) const MAX_STATES: usize = 1 << 31;

/// Any fixed number does: the same states must hash alike on every run.
const HASHER: FixedState = FixedState::with_seed(0x646f_776e_6265_6174);

/// The place of a stored state: the shard in the low bits, the place within it above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StateId(u32);

impl StateId {
    /// In the place of the predecessor of an initial state. No state has it.
    const NONE: StateId = StateId(u32::MAX);

    fn new(shard: usize, local: usize) -> Self {
        let id = u64::try_from(local)
            .ok()
            .and_then(|local| u32::try_from((local << SHARD_BITS) | shard as u64).ok());
        StateId(id.expect("the search ends at MAX_STATES, long before a shard is full"))
    }

    fn shard(self) -> usize {
        self.0 as usize % SHARDS
    }

    fn local(self) -> usize {
        self.0 as usize / SHARDS
    }
}

/// Where a state belongs: its shard, and 32 bits of its hash that stand for it in the shard's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    shard: u8,
    tag: u32,
}

impl Key {
    /// The key of a state; equal for equal states if their `Hash` agrees with `Eq`.
    #[expect(clippy::cast_possible_truncation, reason = "the low bits of a hash are as good as the others")]
    pub(super) fn of<S: Hash>(state: &S) -> Self {
        let hash = HASHER.hash_one(state);
        Key { shard: (hash >> (64 - SHARD_BITS)) as u8, tag: hash as u32 }
    }
}

/// A state that was just generated and is perhaps new.
struct Candidate<S> {
    state: S,
    parent: StateId,
    tag: u32,
    /// Number among the candidates of its batch, for the order of discovery.
    sequence: u32,
}

/// States that some expansion found and that are perhaps new, in order, sorted by shard.
pub(super) struct Batch<S> {
    columns: Vec<Vec<Candidate<S>>>,
    sequence: u32,
}

impl<S> Batch<S> {
    /// An empty batch.
    pub(super) fn new() -> Self {
        Self { columns: (0..SHARDS).map(|_| Vec::new()).collect(), sequence: 0 }
    }

    /// Appends a state that was reached from `parent`.
    pub(super) fn push(&mut self, key: Key, state: S, parent: StateId) {
        let candidate = Candidate { state, parent, tag: key.tag, sequence: self.sequence };
        self.columns[usize::from(key.shard)].push(candidate);
        self.sequence += 1;
    }
}

/// All states that were found.
pub(super) struct Space<S> {
    shards: Vec<Shard<S>>,
    /// Every state in the order of discovery: the index is the rank.
    order: Vec<StateId>,
    /// The rank at which each level begins: level 0 has the initial states.
    levels: Vec<usize>,
}

struct Shard<S> {
    table: HashTable<Slot>,
    states: Vec<S>,
    parents: Vec<StateId>,
}

#[derive(Clone, Copy)]
struct Slot {
    tag: u32,
    local: u32,
}

impl<S: Eq + Hash + Send + Sync> Space<S> {
    /// The space of the initial states, in the order given.
    pub(super) fn new(initial: Vec<S>) -> Self {
        let shard = || Shard { table: HashTable::new(), states: Vec::new(), parents: Vec::new() };
        let mut space =
            Space { shards: (0..SHARDS).map(|_| shard()).collect(), order: Vec::new(), levels: vec![0] };
        let mut batch = Batch::new();
        for state in initial {
            batch.push(Key::of(&state), state, StateId::NONE);
        }
        space.insert(std::slice::from_mut(&mut batch), 1);
        space
    }

    /// Stores the new ones among the states of `batches` and empties these.
    pub(super) fn insert(&mut self, batches: &mut [Batch<S>], threads: usize) {
        let mut columns: Vec<Vec<&mut Vec<Candidate<S>>>> =
            (0..SHARDS).map(|_| Vec::with_capacity(batches.len())).collect();
        for batch in batches {
            batch.sequence = 0;
            for (shard, column) in batch.columns.iter_mut().enumerate() {
                columns[shard].push(column);
            }
        }
        let mut found: Vec<Vec<(u64, StateId)>> = (0..SHARDS).map(|_| Vec::new()).collect();
        let jobs = self.shards.iter_mut().zip(columns).zip(&mut found).enumerate();
        super::crew::for_each(threads, jobs, |(shard_number, ((shard, columns), found))| {
            for (batch_number, column) in columns.into_iter().enumerate() {
                for candidate in column.drain(..) {
                    let position = (batch_number as u64) << 32 | u64::from(candidate.sequence);
                    if let Some(local) = shard.insert(candidate) {
                        found.push((position, StateId::new(shard_number, local)));
                    }
                }
            }
        });
        let mut found: Vec<(u64, StateId)> = found.into_iter().flatten().collect();
        found.sort_unstable_by_key(|(position, _)| *position);
        self.order.extend(found.into_iter().map(|(_, id)| id));
    }

    /// Begins a new level after the states that are stored, and returns the ranks of the one that it ends.
    /// `None`: there was no state in it.
    pub(super) fn close_level(&mut self) -> Option<Range<usize>> {
        let begin = *self.levels.last().expect("level 0 exists from the start");
        let end = self.order.len();
        (begin < end).then(|| {
            self.levels.push(end);
            begin..end
        })
    }

    /// Whether a state is stored.
    pub(super) fn find(&self, key: Key, state: &S) -> Option<StateId> {
        let shard = usize::from(key.shard);
        self.shards[shard].find(key.tag, state).map(|local| StateId::new(shard, local))
    }

    /// The state of this id.
    pub(super) fn state(&self, id: StateId) -> &S {
        &self.shards[id.shard()].states[id.local()]
    }

    /// The id of the state with this rank.
    pub(super) fn id(&self, rank: usize) -> StateId {
        self.order[rank]
    }

    /// The ids of the states with these ranks.
    pub(super) fn ids(&self, ranks: Range<usize>) -> &[StateId] {
        &self.order[ranks]
    }

    /// The state from which this one was first reached.
    pub(super) fn parent(&self, id: StateId) -> Option<StateId> {
        let parent = self.shards[id.shard()].parents[id.local()];
        (parent != StateId::NONE).then_some(parent)
    }

    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Steps to the state that is farthest from the initial ones.
    pub(super) fn depth(&self) -> usize {
        let farthest = self.order.len().saturating_sub(1);
        self.levels.partition_point(|begin| *begin <= farthest).saturating_sub(1)
    }

    /// The ranks of each level in order.
    pub(super) fn levels(&self) -> impl Iterator<Item = Range<usize>> {
        let ends = self.levels[1..].iter().copied().chain([self.order.len()]);
        self.levels.iter().copied().zip(ends).map(|(begin, end)| begin..end).filter(|level| !level.is_empty())
    }

    /// The rank of every state, by id.
    pub(super) fn ranks(&self) -> Ranks {
        let mut of_shard: Vec<Vec<u32>> =
            self.shards.iter().map(|shard| vec![u32::MAX; shard.states.len()]).collect();
        for (rank, id) in (0_u32..).zip(&self.order) {
            of_shard[id.shard()][id.local()] = rank;
        }
        Ranks { of_shard }
    }

    /// Bytes in use, without what states own on the heap.
    pub(super) fn estimated_bytes(&self) -> u64 {
        let shards = self.shards.iter().map(|shard| {
            shard.states.capacity() * size_of::<S>()
                + shard.parents.capacity() * size_of::<StateId>()
                + shard.table.capacity() * (size_of::<Slot>() + 1)
        });
        (shards.sum::<usize>() + self.order.capacity() * size_of::<StateId>()) as u64
    }
}

impl<S: Eq> Shard<S> {
    fn find(&self, tag: u32, state: &S) -> Option<usize> {
        let same = |slot: &Slot| slot.tag == tag && self.states[slot.local as usize] == *state;
        self.table.find(spread(tag), same).map(|slot| slot.local as usize)
    }

    /// The place of the state if it is new.
    fn insert(&mut self, candidate: Candidate<S>) -> Option<usize> {
        let Shard { table, states, parents } = self;
        let Candidate { state, parent, tag, .. } = candidate;
        let same = |slot: &Slot| slot.tag == tag && states[slot.local as usize] == state;
        match table.entry(spread(tag), same, |slot| spread(slot.tag)) {
            Entry::Occupied(_) => None,
            Entry::Vacant(vacant) => {
                let local = states.len();
                let slot =
                    u32::try_from(local).expect("the search ends at MAX_STATES, long before a shard is full");
                vacant.insert(Slot { tag, local: slot });
                states.push(state);
                parents.push(parent);
                Some(local)
            }
        }
    }
}

/// A table hash made of a tag. The table takes its upper bits for one thing and its lower bits for another.
fn spread(tag: u32) -> u64 {
    u64::from(tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The rank of every state, by id.
pub(super) struct Ranks {
    of_shard: Vec<Vec<u32>>,
}

impl Ranks {
    /// The rank of a stored state.
    pub(super) fn of(&self, id: StateId) -> u32 {
        self.of_shard[id.shard()][id.local()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_numbered_in_the_order_of_the_batches_on_any_number_of_threads() {
        let numbers = |batch: u64| (0..300).map(move |index| (batch * 7_919 + index * index * 31) % 700);
        let mut expected: Vec<u64> = vec![5, 3];
        for number in (0..4).flat_map(numbers) {
            if !expected.contains(&number) {
                expected.push(number);
            }
        }
        for threads in [1, 3] {
            let mut space = Space::new(vec![5, 3, 5]);
            let parent = space.id(1);
            let mut batches: Vec<Batch<u64>> = (0..4).map(|_| Batch::new()).collect();
            for (batch, numbers) in batches.iter_mut().zip((0..4).map(numbers)) {
                for number in numbers {
                    batch.push(Key::of(&number), number, parent);
                }
            }
            space.insert(&mut batches, threads);
            let found: Vec<u64> = space.ids(0..space.len()).iter().map(|id| *space.state(*id)).collect();
            assert_eq!(found, expected);
            assert_eq!(space.parent(space.id(0)), None);
            assert_eq!(space.parent(space.id(2)), Some(parent));
            let ranks = space.ranks();
            assert!((0..space.len()).all(|rank| ranks.of(space.id(rank)) as usize == rank));
        }
    }
}
