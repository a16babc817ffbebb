//! The steps between the states that were found, for the search of cycles.
//!
//! Steps that change nothing are left out.

use std::ops::Range;

use crate::model::{Fairness, Model};

/// Edges by the rank of the state they leave, in the order of the actions. 8 bytes an edge, 8 bytes a state.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Where the edges of each state begin; one more entry than states.
    begins: Vec<usize>,
    targets: Vec<u32>,
    classes: Vec<u32>,
    /// The fair actions, by index, that a step of each class is a step of.
    members: Vec<Vec<usize>>,
}

/// A step between two states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// The rank of the state that it leads to.
    pub(super) target: u32,
    /// Stands for a set of fair actions; see [`Graph::fair`].
    pub(super) class: u32,
}

impl Graph {
    /// A graph of no states.
    pub(super) fn new() -> Self {
        Graph { begins: vec![0], ..Graph::default() }
    }

    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.begins.len() - 1
    }

    /// The positions of the edges that leave a state, for [`Self::edge`].
    pub(super) fn positions(&self, rank: u32) -> Range<usize> {
        self.begins[rank as usize]..self.begins[rank as usize + 1]
    }

    /// The edge at a position.
    pub(super) fn edge(&self, position: usize) -> Edge {
        Edge { target: self.targets[position], class: self.classes[position] }
    }

    /// The edges that leave a state.
    pub(super) fn edges(&self, rank: u32) -> impl Iterator<Item = Edge> {
        self.positions(rank).map(|position| self.edge(position))
    }

    /// The fair actions that a step of this class takes.
    pub(super) fn fair(&self, class: u32) -> &[usize] {
        &self.members[class as usize]
    }

    /// Whether the fair action can be taken in a state.
    pub(super) fn enabled(&self, rank: u32, fair: usize) -> bool {
        self.edges(rank).any(|edge| self.fair(edge.class).contains(&fair))
    }

    /// Whether the fair action can be taken in any state.
    pub(super) fn ever_enabled(&self, fair: usize) -> bool {
        self.members.iter().any(|members| members.contains(&fair))
    }

    /// Whether no fair action can be taken in a state, so that the system may stay there.
    pub(super) fn may_rest(&self, rank: u32) -> bool {
        self.edges(rank).all(|edge| self.fair(edge.class).is_empty())
    }

    /// Appends states with their edges.
    pub(super) fn append(&mut self, piece: Piece) {
        let classes: Vec<u32> =
            piece.members.iter().map(|members| class(&mut self.members, members)).collect();
        let first = self.targets.len();
        self.begins.extend(piece.ends.into_iter().map(|end| first + end));
        self.targets.extend(piece.targets);
        self.classes.extend(piece.classes.into_iter().map(|class| classes[class as usize]));
    }

    /// Bytes in use.
    pub(super) fn memory(&self) -> u64 {
        let edges = self.targets.capacity() + self.classes.capacity();
        (self.begins.capacity() * size_of::<usize>() + edges * size_of::<u32>()) as u64
    }
}

/// The fair actions that a step by `action` is a step of, ascending.
pub(super) fn fair_actions<'a, M: Model>(
    fairness: &'a [Fairness<M>],
    action: &'a M::Action,
) -> impl Iterator<Item = usize> + 'a {
    let includes =
        move |(index, fairness): (usize, &Fairness<M>)| (fairness.includes)(action).then_some(index);
    fairness.iter().enumerate().filter_map(includes)
}

/// The class of a set of fair actions. A model has few of them, so they are searched one by one.
fn class(known: &mut Vec<Vec<usize>>, members: &[usize]) -> u32 {
    let position = known.iter().position(|known| *known == members).unwrap_or_else(|| {
        known.push(members.to_vec());
        known.len() - 1
    });
    u32::try_from(position).expect("there are no more classes than actions")
}

/// The edges of some states, with classes of their own.
#[derive(Default)]
pub(super) struct Piece {
    ends: Vec<usize>,
    targets: Vec<u32>,
    classes: Vec<u32>,
    members: Vec<Vec<usize>>,
    /// Room for the fair actions of one step, of which there are as many sets as steps and few that differ.
    fair: Vec<usize>,
}

impl Piece {
    /// How many edges there are.
    pub(super) fn len(&self) -> usize {
        self.targets.len()
    }

    /// Adds an edge of the present state, which takes these fair actions.
    pub(super) fn push(&mut self, target: u32, fair: impl Iterator<Item = usize>) {
        self.fair.clear();
        self.fair.extend(fair);
        self.targets.push(target);
        self.classes.push(class(&mut self.members, &self.fair));
    }

    /// Goes on to the next state.
    pub(super) fn end_state(&mut self) {
        self.ends.push(self.targets.len());
    }

    /// Where an edge leads.
    pub(super) fn target_mut(&mut self, edge: usize) -> &mut u32 {
        &mut self.targets[edge]
    }
}

#[cfg(test)]
impl Graph {
    /// A graph from its edges `(from, to, fair actions)`.
    pub(super) fn of_edges(states: u32, edges: &[(u32, u32, &[usize])]) -> Self {
        let mut graph = Graph { begins: vec![0], ..Graph::default() };
        for state in 0..states {
            for (_, to, fair) in edges.iter().filter(|(from, ..)| *from == state) {
                graph.targets.push(*to);
                let class = class(&mut graph.members, fair);
                graph.classes.push(class);
            }
            graph.begins.push(graph.targets.len());
        }
        graph
    }

    /// A graph of so many states, each with one edge to the next, which takes the fair action 0, and the last one with
    /// such an edge to the first.
    pub(super) fn of_ring(states: u32) -> Self {
        let edges = states as usize;
        Graph {
            begins: (0..=edges).collect(),
            targets: (1..states).chain([0]).collect(),
            classes: vec![0; edges],
            members: vec![vec![0]],
        }
    }

    /// A graph of so many states, each with one edge to the next.
    pub(super) fn of_path(states: u32) -> Self {
        let edges = states as usize - 1;
        Graph {
            begins: (0..edges).chain([edges, edges]).collect(),
            targets: (1..states).collect(),
            classes: vec![0; edges],
            members: vec![Vec::new()],
        }
    }
}
