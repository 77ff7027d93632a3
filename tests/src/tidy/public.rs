//! What the library crates show of themselves, and what they bring along.

use std::collections::BTreeSet;
use std::process::Command;

use crate::surface::Surface;
use crate::workspace::{read, root};

/// The library crates, and the foreign crates whose types their public signatures may name. A type of a crate that
/// changes often would make every change of it a change of ours.
const LIBRARIES: [(&str, &[&str]); 6] = [
    // Streams are what a watch is; the bytes of a value or a log are shared and not copied.
    ("helios-core", &["bytes", "futures_core", "serde"]),
    ("helios-store", &[]),
    // Whoever needs TLS to an engine hands in a client of his own.
    ("helios-docker", &["bollard"]),
    ("helios-rollout", &[]),
    ("helios-testkit", &[]),
    // A router that mounts in an app of the user's is of the framework that the app is written in.
    (
        "services/helios-api",
        &["axum", "bytes", "futures_core", "tokio"],
    ),
];

#[test]
fn no_foreign_type_is_in_a_public_signature_that_is_not_meant_to_be() {
    let surfaces = LIBRARIES.map(|(folder, may)| {
        let mut foreign = Surface::of(folder).foreign;
        foreign.retain(|owner, _| !may.contains(&owner.as_str()));
        (folder, foreign)
    });
    let wrong: Vec<_> = surfaces
        .iter()
        .filter(|(_, foreign)| !foreign.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let docker = Surface::of("helios-docker").foreign.remove("bollard");
    let docker: Vec<_> = docker.into_iter().flatten().collect();
    assert!(
        matches!(docker.as_slice(), [line] if line.contains("fn from_client")),
        "from_client is the one exception, and found: {docker:?}"
    );
}

/// The crates that an embedder of `helios-core` gets, itself included.
const CRATES_MAX: usize = 40;

#[test]
fn the_core_brings_few_crates_along() {
    let arguments = [
        "tree",
        "--offline",
        "--package",
        "helios-core",
        "--edges",
        "normal",
        "--prefix",
        "none",
    ];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    let tree = String::from_utf8_lossy(&output.stdout);
    let crates: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    println!("helios-core needs {} crates: {crates:?}", crates.len());
    assert!(crates.contains("helios-core"), "{output:?}");
    assert!(
        crates.len() <= CRATES_MAX,
        "{} crates: {crates:?}",
        crates.len()
    );
}

/// A change of what others build on is to be seen in review, and not to be guessed from the code.
///
/// `tests/src/tidy/surface` has the crates whose surface has settled. What it is now is in `target/surface`.
#[test]
fn a_settled_surface_is_the_one_that_was_reviewed() {
    let output = root().join("target/surface");
    std::fs::create_dir_all(&output).expect("a folder");
    let (mut settled, mut changed) = (0, Vec::new());
    for (folder, _) in LIBRARIES {
        let name = folder.rsplit('/').next().expect("a name");
        let lines: Vec<_> = Surface::of(folder).lines.into_iter().collect();
        let now = lines.join("\n") + "\n";
        std::fs::write(output.join(format!("{name}.txt")), &now).expect("a file");
        let file = format!("tests/src/tidy/surface/{name}.txt");
        let Ok(reviewed) = std::fs::read_to_string(root().join(&file)) else {
            continue;
        };
        settled += 1;
        let [before, after] = [&reviewed, &now].map(|text| text.lines().collect::<BTreeSet<_>>());
        let gone = before.difference(&after).map(|line| format!("- {line}"));
        let new = after.difference(&before).map(|line| format!("+ {line}"));
        changed.extend(gone.chain(new).map(|line| format!("{name} {line}")));
    }
    assert!(settled > 0, "the reviewed surfaces are there");
    assert!(
        changed.is_empty(),
        "{}\nif that is meant, copy the file of the crate from target/surface to tests/src/tidy/surface",
        changed.join("\n")
    );
}

#[test]
fn an_agent_or_a_master_of_ones_own_takes_at_most_fifteen_lines() {
    for name in ["embed_agent", "embed_master"] {
        let text = read(format!("examples/{name}.rs"));
        let main = text.split("async fn main()").nth(1).expect("a main");
        let body: Vec<_> = main
            .lines()
            .skip(1)
            .take_while(|line| *line != "}")
            .collect();
        println!("{name}: {} lines", body.len());
        assert!((5..=15).contains(&body.len()), "{name}: {}", body.len());
    }
}
