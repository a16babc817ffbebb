//! Two-phase commit: the numbers of states and steps that other checkers find too.

#[path = "models/two_phase_commit.rs"]
mod model;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use downbeat_sim::check::Checker;
use downbeat_sim::kinds::Kinds;
use downbeat_sim::model::Model as _;
use downbeat_sim::pack::{pack, unpack};
use downbeat_sim::report::{Report, Verdict};
use model::{Action, State, TwoPhaseCommit};

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

/// A search that knows states by their words alone comes to as many.
#[test]
fn two_phase_commit_of_words_has_the_known_number_of_states() {
    let packed = |state: &State| pack(state).expect("no field has a bound");
    for (managers, distinct) in [(3, 288), (5, 8_832)] {
        let model = TwoPhaseCommit { managers };
        let mut open: Vec<u64> = model.initial().iter().map(packed).collect();
        let mut known: BTreeSet<u64> = open.iter().copied().collect();
        while let Some(word) = open.pop() {
            model.steps(&unpack(word), &mut Vec::new(), |_, next| {
                let word = packed(&next);
                if known.insert(word) {
                    open.push(word);
                }
            });
        }
        assert_eq!(known.len(), distinct, "{managers} resource managers");
    }
}

#[test]
fn two_phase_commit_counts_its_actions_by_kind() {
    let kinds = Action::names();
    let named = |action: Action| kinds[action.kind()];
    let receives = [Action::ReceivePrepared(0), Action::ReceiveCommit(0), Action::ReceiveAbort(0)];
    assert_eq!(receives.map(named), ["receive prepared", "receive commit", "receive abort"]);
    assert_eq!([Action::Commit, Action::ChooseToAbort(0)].map(named), ["commit", "choose to abort"]);
    assert_eq!(kinds.len(), 7);
}
