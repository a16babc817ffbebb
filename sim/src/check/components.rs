//! Strongly connected components of parts of the graph, by Tarjan's algorithm without recursion.
//!
//! A part may be decomposed and what remains of a component decomposed again. The marks, as many as states,
//! are made once; a decomposition touches only those of its own part.

use super::graph::Graph;
use super::limits::Limit;
use super::patience::Patience;

/// Not visited, or in no component. More than any rank.
const NONE: u32 = u32::MAX;
/// In the part that is being decomposed, and in no component yet. More than any rank.
const OPEN: u32 = u32::MAX - 1;

/// Which component each state of a graph is in, as far as it was decomposed.
#[derive(Debug)]
pub(super) struct Decomposition<'a> {
    graph: &'a Graph,
    marks: Vec<Mark>,
}

/// What is known of a state. In one place, because a step into a large graph is a miss of the cache.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// A state of its component that stands for it, or `OPEN`, or `NONE`.
    component: u32,
    /// When it was first visited in its decomposition.
    number: u32,
    /// The least number that is known to be reachable within the component.
    low: u32,
}

/// The components of one part.
#[derive(Debug, Default)]
pub(super) struct Components {
    /// The states, component by component.
    states: Vec<u32>,
    /// Where each component begins in `states`.
    begins: Vec<usize>,
}

/// The component of each state, after the last decomposition.
#[derive(Debug)]
pub(super) struct Membership(Vec<u32>);

impl<'a> Decomposition<'a> {
    /// No state is in a component yet.
    pub(super) fn new(graph: &'a Graph) -> Self {
        let mark = Mark { component: NONE, number: NONE, low: NONE };
        Self { graph, marks: vec![mark; graph.len()] }
    }

    /// The components of the subgraph of these states, each listed once.
    pub(super) fn decompose(&mut self, part: &[u32], patience: &Patience<'_>) -> Result<Components, Limit> {
        for state in part {
            self.marks[*state as usize] = Mark { component: OPEN, number: NONE, low: NONE };
        }
        let mut search =
            Search { decomposition: self, next_number: 0, open: Vec::new(), found: Components::default() };
        for root in part {
            if search.decomposition.marks[*root as usize].number == NONE {
                search.from(*root, patience)?;
            }
        }
        Ok(search.found)
    }

    /// Takes states out of their components.
    pub(super) fn leave(&mut self, states: &[u32]) {
        for state in states {
            self.marks[*state as usize].component = NONE;
        }
    }

    /// Whether two states, the first of which is in a component, are in the same one.
    pub(super) fn together(&self, state: u32, other: u32) -> bool {
        self.marks[state as usize].component == self.marks[other as usize].component
    }

    /// What was decomposed, without what it took.
    pub(super) fn into_membership(self) -> Membership {
        Membership(self.marks.into_iter().map(|mark| mark.component).collect())
    }
}

impl Components {
    /// The states of each component.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        let ends = self.begins.iter().skip(1).copied().chain([self.states.len()]);
        self.begins.iter().zip(ends).map(|(begin, end)| &self.states[*begin..end])
    }
}

impl Membership {
    /// The states that are in a component, ascending.
    pub(super) fn states(&self) -> impl Iterator<Item = u32> {
        (0_u32..).zip(&self.0).filter(|(_, component)| **component != NONE).map(|(state, _)| state)
    }

    /// Whether two states, the first of which is in a component, are in the same one.
    pub(super) fn together(&self, state: u32, other: u32) -> bool {
        self.0[state as usize] == self.0[other as usize]
    }
}

struct Search<'s, 'a> {
    decomposition: &'s mut Decomposition<'a>,
    next_number: u32,
    /// Visited states whose component is not complete.
    open: Vec<u32>,
    found: Components,
}

impl Search<'_, '_> {
    fn from(&mut self, root: u32, patience: &Patience<'_>) -> Result<(), Limit> {
        let graph = self.decomposition.graph;
        self.visit(root);
        // Each entry: a state on the current path, and the position of its next edge.
        let mut path = vec![(root, graph.positions(root).start)];
        while let Some((state, position)) = path.last_mut() {
            patience.work()?;
            let state = *state;
            if *position < graph.positions(state).end {
                let target = graph.edge(*position).target;
                *position += 1;
                let Mark { component, number, .. } = self.decomposition.marks[target as usize];
                if component != OPEN {
                    continue;
                }
                if number == NONE {
                    self.visit(target);
                    path.push((target, graph.positions(target).start));
                } else {
                    self.lower(state, number);
                }
            } else {
                path.pop();
                let Mark { number, low, .. } = self.decomposition.marks[state as usize];
                if let Some((before, _)) = path.last() {
                    self.lower(*before, low);
                }
                if low == number {
                    self.close(state);
                }
            }
        }
        Ok(())
    }

    fn visit(&mut self, state: u32) {
        let number = self.next_number;
        self.decomposition.marks[state as usize] = Mark { component: OPEN, number, low: number };
        self.next_number += 1;
        self.open.push(state);
    }

    fn lower(&mut self, state: u32, number: u32) {
        let low = &mut self.decomposition.marks[state as usize].low;
        *low = number.min(*low);
    }

    /// The states visited since `first` are a component.
    fn close(&mut self, first: u32) {
        self.found.begins.push(self.found.states.len());
        while let Some(state) = self.open.pop() {
            self.decomposition.marks[state as usize].component = first;
            self.found.states.push(state);
            if state == first {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(components: &Components) -> Vec<Vec<u32>> {
        let mut all: Vec<Vec<u32>> = components.iter().map(<[u32]>::to_vec).collect();
        for states in &mut all {
            states.sort_unstable();
        }
        all.sort();
        all
    }

    fn decomposed(decomposition: &mut Decomposition<'_>, part: &[u32]) -> Components {
        decomposition.decompose(part, &Patience::endless()).expect("no limit is reached")
    }

    #[test]
    fn components_of_two_cycles_joined_one_way() {
        let edges: &[(u32, u32, &[usize])] =
            &[(0, 1, &[]), (1, 2, &[]), (2, 0, &[]), (2, 3, &[]), (3, 4, &[]), (4, 3, &[]), (4, 5, &[])];
        let graph = Graph::of_edges(6, edges);
        let components = |part: &[u32]| sorted(&decomposed(&mut Decomposition::new(&graph), part));
        assert_eq!(components(&[0, 1, 2, 3, 4, 5]), [vec![0, 1, 2], vec![3, 4], vec![5]]);
        assert_eq!(components(&[0, 2, 3, 4, 5]), [vec![0], vec![2], vec![3, 4], vec![5]]);
        assert_eq!(components(&[]), Vec::<Vec<u32>>::new());
    }

    #[test]
    fn component_is_decomposed_again_and_the_others_stay() {
        let edges: &[(u32, u32, &[usize])] =
            &[(0, 1, &[]), (1, 0, &[]), (1, 2, &[]), (2, 1, &[]), (2, 3, &[]), (3, 4, &[]), (4, 3, &[])];
        let graph = Graph::of_edges(5, edges);
        let mut decomposition = Decomposition::new(&graph);
        assert_eq!(sorted(&decomposed(&mut decomposition, &[0, 1, 2, 3, 4])), [vec![0, 1, 2], vec![3, 4]]);
        decomposition.leave(&[0, 1, 2]);
        assert_eq!(sorted(&decomposed(&mut decomposition, &[0, 2])), [vec![0], vec![2]]);
        let membership = decomposition.into_membership();
        assert_eq!(membership.states().collect::<Vec<_>>(), [0, 2, 3, 4]);
        assert!(membership.together(3, 4));
        assert!(!membership.together(0, 2));
    }

    #[test]
    fn components_of_a_long_path_need_no_stack() {
        let graph = Graph::of_path(200_000);
        let all: Vec<u32> = (0..200_000).collect();
        assert_eq!(decomposed(&mut Decomposition::new(&graph), &all).iter().count(), 200_000);
    }
}
