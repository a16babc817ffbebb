//! The checker against a slow one that works by fixpoints and by trying all subsets of states.

#[path = "models/graph.rs"]
mod graph;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use downbeat_sim::check::{Checker, Limits};
use downbeat_sim::replay::{Replayed, replay};
use downbeat_sim::report::{Counterexample, Report, Verdict};
use graph::{Edge, Graph, contains};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Few enough that all subsets of them can be tried.
const STATES: u8 = 7;
/// More steps than any shortest path has.
const FAR: usize = 1_000;

/// What can be said about a graph by brute force.
struct Reference<'a> {
    graph: &'a Graph,
    /// Steps from the initial states, or `FAR`.
    distance: Vec<usize>,
}

impl<'a> Reference<'a> {
    fn of(graph: &'a Graph) -> Self {
        let start = |state: u8| if graph.initial.contains(&state) { 0 } else { FAR };
        let distance = Self::relax(graph, (0..STATES).map(start).collect(), |_| true);
        Self { graph, distance }
    }

    /// Shortest distances by the edges to states that may be entered, given those at the start.
    fn relax(graph: &Graph, mut distance: Vec<usize>, may_enter: impl Fn(u8) -> bool) -> Vec<usize> {
        for _ in 0..STATES {
            for edge in graph.edges.iter().filter(|edge| may_enter(edge.to)) {
                let through = distance[usize::from(edge.from)] + 1;
                let known = &mut distance[usize::from(edge.to)];
                *known = through.min(*known);
            }
        }
        distance.into_iter().map(|distance| distance.min(FAR)).collect()
    }

    fn at(&self, state: u8) -> usize {
        self.distance[usize::from(state)]
    }

    fn is_reachable(&self, state: u8) -> bool {
        self.at(state) < FAR
    }

    fn reachable(&self) -> impl Iterator<Item = u8> {
        (0..STATES).filter(|state| self.is_reachable(*state))
    }

    fn nearest(&self, wanted: impl Fn(u8) -> bool) -> Option<usize> {
        self.reachable().filter(|state| wanted(*state)).map(|state| self.at(state)).min()
    }

    fn edges_from(&self, state: u8) -> impl Iterator<Item = &Edge> {
        self.graph.edges.iter().filter(move |edge| edge.from == state)
    }

    /// The verdict about a property of safety and the length of a shortest counterexample.
    fn safety(&self, id: &str) -> (Verdict, Option<usize>) {
        let graph = self.graph;
        let reached_edge = |edge: &&Edge| self.is_reachable(edge.from);
        let (violation, reached) = match id {
            "always" => (
                self.nearest(|state| contains(graph.bad, state)),
                self.nearest(|state| contains(graph.antecedent, state)).is_some(),
            ),
            "step" => (
                graph
                    .edges
                    .iter()
                    .filter(reached_edge)
                    .filter(|edge| edge.bad)
                    .map(|edge| self.at(edge.from) + 1)
                    .min(),
                graph.edges.iter().filter(reached_edge).any(|edge| contains(graph.antecedent, edge.from)),
            ),
            "deadlock" => {
                let stands = |state| self.edges_from(state).all(|edge| edge.to == state);
                (self.nearest(|state| stands(state) && !contains(graph.final_states, state)), true)
            }
            _ => unreachable!("{id} is no property of safety"),
        };
        match (violation, reached) {
            (Some(length), _) => (Verdict::Violated, Some(length)),
            (None, true) => (Verdict::Holds, None),
            (None, false) => (Verdict::Vacuous, None),
        }
    }

    /// The verdict about a liveness property, by all sets of states in which a behaviour can stay.
    fn liveness(&self, from: u32) -> Verdict {
        if self.reachable().all(|state| !contains(from, state)) {
            return Verdict::Vacuous;
        }
        let pending = self.pending(from);
        let pending_states = (0..STATES).filter(|state| pending[usize::from(*state)] < FAR);
        let pending_set = pending_states.fold(0_u32, |set, state| set | 1 << state);
        let mut sets = (1..1_u32 << STATES).filter(|set| set & !pending_set == 0 && self.is_connected(*set));
        let within =
            |set: u32| self.changes().filter(move |edge| contains(set, edge.from) && contains(set, edge.to));
        let is_violated =
            sets.any(|set| self.is_fair(set, within(set).fold(0, |taken, edge| taken | edge.fair)));
        if is_violated { Verdict::Violated } else { Verdict::Holds }
    }

    /// Steps to each state with an obligation pending that begins in `from`, or `FAR`.
    fn pending(&self, from: u32) -> Vec<usize> {
        let goal = self.graph.goal;
        let begins =
            |state| if contains(from, state) && !contains(goal, state) { self.at(state) } else { FAR };
        Self::relax(self.graph, (0..STATES).map(begins).collect(), |state| !contains(goal, state))
    }

    /// Of all lassos that violate a liveness property the least: its steps, whether it goes round, its stem.
    fn lasso(&self, from: u32) -> Option<(usize, bool, usize)> {
        let pending = self.pending(from);
        let stems = (0_u8..).zip(pending).filter(|(_, stem)| *stem < FAR);
        stems.filter_map(|(entry, stem)| self.round(entry).map(|round| (stem + round, round > 0, stem))).min()
    }

    /// The steps of the shortest fair loop from a state, by all histories of visited states and taken actions.
    fn round(&self, entry: u8) -> Option<usize> {
        let mut seen = BTreeSet::from([(entry, 1_u32 << entry, 0_u32)]);
        let mut current: Vec<_> = seen.iter().copied().collect();
        for steps in 0.. {
            let is_closed = |(here, visited, taken): &(u8, u32, u32)| {
                *here == entry && self.is_fair(*visited, *taken) && (steps > 0 || *taken == 0)
            };
            if current.is_empty() || current.iter().any(is_closed) {
                return (!current.is_empty()).then_some(steps);
            }
            let ahead = |(here, visited, taken): (u8, u32, u32)| {
                let edges = self.changes().filter(move |edge| edge.from == here);
                let edges = edges.filter(|edge| !contains(self.graph.goal, edge.to));
                edges.map(move |edge| (edge.to, visited | 1 << edge.to, taken | edge.fair))
            };
            current = current.into_iter().flat_map(ahead).filter(|history| seen.insert(*history)).collect();
        }
        None
    }

    /// The steps that change something.
    fn changes(&self) -> impl Iterator<Item = &Edge> {
        self.graph.edges.iter().filter(|edge| edge.from != edge.to)
    }

    /// Whether each state of a set can be reached from each other one within the set.
    fn is_connected(&self, set: u32) -> bool {
        let members = || (0..STATES).filter(|state| contains(set, *state));
        members().all(|from| {
            let mut seen = 1_u32 << from;
            for _ in 0..STATES {
                for edge in &self.graph.edges {
                    if contains(seen, edge.from) && contains(set, edge.to) {
                        seen |= 1 << edge.to;
                    }
                }
            }
            members().all(|to| contains(seen, to))
        })
    }

    /// Whether a behaviour is fair that visits these states and takes these fair actions again and again.
    fn is_fair(&self, visited: u32, taken: u32) -> bool {
        let enables =
            |state: u8, fair: u8| self.changes().any(|edge| edge.from == state && contains(edge.fair, fair));
        (0..self.graph.fair_actions).all(|fair| {
            let mut states = (0..STATES).filter(|state| contains(visited, *state));
            let is_ignored = if contains(self.graph.strong, fair) {
                states.any(|state| enables(state, fair))
            } else {
                states.all(|state| enables(state, fair))
            };
            contains(taken, fair) || !is_ignored
        })
    }

    /// Whether a counterexample is a fair behaviour on which the goal never comes after the obligation.
    fn is_lasso(&self, counterexample: &Counterexample, from: u32) -> bool {
        let first: u8 = counterexample.opening.parse().expect("the opening is the initial state");
        let edges: Vec<Edge> = counterexample
            .steps
            .iter()
            .map(|step| self.graph.edges[step.action.parse::<usize>().expect("an action is a number")])
            .collect();
        let mut states = vec![first];
        states.extend(edges.iter().map(|edge| edge.to));
        let is_path = self.graph.initial.contains(&first)
            && edges.iter().zip(&states).all(|(edge, before)| edge.from == *before);
        let start = counterexample.lasso_start.expect("liveness is violated by lassos");
        let is_round = states[start] == *states.last().expect("there is a first state");
        let never = |index: usize| states[index..].iter().all(|state| !contains(self.graph.goal, *state));
        let is_pending = (0..=start).any(|index| contains(from, states[index]) && never(index));
        let visited = states[start..].iter().fold(0, |set, state| set | 1 << state);
        let taken = edges[start..].iter().filter(|edge| edge.from != edge.to);
        let is_fair = self.is_fair(visited, taken.fold(0, |set, edge| set | edge.fair));
        is_path && is_round && is_pending && is_fair
    }
}

fn check(graph: &Graph, threads: usize) -> Report {
    let threads = NonZeroUsize::new(threads).expect("at least one thread");
    let mut report = Checker::new(graph).threads(threads).check().expect("the graph is sound");
    report.elapsed = Duration::ZERO;
    report
}

fn graphs() -> impl Strategy<Value = Graph> {
    // A step of no fair action, of one, or of several.
    let fair = prop_oneof![Just(0), (0..3_u32).prop_map(|fair| 1 << fair), 0..1_u32 << 3];
    let edge = (0..STATES, 0..STATES, fair, prop::bool::weighted(0.15))
        .prop_map(|(from, to, fair, bad)| Edge { from, to, fair, bad });
    let sparse = 0..1_u32 << STATES;
    (
        prop::collection::vec(0..STATES, 1..3),
        prop::collection::vec(edge, 0..16),
        (0..=3_u8, 0..1_u32 << 3),
        (sparse.clone(), sparse.clone()).prop_map(|(one, other)| one & other),
        (sparse.clone(), sparse.clone(), sparse.clone(), sparse),
    )
        .prop_map(
            |(initial, edges, (fair_actions, strong), bad, (antecedent, from, goal, final_states))| Graph {
                initial,
                edges,
                fair_actions,
                strong,
                bad,
                antecedent,
                from,
                goal,
                final_states,
            },
        )
}

/// Graphs where few states let a behaviour rest: most have a fair step, and few are goals.
fn restless_graphs() -> impl Strategy<Value = Graph> {
    let fair = prop_oneof![1 => Just(0), 8 => (0..3_u32).prop_map(|fair| 1 << fair), 8 => 1..1_u32 << 3];
    let step =
        |from, fair| (from, 1..STATES, fair).prop_map(|(from, by, fair)| (from, (from + by) % STATES, fair));
    let edges = (
        (0..STATES).map(|from| step(Just(from).boxed(), fair.clone().boxed())).collect::<Vec<_>>(),
        prop::collection::vec(step((0..STATES).boxed(), prop_oneof![Just(0), fair].boxed()), 0..12),
    );
    let goal = prop_oneof![Just(0), (0..STATES).prop_map(|state| 1 << state), 0..1_u32 << STATES];
    (edges, 0..1_u32 << 3, 0..1_u32 << STATES, goal).prop_map(|((first, more), strong, from, goal)| {
        let edge = |(from, to, fair)| Edge { from, to, fair, bad: false };
        let edges = first.into_iter().chain(more).map(edge).collect();
        Graph { initial: vec![0], edges, fair_actions: 3, strong, from, goal, ..Graph::default() }
    })
}

/// Compares the verdict, the least lasso, and whether what is shown is one.
fn agrees_on_liveness(graph: &Graph, report: &Report) -> Result<(), TestCaseError> {
    let reference = Reference::of(graph);
    let initial = graph.initial.iter().fold(0, |set, state| set | 1 << state);
    for (id, from) in [("leads-to", graph.from), ("eventually", initial)] {
        let property = report.property(id).expect("the graph has it");
        prop_assert_eq!(property.verdict, reference.liveness(from), "{}", id);
        let counterexample = property.counterexample.as_ref();
        let least = counterexample.map(|counterexample| {
            let start = counterexample.lasso_start.expect("liveness is violated by lassos");
            (counterexample.steps.len(), !counterexample.ends_in_stutter(), start)
        });
        prop_assert_eq!(least, reference.lasso(from), "{}", id);
        let is_lasso = counterexample.is_none_or(|found| reference.is_lasso(found, from));
        prop_assert!(is_lasso, "{}: {:?}", id, counterexample);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, rng_seed: RngSeed::Fixed(0x0d0b_ea75), ..ProptestConfig::default() })]

    #[test]
    fn checker_agrees_with_brute_force(graph in graphs()) {
        let reference = Reference::of(&graph);
        let report = check(&graph, 1);
        prop_assert_eq!(report.distinct, reference.reachable().count());
        prop_assert_eq!(report.depth, reference.reachable().map(|state| reference.at(state)).max().unwrap_or(0));
        let steps: usize = reference.reachable().map(|state| reference.edges_from(state).count()).sum();
        prop_assert_eq!(report.generated, (graph.initial.len() + steps) as u64);

        for id in ["always", "step", "deadlock"] {
            let property = report.property(id).expect("the graph has it");
            let length = property.counterexample.as_ref().map(|counterexample| counterexample.steps.len());
            prop_assert_eq!((property.verdict, length), reference.safety(id), "{}", id);
        }
        let some_bad = reference.nearest(|state| contains(graph.bad, state)).is_some();
        let sometimes = report.property("sometimes").expect("the graph has it").verdict;
        prop_assert_eq!(sometimes, if some_bad { Verdict::Holds } else { Verdict::Violated });

        for property in &report.properties {
            let Some(found) = &property.counterexample else { continue };
            let again = Replayed { counterexample: found.clone(), reworded: Vec::new() };
            prop_assert_eq!(replay(&graph, property.id, found), Ok(again), "{}", property.id);
        }
        agrees_on_liveness(&graph, &report)?;
        prop_assert_eq!(&report, &check(&graph, 3));
    }

    #[test]
    fn checker_agrees_with_brute_force_on_loops(graph in restless_graphs()) {
        agrees_on_liveness(&graph, &check(&graph, 1))?;
    }
}

/// A graph large enough that threads share the work: each of its states has three successors, given by a seed.
struct Large {
    seed: u64,
    states: u64,
}

impl Large {
    fn successor(&self, state: u64, action: u64) -> u64 {
        // The finalizer of splitmix64: any good mixing does.
        let mut mixed = self.seed ^ (state * 3 + action).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % self.states
    }

    /// States by level, as a textbook finds them.
    fn levels(&self) -> Vec<Vec<u64>> {
        let mut seen = BTreeSet::from([0]);
        let mut levels = vec![vec![0]];
        loop {
            let last = levels.last().expect("there is a first level");
            let next: Vec<u64> = last
                .iter()
                .flat_map(|state| (0..3).map(|action| self.successor(*state, action)))
                .filter(|state| seen.insert(*state))
                .collect();
            if next.is_empty() {
                return levels;
            }
            levels.push(next);
        }
    }
}

impl downbeat_sim::model::Model for Large {
    type State = u64;
    type Action = u64;

    fn initial(&self) -> Vec<u64> {
        vec![0]
    }

    fn actions(&self, _: &u64, actions: &mut Vec<u64>) {
        actions.extend([0, 1, 2]);
    }

    fn next(&self, state: &u64, action: &u64) -> Option<u64> {
        Some(self.successor(*state, *action))
    }

    fn properties(&self) -> Vec<downbeat_sim::model::Property<Self>> {
        use downbeat_sim::model::Property;
        vec![
            Property::<Self>::always(
                "S1",
                "some numbers never come",
                |_, state| state % 1_009 != 17,
                |_, _| true,
                |_, state| format!("{state} came"),
            ),
            Property::<Self>::always_step(
                "S2",
                "some steps are never taken",
                |_, before, _, after| (before ^ after) % 2_003 != 5,
                |_, _, _, _| true,
                |_, state| format!("{state} came"),
            ),
            Property::<Self>::leads_to(
                "L1",
                "a multiple of 7 follows each multiple of 1,000",
                |_, state| state % 1_000 == 1,
                |_, state| state % 7 == 0,
                |_, state| format!("{state} came"),
            ),
        ]
    }

    fn fairness(&self) -> Vec<downbeat_sim::model::Fairness<Self>> {
        let fair = |number: u64| {
            downbeat_sim::model::Fairness::weak(format!("action {number}"), move |action: &u64| {
                *action == number
            })
        };
        vec![fair(0), fair(1)]
    }

    fn is_final(&self, _: &u64) -> bool {
        true
    }

    fn lanes(&self) -> Vec<String> {
        vec!["numbers".into()]
    }

    fn tell(&self, before: &u64, _: &u64, after: &u64) -> downbeat_sim::model::Told {
        downbeat_sim::model::Told::new(0, 0, format!("{before} to {after}"))
    }
}

#[test]
fn large_graphs_are_the_same_on_any_number_of_threads() {
    for seed in 0..6 {
        let model = Large { seed, states: 40_000 };
        let levels = model.levels();
        for limits in [
            Limits::default(),
            Limits { states: Some(10_000), ..Limits::default() },
            Limits { depth: Some(9), ..Limits::default() },
        ] {
            let [one, two, three] = [1, 2, 3].map(|threads| {
                let threads = NonZeroUsize::new(threads).expect("at least one thread");
                let checker = Checker::new(&model).limits(limits).threads(threads);
                let mut report = checker.check().expect("the model is sound");
                report.elapsed = Duration::ZERO;
                report
            });
            assert_eq!(one, two, "seed={seed:#x} {limits:?}");
            assert_eq!(one, three, "seed={seed:#x} {limits:?}");
            if limits == Limits::default() {
                assert_eq!(one.distinct, levels.iter().map(Vec::len).sum::<usize>(), "seed={seed:#x}");
                assert_eq!(one.depth, levels.len() - 1, "seed={seed:#x}");
                let nearest = levels.iter().position(|level| level.iter().any(|state| state % 1_009 == 17));
                let length = |id| Some(one.property(id)?.counterexample.as_ref()?.steps.len());
                assert_eq!(length("S1"), nearest, "seed={seed:#x}");
                // The first state in the order of discovery, not any state of its level.
                let first = nearest.and_then(|level| levels[level].iter().find(|state| *state % 1_009 == 17));
                let told = &one
                    .property("S1")
                    .and_then(|property| property.counterexample.as_ref())
                    .map(|found| found.explanation.clone());
                assert_eq!(*told, first.map(|state| format!("{state} came")), "seed={seed:#x}");
            }
        }
    }
}
