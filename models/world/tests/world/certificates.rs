//! What is certified, as the page has it. Whether it is so says `downbeat sim --exhaustive`, which continuous integration runs.

use crate::page;
use downbeat_sim::harness::grouped;
use downbeat_world::{CERTIFICATES, Certificate, Scenario};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The certificates of every execution: with few deviations many executions are of one class.
fn whole() -> Vec<Certificate> {
    CERTIFICATES.iter().filter(|certificate| certificate.deviations.is_none()).copied().collect()
}

/// Executions that were begun, and of how many classes they are.
fn sums(certificates: &[Certificate]) -> (u64, u64) {
    let begun = certificates.iter().map(|certificate| certificate.executions + certificate.given_up).sum();
    (begun, certificates.iter().map(|certificate| certificate.classes).sum())
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
fn for_each_class(certificates: &[Certificate]) -> f64 {
    let (begun, classes) = sums(certificates);
    begun as f64 / classes as f64
}

#[test]
fn page_has_the_certificates() {
    let mut table = String::from(
        "| scenario | deviations | executions | given up | classes | begun for each class | steps of the longest | outcomes |\n|---|---|---|---|---|---|---|---|\n",
    );
    for certificate in CERTIFICATES {
        let Certificate { scenario, longest, outcomes, .. } = certificate;
        let [executions, given_up, classes] =
            [certificate.executions, certificate.given_up, certificate.classes].map(grouped);
        let deviations = certificate.deviations.map_or_else(|| "any".to_owned(), |most| most.to_string());
        let each = for_each_class(std::slice::from_ref(certificate));
        writeln!(
            table,
            "| `{scenario}` | {deviations} | {executions} | {given_up} | {classes} | {each:.2} | {longest} | {outcomes} |"
        )
        .expect("it is text");
    }
    let ((begun, classes), each) = (sums(&whole()), for_each_class(&whole()));
    let (begun, classes) = (grouped(begun), grouped(classes));
    writeln!(
        table,
        "\nThose without a bound together: {begun} executions begun, for {classes} classes, which is {each:.2} for each."
    )
    .expect("it is text");
    page::holds("certificates", &table);
}

#[test]
fn few_executions_are_begun_for_each_class() {
    let each = for_each_class(&whole());
    assert!(each <= 1.2, "{each:.3} executions for each class");
}

#[test]
fn each_is_of_another_scenario_that_there_is_by_its_own_name() {
    let mut names = BTreeSet::new();
    for certificate in CERTIFICATES {
        let scenario: Scenario = certificate.scenario.parse().expect("there is such a scenario");
        assert_eq!(scenario.name(), certificate.scenario);
        assert!(
            names.insert((certificate.scenario, certificate.deviations)),
            "{} twice",
            certificate.scenario
        );
    }
}

#[test]
fn name_says_what_may_happen_in_one_order() {
    #[rustfmt::skip]
    let cases = [
        ("child+kill",            "child+kill"),
        ("kill+child",            "child+kill"),
        ("task+cancel",           "cancel"),
        ("task",                  "task"),
        ("message+child+message", "child+message+message"),
        ("tool+tool",             "tool"),
        ("death+pool",            "death"),
        ("pool+lease+death",      "death+lease"),
    ];
    for (given, name) in cases {
        let scenario: Scenario = given.parse().expect("there is such a scenario");
        assert_eq!(scenario.name(), name, "{given}");
        assert_eq!(name.parse(), Ok(scenario), "{given}");
    }
}

#[test]
fn error_says_what_there_is() {
    let unknown = "task+flood".parse::<Scenario>().expect_err("there is no flood").to_string();
    assert!(
        unknown.starts_with("there is no `flood`") && unknown.contains("child, tool, message"),
        "{unknown}"
    );
    let often = "kill+kill+kill".parse::<Scenario>().expect_err("twice is enough").to_string();
    assert_eq!(often, "`kill` may stand in a name twice, and not more often");
}
