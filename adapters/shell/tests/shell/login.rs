//! A store of credentials in memory, and the server behind it: it rotates refresh tokens, and takes the second use of one for theft.

use downbeat_kernel::{Found, Generation, RefreshEnd, WriteEnd};
use downbeat_shell::{Claimant, Doing, Vault};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{pending, ready};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What the store was asked for, and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Read(u32),
    Claimed(u32),
    Refreshed(u32),
    Wrote(u32),
    /// After a crash: what became of the refresh of that generation.
    WasRefreshed(u32),
    /// After a crash: what became of the write of that generation.
    WasWritten(u32),
}

/// What is out of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trouble {
    #[default]
    None,
    /// The store cannot be read.
    Unreadable,
    /// The server answers with an error, and takes no token.
    Down,
    /// Whoever speaks to it panics.
    Panics,
    /// It never answers, and takes no token.
    Silent,
    /// The server takes the token, and nobody hears what it gives for it.
    GrantUnheard,
    /// What the server gives is kept, and its answer is not heard.
    AnswerUnheard,
    /// The store never answers a write, and does not do it.
    WriteUnheard,
}

/// A refresh token, which the server numbers; an access token has the number of the one that came with it.
type Token = u32;

#[derive(Default)]
struct State {
    /// What the store holds: the last generation, and the tokens of all.
    stored: Vec<Token>,
    claim: Option<(Claimant, Instant)>,
    /// What a refresh brought, until it is written, under the generation that it will have.
    kept: BTreeMap<(Claimant, Generation), Token>,
    newest: Token,
    used: BTreeSet<Token>,
    is_revoked: bool,
    /// The first access token that has not expired.
    good_from: Token,
    asked: Vec<Asked>,
    trouble: Trouble,
}

impl State {
    fn generation(&self) -> Generation {
        Generation(u32::try_from(self.stored.len()).expect("few"))
    }

    fn token(&self, generation: Generation) -> Option<Token> {
        self.stored.get(usize::try_from(generation.0.checked_sub(1)?).ok()?).copied()
    }

    fn compare(&self, generation: Generation) -> Found {
        match self.generation() {
            Generation(0) => Found::Empty,
            stored if stored == generation => Found::Current,
            generation => Found::Other { generation },
        }
    }

    /// One use of a refresh token at the server.
    fn grant(&mut self, token: Token) -> Option<Token> {
        self.is_revoked |= !self.used.insert(token);
        if self.is_revoked {
            return None;
        }
        self.newest += 1;
        Some(self.newest)
    }
}

/// The store and the server of one login. They outlive whoever asks them.
#[derive(Clone, Default)]
pub(crate) struct Login(Arc<Mutex<State>>);

impl Login {
    /// Somebody has logged in; the access token has expired already.
    pub(crate) fn expired() -> Self {
        let login = Self::default();
        let mut state = login.state();
        (state.stored, state.newest, state.good_from) = (vec![1], 1, 2);
        drop(state);
        login
    }

    /// A person logs in: the generation that the store has then.
    pub(crate) fn log_in(&self) -> Generation {
        let mut state = self.state();
        state.newest += 1;
        let newest = state.newest;
        state.stored.push(newest);
        state.generation()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics with it")
    }

    pub(crate) fn is_in(&self, trouble: Trouble) {
        self.state().trouble = trouble;
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.state().asked.iter().filter(|asked| matches!(asked, Asked::Refreshed(_))).count()
    }

    pub(crate) fn is_revoked(&self) -> bool {
        self.state().is_revoked
    }

    /// Whether the API takes the access token of this generation.
    pub(crate) fn accepts(&self, generation: Generation) -> bool {
        let state = self.state();
        !state.is_revoked && state.token(generation).is_some_and(|token| token >= state.good_from)
    }

    /// Waits until somebody has asked for that.
    pub(crate) async fn until(&self, asked: Asked) {
        while !self.asked().contains(&asked) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Vault for Login {
    fn read(&self, _who: Claimant, generation: Generation) -> Doing<Found> {
        let mut state = self.state();
        state.asked.push(Asked::Read(generation.0));
        Box::pin(ready(state.compare(generation)))
    }

    fn claim(&self, who: Claimant, generation: Generation, for_ms: u64) -> Doing<Found> {
        let mut state = self.state();
        state.asked.push(Asked::Claimed(generation.0));
        if state.trouble == Trouble::Unreadable {
            return Box::pin(ready(Found::Unreadable));
        }
        let (found, now) = (state.compare(generation), Instant::now());
        let is_taken = state.claim.is_some_and(|(other, until)| other != who && until > now);
        if found == Found::Current && !is_taken {
            state.claim = Some((who, now + Duration::from_millis(for_ms)));
        }
        let is_taken = is_taken && found == Found::Current;
        Box::pin(ready(if is_taken { Found::Taken } else { found }))
    }

    fn refresh(&self, who: Claimant, generation: Generation) -> Doing<RefreshEnd> {
        let next = Generation(generation.0 + 1);
        let mut state = self.state();
        let trouble = state.trouble;
        match trouble {
            Trouble::Down => return Box::pin(ready(RefreshEnd::Failed)),
            Trouble::Panics => return Box::pin(async { panic!("on purpose") }),
            Trouble::Silent => return Box::pin(pending()),
            Trouble::None
            | Trouble::Unreadable
            | Trouble::GrantUnheard
            | Trouble::AnswerUnheard
            | Trouble::WriteUnheard => {}
        }
        if state.kept.contains_key(&(who, next)) {
            return Box::pin(ready(RefreshEnd::Refreshed));
        }
        let granted = state.token(generation).and_then(|token| state.grant(token));
        state.asked.push(Asked::Refreshed(generation.0));
        if trouble == Trouble::GrantUnheard {
            return Box::pin(pending());
        }
        let Some(granted) = granted else { return Box::pin(ready(RefreshEnd::InvalidGrant)) };
        state.kept.insert((who, next), granted);
        if trouble == Trouble::AnswerUnheard {
            return Box::pin(pending());
        }
        Box::pin(ready(RefreshEnd::Refreshed))
    }

    fn write(&self, who: Claimant, generation: Generation) -> Doing<WriteEnd> {
        let mut state = self.state();
        state.asked.push(Asked::Wrote(generation.0));
        if state.trouble == Trouble::WriteUnheard {
            return Box::pin(pending());
        }
        let Some(token) = state.kept.remove(&(who, generation)) else {
            return Box::pin(ready(WriteEnd::Failed));
        };
        if state.generation().0 + 1 != generation.0 {
            return Box::pin(ready(WriteEnd::Failed));
        }
        state.stored.push(token);
        state.claim = None;
        Box::pin(ready(WriteEnd::Stored))
    }

    fn refreshed(&self, who: Claimant, generation: Generation) -> Doing<RefreshEnd> {
        let mut state = self.state();
        state.asked.push(Asked::WasRefreshed(generation.0));
        let is_kept = state.kept.contains_key(&(who, Generation(generation.0 + 1)));
        Box::pin(ready(if is_kept { RefreshEnd::Refreshed } else { RefreshEnd::Failed }))
    }

    fn written(&self, who: Claimant, generation: Generation) -> Doing<WriteEnd> {
        let mut state = self.state();
        state.asked.push(Asked::WasWritten(generation.0));
        let is_kept = state.kept.contains_key(&(who, generation));
        Box::pin(ready(match (state.generation() >= generation, is_kept) {
            (true, _) => WriteEnd::Stored,
            (false, true) => WriteEnd::Failed,
            (false, false) => WriteEnd::Lost,
        }))
    }
}
