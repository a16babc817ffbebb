//! The login of the simulated provider: a store of credentials, and a server that rotates its refresh tokens.
//!
//! The vault keeps what the server gives in the act in which the server takes the token, as one that runs beside the server does. So
//! there is no moment at which a kill leaves nobody who knows (A10).

use crate::record::Record;
use crate::script::Span;
use crate::world::{Port, World};
use downbeat_kernel::{Found, Generation, RefreshEnd, WriteEnd};
use downbeat_shell::{Claimant, Doing, Vault};
use std::future::pending;
use std::sync::Arc;

impl Port {
    /// Waits, and then does something in one act. `None` if that cannot be put on record.
    fn after<T: Send + 'static>(
        &self,
        span: Span,
        generation: Generation,
        act: impl FnOnce(&World) -> Option<T> + Send + 'static,
    ) -> Doing<T> {
        let world = Arc::clone(&self.0);
        Box::pin(async move {
            world.rt.sleep(world.time(span, &[generation.0.into()])).await;
            match act(&world) {
                Some(done) => done,
                None => pending().await,
            }
        })
    }
}

impl Vault for Port {
    fn read(&self, _who: Claimant, generation: Generation) -> Doing<Found> {
        self.after(Span::Vault, generation, move |world| Some(world.state().ledger.compare(generation)))
    }

    fn claim(&self, who: Claimant, generation: Generation, _for_ms: u64) -> Doing<Found> {
        // Nobody else has this store.
        self.read(who, generation)
    }

    fn refresh(&self, _who: Claimant, generation: Generation) -> Doing<RefreshEnd> {
        self.after(Span::Refresh, generation, move |world| {
            let mut state = world.state();
            let next = Generation(generation.0 + 1);
            let is_kept = state.ledger.is_kept(next) || state.note(Record::Used { generation });
            is_kept.then_some(RefreshEnd::Refreshed)
        })
    }

    fn write(&self, _who: Claimant, generation: Generation) -> Doing<WriteEnd> {
        self.after(Span::Vault, generation, move |world| {
            let mut state = world.state();
            let is_next = generation.0 == state.ledger.stored().0 + 1;
            if !is_next || !state.ledger.is_kept(generation) {
                return Some(WriteEnd::Failed);
            }
            state.issued = world.rt.now();
            state.note(Record::Stored { generation }).then_some(WriteEnd::Stored)
        })
    }

    fn refreshed(&self, _who: Claimant, generation: Generation) -> Doing<RefreshEnd> {
        self.after(Span::Vault, generation, move |world| Some(world.state().ledger.refreshed(generation)))
    }

    fn written(&self, _who: Claimant, generation: Generation) -> Doing<WriteEnd> {
        self.after(Span::Vault, generation, move |world| Some(world.state().ledger.written(generation)))
    }
}
