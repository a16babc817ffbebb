//! What is promised of a session with its agent, by one predicate for every session there is.
//!
//! Judged is what callers and agents see: the [`Ledger`] and the [`Sdk`], never the variables of a session.

use downbeat_sim::model::{Model, Property};

use super::ledger::{Ledger, Outcome, request_name};
use super::sdk::{IteratorIndex, Sdk};

/// A state of a session, as those see it who use it.
pub trait Judged {
    /// The iterators of the agent.
    fn sdk(&self) -> &Sdk;

    /// What the callers know.
    fn ledger(&self) -> &Ledger;

    /// Which request does not settle, and why nobody will see to it, as a sentence.
    fn unsettled(&self) -> String;
}

/// The properties that every session has to keep.
pub fn of_sessions<M: Model<State: Judged>>() -> Vec<Property<M>> {
    vec![
        Property::always(
            "S10",
            "at most one live iterator for a session",
            |_, state: &M::State| state.sdk().live().count() <= 1,
            |_, state: &M::State| state.sdk().live().next().is_some(),
            |_, state: &M::State| format!("{} take prompts and give results", names(state.sdk().live())),
        ),
        Property::always(
            "S11",
            "a result completes the request that it answers",
            |_, state: &M::State| state.ledger().crossed.is_none(),
            |_, state: &M::State| {
                state.ledger().made().any(|(_, request)| request.outcome() == Some(Outcome::Answered))
            },
            |_, state: &M::State| match state.ledger().crossed {
                Some((made_for, taken_for)) => {
                    format!("the result of {} completed {}", request_name(made_for), request_name(taken_for))
                }
                None => String::new(),
            },
        ),
        Property::always(
            "S12",
            "an interrupt stops the request that it was meant for, and no other",
            |_, state: &M::State| state.ledger().stray.is_none(),
            |_, state: &M::State| {
                state.ledger().made().any(|(_, request)| {
                    (request.cancelled || request.aborted) && request.outcome() == Some(Outcome::Rejected)
                })
            },
            |_, state: &M::State| state.ledger().stray.map_or_else(String::new, |stray| stray.to_string()),
        ),
        Property::always(
            "S13",
            "what was stopped stays stopped: no agent begins to work on it",
            |_, state: &M::State| state.ledger().restarted.is_none(),
            |_, state: &M::State| {
                state.ledger().made().any(|(_, request)| request.cancelled || request.aborted)
            },
            |_, state: &M::State| match state.ledger().restarted {
                Some(request) => {
                    format!("an agent began with {}, which had been stopped", request_name(request))
                }
                None => String::new(),
            },
        ),
        Property::no_deadlock(
            "deadlock",
            "the system rests only when every invoke has settled",
            |_, state: &M::State| state.unsettled(),
        ),
        Property::leads_to(
            "settles",
            "every invoke settles",
            |_, state: &M::State| state.ledger().open().next().is_some(),
            |_, state: &M::State| state.ledger().open().next().is_none(),
            |_, state: &M::State| format!("for ever: {}", state.unsettled()),
        ),
    ]
}

fn names(iterators: impl Iterator<Item = IteratorIndex>) -> String {
    let names: Vec<String> = iterators.map(|iterator| format!("iterator {}", iterator + 1)).collect();
    names.join(" and ")
}
