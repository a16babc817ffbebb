//! What comes of a credential's effects: its orders go outside, and who waits is told.

use downbeat_kernel::{CredentialEffect, Generation as Number, OrderNumber, WaitEnd, WaiterId};

use super::super::ledger::{self, RequestIndex, request_name};
use super::state::{Ask, At, Breach, Flight, Landing, WindowIndex, byte};
use super::step::{Step, is_order};
use super::words::{server_lane, store_lane, window_lane};

impl Step<'_> {
    /// Tells those who are told, and carries out the first `cut` orders: a crash takes the others.
    pub(super) fn release(&mut self, window: WindowIndex, effects: &[CredentialEffect], cut: Option<u8>) {
        let mut orders = 0;
        for effect in effects {
            if !is_order(*effect) || cut.is_none_or(|cut| orders < cut) {
                self.carry_out(window, *effect);
            }
            orders += u8::from(is_order(*effect));
        }
    }

    fn carry_out(&mut self, window: WindowIndex, effect: CredentialEffect) {
        match effect {
            CredentialEffect::Read { order, .. } => {
                self.tell_store(window, || "reads the store again".to_owned());
                self.ask(window, Ask::Read, order);
            }
            CredentialEffect::Claim { order, generation, .. } => {
                self.tell_store(window, || match generation {
                    Number(0) => "reads the store".to_owned(),
                    Number(known) => format!("claims content {known}"),
                });
                self.ask(window, Ask::Claim, order);
            }
            CredentialEffect::Refresh { order, generation } => self.refresh(window, order, generation),
            CredentialEffect::Abort { .. } => {
                self.tell_server(window, || "breaks the refresh off".to_owned());
                self.window(window).flight = None;
            }
            CredentialEffect::Write { order, generation } => self.write(window, order, generation),
            CredentialEffect::Recover { order } => self.ask(window, Ask::Recover, order),
            CredentialEffect::Arm { order, .. } => {
                self.is_of_the_last(window, order);
                let before = self.window(window).armed.replace(order);
                self.state.breaches.note(Breach::Disorder, before.is_some());
            }
            CredentialEffect::Disarm { order } => {
                let before = self.window(window).armed.take();
                self.state.breaches.note(Breach::Disorder, before != Some(order));
                // What the store still says to that order comes too late.
                self.window(window).ask = None;
            }
            CredentialEffect::Settle { waiter, end } => self.settle(window, waiter, end),
        }
    }

    fn tell_store(&mut self, window: WindowIndex, words: impl FnOnce() -> String) {
        self.tell(window_lane(window), store_lane(&self.model.scenario), words);
    }

    fn tell_server(&mut self, window: WindowIndex, words: impl FnOnce() -> String) {
        self.tell(window_lane(window), server_lane(&self.model.scenario), words);
    }

    /// Every new order has the last number.
    fn is_of_the_last(&mut self, window: WindowIndex, order: OrderNumber) {
        let last = self.state.window(window).credential.order;
        self.state.breaches.note(Breach::Disorder, order != last);
    }

    fn ask(&mut self, window: WindowIndex, ask: Ask, order: OrderNumber) {
        self.is_of_the_last(window, order);
        let before = self.window(window).ask.replace(ask);
        self.state.breaches.note(Breach::Disorder, before.is_some());
    }

    /// Sends a refresh, with what the window has by that number. One that is in flight stays there.
    fn refresh(&mut self, window: WindowIndex, order: OrderNumber, generation: Number) {
        self.is_of_the_last(window, order);
        let Some(token) = self.state.store.text(byte(generation)) else {
            return self.state.breaches.note(Breach::Disorder, true);
        };
        self.tell_server(window, || format!("refreshes with refresh token {}", token + 1));
        let here = self.window(window);
        let before = here.flight.replace(Flight { token, answer: None });
        here.beside = here.beside.or(before.map(|flight| flight.token));
    }

    /// Sends the new credential to the store, if the driver has it still.
    fn write(&mut self, window: WindowIndex, order: OrderNumber, generation: Number) {
        self.ask(window, Ask::Write, order);
        let number = byte(generation);
        let is_next = number == self.state.known(window) + 1;
        self.state.breaches.note(Breach::Disorder, !is_next);
        if let Some(token) = self.state.window(window).successor {
            self.tell_store(window, || format!("writes credential {} as content {number}", token + 1));
            self.window(window).landing = Some(Landing { number, token });
        }
    }

    /// The request that waits under this number.
    pub(super) fn waiter(&self, window: WindowIndex, waiter: u64) -> Option<RequestIndex> {
        let is_it = |at| matches!(at, At::Waiting { window: of, waiter: number, .. } if (of, number) == (window, waiter));
        self.state.open().find(|(_, at)| is_it(*at)).map(|(request, _)| request)
    }

    fn settle(&mut self, window: WindowIndex, WaiterId(waiter): WaiterId, end: WaitEnd) {
        let Some(request) = self.waiter(window, waiter) else {
            return self.state.breaches.note(Breach::Disorder, true);
        };
        let (lane, name) = (window_lane(window), request_name(request));
        match end {
            WaitEnd::Given(generation) => self.send(request, window, byte(generation)),
            WaitEnd::Refused => {
                self.tell(lane, lane, || format!("{name} ends: a person is told to log in"));
                self.end(request, ledger::Outcome::Login);
            }
            WaitEnd::Failed => {
                self.tell(lane, lane, || format!("{name} fails"));
                self.end(request, ledger::Outcome::Failed);
            }
        }
    }

    /// A request goes to the API with what its window has by that number.
    fn send(&mut self, request: RequestIndex, window: WindowIndex, number: u8) {
        let At::Waiting { refused, .. } = self.state.at(request) else { return };
        self.state.breaches.note(Breach::Unstored, self.state.store.text(number).is_none());
        let Some(token) = self.state.text(window, number) else {
            return self.state.breaches.note(Breach::Disorder, true);
        };
        let again = if refused.is_some() { "is sent again" } else { "is sent" };
        let name = request_name(request);
        self.tell_server(window, || format!("{name} {again}, with access token {}", token + 1));
        if let Some(refused) = refused {
            self.state.ledger.send_again(request, refused, token);
        }
        self.state.requests[usize::from(request)] = At::Sent { window, number, token, refused };
    }
}
