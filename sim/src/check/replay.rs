//! Counterexamples: the recorded steps once more, in words.
//!
//! The search records by which step of which state each state was reached, and neither states nor actions. They
//! are found again here by asking the model, which also shows a model that does not answer twice alike.

use super::CheckError;
use super::encoding::{Encoded, Encoding, Kept, Visited};
use super::evaluate::Witness;
use super::explore::Search;
use super::graph::fair_actions;
use super::key::Key;
use super::lasso::Lasso;
use super::reduced::Reduced;
use super::walk::Ranks;
use crate::model::{Check, Lane, Model, Property};
use crate::report::{Counterexample, Step};

/// A shortest behaviour that ends in the state, or with the step, that violates a property.
pub(super) fn finite<M: Model, E: Encoding<M>>(
    search: &Search<'_, M, E>,
    property: &Property<M>,
    witness: Witness,
) -> Result<Counterexample, CheckError> {
    let mut walk = Walk::to(search, witness.rank)?;
    if let Some(position) = witness.action {
        let model = search.plan.model;
        walk.take(position, |before, action, after| match property.check {
            Check::AlwaysStep { holds, .. } => !holds(model, before, action, after),
            Check::Always { .. }
            | Check::Sometimes(_)
            | Check::NoDeadlock
            | Check::LeadsTo { .. }
            | Check::Eventually(_) => true,
        })?;
    }
    let explanation = (property.explain)(search.plan.model, &walk.here);
    Ok(walk.end(explanation, None))
}

/// A behaviour on which the goal of a liveness property never comes.
pub(super) fn lasso<M: Model, E: Encoding<M>>(
    search: &Search<'_, M, E>,
    ranks: &Ranks,
    property: &Property<M>,
    lasso: &Lasso,
) -> Result<Counterexample, CheckError> {
    let fairness = search.plan.model.fairness();
    let mut walk = Walk::to(search, lasso.stem[0] as usize)?;
    for rank in &lasso.stem[1..] {
        walk.step_to(ranks, *rank, |_| true)?;
    }
    let lasso_start = walk.steps.len();
    for leg in &lasso.cycle {
        walk.step_to(ranks, leg.target, |action| {
            fair_actions(&fairness, action).eq(leg.fair.iter().copied())
        })?;
    }
    let explanation = (property.explain)(search.plan.model, &walk.here);
    Ok(walk.end(explanation, Some(lasso_start)))
}

/// The state of a rank, and the actions that lead to it.
pub(super) fn actions_to<M: Model, E: Encoding<M>>(
    search: &Search<'_, M, E>,
    rank: usize,
) -> Result<(M::State, Vec<String>), CheckError> {
    let walk = Walk::to(search, rank)?;
    Ok((walk.here, walk.steps.into_iter().map(|step| step.action).collect()))
}

/// A behaviour as far as it is rebuilt.
struct Walk<'a, M: Model, E: Encoding<M>> {
    search: &'a Search<'a, M, E>,
    lanes: Vec<String>,
    opening: String,
    steps: Vec<Step>,
    here: M::State,
    /// The state that the search visited in the place of `here`.
    visited: M::State,
}

impl<'a, M: Model, E: Encoding<M>> Walk<'a, M, E> {
    /// The behaviour by which the state of this rank was first reached: a shortest one.
    fn to(search: &'a Search<'a, M, E>, rank: usize) -> Result<Self, CheckError> {
        let model = search.plan.model;
        let way = search.traces.way(rank, search.initial);
        let first = model.initial().into_iter().nth(way[0].position as usize);
        let Some(first) = first else {
            return Err(CheckError::NotRepeatable { step: 0, tried: Vec::new() });
        };
        let (lanes, opening) = (model.lanes(), model.opening(&first));
        let visited = search.plan.reduced.representative(first.clone());
        let mut walk = Walk { search, lanes, opening, steps: Vec::new(), here: first, visited };
        for origin in &way[1..] {
            walk.take(origin.position as usize, |_, _, _| true)?;
        }
        Ok(walk)
    }

    /// Takes the step with this number, or under symmetry the first one that fits and has the same place among
    /// real states.
    fn take(
        &mut self,
        position: usize,
        fits: impl Fn(&M::State, &M::Action, &M::State) -> bool,
    ) -> Result<(), CheckError> {
        let plan = self.search.plan;
        let (mut tried, mut wanted) = (Vec::new(), None);
        plan.model.steps(&self.visited, &mut Vec::new(), |action, next| {
            if tried.len() == position {
                wanted = Some((action.clone(), next));
            }
            tried.push(format!("{action:?}"));
        });
        let Some((mut action, mut next)) = wanted else { return Err(self.not_repeatable(tried)) };
        let visited = plan.reduced.representative(next.clone());
        let (key, body) = encode::<M, E>(self.search.plan.kept, &visited)?;
        // With keys on disk the tables know some states only.
        if !self.search.is_spilled() && self.search.visited[key.shard()].find(key, &body).is_none() {
            return Err(self.not_repeatable(vec![format!("{action:?}")]));
        }
        if let Reduced::Symmetry(symmetry) = &plan.reduced {
            let real = symmetry.real_steps(plan.model, &self.here, &visited).into_iter();
            let real = real.into_iter().find(|(action, next)| fits(&self.here, action, next));
            (action, next) = real.ok_or_else(|| self.not_repeatable(tried))?;
        }
        self.append(&action, next)?;
        self.visited = visited;
        Ok(())
    }

    /// Takes the first step that fits and leads to the state of this rank.
    fn step_to(
        &mut self,
        ranks: &Ranks,
        rank: u32,
        fits: impl Fn(&M::Action) -> bool,
    ) -> Result<(), CheckError> {
        let mut all = Vec::new();
        self.search
            .plan
            .model
            .steps(&self.here, &mut Vec::new(), |action, next| all.push((action.clone(), next)));
        let tried = all.iter().map(|(action, _)| format!("{action:?}")).collect();
        for (action, next) in all {
            let (key, body) = encode::<M, E>(self.search.plan.kept, &next)?;
            if fits(&action) && ranks.of::<M, E>(&self.search.visited, key, &body) == Some(rank) {
                return self.append(&action, next);
            }
        }
        Err(self.not_repeatable(tried))
    }

    fn append(&mut self, action: &M::Action, next: M::State) -> Result<(), CheckError> {
        self.steps.push(told(self.search.plan.model, &self.lanes, &self.here, action, &next)?);
        self.here = next;
        Ok(())
    }

    fn not_repeatable(&self, tried: Vec<String>) -> CheckError {
        CheckError::NotRepeatable { step: self.steps.len() + 1, tried }
    }

    fn end(self, explanation: String, lasso_start: Option<usize>) -> Counterexample {
        let Walk { lanes, opening, steps, .. } = self;
        Counterexample { lanes, opening, steps, lasso_start, explanation }
    }
}

fn encode<M: Model, E: Encoding<M>>(kept: Kept, state: &M::State) -> Result<Encoded<M, E>, CheckError> {
    E::encode(kept, state.clone()).map_err(|error| *error)
}

/// A step in words, whose lanes exist.
fn told<M: Model>(
    model: &M,
    lanes: &[String],
    before: &M::State,
    action: &M::Action,
    after: &M::State,
) -> Result<Step, CheckError> {
    let told = model.tell(before, action, after);
    let arrows = std::iter::once(&told.cause).chain(&told.then);
    let unknown: Option<Lane> =
        arrows.flat_map(|arrow| [arrow.from, arrow.to]).find(|lane| *lane >= lanes.len());
    let action = format!("{action:?}");
    match unknown {
        Some(lane) => Err(CheckError::UnknownLane { action, lane, lanes: lanes.len() }),
        None => Ok(Step { action, told }),
    }
}
