//! Every test that the table of scenarios names is there.

use std::collections::BTreeSet;

use crate::workspace::{files, read};

/// The names in code spans of the last column.
fn named(table: &str) -> BTreeSet<String> {
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let last = rows.filter_map(|row| row.trim_end_matches([' ', '|']).rsplit('|').next());
    let spans = last.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    spans.map(str::to_owned).collect()
}

#[test]
fn every_scenario_names_tests_that_exist() {
    let named = named(&read("tests/SCENARIOS.md"));
    assert!(named.len() > 50, "the table was read: {named:?}");
    let sources: String = files(&[".rs"]).iter().map(read).collect();
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !sources.contains(&format!("fn {name}(")))
        .collect();
    assert!(
        missing.is_empty(),
        "tests/SCENARIOS.md names {missing:?}, which no test is called: name what proves it now"
    );
}
