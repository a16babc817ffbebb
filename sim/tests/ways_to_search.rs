//! However a search is done, its result is the same.

#[path = "models/two_phase_commit.rs"]
mod two_phase_commit;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use downbeat_sim::check::{
    BadCheckpoint, CheckError, Checker, Checkpointing, Limit, Limits, Progress, Reduction,
};
use downbeat_sim::report::Report;
use two_phase_commit::TwoPhaseCommit;

const MODEL: TwoPhaseCommit = TwoPhaseCommit { managers: 5 };

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("downbeat-test-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("there is room for temporary files");
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A report without what may differ.
fn comparable(report: Report) -> Report {
    let storage = downbeat_sim::report::Storage::Exact;
    Report { elapsed: Duration::ZERO, storage, ..report }
}

fn checker(threads: usize) -> Checker<'static, TwoPhaseCommit> {
    Checker::new(&MODEL).threads(NonZeroUsize::new(threads).expect("a test uses some thread"))
}

fn check(checker: Checker<'_, TwoPhaseCommit>) -> Report {
    comparable(checker.check().expect("the model is sound"))
}

#[test]
fn storage_changes_no_result() {
    let expected = check(checker(1).whole_states());
    assert_eq!((expected.distinct, expected.depth), (8_832, 16));
    for threads in [1, 2, 3] {
        assert_eq!(check(checker(threads).fingerprints_of_64_bits()), expected, "{threads} threads");
        assert_eq!(check(checker(threads).fingerprints_of_128_bits()), expected, "{threads} threads");
        assert_eq!(check(checker(threads).whole_states()), expected, "{threads} threads");
        assert_eq!(check(checker(threads).packed_states()), expected, "{threads} threads");
    }
}

#[test]
fn disk_changes_no_result() {
    let directory = Directory::new("spill");
    let expected = check(checker(1));
    for (threads, kilobytes) in [(1, 150), (1, 250), (3, 150), (3, 200)] {
        let limits = Limits { memory: Some(kilobytes * 1024), ..Limits::default() };
        let mut files = 0;
        let spilled = checker(threads).limits(limits).spill(directory.path()).progress(|_| {
            let mut inner = std::fs::read_dir(directory.path()).expect("it exists");
            let inner = inner.next().and_then(Result::ok).map(|inner| inner.path());
            files = files.max(inner.map_or(0, |inner| std::fs::read_dir(inner).map_or(0, Iterator::count)));
        });
        assert_eq!(check(spilled), expected, "{threads} threads, {kilobytes} KiB");
        assert!(files > 0, "nothing went to disk with {kilobytes} KiB");
        let packed = checker(threads).packed_states().limits(limits).spill(directory.path());
        assert_eq!(check(packed), expected, "{threads} threads, {kilobytes} KiB, packed");
    }
    assert_eq!(std::fs::read_dir(directory.path()).expect("it exists").count(), 0, "files are left");
}

/// Of a state that is on disk a search at its limit on depth would not know that it has been found.
#[test]
fn searches_with_a_limit_on_depth_stay_in_memory() {
    let directory = Directory::new("depth");
    let limits = Limits { depth: Some(16), memory: Some(100 * 1024), ..Limits::default() };
    let report = check(checker(1).limits(limits).spill(directory.path()));
    assert_eq!(report.stopped_by, limits.memory.map(Limit::Memory));
}

fn checkpointing(directory: &Directory) -> Checkpointing {
    let path = directory.path().join("a.checkpoint");
    Checkpointing { path, identity: "two-phase commit".into(), every: Duration::ZERO }
}

#[test]
fn interruption_changes_no_result() {
    let directory = Directory::new("resume");
    let expected = check(checker(1));
    for (threads, states) in [(1, 0), (1, 1), (2, 700), (1, 5_000), (3, 8_831)] {
        let limits = Limits { states: Some(states), ..Limits::default() };
        let stopped = checker(threads).limits(limits).checkpoint(checkpointing(&directory));
        assert_ne!(check(stopped), expected, "stopped at {states}");
        let resumed = checker(threads).checkpoint(checkpointing(&directory)).resume();
        assert_eq!(check(resumed), expected, "resumed at {states}");
        let memory = Some(150 * 1024);
        let on_disk = checker(1).checkpoint(checkpointing(&directory)).resume();
        let on_disk = on_disk.limits(Limits { memory, ..Limits::default() }).spill(directory.path());
        assert_eq!(check(on_disk), expected, "resumed at {states} on disk");
    }
}

/// Once keys are on disk, states wait until somebody has looked there whether they are known; an interrupt comes between.
#[test]
fn interrupt_of_a_search_on_disk_forgets_no_state_that_waits() {
    const LARGE: TwoPhaseCommit = TwoPhaseCommit { managers: 8 };
    let directory = Directory::new("waiting");
    let memory = Some(12 * 1024 * 1024);
    // None but at the interrupt: to write one, somebody looks.
    let rarely = || Checkpointing { every: Duration::from_hours(1), ..checkpointing(&directory) };
    let checker = || {
        let checker = Checker::new(&LARGE).threads(NonZeroUsize::MIN).packed_states();
        checker.limits(Limits { memory, ..Limits::default() }).spill(directory.path())
    };
    let mut calls = 0;
    let expected = check(checker().progress(|_| calls += 1));
    assert_eq!(expected.distinct, 1_745_408);
    for call in (calls / 4..calls).step_by(calls / 8) {
        let (interrupt, mut told) = (AtomicBool::new(false), 0);
        let stopped = checker().checkpoint(rarely()).interrupt(&interrupt).progress(|_| {
            told += 1;
            interrupt.store(told == call, Ordering::Relaxed);
        });
        if check(stopped).stopped_by.is_none() {
            continue;
        }
        let resumed = checker().checkpoint(rarely()).resume();
        assert_eq!(check(resumed), expected, "interrupted at call {call} of {calls}");
    }
}

/// As a kill at any moment would leave them.
#[test]
fn search_goes_on_from_every_checkpoint_that_it_writes() {
    let directory = Directory::new("every");
    let Checkpointing { path, .. } = checkpointing(&directory);
    let mut written = Vec::new();
    let copy = |_: &Progress| written.push(std::fs::read(&path).expect("there is one after each block"));
    let expected = check(checker(1).checkpoint(checkpointing(&directory)).progress(copy));
    assert!(written.len() > 16, "one for each level at least");
    for (block, checkpoint) in written.iter().enumerate() {
        std::fs::write(&path, checkpoint).expect("the file can be written");
        let resumed = checker(1).checkpoint(checkpointing(&directory)).resume();
        assert_eq!(check(resumed), expected, "after block {block}");
    }
}

#[test]
fn checkpoints_that_do_not_fit_are_refused() {
    let directory = Directory::new("checkpoint");
    let Checkpointing { path, .. } = checkpointing(&directory);
    let limits = Limits { states: Some(500), ..Limits::default() };
    check(checker(1).limits(limits).checkpoint(checkpointing(&directory)));
    let whole = std::fs::read(&path).expect("the checkpoint is there");
    let resume = || checker(1).checkpoint(checkpointing(&directory)).resume().check().err();
    let refused = |why| Some(CheckError::Checkpoint { path: path.clone(), why });

    for cut in [0, 5, 19] {
        std::fs::write(&path, &whole[..cut]).expect("the file can be written");
        assert_eq!(resume(), refused(BadCheckpoint::NotOne), "cut at {cut}");
    }
    for cut in (20..whole.len()).step_by(37) {
        std::fs::write(&path, &whole[..cut]).expect("the file can be written");
        assert_eq!(resume(), refused(BadCheckpoint::Damaged), "cut at {cut}");
    }
    for place in (21..whole.len()).step_by(41) {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        std::fs::write(&path, &changed).expect("the file can be written");
        assert_eq!(resume(), refused(BadCheckpoint::Damaged), "changed at {place}");
    }
    let mut newer = whole.clone();
    newer[20] = 7;
    std::fs::write(&path, &newer).expect("the file can be written");
    assert_eq!(resume(), refused(BadCheckpoint::Version { found: 7, known: 3 }));

    std::fs::write(&path, &whole).expect("the file can be written");
    let other = Checkpointing { identity: "another model".into(), ..checkpointing(&directory) };
    let foreign = Checker::new(&MODEL).checkpoint(other).resume().check().err();
    let Some(CheckError::Checkpoint { why: BadCheckpoint::Foreign { of, wanted }, .. }) = foreign else {
        panic!("a foreign checkpoint was taken: {foreign:?}");
    };
    assert!(of.starts_with("two-phase commit, an audit of some states, properties S1 R1 R2, "), "{of}");
    assert!(wanted.starts_with("another model, an audit of some states, properties S1 R1 R2, "), "{wanted}");
    // The same name for a model that has changed.
    let changed = TwoPhaseCommit { managers: 4 };
    let resumed = Checker::new(&changed).checkpoint(checkpointing(&directory)).resume().check();
    assert_eq!(resumed.err(), refused(BadCheckpoint::OtherModel));

    std::fs::remove_file(&path).expect("the file is there");
    assert!(matches!(resume(), Some(CheckError::Disk { doing: "read", .. })));
    let nowhere = path.join("below a file");
    std::fs::write(&path, "a file").expect("the file can be written");
    let limits = Limits { memory: Some(60 * 1024), ..Limits::default() };
    let error = checker(1).limits(limits).spill(&nowhere).check().err();
    assert!(matches!(error, Some(CheckError::Disk { doing: "create", .. })), "{error:?}");
}

#[test]
fn symmetry_visits_one_state_of_each_orbit() {
    for (managers, orbits) in [(3, 80), (5, 314), (7, 920), (8, 1_461)] {
        for threads in [1, 2] {
            let model = TwoPhaseCommit { managers };
            let checker = Checker::new(&model).threads(NonZeroUsize::new(threads).expect("not zero"));
            let report = checker.reduction(Reduction::Symmetry).check().expect("the model is symmetric");
            assert_eq!(report.distinct, orbits, "{managers} managers");
        }
    }
}

#[test]
fn reductions_must_be_declared() {
    let undeclared = checker(1).reduction(Reduction::PartialOrder).check().err();
    assert_eq!(undeclared, Some(CheckError::Undeclared { reduction: Reduction::PartialOrder }));
}
