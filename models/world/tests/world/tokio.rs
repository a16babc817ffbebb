//! The same scenarios on tokio: on one thread with its clock paused, and on several in real time.

use crate::page;
use downbeat_shell::fault::{Fault, plant};
use downbeat_sim::explore::{Explorer, Extent, Search};
use downbeat_world::{CERTIFICATES, Certificate, Drawn, Mark, Marks, Scenario, Scene, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;

/// A scenario with more executions is left to those who have minutes.
const SMALL: u64 = 2_000;
/// And one with more than this to nobody.
const LARGE: u64 = 40_000;

/// So many seeds of each.
const SEEDS: u64 = 200;
/// And of the larger ones.
const LARGER_SEEDS: u64 = 2_000;

fn scene(name: &str) -> Scene {
    name.parse::<Scenario>().expect("there is such a scenario").scene()
}

/// The scenarios of which every execution is certified.
fn whole() -> impl Iterator<Item = &'static Certificate> {
    CERTIFICATES.iter().filter(|certificate| certificate.deviations.is_none())
}

/// Everything that a scene comes to on the explorer.
fn explored(scene: Scene) -> BTreeSet<Verdict> {
    let mut explorer = Explorer::new(|world| scene.play(world, Marks::default())).without_classes();
    let report = explorer.explore(Search::Exhaustive).expect("the shell keeps to the seam");
    assert_eq!((report.extent, report.failures().count()), (Extent::Complete, 0));
    report.returned().cloned().collect()
}

/// What it comes to on a runtime of one thread whose clock is paused, by seed.
fn paused(scene: Scene, seeds: u64) -> Vec<Verdict> {
    let play = |seed| {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime");
        runtime.block_on(async { scene.play(Drawn::here(seed), Marks::default()).await })
    };
    (0..seeds).map(play).collect()
}

/// What was come to on tokio, and not on the explorer; or breaks a promise.
fn astray(explored: &BTreeSet<Verdict>, came: &BTreeSet<Verdict>) -> Vec<Verdict> {
    came.iter().filter(|verdict| verdict.is_err() || !explored.contains(verdict)).cloned().collect()
}

#[test]
fn paused_tokio_comes_to_what_the_explorer_comes_to() {
    let mut table = String::from("| scenario | ends on the explorer | of them on tokio |\n|---|---|---|\n");
    for certificate in whole().filter(|certificate| certificate.executions <= SMALL) {
        let name = certificate.scenario;
        let all = explored(scene(name));
        let came = BTreeSet::from_iter(paused(scene(name), SEEDS));
        assert_eq!(astray(&all, &came), [], "{name}: {all:?}");
        writeln!(table, "| `{name}` | {} | {} |", all.len(), came.len()).expect("it is text");
    }
    page::holds("tokio", &table);
}

#[test]
#[ignore = "it takes minutes to see the larger scenarios whole"]
fn paused_tokio_comes_to_what_the_explorer_comes_to_in_larger_scenarios() {
    let larger = whole().filter(|certificate| (SMALL + 1..=LARGE).contains(&certificate.executions));
    for name in larger.map(|certificate| certificate.scenario) {
        let all = explored(scene(name));
        let came = BTreeSet::from_iter(paused(scene(name), LARGER_SEEDS));
        println!("{name}: {} of {}", came.len(), all.len());
        assert_eq!(astray(&all, &came), [], "{name}: {all:?}");
    }
}

#[test]
fn same_seed_is_the_same_end_on_paused_tokio() {
    let scene = scene(SOAKED[0]);
    assert_eq!(paused(scene, SEEDS), paused(scene, SEEDS));
}

/// The comparison can fail: another scenario comes to more, and a shell with a fault breaks a promise.
#[test]
fn comparison_finds_what_the_explorer_does_not_come_to() {
    let came = BTreeSet::from_iter(paused(scene("child+message+cancel"), SEEDS));
    assert!(!astray(&explored(scene("child+message")), &came).is_empty(), "{came:?}");
    let faults = [
        (Fault::SendsAgain, "kill", "S2"),
        (Fault::SendsRunOn, "tool+cancel", "S9"),
        (Fault::SwapsResults, "child+child", "S3"),
        (Fault::LeasesNeverEnd, "child+death", "L1"),
    ];
    for (fault, name, promise) in faults {
        plant(Some(fault));
        let came = paused(scene(name), SEEDS);
        plant(None);
        assert!(came.contains(&Err(promise)), "{fault:?} in {name}: {:?}", BTreeSet::from_iter(came));
    }
}

/// Scenarios with nearly everything.
const SOAKED: [&str; 4] = [
    "child+child+message+pause+retry+token+death+slow+disk+kill",
    "child+message+question+question+pause+cancel+error+cut+token+kill+recall",
    "child+tool+message+message+retry+lease+disk",
    "child+child+slow+kill+kill",
];

/// So many scenes are played at once: most of them wait most of the time.
const AT_ONCE: u64 = 500;

/// Set for another duration, in seconds.
const SECONDS: &str = "DOWNBEAT_SOAK_SECONDS";

/// Plays a scene for each seed on a runtime of two threads, with a fault or without: the promises that were broken, and where.
fn soak(
    seeds: impl Iterator<Item = u64>,
    fault: Option<Fault>,
    marks: &Marks,
) -> BTreeMap<&'static str, Vec<String>> {
    let mut threads = Builder::new_multi_thread();
    threads.worker_threads(2).enable_time().on_thread_start(move || plant(fault));
    let runtime = threads.build().expect("a runtime");
    let mut broken = BTreeMap::<_, Vec<_>>::new();
    runtime.block_on(async {
        let play = |seed: u64| {
            let name = SOAKED[usize::try_from(seed % SOAKED.len() as u64).expect("there are few")];
            let (scene, marks) = (scene(name), marks.clone());
            (
                format!("{name}, seed {seed}"),
                tokio::spawn(async move { scene.play(Drawn::here(seed), marks).await }),
            )
        };
        let playing: Vec<_> = seeds.map(play).collect();
        for (name, playing) in playing {
            if let Err(promise) = playing.await.expect("the judge does not panic") {
                broken.entry(promise).or_default().push(name);
            }
        }
    });
    broken
}

#[test]
fn every_promise_is_kept_on_several_threads() {
    let (began, marks, mut played) = (Instant::now(), Marks::default(), 0);
    let seconds = std::env::var(SECONDS).map_or(2, |seconds| seconds.parse().expect("a number of seconds"));
    while began.elapsed() < Duration::from_secs(seconds) {
        let broken = soak(played..played + AT_ONCE, None, &marks);
        assert!(broken.is_empty(), "{broken:?}");
        played += AT_ONCE;
    }
    println!("{played} scenes in {:.1} s; {:?}", began.elapsed().as_secs_f64(), marks.so_far());
    let expected = [Mark::SentAgain, Mark::AgentDied, Mark::KillAfterEnd, Mark::KillDuringSend];
    assert!(marks.so_far().is_superset(&BTreeSet::from(expected)), "{:?}", marks.so_far());
}

#[test]
fn fault_is_found_on_several_threads() {
    let broken = soak(0..AT_ONCE, Some(Fault::SendsAgain), &Marks::default());
    assert!(broken.contains_key("S2"), "{broken:?}");
}
