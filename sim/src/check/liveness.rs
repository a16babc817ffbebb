//! Liveness: a search for behaviours on which the goal never comes, although they are fair.
//!
//! Such a behaviour stays, from some state with the obligation on, in the states where the goal does not hold,
//! and in the end for ever in one strongly connected component of them. Under weak fairness the component
//! decides it: the behaviour that goes round all of it is the fairest that there is.

use super::components::Components;
use super::graph::Graph;
use super::lasso::{self, Lasso};
use crate::model::{Check, Model, Strength};

/// Further from an initial state than any state.
const UNREACHED: u32 = u32::MAX;

/// What was decided about one liveness property.
pub(super) enum Outcome {
    Holds,
    Vacuous,
    Violated(Lasso),
}

/// Whether a property needs the graph.
pub(super) fn is_liveness<M: Model>(check: &Check<M>) -> bool {
    match check {
        Check::LeadsTo { .. } | Check::Eventually(_) => true,
        Check::Always { .. } | Check::AlwaysStep { .. } | Check::Sometimes(_) | Check::NoDeadlock => false,
    }
}

/// Decides a liveness property on the graph of a complete search, in which the levels begin at these ranks.
pub(super) fn decide(
    graph: &Graph,
    strengths: &[Strength],
    levels: &[usize],
    obligation: &Obligation,
) -> Outcome {
    if !obligation.arises {
        return Outcome::Vacuous;
    }
    let pending = Pending::of(obligation, graph, levels);
    let lasso = fair_component(&pending, graph, strengths.len())
        .map(|(components, component)| lasso::in_component(graph, &components, component, &pending));
    lasso.map_or(Outcome::Holds, Outcome::Violated)
}

/// Where a property obliges, and where that is met, by rank.
#[derive(Debug, Default)]
pub(super) struct Obligation {
    /// Whether the property obliges in any state, be it one where the goal holds.
    pub(super) arises: bool,
    /// Whether the property obliges in the state and the goal does not hold there.
    pub(super) begins: Vec<bool>,
    /// Whether the goal holds.
    pub(super) met: Vec<bool>,
}

/// The states in which an obligation may be pending, and a shortest way to each of them.
pub(super) struct Pending {
    /// Steps from an initial state by way of one where the obligation begins.
    distance: Vec<u32>,
    /// The state before, within the pending ones; the state itself where the obligation begins.
    before: Vec<u32>,
}

impl Pending {
    /// Breadth-first search from all states where the obligation begins, each at its own depth.
    fn of(obligation: &Obligation, graph: &Graph, levels: &[usize]) -> Self {
        let mut pending =
            Pending { distance: vec![UNREACHED; graph.len()], before: vec![UNREACHED; graph.len()] };
        let ends = levels.iter().skip(1).copied().chain([graph.len()]);
        let mut levels = levels.iter().copied().zip(ends).map(|(begin, end)| begin..end);
        let mut current: Vec<u32> = Vec::new();
        for distance in 0_u32.. {
            let level = levels.next();
            for rank in level.clone().into_iter().flatten().filter(|rank| obligation.begins[*rank]) {
                let state =
                    u32::try_from(rank).expect("a graph has no more states than its places have numbers");
                if pending.reach(state, state, distance) {
                    current.push(state);
                }
            }
            if current.is_empty() && level.is_none() {
                break;
            }
            let mut next = Vec::new();
            for state in current {
                for edge in graph.edges(state).filter(|edge| !obligation.met[edge.target as usize]) {
                    if pending.reach(edge.target, state, distance + 1) {
                        next.push(edge.target);
                    }
                }
            }
            current = next;
        }
        pending
    }

    fn reach(&mut self, state: u32, before: u32, distance: u32) -> bool {
        let new = self.distance[state as usize] == UNREACHED;
        if new {
            self.distance[state as usize] = distance;
            self.before[state as usize] = before;
        }
        new
    }

    /// Whether the obligation may be pending in a state.
    pub(super) fn contains(&self, state: u32) -> bool {
        self.distance[state as usize] != UNREACHED
    }

    /// Steps on the shortest way to a state with the obligation pending.
    pub(super) fn distance(&self, state: u32) -> u32 {
        self.distance[state as usize]
    }

    /// The shortest way from where the obligation begins to a state, both included.
    pub(super) fn way(&self, state: u32) -> Vec<u32> {
        let mut way = vec![state];
        let mut state = state;
        while self.before[state as usize] != state {
            state = self.before[state as usize];
            way.push(state);
        }
        way.reverse();
        way
    }
}

/// The component in which the obligation may stay pending for ever and to which the way is shortest. Among
/// equals, one where everything may come to rest at once, then the smallest, then the first.
fn fair_component(pending: &Pending, graph: &Graph, fair_actions: usize) -> Option<(Components, u32)> {
    let components = Components::of(graph, |state| pending.contains(state));
    let best = components
        .iter()
        .filter(|(component, states)| is_fair(graph, &components, *component, states, fair_actions))
        .filter_map(|(component, states)| {
            let entry = states.iter().copied().min_by_key(|state| (pending.distance(*state), *state))?;
            let key = (pending.distance(entry), !graph.may_rest(entry), states.len(), entry);
            Some((key, component))
        })
        .min()
        .map(|(_, component)| component)?;
    Some((components, best))
}

/// Whether a fair behaviour can stay in a component: each fair action is disabled in some state of it, or some
/// step within it takes the action.
fn is_fair(
    graph: &Graph,
    components: &Components,
    component: u32,
    states: &[u32],
    fair_actions: usize,
) -> bool {
    let mut enabled_in = vec![0_usize; fair_actions];
    let mut taken = vec![false; fair_actions];
    let mut last_seen_in = vec![None; fair_actions];
    for state in states {
        for edge in graph.edges(*state) {
            for fair in graph.fair(edge.class) {
                if last_seen_in[*fair] != Some(*state) {
                    last_seen_in[*fair] = Some(*state);
                    enabled_in[*fair] += 1;
                }
                taken[*fair] |= components.contains(component, edge.target);
            }
        }
    }
    enabled_in.iter().zip(taken).all(|(enabled_in, taken)| taken || *enabled_in < states.len())
}
