//! The same seed is the same execution, byte for byte: twice in one process, and once in another.

use downbeat_sim::explore::{Explorer, Search};
use downbeat_world::{Marks, Scenario};
use std::fmt::Write as _;
use std::process::Command;

const SCENARIOS: [&str; 2] = [
    "child+child+message+pause+retry+token+death+slow+disk+kill",
    "child+tool+message+question+question+cancel+retry+hang+error+cut+token+lease+kill+kill+recall+clock",
];
const SEEDS: u64 = 25;

/// Set in the other process.
const OTHER: &str = "DOWNBEAT_TRACES_TO";

/// Everything that happens in the executions of some seeds, as text.
fn traces() -> String {
    let mut traces = String::new();
    for (scenario, seed) in
        SCENARIOS.iter().flat_map(|scenario| (1..=SEEDS).map(move |seed| (scenario, seed)))
    {
        let scene = scenario.parse::<Scenario>().expect("there is such a scenario").scene();
        let mut explorer = Explorer::new(|world| scene.play(world, Marks::default()));
        let report = explorer
            .explore(Search::Pct { seed, executions: 1, depth: 3 })
            .expect("the shell keeps to the seam");
        let (_, seen) = report.ends.first_key_value().expect("there was one");
        let explorer = Explorer::new(|world| scene.play(world, Marks::default()));
        let execution = explorer.replay(&seen.first).expect("it was seen");
        writeln!(traces, "{} {:?} {:?}", execution.schedule, execution.end, execution.story)
            .expect("it is text");
    }
    traces
}

#[test]
fn seed_is_the_same_execution_in_every_process() {
    if let Some(path) = std::env::var_os(OTHER) {
        return std::fs::write(path, traces()).expect("it can be written");
    }
    let here = traces();
    assert!(here == traces(), "two runs in one process differ");
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("traces.txt");
    let mut other = Command::new(std::env::current_exe().expect("this program"));
    other.args(["--exact", "same::seed_is_the_same_execution_in_every_process"]).env(OTHER, &path);
    assert!(other.output().expect("it runs").status.success());
    assert!(here == std::fs::read_to_string(&path).expect("it was written"), "two processes differ");
}
