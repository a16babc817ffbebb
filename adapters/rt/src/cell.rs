//! A value that tasks share.

use crate::runtime::{Access, ObjectId, Rt};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

struct Shared<T> {
    rt: Rt,
    object: ObjectId,
    value: Mutex<T>,
}

/// A value that tasks share, and the way to share one: a runtime that explores schedules learns of each use. What is shared past the
/// seam, in a mutex or an atomic number, it does not see, and it may leave out the orders that matter.
///
/// Every clone is the same cell.
pub struct Cell<T>(Arc<Shared<T>>);

pub(crate) fn cell<T>(rt: Rt, name: &'static str, value: T) -> Cell<T> {
    let object = rt.object(name);
    Cell(Arc::new(Shared { rt, object, value: Mutex::new(value) }))
}

impl<T> Cell<T> {
    /// Changes the value. Nobody else sees it meanwhile; a use of the same cell in `change` waits for ever.
    pub fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        self.0.rt.touch(self.0.object, Access::Write);
        change(&mut self.0.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the value. A use of the same cell in `look` waits for ever.
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        self.0.rt.touch(self.0.object, Access::Read);
        look(&self.0.value.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The value.
    pub fn get(&self) -> T
    where
        T: Clone,
    {
        self.read(T::clone)
    }

    /// Puts another value in its place.
    pub fn set(&self, value: T) {
        // What was there is dropped when the cell can be used again.
        drop(self.with(|there| std::mem::replace(there, value)));
    }
}

impl<T> Clone for Cell<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Cell<T> {
    fn drop(&mut self) {
        // Whoever is the last one drops the value, and with it whatever that is.
        self.0.rt.touch(self.0.object, Access::Write);
    }
}

impl<T> fmt::Debug for Cell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cell")
    }
}
