//! A variant as the registry has it: what its model can be asked, without the types of the model.

use std::collections::BTreeSet;

use super::arguments::StoredAs;
use super::registry::{Bounds, PropertySummary};
use super::run::{Control, Settings};
use crate::check::{CheckError, Checker, Checkpointing, Reduction};
use crate::model::{Model, Property};
use crate::pack::Pack;
use crate::replay::{self, Misfit, Replayed};
use crate::report::{Counterexample, Kind, Report};

/// A variant without the types of its model.
pub(super) trait Subject: Send + Sync {
    fn properties(&self, bounds: &Bounds) -> Vec<PropertySummary>;
    /// Whether its states are packed unless something else is asked for.
    fn is_packed(&self) -> bool;
    fn declares(&self, bounds: &Bounds, reduction: Reduction) -> bool;
    fn check(
        &self,
        bounds: &Bounds,
        settings: &Settings,
        checkpointing: Option<&Checkpointing>,
        control: Control<'_>,
    ) -> Result<Report, CheckError>;
    fn replay(&self, bounds: &Bounds, id: &str, recorded: &Counterexample) -> Result<Replayed, Misfit>;
}

/// What builds a model from its bounds, and what has its states packed, if they can be.
pub(super) struct Built<M: Model, F> {
    build: F,
    packed: Option<for<'a> fn(Checker<'a, M>) -> Checker<'a, M>>,
}

impl<M: Model, F> Built<M, F> {
    /// A model whose states stay as they are.
    pub(super) fn new(build: F) -> Self {
        Self { build, packed: None }
    }

    /// A model whose states can be packed.
    pub(super) fn packed(build: F) -> Self
    where
        M::State: Pack,
    {
        fn packed<M: Model<State: Pack>>(checker: Checker<'_, M>) -> Checker<'_, M> {
            checker.packed_states()
        }
        Self { build, packed: Some(packed) }
    }

    fn stored<'a>(&self, checker: Checker<'a, M>, storage: Option<StoredAs>) -> Checker<'a, M> {
        match (storage, self.packed) {
            (Some(StoredAs::Fingerprint), _) | (None, None) => checker.fingerprints_of_64_bits(),
            (Some(StoredAs::Fingerprint128), _) => checker.fingerprints_of_128_bits(),
            (Some(StoredAs::Exact) | None, Some(packed)) => packed(checker),
            (Some(StoredAs::Exact), None) => checker.whole_states(),
        }
    }
}

fn declares<M: Model>(model: &M, reduction: Reduction) -> bool {
    match reduction {
        Reduction::Symmetry => model.symmetry().is_some(),
        Reduction::PartialOrder => model.processes().is_some(),
    }
}

impl<M: Model, F: Fn(&Bounds) -> M + Send + Sync> Subject for Built<M, F> {
    fn properties(&self, bounds: &Bounds) -> Vec<PropertySummary> {
        let summary = |property: Property<M>| PropertySummary {
            id: property.id,
            name: property.name,
            kind: Kind::from(&property.check),
        };
        (self.build)(bounds).properties().into_iter().map(summary).collect()
    }

    fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    fn declares(&self, bounds: &Bounds, reduction: Reduction) -> bool {
        declares(&(self.build)(bounds), reduction)
    }

    fn check(
        &self,
        bounds: &Bounds,
        settings: &Settings,
        checkpointing: Option<&Checkpointing>,
        control: Control<'_>,
    ) -> Result<Report, CheckError> {
        let model = (self.build)(bounds);
        let checker = Checker::new(&model).limits(settings.limits).progress(control.progress);
        let mut checker = self.stored(checker, settings.storage);
        if let Some(interrupt) = control.interrupt {
            checker = checker.interrupt(interrupt);
        }
        if let Some(reduction) = settings.reduction.filter(|reduction| declares(&model, *reduction)) {
            checker = checker.reduction(reduction);
        }
        if settings.audit_all {
            checker = checker.audit_all();
        }
        if let Some(directory) = &settings.spill {
            checker = checker.spill(directory);
        }
        if let Some(checkpointing) = checkpointing {
            checker = checker.checkpoint(checkpointing.clone());
            let resume = settings.checkpoints.as_ref().is_some_and(|checkpoints| checkpoints.resume);
            if resume && checkpointing.path.exists() {
                checker = checker.resume();
            }
        }
        if let Some(threads) = settings.threads {
            checker = checker.threads(threads);
        }
        if let Some(only) = &settings.only {
            // A selection may name properties that only other variants have.
            let known: BTreeSet<&str> = model.properties().iter().map(|property| property.id).collect();
            checker = checker.only(only.iter().filter(|id| known.contains(id.as_str())).cloned());
        }
        checker.check()
    }

    fn replay(&self, bounds: &Bounds, id: &str, recorded: &Counterexample) -> Result<Replayed, Misfit> {
        replay::replay(&(self.build)(bounds), id, recorded)
    }
}
