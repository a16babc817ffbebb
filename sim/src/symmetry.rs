//! Symmetry: states that differ in the names of interchangeable ids only are one state.
//!
//! A model declares its [`Id`] types and how many ids of each there are, and its state says where ids occur
//! ([`Rename`]). A [`Symmetry`] then maps each state to the one representative of its orbit, the states that
//! renaming makes of it. The quotient by orbits has the same truths about safety, since predicates and steps
//! commute with renaming; that they do is what an [audit](Symmetry::audit) looks at.
//!
//! Ids are interchangeable if nothing but their names sets them apart: no property about the first of them, no
//! order among them in a guard, no list in the order of their names.

mod audit;
mod canonical;
mod observe;
mod rename;
mod sorts;

pub use audit::{Asymmetry, Exchange, Predicate};
#[cfg(feature = "derive")]
pub use downbeat_sim_derive::Rename;
pub use observe::Observer;
pub use rename::{Bits, Index, Layout, Own, Plain, Rename};
pub use sorts::{IDS_MAX, Id, Renaming, SORTS_MAX};

use crate::model::Model;
use sorts::Sorts;

/// An action, and the state that it leads to.
pub type Step<M> = (<M as Model>::Action, <M as Model>::State);

/// The ids of a model that are interchangeable.
pub struct Symmetry<M: Model> {
    sorts: Sorts,
    /// The names of the id types, in the order of the sorts.
    names: Vec<&'static str>,
    rename: fn(&M::State, &Renaming) -> M::State,
    representative: fn(&Sorts, &M::State) -> M::State,
}

impl<M: Model> Symmetry<M> {
    /// A symmetry without ids.
    #[expect(
        clippy::new_without_default,
        reason = "without ids there is no symmetry: it is always followed by `of`"
    )]
    pub fn new() -> Self
    where
        M::State: Rename + Ord,
    {
        Self {
            sorts: Sorts::none(),
            names: Vec::new(),
            rename: <M::State as Rename>::rename,
            representative: canonical::representative,
        }
    }

    /// Declares the ids of type `I` with the indices below `ids`.
    ///
    /// # Panics
    /// If the type has been declared before, or there are more than [`IDS_MAX`] ids or [`SORTS_MAX`] types.
    #[must_use]
    pub fn of<I: Id>(mut self, ids: usize) -> Self {
        self.sorts.declare::<I>(ids);
        let path = std::any::type_name::<I>();
        self.names.push(path.rsplit("::").next().unwrap_or(path));
        self
    }

    /// The state that stands for all those that renaming makes of `state`: equal for two states if and only if
    /// one is the other with its ids renamed.
    pub fn representative(&self, state: &M::State) -> M::State {
        (self.representative)(&self.sorts, state)
    }

    /// How many renamings there are, or `u64::MAX` if there are more.
    pub fn renamings(&self) -> u64 {
        let factors = self.sorts.iter().flat_map(|sort| 1..=sort.ids as u64);
        factors.fold(1, u64::saturating_mul)
    }

    /// The state with its ids renamed by the renaming with this number, modulo their number. Number 0 changes
    /// nothing; the numbers below [`Symmetry::renamings`] are all renamings, each once.
    pub fn renamed(&self, state: &M::State, number: u64) -> M::State {
        let mut renaming = Renaming::identity(&self.sorts);
        let mut rest = number;
        for sort in self.sorts.iter() {
            for (choices, id) in (1_u64..).zip(sort.numbers()) {
                let steps = usize::try_from(rest % choices).expect("there are few ids");
                renaming.swap(id, id - steps);
                rest /= choices;
            }
        }
        (self.rename)(state, &renaming)
    }

    /// The steps from `state` to states with this representative, in the order of [`Model::actions`].
    ///
    /// A counterexample is found among representatives. Told with the ids that the system really has, it
    /// begins in an initial state and goes on with one of these steps after another. There is one wherever
    /// `state` has the representative from which the search took a step to `representative`.
    pub fn real_steps(&self, model: &M, state: &M::State, representative: &M::State) -> Vec<Step<M>> {
        let mut found = Vec::new();
        model.steps(state, &mut Vec::new(), |action, next| {
            if self.representative(&next) == *representative {
                found.push((action.clone(), next));
            }
        });
        found
    }

    /// A behaviour that visits states with these representatives: its initial state, and its steps, always the
    /// first one that fits. `None` if there is no such behaviour, which in a symmetric model means that the
    /// representatives are none of a behaviour.
    pub fn real_path(&self, model: &M, representatives: &[M::State]) -> Option<(M::State, Vec<Step<M>>)> {
        let (beginning, others) = representatives.split_first()?;
        let initial = model.initial().into_iter().find(|state| self.representative(state) == *beginning)?;
        let mut state = initial.clone();
        let mut steps = Vec::with_capacity(others.len());
        for representative in others {
            let step = self.real_steps(model, &state, representative).into_iter().next()?;
            state = step.1.clone();
            steps.push(step);
        }
        Some((initial, steps))
    }
}
