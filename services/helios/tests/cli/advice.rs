//! Whatever a person can get wrong on a command line, before anybody else is asked: what fails says what to do next.

use std::fs;

use crate::{helios, run, text};

/// A `create` with these options.
const CREATE: &[&[&str]] = &[
    &[],
    &["a:1"],
    &["a b:1", "i"],
    &["a:b:c:d", "i"],
    &["-f", "none.json"],
    &["-f", "bytes.json"],
    &["-f", "text.json"],
    &["-f", "no-job.json"],
    &["-f", "no-id.json"],
    &["-f", "job.json", "a/b"],
    &["a:1", "i", "--env", "A"],
    &["a:1", "i", "--port", "http"],
    &["a:1", "i", "--port", "a=1", "--port", "a=2"],
    &["a:1", "i", "--register", "web"],
    &[
        "a:1",
        "i",
        "--port",
        "a=1",
        "--port",
        "b=2",
        "--register",
        "web",
    ],
    &["a:1", "i", "--expires", "soon"],
    &["a:1", "i", "--rollout-options", "timeout=x"],
    &["a:1", "i", "--metadata", "A"],
    &["a:1", "i", "--labels", "A"],
];

/// An `agent` with these options.
const AGENT: &[&[&str]] = &[
    &["--name", "a b"],
    &["--docker", "nonsense"],
    &["--labels", "x"],
    &["--env", "x"],
    &["--bind", "x:y"],
    &["--add-host", "x"],
    &["--port-range", "9:1"],
    &["--service-registry", "x"],
    &["--service-registry", "consul:x"],
    &["--state-dir", "text.json/x"],
];

/// A `master` with these options.
const MASTER: &[&[&str]] = &[
    &["--store", "nonsense"],
    &["--store", "file:"],
    &["--store", "file:text.json/x"],
    &["--store", "zk://h1:x"],
    &["--store", "zk://127.0.0.1:1", "--zk-tls-ca", "none"],
    &["--store", "zk://127.0.0.1:1", "--zk-tls-ca", "text.json"],
    &["--store", "zk://127.0.0.1:1", "--zk-acl-agent-digest", "x"],
    &["--store", "memory:", "--zk-session-timeout", "5000"],
    &[
        "--store",
        "memory:",
        "--tls-cert",
        "none",
        "--tls-key",
        "none",
    ],
    &["--store", "memory:", "--outbound-ca", "none"],
];

/// Everything else.
const OTHERS: &[&[&str]] = &[
    &["-z", "ftp://x", "jobs"],
    &["--profile", "none", "jobs"],
    &["--access-token", "none", "jobs"],
    &["-z", "https://127.0.0.1:1", "--cacert", "none", "jobs"],
    &["master", "--store", "memory:", "--listen", "0.0.0.0:0"],
    &[
        "master",
        "--store",
        "memory:",
        "--listen",
        "192.0.2.1:0",
        "--insecure",
    ],
    &["agent", "--store", "memory:"],
    &["man", "text.json/x"],
    &["zk", "init-acl", "--store", "memory:"],
    &[
        "token", "create", "a b", "--role", "read", "--store", "file:s",
    ],
    &["token", "revoke", "none", "--store", "file:s"],
];

#[test]
fn every_failure_of_a_command_line_says_what_to_do_next() {
    let home = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("bytes.json", b"\xff".as_slice()),
        ("text.json", b"image: nginx"),
        ("no-job.json", br#"{"id":"a:1","image":"i","env":["A"]}"#),
        ("no-id.json", br#"{"image":"i"}"#),
        ("job.json", br#"{"id":"a:1","image":"i"}"#),
    ] {
        fs::write(home.path().join(name), content).unwrap();
    }
    let with = |command: &[&'static str], options: &[&'static str]| [command, options].concat();
    let lists = [
        (CREATE, &["create"][..]),
        (AGENT, &["agent", "--store", "zk://127.0.0.1:1"]),
        (MASTER, &["master", "--listen", "127.0.0.1:0"]),
        (OTHERS, &[]),
    ];
    let all = lists
        .iter()
        .flat_map(|(list, command)| list.iter().map(|options| with(command, options)));
    let mut silent = Vec::new();
    for args in all {
        let mut command = helios(home.path());
        command.env("HELIOS_MASTER", "http://127.0.0.1:1");
        command.env("HELIOS_CLI_TOTAL_TIMEOUT", "1");
        command.args(&args);
        let output = run(command, "");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        let advice = said.lines().find_map(|line| line.strip_prefix("next: "));
        if advice.is_none_or(|advice| advice.split(' ').count() < 2)
            || said.contains("cannot reach the master")
        {
            silent.push(format!("{args:?}: {said}"));
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}
