//! A search at random comes across what it is there for, and so does one of all executions with few deviations.

use downbeat_sim::explore::{Explorer, Search};
use downbeat_world::{CERTIFICATES, Mark, Marks, Scenario};
use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::page;

/// Scenarios that have everything together, or nearly.
const SCENARIOS: [&str; 3] = [
    "child+child+message+pause+retry+token+death+slow+disk+kill",
    "child+message+pause+cancel+token+lease+kill",
    "child+message+question+question+retry+hang+cut+kill+recall+clock",
];

/// So many executions of them are enough.
const SEEDS: u64 = 10_000;

#[test]
fn every_mark_is_hit_within_ten_thousand_seeds() {
    let marks = Marks::default();
    for name in SCENARIOS {
        let scene = name.parse::<Scenario>().expect("there is such a scenario").scene();
        let mut explorer = Explorer::new(|world| scene.play(world, marks.clone())).without_classes();
        let search = Search::Pct { seed: 1, executions: SEEDS / SCENARIOS.len() as u64, depth: 3 };
        let report = explorer.explore(search).expect("the shell keeps to the seam");
        let broken: Vec<_> = report
            .ends
            .keys()
            .filter(|end| !matches!(end, downbeat_sim::explore::End::Returned(Ok(_))))
            .collect();
        assert!(broken.is_empty(), "{name}: {broken:?}");
    }
    let hit = marks.so_far();
    let missed: Vec<_> =
        Mark::ALL.iter().filter(|mark| !hit.contains(mark)).map(|mark| mark.about()).collect();
    assert_eq!(missed, [""; 0]);
}

/// Subtask, message, interrupt and its resume timer, token, lease, and crash.
const SEVEN: &str = "child+message+pause+token+lease+kill";

/// What the seven come in the middle of, beside the kill that comes when all is over.
#[rustfmt::skip]
const MIDDLES: [Mark; 12] = [
    Mark::MessageDuringSubtask, Mark::MessageWaited, Mark::PauseDuringSend, Mark::PauseDuringSubtask, Mark::PauseDuringRefresh,
    Mark::KillDuringSend, Mark::KillDuringSubtask, Mark::KillDuringRefresh, Mark::KillDuringCommit,
    Mark::KillDuringPause, Mark::KillBeforeRead, Mark::LeaseOver,
];

/// Those that are of two in the middle of something at once: a pause or a message, and then a kill.
const OF_TWO: [Mark; 2] = [Mark::KillDuringPause, Mark::KillBeforeRead];

/// `downbeat sim --exhaustive` sees to it that the certificate is true.
#[test]
fn certificate_of_the_seven_has_what_each_comes_in_the_middle_of() {
    let mut of_seven = CERTIFICATES.iter().filter(|certificate| certificate.scenario == SEVEN);
    let certificate = of_seven.next().expect("it is certified");
    let missed: Vec<_> = MIDDLES.iter().filter(|mark| !certificate.marks.contains(mark)).collect();
    assert_eq!(missed, Vec::<&Mark>::new());
}

#[test]
fn one_deviation_is_enough_for_one_of_the_seven_to_come_in_the_middle() {
    let hit = |deviations| {
        let (scene, marks) =
            (SEVEN.parse::<Scenario>().expect("there is such a scenario").scene(), Marks::default());
        let mut explorer = Explorer::new(|world| scene.play(world, marks.clone()));
        let report = explorer.explore(Search::Bounded(deviations)).expect("the shell keeps to the seam");
        assert!(report.returned().all(Result::is_ok), "{:?}", report.ends.keys());
        marks.so_far()
    };
    assert_eq!(hit(0), BTreeSet::from([Mark::SentAgain, Mark::KillAfterEnd]));
    let one = hit(1);
    let missed: Vec<_> =
        MIDDLES.iter().filter(|mark| !one.contains(mark) && !OF_TWO.contains(mark)).collect();
    assert_eq!(missed, Vec::<&Mark>::new());
}

#[test]
fn page_has_the_situations_of_the_certificates() {
    let bounded: Vec<_> =
        CERTIFICATES.iter().filter(|certificate| certificate.deviations.is_some()).collect();
    let names: Vec<_> = bounded.iter().map(|certificate| format!(" `{}` |", certificate.scenario)).collect();
    let mut table = format!("| situation |{}\n|---|{}\n", names.concat(), "---|".repeat(names.len()));
    for mark in Mark::ALL {
        let hit = bounded.iter().map(|certificate| certificate.marks.contains(mark));
        let cells: Vec<_> = hit.map(|is_hit| if is_hit { " yes |" } else { " |" }).collect();
        if cells.contains(&" yes |") {
            writeln!(table, "| {} |{}", mark.about(), cells.concat()).expect("it is text");
        }
    }
    page::holds("situations", &table);
}
