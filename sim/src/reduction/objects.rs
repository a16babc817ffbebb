//! Shared objects, and which of them a step touches.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// A set of shared objects, numbered from 0 by the model: a counter, the head of a channel, the place of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Objects(u128);

impl Objects {
    /// Objects that a model can tell apart: the bits of the set. A model with more gives several one number.
    pub const MOST: usize = 128;

    /// No object.
    pub const fn none() -> Self {
        Self(0)
    }

    /// Every object. Always a legal answer, and one that forbids any reduction by whoever it is said of.
    pub const fn all() -> Self {
        Self(u128::MAX)
    }

    /// The object with this number.
    ///
    /// # Panics
    /// The number is not below [`Objects::MOST`].
    pub const fn one(number: usize) -> Self {
        assert!(number < Self::MOST, "an object is numbered beyond what a set of them holds");
        Self(1 << number)
    }

    /// Whether some object is in both sets.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The objects of this set that are not in the other one.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set has no object.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Objects {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Objects {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl FromIterator<Objects> for Objects {
    fn from_iter<I: IntoIterator<Item = Objects>>(sets: I) -> Self {
        sets.into_iter().fold(Self::none(), BitOr::bitor)
    }
}

impl fmt::Display for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::all() {
            return f.write_str("every object");
        }
        let numbers = (0..Self::MOST).filter(|number| self.meets(Self::one(*number)));
        match numbers.map(|number| number.to_string()).collect::<Vec<_>>().as_slice() {
            [] => f.write_str("no object"),
            [one] => write!(f, "object {one}"),
            several => write!(f, "objects {}", several.join(", ")),
        }
    }
}

/// What steps may touch. Too much is always legal, and costs reduction only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Footprint {
    /// What steps depend on while they are enabled: an object whose writing by somebody else may disable such a
    /// step or change what it does.
    pub reads: Objects,
    /// What steps change.
    pub writes: Objects,
    /// What disabled steps wait for: an object that somebody else must write before such a step is enabled.
    /// Whoever writes it can only let the step happen, never take it away.
    pub awaits: Objects,
}

impl Footprint {
    /// Steps that touch nothing that is shared.
    pub const fn none() -> Self {
        Self { reads: Objects::none(), writes: Objects::none(), awaits: Objects::none() }
    }

    /// Steps of which nothing is known.
    pub const fn all() -> Self {
        Self { reads: Objects::all(), writes: Objects::all(), awaits: Objects::all() }
    }

    /// The footprint with more that is read.
    #[must_use]
    pub fn reads(self, objects: Objects) -> Self {
        Self { reads: self.reads | objects, ..self }
    }

    /// The footprint with more that is written.
    #[must_use]
    pub fn writes(self, objects: Objects) -> Self {
        Self { writes: self.writes | objects, ..self }
    }

    /// The footprint with more that is waited for.
    #[must_use]
    pub fn awaits(self, objects: Objects) -> Self {
        Self { awaits: self.awaits | objects, ..self }
    }

    /// Whether two enabled steps may fail to commute: one writes what the other reads or writes.
    pub const fn conflicts(self, other: Self) -> bool {
        self.writes.meets(other.writes) || self.writes.meets(other.reads) || other.writes.meets(self.reads)
    }

    /// Whether steps with this footprint may fail to commute with a next step, or enable it.
    pub const fn disturbs(self, next: Self) -> bool {
        self.conflicts(next) || self.writes.meets(next.awaits)
    }

    /// What of this footprint the other one does not account for. Who may write an object may read and await it.
    #[must_use]
    pub fn beyond(self, other: Self) -> Self {
        let reads = other.reads | other.writes;
        Self {
            reads: self.reads.without(reads),
            writes: self.writes.without(other.writes),
            awaits: self.awaits.without(other.awaits | reads),
        }
    }

    /// All objects of the footprint.
    pub fn objects(self) -> Objects {
        self.reads | self.writes | self.awaits
    }
}

impl BitOr for Footprint {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.reads(other.reads).writes(other.writes).awaits(other.awaits)
    }
}

impl FromIterator<Footprint> for Footprint {
    fn from_iter<I: IntoIterator<Item = Footprint>>(footprints: I) -> Self {
        footprints.into_iter().fold(Self::none(), BitOr::bitor)
    }
}
