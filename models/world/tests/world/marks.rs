//! A search at random comes across what it is there for.

use downbeat_sim::explore::{Explorer, Search};
use downbeat_world::{Mark, Marks, Scenario};

/// Scenarios that have everything together, or nearly: an agent that dies stands for a lease that is over.
const SCENARIOS: [&str; 3] = [
    "child+child+message+pause+retry+token+death+slow+disk+kill",
    "child+message+pause+cancel+token+kill",
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
