//! Two owners of one machine: a process that is suspended, and another one that goes on in its place.
//!
//! A process has three stretches for each event: its machine takes it, the journal records it, and its orders go out one
//! after the other. It may be suspended between any two of these, and another process may open the journal then. The store
//! gives that one the next epoch, and refuses whatever is written under the one before.
//!
//! The process before does not know. What was on record when it was replaced it may release at any time, in any order; of
//! that the new owner has repeated what is outstanding, under the same identities. What it hears its machine takes as ever,
//! and no order that follows goes out before the event is on record: so none does. The first event that its machine applies
//! is the last one, because it ends when the store refuses that.

/// A duty of those around a machine with two owners that somebody does not do, so that a test can see what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The store takes what is written under an epoch that is over.
    Unfenced,
    /// A process releases orders before their event is on record.
    Unrecorded,
}

/// How far the process comes with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It is on record, and all orders went out.
    Whole,
    /// It is on record, and the process crashes after so many orders, and less than all, went out.
    Crash(u8),
    /// Its machine has taken it, and what follows are steps of their own: another process may become the owner before the
    /// event is on record, and between any two orders.
    Slow,
}

/// What a process is to put on record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Write<E, O> {
    /// An event, and the orders that follow from it.
    Taken(E, Vec<O>),
    /// Something that the store will refuse: what it is makes no difference.
    Void,
}

/// A process in the middle of an event, or one that was replaced: its machine, its events, its orders.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Former<M, E, O> {
    /// Its machine, which may have taken what is not on record; `None` if nothing comes to it any more.
    machine: Option<M>,
    /// Something may come to it, and whatever that is will be refused.
    hears: bool,
    writes: Option<Write<E, O>>,
    /// Orders that are on record, and that it has not released.
    owes: Vec<O>,
    /// Another process owns the machine.
    is_replaced: bool,
}

impl<M: Clone, E, O: Copy> Former<M, E, O> {
    /// The machine of the owner has taken an event, and the rest is to come.
    pub fn slow(machine: M, event: E, orders: Vec<O>) -> Self {
        let (machine, writes) = (Some(machine), Some(Write::Taken(event, orders)));
        Self { machine, hears: false, writes, owes: Vec::new(), is_replaced: false }
    }

    /// The owner, which may be slow, is replaced; `at_rest` is what is on record. What is `undone` it may still do. Its timers
    /// are its own: no order about one goes outside.
    pub fn replaced(
        slow: Option<Self>,
        at_rest: &M,
        undone: Vec<O>,
        is_of_timer: fn(O) -> bool,
        flaw: Option<Flaw>,
    ) -> Self {
        let idle = || Self { machine: None, hears: false, writes: None, owes: Vec::new(), is_replaced: true };
        let mut former = slow.unwrap_or_else(idle);
        former.machine = former.machine.or_else(|| Some(at_rest.clone()));
        former.is_replaced = true;
        former.owes.extend(undone);
        former.forget(is_of_timer);
        former.void(flaw);
        former
    }

    /// Forgets orders that go nowhere.
    pub fn forget(&mut self, is_over: fn(O) -> bool) {
        self.owes.retain(|order| !is_over(*order));
    }

    /// What a process that was replaced is to write is refused, unless the store is flawed.
    fn void(&mut self, flaw: Option<Flaw>) {
        if self.is_replaced && self.writes.is_some() && flaw != Some(Flaw::Unfenced) {
            (self.machine, self.writes) = (None, Some(Write::Void));
        }
    }

    /// Forgets what its machine knows, where that makes no difference: what comes to it is lost for nobody, and whatever it is,
    /// the store refuses what follows.
    pub fn forget_machine(&mut self) {
        self.hears = self.machine.take().is_some();
    }

    /// Whether something may come to it, whatever that is.
    pub fn hears(&self) -> bool {
        self.hears
    }

    /// It has taken something, whatever that is.
    pub fn takes_something(&mut self) {
        (self.hears, self.writes) = (false, Some(Write::Void));
    }

    /// Whether another process owns the machine.
    pub fn is_replaced(&self) -> bool {
        self.is_replaced
    }

    /// Whether there is something that it is to put on record.
    pub fn is_to_write(&self) -> bool {
        self.writes.is_some()
    }

    /// Its machine, as long as something may come to it.
    pub fn machine(&self) -> Option<&M> {
        self.machine.as_ref().filter(|_| self.is_replaced && self.writes.is_none())
    }

    /// Its machine, whatever it is for.
    pub fn machine_mut(&mut self) -> Option<&mut M> {
        self.machine.as_mut()
    }

    /// What its machine has taken and is not on record.
    pub fn taken_mut(&mut self) -> Option<&mut E> {
        match &mut self.writes {
            Some(Write::Taken(event, _)) => Some(event),
            Some(Write::Void) | None => None,
        }
    }

    /// The orders that it has not released.
    pub fn owes(&self) -> &[O] {
        &self.owes
    }

    /// Every order that it has in hand.
    pub fn orders_mut(&mut self) -> impl Iterator<Item = &mut O> {
        let taken = match &mut self.writes {
            Some(Write::Taken(_, orders)) => Some(orders),
            Some(Write::Void) | None => None,
        };
        self.owes.iter_mut().chain(taken.into_iter().flatten())
    }

    /// What it has taken is on record, and what that orders is to be released. Its machine is that of the owner, unless it was
    /// replaced.
    pub fn record(&mut self) -> Option<(E, Vec<O>)> {
        let Write::Taken(event, orders) = self.writes.take()? else { return None };
        self.owes.extend_from_slice(&orders);
        Some((event, orders))
    }

    /// The machine of an owner whose event is on record.
    pub fn hand_over(&mut self) -> Option<M> {
        self.machine.take()
    }

    /// The next order of a slow owner goes out.
    pub fn release(&mut self) -> Option<O> {
        (!self.owes.is_empty()).then(|| self.owes.remove(0))
    }

    /// The next order of a slow owner goes out before its event is on record.
    pub fn release_unrecorded(&mut self) -> Option<O> {
        match &mut self.writes {
            Some(Write::Taken(_, orders)) => (!orders.is_empty()).then(|| orders.remove(0)),
            Some(Write::Void) | None => None,
        }
    }

    /// An order of a process that was replaced goes out.
    pub fn release_late(&mut self, at: u8) -> Option<O> {
        (usize::from(at) < self.owes.len()).then(|| self.owes.remove(at.into()))
    }

    /// The machine of a process that was replaced has taken something.
    pub fn takes(&mut self, event: E, orders: Vec<O>, flaw: Option<Flaw>) {
        self.writes = Some(Write::Taken(event, orders));
        self.void(flaw);
    }

    /// Forgets what makes no difference any more; `None` if that is everything. `hears` says whether something may come to it.
    pub fn settled(mut self, hears: bool) -> Option<Self> {
        if self.writes.is_none() && !(self.is_replaced && hears) {
            self.machine = None;
        }
        let is_over = self.machine.is_none() && !self.hears && self.writes.is_none() && self.owes.is_empty();
        (!is_over).then_some(self)
    }
}
