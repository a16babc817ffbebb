//! A login whose refresh tokens are used once: the store of credentials, and the server that rotates them.

use std::future::ready;
use std::sync::Arc;

use downbeat_kernel::{Found, Generation, RefreshEnd, WriteEnd};
use downbeat_rt::{Cell, Rt};
use downbeat_shell::{Claimant, Doing, Vault};

use crate::ledger::Ledger;
use crate::marks::{One, UnderWay};
use crate::pause::pause;

#[derive(Clone, Debug)]
struct State {
    /// The tokens that the store has had, the newest last. A generation is a place here, from 1.
    stored: Vec<u32>,
    /// What a refresh brought and nobody has written yet.
    kept: Option<u32>,
    newest: u32,
    used: Vec<u32>,
    in_flight: u32,
    is_revoked: bool,
    /// The first access token that has not expired.
    good_from: u32,
}

impl State {
    fn generation(&self) -> Generation {
        Generation(u32::try_from(self.stored.len()).unwrap_or(u32::MAX))
    }

    fn compare(&self, generation: Generation) -> Found {
        match self.generation() {
            Generation(0) => Found::Empty,
            stored if stored == generation => Found::Current,
            generation => Found::Other { generation },
        }
    }

    fn token(&self, generation: Generation) -> Option<u32> {
        let place = usize::try_from(generation.0.checked_sub(1)?).ok()?;
        self.stored.get(place).copied()
    }
}

/// One login. It outlives whoever uses it.
#[derive(Clone)]
pub(crate) struct Login(Arc<Account>);

struct Account {
    state: Cell<State>,
    ledger: Ledger,
    refreshes: UnderWay,
}

impl Login {
    /// Somebody has logged in, and the access token has expired.
    pub(crate) fn expired(rt: &Rt, ledger: &Ledger, refreshes: &UnderWay) -> Self {
        let state = State {
            stored: vec![1],
            kept: None,
            newest: 1,
            used: Vec::new(),
            in_flight: 0,
            is_revoked: false,
            good_from: 2,
        };
        let state = rt.cell("login", state);
        Self(Arc::new(Account { state, ledger: ledger.clone(), refreshes: refreshes.clone() }))
    }

    /// Whether a provider takes the access token of that generation.
    pub(crate) fn accepts(&self, generation: Generation) -> bool {
        self.0.state.read(|state| {
            !state.is_revoked && state.token(generation).is_some_and(|token| token >= state.good_from)
        })
    }

    /// The refresh token of that generation comes to the server.
    fn grant(&self, generation: Generation) -> RefreshEnd {
        let (end, broken) = self.0.state.with(|state| {
            let Some(token) = state.token(generation) else { return (RefreshEnd::InvalidGrant, None) };
            if state.used.contains(&token) {
                state.is_revoked = true;
                return (RefreshEnd::InvalidGrant, Some("S15"));
            }
            state.used.push(token);
            state.newest += 1;
            state.kept = Some(state.newest);
            (RefreshEnd::Refreshed, None)
        });
        if let Some(property) = broken {
            self.0.ledger.broke(property);
        }
        end
    }
}

/// One refresh that is under way.
struct Refreshing {
    login: Login,
    _under_way: One,
}

impl Drop for Refreshing {
    fn drop(&mut self) {
        self.login.0.state.with(|state| state.in_flight = state.in_flight.saturating_sub(1));
    }
}

impl Vault for Login {
    fn read(&self, _who: Claimant, generation: Generation) -> Doing<Found> {
        let login = self.clone();
        Box::pin(async move { login.0.state.read(|state| state.compare(generation)) })
    }

    fn claim(&self, _who: Claimant, generation: Generation, _for_ms: u64) -> Doing<Found> {
        let login = self.clone();
        Box::pin(async move { login.0.state.read(|state| state.compare(generation)) })
    }

    fn refresh(&self, _who: Claimant, generation: Generation) -> Doing<RefreshEnd> {
        let login = self.clone();
        Box::pin(async move {
            let (is_alone, is_kept) = login.0.state.with(|state| {
                state.in_flight += 1;
                (state.in_flight == 1, state.kept.is_some())
            });
            let refreshing = Refreshing { _under_way: login.0.refreshes.one(), login };
            let login = &refreshing.login;
            if !is_alone {
                login.0.ledger.broke("S14");
            }
            let end = if is_kept { RefreshEnd::Refreshed } else { login.grant(generation) };
            pause().await;
            end
        })
    }

    fn write(&self, _who: Claimant, generation: Generation) -> Doing<WriteEnd> {
        let login = self.clone();
        Box::pin(async move {
            login.0.state.with(|state| {
                let Some(token) = state.kept.take() else { return WriteEnd::Failed };
                if state.generation().0 + 1 != generation.0 {
                    return WriteEnd::Failed;
                }
                state.stored.push(token);
                WriteEnd::Stored
            })
        })
    }

    fn refreshed(&self, _who: Claimant, _generation: Generation) -> Doing<RefreshEnd> {
        let kept = self.0.state.read(|state| state.kept);
        Box::pin(ready(kept.map_or(RefreshEnd::Failed, |_| RefreshEnd::Refreshed)))
    }

    fn written(&self, _who: Claimant, generation: Generation) -> Doing<WriteEnd> {
        let (stored, kept) = self.0.state.read(|state| (state.generation(), state.kept));
        Box::pin(ready(match (stored >= generation, kept) {
            (true, _) => WriteEnd::Stored,
            (false, Some(_)) => WriteEnd::Failed,
            (false, None) => WriteEnd::Lost,
        }))
    }
}
