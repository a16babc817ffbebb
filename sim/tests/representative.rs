//! Representatives of states that stand still: equal if and only if some renaming makes one state of the other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;

use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::symmetry::{Id, Observer, Rename, Renaming, Symmetry};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
#[rename(id)]
struct Worker(u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
#[rename(id)]
struct Client(usize);

/// A system in which nothing happens, with states of any type.
struct Still<S>(PhantomData<S>);

impl<S: Rename + Clone + Ord + Hash + Send + Sync> Model for Still<S> {
    type State = S;
    type Action = ();

    fn initial(&self) -> Vec<S> {
        Vec::new()
    }
    fn actions(&self, _: &S, _: &mut Vec<()>) {}
    fn next(&self, _: &S, (): &()) -> Option<S> {
        None
    }
    fn properties(&self) -> Vec<Property<Self>> {
        Vec::new()
    }
    fn is_final(&self, _: &S) -> bool {
        true
    }
    fn lanes(&self) -> Vec<String> {
        Vec::new()
    }
    fn tell(&self, _: &S, (): &(), _: &S) -> Told {
        Told::new(0, 0, "")
    }
}

fn symmetry<S: Rename + Clone + Ord + Hash + Send + Sync>(
    workers: usize,
    clients: usize,
) -> Symmetry<Still<S>> {
    Symmetry::new().of::<Worker>(workers).of::<Client>(clients)
}

/// A state of which an observer sees nothing, so that only trying and what changes nothing can tell ids apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Unseen<S>(S);

impl<S: Rename> Rename for Unseen<S> {
    fn rename(&self, renaming: &Renaming) -> Self {
        Self(self.0.rename(renaming))
    }

    fn observe(&self, _: &mut Observer) {}
}

/// The number of different representatives of the states that `make` makes of the numbers below 2 to the power
/// of `bits`. Up to five ids it must be the same when nothing is seen of them.
fn count<S: Rename + Clone + Debug + Ord + Hash + Send + Sync>(
    (workers, clients): (usize, usize),
    bits: usize,
    make: impl Fn(&dyn Fn(usize) -> bool) -> S,
) -> usize {
    let states = || (0..1_u32 << bits).map(|number| make(&|bit| number & (1 << bit) != 0));
    let seen = symmetry(workers, clients);
    let count = states().map(|state| seen.representative(&state)).collect::<BTreeSet<S>>().len();
    if seen.renamings() <= 120 {
        let unseen = symmetry(workers, clients);
        let representatives = states().map(|state| unseen.representative(&Unseen(state)));
        assert_eq!(representatives.collect::<BTreeSet<_>>().len(), count, "unseen");
    }
    count
}

fn pairs(of: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..of).flat_map(|one| (0..one).map(move |other| (one, other)))
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
struct Neighbours(#[rename(index = Worker, bits = Worker)] Vec<u8>);

/// The numbers of graphs are A000088, of directed graphs A000273, of binary matrices up to the order of their
/// rows and columns A002724 of the On-Line Encyclopedia of Integer Sequences.
#[test]
fn representatives_are_as_many_as_there_are_structures() {
    for (workers, graphs) in [(1, 1), (2, 2), (3, 4), (4, 11), (5, 34), (6, 156)] {
        let edges: Vec<_> = pairs(workers).collect();
        let as_sets = count((workers, 0), edges.len(), |is_edge| {
            let edges = edges.iter().enumerate().filter(|(bit, _)| is_edge(*bit));
            let edge = |(_, (one, other)): (_, &(usize, usize))| [Worker::at(*one), Worker::at(*other)];
            edges.map(edge).map(BTreeSet::from).collect::<BTreeSet<_>>()
        });
        assert_eq!(as_sets, graphs, "graphs of {workers}, as sets of sets");
        let as_bits = count((workers, 0), edges.len(), |is_edge| {
            let mut neighbours = vec![0; workers];
            for (_, (one, other)) in edges.iter().enumerate().filter(|(bit, _)| is_edge(*bit)) {
                neighbours[*one] |= 1 << other;
                neighbours[*other] |= 1 << one;
            }
            Neighbours(neighbours)
        });
        assert_eq!(as_bits, graphs, "graphs of {workers}, as sets of neighbours");
    }
    for (workers, graphs) in [(1, 1), (2, 3), (3, 16), (4, 218)] {
        let arcs: Vec<_> = pairs(workers).flat_map(|(one, other)| [(one, other), (other, one)]).collect();
        let as_map = count((workers, 0), arcs.len(), |is_arc| {
            let mut map = BTreeMap::<Worker, BTreeSet<Worker>>::new();
            for (_, (from, to)) in arcs.iter().enumerate().filter(|(bit, _)| is_arc(*bit)) {
                map.entry(Worker::at(*from)).or_default().insert(Worker::at(*to));
            }
            map
        });
        assert_eq!(as_map, graphs, "directed graphs of {workers}");
    }
    for (size, matrices) in [(1, 2), (2, 7), (3, 36), (4, 317)] {
        let as_pairs = count((size, size), size * size, |is_one| {
            let ones = (0..size * size).filter(|bit| is_one(*bit));
            ones.map(|bit| (Worker::at(bit / size), Client::at(bit % size))).collect::<BTreeSet<_>>()
        });
        assert_eq!(as_pairs, matrices, "binary matrices of {size} rows and columns");
    }
}

/// The cells of a board of four by four that are neighbours, by a rule that need not be the same both ways.
fn board(are_neighbours: impl Fn([usize; 2], [usize; 2]) -> bool) -> BTreeSet<BTreeSet<Worker>> {
    let edges = pairs(16).filter(|(one, other)| {
        let place = |cell: usize| [cell / 4, cell % 4];
        are_neighbours(place(*one), place(*other)) || are_neighbours(place(*other), place(*one))
    });
    edges.map(|(one, other)| BTreeSet::from([Worker::at(one), Worker::at(other)])).collect()
}

/// The rook's graph and the Shrikhande graph: in both, every two vertices that are neighbours have two common
/// neighbours, and so have every two that are none. Signatures tell nothing apart, even after one vertex is
/// put first, and in the Shrikhande graph the others are not all alike then.
#[test]
fn representatives_are_found_where_signatures_tell_nothing_apart() {
    let symmetry = symmetry(16, 0);
    let rook = board(|one, other| one[0] == other[0] || one[1] == other[1]);
    let shrikhande = board(|one, other| {
        let by = [0, 1].map(|axis| (other[axis] + 4 - one[axis]) % 4);
        by == [0, 1] || by == [1, 0] || by == [1, 1]
    });
    let mut representatives = BTreeSet::new();
    for state in [rook, shrikhande] {
        assert_eq!(state.len(), 48);
        let renamed = (0..200_u64).map(|number| symmetry.renamed(&state, number * 0x51f2_c0de_9e37));
        representatives.extend(renamed.map(|renamed| symmetry.representative(&renamed)));
    }
    assert_eq!(representatives.len(), 2);
}

const WORKERS: usize = 4;
const CLIENTS: usize = 3;

/// Ids wherever they can be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
struct Everywhere {
    #[rename(index = Worker)]
    phase: [u8; WORKERS],
    #[rename(index = Worker, bits = Client)]
    serves: [u8; WORKERS],
    #[rename(index = Client)]
    last: Vec<Option<Worker>>,
    #[rename(bits = Worker)]
    idle: u32,
    turn: (Box<Worker>, bool),
    queue: VecDeque<Message<Client>>,
    network: BTreeSet<Message<Worker>>,
    ledger: BTreeMap<Client, (Worker, u8)>,
    #[rename(plain)]
    note: Note,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
enum Message<A> {
    Hello,
    From(A),
    Between { from: Worker, to: A },
    To(#[rename(bits = Worker)] u8),
}

/// Not an id, and nothing that can be renamed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Note(u8);

fn worker() -> impl Strategy<Value = Worker> + Clone {
    (0..WORKERS).prop_map(Worker::at)
}

fn client() -> impl Strategy<Value = Client> + Clone {
    (0..CLIENTS).prop_map(Client::at)
}

fn message<A: Debug + Clone>(
    to: impl Strategy<Value = A> + Clone + 'static,
) -> impl Strategy<Value = Message<A>> {
    prop_oneof![
        Just(Message::Hello),
        to.clone().prop_map(Message::From),
        (worker(), to).prop_map(|(from, to)| Message::Between { from, to }),
        (0..1_u8 << WORKERS).prop_map(Message::To),
    ]
}

/// States that are often alike in most of their parts, so that ids are tied.
fn everywhere() -> impl Strategy<Value = Everywhere> {
    let seldom = || prop::bool::weighted(0.2);
    let parts = (
        (prop::array::uniform(seldom()), prop::array::uniform(prop::bool::weighted(0.3)), 0..1_u8 << CLIENTS),
        prop::collection::vec(prop::option::weighted(0.3, worker()), CLIENTS),
        (prop_oneof![Just(0), Just(15), 0..16_u32], worker(), seldom()),
        prop::collection::vec(message(client()), 0..2),
        prop::collection::btree_set(message(worker()), 0..4),
        prop::collection::btree_map(client(), (worker(), 0..2_u8), 0..=CLIENTS),
    );
    parts.prop_map(|((phase, serves, of), last, (idle, turn, flag), queue, network, ledger)| Everywhere {
        phase: phase.map(u8::from),
        serves: serves.map(|serves| if serves { of } else { 0 }),
        last,
        idle,
        turn: (Box::new(turn), flag),
        queue: queue.into(),
        network,
        ledger,
        note: Note(0),
    })
}

/// Relations among five ids: sparse ones have the ties that are hard to break.
fn relation() -> impl Strategy<Value = BTreeSet<(Worker, Worker, bool)>> {
    let five = || (0..5_usize).prop_map(Worker::at);
    prop::collection::btree_set((five(), five(), prop::bool::weighted(0.1)), 0..9)
}

fn agree<S: Rename + Clone + Debug + Ord + Hash + Send + Sync>(
    symmetry: &Symmetry<Still<S>>,
    state: &S,
    other: &S,
) -> Result<(), TestCaseError> {
    let representative = symmetry.representative(state);
    let orbit: BTreeSet<S> =
        (0..symmetry.renamings()).map(|number| symmetry.renamed(state, number)).collect();
    prop_assert!(orbit.contains(&representative), "{:?} is not in the orbit", representative);
    for renamed in &orbit {
        prop_assert_eq!(&symmetry.representative(renamed), &representative);
    }
    prop_assert_eq!(orbit.contains(other), symmetry.representative(other) == representative);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(0x51f2),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn representatives_agree_with_all_renamings_where_ids_are_everywhere(
        state in everywhere(),
        other in everywhere(),
    ) {
        agree(&symmetry(WORKERS, CLIENTS), &state, &other)?;
    }

    #[test]
    fn representatives_agree_with_all_renamings_of_five_related_ids(
        state in relation(),
        other in relation(),
    ) {
        agree(&symmetry(5, 0), &state, &other)?;
    }

    #[test]
    fn representatives_agree_with_all_renamings_of_related_ids_that_are_not_seen(
        state in relation(),
        other in relation(),
    ) {
        agree(&symmetry(5, 0), &Unseen(state), &Unseen(other))?;
    }
}

#[test]
fn renamings_are_numbered_each_once() {
    let symmetry = symmetry::<Vec<(Worker, Client)>>(3, 2);
    let state: Vec<_> =
        [(0, 0), (1, 1), (2, 5)].map(|(one, other)| (Worker::at(one), Client::at(other))).into();
    let renamed: BTreeSet<_> = (0..12).map(|number| symmetry.renamed(&state, number)).collect();
    assert_eq!((symmetry.renamings(), renamed.len()), (12, 12));
    assert_eq!((symmetry.renamed(&state, 0), symmetry.renamed(&state, 12)), (state.clone(), state));
    let is_undeclared_kept = renamed.iter().all(|state| state[2].1 == Client::at(5));
    assert!(is_undeclared_kept, "an id that is not declared keeps its name");
}

#[test]
fn renaming_moves_bits_and_places_of_declared_ids_only() {
    let symmetry = symmetry(2, 0);
    let exchanged = symmetry.renamed(&Neighbours(vec![0b1000_0001, 0b10, 0b1000_0010]), 1);
    assert_eq!(exchanged, Neighbours(vec![0b1, 0b1000_0010, 0b1000_0001]));
}

#[test]
#[should_panic(expected = "the ids of one type are declared once")]
fn symmetry_refuses_a_type_twice() {
    drop(symmetry::<Worker>(3, 2).of::<Worker>(3));
}

#[test]
#[should_panic(expected = "at most 64 ids can be declared, of all types together")]
fn symmetry_refuses_more_ids_than_a_word_has_bits() {
    drop(symmetry::<Worker>(32, 33));
}
