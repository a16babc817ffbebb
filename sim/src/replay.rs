//! A recorded counterexample, stepped through a model once more.
//!
//! A counterexample outlives the model that it was found in: somebody reports it, somebody changes the model, and
//! the question is whether it still goes wrong in the same way. No search answers that. The recorded actions are
//! taken one after the other, and the property is judged again on the states that they lead to.
//!
//! An action is the recorded one if its `Debug` is. Words are not compared for that: a step that only reads
//! otherwise is the same step, and is named in [`Replayed::reworded`].

mod judge;
mod misfit;

use std::cmp::Reverse;
use std::fmt;

pub use misfit::{Gone, Misfit};

use crate::check::CheckError;
use crate::edits::edits;
use crate::model::{Arrow, Model, Property, Told};
use crate::report::{Counterexample, Step};

/// Enabled actions that a [`Misfit`] names: those nearest to the one that was recorded.
const NAMED: usize = 3;

/// A behaviour that violates its property still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The behaviour as the model tells it now.
    pub counterexample: Counterexample,
    /// What reads otherwise than it was recorded.
    pub reworded: Vec<Part>,
}

/// A part of a counterexample that is words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// [`Counterexample::opening`]
    Opening,
    /// The step with this number, from 1.
    Step(usize),
    /// [`Counterexample::explanation`]
    Explanation,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Opening => write!(f, "the opening"),
            Part::Step(step) => write!(f, "step {step}"),
            Part::Explanation => write!(f, "the explanation"),
        }
    }
}

/// Takes the recorded steps in `model` and judges its property `id` again.
///
/// A behaviour begins in an initial state whose opening is the recorded one, or, if there is none, in any. Of several
/// the first counts from which the property is violated. Actions whose `Debug` is the same are told apart by their words,
/// else the first is taken.
///
/// # Errors
/// The recorded steps cannot be taken, or they violate nothing; see [`Misfit`].
pub fn replay<M: Model>(model: &M, id: &str, recorded: &Counterexample) -> Result<Replayed, Misfit> {
    let properties = model.properties();
    let Some(property) = properties.iter().find(|property| property.id == id) else {
        let known = properties.iter().map(|property| property.id).collect();
        return Err(Misfit::Model(CheckError::UnknownProperty { id: id.to_owned(), known }));
    };
    let mut misfits = Vec::new();
    for first in beginnings(model, recorded) {
        match from(model, property, recorded, first) {
            Ok(replayed) => return Ok(replayed),
            Err(misfit) => misfits.push(misfit),
        }
    }
    let nearest = misfits.into_iter().min_by_key(|misfit| Reverse(misfit.steps_taken()));
    Err(nearest.unwrap_or(Misfit::Model(CheckError::NoInitialState)))
}

/// The initial states with the recorded opening, or all.
fn beginnings<M: Model>(model: &M, recorded: &Counterexample) -> Vec<M::State> {
    let initial = model.initial();
    let opens = |state: &M::State| model.opening(state) == recorded.opening;
    let as_recorded: Vec<M::State> = initial.iter().filter(|state| opens(state)).cloned().collect();
    if as_recorded.is_empty() { initial } else { as_recorded }
}

fn from<M: Model>(
    model: &M,
    property: &Property<M>,
    recorded: &Counterexample,
    first: M::State,
) -> Result<Replayed, Misfit> {
    let mut walk =
        Walk { model, lanes: model.lanes(), states: vec![first], actions: Vec::new(), steps: Vec::new() };
    for step in &recorded.steps {
        walk.take(step, recorded)?;
    }
    judge::judge(model, property, &walk, recorded.lasso_start)?;
    let counterexample = Counterexample {
        opening: model.opening(&walk.states[0]),
        explanation: (property.explain)(model, walk.last()),
        lanes: walk.lanes,
        steps: walk.steps,
        lasso_start: recorded.lasso_start,
    };
    let reworded = reworded(recorded, &counterexample);
    Ok(Replayed { counterexample, reworded })
}

/// A behaviour as far as its steps were taken.
struct Walk<'a, M: Model> {
    model: &'a M,
    lanes: Vec<String>,
    /// One more than steps.
    states: Vec<M::State>,
    actions: Vec<M::Action>,
    steps: Vec<Step>,
}

impl<M: Model> Walk<'_, M> {
    fn last(&self) -> &M::State {
        self.states.last().expect("a walk begins with a state")
    }

    /// Takes the step that was recorded.
    fn take(&mut self, step: &Step, recorded: &Counterexample) -> Result<(), Misfit> {
        let mut fitting = Vec::new();
        let mut others = Vec::new();
        let before = self.last();
        for (action, after) in steps_from(self.model, before) {
            let shown = format!("{action:?}");
            if shown == step.action {
                let told = self.told(before, &action, &after)?;
                fitting.push((action, after, told));
            } else {
                others.push(shown);
            }
        }
        let told_alike =
            |(_, _, told): &(_, _, Told)| words(told, &self.lanes) == words(&step.told, &recorded.lanes);
        let position = fitting.iter().position(told_alike).unwrap_or(0);
        let Some((action, after, told)) = fitting.into_iter().nth(position) else {
            return Err(self.misfit(step, recorded.steps.len(), others));
        };
        self.steps.push(Step { action: step.action.clone(), told });
        self.actions.push(action);
        self.states.push(after);
        Ok(())
    }

    fn misfit(&self, step: &Step, of: usize, mut enabled: Vec<String>) -> Misfit {
        enabled.sort_by_key(|action| edits(&step.action, action));
        let more = enabled.len().saturating_sub(NAMED);
        enabled.truncate(NAMED);
        Misfit::Step { step: self.steps.len() + 1, of, expected: step.action.clone(), enabled, more }
    }

    fn told(&self, before: &M::State, action: &M::Action, after: &M::State) -> Result<Told, Misfit> {
        let told = self.model.tell(before, action, after);
        let lanes = self.lanes.len();
        let unknown = arrows(&told).flat_map(|arrow| [arrow.from, arrow.to]).find(|lane| *lane >= lanes);
        match unknown {
            Some(lane) => {
                Err(Misfit::Model(CheckError::UnknownLane { action: format!("{action:?}"), lane, lanes }))
            }
            None => Ok(told),
        }
    }
}

/// Every step that can be taken in a state, also those that change nothing.
fn steps_from<M: Model>(model: &M, state: &M::State) -> Vec<(M::Action, M::State)> {
    let mut steps = Vec::new();
    model.steps(state, &mut Vec::new(), |action, after| steps.push((action.clone(), after)));
    steps
}

fn reworded(recorded: &Counterexample, now: &Counterexample) -> Vec<Part> {
    let mut parts = Vec::new();
    if recorded.opening != now.opening {
        parts.push(Part::Opening);
    }
    for (index, (before, after)) in recorded.steps.iter().zip(&now.steps).enumerate() {
        if words(&before.told, &recorded.lanes) != words(&after.told, &now.lanes) {
            parts.push(Part::Step(index + 1));
        }
    }
    if recorded.explanation != now.explanation {
        parts.push(Part::Explanation);
    }
    parts
}

fn arrows(told: &Told) -> impl Iterator<Item = &Arrow> {
    std::iter::once(&told.cause).chain(&told.then)
}

/// A step in words, with names instead of indices: lanes may have got other places.
fn words<'a>(told: &'a Told, lanes: &'a [String]) -> (Vec<[&'a str; 3]>, &'a str) {
    let name = |lane: usize| lanes.get(lane).map_or("", String::as_str);
    let arrows = arrows(told).map(|arrow| [name(arrow.from), name(arrow.to), &arrow.text]).collect();
    (arrows, &told.change)
}
