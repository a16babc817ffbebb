//! Packing and unpacking states of some tens of fields: microseconds for a thousand of them.

use divan::Bencher;
use divan::counter::ItemsCount;
use downbeat_sim::pack::{Pack, Word, pack, unpack};

/// States in one sample: few enough to stay in the first cache, and no loop over one constant.
const STATES: usize = 1_024;

fn main() {
    divan::main();
}

/// Eight resource managers: 28 fields without a bound, in 36 bits.
#[derive(Clone, Copy, Debug, PartialEq, Pack)]
struct TwoPhaseCommit {
    resources: [Resource; 8],
    transaction: Transaction,
    known_prepared: [bool; 8],
    sent_prepared: [bool; 8],
    sent_commit: bool,
    sent_abort: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Pack)]
enum Resource {
    Working,
    Prepared,
    Committed,
    Aborted,
}

#[derive(Clone, Copy, Debug, PartialEq, Pack)]
enum Transaction {
    Open,
    Committed,
    Aborted,
}

/// Enums with data, an option, and bounds to be checked, in 56 bits.
#[derive(Clone, Copy, Debug, PartialEq, Pack)]
struct Counters {
    workers: [Worker; 4],
    #[pack(max = 20)]
    budget: u8,
    asked: Option<u8>,
}

/// 34 fields in 112 bits.
#[derive(Clone, Copy, Debug, PartialEq, Pack)]
struct Wide {
    workers: [Worker; 10],
    known: [bool; 16],
    resources: [Resource; 8],
}

#[derive(Clone, Copy, Debug, PartialEq, Pack)]
enum Worker {
    Idle,
    Busy {
        #[pack(max = 5)]
        tries: u8,
        #[pack(bits = 3)]
        task: u8,
    },
    Gone(bool),
}

#[divan::bench(types = [TwoPhaseCommit, Counters])]
fn pack_64<S: Pack>(bencher: Bencher<'_, '_>) {
    packing::<S, u64>(bencher);
}

#[divan::bench(types = [TwoPhaseCommit, Counters])]
fn unpack_64<S: Pack>(bencher: Bencher<'_, '_>) {
    unpacking::<S, u64>(bencher);
}

#[divan::bench(types = [TwoPhaseCommit, Counters, Wide])]
fn pack_128<S: Pack>(bencher: Bencher<'_, '_>) {
    packing::<S, u128>(bencher);
}

#[divan::bench(types = [TwoPhaseCommit, Counters, Wide])]
fn unpack_128<S: Pack>(bencher: Bencher<'_, '_>) {
    unpacking::<S, u128>(bencher);
}

fn packing<S: Pack, W: Word>(bencher: Bencher<'_, '_>) {
    let states: Vec<S> = words::<S, W>().map(unpack).collect();
    let mut packed = vec![W::ZERO; STATES];
    bencher.counter(ItemsCount::new(STATES)).bench_local(|| {
        for (state, packed) in states.iter().zip(&mut packed) {
            *packed = pack(state).expect("it has been packed before");
        }
        divan::black_box(&packed);
    });
}

fn unpacking<S: Pack, W: Word>(bencher: Bencher<'_, '_>) {
    let words: Vec<W> = words::<S, W>().collect();
    let mut states: Vec<S> = words.iter().map(|word| unpack(*word)).collect();
    bencher.counter(ItemsCount::new(STATES)).bench_local(|| {
        for (word, state) in words.iter().zip(&mut states) {
            *state = unpack(*word);
        }
        divan::black_box(&states);
    });
}

/// The words of states at random, always the same.
fn words<S: Pack, W: Word>() -> impl Iterator<Item = W> {
    let bits = (1_u128..).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    bits.filter_map(|bits| pack(&unpack::<S, u128>(bits)).ok()).take(STATES)
}
