//! A model that is nothing but a graph.

use downbeat_sim::model::{Fairness, Model, Property, Told};

/// States and fair actions are numbers below 32; sets of them are bits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub(crate) initial: Vec<u8>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) fair_actions: u8,
    /// Which fair actions are strongly fair; the others are weakly fair.
    pub(crate) strong: u32,
    /// Where an invariant is broken.
    pub(crate) bad: u32,
    /// Where its antecedent is true.
    pub(crate) antecedent: u32,
    /// Where the obligation of `leads-to` begins.
    pub(crate) from: u32,
    pub(crate) goal: u32,
    pub(crate) final_states: u32,
}

/// The action is the position of the edge in the graph.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) from: u8,
    pub(crate) to: u8,
    /// The fair actions that it is a step of.
    pub(crate) fair: u32,
    /// Whether it breaks an invariant of steps.
    pub(crate) bad: bool,
}

pub(crate) fn contains(set: u32, member: u8) -> bool {
    set & (1 << member) != 0
}

impl Model for Graph {
    type State = u8;
    type Action = usize;

    fn initial(&self) -> Vec<u8> {
        self.initial.clone()
    }

    fn actions(&self, state: &u8, actions: &mut Vec<usize>) {
        actions.extend((0..self.edges.len()).filter(|edge| self.edges[*edge].from == *state));
    }

    fn next(&self, _: &u8, action: &usize) -> Option<u8> {
        Some(self.edges[*action].to)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always(
                "always",
                "no bad state",
                |graph, state| !contains(graph.bad, *state),
                |graph, state| contains(graph.antecedent, *state),
                |_, state| format!("{state} is bad"),
            ),
            Property::<Self>::always_step(
                "step",
                "no bad step",
                |graph, _, action, _| !graph.edges[*action].bad,
                |graph, state, _, _| contains(graph.antecedent, *state),
                |_, state| format!("the step to {state} is bad"),
            ),
            Property::<Self>::sometimes("sometimes", "some bad state", |graph, state| {
                contains(graph.bad, *state)
            }),
            Property::<Self>::no_deadlock("deadlock", "no dead end", |_, state| {
                format!("{state} is a dead end")
            }),
            Property::<Self>::leads_to(
                "leads-to",
                "the goal follows",
                |graph, state| contains(graph.from, *state),
                |graph, state| contains(graph.goal, *state),
                |_, state| format!("still at {state}"),
            ),
            Property::<Self>::eventually(
                "eventually",
                "the goal comes",
                |graph, state| contains(graph.goal, *state),
                |_, state| format!("still at {state}"),
            ),
        ]
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let fairs: Vec<u32> = self.edges.iter().map(|edge| edge.fair).collect();
        let fair = |number: u8| {
            let fairs = fairs.clone();
            let includes = move |action: &usize| contains(fairs[*action], number);
            if contains(self.strong, number) {
                Fairness::strong(format!("fair {number}"), includes)
            } else {
                Fairness::weak(format!("fair {number}"), includes)
            }
        };
        (0..self.fair_actions).map(fair).collect()
    }

    fn is_final(&self, state: &u8) -> bool {
        contains(self.final_states, *state)
    }

    fn lanes(&self) -> Vec<String> {
        vec!["graph".into()]
    }

    fn opening(&self, state: &u8) -> String {
        state.to_string()
    }

    fn tell(&self, before: &u8, _: &usize, after: &u8) -> Told {
        Told::new(0, 0, format!("{before} to {after}"))
    }
}
