//! Distinct states a second on two-phase commit: this checker beside stateright's breadth-first search.
//!
//! `vectors` is the same state in both: the struct of vectors of stateright's own example. `copy` is a struct
//! without anything on the heap, as models of this project are written.

#[path = "../tests/models/two_phase_commit.rs"]
mod copy;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use divan::Bencher;
use divan::counter::ItemsCount;
use downbeat_sim::check::Checker;
use downbeat_sim::model::{Model, Property, Told};
use stateright::Checker as _;

const MANAGERS: u8 = 7;
const DISTINCT: usize = 296_448;
const LARGE: u8 = 8;
const LARGE_DISTINCT: usize = 1_745_408;
const LARGE_GENERATED: u64 = 18_507_778;
const THREADS: [usize; 2] = [1, 2];

fn main() {
    divan::main();
}

#[divan::bench(args = THREADS, sample_count = 5, sample_size = 1)]
fn downbeat_copy(bencher: Bencher<'_, '_>, threads: usize) {
    let model = copy::TwoPhaseCommit { managers: MANAGERS };
    bencher.counter(ItemsCount::new(DISTINCT)).bench(|| check(&model, threads, DISTINCT));
}

#[divan::bench(args = THREADS, sample_count = 5, sample_size = 1)]
fn downbeat_vectors(bencher: Bencher<'_, '_>, threads: usize) {
    let model = Vectors { managers: MANAGERS };
    bencher.counter(ItemsCount::new(DISTINCT)).bench(|| check(&model, threads, DISTINCT));
}

#[divan::bench(args = THREADS, sample_count = 5, sample_size = 1)]
fn stateright_vectors(bencher: Bencher<'_, '_>, threads: usize) {
    bencher.counter(ItemsCount::new(DISTINCT)).bench(|| {
        let model = Vectors { managers: MANAGERS };
        let checker = stateright::Model::checker(model).threads(threads).spawn_bfs().join();
        assert_eq!(checker.unique_state_count(), DISTINCT);
    });
}

#[divan::bench(args = THREADS, sample_count = 3, sample_size = 1)]
fn downbeat_packed_of_eight(bencher: Bencher<'_, '_>, threads: usize) {
    let model = copy::TwoPhaseCommit { managers: LARGE };
    bencher.counter(ItemsCount::new(LARGE_DISTINCT)).bench(|| {
        let threads = NonZeroUsize::new(threads).expect("at least one thread");
        let report =
            Checker::new(&model).packed_states().threads(threads).check().expect("the model is sound");
        assert_eq!(report.distinct, LARGE_DISTINCT);
    });
}

#[divan::bench(args = THREADS, sample_count = 1, sample_size = 1)]
fn downbeat_copy_of_eight(bencher: Bencher<'_, '_>, threads: usize) {
    let model = copy::TwoPhaseCommit { managers: LARGE };
    bencher.counter(ItemsCount::new(LARGE_DISTINCT)).bench(|| {
        assert_eq!(check(&model, threads, LARGE_DISTINCT), LARGE_GENERATED);
    });
}

/// Checks a model and returns the number of steps.
fn check<M: Model>(model: &M, threads: usize, distinct: usize) -> u64 {
    let threads = NonZeroUsize::new(threads).expect("at least one thread");
    let report = Checker::new(model).threads(threads).check().expect("the model is sound");
    assert_eq!(report.distinct, distinct);
    report.generated
}

/// Two-phase commit with the state of stateright's example.
#[derive(Clone)]
struct Vectors {
    managers: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    resources: Vec<copy::Resource>,
    transaction: copy::Transaction,
    known_prepared: Vec<bool>,
    messages: BTreeSet<Message>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Message {
    Prepared(u8),
    Commit,
    Abort,
}

impl Vectors {
    fn first(&self) -> State {
        State {
            resources: vec![copy::Resource::Working; usize::from(self.managers)],
            transaction: copy::Transaction::Open,
            known_prepared: vec![false; usize::from(self.managers)],
            messages: BTreeSet::new(),
        }
    }

    fn enabled(&self, state: &State, actions: &mut Vec<copy::Action>) {
        let open = state.transaction == copy::Transaction::Open;
        if open && state.known_prepared.iter().all(|known| *known) {
            actions.push(copy::Action::Commit);
        }
        if open {
            actions.push(copy::Action::Abort);
        }
        for number in 0..self.managers {
            if open && state.messages.contains(&Message::Prepared(number)) {
                actions.push(copy::Action::ReceivePrepared(number));
            }
            if state.resources[usize::from(number)] == copy::Resource::Working {
                actions.extend([copy::Action::Prepare(number), copy::Action::ChooseToAbort(number)]);
            }
            if state.messages.contains(&Message::Commit) {
                actions.push(copy::Action::ReceiveCommit(number));
            }
            if state.messages.contains(&Message::Abort) {
                actions.push(copy::Action::ReceiveAbort(number));
            }
        }
    }

    fn after(state: &State, action: copy::Action) -> State {
        let mut next = state.clone();
        match action {
            copy::Action::Commit => {
                next.transaction = copy::Transaction::Committed;
                next.messages.insert(Message::Commit);
            }
            copy::Action::Abort => {
                next.transaction = copy::Transaction::Aborted;
                next.messages.insert(Message::Abort);
            }
            copy::Action::ReceivePrepared(number) => next.known_prepared[usize::from(number)] = true,
            copy::Action::Prepare(number) => {
                next.resources[usize::from(number)] = copy::Resource::Prepared;
                next.messages.insert(Message::Prepared(number));
            }
            copy::Action::ChooseToAbort(number) | copy::Action::ReceiveAbort(number) => {
                next.resources[usize::from(number)] = copy::Resource::Aborted;
            }
            copy::Action::ReceiveCommit(number) => {
                next.resources[usize::from(number)] = copy::Resource::Committed;
            }
        }
        next
    }

    fn is_consistent(state: &State) -> bool {
        let committed = state.resources.contains(&copy::Resource::Committed);
        !(committed && state.resources.contains(&copy::Resource::Aborted))
    }
}

impl Model for Vectors {
    type State = State;
    type Action = copy::Action;

    fn initial(&self) -> Vec<State> {
        vec![self.first()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<copy::Action>) {
        self.enabled(state, actions);
    }

    fn next(&self, state: &State, action: &copy::Action) -> Option<State> {
        Some(Self::after(state, *action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always(
                "S1",
                "no resource manager commits while another aborts",
                |_, state| Self::is_consistent(state),
                |_, state| state.resources.contains(&copy::Resource::Committed),
                |_, _| String::new(),
            ),
            Property::<Self>::sometimes("R1", "all commit", |_, state| {
                state.resources.iter().all(|one| *one == copy::Resource::Committed)
            }),
            Property::<Self>::sometimes("R2", "all abort", |_, state| {
                state.resources.iter().all(|one| *one == copy::Resource::Aborted)
            }),
        ]
    }

    fn is_final(&self, _: &State) -> bool {
        true
    }

    fn lanes(&self) -> Vec<String> {
        vec!["all".into()]
    }

    fn tell(&self, _: &State, action: &copy::Action, _: &State) -> Told {
        Told::new(0, 0, format!("{action:?}"))
    }
}

impl stateright::Model for Vectors {
    type State = State;
    type Action = copy::Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.first()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<copy::Action>) {
        self.enabled(state, actions);
    }

    fn next_state(&self, state: &State, action: copy::Action) -> Option<State> {
        Some(Self::after(state, action))
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        vec![
            stateright::Property::always("consistent", |_: &Self, state| Self::is_consistent(state)),
            stateright::Property::sometimes("all commit", |_, state: &State| {
                state.resources.iter().all(|one| *one == copy::Resource::Committed)
            }),
            stateright::Property::sometimes("all abort", |_, state: &State| {
                state.resources.iter().all(|one| *one == copy::Resource::Aborted)
            }),
        ]
    }
}
