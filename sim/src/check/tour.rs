//! A fair loop that is found at once and is not always the shortest: always on to what is nearest.

use std::collections::VecDeque;

use super::components::Membership;
use super::debts::{self, Ledger};
use super::graph::{Edge, Graph};
use super::lasso::Leg;
use super::limits::Limit;
use super::patience::Patience;
use crate::model::Strength;

/// The place of a state that the current search has not come to. More than any rank.
const UNSEEN: u32 = u32::MAX;

/// A closed walk from `entry` within its component that pays what it owes, going for the nearest step that pays
/// something and in the end back. The component has a step within it; a fair behaviour can stay there.
///
/// Each search pays for an action for the last time or leads back, so there are at most two for each action
/// and one more.
pub(super) fn nearest_first(
    graph: &Graph,
    strengths: &[Strength],
    fair: &Membership,
    entry: u32,
    patience: &Patience<'_>,
) -> Result<Vec<Leg>, Limit> {
    let mut ledger = Ledger::new(graph, strengths);
    let mut search = Search { graph, fair, before: vec![UNSEEN; graph.len()], class: vec![0; graph.len()] };
    let mut debts = ledger.open(entry);
    let mut walk: Vec<Leg> = Vec::new();
    let mut here = entry;
    while walk.is_empty() || here != entry || debts::owes(&debts) {
        let path = if debts::owes(&debts) {
            search.shortest(here, |edge| ledger.pays(&debts, edge), patience)?
        } else {
            search.shortest(here, |edge| edge.target == entry, patience)?
        };
        for edge in path {
            ledger.step(&mut debts, edge);
            walk.push(Leg::of(graph, edge));
            here = edge.target;
        }
    }
    Ok(walk)
}

/// Breadth-first search within one component.
struct Search<'a> {
    graph: &'a Graph,
    fair: &'a Membership,
    /// The state before each one that the current search has come to.
    before: Vec<u32>,
    /// The class of the step from there.
    class: Vec<u32>,
}

impl Search<'_> {
    /// The shortest walk from `here` whose last step is one for which `done` is true.
    fn shortest(
        &mut self,
        here: u32,
        done: impl Fn(Edge) -> bool,
        patience: &Patience<'_>,
    ) -> Result<Vec<Edge>, Limit> {
        let mut seen = Vec::new();
        let mut queue = VecDeque::from([here]);
        let mut found = None;
        'search: while let Some(state) = queue.pop_front() {
            patience.work()?;
            for edge in self.graph.edges(state).filter(|edge| self.fair.together(state, edge.target)) {
                if done(edge) {
                    found = Some((state, edge));
                    break 'search;
                }
                let place = edge.target as usize;
                if edge.target != here && self.before[place] == UNSEEN {
                    self.before[place] = state;
                    self.class[place] = edge.class;
                    seen.push(edge.target);
                    queue.push_back(edge.target);
                }
            }
        }
        let (state, last) = found.expect("a component is connected and has what each fair action needs");
        let walk = self.walk_to(here, state, last);
        for state in seen {
            self.before[state as usize] = UNSEEN;
        }
        Ok(walk)
    }

    fn walk_to(&self, here: u32, state: u32, last: Edge) -> Vec<Edge> {
        let mut walk = vec![last];
        let mut state = state;
        while state != here {
            walk.push(Edge { target: state, class: self.class[state as usize] });
            state = self.before[state as usize];
        }
        walk.reverse();
        walk
    }
}
