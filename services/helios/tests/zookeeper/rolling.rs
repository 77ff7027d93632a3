//! Rolling updates over real containers: three agents with names and namespaces of their own on one engine,
//! two masters of which one is killed, and a visitor that never stops asking.

use std::collections::BTreeSet;
use std::process::{Child, Command, Output, Stdio};

use crate::containers::Containers;
use crate::ensemble::Ensemble;
use crate::serving::{Serving, stdout, within};
use crate::visitor::{Round, Visitor};

const HOSTS: [&str; 3] = ["roll1", "roll2", "roll3"];

/// A cluster on this machine. Its parts end in this order: the containers last, when nobody starts them again.
struct Site {
    agents: Vec<Serving>,
    masters: Vec<Serving>,
    containers: Vec<Containers>,
    _ensemble: Ensemble,
    dir: tempfile::TempDir,
}

impl Site {
    async fn start() -> Self {
        let ensemble = Ensemble::start(1).await;
        let store = format!("zk://{}/helios", ensemble.server(0));
        let mut site = Self {
            agents: Vec::new(),
            masters: Vec::new(),
            containers: Vec::new(),
            _ensemble: ensemble,
            dir: tempfile::tempdir().unwrap(),
        };
        for name in ["m1", "m2"] {
            let args = ["master", "--name", name, "--listen", "127.0.0.1:0"];
            let mut command = site.helios(&args);
            command.args(["--store", &store]);
            site.masters.push(Serving::start(&mut command));
        }
        for (number, name) in HOSTS.iter().enumerate() {
            let from = 23_000 + number * 100;
            let ports = format!("{from}:{}", from + 100);
            let args = ["agent", "--name", name, "--state-dir", name];
            let mut command = site.helios(&args);
            command.args(["--store", &store, "--labels", "role=web"]);
            command.args(["--port-range", &ports]);
            site.agents.push(Serving::start(&mut command));
            let id = std::fs::read_to_string(site.dir.path().join(name).join("agent-id"));
            site.containers.push(Containers::of(id.unwrap().trim()));
        }
        within("all hosts are up", || {
            let hosts = site.ask(&["hosts"]);
            (hosts.matches("Up").count() == HOSTS.len()).then_some(())
        });
        site
    }

    fn helios(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_helios"));
        command
            .current_dir(self.dir.path())
            .env("HOME", self.dir.path())
            .env_remove("HELIOS_MASTER")
            .stdin(Stdio::null())
            .args(args);
        command
    }

    /// The address of the master that nobody kills.
    fn url(&self) -> String {
        self.masters.last().unwrap().url()
    }

    fn ask(&self, args: &[&str]) -> String {
        let mut command = self.helios(&["-z", &self.url()]);
        stdout(command.args(args).output().unwrap())
    }

    fn start_update(&self, args: &[&str]) -> Child {
        let mut command = self.helios(&["-z", &self.url(), "rolling-update"]);
        command.args(args).args(["--timeout", "60"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn update(&self, args: &[&str]) -> Output {
        self.start_update(args).wait_with_output().unwrap()
    }

    fn create(&self, job: &str, image: &str, check: &str) {
        let port = ["-p", "http=80", "--http-check", check];
        self.ask(&[&["create", "-q", job, image][..], &port].concat());
    }

    fn containers(&self) -> Vec<BTreeSet<String>> {
        let ids = |of: &Containers| of.ids().lines().map(ToOwned::to_owned).collect();
        self.containers.iter().map(ids).collect()
    }
}

fn said(output: &Output) -> String {
    let [out, error] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}{error}")
}

/// In how many hosts at least somebody answered, in every round.
fn fewest(rounds: &[Round]) -> usize {
    assert!(!rounds.is_empty(), "the visitor asks all the time");
    let answered = |round: &Round| round.values().flatten().count();
    rounds.iter().map(answered).min().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_server_is_updated_under_constant_requests_and_a_bad_one_is_taken_back() {
    let mut site = Site::start().await;
    site.create("site:1", "helios-test/web:1", "http:/");
    site.create("site:2", "helios-test/web:2", "http:/");
    // It serves, but not what its health check asks for.
    site.create("site:3", "helios-test/web:1", "http:/missing");
    site.ask(&["create-deployment-group", "front", "role=web"]);
    let first = site.update(&["site:1", "front", "--par", "100%"]);
    assert!(first.status.success(), "{}", said(&first));
    let visitor = Visitor::start(&site.url(), &HOSTS);
    visitor.until_all_say("helios-test/web:1");

    // With overlap the old port answers until the new one does, on every host and whoever dies.
    let _ = visitor.rounds();
    let update = site.start_update(&["site:2", "front", "--overlap"]);
    within("the update has begun", || {
        let status = site.ask(&["deployment-group-status", "front"]);
        status.contains("in flight").then_some(())
    });
    drop(site.masters.remove(0));
    let update = update.wait_with_output().unwrap();
    assert!(update.status.success(), "{}", said(&update));
    for number in 1..=3 {
        let line = format!("-> RUNNING ({number}/3)");
        assert!(said(&update).contains(&line), "{}", said(&update));
    }
    visitor.until_all_say("helios-test/web:2");
    assert_eq!(fewest(&visitor.rounds()), 3, "every host served throughout");

    // Without overlap one host at a time is away. The bad job never gets past the first one.
    let before = within("the old containers are gone", || {
        let containers = site.containers();
        containers
            .iter()
            .all(|ids| ids.len() == 1)
            .then_some(containers)
    });
    let args = ["site:3", "front", "--rollback", "--timeout", "8"];
    let bad = site
        .helios(&["-z", &site.url(), "rolling-update"])
        .args(args)
        .output();
    let bad = bad.unwrap();
    assert_eq!(bad.status.code(), Some(1), "{}", said(&bad));
    assert!(said(&bad).contains("Going back: "), "{}", said(&bad));
    visitor.until_all_say("helios-test/web:2");
    assert!(fewest(&visitor.rounds()) >= 2, "one host at a time");
    let after = site.containers();
    assert_ne!(before[0], after[0], "the first host was tried");
    assert_eq!(before[1..], after[1..], "and no other");
    let status = site.ask(&["deployment-group-status", "front"]);
    assert!(status.contains("Job Id: site:2"), "{status}");
    assert!(status.contains("Status: ACTIVE"), "{status}");
    visitor.stop();
}
