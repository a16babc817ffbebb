//! What the random lives of the machines beside the tree have in common: chances, damage, and what their judges say.

use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;
use proptest::sample::Index;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What happens, one after the other: a kind of event, and a number for what is free in it.
pub(crate) type Chances = Vec<(u8, u32)>;

pub(crate) fn chances(events: impl Into<SizeRange>) -> impl Strategy<Value = Chances> {
    vec((any::<u8>(), any::<u32>()), events)
}

/// Numbers that take the place of others: small ones, those at the bounds of counters, and those past them.
pub(crate) fn other_numbers() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..12, Just(255), Just(COUNTED_OUT), Just(u64::from(u32::MAX)), Just(u64::MAX)]
}

/// The last number that a counter may have: one more event leads out of validity, after two thousand million.
pub(crate) const COUNTED_OUT: u64 = u32::MAX as u64 / 2;

/// A snapshot of the machine with another number in the place of one of its numbers, if that can be read.
pub(crate) fn damaged<M: Serialize + DeserializeOwned>(machine: &M, place: Index, number: u64) -> Option<M> {
    let stored = serde_json::to_string(machine).expect("a machine can be written");
    let digit = |at: usize| stored.as_bytes()[at].is_ascii_digit();
    let starts: Vec<usize> = (1..stored.len()).filter(|at| digit(*at) && !digit(at - 1)).collect();
    let start = *place.get(&starts);
    let rest = stored[start..].trim_start_matches(|letter: char| letter.is_ascii_digit());
    serde_json::from_str(&format!("{}{number}{rest}", &stored[..start])).ok()
}

/// The judge of these lives is not blind: each fault shows, in one life or another, by what stands beside it.
#[cfg(feature = "planted-faults")]
pub(crate) fn assert_judged(
    judged: &[(downbeat_kernel::Fault, &str)],
    all: &[downbeat_kernel::Fault],
    live: impl Fn(downbeat_kernel::Fault, &Chances) + std::panic::RefUnwindSafe,
) {
    use proptest::strategy::ValueTree;
    use std::collections::BTreeSet;
    let faults: BTreeSet<_> = judged.iter().map(|(fault, _)| *fault).collect();
    assert_eq!(faults, all.iter().copied().collect(), "each fault once");
    let missed: Vec<_> = judged
        .iter()
        .filter_map(|(fault, expected)| {
            let mut runner = proptest::test_runner::TestRunner::deterministic();
            let mut said = BTreeSet::new();
            let shows = (0..LIVES).any(|_| {
                let chances = chances(50..250).new_tree(&mut runner).expect("a life").current();
                let verdict = verdict(|| live(*fault, &chances));
                said.insert(verdict.lines().next().unwrap_or_default().to_owned());
                verdict.contains(expected)
            });
            (!shows).then_some((fault, expected, said))
        })
        .collect();
    assert!(missed.is_empty(), "missed, with what was said instead: {missed:#?}");
}

/// Lives that a fault has to show in one of.
#[cfg(feature = "planted-faults")]
const LIVES: u32 = 1_000;

/// What a judge says of a life, nothing if that is sound.
#[cfg(feature = "planted-faults")]
fn verdict(life: impl FnOnce() + std::panic::UnwindSafe) -> String {
    match std::panic::catch_unwind(life) {
        Ok(()) => String::new(),
        Err(why) => match (why.downcast_ref::<String>(), why.downcast_ref::<&str>()) {
            (Some(why), _) => why.clone(),
            (None, why) => why.copied().unwrap_or_default().to_owned(),
        },
    }
}
