//! A network between processes: messages arrive in any order.

/// Messages on the way at once; a sender waits while there are so many. Four more than two orchestrators and two agents
/// that each have sent one: within the bounds of the models nobody waits for long.
pub const CAPACITY: usize = 8;

/// Messages on the way, sorted, so that the order in which they were sent makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bag<T>([Option<T>; CAPACITY]);

impl<T: Copy + Ord> Bag<T> {
    /// Nothing is on the way.
    pub const EMPTY: Self = Self([None; CAPACITY]);

    /// Everything that is on the way, each message once.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        let mut last = None;
        self.0.into_iter().flatten().filter(move |message| last.replace(*message) != Some(*message))
    }

    /// Whether the message is on the way.
    pub fn has(&self, message: T) -> bool {
        self.0.contains(&Some(message))
    }

    /// Sends a message, or returns `None` if there are too many.
    pub fn put(&mut self, message: T) -> Option<()> {
        let free = self.0.iter_mut().find(|slot| slot.is_none())?;
        *free = Some(message);
        self.0.sort_unstable();
        Some(())
    }

    /// Takes one copy of a message.
    pub fn take(&mut self, message: T) -> Option<()> {
        let slot = self.0.iter_mut().find(|slot| **slot == Some(message))?;
        *slot = None;
        self.0.sort_unstable();
        Some(())
    }

    /// Forgets messages that nobody will read.
    pub fn forget(&mut self, is_unread: impl Fn(T) -> bool) {
        for slot in &mut self.0 {
            *slot = slot.filter(|message| !is_unread(*message));
        }
        self.0.sort_unstable();
    }
}
