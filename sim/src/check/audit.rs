//! A look at the model before and during a search: does it answer twice alike, and is its encoding sound?
//!
//! What the checker concludes rests on it that a model depends on nothing but its arguments, and that equal
//! states have one key and different ones two. Neither can be proven from outside. The first states of every
//! search are compared two by two. When they are expanded they are looked at again, and of the others each one whose
//! rank is a multiple of [`SPOT`], or all.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::CheckError;
use super::encoding::{Encoding, Kept};
use super::explore::Plan;
use super::panics::caught;
use crate::model::Model;

/// An action, and the state that it leads to.
type Step<M> = (<M as Model>::Action, <M as Model>::State);

/// States that are compared with each other before the search: the square of it must stay cheap.
const SAMPLE: usize = 200;
/// Of so many states one is looked at.
const SPOT: usize = 1024;

/// Which states are looked at when they are expanded, and how many were.
pub(super) struct Audit {
    all: bool,
    audited: AtomicUsize,
}

impl Audit {
    /// An audit of all states, or of the sample.
    pub(super) fn new(all: bool) -> Self {
        Self { all, audited: AtomicUsize::new(0) }
    }

    /// Whether the state of this rank is one to look at.
    #[inline]
    pub(super) fn is_due(&self, rank: usize) -> bool {
        self.all || rank < SAMPLE || rank.is_multiple_of(SPOT)
    }

    /// How many of so many first states are to be looked at.
    pub(super) fn due_among(&self, states: usize) -> usize {
        let spots = states.saturating_sub(1) / SPOT;
        if self.all { states } else { states.min(SAMPLE) + spots }
    }

    /// How many were looked at since the search began or went on.
    pub(super) fn audited(&self) -> usize {
        self.audited.load(Ordering::Relaxed)
    }

    /// What a checkpoint says about it: one of a sample is not gone on with as if it were one of all.
    pub(super) fn name(&self) -> &'static str {
        if self.all { "an audit of every state" } else { "an audit of some states" }
    }
}

/// Looks at the first states of a model.
pub(super) fn first_states<M: Model, E: Encoding<M>>(plan: &Plan<'_, M>) -> Result<(), CheckError> {
    let model = plan.model;
    plan.reduced.audit_initial(model)?;
    let mut states: Vec<M::State> = Vec::new();
    for state in model.initial().into_iter().take(SAMPLE) {
        add::<M, E>(plan.kept, &mut states, state, "the beginning")?;
    }
    let mut next = 0;
    while next < states.len() {
        // Where the model panics, the search will come to the same state and say how.
        let Ok(steps) = caught(|| look::<M, E>(plan, &states[next])) else { return Ok(()) };
        for (action, after) in steps? {
            if states.len() < SAMPLE {
                add::<M, E>(plan.kept, &mut states, after, &format!("{action:?}"))?;
            }
        }
        next += 1;
    }
    Ok(())
}

/// Looks at a state that is being expanded.
pub(super) fn one_state<M: Model, E: Encoding<M>>(
    plan: &Plan<'_, M>,
    state: &M::State,
) -> Result<(), CheckError> {
    plan.audit.audited.fetch_add(1, Ordering::Relaxed);
    look::<M, E>(plan, state).map(drop)
}

/// Looks at one state and returns its steps.
fn look<M: Model, E: Encoding<M>>(plan: &Plan<'_, M>, state: &M::State) -> Result<Vec<Step<M>>, CheckError> {
    let steps = twice::<M, E>(plan, state)?;
    plan.reduced.audit(plan.model, state)?;
    Ok(steps)
}

/// The steps from a state, taken twice and once more one by one.
fn twice<M: Model, E: Encoding<M>>(plan: &Plan<'_, M>, state: &M::State) -> Result<Vec<Step<M>>, CheckError> {
    let (model, kept) = (plan.model, plan.kept);
    let steps = || {
        let mut steps: Vec<(M::Action, M::State)> = Vec::new();
        model.steps(state, &mut Vec::new(), |action, next| steps.push((action.clone(), next)));
        steps
    };
    let first = steps();
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    let one_by_one = actions.into_iter().filter_map(|action| Some((model.next(state, &action)?, action)));
    for again in [steps(), one_by_one.map(|(next, action)| (action, next)).collect()] {
        let difference = first.iter().zip(&again).find(|(one, other)| one != other).map(|(one, _)| one);
        let missing = first.get(again.len()).or(again.get(first.len()));
        if let Some((action, _)) = difference.or(missing) {
            return Err(CheckError::NotDeterministic { action: format!("{action:?}") });
        }
        for ((action, one), (_, other)) in first.iter().zip(&again) {
            if !is_had_back::<M, E>(kept, one)? {
                return Err(CheckError::NotHadBack { action: format!("{action:?}") });
            }
            if key::<M, E>(kept, one)? != key::<M, E>(kept, other)? {
                return Err(CheckError::HashDisagreesWithEq { action: format!("{action:?}") });
            }
        }
    }
    for (place, (action, _)) in first.iter().enumerate().take(SAMPLE) {
        if first[..place].iter().any(|(other, _)| other == action) {
            return Err(CheckError::SameActionTwice { action: format!("{action:?}") });
        }
    }
    Ok(first)
}

/// Compares a state with those that are known and adds it if it is new.
fn add<M: Model, E: Encoding<M>>(
    kept: Kept,
    states: &mut Vec<M::State>,
    state: M::State,
    action: &str,
) -> Result<(), CheckError> {
    let this = key::<M, E>(kept, &state)?;
    let mut is_new = true;
    for other in states.iter() {
        let is_equal = *other == state;
        match (is_equal, key::<M, E>(kept, other)? == this) {
            (true, true) => is_new = false,
            (true, false) => return Err(CheckError::HashDisagreesWithEq { action: action.to_owned() }),
            (false, true) if kept.is_by_key() => {
                return Err(CheckError::HashLeavesOut { action: action.to_owned() });
            }
            (false, _) => {}
        }
    }
    if !is_had_back::<M, E>(kept, &state)? {
        return Err(CheckError::NotHadBack { action: action.to_owned() });
    }
    if is_new {
        states.push(state);
    }
    Ok(())
}

fn key<M: Model, E: Encoding<M>>(kept: Kept, state: &M::State) -> Result<E::Key, CheckError> {
    E::encode(kept, state.clone()).map(|(key, _)| key).map_err(|error| *error)
}

/// Whether the encoding of a state is that of no other.
fn is_had_back<M: Model, E: Encoding<M>>(kept: Kept, state: &M::State) -> Result<bool, CheckError> {
    let (key, body) = E::encode(kept, state.clone()).map_err(|error| *error)?;
    Ok(*E::decode(key, &body) == *state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_of_states_to_look_at_is_that_of_those_that_are_due() {
        for (all, states) in [(false, 5_000), (true, 50)] {
            let audit = Audit::new(all);
            for first in 0..=states {
                let due = (0..first).filter(|rank| audit.is_due(*rank)).count();
                assert_eq!(audit.due_among(first), due, "{first} states, all: {all}");
            }
        }
    }
}
