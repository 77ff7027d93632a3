//! The book in `docs/`: what it points at is there, and what it shows is run.

use std::collections::BTreeSet;

use crate::workspace::{files, read, root};

/// Everything people read first, by path.
fn pages() -> Vec<String> {
    let is_page = |path: &String| path.starts_with("docs/") || !path.contains('/');
    files(&[".md"]).into_iter().filter(is_page).collect()
}

/// The text outside of code blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The code blocks: what they are marked as, and their text.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let inside = text.split("```").skip(1).step_by(2);
    inside.filter_map(|block| block.split_once('\n')).collect()
}

/// The targets of all links in a text.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
}

/// The anchor of a heading, as forges make it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    });
    kept.collect()
}

fn has_anchor(page: &str, wanted: &str) -> bool {
    let text = prose(&read(page));
    let mut headings = text.lines().filter(|line| line.starts_with('#'));
    headings.any(|heading| anchor(heading) == wanted)
}

/// What is wrong with a link of a page, if anything.
fn broken(page: &str, target: &str) -> Option<String> {
    if target.contains("://") {
        return None;
    }
    let (path, wanted) = target.split_once('#').unwrap_or((target, ""));
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = match path {
        "" => page.to_owned(),
        path => root()
            .join(folder)
            .join(path)
            .to_string_lossy()
            .into_owned(),
    };
    if !root().join(&path).exists() {
        return Some(format!("{page}: {target} is not there"));
    }
    let leads = wanted.is_empty() || has_anchor(&path, wanted);
    (!leads).then(|| format!("{page}: {target} has no such heading"))
}

#[test]
fn links_lead_somewhere() {
    let found: Vec<_> = pages()
        .iter()
        .flat_map(|page| {
            let text = prose(&read(page));
            let found: Vec<_> = links(&text)
                .filter_map(|target| broken(page, target))
                .collect();
            found
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(broken("README.md", "docs/none.md").is_some());
    assert!(broken("README.md", "README.md#none").is_some());
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let contents = read("docs/README.md");
    let linked: BTreeSet<_> = links(&contents).collect();
    let missing: Vec<_> = pages()
        .into_iter()
        .filter_map(|page| page.strip_prefix("docs/").map(ToOwned::to_owned))
        .filter(|page| page != "README.md" && !linked.contains(page.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/README.md does not list {missing:?}"
    );
}

/// The lines of a text without their indentation, so that a part of a function can be shown.
fn flush(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}

/// What is shown in Rust is a part of an example, and every example runs with the tests.
#[test]
fn rust_on_a_page_is_rust_of_an_example() {
    let examples = files(&[".rs"]);
    let examples = examples.iter().filter(|path| path.starts_with("examples/"));
    let examples: Vec<_> = examples.map(|path| flush(&read(path))).collect();
    let is_run = |code: &str| examples.iter().any(|example| example.contains(code));
    let mut strange = Vec::new();
    for page in pages() {
        let text = read(&page);
        for (marked, code) in blocks(&text) {
            if marked.starts_with("rust") && !is_run(&flush(code)) {
                strange.push(format!("{page}:\n{code}"));
            }
        }
    }
    assert!(strange.is_empty(), "in no example:\n{}", strange.join("\n"));
}

/// A guarantee is promised in the port's documentation and proved by cases of its number.
#[test]
fn the_page_of_guarantees_names_the_cases_that_prove_them() {
    let page = read("docs/contracts.md");
    let suites: String = files(&[".rs"])
        .iter()
        .filter(|path| path.starts_with("helios-testkit/src/"))
        .map(read)
        .collect();
    let rows: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with("| S-") || line.starts_with("| R-"))
        .collect();
    for port in ["store", "runtime"] {
        let promised = read(format!("helios-core/src/{port}/mod.rs"));
        let ids = promised.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let is_id =
            |word: &&str| word.len() == 4 && (word.starts_with("S-") || word.starts_with("R-"));
        for id in ids.filter(is_id) {
            let row = rows.iter().find(|row| row.starts_with(&format!("| {id} ")));
            assert!(row.is_some(), "docs/contracts.md has no row for {id}");
        }
    }
    for row in rows {
        let id = row[2..6].replace('-', "").to_lowercase();
        let cases: Vec<_> = row.split('`').skip(1).step_by(2).collect();
        let cases: Vec<_> = cases
            .into_iter()
            .filter(|name| name.starts_with(&id))
            .collect();
        assert!(!cases.is_empty(), "no case in: {row}");
        for case in cases {
            assert!(suites.contains(case), "there is no case {case}: {row}");
        }
    }
}
