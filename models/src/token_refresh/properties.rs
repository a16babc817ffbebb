//! What is asked of whatever keeps credentials: of the server, the store and the requests, not of a client's variables.

use downbeat_sim::model::Property;

use super::TokenRefresh;
use super::ledger::{Regress, request_name};
use super::server::{GENERATIONS, Generation};
use super::state::State;

/// All of them, in the order of the report.
pub fn all() -> Vec<Property<TokenRefresh>> {
    let mut properties = safety();
    properties.extend(liveness());
    properties
}

fn safety() -> Vec<Property<TokenRefresh>> {
    vec![
        Property::always(
            "S14",
            "at most one refresh in flight for a credential generation, over all windows",
            |_, state: &State| doubled(state).is_none(),
            |_, state| state.refreshes().next().is_some(),
            |_, state| match doubled(state) {
                Some(token) => format!("two refreshes with refresh token {} are in flight", token + 1),
                None => String::new(),
            },
        ),
        Property::always(
            "S15",
            "a refresh token is used at most once",
            |_, state: &State| state.ledger.reused.is_none(),
            |_, state| state.server.has_rotated(),
            |_, state| match state.ledger.reused {
                Some(token) => {
                    let revoked = if state.server.is_revoked() { ", and the family is revoked" } else { "" };
                    format!("refresh token {} was used twice{revoked}", token + 1)
                }
                None => String::new(),
            },
        ),
        Property::always(
            "S16",
            "an older outcome never replaces or clears a newer credential",
            |_, state: &State| state.ledger.regress.is_none(),
            |_, state| state.store.held().is_some_and(|credential| credential > 0),
            |_, state| state.ledger.regress.map_or_else(String::new, regress),
        ),
        Property::always(
            "S17",
            "a request refused for a stale token is sent again with another",
            |_, state: &State| state.ledger.repeated.is_none(),
            |_, state| state.is_sent_again(),
            |_, state| match state.ledger.repeated {
                Some((request, token)) => format!(
                    "{} was sent again with access token {}, for which it had been refused",
                    request_name(request),
                    token + 1
                ),
                None => String::new(),
            },
        ),
        Property::always(
            "login",
            "a person is told to log in only if the server has revoked the credential",
            |_, state: &State| state.ledger.needless_login.is_none(),
            |_, state| state.ledger.has_ended(),
            |_, state| match state.ledger.needless_login {
                Some(request) => {
                    format!(
                        "the person of request {} is told to log in, and the server has revoked nothing",
                        request_name(request)
                    )
                }
                None => String::new(),
            },
        ),
        Property::no_deadlock("deadlock", "the system rests only when every request is over", |_, state| {
            unsettled(state)
        }),
    ]
}

fn liveness() -> Vec<Property<TokenRefresh>> {
    vec![
        Property::leads_to(
            "L1",
            "every request ends: with an answer, an error, or a person who is told to log in",
            |_, state: &State| state.ledger.open().next().is_some(),
            |_, state| state.ledger.open().next().is_none(),
            |_, state| format!("for ever: {}", unsettled(state)),
        ),
        Property::leads_to(
            "L5",
            "everyone who waits for a refresh settles",
            |_, state: &State| state.waiting().next().is_some(),
            |_, state| state.waiting().next().is_none(),
            |_, state| format!("for ever: {}", unsettled(state)),
        ),
    ]
}

/// A refresh token with two refreshes in flight.
fn doubled(state: &State) -> Option<Generation> {
    (0..GENERATIONS).find(|token| state.refreshes().filter(|other| other == token).count() > 1)
}

fn regress(Regress { is_stored, lost, instead }: Regress) -> String {
    let (place, lost) = (if is_stored { "the store" } else { "memory" }, lost + 1);
    match instead {
        Some(older) => format!("{place} held credential {lost}, and has credential {} now", older + 1),
        None => format!("{place} held credential {lost}, and was cleared for an older one"),
    }
}

fn unsettled(state: &State) -> String {
    match state.ledger.open().next() {
        Some(request) => format!("request {} does not end", request_name(request)),
        None => "every request is over".to_owned(),
    }
}
