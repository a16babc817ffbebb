//! What the checker checks: a closed system, its properties, and how one of its steps reads.
//!
//! A [`Model`] is a directed graph given by its initial states and its steps. Nothing in it may depend on
//! anything but the arguments: the checker calls it again to rebuild a counterexample and relies on the same
//! answer.

use std::fmt::Debug;
use std::hash::Hash;

use crate::reduction::Processes;
use crate::symmetry::Symmetry;

/// A closed system: initial states, the actions enabled in a state, and the state that each leads to.
pub trait Model: Send + Sync + Sized {
    /// One global state. Equal states are one state; `Hash` must agree with `Eq`.
    type State: Clone + Eq + Hash + Send + Sync;
    /// One atomic step that some actor may take. Two actions enabled in one state must differ.
    type Action: Clone + Eq + Debug + Send + Sync;

    /// The states in which a behaviour may begin. An empty list is reported as an error of the model.
    fn initial(&self) -> Vec<Self::State>;

    /// Appends every action that may be taken in `state`, always in the same order.
    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>);

    /// The state that `action` leads to, or `None` if its guard refuses after all.
    ///
    /// A step to an equal state is a step that changes nothing: it is counted as generated, it never enables a
    /// fair action and never counts as taking one (as in TLA+, where fairness is of ⟨A⟩ᵥ).
    fn next(&self, state: &Self::State, action: &Self::Action) -> Option<Self::State>;

    /// Takes every step from `state` that no guard refuses, in the order of [`Model::actions`]. `actions` is only
    /// room to work in.
    ///
    /// A model whose steps cost less than a list of actions may write its own; it must take the very same steps.
    fn steps(
        &self,
        state: &Self::State,
        actions: &mut Vec<Self::Action>,
        mut take: impl FnMut(&Self::Action, Self::State),
    ) {
        actions.clear();
        self.actions(state, actions);
        for action in actions.iter() {
            if let Some(next) = self.next(state, action) {
                take(action, next);
            }
        }
    }

    /// The names of the kinds of action, for the report on what was taken; empty for no such report.
    fn kinds(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The kind of an action, as an index into [`Model::kinds`].
    fn kind(&self, _action: &Self::Action) -> usize {
        0
    }

    /// The names of what else a search should come by, such as the edges of a state machine; empty for nothing.
    fn marks(&self) -> Vec<String> {
        Vec::new()
    }

    /// Calls `hit` with the index into [`Model::marks`] of each one that a step comes by.
    fn mark(
        &self,
        _before: &Self::State,
        _action: &Self::Action,
        _after: &Self::State,
        _hit: &mut dyn FnMut(usize),
    ) {
    }

    /// What is to be checked, in the order of the report.
    fn properties(&self) -> Vec<Property<Self>>;

    /// The actions that are not ignored for ever. Without any, every behaviour may stutter for ever.
    fn fairness(&self) -> Vec<Fairness<Self>> {
        Vec::new()
    }

    /// Which ids are interchangeable, so that states that differ in their names only are visited once; `None` to
    /// visit them all.
    ///
    /// The initial states, the steps, [`Model::is_final`] and every predicate of a property must not depend on the
    /// names of these ids. Liveness is not decided under symmetry.
    fn symmetry(&self) -> Option<Symmetry<Self>> {
        None
    }

    /// Who takes which action and what that touches, for a search that leaves out orders of steps that make no
    /// difference; `None` if it is not known, and then none is left out. [`crate::reduction`] says what is asked for.
    fn processes(&self) -> Option<Processes<Self>> {
        None
    }

    /// How a state is written to bytes, so that states that were found and not expanded yet may wait on disk when memory
    /// is short; `None` to keep them in memory. A packed state needs none.
    fn codec(&self) -> Option<Codec<Self>> {
        None
    }

    /// Whether the system may rest in `state`. A state without a step that is not final is a deadlock.
    fn is_final(&self, state: &Self::State) -> bool;

    /// The names of the participants of a sequence diagram, left to right. [`Lane`] indexes into it.
    fn lanes(&self) -> Vec<String>;

    /// One line that shows where the system stands at the beginning of a counterexample; empty for nothing.
    fn opening(&self, _state: &Self::State) -> String {
        String::new()
    }

    /// How the step from `before` by `action` to `after` reads in a sequence diagram.
    fn tell(&self, before: &Self::State, action: &Self::Action, after: &Self::State) -> Told;
}

/// How states are written to bytes and had back, both by the same process: handles into the tables of the model may
/// be written as they are.
pub struct Codec<M: Model> {
    /// Appends a state to the bytes.
    pub write: fn(&M, &M::State, &mut Vec<u8>),
    /// The state that was written, from the bytes that `write` appended. It must be equal.
    pub read: fn(&M, &[u8]) -> M::State,
}

/// Index of a participant in [`Model::lanes`].
pub type Lane = usize;

/// A step in words: the arrow that caused it, what followed at once, and what is different now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The first arrow: who acted, and on whom.
    pub cause: Arrow,
    /// What happened in the same atomic step, in order.
    pub then: Vec<Arrow>,
    /// What a reader must know about the new state, such as `in flight: parent #2, parent #3`; may be empty.
    pub change: String,
}

/// An arrow between two lanes, or a remark at one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// Who acts.
    pub from: Lane,
    /// At whom the arrow ends; equal to `from` for an act of one participant alone.
    pub to: Lane,
    /// What is done, in words.
    pub text: String,
}

impl Told {
    /// A step of one arrow.
    pub fn new(from: Lane, to: Lane, text: impl Into<String>) -> Self {
        Self { cause: Arrow { from, to, text: text.into() }, then: Vec::new(), change: String::new() }
    }

    /// Adds what happened in the same atomic step.
    #[must_use]
    pub fn then(mut self, from: Lane, to: Lane, text: impl Into<String>) -> Self {
        self.then.push(Arrow { from, to, text: text.into() });
        self
    }

    /// Sets what a reader must know about the new state.
    #[must_use]
    pub fn change(mut self, change: impl Into<String>) -> Self {
        self.change = change.into();
        self
    }
}

/// A predicate on one state.
pub type OnState<M> = fn(&M, &<M as Model>::State) -> bool;
/// A predicate on one step: before, action, after.
pub type OnStep<M> = fn(&M, &<M as Model>::State, &<M as Model>::Action, &<M as Model>::State) -> bool;
/// What is wrong in a state that breaks a property, as a sentence.
pub type Explain<M> = fn(&M, &<M as Model>::State) -> String;

/// Something that must be true of a model.
pub struct Property<M: Model> {
    /// Short id, unique within the model: `S1`.
    pub id: &'static str,
    /// The statement in words.
    pub name: &'static str,
    /// What is evaluated, and where.
    pub check: Check<M>,
    /// The sentence that ends a counterexample, made from its last state (of the lasso's loop, for liveness).
    pub explain: Explain<M>,
}

/// The kinds of property.
pub enum Check<M: Model> {
    /// `holds` in every reachable state; *vacuous* unless `reachable` is true in some reachable state.
    Always {
        /// The invariant.
        holds: OnState<M>,
        /// Its antecedent: that something is there to be checked.
        reachable: OnState<M>,
    },
    /// `holds` for every step; *vacuous* unless `reachable` is true of some step.
    AlwaysStep {
        /// The invariant of steps.
        holds: OnStep<M>,
        /// Its antecedent.
        reachable: OnStep<M>,
    },
    /// True in some reachable state; otherwise violated, without a counterexample.
    Sometimes(OnState<M>),
    /// Every state without a step that changes it is final.
    NoDeadlock,
    /// From each state where `from` holds, every fair behaviour comes to a state where `to` holds; *vacuous*
    /// unless `from` is reachable. `eventually` is the case in which `from` is true of the initial states.
    LeadsTo {
        /// Where the obligation begins.
        from: OnState<M>,
        /// Where it is met.
        to: OnState<M>,
    },
    /// From each initial state every fair behaviour comes to a state where it holds.
    Eventually(OnState<M>),
}

impl<M: Model> Property<M> {
    /// An invariant with the antecedent that keeps it from holding vacuously.
    pub fn always(
        id: &'static str,
        name: &'static str,
        holds: OnState<M>,
        reachable: OnState<M>,
        explain: Explain<M>,
    ) -> Self {
        Self { id, name, check: Check::Always { holds, reachable }, explain }
    }

    /// An invariant of steps with the antecedent that keeps it from holding vacuously.
    ///
    /// It is evaluated for every step, also for one that changes nothing. `explain` is given the state after
    /// the step.
    pub fn always_step(
        id: &'static str,
        name: &'static str,
        holds: OnStep<M>,
        reachable: OnStep<M>,
        explain: Explain<M>,
    ) -> Self {
        Self { id, name, check: Check::AlwaysStep { holds, reachable }, explain }
    }

    /// Something that can happen. Its violation has no counterexample, hence nothing to explain.
    pub fn sometimes(id: &'static str, name: &'static str, holds: OnState<M>) -> Self {
        Self { id, name, check: Check::Sometimes(holds), explain: |_, _| String::new() }
    }

    /// No state without a step that changes it, other than the final ones.
    pub fn no_deadlock(id: &'static str, name: &'static str, explain: Explain<M>) -> Self {
        Self { id, name, check: Check::NoDeadlock, explain }
    }

    /// Whenever `from` holds, `to` holds then or later, under the fairness of [`Model::fairness`].
    pub fn leads_to(
        id: &'static str,
        name: &'static str,
        from: OnState<M>,
        to: OnState<M>,
        explain: Explain<M>,
    ) -> Self {
        Self { id, name, check: Check::LeadsTo { from, to }, explain }
    }

    /// Every behaviour comes to a state where `goal` holds, under the fairness of [`Model::fairness`].
    pub fn eventually(id: &'static str, name: &'static str, goal: OnState<M>, explain: Explain<M>) -> Self {
        Self { id, name, check: Check::Eventually(goal), explain }
    }
}

/// Which actions are steps of a fair action.
pub type Includes<M> = Box<dyn Fn(&<M as Model>::Action) -> bool + Send + Sync>;

/// How far an action is from being ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strength {
    /// It is not enabled without interruption for ever and never taken.
    Weak,
    /// It is not enabled again and again for ever and never taken.
    Strong,
}

/// Fairness of one named action.
pub struct Fairness<M: Model> {
    /// Name for reports, such as `the provider answers the parent`.
    pub name: String,
    /// Under which condition the action must be taken.
    pub strength: Strength,
    /// Which steps are steps of this action. Steps that change nothing are not asked about.
    pub includes: Includes<M>,
}

impl<M: Model> Fairness<M> {
    /// Weak fairness of the actions for which `includes` is true, taken together as one.
    pub fn weak(
        name: impl Into<String>,
        includes: impl Fn(&M::Action) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), strength: Strength::Weak, includes: Box::new(includes) }
    }

    /// Strong fairness of the actions for which `includes` is true, taken together as one.
    pub fn strong(
        name: impl Into<String>,
        includes: impl Fn(&M::Action) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), strength: Strength::Strong, includes: Box::new(includes) }
    }
}
