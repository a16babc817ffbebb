//! A model that panics, in a program of its own: the panic is told once, by the error, with its place.
#![cfg(feature = "harness")]

#[path = "models/counting.rs"]
mod counting;

use std::process::Command;

use counting::{Counting, Wrong};
use downbeat_sim::harness::{self, CheckArgs, Registry, Variant};

const AS_PROGRAM: &str = "DOWNBEAT_TEST_AS_PROGRAM";

#[test]
fn panic_of_a_model_is_told_once_with_its_place() {
    if std::env::var_os(AS_PROGRAM).is_some() {
        let panics = Variant::new("panics", "", |_: &_| Counting::new(Wrong::Panic(3)));
        let fickle = Variant::new("fickle", "", |_: &_| Counting::new(Wrong::Fickle(1)));
        let registry = Registry::new().model("counting", "to three", [panics, fickle]);
        harness::check(&CheckArgs::default(), &registry);
        return;
    }
    let this = std::env::current_exe().expect("a test is a program");
    let mut program = Command::new(this);
    program.args(["--exact", "panic_of_a_model_is_told_once_with_its_place", "--nocapture"]);
    let output = program.env(AS_PROGRAM, "1").env_remove("RUST_BACKTRACE").output().expect("it starts");
    let err = String::from_utf8_lossy(&output.stderr);
    let error = "error: counting@panics cannot be checked: the model panicked when it was asked for `Increment` after \
                 Increment, Increment: no step to 3 (at sim/tests/models/counting.rs:";
    assert!(err.starts_with(error), "{err}");
    assert_eq!(err.lines().count(), 2, "each variant has its error and nothing else: {err}");
}
