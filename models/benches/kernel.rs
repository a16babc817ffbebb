//! What the kernel's models cost, apart from the checker: states a second on one thread in a search that only keeps a
//! set of fingerprints, and the steps of a sample of states alone.
//!
//! `search` begins with empty tables each time, as a check does, and evaluates every property of states and steps.
//! `search_again` and `steps` have their tables filled.

use std::hash::{BuildHasher, Hash};

use divan::Bencher;
use divan::counter::ItemsCount;
use downbeat_models::subtask_completion::kernel::{KernelModel, SCENARIOS, Scenario};
use downbeat_sim::model::{Check, Model, OnState, OnStep};
use foldhash::quality::FixedState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

const HASHER: FixedState = FixedState::with_seed(0x646f_776e_6265_6174);

/// States of a sample: one in so many of those that a search finds.
const ONE_IN: usize = 16;

fn main() {
    if std::env::args().any(|argument| argument == "--sizes") {
        return print_sizes();
    }
    divan::main();
}

/// What each scenario has to work out: `cargo bench -p downbeat-models --bench kernel -- --sizes`.
fn print_sizes() {
    for name in NAMES {
        let model = KernelModel::new(scenario(name));
        let mut generated = 0_u64;
        let distinct = explore(&model, |state| {
            model.steps(state, &mut Vec::new(), |_, _| generated += 1);
        });
        println!("{name}: {distinct} states, {generated} steps");
        for (what, count) in model.sizes() {
            println!("{count:>12} {what}");
        }
    }
}

const NAMES: [&str; 7] = [
    "kernel",
    "kernel-calls",
    "kernel-tree",
    "kernel-restart",
    "kernel-alone",
    "kernel-retries",
    "kernel-budget",
];

#[divan::bench(args = NAMES, sample_count = 3, sample_size = 1)]
fn search(bencher: Bencher<'_, '_>, name: &str) {
    let scenario = scenario(name);
    let distinct = explore(&KernelModel::new(scenario), |_| {});
    bencher.counter(ItemsCount::new(distinct)).bench_local(|| {
        assert_eq!(explore(&KernelModel::new(scenario), |_| {}), distinct);
    });
}

#[divan::bench(args = NAMES, sample_count = 3, sample_size = 1)]
fn search_again(bencher: Bencher<'_, '_>, name: &str) {
    let model = KernelModel::new(scenario(name));
    let distinct = explore(&model, |_| {});
    bencher.counter(ItemsCount::new(distinct)).bench_local(|| assert_eq!(explore(&model, |_| {}), distinct));
}

#[divan::bench(args = NAMES, sample_count = 10, sample_size = 1)]
fn steps(bencher: Bencher<'_, '_>, name: &str) {
    let model = KernelModel::new(scenario(name));
    let (mut sample, mut count) = (Vec::new(), 0_usize);
    explore(&model, |state| {
        count += 1;
        if count.is_multiple_of(ONE_IN) {
            sample.push(*state);
        }
    });
    bencher.counter(ItemsCount::new(sample.len())).bench_local(|| {
        let mut generated = 0_u64;
        for state in &sample {
            model.steps(state, &mut Vec::new(), |action, next| {
                divan::black_box((action, next));
                generated += 1;
            });
        }
        generated
    });
}

fn scenario(wanted: &str) -> Scenario {
    let found = SCENARIOS.iter().find(|(name, ..)| *name == wanted);
    found.map(|(_, _, scenario, _)| *scenario).expect("a scenario of this name")
}

/// Visits every state once, evaluates what the checker would evaluate there, and returns the number of states.
fn explore<M: Model>(model: &M, mut visit: impl FnMut(&M::State)) -> usize {
    let judge = Judge::new(model);
    let mut known = Known::default();
    let mut level = model.initial();
    let mut actions = Vec::new();
    let mut next_level = Vec::new();
    level.retain(|state| known.insert(state));
    while !level.is_empty() {
        for state in &level {
            visit(state);
            judge.state(model, state);
            model.steps(state, &mut actions, |action, next| {
                judge.step(model, state, action, &next);
                if known.insert(&next) {
                    next_level.push(next);
                }
            });
        }
        level.clear();
        std::mem::swap(&mut level, &mut next_level);
    }
    known.0.len()
}

/// The fingerprints of the states that were found.
#[derive(Default)]
struct Known(HashTable<u64>);

impl Known {
    fn insert<S: Hash>(&mut self, state: &S) -> bool {
        let hash = HASHER.hash_one(state);
        match self.0.entry(hash, |known| *known == hash, |known| *known) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert(hash);
                true
            }
        }
    }
}

/// The predicates that are evaluated everywhere.
struct Judge<M: Model> {
    states: Vec<OnState<M>>,
    steps: Vec<OnStep<M>>,
}

impl<M: Model> Judge<M> {
    fn new(model: &M) -> Self {
        let (mut states, mut steps): (Vec<OnState<M>>, Vec<OnStep<M>>) = (Vec::new(), Vec::new());
        for property in model.properties() {
            match property.check {
                Check::Always { holds, .. } => states.push(holds),
                Check::AlwaysStep { holds, .. } => steps.push(holds),
                Check::LeadsTo { from, to } => states.extend([from, to]),
                Check::Sometimes(_) | Check::NoDeadlock | Check::Eventually(_) => {}
            }
        }
        Self { states, steps }
    }

    fn state(&self, model: &M, state: &M::State) {
        for holds in &self.states {
            divan::black_box(holds(model, state));
        }
    }

    fn step(&self, model: &M, before: &M::State, action: &M::Action, after: &M::State) {
        for holds in &self.steps {
            divan::black_box(holds(model, before, action, after));
        }
    }
}
