//! Distinct states a second on two-phase commit: this checker beside stateright's breadth-first search.
//!
//! `vectors` is the same state in both: the struct of vectors of stateright's own example. `copy` is a struct
//! without anything on the heap, as models of this project are written.

#[path = "two_phase_commit/comparison.rs"]
mod comparison;
#[path = "../tests/models/two_phase_commit.rs"]
mod copy;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use divan::Bencher;
use divan::counter::ItemsCount;
use downbeat_sim::check::Checker;
use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::pack::Pack;
use stateright::Checker as _;

const MANAGERS: u8 = 7;
const DISTINCT: usize = 296_448;
const LARGE: u8 = 8;
const LARGE_DISTINCT: usize = 1_745_408;
const LARGE_GENERATED: u64 = 18_507_778;
const THREADS: [usize; 2] = [1, 2];

fn main() {
    // Without it, what runs is a test of the benchmarks.
    if std::env::args().any(|argument| argument == "--bench") {
        // What is no option is a filter, as for the benchmarks themselves.
        let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
        comparison::print(&filter.unwrap_or_default());
    }
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
fn downbeat_word_of_eight(bencher: Bencher<'_, '_>, threads: usize) {
    let model = InWord { managers: LARGE };
    bencher.counter(ItemsCount::new(LARGE_DISTINCT)).bench(|| {
        let threads = NonZeroUsize::new(threads).expect("at least one thread");
        let report =
            Checker::new(&model).packed_states().threads(threads).check().expect("the model is sound");
        assert_eq!((report.distinct, report.generated), (LARGE_DISTINCT, LARGE_GENERATED));
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

/// Two-phase commit with its state in one word, as an author who wants speed writes it: sets of managers are eight
/// bits each, a step changes some bits, and packing it is free.
struct InWord {
    managers: u8,
}

/// From the lowest bits: prepared, committed, aborted, known to have prepared, has sent `prepared`; then whether the
/// transaction is committed, and whether it is aborted. Both are the messages that say so, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Pack)]
struct Word {
    #[pack(bits = 42)]
    bits: u64,
}

const PREPARED: u32 = 0;
const COMMITTED: u32 = 8;
const ABORTED: u32 = 16;
const KNOWN: u32 = 24;
const SENT: u32 = 32;
const COMMIT: u64 = 1 << 40;
const ABORT: u64 = 1 << 41;

impl Word {
    fn set(self, place: u32) -> u64 {
        self.bits >> place & 0xff
    }

    #[inline]
    fn with(self, bits: u64) -> Self {
        Self { bits: self.bits | bits }
    }

    /// A resource manager has ended.
    #[inline]
    fn end(self, number: u8, place: u32) -> Self {
        Self { bits: self.bits & !(0x01_01_01 << number) | 1 << place << number }
    }
}

impl InWord {
    fn all(&self) -> u64 {
        (1 << self.managers) - 1
    }

    #[inline]
    fn each_step(&self, state: Word, mut take: impl FnMut(copy::Action, Word)) {
        let is_open = state.bits & (COMMIT | ABORT) == 0;
        if is_open && state.set(KNOWN) == self.all() {
            take(copy::Action::Commit, state.with(COMMIT));
        }
        if is_open {
            take(copy::Action::Abort, state.with(ABORT));
            for number in members(state.set(SENT)) {
                take(copy::Action::ReceivePrepared(number), state.with(1 << KNOWN << number));
            }
        }
        let working = self.all() & !(state.set(PREPARED) | state.set(COMMITTED) | state.set(ABORTED));
        for number in members(working) {
            take(copy::Action::Prepare(number), state.with((1 << PREPARED | 1 << SENT) << number));
            take(copy::Action::ChooseToAbort(number), state.end(number, ABORTED));
        }
        if state.bits & COMMIT != 0 {
            for number in 0..self.managers {
                take(copy::Action::ReceiveCommit(number), state.end(number, COMMITTED));
            }
        }
        if state.bits & ABORT != 0 {
            for number in 0..self.managers {
                take(copy::Action::ReceiveAbort(number), state.end(number, ABORTED));
            }
        }
    }
}

/// The members of a set of managers.
#[inline]
fn members(mut set: u64) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        #[expect(clippy::cast_possible_truncation, reason = "a word has 64 bits")]
        let number = set.trailing_zeros() as u8;
        let is_member = set != 0;
        set &= set.wrapping_sub(1);
        is_member.then_some(number)
    })
}

impl Model for InWord {
    type State = Word;
    type Action = copy::Action;

    fn initial(&self) -> Vec<Word> {
        vec![Word { bits: 0 }]
    }

    fn actions(&self, state: &Word, actions: &mut Vec<copy::Action>) {
        self.each_step(*state, |action, _| actions.push(action));
    }

    #[inline]
    fn steps(&self, state: &Word, _: &mut Vec<copy::Action>, mut take: impl FnMut(&copy::Action, Word)) {
        self.each_step(*state, |action, next| take(&action, next));
    }

    fn next(&self, state: &Word, action: &copy::Action) -> Option<Word> {
        let mut wanted = None;
        self.each_step(*state, |taken, next| {
            if taken == *action {
                wanted = Some(next);
            }
        });
        wanted
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always(
                "S1",
                "no resource manager commits while another aborts",
                |_, state| state.set(COMMITTED) == 0 || state.set(ABORTED) == 0,
                |_, state| state.set(COMMITTED) != 0,
                |_, _| String::new(),
            ),
            Property::<Self>::sometimes("R1", "all commit", |model, state| {
                state.set(COMMITTED) == model.all()
            }),
            Property::<Self>::sometimes("R2", "all abort", |model, state| state.set(ABORTED) == model.all()),
        ]
    }

    fn is_final(&self, _: &Word) -> bool {
        true
    }

    fn lanes(&self) -> Vec<String> {
        vec!["all".into()]
    }

    fn tell(&self, _: &Word, action: &copy::Action, _: &Word) -> Told {
        Told::new(0, 0, format!("{action:?}"))
    }
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
    resources: Vec<Resource>,
    transaction: copy::Transaction,
    known_prepared: Vec<bool>,
    messages: BTreeSet<Message>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Resource {
    Working,
    Prepared,
    Committed,
    Aborted,
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
            resources: vec![Resource::Working; usize::from(self.managers)],
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
            if state.resources[usize::from(number)] == Resource::Working {
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
                next.resources[usize::from(number)] = Resource::Prepared;
                next.messages.insert(Message::Prepared(number));
            }
            copy::Action::ChooseToAbort(number) | copy::Action::ReceiveAbort(number) => {
                next.resources[usize::from(number)] = Resource::Aborted;
            }
            copy::Action::ReceiveCommit(number) => {
                next.resources[usize::from(number)] = Resource::Committed;
            }
        }
        next
    }

    fn is_consistent(state: &State) -> bool {
        let committed = state.resources.contains(&Resource::Committed);
        !(committed && state.resources.contains(&Resource::Aborted))
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
                |_, state| state.resources.contains(&Resource::Committed),
                |_, _| String::new(),
            ),
            Property::<Self>::sometimes("R1", "all commit", |_, state| {
                state.resources.iter().all(|one| *one == Resource::Committed)
            }),
            Property::<Self>::sometimes("R2", "all abort", |_, state| {
                state.resources.iter().all(|one| *one == Resource::Aborted)
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
                state.resources.iter().all(|one| *one == Resource::Committed)
            }),
            stateright::Property::sometimes("all abort", |_, state: &State| {
                state.resources.iter().all(|one| *one == Resource::Aborted)
            }),
        ]
    }
}
