//! A search is divided by time, so that it ends soon when it is to end. What it finds does not depend on that.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use downbeat_sim::check::{Checker, Checkpointing, Limit, Limits};
use downbeat_sim::model::{Model, Property, Told};
use downbeat_sim::report::Report;

const CHILDREN: u32 = 200;

/// A tree of two levels in which each state has [`CHILDREN`] children.
struct Fan {
    /// How long the model thinks about the root, and about each other state.
    root: Duration,
    other: Duration,
    initial: u32,
}

const QUICK: Fan = Fan { root: Duration::ZERO, other: Duration::ZERO, initial: 1 };

impl Model for Fan {
    type State = u32;
    type Action = u32;

    fn initial(&self) -> Vec<u32> {
        (0..self.initial).collect()
    }

    fn actions(&self, state: &u32, actions: &mut Vec<u32>) {
        sleep(if *state == 0 { self.root } else { self.other });
        if *state <= CHILDREN {
            actions.extend(1..=CHILDREN);
        }
    }

    fn next(&self, state: &u32, child: &u32) -> Option<u32> {
        Some(state * CHILDREN + child)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::<Self>::sometimes("R1", "the last state is found", |_, state| *state == 40_200)]
    }

    fn is_final(&self, _: &u32) -> bool {
        true
    }

    fn lanes(&self) -> Vec<String> {
        vec!["tree".into()]
    }

    fn tell(&self, _: &u32, child: &u32, _: &u32) -> Told {
        Told::new(0, 0, format!("child {child}"))
    }
}

fn checker(model: &Fan, threads: usize, limits: Limits) -> Checker<'_, Fan> {
    let threads = NonZeroUsize::new(threads).expect("a test uses some thread");
    Checker::new(model).threads(threads).limits(limits)
}

fn report(checker: Checker<'_, Fan>) -> Report {
    Report { elapsed: Duration::ZERO, ..checker.check().expect("the model is sound") }
}

const STATES: Limits = Limits { states: Some(10_000), depth: None, time: None, memory: None };

#[test]
fn limit_on_states_does_not_depend_on_time() {
    // The limit is looked at after a 64th of the 9,799 states that are left when 201 are found: so many have children.
    let expected = report(checker(&QUICK, 1, STATES));
    assert_eq!((expected.distinct, expected.stopped_by), (201 + 153 * 200, Some(Limit::States(10_000))));
    // After a slow root pieces are of 1, 4, 16 and so on.
    let slow = Fan { root: Duration::from_millis(110), ..QUICK };
    for threads in [1, 3] {
        assert_eq!(report(checker(&slow, threads, STATES)), expected, "{threads} threads");
    }
}

#[test]
fn interruption_within_a_block_changes_no_result() {
    let expected = report(checker(&QUICK, 1, STATES));
    let path: PathBuf = std::env::temp_dir().join(format!("downbeat-test-pieces-{}", std::process::id()));
    let checkpoint =
        || Checkpointing { path: path.clone(), identity: "fan".into(), every: Duration::from_secs(999) };
    let slow = Fan { root: Duration::from_millis(110), ..QUICK };
    for found in [200, 400, 1_200, 4_400] {
        let interrupt = AtomicBool::new(false);
        let interrupted = checker(&slow, 1, STATES)
            .interrupt(&interrupt)
            .checkpoint(checkpoint())
            .progress(|progress| interrupt.store(progress.states > found, Ordering::Relaxed));
        let stopped = report(interrupted);
        assert_eq!(stopped.stopped_by, Some(Limit::Interrupt));
        assert!(stopped.distinct < 10_000, "{found}: {} were found", stopped.distinct);
        let resumed = report(checker(&QUICK, 1, STATES).checkpoint(checkpoint()).resume());
        assert_eq!(resumed, expected, "interrupted after {found}");
    }
    std::fs::remove_file(path).expect("a checkpoint was written");
}

#[test]
fn limit_on_time_is_seen_soon_in_a_slow_model() {
    // All of the first block would take twenty seconds.
    let slow = Fan { other: Duration::from_millis(1), initial: 20_000, ..QUICK };
    let limits = Limits { time: Some(Duration::from_millis(900)), ..Limits::default() };
    for threads in [1, 2] {
        let begin = Instant::now();
        assert_eq!(report(checker(&slow, threads, limits)).stopped_by, limits.time.map(Limit::Time));
        assert!(begin.elapsed() < Duration::from_secs(5), "{threads} threads took {:?}", begin.elapsed());
    }
}
