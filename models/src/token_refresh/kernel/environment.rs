//! What may happen in a state, and what may not be put off for ever.

use downbeat_kernel::{CredentialEffect, Found, Outcome};
use downbeat_sim::model::Fairness;

use super::super::server::Answer;
use super::act::{Act, Action, found};
use super::late::late;
use super::state::{Ask, At, Flight, State, Window, WindowIndex};
use super::step::is_order;
use super::{KernelModel, Left, Scenario};

impl KernelModel {
    /// Every act, and each crash while its orders go out.
    pub(super) fn enabled(&self, state: &State, actions: &mut Vec<Action>) {
        // When every request that will be is over, nobody looks at credentials any more.
        if state.ledger.made() == usize::from(self.scenario.requests) && state.ledger.open().next().is_none()
        {
            return;
        }
        let mut may = |act| {
            actions.push(Action { act, cut: None });
            if state.left.crashes > 0 {
                actions.extend((0..self.orders(state, act)).map(|cut| Action { act, cut: Some(cut) }));
            }
        };
        for (request, at) in state.open() {
            match at {
                At::Sent { window, .. } if !state.window(window).is_down => may(Act::Respond(request)),
                At::Nowhere | At::Waiting { .. } | At::Sent { .. } => {}
            }
        }
        for window in 0..self.scenario.windows {
            self.of_window(state, window, &mut may);
        }
        of_store(state, &mut may);
        of_people(state, &mut may);
        of_time(state, &mut may);
    }

    /// How many orders an act has a credential give.
    fn orders(&self, state: &State, act: Act) -> u8 {
        let Some((window, event)) = act.event(state) else { return 0 };
        let (mut credential, mut orders) = (state.window(window).credential, 0);
        let mut count = |effect: CredentialEffect| orders += u8::from(is_order(effect));
        match credential.step(event, &self.config, &mut count) {
            Outcome::Applied => orders,
            Outcome::Ignored(_) | Outcome::Rejected(_) => 0,
        }
    }

    /// What may happen in one window.
    fn of_window(&self, state: &State, index: WindowIndex, may: &mut impl FnMut(Act)) {
        let window = state.window(index);
        if window.landing.is_some() {
            may(Act::Land(index));
        }
        if window.is_down {
            return may(Act::Restart(index));
        }
        // Windows are alike, so that the first request may as well come to the first of them.
        let made = state.ledger.made();
        if made < usize::from(self.scenario.requests) && (made > 0 || index == 0) {
            may(Act::Ask(index));
        }
        (state.known(index) + 1..=state.store.number).for_each(|content| may(Act::Hint(index, content)));
        self.answers(state, index, may);
        if window.armed.is_some() && (!window.is_owed_a_grant() || state.left.unheard > 0) {
            may(Act::Elapse(index));
        }
        if state.left.crashes > 0
            && has_memory(window)
            && (!window.is_owed_a_grant() || state.left.unheard > 0)
        {
            may(Act::Crash(index));
            if state.left.texts > 0 && window.successor.is_some() {
                may(Act::CrashLosing(index));
            }
        }
        self.late(window, index, may);
    }

    /// What the store, the server and the driver may say to the window.
    fn answers(&self, state: &State, index: WindowIndex, may: &mut impl FnMut(Act)) {
        let window = state.window(index);
        match window.ask {
            Some(Ask::Read | Ask::Claim) => {
                may(Act::Find(index));
                may(Act::FindNothing(index));
            }
            Some(Ask::Write) => {
                if state.is_stored(index) {
                    may(Act::Store(index));
                }
                may(Act::FailToStore(index));
            }
            Some(Ask::Recover) => may(Act::Recover(index)),
            None => {}
        }
        match window.flight {
            Some(Flight { token, answer: None }) => {
                let is_known = state.server.is_used(token) || state.server.has_revoked(token);
                if is_known || state.server.has_room() {
                    may(Act::Serve(index));
                }
                let is_reused = state.server.is_used(token) && !state.server.has_revoked(token);
                if self.scenario.has_grace && is_reused && state.server.has_room() {
                    may(Act::Forgive(index));
                }
                may(Act::FailToRefresh(index));
            }
            Some(Flight {
                answer: Some(Answer::Granted(_) | Answer::InvalidGrant | Answer::Error), ..
            }) => {
                may(Act::Refresh(index));
            }
            None => {}
        }
    }

    /// What comes late and leaves a trace, and the first of what leaves none: all others lead to the same state.
    fn late(&self, window: &Window, index: WindowIndex, may: &mut impl FnMut(Act)) {
        let leaves_a_trace = |event| {
            let (mut credential, mut is_silent) = (window.credential, true);
            let outcome = credential.step(event, &self.config, &mut |_| is_silent = false);
            outcome == Outcome::Applied || credential != window.credential || !is_silent
        };
        let mut silent = late(window).filter(|event| !leaves_a_trace(*event));
        let traces = late(window).filter(|event| leaves_a_trace(*event));
        silent.next().into_iter().chain(traces).for_each(|event| may(Act::Late(index, event)));
    }
}

/// Whether a crash takes anything.
fn has_memory(window: &Window) -> bool {
    window.ask.is_some() || window.armed.is_some() || window.flight.is_some() || window.successor.is_some()
}

/// What may happen to claims.
fn of_store(state: &State, may: &mut impl FnMut(Act)) {
    let Some(holder) = state.store.claim else {
        let claims = |window: &Window| window.ask == Some(Ask::Claim);
        let asks = (0..).zip(&state.windows).filter(|(_, window)| claims(window)).map(|(index, _)| index);
        return asks.filter(|index| found(state, *index) == Found::Current).map(Act::Claim).for_each(may);
    };
    if !state.is_claim_needed(holder) {
        may(Act::EndClaim);
    } else if state.left.early > 0 {
        may(Act::EndClaimEarly);
    }
}

/// What a person may do.
fn of_people(state: &State, may: &mut impl FnMut(Act)) {
    let Left { logins, revocations, .. } = state.left;
    if logins > 0 && state.server.has_room() {
        may(Act::LogIn);
    }
    if revocations > 0 && !state.is_revoked() {
        may(Act::LogOut);
        may(Act::Revoke);
    }
}

/// What becomes of access tokens.
fn of_time(state: &State, may: &mut impl FnMut(Act)) {
    let Left { lapses, refusals, .. } = state.left;
    let mut server = state.server;
    if lapses > 0 && server.lapse() {
        may(Act::Lapse);
    }
    server = state.server;
    if server.expire() {
        may(Act::Expire);
    }
    if refusals > 0 && server.refuse() {
        may(Act::Refuse);
    }
}

/// Nobody forgets for ever what was ordered: timers run out, the API answers, windows start again, and what the server has
/// granted is heard of, unless a bound says otherwise. The store need never answer, nor the server; people need not act, and
/// nothing need crash, end or come late.
pub(super) fn fairness(scenario: &Scenario) -> Vec<Fairness<KernelModel>> {
    let mut all = Vec::new();
    let mut fair = |name: String, act: Act| {
        all.push(Fairness::weak(name, move |action: &Action| action.cut.is_none() && action.act == act));
    };
    for index in 0..scenario.windows {
        let number = index + 1;
        fair(format!("the timer of window {number} runs out at some time"), Act::Elapse(index));
        fair(format!("window {number} hears what the server said"), Act::Refresh(index));
        fair(format!("window {number} starts again after a crash"), Act::Restart(index));
    }
    for request in 0..scenario.requests {
        fair(format!("the API answers request {}", request + 1), Act::Respond(request));
    }
    all
}
