//! How loom explores a model, and that it did.
//!
//! `cargo test` alone explores the schedules with few preemptions, which takes seconds. With `--cfg loom` two threads and a
//! canceller are explored without a bound, and three threads with three preemptions.

use loom::model::Builder;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many threads a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Two, and one that cancels, closes or gives up.
    TwoAndACanceller,
    /// Three that want the same, and perhaps one that gives up.
    Three,
}

impl Size {
    /// The most preemptions in a schedule.
    fn preemptions(self) -> Option<usize> {
        match self {
            Self::TwoAndACanceller if cfg!(loom) => None,
            Self::TwoAndACanceller => Some(3),
            Self::Three if cfg!(loom) => Some(3),
            Self::Three => Some(1),
        }
    }
}

/// Runs the model under every schedule of its size. One that has a single schedule shows nothing, and fails.
#[track_caller]
pub(crate) fn explore(size: Size, model: impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&executions);
    let mut builder = Builder::new();
    builder.preemption_bound = size.preemptions();
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let executions = executions.load(Ordering::Relaxed);
    println!("{executions} executions");
    assert!(executions > 1, "loom explored one execution: it sees nothing of this model");
}

/// Shows that loom finds what is planted in a model. That happens in a process of its own, because loom aborts where a deadlock
/// leaves something to be dropped.
#[track_caller]
pub(crate) fn finds<F: FnOnce()>(expected: &str, model: F) {
    const IS_CHILD: &str = "DOWNBEAT_HANDOFF_PLANTED";
    if std::env::var_os(IS_CHILD).is_some() {
        model();
        return;
    }
    // The closure is named for the test that it stands in, behind the name of the crate.
    let name = std::any::type_name::<F>();
    let test = name.trim_end_matches("::{{closure}}").split_once("::").map_or(name, |(_, test)| test);
    let program = std::env::current_exe().expect("a test has a program");
    let run = Command::new(program).args([test, "--exact", "--nocapture"]).env(IS_CHILD, "1").output();
    let run = run.expect("the program of the test runs");
    let said = [run.stdout, run.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("running 1 test"), "no test is named {test}:\n{said}");
    assert!(!run.status.success(), "loom found nothing");
    assert!(said.contains(expected), "loom found something else than {expected:?}:\n{said}");
}

#[test]
#[should_panic(expected = "loom explored one execution")]
fn model_with_one_schedule_is_no_model() {
    explore(Size::TwoAndACanceller, || {
        let shared = Arc::new(std::sync::Mutex::new(0));
        let other = Arc::clone(&shared);
        std::thread::spawn(move || *other.lock().expect("no panic") += 1).join().expect("it ends");
        assert_eq!(*shared.lock().expect("no panic"), 1);
    });
}
