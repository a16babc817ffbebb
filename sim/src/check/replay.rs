//! Counterexamples: the recorded states once more, with the actions between them.
//!
//! The search records which state led to which and no actions. They are found again here by asking the model,
//! which also shows a model that does not answer twice alike.

use super::CheckError;
use super::evaluate::Witness;
use super::graph::fair_actions;
use super::lasso::Lasso;
use super::space::{Key, Space, StateId};
use crate::model::{Lane, Model, Property};
use crate::report::{Counterexample, Step};

/// A shortest behaviour that ends in the state, or with the step, that violates a property.
pub(super) fn finite<M: Model>(
    model: &M,
    space: &Space<M::State>,
    property: &Property<M>,
    witness: Witness,
) -> Result<Counterexample, CheckError> {
    let mut walk = Walk::to(model, space, space.id(witness.rank))?;
    if let Some(position) = witness.action {
        let mut actions = Vec::new();
        model.actions(walk.here, &mut actions);
        let step = actions.get(position).and_then(|action| Some((action, model.next(walk.here, action)?)));
        let Some((action, after)) = step else { return Err(walk.not_repeatable(&actions)) };
        walk.steps.push(told(model, &walk.lanes, walk.here, action, &after)?);
        return Ok(walk.end((property.explain)(model, &after), None));
    }
    let explanation = (property.explain)(model, walk.here);
    Ok(walk.end(explanation, None))
}

/// A behaviour on which the goal of a liveness property never comes.
pub(super) fn lasso<M: Model>(
    model: &M,
    space: &Space<M::State>,
    property: &Property<M>,
    lasso: &Lasso,
) -> Result<Counterexample, CheckError> {
    let state = |rank: u32| space.state(space.id(rank as usize));
    let fairness = model.fairness();
    let mut walk = Walk::to(model, space, space.id(lasso.stem[0] as usize))?;
    for rank in &lasso.stem[1..] {
        walk.step_to(state(*rank), |_| true)?;
    }
    let lasso_start = walk.steps.len();
    for leg in &lasso.cycle {
        walk.step_to(state(leg.target), |action| fair_actions(&fairness, action) == leg.fair)?;
    }
    let explanation = (property.explain)(model, walk.here);
    Ok(walk.end(explanation, Some(lasso_start)))
}

/// A behaviour as far as it is rebuilt.
struct Walk<'a, M: Model> {
    model: &'a M,
    lanes: Vec<String>,
    opening: String,
    steps: Vec<Step>,
    here: &'a M::State,
}

impl<'a, M: Model> Walk<'a, M> {
    /// A shortest behaviour that leads to a state.
    fn to(model: &'a M, space: &'a Space<M::State>, id: StateId) -> Result<Self, CheckError> {
        let mut path: Vec<StateId> = std::iter::successors(Some(id), |id| space.parent(*id)).collect();
        path.reverse();
        let first = space.state(path[0]);
        let mut walk = Walk {
            model,
            lanes: model.lanes(),
            opening: model.opening(first),
            steps: Vec::new(),
            here: first,
        };
        for id in &path[1..] {
            walk.step_to(space.state(*id), |_| true)?;
        }
        Ok(walk)
    }

    /// Appends the first step that fits and leads to `after`.
    fn step_to(&mut self, after: &'a M::State, fits: impl Fn(&M::Action) -> bool) -> Result<(), CheckError> {
        let mut actions = Vec::new();
        self.model.actions(self.here, &mut actions);
        for action in actions.iter().filter(|action| fits(action)) {
            let Some(next) = self.model.next(self.here, action) else { continue };
            if next == *after {
                if Key::of(&next) != Key::of(after) {
                    return Err(CheckError::HashDisagreesWithEq { action: format!("{action:?}") });
                }
                self.steps.push(told(self.model, &self.lanes, self.here, action, after)?);
                self.here = after;
                return Ok(());
            }
        }
        Err(self.not_repeatable(&actions))
    }

    fn not_repeatable(&self, tried: &[M::Action]) -> CheckError {
        let tried = tried.iter().map(|action| format!("{action:?}")).collect();
        CheckError::NotRepeatable { step: self.steps.len() + 1, tried }
    }

    fn end(self, explanation: String, lasso_start: Option<usize>) -> Counterexample {
        let Walk { lanes, opening, steps, .. } = self;
        Counterexample { lanes, opening, steps, lasso_start, explanation }
    }
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
