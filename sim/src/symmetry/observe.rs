//! Observing a state: what can be said about each id without naming it.
//!
//! The observer reads a state as `Hash` would, but it sees of an id only its colour, and of what has no order
//! only the sum. For each id it adds up where it occurs: what came before, and, for an id in an element of a
//! collection without order, the whole of that element. The sum is the id's *signature*. Renaming the ids of a
//! state moves the signatures along with them and changes nothing else.

use std::hash::Hasher;

use super::rename::Rename;
use super::sorts::{IDS_MAX, Id, Numbers, Sorts, below};

/// Reads values in which ids occur, and tells ids apart by where they do.
///
/// It is a [`Hasher`] for all that contains no id: `value.hash(observer)`.
pub struct Observer {
    sorts: Sorts,
    colours: Numbers,
    signatures: [u64; IDS_MAX],
    hash: u64,
    /// How many elements of collections without order are open around what is read.
    depth: usize,
    /// The ids in open elements, whose signatures wait for the whole of these elements.
    waiting: Vec<Occurrence>,
}

struct Occurrence {
    id: usize,
    context: u64,
}

impl Observer {
    pub(super) fn new(sorts: &Sorts) -> Self {
        Self {
            sorts: *sorts,
            colours: [0; IDS_MAX],
            signatures: [0; IDS_MAX],
            hash: 0,
            depth: 0,
            waiting: Vec::new(),
        }
    }

    /// The signature of each id of a state whose ids have these colours.
    pub(super) fn signatures<S: Rename>(&mut self, state: &S, colours: Numbers) -> &[u64; IDS_MAX] {
        self.colours = colours;
        self.signatures = [0; IDS_MAX];
        self.hash = 0;
        state.observe(self);
        &self.signatures
    }

    /// Reads an id.
    #[inline]
    pub fn id<I: Id>(&mut self, id: I) {
        let number = self.sorts.find::<I>().and_then(|sort| sort.number(id.index()));
        match number {
            Some(number) => {
                self.occurs(number, self.hash);
                self.read(u64::from(self.colours[number]));
            }
            None => self.read(!(id.index() as u64)),
        }
    }

    /// Reads a set of ids, the one with index *i* as bit *i*.
    #[inline]
    pub fn bits<I: Id>(&mut self, bits: u64) {
        let sort = self.sorts.find::<I>().map_or((0, 0), |sort| (sort.start, sort.ids));
        let mut rest = bits & below(sort.1);
        let mut sum = bits & !below(sort.1);
        while rest != 0 {
            let number = sort.0 + rest.trailing_zeros() as usize;
            self.occurs(number, self.hash);
            sum = sum.wrapping_add(mix(self.hash, u64::from(self.colours[number])));
            rest &= rest - 1;
        }
        self.read(sum);
    }

    /// Reads a sequence whose positions are ids: what stands at `index` belongs to the id with that index.
    #[inline]
    pub fn indexed<I: Id, T>(&mut self, values: &[T], mut read: impl FnMut(&T, &mut Self)) {
        let (start, ids) = self.sorts.find::<I>().map_or((0, 0), |sort| (sort.start, sort.ids));
        let (owned, others) = values.split_at(ids.min(values.len()));
        let mut sum = 0_u64;
        for (number, value) in (start..).zip(owned) {
            let colour = u64::from(self.colours[number]);
            let element = self.element(colour, |observer| read(value, observer));
            self.occurs(number, element);
            sum = sum.wrapping_add(element);
        }
        self.read(sum);
        for value in others {
            read(value, self);
        }
    }

    /// Reads what has no order, or an order that depends on ids.
    #[inline]
    pub fn unordered<T>(
        &mut self,
        elements: impl IntoIterator<Item = T>,
        mut read: impl FnMut(T, &mut Self),
    ) {
        let mut sum = 0_u64;
        for element in elements {
            sum = sum.wrapping_add(self.element(0, |observer| read(element, observer)));
        }
        self.read(sum);
    }

    /// Reads one element whose neighbours are not to be seen, and returns its hash.
    #[inline]
    fn element(&mut self, colour: u64, read: impl FnOnce(&mut Self)) -> u64 {
        let outside = self.hash;
        let first = self.waiting.len();
        self.depth += 1;
        self.read(colour);
        read(self);
        self.depth -= 1;
        let element = std::mem::replace(&mut self.hash, outside);
        if self.waiting.len() > first {
            self.settle(first, element);
        }
        element
    }

    /// The element that began with the occurrence `first` has been read.
    fn settle(&mut self, first: usize, element: u64) {
        for occurrence in &mut self.waiting[first..] {
            occurrence.context = mix(occurrence.context, element);
        }
        if self.depth == 0 {
            for Occurrence { id, context } in self.waiting.drain(first..) {
                self.signatures[id] = self.signatures[id].wrapping_add(context);
            }
        }
    }

    #[inline]
    fn occurs(&mut self, id: usize, place: u64) {
        let context = mix(place, OCCURRENCE);
        if self.depth == 0 {
            self.signatures[id] = self.signatures[id].wrapping_add(context);
        } else {
            self.waiting.push(Occurrence { id, context });
        }
    }

    #[inline]
    fn read(&mut self, word: u64) {
        self.hash = mix(self.hash, word);
    }
}

impl Hasher for Observer {
    fn finish(&self) -> u64 {
        self.hash
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.read(u64::from_le_bytes(word));
        }
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.read(value.into());
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.read(value.into());
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.read(value.into());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.read(value);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.read(value as u64);
    }
}

/// Sets the place of an id apart from what is read there.
const OCCURRENCE: u64 = 0x9E37_79B9_7F4A_7C15;

/// A hash of two words: both halves of their product, after each has been disturbed.
#[inline]
fn mix(one: u64, other: u64) -> u64 {
    let product = u128::from(one ^ 0xA076_1D64_78BD_642F) * u128::from(other ^ 0xE703_7ED1_A0B4_28DB);
    #[expect(clippy::cast_possible_truncation, reason = "the halves are taken apart")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}
