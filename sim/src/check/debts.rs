//! What a walk owes to the fair actions before it may be closed to a loop.

use super::graph::{Edge, Graph};
use crate::model::Strength;

/// How a fair action stands on a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Debt {
    /// A strong action that was enabled nowhere.
    None,
    /// Never taken, although enabled: everywhere so far, if it is weak; somewhere, if it is strong.
    Owed,
    /// Taken; or weak, and disabled somewhere. Nothing that follows can change that.
    Paid,
}

/// Keeps the debts of walks, one for each fair action.
pub(super) struct Ledger<'a> {
    graph: &'a Graph,
    strengths: &'a [Strength],
    /// Which actions are enabled in the state that is looked at.
    enabled: Vec<bool>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(graph: &'a Graph, strengths: &'a [Strength]) -> Self {
        Self { graph, strengths, enabled: vec![false; strengths.len()] }
    }

    /// The debts of a walk that begins in a state.
    pub(super) fn open(&mut self, state: u32) -> Vec<Debt> {
        let first = |strength: &Strength| match strength {
            Strength::Weak => Debt::Owed,
            Strength::Strong => Debt::None,
        };
        let mut debts = self.strengths.iter().map(first).collect::<Vec<Debt>>();
        self.arrive(&mut debts, state);
        debts
    }

    /// Goes on by one step.
    pub(super) fn step(&mut self, debts: &mut [Debt], edge: Edge) {
        for fair in self.graph.fair(edge.class) {
            debts[*fair] = Debt::Paid;
        }
        self.arrive(debts, edge.target);
    }

    /// Whether a step would pay something.
    pub(super) fn pays(&self, debts: &[Debt], edge: Edge) -> bool {
        let owed_and_weak =
            |fair: &usize| debts[*fair] == Debt::Owed && self.strengths[*fair] == Strength::Weak;
        self.graph.fair(edge.class).iter().any(|fair| debts[*fair] == Debt::Owed)
            || (0..debts.len()).filter(owed_and_weak).any(|fair| !self.graph.enabled(edge.target, fair))
    }

    fn arrive(&mut self, debts: &mut [Debt], state: u32) {
        self.enabled.fill(false);
        for edge in self.graph.edges(state) {
            for fair in self.graph.fair(edge.class) {
                self.enabled[*fair] = true;
            }
        }
        for ((debt, strength), enabled) in debts.iter_mut().zip(self.strengths).zip(&self.enabled) {
            *debt = match (*debt, strength, enabled) {
                (Debt::None, _, true) => Debt::Owed,
                (Debt::Owed, Strength::Weak, false) => Debt::Paid,
                (unchanged @ (Debt::None | Debt::Owed | Debt::Paid), _, _) => unchanged,
            };
        }
    }
}

/// Whether a walk with these debts may not be closed yet.
pub(super) fn owes(debts: &[Debt]) -> bool {
    debts.contains(&Debt::Owed)
}
