//! What is promised about the attempts at a task, by one predicate for whoever orders them.

use downbeat_sim::model::{Model, Property};

use super::ledger::Ledger;

/// A state as people see it.
pub trait Judged {
    /// What was done and said.
    fn ledger(&self) -> &Ledger;

    /// What keeps the task from its end, as a sentence; `None` if it has ended, and that is on record, or nobody wants it.
    fn unended(&self) -> Option<String>;
}

/// S7, S11, S18 to S21, freedom from deadlock, L1 and L2.
pub fn of_retries<M: Model<State: Judged>>() -> Vec<Property<M>> {
    vec![
        Property::always(
            "S7",
            "terminal states absorb: a task has one end",
            |_, state: &M::State| !state.ledger().reopened,
            |_, state: &M::State| state.ledger().end.is_some(),
            |_, _| "the task has an end, and is said to have another".to_owned(),
        ),
        Property::always(
            "S11",
            "the end of a task is what its attempts came to",
            |_, state: &M::State| !state.ledger().is_false,
            |_, state: &M::State| state.ledger().end.is_some(),
            |_, _| "the end that is said is not what the attempts came to".to_owned(),
        ),
        Property::always(
            "S18",
            "one logical task, one result",
            |_, state: &M::State| state.ledger().twice.is_none(),
            |_, state: &M::State| state.ledger().has_result(),
            |_, state: &M::State| state.ledger().twice.map_or_else(String::new, |breach| breach.to_string()),
        ),
        Property::always(
            "S19",
            "no attempt is ordered after a cancel",
            |_, state: &M::State| !state.ledger().ordered_late,
            |_, state: &M::State| state.ledger().is_cancelled,
            |_, _| "the task was cancelled, and an attempt is ordered".to_owned(),
        ),
        Property::always(
            "S20",
            "no attempt works when a newer one has begun",
            |_, state: &M::State| state.ledger().beside.is_none(),
            |_, state: &M::State| state.ledger().has_begun(),
            |_, state: &M::State| state.ledger().beside.map_or_else(String::new, |breach| breach.to_string()),
        ),
        Property::always(
            "S21",
            "nothing of a task begins or is delivered after it was said to be cancelled",
            |_, state: &M::State| state.ledger().after_cancelled.is_none(),
            |_, state: &M::State| state.ledger().is_said_cancelled(),
            |_, state: &M::State| {
                state.ledger().after_cancelled.map_or_else(String::new, |breach| breach.to_string())
            },
        ),
        Property::no_deadlock(
            "deadlock",
            "the system rests only when the task has ended",
            |_, state: &M::State| words(state),
        ),
        Property::leads_to(
            "L1",
            "every task ends",
            |_, state: &M::State| state.unended().is_some(),
            |_, state: &M::State| state.unended().is_none(),
            |_, state: &M::State| format!("for ever: {}", words(state)),
        ),
        Property::leads_to(
            "L2",
            "a cancel terminates",
            |_, state: &M::State| state.ledger().is_cancelled && state.ledger().end.is_none(),
            |_, state: &M::State| state.ledger().end.is_some(),
            |_, _| "the task was cancelled, and does not end".to_owned(),
        ),
    ]
}

fn words(state: &impl Judged) -> String {
    state.unended().unwrap_or_else(|| "the task has ended".to_owned())
}
