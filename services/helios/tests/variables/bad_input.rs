//! What people are told when a rollout cannot mean anything.

use crate::process::Master;

/// Rollouts that are refused, and what is said of each.
const REFUSED: [(&str, &[&str]); 10] = [
    ("--to 27 --over 0s", &["takes no time"]),
    (
        "--to 27 --over 1h --start 2027-01-04T10:00Z --window Sat:09:00-10:00:UTC",
        &["never gets enough open time"],
    ),
    (
        "--to 27 --over 1h --window Mon:25:00-26:00:UTC",
        &["as an open window"],
    ),
    (
        "--to 27 --over 1h --window Mon:09:00-10:00:Mars/Utopia",
        &["\"Mars/Utopia\"", "IANA"],
    ),
    (
        "--to 27 --over 1h --at-least 2 --at-most 1 --until 50%",
        &["\"at least 2\"", "\"at most 1 until 50%\"", "stratum web"],
    ),
    ("--to 29 --over 1h", &["29", "docker"]),
    ("--from 25 --to 27 --over 1h", &["25", "docker"]),
    ("--to 28 --over 1h", &["26", "28", "27"]),
    (
        "--to 27 --over 1h --on role=nothing",
        &["no host takes part"],
    ),
    (
        "--to 27 --over 1h --guard ftp://prometheus",
        &["ftp://prometheus", "health"],
    ),
];

#[test]
fn what_cannot_mean_anything_is_refused_with_its_reason() {
    let master = Master::start();
    let set = [
        "set", "docker", "26", "--type", "text", "--allow", "26,27,28", "--forbid", "26:28",
    ];
    master.ask(&[&["variable"], &set[..]].concat());
    for host in ["h1", "h2"] {
        follow(&master, host, "role=web");
    }
    let said = |args: &str| {
        // A window is one word, with spaces.
        let words = args.split(' ').map(|word| {
            let zoned = word.starts_with("Sat:") || word.starts_with("Mon:");
            if zoned { spaced(word) } else { word.to_owned() }
        });
        let words: Vec<String> = words.collect();
        let rollout = ["variable", "rollout", "docker", "--yes"].into_iter();
        let words = rollout.chain(words.iter().map(String::as_str));
        let output = master.output(&words.collect::<Vec<_>>());
        assert!(!output.status.success(), "{args}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (args, why) in REFUSED {
        let said = said(args);
        assert!(why.iter().all(|part| said.contains(part)), "{args}: {said}");
    }
    master.ask(&[
        "variable", "rollout", "docker", "--to", "27", "--over", "1h", "--yes",
    ]);
    let overlapping = said("--to 26 --over 1h --from 27");
    assert!(
        overlapping.contains("docker has a transition"),
        "{overlapping}"
    );

    // A host that calls itself something else later is still what it was.
    follow(&master, "h1", "role=database");
    let why = master.ask(&["variable", "why", "docker", "h1"]);
    assert!(!why.contains("database"), "{why}");
    let preview = master.ask(&["variable", "preview", "docker", "--json"]);
    assert!(
        preview.contains("web") && !preview.contains("database"),
        "{preview}"
    );
}

/// `Sat:09:00-10:00:UTC` as `Sat 09:00-10:00 UTC`.
fn spaced(window: &str) -> String {
    let (days, rest) = window.split_once(':').unwrap();
    let (hours, zone) = rest.rsplit_once(':').unwrap();
    format!("{days} {hours} {zone}")
}

fn follow(master: &Master, host: &str, label: &str) {
    let file = format!("{host}.json");
    master.ask(&[
        "follow", "--once", "--name", host, "--label", label, "--out", &file,
    ]);
}
