//! What keeps `solo`, `master` and `agent` from starting: one clear message on stderr, and no trace.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use helios_core::state_dir::FileStateDir;

use crate::{helios, run, text};

/// Runs a server that must not start, and yields what it says on stderr.
fn refused(home: &Path, args: &[&str]) -> String {
    let mut command = helios(home);
    command.args(args);
    let output = run(command, "");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{args:?}: {stdout}{stderr}");
    assert_eq!(stdout, "", "it is not ready");
    stderr
}

/// A solo on a free port and on an engine that is not there, in `state`.
const SOLO: [&str; 9] = [
    "solo",
    "--name",
    "n1",
    "--state-dir",
    "state",
    "--docker",
    "unix:///nonexistent/docker.sock",
    "--listen",
    "127.0.0.1:0",
];

#[test]
fn a_second_solo_on_one_state_directory() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    let _first = FileStateDir::open(&state).unwrap();
    let said = refused(home.path(), &SOLO);
    assert!(
        said.contains("state directory state is in use by another process"),
        "{said}"
    );
    let files: Vec<_> = fs::read_dir(state)
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(files, ["lock"]);
}

#[test]
fn an_engine_that_does_not_run() {
    let home = tempfile::tempdir().unwrap();
    let said = refused(home.path(), &SOLO);
    assert!(said.contains("unix:///nonexistent/docker.sock"), "{said}");
    assert!(
        said.contains("next: start it") && said.contains("--docker"),
        "{said}"
    );
}

#[test]
fn a_state_directory_that_cannot_be_written() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("state"), "a file").unwrap();
    let said = refused(home.path(), &SOLO);
    assert!(
        said.contains("state directory state: cannot create it"),
        "{said}"
    );
}

#[test]
fn an_address_that_is_taken_or_open_to_others() {
    let home = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let at = |address: &str| {
        let mut args = SOLO;
        args[8] = address;
        refused(home.path(), &args)
    };
    let said = at(&address);
    assert!(
        said.contains(&format!("cannot listen on {address}")),
        "{said}"
    );
    assert!(said.contains("--listen"), "{said}");
    let said = at("0.0.0.0:0");
    assert!(
        said.contains("can be reached from other machines"),
        "{said}"
    );
}

#[test]
fn a_store_that_is_none_or_cannot_be_shared() {
    let home = tempfile::tempdir().unwrap();
    for (args, part) in [
        (
            ["master", "--store", "etcd://h"],
            "\"etcd://h\" names no store",
        ),
        (["agent", "--store", "file:x"], "helios solo"),
        (
            ["master", "--store", "file:/dev/null/x"],
            "the store file:/dev/null/x cannot be opened",
        ),
    ] {
        let mut args = args.to_vec();
        if args[0] == "master" {
            args.extend(["--listen", "127.0.0.1:0"]);
        }
        let said = refused(home.path(), &args);
        assert!(said.contains(part), "{said}");
    }
}
