//! From one machine to a fleet, as the README says it: its commands, followed to the letter.

use std::path::Path;
use std::process::{Command, Stdio};

/// The shell commands of a section of the README.
fn commands(section: &str) -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(readme).expect("the README");
    let section = text
        .split(&format!("## {section}\n"))
        .nth(1)
        .expect("the section");
    let section = section.split("\n## ").next().unwrap_or(section);
    section
        .split("```sh\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .collect()
}

#[test]
fn the_walk_from_one_machine_to_a_fleet_leads_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let binary = Path::new(env!("CARGO_BIN_EXE_helios"))
        .parent()
        .expect("a folder");
    let path = format!(
        "{}:{}",
        binary.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let dir = tempfile::tempdir().expect("a directory");
    let script = format!(
        "set -euo pipefail\n{}",
        commands("From one machine to a fleet")
    );
    assert!(
        script.contains("helios master"),
        "the README walks through it: {script}"
    );
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(root)
        .env("PATH", path)
        .env("WALK", dir.path())
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("RUNNING"), "{said}");
}
