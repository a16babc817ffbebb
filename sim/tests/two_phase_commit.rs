//! Two-phase commit: the numbers of states and steps that other checkers find too.

#[path = "models/two_phase_commit.rs"]
mod model;

use std::num::NonZeroUsize;

use downbeat_sim::check::Checker;
use downbeat_sim::report::{Report, Verdict};
use model::TwoPhaseCommit;

fn check(managers: u8, threads: usize) -> Report {
    let threads = NonZeroUsize::new(threads).expect("tests use at least one thread");
    Checker::new(&TwoPhaseCommit { managers }).threads(threads).check().expect("the model is sound")
}

#[test]
fn two_phase_commit_has_the_known_number_of_states() {
    for (managers, distinct, depth) in [(3, 288, 10), (5, 8_832, 16)] {
        let report = check(managers, 2);
        assert_eq!((report.distinct, report.depth), (distinct, depth), "{managers} resource managers");
        assert_eq!(report.verdict(), Verdict::Holds, "{managers} resource managers");
    }
}

#[test]
fn two_phase_commit_of_seven_has_the_known_number_of_steps() {
    let report = check(7, 2);
    assert_eq!((report.distinct, report.generated), (296_448, 2_744_706));
    assert_eq!(report.verdict(), Verdict::Holds);
}

#[test]
fn two_phase_commit_is_the_same_on_any_number_of_threads() {
    let [one, two, three] = [1, 2, 3].map(|threads| {
        let mut report = check(6, threads);
        report.elapsed = std::time::Duration::ZERO;
        report
    });
    assert_eq!(one, two);
    assert_eq!(one, three);
}
