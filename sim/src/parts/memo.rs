//! The results of a pure function, by a key of two numbers.

use std::marker::PhantomData;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The slots of the first generation; each further one has four times as many as the one before it.
const FIRST: usize = 1 << 10;
/// Generations until a full table is left as it is: the last would have 2^32 slots.
const GENERATIONS: usize = 12;
/// Slots in a row that are looked at for a key, near to those of other keys with the same first number: what is asked
/// about one part at once is found in a few lines of the cache.
const NEAR: usize = 16;
/// How much of a generation is used, in percent, when the next one begins: so little that a free slot is seldom far.
const FULL: usize = 50;

/// A result that fits into a slot.
pub trait Word: Copy {
    /// The result as two numbers; the first is not `u64::MAX`.
    fn to_words(self) -> (u64, u64);
    /// The result of which these are the numbers.
    fn from_words(low: u64, high: u64) -> Self;
}

impl Word for u32 {
    fn to_words(self) -> (u64, u64) {
        (self.into(), 0)
    }

    fn from_words(low: u64, _: u64) -> Self {
        Self::try_from(low).expect("the number was put there as one of 32 bits")
    }
}

impl Word for bool {
    fn to_words(self) -> (u64, u64) {
        (self.into(), 0)
    }

    fn from_words(low: u64, _: u64) -> Self {
        low != 0
    }
}

/// How often a memo was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Times that the result was known. Counted on request alone; see [`Memo::counting`].
    pub hits: u64,
    /// Times that it was worked out.
    pub misses: u64,
}

/// The results of a pure function by two numbers, mostly those of parts. Read and written without a lock.
///
/// The function must depend on nothing but the key, and on what never changes; then the table cannot be seen in any
/// result. Two threads may work out the same result at once. A table that becomes full is followed by a larger one, into
/// which moves what is still asked for; nothing is lost that the function could not give again.
pub struct Memo<V> {
    generations: [OnceLock<Box<[Slot]>>; GENERATIONS],
    /// The generation into which results are written.
    current: AtomicUsize,
    /// Its slots in use.
    used: AtomicUsize,
    misses: AtomicU64,
    hits: Option<AtomicU64>,
    of: PhantomData<fn() -> V>,
}

/// A key and its result. Whoever takes the slot for a key writes `high` first and `low` last.
#[derive(Default)]
struct Slot {
    /// One more than the key; 0 for a slot that nobody took.
    key: AtomicU64,
    /// One more than the first number of the result; 0 until it is there.
    low: AtomicU64,
    high: AtomicU64,
}

impl<V: Word> Memo<V> {
    /// A table without results.
    pub fn new() -> Self {
        Self {
            generations: [const { OnceLock::new() }; GENERATIONS],
            current: AtomicUsize::new(0),
            used: AtomicUsize::new(0),
            misses: AtomicU64::new(0),
            hits: None,
            of: PhantomData,
        }
    }

    /// A table that counts its hits, which costs more than the hit where several threads share it.
    pub fn counting() -> Self {
        Self { hits: Some(AtomicU64::new(0)), ..Self::new() }
    }

    /// The result for a key, worked out now if it is not known.
    pub fn get_or(&self, a: u32, b: u32, work_out: impl FnOnce() -> V) -> V {
        let key = (u64::from(a) << 32 | u64::from(b)) + 1;
        let current = self.current.load(Ordering::Acquire);
        if let Some(known) = self.find(current, key) {
            self.hit();
            return known;
        }
        let known = (0..current).rev().find_map(|older| self.find(older, key));
        let result = if let Some(known) = known {
            self.hit();
            known
        } else {
            self.misses.fetch_add(1, Ordering::Relaxed);
            work_out()
        };
        self.insert(key, result);
        result
    }

    fn hit(&self) {
        if let Some(hits) = &self.hits {
            hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often it was asked until now.
    pub fn counts(&self) -> Counts {
        let hits = self.hits.as_ref().map_or(0, |hits| hits.load(Ordering::Relaxed));
        Counts { hits, misses: self.misses.load(Ordering::Relaxed) }
    }

    fn find(&self, generation: usize, key: u64) -> Option<V> {
        let slots = self.generations[generation].get()?;
        let slot = match slot_of(near(slots, key), key) {
            Ok(slot) => slot,
            Err(None) => return None,
            Err(Some(AllTaken)) => slot_of(far(slots, key), key).ok()?,
        };
        let low = slot.low.load(Ordering::Acquire).checked_sub(1)?;
        Some(V::from_words(low, slot.high.load(Ordering::Relaxed)))
    }

    /// Writes a result into the first place that is free for its key.
    fn insert(&self, key: u64, result: V) {
        let current = self.current.load(Ordering::Acquire);
        let slots = self.generations[current].get_or_init(|| empty(current));
        for slot in near(slots, key).iter().chain(far(slots, key)) {
            match slot.key.compare_exchange(0, key, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    let (low, high) = result.to_words();
                    slot.high.store(high, Ordering::Relaxed);
                    slot.low.store(low + 1, Ordering::Release);
                    if self.used.fetch_add(1, Ordering::Relaxed) * 100 > slots.len() * FULL {
                        self.follow(current);
                    }
                    return;
                }
                Err(taken) if taken == key => return,
                Err(_) => {}
            }
        }
    }

    /// Begins the generation after `full`, if nobody else has.
    fn follow(&self, full: usize) {
        if full + 1 < GENERATIONS
            && self.current.compare_exchange(full, full + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        {
            self.used.store(0, Ordering::Relaxed);
        }
    }
}

impl<V: Word> Default for Memo<V> {
    fn default() -> Self {
        Self::new()
    }
}

/// As many slots as a generation has places, and a window more, so that no window wraps around.
fn empty(generation: usize) -> Box<[Slot]> {
    (0..(FIRST << (2 * generation)) + NEAR).map(|_| Slot::default()).collect()
}

/// Other keys have all the slots.
struct AllTaken;

/// The slot of a key among some in a row; without it, whether there might be one elsewhere.
fn slot_of<'s>(slots: impl IntoIterator<Item = &'s Slot>, key: u64) -> Result<&'s Slot, Option<AllTaken>> {
    for slot in slots {
        match slot.key.load(Ordering::Acquire) {
            0 => return Err(None),
            taken if taken == key => return Ok(slot),
            _ => {}
        }
    }
    Err(Some(AllTaken))
}

/// The window of a key, which is that of others with the same first number.
fn near(slots: &[Slot], key: u64) -> &[Slot] {
    let first = mixed(key >> 32) & (slots.len() - NEAR - 1);
    &slots[first..first + NEAR]
}

/// All slots, from a place that depends on the whole key.
fn far(slots: &[Slot], key: u64) -> impl Iterator<Item = &Slot> {
    let (before, from) = slots.split_at(mixed(key) & (slots.len() - NEAR - 1));
    from.iter().chain(before)
}

fn mixed(number: u64) -> usize {
    let mixed = (number ^ number >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// Some function of a key.
    fn product(a: u32, b: u32) -> u32 {
        a.wrapping_mul(2_654_435_761).wrapping_add(b.wrapping_mul(40_503)) >> 3
    }

    #[test]
    fn results_are_those_of_the_function_on_any_thread_and_through_all_growth() {
        let memo: Memo<u32> = Memo::counting();
        let keys = |thread: u32| (0..60_000_u32).map(move |n| (n * 7 % 300 + thread, n / 3));
        thread::scope(|scope| {
            for thread in 0..4 {
                let memo = &memo;
                scope.spawn(move || {
                    for (a, b) in keys(thread).chain(keys(thread)) {
                        assert_eq!(memo.get_or(a, b, || product(a, b)), product(a, b));
                    }
                });
            }
        });
        let current = memo.current.load(Ordering::Relaxed);
        assert_eq!(current, 5, "a table of 240,000 results has 2^20 slots");
        let counts = memo.counts();
        assert_eq!(counts.hits + counts.misses, 480_000, "{counts:?}");
        assert!(counts.hits >= 240_000, "what was asked before is known: {counts:?}");
    }

    #[test]
    fn a_result_is_worked_out_once_on_one_thread() {
        let memo: Memo<u32> = Memo::counting();
        for round in 0..3 {
            for n in 0..500 {
                let worked_out = || {
                    assert_eq!(round, 0, "{n} was known");
                    product(n, n)
                };
                assert_eq!(memo.get_or(n, n, worked_out), product(n, n));
            }
        }
        assert_eq!(memo.counts(), Counts { hits: 1_000, misses: 500 });
    }

    #[test]
    fn one_first_number_may_have_any_number_of_second_ones() {
        let memo: Memo<u32> = Memo::counting();
        for n in (0..20_000).chain(0..20_000) {
            assert_eq!(memo.get_or(7, n, || product(7, n)), product(7, n));
        }
        assert_eq!(memo.counts(), Counts { hits: 20_000, misses: 20_000 });
        assert_eq!(memo.current.load(Ordering::Relaxed), 3, "the table grows with what is in it");
    }

    #[test]
    fn no_number_of_a_key_or_of_a_result_is_taken_for_an_empty_slot() {
        let memo: Memo<u32> = Memo::new();
        for (a, b, result) in [(0, 0, 0), (u32::MAX, 0, u32::MAX), (0, u32::MAX, 1), (1, 0, 0)] {
            assert_eq!(memo.get_or(a, b, || result), result);
            assert_eq!(memo.get_or(a, b, || unreachable!("({a}, {b}) is known")), result);
        }
    }
}
