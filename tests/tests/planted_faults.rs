//! The guards and duties of the kernel that are listed here are there for a property: without it, that one fails.

use downbeat_kernel::faults::Fault;
use downbeat_models::agent_session::kernel as session;
use downbeat_models::subtask_completion::kernel::{KernelModel, Scenario};
use downbeat_sim::check::{Checker, Limits};
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::model::Model;
use downbeat_sim::report::{Report, Verdict};

/// Enough for every fault here. A broken kernel may have no end of states, and nobody wants them all.
const STATES: usize = 100_000;

/// A small tree, with a crash.
const TREE: Scenario = Scenario {
    tasks: 2,
    messages: 1,
    cancels: 1,
    pauses: 0,
    crashes: 1,
    tools: 0,
    questions: 0,
    mixed: 0,
    texts: 0,
    failures: 2,
    bad_starts: false,
    late: true,
};

/// A task alone, with tools, a question and a crash.
const ALONE: Scenario =
    Scenario { tasks: 1, messages: 2, pauses: 1, tools: 1, questions: 1, texts: 1, ..TREE };

/// A subtask and a tool at once.
const SIDE_BY_SIDE: Scenario = Scenario { messages: 0, pauses: 1, crashes: 0, tools: 1, failures: 0, ..TREE };

/// The same with a pause, and calls that do not go together.
const MIXED: Scenario = Scenario { questions: 1, mixed: 1, ..SIDE_BY_SIDE };

/// A task alone that asks twice.
const ASKING: Scenario = Scenario { crashes: 0, tools: 0, questions: 2, texts: 3, ..ALONE };

const SCENARIOS: [Scenario; 5] = [TREE, ALONE, SIDE_BY_SIDE, MIXED, ASKING];

/// The fault, where it shows, and which property finds it.
#[rustfmt::skip]
const FAULTS: &[(Fault, Scenario, &str)] = &[
    (Fault::AnyAttempt,             TREE,         "S1"),
    (Fault::AnyTurn,                TREE,         "S2"),
    (Fault::NoBudget,               TREE,         "S2"),
    (Fault::TruncatedIsText,        TREE,         "S5"),
    (Fault::NoBackoffTimer,         TREE,         "L1"),
    (Fault::VoidTimerSends,         TREE,         "S1"),
    (Fault::ResumeSends,            ALONE,        "S1"),
    (Fault::PauseHoldsNothing,      ALONE,        "S13"),
    (Fault::SettlesNobody,          TREE,         "S9"),
    (Fault::ResumeWithoutCheck,     SIDE_BY_SIDE, "S8"),
    (Fault::SubtaskResultLeftOut,   TREE,         "S4"),
    (Fault::CreateBeforeCheck,      TREE,         "S25"),
    (Fault::NoCascade,              SIDE_BY_SIDE, "L2"),
    (Fault::EndBeforeChildren,      TREE,         "S9"),
    (Fault::TimerSendsAfterCancel,  TREE,         "S7"),
    (Fault::NoGraceTimer,           TREE,         "L2"),
    (Fault::UndeliveredForgotten,   TREE,         "S5"),
    (Fault::InDoubtForgotten,       TREE,         "S5"),
    (Fault::MessageTakenTwice,      TREE,         "S5"),
    (Fault::DuplicateMessage,       TREE,         "S5"),
    (Fault::MessagesReversed,       ALONE,        "S5"),
    (Fault::MessageAnswers,         ALONE,        "S6"),
    (Fault::AnyQuestion,            ASKING,       "S6"),
    (Fault::AnyCall,                SIDE_BY_SIDE, "S8"),
    (Fault::ToolResultLeftOut,      SIDE_BY_SIDE, "S8"),
    (Fault::EndedMoves,             TREE,         "S7"),
    (Fault::IgnoredChanges,         TREE,         "S25"),
    (Fault::RefusedEmits,           TREE,         "S25"),
    (Fault::ResyncForgetsRequests,  TREE,         "L1"),
    (Fault::ResyncForgetsTools,     ALONE,        "L1"),
    (Fault::ResyncForgetsQuestions, ALONE,        "L1"),
    (Fault::ResyncForgetsTimers,    TREE,         "L1"),
    (Fault::ResyncForgetsEnds,      TREE,         "recorded"),
    (Fault::ResyncSendsNext,        TREE,         "S2"),
    (Fault::RetryLeavesOut,         TREE,         "S2"),
    (Fault::RetryTakesMessages,     TREE,         "S2"),
    (Fault::NoPrompt,               TREE,         "S2"),
    (Fault::ForeignInclude,         TREE,         "S2"),
    (Fault::NeverInDoubt,           TREE,         "S5"),
    (Fault::EmptyAnswersAfterCancel, TREE,        "S5"),
    (Fault::PausedAdmits,           ALONE,        "S13"),
    (Fault::MessageUnpauses,        ALONE,        "S13"),
    (Fault::PausedStarts,           SIDE_BY_SIDE, "S13"),
    (Fault::StopsNothing,           TREE,         "orders"),
    (Fault::RunsAgain,              SIDE_BY_SIDE, "S8"),
    (Fault::CompletionBeside,       MIXED,        "S9"),
    (Fault::ResumeAnswers,          ALONE,        "S6"),
    // Beside the properties that name the duty, the others that the same fault breaks have to be able to fail too.
    (Fault::ResumeWithoutCheck,     SIDE_BY_SIDE, "S3"),
    (Fault::NoCascade,              TREE,         "S19"),
    (Fault::EndBeforeChildren,      TREE,         "valid"),
    (Fault::SettlesNobody,          TREE,         "deadlock"),
    (Fault::ResumeWithoutCheck,     SIDE_BY_SIDE, "orders"),
];

/// Three requests of a session, two at once, of which one may be stopped.
const SESSION: session::Scenario = session::Scenario {
    requests: 3,
    callers: 2,
    left: session::Left { cancels: 1, aborts: 0, restarts: 0, closes: 1, failures: 1, exits: 1, crashes: 0 },
};

/// The same, and nobody can help by a close.
const UNCLOSED: session::Scenario =
    session::Scenario { left: session::Left { closes: 0, ..SESSION.left }, ..SESSION };

/// The faults of the session, where each shows, and which property finds it.
#[rustfmt::skip]
const OF_SESSION: &[(Fault, session::Scenario, &str)] = &[
    (Fault::StartsBesideOld,  SESSION,  "alone"),
    (Fault::CrossedAnswers,   SESSION,  "S11"),
    (Fault::OldIteratorEnds,  SESSION,  "S10"),
    (Fault::EndSettlesNobody, SESSION,  "orders"),
    (Fault::DeadIterator,     SESSION,  "settles"),
    (Fault::AbortHitsFirst,   SESSION,  "S12"),
    (Fault::NoStopTimer,      SESSION,  "settles"),
    (Fault::NoKill,           SESSION,  "alone"),
    (Fault::WithdrawnIsGiven, SESSION,  "S13"),
    (Fault::LateAbortStops,   SESSION,  "S25"),
    (Fault::StartedAgainListens, SESSION, "S25"),
    // Beside the properties that name the duty, the others that the same fault breaks have to be able to fail too.
    (Fault::DeadIterator,     UNCLOSED, "deadlock"),
    (Fault::NoStopTimer,      SESSION,  "closes"),
];

/// Every table, as the faults that have a property which finds them.
fn listed() -> impl Iterator<Item = Fault> {
    FAULTS.iter().map(|(fault, ..)| *fault).chain(OF_SESSION.iter().map(|(fault, ..)| *fault))
}

fn limits() -> Limits {
    Limits { states: Some(STATES), ..Limits::default() }
}

/// What the checker finds about a property of a model, or about all of them.
fn check<M: Model>(name: &str, model: &M, only: Option<&str>) -> Report {
    let checker = Checker::new(model).limits(limits());
    let checker = match only {
        Some(id) => checker.only([id]),
        None => checker,
    };
    checker.check().unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_planted_fault_breaks_the_property_that_is_there_for_it() {
    for (fault, scenario, property) in FAULTS {
        let model = KernelModel::new(*scenario).with_fault(*fault);
        let report = Checker::new(&model)
            .limits(limits())
            .only([*property])
            .check()
            .unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(report.properties[0].verdict, Verdict::Violated, "{fault:?} should break {property}");
    }
}

#[test]
fn every_planted_fault_of_the_session_breaks_the_property_that_is_there_for_it() {
    for (fault, scenario, property) in OF_SESSION {
        let model = session::KernelModel::new(*scenario).with_fault(*fault);
        let report = check(&format!("{fault:?}"), &model, Some(property));
        assert_eq!(report.properties[0].verdict, Verdict::Violated, "{fault:?} should break {property}");
    }
}

#[test]
fn without_a_fault_every_property_of_the_session_holds_and_one_fault_or_another_breaks_it() {
    let report = check("no fault", &session::KernelModel::new(SESSION), None);
    for property in report.properties {
        assert_eq!(property.verdict, Verdict::Holds, "{}", property.id);
        assert!(
            OF_SESSION.iter().any(|(.., found_by)| *found_by == property.id),
            "no planted fault shows that {} can fail",
            property.id
        );
    }
}

#[test]
fn without_a_fault_every_property_holds_in_the_same_scenarios() {
    for scenario in SCENARIOS {
        let report =
            Checker::new(&KernelModel::new(scenario)).limits(limits()).check().expect("a sound model");
        for property in &report.properties {
            assert_eq!(property.verdict, Verdict::Holds, "{} in {scenario:?}", property.id);
        }
    }
}

/// Faults of workers, of their health, and of tasks that a worker runs: the comparison with a twin notices each of them
/// (`kernel/src/oracle`), and no property does, because there is no model of workers with the kernel yet.
const BY_TWIN_ALONE: &[Fault] = &[
    Fault::InquiresAgain,
    Fault::NoIdleTimer,
    Fault::ActivityUnseen,
    Fault::ActivityTakesBackAll,
    Fault::RepeatingTakesBack,
    Fault::AnyWatch,
    Fault::NoNextRung,
    Fault::NeverFails,
    Fault::StuckFails,
    Fault::SilentLadder,
    Fault::AnyTool,
    Fault::LoopWithoutRung,
    Fault::ErrorsNeverEnd,
    Fault::AnyCheck,
    Fault::ProgressNeverEnds,
    Fault::RungKept,
    Fault::WatchLeftArmed,
    Fault::ResyncForgetsCheck,
    Fault::HeldIsWatched,
    Fault::HoldIgnored,
    Fault::InterruptAnyTurn,
    Fault::InterruptMissesGap,
    Fault::InterruptDropsTurn,
    Fault::BackoffLeftArmed,
    Fault::InboxReversed,
    Fault::InboxDoubled,
    Fault::AcknowledgesAll,
    Fault::AcknowledgesNothing,
    Fault::ResumeLeavesOut,
    Fault::ResumeUnmarked,
    Fault::InboxForgotten,
    Fault::InboxNeverInDoubt,
    Fault::ApprovalsOutlive,
    Fault::AnyApproval,
    Fault::OldIteratorAsks,
    Fault::NoBreaker,
    Fault::BreakerPasses,
    Fault::BreakerHurries,
    Fault::NoWorkerBudget,
    Fault::EndsBeforeSession,
    Fault::SecondEndWins,
    Fault::EndedWorkerMoves,
    Fault::WrapUpLast,
    Fault::WrapUpKeepsHold,
    Fault::WrapUpWaits,
    Fault::WrapUpWithoutEnd,
    Fault::WrapUpIsNoEnd,
    Fault::InterruptLiftsHold,
    Fault::AnyWait,
    Fault::TimersLeftAtEnd,
    Fault::InboxUnbounded,
    Fault::GapTaken,
    Fault::ChildDoubled,
    Fault::WrapUpTwice,
    Fault::PermanentTriesAgain,
    Fault::ReportDoubled,
    Fault::ShellAborts,
    Fault::RefusedWorkerEmits,
    Fault::ResyncForgetsWorkerTimers,
    Fault::ResyncForgetsApprovals,
    Fault::ResyncForgetsReports,
    Fault::ResyncForgetsContent,
    Fault::EndedWorkerDropped,
    Fault::ChildEndUntold,
];

#[test]
fn every_fault_is_found_by_a_property_or_is_known_to_be_found_by_a_twin_alone() {
    for fault in Fault::ALL {
        let has_property = listed().any(|listed| listed == *fault);
        assert!(has_property != BY_TWIN_ALONE.contains(fault), "{fault:?} is in no list, or in both");
    }
}

#[test]
fn every_property_of_the_task_tree_is_in_the_table() {
    for scenario in SCENARIOS {
        let report =
            Checker::new(&KernelModel::new(scenario)).limits(limits()).check().expect("a sound model");
        for property in report.properties {
            assert!(
                FAULTS.iter().any(|(.., found_by)| *found_by == property.id),
                "no planted fault shows that {} can fail",
                property.id
            );
        }
    }
}

#[test]
fn counterexamples_of_the_kernel_read_as_before() {
    let cases = [
        ("crash-between-two-effects", Fault::ResyncSendsNext, TREE, "S2"),
        ("void-timer", Fault::VoidTimerSends, TREE, "S1"),
        ("cancel-without-its-subtask", Fault::NoCascade, SIDE_BY_SIDE, "L2"),
        ("question-settled-by-another-answer", Fault::AnyQuestion, ASKING, "S6"),
    ];
    for (name, fault, scenario, id) in cases {
        let model = KernelModel::new(scenario).with_fault(fault);
        let report =
            Checker::new(&model).limits(limits()).only([id]).check().expect("the model is consistent");
        let found = &report.properties[0];
        let counterexample = found.counterexample.as_ref().expect("the fault breaks the property");
        insta::assert_snapshot!(name, diagram::text(found.id, found.name, counterexample, Style::Plain));
    }
}

#[test]
fn counterexamples_of_the_session_read_as_before() {
    let cases = [
        ("late-answer-crosses", Fault::CrossedAnswers, "S11"),
        ("late-abort-stops-another", Fault::AbortHitsFirst, "S12"),
        ("old-iterator-ends-the-new-one", Fault::OldIteratorEnds, "S10"),
    ];
    for (name, fault, id) in cases {
        let report = check(name, &session::KernelModel::new(SESSION).with_fault(fault), Some(id));
        let found = &report.properties[0];
        let counterexample = found.counterexample.as_ref().expect("the fault breaks the property");
        insta::assert_snapshot!(name, diagram::text(found.id, found.name, counterexample, Style::Plain));
    }
}
