//! A machine beside its twin: both meet the same events in the same situations, and the first difference is told.

use crate::config::Config;
use crate::vocabulary::Outcome;
use std::fmt::Debug;
use std::format;
use std::string::String;
use std::vec::Vec;

/// What comes of an event: the next situation with the effects in their order, or why it was not applied.
pub(super) type Said<S, F, R> = Result<(S, Vec<F>), Outcome<R>>;

/// What a machine makes of an event, from its own step.
pub(super) fn taken<S: Clone + PartialEq, F, R>(
    at: &S,
    step: impl FnOnce(&mut S, &mut dyn FnMut(F)) -> Outcome<R>,
) -> Said<S, F, R> {
    let (mut next, mut effects) = (at.clone(), Vec::new());
    match step(&mut next, &mut |effect| effects.push(effect)) {
        Outcome::Applied => Ok((next, effects)),
        // S25 in the shape of a difference: what was refused left a trace.
        _ if next != *at || !effects.is_empty() => Ok((next, effects)),
        refused @ (Outcome::Ignored(_) | Outcome::Rejected(_)) => Err(refused),
    }
}

/// What a restart repeats, from a machine's own `resync`.
pub(super) fn repeated<F>(resync: impl FnOnce(&mut dyn FnMut(F))) -> Vec<F> {
    let mut effects = Vec::new();
    resync(&mut |effect| effects.push(effect));
    effects
}

/// A side of a comparison: the machine or its twin.
pub(super) struct Side<S, E, F, R> {
    /// What it makes of an event.
    pub(super) takes: fn(&S, E, &Config) -> Said<S, F, R>,
    /// What it repeats at a restart.
    pub(super) repeats: fn(&S, &Config) -> Vec<F>,
}

/// Compares a machine with its twin in these situations, until the first difference. Gives how many pairs there were.
pub(super) fn compare<S, E, F, R>(
    situations: impl IntoIterator<Item = S>,
    events: fn(&S) -> Vec<E>,
    config: &Config,
    [machine, twin]: [Side<S, E, F, R>; 2],
) -> Result<usize, String>
where
    S: Debug + PartialEq,
    E: Debug + Copy,
    F: Debug + PartialEq,
    R: Debug + PartialEq,
{
    let mut pairs = 0;
    for at in situations {
        let (is, ought) = ((machine.repeats)(&at, config), (twin.repeats)(&at, config));
        if is != ought {
            return Err(format!("resync of {at:?}\n  machine: {is:?}\n  twin:    {ought:?}"));
        }
        for event in events(&at) {
            pairs += 1;
            let (is, ought) = ((machine.takes)(&at, event, config), (twin.takes)(&at, event, config));
            if is != ought {
                return Err(format!("{event:?} in {at:?}\n  machine: {is:?}\n  twin:    {ought:?}"));
            }
        }
    }
    Ok(pairs)
}
