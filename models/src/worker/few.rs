//! Sets of a few things in little room: most of what a model keeps are worlds, and most of a world are such sets.

/// A set of a few things, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Few<T>(Vec<T>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Ord> Few<T> {
    /// Adds a thing. Returns whether it is new.
    pub(super) fn insert(&mut self, thing: T) -> bool {
        let place = self.0.binary_search(&thing);
        if let Err(place) = place {
            self.0.insert(place, thing);
        }
        place.is_err()
    }

    /// Takes a thing away. Returns whether it was there.
    pub(super) fn remove(&mut self, thing: &T) -> bool {
        let place = self.0.binary_search(thing);
        if let Ok(place) = place {
            self.0.remove(place);
        }
        place.is_ok()
    }

    pub(super) fn contains(&self, thing: &T) -> bool {
        self.0.binary_search(thing).is_ok()
    }
}

impl<T> Few<T> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    pub(super) fn retain(&mut self, like: impl FnMut(&T) -> bool) {
        self.0.retain(like);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Ord> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(things: I) -> Self {
        let mut few = Self::default();
        for thing in things {
            few.insert(thing);
        }
        few
    }
}

#[cfg(test)]
mod tests {
    use super::Few;

    #[test]
    fn things_are_in_their_order_and_once() {
        let mut few: Few<u8> = [3, 1, 2, 3].into_iter().collect();
        assert_eq!(few, Few(vec![1, 2, 3]));
        assert_eq!((few.insert(2), few.insert(5), few.contains(&5)), (false, true, true));
        assert_eq!((few.remove(&4), few.remove(&1)), (false, true));
        assert_eq!(few, Few(vec![2, 3, 5]));
    }
}
