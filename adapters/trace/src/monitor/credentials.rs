//! Credentials: S14, S15, S16.

use std::collections::VecDeque;

use super::found::Found;
use crate::event::{Event, Field};
use crate::fault::Fault;
use crate::name::Key;
use crate::property::Property;

/// What is kept of one credential.
#[derive(Clone, Debug, Default)]
pub(super) struct Credential {
    pub(super) refreshing: u32,
    tokens: VecDeque<Key>,
    stored: Option<u64>,
}

/// Refresh tokens of one credential that are remembered: an older one has long been revoked.
const TOKENS_MAX: usize = 1_024;

impl Credential {
    pub(super) fn started(&mut self, event: &Event<'_>, found: &mut Found) {
        if self.refreshing > 0 {
            found.broke(Fault::SecondRefresh);
        }
        self.refreshing = self.refreshing.saturating_add(1);
        let Some(token) = event.get(Field::Token) else { return };
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

    pub(super) fn ended(&mut self) {
        self.refreshing = self.refreshing.saturating_sub(1);
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
}
