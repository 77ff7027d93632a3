//! `helios zk init-acl` guards a store that was open.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use helios_core::store::{Key, Store, Txn};
use helios_store::zookeeper::{Access, Credential, ZooKeeperStore};

use crate::ensemble::Ensemble;

const PASSWORDS: [(&str, &str); 2] = [
    ("HELIOS_ZK_MASTER_PASSWORD", "m-secret"),
    ("HELIOS_ZK_AGENT_PASSWORD", "a-secret"),
];

fn helios(args: &[&str], passwords: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_helios"));
    command
        .env_clear()
        .envs(passwords.iter().copied())
        .args(args);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn output(args: &[&str], passwords: &[(&str, &str)]) -> Output {
    helios(args, passwords).output().unwrap()
}

/// Runs what must fail, and yields what it says on stderr.
fn refused(args: &[&str], passwords: &[(&str, &str)]) -> String {
    let output = output(args, passwords);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    assert_eq!(text(&output.stdout), "");
    text(&output.stderr)
}

/// A master that has said it is ready, and ends with the value.
struct Master(Child);

impl Master {
    fn start(connect: &str) -> Self {
        let args = ["master", "--zk", connect, "--zk-session-timeout", "8000"];
        let name = ["--name", "m1", "--listen", "127.0.0.1:0"];
        let mut command = helios(&[&args[..], &name[..]].concat(), &PASSWORDS);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        assert!(line.starts_with("helios master m1 ready"), "{line}");
        Self(child)
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_store_is_closed_and_masters_still_work() {
    let ensemble = Ensemble::start(1).await;
    let connect = format!("{}/helios", ensemble.server(0));
    let store = format!("zk://{connect}");
    let open = ensemble.store("helios").await;
    let key = |text: &str| Key::new(text).unwrap();
    let before = Txn::new()
        .create(key("jobs/left"), "")
        .create(key("status/web1"), "old");
    open.commit(before).await.unwrap();
    assert!(!open.world_writable().await.unwrap().is_empty());

    let said = refused(&["zk", "init-acl", "--store", &store], &[]);
    assert!(
        said.contains("HELIOS_ZK_MASTER_PASSWORD is not set"),
        "{said}"
    );
    let said = refused(&["zk", "init-acl", "--store", "file:x"], &PASSWORDS);
    assert!(said.contains("has no access lists"), "{said}");

    let done = output(&["zk", "init-acl", "--store", &store], &PASSWORDS);
    let (stdout, stderr) = (text(&done.stdout), text(&done.stderr));
    assert!(done.status.success(), "{stderr}");
    assert!(
        stdout.contains("removed status/web1: anybody could write it"),
        "{stdout}"
    );
    let masters = Credential::digest("helios-master", "m-secret").unwrap();
    let agents = Credential::digest("helios-agent", "a-secret").unwrap();
    let identity = masters.identity().to_string();
    let hash = identity.rsplit(':').next().unwrap();
    let line = format!("agents are told --zk-acl-master-digest {hash}\n");
    assert!(stdout.contains(&line), "{stdout}");
    assert!(!stdout.contains("secret") && !stderr.contains("secret"));

    let _master = Master::start(&connect);
    let access = Access::master(masters, agents.identity());
    let guarded = ZooKeeperStore::connect(ensemble.options("helios").access(access));
    let guarded = guarded.await.unwrap();
    assert!(guarded.get(&key("cluster")).await.unwrap().is_some());
    assert_eq!(guarded.world_writable().await.unwrap(), [""; 0]);

    // Whoever has no password is told that he may not, and not that the servers are down.
    let said = refused(
        &["master", "--zk", &connect, "--listen", "127.0.0.1:0"],
        &[],
    );
    assert!(said.contains("cannot be made a cluster's"), "{said}");
}
