//! What a credential orders, done: at its store, and at the server that gives new ones.

use crate::act::{Actor, Work};
use crate::contain::{asked, contained};
use crate::fact::Fact;
use crate::fault::{self, Fault};
use crate::known::Credentials;
use crate::ports::{Claimant, Doing};
use downbeat_kernel::{
    CredentialEffect, CredentialEvent, CredentialState, Found, Generation, OrderNumber, ProfileId,
    RefreshEnd, WriteEnd,
};

impl Actor {
    /// An order of the credential of a profile. The credentials are those that gave it.
    pub(crate) async fn of_credential(
        &mut self,
        profile: ProfileId,
        effect: CredentialEffect,
        credentials: &Credentials,
    ) {
        let who = Claimant { profile, shard: self.shard };
        let vault = &self.ports.vault;
        match effect {
            CredentialEffect::Read { order, generation } => {
                let found = asked(|| vault.read(who, generation));
                self.look(profile, order, found).await;
            }
            CredentialEffect::Claim { order, generation, for_ms } => {
                let found = asked(|| vault.claim(who, generation, for_ms));
                self.look(profile, order, found).await;
            }
            CredentialEffect::Refresh { order, generation } => {
                let end = asked(|| vault.refresh(who, generation));
                if fault::has(Fault::RefreshesTwice) {
                    let again = asked(|| vault.refresh(who, generation));
                    self.rt.spawn("again", async move {
                        contained(again).await;
                    });
                }
                self.refresh(profile, order, end).await;
            }
            CredentialEffect::Abort { order } => self.stop(&Work::Vault(profile, order)).await,
            CredentialEffect::Write { order, generation } => {
                let end = asked(|| vault.write(who, generation));
                self.write(profile, order, end).await;
            }
            CredentialEffect::Recover { order } => self.recover(who, order, credentials).await,
            CredentialEffect::Arm { order, after_ms } => self.arm(elapsed(profile, order), after_ms),
            CredentialEffect::Disarm { order } => {
                self.stop(&Work::Timer(elapsed(profile, order))).await;
            }
            CredentialEffect::Settle { .. } if fault::has(Fault::ForgetsWaiters) => {}
            CredentialEffect::Settle { waiter, end } => {
                if let Some(event) = self.desk.settled(profile, waiter, end) {
                    self.tell(event);
                }
            }
        }
    }

    /// Asks what became of a refresh or a write of before a crash: the credential stands where it stood when it ordered it.
    async fn recover(&mut self, who: Claimant, order: OrderNumber, credentials: &Credentials) {
        let Some(credential) = credentials.get(&who.profile) else { return };
        let (vault, generation) = (&self.ports.vault, credential.generation);
        match credential.state {
            CredentialState::Refreshing => {
                let end = asked(|| vault.refreshed(who, generation));
                self.refresh(who.profile, order, end).await;
            }
            CredentialState::Storing => {
                let end = asked(|| vault.written(who, Generation(generation.0 + 1)));
                self.write(who.profile, order, end).await;
            }
            CredentialState::Lapsed
            | CredentialState::Fresh
            | CredentialState::Reading { .. }
            | CredentialState::Waiting { .. }
            | CredentialState::Unsaved
            | CredentialState::Refused => {}
        }
    }

    async fn look(&mut self, profile: ProfileId, order: OrderNumber, found: Doing<Found>) {
        let answer = async move {
            let found = contained(found).await.unwrap_or(Found::Unreadable);
            CredentialEvent::StoreRead { order, found }
        };
        self.ask(profile, order, Box::pin(answer)).await;
    }

    async fn refresh(&mut self, profile: ProfileId, order: OrderNumber, end: Doing<RefreshEnd>) {
        let answer = async move {
            let end = contained(end).await.unwrap_or(RefreshEnd::Failed);
            CredentialEvent::RefreshEnded { order, end }
        };
        self.ask(profile, order, Box::pin(answer)).await;
    }

    async fn write(&mut self, profile: ProfileId, order: OrderNumber, end: Doing<WriteEnd>) {
        let answer = async move {
            let end = contained(end).await.unwrap_or(WriteEnd::Failed);
            CredentialEvent::WriteEnded { order, end }
        };
        self.ask(profile, order, Box::pin(answer)).await;
    }

    /// Begins an order. The one before has its answer, or nobody wants it any more.
    async fn ask(&mut self, profile: ProfileId, order: OrderNumber, answer: Doing<CredentialEvent>) {
        let before = self.works.keys().find(|work| matches!(work, Work::Vault(of, _) if *of == profile));
        if let Some(before) = before.cloned() {
            self.stop(&before).await;
        }
        self.begin(Work::Vault(profile, order), "vault", async move {
            vec![(Fact::Credential { profile, event: answer.await }, vec![])]
        });
    }
}

/// What the timer of an order comes back with.
fn elapsed(profile: ProfileId, order: OrderNumber) -> Fact {
    Fact::Credential { profile, event: CredentialEvent::Elapsed { order } }
}
