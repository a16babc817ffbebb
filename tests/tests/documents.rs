//! What the documents say about the models is what the models are.

use downbeat_models::subtask_completion::kernel::SCENARIOS;

const README: &str = include_str!("../../README.md");
const PROPERTIES: &str = include_str!("../../docs/properties.md");
/// Kept true by the test that checks every variant.
const STATE_COUNTS: &str = include_str!("../../models/tests/snapshots/variants__state-counts.snap");

/// A number as the documents write it: `2,773,831`.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[test]
fn readme_has_the_state_count_of_every_scenario_of_the_kernel() {
    for (name, ..) in SCENARIOS {
        let count = STATE_COUNTS
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name} "))?.split_whitespace().next())
            .unwrap_or_else(|| panic!("no state count of {name}"));
        let rows: Vec<_> = README.lines().filter(|line| line.starts_with(&format!("| `{name}` |"))).collect();
        let has_count = rows.iter().any(|row| row.ends_with(&format!("| {} |", grouped(count))));
        assert!(has_count, "{name} has {count} states; the README says {rows:?}");
    }
}

#[test]
fn properties_page_has_every_property_of_every_variant() {
    for variant in downbeat_models::registry().variants() {
        for property in variant.properties(&variant.default_bounds()) {
            assert!(
                PROPERTIES.contains(&format!("| {} | ", property.id)),
                "{} of {variant} is not in docs/properties.md",
                property.id
            );
        }
    }
}
