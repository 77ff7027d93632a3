//! What an agent is told at its start: what every container gets, and whom to tell.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::process::{IMAGE, Solo, WEB_IMAGE};
use crate::serving::within;

fn until_running(solo: &Solo, job: &str) {
    within(&format!("{job} is RUNNING"), || {
        (solo.state(job) == "RUNNING").then_some(())
    });
}

#[test]
fn what_the_agent_was_told_reaches_every_container() {
    let solo = Solo::start_with(&[
        "--add-host",
        "secrethost:169.254.169.254",
        "--bind",
        "/etc/hostname:/mnt/hostname:ro",
        "--dns",
        "10.9.8.7",
        "--dns",
        "10.9.8.6",
        "--env",
        "PLACE=agent",
        "--env",
        "COLOUR=agent",
    ]);
    solo.ask(&[
        "create",
        "-q",
        "told:1",
        IMAGE,
        "-p",
        "bar=7",
        "--env",
        "COLOUR=job",
        "--hostname",
        "some-host",
        "--",
        "/bin/idle",
    ]);
    solo.ask(&["deploy", "told:1", "n1"]);
    until_running(&solo, "told:1");
    let container = solo.container_of("told:1");
    let inside = |command: &str| {
        let said = solo.docker(&["exec", &container, "/bin/sh", "-c", command]);
        said.trim().to_owned()
    };
    let status: Value =
        serde_json::from_str(&solo.ask(&["status", "--json", "-j", "told:1"])).expect("JSON");
    let task = &status[solo.full_id("told:1")]["taskStatuses"]["n1"];
    let port = &task["ports"]["bar"]["externalPort"];
    for (command, answer) in [
        ("grep secrethost /etc/hosts | cut -c1-15", "169.254.169.254"),
        ("grep -c '10.9.8.[67]' /etc/resolv.conf", "2"),
        ("echo $PLACE $COLOUR", "agent job"),
        ("hostname", "some-host"),
        (
            "touch /mnt/hostname 2>/dev/null || echo read-only",
            "read-only",
        ),
        ("echo $HELIOS_PORT_bar", &format!("n1:{port}")),
    ] {
        assert_eq!(inside(command), answer, "{command}");
    }
    let host = fs::read_to_string("/etc/hostname").expect("a host name");
    assert_eq!(inside("cat /mnt/hostname"), host.trim());
    assert_eq!(task["env"]["PLACE"], "agent");
    assert_eq!(task["env"]["COLOUR"], "job");
    let prefix = format!("/helios-{}-told_1_", solo.owner());
    let name = solo.docker(&["inspect", "--format", "{{.Name}}", &container]);
    assert!(name.starts_with(&prefix), "{name} begins with {prefix}");
}

#[test]
fn what_containers_write_arrives_at_the_syslog_the_agent_was_told() {
    let syslog = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let patience = Some(Duration::from_secs(60));
    syslog.set_read_timeout(patience).expect("a limit");
    let address = syslog.local_addr().expect("an address").to_string();
    let solo = Solo::start_with(&["--syslog-redirect-to", &address]);
    let write = "echo heard-there; exec /bin/idle";
    solo.ask(&[
        "create", "-q", "loud:1", IMAGE, "--", "/bin/sh", "-c", write,
    ]);
    solo.ask(&["deploy", "loud:1", "n1"]);
    let mut packet = [0; 4096];
    let length = syslog.recv(&mut packet).expect("a line within its time");
    let line = String::from_utf8_lossy(&packet[..length]);
    assert!(line.contains("heard-there"), "{line}");
    assert!(line.contains(&solo.full_id("loud:1")), "{line}");
    assert!(line.starts_with("<134>"), "information of local0: {line}");
    until_running(&solo, "loud:1");
}

/// The services that the file lists, as (name, port).
fn services(file: &Path) -> Vec<(String, u64)> {
    let text = fs::read(file).unwrap_or_default();
    let listed: Value = serde_json::from_slice(&text).unwrap_or_default();
    let listed = listed["services"].as_array().cloned().unwrap_or_default();
    let service = |service: Value| {
        let name = service["name"].as_str().unwrap_or_default().to_owned();
        (name, service["port"].as_u64().unwrap_or_default())
    };
    listed.into_iter().map(service).collect()
}

/// The states that the file of events tells, without repetition.
fn states(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut states = Vec::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).expect("a line is a document");
        states.push(
            event["status"]["state"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        );
    }
    states.dedup();
    states
}

#[test]
fn services_and_events_go_where_the_agent_was_told() {
    let folder = tempfile::tempdir().expect("a directory");
    let (registry, events) = (folder.path().join("services"), folder.path().join("events"));
    let to = format!("file:{}", registry.display());
    let events_to = events.display().to_string();
    let mut solo = Solo::start_with(&["--service-registry", &to, "--events-file", &events_to]);
    solo.ask(&[
        "create",
        "-q",
        "served:1",
        WEB_IMAGE,
        "-p",
        "http=80",
        "-r",
        "web/http=http",
        "--http-check",
        "http:/",
        "--grace-period",
        "10",
    ]);
    solo.ask(&["deploy", "served:1", "n1"]);
    until_running(&solo, "served:1");
    let listed = within("it is registered", || {
        Some(services(&registry)).filter(|listed| listed.len() == 1)
    });
    assert_eq!(listed[0].0, "web");

    // An agent that starts again takes nothing out.
    solo.kill();
    solo.start_again();
    until_running(&solo, "served:1");
    assert_eq!(services(&registry), listed);

    let container = solo.container_of("served:1");
    solo.ask(&["undeploy", "served:1", "n1"]);
    within("it is out", || services(&registry).is_empty().then_some(()));
    assert_eq!(
        solo.running_of("served:1"),
        Some(container),
        "it has its grace after that"
    );
    within("it is gone", || solo.containers().is_empty().then_some(()));
    let told = within("its end is told", || {
        let told = states(&events);
        told.contains(&"STOPPED".to_owned()).then_some(told)
    });
    let order = [
        "CREATING",
        "STARTING",
        "HEALTHCHECKING",
        "RUNNING",
        "STOPPING",
        "STOPPED",
    ];
    let mut rest = told.iter();
    for state in order {
        assert!(rest.any(|told| told == state), "{state} comes in {told:?}");
    }
}
