//! Every numbered guarantee of a port has a conformance case of that number.

use crate::workspace::{files, read};

fn check(port: &str, letter: char, suite: &str) {
    let doc = read(port);
    let promised: Vec<String> = doc
        .lines()
        .filter_map(|line| {
            line.trim()
                .trim_start_matches("/// ")
                .trim_start_matches("* ")
                .split(' ')
                .next()
        })
        .filter(|word| word.len() == 4 && word.starts_with(&format!("{letter}-")))
        .map(|word| word.replace('-', "").to_lowercase())
        .collect();
    assert!(
        promised.len() > 10,
        "{port} numbers its guarantees: {promised:?}"
    );
    let cases: String = files(&[".rs"])
        .iter()
        .filter(|path| path.starts_with(suite))
        .map(read)
        .collect();
    let missing: Vec<_> = promised
        .iter()
        .filter(|id| !cases.contains(&format!("{id}_")))
        .collect();
    assert!(
        missing.is_empty(),
        "{suite} has no case for {missing:?} of {port}"
    );
}

#[test]
fn every_guarantee_of_the_store_has_a_case() {
    check(
        "helios-core/src/store/mod.rs",
        'S',
        "helios-testkit/src/store",
    );
}

#[test]
fn every_guarantee_of_the_runtime_has_a_case() {
    check(
        "helios-core/src/runtime/mod.rs",
        'R',
        "helios-testkit/src/runtime",
    );
}
