//! One credential that is refreshed: for all who send with it, beside other processes that share its store.
//!
//! A refresh token is good for one use, and a server may take a second one for theft and revoke all that came of it. So
//! the machine is careful at four points. One refresh is in flight for all who wait (S14). Before a token is used, the
//! store is read and the right to use it claimed from the other processes (S14, S15). Where nobody can say whether a token was
//! used, or a write done, the store is read before anything else. And a new credential counts when the store has it.
//!
//! The store gives each credential that it holds a higher [`Generation`]. A generation only grows here, and every
//! answer names its order, so that what comes late replaces nothing (S16). Everyone who waits is told once (L5).

mod validate;
mod vocabulary;

pub use validate::CredentialCorrupt;
pub use vocabulary::{
    CredentialEffect, CredentialEvent, CredentialRejected, Found, Generation, OrderNumber, RefreshEnd,
    WaitEnd, WaiterId, WriteEnd,
};

use crate::config::Config;
use crate::faults::Fault;
use crate::validate::COUNTER_MAX;
use crate::vocabulary::{Ignored, Outcome};
use serde::{Deserialize, Serialize};

/// Where a credential stands. The diagram is in `docs/credential.md`, made from this code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CredentialState {
    /// The known generation will not do, or none is known, and nobody waits.
    #[default]
    Lapsed,
    /// The known generation is good as far as anybody knows.
    Fresh,
    /// The store is asked what it holds.
    Reading {
        /// What is due if that is the known generation.
        if_current: IfCurrent,
    },
    /// The server is asked for a new credential.
    Refreshing,
    /// There is a new credential, and the store is to write it.
    Storing,
    /// A timer runs; then the store is read.
    Waiting {
        /// What is due if the store holds the known generation then.
        if_current: IfCurrent,
    },
    /// There is a new credential that could not be stored, and nobody waits.
    Unsaved,
    /// The server does not take the known generation, or there is none; nobody waits.
    Refused,
}

/// What is due if the store still holds the known generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum IfCurrent {
    /// To refresh it.
    Refresh,
    /// To write its successor, which is there.
    Write,
    /// To give it up.
    Refuse,
}

/// One credential. Waiters `1..=settled` were told, the rest up to `accepted` wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Credential {
    /// Where it stands.
    pub state: CredentialState,
    /// The newest generation that the store was seen to hold.
    pub generation: Generation,
    /// The last order, 0 before the first.
    pub order: OrderNumber,
    /// Waits since somebody began to wait.
    pub waits: u8,
    /// The last waiter that was accepted.
    pub accepted: WaiterId,
    /// Every waiter up to this one was told.
    pub settled: WaiterId,
}

type Reply = Outcome<CredentialRejected>;

impl Credential {
    /// Takes one event and gives `sink` the effects in their order.
    ///
    /// Unless the outcome is [`Outcome::Applied`], nothing changed and nothing was emitted (S25).
    pub fn step(
        &mut self,
        event: CredentialEvent,
        config: &Config,
        sink: &mut dyn FnMut(CredentialEffect),
    ) -> Outcome<CredentialRejected> {
        let mut step = Step { credential: self, config, sink };
        match event {
            CredentialEvent::Wanted { waiter, newer_than } => step.wanted(waiter, newer_than),
            CredentialEvent::StoreRead { order, found } => step.store_read(order, found, event),
            CredentialEvent::RefreshEnded { order, end } => step.refresh_ended(order, end, event),
            CredentialEvent::WriteEnded { order, end } => step.write_ended(order, end, event),
            CredentialEvent::StoreChanged { generation } => step.store_changed(generation),
            CredentialEvent::Elapsed { order } => step.elapsed(order, event),
        }
    }

    /// Repeats what is outstanding, with the same identities: for a shell that has just started. A refresh or a write is
    /// asked about and not repeated, because it may have been done.
    pub fn resync(&self, config: &Config, sink: &mut dyn FnMut(CredentialEffect)) {
        if config.has(Fault::ResyncForgetsOrder) {
            return;
        }
        match self.state {
            CredentialState::Refreshing if config.has(Fault::ResyncRefreshes) => {
                self.give_order(config, sink);
            }
            CredentialState::Refreshing | CredentialState::Storing => {
                sink(CredentialEffect::Recover { order: self.order });
            }
            CredentialState::Reading { .. }
            | CredentialState::Waiting { .. }
            | CredentialState::Lapsed
            | CredentialState::Fresh
            | CredentialState::Unsaved
            | CredentialState::Refused => self.give_order(config, sink),
        }
        self.arm(config, sink);
    }

    /// What the state has ordered, if it has.
    fn give_order(&self, config: &Config, sink: &mut dyn FnMut(CredentialEffect)) {
        let Self { generation, order, .. } = *self;
        match self.state {
            CredentialState::Reading { if_current: IfCurrent::Refresh | IfCurrent::Write } => {
                sink(CredentialEffect::Claim { order, generation, for_ms: u64::from(config.claim_ms) });
            }
            CredentialState::Reading { if_current: IfCurrent::Refuse } => {
                sink(CredentialEffect::Read { order, generation });
            }
            CredentialState::Refreshing => sink(CredentialEffect::Refresh { order, generation }),
            CredentialState::Storing => {
                sink(CredentialEffect::Write { order, generation: self.successor() });
            }
            CredentialState::Waiting { .. }
            | CredentialState::Lapsed
            | CredentialState::Fresh
            | CredentialState::Unsaved
            | CredentialState::Refused => {}
        }
    }

    /// The timer that the state needs: every state in which somebody waits has one (L5).
    fn arm(&self, config: &Config, sink: &mut dyn FnMut(CredentialEffect)) {
        let after_ms = match self.state {
            CredentialState::Reading { .. } | CredentialState::Storing => u64::from(config.store_ms),
            CredentialState::Refreshing => u64::from(config.refresh_ms),
            CredentialState::Waiting { .. } => {
                u64::from(config.credential_backoff_ms) * u64::from(self.waits)
            }
            CredentialState::Lapsed
            | CredentialState::Fresh
            | CredentialState::Unsaved
            | CredentialState::Refused => return,
        };
        sink(CredentialEffect::Arm { order: self.order, after_ms });
    }

    /// The generation of what a refresh brings.
    fn successor(&self) -> Generation {
        Generation(self.generation.0 + 1)
    }

    /// Whether an order is open: then somebody waits, and a timer is armed.
    fn is_open(&self) -> bool {
        match self.state {
            CredentialState::Reading { .. }
            | CredentialState::Refreshing
            | CredentialState::Storing
            | CredentialState::Waiting { .. } => true,
            CredentialState::Lapsed
            | CredentialState::Fresh
            | CredentialState::Unsaved
            | CredentialState::Refused => false,
        }
    }

    /// How an order relates to the one that is open.
    fn fits(&self, order: OrderNumber) -> Result<(), Fit> {
        if order.0 == 0 || order > self.order {
            Err(Fit::NeverAsked)
        } else if order < self.order || !self.is_open() {
            Err(Fit::Stale)
        } else {
            Ok(())
        }
    }
}

/// Why an order is not the open one.
#[derive(Clone, Copy)]
enum Fit {
    Stale,
    NeverAsked,
}

/// A credential during one step.
struct Step<'s> {
    credential: &'s mut Credential,
    config: &'s Config,
    sink: &'s mut dyn FnMut(CredentialEffect),
}

impl Step<'_> {
    fn wanted(&mut self, waiter: WaiterId, newer_than: Generation) -> Reply {
        let Credential { state, generation, accepted, settled, .. } = *self.credential;
        if waiter.0 != 0 && waiter <= accepted {
            return Outcome::Ignored(Ignored::Duplicate);
        }
        let expected = WaiterId(accepted.0.saturating_add(1));
        if waiter != expected {
            return Outcome::Rejected(CredentialRejected::WaiterGap { expected, got: waiter });
        }
        if newer_than > generation {
            return Outcome::Rejected(CredentialRejected::Generation { known: generation, got: newer_than });
        }
        let full = accepted.0 - settled.0 >= u64::from(self.config.waiters_max);
        if full && !self.config.has(Fault::WaitersUnbounded) {
            if self.config.has(Fault::RefusedWaits) {
                self.credential.accepted = waiter;
            }
            return Outcome::Rejected(CredentialRejected::WaitersFull { waiter });
        }
        self.credential.accepted = waiter;
        let is_replaced = newer_than < generation && !self.config.has(Fault::RefreshesReplaced);
        match state {
            // S17: what was replaced already costs no refresh, and what will not do is not given again.
            CredentialState::Fresh if is_replaced || self.config.has(Fault::RefusedGiven) => {
                self.settle(WaitEnd::Given(generation));
            }
            CredentialState::Fresh | CredentialState::Lapsed => self.read(IfCurrent::Refresh),
            CredentialState::Unsaved => self.read(IfCurrent::Write),
            CredentialState::Refused => self.read(IfCurrent::Refuse),
            CredentialState::Refreshing if self.config.has(Fault::RefreshesBeside) => {
                self.order(CredentialState::Refreshing);
            }
            CredentialState::Reading { .. }
            | CredentialState::Refreshing
            | CredentialState::Storing
            | CredentialState::Waiting { .. } => {}
        }
        Outcome::Applied
    }

    fn store_read(&mut self, order: OrderNumber, found: Found, event: CredentialEvent) -> Reply {
        if let Err(fit) = self.credential.fits(order) {
            return self.unfit(fit, event);
        }
        let CredentialState::Reading { if_current } = self.credential.state else {
            return self.unfit(Fit::NeverAsked, event);
        };
        let known = self.credential.generation;
        match found {
            Found::Current | Found::Taken if known.0 == 0 => return self.unfit(Fit::NeverAsked, event),
            Found::Other { generation: got } if !self.may_follow(got) => {
                return Outcome::Rejected(CredentialRejected::Generation { known, got });
            }
            Found::Other { .. }
                if if_current == IfCurrent::Refuse && self.config.has(Fault::NewerRefused) =>
            {
                self.disarm();
                self.rest(IfCurrent::Refuse, WaitEnd::Refused);
            }
            // S16: the server's no was about an older generation than this one.
            Found::Other { generation } => self.fresh(generation),
            Found::Current => {
                self.disarm();
                self.go_on(if_current);
            }
            Found::Taken => {
                self.disarm();
                self.stand_back(if_current);
            }
            Found::Empty => {
                self.disarm();
                self.rest(IfCurrent::Refuse, WaitEnd::Refused);
            }
            Found::Unreadable => {
                self.disarm();
                self.wait(if_current);
            }
        }
        Outcome::Applied
    }

    fn refresh_ended(&mut self, order: OrderNumber, end: RefreshEnd, event: CredentialEvent) -> Reply {
        let fit = self.credential.fits(order);
        let any = self.config.has(Fault::OldRefreshEnds) && matches!(fit, Err(Fit::Stale));
        if let (Err(fit), false) = (fit, any) {
            return self.unfit(fit, event);
        }
        if self.credential.state != CredentialState::Refreshing {
            return self.unfit(Fit::NeverAsked, event);
        }
        self.disarm();
        match end {
            RefreshEnd::Refreshed => {
                self.order(CredentialState::Storing);
                if self.config.has(Fault::GivenBeforeStored) {
                    self.settle(WaitEnd::Given(self.credential.successor()));
                }
            }
            RefreshEnd::InvalidGrant if self.config.has(Fault::RefusesUnread) => {
                self.rest(IfCurrent::Refuse, WaitEnd::Refused);
            }
            // Perhaps another process was faster, and the store has what it got.
            RefreshEnd::InvalidGrant => self.read(IfCurrent::Refuse),
            RefreshEnd::Failed => self.wait(IfCurrent::Refresh),
        }
        Outcome::Applied
    }

    fn write_ended(&mut self, order: OrderNumber, end: WriteEnd, event: CredentialEvent) -> Reply {
        if let Err(fit) = self.credential.fits(order) {
            return self.unfit(fit, event);
        }
        if self.credential.state != CredentialState::Storing {
            return self.unfit(Fit::NeverAsked, event);
        }
        match end {
            WriteEnd::Stored => self.fresh(self.credential.successor()),
            WriteEnd::Failed => {
                self.disarm();
                self.wait(IfCurrent::Write);
            }
            // What the server gave is gone. Whether the old token is still good only the server can say.
            WriteEnd::Lost => {
                self.disarm();
                self.wait(IfCurrent::Refresh);
            }
        }
        Outcome::Applied
    }

    fn store_changed(&mut self, generation: Generation) -> Reply {
        let known = self.credential.generation;
        if generation == known {
            return Outcome::Ignored(Ignored::Duplicate);
        }
        if generation < known && !self.config.has(Fault::OlderAdopted) {
            return Outcome::Ignored(Ignored::Stale);
        }
        if !self.may_follow(generation) {
            return Outcome::Rejected(CredentialRejected::Generation { known, got: generation });
        }
        self.fresh(generation);
        Outcome::Applied
    }

    fn elapsed(&mut self, order: OrderNumber, event: CredentialEvent) -> Reply {
        if let Err(fit) = self.credential.fits(order) {
            return self.unfit(fit, event);
        }
        match self.credential.state {
            CredentialState::Reading { if_current } => self.wait(if_current),
            CredentialState::Refreshing => {
                if !self.config.has(Fault::RefreshNotAborted) {
                    (self.sink)(CredentialEffect::Abort { order });
                }
                self.wait(IfCurrent::Refresh);
            }
            CredentialState::Storing => self.wait(IfCurrent::Write),
            CredentialState::Waiting { if_current: IfCurrent::Refresh }
                if self.config.has(Fault::RefreshesUnread) && self.credential.generation.0 > 0 =>
            {
                self.order(CredentialState::Refreshing);
            }
            CredentialState::Waiting { if_current: IfCurrent::Write }
                if self.config.has(Fault::WritesUnread) =>
            {
                self.order(CredentialState::Storing);
            }
            CredentialState::Waiting { if_current } => self.read(if_current),
            CredentialState::Lapsed
            | CredentialState::Fresh
            | CredentialState::Unsaved
            | CredentialState::Refused => return self.unfit(Fit::Stale, event),
        }
        Outcome::Applied
    }

    /// Whether the store can hold this generation after the one that is known.
    fn may_follow(&self, generation: Generation) -> bool {
        let newer = generation > self.credential.generation || self.config.has(Fault::OlderAdopted);
        newer && generation.0 <= COUNTER_MAX
    }

    /// The store holds the known generation, and nobody else is about to replace it.
    fn go_on(&mut self, if_current: IfCurrent) {
        match if_current {
            IfCurrent::Refresh => self.order(CredentialState::Refreshing),
            IfCurrent::Write => self.order(CredentialState::Storing),
            IfCurrent::Refuse => self.rest(IfCurrent::Refuse, WaitEnd::Refused),
        }
    }

    /// Another process may be about to replace the known generation.
    fn stand_back(&mut self, if_current: IfCurrent) {
        match if_current {
            IfCurrent::Refresh if self.config.has(Fault::TakenRefreshes) => self.go_on(if_current),
            IfCurrent::Refresh | IfCurrent::Refuse => self.wait(if_current),
            // The token is used; the other process cannot get more for it than this one has.
            IfCurrent::Write => self.go_on(if_current),
        }
    }

    fn read(&mut self, if_current: IfCurrent) {
        self.order(CredentialState::Reading { if_current });
    }

    /// Everything that did not work comes by here, so that nothing is tried without end (L5).
    fn wait(&mut self, if_current: IfCurrent) {
        let patient = self.credential.waits < self.config.credential_waits_max;
        if !patient && !self.config.has(Fault::NoWaitBudget) {
            self.rest(if_current, WaitEnd::Failed);
            return;
        }
        self.credential.waits = self.credential.waits.saturating_add(1);
        self.order(CredentialState::Waiting { if_current });
    }

    /// Enters a state that waits for an answer, and asks for it.
    fn order(&mut self, state: CredentialState) {
        self.credential.state = state;
        self.credential.order.0 += 1;
        self.credential.give_order(self.config, self.sink);
        if !self.config.has(Fault::NoOrderTimer) {
            self.credential.arm(self.config, self.sink);
        }
    }

    fn disarm(&mut self) {
        if !self.config.has(Fault::OrderLeftArmed) {
            (self.sink)(CredentialEffect::Disarm { order: self.credential.order });
        }
    }

    /// The store holds this generation, which is newer than the known one.
    fn fresh(&mut self, generation: Generation) {
        if self.credential.is_open() {
            self.disarm();
        }
        // What it would bring could not be stored any more (S16).
        let replaced = self.credential.state == CredentialState::Refreshing;
        if replaced && !self.config.has(Fault::ReplacedNotAborted) {
            (self.sink)(CredentialEffect::Abort { order: self.credential.order });
        }
        self.credential.state = CredentialState::Fresh;
        self.credential.generation = generation;
        self.settle(WaitEnd::Given(generation));
    }

    /// There is nothing newer to be had now. What was known stays known until somebody asks again.
    fn rest(&mut self, if_current: IfCurrent, end: WaitEnd) {
        self.credential.state = match if_current {
            IfCurrent::Refresh => CredentialState::Lapsed,
            IfCurrent::Write if self.config.has(Fault::UnsavedForgotten) => CredentialState::Lapsed,
            IfCurrent::Write => CredentialState::Unsaved,
            IfCurrent::Refuse => CredentialState::Refused,
        };
        self.settle(end);
    }

    /// Tells everyone who waits.
    fn settle(&mut self, end: WaitEnd) {
        let Credential { accepted, settled, .. } = *self.credential;
        let told = if self.config.has(Fault::OneWaiterSettled) { settled.0 + 1 } else { accepted.0 };
        for waiter in settled.0 + 1..=told {
            (self.sink)(CredentialEffect::Settle { waiter: WaiterId(waiter), end });
        }
        if !self.config.has(Fault::WaitersKept) {
            self.credential.settled = accepted;
        }
        self.credential.waits = 0;
    }

    fn unfit(&self, fit: Fit, event: CredentialEvent) -> Reply {
        match fit {
            Fit::Stale => Outcome::Ignored(Ignored::Stale),
            Fit::NeverAsked => {
                Outcome::Rejected(CredentialRejected::NeverAsked { state: self.credential.state, event })
            }
        }
    }
}
