//! What is wrong with a model far from its beginning is named, and the same thing on any number of threads.

use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, Ordering};

use downbeat_sim::check::{CheckError, Checker};
use downbeat_sim::model::{Model, Property, Told};

/// What is wrong in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// The list of actions panics.
    Actions,
    /// A step panics.
    Step,
    /// A property of states panics.
    Holds,
    /// The goal of a liveness property panics.
    Goal,
    /// Every other time a step leads elsewhere.
    Fickle,
    /// A step leads to states that are equal and hash differently.
    Hash,
    /// An action is listed twice.
    Twice,
}

/// The last state with four branches. Those from the next one on are the last level, which is enough for four chunks.
const LAST: u32 = 5_460;

/// A tree of which every inner state has four branches; each leaf has a way back to the root. States are numbered level
/// by level, so that a number is also the rank in the search.
struct Tree {
    /// Where something is wrong.
    wrong: Vec<(u32, Wrong)>,
    asked: AtomicU32,
}

#[derive(Clone, Copy, Debug)]
struct State {
    number: u32,
    hash_only: u32,
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for State {}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.number, self.hash_only).hash(hasher);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Branch(u32),
    Return,
}

impl Tree {
    fn is(&self, state: State, what: Wrong) -> bool {
        self.wrong.contains(&(state.number, what))
    }
}

impl Model for Tree {
    type State = State;
    type Action = Action;

    fn initial(&self) -> Vec<State> {
        vec![State { number: 0, hash_only: 0 }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        assert!(!self.is(*state, Wrong::Actions), "no list in {}", state.number);
        if state.number <= LAST {
            actions.extend((0..4).map(Action::Branch));
        } else {
            let times = if self.is(*state, Wrong::Twice) { 2 } else { 1 };
            actions.extend((0..times).map(|_| Action::Return));
        }
    }

    fn next(&self, state: &State, action: &Action) -> Option<State> {
        assert!(!self.is(*state, Wrong::Step), "no step from {}", state.number);
        let number = match action {
            Action::Branch(branch) => state.number * 4 + branch + 1,
            Action::Return => 0,
        };
        // Other threads ask about other states meanwhile.
        let times = || self.asked.fetch_add(1, Ordering::Relaxed);
        let elsewhere = if self.is(*state, Wrong::Fickle) { times() % 2 } else { 0 };
        let hash_only = if self.is(*state, Wrong::Hash) { times() } else { 0 };
        Some(State { number: number + elsewhere, hash_only })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let explain = |_: &Self, state: &State| format!("it is {}", state.number);
        vec![
            Property::<Self>::always(
                "S1",
                "it is in the tree",
                |model, state| {
                    assert!(!model.is(*state, Wrong::Holds), "no answer about {}", state.number);
                    state.number <= 4 * LAST + 4
                },
                |_, _| true,
                explain,
            ),
            Property::<Self>::eventually(
                "L1",
                "it comes to a leaf",
                |model, state| {
                    assert!(!model.is(*state, Wrong::Goal), "no goal in {}", state.number);
                    state.number > LAST
                },
                explain,
            ),
        ]
    }

    fn is_final(&self, _: &State) -> bool {
        true
    }

    fn lanes(&self) -> Vec<String> {
        vec!["tree".into()]
    }

    fn tell(&self, _: &State, _: &Action, _: &State) -> Told {
        Told::new(0, 0, "goes on")
    }
}

/// Chunks of several threads begin at 5,461, 9,557, 13,653 and 17,749; every 1,024th state is looked at twice.
#[test]
fn contradictions_far_from_the_beginning_are_refused_alike_on_any_number_of_threads() {
    let branches = |way: &[u32]| Some(way.iter().map(|branch| format!("Branch({branch})")).collect());
    let to_6000 = || branches(&[0, 0, 2, 0, 1, 2, 3]);
    let panicked = |message: &str, after, asked: &str| CheckError::Panicked {
        message: message.to_owned(),
        after,
        asked: asked.to_owned(),
    };
    let no_step = || panicked("no step from 6000", to_6000(), "`Return`");
    let action = || "Return".to_owned();
    #[rustfmt::skip]
    let cases: [(&[(u32, Wrong)], CheckError); 12] = [
        (&[(6_000, Wrong::Step)],                            no_step()),
        (&[(6_000, Wrong::Actions)],                         panicked("no list in 6000", to_6000(), "its actions")),
        (&[(6_000, Wrong::Holds)],                           panicked("no answer about 6000", to_6000(), "its properties, kinds and marks")),
        (&[(2_000, Wrong::Goal)],                            panicked("no goal in 2000", None, "its steps once more, or for a predicate of liveness")),
        (&[(10_240, Wrong::Fickle)],                         CheckError::NotDeterministic { action: action() }),
        (&[(10_240, Wrong::Hash)],                           CheckError::HashDisagreesWithEq { action: action() }),
        (&[(10_240, Wrong::Twice)],                          CheckError::SameActionTwice { action: action() }),
        // Of several the first, in the same chunk and in another one.
        (&[(18_000, Wrong::Step), (6_000, Wrong::Step)],     no_step()),
        (&[(6_000, Wrong::Step), (6_144, Wrong::Fickle)],    no_step()),
        (&[(6_000, Wrong::Step), (10_240, Wrong::Twice)],    no_step()),
        (&[(6_144, Wrong::Twice), (6_200, Wrong::Step)],     CheckError::SameActionTwice { action: action() }),
        (&[(10_240, Wrong::Fickle), (18_000, Wrong::Holds)], CheckError::NotDeterministic { action: action() }),
    ];
    for (wrong, expected) in cases {
        for threads in [1, 2, 3] {
            for is_whole in [false, true] {
                let tree = Tree { wrong: wrong.to_vec(), asked: AtomicU32::new(0) };
                let checker = Checker::new(&tree).threads(NonZeroUsize::new(threads).expect("not zero"));
                let checker = if is_whole { checker.whole_states() } else { checker };
                assert_eq!(checker.check().as_ref(), Err(&expected), "{wrong:?} on {threads} threads");
            }
        }
    }
}

#[test]
fn tree_without_anything_wrong_is_checked() {
    let tree = Tree { wrong: Vec::new(), asked: AtomicU32::new(0) };
    let report = Checker::new(&tree).only(["S1"]).check().expect("nothing is wrong with it");
    assert_eq!((report.distinct, report.generated, report.depth), (21_845, 38_229, 7));
}
