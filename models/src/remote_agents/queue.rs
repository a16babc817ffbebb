//! A link between two processes: first in, first out, bounded.

/// Messages that a link holds; a sender waits while it is full. Twice the copies of one report: within the default
/// bounds nobody ever waits to report, unless copies pile up because reports are mistaken for each other.
pub const CAPACITY: usize = 4;

/// Messages on the way, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Queue<T>([Option<T>; CAPACITY]);

impl<T: Copy> Queue<T> {
    /// A link with nothing on the way.
    pub const fn new() -> Self {
        Self([None; CAPACITY])
    }

    /// The message that arrives next.
    pub fn first(&self) -> Option<T> {
        self.0[0]
    }

    /// Whether nothing is on the way.
    pub fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }

    /// Whether a sender has to wait.
    pub fn is_full(&self) -> bool {
        self.0[CAPACITY - 1].is_some()
    }

    /// Sends a message, or returns `None` if the link is full.
    pub fn push(&mut self, message: T) -> Option<()> {
        let free = self.0.iter_mut().find(|slot| slot.is_none())?;
        *free = Some(message);
        Some(())
    }

    /// Takes the message that arrives next.
    pub fn pop(&mut self) -> Option<T> {
        let first = self.0[0].take();
        self.0.rotate_left(1);
        first
    }
}

impl<T: Copy> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}
