//! Small scenarios, seen whole.

use downbeat_sim::explore::{End, Explorer, Extent, Search};
use downbeat_world::{CERTIFICATES, Marks, Scenario, Verdict};
use std::collections::BTreeSet;

/// A scenario with more executions is left to `downbeat sim --exhaustive`.
const SMALL: u64 = 2_000;

fn ends(scenario: &Scenario, search: Search) -> (BTreeSet<End<Verdict>>, Extent, u64, usize) {
    let scene = scenario.scene();
    let explorer = Explorer::new(|world| scene.play(world, Marks::default()));
    let report = explorer.without_classes().explore(search).expect("the shell keeps to the seam");
    (report.ends.into_keys().collect(), report.extent, report.executions, report.longest)
}

#[test]
fn small_scenarios_have_as_many_executions_as_certified_and_keep_every_promise() {
    let small = CERTIFICATES.iter().filter(|certificate| certificate.executions <= SMALL);
    for certificate in small {
        let scenario = certificate.scenario.parse().expect("there is such a scenario");
        let (ends, extent, executions, longest) = ends(&scenario, Search::Exhaustive);
        assert_eq!(
            (extent, executions, longest),
            (Extent::Complete, certificate.executions, certificate.longest),
            "{}",
            scenario.name()
        );
        let is_kept = |end: &End<Verdict>| matches!(end, End::Returned(Ok(_)));
        assert!(ends.iter().all(is_kept), "{}: {ends:?}", scenario.name());
    }
}

/// The reduction is tested with the explorer; here, that the world shares nothing that it does not record.
#[test]
fn plain_search_comes_to_the_same_ends() {
    for name in ["task", "retry", "tool"] {
        let scenario: Scenario = name.parse().expect("there is such a scenario");
        let (reduced, _, few, _) = ends(&scenario, Search::Exhaustive);
        let (plain, extent, many, _) = ends(&scenario, Search::Plain);
        assert_eq!((plain, extent), (reduced, Extent::Complete), "{name}");
        assert!(many > few, "{name}: {many} plain, {few} reduced");
    }
}
