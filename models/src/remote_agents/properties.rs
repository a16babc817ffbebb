//! What is promised of whoever hands tasks to remote agents, by one predicate for every system there is.
//!
//! Judged is what users and agents see: the [`Ledger`], and which containers run.

use downbeat_sim::model::{Model, Property};

use super::ledger::{AgentIndex, Known, Ledger, Stage, TaskIndex, task_name};

/// A state of a system with remote agents, as those see it who use it and those who pay for it.
pub trait Judged {
    /// What became of the tasks.
    fn ledger(&self) -> &Ledger;

    /// Whether a workspace has traces of a task.
    fn has_traces(&self) -> bool;

    /// Whether a user has tasks that count towards the quota.
    fn is_running(&self) -> bool;

    /// Whether an agent that was known is gone.
    fn has_gone(&self) -> bool;

    /// Whether a person has answered a question.
    fn has_answered(&self) -> bool {
        false
    }

    /// A task about which a person is asked, and no agent waits for the answer.
    fn orphan(&self) -> Option<TaskIndex> {
        None
    }

    /// Whether an agent could be given a task.
    fn has_idle(&self) -> bool;

    /// Whether an agent that lives has asked a person about a task, who has not answered.
    fn waits_for_a_person(&self, _task: TaskIndex) -> bool {
        false
    }

    /// A container that runs and that nobody knows of.
    fn stray(&self) -> Option<AgentIndex>;

    /// What does not come to its end, and why nobody will see to it, as a sentence.
    fn unsettled(&self) -> String;
}

/// An invariant that the ledger judges: its id, its statement, and where it is put to the test.
macro_rules! judged {
    ($id:literal, $name:literal, $reachable:expr) => {
        Property::always(
            $id,
            $name,
            |_, state: &M::State| state.ledger().breach_of($id).is_none(),
            |_, state: &M::State| {
                let reachable: fn(&M::State) -> bool = $reachable;
                reachable(state)
            },
            |_, state: &M::State| {
                state.ledger().breach_of($id).map_or_else(String::new, |breach| breach.to_string())
            },
        )
    };
}

/// The properties that every system has to keep.
pub fn of_pools<M: Model<State: Judged>>() -> Vec<Property<M>> {
    let mut properties = vec![
        judged!("S7", "terminal states absorb", |state| {
            state.ledger().any(|known| matches!(known.stage, Stage::Ended(_)))
        }),
        judged!("S18", "one accepted result for each request", |state| {
            state.ledger().any(|known| matches!(known.stage, Stage::Ended(_)))
        }),
        judged!(
            "S20",
            "one agent for each assignment, one task for each agent; no write under an old one",
            |state| { state.ledger().any(|known| known.given.is_some()) }
        ),
        judged!("S24", "an end is never contradicted", |state| state
            .ledger()
            .any(|known| known.told.is_some())),
    ];
    properties.extend(liveness());
    properties
}

/// That of systems in which an agent may be idle although a task waits: by mistake, or because its user has no room.
pub fn of_idle_agents<M: Model<State: Judged>>() -> Property<M> {
    Property::leads_to(
        "L4",
        "a task waits only while no agent is idle",
        |_, state: &M::State| waits_beside_idle(state),
        |_, state: &M::State| !waits_beside_idle(state),
        |_, state: &M::State| format!("for ever: {}", state.unsettled()),
    )
}

/// That of systems in which a user wants more than the quota allows.
pub fn of_quotas<M: Model<State: Judged>>() -> Property<M> {
    judged!("S22", "a quota is never exceeded", Judged::is_running)
}

/// That of systems with several tasks.
pub fn of_workspaces<M: Model<State: Judged>>() -> Property<M> {
    judged!("S23", "nothing of one task is visible to the next on the same agent", Judged::has_traces)
}

/// Those of systems in which somebody may cancel.
pub fn of_cancels<M: Model<State: Judged>>() -> Vec<Property<M>> {
    vec![
        judged!("S19", "nothing goes out after a cancel was taken", |state| {
            state.ledger().any(|known| known.is_cancelled)
        }),
        judged!("S21", "cancelled means never started after", |state| {
            state.ledger().any(|known| known.is_cancelled)
        }),
        Property::leads_to(
            "L2",
            "a cancel terminates",
            |_, state: &M::State| is_cancelling(state),
            |_, state: &M::State| !is_cancelling(state),
            |_, state: &M::State| format!("for ever: {}", state.unsettled()),
        ),
    ]
}

/// Those of systems in which agents ask.
pub fn of_questions<M: Model<State: Judged>>() -> Vec<Property<M>> {
    vec![
        judged!("S6", "an answer settles only the question that it names", Judged::has_answered),
        Property::leads_to(
            "orphan",
            "no question stays open for which nobody waits",
            |_, state: &M::State| state.orphan().is_some(),
            |_, state: &M::State| state.orphan().is_none(),
            |_, state: &M::State| {
                let task = state.orphan().map_or('?', task_name);
                format!("for ever: a person is asked about {task}, and no agent waits for the answer")
            },
        ),
    ]
}

/// That of systems with a queue that has an order.
pub fn of_queues<M: Model<State: Judged>>() -> Property<M> {
    judged!("overtaken", "a task is overtaken by no more later ones than it yields", |state| {
        state.ledger().any(|known| known.overtaken != 0)
    })
}

/// That of systems in which agents go.
pub fn of_fleets<M: Model<State: Judged>>() -> Property<M> {
    judged!("gone", "nothing is given to an agent that is gone", Judged::has_gone)
}

/// That of systems in which containers are ordered.
pub fn of_containers<M: Model<State: Judged>>() -> Property<M> {
    Property::leads_to(
        "leak",
        "a container that nobody knows of does not run for ever",
        |_, state: &M::State| state.stray().is_some(),
        |_, state: &M::State| state.stray().is_none(),
        |_, state: &M::State| {
            let stray = state.stray().map_or(0, |agent| agent + 1);
            format!("for ever: agent {stray} runs, and nobody knows of it")
        },
    )
}

fn is_cancelling(state: &impl Judged) -> bool {
    state.ledger().open().any(|task| state.ledger().task(task).is_cancelled)
}

fn waits_beside_idle(state: &impl Judged) -> bool {
    state.has_idle() && state.ledger().any(|known| known.stage == Stage::Waiting)
}

fn is_untold(known: Known) -> bool {
    matches!(known.stage, Stage::Ended(_)) && known.told.is_none()
}

/// Whether a task has not ended, and does not wait for a person.
fn is_under_way(state: &impl Judged) -> bool {
    state.ledger().open().any(|task| !state.waits_for_a_person(task))
}

fn liveness<M: Model<State: Judged>>() -> Vec<Property<M>> {
    vec![
        Property::leads_to(
            "recorded",
            "every end is told",
            |_, state: &M::State| state.ledger().any(is_untold),
            |_, state: &M::State| !state.ledger().any(is_untold),
            |_, state: &M::State| {
                let task = state.ledger().tasks().find(|(_, known)| is_untold(*known));
                let name = task.map_or('?', |(task, _)| task_name(task));
                format!("for ever: nobody is told how {name} ended")
            },
        ),
        Property::no_deadlock(
            "deadlock",
            "the system rests only when every task has ended, somebody knows, and no agent is held",
            |_, state: &M::State| state.unsettled(),
        ),
        Property::leads_to(
            "L1",
            "every task ends, or waits for a person",
            |_, state: &M::State| is_under_way(state),
            |_, state: &M::State| !is_under_way(state),
            |_, state: &M::State| format!("for ever: {}", state.unsettled()),
        ),
    ]
}
