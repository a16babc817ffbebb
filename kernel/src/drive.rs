//! One event through one statig hierarchy whose state lives outside.
//!
//! statig's own wrappers hold the state, run entry actions when they are built, and drop an event that no state
//! handles. Here the state is plain data, and an event that reaches the top is a refusal that the caller sees.

use statig::Outcome;
use statig::blocking::{IntoStateMachine, State, StateExt, Superstate};

/// Handles `event` in `state`. Returns false if no state of the hierarchy has an edge for it.
pub(crate) fn drive<M>(
    machine: &mut M,
    state: &mut M::State,
    event: &M::Event<'_>,
    context: &mut M::Context<'_>,
) -> bool
where
    M: IntoStateMachine,
    M::State: State<M>,
    for<'s> M::Superstate<'s>: Superstate<M>,
{
    match StateExt::handle(state, machine, event, context) {
        Outcome::Super => false,
        Outcome::Handled => true,
        Outcome::Transition(mut next) => {
            let (up, down) = state.transition_path(&mut next);
            state.exit(machine, context, up);
            *state = next;
            state.enter(machine, context, down);
            true
        }
    }
}
