//! What a model contradicts itself in is found where it is audited, and the report says where that was.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use downbeat_sim::check::{CheckError, Checker, Limits};
use downbeat_sim::model::{Model, Property, Told};

const STATES: u64 = 3_000;

/// Counts up. At one number it skips the next one whenever it is asked again.
struct Skips {
    at: u64,
    asked: AtomicU64,
}

impl Skips {
    fn at(at: u64) -> Self {
        Self { at, asked: AtomicU64::new(0) }
    }
}

impl Model for Skips {
    type State = u64;
    type Action = ();

    fn initial(&self) -> Vec<u64> {
        vec![0]
    }

    fn actions(&self, number: &u64, actions: &mut Vec<()>) {
        if *number + 1 < STATES {
            actions.push(());
        }
    }

    fn next(&self, number: &u64, (): &()) -> Option<u64> {
        let is_asked_again = *number == self.at && self.asked.fetch_add(1, Ordering::Relaxed) > 0;
        Some(number + if is_asked_again { 2 } else { 1 })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        Vec::new()
    }

    fn is_final(&self, number: &u64) -> bool {
        number + 1 == STATES
    }

    fn lanes(&self) -> Vec<String> {
        vec!["counter".into()]
    }

    fn tell(&self, _: &u64, (): &(), _: &u64) -> Told {
        Told::new(0, 0, "counts")
    }
}

const NOWHERE: u64 = STATES;

#[test]
fn contradiction_in_one_state_is_found_if_that_is_audited() {
    let found = Err(CheckError::NotDeterministic { action: "()".into() });
    #[rustfmt::skip]
    let cases = [
        ("among the first",     150,     found.clone(), found.clone()),
        ("in the sample",       2_048,   found.clone(), found.clone()),
        ("beside the sample",   2_049,   Ok(202),       found.clone()),
        ("the last of all",     2_998,   Ok(202),       found),
        ("nowhere",             NOWHERE, Ok(202),       Ok(3_000)),
    ];
    for (name, at, by_sample, by_all) in cases {
        let sampled = Checker::new(&Skips::at(at)).check().map(|report| report.audited);
        assert_eq!(sampled, by_sample, "{name}");
        for threads in [1, 2] {
            let model = Skips::at(at);
            let threads = NonZeroUsize::new(threads).expect("a test uses some thread");
            let all = Checker::new(&model).audit_all().threads(threads).check().map(|report| report.audited);
            assert_eq!(all, by_all, "{name}");
        }
    }
}

#[test]
fn audited_states_are_those_that_were_expanded() {
    let model = Skips::at(NOWHERE);
    let limits = |states, depth| Limits { states, depth, ..Limits::default() };
    #[rustfmt::skip]
    let cases = [
        ("at the limit on depth a state's steps are taken", limits(None, Some(9)),     10,    10),
        ("beyond one on states they are not",               limits(Some(9), None),     9,     9),
        ("the sample goes beyond the first",                limits(None, Some(1_499)), 201,   1_500),
    ];
    for (name, limits, by_sample, by_all) in cases {
        let audited = |checker: Checker<'_, Skips>| {
            checker.limits(limits).check().expect("it is asked about nowhere").audited
        };
        assert_eq!(audited(Checker::new(&model)), by_sample, "{name}");
        assert_eq!(audited(Checker::new(&model).audit_all()), by_all, "{name}");
    }
}
