//! One event through one statig hierarchy whose state lives outside.
//!
//! statig's own wrappers hold the state, run entry actions when they are built, and drop an event that no state
//! handles. Here the state is plain data, and an event that reaches the top is a refusal that the caller sees.
//!
//! A transition runs the entry action of the leaf that it leads to, and nothing else. No superstate has actions, so that nobody
//! has to look for the common ancestor of two leaves, which was up to half of what such a step cost.

use statig::Outcome;
use statig::blocking::{IntoStateMachine, State, StateExt, Superstate};

/// Handles `event` in `state`. Returns false if no state of the hierarchy has an edge for it.
#[inline]
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
        Outcome::Transition(next) => {
            *state = next;
            state.call_entry_action(machine, context);
            true
        }
    }
}
