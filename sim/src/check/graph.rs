//! The steps between the states that were found, for the search of cycles.
//!
//! Built by taking every step once more when a liveness property is checked: that costs the time of a second
//! expansion and keeps the first one free of edges. Steps that change nothing are left out.

use std::ops::{ControlFlow, Range};

use super::crew;
use super::explore::Exploration;
use super::limits::Limit;
use super::space::{Key, Ranks, StateId};
use super::{CheckError, Limits};
use crate::model::{Fairness, Model};

/// States that are expanded between two looks at the limits.
const BLOCK: usize = 8192;
/// States that a thread takes at a time.
const CHUNK: usize = 256;

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
    /// The graph of a complete exploration, or the limit that was reached on the way.
    pub(super) fn build<M: Model>(
        model: &M,
        fairness: &[Fairness<M>],
        exploration: &Exploration<'_, M>,
    ) -> Result<ControlFlow<Limit, Graph>, CheckError> {
        let space = &exploration.space;
        let ranks = space.ranks();
        let mut graph = Graph { begins: vec![0], ..Graph::default() };
        for begin in (0..space.len()).step_by(BLOCK) {
            // The states are there already; only time and memory can still run out.
            let limits = Limits { states: None, ..exploration.limits };
            let estimate = || space.estimated_bytes() + graph.estimated_bytes() + 4 * space.len() as u64;
            if let Some(limit) = limits.exceeded(space.len(), exploration.begin, estimate) {
                return Ok(ControlFlow::Break(limit));
            }
            let end = space.len().min(begin + BLOCK);
            let mut pieces = Vec::new();
            pieces.resize_with((end - begin).div_ceil(CHUNK), || Ok(Piece::default()));
            let jobs = (begin..end).step_by(CHUNK).zip(&mut pieces);
            let threads = if end - begin <= CHUNK { 1 } else { exploration.threads };
            crew::for_each(threads, jobs, |(begin, piece)| {
                *piece = Piece::of(model, fairness, exploration, &ranks, begin..end.min(begin + CHUNK));
            });
            for piece in pieces {
                graph.append(piece?);
            }
        }
        Ok(ControlFlow::Continue(graph))
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

    /// Whether no fair action can be taken in a state, so that the system may stay there.
    pub(super) fn may_rest(&self, rank: u32) -> bool {
        self.edges(rank).all(|edge| self.fair(edge.class).is_empty())
    }

    fn append(&mut self, piece: Piece) {
        let classes: Vec<u32> =
            piece.members.into_iter().map(|members| class(&mut self.members, members)).collect();
        let first = self.targets.len();
        self.begins.extend(piece.ends.into_iter().map(|end| first + end));
        self.targets.extend(piece.targets);
        self.classes.extend(piece.classes.into_iter().map(|class| classes[class as usize]));
    }

    fn estimated_bytes(&self) -> u64 {
        let edges = self.targets.capacity() + self.classes.capacity();
        (self.begins.capacity() * size_of::<usize>() + edges * size_of::<u32>()) as u64
    }
}

/// The fair actions that a step by `action` is a step of, ascending.
pub(super) fn fair_actions<M: Model>(fairness: &[Fairness<M>], action: &M::Action) -> Vec<usize> {
    let includes = |(index, fairness): (usize, &Fairness<M>)| (fairness.includes)(action).then_some(index);
    fairness.iter().enumerate().filter_map(includes).collect()
}

/// The class of a set of fair actions. A model has few of them, so they are searched one by one.
fn class(known: &mut Vec<Vec<usize>>, members: Vec<usize>) -> u32 {
    let position = known.iter().position(|known| *known == members).unwrap_or_else(|| {
        known.push(members);
        known.len() - 1
    });
    u32::try_from(position).expect("there are no more classes than actions")
}

/// The edges of some states, with classes of their own.
#[derive(Default)]
struct Piece {
    ends: Vec<usize>,
    targets: Vec<u32>,
    classes: Vec<u32>,
    members: Vec<Vec<usize>>,
}

impl Piece {
    fn of<M: Model>(
        model: &M,
        fairness: &[Fairness<M>],
        exploration: &Exploration<'_, M>,
        ranks: &Ranks,
        states: Range<usize>,
    ) -> Result<Piece, CheckError> {
        let mut piece = Piece::default();
        let mut actions = Vec::new();
        for id in exploration.space.ids(states) {
            let state: &M::State = exploration.space.state(*id);
            actions.clear();
            model.actions(state, &mut actions);
            for action in &actions {
                let Some(next) = model.next(state, action).filter(|next| next != state) else { continue };
                let found: Option<StateId> = exploration.space.find(Key::of(&next), &next);
                let Some(target) = found else {
                    return Err(CheckError::UnknownState { action: format!("{action:?}") });
                };
                piece.targets.push(ranks.of(target));
                piece.classes.push(class(&mut piece.members, fair_actions(fairness, action)));
            }
            piece.ends.push(piece.targets.len());
        }
        Ok(piece)
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
                let class = class(&mut graph.members, fair.to_vec());
                graph.classes.push(class);
            }
            graph.begins.push(graph.targets.len());
        }
        graph
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
