//! A fleet whose store nobody else can read: TLS to the servers, and a credential for each party.

use std::process::Command;

use crate::certificates::Certificates;
use crate::containers::Containers;
use crate::ensemble::Ensemble;
use crate::serving::{Serving, stdout, within};

const MASTER: &[(&str, &str)] = &[
    ("HELIOS_ZK_MASTER_PASSWORD", "m-secret"),
    ("HELIOS_ZK_AGENT_PASSWORD", "a-secret"),
];
const AGENT: &[(&str, &str)] = &[
    ("HELIOS_ZK_AGENT_PASSWORD", "a-secret"),
    ("HELIOS_ZK_HOST_PASSWORD", "h-secret"),
];

/// One machine's view: where its files are, and how the store is reached.
struct Site {
    certificates: Certificates,
    store: String,
}

impl Site {
    fn command(&self, args: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_helios"));
        command
            .env_clear()
            .envs(variables.iter().copied())
            .current_dir(self.certificates.path("."))
            .args(args);
        command
    }

    /// A command that works on the store, as the party whose certificate that is.
    fn on_store(&self, args: &[&str], party: &str, variables: &[(&str, &str)]) -> Command {
        let mut command = self.command(args, variables);
        let (certificate, key) = (format!("{party}.pem"), format!("{party}.key"));
        command.args(["--store", &self.store, "--zk-tls-ca", "ca.pem"]);
        command.args(["--zk-tls-cert", &certificate, "--zk-tls-key", &key]);
        command
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_with_tls_and_a_credential_for_each_party_runs_a_job() {
    let certificates = Certificates::new();
    let ensemble = Ensemble::start_with(1, &certificates.server_config()).await;
    let site = Site {
        store: format!("zk://{}/helios", ensemble.secure_server(0)),
        certificates,
    };
    let guarded = site
        .on_store(&["zk", "init-acl"], "master", MASTER)
        .output();
    let said = stdout(guarded.unwrap());
    let words: Vec<&str> = said.split_whitespace().collect();
    let option = words
        .iter()
        .position(|word| *word == "--zk-acl-master-digest");
    let hash = words[option.unwrap() + 1];

    let args = ["master", "--name", "m1", "--listen", "127.0.0.1:0"];
    let master = Serving::start(&mut site.on_store(&args, "master", MASTER));
    let url = master.url();
    let ask = |args: &[&str]| {
        let output = site
            .command(args, &[("HELIOS_MASTER", &url)])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };

    let args = ["agent", "--name", "web1", "--state-dir", "state"];
    let mut command = site.on_store(&args, "web1", AGENT);
    command.args(["--zk-acl-master-digest", hash]);
    let _agent = Serving::start(&mut command);
    let id = std::fs::read_to_string(site.certificates.path("state/agent-id")).unwrap();
    let containers = Containers::of(id.trim());
    // An agent with a credential of its own cannot write registrations: a person vouches for it.
    ask(&["register", "web1", id.trim()]);
    within("web1 is up", || {
        Some(ask(&["hosts"])).filter(|hosts| hosts.contains("web1") && hosts.contains("Up"))
    });

    ask(&[
        "create",
        "sleepy:1",
        "helios-test/busybox:1",
        "--",
        "/bin/idle",
    ]);
    ask(&["deploy", "sleepy:1", "web1"]);
    within("the job runs", || {
        Some(ask(&["status"])).filter(|status| status.contains("RUNNING"))
    });
    ask(&["undeploy", "sleepy:1", "web1"]);
    within("the container is gone", || {
        containers.ids().is_empty().then(|| "gone".to_owned())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_the_files_for_tls_is_said() {
    let certificates = Certificates::new();
    let site = Site {
        certificates,
        store: "zk://127.0.0.1:1/helios".to_owned(),
    };
    let master = ["master", "--store", &site.store, "--zk-tls-ca"];
    for (file, expected) in [
        ("missing.pem", "cannot read missing.pem"),
        ("ca.key", "not readable as PEM"),
    ] {
        let output = site.command(&[&master[..], &[file]].concat(), &[]).output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    let lonely = ["ca.pem", "--zk-tls-cert", "web1.pem"];
    let output = site.command(&[&master[..], &lonely].concat(), &[]).output();
    let said = String::from_utf8_lossy(&output.unwrap().stderr).into_owned();
    assert!(said.contains("--zk-tls-key"), "{said}");
}
