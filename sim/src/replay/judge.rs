//! Whether one behaviour violates one property: the definition, without a search.

use super::{Gone, Misfit, Walk, steps_from};
use crate::model::{Check, Fairness, Model, OnState, Property, Strength};
use crate::report::Kind;

/// That `walk`, going round from the state after `lasso_start` steps if there is one, violates the property in its end.
pub(super) fn judge<M: Model>(
    model: &M,
    property: &Property<M>,
    walk: &Walk<'_, M>,
    lasso_start: Option<usize>,
) -> Result<(), Misfit> {
    let id = property.id;
    let gone = |why| Misfit::Gone { id, why };
    let kind = Kind::from(&property.check);
    match (&property.check, lasso_start) {
        (Check::Always { holds, .. }, None) => {
            let breaks = |state: &M::State| !holds(model, state);
            at_the_end(id, walk.states.iter().position(breaks), walk.steps.len())
        }
        (Check::AlwaysStep { holds, .. }, None) => {
            let steps = walk.states.windows(2).zip(&walk.actions);
            let mut broken = steps.map(|(states, action)| !holds(model, &states[0], action, &states[1]));
            let first = broken.position(|broken| broken);
            at_the_end(id, first.map(|index| index + 1), walk.steps.len())
        }
        (Check::NoDeadlock, None) => still(model, walk).map_err(gone),
        (Check::LeadsTo { from, to }, Some(start)) => {
            closes(walk, start)?;
            pending(model, Some(*from), *to, walk, start)
                .and_then(|()| goes_on(model, walk, start))
                .map_err(gone)
        }
        (Check::Eventually(goal), Some(start)) => {
            closes(walk, start)?;
            pending(model, None, *goal, walk, start).and_then(|()| goes_on(model, walk, start)).map_err(gone)
        }
        (Check::Sometimes(_), _)
        | (Check::Always { .. } | Check::AlwaysStep { .. } | Check::NoDeadlock, Some(_))
        | (Check::LeadsTo { .. } | Check::Eventually(_), None) => Err(Misfit::OtherKind { id, kind }),
    }
}

fn at_the_end(id: &'static str, violated_after: Option<usize>, of: usize) -> Result<(), Misfit> {
    match violated_after {
        Some(steps) if steps == of => Ok(()),
        Some(steps) => Err(Misfit::Earlier { id, steps, of }),
        None => Err(Misfit::Gone { id, why: Gone::Kept }),
    }
}

/// That the last state is a deadlock.
fn still<M: Model>(model: &M, walk: &Walk<'_, M>) -> Result<(), Gone> {
    let last = walk.last();
    if let Some((action, _)) = steps_from(model, last).into_iter().find(|(_, after)| after != last) {
        return Err(Gone::GoesOn { action: format!("{action:?}") });
    }
    if model.is_final(last) { Err(Gone::Rests) } else { Ok(()) }
}

/// That an obligation begins on the way and is never met; without `from`, in the first state.
fn pending<M: Model>(
    model: &M,
    from: Option<OnState<M>>,
    goal: OnState<M>,
    walk: &Walk<'_, M>,
    start: usize,
) -> Result<(), Gone> {
    let last_met = walk.states.iter().rposition(|state| goal(model, state));
    let due = match from {
        Some(from) => walk.states.iter().rposition(|state| from(model, state)),
        None => Some(0),
    };
    match (due, last_met) {
        (None, _) => Err(Gone::NothingDue),
        // What is met in the loop is met again after whatever begins there.
        (Some(due), Some(met)) if met >= due || met >= start => Err(Gone::Met { steps: met }),
        (Some(_), Some(_) | None) => Ok(()),
    }
}

/// That the loop ends where it begins.
fn closes<M: Model>(walk: &Walk<'_, M>, start: usize) -> Result<(), Misfit> {
    let is_closed = walk.states.get(start) == walk.states.last();
    if is_closed { Ok(()) } else { Err(Misfit::Open { loop_start: start + 1, of: walk.steps.len() }) }
}

/// That a fair behaviour may go round in the loop, or rest where it is empty.
fn goes_on<M: Model>(model: &M, walk: &Walk<'_, M>, start: usize) -> Result<(), Gone> {
    let unfair = model.fairness().into_iter().find(|fairness| !is_fair(model, walk, start, fairness));
    unfair.map_or(Ok(()), |Fairness { name, strength, .. }| Err(Gone::Unfair { name, strength }))
}

/// Whether the loop does not ignore a fair action. Steps that change nothing neither enable it nor take it.
fn is_fair<M: Model>(model: &M, walk: &Walk<'_, M>, start: usize, fairness: &Fairness<M>) -> bool {
    let states = &walk.states[start..];
    let mut steps = states.windows(2).zip(&walk.actions[start..]);
    if steps.any(|(states, action)| states[0] != states[1] && (fairness.includes)(action)) {
        return true;
    }
    let is_enabled = |state: &M::State| {
        steps_from(model, state).iter().any(|(action, after)| after != state && (fairness.includes)(action))
    };
    match fairness.strength {
        Strength::Weak => !states.iter().all(is_enabled),
        Strength::Strong => !states.iter().any(is_enabled),
    }
}
