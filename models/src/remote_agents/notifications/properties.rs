//! What is promised about notifications, by one predicate for whoever sends them.

use downbeat_sim::model::{Model, Property};

use super::ledger::Ledger;

/// A state as people see it.
pub trait Judged {
    /// What they were shown.
    fn ledger(&self) -> &Ledger;

    /// What they ought to be told and are not, as a sentence; `None` if there is nothing.
    fn untold(&self) -> Option<String>;
}

/// S7, S24, freedom from deadlock, and L1.
pub fn of_notifications<M: Model<State: Judged>>() -> Vec<Property<M>> {
    vec![
        Property::always(
            "S7",
            "terminal states absorb: the end of a task that is on record stays",
            |_, state: &M::State| !state.ledger().reopened,
            |_, state: &M::State| state.ledger().count() > 0,
            |_, _| "the task has an end on record, and gets another one".to_owned(),
        ),
        Property::always(
            "S24",
            "people are shown each notification once, in order, and never two ends",
            |_, state: &M::State| state.ledger().breach.is_none(),
            |_, state: &M::State| state.ledger().has_shown(),
            |_, state: &M::State| state.ledger().breach.map_or_else(String::new, |breach| breach.to_string()),
        ),
        Property::no_deadlock(
            "deadlock",
            "the system rests only when people were told, or an operator that they may not have been",
            |_, state: &M::State| words(state),
        ),
        Property::leads_to(
            "L1",
            "people are told what is on record, or an operator that they may not have been",
            |_, state: &M::State| state.untold().is_some(),
            |_, state: &M::State| state.untold().is_none(),
            |_, state: &M::State| format!("for ever: {}", words(state)),
        ),
    ]
}

fn words(state: &impl Judged) -> String {
    state.untold().unwrap_or_else(|| "everybody is told".to_owned())
}
