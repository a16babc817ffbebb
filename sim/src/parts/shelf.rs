//! Values by number that only become more, read without a lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The values of the first chunk; each further chunk has as many as all before it.
const FIRST: u32 = 64;
/// Chunks until the numbers are used up.
const CHUNKS: usize = 27;

/// An array that grows without moving what is in it: a value keeps its place and its number, and is read without a
/// lock while others are added.
pub struct Shelf<T> {
    chunks: [OnceLock<Box<[OnceLock<T>]>>; CHUNKS],
    len: AtomicU32,
}

impl<T> Shelf<T> {
    /// A shelf without values.
    pub fn new() -> Self {
        Self { chunks: [const { OnceLock::new() }; CHUNKS], len: AtomicU32::new(0) }
    }

    /// Adds a value and gives its number. Numbers are used in their order, from 0.
    ///
    /// # Panics
    /// The shelf is full: it has 2^32 − 64 values.
    pub fn push(&self, value: T) -> u32 {
        let free = |len: u32| (len < u32::MAX - FIRST).then_some(len + 1);
        let taken = self.len.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free);
        let number = taken.unwrap_or_else(|len| panic!("a shelf holds {len} parts and no more"));
        self.slot(number).get_or_init(|| value);
        number
    }

    /// The value with this number. `None` if there is none yet, also while another thread puts it there.
    pub fn get(&self, number: u32) -> Option<&T> {
        if number > u32::MAX - FIRST {
            return None;
        }
        let (chunk, at) = place(number);
        self.chunks[chunk].get()?.get(at)?.get()
    }

    /// How many numbers were given.
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed) as usize
    }

    /// Whether no number was given.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn slot(&self, number: u32) -> &OnceLock<T> {
        let (chunk, at) = place(number);
        let len = (FIRST as usize) << chunk;
        &self.chunks[chunk].get_or_init(|| (0..len).map(|_| OnceLock::new()).collect())[at]
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The chunk of a number, and its place in that chunk.
fn place(number: u32) -> (usize, usize) {
    let shifted = number + FIRST;
    let chunk = shifted.ilog2() - FIRST.ilog2();
    (chunk as usize, (shifted - (FIRST << chunk)) as usize)
}

/// What is worked out once for each number of a part.
///
/// ```
/// # use downbeat_sim::parts::{Notes, Parts};
/// let words: Parts<String> = Parts::new();
/// let lengths: Notes<usize> = Notes::new();
/// let part = words.intern("a word".into());
/// assert_eq!(*lengths.get_or(part.key(), || words[part].len()), 6);
/// ```
pub struct Notes<T>(Shelf<T>);

impl<T> Notes<T> {
    /// Notes about nothing.
    pub fn new() -> Self {
        Self(Shelf::new())
    }

    /// What is noted about a number, if anything is.
    pub fn get(&self, number: u32) -> Option<&T> {
        self.0.get(number)
    }

    /// What is noted about a number, worked out now if nothing is.
    ///
    /// # Panics
    /// The number is not one of a part.
    pub fn get_or(&self, number: u32, work_out: impl FnOnce() -> T) -> &T {
        if let Some(noted) = self.get(number) {
            return noted;
        }
        // Outside of the lock of the slot: what is worked out may ask for other notes.
        let worked_out = work_out();
        self.0.slot(number).get_or_init(|| worked_out)
    }
}

impl<T> Default for Notes<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn numbers_fill_the_chunks_without_gaps_or_overlaps() {
        #[rustfmt::skip]
        let cases = [
            (0, (0, 0)), (63, (0, 63)), (64, (1, 0)), (191, (1, 127)), (192, (2, 0)), (u32::MAX - 64, (25, (1 << 31) - 1)),
        ];
        for (number, expected) in cases {
            assert_eq!(place(number), expected, "{number}");
        }
    }

    #[test]
    fn values_stay_where_they_are_while_threads_add_others() {
        let shelf = Shelf::new();
        let first = shelf.push((9, 9));
        let kept = shelf.get(first);
        thread::scope(|scope| {
            for thread in 0..4 {
                let shelf = &shelf;
                scope.spawn(move || {
                    for n in 0..2_000 {
                        let number = shelf.push((thread, n));
                        assert_eq!(shelf.get(number), Some(&(thread, n)));
                    }
                });
            }
        });
        assert_eq!((shelf.len(), kept), (8_001, Some(&(9, 9))));
        let mut all: Vec<_> = (0..8_001).filter_map(|number| shelf.get(number).copied()).collect();
        all.sort_unstable();
        let mut expected: Vec<_> = (0..4).flat_map(|thread| (0..2_000).map(move |n| (thread, n))).collect();
        expected.push((9, 9));
        expected.sort_unstable();
        assert_eq!(all, expected);
        assert_eq!([8_001, u32::MAX - 64, u32::MAX].map(|number| shelf.get(number)), [None; 3]);
    }

    #[test]
    fn notes_are_worked_out_once_and_may_ask_for_others() {
        fn sum(notes: &Notes<u64>, n: u32) -> u64 {
            *notes.get_or(n, || u64::from(n) + if n == 0 { 0 } else { sum(notes, n - 1) })
        }
        let notes: Notes<u64> = Notes::new();
        assert_eq!(sum(&notes, 200), 20_100);
        assert_eq!(*notes.get_or(200, || panic!("it was worked out before")), 20_100);
    }
}
