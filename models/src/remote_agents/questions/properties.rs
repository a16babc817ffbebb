//! What is promised about questions, by one predicate for whoever stands between agent and person.

use downbeat_sim::model::{Model, Property};

use super::ledger::Ledger;

/// A state as agents and people see it.
pub trait Judged {
    /// What they know.
    fn ledger(&self) -> &Ledger;

    /// Who waits to be told, as a sentence; `None` if nobody does.
    fn untold(&self) -> Option<String>;
}

/// S6, S7, freedom from deadlock, and L1.
pub fn of_questions<M: Model<State: Judged>>() -> Vec<Property<M>> {
    vec![
        Property::always(
            "S6",
            "an answer settles only the question that it names",
            |_, state: &M::State| state.ledger().crossed.is_none(),
            |_, state: &M::State| state.ledger().has_answer(),
            |_, state: &M::State| match state.ledger().crossed {
                Some((key, made_for)) if key == made_for => {
                    format!("{key} is settled as answered, and no answer to it was taken")
                }
                Some((key, made_for)) => format!("{key} is settled by the answer to {made_for}"),
                None => String::new(),
            },
        ),
        Property::always(
            "S7",
            "terminal states absorb: a question has one end, and an ended task does not go on",
            |_, state: &M::State| state.ledger().twice.is_none() && !state.ledger().reopened,
            |_, state: &M::State| state.ledger().has_ended(),
            |_, state: &M::State| match state.ledger().twice {
                Some(key) => format!("{key} has had one end, and is given another"),
                None => "the task has ended, and is said to go on".to_owned(),
            },
        ),
        Property::no_deadlock(
            "deadlock",
            "the system rests only when nobody waits to be told",
            |_, state: &M::State| words(state),
        ),
        Property::leads_to(
            "L1",
            "every question comes to an end that the agent and the person are told",
            |_, state: &M::State| state.untold().is_some(),
            |_, state: &M::State| state.untold().is_none(),
            |_, state: &M::State| format!("for ever: {}", words(state)),
        ),
    ]
}

fn words(state: &impl Judged) -> String {
    state.untold().unwrap_or_else(|| "nobody waits".to_owned())
}
