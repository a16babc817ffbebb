//! The time that one representative takes: over all states of a model, and of states whose ids are hard to
//! tell apart.

#[path = "../tests/models/two_phase_commit.rs"]
mod two_phase_commit;

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use divan::Bencher;
use divan::counter::ItemsCount;
use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::symmetry::{Id, Rename, Symmetry};
use two_phase_commit::TwoPhaseCommit;

fn main() {
    divan::main();
}

/// States of two-phase commit as a search comes by them: the successors of representatives.
#[divan::bench(args = [3, 5, 7, 8])]
fn two_phase_commit_successors(bencher: Bencher<'_, '_>, managers: u8) {
    let model = TwoPhaseCommit { managers };
    let symmetry = model.symmetry().expect("two-phase commit is symmetric");
    let mut known: BTreeSet<_> = model.initial().into_iter().collect();
    let mut frontier: Vec<_> = known.iter().copied().collect();
    let mut successors = Vec::new();
    while let Some(state) = frontier.pop() {
        model.steps(&state, &mut Vec::new(), |_, next| {
            successors.push(next);
            let representative = symmetry.representative(&next);
            if known.insert(representative) {
                frontier.push(representative);
            }
        });
    }
    bencher.counter(ItemsCount::new(successors.len())).bench(|| {
        for state in &successors {
            divan::black_box(symmetry.representative(divan::black_box(state)));
        }
    });
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
#[rename(id)]
struct Worker(u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Rename)]
#[rename(id)]
struct Task(u8);

/// So many workers, each with a task of its own, that differ in nothing: no two workers are twins, since
/// their tasks would have to change places with them.
#[divan::bench(args = [4, 8, 16])]
fn matching(bencher: Bencher<'_, '_>, workers: usize) {
    let tasks: BTreeMap<_, _> = (0..workers).map(|index| (Worker::at(index), Task::at(index))).collect();
    one(bencher, workers, &tasks);
}

/// A ring, whose symmetries are the rotations and reflections.
#[divan::bench(args = [4, 8, 16])]
fn ring(bencher: Bencher<'_, '_>, workers: usize) {
    let next = |index: usize| [Worker::at(index), Worker::at((index + 1) % workers)];
    let ring: BTreeSet<_> = (0..workers).map(|index| BTreeSet::from(next(index))).collect();
    one(bencher, workers, &ring);
}

/// Two rings that a signature cannot tell from one ring of their joint length.
#[divan::bench(args = [4, 8, 16])]
fn two_rings(bencher: Bencher<'_, '_>, workers: usize) {
    let half = workers / 2;
    let next = |index: usize| [Worker::at(index), Worker::at(index / half * half + (index + 1) % half)];
    let rings: BTreeSet<_> = (0..workers).map(|index| BTreeSet::from(next(index))).collect();
    one(bencher, workers, &rings);
}

fn one<S: Rename + Clone + Ord + std::hash::Hash + Send + Sync>(
    bencher: Bencher<'_, '_>,
    ids: usize,
    state: &S,
) {
    let symmetry = Symmetry::<Still<S>>::new().of::<Worker>(ids).of::<Task>(ids);
    bencher.bench_local(|| symmetry.representative(divan::black_box(state)));
}

/// A system in which nothing happens, with states of any type.
struct Still<S>(PhantomData<S>);

impl<S: Clone + Eq + std::hash::Hash + Send + Sync> Model for Still<S> {
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
