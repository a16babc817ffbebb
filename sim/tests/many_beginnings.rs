//! A state that several threads find at once has been reached from the first of the states before it.

use std::num::NonZeroUsize;

use downbeat_sim::check::Checker;
use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::report::{Counterexample, PropertyReport};

/// Two and a half chunks of states, so that three threads have one each.
const BEGINNINGS: u32 = 10_000;
/// Two beginnings lead to each end. They lie in different chunks.
const ENDS: u32 = BEGINNINGS / 2;

/// Numbers from 0 on are beginnings, and those from [`BEGINNINGS`] on are ends.
struct Funnel;

fn end_of(beginning: u32) -> u32 {
    BEGINNINGS + beginning % ENDS
}

impl Model for Funnel {
    type State = u32;
    type Action = ();

    fn initial(&self) -> Vec<u32> {
        (0..BEGINNINGS).collect()
    }

    fn actions(&self, state: &u32, actions: &mut Vec<()>) {
        if *state < BEGINNINGS {
            actions.push(());
        }
    }

    fn next(&self, state: &u32, (): &()) -> Option<u32> {
        Some(end_of(*state))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let explain = |_: &Self, state: &u32| format!("it is {state}");
        vec![
            Property::<Self>::always(
                "last",
                "it is not the last end",
                |_, state| *state != 14_999,
                |_, _| true,
                explain,
            ),
            Property::<Self>::always_step(
                "step",
                "no step leads to an end of the last hundred",
                |_, _, (), after| *after < 14_900,
                |_, _, (), _| true,
                explain,
            ),
            Property::<Self>::no_deadlock("deadlock", "all ends but one are final", explain),
        ]
    }

    fn is_final(&self, state: &u32) -> bool {
        *state != 14_444
    }

    fn lanes(&self) -> Vec<String> {
        vec!["funnel".into()]
    }

    fn opening(&self, state: &u32) -> String {
        format!("from {state}")
    }

    fn tell(&self, _: &u32, (): &(), after: &u32) -> Told {
        Told::new(0, 0, format!("to {after}"))
    }
}

/// The property with where its counterexample begins and what it ends with.
fn violation(found: &PropertyReport) -> Option<(&str, &str, &str)> {
    let Counterexample { opening, explanation, .. } = found.counterexample.as_ref()?;
    Some((found.id, opening, explanation))
}

#[test]
fn first_way_is_recorded_where_threads_find_a_state_at_once() {
    let expected = [
        ("last", "from 4999", "it is 14999"),
        ("step", "from 4900", "it is 14900"),
        ("deadlock", "from 4444", "it is 14444"),
    ];
    for threads in [1, 2, 3] {
        let checker = || Checker::new(&Funnel).threads(NonZeroUsize::new(threads).expect("not zero"));
        for checker in [
            checker().fingerprints_of_64_bits(),
            checker().fingerprints_of_128_bits(),
            checker().packed_states(),
            checker().whole_states(),
        ] {
            let report = checker.check().expect("the funnel is sound");
            assert_eq!((report.distinct, report.generated, report.depth), (15_000, 20_000, 1));
            let violations: Vec<_> = report.properties.iter().filter_map(violation).collect();
            assert_eq!(violations, expected, "{threads} threads, {:?}", report.storage);
        }
    }
}
