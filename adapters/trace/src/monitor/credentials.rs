//! Credentials: S14, S15, S16.

use std::collections::VecDeque;

use super::found::Found;
use crate::event::{End, Event, Field};
use crate::fault::Fault;
use crate::name::Key;
use crate::property::Property;

/// What is kept of one credential.
#[derive(Clone, Debug, Default)]
pub(super) struct Credential {
    refreshing: Vec<Refresh>,
    tokens: VecDeque<Key>,
    stored: Option<u64>,
}

/// A refresh in flight.
#[derive(Clone, Debug)]
struct Refresh {
    generation: Option<u64>,
    token: Option<Key>,
}

/// Refresh tokens of one credential that are remembered: an older one has long been revoked.
const TOKENS_MAX: usize = 1_024;
/// Refreshes in flight that are told apart.
const REFRESHING_MAX: usize = 64;

impl Credential {
    pub(super) fn started(&mut self, event: &Event<'_>, found: &mut Found) {
        let (generation, token) = (event.number(Field::Generation), event.get(Field::Token));
        let is_second =
            |refresh: &Refresh| refresh.generation.zip(generation).is_none_or(|(one, other)| one == other);
        if self.refreshing.iter().any(is_second) {
            found.broke(Fault::SecondRefresh);
        }
        if self.refreshing.len() == REFRESHING_MAX {
            found.lost(Property::S14);
            found.lost(Property::L5);
        } else {
            self.refreshing.push(Refresh { generation, token: token.map(Key::from) });
        }
        let Some(token) = token else { return };
        if self.tokens.iter().any(|used| used == token) {
            found.broke(Fault::TokenTwice);
            return;
        }
        if self.tokens.len() == TOKENS_MAX {
            self.tokens.pop_front();
            found.lost(Property::S15);
        }
        self.tokens.push_back(token.into());
    }

    /// The refresh of that generation ended, or the oldest one. One that failed has not used its token up.
    pub(super) fn ended(&mut self, event: &Event<'_>) {
        let generation = event.number(Field::Generation);
        let is_it =
            |refresh: &Refresh| refresh.generation.zip(generation).is_none_or(|(one, other)| one == other);
        // An end that names the new generation, and not the one that was refreshed, ends the only refresh that there is.
        let only = (self.refreshing.len() == 1).then_some(0);
        let Some(at) = self.refreshing.iter().position(is_it).or(only) else { return };
        let refresh = self.refreshing.remove(at);
        if event.end == Some(End::Failed) {
            self.tokens.retain(|token| Some(token) != refresh.token.as_ref());
        }
    }

    pub(super) fn stored(&mut self, generation: u64, found: &mut Found) {
        if self.stored.is_some_and(|stored| generation < stored) {
            found.broke(Fault::OlderStored);
        }
        self.stored = self.stored.max(Some(generation));
    }

    pub(super) fn has_stored(&self) -> bool {
        self.stored.is_some()
    }

    pub(super) fn is_refreshing(&self) -> bool {
        !self.refreshing.is_empty()
    }

    pub(super) fn restarted(&mut self) {
        self.refreshing.clear();
    }
}
