use helios_core::Timestamp;
use serde_json::{Value, json};

use super::*;

fn owner() -> Owner {
    Owner::new("agent").unwrap()
}

fn labels(owner: &str) -> Value {
    json!({
        "helios.runtime.owner": owner,
        "helios.runtime.digest": "d1",
        "helios.runtime.labels": "[\"team\"]",
        "team": "blue",
        "maintainer": "of the image",
    })
}

fn inspect(owner_label: &str, state: Value) -> Option<Container> {
    let seen = json!({
        "Id": "c1",
        "Name": "/web",
        "Config": { "Labels": labels(owner_label) },
        "State": state,
        "NetworkSettings": { "Networks": {
            "z": { "IPAddress": "10.0.0.9" },
            "host": { "IPAddress": "" },
            "bridge": { "IPAddress": "172.17.0.2" },
        } },
    });
    inspected(&owner(), serde_json::from_value(seen).unwrap())
}

fn state_of(state: Value) -> ContainerState {
    inspect("agent", state).unwrap().state
}

#[test]
fn an_inspect_and_a_list_show_a_running_container_alike() {
    let line = json!({
        "Id": "c1",
        "Names": ["/other/alias", "/web"],
        "Labels": labels("agent"),
        "State": "running",
        "NetworkSettings": { "Networks": { "bridge": { "IPAddress": "172.17.0.2" } } },
    });
    let line: ContainerSummary = serde_json::from_value(line).unwrap();
    let seen = inspect("agent", json!({ "Status": "running" })).unwrap();
    assert_eq!(listed(&owner(), &line), Some(seen.clone()));
    assert_eq!(seen.name, "web");
    assert_eq!(seen.ip, Some("172.17.0.2".parse().unwrap()));
    assert_eq!(seen.labels, [("team".into(), "blue".into())].into());
}

#[test]
fn only_the_owners_containers_are_shown() {
    assert_eq!(inspect("another", json!({ "Status": "running" })), None);
}

#[test]
fn every_status_has_a_state() {
    assert_eq!(
        state_of(json!({ "Status": "created", "Error": "" })),
        ContainerState::Created { error: None }
    );
    assert_eq!(
        state_of(json!({ "Status": "created", "Error": "port", "ExitCode": 128 })),
        ContainerState::Created {
            error: Some("port".into())
        }
    );
    assert_eq!(
        state_of(
            json!({ "Status": "exited", "ExitCode": 137, "OOMKilled": true, "Error": "x",
            "FinishedAt": "1970-01-01T00:00:01.234567891Z" })
        ),
        ContainerState::Exited(Exit {
            code: 137,
            out_of_memory: true,
            error: Some("x".into()),
            ended_at: Some(Timestamp::from_millis(1234)),
        })
    );
    assert_eq!(
        state_of(json!({ "Status": "paused" })),
        ContainerState::Running
    );
    assert_eq!(
        state_of(json!({ "Status": "removing" })),
        ContainerState::Removing
    );
    assert_eq!(
        state_of(json!({ "Status": "dead" })),
        ContainerState::Removing
    );
}

#[test]
fn a_container_that_does_not_run_has_no_address() {
    let exited = inspect("agent", json!({ "Status": "exited" })).unwrap();
    assert_eq!(exited.ip, None);
}
