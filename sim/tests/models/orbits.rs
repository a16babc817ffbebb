//! Breadth-first search, once over all states and once over representatives, for comparison.

use std::collections::{BTreeSet, HashSet};

use downbeat_sim::model::Model;
use downbeat_sim::symmetry::Symmetry;

/// The symmetry that a model of these tests declares.
pub(crate) fn symmetry<M: Model>(model: &M) -> Symmetry<M> {
    model.symmetry().expect("the model declares its ids")
}

/// Every reachable state after `canonical`, with the index of the one from which it was found first.
pub(crate) fn search<M: Model>(
    model: &M,
    canonical: impl Fn(M::State) -> M::State,
) -> Vec<(M::State, Option<usize>)> {
    let mut found = Vec::new();
    let mut known = HashSet::new();
    let mut reach = |state: M::State, from, found: &mut Vec<_>| {
        if known.insert(state.clone()) {
            found.push((state, from));
        }
    };
    for state in model.initial() {
        reach(canonical(state), None, &mut found);
    }
    let mut next = 0;
    while let Some((state, _)) = found.get(next) {
        let mut after = Vec::new();
        model.steps(state, &mut Vec::new(), |_, state| after.push(state));
        for state in after {
            reach(canonical(state), Some(next), &mut found);
        }
        next += 1;
    }
    found
}

/// The states of the quotient, each with the one from which it was found first.
pub(crate) fn quotient<M: Model>(model: &M) -> Vec<(M::State, Option<usize>)> {
    let symmetry = symmetry(model);
    search(model, |state| symmetry.representative(&state))
}

/// The least state that any renaming makes of `state`.
pub(crate) fn least<M: Model<State: Ord>>(symmetry: &Symmetry<M>, state: &M::State) -> M::State {
    let renamed = (0..symmetry.renamings()).map(|number| symmetry.renamed(state, number));
    renamed.min().expect("there is a renaming that changes nothing")
}

/// The number of orbits of the reachable states.
pub(crate) fn orbits<M: Model<State: Ord>>(model: &M) -> usize {
    let symmetry = symmetry(model);
    let least = search(model, |state| state).into_iter().map(|(state, _)| least(&symmetry, &state));
    least.collect::<BTreeSet<_>>().len()
}

/// The way to a state of a search, from the beginning.
pub(crate) fn way<S: Clone>(found: &[(S, Option<usize>)], to: usize) -> Vec<S> {
    let back = std::iter::successors(Some(to), |index| found[*index].1);
    let mut way: Vec<S> = back.map(|index| found[index].0.clone()).collect();
    way.reverse();
    way
}
