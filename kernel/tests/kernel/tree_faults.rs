//! Faults that random trees of workers find, and by which of the promises that are checked over them: each of these can fail.

use crate::tree_choices::Choices;
use crate::working_random::{LENGTH, answer_everything, config, fall_silent, life};
use downbeat_kernel::Config;
use downbeat_kernel::faults::Fault;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Lives within which each fault is found: a few times as many as the rarest needs.
const LIVES: usize = 800;

/// The fault, and the promise that one life or another breaks by it.
#[rustfmt::skip]
const FOUND: &[(Fault, &str)] = &[
    (Fault::HoldIgnored,               "S13"),
    (Fault::HeldTriesAgain,            "S13"),
    (Fault::InterruptLiftsHold,        "S13"),
    (Fault::WrapUpKeepsHold,           "S13"),
    (Fault::WatchLeftArmed,            "S13"),
    (Fault::InterruptAnyTurn,          "S12"),
    (Fault::InterruptMissesGap,        "S12"),
    (Fault::LateHoldLost,              "S13"),
    (Fault::InterruptDropsTurn,        "S12"),
    (Fault::ResumeLeavesOut,           "S12"),
    (Fault::ResumeUnmarked,            "S12"),
    (Fault::InboxDoubled,              "valid"),
    (Fault::GapTaken,                  "S5"),
    (Fault::AcknowledgesAll,           "S5"),
    (Fault::InboxForgotten,            "S5"),
    (Fault::InboxNeverInDoubt,         "S5"),
    (Fault::OldIteratorAsks,           "S11"),
    (Fault::AnyTry,                    "S11"),
    (Fault::AnyWait,                   "S11"),
    (Fault::AnyWatch,                  "S11"),
    (Fault::AnyCheck,                  "S11"),
    (Fault::CrossedAnswers,            "S11"),
    (Fault::OldIteratorEnds,           "S11"),
    (Fault::ApprovalsOutlive,          "resync"),
    (Fault::BackoffLeftArmed,          "waits"),
    (Fault::BreakerHurries,            "waits"),
    (Fault::PermanentTriesAgain,       "S2"),
    (Fault::SecondEndWins,             "S7"),
    (Fault::EndedMoves,                "S7"),
    (Fault::WrapUpLast,                "wrap-up"),
    (Fault::WrapUpWaits,               "wrap-up"),
    (Fault::WrapUpWithoutEnd,          "wrap-up"),
    (Fault::RefusedWorkerEmits,        "S25"),
    (Fault::ActivityUnseen,            "alarm"),
    (Fault::ActivityTakesBackAll,      "ladder"),
    (Fault::StuckFails,                "ladder"),
    (Fault::SilentLadder,              "ladder"),
    (Fault::AnyTool,                   "alarm-streak"),
    (Fault::LoopWithoutRung,           "alarm-streak"),
    (Fault::NeverWarnsOfLoops,         "alarm-streak"),
    (Fault::NeverWarnsOfErrors,        "alarm-streak"),
    (Fault::InquiresAgain,             "orders"),
    (Fault::InquiryForgotten,          "escalation"),
    (Fault::AcknowledgesNothing,       "updates"),
    (Fault::AcknowledgesNothing,       "inquiry"),
    (Fault::NeverFails,                "L3"),
    (Fault::StartsBesideOld,           "S10"),
    (Fault::NoKill,                    "S10"),
    (Fault::NoCascade,                 "S3"),
    (Fault::EndedWorkerDropped,        "S3"),
    (Fault::ChildEndUntold,            "S3"),
    (Fault::HeldStartsSubtask,         "S13"),
    (Fault::SubtaskLeftHeld,           "valid"),
    (Fault::PausedDeploys,             "S3"),
    (Fault::ShellSpeaksForKernel,      "NotForShell"),
    (Fault::SubtaskIdReused,           "valid"),
    (Fault::SubtasksUnbounded,         "valid"),
    (Fault::ChildEndRefused,           "S3"),
    (Fault::ReportLostWhenFull,        "S3"),
    (Fault::KeptReportUntold,          "S3"),
    (Fault::KeptReportLost,            "resync"),
    (Fault::ReportsUnbounded,          "valid"),
    (Fault::ReportAcknowledgedEarly,   "valid"),
    (Fault::TimersLeftAtEnd,           "resync"),
    (Fault::ReportDoubled,             "resync"),
    (Fault::ResyncForgetsWorkerTimers, "resync"),
    (Fault::ResyncForgetsApprovals,    "resync"),
    (Fault::ResyncForgetsReports,      "resync"),
    (Fault::ResyncForgetsContent,      "resync"),
    (Fault::ResyncForgetsCheck,        "resync"),
    (Fault::ResyncForgetsStart,        "resync"),
    (Fault::ResyncForgetsPrompt,       "resync"),
    (Fault::ResyncForgetsStopping,     "resync"),
    (Fault::ResyncForgetsEnds,         "resync"),
    (Fault::SpentIgnored,              "budget"),
    (Fault::SpentTriesAgain,           "budget"),
    (Fault::ChildBilled,               "budget"),
    (Fault::GrantLiftsHold,            "S13"),
    (Fault::ResumeLiftsBudget,         "valid"),
    (Fault::GrantUnheard,              "valid"),
    (Fault::WorkerUntoldOfBudget,      "valid"),
    (Fault::SpentDeploys,              "valid"),
    (Fault::PotNeverEmpties,           "valid"),
    (Fault::BillCountedTwice,          "budget"),
    (Fault::ChildUntoldOfBudget,       "valid"),
    (Fault::ResyncForgetsBudgetQuestion, "resync"),
    (Fault::ResyncForgetsBudgetTimer,  "resync"),
];

/// What a life breaks with a fault planted, if it breaks anything.
fn broken(fault: Fault, id: &str, choices: &[Choices]) -> Option<String> {
    let config = Config { fault: Some(fault), ..config() };
    let rest = if id == "L3" { fall_silent } else { answer_everything };
    let panic = catch_unwind(AssertUnwindSafe(|| rest(&mut life(config, choices)))).err()?;
    let text = panic.downcast::<String>().map(|text| *text);
    let text = text.or_else(|panic| panic.downcast::<&str>().map(|text| (*text).to_owned()));
    Some(text.expect("an assertion has a text"))
}

/// The promise that a failed assertion names.
fn promise(text: &str) -> &str {
    let text = text.strip_prefix("assertion `left == right` failed: ").unwrap_or(text);
    text.split(": ").next().unwrap_or(text)
}

#[test]
fn random_trees_find_every_fault_of_the_table_by_its_promise() {
    for (fault, id) in FOUND {
        let mut runner = TestRunner::deterministic();
        let mut life = || vec(any::<Choices>(), LENGTH).new_tree(&mut runner).expect("a life").current();
        let found = (0..LIVES).any(|_| broken(*fault, id, &life()).is_some_and(|text| promise(&text) == *id));
        assert!(found, "no life breaks {id} by {fault:?}");
    }
}
