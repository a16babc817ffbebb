//! Any model once more, with handles of its states in their place.

use std::num::NonZeroUsize;
use std::time::Duration;

use downbeat_sim::check::{Checker, Limits};
use downbeat_sim::model::{Check, Fairness, Model, Property, Told};
use downbeat_sim::parts::{Memo, Part, Parts};
use downbeat_sim::report::{Report, Storage};
use proptest::prelude::*;

/// A model whose states are stored once in a table, and whose steps are remembered by their number.
pub(crate) struct Interned<'a, M: Model> {
    model: &'a M,
    properties: Vec<Property<M>>,
    states: Parts<M::State>,
    steps: Memo<Part<M::State>>,
}

impl<'a, M: Model> Interned<'a, M> {
    pub(crate) fn new(model: &'a M) -> Self {
        Self { model, properties: model.properties(), states: Parts::new(), steps: Memo::new() }
    }

    /// Compares what is found by handles with what is expected of their states.
    pub(crate) fn agrees(
        &self,
        (only, depth): (&[&str], Option<usize>),
        threads: usize,
        expected: &Report,
    ) -> Result<(), TestCaseError> {
        let threads = NonZeroUsize::new(threads).expect("a search has a thread");
        for storage in
            [Checker::fingerprints_of_64_bits, Checker::fingerprints_of_128_bits, Checker::whole_states]
        {
            let checker = storage(Checker::new(self)).only(only.iter().copied()).threads(threads);
            let report = checker.limits(Limits { depth, ..Limits::default() }).check();
            let report = report.expect("the model is sound");
            let report = Report { elapsed: Duration::ZERO, storage: Storage::Exact, ..report };
            prop_assert_eq!(&report, expected);
        }
        Ok(())
    }
}

/// The first or the second predicate of the property with this number, on a state.
fn on_state<const PROPERTY: usize, const SECOND: bool, M: Model>(
    interned: &Interned<'_, M>,
    state: &Part<M::State>,
) -> bool {
    let [first, second] = match interned.properties[PROPERTY].check {
        Check::Always { holds, reachable } => [holds, reachable],
        Check::LeadsTo { from, to } => [from, to],
        Check::Sometimes(predicate) | Check::Eventually(predicate) => [predicate; 2],
        Check::AlwaysStep { .. } | Check::NoDeadlock => unreachable!("it is not about states"),
    };
    let predicate = if SECOND { second } else { first };
    predicate(interned.model, &interned.states[*state])
}

fn on_step<const PROPERTY: usize, const SECOND: bool, M: Model>(
    interned: &Interned<'_, M>,
    before: &Part<M::State>,
    action: &M::Action,
    after: &Part<M::State>,
) -> bool {
    let Check::AlwaysStep { holds, reachable } = interned.properties[PROPERTY].check else {
        unreachable!("it is not about steps")
    };
    let predicate = if SECOND { reachable } else { holds };
    predicate(interned.model, &interned.states[*before], action, &interned.states[*after])
}

/// What makes a property of states one of handles.
type OfHandles<M, I> = fn(&Property<M>) -> Property<I>;

fn property<'a, const PROPERTY: usize, M: Model>(original: &Property<M>) -> Property<Interned<'a, M>> {
    let check = match original.check {
        Check::Always { .. } => {
            Check::Always { holds: on_state::<PROPERTY, false, M>, reachable: on_state::<PROPERTY, true, M> }
        }
        Check::AlwaysStep { .. } => Check::AlwaysStep {
            holds: on_step::<PROPERTY, false, M>,
            reachable: on_step::<PROPERTY, true, M>,
        },
        Check::Sometimes(_) => Check::Sometimes(on_state::<PROPERTY, false, M>),
        Check::NoDeadlock => Check::NoDeadlock,
        Check::LeadsTo { .. } => {
            Check::LeadsTo { from: on_state::<PROPERTY, false, M>, to: on_state::<PROPERTY, true, M> }
        }
        Check::Eventually(_) => Check::Eventually(on_state::<PROPERTY, false, M>),
    };
    let Property { id, name, .. } = *original;
    Property {
        id,
        name,
        check,
        explain: |interned, state| {
            (interned.properties[PROPERTY].explain)(interned.model, &interned.states[*state])
        },
    }
}

impl<M: Model> Model for Interned<'_, M> {
    type State = Part<M::State>;
    type Action = M::Action;

    fn initial(&self) -> Vec<Self::State> {
        self.model.initial().into_iter().map(|state| self.states.intern(state)).collect()
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<M::Action>) {
        self.model.actions(&self.states[*state], actions);
    }

    fn next(&self, state: &Self::State, action: &M::Action) -> Option<Self::State> {
        self.model.next(&self.states[*state], action).map(|next| self.states.intern(next))
    }

    fn steps(
        &self,
        state: &Self::State,
        actions: &mut Vec<M::Action>,
        mut take: impl FnMut(&M::Action, Self::State),
    ) {
        let mut position = 0;
        self.model.steps(&self.states[*state], actions, |action, next| {
            take(action, self.steps.get_or(state.key(), position, || self.states.intern(next)));
            position += 1;
        });
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.model.kinds()
    }

    fn kind(&self, action: &M::Action) -> usize {
        self.model.kind(action)
    }

    fn marks(&self) -> Vec<String> {
        self.model.marks()
    }

    fn mark(
        &self,
        before: &Self::State,
        action: &M::Action,
        after: &Self::State,
        hit: &mut dyn FnMut(usize),
    ) {
        self.model.mark(&self.states[*before], action, &self.states[*after], hit);
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let number: [OfHandles<M, Self>; 6] = [
            property::<0, M>,
            property::<1, M>,
            property::<2, M>,
            property::<3, M>,
            property::<4, M>,
            property::<5, M>,
        ];
        self.properties.iter().zip(number).map(|(original, of_handles)| of_handles(original)).collect()
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        let same = |Fairness { name, strength, includes }: Fairness<M>| Fairness { name, strength, includes };
        self.model.fairness().into_iter().map(same).collect()
    }

    fn is_final(&self, state: &Self::State) -> bool {
        self.model.is_final(&self.states[*state])
    }

    fn lanes(&self) -> Vec<String> {
        self.model.lanes()
    }

    fn opening(&self, state: &Self::State) -> String {
        self.model.opening(&self.states[*state])
    }

    fn tell(&self, before: &Self::State, action: &M::Action, after: &Self::State) -> Told {
        self.model.tell(&self.states[*before], action, &self.states[*after])
    }
}
