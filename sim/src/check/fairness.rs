//! Where a fair behaviour can stay for ever, by the conditions on weak and strong fair actions.
//!
//! The states that a behaviour visits again and again are strongly connected. That it is fair depends on these
//! states and on the steps that it takes among them again and again:
//!
//! - Weak: the action is disabled in one of the states, or taken by one of the steps.
//! - Strong: the action is disabled in all of the states, or taken by one of the steps.
//!
//! Going round everything is best for a weak action. It may be too much for a strong one, so what enables that
//! one is taken away, and the rest looked at again (Emerson and Lei 1985).

use super::components::{Components, Decomposition, Membership};
use super::graph::Graph;
use super::limits::Limit;
use super::patience::Patience;
use crate::model::Strength;

/// The largest strongly connected sets of states of `part` in which a fair behaviour can stay for ever: every
/// fair cycle in `part`, and every state in which a fair behaviour can rest, lies in one of them.
///
/// After a round, none of the strong actions that it was about is enabled in what is left of the component. So
/// there are no more rounds than strong actions, and one more.
pub(super) fn fair_components(
    graph: &Graph,
    strengths: &[Strength],
    part: Vec<u32>,
    patience: &Patience<'_>,
) -> Result<Membership, Limit> {
    let mut decomposition = Decomposition::new(graph);
    let mut census = Census::new(graph, strengths);
    let mut work = vec![part];
    while let Some(part) = work.pop() {
        let components: Components = decomposition.decompose(&part, patience)?;
        for component in components.iter() {
            patience.work()?;
            match census.judge(&decomposition, component) {
                Judgement::Fair => {}
                Judgement::Unfair => decomposition.leave(component),
                Judgement::FairAtMostWithout(ignored) => {
                    decomposition.leave(component);
                    let enables = |class: u32| graph.fair(class).iter().any(|fair| ignored.contains(fair));
                    let remains = |state: &u32| !graph.edges(*state).any(|edge| enables(edge.class));
                    let rest: Vec<u32> = component.iter().copied().filter(remains).collect();
                    if !rest.is_empty() {
                        work.push(rest);
                    }
                }
            }
        }
    }
    Ok(decomposition.into_membership())
}

/// What a behaviour can do in a component for ever.
enum Judgement {
    /// Going round all of it is fair.
    Fair,
    /// Nothing in it is fair: a weak action is enabled in all of its states, and no step within it takes it.
    Unfair,
    /// What is fair in it avoids the states that enable these strong actions: no step within it takes them.
    FairAtMostWithout(Vec<usize>),
}

/// What is known of each fair action in one component. Kept from one to the next, because there may be millions
/// of them with one state each.
struct Census<'a> {
    graph: &'a Graph,
    strengths: &'a [Strength],
    actions: Vec<Count>,
    /// The actions that are enabled in the component.
    enabled: Vec<usize>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    /// In how many states of the component the action is enabled.
    states: usize,
    /// The last state that was counted.
    last: Option<u32>,
    /// Whether a step within the component takes it.
    taken: bool,
}

impl<'a> Census<'a> {
    fn new(graph: &'a Graph, strengths: &'a [Strength]) -> Self {
        Self { graph, strengths, actions: vec![Count::default(); strengths.len()], enabled: Vec::new() }
    }

    fn judge(&mut self, decomposition: &Decomposition<'_>, component: &[u32]) -> Judgement {
        self.count(decomposition, component);
        let mut ignored = Vec::new();
        for fair in self.enabled.iter().copied().filter(|fair| !self.actions[*fair].taken) {
            match self.strengths[fair] {
                Strength::Weak if self.actions[fair].states == component.len() => return Judgement::Unfair,
                Strength::Weak => {}
                Strength::Strong => ignored.push(fair),
            }
        }
        if ignored.is_empty() { Judgement::Fair } else { Judgement::FairAtMostWithout(ignored) }
    }

    fn count(&mut self, decomposition: &Decomposition<'_>, component: &[u32]) {
        for fair in self.enabled.drain(..) {
            self.actions[fair] = Count::default();
        }
        for state in component {
            for edge in self.graph.edges(*state) {
                for fair in self.graph.fair(edge.class) {
                    let count = &mut self.actions[*fair];
                    if count.states == 0 {
                        self.enabled.push(*fair);
                    }
                    if count.last != Some(*state) {
                        count.last = Some(*state);
                        count.states += 1;
                    }
                    count.taken |= decomposition.together(*state, edge.target);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Strength::{Strong, Weak};

    /// From, to, fair actions.
    type Edges<'a> = &'a [(u32, u32, &'a [usize])];
    /// Name, number of states, edges, strengths of the actions, the states that are expected.
    type Case<'a> = (&'a str, u32, Edges<'a>, &'a [Strength], &'a [u32]);

    fn fair_states(states: u32, edges: Edges<'_>, strengths: &[Strength]) -> Vec<u32> {
        let graph = Graph::of_edges(states, edges);
        let fair = fair_components(&graph, strengths, (0..states).collect(), &Patience::endless());
        fair.expect("no limit is reached").states().collect()
    }

    #[test]
    fn states_of_fair_components_by_the_strength_of_the_actions() {
        let round: Edges<'_> = &[(0, 1, &[]), (1, 0, &[]), (0, 2, &[0])];
        // 2 enables action 0, by a step that leaves; 1 enables action 1, by the step to 2.
        let twice: Edges<'_> =
            &[(0, 1, &[]), (1, 0, &[]), (1, 2, &[1]), (2, 1, &[]), (2, 3, &[0]), (0, 4, &[]), (4, 0, &[])];
        #[rustfmt::skip]
        let cases: [Case<'_>; 9] = [
            ("weak: the way out is disabled in state 1",       3, round, &[Weak],   &[0, 1, 2]),
            ("strong: 1 is left, where nothing is fair",       3, round, &[Strong], &[1, 2]),
            ("weak, everywhere enabled: nothing is left",      2, &[(0, 1, &[0])], &[Weak], &[1]),
            ("strong, taken within the component",             2, &[(0, 1, &[0]), (1, 0, &[])], &[Strong], &[0, 1]),
            ("no round: action 1 is taken, action 0 is weak",  5, twice, &[Weak, Strong], &[0, 1, 2, 3, 4]),
            ("two rounds: without 2, action 1 is not taken",   5, twice, &[Strong, Strong], &[0, 3, 4]),
            ("one round: action 1 is weak, disabled in 0",     5, twice, &[Strong, Weak], &[0, 1, 3, 4]),
            ("both weak: both are disabled in 0",               5, twice, &[Weak, Weak], &[0, 1, 2, 3, 4]),
            ("a step of two actions",                          2, &[(0, 1, &[0, 1]), (1, 0, &[])], &[Strong, Weak], &[0, 1]),
        ];
        for (name, states, edges, strengths, expected) in cases {
            assert_eq!(fair_states(states, edges, strengths), expected, "{name}");
        }
    }
}
