//! Models that contradict themselves are refused with an error that names what is wrong.

#[path = "models/counting.rs"]
mod counting;

use counting::{Counting, Wrong};
use downbeat_sim::check::{CheckError, Checker};

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
        // The first look asks for three steps three times each, the search, which looks again, four times, and the
        // replay of its path once more for each step.
        (Wrong::Fickle(1),         &["S1"],       CheckError::NotDeterministic { action: action() }),
        (Wrong::Fickle(10),        &["S1"],       CheckError::NotDeterministic { action: action() }),
        (Wrong::Fickle(21),        &["S1"],       CheckError::NotRepeatable { step: 1, tried: vec![action()] }),
        (Wrong::Fickle(23),        &["S1"],       CheckError::NotRepeatable { step: 3, tried: vec![action()] }),
        (Wrong::Fickle(22),        &["L1"],       CheckError::UnknownState { action: action() }),
        (Wrong::Hash,              &["S1"],       CheckError::HashDisagreesWithEq { action: action() }),
        (Wrong::NoHash,            &["S1"],       CheckError::HashLeavesOut { action: action() }),
        (Wrong::Twice,             &["S1"],       CheckError::SameActionTwice { action: action() }),
        (Wrong::Panic(3),          &["S1"],       panicked("no step to 3", Some(2), "`Increment`")),
        (Wrong::PropertyPanic(3),  &["S1"],       panicked("what is that?", Some(3), "its properties, kinds and marks")),
        (Wrong::InitialPanic,      &["S1"],       panicked("no beginning", None, "something that is not about one state of the search")),
    ];
    for (wrong, only, expected) in cases {
        let model = Counting::new(wrong);
        assert_eq!(Checker::new(&model).only(only.iter().copied()).check(), Err(expected), "{wrong:?}");
    }
}

#[test]
fn unknown_properties_are_refused() {
    let model = Counting::new(Wrong::Fickle(usize::MAX));
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
