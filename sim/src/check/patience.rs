//! How long work on a graph may go on: until a limit is reached, looked at now and then.

use std::cell::Cell;

use super::limits::Limit;

/// States or steps of a graph between two looks at the limits: less than a millisecond of work.
const BETWEEN_LOOKS: u32 = 1 << 14;

/// Asks for the limit that is reached, first at once and then after so many states or steps of work each time.
pub(super) struct Patience<'a> {
    reached: &'a dyn Fn(u64) -> Option<Limit>,
    until_look: Cell<u32>,
}

impl<'a> Patience<'a> {
    /// Patience until `reached`, which is told the bytes that the work holds, names a limit.
    pub(super) fn until(reached: &'a dyn Fn(u64) -> Option<Limit>) -> Self {
        Self { reached, until_look: Cell::new(0) }
    }

    /// Counts one state or step of work.
    ///
    /// # Errors
    /// The limit that was reached; what is being worked on is not decided.
    #[inline]
    pub(super) fn work(&self) -> Result<(), Limit> {
        self.work_with(|| 0)
    }

    /// As [`Self::work`], where the work holds so many bytes that grow with it.
    ///
    /// # Errors
    /// The limit that was reached; what is being worked on is not decided.
    #[inline]
    pub(super) fn work_with(&self, bytes: impl FnOnce() -> u64) -> Result<(), Limit> {
        if let Some(left) = self.until_look.get().checked_sub(1) {
            self.until_look.set(left);
            return Ok(());
        }
        self.until_look.set(BETWEEN_LOOKS - 1);
        (self.reached)(bytes()).map_or(Ok(()), Err)
    }
}

#[cfg(test)]
impl Patience<'_> {
    /// Patience without end.
    pub(super) fn endless() -> Self {
        Self::until(&|_| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_looked_at_first_at_once_and_then_now_and_then() {
        let looks = Cell::new(0);
        let reached = |_| {
            looks.set(looks.get() + 1);
            (looks.get() == 3).then_some(Limit::Interrupt)
        };
        let patience = Patience::until(&reached);
        let mut worked = 0_u32;
        while patience.work().is_ok() {
            worked += 1;
        }
        assert_eq!((worked, looks.get()), (2 * BETWEEN_LOOKS, 3));
    }
}
