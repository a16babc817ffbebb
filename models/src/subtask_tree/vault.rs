//! The credential of the first profile, with its store, its server, and another process that shares the store.
//!
//! The other process keeps to the claims of the store as this one does. The server takes only the newest access token, and a
//! refresh token once; a second use revokes all that came of it. A refresh that the server has granted is heard of, also if
//! a crash is due: S15 rests on that, as in the model of credentials alone.

use downbeat_kernel::{
    Credential, CredentialEffect, CredentialEvent, CredentialState, Found, Generation as Number, IfCurrent,
    OrderNumber, Outcome, RefreshEnd, RequestId, WaitEnd, WaiterId, WriteEnd,
};

use super::Fault;
use super::act::VaultAct;
use super::state::{Breach, renumber};
use super::step::Step;
use super::words::{self, OUTSIDE, VAULT};
use crate::token_refresh::server::{Answer, GENERATIONS, Generation, Server};
use downbeat_wiring::{Waiters, Word, settled};

/// An order that the store, or the record of whoever drives, has yet to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ask {
    Read,
    Claim,
    Write,
    Recover,
}

/// A refresh that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Refresh {
    pub(super) token: Generation,
    /// What the server has answered, once it has.
    pub(super) answer: Option<Answer>,
}

/// Who has the right to refresh what the store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    Here,
    Sibling,
}

/// How far the other process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sibling {
    Idle,
    /// It has the right to refresh.
    Claims,
    /// It has a new credential, which the store has not.
    Has(Generation),
}

/// The credential and all that it has outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Vault {
    pub(super) credential: Credential,
    pub(super) ask: Option<Ask>,
    pub(super) armed: bool,
    pub(super) flight: Option<Refresh>,
    /// A new credential that the store need not have yet, on record.
    pub(super) successor: Option<Generation>,
    /// A write on its way to the store, by its number and what it writes.
    pub(super) landing: Option<(u8, Generation)>,
    /// The number of what the store holds, and every content there was.
    pub(super) stored: u8,
    texts: [Generation; GENERATIONS as usize + 1],
    pub(super) claim: Option<Holder>,
    pub(super) server: Server,
    pub(super) sibling: Sibling,
}

impl Vault {
    pub(super) const FIRST: Self = Self {
        credential: Credential {
            state: CredentialState::Lapsed,
            generation: Number(0),
            order: OrderNumber(0),
            waits: 0,
            accepted: WaiterId(0),
            settled: WaiterId(0),
        },
        ask: None,
        armed: false,
        flight: None,
        successor: None,
        landing: None,
        stored: 1,
        texts: [0; GENERATIONS as usize + 1],
        claim: None,
        server: Server::FIRST,
        sibling: Sibling::Idle,
    };

    /// The token of a content of the store.
    fn text(&self, number: u8) -> Generation {
        self.texts[usize::from(number)]
    }

    /// Whether the API takes what was sent with a content of the store.
    pub(super) fn accepts(&self, number: u8) -> bool {
        number == 0 || self.server.accepts(self.text(number))
    }

    fn put(&mut self, token: Generation) {
        self.stored += 1;
        self.texts[usize::from(self.stored)] = token;
        self.claim = None;
    }

    /// What the store holds, as the credential is told.
    fn found(&self) -> Found {
        if Number(self.stored.into()) != self.credential.generation {
            Found::Other { generation: Number(self.stored.into()) }
        } else if self.claim == Some(Holder::Sibling) {
            Found::Taken
        } else {
            Found::Current
        }
    }

    /// Whether the new credential of this process is in the store.
    pub(super) fn is_stored(&self) -> bool {
        let next = u8::try_from(self.credential.generation.0 + 1).unwrap_or(u8::MAX);
        next <= self.stored && self.successor == Some(self.text(next))
    }

    /// Whether a refresh was granted and this process has not heard so.
    pub(super) fn is_owed_a_grant(&self) -> bool {
        matches!(self.flight, Some(Refresh { answer: Some(Answer::Granted(_)), .. }))
    }

    fn is_writing(&self) -> bool {
        match self.credential.state {
            CredentialState::Storing
            | CredentialState::Unsaved
            | CredentialState::Reading { if_current: IfCurrent::Write }
            | CredentialState::Waiting { if_current: IfCurrent::Write } => true,
            CredentialState::Lapsed
            | CredentialState::Fresh
            | CredentialState::Reading { if_current: IfCurrent::Refresh | IfCurrent::Refuse }
            | CredentialState::Refreshing
            | CredentialState::Waiting { if_current: IfCurrent::Refresh | IfCurrent::Refuse }
            | CredentialState::Refused => false,
        }
    }

    /// What may happen to it.
    pub(super) fn acts(&self, has_sibling: bool, may: &mut impl FnMut(VaultAct)) {
        if self.landing.is_some() {
            may(VaultAct::Land);
        }
        match self.ask {
            Some(Ask::Read | Ask::Claim) => {
                may(VaultAct::Find);
                may(VaultAct::FindNothing);
            }
            Some(Ask::Write) => {
                if self.is_stored() {
                    may(VaultAct::Store);
                }
                may(VaultAct::FailToStore);
            }
            Some(Ask::Recover) => may(VaultAct::Recover),
            None => {}
        }
        match self.flight {
            Some(Refresh { answer: None, .. }) => {
                may(VaultAct::Serve);
                may(VaultAct::FailToRefresh);
            }
            Some(Refresh { answer: Some(_), .. }) => may(VaultAct::Hear),
            None => {}
        }
        // What is on its way comes before its time is over; what got lost does not.
        if self.armed && self.ask.is_none() && self.flight.is_none() {
            may(VaultAct::ElapseOrder);
        }
        if self.server.accepts(self.server.newest()) && self.server.newest() + 2 < GENERATIONS {
            may(VaultAct::Lapse);
        }
        if has_sibling {
            self.sibling_acts(may);
        }
    }

    fn sibling_acts(&self, may: &mut impl FnMut(VaultAct)) {
        match self.sibling {
            Sibling::Idle if self.claim.is_none() && !self.accepts(self.stored) => {
                may(VaultAct::SiblingClaims);
            }
            Sibling::Idle => {}
            Sibling::Claims => may(VaultAct::SiblingRefreshes),
            Sibling::Has(_) => may(VaultAct::SiblingStores),
        }
        let is_needed = self.flight.is_some() || self.successor.is_some();
        if self.claim == Some(Holder::Here) && !is_needed {
            may(VaultAct::EndClaim);
        }
    }

    /// The event that an act is to the credential.
    pub(super) fn event(&self, act: VaultAct) -> Option<CredentialEvent> {
        let order = self.credential.order;
        let refreshed = |end| CredentialEvent::RefreshEnded { order, end };
        let wrote = |end| CredentialEvent::WriteEnded { order, end };
        Some(match act {
            VaultAct::Find => CredentialEvent::StoreRead { order, found: self.found() },
            VaultAct::FindNothing => CredentialEvent::StoreRead { order, found: Found::Unreadable },
            VaultAct::Store => wrote(WriteEnd::Stored),
            VaultAct::FailToStore => wrote(WriteEnd::Failed),
            VaultAct::Hear => match self.flight?.answer? {
                Answer::Granted(_) => refreshed(RefreshEnd::Refreshed),
                Answer::InvalidGrant => refreshed(RefreshEnd::InvalidGrant),
                Answer::Error => refreshed(RefreshEnd::Failed),
            },
            VaultAct::FailToRefresh => refreshed(RefreshEnd::Failed),
            VaultAct::Recover if self.credential.state == CredentialState::Refreshing => {
                refreshed(RefreshEnd::Failed)
            }
            VaultAct::Recover if self.successor.is_none() => wrote(WriteEnd::Lost),
            VaultAct::Recover => wrote(WriteEnd::Failed),
            VaultAct::ElapseOrder => CredentialEvent::Elapsed { order },
            VaultAct::Land
            | VaultAct::Serve
            | VaultAct::Lapse
            | VaultAct::SiblingClaims
            | VaultAct::SiblingRefreshes
            | VaultAct::SiblingStores
            | VaultAct::EndClaim => return None,
        })
    }
}

impl Step<'_> {
    /// What an act is outside, before the credential knows of it.
    pub(super) fn happens_to_vault(&mut self, act: VaultAct) {
        let vault = &mut *self.vault;
        match act {
            VaultAct::Find => {
                if vault.ask == Some(Ask::Claim) && vault.found() == Found::Current {
                    vault.claim = Some(Holder::Here);
                }
                vault.ask = None;
            }
            VaultAct::FailToStore if self.model.has(Fault::WritesOver) => {
                vault.ask = None;
                vault.landing = vault.successor.map(|token| (vault.stored, token));
            }
            VaultAct::FindNothing | VaultAct::Store | VaultAct::FailToStore | VaultAct::Recover => {
                vault.ask = None;
            }
            VaultAct::Land => self.land_write(),
            VaultAct::Serve => self.serve(),
            VaultAct::Hear => {
                if let Some(Refresh { answer: Some(Answer::Granted(token)), .. }) = vault.flight.take() {
                    vault.successor = Some(token);
                }
            }
            VaultAct::FailToRefresh => vault.flight = None,
            VaultAct::ElapseOrder => vault.armed = false,
            VaultAct::Lapse => {
                vault.server.lapse();
                vault.server.expire();
            }
            VaultAct::SiblingClaims => {
                (vault.claim, vault.sibling) = (Some(Holder::Sibling), Sibling::Claims);
            }
            VaultAct::SiblingRefreshes => self.sibling_refreshes(),
            VaultAct::SiblingStores => {
                if let Sibling::Has(token) = vault.sibling {
                    vault.sibling = Sibling::Idle;
                    self.put_into_store(token);
                }
            }
            VaultAct::EndClaim => vault.claim = None,
        }
    }

    /// A write comes to the store, which does it in the place of the content before it and of no other.
    fn land_write(&mut self) {
        let Some((number, token)) = self.vault.landing.take() else { return };
        if self.vault.stored + 1 == number || self.model.has(Fault::WritesOver) {
            self.put_into_store(token);
        }
    }

    fn put_into_store(&mut self, token: Generation) {
        let is_older = self.vault.text(self.vault.stored) > token;
        self.note(Breach::Regress, is_older);
        self.vault.put(token);
    }

    fn use_token(&mut self, token: Generation) -> Answer {
        let is_again = self.vault.server.is_used(token) && !self.vault.server.has_revoked(token);
        self.note(Breach::Reused, is_again);
        self.vault.server.serve(token, false)
    }

    fn serve(&mut self) {
        let Some(Refresh { token, answer: None }) = self.vault.flight else { return };
        let answer = self.use_token(token);
        self.vault.flight = Some(Refresh { token, answer: Some(answer) });
    }

    fn sibling_refreshes(&mut self) {
        let token = self.vault.text(self.vault.stored);
        let is_beside = self.vault.flight.is_some_and(|flight| flight.token == token);
        self.note(Breach::Beside, is_beside);
        self.vault.sibling = match self.use_token(token) {
            Answer::Granted(token) => Sibling::Has(token),
            Answer::InvalidGrant | Answer::Error => Sibling::Idle,
        };
    }

    /// Gives the credential an event, and carries out what comes of it.
    pub(super) fn inform_vault(&mut self, event: CredentialEvent) -> bool {
        let (before, mut effects) = (self.vault.credential, Vec::new());
        let config = self.model.settings.credential;
        let outcome = self.vault.credential.step(event, &config, &mut |effect| effects.push(effect));
        let has_changed = before != self.vault.credential || !effects.is_empty();
        let is_applied = self.judge_outcome(outcome == Outcome::Applied, || has_changed);
        for effect in self.cut_short(effects) {
            self.obey_credential(effect);
        }
        if !self.vault.is_writing() && self.vault.successor.is_some() {
            self.vault.successor = None;
        }
        is_applied
    }

    fn obey_credential(&mut self, effect: CredentialEffect) {
        match effect {
            CredentialEffect::Read { .. } => self.ask_store(Ask::Read, "reads the store again"),
            CredentialEffect::Claim { .. } => self.ask_store(Ask::Claim, "claims what the store holds"),
            CredentialEffect::Refresh { generation, .. } => self.refresh(generation),
            CredentialEffect::Abort { .. } => self.vault.flight = None,
            CredentialEffect::Write { generation, .. } => {
                self.ask_store(Ask::Write, "writes the new credential");
                let number = u8::try_from(generation.0).unwrap_or(u8::MAX);
                self.vault.landing = self.vault.successor.map(|token| (number, token));
            }
            CredentialEffect::Recover { .. } => {
                self.ask_store(Ask::Recover, "looks up what became of its order");
            }
            CredentialEffect::Arm { .. } => {
                let was = std::mem::replace(&mut self.vault.armed, true);
                self.note(Breach::Disorder, was);
            }
            // What the store still says to that order comes too late.
            CredentialEffect::Disarm { .. } => (self.vault.armed, self.vault.ask) = (false, None),
            CredentialEffect::Settle { waiter, end } => {
                if self.model.has(Fault::WaitersCrossed) {
                    self.desk.waiters = crossed(&self.desk.waiters);
                }
                if let Some(event) = self.desk.waiters.settle(waiter, end) {
                    self.say(Word::Tree(event));
                }
            }
        }
    }

    fn ask_store(&mut self, ask: Ask, words: &str) {
        self.tell(VAULT, OUTSIDE, || words.to_owned());
        let before = self.vault.ask.replace(ask);
        self.note(Breach::Disorder, before.is_some());
    }

    fn refresh(&mut self, generation: Number) {
        let token = self.vault.text(u8::try_from(generation.0).unwrap_or(0));
        self.tell(VAULT, OUTSIDE, || format!("refreshes with refresh token {}", token + 1));
        let before = self.vault.flight.replace(Refresh { token, answer: None });
        let is_beside = before.is_some_and(|flight| flight.token == token);
        self.note(Breach::Beside, is_beside);
    }

    /// A request joins those who wait; if there is no room, it is told so.
    pub(super) fn want(&mut self, request: RequestId, newer_than: Number) {
        let credential = self.vault.credential;
        let event = self.desk.waiters.wait(&credential, request, newer_than);
        if !self.inform_vault(event)
            && let CredentialEvent::Wanted { waiter, .. } = event
        {
            self.desk.waiters.settle(waiter, WaitEnd::Failed);
            self.say(Word::Tree(settled(request, WaitEnd::Failed)));
        }
    }

    /// The process is gone: what it waited for is, and a write that is on its way goes on alone.
    pub(super) fn crash_vault(&mut self) {
        let vault = &mut *self.vault;
        (vault.ask, vault.armed, vault.flight) = (None, false, None);
        self.desk.waiters = Waiters::default();
        let (credential, mut effects) = (self.vault.credential, Vec::new());
        credential.resync(&self.model.settings.credential, &mut |effect| effects.push(effect));
        for effect in effects {
            self.obey_credential(effect);
        }
    }

    pub(super) fn renumber_vault(&mut self) {
        if self.vault.credential.order.0 > 2 || self.vault.credential.settled.0 > 1 {
            let mut waiters = std::mem::take(&mut self.desk.waiters);
            renumber(&mut self.vault.credential, &mut waiters);
            self.desk.waiters = waiters;
        }
    }
}

/// The same with what the first was to get for who waits last.
fn crossed(waiters: &Waiters) -> Waiters {
    let last = waiters.requests().last();
    let cross = |(at, (waiter, request))| (waiter, last.filter(|_| at == 0).unwrap_or(request));
    waiters.iter().enumerate().map(cross).collect()
}

/// Where the credential stands, in words.
pub(super) fn standing(vault: &Vault) -> &'static str {
    words::credential(vault.credential.state)
}
