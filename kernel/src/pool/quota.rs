//! Quotas: how much of what a user wants may run at once.
//!
//! A place in the quota is taken with an assignment and given back with the end of its lease, however it ends: completed,
//! cancelled, returned or lost. It is never taken by what waits.

use super::vocabulary::UserId;
use alloc::collections::BTreeMap;

/// The tasks of one user that have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Account {
    /// Those that wait.
    pub(super) queued: u32,
    /// Those that are assigned: at most the quota (S22).
    pub(super) held: u32,
}

impl Account {
    pub(super) fn queue(&mut self) {
        self.queued += 1;
    }

    pub(super) fn hold(&mut self) {
        self.held += 1;
    }

    pub(super) fn withdraw(&mut self) {
        self.queued = self.queued.saturating_sub(1);
    }

    pub(super) fn release(&mut self) {
        self.held = self.held.saturating_sub(1);
    }
}

/// Every user with a queued or assigned task. It follows from the tasks, and is kept because to count them anew would
/// cost as much as there are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Accounts {
    quota: u32,
    users: BTreeMap<UserId, Account>,
    /// How many tasks would be assigned now if there were agents enough.
    demand: u32,
}

impl Accounts {
    pub(super) fn new(quota: u32) -> Self {
        Self { quota, users: BTreeMap::new(), demand: 0 }
    }

    pub(super) fn demand(&self) -> u32 {
        self.demand
    }

    pub(super) fn len(&self) -> usize {
        self.users.len()
    }

    pub(super) fn get(&self, user: UserId) -> Option<Account> {
        self.users.get(&user).copied()
    }

    /// Whether another task of the user may be assigned.
    pub(super) fn has_room(&self, user: UserId) -> bool {
        self.get(user).is_none_or(|account| account.held < self.quota)
    }

    pub(super) fn change(&mut self, user: UserId, change: impl FnOnce(&mut Account)) {
        let account = self.users.entry(user).or_default();
        let before = wanted(*account, self.quota);
        change(account);
        self.demand = self.demand - before + wanted(*account, self.quota);
        if *account == Account::default() {
            self.users.remove(&user);
        }
    }
}

/// How many tasks of a user would be assigned now if there were agents enough.
fn wanted(account: Account, quota: u32) -> u32 {
    account.queued.min(quota.saturating_sub(account.held))
}
