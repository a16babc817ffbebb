//! One step: what happens outside, what a credential makes of it, and what comes of its orders.

use downbeat_kernel::{
    CredentialEffect, CredentialEvent, CredentialRejected, CredentialState, Found, Outcome, WaitEnd,
};
use downbeat_sim::model::{Arrow, Lane};

use super::super::ledger::{self, RequestIndex};
use super::super::server::Answer;
use super::act::{Act, Action, found};
use super::state::{Ask, At, Breach, Breaches, Flight, State, Window, WindowIndex, byte, number};
use super::words::{self, window_lane};
use super::{KernelModel, Left};

/// The state in the middle of a step.
pub(super) struct Step<'a> {
    pub(super) state: State,
    pub(super) model: &'a KernelModel,
    /// The story of the step; `None` while the checker only wants the next state.
    pub(super) told: Option<&'a mut Vec<Arrow>>,
}

/// Whether an effect goes outside. The other is for those who wait, and on record with the step that makes it.
pub(super) fn is_order(effect: CredentialEffect) -> bool {
    match effect {
        CredentialEffect::Read { .. }
        | CredentialEffect::Claim { .. }
        | CredentialEffect::Refresh { .. }
        | CredentialEffect::Abort { .. }
        | CredentialEffect::Write { .. }
        | CredentialEffect::Recover { .. }
        | CredentialEffect::Arm { .. }
        | CredentialEffect::Disarm { .. } => true,
        CredentialEffect::Settle { .. } => false,
    }
}

impl Step<'_> {
    pub(super) fn tell(&mut self, from: Lane, to: Lane, text: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(Arrow { from, to, text: text() });
        }
    }

    pub(super) fn window(&mut self, window: WindowIndex) -> &mut Window {
        &mut self.state.windows[usize::from(window)]
    }

    /// Takes one step; `None` if it may not be taken.
    pub(super) fn take(&mut self, Action { act, cut }: Action) -> Option<()> {
        self.state.ledger = self.state.ledger.without_breaches();
        self.state.breaches = Breaches::default();
        let before = self.state;
        let event = act.event(&before);
        self.state.left = before.left.after(act, &before)?;
        if let Some(told) = &mut self.told {
            told.push(words::arrow(&self.model.scenario, &before, act));
        }
        self.happens(act);
        match event {
            Some((window, event)) => self.put(window, event, cut, act)?,
            None if cut.is_some() => return None,
            None => {}
        }
        self.state.renumber();
        Some(())
    }

    /// Gives a credential its event, and carries out what comes of it.
    fn put(&mut self, window: WindowIndex, event: CredentialEvent, cut: Option<u8>, act: Act) -> Option<()> {
        let (before, mut effects) = (self.state, Vec::new());
        let config = self.model.config;
        let credential = &mut self.window(window).credential;
        let outcome = credential.step(event, &config, &mut |effect| effects.push(effect));
        let (was, is) = (before.window(window).credential, self.state.window(window).credential);
        let is_late = matches!(act, Act::Late(..));
        match outcome {
            Outcome::Applied => {}
            Outcome::Ignored(_) | Outcome::Rejected(_) => {
                self.state.breaches.note(Breach::Unapplied, was != is || !effects.is_empty());
                self.refused(window, is_late, &outcome);
                return cut.is_none().then_some(());
            }
        }
        self.state.breaches.note(Breach::Stale, is_late);
        self.note_replaced(was.state, event, byte(was.generation), &effects);
        self.note_memory(&before, window);
        self.release(window, &effects, cut);
        if !self.state.window(window).is_writing() {
            self.window(window).successor = None;
        }
        if cut.is_some() { self.crash(window) } else { Some(()) }
    }

    /// A request for which there is no room fails; whatever else is not applied was late.
    fn refused(&mut self, window: WindowIndex, is_late: bool, outcome: &Outcome<CredentialRejected>) {
        if is_late {
            return self.tell(window_lane(window), window_lane(window), || "takes no notice".to_owned());
        }
        let is_full = matches!(outcome, Outcome::Rejected(CredentialRejected::WaitersFull { .. }));
        let last = self.state.window(window).credential.accepted.0 + 1;
        match self.waiter(window, last) {
            Some(request) if is_full => self.end(request, ledger::Outcome::Failed),
            Some(_) | None => self.state.breaches.note(Breach::Disorder, true),
        }
    }

    /// Who was refused with what is not the newest any more is given the newest, and nothing is asked of anybody.
    fn note_replaced(
        &mut self,
        was: CredentialState,
        event: CredentialEvent,
        known: u8,
        effects: &[CredentialEffect],
    ) {
        let CredentialEvent::Wanted { waiter, newer_than } = event else { return };
        let end = WaitEnd::Given(number(known));
        let is_given = effects == [CredentialEffect::Settle { waiter, end }];
        let is_replaced = was == CredentialState::Fresh && newer_than < number(known);
        self.state.breaches.note(Breach::Replaced, is_replaced && !is_given);
    }

    /// S16: what a window knows is its memory.
    fn note_memory(&mut self, before: &State, window: WindowIndex) {
        let (was, is) = (before.known(window), self.state.known(window));
        let held = before.store.text(was);
        if was != is
            && let Some(token) = before.text(window, is)
        {
            self.state.ledger.replace(false, held, Some(token), token);
        }
    }

    /// What an act is outside, before a credential knows of it.
    fn happens(&mut self, act: Act) {
        match act {
            Act::Ask(window) => {
                let request = self.state.ledger.make();
                self.wait(request, window, None);
            }
            Act::Respond(request) => self.respond(request),
            Act::Find(window) => {
                let is_claim = self.state.window(window).ask == Some(Ask::Claim);
                if is_claim && found(&self.state, window) == Found::Current {
                    self.state.store.claim = Some(window);
                }
                self.window(window).ask = None;
            }
            Act::FindNothing(window)
            | Act::Store(window)
            | Act::FailToStore(window)
            | Act::Recover(window) => self.window(window).ask = None,
            Act::Claim(window) => self.state.store.claim = Some(window),
            Act::EndClaim | Act::EndClaimEarly => self.state.store.claim = None,
            Act::Land(window) => self.land(window),
            Act::Serve(window) => self.serve(window, false),
            Act::Forgive(window) => self.serve(window, true),
            Act::Refresh(window) => {
                let answer = self.window(window).flight.take().and_then(|flight| flight.answer);
                if let Some(Answer::Granted(token)) = answer {
                    self.window(window).successor = Some(token);
                }
            }
            Act::FailToRefresh(window) => self.window(window).flight = None,
            Act::Elapse(window) => {
                let window = self.window(window);
                (window.ask, window.armed) = (None, None);
            }
            Act::Crash(window) => {
                self.go_down(window);
            }
            Act::CrashLosing(window) => {
                self.go_down(window);
                self.window(window).successor = None;
            }
            Act::Restart(window) => self.restart(window),
            Act::Lapse => {
                self.state.server.lapse();
            }
            Act::Expire => {
                self.state.server.expire();
            }
            Act::Refuse => {
                self.state.server.refuse();
            }
            Act::LogIn => {
                let token = self.state.server.log_in();
                self.state.ledger.replace(true, self.state.store.held(), Some(token), token);
                self.state.store.put(token);
            }
            Act::LogOut => {
                self.state.server.revoke();
                (self.state.store.is_empty, self.state.store.claim) = (true, None);
            }
            Act::Revoke => {
                self.state.server.revoke();
            }
            Act::Hint(..) | Act::Late(..) => {}
        }
    }

    /// The API answers, or refuses for the first time or the second.
    fn respond(&mut self, request: RequestIndex) {
        let At::Sent { window, token, refused, .. } = self.state.at(request) else { return };
        if self.state.server.accepts(token) {
            self.end(request, ledger::Outcome::Answered);
        } else if refused.is_some() {
            self.end(request, ledger::Outcome::Failed);
        } else {
            self.wait(request, window, Some(token));
        }
    }

    /// A request waits for a credential, as the next one in its window.
    fn wait(&mut self, request: RequestIndex, window: WindowIndex, refused: Option<u8>) {
        let waiter = self.state.window(window).credential.accepted.0 + 1;
        self.state.requests[usize::from(request)] = At::Waiting { window, waiter, refused };
    }

    /// A request is over.
    pub(super) fn end(&mut self, request: RequestIndex, outcome: ledger::Outcome) {
        let is_revoked = self.state.is_revoked();
        self.state.ledger.end(request, outcome, is_revoked);
        self.state.requests[usize::from(request)] = At::Nowhere;
    }

    /// A write comes to the store, which does it in the place of the content before it and of no other.
    fn land(&mut self, window: WindowIndex) {
        let Some(landing) = self.window(window).landing.take() else { return };
        let store = &mut self.state.store;
        if !store.is_empty && store.number + 1 == landing.number {
            self.state.ledger.replace(true, store.held(), Some(landing.token), landing.token);
            store.put(landing.token);
        }
    }

    /// A refresh comes to the server. That a token comes again whose family is over harms nobody any more.
    fn serve(&mut self, window: WindowIndex, forgives: bool) {
        let Some(Flight { token, .. }) = self.state.window(window).flight else { return };
        if self.state.server.is_used(token) && !self.state.server.has_revoked(token) {
            self.state.ledger.reuse(token);
        }
        let answer = self.state.server.serve(token, forgives);
        self.window(window).flight = Some(Flight { token, answer: Some(answer) });
    }

    /// The window is down: what it waited for is gone, and a write that is on its way goes on alone.
    fn go_down(&mut self, window: WindowIndex) {
        let window = self.window(window);
        (window.ask, window.armed, window.flight, window.beside) = (None, None, None, None);
        window.is_down = true;
    }

    /// A crash in the middle of a step.
    fn crash(&mut self, window: WindowIndex) -> Option<()> {
        let left = &mut self.state.left;
        left.crashes = left.crashes.checked_sub(1)?;
        self.tell(window_lane(window), window_lane(window), || "crashes".to_owned());
        self.go_down(window);
        Some(())
    }

    fn restart(&mut self, window: WindowIndex) {
        self.window(window).is_down = false;
        let (credential, mut effects) = (self.state.window(window).credential, Vec::new());
        credential.resync(&self.model.config, &mut |effect| effects.push(effect));
        self.release(window, &effects, None);
    }
}

impl Left {
    /// What is left after an act; `None` if there was not enough.
    fn after(mut self, act: Act, state: &State) -> Option<Self> {
        let unheard = |window: WindowIndex| u8::from(state.window(window).is_owed_a_grant());
        let spend = |budget: &mut u8, number: u8| budget.checked_sub(number).map(|left| *budget = left);
        match act {
            Act::Lapse => spend(&mut self.lapses, 1)?,
            Act::Refuse => spend(&mut self.refusals, 1)?,
            Act::LogIn => spend(&mut self.logins, 1)?,
            Act::LogOut | Act::Revoke => spend(&mut self.revocations, 1)?,
            Act::EndClaimEarly => spend(&mut self.early, 1)?,
            Act::Elapse(window) => spend(&mut self.unheard, unheard(window))?,
            Act::Crash(window) => {
                spend(&mut self.crashes, 1)?;
                spend(&mut self.unheard, unheard(window))?;
            }
            Act::CrashLosing(window) => {
                spend(&mut self.crashes, 1)?;
                spend(&mut self.texts, 1)?;
                spend(&mut self.unheard, unheard(window))?;
            }
            Act::Ask(_)
            | Act::Respond(_)
            | Act::Find(_)
            | Act::FindNothing(_)
            | Act::Claim(_)
            | Act::EndClaim
            | Act::Land(_)
            | Act::Store(_)
            | Act::FailToStore(_)
            | Act::Serve(_)
            | Act::Forgive(_)
            | Act::Refresh(_)
            | Act::FailToRefresh(_)
            | Act::Recover(_)
            | Act::Hint(..)
            | Act::Restart(_)
            | Act::Expire
            | Act::Late(..) => {}
        }
        Some(self)
    }
}
