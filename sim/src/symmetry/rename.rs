//! Values in which ids occur, and how they are laid out in fields that are not made of id types.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::Hash;
use std::marker::PhantomData;

use super::observe::Observer;
use super::sorts::{Id, Renaming};

/// A value in which each id can be replaced by another one.
///
/// `#[derive(Rename)]` writes this for structs and enums, field by field. A field that holds ids without being
/// made of id types says how, outermost first:
///
/// | attribute | the field |
/// |---|---|
/// | `#[rename(index = ManagerId)]` | an array, `Vec` or boxed slice whose positions are ids |
/// | `#[rename(bits = ManagerId)]` | an unsigned integer in which bit *i* stands for the id with index *i* |
/// | `#[rename(index = ManagerId, bits = ClientId)]` | for each manager a set of clients |
/// | `#[rename(plain)]` | any type that is `Clone + Hash` and contains no id |
///
/// `#[rename(id)]` on a tuple struct of one unsigned integer makes that struct an [`Id`]. Integers are data and
/// stay as they are.
pub trait Rename: Sized {
    /// This value with each id replaced.
    #[must_use]
    fn rename(&self, renaming: &Renaming) -> Self;

    /// Shows this value to an observer, all of it: what is left out does not help to tell ids apart, which
    /// costs time. What is shown must not depend on the names of ids, hence neither on an order by them.
    fn observe(&self, observer: &mut Observer);
}

/// How a `T` holds ids, where its type alone does not say so.
pub trait Layout<T> {
    /// The value with each id replaced.
    fn rename(value: &T, renaming: &Renaming) -> T;

    /// Shows the value to an observer.
    fn observe(value: &T, observer: &mut Observer);
}

/// The layout that the type says: its own [`Rename`].
pub struct Own;
/// No ids.
pub struct Plain;
/// A set of ids `I` as the bits of an unsigned integer.
pub struct Bits<I>(PhantomData<I>);
/// A sequence whose positions are ids `I` and whose elements are laid out as `E` says.
pub struct Index<I, E = Own>(PhantomData<(I, E)>);

impl<T: Rename> Layout<T> for Own {
    #[inline]
    fn rename(value: &T, renaming: &Renaming) -> T {
        value.rename(renaming)
    }

    #[inline]
    fn observe(value: &T, observer: &mut Observer) {
        value.observe(observer);
    }
}

impl<T: Clone + Hash> Layout<T> for Plain {
    #[inline]
    fn rename(value: &T, _: &Renaming) -> T {
        value.clone()
    }

    #[inline]
    fn observe(value: &T, observer: &mut Observer) {
        value.hash(observer);
    }
}

macro_rules! bits {
    ($($word:ty)*) => {$(
        impl<I: Id> Layout<$word> for Bits<I> {
            #[inline]
            fn rename(value: &$word, renaming: &Renaming) -> $word {
                let renamed = renaming.bits::<I>(u64::from(*value));
                <$word>::try_from(renamed).expect("a set of ids has a bit for each declared id")
            }

            #[inline]
            fn observe(value: &$word, observer: &mut Observer) {
                observer.bits::<I>(u64::from(*value));
            }
        }
    )*};
}
bits!(u8 u16 u32 u64);

impl<I: Id, T, E: Layout<T>, const N: usize> Layout<[T; N]> for Index<I, E> {
    #[inline]
    fn rename(value: &[T; N], renaming: &Renaming) -> [T; N] {
        std::array::from_fn(|index| E::rename(&value[renaming.origin::<I>(index)], renaming))
    }

    #[inline]
    fn observe(value: &[T; N], observer: &mut Observer) {
        observer.indexed::<I, T>(value, E::observe);
    }
}

macro_rules! indexed {
    ($($sequence:ty)*) => {$(
        impl<I: Id, T, E: Layout<T>> Layout<$sequence> for Index<I, E> {
            fn rename(value: &$sequence, renaming: &Renaming) -> $sequence {
                let origins = (0..value.len()).map(|index| renaming.origin::<I>(index));
                origins.map(|origin| E::rename(&value[origin], renaming)).collect()
            }

            fn observe(value: &$sequence, observer: &mut Observer) {
                observer.indexed::<I, T>(value, E::observe);
            }
        }
    )*};
}
indexed!(Vec<T> Box<[T]>);

macro_rules! plain {
    ($($plain:ty)*) => {$(
        impl Rename for $plain {
            #[inline]
            fn rename(&self, _: &Renaming) -> Self {
                self.clone()
            }

            #[inline]
            fn observe(&self, observer: &mut Observer) {
                self.hash(observer);
            }
        }
    )*};
}
plain!(() bool char u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize String &'static str);

macro_rules! tuple {
    ($($name:ident)*) => {
        impl<$($name: Rename),*> Rename for ($($name,)*) {
            #[inline]
            #[expect(non_snake_case, reason = "the elements are called as their types")]
            fn rename(&self, renaming: &Renaming) -> Self {
                let ($($name,)*) = self;
                ($($name.rename(renaming),)*)
            }

            #[inline]
            #[expect(non_snake_case, reason = "the elements are called as their types")]
            fn observe(&self, observer: &mut Observer) {
                let ($($name,)*) = self;
                $($name.observe(observer);)*
            }
        }
    };
}
tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);

macro_rules! sequence {
    ($($sequence:ident)*) => {$(
        impl<T: Rename> Rename for $sequence<T> {
            fn rename(&self, renaming: &Renaming) -> Self {
                self.iter().map(|element| element.rename(renaming)).collect()
            }

            fn observe(&self, observer: &mut Observer) {
                self.len().hash(observer);
                for element in self {
                    element.observe(observer);
                }
            }
        }
    )*};
}
sequence!(Vec VecDeque);

impl<T: Rename, const N: usize> Rename for [T; N] {
    #[inline]
    fn rename(&self, renaming: &Renaming) -> Self {
        std::array::from_fn(|index| self[index].rename(renaming))
    }

    #[inline]
    fn observe(&self, observer: &mut Observer) {
        for element in self {
            element.observe(observer);
        }
    }
}

impl<T: Rename> Rename for Option<T> {
    #[inline]
    fn rename(&self, renaming: &Renaming) -> Self {
        self.as_ref().map(|value| value.rename(renaming))
    }

    #[inline]
    fn observe(&self, observer: &mut Observer) {
        self.is_some().hash(observer);
        if let Some(value) = self {
            value.observe(observer);
        }
    }
}

impl<T: Rename> Rename for Box<T> {
    fn rename(&self, renaming: &Renaming) -> Self {
        Box::new(T::rename(self, renaming))
    }

    fn observe(&self, observer: &mut Observer) {
        T::observe(self, observer);
    }
}

impl<T: Rename + Ord> Rename for BTreeSet<T> {
    fn rename(&self, renaming: &Renaming) -> Self {
        self.iter().map(|element| element.rename(renaming)).collect()
    }

    fn observe(&self, observer: &mut Observer) {
        observer.unordered(self, T::observe);
    }
}

impl<K: Rename + Ord, V: Rename> Rename for BTreeMap<K, V> {
    fn rename(&self, renaming: &Renaming) -> Self {
        self.iter().map(|(key, value)| (key.rename(renaming), value.rename(renaming))).collect()
    }

    fn observe(&self, observer: &mut Observer) {
        observer.unordered(self, |(key, value), observer| {
            key.observe(observer);
            value.observe(observer);
        });
    }
}
