//! From which state, and by which of its steps, each state was first reached: the way back to an initial state.
//!
//! States are numbered in the order of discovery, so both numbers together only grow: each entry is stored as
//! its difference to the one before, two bytes for nearly every state, and beside the visited set, never in it.

use std::ops::Range;

/// Most entries between two places where reading can begin.
const STRIDE: usize = 256;

/// How a state was first reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The rank of the state before; of an initial state, 0.
    pub(super) parent: u64,
    /// The number of the step among those of the state before; of an initial state, its place in the model's list.
    pub(super) position: u32,
}

/// The origins of all states, by rank. The first ones are those of initial states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Traces {
    bytes: Vec<u8>,
    /// Where reading can begin, in ascending order.
    begins: Vec<Begin>,
    len: usize,
    last_parent: u64,
}

/// A place where reading can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Begin {
    /// The rank of the entry there.
    rank: usize,
    at: usize,
    /// The parent before it.
    parent: u64,
}

impl Traces {
    /// The states that have an entry.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Forgets all entries; the next one has no parent less than this.
    pub(super) fn restart(&mut self, parent: u64) {
        self.bytes.clear();
        self.begins.clear();
        (self.len, self.last_parent) = (0, parent);
    }

    /// Appends the origin of the next state. Parents must not become less.
    #[inline]
    pub(super) fn push(&mut self, origin: Origin) {
        let Self { len: rank, last_parent: parent, .. } = *self;
        if self.begins.last().is_none_or(|begin| begin.rank + STRIDE <= rank) {
            self.begins.push(Begin { rank, at: self.bytes.len(), parent });
        }
        let more = origin.parent - parent;
        if more < 0x80 && origin.position < 0x80 {
            self.bytes.extend([more.to_le_bytes()[0], origin.position.to_le_bytes()[0]]);
        } else {
            write(&mut self.bytes, more);
            write(&mut self.bytes, u64::from(origin.position));
        }
        self.last_parent = origin.parent;
        self.len += 1;
    }

    /// Appends the entries of others, none of which has a parent less than the last one here.
    pub(super) fn append(&mut self, others: &Self) {
        let Some(first) = others.range(0..1).next() else { return };
        // The first entry there is a difference to another parent than the last one here; all later ones are not.
        self.push(first);
        let mut rest = 0;
        let first = [read(&others.bytes, &mut rest), read(&others.bytes, &mut rest)];
        debug_assert!(first.iter().all(Option::is_some), "an entry has two numbers");
        let (rank, at) = (self.len - 1, self.bytes.len());
        self.begins.extend(others.begins.iter().skip(1).map(|begin| Begin {
            rank: rank + begin.rank,
            at: at + begin.at - rest,
            parent: begin.parent,
        }));
        self.bytes.extend_from_slice(&others.bytes[rest..]);
        self.len += others.len - 1;
        self.last_parent = others.last_parent;
    }

    /// The origin of the state with this rank.
    pub(super) fn origin(&self, rank: usize) -> Origin {
        let mut origins = self.range(rank..rank + 1);
        origins.next().expect("the rank of a stored state has an entry")
    }

    /// The origins of the states with these ranks.
    pub(super) fn range(&self, ranks: Range<usize>) -> impl Iterator<Item = Origin> {
        let begin = self.begins.partition_point(|begin| begin.rank <= ranks.start).checked_sub(1);
        let begin = begin.map_or(Begin { rank: 0, at: 0, parent: 0 }, |begin| self.begins[begin]);
        let Begin { rank, mut at, mut parent } = begin;
        let mut read = move || {
            parent += read(&self.bytes, &mut at)?;
            let position = u32::try_from(read(&self.bytes, &mut at)?).ok()?;
            Some(Origin { parent, position })
        };
        for _ in rank..ranks.start {
            read();
        }
        (0..ranks.len()).map_while(move |_| read())
    }

    /// The ranks on the way from an initial state to this one, both included.
    pub(super) fn way(&self, rank: usize, initial: usize) -> Vec<Origin> {
        let mut way = vec![self.origin(rank)];
        let mut rank = rank;
        while rank >= initial {
            rank = usize::try_from(self.origin(rank).parent).expect("a parent has been stored in memory");
            way.push(self.origin(rank));
        }
        way.reverse();
        way
    }

    /// The entries as they are written to a file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes in use.
    pub(super) fn memory(&self) -> u64 {
        (self.bytes.capacity() + self.begins.capacity() * size_of::<Begin>()) as u64
    }

    /// Reads `len` entries as [`Self::bytes`] gave them; `None` if they are not of that form.
    pub(super) fn from_bytes(bytes: &[u8], len: usize) -> Option<Self> {
        let mut traces = Traces::default();
        let (mut at, mut parent) = (0, 0_u64);
        for _ in 0..len {
            parent = parent.checked_add(read(bytes, &mut at)?)?;
            let position = u32::try_from(read(bytes, &mut at)?).ok()?;
            traces.push(Origin { parent, position });
        }
        (at == bytes.len()).then_some(traces)
    }
}

/// Appends a number in groups of seven bits, the lowest first.
#[inline]
pub(super) fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Reads a number that [`write`] wrote; `None` at the end, or if it does not fit.
pub(super) fn read(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn origins_are_had_back(steps in proptest::collection::vec((0_u64..400, 0_u32..70_000), 0..1_200)) {
            let mut parent = 0;
            let mut origins = Vec::new();
            let mut traces = Traces::default();
            for (more, position) in steps {
                parent += more;
                origins.push(Origin { parent, position });
                traces.push(Origin { parent, position });
            }
            for (rank, origin) in origins.iter().enumerate() {
                prop_assert_eq!(traces.origin(rank), *origin);
            }
            let mut appended = Traces::default();
            for origins in origins.chunks(97) {
                let mut part = Traces::default();
                part.push(Origin { parent: 9, position: 9 });
                part.restart(origins[0].parent.saturating_sub(3));
                for origin in origins {
                    part.push(*origin);
                }
                appended.append(&part);
            }
            prop_assert_eq!(appended.bytes(), traces.bytes());
            for (rank, origin) in origins.iter().enumerate() {
                prop_assert_eq!(appended.origin(rank), *origin);
            }
            let from = origins.len() / 3;
            prop_assert_eq!(&traces.range(from..origins.len()).collect::<Vec<_>>(), &origins[from..]);
            prop_assert_eq!(Traces::from_bytes(traces.bytes(), traces.len()), Some(traces.clone()));
            if let [some @ .., _] = traces.bytes() {
                prop_assert_eq!(Traces::from_bytes(some, traces.len()), None);
            }
        }
    }
}
