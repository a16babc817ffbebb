//! What two owners of one machine rest on: each duty that somebody around them does not do, and which property finds it.

use std::fmt::Debug;

use downbeat_models::remote_agents::machine::{Closed, World};
use downbeat_models::remote_agents::owners::Flaw;
use downbeat_models::remote_agents::{
    notifications::kernel as notifications, questions::kernel as questions, retries::kernel as retries,
};
use downbeat_sim::report::Verdict;

use super::check;

/// Every row: what is not done, and which property finds it.
type Table = [(Flaw, &'static str)];

const OF_QUESTIONS: &Table = &[(Flaw::Unfenced, "S7"), (Flaw::Unrecorded, "S6"), (Flaw::Unrecorded, "S7")];

const OF_NOTIFICATIONS: &Table =
    &[(Flaw::Unfenced, "S7"), (Flaw::Unfenced, "S24"), (Flaw::Unrecorded, "S24")];

const OF_RETRIES: &Table = &[
    (Flaw::Unfenced, "S7"),
    (Flaw::Unfenced, "S19"),
    (Flaw::Unfenced, "S21"),
    (Flaw::Unrecorded, "S7"),
    (Flaw::Unrecorded, "S21"),
];

/// The rows of which nothing is found.
fn missed<W: World + Debug>(world: W, table: &'static Table) -> Vec<(Flaw, &'static str)> {
    let is_missed = |(flaw, property): &(Flaw, &'static str)| {
        let model = Closed::new(world).with_owners(1).with_flaw(*flaw);
        check(&format!("{flaw:?}"), &model, Some(property)).properties[0].verdict != Verdict::Violated
    };
    table.iter().copied().filter(is_missed).collect()
}

#[test]
fn every_duty_around_two_owners_is_there_for_the_property_that_breaks_without_it() {
    let missed = [
        missed(questions::Around::new(questions::BY_TWO), OF_QUESTIONS),
        missed(notifications::Around::new(notifications::BY_TWO), OF_NOTIFICATIONS),
        missed(retries::Around::new(retries::BY_TWO), OF_RETRIES),
    ];
    assert!(missed.iter().all(Vec::is_empty), "these should break their properties: {missed:?}");
}

/// With one owner there is no epoch that could be over: nothing shows there.
#[test]
fn one_owner_does_not_show_a_store_that_takes_what_is_written_under_an_old_epoch() {
    fn holds<W: World + Debug>(world: W) {
        for property in check("one owner", &Closed::new(world).with_flaw(Flaw::Unfenced), None).properties {
            assert_eq!(property.verdict, Verdict::Holds, "{}", property.id);
        }
    }
    holds(questions::Around::new(questions::BY_TWO));
    holds(notifications::Around::new(notifications::BY_TWO));
    holds(retries::Around::new(retries::BY_TWO));
}
