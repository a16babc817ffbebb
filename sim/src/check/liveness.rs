//! Liveness: a search for behaviours on which the goal never comes, although they are fair.
//!
//! Such a behaviour stays, from some state with the obligation on, in the states where the goal does not hold,
//! and in the end for ever in a strongly connected set of them that fairness allows (`fairness`). If there is
//! one, a shortest such behaviour is the counterexample (`lasso`).

use super::fairness;
use super::graph::Graph;
use super::lasso::{self, Lasso};
use super::limits::Limit;
use super::patience::Patience;
use crate::model::{Check, Model, Strength};
use crate::report::Kind;

/// Further from an initial state than any state.
const UNREACHED: u32 = u32::MAX;

/// Bytes for each state that a decision takes beside the graph, at most: the pending states and the ways to them, and what
/// the search for components keeps.
pub(super) const BYTES_A_STATE: u64 = 50;

/// What was decided about one liveness property.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Holds,
    Vacuous,
    Violated(Lasso),
}

/// Where a property obliges, and where that is met, by rank.
#[derive(Clone, Debug, Default)]
pub(super) struct Obligation {
    /// Whether the property obliges in any state, be it one where the goal holds.
    pub(super) arises: bool,
    /// Whether the property obliges in the state and the goal does not hold there.
    pub(super) begins: Vec<bool>,
    /// Whether the goal holds.
    pub(super) met: Vec<bool>,
}

impl Obligation {
    /// Bytes in use.
    pub(super) fn memory(&self) -> u64 {
        (self.begins.capacity() + self.met.capacity()) as u64
    }
}

/// Decides one liveness property on a complete graph. A function of its arguments, without the model.
///
/// `strengths` has the strength of each fair action, by the index that the graph has for it; `levels` the rank at
/// which each level of the breadth-first search begins, from the initial states on. Ends when there is no more `patience`, with
/// the limit that was reached.
pub(super) fn decide(
    graph: &Graph,
    strengths: &[Strength],
    levels: &[usize],
    obligation: &Obligation,
    patience: &Patience<'_>,
) -> Result<Outcome, Limit> {
    patience.work()?;
    if !obligation.arises {
        return Ok(Outcome::Vacuous);
    }
    let pending = Pending::of(graph, levels, obligation, patience)?;
    let fair = fairness::fair_components(graph, strengths, pending.states().collect(), patience)?;
    let lasso = lasso::shortest(graph, strengths, &pending, &fair, lasso::EXACT_STEPS, patience)?;
    Ok(lasso.map_or(Outcome::Holds, Outcome::Violated))
}

/// Whether a property needs the graph.
pub(super) fn is_liveness<M: Model>(check: &Check<M>) -> bool {
    Kind::from(check).is_liveness()
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
    pub(super) fn of(
        graph: &Graph,
        levels: &[usize],
        obligation: &Obligation,
        patience: &Patience<'_>,
    ) -> Result<Self, Limit> {
        let mut pending =
            Pending { distance: vec![UNREACHED; graph.len()], before: vec![UNREACHED; graph.len()] };
        let mut current: Vec<u32> = Vec::new();
        for distance in 0_u32.. {
            let depth = distance as usize;
            if current.is_empty() && depth >= levels.len() {
                break;
            }
            let first = |level: usize| levels.get(level).copied().unwrap_or(graph.len());
            for rank in (first(depth)..first(depth + 1)).filter(|rank| obligation.begins[*rank]) {
                let state =
                    u32::try_from(rank).expect("a graph has no more states than its places have numbers");
                if pending.reach(state, state, distance) {
                    current.push(state);
                }
            }
            let mut next = Vec::new();
            for state in current {
                patience.work()?;
                for edge in graph.edges(state).filter(|edge| !obligation.met[edge.target as usize]) {
                    if pending.reach(edge.target, state, distance + 1) {
                        next.push(edge.target);
                    }
                }
            }
            current = next;
        }
        Ok(pending)
    }

    fn reach(&mut self, state: u32, before: u32, distance: u32) -> bool {
        let new = self.distance[state as usize] == UNREACHED;
        if new {
            self.distance[state as usize] = distance;
            self.before[state as usize] = before;
        }
        new
    }

    /// The states, ascending.
    pub(super) fn states(&self) -> impl Iterator<Item = u32> {
        (0_u32..).zip(&self.distance).filter(|(_, distance)| **distance != UNREACHED).map(|(state, _)| state)
    }

    /// Steps on the shortest way to a state with the obligation pending.
    pub(super) fn distance(&self, state: u32) -> usize {
        self.distance[state as usize] as usize
    }

    /// What the states are compared by: the nearest first, then in the order of the graph.
    pub(super) fn order(&self, state: u32) -> (u32, u32) {
        (self.distance[state as usize], state)
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// So many looks at the limits come in one search through all states of the ring.
    const LOOKS: u32 = 10;
    const STATES: u32 = LOOKS << 14;

    /// What comes of the search for a behaviour that goes round a large ring, and how often it looked at the
    /// limits, one of which is reached at the look with this number.
    fn decided(most: u32) -> (Result<usize, Limit>, u32) {
        let graph = Graph::of_ring(STATES);
        let begins = (0..STATES).map(|state| state == 0).collect();
        let obligation = Obligation { arises: true, begins, met: vec![false; graph.len()] };
        let levels: Vec<usize> = (0..graph.len()).collect();
        let looks = Cell::new(0);
        let reached = |_| {
            looks.set(looks.get() + 1);
            (looks.get() == most).then_some(Limit::Interrupt)
        };
        let outcome = decide(&graph, &[Strength::Weak], &levels, &obligation, &Patience::until(&reached));
        let steps = outcome.map(|outcome| match outcome {
            Outcome::Violated(lasso) => lasso.cycle.len(),
            Outcome::Holds | Outcome::Vacuous => 0,
        });
        (steps, looks.get())
    }

    #[test]
    fn limits_end_every_part_of_the_work() {
        // Two million steps of the search for a shortest lasso, and one more round for that from the nearest state.
        let lassos = (1 << 21 >> 14) + LOOKS;
        let all = LOOKS + 2 * LOOKS + lassos + 1;
        #[rustfmt::skip]
        let cases = [
            ("before anything",                       1),
            ("where the obligation is pending",       LOOKS),
            ("components",                            3 * LOOKS),
            ("the first search for a lasso",          3 * LOOKS + 100),
            ("the search from the nearest state",     all),
        ];
        for (name, most) in cases {
            assert_eq!(decided(most), (Err(Limit::Interrupt), most), "{name}");
        }
        assert_eq!(decided(all + 1), (Ok(STATES as usize), all), "no limit is reached");
    }
}
