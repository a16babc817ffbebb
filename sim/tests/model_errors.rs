//! Models that contradict themselves are refused with an error that names what is wrong.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

use downbeat_sim::check::{CheckError, Checker};
use downbeat_sim::model::{Fairness, Model, Property, Told};

/// What is wrong with a model that counts to three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
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

struct Counting {
    wrong: Wrong,
    asked: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
struct State {
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
struct Increment;

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

fn panicked(message: &str, after: Option<usize>, asked: &str) -> CheckError {
    let after = after.map(|steps| vec!["Increment".to_owned(); steps]);
    CheckError::Panicked { message: message.to_owned(), after, asked: asked.to_owned() }
}

#[test]
fn models_that_contradict_themselves_are_refused() {
    let action = || "Increment".to_owned();
    #[rustfmt::skip]
    let cases: [(Wrong, &[&str], CheckError); 14] = [
        (Wrong::NoInitialState,    &["S1"],       CheckError::NoInitialState),
        (Wrong::SamePropertyTwice, &[],           CheckError::DuplicateProperty { id: "S1" }),
        (Wrong::UnknownLane,       &["S1"],       CheckError::UnknownLane { action: action(), lane: 4, lanes: 1 }),
        // The first look asks for three steps three times each, the search for that of the first state four times
        // and of the others once, the replay of its path once more for each step.
        (Wrong::Fickle(1),         &["S1"],       CheckError::NotDeterministic { action: action() }),
        (Wrong::Fickle(10),        &["S1"],       CheckError::NotDeterministic { action: action() }),
        (Wrong::Fickle(15),        &["S1"],       CheckError::NotRepeatable { step: 1, tried: vec![action()] }),
        (Wrong::Fickle(17),        &["S1"],       CheckError::NotRepeatable { step: 3, tried: vec![action()] }),
        (Wrong::Fickle(16),        &["L1"],       CheckError::UnknownState { action: action() }),
        (Wrong::Hash,              &["S1"],       CheckError::HashDisagreesWithEq { action: action() }),
        (Wrong::NoHash,            &["S1"],       CheckError::HashLeavesOut { action: action() }),
        (Wrong::Twice,             &["S1"],       CheckError::SameActionTwice { action: action() }),
        (Wrong::Panic(3),          &["S1"],       panicked("no step to 3", Some(2), "`Increment`")),
        (Wrong::PropertyPanic(3),  &["S1"],       panicked("what is that?", Some(3), "its properties, kinds and marks")),
        (Wrong::InitialPanic,      &["S1"],       panicked("no beginning", None, "something that is not about one state of the search")),
    ];
    for (wrong, only, expected) in cases {
        let model = Counting { wrong, asked: AtomicUsize::new(0) };
        assert_eq!(Checker::new(&model).only(only.iter().copied()).check(), Err(expected), "{wrong:?}");
    }
}

#[test]
fn unknown_properties_are_refused() {
    let model = Counting { wrong: Wrong::Fickle(usize::MAX), asked: AtomicUsize::new(0) };
    let expected = CheckError::UnknownProperty { id: "S2".into(), known: vec!["S1", "L1"] };
    assert_eq!(Checker::new(&model).only(["S2"]).check(), Err(expected));
}

#[test]
fn errors_name_the_action() {
    let not_repeatable = CheckError::NotRepeatable { step: 3, tried: vec!["Increment".into()] };
    assert_eq!(
        not_repeatable.to_string(),
        "step 3 of a counterexample cannot be taken again: none of the enabled actions (Increment) leads to the \
         state that was recorded; does the model depend on anything but its arguments?"
    );
    let unknown_state = CheckError::UnknownState { action: "Increment".into() };
    assert_eq!(
        unknown_state.to_string(),
        "taking `Increment` again led to a state that the search has not found; does the model depend on anything \
         but its arguments, or does `Hash` of its state disagree with `Eq`?"
    );
}
