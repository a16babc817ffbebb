//! A model that panics, in a program of its own: the panic is told once, by the error, with its place.
#![cfg(feature = "harness")]

#[path = "models/counting.rs"]
mod counting;

use std::num::NonZeroUsize;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use counting::{Counting, Wrong};
use downbeat_sim::harness::{self, CheckArgs, Registry, Variant};
use downbeat_sim::model::{Model, Property, Told};

const AS_PROGRAM: &str = "DOWNBEAT_TEST_AS_PROGRAM";

/// Whether this process is the program of a test.
fn is_program() -> bool {
    std::env::var_os(AS_PROGRAM).is_some()
}

/// What the test of this name says as a program, with so much asked for of the calls that led to a panic.
fn run(test: &str, backtrace: &str) -> Output {
    let this = std::env::current_exe().expect("a test is a program");
    let mut program = Command::new(this);
    program.args(["--exact", test, "--nocapture"]).env(AS_PROGRAM, "1").env("RUST_BACKTRACE", backtrace);
    program.env_remove("RUST_LIB_BACKTRACE").output().expect("it starts")
}

#[test]
fn panic_of_a_model_is_told_once_with_its_place() {
    if is_program() {
        let panics = Variant::new("panics", "", |_: &_| Counting::new(Wrong::Panic(3)));
        let fickle = Variant::new("fickle", "", |_: &_| Counting::new(Wrong::Fickle(1)));
        let registry = Registry::new().model("counting", "to three", [panics, fickle]);
        harness::check(&CheckArgs::default(), &registry);
        return;
    }
    let output = run("panic_of_a_model_is_told_once_with_its_place", "0");
    let err = String::from_utf8_lossy(&output.stderr);
    let error = "error: counting@panics cannot be checked: the model panicked when it was asked for `Increment` after \
                 Increment, Increment: no step to 3 (at sim/tests/models/counting.rs:";
    assert!(err.starts_with(error), "{err}");
    assert_eq!(err.lines().count(), 2, "each variant has its error and nothing else: {err}");
}

/// One state leads to so many that several threads share them, and most of these panic.
struct Wide {
    /// How many threads have come to a step that panics.
    panicking: AtomicUsize,
}

const WIDTH: u32 = 20_000;

/// The first that panics. Those before it are those that one thread looks at before the others begin.
const FIRST: u32 = 1_000;

/// How long a step takes: long enough that several threads are worth it.
const STEP: Duration = Duration::from_micros(20);

impl Model for Wide {
    type State = u32;
    type Action = u32;

    fn initial(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, state: &u32, actions: &mut Vec<u32>) {
        actions.extend(if *state == 0 { 1..=WIDTH } else { 0..=0 });
    }

    /// Who panics waits for another thread to do so, for a while: there may be only one.
    fn next(&self, state: &u32, action: &u32) -> Option<u32> {
        if *state > 0 {
            thread::sleep(STEP);
        }
        if *state >= FIRST {
            self.panicking.fetch_add(1, Ordering::SeqCst);
            let since = Instant::now();
            while self.panicking.load(Ordering::SeqCst) < 2 && since.elapsed() < Duration::from_secs(5) {
                std::hint::spin_loop();
            }
            panic!("no step from {state}");
        }
        Some(*action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("S1", "counts", |_, _| true, |_, _| true, |_, _| String::new())]
    }

    fn is_final(&self, _: &u32) -> bool {
        true
    }

    fn lanes(&self) -> Vec<String> {
        vec!["wide".into()]
    }

    fn tell(&self, _: &u32, _: &u32, _: &u32) -> Told {
        Told::new(0, 0, "goes on")
    }
}

#[test]
fn panics_in_two_threads_at_once_are_told_as_one() {
    if is_program() {
        let wide = Variant::new("wide", "", |_: &_| Wide { panicking: AtomicUsize::new(0) });
        let registry = Registry::new().model("wide", "in two threads", [wide]);
        let args = CheckArgs { threads: NonZeroUsize::new(2), ..CheckArgs::default() };
        harness::check(&args, &registry);
        return;
    }
    for (backtrace, told) in [("0", 0), ("1", 1)] {
        let output = run("panics_in_two_threads_at_once_are_told_as_one", backtrace);
        let err = String::from_utf8_lossy(&output.stderr);
        let error = "error: wide@wide cannot be checked: the model panicked when it was asked for `0` after 1000: no step \
                     from 1000 (at sim/tests/panicking_program.rs:";
        assert!(err.starts_with(error), "{err}");
        let count = |words: &str| err.matches(words).count();
        assert_eq!(
            (count("no step from"), count("panicked at"), count("stack backtrace")),
            (1, 0, told),
            "{err}"
        );
    }
}
