//! Each fault that can be planted in the shell is found, by name.

use crate::page;
use downbeat_shell::fault::{Fault, plant};
use downbeat_sim::explore::{End, Explorer, Search};
use downbeat_sim::harness::grouped;
use downbeat_world::{Marks, Scenario};
use std::fmt::Write as _;
use std::time::Duration;

/// Where each is found, and what it breaks there.
const FOUND: [(Fault, &str, &str); 33] = [
    (Fault::EffectsFirst, "slow+kill", "S2"),
    (Fault::RepliesFirst, "slow+kill", "L1"),
    (Fault::MessagesNotJournaled, "message+kill", "S5"),
    (Fault::ForgetsOutstanding, "kill", "L1"),
    (Fault::StarvesCommits, "task", "L1"),
    (Fault::DropsLetters, "message+slow", "S5"),
    (Fault::ForgetsReplies, "task", "L1"),
    (Fault::SkipsLastLine, "kill", "S2"),
    (Fault::SendsRunOn, "tool+cancel", "S9"),
    (Fault::ToolsRunOn, "tool+cancel", "S19"),
    (Fault::AnswersOlderTurn, "child+kill", "L1"),
    (Fault::SendsAgain, "kill", "S2"),
    (Fault::ForgetsTimers, "retry", "L1"),
    (Fault::ReportsToNobody, "message+cancel", "S5"),
    (Fault::TellsNobody, "task", "L1"),
    (Fault::ForgetsEarly, "message+kill", "S5"),
    (Fault::SameNumber, "child+child", "script"),
    (Fault::SwapsResults, "child+child", "S3"),
    (Fault::ForgetsWaiters, "token", "L1"),
    (Fault::OutboxesForgotten, "kill", "L1"),
    (Fault::CredentialsForgotten, "token+kill", "L1"),
    (Fault::SendsTwice, "task", "S1"),
    (Fault::RunsToolsTwice, "tool", "S8"),
    (Fault::ForgetsResults, "child", "S4"),
    (Fault::FailsSubtasks, "child", "script"),
    (Fault::ForgetsTurns, "child", "S2"),
    (Fault::RefreshesTwice, "token", "S14"),
    (Fault::ShowsFirst, "cut", "S18"),
    (Fault::AnswersNewestQuestion, "question+question", "S6"),
    (Fault::HalvesWaits, "retry", "waits"),
    (Fault::ForgetsLastWords, "task", "S24"),
    (Fault::WaitsForEver, "hang", "L1"),
    (Fault::LeasesNeverEnd, "child+death", "L1"),
];

/// One that breaks a promise once in tens of thousands of executions at random, of a scenario that is too large to be seen whole: with what was
/// found, as `downbeat replay` takes it.
const RARE: (Fault, &str, &str) = (
    Fault::RepliesBeforeOrders,
    "pause+token+death fault=replies-before-orders seed=0xfb26db00523cd685 1:1 2:1 3:2 4:1 5:1 6:3 7:3 8:1 9:1 10:4 11:4 12:1 13:1 14:2 15:2 16:2 18:1",
    "S13",
);

/// So many executions are tried at random.
const SEEDS: u64 = 20_000;

/// So many are tried in turn: whoever is not found by then may be late in the order.
const TRIED: u64 = 50_000;

/// When a promise is broken, and which.
struct Found {
    executions: u64,
    elapsed: Duration,
    property: String,
}

/// How long it takes until a promise is broken; `None` if none was in what was tried.
fn found(scenario: &str, fault: Option<Fault>, search: Search) -> Option<Found> {
    let scene = scenario.parse::<Scenario>().expect("there is such a scenario").scene();
    plant(fault);
    let strict = |world| async {
        if let Err(property) = scene.play(world, Marks::default()).await {
            panic!("{property}");
        }
    };
    let mut explorer = Explorer::new(strict).without_classes().stop_at_failure().executions(TRIED);
    let report = explorer.explore(search).expect("the shell keeps to the seam");
    plant(None);
    let property = report.ends.keys().find_map(|end| match end {
        End::Panicked { message, .. } => Some(message.clone()),
        End::Deadlocked(_) => Some("deadlock".to_owned()),
        End::Returned(()) | End::CutOff => None,
    })?;
    Some(Found { executions: report.executions, elapsed: report.elapsed, property })
}

/// A time, as the table has it.
const TIME: &str = "a time";

/// The table without its times, which are those of one run: that they are times is left.
fn without_times(table: &str) -> String {
    let is_time = |cell: &str| {
        let (whole, part) = cell.split_once('.')?;
        [whole, part].iter().all(|digits| digits.parse::<u32>().is_ok()).then_some(TIME)
    };
    let without = |line: &str| {
        let cells = line.split(" | ").map(|cell| is_time(cell.trim_end_matches(" |")).unwrap_or(cell));
        cells.collect::<Vec<_>>().join(" | ")
    };
    table.lines().map(without).collect::<Vec<_>>().join("\n")
}

#[test]
fn tables_that_differ_in_more_than_a_time_differ() {
    let row = "| `task` | L1 | 1 | 0.3 | 17 | 120.4 |";
    #[rustfmt::skip]
    let cases = [
        ("other times",  "| `task` | L1 | 1 | 9.9 | 17 | 1.0 |",   true),
        ("a number",     "| `task` | L1 | 2 | 0.3 | 17 | 120.4 |", false),
        ("the other",    "| `task` | L1 | 1 | 0.3 | 18 | 120.4 |", false),
        ("no time",      "| `task` | L1 | 1 | - | 17 | 120.4 |",   false),
        ("no column",    "| `task` | L1 | 1 | 0.3 | 17 |",         false),
        ("in words",     "| `task` | L1 | 1 | 0.3 | 17 | soon |",  false),
    ];
    for (name, other, is_same) in cases {
        assert_eq!(without_times(row) == without_times(other), is_same, "{name}");
    }
}

#[test]
fn every_fault_is_found_and_the_page_says_how() {
    let by_search = Fault::ALL.iter().filter(|fault| **fault != RARE.0);
    assert!(FOUND.iter().map(|(fault, ..)| fault).eq(by_search), "one row for each, in their order");
    let mut table = String::from(
        "| fault | what it does | found in | breaks | executions, all | ms | executions, at random | ms |\n|---|---|---|---|---|---|---|---|\n",
    );
    let mut others = Vec::new();
    for (fault, scenario, property) in FOUND {
        let all = found(scenario, Some(fault), Search::Exhaustive);
        let random = found(scenario, Some(fault), Search::Pct { seed: 1, executions: SEEDS, depth: 3 });
        let first = all.as_ref().or(random.as_ref()).unwrap_or_else(|| panic!("{fault:?} is not found"));
        if first.property != property {
            others.push(format!("{fault:?} in {scenario} breaks {}", first.property));
        }
        let told = |found: Option<Found>, tried| match found {
            None => format!("not in {} | -", grouped(tried)),
            Some(Found { executions, elapsed, .. }) => {
                format!("{} | {:.2}", grouped(executions), elapsed.as_secs_f64() * 1_000.0)
            }
        };
        let (name, about, all, random) = (fault.name(), fault.about(), told(all, TRIED), told(random, SEEDS));
        writeln!(table, "| `{name}` | {about} | `{scenario}` | {property} | {all} | {random} |")
            .expect("it is text");
    }
    assert_eq!(others, [""; 0], "is otherwise than it is told");
    let (fault, recording, property) = RARE;
    let (name, about) = (fault.name(), fault.about());
    let scenario = recording.split(' ').next().unwrap_or_default();
    writeln!(table, "| `{name}` | {about} | `{scenario}` | {property} | stored | - | stored | - |")
        .expect("it is text");
    page::holds_but_for("faults", &table, without_times);
}

#[test]
fn rare_fault_is_found_where_it_was_and_not_without_it() {
    let (fault, recording, property) = RARE;
    let (scenario, schedule) = recording.split_once(" fault=").expect("it says which");
    let schedule = schedule.strip_prefix(fault.name()).expect("it is that fault").trim();
    let scene = scenario.parse::<Scenario>().expect("there is such a scenario").scene();
    let explorer = Explorer::new(|world| scene.play(world, Marks::default()));
    let schedule = schedule.parse().expect("it is a schedule");
    plant(Some(fault));
    let with = explorer.replay(&schedule).expect("it fits").end;
    plant(None);
    assert_eq!(with, End::Returned(Err(property)));
    assert!(matches!(explorer.replay(&schedule).expect("it fits").end, End::Returned(Ok(_))));
}
