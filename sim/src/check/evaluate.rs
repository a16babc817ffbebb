//! Properties of single states and single steps, evaluated where the search finds them.

use crate::model::{Check, Model, Property};
use crate::report::Verdict;

/// Where the search saw what decides a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Witness {
    /// The rank of the state, or of the state before the step.
    pub(super) rank: usize,
    /// The position of the step among the actions of that state, for a property of steps.
    pub(super) action: Option<usize>,
}

/// What is known about one property.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Finding {
    /// The first violation, or for `sometimes` the first state in which it is true.
    pub(super) witness: Option<Witness>,
    /// Whether the antecedent was true somewhere.
    pub(super) reached: bool,
}

impl Finding {
    /// The verdict about a property that is not one of liveness.
    pub(super) fn verdict<M: Model>(self, check: &Check<M>, complete: bool) -> Verdict {
        let vacuous = match check {
            Check::Sometimes(_) => {
                return match (self.witness, complete) {
                    (Some(_), _) => Verdict::Holds,
                    (None, true) => Verdict::Violated,
                    (None, false) => Verdict::Incomplete,
                };
            }
            Check::Always { .. } | Check::AlwaysStep { .. } => !self.reached,
            Check::NoDeadlock | Check::LeadsTo { .. } | Check::Eventually(_) => false,
        };
        match (self.witness, complete, vacuous) {
            (Some(_), _, _) => Verdict::Violated,
            (None, false, _) => Verdict::Incomplete,
            (None, true, true) => Verdict::Vacuous,
            (None, true, false) => Verdict::Holds,
        }
    }
}

/// What is known about all properties, by their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// What is known about each property.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Finding> {
        self.0.iter()
    }

    /// What is known about the property with this index.
    pub(super) fn of(&self, index: usize) -> Finding {
        self.0[index]
    }

    /// Adds what was found later in the order of discovery.
    pub(super) fn add_later(&mut self, later: &Findings) {
        for (known, later) in self.0.iter_mut().zip(&later.0) {
            known.witness = known.witness.or(later.witness);
            known.reached |= later.reached;
        }
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(findings: I) -> Self {
        Findings(findings.into_iter().collect())
    }
}

/// The properties of one check, for evaluation.
pub(super) struct Evaluator<'a, M: Model> {
    model: &'a M,
    properties: &'a [Property<M>],
    /// The indices of the properties of steps, which are asked about far more often than the others.
    of_steps: Vec<usize>,
}

impl<'a, M: Model> Evaluator<'a, M> {
    /// Evaluates `properties` of `model`.
    pub(super) fn new(model: &'a M, properties: &'a [Property<M>]) -> Self {
        let is_of_steps = |index: &usize| matches!(properties[*index].check, Check::AlwaysStep { .. });
        let of_steps = (0..properties.len()).filter(is_of_steps).collect();
        Self { model, properties, of_steps }
    }

    /// The ids of the properties.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.properties.iter().map(|property| property.id)
    }

    /// Whether there is a property of steps.
    #[inline]
    pub(super) fn judges_steps(&self) -> bool {
        !self.of_steps.is_empty()
    }

    /// Findings before anything was seen.
    pub(super) fn nothing_found(&self) -> Findings {
        Findings(vec![Finding::default(); self.properties.len()])
    }

    /// Evaluates the properties of states in the state with this rank.
    pub(super) fn state(&self, state: &M::State, rank: usize, findings: &mut Findings) {
        for (property, finding) in self.properties.iter().zip(&mut findings.0) {
            match property.check {
                Check::Always { holds, reachable } => {
                    if finding.witness.is_none() && !holds(self.model, state) {
                        finding.witness = Some(Witness { rank, action: None });
                    }
                    finding.reached = finding.reached || reachable(self.model, state);
                }
                Check::Sometimes(holds) => {
                    if finding.witness.is_none() && holds(self.model, state) {
                        finding.witness = Some(Witness { rank, action: None });
                    }
                }
                Check::AlwaysStep { .. }
                | Check::NoDeadlock
                | Check::LeadsTo { .. }
                | Check::Eventually(_) => {}
            }
        }
    }

    /// Evaluates the properties of steps in the step by the action at `position` from the state with this rank.
    pub(super) fn step(
        &self,
        (rank, position): (usize, usize),
        before: &M::State,
        action: &M::Action,
        after: &M::State,
        findings: &mut Findings,
    ) {
        for index in &self.of_steps {
            let Check::AlwaysStep { holds, reachable } = self.properties[*index].check else { continue };
            let finding = &mut findings.0[*index];
            if finding.witness.is_none() && !holds(self.model, before, action, after) {
                finding.witness = Some(Witness { rank, action: Some(position) });
            }
            finding.reached = finding.reached || reachable(self.model, before, action, after);
        }
    }

    /// Notes that no step changes the state with this rank.
    pub(super) fn dead_end(&self, state: &M::State, rank: usize, findings: &mut Findings) {
        for (property, finding) in self.properties.iter().zip(&mut findings.0) {
            if matches!(property.check, Check::NoDeadlock)
                && finding.witness.is_none()
                && !self.model.is_final(state)
            {
                finding.witness = Some(Witness { rank, action: None });
            }
        }
    }
}
