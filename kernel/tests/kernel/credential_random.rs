//! Two processes with one store, and a server that rotates tokens and revokes them all when one is used twice: long random
//! histories with lost answers, crashes, logins and claims that end.

#[cfg(feature = "planted-faults")]
use crate::lives::assert_judged;
use crate::lives::{COUNTED_OUT, Chances, chances, damaged, other_numbers};
use downbeat_kernel::{
    Config, Credential, CredentialEffect, CredentialEvent, CredentialState, Found, Generation, OrderNumber,
    Outcome, RefreshEnd, WaitEnd, WaiterId, WriteEnd,
};
use proptest::prelude::*;
use proptest::sample::Index;
use std::collections::BTreeMap;

/// A refresh at the server, and what became of it there if the server has acted.
#[derive(Clone, Copy)]
struct Flight {
    token: u32,
    /// The new token, if the server gave one.
    outcome: Option<Result<u32, ()>>,
}

/// A process that drives a credential, as its duties say.
#[derive(Default)]
struct Process {
    credential: Credential,
    /// The order to the store or the server that is open.
    ask: Option<CredentialEffect>,
    timer: Option<OrderNumber>,
    flight: Option<Flight>,
    /// The token that is to be written.
    unsaved: Option<u32>,
    wants: BTreeMap<WaiterId, Generation>,
    ends: BTreeMap<WaiterId, WaitEnd>,
    taken: Vec<CredentialEvent>,
}

#[derive(Default)]
struct World {
    config: Config,
    processes: [Process; 2],
    /// What the store holds; none if somebody has logged out.
    token: Option<u32>,
    generation: u32,
    claim: Option<usize>,
    /// The token that the server takes, until one is used twice.
    valid: Option<u32>,
    minted: u32,
    reused: bool,
    /// Whether answers are lost, processes crash, and people log in and out.
    harsh: bool,
}

/// A token is used, a successor written and a credential given up only after a look at the store; a successor also when it
/// has just come.
fn assert_looked_up(event: CredentialEvent, effects: &[CredentialEffect]) {
    use CredentialEvent as E;
    let of_store = |found| matches!(event, E::StoreRead { found: is, .. } if is == found);
    let refreshed = matches!(event, E::RefreshEnded { end: RefreshEnd::Refreshed, .. });
    for effect in effects {
        let right = match effect {
            CredentialEffect::Refresh { .. } => of_store(Found::Current),
            CredentialEffect::Write { .. } => refreshed || of_store(Found::Current) || of_store(Found::Taken),
            CredentialEffect::Settle { end: WaitEnd::Refused, .. } => {
                of_store(Found::Current) || of_store(Found::Empty)
            }
            CredentialEffect::Settle { end: WaitEnd::Given(_) | WaitEnd::Failed, .. }
            | CredentialEffect::Read { .. }
            | CredentialEffect::Claim { .. }
            | CredentialEffect::Abort { .. }
            | CredentialEffect::Recover { .. }
            | CredentialEffect::Arm { .. }
            | CredentialEffect::Disarm { .. } => true,
        };
        assert!(right, "S15, S16: {effect:?} after {event:?} without a look at the store");
    }
}

impl World {
    fn live(chances: &Chances, harsh: bool, config: Config) -> Self {
        let mut world = Self { config, harsh, ..Self::default() };
        world.log_in();
        for (choice, number) in chances {
            world.happen(*choice, *number);
        }
        world
    }

    fn log_in(&mut self) {
        let token = self.mint();
        (self.token, self.valid, self.claim) = (Some(token), Some(token), None);
        self.generation += 1;
    }

    fn mint(&mut self) -> u32 {
        self.minted += 1;
        self.minted
    }

    /// Gives a process an event that it has to apply.
    fn take(&mut self, who: usize, event: CredentialEvent) {
        let (config, mut effects) = (self.config, Vec::new());
        let process = &mut self.processes[who];
        let before = process.credential.generation;
        let outcome = process.credential.step(event, &config, &mut |effect| effects.push(effect));
        assert_eq!(outcome, Outcome::Applied, "{event:?} at {:?}", process.credential);
        if config == Config::default() {
            assert_eq!(process.credential.validate(&config), Ok(()), "{event:?}");
        }
        let known = process.credential.generation;
        assert!(before <= known && known.0 <= self.generation, "S16: {event:?} leads to {known:?}");
        assert_looked_up(event, &effects);
        process.taken.push(event);
        self.carry_out(who, &effects);
    }

    fn carry_out(&mut self, who: usize, effects: &[CredentialEffect]) {
        for effect in effects.iter().copied() {
            match effect {
                CredentialEffect::Refresh { generation, .. } => {
                    assert!(self.processes[who].flight.is_none(), "S14: {effect:?} beside another one");
                    assert_eq!(generation.0, self.generation, "S15: the token of another generation");
                    let token = self.token.expect("the store was read just now");
                    let twice = self.processes.iter().filter_map(|process| process.flight);
                    assert!(!twice.into_iter().any(|other| other.token == token), "S14: {effect:?} of both");
                    self.processes[who].flight = Some(Flight { token, outcome: None });
                    self.processes[who].ask = Some(effect);
                }
                CredentialEffect::Read { .. }
                | CredentialEffect::Claim { .. }
                | CredentialEffect::Write { .. }
                | CredentialEffect::Recover { .. } => self.processes[who].ask = Some(effect),
                CredentialEffect::Abort { order } => {
                    // Its answer may be on the way, and comes late.
                    let late = [RefreshEnd::Refreshed, RefreshEnd::InvalidGrant]
                        .map(|end| CredentialEvent::RefreshEnded { order, end });
                    self.processes[who].taken.extend(late);
                    // After a crash there is none: the process took it along.
                    self.processes[who].flight = None;
                    self.processes[who].ask = None;
                }
                CredentialEffect::Arm { order, .. } => {
                    assert_eq!(self.processes[who].timer.replace(order), None, "a timer was left armed");
                }
                CredentialEffect::Disarm { order } => {
                    assert_eq!(self.processes[who].timer.take(), Some(order), "another timer");
                    self.processes[who].ask = None;
                }
                CredentialEffect::Settle { waiter, end } => self.settle(who, waiter, end),
            }
        }
    }

    fn settle(&mut self, who: usize, waiter: WaiterId, end: WaitEnd) {
        let process = &mut self.processes[who];
        if let WaitEnd::Given(generation) = end {
            assert!(generation > process.wants[&waiter], "S17: {waiter:?} is given what would not do");
            assert!(generation.0 <= self.generation, "{generation:?} was given before it was stored");
        }
        assert_eq!(process.ends.insert(waiter, end), None, "{waiter:?} is told twice");
    }

    /// The answer of the store or the server to the open order. `luck` is 0 where something is lost.
    fn answer(&mut self, who: usize, luck: u32) {
        let lost = self.harsh && luck == 0;
        let event = match self.processes[who].ask {
            None => return,
            Some(CredentialEffect::Read { order, .. } | CredentialEffect::Claim { order, .. }) if lost => {
                CredentialEvent::StoreRead { order, found: Found::Unreadable }
            }
            Some(CredentialEffect::Read { order, generation }) => {
                CredentialEvent::StoreRead { order, found: self.look_up(who, generation) }
            }
            Some(CredentialEffect::Claim { order, generation, .. }) => {
                let found = self.look_up(who, generation);
                if found == Found::Current {
                    self.claim = Some(who);
                }
                CredentialEvent::StoreRead { order, found }
            }
            Some(CredentialEffect::Refresh { order, .. }) => {
                let Some(end) = self.serve(who, lost) else { return };
                CredentialEvent::RefreshEnded { order, end }
            }
            Some(CredentialEffect::Write { order, generation }) => {
                CredentialEvent::WriteEnded { order, end: self.write(who, generation, lost) }
            }
            Some(CredentialEffect::Recover { order }) => self.recover(who, order),
            Some(other) => unreachable!("{other:?} expects no answer"),
        };
        self.processes[who].ask = None;
        self.take(who, event);
    }

    fn look_up(&self, who: usize, generation: Generation) -> Found {
        match (self.token, self.claim) {
            (None, _) => Found::Empty,
            (Some(_), _) if generation.0 != self.generation => {
                Found::Other { generation: Generation(self.generation) }
            }
            (Some(_), Some(holder)) if holder != who => Found::Taken,
            (Some(_), _) => Found::Current,
        }
    }

    /// The server acts the first time, and its answer arrives, or is lost, the second time.
    fn serve(&mut self, who: usize, lost: bool) -> Option<RefreshEnd> {
        let flight = self.processes[who].flight.expect("a refresh is in flight");
        let Some(outcome) = flight.outcome else {
            let good = self.valid == Some(flight.token);
            self.reused |= !good;
            self.valid = if good { Some(self.mint()) } else { None };
            self.processes[who].flight = Some(Flight { outcome: Some(self.valid.ok_or(())), ..flight });
            return None;
        };
        self.processes[who].flight = None;
        match outcome {
            _ if lost => Some(RefreshEnd::Failed),
            Err(()) => Some(RefreshEnd::InvalidGrant),
            Ok(token) => {
                self.processes[who].unsaved = Some(token);
                Some(RefreshEnd::Refreshed)
            }
        }
    }

    fn write(&mut self, who: usize, generation: Generation, lost: bool) -> WriteEnd {
        let Some(token) = self.processes[who].unsaved else { return WriteEnd::Lost };
        let fits = self.token.is_some() && generation.0 == self.generation + 1;
        // A write of which nobody hears may have been done.
        if fits && !(lost && self.minted.is_multiple_of(2)) {
            (self.token, self.generation, self.claim) = (Some(token), generation.0, None);
        }
        if fits && !lost { WriteEnd::Stored } else { WriteEnd::Failed }
    }

    fn recover(&self, who: usize, order: OrderNumber) -> CredentialEvent {
        let process = &self.processes[who];
        if process.credential.state == CredentialState::Refreshing {
            return CredentialEvent::RefreshEnded { order, end: RefreshEnd::Failed };
        }
        let end = if process.unsaved.is_some() { WriteEnd::Failed } else { WriteEnd::Lost };
        CredentialEvent::WriteEnded { order, end }
    }

    fn elapse(&mut self, who: usize) {
        if let Some(order) = self.processes[who].timer.take() {
            let refreshing = self.processes[who].flight.is_some();
            if !refreshing {
                self.processes[who].ask = None;
            }
            self.take(who, CredentialEvent::Elapsed { order });
        }
    }

    fn crash(&mut self, who: usize, keeps_unsaved: bool) {
        let process = &mut self.processes[who];
        (process.ask, process.timer, process.flight) = (None, None, None);
        if !keeps_unsaved {
            process.unsaved = None;
        }
        let mut effects = Vec::new();
        process.credential.resync(&self.config, &mut |effect| effects.push(effect));
        let uses = effects.iter().any(|effect| matches!(effect, CredentialEffect::Refresh { .. }));
        assert!(!uses, "S15: a crash uses a token");
        self.carry_out(who, &effects);
    }

    fn want(&mut self, who: usize, number: u32) {
        let Credential { state, accepted, generation, .. } = self.processes[who].credential;
        let waiter = WaiterId(accepted.0 + 1);
        let newer_than = Generation(generation.0 - number % 3 % (generation.0 + 1));
        self.processes[who].wants.insert(waiter, newer_than);
        self.take(who, CredentialEvent::Wanted { waiter, newer_than });
        if state == CredentialState::Fresh && newer_than < generation {
            let told = self.processes[who].ends.get(&waiter);
            assert_eq!(told, Some(&WaitEnd::Given(generation)), "S17: a newer one was there");
        }
    }

    /// Claims end when their time is over: not while the refresh of who has them is in flight, and in a kind world not
    /// while its credential is at work at all.
    fn end_claim(&mut self) {
        let Some(holder) = self.claim else { return };
        let process = &self.processes[holder];
        if process.flight.is_none() && (self.harsh || process.timer.is_none()) {
            self.claim = None;
        }
    }

    fn hint(&mut self, who: usize) {
        if self.processes[who].credential.generation.0 < self.generation {
            let generation = Generation(self.generation);
            self.take(who, CredentialEvent::StoreChanged { generation });
        }
    }

    /// What was said once is said again, and changes nothing.
    fn say_again(&mut self, who: usize, number: u32) {
        let process = &mut self.processes[who];
        let Some(event) = process.taken.get(number as usize % process.taken.len().max(1)).copied() else {
            return;
        };
        let (before, mut effects) = (process.credential, Vec::new());
        let outcome = process.credential.step(event, &self.config, &mut |effect| effects.push(effect));
        assert!(matches!(outcome, Outcome::Ignored(_)), "{event:?} again: {outcome:?} at {before:?}");
        assert_eq!((process.credential, effects), (before, Vec::new()), "S25: {event:?}");
    }

    fn happen(&mut self, choice: u8, number: u32) {
        let who = number as usize % 2;
        let number = number / 2;
        match (choice % 16, self.harsh) {
            (0..=2, _) => self.want(who, number),
            (3..=8, _) => self.answer(who, number % 6),
            (9, true) => self.elapse(who),
            (9, false) if self.processes[who].ask.is_some() => {}
            (9, false) => self.elapse(who),
            (10, _) => self.end_claim(),
            (11, _) => self.hint(who),
            (12, _) => self.say_again(who, number),
            (13, true) => self.crash(who, number.is_multiple_of(2)),
            (14, true) if number.is_multiple_of(4) => self.log_in(),
            (15, true) if number.is_multiple_of(8) => self.token = None,
            (13..=15, _) => {}
            (16.., _) => unreachable!("a remainder of 16"),
        }
    }

    /// Everything that is asked for is answered from here on; what is there to do comes to its end.
    fn come_to_rest(&mut self) {
        self.harsh = false;
        for _ in 0..400 {
            for who in 0..2 {
                self.answer(who, 1);
                self.end_claim();
                if self.processes[who].ask.is_none() {
                    self.elapse(who);
                }
            }
        }
    }

    fn assert_nothing_was_lost(&self) {
        assert!(!self.reused, "S15: a token was used twice");
        let ends = self.processes.iter().flat_map(|process| process.ends.values());
        assert!(!ends.into_iter().any(|end| *end == WaitEnd::Refused), "S16: a login was lost");
    }

    fn assert_everyone_was_told(&self) {
        for process in &self.processes {
            assert_eq!(process.timer, None, "{:?} waits for ever", process.credential);
            let told: Vec<_> = process.ends.keys().copied().collect();
            let wanted: Vec<_> = process.wants.keys().copied().collect();
            assert_eq!(told, wanted, "L5: {:?}", process.credential);
        }
    }
}

/// Whatever an event can say, near what the credential knows.
fn any_event(credential: &Credential, choice: u8, number: u32) -> CredentialEvent {
    let order = if number.is_multiple_of(4) { OrderNumber(number / 4 % 5) } else { credential.order };
    let generation = Generation(credential.generation.0.wrapping_add(number % 4).wrapping_sub(1));
    let found = [Found::Current, Found::Taken, Found::Empty, Found::Unreadable, Found::Other { generation }];
    let refreshed = [RefreshEnd::Refreshed, RefreshEnd::InvalidGrant, RefreshEnd::Failed];
    let written = [WriteEnd::Stored, WriteEnd::Failed, WriteEnd::Lost];
    match choice % 7 {
        0 | 1 => {
            let waiter = WaiterId(credential.accepted.0.wrapping_add(1));
            CredentialEvent::Wanted { waiter, newer_than: generation }
        }
        2 => CredentialEvent::StoreRead { order, found: found[number as usize % 5] },
        3 => CredentialEvent::RefreshEnded { order, end: refreshed[number as usize % 3] },
        4 => CredentialEvent::WriteEnded { order, end: written[number as usize % 3] },
        5 => CredentialEvent::StoreChanged { generation },
        _ => CredentialEvent::Elapsed { order },
    }
}

proptest! {
    #[test]
    fn everyone_is_told_once_whatever_the_store_and_the_server_do(chances in chances(0..400)) {
        let mut world = World::live(&chances, true, Config::default());
        world.come_to_rest();
        world.assert_everyone_was_told();
    }

    #[test]
    fn two_processes_use_no_token_twice_where_nothing_is_lost(chances in chances(0..400)) {
        let mut world = World::live(&chances, false, Config::default());
        world.come_to_rest();
        world.assert_everyone_was_told();
        world.assert_nothing_was_lost();
    }

    /// Numbers in the place of numbers: the snapshot cannot be read, is found out, or is a state from which no event leads
    /// out of validity.
    #[test]
    fn damaged_credential_never_panics(
        before in chances(0..100), place in any::<Index>(), number in other_numbers(), after in chances(1..50),
    ) {
        let config = Config::default();
        let world = World::live(&before, true, config);
        let read = damaged(&world.processes[0].credential, place, number);
        if let Some(mut credential) = read.filter(|credential| credential.validate(&config).is_ok()) {
            for (choice, chance) in after {
                let event = any_event(&credential, choice, chance);
                drop(credential.step(event, &config, &mut |_| {}));
                let is_valid = credential.validate(&config).is_ok();
                prop_assert!(number == COUNTED_OUT || is_valid, "{event:?} leads to {credential:?}");
            }
        }
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn judge_finds_every_planted_fault_of_the_credential() {
    use downbeat_kernel::Fault as F;
    let judged = [
        (F::RefreshesBeside, "S15, S16: "),
        (F::RefreshesReplaced, "S17: "),
        (F::RefusedGiven, "S17: "),
        (F::OldRefreshEnds, "again: Rejected"),
        (F::GivenBeforeStored, "was given before it was stored"),
        (F::RefreshesUnread, "S15, S16: "),
        (F::WritesUnread, "S15, S16: "),
        (F::RefusesUnread, "S15, S16: "),
        (F::NewerRefused, "S15, S16: "),
        (F::TakenRefreshes, "S15, S16: "),
        (F::OlderAdopted, "again: Applied"),
        (F::RefreshNotAborted, "at Credential {"),
        (F::ReplacedNotAborted, "S14: "),
        (F::NoOrderTimer, "another timer"),
        (F::OrderLeftArmed, "a timer was left armed"),
        (F::OneWaiterSettled, "L5: "),
        (F::WaitersKept, "is told twice"),
        (F::ResyncRefreshes, "S15: "),
        (F::ResyncForgetsOrder, "another timer"),
    ];
    // What these bound or keep, no process of these lives comes to: `credential.rs` has their stories, and the twin finds them.
    let unseen = [F::NoWaitBudget, F::UnsavedForgotten, F::WaitersUnbounded, F::RefusedWaits];
    let seen: Vec<F> = F::OF_CREDENTIALS.iter().copied().filter(|fault| !unseen.contains(fault)).collect();
    assert_judged(&judged, &seen, |fault, chances| {
        let harsh = chances.len().is_multiple_of(2);
        let mut world = World::live(chances, harsh, Config { fault: Some(fault), ..Config::default() });
        world.come_to_rest();
        world.assert_everyone_was_told();
        if !harsh {
            world.assert_nothing_was_lost();
        }
    });
}
