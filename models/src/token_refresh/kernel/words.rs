//! How an act reads.

use downbeat_kernel::{CredentialEvent, Found};
use downbeat_sim::model::{Arrow, Lane};

use super::super::ledger::request_name;
use super::super::server::{Answer, Generation};
use super::Scenario;
use super::act::{Act, event_name, found, state_name};
use super::state::{At, Flight, State, Window, WindowIndex};

pub(super) fn window_lane(window: WindowIndex) -> Lane {
    usize::from(window)
}

pub(super) fn store_lane(scenario: &Scenario) -> Lane {
    usize::from(scenario.windows)
}

pub(super) fn server_lane(scenario: &Scenario) -> Lane {
    usize::from(scenario.windows) + 1
}

/// The arrow of an act, from where things stand before it.
pub(super) fn arrow(scenario: &Scenario, state: &State, act: Act) -> Arrow {
    let (store, server) = (store_lane(scenario), server_lane(scenario));
    let (from, to) = match act {
        Act::Ask(window)
        | Act::FailToRefresh(window)
        | Act::Recover(window)
        | Act::Elapse(window)
        | Act::Crash(window)
        | Act::CrashLosing(window)
        | Act::Restart(window)
        | Act::Late(window, _) => (window_lane(window), window_lane(window)),
        Act::Find(window)
        | Act::FindNothing(window)
        | Act::Store(window)
        | Act::FailToStore(window)
        | Act::Hint(window, _) => (store, window_lane(window)),
        Act::Claim(_) | Act::EndClaim | Act::EndClaimEarly | Act::Land(_) => (store, store),
        Act::Refresh(window) => (server, window_lane(window)),
        Act::Respond(request) => match state.at(request) {
            At::Sent { window, .. } => (server, window_lane(window)),
            At::Nowhere | At::Waiting { .. } => (server, server),
        },
        // What the server does is not in the window before it arrives.
        Act::Serve(_) | Act::Forgive(_) | Act::Lapse | Act::Expire | Act::Refuse | Act::Revoke => {
            (server, server)
        }
        Act::LogIn | Act::LogOut => (store, store),
    };
    Arrow { from, to, text: text(state, act) }
}

fn text(state: &State, act: Act) -> String {
    match act {
        Act::Ask(_) => format!("request {} comes", next_request(state)),
        Act::Respond(request) => {
            let name = request_name(request);
            match state.at(request) {
                At::Sent { token, .. } if state.server.accepts(token) => format!("{name} has its answer"),
                At::Sent { refused: Some(_), .. } => format!("401 again: {name} fails"),
                At::Nowhere | At::Waiting { .. } | At::Sent { refused: None, .. } => {
                    format!("401: refuses {name}")
                }
            }
        }
        Act::Find(window) => match found(state, window) {
            Found::Current => format!("has content {} still", state.store.number),
            Found::Taken => format!("has content {} still, and another window claims it", state.store.number),
            Found::Other { .. } => "has ".to_owned() + &content(state, state.store.number),
            Found::Empty => "has nothing".to_owned(),
            Found::Unreadable => "cannot be read".to_owned(),
        },
        Act::FindNothing(_) => "gives no answer that could be used".to_owned(),
        Act::Claim(window) => format!("takes the claim of window {} down", window + 1),
        Act::EndClaim => "the claim ends".to_owned(),
        Act::EndClaimEarly => "the claim ends, early".to_owned(),
        Act::Land(window) => land(state, state.window(window)),
        Act::Store(_) => "says that it is written".to_owned(),
        Act::FailToStore(window) => match state.window(window).successor {
            Some(_) => "does not say that it is written".to_owned(),
            None => "there is nothing to write".to_owned(),
        },
        Act::Serve(window) => serve(state, state.window(window).flight),
        Act::Forgive(_) => "forgives the second use".to_owned(),
        Act::Refresh(window) => match state.window(window).flight.and_then(|flight| flight.answer) {
            Some(Answer::Granted(token)) => format!("here is credential {}", token + 1),
            Some(Answer::InvalidGrant | Answer::Error) | None => "invalid grant".to_owned(),
        },
        Act::FailToRefresh(_) => "the refresh does not come through".to_owned(),
        Act::Recover(_) => "nothing is on record about what the crash cut off".to_owned(),
        Act::Elapse(_) => "its timer runs out".to_owned(),
        Act::Hint(_, number) => "says that it has ".to_owned() + &content(state, number),
        Act::Crash(_) => "crashes".to_owned(),
        Act::CrashLosing(_) => "crashes, and loses the new credential".to_owned(),
        Act::Restart(_) => "starts again".to_owned(),
        Act::Lapse => "time passes: the access tokens are due for a refresh".to_owned(),
        Act::Expire => "the access tokens that are due expire".to_owned(),
        Act::Refuse => {
            format!("access token {} is not taken any more, before its time", state.server.newest() + 1)
        }
        Act::LogIn => "a person logs in".to_owned(),
        Act::LogOut => "a person logs out".to_owned(),
        Act::Revoke => "a person takes the credential back".to_owned(),
        Act::Late(_, event) => format!("late, again or unasked: {}{}", event_name(event), detail(event)),
    }
}

/// The request that is made next.
fn next_request(state: &State) -> char {
    request_name(u8::try_from(state.ledger.made()).unwrap_or(u8::MAX))
}

fn content(state: &State, number: u8) -> String {
    let credential = state.store.text(number).map_or("nothing".to_owned(), |token| (token + 1).to_string());
    format!("credential {credential}, as content {number}")
}

fn land(state: &State, window: &Window) -> String {
    match window.landing {
        Some(landing) if landing.number == state.store.number + 1 && !state.store.is_empty => {
            format!("has credential {} now, as content {}", landing.token + 1, landing.number)
        }
        Some(landing) => format!("does not write credential {} any more", landing.token + 1),
        None => String::new(),
    }
}

fn serve(state: &State, flight: Option<Flight>) -> String {
    let Some(Flight { token, .. }) = flight else { return String::new() };
    let number = token + 1;
    if state.server.has_revoked(token) {
        format!("refresh token {number} is of no use")
    } else if state.server.is_used(token) {
        format!("refresh token {number} again: revokes the family")
    } else {
        format!("refresh token {number} is good: hands out {}", state.server.newest() + 2)
    }
}

/// What an event says, for those that differ in that.
fn detail(event: CredentialEvent) -> String {
    match event {
        CredentialEvent::StoreRead { found, .. } => format!(" {found:?}"),
        CredentialEvent::RefreshEnded { end, .. } => format!(" {end:?}"),
        CredentialEvent::WriteEnded { end, .. } => format!(" {end:?}"),
        CredentialEvent::StoreChanged { generation } => format!(" to content {}", generation.0),
        CredentialEvent::Wanted { .. } | CredentialEvent::Elapsed { .. } => String::new(),
    }
}

/// Where credentials are, in one line.
pub(super) fn standing(scenario: &Scenario, state: &State) -> String {
    let number = |token: Generation| (token + 1).to_string();
    let store = state.store.held().map_or("nothing".to_owned(), number);
    let claim = state.store.claim.map_or(String::new(), |holder| format!(" (claimed by {})", holder + 1));
    let windows = state
        .windows
        .iter()
        .take(usize::from(scenario.windows))
        .map(|window| if window.is_down { "down" } else { state_name(window.credential.state) });
    let revoked = if state.server.is_revoked() { "; revoked" } else { "" };
    format!("store: {store}{claim}; {}{revoked}", windows.collect::<Vec<_>>().join(", "))
}
