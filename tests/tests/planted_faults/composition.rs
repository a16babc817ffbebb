//! The machines composed: faults of each of them, and of the wiring between them, and which property finds each.

use downbeat_kernel::faults::Fault;
use downbeat_models::subtask_tree::{Budget, Fault as Wiring, Scenario, SubtaskTree, variants};
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::harness::Variant;
use downbeat_sim::report::{Report, Verdict};

use std::collections::BTreeSet;

use super::check;

/// A task and a subtask, a message, a cancel, a crash.
const TREE: Scenario = Scenario { tasks: 2, subtasks: true, ..Scenario::ALONE }
    .with(Budget::Messages, 1)
    .with(Budget::Cancels, 1)
    .with(Budget::Crashes, 1);

/// A task alone that is paused, runs a tool, and is throttled twice.
const TALK: Scenario =
    Scenario::ALONE.with(Budget::Pauses, 1).with(Budget::Tools, 1).with(Budget::Throttles, 2);

/// A credential that expires twice, another process, a profile that goes down, a crash.
const TOKENS: Scenario = Scenario { credential: true, sibling: true, failover: true, ..Scenario::ALONE }
    .with(Budget::Lapses, 2)
    .with(Budget::Downs, 1)
    .with(Budget::Crashes, 1);

/// Two tasks that wait for one credential, a crash.
const WAITERS: Scenario = Scenario { tasks: 2, roots: 2, credential: true, ..Scenario::ALONE }
    .with(Budget::Lapses, 1)
    .with(Budget::Outages, 1)
    .with(Budget::Crashes, 1);

/// A credential that expires twice, another process, a write of which nothing is heard.
const WRITES: Scenario = Scenario { credential: true, sibling: true, ..Scenario::ALONE }
    .with(Budget::Lapses, 2)
    .with(Budget::Outages, 1);

/// A task whose agent is lost, a cancel, a crash.
const PLACES: Scenario = Scenario { agents: 1, ..Scenario::ALONE }
    .with(Budget::Losses, 1)
    .with(Budget::Tools, 1)
    .with(Budget::Throttles, 1)
    .with(Budget::Cancels, 1)
    .with(Budget::Crashes, 1);

/// The same with a pause, and neither cancel nor crash.
const HELD: Scenario = Scenario { agents: 1, ..Scenario::ALONE }
    .with(Budget::Losses, 1)
    .with(Budget::Pauses, 1)
    .with(Budget::Tools, 1);

/// Two tasks of a user who may have one, two agents.
const ROOTS: Scenario = Scenario { tasks: 2, roots: 2, agents: 2, ..Scenario::ALONE }
    .with(Budget::Losses, 1)
    .with(Budget::Cancels, 1);

/// Two tasks that wait for one agent, a crash.
const SHARED: Scenario = Scenario { agents: 1, ..ROOTS }.with(Budget::Crashes, 1);

/// A task and a subtask on one agent.
const SUBTASKS: Scenario = Scenario { tasks: 2, subtasks: true, agents: 1, ..Scenario::ALONE };

/// A task of which people hear, a question, a cancel, a crash.
const NEWS: Scenario = Scenario { agents: 1, outbox: true, ..Scenario::ALONE }
    .with(Budget::Questions, 1)
    .with(Budget::Cancels, 1)
    .with(Budget::Crashes, 1);

/// Two attempts at a task, of which nothing is heard for a while, a crash.
const ATTEMPTS: Scenario = Scenario { tasks: 2, retry: true, outbox: true, ..Scenario::ALONE }
    .with(Budget::Failures, 2)
    .with(Budget::Doubts, 1)
    .with(Budget::Crashes, 1);

/// A worker with a subtask whose agent is lost, a message, a pause.
const WORKER: Scenario = Scenario { tasks: 2, subtasks: true, worker: true, agents: 1, ..Scenario::ALONE }
    .with(Budget::Losses, 1)
    .with(Budget::Messages, 1)
    .with(Budget::Pauses, 1);

/// A task and a subtask that draw on one budget, a tool, a cancel, a crash.
const SPENDING: Scenario = Scenario { tasks: 2, subtasks: true, budget: 1, ..Scenario::ALONE }
    .with(Budget::Tools, 1)
    .with(Budget::Cancels, 1)
    .with(Budget::Crashes, 1);

/// Two attempts at a task with a budget each, a tool.
const SPENDING_AGAIN: Scenario =
    Scenario { tasks: 2, retry: true, budget: 1, ..Scenario::ALONE }.with(Budget::Tools, 1);

/// A worker with a subtask that draw on one budget, a message.
const SPENDING_WORKER: Scenario =
    Scenario { tasks: 2, subtasks: true, worker: true, budget: 1, ..Scenario::ALONE }
        .with(Budget::Messages, 1);

/// A budget whose time runs out, a tool, a crash.
const OVERDUE: Scenario = Scenario { budget: 2, ..Scenario::ALONE }
    .with(Budget::Overdue, 1)
    .with(Budget::Tools, 1)
    .with(Budget::Crashes, 1);

/// A task that asks, is written to, and paused.
const ASKING: Scenario =
    Scenario::ALONE.with(Budget::Questions, 1).with(Budget::Messages, 1).with(Budget::Pauses, 1);

/// A task whose only lease is lost.
const LOST: Scenario = Scenario { agents: 1, leases: 1, ..Scenario::ALONE }.with(Budget::Losses, 1);

/// A worker whose agent is lost, with another to go on at.
const STRAY: Scenario = Scenario { worker: true, agents: 2, ..Scenario::ALONE }
    .with(Budget::Losses, 1)
    .with(Budget::Interrupts, 1);

/// A task that is paused, whose agent is lost, and a crash.
const HELD_CRASHED: Scenario = Scenario { agents: 1, ..Scenario::ALONE }
    .with(Budget::Losses, 1)
    .with(Budget::Pauses, 1)
    .with(Budget::Crashes, 1);

/// A worker that is interrupted, whose agent is lost, and a crash.
const LOST_INTERRUPTED: Scenario = STRAY.with(Budget::Crashes, 1);

/// A worker that is interrupted, a message, a crash.
const INTERRUPTED: Scenario = Scenario { worker: true, ..Scenario::ALONE }
    .with(Budget::Interrupts, 1)
    .with(Budget::Messages, 1)
    .with(Budget::Crashes, 1);

/// A worker whose agent owes nothing, on an agent of a pool that is lost.
const SILENT: Scenario =
    Scenario { worker: true, silent: true, agents: 1, ..Scenario::ALONE }.with(Budget::Losses, 1);

/// A conversation that is continued, of which a response is forgotten, a crash.
const CONTINUED: Scenario = Scenario { continues: true, ..Scenario::ALONE }
    .with(Budget::Forgets, 1)
    .with(Budget::Tools, 2)
    .with(Budget::Crashes, 1);

/// An agent that asks and may be lost, two leases or one, a crash.
const ASKED: Scenario = Scenario { agents: 1, ..Scenario::ALONE }
    .with(Budget::Asks, 1)
    .with(Budget::Losses, 1)
    .with(Budget::Crashes, 1);
const ASKED_LAST: Scenario = Scenario { leases: 1, ..ASKED };

const SCENARIOS: [Scenario; 27] = [
    TREE,
    TALK,
    TOKENS,
    WAITERS,
    WRITES,
    PLACES,
    HELD,
    ROOTS,
    SHARED,
    SUBTASKS,
    NEWS,
    ATTEMPTS,
    WORKER,
    SPENDING,
    SPENDING_AGAIN,
    SPENDING_WORKER,
    OVERDUE,
    ASKING,
    LOST,
    STRAY,
    HELD_CRASHED,
    LOST_INTERRUPTED,
    INTERRUPTED,
    SILENT,
    CONTINUED,
    ASKED,
    ASKED_LAST,
];

/// Some faults of each machine, where each shows, and which property finds it.
#[rustfmt::skip]
const OF_MACHINES: &[(Fault, Scenario, &str)] = &[
    (Fault::SettlesNobody,           TREE,     "S9"),
    (Fault::SubtaskResultLeftOut,    TREE,     "S4"),
    (Fault::NoCascade,               TREE,     "S19"),
    (Fault::UndeliveredForgotten,    TREE,     "S5"),
    (Fault::NoGraceTimer,            TREE,     "L2"),
    (Fault::PauseHoldsNothing,       TALK,     "S13"),
    (Fault::ToolResultLeftOut,       TALK,     "S8"),
    (Fault::ResyncForgetsEnds,       PLACES,   "released"),
    (Fault::NoSendBudget,            TALK,     "S2"),
    (Fault::HeldSends,               TALK,     "S13"),
    (Fault::FailoverBeside,          TOKENS,   "S1"),
    (Fault::ResyncForgetsSend,       TREE,     "L1"),
    (Fault::ResyncForgetsCredential, TOKENS,   "known"),
    (Fault::RefreshesBeside,         WAITERS,  "S14"),
    (Fault::TakenRefreshes,          TOKENS,   "S15"),
    (Fault::RefusedGiven,            TOKENS,   "L5"),
    (Fault::OneWaiterSettled,        WAITERS,  "L5"),
    (Fault::ResyncForgetsOrder,      WAITERS,  "deadlock"),
    (Fault::GivenBeforeStored,       WAITERS,  "valid"),
    (Fault::LostAgentReused,         PLACES,   "S20"),
    (Fault::CancelMissesQueue,       SHARED,   "S21"),
    (Fault::CancelMissesQueue,       SHARED,   "leased"),
    (Fault::QuotaIgnored,            ROOTS,    "S22"),
    (Fault::UncleanIdle,             SHARED,   "S23"),
    (Fault::QuotaKept,               SHARED,   "L4"),
    (Fault::ResyncForgetsStops,      PLACES,   "recorded"),
    (Fault::ConclusionContradicted,  NEWS,     "S24"),
    (Fault::NotificationSentOnce,    NEWS,     "told"),
    (Fault::UnfencedRetry,           ATTEMPTS, "S18"),
    (Fault::OldAttemptDisarms,       ATTEMPTS, "S25"),
    (Fault::RetryNeverDue,           ATTEMPTS, "ends"),
    (Fault::ResyncForgetsAttempt,    ATTEMPTS, "ends"),
    (Fault::HoldIgnored,             WORKER,   "S13"),
    (Fault::ChildEndUntold,          WORKER,   "S3"),
    (Fault::SpentBeginsTurn,         SPENDING, "budget"),
    (Fault::ChildUntoldOfBudget,     SPENDING, "budget"),
    (Fault::ResyncForgetsBudgetQuestion, SPENDING, "budget"),
    (Fault::ResyncForgetsBudgetTimer, OVERDUE, "budget"),
    (Fault::DenyGoesOn,              SPENDING, "L2"),
    (Fault::WorkerUntoldOfBudget,    SPENDING_WORKER, "budget"),
    (Fault::GrantUnheard,            SPENDING_WORKER, "L1"),
    (Fault::QuestionOutlivesAgent,   ASKED,    "heard"),
    (Fault::ResyncForgetsClose,      ASKED,    "heard"),
    (Fault::MessageAnswers,          ASKING,   "S6"),
    (Fault::ResumeAnswers,           ASKING,   "S6"),
    (Fault::EndedMoves,              LOST,     "S7"),
    (Fault::InterruptAnyTurn,        INTERRUPTED, "S12"),
    (Fault::InterruptMissesGap,      STRAY,    "S12"),
    (Fault::InterruptDropsTurn,      INTERRUPTED, "resumed"),
    (Fault::ResumeUnmarked,          STRAY,    "resumed"),
    (Fault::ResyncForgetsContent,    INTERRUPTED, "resumed"),
    (Fault::NoNextRung,              SILENT,   "L3"),
    (Fault::NoNextRung,              SILENT,   "settles"),
    (Fault::ContinuityShared,        CONTINUED, "continuity"),
    (Fault::LostIsContinued,         CONTINUED, "continuity"),
    (Fault::QuestionOutlivesTask,    ASKED,    "heard"),
    (Fault::RelayedOnce,             ASKED,    "valid"),
];

/// Every fault of the wiring, where it shows, and which property finds it.
#[rustfmt::skip]
const OF_WIRING: &[(Wiring, Scenario, &str)] = &[
    (Wiring::WaitersCrossed,   WAITERS,  "known"),
    (Wiring::AskedOnce,        WAITERS,  "L5"),
    (Wiring::TokenKept,        TOKENS,   "S17"),
    (Wiring::WritesOver,       WRITES,   "S16"),
    (Wiring::ForgetsAtOnce,    PLACES,   "leased"),
    (Wiring::ForgetsAtOnce,    ATTEMPTS, "S18"),
    (Wiring::GateOpen,         PLACES,   "placed"),
    (Wiring::StopMissesKept,   PLACES,   "S19"),
    (Wiring::StopMissesKept,   PLACES,   "orders"),
    (Wiring::StopMissesKept,   PLACES,   "S21"),
    (Wiring::AnswersUnnamed,   STRAY,    "S11"),
    (Wiring::AnswersUnnamed,   STRAY,    "S20"),
    (Wiring::StopMissesKept,   WORKER,   "S10"),
    (Wiring::HeldKeptGoesOut,  HELD,     "S13"),
    (Wiring::HeldRepeatGoesOut, HELD_CRASHED, "S13"),
    (Wiring::StopMeetsNext,    LOST_INTERRUPTED, "L1"),
    (Wiring::OldLeaseTaken,    HELD,     "S20"),
    (Wiring::LostToolUntold,   HELD,     "L1"),
    (Wiring::SubtasksPlaced,   SUBTASKS, "deadlock"),
    (Wiring::AttemptsConclude, ATTEMPTS, "S24"),
    (Wiring::BilledOnce,       SPENDING, "billed"),
    (Wiring::DeniedToTree,     SPENDING_AGAIN, "S19"),
    (Wiring::LostAskerUntold,  ASKED_LAST, "heard"),
];

fn is_violated(report: &Report) -> bool {
    report.properties[0].verdict == Verdict::Violated
}

#[test]
fn planted_faults_of_each_machine_break_a_property_of_the_composition() {
    let missed: Vec<_> = OF_MACHINES
        .iter()
        .filter(|(fault, scenario, property)| {
            let model = SubtaskTree::new(*scenario).with_fault(*fault);
            !is_violated(&check(&format!("{fault:?}"), &model, Some(property)))
        })
        .map(|(fault, _, property)| (fault, property))
        .collect();
    assert!(missed.is_empty(), "these should break their properties: {missed:?}");
}

#[test]
fn every_fault_of_the_wiring_breaks_the_property_that_is_there_for_it() {
    let missed: Vec<_> = OF_WIRING
        .iter()
        .filter(|(fault, scenario, property)| {
            let model = SubtaskTree::new(*scenario).with_wiring_fault(*fault);
            !is_violated(&check(&format!("{fault:?}"), &model, Some(property)))
        })
        .map(|(fault, _, property)| (fault, property))
        .collect();
    assert!(missed.is_empty(), "these should break their properties: {missed:?}");
    for fault in Wiring::ALL {
        assert!(OF_WIRING.iter().any(|(listed, ..)| *listed == fault), "{fault:?} is in no row");
    }
}

#[test]
fn without_a_fault_every_property_of_the_composition_holds() {
    for scenario in SCENARIOS {
        for property in check("no fault", &SubtaskTree::new(scenario), None).properties {
            let is_kept = matches!(property.verdict, Verdict::Holds | Verdict::Vacuous);
            assert!(is_kept, "{} is {} in {scenario:?}", property.id, property.verdict);
        }
    }
}

/// A property that nothing breaks here may hold because nothing could break it.
#[test]
fn every_property_of_the_composition_is_in_a_table() {
    let listed: BTreeSet<&str> =
        OF_MACHINES.iter().map(|(.., id)| *id).chain(OF_WIRING.iter().map(|(.., id)| *id)).collect();
    let ids = |variant: Variant| variant.properties(&variant.default_bounds()).into_iter().map(|of| of.id);
    let asked: BTreeSet<&str> = variants().flat_map(ids).collect();
    assert_eq!(asked, listed);
    let safety: BTreeSet<String> = (1..=25).map(|number| format!("S{number}")).collect();
    assert!(safety.iter().all(|id| asked.contains(id.as_str())), "{asked:?}");
}

#[test]
fn counterexamples_of_the_wiring_read_as_before() {
    let cases = [
        ("subtasks-wait-for-places-that-their-roots-have", Wiring::SubtasksPlaced, SUBTASKS, "deadlock"),
        ("credential-is-written-over-a-newer-one", Wiring::WritesOver, WRITES, "S16"),
        ("root-is-forgotten-on-its-way-to-the-pool", Wiring::ForgetsAtOnce, PLACES, "leased"),
        ("send-without-a-place", Wiring::GateOpen, PLACES, "placed"),
        ("kept-order-goes-out-in-a-pause", Wiring::HeldKeptGoesOut, HELD, "S13"),
        ("tool-of-an-old-lease-is-taken", Wiring::OldLeaseTaken, HELD, "S20"),
        ("answer-of-an-old-lease-is-taken-for-another", Wiring::AnswersUnnamed, STRAY, "S11"),
        ("attempts-conclude-twice", Wiring::AttemptsConclude, ATTEMPTS, "S24"),
        ("bill-is-lost-in-a-crash", Wiring::BilledOnce, SPENDING, "billed"),
        ("denied-attempt-is-tried-again", Wiring::DeniedToTree, SPENDING_AGAIN, "S19"),
        ("agent-that-is-lost-is-told-for-ever", Wiring::LostAskerUntold, ASKED_LAST, "heard"),
    ];
    for (name, fault, scenario, id) in cases {
        let report = check(name, &SubtaskTree::new(scenario).with_wiring_fault(fault), Some(id));
        let found = &report.properties[0];
        let counterexample = found.counterexample.as_ref().expect("the fault breaks the property");
        insta::assert_snapshot!(name, diagram::text(found.id, found.name, counterexample, Style::Plain));
    }
}
