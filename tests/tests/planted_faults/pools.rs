//! The faults of pools, where each shows, and which property finds it.

use downbeat_kernel::faults::Fault;
use downbeat_models::remote_agents::kernel::{Flaw, KernelModel, Left, QUIET, Scenario};
use downbeat_models::remote_agents::owners;
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::report::Verdict;

use super::check;

/// A message that arrives twice.
const DOUBLED: Scenario = with(Left { duplicates: 1, ..Left::NONE });

/// A cancel, and a crash between any two orders.
const CANCELLED: Scenario = with(Left { cancels: 1, crashes: 1, ..Left::NONE });

/// An agent that is taken for dead, and one that is heard of.
const SILENT: Scenario = with(Left { early: 1, beats: 1, ..Left::NONE });

/// An agent that dies, and a crash.
const DEAD: Scenario = with(Left { deaths: 1, crashes: 1, ..Left::NONE });

/// A task that nobody wants any more, of an agent that goes on or dies.
const UNWANTED: Scenario =
    Scenario { tasks: 1, ..with(Left { cancels: 1, deaths: 1, beats: 1, ..Left::NONE }) };

/// A task that is given back, and may not be tried again.
const GIVEN_BACK: Scenario = Scenario { attempts: 1, ..with(Left { returns: 1, ..Left::NONE }) };

/// An agent that is kept, one that cannot be started, one that is to go.
const FLEET: Scenario = Scenario { kept: 1, ..with(Left { failures: 1, drains: 1, ..Left::NONE }) };

/// An owner that is suspended, another one, and what comes to the first when it wakes up.
const OWNERS: Scenario = with(Left { owners: 1, wakes: 1, ..Left::NONE });

/// The same with a cancel.
const CANCELLED_BY_TWO: Scenario =
    Scenario { tasks: 1, ..with(Left { cancels: 1, owners: 1, wakes: 1, ..Left::NONE }) };

/// The same with two users who have an agent each.
const TWO_BY_TWO: Scenario = Scenario { users: 2, agents: 2, ..OWNERS };

/// The same with two agents for one user, who may have one task at once.
const CROWDED_BY_TWO: Scenario = Scenario { agents: 2, ..OWNERS };

const UNFENCED: Flaw = Flaw::Owners(owners::Flaw::Unfenced);
const UNRECORDED: Flaw = Flaw::Owners(owners::Flaw::Unrecorded);

/// Two agents for a user who may have one task at once.
const ROOMY: Scenario = Scenario { agents: 2, ..with(Left { cancels: 1, ..Left::NONE }) };

/// Two users with a task each, and one agent.
const SCARCE: Scenario = Scenario { users: 2, ..QUIET };

/// Three tasks that may pass each other.
const QUEUED: Scenario = Scenario { tasks: 3, room: 3, ..with(Left { early: 1, ..Left::NONE }) };

/// Three tasks, and room for two.
const FULL: Scenario = Scenario { tasks: 3, ..QUIET };

/// Two users, one of them with more than the quota, and an agent that stays.
const IDLE: Scenario = Scenario { tasks: 3, users: 2, room: 3, agents: 2, kept: 1, ..QUIET };

const SCENARIOS: [Scenario; 15] = [
    QUIET,
    DOUBLED,
    CANCELLED,
    SILENT,
    DEAD,
    UNWANTED,
    GIVEN_BACK,
    FLEET,
    ROOMY,
    SCARCE,
    QUEUED,
    FULL,
    IDLE,
    OWNERS,
    CANCELLED_BY_TWO,
];

const fn with(left: Left) -> Scenario {
    Scenario { left, ..QUIET }
}

/// Every row: the fault, where it shows, and which property finds it.
#[rustfmt::skip]
const OF_POOLS: &[(Fault, Scenario, &str)] = &[
    (Fault::SubmissionDoubled,        QUIET,      "stale"),
    (Fault::PoolUnbounded,            FULL,       "valid"),
    (Fault::PriorityStarves,          QUEUED,     "overtaken"),
    (Fault::PlaceLost,                QUEUED,     "overtaken"),
    (Fault::CancelMissesQueue,        CANCELLED,  "S21"),
    (Fault::CompletionOvertakes,      CANCELLED,  "S24"),
    (Fault::CancelIsRenewed,          UNWANTED,   "S24"),
    (Fault::QuotaIgnored,             ROOMY,      "S22"),
    (Fault::QuotaReleasedTwice,       ROOMY,      "S22"),
    (Fault::QuotaKept,                QUIET,      "L1"),
    (Fault::EpochKept,                SILENT,     "S20"),
    (Fault::AssignedStaysQueued,      ROOMY,      "S20"),
    (Fault::NoAttemptsBound,          GIVEN_BACK, "orders"),
    (Fault::AnyLease,                 DOUBLED,    "stale"),
    (Fault::NoLeaseTimer,             DEAD,       "L1"),
    (Fault::RenewalForgotten,         SILENT,     "renewed"),
    (Fault::LostTaskForgotten,        SILENT,     "deadlock"),
    (Fault::LostAgentReused,          SILENT,     "S20"),
    (Fault::EndsTwice,                DOUBLED,    "S25"),
    (Fault::PoolEndForgotten,         QUIET,      "orders"),
    (Fault::UncleanIdle,              QUIET,      "S23"),
    (Fault::AnyCleaning,              DOUBLED,    "stale"),
    (Fault::AnyPoolTimer,             QUIET,      "stale"),
    (Fault::DrainTakesTask,           FLEET,      "L1"),
    (Fault::DrainedReused,            FLEET,      "gone"),
    (Fault::ProvisionsNothing,        QUIET,      "deadlock"),
    (Fault::ProvisionsWithoutBound,   SCARCE,     "valid"),
    (Fault::FailsWithoutPause,        FLEET,      "orders"),
    (Fault::RetiresMinimum,           IDLE,       "valid"),
    (Fault::NotRetired,               SILENT,     "leak"),
    (Fault::LeaksContainer,           SILENT,     "leak"),
    (Fault::ResyncForgetsProvisions,  CANCELLED,  "orders"),
    (Fault::ResyncForgetsRetirements, CANCELLED,  "orders"),
    (Fault::ResyncForgetsAssignments, CANCELLED,  "orders"),
    (Fault::ResyncForgetsStops,       CANCELLED,  "orders"),
    (Fault::ResyncForgetsCleaning,    CANCELLED,  "orders"),
    (Fault::ResyncForgetsPoolTimers,  DEAD,       "L1"),
    (Fault::ResyncForgetsPoolEnds,    DEAD,       "recorded"),
    // Beside the properties that name the duty, the others that the same fault breaks have to be able to fail too.
    (Fault::SubmissionDoubled,        QUIET,      "S7"),
    (Fault::SubmissionDoubled,        QUIET,      "S18"),
    (Fault::CancelMissesQueue,        CANCELLED,  "S19"),
    (Fault::NoLeaseTimer,             UNWANTED,   "L2"),
    (Fault::QuotaKept,                IDLE,       "L4"),
];

/// What somebody around the pool does not do, where it shows, and which property finds it. With two owners it is the epochs of
/// the leases, and of the journal, that keep these.
const AROUND_POOLS: &[(Flaw, Scenario, &str)] = &[
    (Flaw::AnyEpoch, OWNERS, "S20"),
    (Flaw::AnyEpoch, OWNERS, "S23"),
    (Flaw::AnyEpoch, CANCELLED_BY_TWO, "S21"),
    (UNFENCED, TWO_BY_TWO, "S20"),
    (UNFENCED, CANCELLED_BY_TWO, "S21"),
    (UNFENCED, CANCELLED_BY_TWO, "S19"),
    (UNFENCED, CROWDED_BY_TWO, "S22"),
    (UNRECORDED, OWNERS, "S20"),
];

/// The faults that are in the table.
pub(super) fn listed() -> impl Iterator<Item = Fault> {
    OF_POOLS.iter().map(|(fault, ..)| *fault)
}

#[test]
fn every_planted_fault_of_pools_breaks_the_property_that_is_there_for_it() {
    let missed: Vec<_> = OF_POOLS
        .iter()
        .filter(|(fault, scenario, property)| {
            let model = KernelModel::new(*scenario).with_fault(*fault);
            let report = check(&format!("{fault:?}"), &model, Some(property));
            report.properties[0].verdict != Verdict::Violated
        })
        .map(|(fault, _, property)| (fault, property))
        .collect();
    assert!(missed.is_empty(), "these should break their properties: {missed:?}");
}

#[test]
fn every_duty_around_pools_is_there_for_the_property_that_breaks_without_it() {
    let missed: Vec<_> = AROUND_POOLS
        .iter()
        .filter(|(flaw, scenario, property)| {
            let model = KernelModel::new(*scenario).with_flaw(*flaw);
            check(&format!("{flaw:?}"), &model, Some(property)).properties[0].verdict != Verdict::Violated
        })
        .map(|(flaw, _, property)| (flaw, property))
        .collect();
    assert!(missed.is_empty(), "these should break their properties: {missed:?}");
}

#[test]
fn without_a_fault_every_property_of_pools_holds_and_one_fault_or_another_breaks_it() {
    for scenario in SCENARIOS {
        for property in check("no fault", &KernelModel::new(scenario), None).properties {
            // Where there is nobody to pass, nobody is passed.
            let is_kept = matches!(property.verdict, Verdict::Holds | Verdict::Vacuous);
            assert!(is_kept, "{} is {} in {scenario:?}", property.id, property.verdict);
            assert!(
                OF_POOLS.iter().any(|(.., found_by)| *found_by == property.id),
                "no planted fault shows that {} can fail",
                property.id
            );
        }
    }
}

#[test]
fn counterexamples_of_pools_read_as_before() {
    let cases = [
        ("cancelled-task-is-assigned", Fault::CancelMissesQueue, CANCELLED, "S21"),
        ("lost-agent-is-used-again", Fault::LostAgentReused, SILENT, "S20"),
        ("container-outlives-its-removal", Fault::LeaksContainer, SILENT, "leak"),
        ("agent-is-used-unclean", Fault::UncleanIdle, QUIET, "S23"),
        ("cancel-gives-a-place-back-twice", Fault::QuotaReleasedTwice, ROOMY, "S22"),
    ];
    for (name, fault, scenario, id) in cases {
        let report = check(name, &KernelModel::new(scenario).with_fault(fault), Some(id));
        let found = &report.properties[0];
        let counterexample = found.counterexample.as_ref().expect("the fault breaks the property");
        insta::assert_snapshot!(name, diagram::text(found.id, found.name, counterexample, Style::Plain));
    }
}

#[test]
fn counterexamples_of_two_owners_read_as_before() {
    let cases = [
        ("repeated-assignment-is-taken", Flaw::AnyEpoch, OWNERS, "S20"),
        ("assignment-of-a-cancelled-task-is-taken", Flaw::AnyEpoch, CANCELLED_BY_TWO, "S21"),
        ("two-owners-assign-one-task", UNFENCED, TWO_BY_TWO, "S20"),
    ];
    for (name, flaw, scenario, id) in cases {
        let report = check(name, &KernelModel::new(scenario).with_flaw(flaw), Some(id));
        let found = &report.properties[0];
        let counterexample = found.counterexample.as_ref().expect("the flaw breaks the property");
        insta::assert_snapshot!(name, diagram::text(found.id, found.name, counterexample, Style::Plain));
    }
}
