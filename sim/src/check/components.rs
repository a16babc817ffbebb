//! Strongly connected components of a part of the graph, by Tarjan's algorithm without recursion.

use super::graph::Graph;

/// Not a component, not a number.
const NONE: u32 = u32::MAX;

/// The components of a part of a graph.
#[derive(Debug)]
pub(super) struct Components {
    /// The component of each state, or `NONE` outside the part.
    of_state: Vec<u32>,
    /// The states, component by component.
    states: Vec<u32>,
    /// Where each component begins in `states`.
    begins: Vec<usize>,
}

impl Components {
    /// The components of the subgraph of the states for which `inside` is true.
    pub(super) fn of(graph: &Graph, inside: impl Fn(u32) -> bool) -> Self {
        let mut search = Search {
            graph,
            number: vec![NONE; graph.len()],
            low: vec![NONE; graph.len()],
            next_number: 0,
            open: Vec::new(),
            found: Components { of_state: vec![NONE; graph.len()], states: Vec::new(), begins: Vec::new() },
        };
        for root in (0_u32..).take(graph.len()) {
            if inside(root) && search.number[root as usize] == NONE {
                search.from(root, &inside);
            }
        }
        search.found
    }

    /// Every component: its number and its states.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &[u32])> {
        (0_u32..).zip(0..self.begins.len()).map(|(number, index)| (number, self.states(index)))
    }

    /// The states of the component with this number, ascending.
    pub(super) fn sorted(&self, component: u32) -> Vec<u32> {
        let mut states = self.states(component as usize).to_vec();
        states.sort_unstable();
        states
    }

    /// Whether a state is in a component.
    pub(super) fn contains(&self, component: u32, state: u32) -> bool {
        self.of_state[state as usize] == component
    }

    fn states(&self, index: usize) -> &[u32] {
        let end = self.begins.get(index + 1).copied().unwrap_or(self.states.len());
        &self.states[self.begins[index]..end]
    }
}

struct Search<'a> {
    graph: &'a Graph,
    /// When each state was first visited.
    number: Vec<u32>,
    /// The least number that is known to be reachable within the component.
    low: Vec<u32>,
    next_number: u32,
    /// Visited states whose component is not complete.
    open: Vec<u32>,
    found: Components,
}

impl Search<'_> {
    fn from(&mut self, root: u32, inside: &impl Fn(u32) -> bool) {
        self.visit(root);
        // Each entry: a state on the current path, and the position of its next edge.
        let mut path = vec![(root, self.graph.positions(root).start)];
        while let Some((state, position)) = path.last_mut() {
            let state = *state;
            if *position < self.graph.positions(state).end {
                let target = self.graph.edge(*position).target;
                *position += 1;
                if !inside(target) || self.found.of_state[target as usize] != NONE {
                    continue;
                }
                if self.number[target as usize] == NONE {
                    self.visit(target);
                    path.push((target, self.graph.positions(target).start));
                } else {
                    self.lower(state, self.number[target as usize]);
                }
            } else {
                path.pop();
                if let Some((before, _)) = path.last() {
                    self.lower(*before, self.low[state as usize]);
                }
                if self.low[state as usize] == self.number[state as usize] {
                    self.close(state);
                }
            }
        }
    }

    fn visit(&mut self, state: u32) {
        self.number[state as usize] = self.next_number;
        self.low[state as usize] = self.next_number;
        self.next_number += 1;
        self.open.push(state);
    }

    fn lower(&mut self, state: u32, number: u32) {
        let low = &mut self.low[state as usize];
        *low = number.min(*low);
    }

    /// The states visited since `first` are a component.
    fn close(&mut self, first: u32) {
        let component =
            u32::try_from(self.found.begins.len()).expect("there are no more components than states");
        self.found.begins.push(self.found.states.len());
        while let Some(state) = self.open.pop() {
            self.found.of_state[state as usize] = component;
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

    fn components(graph: &Graph, inside: impl Fn(u32) -> bool) -> Vec<Vec<u32>> {
        let components = Components::of(graph, inside);
        let mut all: Vec<Vec<u32>> = components.iter().map(|(number, _)| components.sorted(number)).collect();
        all.sort();
        all
    }

    #[test]
    fn components_of_two_cycles_joined_one_way() {
        let edges: &[(u32, u32, &[usize])] =
            &[(0, 1, &[]), (1, 2, &[]), (2, 0, &[]), (2, 3, &[]), (3, 4, &[]), (4, 3, &[]), (4, 5, &[])];
        let graph = Graph::of_edges(6, edges);
        assert_eq!(components(&graph, |_| true), [vec![0, 1, 2], vec![3, 4], vec![5]]);
        assert_eq!(components(&graph, |state| state != 1), [vec![0], vec![2], vec![3, 4], vec![5]]);
    }

    #[test]
    fn components_of_a_long_path_need_no_stack() {
        let graph = Graph::of_path(200_000);
        assert_eq!(Components::of(&graph, |_| true).iter().count(), 200_000);
    }
}
