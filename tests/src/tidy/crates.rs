//! Who may depend on whom.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::workspace::{read, root};

/// The normal dependencies between crates of the workspace, as cargo sees them.
fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let names: BTreeSet<_> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let of = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        dependencies
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| names.contains(name))
            .map(ToOwned::to_owned)
            .collect()
    };
    packages
        .iter()
        .map(|package| {
            (
                package["name"].as_str().expect("a name").to_owned(),
                of(package),
            )
        })
        .collect()
}

/// The table of ARCHITECTURE.md: crate to what it may use, `None` for anything.
fn table() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let text = read("ARCHITECTURE.md");
    let section = text
        .split("## Workspace")
        .nth(1)
        .expect("a section")
        .split("\n## ")
        .next()
        .expect("its text");
    let quoted = |cell: &str| {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let name = quoted(cells[1]).pop().expect("a crate");
            let libraries = [
                "helios-core",
                "helios-store",
                "helios-docker",
                "helios-rollout",
            ];
            let may = match cells[3] {
                "anything" => None,
                "nothing" => Some(BTreeSet::new()),
                cell => {
                    let mut may: BTreeSet<_> = quoted(cell).into_iter().collect();
                    if cell.contains("any library crate") {
                        may.extend(libraries.map(ToOwned::to_owned));
                    }
                    Some(may)
                }
            };
            (name, may)
        })
        .collect()
}

#[test]
fn dependencies_are_those_of_the_architecture() {
    let table = table();
    let edges = edges();
    let listed: BTreeSet<_> = table.keys().collect();
    let present: BTreeSet<_> = edges.keys().collect();
    assert_eq!(
        listed, present,
        "the table of ARCHITECTURE.md lists the crates there are"
    );
    for (name, uses) in &edges {
        if let Some(may) = &table[name] {
            let more: Vec<_> = uses.difference(may).collect();
            assert!(
                more.is_empty(),
                "{name} uses {more:?}, which ARCHITECTURE.md does not allow"
            );
        }
    }
}
