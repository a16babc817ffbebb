//! A lasso in a component: the way to it, and a loop in it that is fair.

use std::collections::{BTreeSet, VecDeque};

use super::components::Components;
use super::graph::{Edge, Graph};
use super::liveness::Pending;

/// A behaviour on which a goal never comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lasso {
    /// From the state where the obligation begins to the one where the loop begins, both included, by rank.
    pub(super) stem: Vec<u32>,
    /// The steps of the loop, the last one back to its beginning. Empty: nothing more happens.
    pub(super) cycle: Vec<Leg>,
}

/// A step of a loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leg {
    /// The rank of the state that it leads to.
    pub(super) target: u32,
    /// The fair actions that it takes. Another step to the same state may take others.
    pub(super) fair: Vec<usize>,
}

/// A lasso into a component in which a fair behaviour can stay. The stem is a shortest one to the component,
/// unless to come to rest in it makes the whole shorter than to go round in it.
pub(super) fn in_component(
    graph: &Graph,
    components: &Components,
    component: u32,
    pending: &Pending,
) -> Lasso {
    let states = components.sorted(component);
    let nearest = |states: &mut dyn Iterator<Item = u32>| states.min_by_key(|state| pending.distance(*state));
    let entry = nearest(&mut states.iter().copied()).expect("a component has a state");
    let rest = nearest(&mut states.iter().copied().filter(|state| graph.may_rest(*state)));
    let round = || Tour { graph, states: &states, previous: vec![None; states.len()] }.around(entry);
    match rest {
        Some(rest) if rest == entry || states.len() == 1 => {
            Lasso { stem: pending.way(rest), cycle: Vec::new() }
        }
        Some(rest) => {
            let cycle = round();
            let length = pending.distance(entry) as usize + cycle.len();
            if pending.distance(rest) as usize <= length {
                Lasso { stem: pending.way(rest), cycle: Vec::new() }
            } else {
                Lasso { stem: pending.way(entry), cycle }
            }
        }
        None => Lasso { stem: pending.way(entry), cycle: round() },
    }
}

/// A walk within one component.
struct Tour<'a> {
    graph: &'a Graph,
    /// The states of the component, ascending.
    states: &'a [u32],
    /// The step by which each state was reached in the current search, by position in `states`.
    previous: Vec<Option<(u32, Edge)>>,
}

impl Tour<'_> {
    /// A closed walk from `entry` that meets what each fair action needs, always going for what is nearest.
    fn around(mut self, entry: u32) -> Vec<Leg> {
        let fair_actions = self.states.iter().flat_map(|state| self.graph.edges(*state));
        let mut wanted: BTreeSet<usize> =
            fair_actions.flat_map(|edge| self.graph.fair(edge.class).iter().copied()).collect();
        wanted.retain(|fair| self.graph.enabled(entry, *fair));
        let mut walk: Vec<Leg> = Vec::new();
        let mut here = entry;
        while !wanted.is_empty() {
            let graph = self.graph;
            let meets = |edge: Edge| {
                let taken = |fair: &usize| graph.fair(edge.class).contains(fair);
                wanted.iter().any(|fair| taken(fair) || !graph.enabled(edge.target, *fair))
            };
            let path = self.shortest(here, meets);
            for edge in path {
                wanted.retain(|fair| {
                    !graph.fair(edge.class).contains(fair) && graph.enabled(edge.target, *fair)
                });
                walk.push(self.leg(edge));
                here = edge.target;
            }
        }
        if here != entry || walk.is_empty() {
            let back = self.shortest(here, |edge| edge.target == entry);
            walk.extend(back.into_iter().map(|edge| self.leg(edge)));
        }
        walk
    }

    fn leg(&self, edge: Edge) -> Leg {
        Leg { target: edge.target, fair: self.graph.fair(edge.class).to_vec() }
    }

    /// The shortest walk within the component from `here` whose last step is one for which `done` is true.
    fn shortest(&mut self, here: u32, done: impl Fn(Edge) -> bool) -> Vec<Edge> {
        self.previous.fill(None);
        let mut queue = VecDeque::from([here]);
        while let Some(state) = queue.pop_front() {
            for edge in self.graph.edges(state) {
                let Ok(place) = self.states.binary_search(&edge.target) else { continue };
                if done(edge) {
                    return self.walk_to(here, state, edge);
                }
                if edge.target != here && self.previous[place].is_none() {
                    self.previous[place] = Some((state, edge));
                    queue.push_back(edge.target);
                }
            }
        }
        unreachable!("a component is strongly connected and, being fair, has what each fair action needs")
    }

    fn walk_to(&self, here: u32, state: u32, last: Edge) -> Vec<Edge> {
        let mut walk = vec![last];
        let mut state = state;
        while state != here {
            let place = self.states.binary_search(&state).ok().and_then(|place| self.previous[place]);
            let (before, edge) = place.expect("the search came to this state by a step");
            walk.push(edge);
            state = before;
        }
        walk.reverse();
        walk
    }
}
