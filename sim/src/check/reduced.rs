//! How a search leaves states out without missing a verdict.

use std::fmt;

use super::CheckError;
use crate::model::{Model, Property};
use crate::reduction::{self, Objects, Processes};
use crate::symmetry::Symmetry;

/// A way to leave states out that a model must be declared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Of states that differ in the names of interchangeable ids one is visited; see [`crate::symmetry`].
    Symmetry,
    /// Of orders of steps that make no difference one is visited; see [`crate::reduction`].
    PartialOrder,
}

impl fmt::Display for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Reduction::Symmetry => "symmetry",
            Reduction::PartialOrder => "partial-order",
        })
    }
}

/// A reduction with what the model declares for it.
pub(super) enum Reduced<M: Model> {
    /// Every state is visited.
    Nothing,
    /// Representatives are visited.
    Symmetry(Box<Symmetry<M>>),
    /// Steps are left out that come later all the same.
    PartialOrder {
        /// Who takes which action.
        processes: Processes<M>,
        /// What no step of a reduced set may write.
        visible: Objects,
    },
}

impl<M: Model> Reduced<M> {
    /// The reduction of a model for these properties.
    pub(super) fn of(
        model: &M,
        reduction: Option<Reduction>,
        properties: &[Property<M>],
    ) -> Result<Self, CheckError> {
        let undeclared = |reduction| CheckError::Undeclared { reduction };
        match reduction {
            None => Ok(Reduced::Nothing),
            Some(reduction @ Reduction::Symmetry) => {
                let symmetry = model.symmetry().ok_or(undeclared(reduction))?;
                Ok(Reduced::Symmetry(Box::new(symmetry)))
            }
            Some(reduction @ Reduction::PartialOrder) => {
                let processes = model.processes().ok_or(undeclared(reduction))?;
                let visible = processes.visible(properties);
                Ok(Reduced::PartialOrder { processes, visible })
            }
        }
    }

    /// Which reduction it is.
    pub(super) fn kind(&self) -> Option<Reduction> {
        match self {
            Reduced::Nothing => None,
            Reduced::Symmetry(_) => Some(Reduction::Symmetry),
            Reduced::PartialOrder { .. } => Some(Reduction::PartialOrder),
        }
    }

    /// The state that is visited in the place of this one.
    #[inline]
    pub(super) fn representative(&self, state: M::State) -> M::State {
        match self {
            Reduced::Symmetry(symmetry) => symmetry.representative(&state),
            Reduced::Nothing | Reduced::PartialOrder { .. } => state,
        }
    }

    /// Whether what the model declares is true of a state.
    pub(super) fn audit(&self, model: &M, state: &M::State) -> Result<(), CheckError> {
        match self {
            Reduced::Nothing => Ok(()),
            Reduced::Symmetry(symmetry) => symmetry.audit(model, state).map_err(CheckError::Asymmetric),
            Reduced::PartialOrder { processes, .. } => {
                reduction::audit(model, processes, state).map_err(CheckError::Dependent)
            }
        }
    }

    /// Whether what the model declares is true of its initial states together.
    pub(super) fn audit_initial(&self, model: &M) -> Result<(), CheckError> {
        match self {
            Reduced::Symmetry(symmetry) => symmetry.audit_initial(model).map_err(CheckError::Asymmetric),
            Reduced::Nothing | Reduced::PartialOrder { .. } => Ok(()),
        }
    }
}
