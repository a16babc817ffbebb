//! Who waits for which credential. It is not on record: after a crash the tree asks again for who waits still, under another number,
//! and nobody takes what the old one is told.

use crate::fact::Fact;
use crate::known::Credentials;
use downbeat_kernel::{CredentialEvent, Event, Generation, ProfileId, RequestId, WaitEnd, WaiterId};
use downbeat_wiring::{Waiters, settled};
use std::collections::BTreeMap;

/// Who waits, by profile.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    waiters: BTreeMap<ProfileId, Waiters>,
}

impl Desk {
    /// A request becomes the next who waits for the credential of a profile.
    ///
    /// # Errors
    /// There is no such credential, which the request is told.
    pub(crate) fn wanted(
        &mut self,
        credentials: &Credentials,
        profile: ProfileId,
        request: RequestId,
        newer_than: Generation,
    ) -> Result<Fact, Event> {
        let Some(credential) = credentials.get(&profile) else {
            return Err(settled(request, WaitEnd::Failed));
        };
        let event = self.waiters.entry(profile).or_default().wait(credential, request, newer_than);
        Ok(Fact::Credential { profile, event })
    }

    /// Whoever waits under this number need not any more: what the request is told, if it waits here.
    pub(crate) fn settled(&mut self, profile: ProfileId, waiter: WaiterId, end: WaitEnd) -> Option<Event> {
        self.waiters.get_mut(&profile)?.settle(waiter, end)
    }

    /// A fact was not taken. If it was that somebody waits, the request is told that it does so in vain.
    pub(crate) fn was_not_taken(&mut self, profile: ProfileId, event: CredentialEvent) -> Option<Event> {
        match event {
            CredentialEvent::Wanted { waiter, .. } => self.settled(profile, waiter, WaitEnd::Failed),
            CredentialEvent::StoreRead { .. }
            | CredentialEvent::RefreshEnded { .. }
            | CredentialEvent::WriteEnded { .. }
            | CredentialEvent::StoreChanged { .. }
            | CredentialEvent::Elapsed { .. } => None,
        }
    }
}
