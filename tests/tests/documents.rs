//! What the documents say about the models is what the models are.

use downbeat_models::subtask_completion::kernel::SCENARIOS;
use downbeat_models::token_refresh::kernel;

const README: &str = include_str!("../../README.md");
const PROPERTIES: &str = include_str!("../../docs/properties.md");
/// Kept true by the test that checks every variant.
const STATE_COUNTS: &str = include_str!("../../models/tests/snapshots/variants__state-counts.snap");

const TOKEN_REFRESH: &str = include_str!("../../docs/races/token-refresh.md");
/// Kept true by the test that checks every variant of `token-refresh`.
const TOKEN_REFRESH_COUNTS: &str =
    include_str!("../../models/tests/snapshots/token_refresh__state-counts.snap");

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
        assert_row_has_count(README, STATE_COUNTS, name);
    }
}

#[test]
fn page_of_token_refresh_has_the_state_count_of_every_variant_of_the_kernel() {
    for variant in kernel::variants() {
        assert_row_has_count(TOKEN_REFRESH, TOKEN_REFRESH_COUNTS, variant.name());
    }
}

/// Some row of a page begins with a name and ends with the number of states that a snapshot has for it.
fn assert_row_has_count(page: &str, counts: &str, name: &str) {
    let count = counts
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} "))?.split_whitespace().next())
        .unwrap_or_else(|| panic!("no state count of {name}"));
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with(&format!("| `{name}` |"))).collect();
    let has_count = rows.iter().any(|row| row.ends_with(&format!("| {} |", grouped(count))));
    assert!(has_count, "{name} has {count} states; the page says {rows:?}");
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
