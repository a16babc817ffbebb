//! What is asked of whatever keeps credentials, by one predicate for every client there is: of the server, the store and the
//! requests, never of a client's variables.

use downbeat_sim::model::{Model, Property};

use super::ledger::{Ledger, Regress, RequestIndex, request_name};
use super::server::{GENERATIONS, Generation, Server};

/// A state of a client in its windows, as those see it who use it.
pub trait Judged {
    /// The server.
    fn server(&self) -> &Server;

    /// The credential in the store.
    fn stored(&self) -> Option<Generation>;

    /// What became of the requests.
    fn ledger(&self) -> &Ledger;

    /// The refresh tokens of all refreshes that were sent and have no answer yet.
    fn refreshes(&self) -> impl Iterator<Item = Generation>;

    /// Whether a request that was refused is with the API again.
    fn is_sent_again(&self) -> bool;

    /// The requests that await a refresh, their own or one that they share.
    fn waiting(&self) -> impl Iterator<Item = RequestIndex>;
}

/// The properties that every client has to keep, in the order of the report.
pub fn of_credentials<M: Model<State: Judged>>() -> Vec<Property<M>> {
    let mut properties = safety();
    properties.extend(liveness());
    properties
}

fn safety<M: Model<State: Judged>>() -> Vec<Property<M>> {
    vec![
        Property::always(
            "S14",
            "at most one refresh in flight for a credential generation, over all windows",
            |_, state: &M::State| doubled(state).is_none(),
            |_, state: &M::State| state.refreshes().next().is_some(),
            |_, state: &M::State| match doubled(state) {
                Some(token) => format!("two refreshes with refresh token {} are in flight", token + 1),
                None => String::new(),
            },
        ),
        Property::always(
            "S15",
            "a refresh token is used at most once",
            |_, state: &M::State| state.ledger().reused.is_none(),
            |_, state: &M::State| state.server().has_rotated(),
            |_, state: &M::State| match state.ledger().reused {
                Some(token) => {
                    let revoked =
                        if state.server().is_revoked() { ", and the family is revoked" } else { "" };
                    format!("refresh token {} was used twice{revoked}", token + 1)
                }
                None => String::new(),
            },
        ),
        Property::always(
            "S16",
            "an older outcome never replaces or clears a newer credential",
            |_, state: &M::State| state.ledger().regress.is_none(),
            |_, state: &M::State| state.stored().is_some_and(|credential| credential > 0),
            |_, state: &M::State| state.ledger().regress.map_or_else(String::new, regress),
        ),
        Property::always(
            "S17",
            "a request refused for a stale token is sent again with another",
            |_, state: &M::State| state.ledger().repeated.is_none(),
            |_, state: &M::State| state.is_sent_again(),
            |_, state: &M::State| match state.ledger().repeated {
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
            |_, state: &M::State| state.ledger().needless_login.is_none(),
            |_, state: &M::State| state.ledger().has_ended(),
            |_, state: &M::State| match state.ledger().needless_login {
                Some(request) => {
                    format!(
                        "the person of request {} is told to log in, and the server has revoked nothing",
                        request_name(request)
                    )
                }
                None => String::new(),
            },
        ),
        Property::no_deadlock(
            "deadlock",
            "the system rests only when every request is over",
            |_, state: &M::State| unsettled(state),
        ),
    ]
}

fn liveness<M: Model<State: Judged>>() -> Vec<Property<M>> {
    vec![
        Property::leads_to(
            "L1",
            "every request ends: with an answer, an error, or a person who is told to log in",
            |_, state: &M::State| state.ledger().open().next().is_some(),
            |_, state: &M::State| state.ledger().open().next().is_none(),
            |_, state: &M::State| format!("for ever: {}", unsettled(state)),
        ),
        Property::leads_to(
            "L5",
            "everyone who waits for a refresh settles",
            |_, state: &M::State| state.waiting().next().is_some(),
            |_, state: &M::State| state.waiting().next().is_none(),
            |_, state: &M::State| format!("for ever: {}", unsettled(state)),
        ),
    ]
}

/// A refresh token with two refreshes in flight.
fn doubled(state: &impl Judged) -> Option<Generation> {
    (0..GENERATIONS).find(|token| state.refreshes().filter(|other| other == token).count() > 1)
}

fn regress(Regress { is_stored, lost, instead }: Regress) -> String {
    let (place, lost) = (if is_stored { "the store" } else { "memory" }, lost + 1);
    match instead {
        Some(older) => format!("{place} held credential {lost}, and has credential {} now", older + 1),
        None => format!("{place} held credential {lost}, and was cleared for an older one"),
    }
}

fn unsettled(state: &impl Judged) -> String {
    match state.ledger().open().next() {
        Some(request) => format!("request {} does not end", request_name(request)),
        None => "every request is over".to_owned(),
    }
}
