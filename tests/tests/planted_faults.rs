//! The guards and duties of the kernel that are listed here are there for a property: without it, that one fails.

use downbeat_kernel::faults::Fault;
use downbeat_models::subtask_completion::kernel::{KernelModel, Scenario};
use downbeat_sim::check::{Checker, Limits};
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::report::Verdict;

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

fn limits() -> Limits {
    Limits { states: Some(STATES), ..Limits::default() }
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
fn without_a_fault_every_property_holds_in_the_same_scenarios() {
    for scenario in SCENARIOS {
        let report =
            Checker::new(&KernelModel::new(scenario)).limits(limits()).check().expect("a sound model");
        for property in &report.properties {
            assert_eq!(property.verdict, Verdict::Holds, "{} in {scenario:?}", property.id);
        }
    }
}

#[test]
fn every_fault_and_every_property_of_the_kernel_is_in_the_table() {
    for fault in Fault::ALL {
        assert!(FAULTS.iter().any(|(listed, ..)| listed == fault), "{fault:?} has no property that finds it");
    }
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
