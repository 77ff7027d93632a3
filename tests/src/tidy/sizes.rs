//! A file is a room: its reader should be able to see all of it.

use crate::workspace::{files, read};

fn check(path: &str, lines_max: usize) -> Option<String> {
    let lines = read(path).lines().count();
    (lines > lines_max).then(|| format!("{path}: {lines} lines, {lines_max} is the most"))
}

#[test]
fn files_are_short() {
    let too_long: Vec<_> = files(&[".rs"])
        .iter()
        .filter_map(|path| {
            let is_test =
                path.contains("/tests") || path.starts_with("tests/") || path.contains("/benches/");
            let lines_max = match path.as_str() {
                path if path.ends_with("/lib.rs") => 150,
                path if path.starts_with("services/") && path.ends_with("/main.rs") => 80,
                _ if is_test => 800,
                _ => 500,
            };
            check(path, lines_max)
        })
        .collect();
    assert!(too_long.is_empty(), "split these:\n{}", too_long.join("\n"));
}

#[test]
fn the_architecture_stays_a_map() {
    assert_eq!(check("ARCHITECTURE.md", 250), None);
}
