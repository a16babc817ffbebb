//! What the documents say about the models is what the models are.

use downbeat_models::remote_agents::kernel as pool;
use downbeat_models::subtask_completion::kernel::SCENARIOS;
use downbeat_models::{duplicate_send, health, interrupt, subtask_tree, token_refresh};
use downbeat_sim::harness::{Registry, Variant};
use downbeat_sim::report::Verdict;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const README: &str = include_str!("../../README.md");
const PROPERTIES: &str = include_str!("../../docs/properties.md");
const TESTING: &str = include_str!("../../docs/TESTING_STRATEGY.md");
/// Kept true by the test that checks every variant.
const STATE_COUNTS: &str = include_str!("../../models/tests/snapshots/variants__state-counts.snap");

const TOKEN_REFRESH: &str = include_str!("../../docs/races/token-refresh.md");
/// Kept true by the test that checks every variant of `token-refresh`.
const TOKEN_REFRESH_COUNTS: &str =
    include_str!("../../models/tests/snapshots/token_refresh__state-counts.snap");

const REMOTE_AGENTS: &str = include_str!("../../docs/races/remote-agents.md");
/// Kept true by the test that checks every variant of `remote-agents`.
const REMOTE_AGENTS_COUNTS: &str =
    include_str!("../../models/tests/snapshots/remote_pool__state-counts.snap");
const DUPLICATE_SEND: &str = include_str!("../../docs/races/duplicate-send.md");
/// Kept true by the test that checks every variant of `duplicate-send`.
const DUPLICATE_SEND_COUNTS: &str =
    include_str!("../../models/tests/snapshots/duplicate_send__state-counts.snap");
const COMPOSITION: &str = include_str!("../../docs/composition.md");

/// Kept true by the test that checks every variant of `subtask-tree`.
const COMPOSITION_COUNTS: &str = include_str!("../../models/tests/snapshots/subtask_tree__state-counts.snap");

const PERFORMANCE: &str = include_str!("../../docs/performance.md");

const INTERRUPT: &str = include_str!("../../docs/races/interrupt.md");
/// Kept true by the test that checks every variant of `health` and `interrupt`.
const WORKER_COUNTS: &str = include_str!("../../models/tests/snapshots/workers__kernel-state-counts.snap");

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
    for variant in token_refresh::kernel::variants() {
        assert_row_has_count(TOKEN_REFRESH, TOKEN_REFRESH_COUNTS, variant.name());
    }
}

#[test]
fn page_of_remote_agents_has_the_state_count_of_every_variant_of_the_pool() {
    for variant in pool::variants() {
        assert_row_has_count(REMOTE_AGENTS, REMOTE_AGENTS_COUNTS, variant.name());
    }
}

#[test]
fn page_of_duplicate_send_has_the_state_count_of_every_variant_of_the_kernel() {
    for variant in duplicate_send::kernel::variants() {
        assert_row_has_count(DUPLICATE_SEND, DUPLICATE_SEND_COUNTS, variant.name());
    }
}

#[test]
fn page_of_the_composition_has_the_state_count_of_every_variant() {
    for variant in subtask_tree::variants() {
        assert_row_has_count(COMPOSITION, COMPOSITION_COUNTS, variant.name());
    }
}

/// The rows of the table of a page that begins with this header.
fn rows_under(page: &'static str, header: &str) -> Vec<Vec<&'static str>> {
    let table = page.lines().skip_while(|line| *line != header).skip(2);
    let rows = table.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// Each two features of the composition are together in a scenario, or its page says why not.
#[test]
fn page_of_the_composition_has_every_pair_of_features_that_no_scenario_has() {
    let mut missing = BTreeSet::new();
    for (at, (a, has_a)) in subtask_tree::FEATURES.iter().enumerate() {
        for (b, has_b) in &subtask_tree::FEATURES[at + 1..] {
            let has_both = |(_, _, scenario): &subtask_tree::Named| has_a(scenario) && has_b(scenario);
            if !subtask_tree::scenarios().any(has_both) {
                missing.insert([*a, *b]);
            }
        }
    }
    let excepted: BTreeSet<_> = rows_under(COMPOSITION, "| feature | and | why not |")
        .into_iter()
        .map(|row| [row[0], row[1]])
        .collect();
    assert_eq!(missing, excepted);
}

/// What the page says of how many variants have a property.
#[test]
fn page_of_the_composition_counts_the_variants_with_each_property() {
    let counted = rows_under(COMPOSITION, "| property | in the variants with | how many |");
    assert!(!counted.is_empty());
    for row in counted {
        for id in row[0].split(", ") {
            let has = |variant: &Variant| {
                variant.properties(&variant.default_bounds()).iter().any(|property| property.id == id)
            };
            assert_eq!(row[2], subtask_tree::variants().filter(has).count().to_string(), "{id}");
        }
    }
}

/// The rates in its table are of models that have grown since, if their sizes are not those of today.
#[test]
fn page_of_performance_measures_the_scenarios_of_the_kernel_as_they_are() {
    for (name, ..) in SCENARIOS {
        assert_row_has_count(PERFORMANCE, STATE_COUNTS, name);
    }
}

/// What the documents count of the scenarios of the kernel's worker.
#[test]
fn documents_have_the_number_of_scenarios_of_the_worker_and_the_states_of_the_largest() {
    let (interrupt, health) = (interrupt::kernel::SCENARIOS.len(), health::kernel::SCENARIOS.len());
    let counts = WORKER_COUNTS.lines().filter(|line| line.contains("@kernel"));
    let counts: Vec<u64> = counts.map(states).collect();
    assert_eq!(counts.len(), interrupt + health, "the snapshot has every scenario");
    let largest = counts.into_iter().max().unwrap_or_default();
    let scenarios =
        format!("in {} scenarios of up to {} states", interrupt + health, grouped(&largest.to_string()));
    assert!(README.contains(&scenarios), "README.md does not say: {scenarios}");
    let variants = format!("| `kernel`, and {} more |", interrupt - 1);
    assert!(INTERRUPT.contains(&variants), "docs/races/interrupt.md does not say: {variants}");
}

/// The number before the word `states`.
fn states(line: &str) -> u64 {
    let before = line.split(" states").next().and_then(|before| before.split_whitespace().last());
    before.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no count in {line}"))
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

/// The rows of the table of properties.
fn rows() -> impl Iterator<Item = &'static str> {
    let table = PROPERTIES.lines().skip_while(|line| !line.starts_with("| id |"));
    table.take_while(|line| line.starts_with('|')).skip(2)
}

/// The ids of the table of properties, each once for each row.
fn ids() -> Vec<&'static str> {
    rows().filter_map(|row| row.split('|').nth(1)).map(str::trim).collect()
}

/// The ids that are checked in variants of which it is expected that they hold, or are violated.
fn checked(registry: &Registry, expected: Verdict) -> Vec<&'static str> {
    let ids = |variant: &Variant| {
        let properties =
            variant.properties(&variant.default_bounds()).into_iter().map(|property| property.id);
        properties.filter(|id| variant.expected(id) == expected).collect::<Vec<_>>()
    };
    registry.variants().flat_map(ids).collect()
}

/// A promise that nothing keeps is none, unless the page says that it is about systems that break it.
#[test]
fn properties_page_has_no_property_that_holds_nowhere() {
    let registry = downbeat_models::registry();
    let (kept, broken) = (checked(&registry, Verdict::Holds), checked(&registry, Verdict::Violated));
    for id in ids() {
        let mut of_id = rows().filter(|row| row.starts_with(&format!("| {id} |")));
        let is_broken_alone = of_id.any(|row| row.contains("as-is systems alone"));
        assert_eq!(is_broken_alone, !kept.contains(&id), "where {id} holds, and what its row says");
        assert!(!is_broken_alone || broken.contains(&id), "no variant checks {id}");
    }
}

/// The ids in the brackets of a row: `(S14 to S17, L5)` are five.
fn bracketed(row: &str) -> Vec<String> {
    let known = ids();
    let brackets = row.split('(').skip(1).filter_map(|rest| rest.split(')').next());
    let items = brackets.flat_map(|inside| inside.split(", "));
    let all = items.flat_map(|item| {
        match item.split_once(" to ").map(|(first, last)| (number(first), number(last))) {
            Some((Some(first), Some(last))) => (first..=last).map(|number| format!("S{number}")).collect(),
            Some(_) | None => vec![item.to_owned()],
        }
    });
    all.filter(|id| known.contains(&id.as_str())).collect()
}

/// The number of a safety property.
fn number(id: &str) -> Option<u32> {
    id.strip_prefix('S')?.parse().ok()
}

/// A row that cites a check for a property cites one that has the property.
#[test]
fn testing_page_names_checks_that_have_the_properties_that_it_says() {
    let registry = downbeat_models::registry();
    let mut cited = 0;
    for row in TESTING.lines().filter(|line| line.starts_with('|')) {
        let named: Vec<&str> = row.split('`').skip(1).step_by(2).filter(|code| code.contains('@')).collect();
        let variants = registry.variants().filter(|variant| named.contains(&variant.to_string().as_str()));
        let has: Vec<_> =
            variants.flat_map(|variant| variant.properties(&variant.default_bounds())).collect();
        for id in bracketed(row).iter().filter(|_| !named.is_empty()) {
            assert!(has.iter().any(|property| property.id == id), "none of {named:?} checks {id}");
            cited += 1;
        }
    }
    assert!(cited > 40, "only {cited} were found");
}

/// The rows of a table of the page of tests, by the heading above it.
fn testing_rows(heading: &str) -> Vec<&'static str> {
    let section = TESTING.split("\n## ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("no section {heading}"));
    section.lines().filter(|line| line.starts_with('|')).skip(2).collect()
}

/// That the variants exist is looked at for every page, and that they have the properties above.
#[test]
fn testing_page_names_a_variant_for_each_line_of_the_checklist_and_each_race() {
    let sections = [
        ("The checklist of the lifecycle document", 4),
        ("The six causes of duplicate requests", 6),
        ("The races of remote agents", 14),
        ("What is said and asked around a remote task", 5),
    ];
    for (heading, lines) in sections {
        let rows = testing_rows(heading);
        assert_eq!(rows.len(), lines, "{heading}");
        for row in rows {
            let names_variant = row.split('`').skip(1).step_by(2).any(|code| code.contains('@'));
            let is_all = row.contains("| in all three |");
            assert!(names_variant || is_all, "no variant in: {row}");
        }
    }
}

/// The folders of the packages, below the root.
fn packages(root: &Path) -> Vec<PathBuf> {
    let inner = std::fs::read_dir(root.join("adapters")).expect("a folder");
    let inner = inner.map(|entry| entry.expect("an entry").path());
    let outer = ["kernel", "sim", "models", "tests", "fuzz"].map(|name| root.join(name));
    inner.chain(outer).collect()
}

/// A command that names no test runs none, and passes.
#[test]
fn testing_page_names_files_packages_and_tests_that_there_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let packages = packages(&root);
    let manifest = |folder: &PathBuf| std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let mut named = [0; 3];
    for code in TESTING.split('`').skip(1).step_by(2) {
        let words: Vec<&str> = code.split_whitespace().collect();
        if let [path] = words.as_slice()
            && path.contains('/')
        {
            assert!(root.join(path).exists(), "there is no {path}");
            named[0] += 1;
        }
        let after = |option| words.iter().position(|word| *word == option).and_then(|at| words.get(at + 1));
        let package = after("-p");
        if let Some(package) = package {
            let is_it = |folder: &&PathBuf| manifest(folder).contains(&format!("name = \"{package}\""));
            let folder =
                packages.iter().find(is_it).unwrap_or_else(|| panic!("no package {package}: {code}"));
            named[1] += 1;
            if let Some(test) = after("--test") {
                let file = folder.join(format!("tests/{test}.rs"));
                assert!(file.exists() || folder.join(format!("tests/{test}/main.rs")).exists(), "{code}");
                named[2] += 1;
            }
        }
    }
    let enough = named.iter().zip([5, 4, 1]).all(|(found, least)| *found >= least);
    assert!(enough, "only {named:?} paths, packages and tests were found");
}

/// The properties that the project sets out to keep.
#[test]
fn properties_page_has_every_id_of_the_design() {
    let safety = (1..=25).map(|number| format!("S{number}"));
    let liveness = (1..=5).map(|number| format!("L{number}"));
    let missing: Vec<_> = safety.chain(liveness).filter(|id| !ids().contains(&id.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The pages of the book and those at the root.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = [root.clone(), root.join("docs"), root.join("docs/races")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    let files = files.map(|file| file.expect("an entry").path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// A name in a page that no model has sends its reader nowhere.
#[test]
fn pages_name_only_variants_that_there_are() {
    let names: Vec<String> = downbeat_models::registry().variants().map(ToString::to_string).collect();
    let mut named = 0;
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        for name in text.split('`').skip(1).step_by(2).filter(|code| code.contains('@')) {
            let Some(name) = name.split_whitespace().find(|word| word.contains('@')) else { continue };
            let name = name.rsplit('/').next().unwrap_or(name);
            // Examples have models of their own, and what stands for a name is in capitals.
            let model = name.split_inclusive('@').next().unwrap_or(name);
            if name.ends_with("NAME") || !names.iter().any(|known| known.starts_with(model)) {
                continue;
            }
            // `health@kernel...` is all that begin so.
            let known = match name.strip_suffix("...") {
                Some(start) => names.iter().any(|known| known.starts_with(start)),
                None => names.iter().any(|known| name == known || name.starts_with(&format!("{known}."))),
            };
            assert!(known, "{} names `{name}`, which no model has", page.display());
            named += 1;
        }
    }
    assert!(named > 50, "only {named} names were found");
}
