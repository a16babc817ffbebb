//! The id types of a model, the ids of each, and a permutation of them.

use std::any::TypeId;

/// The number of ids of all sorts together. A model with more has no search that ends, with or without
/// symmetry; and a set of ids is then one word.
pub const IDS_MAX: usize = 64;
/// The number of id types of a model. They are searched for one after another.
pub const SORTS_MAX: usize = 8;

/// A type whose values name interchangeable things: the resource managers, the clients.
///
/// The ids of a model are those with the indices from 0 to the number that [`Symmetry::of`] declares. Others,
/// such as one that stands for *nobody*, are never renamed.
///
/// `#[derive(Rename)]` with `#[rename(id)]` writes this for a tuple struct of one unsigned integer.
///
/// [`Symmetry::of`]: crate::symmetry::Symmetry::of
pub trait Id: Copy + 'static {
    /// The index of this id among those of its type.
    fn index(self) -> usize;

    /// The id with an index. It is asked for indices of declared ids only.
    fn at(index: usize) -> Self;
}

/// The ids of one type: a run of the ids of all types, which are numbered through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sort {
    id_type: TypeId,
    pub(super) start: usize,
    pub(super) ids: usize,
}

impl Sort {
    /// The number of the id with this index, if it is declared.
    pub(super) fn number(&self, index: usize) -> Option<usize> {
        (index < self.ids).then(|| self.start + index)
    }

    pub(super) fn numbers(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.ids
    }
}

/// The declared id types, in the order of their declaration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sorts {
    declared: [Sort; SORTS_MAX],
    len: usize,
}

impl Sorts {
    pub(super) fn none() -> Self {
        let vacant = Sort { id_type: TypeId::of::<()>(), start: 0, ids: 0 };
        Self { declared: [vacant; SORTS_MAX], len: 0 }
    }

    pub(super) fn declare<I: Id>(&mut self, ids: usize) {
        let start = self.ids();
        assert!(self.find::<I>().is_none(), "the ids of one type are declared once");
        assert!(self.len < SORTS_MAX, "at most {SORTS_MAX} types of ids can be declared");
        assert!(start + ids <= IDS_MAX, "at most {IDS_MAX} ids can be declared, of all types together");
        self.declared[self.len] = Sort { id_type: TypeId::of::<I>(), start, ids };
        self.len += 1;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Sort> {
        self.declared[..self.len].iter()
    }

    /// The number of ids of all types.
    pub(super) fn ids(&self) -> usize {
        self.iter().map(|sort| sort.ids).sum()
    }

    #[inline]
    pub(super) fn find<I: Id>(&self) -> Option<&Sort> {
        self.iter().find(|sort| sort.id_type == TypeId::of::<I>())
    }
}

/// For each id another one of its type to take its place.
#[derive(Clone, Debug)]
pub struct Renaming {
    sorts: Sorts,
    to: Numbers,
    from: Numbers,
}

/// For each id, by its number through all types, a number.
pub(super) type Numbers = [u8; IDS_MAX];

impl Renaming {
    /// The renaming in which each id takes the place that `to` gives it, within its own type.
    pub(super) fn new(sorts: &Sorts, to: Numbers) -> Self {
        let mut from = [0; IDS_MAX];
        for (number, target) in (0..).zip(&to[..sorts.ids()]) {
            from[usize::from(*target)] = number;
        }
        Self { sorts: *sorts, to, from }
    }

    pub(super) fn identity(sorts: &Sorts) -> Self {
        Self::new(sorts, identity())
    }

    /// Exchanges what takes the places of two ids.
    pub(super) fn swap(&mut self, one: usize, other: usize) {
        self.to.swap(one, other);
        for number in [one, other] {
            self.from[usize::from(self.to[number])] = narrow(number);
        }
    }

    /// The renaming that takes the ids to where `self` takes them, and from there to whence `other` takes
    /// them.
    pub(super) fn then_back(&self, other: &Renaming) -> Numbers {
        self.to.map(|target| other.from[usize::from(target)])
    }

    /// What `id` is called from now on.
    #[inline]
    pub fn id<I: Id>(&self, id: I) -> I {
        let renamed = self.sorts.find::<I>().and_then(|sort| {
            let number = sort.number(id.index())?;
            Some(I::at(usize::from(self.to[number]) - sort.start))
        });
        renamed.unwrap_or(id)
    }

    /// A set of ids, the one with index *i* as bit *i*, with each of them renamed.
    #[inline]
    pub fn bits<I: Id>(&self, bits: u64) -> u64 {
        let Some(sort) = self.sorts.find::<I>() else { return bits };
        let mut rest = bits & below(sort.ids);
        let mut renamed = bits & !below(sort.ids);
        while rest != 0 {
            let target = self.to[sort.start + rest.trailing_zeros() as usize];
            renamed |= 1 << (usize::from(target) - sort.start);
            rest &= rest - 1;
        }
        renamed
    }

    /// The index of the id that gets the name with this index: what stands there moves to `index`.
    #[inline]
    pub fn origin<I: Id>(&self, index: usize) -> usize {
        let origin = self.sorts.find::<I>().and_then(|sort| {
            let number = sort.number(index)?;
            Some(usize::from(self.from[number]) - sort.start)
        });
        origin.unwrap_or(index)
    }
}

pub(super) fn identity() -> Numbers {
    std::array::from_fn(narrow)
}

/// A word in which the lowest bits are set, so many of them.
pub(super) fn below(bits: usize) -> u64 {
    if bits >= IDS_MAX { u64::MAX } else { (1 << bits) - 1 }
}

/// A number below [`IDS_MAX`] in the width in which they are stored.
#[expect(clippy::cast_possible_truncation, reason = "there are at most IDS_MAX numbers")]
pub(super) fn narrow(number: usize) -> u8 {
    number as u8
}
