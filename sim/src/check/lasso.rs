//! A shortest lasso: a way to where a fair behaviour can stay, and a fair loop there or rest.
//!
//! What is minimised is the number of steps from the initial state through the state where the obligation begins
//! and once round the loop. To find a shortest closed walk that serves many fair actions is a travelling
//! salesman's problem, so the exact search has a bound, and beyond it the loop is only short.

use std::collections::{HashMap, HashSet};

use foldhash::quality::FixedState;

use super::components::Membership;
use super::debts::{self, Debt, Ledger};
use super::graph::{Edge, Graph};
use super::limits::Limit;
use super::liveness::Pending;
use super::patience::Patience;
use super::tour;
use crate::model::Strength;

/// Steps that a search looks at before it gives up: well below a second and some 100 MB, and enough for a loop
/// through thousands of states that serves some ten fair actions.
pub(super) const EXACT_STEPS: usize = 1 << 21;

/// The fewest steps of a loop. One step that leads back to where it began changes nothing and is no edge.
const SHORTEST_LOOP: usize = 2;

/// A behaviour on which a goal never comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lasso {
    /// From the state where the obligation begins to the one where the loop begins, both included, by rank.
    pub(super) stem: Vec<u32>,
    /// The steps of the loop, the last one back to its beginning. Empty: nothing more happens.
    pub(super) cycle: Vec<Leg>,
    /// Whether there is none with fewer steps. Otherwise the search for one was given up.
    pub(super) is_shortest: bool,
}

/// A step of a loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leg {
    /// The rank of the state that it leads to.
    pub(super) target: u32,
    /// The fair actions that it takes. Another step to the same state may take others.
    pub(super) fair: Vec<usize>,
}

impl Leg {
    /// An edge as a step of a loop.
    pub(super) fn of(graph: &Graph, edge: Edge) -> Self {
        Leg { target: edge.target, fair: graph.fair(edge.class).to_vec() }
    }
}

/// A shortest lasso into the components in which a fair behaviour can stay, if there are any. Among equals, one
/// that comes to rest, then the one with the shortest stem, then the first in the order of the graph.
///
/// The search for it gives up after so many `steps`. Then the stem is a shortest one, and of the loops from there it
/// is a shortest one; if the search for that gives up too, one that always goes for what is nearest. If the way to
/// rest is shorter than that, it is that one. Ends when there is no more `patience`, with the limit that was reached.
pub(super) fn shortest(
    graph: &Graph,
    strengths: &[Strength],
    pending: &Pending,
    fair: &Membership,
    steps: usize,
    patience: &Patience<'_>,
) -> Result<Option<Lasso>, Limit> {
    let mut entries: Vec<u32> = fair.states().collect();
    entries.sort_unstable_by_key(|state| pending.order(*state));
    let Some(nearest) = entries.first().copied() else { return Ok(None) };
    let rest = entries.iter().copied().find(|state| graph.may_rest(*state));
    let most = rest.map_or(usize::MAX, |rest| pending.distance(rest));
    let search = |entries: &[u32]| match Search::new(graph, strengths, pending, fair, steps, patience)
        .shortest(entries, most)
    {
        Ok(round) => Ok(Some(round)),
        Err(End::OutOfSteps) => Ok(None),
        Err(End::Limit(limit)) => Err(limit),
    };
    let (round, is_shortest) = if let Some(round) = search(&entries)? {
        (round, true)
    } else if let Some(round) = search(&entries[..1])? {
        (round, false)
    } else {
        let cycle = tour::nearest_first(graph, strengths, fair, nearest, patience)?;
        ((pending.distance(nearest) + cycle.len() < most).then_some((nearest, cycle)), false)
    };
    let found = round.or(rest.map(|rest| (rest, Vec::new())));
    let (entry, cycle) = found.expect("where a fair behaviour can stay it goes round or comes to rest");
    Ok(Some(Lasso { stem: pending.way(entry), cycle, is_shortest }))
}

/// Why an exact search came to no result.
enum End {
    /// It has come to its bound.
    OutOfSteps,
    /// A limit was reached.
    Limit(Limit),
}

/// Breadth-first search for a closed walk that owes nothing, from several states of the fair components at once.
///
/// A walk joins the search when the search is as long as the way to its entry, so the first one that closes
/// makes a shortest lasso. Walks stay away from states that come before their entry, because from there the same
/// loop makes a lasso that is no longer.
struct Search<'a> {
    graph: &'a Graph,
    pending: &'a Pending,
    fair: &'a Membership,
    ledger: Ledger<'a>,
    debts: DebtSets,
    walks: Vec<Walk>,
    /// Entry, state and debts of each walk; another walk with the same ones is no shorter.
    seen: HashSet<(u32, u32, u32), FixedState>,
    /// Steps until the bound.
    left: usize,
    patience: &'a Patience<'a>,
    /// Room to work in.
    next: Vec<Debt>,
}

/// A walk within a component: its last step, and the walk that it continues.
#[derive(Clone, Copy)]
struct Walk {
    /// Where it began.
    entry: u32,
    /// Where it has come to.
    state: u32,
    /// What it owes, as a number of [`DebtSets`].
    debts: u32,
    /// The number of the walk that it continues; its own if it has no step.
    before: u32,
    /// The class of its last step.
    class: u32,
}

impl<'a> Search<'a> {
    fn new(
        graph: &'a Graph,
        strengths: &'a [Strength],
        pending: &'a Pending,
        fair: &'a Membership,
        steps: usize,
        patience: &'a Patience<'a>,
    ) -> Self {
        Self {
            graph,
            pending,
            fair,
            ledger: Ledger::new(graph, strengths),
            debts: DebtSets::default(),
            walks: Vec::new(),
            seen: HashSet::default(),
            left: steps,
            patience,
            next: Vec::new(),
        }
    }

    /// The entry and the loop of a shortest lasso that goes round, if there is one of fewer than `most` steps. The
    /// entries are in the order of [`Pending::order`].
    fn shortest(mut self, entries: &[u32], most: usize) -> Result<Option<(u32, Vec<Leg>)>, End> {
        let distance = |entry: &u32| self.pending.distance(*entry);
        let entries = &entries[..entries.partition_point(|entry| distance(entry) + SHORTEST_LOOP < most)];
        let Some(first) = entries.first() else { return Ok(None) };
        let (first, last) = (distance(first), distance(&entries[entries.len() - 1]));
        let mut entries = entries.iter().peekable();
        let mut expanded = 0;
        for length in first..most - 1 {
            while let Some(entry) = entries.next_if(|entry| self.pending.distance(**entry) == length) {
                self.enter(*entry)?;
            }
            let end = self.walks.len();
            for number in expanded..end {
                if let Some(closing) = self.extend(number)? {
                    return Ok(Some((closing.target, self.cycle(number, closing))));
                }
            }
            if self.walks.len() == end && length >= last {
                break;
            }
            expanded = end;
        }
        Ok(None)
    }

    /// A walk without a step.
    fn enter(&mut self, entry: u32) -> Result<(), End> {
        self.look()?;
        let debts = self.ledger.open(entry);
        let debts = self.debts.number(&debts);
        let before = number_of(self.walks.len());
        self.walks.push(Walk { entry, state: entry, debts, before, class: 0 });
        Ok(())
    }

    /// Continues a walk by each step that may follow, unless one of them closes it.
    fn extend(&mut self, number: usize) -> Result<Option<Edge>, End> {
        let graph = self.graph;
        let Walk { entry, state, debts, .. } = self.walks[number];
        for edge in graph.edges(state) {
            self.look()?;
            let is_before = self.pending.order(edge.target) < self.pending.order(entry);
            if is_before || !self.fair.together(state, edge.target) {
                continue;
            }
            self.next.clone_from(self.debts.get(debts));
            self.ledger.step(&mut self.next, edge);
            if edge.target == entry && !debts::owes(&self.next) {
                return Ok(Some(edge));
            }
            let debts = self.debts.number(&self.next);
            if self.seen.insert((entry, edge.target, debts)) {
                let before = number_of(number);
                self.walks.push(Walk { entry, state: edge.target, debts, before, class: edge.class });
            }
        }
        Ok(None)
    }

    fn look(&mut self) -> Result<(), End> {
        self.left = self.left.checked_sub(1).ok_or(End::OutOfSteps)?;
        self.patience.work_with(|| self.memory()).map_err(End::Limit)
    }

    /// Bytes in use, of which the ledger and the debts are few.
    fn memory(&self) -> u64 {
        let seen = self.seen.capacity() * size_of::<(u32, u32, u32)>();
        (self.walks.capacity() * size_of::<Walk>() + seen) as u64
    }

    /// The steps of a walk and the one that closes it.
    fn cycle(&self, number: usize, closing: Edge) -> Vec<Leg> {
        let mut cycle = vec![Leg::of(self.graph, closing)];
        let mut number = number;
        while self.walks[number].before as usize != number {
            let walk = self.walks[number];
            cycle.push(Leg::of(self.graph, Edge { target: walk.state, class: walk.class }));
            number = walk.before as usize;
        }
        cycle.reverse();
        cycle
    }
}

fn number_of(index: usize) -> u32 {
    u32::try_from(index).expect("there are no more walks than steps that were looked at")
}

/// The debts of walks, each once: of all that are possible, few occur.
#[derive(Default)]
struct DebtSets {
    sets: Vec<Vec<Debt>>,
    numbers: HashMap<Vec<Debt>, u32, FixedState>,
}

impl DebtSets {
    fn get(&self, number: u32) -> &Vec<Debt> {
        &self.sets[number as usize]
    }

    fn number(&mut self, debts: &[Debt]) -> u32 {
        if let Some(number) = self.numbers.get(debts) {
            return *number;
        }
        let number = number_of(self.sets.len());
        self.sets.push(debts.to_vec());
        self.numbers.insert(debts.to_vec(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::check::fairness::fair_components;
    use crate::check::liveness::Obligation;

    const STATES: u32 = 9;
    const ACTIONS: usize = 4;

    /// A lasso that the search finds within a number of steps, in a graph without a goal.
    fn found(graph: &Graph, strengths: &[Strength], steps: usize) -> Option<Lasso> {
        let begins = (0..graph.len()).map(|rank| rank == 0).collect();
        let obligation = Obligation { arises: true, begins, met: vec![false; graph.len()] };
        let patience = Patience::endless();
        let found = Pending::of(graph, &[0], &obligation, &patience).and_then(|pending| {
            let fair = fair_components(graph, strengths, pending.states().collect(), &patience)?;
            shortest(graph, strengths, &pending, &fair, steps, &patience)
        });
        found.expect("no limit is reached")
    }

    fn length(lasso: &Lasso) -> usize {
        lasso.stem.len() - 1 + lasso.cycle.len()
    }

    /// Whether a lasso is a fair behaviour from state 0 on.
    fn is_fair_behaviour(graph: &Graph, strengths: &[Strength], lasso: &Lasso) -> bool {
        let is_edge = |states: &[u32]| graph.edges(states[0]).any(|edge| edge.target == states[1]);
        let Some(entry) = lasso.stem.last().copied() else { return false };
        let round: Vec<u32> =
            std::iter::once(entry).chain(lasso.cycle.iter().map(|leg| leg.target)).collect();
        let legs_exist = round
            .iter()
            .zip(&lasso.cycle)
            .all(|(before, leg)| graph.edges(*before).any(|edge| Leg::of(graph, edge) == *leg));
        let taken: BTreeSet<usize> = lasso.cycle.iter().flat_map(|leg| leg.fair.iter().copied()).collect();
        let is_ignored = |fair: usize, strength: &Strength| match strength {
            Strength::Weak => round.iter().all(|state| graph.enabled(*state, fair)),
            Strength::Strong => round.iter().any(|state| graph.enabled(*state, fair)),
        };
        let mut actions = strengths.iter().enumerate();
        lasso.stem[0] == 0
            && lasso.stem.windows(2).all(is_edge)
            && legs_exist
            && round.last() == Some(&entry)
            && actions.all(|(fair, strength)| taken.contains(&fair) || !is_ignored(fair, strength))
    }

    fn graphs() -> impl Strategy<Value = (Graph, Vec<Strength>)> {
        let fair = prop::collection::btree_set(0..ACTIONS, 0..3);
        let edge = (0..STATES, 1..STATES, fair).prop_map(|(from, by, fair)| {
            (from, (from + by) % STATES, fair.into_iter().collect::<Vec<usize>>())
        });
        let strength = prop_oneof![Just(Strength::Weak), Just(Strength::Strong)];
        (prop::collection::vec(edge, 1..24), prop::collection::vec(strength, ACTIONS)).prop_map(
            |(edges, strengths)| {
                let edges: Vec<(u32, u32, &[usize])> =
                    edges.iter().map(|(from, to, fair)| (*from, *to, fair.as_slice())).collect();
                (Graph::of_edges(STATES, &edges), strengths)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, rng_seed: RngSeed::Fixed(0x1a55_0000), ..ProptestConfig::default() })]

        #[test]
        fn lassos_within_any_bound_are_fair_and_none_is_shorter_than_the_exact_one((graph, strengths) in graphs()) {
            let exact = found(&graph, &strengths, EXACT_STEPS);
            for steps in [0, 1, 5, 25] {
                let bounded = found(&graph, &strengths, steps);
                prop_assert_eq!(bounded.is_some(), exact.is_some());
                if let (Some(bounded), Some(exact)) = (&bounded, &exact) {
                    prop_assert!(is_fair_behaviour(&graph, &strengths, bounded), "{:?}", bounded);
                    prop_assert!(exact.is_shortest);
                    let is_short = length(exact) == length(bounded) || !bounded.is_shortest && length(exact) < length(bounded);
                    prop_assert!(is_short, "{:?} {:?}", exact, bounded);
                }
            }
        }
    }

    #[test]
    fn limit_ends_a_loop_that_goes_for_what_is_nearest() {
        let graph = Graph::of_ring(100_000);
        let begins = (0..graph.len()).map(|rank| rank == 0).collect();
        let obligation = Obligation { arises: true, begins, met: vec![false; graph.len()] };
        let (all, looks) = (Patience::endless(), Cell::new(0));
        let parts = Pending::of(&graph, &[0], &obligation, &all).and_then(|pending| {
            let fair = fair_components(&graph, &[Strength::Weak], pending.states().collect(), &all)?;
            Ok((pending, fair))
        });
        let (pending, fair) = parts.expect("no limit is reached");
        // The exact searches end at their first step, at which the limits are looked at.
        let reached = |_| {
            looks.set(looks.get() + 1);
            (looks.get() == 4).then_some(Limit::Interrupt)
        };
        let lasso = shortest(&graph, &[Strength::Weak], &pending, &fair, 1, &Patience::until(&reached));
        let steps = lasso.map(|lasso| lasso.map(|lasso| length(&lasso)));
        assert_eq!((steps, looks.get()), (Err(Limit::Interrupt), 4));
    }

    #[test]
    fn limit_on_memory_counts_the_walks() {
        let most = 100_000;
        let end = |states: u32| {
            let graph = Graph::of_ring(states);
            let begins = (0..states).map(|state| state == 0).collect();
            let obligation = Obligation { arises: true, begins, met: vec![false; graph.len()] };
            let reached = |bytes| (bytes > most).then_some(Limit::Memory(most));
            let patience = Patience::until(&reached);
            let pending = Pending::of(&graph, &[0], &obligation, &patience)?;
            let fair = fair_components(&graph, &[Strength::Weak], pending.states().collect(), &patience)?;
            shortest(&graph, &[Strength::Weak], &pending, &fair, EXACT_STEPS, &patience)
        };
        // From each state a walk begins, and goes on to where the first one began.
        assert_eq!(end(1 << 6).map(|lasso| lasso.map(|lasso| length(&lasso))), Ok(Some(1 << 6)));
        assert_eq!(end(1 << 10), Err(Limit::Memory(most)));
    }

    #[test]
    fn lassos_get_longer_as_the_bound_gets_smaller() {
        // The nearest step that takes the action is that to 1, and the way back from there is long; by 6 it is
        // shorter, and by way of 4 there is a loop that does not come back to 0.
        let edges: &[(u32, u32, &[usize])] = &[
            (0, 1, &[0]),
            (1, 2, &[0]),
            (2, 3, &[0]),
            (3, 5, &[0]),
            (5, 0, &[0]),
            (0, 4, &[]),
            (4, 6, &[]),
            (6, 7, &[0]),
            (7, 0, &[0]),
            (4, 8, &[0]),
            (8, 4, &[0]),
        ];
        let graph = Graph::of_edges(9, edges);
        let legs = |legs: &[(u32, &[usize])]| -> Vec<Leg> {
            legs.iter().map(|(target, fair)| Leg { target: *target, fair: fair.to_vec() }).collect()
        };
        let nearest_first = legs(&[(1, &[0]), (2, &[0]), (3, &[0]), (5, &[0]), (0, &[0])]);
        let from_nearest = legs(&[(4, &[]), (6, &[]), (7, &[0]), (0, &[0])]);
        let shortest = legs(&[(8, &[0]), (4, &[0])]);
        #[rustfmt::skip]
        let cases = [
            ("no search ends",                       0,           false, vec![0],    nearest_first.clone()),
            ("no search ends, at the last step",     10,          false, vec![0],    nearest_first),
            ("the search from the nearest ends",     14,          false, vec![0],    from_nearest),
            ("the search ends",                      EXACT_STEPS, true,  vec![0, 4], shortest),
        ];
        for (name, steps, is_shortest, stem, cycle) in cases {
            let lasso = found(&graph, &[Strength::Weak], steps);
            assert_eq!(lasso, Some(Lasso { stem, cycle, is_shortest }), "{name}");
        }
    }
}
