//! What must not stand in the sources.

use crate::workspace::{files, read};

fn lines_with(endings: &[&str], forbidden: &[&str]) -> Vec<String> {
    let this_file = "tests/src/tidy/words.rs";
    files(endings)
        .iter()
        .filter(|path| *path != this_file)
        .flat_map(|path| {
            let text = read(path);
            let found: Vec<_> = text
                .lines()
                .enumerate()
                .filter(|(_, line)| forbidden.iter().any(|word| line.contains(word)))
                .map(|(number, line)| format!("{path}:{}: {}", number + 1, line.trim()))
                .collect();
            found
        })
        .collect()
}

#[test]
fn nothing_is_left_for_later() {
    let found = lines_with(
        &[".rs"],
        &[
            "todo!(",
            "unimplemented!(",
            "dbg!(",
            "#[ignore",
            "```ignore",
            "FIXME",
            "XXX",
        ],
    );
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn wrappers_forward_everything() {
    let unguarded: Vec<_> = files(&[".rs"])
        .iter()
        .filter(|path| !path.starts_with("tests/"))
        .filter(|path| {
            let text = read(path);
            let forwards = |port: &str| {
                text.contains(&format!("impl {port} for Arc<"))
                    || text.contains(&format!("impl {port} for Box<"))
            };
            (forwards("Store") || forwards("Runtime")) && !text.contains("missing_trait_methods")
        })
        .cloned()
        .collect();
    assert!(
        unguarded.is_empty(),
        "deny clippy::missing_trait_methods in {unguarded:?}"
    );
}

#[test]
fn the_project_stands_alone() {
    let endings = [".rs", ".md", ".toml", ".sh", "Makefile"];
    let found = lines_with(
        &endings,
        &[
            "/work/",
            "../shared",
            "helios-wire.md",
            "helios-behaviour.md",
        ],
    );
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_test_tier_is_a_binary_of_its_own() {
    let manifest = read("tests/Cargo.toml");
    let missing: Vec<_> = files(&["main.rs"])
        .into_iter()
        .filter(|path| path.starts_with("tests/src/"))
        .filter(|path| {
            !manifest.contains(&format!("path = \"{}\"", path.trim_start_matches("tests/")))
        })
        .collect();
    assert!(
        missing.is_empty(),
        "tests/Cargo.toml does not name {missing:?}"
    );
}

/// A module file that nobody declares is compiled by nobody, and its tests never run.
#[test]
fn every_test_module_is_declared() {
    let forgotten: Vec<_> = files(&[".rs"])
        .into_iter()
        .filter(|path| path.starts_with("tests/src/") && path.matches('/').count() == 3)
        .filter(|path| !path.ends_with("/main.rs"))
        .filter(|path| {
            let (folder, file) = path.rsplit_once('/').expect("a folder");
            let module = format!("mod {};", file.trim_end_matches(".rs"));
            !read(format!("{folder}/main.rs")).contains(&module)
        })
        .collect();
    assert!(
        forgotten.is_empty(),
        "declare {forgotten:?} in their main.rs"
    );
}

#[test]
fn the_readme_shows_the_quickstart() {
    let example = read("examples/quickstart.rs");
    let code = example.split_once("\n\n").expect("a doc line, then code").1;
    assert!(
        read("README.md").contains(code.trim_end()),
        "README.md shows examples/quickstart.rs as it is"
    );
}
