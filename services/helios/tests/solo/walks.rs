//! The walks of the README and of the pages in `docs/`: their commands, followed to the letter.
//!
//! A walk is all blocks of a page that are marked `sh walk`, from top to bottom, in one shell.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The shell commands of a page.
fn commands(page: &str) -> String {
    let text = std::fs::read_to_string(root().join(page)).expect("the page");
    text.split("```sh walk\n")
        .skip(1)
        .filter_map(|block| block.split("```").next())
        .collect()
}

/// What a walk that fails has left running ends with it: its processes, and the containers of its agents.
const ENDING: &str = r#"ending() {
    kill $(jobs -p) 2>/dev/null || true
    for id in $(cat "$WALK"/*/agent-id 2>/dev/null); do
        docker ps -aq --filter "label=helios.runtime.owner=$id" | xargs -r docker rm -f >/dev/null
    done
}
trap ending EXIT"#;

/// Follows a page, and yields what its commands said.
fn follow(page: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_helios"));
    let path = format!(
        "{}:{}",
        binary.parent().expect("a folder").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let dir = tempfile::tempdir().expect("a directory");
    let script = format!("set -euo pipefail\n{ENDING}\n{}", commands(page));
    let output = Command::new("timeout")
        .args(["--kill-after=10", "300", "bash", "-c", &script])
        .current_dir(root())
        .env("PATH", path)
        .env("WALK", dir.path())
        .stdin(Stdio::null())
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
    assert!(
        output.status.success(),
        "{page}: {said}\n{}\n{log}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

#[test]
fn the_walk_from_one_machine_to_a_fleet_leads_there() {
    let said = follow("README.md");
    assert!(said.contains("RUNNING"), "{said}");
}

#[test]
fn the_tutorial_leads_from_nothing_to_a_rolling_update_and_back() {
    let said = follow("docs/tutorial.md");
    for part in [
        "RUNNING",
        "helios-test/web:1",
        "helios-test/web:2",
        "given up",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn every_walk_is_followed() {
    let pages = std::fs::read_dir(root().join("docs")).expect("the pages");
    let mut walks: Vec<String> = pages
        .flatten()
        .map(|page| format!("docs/{}", page.file_name().to_string_lossy()))
        .filter(|page| page.ends_with(".md") && !commands(page).is_empty())
        .collect();
    walks.sort();
    assert_eq!(walks, ["docs/tutorial.md"], "follow these here too");
}
