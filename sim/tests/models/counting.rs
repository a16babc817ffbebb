//! A toy that counts to three and contradicts itself.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

use downbeat_sim::model::{Fairness, Model, Property, Told};

/// What is wrong with a model that counts to three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    NoInitialState,
    SamePropertyTwice,
    UnknownLane,
    /// Once it has been asked this often, a step leads elsewhere.
    Fickle(usize),
    /// States that are equal hash differently.
    Hash,
    /// States that differ have one hash.
    NoHash,
    /// The same action is there twice.
    Twice,
    /// The step to this count panics.
    Panic(u8),
    /// A property panics at this count.
    PropertyPanic(u8),
    /// `initial` panics.
    InitialPanic,
}

pub(crate) struct Counting {
    wrong: Wrong,
    asked: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    count: u8,
    hash_only: usize,
    is_unhashed: bool,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count
    }
}

impl Eq for State {}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        if !self.is_unhashed {
            (self.count, self.hash_only).hash(hasher);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Increment;

impl Counting {
    pub(crate) fn new(wrong: Wrong) -> Self {
        Self { wrong, asked: AtomicUsize::new(0) }
    }
}

impl Model for Counting {
    type State = State;
    type Action = Increment;

    fn initial(&self) -> Vec<State> {
        assert!(self.wrong != Wrong::InitialPanic, "no beginning");
        let is_unhashed = self.wrong == Wrong::NoHash;
        let first = State { count: 0, hash_only: 0, is_unhashed };
        if self.wrong == Wrong::NoInitialState { Vec::new() } else { vec![first] }
    }

    fn actions(&self, state: &State, actions: &mut Vec<Increment>) {
        if state.count < 3 {
            actions.push(Increment);
        }
        if self.wrong == Wrong::Twice && state.count == 2 {
            actions.push(Increment);
        }
    }

    fn next(&self, state: &State, _: &Increment) -> Option<State> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let elsewhere = matches!(self.wrong, Wrong::Fickle(often) if asked >= often);
        let hash_only = if self.wrong == Wrong::Hash { asked } else { 0 };
        let count = state.count + if elsewhere { 7 } else { 1 };
        assert!(self.wrong != Wrong::Panic(count), "no step to {count}");
        Some(State { count, hash_only, ..*state })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let bounded = || {
            Property::<Self>::always(
                "S1",
                "below 3",
                |model, state| {
                    assert!(model.wrong != Wrong::PropertyPanic(state.count), "what is that?");
                    state.count < 3
                },
                |_, _| true,
                |_, _| String::new(),
            )
        };
        let ends =
            Property::<Self>::eventually("L1", "ends", |_, state| state.count == 9, |_, _| String::new());
        let twice = self.wrong == Wrong::SamePropertyTwice;
        if twice { vec![bounded(), bounded()] } else { vec![bounded(), ends] }
    }

    fn fairness(&self) -> Vec<Fairness<Self>> {
        vec![Fairness::weak("it counts", |_| true)]
    }

    fn is_final(&self, _: &State) -> bool {
        true
    }

    fn lanes(&self) -> Vec<String> {
        vec!["counter".into()]
    }

    fn tell(&self, _: &State, _: &Increment, _: &State) -> Told {
        Told::new(0, if self.wrong == Wrong::UnknownLane { 4 } else { 0 }, "counts")
    }
}
