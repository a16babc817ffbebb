//! Small scenarios, seen whole, with their classes counted: two executions of one class that come to different ends are an error.

use downbeat_sim::explore::{End, ExploreError, Explorer, Extent, Misuse, Report, Search, World};
use downbeat_world::{CERTIFICATES, Marks, Scenario, Verdict};
use std::sync::{Arc, Mutex};

/// A scenario with more executions is left to `downbeat sim --exhaustive`.
const SMALL: u64 = 2_000;

fn seen(scenario: &Scenario, search: Search) -> Report<Verdict> {
    marked(scenario, search, &Marks::default())
}

fn marked(scenario: &Scenario, search: Search, marks: &Marks) -> Report<Verdict> {
    let scene = scenario.scene();
    let mut explorer = Explorer::new(|world| scene.play(world, marks.clone()));
    explorer.explore(search).expect("the shell keeps to the seam")
}

#[test]
fn small_scenarios_are_as_certified_and_keep_every_promise() {
    let small = CERTIFICATES.iter().filter(|certificate| certificate.executions <= SMALL);
    for certificate in small {
        let scenario: Scenario = certificate.scenario.parse().expect("there is such a scenario");
        let marks = Marks::default();
        let report = marked(&scenario, certificate.search(), &marks);
        let whole = certificate.deviations.map_or(Extent::Complete, Extent::Bounded);
        assert_eq!(report.extent, whole, "{}", scenario.name());
        assert_eq!(certificate.differences(&report, &marks), [""; 0], "{}", scenario.name());
        let is_kept = |end: &&End<Verdict>| matches!(end, End::Returned(Ok(_)));
        assert!(report.ends.keys().all(|end| is_kept(&end)), "{}: {:?}", scenario.name(), report.ends);
    }
}

/// The reduction is tested with the explorer; here, that the world and the shell share nothing that they do not record.
#[test]
fn plain_search_comes_to_the_same_ends() {
    for name in ["task", "retry", "tool", "cut", "child", "child+cut", "tool+retry", "message"] {
        let scenario: Scenario = name.parse().expect("there is such a scenario");
        let reduced = seen(&scenario, Search::Exhaustive);
        let plain = seen(&scenario, Search::Plain);
        assert_eq!((plain.extent, plain.classes), (Extent::Complete, reduced.classes), "{name}");
        assert!(plain.ends.keys().eq(reduced.ends.keys()), "{name}");
        assert!(plain.executions > reduced.executions, "{name}: {} plain", plain.executions);
    }
}

/// Few choices other than the first make executions that are alike: of most classes there are several.
const ALIKE: Search = Search::Bounded(2);

/// Executions that differ in the order of steps with nothing in common come to the same end, or the search ends with an error.
#[test]
fn order_of_steps_with_nothing_in_common_makes_no_difference() {
    let (mut executions, mut classes) = (0, 0);
    // Those with few deviations are searched so anyway.
    for certificate in CERTIFICATES.iter().filter(|certificate| certificate.deviations.is_none()) {
        let scenario: Scenario = certificate.scenario.parse().expect("there is such a scenario");
        let report = seen(&scenario, ALIKE);
        executions += report.executions;
        classes += report.classes.unwrap_or(0);
    }
    assert!(classes * 2 < executions, "{executions} executions, of {classes} classes: few are compared");
}

/// A scene, and beside it two tasks that share something past the seam, or on it.
async fn beside(scenario: &Scenario, world: World, is_recorded: bool) -> (Verdict, Vec<u8>) {
    let order = Arc::new(Mutex::new(Vec::new()));
    let cell = is_recorded.then(|| world.rt().cell("order", ()));
    for number in [1, 2] {
        let (order, cell) = (Arc::clone(&order), cell.clone());
        world.rt().spawn("beside", async move {
            if let Some(cell) = cell {
                cell.set(());
            }
            order.lock().expect("nobody panics").push(number);
        });
    }
    let verdict = scenario.scene().play(world, Marks::default()).await;
    (verdict, order.lock().expect("nobody panics").clone())
}

#[test]
fn unrecorded_share_beside_the_shell_is_noticed() {
    let scenario: Scenario = "message".parse().expect("there is such a scenario");
    let explore = |is_recorded| Explorer::new(|world| beside(&scenario, world, is_recorded)).explore(ALIKE);
    let unrecorded = explore(false);
    assert!(matches!(unrecorded, Err(ExploreError::Misused(Misuse::Apart { .. }))), "{unrecorded:?}");
    assert!(explore(true).is_ok());
}
