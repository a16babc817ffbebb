//! The queue: which task is next.
//!
//! Every task gets a place when it is submitted, and keeps it, through every loss and return, until it ends. The place is
//! the number of its submission plus what its priority yields, so each later submission brings it one step nearer to the
//! front, and after as many as it yields no later one comes before it (L4). That needs no clock, and no pass over those
//! that wait.
//!
//! Next is the lowest place of all users that have room in their quota.

use super::quota::{Account, Accounts};
use super::vocabulary::UserId;
use crate::vocabulary::TaskId;
use alloc::collections::BTreeMap;
use serde::{Deserialize, Serialize};

/// A place in the queue: the lower, the sooner. No two tasks have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The number of its submission, plus `yields`.
    pub turn: u64,
    /// How many later tasks may be assigned before it. Of two with the same turn the one that yields less is first, and
    /// was submitted later.
    pub yields: u32,
}

impl Place {
    const FIRST: Self = Self { turn: 0, yields: 0 };
}

/// The tasks that wait. All of it follows from the tasks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Queue {
    waiting: BTreeMap<(UserId, Place), TaskId>,
    /// The first of each user that has room.
    ready: BTreeMap<Place, TaskId>,
    accounts: Accounts,
}

impl Queue {
    pub(super) fn new(quota: u32) -> Self {
        Self { waiting: BTreeMap::new(), ready: BTreeMap::new(), accounts: Accounts::new(quota) }
    }

    pub(super) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The task that is next.
    pub(super) fn first(&self) -> Option<TaskId> {
        self.ready.first_key_value().map(|(_, task)| *task)
    }

    /// A task begins to wait.
    pub(super) fn enqueue(&mut self, user: UserId, place: Place, task: TaskId) {
        self.change(user, |queue| {
            queue.waiting.insert((user, place), task);
            queue.accounts.change(user, Account::queue);
        });
    }

    /// A stored task that an agent has.
    pub(super) fn find_held(&mut self, user: UserId) {
        self.change(user, |queue| queue.accounts.change(user, Account::hold));
    }

    /// A task waits no more, and nobody has it.
    pub(super) fn withdraw(&mut self, user: UserId, place: Place) {
        self.change(user, |queue| {
            queue.waiting.remove(&(user, place));
            queue.accounts.change(user, Account::withdraw);
        });
    }

    /// A task waits no more: an agent has it.
    pub(super) fn hold(&mut self, user: UserId, place: Place) {
        self.change(user, |queue| {
            queue.waiting.remove(&(user, place));
            queue.accounts.change(user, |account| {
                account.withdraw();
                account.hold();
            });
        });
    }

    /// An agent has it no more, and it has ended.
    pub(super) fn release(&mut self, user: UserId) {
        self.change(user, |queue| queue.accounts.change(user, Account::release));
    }

    /// An agent has it no more, and it waits for another one.
    pub(super) fn put_back(&mut self, user: UserId, place: Place, task: TaskId) {
        self.change(user, |queue| {
            queue.waiting.insert((user, place), task);
            queue.accounts.change(user, |account| {
                account.release();
                account.queue();
            });
        });
    }

    /// Changes what a user has, and which of it is ready.
    fn change(&mut self, user: UserId, change: impl FnOnce(&mut Self)) {
        let before = self.ready_of(user);
        change(self);
        let after = self.ready_of(user);
        if before != after {
            if let Some((place, _)) = before {
                self.ready.remove(&place);
            }
            if let Some((place, task)) = after {
                self.ready.insert(place, task);
            }
        }
    }

    fn ready_of(&self, user: UserId) -> Option<(Place, TaskId)> {
        let ((of, place), task) = self.waiting.range((user, Place::FIRST)..).next()?;
        (*of == user && self.accounts.has_room(user)).then_some((*place, *task))
    }
}
