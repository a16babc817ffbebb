//! What a step has in common with others.

/// Something that steps share: a queue, a cell, the clock, the readiness of a task, its end. Dense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Object(u32);

impl Object {
    /// Virtual time and the timers that are armed. Whoever looks at the time, arms a timer or disarms one reads it: two of these
    /// lead to the same state in either order. A timer that fires writes it.
    pub(super) const CLOCK: Self = Self(0);

    /// The object with this number, of less than 2^31.
    pub(super) fn numbered(number: usize) -> Self {
        let number = u32::try_from(number).ok().filter(|number| number >> 31 == 0);
        Self(number.expect("fewer than 2^31 objects fit in memory"))
    }

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a step did with one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Touch(u32);

impl Touch {
    pub(super) fn read(object: Object) -> Self {
        Self(object.0 << 1)
    }

    pub(super) fn write(object: Object) -> Self {
        Self(object.0 << 1 | 1)
    }

    pub(super) fn object(self) -> Object {
        Object(self.0 >> 1)
    }

    pub(super) fn writes(self) -> bool {
        self.0 & 1 == 1
    }

    /// Both in one step.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn conflicts(self, other: Self) -> bool {
        self.object() == other.object() && (self.writes() || other.writes())
    }
}

/// Whether the order of two steps of different actors may matter.
pub(super) fn conflict(one: &[Touch], other: &[Touch]) -> bool {
    one.iter().any(|one| other.iter().any(|other| one.conflicts(*other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_conflict_over_a_common_object_that_one_of_them_writes() {
        let [one, other] = [1, 2].map(Object::numbered);
        #[rustfmt::skip]
        let cases = [
            ("nothing",                 vec![],                                     vec![Touch::write(one)], false),
            ("both read",               vec![Touch::read(one)],                     vec![Touch::read(one)],  false),
            ("one writes",              vec![Touch::read(one)],                     vec![Touch::write(one)], true),
            ("both write",              vec![Touch::write(one)],                    vec![Touch::write(one)], true),
            ("nothing in common",       vec![Touch::write(one)],                    vec![Touch::write(other)], false),
            ("one of several",          vec![Touch::read(other), Touch::write(one)], vec![Touch::read(one)], true),
        ];
        for (name, left, right, expected) in cases {
            assert_eq!((conflict(&left, &right), conflict(&right, &left)), (expected, expected), "{name}");
        }
        assert_eq!(Touch::read(one).and(Touch::write(one)), Touch::write(one));
    }
}
