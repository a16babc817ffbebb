//! What is certified, as the page has it. Whether it is so says `downbeat sim --exhaustive`, which continuous integration runs.

use crate::page;
use downbeat_sim::harness::grouped;
use downbeat_world::{CERTIFICATES, Scenario};
use std::collections::BTreeSet;
use std::fmt::Write as _;

#[test]
fn page_has_the_certificates() {
    let mut table = String::from("| scenario | executions | steps of the longest |\n|---|---|---|\n");
    for certificate in CERTIFICATES {
        let executions = grouped(certificate.executions);
        let (scenario, longest) = (certificate.scenario, certificate.longest);
        writeln!(table, "| `{scenario}` | {executions} | {longest} |").expect("it is text");
    }
    page::holds("certificates", &table);
}

#[test]
fn each_is_of_another_scenario_that_there_is() {
    let mut names = BTreeSet::new();
    for certificate in CERTIFICATES {
        let scenario: Scenario = certificate.scenario.parse().expect("there is such a scenario");
        assert!(names.insert(scenario.name().to_owned()), "{} twice", scenario.name());
    }
}

#[test]
fn name_says_what_may_happen_and_an_error_what_there_is() {
    let unknown = "task+flood".parse::<Scenario>().expect_err("there is no flood").to_string();
    assert!(
        unknown.starts_with("there is no `flood`") && unknown.contains("child, tool, message"),
        "{unknown}"
    );
    let often = "kill+kill+kill".parse::<Scenario>().expect_err("twice is enough").to_string();
    assert_eq!(often, "`kill` may stand in a name twice, and not more often");
    assert_eq!(
        "child+kill".parse::<Scenario>().map(|scenario| scenario.name().to_owned()),
        Ok("child+kill".to_owned())
    );
}
