//! The audit: whether a model that declares a symmetry has it.
//!
//! Every renaming is made of exchanges of two ids that follow each other, so these are the only ones tried. A
//! state passes if the model says the same about it and about the state with two ids exchanged, and takes the
//! same steps from both. If every reachable state passes, the quotient is exact; from the states of a sample,
//! it is likely to be.

use std::fmt;

use foldhash::fast::FixedState;
use hashbrown::HashSet;

use super::Symmetry;
use super::sorts::Renaming;
use crate::model::{Check, Model, OnState, OnStep};

/// Two ids of one type that were exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The name of the id type, without its path.
    pub ids: &'static str,
    /// The lesser index; the other one is the next.
    pub index: usize,
}

/// What a property or a model says of a state or of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicate {
    /// The predicate that the property is about: `holds`, the goal, or where an obligation is met.
    Statement,
    /// The antecedent that keeps the property from holding vacuously.
    Antecedent,
    /// Where an obligation begins.
    Obligation,
}

/// How a model is not symmetric, although it declares to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asymmetry {
    /// Exchanging two ids twice does not give the same state.
    Renaming {
        /// The ids that were exchanged twice.
        exchange: Exchange,
    },
    /// The state has another representative with two ids exchanged.
    Representative {
        /// The ids that were exchanged.
        exchange: Exchange,
    },
    /// An initial state with two ids exchanged is no initial state.
    Initial {
        /// The ids that were exchanged.
        exchange: Exchange,
    },
    /// A step from one of two states that differ by an exchange has no counterpart from the other.
    Step {
        /// The ids that were exchanged.
        exchange: Exchange,
        /// The action of the step, as its `Debug` shows it.
        action: String,
    },
    /// [`Model::is_final`] depends on the names of ids.
    Final {
        /// The ids that were exchanged.
        exchange: Exchange,
    },
    /// A predicate of a property depends on the names of ids.
    Property {
        /// The ids that were exchanged.
        exchange: Exchange,
        /// The id of the property.
        id: &'static str,
        /// Which of its predicates.
        predicate: Predicate,
    },
    /// A predicate on steps depends on the names of ids.
    StepProperty {
        /// The ids that were exchanged.
        exchange: Exchange,
        /// The id of the property.
        id: &'static str,
        /// Which of its predicates.
        predicate: Predicate,
        /// The action of the step, as its `Debug` shows it.
        action: String,
    },
}

impl<M: Model> Symmetry<M> {
    /// Looks whether the initial states stay initial when ids are exchanged.
    ///
    /// # Errors
    /// Some do not; see [`Asymmetry::Initial`].
    pub fn audit_initial(&self, model: &M) -> Result<(), Asymmetry> {
        let initial = set(model.initial());
        for (exchange, renaming) in self.exchanges() {
            if !initial.iter().all(|state| initial.contains(&(self.rename)(state, &renaming))) {
                return Err(Asymmetry::Initial { exchange });
            }
        }
        Ok(())
    }

    /// Looks whether the model says the same about `state` and about the states that exchanges of two ids make
    /// of it: the predicates of all properties, whether the system may rest, and the steps. It costs as much
    /// as expanding twice as many states as there are ids.
    ///
    /// # Errors
    /// The first difference that was found. That there is none says nothing about other states.
    pub fn audit(&self, model: &M, state: &M::State) -> Result<(), Asymmetry> {
        let properties = model.properties();
        let representative = self.representative(state);
        for (exchange, renaming) in self.exchanges() {
            let renamed = (self.rename)(state, &renaming);
            if (self.rename)(&renamed, &renaming) != *state {
                return Err(Asymmetry::Renaming { exchange });
            }
            if self.representative(&renamed) != representative {
                return Err(Asymmetry::Representative { exchange });
            }
            if model.is_final(state) != model.is_final(&renamed) {
                return Err(Asymmetry::Final { exchange });
            }
            for property in &properties {
                for (predicate, holds) in on_state(&property.check) {
                    if holds(model, state) != holds(model, &renamed) {
                        return Err(Asymmetry::Property { exchange, id: property.id, predicate });
                    }
                }
            }
            let pair = Pair { symmetry: self, model, exchange, renaming, states: [state, &renamed] };
            pair.compare_steps()?;
            for property in &properties {
                for (predicate, holds) in on_step(&property.check) {
                    pair.compare_truth_of_steps(property.id, predicate, holds)?;
                }
            }
        }
        Ok(())
    }

    /// The exchanges of which every renaming is made.
    fn exchanges(&self) -> impl Iterator<Item = (Exchange, Renaming)> {
        self.sorts.iter().zip(&self.names).flat_map(|(sort, ids)| {
            (1..sort.ids).map(|next| {
                let mut renaming = Renaming::identity(&self.sorts);
                renaming.swap(sort.start + next - 1, sort.start + next);
                (Exchange { ids, index: next - 1 }, renaming)
            })
        })
    }
}

/// Two states that differ by an exchange.
struct Pair<'a, M: Model> {
    symmetry: &'a Symmetry<M>,
    model: &'a M,
    exchange: Exchange,
    renaming: Renaming,
    states: [&'a M::State; 2],
}

impl<M: Model> Pair<'_, M> {
    fn steps_from(&self, state: &M::State) -> Vec<(M::Action, M::State)> {
        let mut steps = Vec::new();
        self.model.steps(state, &mut Vec::new(), |action, next| steps.push((action.clone(), next)));
        steps
    }

    /// The first step from either state, with what is said of it, that has no counterpart from the other.
    fn without_counterpart<T: Copy + Eq + std::hash::Hash>(
        &self,
        say: impl Fn(&M::State, &M::Action, &M::State) -> T,
    ) -> Option<M::Action> {
        let steps = self.states.map(|state| {
            let steps = self.steps_from(state).into_iter();
            steps.map(|(action, next)| (say(state, &action, &next), action, next)).collect::<Vec<_>>()
        });
        [(0, 1), (1, 0)].into_iter().find_map(|(one, other)| {
            let there = set(steps[other].iter().map(|(said, _, next)| (*said, next)));
            let lacks = |(said, _, next): &&(T, M::Action, M::State)| {
                !there.contains(&(*said, &(self.symmetry.rename)(next, &self.renaming)))
            };
            steps[one].iter().find(lacks).map(|(_, action, _)| action.clone())
        })
    }

    fn compare_steps(&self) -> Result<(), Asymmetry> {
        match self.without_counterpart(|_, _, _| ()) {
            None => Ok(()),
            Some(action) => Err(Asymmetry::Step { exchange: self.exchange, action: format!("{action:?}") }),
        }
    }

    fn compare_truth_of_steps(
        &self,
        id: &'static str,
        predicate: Predicate,
        holds: OnStep<M>,
    ) -> Result<(), Asymmetry> {
        match self.without_counterpart(|before, action, after| holds(self.model, before, action, after)) {
            None => Ok(()),
            Some(action) => {
                let action = format!("{action:?}");
                Err(Asymmetry::StepProperty { exchange: self.exchange, id, predicate, action })
            }
        }
    }
}

fn set<T: Eq + std::hash::Hash>(members: impl IntoIterator<Item = T>) -> HashSet<T, FixedState> {
    members.into_iter().collect()
}

fn on_state<M: Model>(check: &Check<M>) -> Vec<(Predicate, OnState<M>)> {
    match check {
        Check::Always { holds, reachable } => {
            vec![(Predicate::Statement, *holds), (Predicate::Antecedent, *reachable)]
        }
        Check::AlwaysStep { .. } | Check::NoDeadlock => Vec::new(),
        Check::Sometimes(holds) | Check::Eventually(holds) => vec![(Predicate::Statement, *holds)],
        Check::LeadsTo { from, to } => vec![(Predicate::Obligation, *from), (Predicate::Statement, *to)],
    }
}

fn on_step<M: Model>(check: &Check<M>) -> Vec<(Predicate, OnStep<M>)> {
    match check {
        Check::AlwaysStep { holds, reachable } => {
            vec![(Predicate::Statement, *holds), (Predicate::Antecedent, *reachable)]
        }
        Check::Always { .. }
        | Check::NoDeadlock
        | Check::Sometimes(_)
        | Check::Eventually(_)
        | Check::LeadsTo { .. } => Vec::new(),
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} and {}", self.ids, self.index, self.index + 1)
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Predicate::Statement => "its predicate",
            Predicate::Antecedent => "its antecedent",
            Predicate::Obligation => "where its obligation begins",
        })
    }
}

impl fmt::Display for Asymmetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asymmetry::Renaming { exchange } => write!(
                f,
                "exchanging {exchange} twice changes the state; `Rename` must replace each id by the one that the \
                 renaming gives for it, and move what stands at its index"
            ),
            Asymmetry::Representative { exchange } => write!(
                f,
                "the state has another representative with {exchange} exchanged; `Rename::observe` must show \
                 nothing that depends on the names of ids or on an order by them"
            ),
            Asymmetry::Initial { exchange } => write!(
                f,
                "an initial state with {exchange} exchanged is not initial; all ids must be able to begin alike, or \
                 they are not interchangeable"
            ),
            Asymmetry::Step { exchange, action } => write!(
                f,
                "the step `{action}` has no counterpart when {exchange} are exchanged; either it depends on the \
                 name of an id, or `Rename` leaves out an id of the state"
            ),
            Asymmetry::Final { exchange } => write!(
                f,
                "whether the state is final changes when {exchange} are exchanged; `is_final` must not depend on \
                 the name of an id"
            ),
            Asymmetry::Property { exchange, id, predicate } => write!(
                f,
                "`{id}` depends on the name of an id: {predicate} changes when {exchange} are exchanged; state it \
                 for all ids, or declare no symmetry"
            ),
            Asymmetry::StepProperty { exchange, id, predicate, action } => write!(
                f,
                "`{id}` depends on the name of an id: {predicate} changes for the step `{action}` when {exchange} \
                 are exchanged; state it for all ids, or declare no symmetry"
            ),
        }
    }
}

impl std::error::Error for Asymmetry {}
